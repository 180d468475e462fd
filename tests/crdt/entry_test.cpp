#include "crdt/entry.hpp"

#include <gtest/gtest.h>

#include "crdt/path.hpp"
#include "crdt/pieces.hpp"
#include "crdt/record.hpp"
#include "crdt/value.hpp"
#include "tests/support/corrupt.hpp"
#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

constexpr ActorId kA{0xa}, kB{0xb}, kC{0xc};
constexpr Salt kSalt{1, 2, 3, 4, 5, 6, 7, 8};

VersionVector vv(std::initializer_list<VersionVector::Item> items) {
    VersionVector out;
    for (auto const& [actor, seq] : items)
        out.set(actor, seq);
    return out;
}

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
    op.key = "1";
    op.fresh = fresh;
    op.edits = std::move(edits);
    return op;
}

EntryHeader header() {
    EntryHeader h;
    h.dot = {kA, 5};
    h.hlc = Hlc::from(1'700'000'000'000, 2);
    h.deps = {{kB, 7, {1, 2, 3, 4, 5, 6, 7, 8}}, {kC, 300, {}}};
    h.source = "crm";
    h.names = {"customers", "name", "points"};
    return h;
}

Op everything() {
    std::string const map = at("other", CellType::map);
    Op op = change({edit(EditKind::write, at("name", CellType::register_), encode(Value("Ann"))),
                    edit(EditKind::count, at("points", CellType::counter), RunCell{-3, 5}.encode()),
                    edit(EditKind::remove, path_child(map, "k", CellType::register_)),
                    edit(EditKind::clear, path_name({}, "gone")),
                    {77, "any path", "any payload"}});
    op.ctx = vv({{kA, 2}, {kB, 6}});
    return op;
}

Op deletion() {
    Op op;
    op.kind = 2;
    op.collection = "customers";
    op.key = "2";
    op.seen = vv({{kB, 3}});
    return op;
}

// An entry of one op whose body is given byte for byte.
std::string with_body(std::uint64_t kind, std::string const& body) {
    Op op;
    op.kind = 1000;  // unknown kinds are written as they are
    op.body = body;
    std::string bytes = encode_entry(header(), kSalt, {op});
    std::string wanted, written;
    put_varint(written, 1000);
    put_blob(written, body);
    put_varint(wanted, kind);
    put_blob(wanted, body);
    return bytes.replace(bytes.size() - written.size(), written.size(), wanted);
}

VoidReason reason_of(std::string const& bytes) {
    return decode_entry(bytes, {kA, 5}).reason;
}

std::string reencode(std::string_view bytes, Entry const& entry) {
    Salt salt{};
    auto const frame = frame_entry(bytes);
    std::copy(frame->salt.begin(), frame->salt.end(), salt.begin());
    return encode_entry(entry.header, salt, entry.ops);
}

TEST(Entry, D14_decodes_to_what_was_encoded_and_encodes_to_the_same_bytes) {
    Op made = change({}, true);
    made.key = "3";
    std::vector<Op> const ops{everything(), deletion(), made};
    std::string const bytes = encode_entry(header(), kSalt, ops);
    auto const decoded = decode_entry(bytes, {kA, 5});
    ASSERT_EQ(decoded.reason, VoidReason::none);
    EXPECT_TRUE(decoded.header_known);
    EXPECT_EQ(decoded.entry.header, header());
    EXPECT_EQ(decoded.entry.ops, ops);
    EXPECT_EQ(reencode(bytes, decoded.entry), bytes);
}

TEST(Entry, D12_ops_and_edits_of_a_newer_version_are_kept_as_they_are) {
    std::string const bytes = with_body(9, "of a newer version");
    auto const decoded = decode_entry(bytes, {kA, 5});
    ASSERT_EQ(decoded.reason, VoidReason::none);
    ASSERT_EQ(decoded.entry.ops.size(), 1u);
    EXPECT_EQ(decoded.entry.ops[0].kind, 9u);
    EXPECT_EQ(decoded.entry.ops[0].body, "of a newer version");
    EXPECT_EQ(reencode(bytes, decoded.entry), bytes);
}

TEST(Entry, corrupt_bytes_are_void_or_canonical) {
    std::string const good = encode_entry(header(), kSalt, {everything(), deletion()});
    test::for_every_corruption(good, [](std::string const& bad) {
        auto const decoded = decode_entry(bad, {kA, 5});
        if (decoded.reason == VoidReason::none && bad[1] == '\0') {
            EXPECT_EQ(reencode(bad, decoded.entry), bad);
        } else {
            EXPECT_TRUE(decoded.reason == VoidReason::none || decoded.entry.ops.empty());
        }
    });
}

TEST(Entry, an_erased_op_leaves_the_others_in_effect) {
    std::vector<Op> const ops{everything(), deletion()};
    std::string const whole = encode_entry(header(), kSalt, ops);
    auto const frame = frame_entry(whole);
    OpHash hash{}, key{};
    hash.fill('h');
    key.fill('k');
    std::string const erased =
        encode_erased(*frame, {{0, RecordTag{7}, hash, VoidReason::none}}, {{}, key});
    auto const again = frame_entry(erased);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->salt.empty());
    EXPECT_TRUE(again->ops[0].kind_and_body.empty());
    EXPECT_EQ(again->ops[0].erased, hash);
    EXPECT_EQ(again->ops[0].tag, RecordTag{7});
    EXPECT_EQ(again->ops[1].key, std::string(32, 'k'));
    auto const decoded = decode_entry(erased, {kA, 5});
    ASSERT_EQ(decoded.reason, VoidReason::none);
    ASSERT_EQ(decoded.entry.ops.size(), 1u);
    EXPECT_EQ(decoded.entry.ops[0], deletion());
    test::for_every_corruption(erased, [](std::string const& bad) {
        (void)decode_entry(bad, {kA, 5});
    });
    std::string whole_with_hole = whole.substr(0, whole.size());
    whole_with_hole[1] = '\1';
    EXPECT_EQ(reason_of(whole_with_hole), VoidReason::malformed);
}

TEST(Entry, what_an_erased_op_made_void_stays_void) {
    std::string const whole = encode_entry(header(), kSalt, {everything(), deletion()});
    std::string const erased = encode_erased(
        *frame_entry(whole), {{0, RecordTag{7}, {}, VoidReason::over_limit}}, {OpHash{}, OpHash{}});
    EXPECT_EQ(reason_of(erased), VoidReason::over_limit);
}

TEST(Entry, an_entry_without_stubs_has_one_form_only) {
    std::string const whole = encode_entry(header(), kSalt, {deletion()});
    EXPECT_FALSE(frame_entry(encode_erased(*frame_entry(whole), {}, {OpHash{}})));
}

TEST(Entry, an_erase_names_its_record_by_the_tag) {
    Op op;
    op.kind = static_cast<std::uint64_t>(OpKind::erase);
    op.collection = "customers";
    op.tag.fill(3);
    op.proof.fill(4);
    std::string const bytes = encode_entry(header(), kSalt, {op});
    auto const decoded = decode_entry(bytes, {kA, 5});
    ASSERT_EQ(decoded.reason, VoidReason::none);
    EXPECT_EQ(decoded.entry.ops, std::vector<Op>{op});
    auto const frame = frame_entry(bytes);
    auto const names = header_names(frame->header);
    EXPECT_FALSE(op_record(names, frame->ops[0].kind_and_body));
    op.tag = {};
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {op})), VoidReason::malformed);
}

TEST(Entry, ops_of_every_kind_name_their_record_in_front) {
    std::string const bytes = encode_entry(header(), kSalt, {everything(), deletion()});
    auto const frame = frame_entry(bytes);
    auto const names = header_names(frame->header);
    for (auto const& op : frame->ops) {
        auto const record = op_record(names, op.kind_and_body);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->collection, deletion().collection);
    }
}

TEST(Entry, at_another_place_in_the_chain_is_void) {
    std::string const bytes = encode_entry(header(), kSalt, {deletion()});
    EXPECT_EQ(decode_entry(bytes, {kA, 6}).reason, VoidReason::wrong_dot);
    EXPECT_EQ(decode_entry(bytes, {kB, 5}).reason, VoidReason::wrong_dot);
    EXPECT_TRUE(decode_entry(bytes, {kB, 5}).entry.ops.empty());
}

TEST(Entry, of_a_newer_version_is_told_apart_from_a_malformed_one) {
    std::string bytes = encode_entry(header(), kSalt, {});
    EXPECT_FALSE(from_newer_version(bytes));
    bytes[0] = 2;
    EXPECT_TRUE(from_newer_version(bytes));
    bytes[0] = 0;
    EXPECT_FALSE(from_newer_version(bytes));
    EXPECT_FALSE(from_newer_version(""));
}

TEST(Entry, numbers_near_the_end_of_their_range_are_void) {
    EntryHeader h = header();
    h.hlc = kHlcMax;
    EXPECT_EQ(reason_of(encode_entry(h, kSalt, {})), VoidReason::none);
    h.hlc.value += 1;
    EXPECT_EQ(reason_of(encode_entry(h, kSalt, {})), VoidReason::out_of_range);
    h = header();
    h.dot.seq = kSeqMax;
    EXPECT_EQ(decode_entry(encode_entry(h, kSalt, {}), h.dot).reason, VoidReason::none);
    h.dot.seq += 1;
    EXPECT_EQ(decode_entry(encode_entry(h, kSalt, {}), h.dot).reason, VoidReason::out_of_range);
}

TEST(Entry, limits_hold_to_the_last_byte) {
    EntryHeader h = header();
    h.source = std::string(kSourceBytesMax, 's');
    EXPECT_EQ(reason_of(encode_entry(h, kSalt, {})), VoidReason::none);
    h.source += 's';
    EXPECT_EQ(reason_of(encode_entry(h, kSalt, {})), VoidReason::over_limit);

    auto const path = at("name", CellType::register_);
    Op op = change({edit(EditKind::write, path, std::string(kPayloadBytesMax, 'p'))});
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {op})), VoidReason::none);
    op.edits[0].payload += 'p';
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {op})), VoidReason::over_limit);

    std::vector<Op> ops(kEntryOpsMax, change({}));
    for (std::size_t i = 0; i < ops.size(); ++i)
        ops[i].key = std::to_string(i);
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, ops)), VoidReason::none);
    ops.push_back(change({}));
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, ops)), VoidReason::over_limit);

    Op half = change(std::vector<Edit>(kEntryOpsMax / 2, edit(EditKind::clear, path)));
    Op other = half;
    other.key = "other";
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {half, other})), VoidReason::none);
    half.edits.push_back(half.edits[0]);
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {half, other})), VoidReason::over_limit);

    Op filler;
    filler.kind = 99;
    std::size_t const rest = encode_entry(header(), kSalt, {filler}).size();
    filler.body.resize(kEntryBytesMax - rest - 3);  // its length takes three bytes more
    EXPECT_EQ(encode_entry(header(), kSalt, {filler}).size(), kEntryBytesMax);
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {filler})), VoidReason::none);
    filler.body += 'x';
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {filler})), VoidReason::over_limit);
}

TEST(Entry, malformed_headers_are_void) {
    auto const reason = [](auto spoil) {
        EntryHeader h = header();
        spoil(h);
        return decode_entry(encode_entry(h, kSalt, {}), h.dot).reason;
    };
    EXPECT_EQ(reason([](EntryHeader& h) { std::swap(h.deps[0], h.deps[1]); }),
              VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.deps[1].actor = kB; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.deps[0].actor = kA; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.deps[0].seq = 0; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.deps[0].seq = kSeqMax + 1; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.source = "\xff"; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.names[1] = "a\n"; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.names[1] = ""; }), VoidReason::malformed);
    EXPECT_EQ(reason([](EntryHeader& h) { h.names[1] = "customers"; }), VoidReason::malformed)
        << "names are listed once";
}

TEST(Entry, malformed_ops_are_void) {
    auto const reason = [](Op const& op) { return reason_of(encode_entry(header(), kSalt, {op})); };
    auto const reason_of_edit = [&](Edit e) { return reason(change({std::move(e)})); };
    auto const name = at("name", CellType::register_);
    auto const points = at("points", CellType::counter);
    ASSERT_EQ(reason(change({})), VoidReason::none);

    Op op = change({});
    op.key = "";
    EXPECT_EQ(reason(op), VoidReason::malformed);
    op.key = "a\n";
    EXPECT_EQ(reason(op), VoidReason::malformed);
    op = change({});
    op.collection = "not listed";
    EXPECT_EQ(reason(op), VoidReason::malformed);
    op = change({}, true);
    op.ctx = vv({{kA, 1}});
    EXPECT_EQ(reason(op), VoidReason::malformed) << "a fresh op names no older ctx";
    op = deletion();
    op.fresh = true;
    EXPECT_EQ(reason(op), VoidReason::malformed);

    EXPECT_EQ(reason_of_edit(edit(EditKind::write, points, "1")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::count, name, RunCell{1, 5}.encode())),
              VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::count, points, "")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::remove, name, "x")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, name, "x")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, path_name({}, "name"))), VoidReason::none);
    EXPECT_EQ(reason_of_edit(edit(EditKind::remove, path_name({}, "name"))), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, "")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, std::string(kExistencePath))),
              VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, std::string(kDeletePath))),
              VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, std::string(kDeletePath))),
              VoidReason::malformed);
    // A run goes with its `lost` cells or not at all.
    auto const bare_lost = path_name(points, kLostName);
    std::string const run = RunName{kA, 5}.encode();
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, points)), VoidReason::none);
    EXPECT_EQ(reason_of_edit(edit(EditKind::remove, points)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::end_run, points, run)), VoidReason::none);
    EXPECT_EQ(reason_of_edit(edit(EditKind::end_run, points)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::end_run, points, run + "x")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::end_run, name, run)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::end_run, lost_path(points), run)),
              VoidReason::malformed);
    for (auto const kind : {EditKind::write, EditKind::remove, EditKind::clear})
        EXPECT_EQ(reason_of_edit(edit(kind, lost_path(points))), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, bare_lost)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::clear, path_name({}, kLostName))), VoidReason::none);
    Edit kindless = edit(EditKind::write, name, "x");
    kindless.kind = 0;
    EXPECT_EQ(reason_of_edit(kindless), VoidReason::malformed);

    std::string deep;
    for (int i = 0; i < kPathDepthMax; ++i)
        deep = path_child(deep, "k", CellType::map);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, deep)), VoidReason::none);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, path_child(deep, "k", CellType::register_))),
              VoidReason::malformed);
}

// Cells of one entry at one path would have one name, and which of them stays would depend on what
// else had come before.
TEST(Entry, an_entry_names_a_record_once_and_counts_once_at_a_path) {
    auto const points = at("points", CellType::counter), other = at("other", CellType::counter);
    auto const count = [](std::string const& path, Seq start) {
        return edit(EditKind::count, path, RunCell{1, start}.encode());
    };
    auto const reason = [](std::vector<Op> const& ops) {
        return reason_of(encode_entry(header(), kSalt, ops));
    };
    EXPECT_EQ(reason({change({count(points, 1), count(other, 1)})}), VoidReason::none);
    EXPECT_EQ(reason({change({count(points, 1), count(points, 5)})}), VoidReason::malformed);
    EXPECT_EQ(reason({change({count(points, 1), count(other, 1), count(points, 1)})}),
              VoidReason::malformed);
    Op second = change({});
    EXPECT_EQ(reason({change({}), second}), VoidReason::malformed);
    second.key += "2";
    EXPECT_EQ(reason({change({}), second}), VoidReason::none);
    Op gone = deletion();
    gone.key = second.key;
    EXPECT_EQ(reason({second, gone}), VoidReason::malformed);
}

TEST(Entry, runs_of_text_are_written_whole_and_only_they_are_cut) {
    std::string const run = at("memo", CellType::text_run), name = at("name", CellType::register_);
    std::string const text = Pieces("text").encode(), cut = Cut{{kB, 7}, {{1, 2}}}.encode();
    auto const reason_of_edit = [](Edit e) {
        return reason_of(encode_entry(header(), kSalt, {change({std::move(e)})}));
    };
    auto pieces = *Pieces::decode(text);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, run, text)), VoidReason::none);
    pieces.cut({{0, 1}});
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, run, pieces.encode())), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, run)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::write, run, "text")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::count, run, RunCell{1, 1}.encode())),
              VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, run, cut)), VoidReason::none);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, name, cut)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, at("points", CellType::counter), cut)),
              VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, path_name({}, "memo"), cut)),
              VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, run)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, run, cut + "x")), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, run, text)), VoidReason::malformed);
    EXPECT_EQ(reason_of_edit(edit(EditKind::cut, run, Cut{{kB, 7}, {}}.encode())),
              VoidReason::malformed);
}

TEST(Entry, bodies_that_end_early_or_late_are_void) {
    std::string body;
    put_varint(body, 0);
    put_blob(body, "1");
    put_varint(body, 0);
    std::string const head = body;
    put_varint(body, 0);
    EXPECT_EQ(reason_of(with_body(1, body)), VoidReason::none);
    EXPECT_EQ(reason_of(with_body(2, body)), VoidReason::none) << "a delete that saw nothing";
    EXPECT_EQ(reason_of(with_body(1, body + "x")), VoidReason::malformed);
    EXPECT_EQ(reason_of(with_body(1, head)), VoidReason::malformed);
    EXPECT_EQ(reason_of(with_body(2, head)), VoidReason::malformed);
    EXPECT_EQ(reason_of(with_body(1, "")), VoidReason::malformed);
    std::string flags = body;
    flags[3] = 4;
    EXPECT_EQ(reason_of(with_body(1, flags)), VoidReason::malformed) << "a flag of no meaning";
    std::string many = head;
    put_varint(many, ~std::uint64_t{0});
    EXPECT_EQ(reason_of(with_body(1, many)), VoidReason::malformed) << "a count beyond the bytes";
}

TEST(Entry, an_empty_entry_and_no_bytes_at_all) {
    EXPECT_EQ(reason_of(encode_entry(header(), kSalt, {})), VoidReason::none);
    EXPECT_EQ(reason_of(""), VoidReason::malformed);
    EXPECT_FALSE(frame_entry(""));
    EXPECT_FALSE(decode_header(""));
}

TEST(Entry, every_reason_is_described) {
    for (int reason = 0; reason <= 6; ++reason)
        EXPECT_STRNE(describe(static_cast<VoidReason>(reason)), "unknown");
}

}  // namespace
}  // namespace inos
