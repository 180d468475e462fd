// The membership log: what statements of admins who may not have known of each other come to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/acknowledgements.hpp"
#include "storage/entry_hash.hpp"
#include "storage/membership.hpp"
#include "tests/support/corrupt.hpp"
#include "tests/support/members.hpp"

namespace inos {
namespace {

using test::Members;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;

class MembershipLog : public testing::Test {
protected:
    Membership with(std::vector<std::string> const& set) {
        Membership membership(sites.genesis());
        std::vector<std::string> all{sites.root()};
        all.insert(all.end(), set.begin(), set.end());
        EXPECT_EQ(value_of(membership.add_all(all)).size(), all.size());
        return membership;
    }
    // "admin writer - reader": the roles of all sites, a dash for who is no member.
    std::string roles(Membership const& membership) {
        std::string out;
        for (std::size_t i = 0; i < kSites; ++i) {
            auto const* member = membership.by_site(sites.id(i));
            out += (i == 0 ? "" : " ") + std::string(member ? role_name(member->role) : "-");
        }
        return out;
    }

    static constexpr std::size_t kSites = 4;
    Members sites{kSites};
    std::string admin = sites.admit(0, 1, Role::admin), writer = sites.admit(0, 2, Role::writer);
};

TEST_F(MembershipLog, C9_who_was_retired_is_not_brought_back_by_anybody) {
    Membership const both = with({admin, writer});
    std::string const out = sites.retire(both, 1, 2);
    Membership gone = with({admin, writer, out});
    EXPECT_EQ(roles(gone), "admin admin - -");
    EXPECT_TRUE(gone.is_retired(sites.id(2)));
    EXPECT_NE(gone.by_actor(gone.actors_of(sites.id(2)).front()), nullptr) << "still judges";
    EXPECT_EQ(gone.by_channel(sites.keys(2).channel.public_key), nullptr);
    value_of(gone.add(sites.admit(0, 2, Role::admin)));
    value_of(gone.add(sites.change(both, 0, 2, Role::admin)));
    EXPECT_EQ(roles(gone), "admin admin - -") << "its keys never match again";
    EXPECT_EQ(gone.name_of(sites.id(2)), "s2");
}

TEST_F(MembershipLog, C10_what_a_retired_admin_did_unknown_to_its_retirement_admits_nobody) {
    std::string const known = sites.admit(1, 2, Role::writer);
    Membership const before = with({admin, known});
    std::string const out = sites.retire(before, 0, 1);
    std::string const later = sites.admit(1, 3, Role::admin);
    Membership const after = with({admin, known, out, later});
    EXPECT_EQ(roles(after), "admin - writer -");
    // Its entries are judged all the same, wherever they came from.
    EXPECT_NE(after.by_actor(after.actors_of(sites.id(3)).front()), nullptr);
    EXPECT_EQ(with({admin, later}).by_site(sites.id(3))->role, Role::admin);
}

TEST_F(MembershipLog, of_two_admins_at_once_the_more_restrictive_holds) {
    Membership const known = with({admin, writer});
    std::string const reads = sites.change(known, 0, 2, Role::reader);
    std::string const rules = sites.change(known, 1, 2, Role::admin);
    EXPECT_EQ(roles(with({admin, writer, rules})), "admin admin admin -");
    EXPECT_EQ(roles(with({admin, writer, reads, rules})), "admin admin reader -");
    EXPECT_EQ(roles(with({admin, writer, rules, reads})), "admin admin reader -");
    // Who has seen both decides.
    Membership const both = with({admin, writer, reads, rules});
    std::string const decided = sites.change(both, 0, 2, Role::writer, {"orders"});
    Membership const after = with({admin, writer, reads, rules, decided});
    EXPECT_THAT(after.by_site(sites.id(2))->scope, ElementsAre("orders"));
    std::string const more = sites.change(both, 1, 2, Role::writer);
    EXPECT_THAT(with({admin, writer, reads, rules, decided, more}).by_site(sites.id(2))->scope,
                ElementsAre("orders"));
}

TEST_F(MembershipLog, an_admin_that_was_made_a_writer_admits_nobody_unless_it_becomes_one_again) {
    Membership const known = with({admin});
    std::string const down = sites.change(known, 0, 1, Role::writer);
    std::string const late = sites.admit(1, 2, Role::reader);
    Membership const after = with({admin, down, late});
    EXPECT_EQ(roles(after), "admin writer - -");
    std::string const up = sites.change(after, 0, 1, Role::admin);
    EXPECT_EQ(roles(with({admin, down, late, up})), "admin admin reader -");
}

TEST_F(MembershipLog, going_on_keeps_the_rights_that_hold_and_no_others) {
    Membership const known = with({admin, writer});
    std::string const on = sites.go_on(known, 2);
    Membership const went = with({admin, writer, on});
    EXPECT_NE(went.by_site(sites.id(2))->actor, known.by_site(sites.id(2))->actor);
    std::string const reads = sites.change(went, 0, 2, Role::reader);
    std::string const again = sites.go_on(went, 2);
    EXPECT_EQ(roles(with({admin, writer, on, reads, again})), "admin admin reader -");
    // What goes on from rights that were taken and given again begins anew.
    Membership const reader = with({admin, writer, on, reads});
    std::string const writes = sites.change(reader, 0, 2, Role::writer);
    Membership const back = with({admin, writer, on, reads, writes});
    EXPECT_EQ(back.by_site(sites.id(2))->actor, value_of(decode_certificate(writes)).actor);
}

TEST_F(MembershipLog, of_admins_that_retire_each_other_the_one_nearer_the_founder_stays) {
    Membership const known = with({admin});
    std::string const down = sites.retire(known, 0, 1), up = sites.retire(known, 1, 0);
    Membership const two = with({admin, down, up});
    EXPECT_EQ(roles(two), "admin - - -");
    EXPECT_EQ(two.view().stays, sites.id(0));
    // With a third admin both are gone; not if nobody who retires its issuer knew of it.
    std::string const third = sites.admit(0, 2, Role::admin);
    EXPECT_EQ(roles(with({admin, third, down, up})), "admin - admin -");
    std::string const knowing = sites.retire(with({admin, third}), 1, 0);
    EXPECT_EQ(roles(with({admin, third, down, knowing})), "- - admin -");
}

TEST_F(MembershipLog, what_a_retired_admin_had_issued_before_counts_on) {
    std::string const third = sites.admit(0, 2, Role::admin);
    Membership const known = with({admin, third});
    std::string const out = sites.retire(known, 2, 0);
    EXPECT_EQ(roles(with({admin, third, out})), "- admin admin -") << "even of the founder";
}

TEST_F(MembershipLog, a_recovery_key_admits_an_admin_and_retires_the_lost_one_for_good) {
    auto const paper = crypto::SigningKey::generate();
    std::string const recovery = sites.recovery(0, paper);
    Membership const known = with({writer, recovery});
    EXPECT_TRUE(known.view().recovery_keys.contains(paper.public_key));
    RightsChange change;
    change.replaced.push_back(statement_hash(writer));
    std::string const raised =
        issue_change(sites.certificate(2, Role::admin), change, sites.nonce(), paper);
    std::string const out = sites.retire(known, paper, sites.id(0));
    EXPECT_EQ(roles(with({writer, recovery, raised, out})), "- - admin -");
    // Whoever has the lost site's keys cannot undo it, though it is nearer the founder.
    std::string const revenge = sites.retire(known, 0, 2);
    Membership const after = with({writer, recovery, raised, out, revenge});
    EXPECT_EQ(roles(after), "- - admin -");
    EXPECT_EQ(after.view().stays, sites.id(2));
    EXPECT_EQ(after.name_of(paper.public_key), "recovery code");
}

// The key on paper holds whatever is said about the founder, and about the founder's statements.
TEST_F(MembershipLog, the_founding_recovery_key_holds_when_the_founder_s_word_does_not) {
    std::string const paper = sites.recovery(0, sites.paper());
    Membership const known = with({admin, writer, paper});
    // A stolen admin key retires the founder and names nothing that it has stated.
    std::string const out = sites.retire(with({admin}), 1, 0);
    Membership const cut = with({admin, writer, paper, out});
    EXPECT_TRUE(cut.view().recovery_keys.contains(sites.paper().public_key));
    std::string const raised = sites.raise(cut, sites.paper(), 2);
    std::string const back = sites.retire(cut, sites.paper(), sites.id(1));
    EXPECT_EQ(roles(with({admin, writer, paper, out, raised, back})), "- - admin -");
    // One that the founder's thief has stated since does not count, and an admin cannot state any.
    auto const other = crypto::SigningKey::generate();
    std::string const stated = sites.recovery(0, other);
    std::string const abused = sites.retire(known, other, sites.id(2));
    Membership const after = with({admin, writer, paper, out, raised, back, stated, abused});
    EXPECT_EQ(roles(after), "- - admin -");
    Membership copy = known;
    EXPECT_EQ(copy.add(sites.recovery(1, other)).error().code, Errc::forbidden);
}

TEST_F(MembershipLog, a_recovery_key_that_was_used_up_decides_nothing_any_more) {
    std::string const paper = sites.recovery(0, sites.paper());
    Membership const known = with({admin, writer, paper});
    std::string const raised = sites.raise(known, sites.paper(), 2);
    Retirement over;
    over.site = sites.paper().public_key;
    over.issued = {statement_hash(raised)};
    std::string const used = state(sites.space(), over, sites.paper());
    std::string const late = sites.retire(known, sites.paper(), sites.id(1));
    Membership const after = with({admin, writer, paper, raised, used, late});
    EXPECT_EQ(roles(after), "admin admin admin -");
    EXPECT_TRUE(after.view().recovery_keys.empty());
}

// The same code at two sites that could not reach each other.
TEST_F(MembershipLog, one_code_at_two_sites_makes_both_admins) {
    std::string const paper = sites.recovery(0, sites.paper());
    std::string const reader = sites.admit(0, 3, Role::reader);
    Membership const known = with({writer, reader, paper});
    std::vector<std::string> all{writer, reader, paper};
    for (std::size_t const at : {std::size_t{2}, std::size_t{3}}) {
        all.push_back(sites.raise(known, sites.paper(), at));
        all.push_back(sites.retire(known, sites.paper(), sites.id(0)));
        Retirement over;
        over.site = sites.paper().public_key;
        over.made_ms = at;
        over.issued = {statement_hash(all[all.size() - 2]), statement_hash(all.back())};
        all.push_back(state(sites.space(), over, sites.paper()));
    }
    EXPECT_EQ(roles(with(all)), "- - admin admin");
}

TEST_F(MembershipLog, admins_that_take_each_other_s_rights_both_lose_them_unless_nobody_rules) {
    Membership const known = with({admin, writer});
    std::string const down = sites.change(known, 0, 1, Role::writer);
    std::string const up = sites.change(known, 1, 0, Role::writer);
    Membership const two = with({admin, writer, down, up});
    EXPECT_EQ(roles(two), "admin writer writer -");
    EXPECT_EQ(two.view().stays, sites.id(0));
    std::string const next = sites.admit(0, 3, Role::reader);
    EXPECT_EQ(roles(with({admin, writer, down, up, next})), "admin writer writer reader");
    std::string const third = sites.admit(0, 3, Role::admin);
    Membership const three = with({admin, writer, third});
    std::string const one = sites.change(three, 0, 1, Role::writer);
    std::string const other = sites.change(three, 1, 0, Role::writer);
    EXPECT_EQ(roles(with({admin, writer, third, one, other})), "writer writer writer admin");
}

// The founder admitted everybody, and an admin that was none any more says that none of it counts.
TEST_F(MembershipLog, what_a_former_admin_takes_from_the_founder_does_not_silence_it) {
    Membership const known = with({admin, writer});
    std::string const down = sites.change(known, 0, 1, Role::writer);
    std::string const revenge = issue_change(sites.certificate(0, Role::writer),
                                             {{statement_hash(sites.root())}, {}},
                                             sites.nonce(),
                                             sites.keys(1).identity);
    Membership const after = with({admin, writer, down, revenge});
    EXPECT_EQ(roles(after), "admin writer writer -");
    std::string const next = sites.admit(0, 3, Role::reader);
    EXPECT_EQ(roles(with({admin, writer, down, revenge, next})), "admin writer writer reader");
}

TEST_F(MembershipLog, keys_of_admins_are_in_force_and_the_highest_one_seals) {
    Membership const known = with({admin, writer});
    std::string const one = sites.rotate(known, 0, {0, 1, 2}), two = sites.rotate(known, 1, {0, 1});
    std::string const not_an_admin = sites.rotate(known, 2, {0});
    Membership const all = with({admin, writer, one, two, not_an_admin});
    ASSERT_EQ(all.view().keys.size(), 2u);
    EXPECT_EQ(all.view().keys.back().epoch, 1u);
    std::string const next = sites.rotate(all, 0, {0, 1, 2});
    EXPECT_EQ(with({admin, writer, one, two, next}).view().keys.back().epoch, 2u);
    // What a retired admin rotated unknown to its retirement seals nothing.
    std::string const out = sites.retire(with({admin, writer, one}), 0, 1);
    EXPECT_EQ(with({admin, writer, one, two, out}).view().keys.size(), 1u);
}

TEST_F(MembershipLog, the_end_of_an_actor_is_its_own_site_s_to_state) {
    Membership known = with({admin, writer});
    ActorId const actor = known.by_site(sites.id(2))->actor;
    ActorEnd const end{{actor, 7, {1}}};
    auto const refused = known.add(state(sites.space(), end, sites.keys(3).identity));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_found);
    EXPECT_FALSE(known.ends().contains(actor));
    value_of(known.add(state(sites.space(), end, sites.keys(2).identity)));
    EXPECT_EQ(known.ends().at(actor), end.last);
    value_of(known.add(state(sites.space(), ActorEnd{{actor, 8, {1}}}, sites.keys(2).identity)));
    EXPECT_FALSE(known.ends().contains(actor)) << "two copies of the site have ended it";
}

// A till that was put back from an image every night for thirty years.
TEST_F(MembershipLog, C5_ten_thousand_former_lives_are_known_and_take_no_room_in_what_is_said) {
    constexpr std::size_t kLives = 10'000;
    Membership known = with({admin, writer});
    Certificate const granted = *known.by_site(sites.id(2));
    std::vector<std::string> statements;
    for (std::size_t life = 0; life < kLives; ++life) {
        Certificate next = granted;
        next.issuer_vv.set(ActorId{1}, 1'000 + life);
        statements.push_back(issue_following(next, sites.nonce(), sites.keys(2).identity));
    }
    value_of(known.add_all(statements));
    ActorId const now = known.by_site(sites.id(2))->actor;
    std::vector<std::string> ends;
    std::vector<DepHead> held;
    for (ActorId const actor : known.actors_of(sites.id(2))) {
        crypto::Hash32 chain{};
        chain.fill(static_cast<std::uint8_t>(actor.value));
        held.push_back({actor, 5, chain_prefix(chain)});
        if (actor != now)
            ends.push_back(
                state(sites.space(), ActorEnd{{actor, 5, chain}}, sites.keys(2).identity));
    }
    value_of(known.add_all(ends));
    ASSERT_EQ(known.ends().size(), kLives);

    Acknowledgement ack;
    ack.site = sites.id(1);
    ack.membership = known.digest();
    ack.heads = without_ended(held, known.ends());
    std::string const bytes = ack.encode(sites.space(), sites.keys(1).identity);
    EXPECT_LT(bytes.size(), 256u);
    auto const read = value_of(decode_acknowledgement(sites.space(), bytes));
    EXPECT_EQ(read.all_heads(known), held);

    // Who holds less of one of them, nothing, or another history, names it.
    std::erase_if(held, [&](DepHead const& head) { return head.actor == now; });
    held[0].seq = 4;
    held[1].chain.back() ^= 1;
    DepHead const none{held[2].actor, 0, {}};
    held.erase(held.begin() + 2);
    ack.heads = without_ended(held, known.ends());
    EXPECT_THAT(ack.heads, ElementsAre(held[0], held[1], none));
    EXPECT_EQ(ack.all_heads(known), held);

    // Where other ends are known, nothing is taken for held that is not named.
    EXPECT_THAT(ack.all_heads(with({admin, writer})), ElementsAre(held[0], held[1]));
}

TEST_F(MembershipLog, D12_statements_of_kinds_that_are_not_known_here_are_kept_and_passed_on) {
    // Only of admins: others could fill the log with them.
    for (auto const& [kind, version] : {std::pair(2, 9), std::pair(77, 1)}) {
        std::string bytes{static_cast<char>(kind), static_cast<char>(version)};
        SpaceId const space = sites.space();
        bytes.append(space.begin(), space.end());
        bytes.append(sites.id(1).begin(), sites.id(1).end());
        bytes += "whatever a later version says";
        bytes += crypto::view(crypto::sign(sites.keys(1).identity, "inos statement 1" + bytes));
        Membership known = with({writer});
        EXPECT_EQ(known.add(bytes).error().code, Errc::not_found) << "s1 is not known yet";
        known = with({admin, writer});
        auto const before = known.digest();
        EXPECT_TRUE(value_of(known.add(bytes)));
        EXPECT_EQ(known.all_bytes().back(), bytes);
        EXPECT_NE(known.digest(), before);
        EXPECT_EQ(roles(known), "admin admin writer -");
        bytes[60] ^= 1;
        EXPECT_FALSE(known.add(bytes)) << "but it has to be signed";
    }
}

TEST_F(MembershipLog, no_damaged_statement_is_believed) {
    Membership const known = with({admin, writer});
    auto const paper = crypto::SigningKey::generate();
    for (auto const& bytes : {sites.retire(known, 0, 2),
                              sites.rotate(known, 0, {0, 1}),
                              sites.recovery(0, paper),
                              sites.change(known, 0, 2, Role::reader)}) {
        EXPECT_TRUE(Membership(known).add(bytes));
        test::for_every_corruption(bytes, [&](std::string const& bad) {
            Membership copy = known;
            ASSERT_FALSE(copy.add(bad));
        });
    }
    EXPECT_FALSE(Membership(known).add(""));
    EXPECT_FALSE(Membership(known).add(std::string(2 << 20, '\2')));
}

TEST_F(MembershipLog, says_why_a_site_is_no_member_in_a_way_that_it_can_check) {
    Membership const known = with({admin, writer});
    std::string const out = sites.retire(known, 1, 2);
    Membership const all = with({admin, writer, out});
    Membership its_own = with({writer});
    EXPECT_EQ(its_own.add_some(all.why_not(sites.id(2))).size(), 2u) << "s1's certificate too";
    EXPECT_TRUE(its_own.is_retired(sites.id(2)));
    EXPECT_TRUE(all.why_not(sites.id(0)).empty());
    EXPECT_TRUE(all.why_not(sites.id(3)).empty()) << "nobody knows it";
}

}  // namespace
}  // namespace inos
