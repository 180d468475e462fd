// What members took from a site that was retired by then: found at every site, kept or reverted
// once for all.
#include "storage/member_review.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::Space;
using test::value_of;
using testing::ElementsAre;
using testing::IsEmpty;

class Reviewing : public testing::Test {
protected:
    Reviewing() {
        space[2].put("customers", "ann", {{"name", Value("Ann")}, {"city", Value("Bergen")}});
        space.converge();
    }
    SiteId const& id(std::size_t i) { return space[i].keys.identity.public_key; }
    void gossip() {
        for (auto const& from : space.sites())
            for (auto const& to : space.sites())
                value_of(to->replica->add_statements(from->replica->membership().all_bytes()));
    }
    // Site 2 is retired, and site 1 takes three more entries before it hears of it.
    void retire_late() {
        value_of(space[0]->retire(id(2)));
        space[2].patch("customers", "ann", {{"city", Value("Berlin")}});
        space[2].put("customers", "bob", {{"name", Value("Bob")}});
        space[2].erase("customers", "old");
        space.pull(2, 1);
        space[1].patch("customers", "ann", {{"name", Value("Anna")}});
        // The retired one does not hear of it.
        value_of(space[1]->add_statements(space[0]->membership().all_bytes()));
        space.pull(1, 0);
        space.pull(0, 1);
    }
    std::vector<MemberReview> reviews(std::size_t at) { return value_of(list_reviews(*space[at])); }
    Committed decide(std::size_t at, ReviewDecision decision) {
        auto const all = reviews(at);
        auto transaction = value_of(review_writes(*space[at], all.at(0), decision)).transaction;
        return space[at].commit(std::move(transaction.writes), transaction.source);
    }

    Space space{3};
};

TEST_F(Reviewing, C10_lists_what_came_beyond_the_retirement_at_every_site_alike) {
    EXPECT_THAT(reviews(0), IsEmpty());
    space[0].put("customers", "old", {});
    space.converge();
    retire_late();
    for (std::size_t at : {0u, 1u}) {
        auto const all = reviews(at);
        ASSERT_EQ(all.size(), 1u);
        EXPECT_EQ(all[0].actor, space[2].actor());
        EXPECT_TRUE(all[0].retired);
        EXPECT_EQ(all[0].from, 2u);
        EXPECT_EQ(all[0].to, 4u);
        EXPECT_THAT(all[0].records,
                    ElementsAre(RecordName{"customers", "ann"},
                                RecordName{"customers", "bob"},
                                RecordName{"customers", "old"}));
    }
}

TEST_F(Reviewing, C10_reverting_undoes_just_that_and_counts_everywhere) {
    space[0].put("customers", "old", {{"name", Value("Old")}});
    space.converge();
    retire_late();
    decide(0, ReviewDecision::revert);
    space.pull(0, 1);
    for (std::size_t at : {0u, 1u}) {
        EXPECT_EQ(space[at].field("customers", "ann", "city"), Value("Bergen"));
        EXPECT_EQ(space[at].field("customers", "ann", "name"), Value("Anna")) << "by another site";
        EXPECT_FALSE(space[at].get("customers", "bob"));
        EXPECT_EQ(space[at].field("customers", "old", "name"), Value("Old"));
        EXPECT_THAT(reviews(at), IsEmpty());
    }
    EXPECT_EQ(space[0]->root(), space[1]->root());
    auto const told = value_of(space[1]->history({"customers", "ann"}));
    EXPECT_EQ(told.steps.back().source, "review");
}

TEST_F(Reviewing, C10_keeping_changes_nothing_and_what_comes_later_is_listed_again) {
    retire_late();
    Value const city = space[0].field("customers", "ann", "city");
    EXPECT_EQ(decide(0, ReviewDecision::keep).writes.size(), 1u);
    EXPECT_EQ(space[0].field("customers", "ann", "city"), city);
    EXPECT_THAT(reviews(0), IsEmpty());
    // A third site had taken one more.
    test::Site& far = space.admit({"far"});
    space[2].put("customers", "cid", {});
    space.pull(2, 3);
    space.pull(3, 0);
    auto const again = reviews(0);
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].from, again[0].to);
    EXPECT_THAT(again[0].records, ElementsAre(RecordName{"customers", "cid"}));
    EXPECT_FALSE(far->vector().empty());
}

// An admin that was retired approves what it wrote itself, before it hears of it.
TEST_F(Reviewing, C10_what_is_under_review_decides_nothing) {
    value_of(space[0]->change_role(id(2), Role::admin, {}));
    value_of(space[2]->add_statements(space[0]->membership().all_bytes()));
    value_of(space[1]->add_statements(space[0]->membership().all_bytes()));
    space.converge();
    value_of(space[0]->retire(id(2)));
    space[2].put("customers", "bob", {});
    std::string key;
    put_u64(key, space[2]->actor().value);
    Object fields{{"seq", Value(std::int64_t{1} << 62)}};
    space[2].put(std::string(kReviewCollection), crypto::hex(key), std::move(fields));
    value_of(space[1]->add_statements(space[2]->membership().all_bytes()));
    space.pull(2, 1);
    value_of(space[1]->add_statements(space[0]->membership().all_bytes()));
    value_of(space[0]->add_statements(space[1]->membership().all_bytes()));
    space.pull(1, 0);
    EXPECT_EQ(reviews(0).size(), 1u);
    decide(0, ReviewDecision::keep);
    EXPECT_THAT(reviews(0), IsEmpty());
}

TEST_F(Reviewing, C10_only_admins_decide) {
    retire_late();
    auto const all = reviews(1);
    auto const plan =
        value_of(review_writes(*space[1], all.at(0), ReviewDecision::keep)).transaction;
    auto const refused = space[1].try_commit(plan.writes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::forbidden);
}

TEST_F(Reviewing, C10_a_site_that_lost_rights_and_wrote_before_it_knew_is_listed_too) {
    value_of(space[0]->change_role(id(2), Role::reader, {}));
    space[2].put("customers", "late", {});
    space.pull(2, 0);
    gossip();
    auto const all = reviews(0);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_FALSE(all[0].retired);
    EXPECT_EQ(all[0].from, 2u);
    // More rights than before leave nothing to look at.
    value_of(space[0]->change_role(id(2), Role::admin, {}));
    EXPECT_THAT(reviews(0), IsEmpty());
}

}  // namespace
}  // namespace inos
