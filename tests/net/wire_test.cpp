// What goes over the wire, to bytes and back: messages and batches. Whatever arrives,
// a decoder answers with an error or with something that is sound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zstd.h>

#include "crdt/bytes.hpp"
#include "net/wire/batch_codec.hpp"
#include "net/wire/codec.hpp"
#include "net/wire/vector_codec.hpp"
#include "tests/support/corrupt.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;
using wire::Message;

std::array<std::uint8_t, 16> any_sixteen(Tape& tape) {
    std::array<std::uint8_t, 16> bytes;
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(tape.word());
    return bytes;
}

std::string any_bytes(Tape& tape, std::size_t most = 40) {
    std::string bytes(tape.below(most), '\0');
    for (char& c : bytes)
        c = static_cast<char>(tape.word());
    return bytes;
}

std::string any_text(Tape& tape) {
    std::string text = any_bytes(tape);
    for (char& c : text)
        c = static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
    return text;
}

std::vector<std::string> any_list(Tape& tape, std::string (*make)(Tape&)) {
    std::vector<std::string> list(tape.below(4));
    for (auto& item : list)
        item = make(tape);
    return list;
}
std::string short_bytes(Tape& tape) {
    return any_bytes(tape);
}

Message any_of_state(Tape& tape, std::size_t kind) {
    if (kind == 14) return wire::StateOffer{any_sixteen(tape)};
    if (kind == 15)
        return wire::StateAsk{
            any_sixteen(tape), any_sixteen(tape), any_bytes(tape), any_bytes(tape)};
    return wire::StatePart{
        any_sixteen(tape), any_sixteen(tape), any_bytes(tape), tape.word64(), any_bytes(tape, 200)};
}

wire::RepairAnswer any_repair_answer(Tape& tape) {
    wire::RepairAnswer answer{any_sixteen(tape), any_sixteen(tape), {}, {}, tape.chance(50)};
    answer.summary.range = {short_bytes(tape), short_bytes(tape)};
    for (std::size_t n = tape.below(3); n > 0; --n)
        answer.summary.parts.push_back(
            {short_bytes(tape), Digest128::from(any_sixteen(tape)), tape.word64()});
    for (std::size_t n = tape.below(3); n > 0; --n)
        answer.summary.items.push_back(
            {short_bytes(tape),
             Digest128::from(any_sixteen(tape)),
             static_cast<DigestClass>(tape.below(1 + std::size_t(kDigestClassMax)))});
    for (std::size_t n = tape.below(3); n > 0; --n)
        answer.states.push_back({short_bytes(tape),
                                 static_cast<Standing>(tape.below(1 + std::size_t(kStandingMax))),
                                 any_bytes(tape)});
    return answer;
}

wire::Fork any_fork(Tape& tape) {
    wire::Fork fork{any_sixteen(tape), ActorId{tape.word64()}, tape.word64(), {}};
    fork.head.seq = tape.word64();
    fork.head.chain.fill(static_cast<std::uint8_t>(tape.word()));
    fork.head.signature.fill(static_cast<std::uint8_t>(tape.word()));
    return fork;
}

wire::Hello any_hello(Tape& tape) {
    wire::Hello hello;
    hello.version_min = static_cast<std::uint16_t>(tape.word());
    hello.version_max = static_cast<std::uint16_t>(tape.word());
    hello.now_ms = tape.word64();
    hello.features = tape.word();
    hello.spaces.resize(tape.below(3));
    for (auto& space : hello.spaces)
        space = {any_sixteen(tape),
                 any_sixteen(tape),
                 any_sixteen(tape),
                 any_sixteen(tape),
                 any_sixteen(tape)};
    return hello;
}

Message any_message(Tape& tape, std::size_t kind) {
    switch (kind) {
        case 0:
            return any_hello(tape);
        case 1:
            return wire::Statements{any_sixteen(tape), any_list(tape, short_bytes)};
        case 2:
            return wire::Vector{any_sixteen(tape), any_bytes(tape), any_bytes(tape)};
        case 3: {
            wire::Batch batch{any_sixteen(tape), tape.word(), {}, any_bytes(tape, 200)};
            batch.runs.resize(tape.below(4));
            for (auto& run : batch.runs)
                run = {ActorId{tape.word64()}, tape.word64(), tape.word()};
            return batch;
        }
        case 4:
            return wire::Ack{
                any_sixteen(tape), any_bytes(tape), any_sixteen(tape), any_sixteen(tape)};
        case 5:
            return wire::Probe{};
        case 6:
            return wire::Refusal{any_text(tape), {any_bytes(tape), any_bytes(tape)}};
        case 7: {
            wire::PairGrant grant;
            grant.genesis = any_bytes(tape);
            grant.space_key = std::string(32, static_cast<char>(tape.word()));
            grant.digest_key = std::string(32, static_cast<char>(tape.word()));
            grant.actor = ActorId{tape.word64()};
            grant.statements = any_list(tape, short_bytes);
            grant.addresses = any_list(tape, any_text);
            return grant;
        }
        case 8:
            return wire::PairDone{};
        case 9: {
            auto const name = [&] { return any_text(tape).substr(0, kNameBytesMax); };
            wire::RightsRequest request{any_sixteen(tape), name(), name(), name(), 0, false, {}};
            request.actor = ActorId{tape.word64()};
            request.amount = tape.word64();
            request.ahead_of_need = tape.chance(50);
            return request;
        }
        case 10:
            return wire::Acknowledgements{any_sixteen(tape), any_list(tape, short_bytes)};
        case 12:
            return wire::RepairAsk{any_sixteen(tape),
                                   {short_bytes(tape), short_bytes(tape)},
                                   any_list(tape, short_bytes),
                                   any_sixteen(tape),
                                   any_sixteen(tape)};
        case 13:
            return any_repair_answer(tape);
        case 14:
        case 15:
        case 16:
            return any_of_state(tape, kind);
        default:
            return any_fork(tape);
    }
}

constexpr std::size_t kKinds = std::variant_size_v<Message>;

// ---- messages -----------------------------------------------------------------------------------

RC_GTEST_PROP(Codec, every_message_comes_back, (Tape tape)) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        Message const message = any_message(tape, kind);
        RC_ASSERT(message.index() == kind);
        auto const decoded = wire::decode(wire::encode(message));
        RC_ASSERT(decoded.has_value());
        RC_ASSERT(*decoded == message);
        RC_ASSERT(wire::encode(*decoded) == wire::encode(message));
    }
}

TEST(Codec, D24_repairs_over_their_limits_are_refused) {
    auto const refused = [](Message const& message) {
        auto const decoded = wire::decode(wire::encode(message));
        return !decoded && decoded.error().code == Errc::protocol;
    };
    std::string const longest(kRecordKeyBytesMax, 'k'), too_long = longest + "k";
    EXPECT_FALSE(refused(wire::RepairAsk{{}, {longest, longest}, {longest}}));
    EXPECT_TRUE(refused(wire::RepairAsk{{}, {too_long, ""}, {}}));
    EXPECT_TRUE(refused(wire::RepairAsk{{}, {"", too_long}, {}}));
    EXPECT_TRUE(refused(wire::RepairAsk{{}, {}, {too_long}}));
    std::vector<std::string> keys(kStateKeysMax, "k");
    EXPECT_FALSE(refused(wire::RepairAsk{{}, {}, keys}));
    keys.emplace_back("k");
    EXPECT_TRUE(refused(wire::RepairAsk{{}, {}, keys}));
    wire::RepairAnswer answer;
    answer.summary.parts.resize(kRangePartsMax + 1);
    answer.summary.items.resize(kRangeItemsMax);
    answer.states.resize(kStateKeysMax);
    EXPECT_FALSE(refused(answer));
    auto more = answer;
    more.summary.parts.emplace_back();
    EXPECT_TRUE(refused(more));
    more = answer;
    more.summary.items.emplace_back();
    EXPECT_TRUE(refused(more));
    more = answer;
    more.states.emplace_back();
    EXPECT_TRUE(refused(more));
    more = answer;
    more.states[0].standing = static_cast<Standing>(2);
    EXPECT_TRUE(refused(more));
    more = answer;
    more.summary.items[0].digest_class = static_cast<DigestClass>(5);
    EXPECT_TRUE(refused(more));
}

TEST(Codec, damaged_messages_are_refused_or_read_as_a_sound_message) {
    Tape tape = Tape::seeded(1);
    std::size_t refused = 0, read = 0;
    for (std::size_t kind = 0; kind < kKinds; ++kind)
        for (int i = 0; i < 3; ++i) {
            Message const message = any_message(tape, kind);
            for_every_corruption(wire::encode(message), [&](std::string const& bytes) {
                auto const decoded = wire::decode(bytes);
                ++(decoded ? read : refused);
                if (!decoded) {
                    EXPECT_EQ(decoded.error().code, Errc::protocol);
                } else {
                    auto const again = wire::decode(wire::encode(*decoded));
                    EXPECT_TRUE(again && *again == *decoded);
                }
            });
        }
    EXPECT_GT(refused, 1'000u);
    EXPECT_GT(read, 1'000u);
}

RC_GTEST_PROP(Codec, random_bytes_are_no_trouble, (std::string const& bytes, Tape tape)) {
    auto padded = bytes;
    padded.resize((bytes.size() + 7) / 8 * 8);
    (void)wire::decode(bytes);
    (void)wire::decode(padded);
    // And bytes of a message with many of them changed.
    std::string mixed = wire::encode(any_message(tape, tape.below(kKinds)));
    for (std::size_t i = tape.below(8); i > 0; --i)
        mixed[tape.below(mixed.size())] = static_cast<char>(tape.word());
    (void)wire::decode(mixed);
}

void expect_refused(Message const& message, std::string const& why) {
    auto const decoded = wire::decode(wire::encode(message));
    ASSERT_FALSE(decoded) << why;
    EXPECT_EQ(decoded.error().code, Errc::protocol);
    EXPECT_THAT(decoded.error().message, HasSubstr(why));
}

TEST(Codec, refuses_what_is_over_a_limit) {
    wire::Hello hello;
    hello.spaces.resize(wire::kSpacesMax);
    EXPECT_TRUE(wire::decode(wire::encode(hello)));
    hello.spaces.resize(wire::kSpacesMax + 1);
    expect_refused(hello, "too many spaces");

    wire::Statements certificates{{}, std::vector<std::string>(wire::kStatementsMax, "x")};
    EXPECT_TRUE(wire::decode(wire::encode(certificates)));
    certificates.statements.emplace_back("x");
    expect_refused(certificates, "too many statements");

    wire::Batch batch;
    batch.runs.resize(wire::kRunsMax);
    EXPECT_TRUE(wire::decode(wire::encode(batch)));
    batch.runs.resize(wire::kRunsMax + 1);
    expect_refused(batch, "too many runs");

    EXPECT_TRUE(wire::decode(wire::encode(wire::Refusal{std::string(wire::kTextBytesMax, 'x')})));
    expect_refused(wire::Refusal{std::string(wire::kTextBytesMax + 1, 'x')}, "too long");
    std::string const long_name(kNameBytesMax, 'x');
    wire::RightsRequest request{{}, long_name, long_name, long_name, 1, false, {}};
    EXPECT_TRUE(wire::decode(wire::encode(request)));
    for (auto* name : {&request.collection, &request.key, &request.field}) {
        *name += 'x';
        expect_refused(request, "too long");
        name->pop_back();
    }

    wire::PairGrant grant;
    grant.space_key = grant.digest_key = std::string(32, 'k');
    grant.addresses.assign(wire::kAddressesMax, "ws://a:1");
    EXPECT_TRUE(wire::decode(wire::encode(grant)));
    grant.addresses.emplace_back(std::string(wire::kTextBytesMax + 1, 'x'));
    expect_refused(grant, "too many addresses");
    grant.addresses = {std::string(wire::kTextBytesMax + 1, 'x')};
    expect_refused(grant, "address is too long");
    grant.addresses = {};
    grant.space_key = "short";
    expect_refused(grant, "key has a wrong length");

    expect_refused(wire::Vector{{}, std::string(wire::kMessageBytesMax, 'x'), {}}, "too long");
    EXPECT_FALSE(wire::decode(""));
    EXPECT_FALSE(wire::decode("1234567"));
    EXPECT_FALSE(wire::decode(wire::encode(wire::Probe{}) + std::string(8, '\0')));
}

// A list whose items are all the same few bytes: small on the wire, large when it is copied out.
TEST(Codec, does_not_copy_more_than_a_message_can_hold) {
    // Segment table, root struct, then one Data list whose pointers all lead to one item.
    constexpr std::uint32_t kItems = 4'000, kItemBytes = 100'000;
    auto const word = [](std::string& out, std::uint64_t value) {
        for (int i = 0; i < 8; ++i)
            out += static_cast<char>(value >> (8 * i));
    };
    auto const list_pointer = [](std::int64_t offset, std::uint64_t size, std::uint64_t count) {
        return (static_cast<std::uint64_t>(offset) << 2 & 0xffff'fffc) | 1 | size << 32 |
               count << 35;
    };
    std::string const honest = wire::encode(wire::Statements{{}, {"12345678"}});
    std::string body;
    // Message struct: 1 data word, 1 pointer; Certificates struct: 2 pointers.
    word(body, std::uint64_t{1} << 32 | std::uint64_t{1} << 48);
    body += honest.substr(16, 8);            // the union's tag
    word(body, std::uint64_t{2} << 48);      // -> Certificates, right behind
    word(body, list_pointer(1, 2, 16));      // space: 16 bytes, 1 word further
    word(body, list_pointer(2, 6, kItems));  // certificates: pointers
    word(body, 0);                           // the space
    word(body, 0);
    for (std::uint32_t i = 0; i < kItems; ++i)  // each item -> the same bytes
        word(body, list_pointer(kItems - 1 - i, 2, kItemBytes));
    body += std::string(kItemBytes, 'x');
    std::string message;
    word(message, static_cast<std::uint64_t>(body.size() / 8) << 32);
    message += body;
    auto const decoded = wire::decode(message);
    ASSERT_FALSE(decoded);
    // Either our budget or that of the reader ends it.
    EXPECT_THAT(decoded.error().message,
                testing::AnyOf(HasSubstr("longer than the message"), HasSubstr("limit")));
}

// ---- batches ------------------------------------------------------------------------------------

crypto::Secret key_of(std::uint8_t byte) {
    return crypto::Secret(std::string(32, static_cast<char>(byte)));
}

EntryBatch sample_batch() {
    EntryBatch batch;
    batch.runs.push_back({ActorId{7}, 3, {"first", "second entry"}});
    batch.runs.push_back({ActorId{9}, 1, {std::string(1'000, 'x')}});
    batch.runs.push_back({ActorId{7}, 5, {"third"}});
    batch.heads.push_back({ActorId{7}, 5, {1, 2, 3}});
    batch.heads.push_back({ActorId{9}, 1, {}});
    return batch;
}

bool same(EntryBatch const& a, EntryBatch const& b) {
    bool equal = a.runs.size() == b.runs.size() && a.heads.size() == b.heads.size();
    for (std::size_t i = 0; equal && i < a.runs.size(); ++i)
        equal = a.runs[i].actor == b.runs[i].actor && a.runs[i].first == b.runs[i].first &&
                a.runs[i].entries == b.runs[i].entries;
    for (std::size_t i = 0; equal && i < a.heads.size(); ++i)
        equal = a.heads[i].actor == b.heads[i].actor && a.heads[i].seq == b.heads[i].seq &&
                a.heads[i].signature == b.heads[i].signature;
    return equal;
}

void expect_unopened(wire::Batch const& batch, crypto::Secret const& key, std::string const& why) {
    auto const opened = wire::open_batch(batch, key);
    ASSERT_FALSE(opened) << why;
    EXPECT_EQ(opened.error().code, Errc::protocol);
    EXPECT_THAT(opened.error().message, HasSubstr(why));
}

// A batch whose content is whatever the test likes, sealed as a member could seal it.
wire::Batch forged(std::vector<wire::RunHeader> runs, std::string const& compressed) {
    wire::Batch batch;
    batch.runs = std::move(runs);
    std::string associated = "inos batch 1";
    associated += std::string(16, '\0');
    put_u64(associated, batch.key_id);
    put_varint(associated, batch.runs.size());
    for (auto const& run : batch.runs) {
        put_u64(associated, run.actor.value);
        put_varint(associated, run.first);
        put_varint(associated, run.count);
    }
    batch.sealed = crypto::seal(key_of(1), compressed, associated);
    return batch;
}

std::string compressed(std::string const& content) {
    std::string out(ZSTD_compressBound(content.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3));
    return out;
}

TEST(BatchCodec, opens_what_was_sealed) {
    for (EntryBatch const& batch : {EntryBatch(), sample_batch()}) {
        auto const sealed = wire::seal_batch({}, key_of(1), batch);
        auto const opened = wire::open_batch(sealed, key_of(1));
        ASSERT_TRUE(opened);
        EXPECT_TRUE(same(*opened, batch));
    }
    auto const sealed = wire::seal_batch({}, key_of(1), sample_batch());
    EXPECT_EQ(sealed.runs[0], (wire::RunHeader{ActorId{7}, 3, 2}));
    EXPECT_EQ(sealed.sealed.find("second entry"), std::string::npos);
}

TEST(BatchCodec, refuses_another_key_a_changed_header_and_a_changed_body) {
    auto const sealed = wire::seal_batch({}, key_of(1), sample_batch());
    expect_unopened(sealed, key_of(2), "not sealed with this space's key");
    std::vector<wire::Batch> changed(8, sealed);
    changed[0].space[0] ^= 1;
    changed[1].key_id = 2;
    changed[2].runs[0].actor.value ^= 1;
    changed[3].runs[0].first += 1;
    changed[4].runs[0].count += 1;
    changed[5].runs.pop_back();
    changed[6].runs.push_back(sealed.runs[0]);
    changed[7].sealed.clear();
    for (auto const& batch : changed)
        expect_unopened(batch, key_of(1), "was changed");
    for_every_truncation(sealed.sealed, [&](std::string const& bytes) {
        changed[0] = sealed;
        changed[0].sealed = bytes;
        EXPECT_FALSE(wire::open_batch(changed[0], key_of(1)));
    });
    for (std::size_t i = 0; i < sealed.sealed.size(); ++i) {
        changed[0] = sealed;
        changed[0].sealed[i] = static_cast<char>(changed[0].sealed[i] ^ 1);
        EXPECT_FALSE(wire::open_batch(changed[0], key_of(1)));
    }
}

TEST(BatchCodec, refuses_what_does_not_decompress) {
    expect_unopened(forged({}, ""), key_of(1), "declares no size");
    expect_unopened(forged({}, "not zstd"), key_of(1), "declares no size");
    expect_unopened(
        forged({}, compressed("some content").substr(0, 12)), key_of(1), "does not decompress");
    std::string const twice = compressed(std::string(1, '\0')) + compressed("x");
    EXPECT_FALSE(wire::open_batch(forged({}, twice), key_of(1)));
}

TEST(BatchCodec, takes_no_memory_for_a_bomb) {
    std::string const bomb = compressed(std::string(wire::kContentBytesMax + 1, '\0'));
    EXPECT_LT(bomb.size(), 2'000u);
    expect_unopened(forged({}, bomb), key_of(1), "over the limit");
    // A frame that declares little and holds much.
    std::string liar = compressed(std::string(100'000, '\0'));
    ASSERT_EQ(ZSTD_getFrameContentSize(liar.data(), liar.size()), 100'000u);
    auto const at = liar.find(std::string("\xa0\x86\x01\0", 4));
    ASSERT_NE(at, std::string::npos);
    liar[at + 2] = 0;
    expect_unopened(forged({}, liar), key_of(1), "does not decompress");
}

TEST(BatchCodec, refuses_counts_that_lie) {
    std::string two;
    put_blob(two, "one");
    put_blob(two, "two");
    put_varint(two, 0);  // heads
    put_varint(two, 0);  // erasures
    EXPECT_TRUE(wire::open_batch(forged({{ActorId{1}, 1, 2}}, compressed(two)), key_of(1)));
    expect_unopened(forged({{ActorId{1}, 1, 1}}, compressed(two)), key_of(1), "");
    expect_unopened(forged({{ActorId{1}, 1, 3}}, compressed(two)), key_of(1), "");
    expect_unopened(forged({{ActorId{1}, 1, 99'999}}, compressed(two)), key_of(1), "fewer entries");
    expect_unopened(forged({{ActorId{1}, 1, ~0u}}, compressed(two)), key_of(1), "entries than");
    expect_unopened(forged({}, compressed(two)), key_of(1), "malformed");
    // Many runs that each claim what all hold together.
    std::vector<wire::RunHeader> many(1'000, {ActorId{1}, 1, 1'000});
    std::string const empty_entries(900'000, '\0');
    EXPECT_FALSE(wire::open_batch(forged(many, compressed(empty_entries)), key_of(1)));
    std::string heads;
    put_varint(heads, 1'000);
    expect_unopened(forged({}, compressed(heads)), key_of(1), "malformed");
}

RC_GTEST_PROP(BatchCodec,
              any_content_is_opened_or_refused,
              (std::string const& content, Tape tape)) {
    std::vector<wire::RunHeader> runs(tape.below(4));
    for (auto& run : runs)
        run = {ActorId{tape.word64()}, tape.word64(), tape.word() % 5};
    (void)wire::open_batch(forged(runs, compressed(content)), key_of(1));
}

}  // namespace
}  // namespace inos::test
