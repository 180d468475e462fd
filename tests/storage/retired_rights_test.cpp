// What becomes of the shares of bounded counters that a retired site had: nobody uses them until no
// member can bring anything more of that site, then one site does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/member_list.hpp"
#include "storage/schema_document.hpp"
#include "tests/support/lives.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Site 0 is the admin, 1 a shop with all ten lamps, 2 another shop.
class RetiredRights : public testing::Test {
protected:
    RetiredRights() {
        char const* json = R"({"customers":{"fields":{"stock":{"type":"bounded-counter"}}}})";
        value_of(space[0]->commit({{"test", schema_writes(object_of(json), {})}}).front());
        space.converge();
        EXPECT_TRUE(add(1, 10));
        space.converge();
    }
    SiteId const& id(std::size_t i) { return space[i].keys.identity.public_key; }
    bool add(std::size_t at, std::int64_t delta) {
        auto const body = R"({"stock":{"$inc":)" + std::to_string(delta) + "}}";
        auto const done =
            space[at]
                ->commit(
                    {{"test", {{Write::Kind::patch, {"customers", "lamp"}, object_of(body), {}}}}})
                .front();
        EXPECT_TRUE(done || done.error().code == Errc::rights);
        return done.has_value();
    }
    void gossip(std::size_t from, std::size_t to) {
        value_of(space[to]->add_statements(space[from]->membership().all_bytes()));
    }
    Value stock(std::size_t at) { return space[at].field("customers", "lamp", "stock"); }
    // Only those who belong to the space still meet.
    void members_meet() {
        for (auto const& [to, from] : {std::pair{0, 2}, {2, 0}})
            if (!space[to]->vector().includes(space[from]->vector())) space.pull(from, to);
    }
    void members_acknowledge() {
        std::vector<std::string> all;
        for (std::size_t const at : {0, 2}) {
            value_of(space[at]->acknowledge());
            all.push_back(space[at]->acknowledgements().at(id(at)));
        }
        for (std::size_t const at : {0, 2}) {
            value_of(space[at]->add_acknowledgements(all));
            value_of(space[at]->stable());
        }
    }
    MemberInfo retired(std::size_t at) {
        auto const listed = value_of(list_members(*space[at]));
        return listed.back();
    }

    Space space{3};
};

TEST_F(RetiredRights, E5_nobody_uses_them_before_all_members_know_and_then_the_heir_does) {
    value_of(space[0]->retire(id(1)));
    members_acknowledge();
    EXPECT_FALSE(add(0, -1)) << "site 2 may still take what site 1 sold";
    EXPECT_THAT(retired(0).heir_waits_for, ElementsAre("site2"));
    gossip(0, 2);
    members_acknowledge();
    EXPECT_THAT(retired(0).heir_waits_for, IsEmpty());
    EXPECT_EQ(retired(2).heir, retired(0).heir);
    EXPECT_FALSE(add(2, -1)) << "it is not the heir";
    EXPECT_TRUE(add(0, -4));
    EXPECT_TRUE(add(0, -6));
    EXPECT_FALSE(add(0, -1));
    members_meet();
    EXPECT_EQ(stock(2), Value(0));
    EXPECT_EQ(space[2]->root(), space[0]->root());
}

TEST_F(RetiredRights, E5_what_a_member_had_taken_from_it_is_waited_for) {
    value_of(space[0]->retire(id(1)));
    EXPECT_TRUE(add(1, -8)) << "it does not know";
    space.pull(1, 2);
    gossip(0, 2);
    members_acknowledge();
    EXPECT_FALSE(add(0, -1)) << "the member holds more of it than the heir";
    EXPECT_THAT(retired(0).heir_waits_for, ElementsAre("site2"));
    members_meet();
    members_acknowledge();
    EXPECT_TRUE(add(0, -2));
    EXPECT_FALSE(add(0, -1));
    members_meet();
    EXPECT_EQ(stock(2), Value(0));
}

TEST_F(RetiredRights, E5_what_it_sold_and_gave_to_nobody_is_the_window_of_loss) {
    EXPECT_TRUE(add(1, -3));
    value_of(space[0]->retire(id(1)));
    gossip(0, 2);
    members_acknowledge();
    EXPECT_TRUE(add(0, -10)) << "nobody knows of the three";
    EXPECT_FALSE(add(0, -1));
}

// An admin that retires the site besides: whom the rights go to must not depend on who asks.
TEST_F(RetiredRights, E5_two_admins_at_once_have_one_heir) {
    value_of(space[0]->change_role(id(2), Role::admin, {}));
    gossip(0, 2);
    value_of(space[0]->retire(id(1)));
    value_of(space[2]->retire(id(1)));
    members_acknowledge();
    EXPECT_FALSE(add(0, -1)) << "each knows of its own word only";
    EXPECT_FALSE(add(2, -1));
    gossip(0, 2);
    gossip(2, 0);
    members_meet();
    members_acknowledge();
    EXPECT_EQ(retired(0).heir, retired(2).heir);
    bool const first = add(0, -6), second = add(2, -6);
    EXPECT_NE(first, second) << "one of them, and one only";
    members_meet();
    EXPECT_EQ(stock(0), Value(4));
}

// A member that comes to know of one more statement has to be heard once more.
TEST_F(RetiredRights, E5_another_membership_is_asked_again) {
    value_of(space[0]->retire(id(1)));
    gossip(0, 2);
    members_acknowledge();
    value_of(space[0]->rotate_key());
    EXPECT_FALSE(add(0, -1));
    gossip(0, 2);
    members_acknowledge();
    EXPECT_TRUE(add(0, -1));
    value_of(space[0]->rotate_key());
    EXPECT_TRUE(add(0, -1)) << "they are its own now";
}

// The heir's directory is copied: each copy might use them.
TEST(RetiredRightsOfCopies, E5_are_used_by_no_copy_of_the_heir) {
    Lives lives(2);
    char const* json = R"({"customers":{"fields":{"stock":{"type":"bounded-counter"}}}})";
    value_of(lives[0]->commit({{"test", schema_writes(object_of(json), {})}}).front());
    lives.meet(0, 1);
    value_of(lives[1].try_put("lamp", R"({"stock":{"$inc":10}})"));
    lives.meet(0, 1);
    SiteId const shop = lives[1]->membership().by_actor(lives[1]->actor())->site;
    value_of(lives[0]->retire(shop));
    auto const settle = [](Life& life) {
        value_of(life->acknowledge());
        value_of(life->stable());
    };
    auto const sell = [](Life& life) {
        return life.try_put("lamp", R"({"stock":{"$inc":-1}})").has_value();
    };
    settle(lives[0]);
    std::size_t const copy = lives.clone(0, marks(9));
    settle(lives[copy]);
    EXPECT_FALSE(sell(lives[copy])) << "the original may be using them";
    lives[copy].put("a");
    settle(lives[copy]);
    EXPECT_FALSE(sell(lives[copy])) << "under its new actor neither";
    settle(lives[0]);
    EXPECT_TRUE(sell(lives[0]));
}

}  // namespace
}  // namespace inos::test
