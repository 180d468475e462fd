// Version vectors and their chains on the wire: whole, by position, and without what has ended.
#include "net/wire/vector_codec.hpp"

#include <map>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crdt/bytes.hpp"
#include "tests/support/corrupt.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

wire::ActorTable table_of(std::uint8_t digest,
                          std::vector<std::uint64_t> const& actors,
                          std::vector<DepHead> const& ends = {}) {
    wire::ActorTable table;
    table.membership.fill(digest);
    for (auto const actor : actors)
        table.actors.push_back(ActorId{actor});
    table.ends = ends;
    return table;
}

DepHead head_of(std::uint64_t actor, Seq seq) {
    return {
        ActorId{actor}, seq, {static_cast<std::uint8_t>(actor), static_cast<std::uint8_t>(seq)}};
}

using Heads = std::optional<std::vector<DepHead>>;
Heads decoded(wire::HeadBytes const& bytes, std::vector<wire::ActorTable> const& tables) {
    return wire::decode_heads(bytes.vector, bytes.chains, tables);
}

TEST(VectorCodec, names_positions_when_both_know_the_table) {
    auto const table = table_of(1, {10, 20, 30});
    std::vector<DepHead> const heads{head_of(10, 5), head_of(30, 900)};
    auto const bytes = wire::encode_heads(heads, &table);
    EXPECT_EQ(bytes.vector.size(), 1u + 8 + 1 + 1 + 1 + 2);
    EXPECT_EQ(bytes.chains.size(), 16u);
    EXPECT_EQ(decoded(bytes, {table_of(2, {1}), table}), heads);
    EXPECT_EQ(decoded(bytes, {table_of(2, {10, 20, 30})}), std::nullopt);
    EXPECT_EQ(decoded(bytes, {}), std::nullopt);
    EXPECT_EQ(decoded(wire::encode_heads({}, &table), {table}), std::vector<DepHead>());
}

TEST(VectorCodec, names_actors_when_the_table_lacks_one_or_there_is_none) {
    auto const table = table_of(1, {10, 20}, {head_of(10, 5)});
    std::vector<DepHead> const heads{head_of(10, 5), head_of(30, 900)};
    for (auto const* known : {&table, static_cast<wire::ActorTable const*>(nullptr)}) {
        auto const bytes = wire::encode_heads(heads, known);
        EXPECT_EQ(bytes.vector[0], '\0');
        EXPECT_EQ(decoded(bytes, {}), heads);
    }
}

TEST(VectorCodec, ten_sites_take_about_forty_bytes) {
    wire::ActorTable table;
    std::vector<DepHead> heads;
    for (std::uint64_t i = 1; i <= 10; ++i) {
        table.actors.push_back(ActorId{i << 40});
        heads.push_back({ActorId{i << 40}, 100'000 + i, {}});
    }
    EXPECT_LE(wire::encode_heads(heads, &table).vector.size(), 41u);
}

TEST(VectorCodec, C5_ten_thousand_actors_that_have_ended_take_no_room) {
    wire::ActorTable table;
    std::vector<DepHead> heads;
    for (std::uint64_t i = 1; i <= 10'003; ++i) {
        heads.push_back(head_of(i << 20, 7 * i));
        table.actors.push_back(heads.back().actor);
        if (i % 3'334 != 0) table.ends.push_back(heads.back());
    }
    auto const bytes = wire::encode_heads(heads, &table);
    EXPECT_EQ(bytes.chains.size(), 3 * 8u) << "three that go on";
    EXPECT_LE(bytes.vector.size(), 20u);
    EXPECT_EQ(decoded(bytes, {table}), heads);
}

TEST(VectorCodec, an_ended_actor_is_named_where_it_is_not_held_just_to_its_end) {
    DepHead other = head_of(30, 4);
    other.chain = {9, 9, 9};
    auto const table = table_of(
        1,
        {10, 20, 30, 40, 50, 60},
        {head_of(10, 1), head_of(20, 2), head_of(30, 4), head_of(50, 3), {ActorId{60}, 0, {}}});
    for (auto const& heads : {std::vector{head_of(10, 1), head_of(20, 1), head_of(30, 4)},
                              std::vector{head_of(20, 2), other, head_of(50, 3)},
                              std::vector{head_of(20, 5), head_of(40, 1), head_of(60, 2)},
                              std::vector<DepHead>()})
        EXPECT_EQ(decoded(wire::encode_heads(heads, &table), {table}), heads);
}

TEST(VectorCodec, refuses_damage_or_reads_a_sound_vector) {
    auto const table = table_of(1, {10, 20, 30, 40}, {head_of(20, 3), head_of(40, 1)});
    std::vector<DepHead> const heads{head_of(10, 5), head_of(20, kSeqMax), head_of(30, 900)};
    for (auto const* known : {&table, static_cast<wire::ActorTable const*>(nullptr)}) {
        auto const whole = wire::encode_heads(heads, known);
        for_every_corruption(whole.vector, [&](std::string const& bytes) {
            auto const read = wire::decode_heads(bytes, whole.chains, {table});
            if (!read) return;
            for (DepHead const& head : *read) {
                EXPECT_GT(head.seq, 0u);
                EXPECT_LE(head.seq, kSeqMax);
            }
            EXPECT_EQ(decoded(wire::encode_heads(*read, nullptr), {}), read);
        });
        for (std::size_t size = 0; size < 40; ++size) {
            if (size == whole.chains.size()) continue;
            EXPECT_EQ(wire::decode_heads(whole.vector, std::string(size, 'c'), {table}),
                      std::nullopt);
        }
    }
    std::string too_high(1, '\1');
    too_high += std::string(8, '\1') + '\0';
    put_varint(too_high, kSeqMax + 1);
    EXPECT_EQ(wire::decode_heads(too_high, std::string(8, 'c'), {table_of(1, {10})}), std::nullopt);
    std::string beyond(1, '\1');
    beyond += std::string(8, '\1') + "\1\1\5";  // the second of the ended, of which there is one
    EXPECT_EQ(
        wire::decode_heads(beyond, std::string(8, 'c'), {table_of(1, {10}, {head_of(10, 1)})}),
        std::nullopt);
}

RC_GTEST_PROP(VectorCodec, every_vector_comes_back, (Tape tape)) {
    wire::ActorTable table;
    std::map<ActorId, DepHead> heads, ends;
    for (std::size_t i = tape.below(20); i > 0; --i) {
        ActorId const actor{tape.word64()};
        table.actors.push_back(actor);
        Seq const seq = tape.word64() >> (2 + tape.below(60));
        DepHead const head{actor, seq, {static_cast<std::uint8_t>(tape.below(2))}};
        if (seq > 0 && tape.chance(70)) heads[actor] = head;
        if (tape.chance(50)) ends[actor] = {actor, seq, {static_cast<std::uint8_t>(tape.below(2))}};
    }
    std::sort(table.actors.begin(), table.actors.end());
    table.actors.erase(std::unique(table.actors.begin(), table.actors.end()), table.actors.end());
    for (auto const& [actor, end] : ends)
        table.ends.push_back(end);
    std::vector<DepHead> all;
    for (auto const& [actor, head] : heads)
        all.push_back(head);
    RC_ASSERT(decoded(wire::encode_heads(all, &table), {table}) == Heads(all));
    RC_ASSERT(decoded(wire::encode_heads(all, nullptr), {}) == Heads(all));
}

VersionVector vector_of(std::vector<std::pair<std::uint64_t, Seq>> const& items) {
    VersionVector vector;
    for (auto const& [actor, seq] : items)
        vector.set(ActorId{actor}, seq);
    return vector;
}

TEST(VectorCodec, digests_tell_vectors_apart) {
    EXPECT_EQ(wire::vector_digest({}, {}), wire::vector_digest({}, {}));
    EXPECT_NE(wire::vector_digest({}, {}), wire::vector_digest(vector_of({{1, 1}}), {}));
    EXPECT_NE(wire::vector_digest(vector_of({{1, 2}}), {}),
              wire::vector_digest(vector_of({{1, 1}}), {}));
    EXPECT_NE(wire::vector_digest(vector_of({{2, 1}}), {}),
              wire::vector_digest(vector_of({{1, 1}}), {}));
}

}  // namespace
}  // namespace inos::test
