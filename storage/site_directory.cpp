#include "storage/site_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/backup.hpp"
#include "storage/engines/rocks.hpp"
#include "storage/keys.hpp"
#include "storage/marker_file.hpp"
#include "storage/recovery.hpp"
#include "storage/store_format.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kFirstSpace = 1;
constexpr std::string_view kFormat = "1";
static_assert(kStoreFormat == 1);
constexpr std::string_view kKeyPrefix = "inos-key-1 space ";

std::string space_key_path(std::string const& dir, SpaceId const& space) {
    std::string_view const id(reinterpret_cast<char const*>(space.data()), 8);
    return dir + "/keys/space-" + crypto::hex(id) + ".key";
}

std::string encode_peers(std::vector<std::string> const& peers) {
    std::string out;
    put_varint(out, peers.size());
    for (auto const& peer : peers)
        put_blob(out, peer);
    return out;
}

std::vector<std::string> decode_peers(std::string_view bytes) {
    Reader in(bytes);
    std::vector<std::string> peers(in.count());
    for (auto& peer : peers)
        peer = in.blob();
    return peers;
}

// What makes a database that of the site that is admitted, and the space's key file.
Result<WriteBatch> admitted(std::string const& dir, SpaceGrant const& grant) {
    Membership membership(grant.genesis);
    INOS_CHECK(membership.add_all(grant.statements));
    if (!membership.by_actor(grant.actor))
        return fail(Errc::protocol,
                    "the site that was to admit this one did not send its certificate; try again");
    std::error_code ignored;
    fs::remove(space_key_path(dir, grant.genesis.id()), ignored);  // of an interrupted attempt
    INOS_CHECK(
        write_secret_file(space_key_path(dir, grant.genesis.id()), space_keys_text(grant.keys)));
    WriteBatch batch;
    for (auto const& bytes : grant.statements)
        put_statement(batch, kFirstSpace, bytes);
    std::string actor;
    put_u64(actor, grant.actor.value);
    batch.put(Family::meta, keys::meta_kind(kFirstSpace, 'g'), grant.genesis.encode());
    batch.put(Family::meta, keys::meta_kind(kFirstSpace, 'o'), actor);
    batch.put(Family::meta, keys::directory("format"), std::string(kFormat));
    batch.put(Family::meta, keys::directory("peers"), encode_peers(grant.peers));
    return batch;
}

Result<void> put_marks(WriteBatch& batch, std::string const& dir, ContinuityRecord continuity) {
    INOS_TRY(continuity.marks, renew_marks(dir, machine_ids(), fresh_marker_nonce()));
    batch.put(Family::meta, keys::meta_kind(kFirstSpace, 'm'), continuity.encode());
    return {};
}

// Writes everything but the site's keys into a directory that nobody uses yet.
Result<void> fill(std::string const& dir, SpaceGrant const& grant) {
    std::error_code ignored;
    fs::remove_all(dir + "/db", ignored);
    INOS_TRY(WriteBatch batch, admitted(dir, grant));
    INOS_TRY(auto const engine, open_rocks(dir + "/db"));
    INOS_CHECK(put_marks(batch, dir, {}));
    return engine->write(batch, Durability::synced);
}

Result<void> move_into_place(std::string const& from, std::string const& to) {
    std::string trimmed = to;
    while (trimmed.size() > 1 && trimmed.back() == '/')
        trimmed.pop_back();
    if (::rename(from.c_str(), trimmed.c_str()) != 0)
        return fail(Errc::io,
                    "cannot move \"" + from + "\" to \"" + trimmed + "\": " + std::strerror(errno));
    // The name has to outlive a power cut too.
    std::string const parent = fs::path(trimmed).parent_path().string();
    int const descriptor =
        ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool const is_synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    int const code = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (is_synced) return {};
    return fail(Errc::io,
                "cannot sync the directory of \"" + trimmed + "\": " + std::strerror(code));
}

std::string beside(std::string dir, char const* suffix) {
    while (dir.size() > 1 && dir.back() == '/')
        dir.pop_back();
    return dir + suffix;
}

Result<std::string> required(Engine const& engine, std::string const& key, char const* what) {
    INOS_TRY(auto value, engine.get(Family::meta, key));
    if (!value)
        return fail(Errc::corruption, std::string("the database does not hold the site's ") + what);
    return *std::move(value);
}

Result<Membership> load_membership(Engine const& engine, std::uint32_t space) {
    INOS_TRY(auto const bytes, required(engine, keys::meta_kind(space, 'g'), "space"));
    auto genesis = Genesis::decode(bytes);
    if (!genesis) return fail(Errc::corruption, "the stored description of the space is damaged");
    Membership membership(*std::move(genesis));
    INOS_TRY(auto const statements, stored_statements(engine, space));
    INOS_CHECK(membership.add_all(statements));
    return membership;
}

Result<void> make_private_directory(std::string const& dir) {
    std::error_code error;
    fs::path const parent = fs::path(dir).parent_path();
    if (!parent.empty()) fs::create_directories(parent, error);
    if (::mkdir(dir.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return fail(
        Errc::io, "cannot make the directory \"" + dir + "\": " + std::strerror(errno), dir);
}

}  // namespace

std::string space_keys_text(SpaceKeys const& keys) {
    std::string text = std::string(kKeyPrefix) + crypto::hex(keys.seal.view()) + " " +
                       crypto::hex(keys.digest.view());
    for (SpaceKey const& later : keys.later)
        text += " " + std::to_string(later.epoch) + ":" + crypto::hex(later.key.view());
    return text + "\n";
}

std::optional<SpaceKeys> parse_space_keys(std::string_view text) {
    constexpr std::size_t kHex = 64;
    std::string_view const whole = text;
    if (!text.starts_with(kKeyPrefix) || text.size() < kKeyPrefix.size() + 2 * kHex + 2)
        return std::nullopt;
    text.remove_prefix(kKeyPrefix.size());
    auto const seal = crypto::unhex(text.substr(0, kHex));
    auto const digest = crypto::unhex(text.substr(kHex + 1, kHex));
    if (!seal || !digest) return std::nullopt;
    SpaceKeys keys{crypto::Secret(*seal), crypto::Secret(*digest)};
    text.remove_prefix(2 * kHex + 1);
    while (text.size() > 1) {
        std::uint64_t epoch = 0;
        auto const read = std::from_chars(text.data() + 1, text.data() + text.size(), epoch);
        text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
        auto const key = text.size() > kHex ? crypto::unhex(text.substr(1, kHex)) : std::nullopt;
        if (read.ec != std::errc() || !key) return std::nullopt;
        keys.later.push_back({epoch, crypto::Secret(*key)});
        text.remove_prefix(1 + kHex);
    }
    // Whatever was forgiven on the way is noticed here.
    if (!crypto::equal(space_keys_text(keys), whole)) return std::nullopt;
    return keys;
}

Result<void> check_free(std::string const& dir) {
    std::error_code error;
    if (!fs::exists(dir, error)) return {};
    if (fs::exists(dir + "/db", error))
        return fail(Errc::conflict,
                    "\"" + dir + "\" holds a site already; choose another directory with --data",
                    dir);
    if (fs::is_directory(dir, error) && fs::is_empty(dir, error)) return {};
    return fail(
        Errc::conflict, "\"" + dir + "\" is not empty; choose a new directory with --data", dir);
}

Result<std::string> create_founder(std::string const& dir,
                                   std::string const& site_name,
                                   std::string const& space_name) {
    for (auto const& name : {site_name, space_name})
        if (!valid_name(name))
            return fail(Errc::usage,
                        "the name \"" + name +
                            "\" has to be 1 to 256 bytes of UTF-8 without control characters");
    INOS_CHECK(check_free(dir));
    std::string const building = beside(dir, ".founding");
    std::error_code ignored;
    fs::remove_all(building, ignored);
    INOS_CHECK(make_private_directory(building));
    INOS_TRY(SiteKeys const keys, create_site_keys(building));
    SpaceGrant grant;
    grant.genesis.name = space_name;
    grant.genesis.founder = keys.identity.public_key;
    Recovery const recovery = make_recovery();
    grant.genesis.nonce = recovery_nonce(recovery.key.public_key);
    grant.keys = {crypto::Secret::random(), crypto::Secret::random()};
    grant.actor = ActorId{crypto::random_u64() | 1};
    Certificate certificate;
    certificate.space = grant.genesis.id();
    certificate.actor = grant.actor;
    certificate.site = keys.identity.public_key;
    certificate.channel = keys.channel.public_key;
    certificate.sealing = keys.sealing.public_key;
    certificate.name = site_name;
    certificate.role = Role::admin;
    grant.statements.push_back(issue(certificate, keys.identity));
    grant.statements.push_back(
        state(certificate.space, RecoveryKey{recovery.key.public_key}, keys.identity));
    INOS_CHECK(fill(building, grant));
    INOS_CHECK(move_into_place(building, dir));
    return recovery.code;
}

Result<SiteKeys> prepare_member(std::string const& dir) {
    INOS_CHECK(check_free(dir));
    std::string const building = beside(dir, ".joining");
    INOS_CHECK(make_private_directory(building));
    std::error_code error;
    if (fs::exists(building + "/keys", error)) return load_site_keys(building);
    return create_site_keys(building);
}

Result<void> create_member(std::string const& dir, SpaceGrant const& grant) {
    std::string const building = beside(dir, ".joining");
    INOS_CHECK(fill(building, grant));
    return move_into_place(building, dir);
}

std::string_view directory_format() {
    return kFormat;
}

Result<std::unique_ptr<SiteRestore>> SiteRestore::begin(std::string const& dir, bool joins) {
    INOS_CHECK(check_free(dir));
    std::string const building = beside(dir, joins ? ".joining" : ".restoring");
    std::error_code ignored;
    if (joins) {
        INOS_CHECK(prepare_member(dir));
    } else {
        fs::remove_all(building, ignored);
        INOS_CHECK(make_private_directory(building));
        INOS_CHECK(make_private_directory(building + "/keys"));
    }
    // Of an interrupted attempt.
    fs::remove_all(building + "/db", ignored);
    fs::remove(building + "/inos.toml", ignored);
    std::unique_ptr<SiteRestore> restore(new SiteRestore(dir, building, joins));
    INOS_TRY(restore->engine_, open_rocks(building + "/db"));
    return restore;
}

Result<void> SiteRestore::put_rows(std::string_view rows) {
    WriteBatch batch;
    bool forged = false;
    INOS_CHECK(each_row(rows, [&](Family family, std::string_view key, std::string_view value) {
        forged = forged || is_left_out(family, key);
        batch.put(family, std::string(key), std::string(value));
    }));
    if (forged)
        return fail(Errc::corruption,
                    "the backup holds what no backup does (invitations, marks of a directory, or "
                    "states that arrive): somebody has changed it");
    return engine_->write(batch, Durability::flushed);
}

Result<void> SiteRestore::put_file(std::string const& name, std::string_view content) {
    constexpr std::string_view kKeys = "keys/";
    constexpr std::string_view kEnd = ".key";
    auto const plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    std::string_view stem = name;
    if (stem.starts_with(kKeys)) stem.remove_prefix(kKeys.size());
    if (stem.ends_with(kEnd)) stem.remove_suffix(kEnd.size());
    bool const is_key = stem.size() + kKeys.size() + kEnd.size() == name.size() && !stem.empty() &&
                        std::all_of(stem.begin(), stem.end(), plain);
    if (!is_key && name != "inos.toml")
        return fail(Errc::invalid, "the backup holds a file that no site has: \"" + name + "\"");
    return write_secret_file(building_ + "/" + name, content);
}

SiteRestore::~SiteRestore() {
    if (!engine_) return;
    engine_.reset();
    std::error_code ignored;
    fs::remove_all(building_ + "/db", ignored);
    fs::remove(building_ + "/inos.toml", ignored);
    // The keys of one that joins are what a second try goes on with.
    if (!joins_) fs::remove_all(building_, ignored);
}

Error SiteRestore::over() const {
    return Error{
        Errc::conflict, "\"" + dir_ + "\" could not be finished before; restore again", dir_};
}

Result<void> SiteRestore::finish() {
    if (!engine_) return tl::unexpected(over());
    INOS_TRY(SiteKeys const keys, load_site_keys(building_));
    INOS_TRY(Membership const membership, load_membership(*engine_, kFirstSpace));
    INOS_TRY(auto const own, required(*engine_, keys::meta_kind(kFirstSpace, 'o'), "actor"));
    auto const* certificate = membership.by_actor(ActorId{Reader(own).u64()});
    if (!certificate || certificate->site != keys.identity.public_key)
        return fail(Errc::corruption, "the keys in the backup belong to another site");
    ContinuityRecord continuity;
    continuity.another_life(Doubt::copied);
    return end(std::move(continuity), {});
}

Result<void> SiteRestore::finish(SpaceGrant const& grant) {
    if (!engine_) return tl::unexpected(over());
    INOS_TRY(Membership const membership, load_membership(*engine_, kFirstSpace));
    if (membership.space() != grant.genesis.id())
        return fail(Errc::conflict,
                    "the backup is of the space \"" + membership.genesis().name +
                        "\", and the code is of another, \"" + grant.genesis.name + "\"");
    INOS_TRY(WriteBatch batch, admitted(building_, grant));
    return end({}, std::move(batch));
}

Result<void> SiteRestore::end(ContinuityRecord continuity, WriteBatch batch) {
    INOS_CHECK(put_marks(batch, building_, std::move(continuity)));
    INOS_CHECK(engine_->write(batch, Durability::synced));
    engine_.reset();
    return move_into_place(building_, dir_);
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(std::string const& dir) {
    std::string const path = dir + "/lock";
    int const descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return fail(Errc::io, "cannot open \"" + path + "\": " + std::strerror(errno), path);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        char pid[32] = {};
        auto const size = ::pread(descriptor, pid, sizeof pid - 1, 0);
        ::close(descriptor);
        std::string const who = size > 0 ? std::string(" (process ") + pid + ")" : "";
        return fail(Errc::conflict,
                    "the directory \"" + dir + "\" is in use by another inos" + who +
                        "; stop it first or use its API",
                    dir);
    }
    std::string const pid = std::to_string(::getpid());
    bool const noted =
        ::ftruncate(descriptor, 0) == 0 &&
        ::pwrite(descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
    if (!noted) {
        ::close(descriptor);
        return fail(Errc::io, "cannot write \"" + path + "\": " + std::strerror(errno), path);
    }
    return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor));
}

DirectoryLock::~DirectoryLock() {
    ::close(descriptor_);
}

namespace {

Result<void> renew_marker(OpenSite& site) {
    MarkerNonce const nonce = fresh_marker_nonce();
    INOS_CHECK(site.replica->expect_marker(nonce));
    INOS_TRY(DirectoryMarks const marks, renew_marks(site.dir, machine_ids(), nonce));
    return site.replica->record_marks(marks);
}

}  // namespace

// So a database that is put back from before this end is told from the one that is here.
OpenSite::~OpenSite() {
    if (replica && !replica->failed()) static_cast<void>(renew_marker(*this));
}

Result<std::unique_ptr<OpenSite>> open_site(std::string const& dir,
                                            Clock const& clock,
                                            Durability durability) {
    std::error_code error;
    if (!fs::exists(dir + "/db", error))
        return fail(Errc::not_found,
                    "there is no site in \"" + dir +
                        "\"; make one with `inos init` or `inos join`, or name another with --data",
                    dir);
    auto site = std::make_unique<OpenSite>();
    site->dir = dir;
    INOS_TRY(site->lock, DirectoryLock::take(dir));
    INOS_TRY(site->keys, load_site_keys(dir));
    INOS_TRY(site->engine, open_rocks(dir + "/db"));
    INOS_CHECK(upgrade_store(*site->engine, dir, store_upgrades()));
    INOS_TRY(Membership membership, load_membership(*site->engine, kFirstSpace));
    std::string const key_path = space_key_path(dir, membership.space());
    INOS_TRY(auto const key_text, read_secret_file(key_path));
    auto space_keys = parse_space_keys(key_text);
    auto const newer = newer_text(key_text, "inos-key-", 1, "the key file \"" + key_path + "\"");
    if (newer) return tl::unexpected<Error>(*newer);
    if (!space_keys)
        return fail(Errc::corruption,
                    "\"" + key_path + "\" is no key file of a space; put back the right one",
                    key_path);
    site->space_keys = *std::move(space_keys);
    INOS_TRY(auto const own, required(*site->engine, keys::meta_kind(kFirstSpace, 'o'), "actor"));
    ReplicaOptions options;
    options.space = kFirstSpace;
    options.actor = ActorId{Reader(own).u64()};
    options.identity = site->keys.identity;
    options.digest_key = site->space_keys.digest;
    options.keys = KeyRing(site->space_keys);
    options.sealing = site->keys.sealing;
    options.durability = durability;
    MachineIds const ids = machine_ids();
    INOS_TRY(options.marks, read_marks(dir, ids));
    INOS_TRY(site->replica,
             Replica::open(*site->engine, clock, std::move(membership), std::move(options)));
    INOS_CHECK(renew_marker(*site));
    auto const& certificate = *site->replica->membership().by_actor(site->replica->actor());
    if (certificate.site != site->keys.identity.public_key)
        return fail(Errc::corruption,
                    "the keys in \"" + dir + "/keys\" belong to another site than the database");
    site->name = certificate.name;
    INOS_TRY(auto const peers, site->engine->get(Family::meta, keys::directory("peers")));
    if (peers) site->peers = decode_peers(*peers);
    return site;
}

Result<void> save_peers(Engine& engine, std::vector<std::string> const& peers) {
    WriteBatch batch;
    batch.put(Family::meta, keys::directory("peers"), encode_peers(peers));
    return engine.write(batch, Durability::synced);
}

}  // namespace inos
