// Two sessions in a loop: what they bring each other.
#include "tests/net/session_sides.hpp"

namespace inos::test {
namespace {

TEST(TwoSessions, equal_sites_part_after_a_constant_number_of_bytes) {
    std::optional<std::size_t> bytes;
    for (int entries : {0, 1, 200}) {
        Space space(5);
        for (int i = 0; i < entries; ++i)
            space[0].put("c", std::to_string(i), {{"n", Value(i)}});
        space.converge();
        Side a(space, 0), b(space, 1);
        EXPECT_EQ(converse(a, b), 2u);  // the hellos
        EXPECT_TRUE(a.session.settled());
        EXPECT_TRUE(b.session.settled());
        EXPECT_EQ(a.alarms + b.alarms, 0u);
        if (!bytes) bytes = a.bytes_in + b.bytes_in;
        EXPECT_EQ(a.bytes_in + b.bytes_in, *bytes);
        EXPECT_LT(*bytes, 400u);
    }
}

TEST(TwoSessions, bring_each_other_what_they_lack) {
    Space space(3);
    space[0].put("c", "ann", {{"n", Value(1)}});
    space[1].put("c", "bob", {{"n", Value(2)}});
    space[2].put("c", "cyd", {{"n", Value(3)}});
    space.pull(2, 1);
    Side a(space, 0), b(space, 1);
    EXPECT_GT(a.session.behind() + b.session.behind() + 1, 0u);
    converse(a, b);
    EXPECT_EQ(space[0]->vector(), space[1]->vector());
    EXPECT_EQ(space[0]->root(), space[1]->root());
    EXPECT_EQ(a.applied, 2u);
    EXPECT_EQ(b.applied, 1u);
    EXPECT_TRUE(a.session.settled());
    EXPECT_TRUE(b.session.settled());
    EXPECT_EQ(a.session.acknowledged(), space[0]->vector());
    EXPECT_EQ(b.session.acknowledged(), space[0]->vector());
}

TEST(TwoSessions, tell_each_other_of_members) {
    Space space(2);
    Side a(space, 0), b(space, 1);
    converse(a, b);
    SiteKeys const keys{crypto::SigningKey::from_seed({}), {}, {}};
    Certificate certificate;
    certificate.space = space.id();
    certificate.actor = ActorId{99};
    certificate.site = keys.identity.public_key;
    certificate.name = "new";
    certificate.role = Role::reader;
    value_of(space[0]->add_statements({issue(certificate, space[0].keys.identity)}));
    a.refresh();
    converse(a, b);
    EXPECT_NE(space[1]->membership().by_actor(ActorId{99}), nullptr);
    EXPECT_EQ(space[0]->membership().digest(), space[1]->membership().digest());
}

TEST(TwoSessions, send_many_certificates_in_several_messages) {
    Space space(2);
    auto const& issuer = space[0].keys.identity;
    std::vector<std::string> set;
    for (std::uint64_t i = 1; i <= 2 * kStatementsPerMessage; ++i) {
        Certificate certificate;
        certificate.space = space.id();
        certificate.actor = ActorId{i};
        certificate.site = issuer.public_key;
        certificate.name = "n";
        certificate.role = Role::admin;
        set.push_back(issue(certificate, issuer));
    }
    value_of(space[0]->add_statements(set));
    Side a(space, 0), b(space, 1);
    EXPECT_EQ(converse(a, b), 2u + 3u + 1u);  // hellos, a's certificates, b's
    EXPECT_EQ(space[0]->membership().digest(), space[1]->membership().digest());
}

// One author, two histories of it: what the test makes by hand is what a machine does whose
// snapshot was resumed twice.
TEST(TwoSessions, D6_where_two_copies_of_a_site_have_written_both_sides_say_so_and_keep_all) {
    Space space(3);
    space[0].put("c", "ann", {{"n", Value(1)}});
    space.converge();
    for (std::size_t at : {0, 1}) {
        BrokenAuthor author(space[2], space.id(), space.digest_key());
        author.say({simple_op("customers", "x", at == 0 ? "one" : "other")});
        if (at == 1) author.say({simple_op("customers", "y")});
        value_of(space[at]->apply(author.batch()));
    }
    auto const roots = std::pair(space[0]->root(), space[1]->root());
    Side a(space, 0), b(space, 1);
    converse(a, b);
    for (Side* side : {&a, &b}) {
        ASSERT_TRUE(side->end);
        EXPECT_NE(side->end->message.find("two copies of the site \"site2\""), std::string::npos)
            << side->end->message;
    }
    // Who holds less cannot tell: what the other shows might follow on it.
    EXPECT_TRUE(space[0]->forks().empty());
    ASSERT_EQ(space[1]->forks().size(), 1u);
    Fork const& fork = space[1]->forks().at(space[2].actor());
    EXPECT_NE(fork.ours.chain, fork.theirs.chain);
    EXPECT_EQ(fork.seq, 1u);
    EXPECT_EQ(std::pair(space[0]->root(), space[1]->root()), roots);
}

TEST(TwoSessions, D6_equal_version_vectors_do_not_hide_a_fork) {
    Space space(3);
    for (std::size_t at : {0, 1}) {
        BrokenAuthor author(space[2], space.id(), space.digest_key());
        author.say({simple_op("customers", "x", at == 0 ? "one" : "other")});
        value_of(space[at]->apply(author.batch()));
    }
    ASSERT_EQ(space[0]->vector(), space[1]->vector());
    Side a(space, 0), b(space, 1);
    converse(a, b);
    EXPECT_TRUE(a.end);
    EXPECT_TRUE(b.end);
    EXPECT_EQ(a.alarms + b.alarms, 0u) << "no repair would help";
    EXPECT_EQ(space[0]->forks().size() + space[1]->forks().size(), 2u);
}

// Thirty records, and nothing left in the log of whoever holds them.
void fill_and_cut(Space& space) {
    for (int n = 0; n < 30; ++n)
        space[n % 2].put("c", "x" + std::to_string(n), {{"n", Value(n)}});
    space.converge();
    space.acknowledge();
    for (auto const& site : space.sites())
        while (value_of(cut_log(*site->replica, 0, 1'000)) > 0) {
        }
}

TEST(TwoSessions, D15_who_lacks_what_was_cut_gets_the_state_and_goes_on_with_entries) {
    Space space(2);
    fill_and_cut(space);
    Site& fresh = space.admit({"fresh"});
    Side a(space, 0, 2), b(space, 2, 0);
    converse(a, b);
    EXPECT_EQ(b.parts_in, 5u);
    EXPECT_EQ(b.batches_in, 0u);
    EXPECT_EQ(fresh->vector(), space[0]->vector());
    EXPECT_EQ(fresh->root(), space[0]->root());
    EXPECT_TRUE(a.session.settled());
    EXPECT_TRUE(b.session.settled());
    space[0].put("c", "x1", {{"n", Value(100)}});
    fresh.put("c", "x2", {{"n", Value(200)}});
    a.refresh();
    b.refresh();
    converse(a, b);
    EXPECT_EQ(b.batches_in, 1u);
    EXPECT_EQ(fresh.field("c", "x1", "n"), Value(100));
    EXPECT_EQ(space[0].field("c", "x2", "n"), Value(200));
    EXPECT_EQ(fresh->root(), space[0]->root());
    EXPECT_FALSE(a.end || b.end);
}

// An old copy of "away" is put back, with an entry that nobody has yet. What it lacks is cut from
// the other's log, and the other may give no state; its own entries go over all the same.
TEST(TwoSessions, who_lacks_what_was_cut_and_gets_no_state_is_still_listened_to) {
    Space space({{"admin"}, {"shop", Role::writer, {"c"}}, {"away"}});
    auto const old = test::contents(*space[2].engine);
    fill_and_cut(space);
    space[2].engine->replace(old);
    space[2].reopen();
    space[2].put("c", "mine", {{"n", Value(7)}});
    Side a(space, 1, 2), b(space, 2, 1);
    converse(a, b);
    EXPECT_FALSE(a.end || b.end);
    EXPECT_EQ(b.parts_in, 0u);
    EXPECT_EQ(space[1].field("c", "mine", "n"), Value(7));
    EXPECT_EQ(b.session.ahead(), 0u);
    EXPECT_FALSE(a.session.settled());
    space[1].put("c", "y", {{"n", Value(1)}});
    space[2].put("c", "mine", {{"n", Value(8)}});
    a.refresh();
    b.refresh();
    converse(a, b);
    EXPECT_FALSE(a.end || b.end);
    EXPECT_EQ(space[1].field("c", "mine", "n"), Value(8));
}

// A state is less here than the entries, but the receiver cannot take it.
// Both hold an entry that is cut: only where logs are cut states are offered for being less.
void cut_one(Space& space) {
    space[0].put("c", "x", {{"n", Value(-1)}});
    space.converge();
    space.acknowledge();
    EXPECT_GT(value_of(cut_log(*space[0], 0, 1'000)), 0u);
}

TEST(TwoSessions, where_an_offered_state_does_not_come_about_entries_go_after_a_while) {
    Space space(2);
    cut_one(space);
    for (int n = 0; n < 1'100; ++n)
        space[0].put("c", "x", {{"n", Value(n)}});
    Side a(space, 0), b(space, 1);
    b.busy = true;  // with the state of another site
    converse(a, b);
    EXPECT_EQ(space[1]->vector().at(space[0].actor()), 1u);
    a.tick(kStateOfferMs);
    converse(a, b);
    EXPECT_EQ(space[1]->vector().at(space[0].actor()), 1u);
    a.tick(kStateOfferMs + 1);
    converse(a, b);
    EXPECT_EQ(b.parts_in, 0u);
    EXPECT_EQ(space[1]->vector(), space[0]->vector());
    EXPECT_TRUE(a.session.settled());
}

// What the receiver finds wrong with a state ends the state, not the session.
TEST(TwoSessions, a_state_that_cannot_be_taken_does_not_end_the_session) {
    for (Errc const code : {Errc::conflict, Errc::too_large, Errc::forbidden, Errc::unavailable}) {
        Space space(2);
        cut_one(space);
        for (int n = 0; n < 1'100; ++n)
            space[0].put("c", "x", {{"n", Value(n)}});
        Side a(space, 0), b(space, 1);
        b.untakeable = code;
        converse(a, b);
        space[1].put("c", "y", {{"n", Value(1)}});
        b.refresh();
        a.tick(kStateOfferMs + 1'000);  // the part may have been long under way
        converse(a, b);
        EXPECT_FALSE(a.end || b.end);
        EXPECT_EQ(b.parts_in, 1u);
        EXPECT_EQ(space[0].field("c", "y", "n"), Value(1));
        EXPECT_EQ(space[1].field("c", "x", "n"), Value(1'099));
        EXPECT_EQ(space[0]->vector(), space[1]->vector());
    }
}

// The fork comes to both from elsewhere while their session lasts.
TEST(TwoSessions, D6_a_fork_that_comes_up_during_the_session_is_found) {
    Space space(3);
    space[0].put("c", "ann", {{"n", Value(1)}});
    space.converge();
    Side a(space, 0), b(space, 1);
    converse(a, b);
    for (std::size_t at : {0, 1}) {
        BrokenAuthor author(space[2], space.id(), space.digest_key());
        author.say({simple_op("customers", "x", at == 0 ? "one" : "other")});
        value_of(space[at]->apply(author.batch()));
    }
    a.refresh();
    b.refresh();
    converse(a, b);
    EXPECT_EQ(space[0]->forks().size(), 1u);
    EXPECT_EQ(space[1]->forks().size(), 1u);
    EXPECT_TRUE(a.end);
    EXPECT_TRUE(b.end);
}

}  // namespace
}  // namespace inos::test
