// States of which nothing may be taken: of other histories, of those who may give none, and what no
// honest site holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/states_support.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;

class RefusedStates : public States {
protected:
    // The receiver holds some of it, as entries; some comes as hashes, and some as entries.
    RefusedStates() {
        clerk_ = &space.admit({"clerk", Role::writer, {"d"}});
        away_ = &space.admit({"away"});
        space.converge();
        clerk_->put("d", "w", {{"n", Value(1)}});
        space.converge();
        space[0].put("c", "a", {{"n", Value(1)}});
        space.converge();
        fill_some(0, 80);
        space.pull(0, 1);
        space.pull(0, 2);
        space.acknowledge();
        fill_some(0, 4);
        space.pull(0, 1);
        fill_some(1, 3);
        space.pull(1, 0);
        whole_ = part(space[0], *away_, 1'000);
    }
    void fill_some(std::size_t site, int count) {
        for (int n = 0; n < count; ++n)
            space[site].patch("c", "x" + std::to_string(n % 5), {{"n", Value(++written_)}});
    }
    // The n-th row of the kind.
    static StateRow& row(StatePart& part, char kind, std::size_t n = 0) {
        for (StateRow& row : part.rows)
            if (row.name.front() == kind && n-- == 0) return row;
        throw std::logic_error("the state has no such row");
    }
    template <class Change>
    std::string changed(Change const& change) {
        StatePart lie = whole_;
        change(lie);
        auto const before = contents(*away_->engine, Family::log);
        std::string const said = refusal(*away_, lie);
        EXPECT_EQ(contents(*away_->engine, Family::log), before);
        EXPECT_FALSE((*away_)->failed());
        return said;
    }
    template <class Change>
    std::string changed_manifest(Change const& change) {
        return changed([&](StatePart& lie) {
            auto manifest = value_of(decode_state_manifest(space.id(), lie.manifest));
            change(manifest);
            lie.manifest = manifest.encode(space.id(), space[0].keys.identity);
            lie.id = crypto::hash16(lie.manifest);
        });
    }
    static std::string record_of(Dot dot) {
        Record made;
        made.insert({std::string(kExistencePath), dot, {}, "", ""});
        return made.encode();
    }

    int written_ = 0;
    Site* clerk_ = nullptr;
    Site* away_ = nullptr;
    StatePart whole_;
};

TEST_F(RefusedStates, the_unchanged_one_is_taken) {
    ASSERT_GT(value_of(decode_state_manifest(space.id(), whole_.manifest)).entries(), 6u);
    EXPECT_TRUE(value_of(take(space[0], *away_, whole_)));
    expect_same(*away_, space[0]);
}

TEST_F(RefusedStates, C1_none_goes_where_histories_differ) {
    auto ask = *space[1]->state_ask(id(space[0]));
    ask.heads[0].chain[0] ^= 1;
    auto const given = space[0]->give_state(id(space[1]), ask);
    ASSERT_FALSE(given);
    EXPECT_EQ(given.error().code, Errc::conflict);
}

TEST_F(RefusedStates, only_admins_give_them) {
    EXPECT_FALSE(space[0]->state_ask(id(space[1])));
    EXPECT_EQ(space[1]->give_state(id(space[0]), {}).error().code, Errc::forbidden);
    EXPECT_FALSE(value_of(space[1]->prefers_state(id(space[0]), {}, true)));
    // One that says so all the same.
    StateManifest manifest;
    manifest.source = id(space[1]);
    StatePart part;
    part.manifest = manifest.encode(space.id(), space[1].keys.identity);
    part.id = crypto::hash16(part.manifest);
    EXPECT_EQ(value_of(space[0]->take_state(id(space[1]), part)), StateTaken::stale);
    EXPECT_FALSE(space[0]->state_progress());
}

TEST_F(RefusedStates, C9_a_snapshot_is_not_made_again_and_again) {
    auto ask = *(*away_)->state_ask(id(space[0]));
    ask.id[0] = 1;
    EXPECT_EQ(space[0]->give_state(id(*away_), ask).error().code, Errc::unavailable);
    space[0].clock.advance(20'000);
    EXPECT_TRUE(space[0]->give_state(id(*away_), ask));
}

TEST_F(RefusedStates, a_source_that_is_no_admin_any_more_is_not_believed) {
    Site& other = space.admit({"other", Role::admin});
    space.pull(0, 4);
    StatePart const first = part(other, *away_, 1);
    EXPECT_FALSE(value_of(take(other, *away_, first)));
    StatePart const next = part(other, *away_, 1'000);
    value_of(space[0]->change_role(id(other), Role::writer, {}));
    value_of((*away_)->add_statements(value_of(stored_statements(*space[0].engine, 1))));
    EXPECT_EQ(take(other, *away_, next).error().code, Errc::forbidden);
}

TEST_F(RefusedStates, a_part_that_nobody_asked_for_is_nothing) {
    Site& other = space.admit({"other", Role::admin});
    space.pull(0, 4);
    StatePart const foreign = part(other, *away_, 1'000);
    space[0].reopen();  // it begins anew
    EXPECT_FALSE(value_of(take(space[0], *away_, part(space[0], *away_, 1))));
    auto const staged = contents(*away_->engine, Family::staging);
    EXPECT_EQ(value_of((*away_)->take_state(id(other), foreign)), StateTaken::stale);
    EXPECT_FALSE((*away_)->state_ask(id(other))) << "another one is under way";
    EXPECT_EQ(contents(*away_->engine, Family::staging), staged);
}

TEST_F(RefusedStates, records_that_nobody_can_have_made) {
    Dot const beyond{space[0].actor(), 1'000}, clerks{clerk_->actor(), 1};
    char const kind = state_row::kRecord;
    auto const with = [&](std::string const& value) {
        return changed([&](StatePart& lie) { row(lie, kind).value = value; });
    };
    EXPECT_THAT(with(record_of(beyond)), HasSubstr("nobody can have made"));
    EXPECT_THAT(with(record_of(clerks)), HasSubstr("nobody can have made"));
    EXPECT_THAT(with("no record"), HasSubstr("nobody can have made"));
    EXPECT_THAT(changed([&](StatePart& lie) { row(lie, kind).name = "rc"; }),
                HasSubstr("nobody can have made"));
    EXPECT_THAT(changed([&](StatePart& lie) { lie.rows.pop_back(); }), HasSubstr("root differs"));
    EXPECT_THAT(changed([&](StatePart& lie) { std::swap(row(lie, kind), row(lie, kind, 1)); }),
                HasSubstr("do not ascend"));
    EXPECT_THAT(
        changed([&](StatePart& lie) {
            Record mark;
            mark.insert({std::string(kErasePath), {space[0].actor(), 1}, {}, "", ""});
            row(lie, kind) = {std::string("rc\0\1", 4) + std::string(16, 't'), mark.encode(), ""};
        }),
        HasSubstr("erasure that nobody has signed"));
}

// Neither of ours nor of anybody's: by the root this would come out somewhere else only.
TEST_F(RefusedStates, another_value_in_a_cell_that_is_here) {
    away_->put("c", "own", {{"n", Value(1)}});  // so that roots are not compared
    EXPECT_THAT(changed([&](StatePart& lie) {
                    auto record = *Record::decode(row(lie, state_row::kRecord).value);
                    for (std::size_t i = 0; i < record.cells().size(); ++i)
                        if (!is_special(record[i].path)) record[i].payload = encode(Value(66));
                    row(lie, state_row::kRecord).value = record.encode();
                }),
                HasSubstr("another value than its author wrote"));
}

TEST_F(RefusedStates, heads_and_deps_that_authors_have_not_signed_or_seen) {
    EXPECT_THAT(changed_manifest([](StateManifest& lie) {
                    for (StateHead& head : lie.heads)
                        if (head.floor < head.seq) head.chain[0] ^= 1;
                }),
                HasSubstr("not signed"));
    EXPECT_THAT(changed_manifest([&](StateManifest& lie) {
                    for (StateHead& head : lie.heads)
                        if (head.actor == space[0].actor()) ++head.known;
                }),
                HasSubstr("lacks hashes"));
    auto const with_deps = [&](VersionVector const& deps) {
        return changed([&](StatePart& lie) {
            for (std::size_t n = 0;; ++n) {
                StateRow& about = row(lie, state_row::kDeps, n);
                if (state_row::parse(about.name)->actor != space[0].actor()) continue;
                about.value.clear();
                deps.encode(about.value);
                return;
            }
        });
    };
    VersionVector beyond;
    beyond.set(clerk_->actor(), 2);
    EXPECT_THAT(with_deps(beyond), HasSubstr("what authors had seen"));
    EXPECT_THAT(with_deps({}), HasSubstr("what authors had seen")) << "it had seen the clerk's";
}

TEST_F(RefusedStates, hashes_and_entries_that_are_not_those_of_the_heads) {
    char const hash = state_row::kHashes, entry = state_row::kEntry;
    auto const forget = [&](char kind, std::size_t n) {
        return changed([&](StatePart& lie) {
            auto const* gone = &row(lie, kind, n);
            std::erase_if(lie.rows, [gone](StateRow const& each) { return &each == gone; });
        });
    };
    EXPECT_THAT(forget(hash, 1), HasSubstr("lacks some"));
    EXPECT_THAT(forget(state_row::kDeps, 0), HasSubstr("lacks some"));
    EXPECT_THAT(forget(entry, 1), HasSubstr("in the middle"));
    EXPECT_THAT(changed([&](StatePart& lie) { row(lie, hash).value[0] ^= 1; }),
                HasSubstr("histories"))
        << "the first is of an entry that is here";
    EXPECT_THAT(changed([&](StatePart& lie) { row(lie, hash, 1).value.pop_back(); }),
                HasSubstr("hashes"));
    EXPECT_THAT(changed([&](StatePart& lie) { row(lie, hash, 1).value.back() ^= 1; }),
                HasSubstr("hashes"))
        << "the last is of the floor";
    EXPECT_THAT(changed([&](StatePart& lie) { row(lie, entry).value.back() ^= 1; }),
                HasSubstr("has not signed"));
    EXPECT_THAT(changed([&](StatePart& lie) {
                    row(lie, entry).value.back() ^= 1;
                    for (StateRow& each : lie.rows)
                        if (each.name.front() == entry) each.extra.clear();
                }),
                HasSubstr("has not signed"));
    EXPECT_THAT(changed([&](StatePart& lie) { row(lie, entry).extra = std::string(64, 's'); }),
                HasSubstr("has not signed"));
    EXPECT_THAT(changed([&](StatePart& lie) {
                    row(lie, entry).name.front() = state_row::kHashes;
                    row(lie, hash, 0).name.front() = state_row::kHashes;
                }),
                testing::Not(testing::IsEmpty()));
}

// What is taken from elsewhere between a part and the last one is compared at the switch.
TEST_F(RefusedStates, C1_what_came_meanwhile_is_compared_with_what_is_staged) {
    StatePart most = whole_;
    most.rows.pop_back();
    most.last = false;
    EXPECT_FALSE(value_of(take(space[0], *away_, most)));
    space.pull(1, 3);
    StatePart const rest = part(space[0], *away_, 1'000);
    EXPECT_TRUE(value_of(take(space[0], *away_, rest)));
    expect_same(*away_, space[0]);
}

}  // namespace
}  // namespace inos::test
