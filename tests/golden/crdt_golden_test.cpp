// Bytes that were stored or sent once are read the same way by every later version.
//
// tests/golden/entries.json and records.json hold bytes and what they mean. What stands there is
// never made again: with INOS_GOLDEN_NEW=1 this program only appends the cases of the list below
// whose name is not in the file yet.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "crdt/entry.hpp"
#include "crdt/record.hpp"
#include "crdt/types/types.hpp"
#include "tests/support/hex.hpp"

namespace inos {
namespace {

namespace json = boost::json;
using test::hex;
using test::unhex;

constexpr Salt kSalt{0xf0, 1, 2, 3, 4, 5, 6, 7};
constexpr Dot kDot{ActorId{0xa1b2c3d4e5f60718}, 300};
ActorId const kOther{0x1111111111111111};

json::string dot_text(Dot dot) {
    std::string actor;
    put_u64(actor, dot.actor.value);
    return json::string(hex(actor) + ":" + std::to_string(dot.seq));
}

json::value meaning(VersionVector const& vv) {
    json::array items;
    for (auto const& [actor, seq] : vv.items())
        items.push_back(dot_text({actor, seq}));
    return items;
}

json::value meaning(Op const& op) {
    json::object out{{"kind", op.kind}};
    if (op.collection.empty()) {
        out["body"] = hex(op.body);
        return out;
    }
    out["collection"] = op.collection;
    out["key"] = op.key;
    out["fresh"] = op.fresh;
    if (op.ctx) out["ctx"] = meaning(*op.ctx);
    if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) {
        out["seen"] = meaning(op.seen);
        return out;
    }
    json::array edits;
    for (Edit const& e : op.edits)
        edits.push_back({{"kind", e.kind}, {"path", hex(e.path)}, {"payload", hex(e.payload)}});
    out["edits"] = std::move(edits);
    return out;
}

json::value meaning(Entry const& entry) {
    EntryHeader const& h = entry.header;
    json::array deps, names, ops;
    for (DepHead const& dep : h.deps) {
        std::string const chain(dep.chain.begin(), dep.chain.end());
        deps.push_back({{"dot", dot_text({dep.actor, dep.seq})}, {"chain", hex(chain)}});
    }
    for (auto const& name : h.names)
        names.emplace_back(name);
    for (Op const& op : entry.ops)
        ops.push_back(meaning(op));
    return {{"dot", dot_text(h.dot)},
            {"hlc", h.hlc.value},
            {"deps", deps},
            {"source", h.source},
            {"names", names},
            {"ops", ops}};
}

json::value meaning(Record const& record) {
    json::array cells;
    for (Cell const& cell : record.cells())
        cells.push_back({{"path", hex(cell.path)},
                         {"dot", dot_text(cell.dot)},
                         {"hlc", cell.hlc.value},
                         {"source", cell.source},
                         {"payload", hex(cell.payload)}});
    return cells;
}

// --- The cases. Add new ones at the end; the file keeps what older ones were. ---

std::string at(std::string_view field, CellType type) {
    return path_child({}, field, type);
}

Edit edit(EditKind kind, std::string path, std::string payload = {}) {
    return {static_cast<std::uint64_t>(kind), std::move(path), std::move(payload)};
}

Op change(std::vector<Edit> edits, bool fresh = false) {
    Op op;
    op.kind = 1;
    op.collection = "customers";
    op.key = "c-17";
    op.fresh = fresh;
    op.edits = std::move(edits);
    return op;
}

VersionVector some_vv() {
    VersionVector vv;
    vv.set(kOther, 7);
    vv.set(kDot.actor, 299);
    return vv;
}

EntryHeader header() {
    EntryHeader h;
    h.dot = kDot;
    h.hlc = Hlc::from(1'700'000'000'000, 5);
    h.source = "crm";
    h.names = {"customers"};
    return h;
}

std::string plain_change() {
    EntryHeader h = header();
    h.names = {"customers", "name"};
    return encode_entry(
        h,
        kSalt,
        {change({edit(EditKind::write, at("name", CellType::register_), encode(Value("Ann")))})});
}

std::string fresh_with_all_types() {
    EntryHeader h = header();
    h.names = {"customers", "name", "points", "tags", "vip", "contact"};
    std::string const tags = at("tags", CellType::set), vip = at("vip", CellType::flag);
    std::string const contact = at("contact", CellType::map);
    Value const object(Object{{"n", Value()},
                              {"d", Value(0.1)},
                              {"b", Value(true)},
                              {"a", Value(Array{Value(-300), Value("\xc3\xa9")})}});
    return encode_entry(
        h,
        kSalt,
        {change({edit(EditKind::write, at("name", CellType::register_), encode(object)),
                 edit(EditKind::count, at("points", CellType::counter), RunCell{-5, 300}.encode()),
                 edit(EditKind::write, tags),
                 edit(EditKind::write, path_child(tags, encode(Value("vip")), CellType::element)),
                 edit(EditKind::write, path_child(vip, "1", CellType::element)),
                 edit(EditKind::write, contact),
                 edit(EditKind::write,
                      path_child(contact, "mail", CellType::register_),
                      encode(Value("ann@example.org")))},
                true)});
}

std::string deletion() {
    Op op;
    op.kind = 2;
    op.collection = "customers";
    op.key = "c-17";
    op.seen = some_vv();
    return encode_entry(header(), kSalt, {op});
}

std::string own_ctx() {
    EntryHeader h = header();
    h.names = {"customers", "name"};
    Op op = change({edit(EditKind::remove, at("name", CellType::register_)),
                    edit(EditKind::clear, path_name({}, "old"))});
    op.ctx = some_vv();
    Op gone;
    gone.kind = 2;
    gone.collection = "customers";
    gone.key = "c-18";
    gone.ctx = some_vv();
    return encode_entry(h, kSalt, {op, gone});
}

std::string deps_with_heads() {
    EntryHeader h = header();
    h.deps = {{kOther, 7, {1, 2, 3, 4, 5, 6, 7, 8}},
              {ActorId{0xffffffffffffffff}, kSeqMax, {0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0}}};
    return encode_entry(h, kSalt, {});
}

std::string names_and_several_records() {
    EntryHeader h = header();
    h.names = {"customers", "orders", "K\xc3\xb6nig"};
    Op order =
        change({edit(EditKind::write, at("K\xc3\xb6nig", CellType::register_), encode(Value(1)))});
    order.collection = "orders";
    order.key = "2024/1";
    return encode_entry(h, kSalt, {change({}), order});
}

std::string unknown_op() {
    Op op;
    op.kind = 1000;
    op.body = "of a newer version";
    return encode_entry(header(), kSalt, {op, change({})});
}

std::string unknown_edit() {
    EntryHeader h = header();
    h.names = {"customers", "lines"};
    return encode_entry(
        h,
        kSalt,
        {change({{99, at("lines", static_cast<CellType>(0x1a)), "future"},
                 edit(EditKind::write, at("lines", static_cast<CellType>(0x1a)), "cell")})});
}

std::string one_op_erased() {
    std::string const whole = encode_entry(header(), kSalt, {change({}), change({}, true)});
    auto const frame = frame_entry(whole);
    RecordTag tag{};
    OpHash hash{}, key{};
    tag.fill(0xcc);
    hash.fill(0xee);
    key.fill(0xdd);
    return encode_erased(*frame, {{0, tag, hash, VoidReason::none}}, {{}, key});
}

std::string with_bad_byte(std::string bytes, std::size_t place, char value) {
    bytes.at(place) = value;
    return bytes;
}

std::string over_limit() {
    EntryHeader h = header();
    h.source = std::string(kSourceBytesMax + 1, 's');
    return encode_entry(h, kSalt, {});
}

std::string out_of_range() {
    EntryHeader h = header();
    h.hlc.value = kHlcMax.value + 1;
    return encode_entry(h, kSalt, {});
}

std::string counted_register() {
    return encode_entry(
        header(),
        kSalt,
        {change({edit(EditKind::count, at("name", CellType::register_), RunCell{1, 1}.encode())})});
}

std::string written_marker() {
    return encode_entry(
        header(), kSalt, {change({edit(EditKind::write, std::string(kDeletePath), "x")})});
}

std::string fresh_with_ctx() {
    Op op = change({}, true);
    op.ctx = some_vv();
    return encode_entry(header(), kSalt, {op});
}

struct EntryCase {
    char const* name;
    std::string (*make)();
    Dot dot = kDot;
};

EntryCase const kEntries[] = {
    {"plain change", plain_change},
    {"fresh record with all types", fresh_with_all_types},
    {"delete", deletion},
    {"ops with their own ctx", own_ctx},
    {"deps with chain heads", deps_with_heads},
    {"names and several records", names_and_several_records},
    {"unknown kind of op", unknown_op},
    {"unknown kind of edit and type", unknown_edit},
    {"form 1, one op erased", one_op_erased},
    {"no ops", [] { return encode_entry(header(), kSalt, {}); }},
    {"void: at another place", plain_change, {kOther, 300}},
    {"void: cut short", [] { return plain_change().substr(0, 40); }},
    {"void: bytes left over", [] { return plain_change() + "x"; }},
    {"void: unknown form", [] { return with_bad_byte(plain_change(), 1, '\2'); }},
    {"void: source too long", over_limit},
    {"void: clock out of range", out_of_range},
    {"void: increment of a register", counted_register},
    {"void: write to a delete marker", written_marker},
    {"void: fresh with its own ctx", fresh_with_ctx},
};

Cell cell(std::string path, Dot dot, std::string payload, std::string source = "crm") {
    return {std::move(path), dot, Hlc::from(dot.seq, 9), std::move(source), std::move(payload)};
}

Record record_of(std::vector<Cell> cells) {
    Record record;
    for (Cell& c : cells)
        record.insert(std::move(c));
    return record;
}

std::string marker() {
    std::string out;
    some_vv().encode(out);
    return out;
}

struct RecordCase {
    char const* name;
    Record (*make)();
};

RecordCase const kRecords[] = {
    {"nothing", [] { return Record(); }},
    {"exists without fields",
     [] { return record_of({cell(std::string(kExistencePath), kDot, {}, {})}); }},
    {"siblings of two sources",
     [] {
         auto const path = at("name", CellType::register_);
         return record_of({cell(std::string(kExistencePath), kDot, {}),
                           cell(path, kDot, encode(Value("Ann"))),
                           cell(path, {kOther, 7}, encode(Value("Anna")), "shop")});
     }},
    {"counter of two actors",
     [] {
         auto const path = at("points", CellType::counter);
         return record_of({cell(path, kDot, RunCell{7, 200}.encode()),
                           cell(path, {kOther, 7}, RunCell{-3, 7}.encode(), "")});
     }},
    {"deleted, then edited elsewhere",
     [] {
         return record_of({cell(std::string(kExistencePath), {kOther, 1}, {}),
                           cell(std::string(kDeletePath), kDot, marker()),
                           cell(at("name", CellType::register_), {kOther, 8}, encode(Value()))});
     }},
    {"types of a newer version",
     [] {
         return record_of({cell(at("lines", static_cast<CellType>(0x1a)), kDot, "?"),
                           cell(at("rights", static_cast<CellType>(0x55)), kDot, "??")});
     }},
};

// --- The file. ---

json::array load(std::string const& path) {
    std::ifstream file(path);
    if (!file) return {};
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    return json::parse(text).as_object().at("cases").as_array();
}

void append(char const* file_name,
            std::function<std::vector<std::pair<std::string, json::object>>()> const& make) {
    std::string const path = std::string(INOS_TEST_GOLDEN "/") + file_name;
    json::array cases = load(path);
    for (auto& [name, made] : make()) {
        bool const known = std::any_of(cases.begin(), cases.end(), [&](json::value const& c) {
            return c.at("name").as_string() == name;
        });
        if (!known) cases.push_back(std::move(made));
    }
    std::ofstream out(path);
    out << "{\"format\":\"inos-golden/1\",\"cases\":[\n";
    for (std::size_t i = 0; i < cases.size(); ++i)
        out << json::serialize(cases[i]) << (i + 1 < cases.size() ? ",\n" : "\n");
    out << "]}\n";
}

std::vector<std::pair<std::string, json::object>> made_entries() {
    std::vector<std::pair<std::string, json::object>> out;
    for (EntryCase const& c : kEntries) {
        std::string const bytes = c.make();
        auto const decoded = decode_entry(bytes, c.dot);
        json::object made{{"name", c.name},
                          {"dot", dot_text(c.dot)},
                          {"bytes", hex(bytes)},
                          {"reason", describe(decoded.reason)}};
        if (decoded.reason == VoidReason::none) made["meaning"] = meaning(decoded.entry);
        out.emplace_back(c.name, std::move(made));
    }
    return out;
}

std::vector<std::pair<std::string, json::object>> made_records() {
    std::vector<std::pair<std::string, json::object>> out;
    for (RecordCase const& c : kRecords) {
        Record const record = c.make();
        out.emplace_back(
            c.name,
            json::object{
                {"name", c.name}, {"bytes", hex(record.encode())}, {"cells", meaning(record)}});
    }
    return out;
}

class Golden : public testing::Test {
protected:
    static void SetUpTestSuite() {
        char const* wanted = std::getenv("INOS_GOLDEN_NEW");
        if (!wanted || std::string_view(wanted) != "1") return;
        append("entries.json", made_entries);
        append("records.json", made_records);
    }
};

Dot parse_dot(std::string_view text) {
    auto const actor = unhex(text.substr(0, 16));
    Reader in(*actor);
    return {ActorId{in.u64()}, std::stoull(std::string(text.substr(17)))};
}

// Numbers compare by value, whatever width the parser gave them.
std::string normal(json::value const& v) {
    return json::serialize(v);
}

TEST_F(Golden, D14_every_entry_ever_written_decodes_as_it_did) {
    json::array const cases = load(INOS_TEST_GOLDEN "/entries.json");
    ASSERT_GE(cases.size(), 19u);
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.at("name").as_string()));
        auto const bytes = unhex(c.at("bytes").as_string());
        ASSERT_TRUE(bytes);
        auto const decoded = decode_entry(*bytes, parse_dot(c.at("dot").as_string()));
        EXPECT_EQ(describe(decoded.reason), c.at("reason").as_string());
        if (decoded.reason != VoidReason::none) continue;
        EXPECT_EQ(normal(meaning(decoded.entry)), normal(c.at("meaning")));
        auto const frame = frame_entry(*bytes);
        ASSERT_TRUE(frame);
        if (frame->salt.empty()) continue;  // with an erased op there is nothing to encode again
        Salt salt{};
        std::copy(frame->salt.begin(), frame->salt.end(), salt.begin());
        EXPECT_EQ(hex(encode_entry(decoded.entry.header, salt, decoded.entry.ops)), hex(*bytes));
    }
}

TEST_F(Golden, D14_every_record_ever_stored_decodes_as_it_did) {
    json::array const cases = load(INOS_TEST_GOLDEN "/records.json");
    ASSERT_GE(cases.size(), 6u);
    for (auto const& c : cases) {
        SCOPED_TRACE(std::string(c.at("name").as_string()));
        auto const bytes = unhex(c.at("bytes").as_string());
        ASSERT_TRUE(bytes);
        auto const record = Record::decode(*bytes);
        ASSERT_TRUE(record);
        EXPECT_EQ(normal(meaning(*record)), normal(c.at("cells")));
        EXPECT_EQ(hex(record->encode()), hex(*bytes));
    }
}

// What is written today is what was written then.
TEST_F(Golden, D14_the_writers_still_write_the_same_bytes) {
    auto const compare = [](char const* file, auto const& made) {
        json::array const cases = load(std::string(INOS_TEST_GOLDEN "/") + file);
        for (auto const& [name, now] : made) {
            auto const* then = std::find_if(cases.begin(), cases.end(), [&](auto const& c) {
                return c.at("name").as_string() == name;
            });
            ASSERT_NE(then, cases.end()) << name << " is new; INOS_GOLDEN_NEW=1 appends it";
            EXPECT_EQ(normal(*then), normal(now)) << name;
        }
    };
    compare("entries.json", made_entries());
    compare("records.json", made_records());
}

}  // namespace
}  // namespace inos
