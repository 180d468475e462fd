// What a replica makes of changes of its own rights, of keys, and of the recovery code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/member_list.hpp"
#include "storage/recovery.hpp"
#include "tests/support/corrupt.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::Space;
using test::value_of;
using testing::HasSubstr;

class ReplicaMembers : public testing::Test {
protected:
    SiteId const& id(std::size_t i) { return space[i].keys.identity.public_key; }
    // Everybody hears of everything that is said about members.
    void gossip() {
        for (auto const& from : space.sites())
            for (auto const& to : space.sites())
                value_of(to->replica->add_statements(from->replica->membership().all_bytes()));
    }
    static SiteId random_site() { return crypto::SigningKey::generate().public_key; }
    Role role(std::size_t i) { return space[0]->membership().by_site(id(i))->role; }
    Error refusal(std::size_t i, std::string collection = "customers") {
        auto const result = space[i].try_commit({{Write::Kind::put, {collection, "x"}, {}, {}}});
        return result ? Error{Errc::internal, "it was written", {}} : result.error();
    }
    void equal(std::size_t a, std::size_t b) {
        EXPECT_EQ(space[a]->vector(), space[b]->vector());
        EXPECT_EQ(space[a]->root(), space[b]->root());
    }

    Space space{3};
};

TEST_F(ReplicaMembers, a_changed_role_is_a_new_actor_that_begins_where_the_old_one_ended) {
    space[1].put("customers", "ann", {{"name", Value("Ann")}});
    ActorId const before = space[1]->actor();
    value_of(space[0]->change_role(id(1), Role::writer, {"orders"}));
    gossip();
    EXPECT_EQ(refusal(1).code, Errc::forbidden);
    EXPECT_EQ(space[1]->actor(), before) << "nothing was written";
    space[1].put("orders", "1", {{"sum", Value(3)}});
    ActorId const after = space[1]->actor();
    EXPECT_NE(after, before);
    EXPECT_EQ(space[1]->membership().ends().at(before).seq, 1u);
    EXPECT_EQ(space[1]->earlier_actors().certain, std::vector{before});
    space[1].put("orders", "2", {{"sum", Value(4)}});
    EXPECT_EQ(space[1]->actor(), after) << "once";
    space[1].reopen();
    EXPECT_EQ(space[1]->actor(), after);
    gossip();
    space.converge();
    equal(0, 1);
    equal(1, 2);
    EXPECT_EQ(space[2].field("orders", "2", "sum"), Value(4));
}

TEST_F(ReplicaMembers, a_writer_that_was_made_a_reader_writes_nothing_and_a_reader_can_be_raised) {
    value_of(space[0]->change_role(id(1), Role::reader, {}));
    gossip();
    EXPECT_EQ(role(1), Role::reader);
    EXPECT_EQ(refusal(1).code, Errc::forbidden);
    value_of(space[0]->change_role(id(1), Role::admin, {}));
    gossip();
    space[1].set_schema(R"({"customers":{"fields":{"name":{"type":"register"}}}})");
    value_of(space[1]->retire(id(2)));
    gossip();
    space.pull(1, 0);
    EXPECT_FALSE(space[0]->schema_documents().empty());
    EXPECT_EQ(space[0]->membership().by_site(id(2)), nullptr);
}

// What was written under the old rights before the news came stays: it was right then.
TEST_F(ReplicaMembers, entries_are_judged_by_the_certificate_of_their_actor) {
    value_of(space[0]->change_role(id(1), Role::reader, {}));
    space[1].put("customers", "late", {{"name", Value("Late")}});
    gossip();
    space.converge();
    EXPECT_EQ(space[0].field("customers", "late", "name"), Value("Late"));
    equal(0, 1);
    // One that goes on writing under it breaks no rule that others could see; its entries are kept.
    EXPECT_EQ(refusal(1).code, Errc::forbidden);
}

TEST_F(ReplicaMembers, a_site_with_new_rights_catches_up_with_who_gave_them_first) {
    space[0].put("customers", "ann", {{"name", Value("Ann")}});
    value_of(space[0]->change_role(id(1), Role::writer, {"orders"}));
    gossip();
    EXPECT_EQ(refusal(1, "orders").code, Errc::unavailable);
    space.pull(0, 1);
    EXPECT_EQ(refusal(1, "orders").message, "it was written");
}

TEST_F(ReplicaMembers, only_an_admin_changes_others_and_nobody_itself) {
    EXPECT_EQ(space[1]->change_role(id(2), Role::reader, {}).error().code, Errc::forbidden);
    EXPECT_EQ(space[1]->retire(id(2)).error().code, Errc::forbidden);
    EXPECT_EQ(space[1]->rotate_key().error().code, Errc::forbidden);
    EXPECT_EQ(space[0]->change_role(id(0), Role::reader, {}).error().code, Errc::conflict);
    EXPECT_EQ(space[0]->change_role(SiteId{}, Role::reader, {}).error().code, Errc::not_found);
    EXPECT_EQ(space[0]->change_role(id(1), Role::relay, {}).error().code, Errc::unsupported);
    EXPECT_EQ(space[0]->change_role(id(1), Role::reader, {"orders"}).error().code, Errc::invalid);
    EXPECT_EQ(space[0]->change_role(id(1), Role::writer, {"a\nb"}).error().code, Errc::invalid);
    std::size_t const before = space[0]->membership().statements().size();
    value_of(space[0]->change_role(id(1), Role::writer, {}));
    EXPECT_EQ(space[0]->membership().statements().size(), before) << "it is that already";
}

TEST_F(ReplicaMembers, C14_a_new_key_reaches_every_member_and_old_ones_are_kept) {
    KeyName const first = space[0]->keys()->sealing();
    EXPECT_EQ(first.epoch, 0u);
    value_of(space[0]->rotate_key());
    gossip();
    KeyName const second = space[0]->keys()->sealing();
    EXPECT_EQ(second.epoch, 1u);
    for (auto const& site : space.sites()) {
        EXPECT_EQ(site->replica->keys()->sealing(), second);
        EXPECT_TRUE(site->replica->keys()->find(first.id));
        EXPECT_EQ(site->replica->keys()->sealing_key(), space[0]->keys()->sealing_key());
    }
    space[2].reopen();
    EXPECT_EQ(space[2]->keys()->sealing(), second);
}

TEST_F(ReplicaMembers, C14_rotations_at_once_are_all_kept_and_one_seals_everywhere) {
    value_of(space[0]->change_role(id(1), Role::admin, {}));
    gossip();
    value_of(space[0]->rotate_key());
    value_of(space[1]->rotate_key());
    KeyName const a = space[0]->keys()->sealing(), b = space[1]->keys()->sealing();
    EXPECT_NE(a, b);
    gossip();
    for (auto const& site : space.sites()) {
        EXPECT_EQ(site->replica->keys()->sealing(), std::max(a, b));
        EXPECT_TRUE(site->replica->keys()->holds(a) && site->replica->keys()->holds(b));
    }
}

// A site can certify a sealing key that is none: it gets nothing, and nobody falls over it.
TEST_F(ReplicaMembers, C14_a_member_with_a_bad_sealing_key_stops_no_rotation) {
    Certificate bad = *space[0]->membership().by_site(id(1));
    bad.site = random_site();
    bad.sealing = {};
    value_of(space[0]->add_statements({issue_following(bad, Nonce{1}, space[0].keys.identity)}));
    value_of(space[0]->rotate_key());
    EXPECT_EQ(space[0]->keys()->sealing().epoch, 1u);
    EXPECT_FALSE(value_of(space[0]->share_key(bad.site)));
}

TEST_F(ReplicaMembers, C14_a_retired_site_does_not_get_the_next_key) {
    value_of(space[0]->retire(id(2)));
    gossip();
    KeyName const now = space[0]->keys()->sealing();
    EXPECT_EQ(now.epoch, 1u);
    EXPECT_EQ(space[1]->keys()->sealing(), now);
    EXPECT_FALSE(space[2]->keys()->holds(now));
}

// Admitted by one admin while another one rotates: whoever holds the key hands it on.
TEST_F(ReplicaMembers, C14_a_member_that_lacks_the_key_gets_it_from_any_other) {
    value_of(space[0]->rotate_key());
    test::Site& late = space.admit({"late"});
    gossip();
    KeyName const now = space[0]->keys()->sealing();
    EXPECT_FALSE(late->keys()->holds(now));
    EXPECT_FALSE(value_of(late->share_key(id(1)))) << "it has none to share";
    EXPECT_TRUE(value_of(space[1]->share_key(id(3))));
    EXPECT_FALSE(value_of(space[1]->share_key(id(3)))) << "once";
    EXPECT_FALSE(value_of(space[1]->share_key(SiteId{})));
    gossip();
    EXPECT_EQ(late->keys()->sealing(), now);
}

class Recovering : public ReplicaMembers {
protected:
    Recovering() {
        value_of(space[0]->add_statements(
            {state(space.id(), RecoveryKey{paper.key.public_key}, space[0].keys.identity)}));
        gossip();
    }
    Recovery const paper = make_recovery(), next = make_recovery();
};

TEST_F(Recovering, makes_a_writer_an_admin_and_retires_the_lost_one) {
    value_of(
        space[1]->recover(value_of(read_recovery_code(paper.code)), {id(0)}, next.key.public_key));
    value_of(space[2]->add_statements(space[1]->membership().all_bytes()));
    Membership const& known = space[2]->membership();
    EXPECT_EQ(known.by_site(id(1))->role, Role::admin);
    EXPECT_EQ(known.by_site(id(0)), nullptr);
    EXPECT_EQ(space[2]->keys()->sealing().epoch, 1u);
    space[1].set_schema(R"({"customers":{"fields":{"name":{"type":"register"}}}})");
    value_of(space[1]->change_role(id(2), Role::reader, {}));
    // The code is used up; the next one is not.
    EXPECT_EQ(space[2]->recover(paper.key, {}, next.key.public_key).error().code, Errc::forbidden);
    value_of(space[2]->recover(next.key, {id(1)}, make_recovery().key.public_key));
    EXPECT_EQ(space[2]->membership().by_site(id(2))->role, Role::admin);
}

TEST_F(Recovering, is_refused_without_the_code_of_this_space) {
    EXPECT_EQ(space[1]->recover(next.key, {id(0)}, next.key.public_key).error().code,
              Errc::forbidden);
    EXPECT_EQ(space[1]->recover(paper.key, {id(1)}, next.key.public_key).error().code,
              Errc::conflict);
    EXPECT_EQ(space[1]->membership().by_site(id(1))->role, Role::writer) << "nothing was done";
    value_of(space[0]->retire(id(1)));
    gossip();
    EXPECT_THAT(space[1]->recover(paper.key, {id(0)}, next.key.public_key).error().message,
                HasSubstr("no member"));
}

TEST(RecoveryCode, is_forgiving_about_its_form_and_not_about_mistakes) {
    Recovery const made = make_recovery();
    EXPECT_EQ(value_of(read_recovery_code(made.code)).public_key, made.key.public_key);
    std::string shouted;
    for (char const c : made.code.substr(7))
        if (c != '-') shouted += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(value_of(read_recovery_code(" INOSR1-" + shouted)).public_key, made.key.public_key);
    for (std::size_t i = 0; i < made.code.size(); ++i) {
        std::string bad = made.code;
        bad[i] = bad[i] == 'q' ? 'w' : 'q';
        if (made.code[i] == '-') continue;
        EXPECT_FALSE(read_recovery_code(bad)) << i;
        EXPECT_FALSE(read_recovery_code(made.code.substr(0, i)));
    }
    EXPECT_FALSE(read_recovery_code(std::string(1'000, 'a')));
    EXPECT_NE(make_recovery().code, made.code);
}

TEST_F(ReplicaMembers, are_listed_with_their_state) {
    value_of(space[0]->retire(id(1)));
    auto const list = value_of(list_members(*space[0]));
    ASSERT_EQ(list.size(), 3u);
    EXPECT_TRUE(list[0].self);
    EXPECT_EQ(list[2].state, MemberInfo::State::retired);
    EXPECT_EQ(list[2].retired_by, list[0].certificate.name);
    EXPECT_EQ(value_of(find_member(space[0]->membership(), list[1].certificate.name)).site, id(2));
    EXPECT_EQ(find_member(space[0]->membership(), list[2].certificate.name).error().code,
              Errc::not_found);
    space.admit({list[1].certificate.name});
    EXPECT_EQ(find_member(space[0]->membership(), list[1].certificate.name).error().code,
              Errc::conflict);
}

}  // namespace
}  // namespace inos
