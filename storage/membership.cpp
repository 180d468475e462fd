#include "storage/membership.hpp"

#include <algorithm>
#include <tuple>

#include "crdt/bytes.hpp"
#include "crdt/value.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kKindActor = 1, kVersion = 1;
constexpr std::size_t kCertificateBytesMax = 64 << 10;
constexpr std::size_t kActorAt = 2 + sizeof(SpaceId);  // in a certificate's bytes
constexpr std::size_t kNonceBytes = 16;

template <class Bytes>
void put_raw(std::string& out, Bytes const& bytes) {
    out.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

template <class Bytes>
Bytes take_raw(Reader& in) {
    Bytes bytes{};
    std::string_view const raw = in.take(bytes.size());
    std::copy(raw.begin(), raw.end(), bytes.begin());
    return bytes;
}

std::string statement(std::string_view body) {
    std::string out = "inos certificate 1";
    out += body;
    return out;
}

// A site goes on under a new actor with the rights it had.
bool continues(Certificate const& next, Certificate const& known) {
    return next.issuer == known.site && next.site == known.site && next.role == known.role &&
           next.scope == known.scope;
}

// How much the issuer had seen; grows when one certificate was issued after another was known.
Seq seen(Certificate const& certificate) {
    Seq sum = 0;
    for (auto const& [actor, seq] : certificate.issuer_vv.items())
        sum += seq;
    return sum;
}

}  // namespace

char const* role_name(Role role) {
    switch (role) {
        case Role::admin:
            return "admin";
        case Role::writer:
            return "writer";
        case Role::reader:
            return "reader";
        case Role::relay:
            return "relay";
    }
    return "unknown";
}

std::optional<Role> parse_role(std::string_view name) {
    for (Role const role : {Role::admin, Role::writer, Role::reader, Role::relay})
        if (name == role_name(role)) return role;
    return std::nullopt;
}

std::string Genesis::encode() const {
    std::string out;
    put_blob(out, name);
    put_raw(out, founder);
    put_raw(out, nonce);
    return out;
}

std::optional<Genesis> Genesis::decode(std::string_view bytes) {
    Reader in(bytes);
    Genesis genesis;
    genesis.name = in.blob();
    genesis.founder = take_raw<SiteId>(in);
    genesis.nonce = take_raw<std::array<std::uint8_t, 16>>(in);
    if (!in.finished() || !valid_name(genesis.name)) return std::nullopt;
    return genesis;
}

SpaceId Genesis::id() const {
    auto const hash = crypto::Hasher32().add("inos space 1").add(encode()).finish();
    SpaceId id;
    std::copy_n(hash.begin(), id.size(), id.begin());
    return id;
}

bool Certificate::may_write(std::string_view collection) const {
    if (!may_write()) return false;
    // Schemas and spaces are for admins; the other reserved collections follow the scope.
    if (collection == "_schema" || collection == "_spaces") return role == Role::admin;
    return scope.empty() || std::find(scope.begin(), scope.end(), collection) != scope.end();
}

namespace {

std::string unsigned_bytes(Certificate const& certificate, SiteId const& issuer) {
    std::string out;
    out += static_cast<char>(kKindActor);
    out += static_cast<char>(kVersion);
    put_raw(out, certificate.space);
    put_u64(out, certificate.actor.value);
    put_raw(out, certificate.site);
    put_raw(out, certificate.channel);
    put_raw(out, certificate.sealing);
    put_blob(out, certificate.name);
    out += static_cast<char>(certificate.role);
    put_varint(out, certificate.scope.size());
    for (auto const& collection : certificate.scope)
        put_blob(out, collection);
    put_raw(out, issuer);
    certificate.issuer_vv.encode(out);
    put_blob(out, certificate.extension);
    return out;
}

// `bytes`: a certificate without its signature.
ActorId following_actor(std::string bytes) {
    std::fill_n(bytes.begin() + kActorAt, 8, '\0');
    auto const hash = crypto::Hasher32().add("inos actor 1").add(bytes).finish();
    return ActorId{Reader(crypto::view(hash)).u64()};
}

}  // namespace

std::string issue(Certificate const& certificate, crypto::SigningKey const& issuer) {
    std::string out = unsigned_bytes(certificate, issuer.public_key);
    put_raw(out, crypto::sign(issuer, statement(out)));
    return out;
}

std::string issue_continuation(Certificate certificate,
                               std::array<std::uint8_t, 16> const& nonce,
                               crypto::SigningKey const& site) {
    certificate.extension.clear();
    put_raw(certificate.extension, nonce);
    certificate.actor = following_actor(unsigned_bytes(certificate, site.public_key));
    return issue(certificate, site);
}

Result<Certificate> decode_certificate(std::string_view bytes) {
    auto const malformed = [] {
        return fail(Errc::protocol, "a membership certificate is malformed; its sender is faulty");
    };
    if (bytes.size() > kCertificateBytesMax) return malformed();
    Reader in(bytes);
    std::uint8_t const kind = in.byte(), version = in.byte();
    if (in.ok() && (kind != kKindActor || version != kVersion))
        return fail(
            Errc::unsupported,
            "a membership certificate of a newer version cannot be read; upgrade this node");
    Certificate certificate;
    certificate.space = take_raw<SpaceId>(in);
    certificate.actor.value = in.u64();
    certificate.site = take_raw<SiteId>(in);
    certificate.channel = take_raw<crypto::PublicKey>(in);
    certificate.sealing = take_raw<crypto::PublicKey>(in);
    certificate.name = in.blob();
    std::uint8_t const role = in.byte();
    certificate.role = static_cast<Role>(role);
    certificate.scope.resize(in.count());
    for (auto& collection : certificate.scope)
        collection = in.blob();
    certificate.issuer = take_raw<SiteId>(in);
    auto vv = VersionVector::decode(in);
    certificate.extension = in.blob();
    in.take(sizeof(crypto::Signature));
    bool const sound = in.finished() && vv && role >= 1 && role <= 4 &&
                       valid_name(certificate.name) && certificate.actor.value != 0 &&
                       std::all_of(certificate.scope.begin(), certificate.scope.end(), valid_name);
    if (!sound) return malformed();
    certificate.issuer_vv = *std::move(vv);
    return certificate;
}

Membership::Membership(Genesis genesis) : genesis_(std::move(genesis)), space_(genesis_.id()) {
    update_digest();
}

// Looks at all certificates of the issuer and not at its newest one only: else the answer would
// depend on the order in which certificates come, and a set that was taken once could not be loaded
// again.
Result<void> Membership::check_issuer(Certificate const& certificate) const {
    if (certificate.issuer == genesis_.founder) return {};
    Certificate const* issuer = nullptr;
    for (auto const& [actor, known] : by_actor_) {
        if (known.site != certificate.issuer) continue;
        issuer = &known;
        if (known.role == Role::admin || continues(certificate, known)) return {};
    }
    if (!issuer)
        return fail(Errc::not_found,
                    "the certificate of \"" + certificate.name +
                        "\" was issued by a site that is not known here");
    return fail(Errc::forbidden,
                "the certificate of \"" + certificate.name + "\" was issued by \"" + issuer->name +
                    "\", which is no admin of the space");
}

// Of what admins have issued to the site the one whose issuer had seen most, then the highest
// actor; the site's own continuations of just those rights come after it. So it does not depend on
// the order in which certificates came either, and nobody continues rights that were taken from it.
void Membership::update_newest(SiteId const& site) {
    auto const newer = [](Certificate const& a, Certificate const* b) {
        return !b || std::pair(seen(a), a.actor) > std::pair(seen(*b), b->actor);
    };
    Certificate const* granted = nullptr;
    for (auto const& [actor, known] : by_actor_)
        if (known.site == site && by_admin(known) && newer(known, granted)) granted = &known;
    Certificate const* newest = granted;
    for (auto const& [actor, known] : by_actor_)
        if (known.site == site && (!granted || continues(known, *granted)) && newer(known, newest))
            newest = &known;
    newest_[site] = newest->actor;
}

bool Membership::by_admin(Certificate const& certificate) const {
    return certificate.issuer != certificate.site || certificate.issuer == genesis_.founder;
}

Result<bool> Membership::add(std::string_view bytes) {
    if (std::find(bytes_.begin(), bytes_.end(), bytes) != bytes_.end()) return false;
    INOS_TRY(Certificate const certificate, decode_certificate(bytes));
    if (certificate.space != space_)
        return fail(Errc::protocol,
                    "the certificate of \"" + certificate.name + "\" belongs to another space");
    if (by_actor_.contains(certificate.actor))
        return fail(Errc::protocol,
                    "two certificates name one actor; the second, of \"" + certificate.name +
                        "\", is not taken");
    std::size_t const body = bytes.size() - sizeof(crypto::Signature);
    bool const own = certificate.issuer == certificate.site && certificate.site != genesis_.founder;
    if ((own || certificate.extension.size() == kNonceBytes) &&
        certificate.actor != following_actor(std::string(bytes.substr(0, body))))
        return fail(Errc::protocol,
                    "the certificate of \"" + certificate.name +
                        "\" names another actor than follows from it");
    INOS_CHECK(check_issuer(certificate));
    crypto::Signature signature;
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(body), bytes.end(), signature.begin());
    if (!crypto::verify(certificate.issuer, statement(bytes.substr(0, body)), signature))
        return fail(Errc::protocol,
                    "the certificate of \"" + certificate.name + "\" has a wrong signature");
    bytes_of_.emplace(certificate.actor, bytes_.size());
    bytes_.emplace_back(bytes);
    by_actor_.emplace(certificate.actor, certificate);
    update_newest(certificate.site);
    auto const hash = crypto::hash16(bytes);
    hashes_.insert(std::upper_bound(hashes_.begin(), hashes_.end(), hash), hash);
    update_digest();
    return true;
}

Result<std::vector<std::string>> Membership::add_all(std::vector<std::string> const& set) {
    std::vector<std::string> added;
    std::vector<std::string> waiting = set;
    // Each round adds those whose issuers are known, with the right, by now; a round that adds none
    // is the last.
    Error missing;
    for (bool progress = true; progress && !waiting.empty();) {
        progress = false;
        std::vector<std::string> later;
        for (auto& bytes : waiting) {
            auto const result = add(bytes);
            Errc const code = result ? Errc::internal : result.error().code;
            if (code == Errc::not_found || code == Errc::forbidden) {
                missing = result.error();
                later.push_back(std::move(bytes));
                continue;
            }
            if (!result) return tl::unexpected(result.error());
            if (*result) added.push_back(std::move(bytes));
            progress = true;
        }
        waiting = std::move(later);
    }
    if (waiting.empty()) return added;
    if (missing.code == Errc::not_found) missing.code = Errc::protocol;
    return tl::unexpected(missing);
}

Certificate const* Membership::by_actor(ActorId actor) const {
    auto const it = by_actor_.find(actor);
    return it == by_actor_.end() ? nullptr : &it->second;
}

std::optional<std::string> Membership::bytes_of(ActorId actor) const {
    auto const it = bytes_of_.find(actor);
    return it == bytes_of_.end() ? std::nullopt : std::optional(bytes_[it->second]);
}

Certificate const& Membership::granted(Certificate const& certificate) const {
    if (by_admin(certificate)) return certificate;
    for (auto const& [actor, known] : by_actor_)
        if (by_admin(known) && continues(certificate, known)) return known;
    return certificate;
}

Certificate const* Membership::by_site(SiteId const& site) const {
    auto const it = newest_.find(site);
    return it == newest_.end() ? nullptr : by_actor(it->second);
}

Certificate const* Membership::by_channel(crypto::PublicKey const& channel) const {
    for (auto const& [site, actor] : newest_)
        if (auto const* certificate = by_actor(actor); certificate->channel == channel)
            return certificate;
    return nullptr;
}

std::vector<Certificate> Membership::sites() const {
    std::vector<Certificate> sites;
    for (auto const& [site, actor] : newest_)
        sites.push_back(*by_actor(actor));
    std::sort(sites.begin(), sites.end(), [](Certificate const& a, Certificate const& b) {
        return std::tie(a.name, a.site) < std::tie(b.name, b.site);
    });
    return sites;
}

std::vector<ActorId> Membership::actors() const {
    std::vector<ActorId> actors;
    for (auto const& [actor, certificate] : by_actor_)
        actors.push_back(actor);
    return actors;
}

void Membership::update_digest() {
    std::string all = "inos membership 1";
    for (auto const& hash : hashes_)
        all += crypto::view(hash);
    digest_ = crypto::hash16(all);
}

}  // namespace inos
