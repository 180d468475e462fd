// Writes the seeds of the corpus that nobody makes by hand: one good input, or a few, for each
// target that reads bytes. Seeds made by hand and inputs that once failed lie beside them and are
// left alone.
//
//   cmake --build --preset dev -t fuzz_seeds && build/dev/tests/bin/fuzz_seeds tests/fuzz/corpus
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "crdt/pieces.hpp"
#include "crdt/position.hpp"
#include "crdt/types/types.hpp"
#include "net/identity.hpp"
#include "net/pairing_code.hpp"
#include "net/wire/codec.hpp"
#include "net/wire/vector_codec.hpp"
#include "storage/backup.hpp"
#include "storage/crypto/site_id.hpp"
#include "storage/digest.hpp"
#include "storage/invites.hpp"
#include "storage/json.hpp"
#include "storage/recovery.hpp"
#include "storage/site_directory.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

class Seeds {
public:
    explicit Seeds(std::filesystem::path root) : root_(std::move(root)) {}

    void add(char const* unit, std::string const& name, std::string_view bytes) const {
        std::filesystem::create_directories(root_ / unit);
        std::ofstream out(root_ / unit / ("seed-" + name), std::ios::binary);
        out << bytes;
    }

private:
    std::filesystem::path root_;
};

// As Input::blob() reads it.
std::string blob(std::string_view bytes) {
    std::string out{static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size())};
    return out += bytes;
}

std::string with_choices(std::initializer_list<int> choices, std::string_view rest) {
    std::string out;
    for (int const choice : choices)
        out += static_cast<char>(choice);
    return out += rest;
}

std::string encoded(VersionVector const& vector) {
    std::string out;
    vector.encode(out);
    return out;
}

VersionVector some_vector() {
    VersionVector vector;
    vector.set(ActorId{1}, 3);
    vector.set(ActorId{2}, 200);
    return vector;
}

Edit edit(EditKind kind, std::string path, std::string payload = {}) {
    return {static_cast<std::uint64_t>(kind), std::move(path), std::move(payload)};
}

std::string field(std::string_view name, CellType type) {
    return path_child({}, name, type);
}

// One op with an edit of each kind, and what else ops can be.
std::vector<Op> some_ops() {
    Op change;
    change.kind = static_cast<std::uint64_t>(OpKind::change);
    change.collection = "customers";
    change.key = "ann";
    change.fresh = true;
    std::string const set = field("tags", CellType::set), map = field("address", CellType::map);
    std::string const text = field("memo", CellType::text);
    Position const first({{Side::right, {1, ActorId{7}}, 0, 0}});
    std::string const run = path_child(text, first.encode(), CellType::text_run);
    change.edits = {
        edit(EditKind::write, field("name", CellType::register_), encode(Value("Ann"))),
        edit(EditKind::write, set),
        edit(EditKind::write, path_child(set, encode(Value("vip")), CellType::element)),
        edit(EditKind::write, map),
        edit(EditKind::write, path_child(map, "city", CellType::register_), encode(Value("Kiel"))),
        edit(EditKind::count, field("points", CellType::counter), RunCell{5, 1}.encode()),
        edit(EditKind::clear, path_name({}, "old")),
        edit(EditKind::remove, field("gone", CellType::flag)),
        edit(EditKind::write, text),
        edit(EditKind::write, run, Pieces("t\xc3\xa9xt").encode()),
        edit(EditKind::cut, run, Cut{{ActorId{2}, 3}, {{0, 1}, {3, 2}}}.encode()),
    };
    Op later = change;
    later.fresh = false;
    later.ctx = some_vector();
    Op deletion;
    deletion.kind = static_cast<std::uint64_t>(OpKind::delete_);
    deletion.collection = "customers";
    deletion.key = "ann";
    deletion.seen = some_vector();
    Op unknown;
    unknown.kind = 9;
    unknown.body = "later";
    return {change, later, deletion, unknown};
}

EntryHeader header(ActorId actor, Seq seq) {
    EntryHeader header;
    header.dot = {actor, seq};
    header.hlc = Hlc::from(1'750'000'000'000, 0);
    header.source = "crm";
    header.names = {"customers", "name", "_schema"};
    return header;
}

void crdt_seeds(Seeds const& seeds) {
    Value const value(Object{
        {"a", Value(Array{Value(), Value(true), Value(-1), Value(0.5), Value("text \xc3\xa9")})},
        {"b", Value(Object{{"c", Value(std::int64_t{1} << 60)}})}});
    seeds.add("value", "object", encode(value));
    seeds.add("json", "object", write_json(value, JsonStyle::pretty));
    seeds.add("version_vector", "two", encoded(some_vector()) + encoded(some_vector()));
    std::vector<DepHead> const heads{{ActorId{1}, 3, {}}, {ActorId{2}, 200, {}}};
    wire::ActorTable const table{
        {1}, {ActorId{1}, ActorId{2}, ActorId{~std::uint64_t{0}}}, {{ActorId{2}, 9, {}}}};
    for (auto const& [name, known] :
         {std::pair<char const*, wire::ActorTable const*>("whole", nullptr),
          {"positional", &table}}) {
        auto const bytes = wire::encode_heads(heads, known);
        std::string blob;
        put_blob(blob, bytes.vector);
        seeds.add("vector_codec", name, blob + bytes.chains);
    }

    EntryHeader head = header(ActorId{7}, 12);
    head.deps = {{ActorId{1}, 3, {}}, {ActorId{2}, 200, {}}};
    auto const ops = some_ops();
    seeds.add("entry", "all_ops", encode_entry(head, Salt{1, 2, 3}, ops));
    seeds.add("entry", "empty", encode_entry(head, Salt{}, {}));
    std::string const two = encode_entry(head, {}, {some_ops()[0], some_ops()[0]});
    seeds.add("entry",
              "erased",
              encode_erased(*frame_entry(two),
                            {{0, RecordTag{1}, OpHash{2}, VoidReason::none}},
                            {OpHash{}, OpHash{}}));

    Record record;
    for (Edit const& e : ops[0].edits)
        if (!e.payload.empty() && e.kind != static_cast<std::uint64_t>(EditKind::cut))
            record.insert({e.path, {ActorId{7}, 12}, head.hlc, "crm", e.payload});
    seeds.add("record", "plain", record.encode());
    record.insert({std::string(kExistencePath), {ActorId{7}, 11}, head.hlc, "crm", {}});
    record.insert(
        {std::string(kDeletePath), {ActorId{8}, 1}, head.hlc, "shop", encoded(seen_cells(record))});
    record.insert({field("name", CellType::register_),
                   {ActorId{8}, 2},
                   head.hlc,
                   "shop",
                   encode(Value("Anna"))});
    seeds.add("record", "conflict_and_marker", record.encode());

    // The count and ops that follow the header and salt of an entry without any.
    std::string const none = encode_entry(header(ActorId{1}, 1), Salt{}, {});
    std::string apply;
    for (Op const& op : ops) {
        std::string const one = encode_entry(header(ActorId{1}, 1), Salt{}, {op});
        apply += with_choices({1, 0, 0}, blob(one.substr(none.size() - 1)));
    }
    seeds.add("apply", "four_entries", apply);
    seeds.add("apply", "raw", with_choices({0}, blob(none)));
    Op schema = ops[0];
    schema.collection = "_schema";
    schema.key = "customers";
    schema.edits = {edit(EditKind::write,
                         field("fields/points", CellType::register_),
                         encode(Value(Object{{"type", Value("counter")}})))};
    std::string const one = encode_entry(header(ActorId{1}, 1), Salt{}, {schema});
    seeds.add(
        "apply", "schema", with_choices({1, 0, 0}, blob(one.substr(none.size() - 1))) + apply);
}

SiteKeys fixed_keys() {
    return {crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'i'))),
            crypto::KeyPair::from_secret(crypto::Secret(std::string(32, 'c'))),
            crypto::KeyPair::from_secret(crypto::Secret(std::string(32, 's')))};
}

void key_seeds(Seeds const& seeds) {
    SiteKeys const keys = fixed_keys();
    auto const keys_certificate = *make_site_key_certificate(keys, "kiel", 1);
    seeds.add("site_key_certificate", "good", encode(keys_certificate));
    seeds.add("identity", "good", with_choices({0}, encode_identity({keys_certificate, {"one"}})));
    seeds.add("identity", "certified", with_choices({1}, {"\1\3one\0", 6}));
    seeds.add("site_id", "good", site_id_text(keys.identity.public_key));
    seeds.add("site_id", "base32", "00 I-l o");

    auto const founder = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'f')));
    Genesis const genesis{"space", founder.public_key, {}};
    Certificate certificate;
    certificate.space = genesis.id();
    certificate.actor = ActorId{5};
    certificate.site = keys.identity.public_key;
    certificate.name = "kiel";
    certificate.role = Role::writer;
    certificate.scope = {"customers", "orders"};
    certificate.issuer_vv = some_vector();
    std::string const bytes = issue(certificate, founder);
    seeds.add("certificate", "decode", with_choices({0}, bytes));
    seeds.add("certificate", "genesis", with_choices({1}, genesis.encode()));
    seeds.add("certificate", "admit", with_choices({2}, bytes.substr(0, bytes.size() - 64)));

    PairingCode code;
    code.addresses = {"ws://192.0.2.1:7711", "wss://[2001:db8::1]:443"};
    code.expires_unix_s = 1'750'000'000;
    std::string const text = *encode_pairing_code(code);
    seeds.add("pairing_code", "text", with_choices({0}, text));
    std::string body{"\1"};
    body += std::string(40, 'x') + "\5\1" + with_choices({0, 14}, "192.0.2.1:7711");
    seeds.add("pairing_code", "body", with_choices({1}, body));

    seeds.add("recovery_code", "text", make_recovery().code);
    Invite invite;
    invite.scope = {"customers"};
    invite.expires_unix_s = 1'750'000'000;
    invite.addresses = {"ws://192.0.2.1:7711"};
    seeds.add("stored", "invite", invite.encode());
    invite.used_by = keys.identity.public_key;
    invite.certificate = bytes;
    seeds.add("stored", "invite_used", invite.encode());
    ContinuityRecord record;
    record.marks.emplace();
    record.marks->machine = "machine";
    record.renewals = {1'750'000'000'000};
    record.earlier = {{ActorId{7}, Left::trusted}};
    seeds.add("stored", "continuity", record.encode());
    Fork fork{ActorId{7}, 3, 1'750'000'000'000, {4, {}, {}}, ActorHead{3, {}, {}}};
    seeds.add("stored", "fork", fork.encode());
    CollectionSums sums;
    sums.unmarked_records = 300;
    seeds.add("stored", "sums", sums.encode());
    seeds.add("stored",
              "space_keys",
              space_keys_text(
                  {crypto::Secret(std::string(32, 'a')), crypto::Secret(std::string(32, 'b'))}));
}

void statement_seeds(Seeds const& seeds) {
    auto const key = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'f')));
    SpaceId const space = Genesis{"space", key.public_key, {}}.id();
    Retirement retirement;
    retirement.made_ms = 1'750'000'000'000;
    retirement.held = {{ActorId{7}, 3, {}}};
    retirement.issued = {{1}, {2}};
    KeyStatement rotation{{2, 9}, {{{}, "sealed"}, {{}, "another"}}};
    std::pair<char const*, std::string> const all[] = {
        {"retirement", state(space, retirement, key)},
        {"actor_end", state(space, ActorEnd{{ActorId{7}, 3, {}}}, key)},
        {"key", state(space, rotation, key)},
        {"recovery", state(space, RecoveryKey{}, key)}};
    for (auto const& [name, bytes] : all) {
        seeds.add("statement", name, with_choices({0}, bytes));
        std::string_view const body = std::string_view(bytes).substr(50, bytes.size() - 50 - 64);
        seeds.add("statement",
                  std::string("signed_") + name,
                  with_choices({1, bytes[0], bytes[1]}, body));
    }
    seeds.add("statement", "signed_unknown", with_choices({1, 7, 1}, "anything"));
}

void wire_seeds(Seeds const& seeds) {
    wire::Hello hello;
    hello.spaces.resize(2);
    wire::PairGrant grant;
    grant.genesis = "genesis";
    grant.space_key = grant.digest_key = std::string(32, 'k');
    grant.statements = {"one", "two"};
    grant.addresses = {"ws://192.0.2.1:7711"};
    wire::RepairAnswer answer;
    answer.summary = {{"a", ""}, {{"m", {}, 3}, {"", {}, 4}}, {{"c", {}, DigestClass::hidden}}};
    answer.states = {{"key", Standing::whole, "record"}};
    std::pair<char const*, wire::Message> const messages[] = {
        {"hello", hello},
        {"statements", wire::Statements{{}, {"one", "two"}}},
        {"vector",
         wire::Vector{{}, wire::encode_heads({{ActorId{1}, 3, {}}}, nullptr).vector, "chains.."}},
        {"fork", wire::Fork{{}, ActorId{1}, 2, {3, {}, {}}}},
        {"state_offer", wire::StateOffer{}},
        {"state_ask", wire::StateAsk{{}, {}, "after", "heads"}},
        {"state_part", wire::StatePart{{}, {}, "after", 1, "sealed"}},
        {"batch", wire::Batch{{}, 1, {{ActorId{1}, 2, 3}, {ActorId{4}, 5, 6}}, "sealed"}},
        {"ack", wire::Ack{{}, encoded(some_vector()), {}, {}}},
        {"probe", wire::Probe{}},
        {"refusal", wire::Refusal{"for a reason", {"one", "two"}}},
        {"pair_grant", grant},
        {"pair_done", wire::PairDone{}},
        {"repair_ask", wire::RepairAsk{{}, {"a", "b"}, {"key one", "key two"}}},
        {"repair_answer", answer},
        {"rights_request", wire::RightsRequest{{}, "products", "lamp", "stock", 3, true, {}}}};
    for (auto const& [name, message] : messages)
        seeds.add("message", name, wire::encode(message));
    seeds.add("session", "wire", with_choices({0, 8}, blob(wire::encode(hello))));
    // A hello that differs, then each message once, with the driver's answers between them. A step
    // is: kind, wall clock, message, its fields.
    std::string const greeted = with_choices({0, 0, 0, 1, 0, 9, 0, 0, 0, 1, 0}, {});
    std::string const vector = with_choices({0, 0, 2, 0, 0, 2, 1, 0, 9, 2, 0, 7}, {});
    std::string const batch = with_choices({0, 0, 3, 0, 1, 2, 0, 1, 0, 1}, {});
    std::string const ack = with_choices({0, 0, 4, 0, 1, 1, 0, 20, 0}, {});
    std::string const certificates = with_choices({0, 0, 1, 0, 2}, {});
    std::string const collected = with_choices({6, 0, 0, 1, 0, 0, 9}, {});
    std::string const applied = with_choices({7, 0, 1}, {}), moved = with_choices({4, 1}, {});
    std::string const probes = with_choices({6, 0, 0, 5, 5, 0, 1}, {});
    std::string const after =
        greeted + certificates + vector + moved + collected + batch + applied + ack + probes;
    seeds.add(
        "session", "out_of_range", greeted + with_choices({0, 0, 3, 0, 1, 2, 1, 0, 0, 9}, {}));
    seeds.add("session", "exchange", after);
    // Equal vectors and other roots: a search, an answer to it, and what the store makes of it.
    std::string const differing = with_choices({0, 0, 0, 1, 0, 9, 0, 0, 1, 0, 0}, {});
    std::string const asked = with_choices({0, 0, 10, 0, 1, 'a'}, {});
    std::string const answered = with_choices({0, 0, 11, 0, 0}, {});
    std::string const search = with_choices({7, 0}, {}), states = with_choices({7, 1}, {});
    std::string const compared = with_choices({7, 1, 1, 1, 'k', 0}, {});
    std::string const told = with_choices({7}, {});
    seeds.add("session",
              "repair",
              differing + search + answered + compared + asked + told + answered + compared +
                  states + answered);

    std::string content;
    put_blob(content, "entry one");
    put_blob(content, "entry two");
    put_varint(content, 1);
    put_u64(content, 1);
    put_varint(content, 2);
    content += std::string(64, 's');
    seeds.add("batch", "content", with_choices({0, 1, 1, 0, 1, 0, 2}, content));
    seeds.add("batch", "zstd", with_choices({1, 0}, "\x28\xb5\x2f\xfd\x20\x01\x09"));
    seeds.add("batch", "sealed", with_choices({2, 0}, std::string(60, 's')));
}

void channel_seeds(Seeds const& seeds) {
    for (int stage = 0; stage < 8; ++stage) {
        std::string const name = "stage" + std::to_string(stage);
        bool const parts = stage >= 6;
        std::string const held = stage == 7 ? std::string(1, '\3') : std::string();
        std::string const rest =
            parts ? held + std::string("\x81\x81", 2) + with_choices({0}, blob("last")) +
                        with_choices({0}, blob("second")) + with_choices({2}, blob(""))
                  : blob(std::string(32, 'e')) + blob(std::string(120, 'f'));
        seeds.add("secure_channel", name, with_choices({stage}, rest));
        seeds.add("secure_channel", name + "_psk", with_choices({stage | 0x80}, rest));
    }
}

void backup_seeds(Seeds const& seeds) {
    BackupContents contents;
    contents.format = "1";
    contents.space_name = "trade";
    contents.site_name = "shop";
    contents.files = {{"inos.toml", crypto::hash32("a")}};
    contents.chunks = {{crypto::hash32("b"), 300}};
    std::string rows(1, '\0');
    for (char const* text : {"key", "value", "another key", ""})
        put_blob(rows, text);
    std::string file;
    for (char const kind : {'a', 'r', 'f', 'c'})
        file += frame_bytes(
            part_frame(kind, kind == 'r' ? rows : file_content("inos.toml", "x"), nullptr));
    seeds.add("backup", "file", with_choices({0, 7}, file));
    seeds.add("backup", "contents", with_choices({1}, contents.encode()));
    seeds.add("backup", "rows", with_choices({2}, rows));
    seeds.add("backup", "part", with_choices({3, 1}, rows));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: fuzz_seeds CORPUS_DIRECTORY\n", stderr);
        return 2;
    }
    fuzz::seed_randomness();
    Seeds const seeds(argv[1]);
    crdt_seeds(seeds);
    key_seeds(seeds);
    statement_seeds(seeds);
    wire_seeds(seeds);
    channel_seeds(seeds);
    backup_seeds(seeds);
    return 0;
}
