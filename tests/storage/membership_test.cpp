// Certificates: who may be believed to belong to a space, whatever the order in which they come.
#include "storage/membership.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/corrupt.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::random_site_keys;
using test::Tape;
using testing::ElementsAre;
using testing::HasSubstr;

class MembershipTest : public testing::Test {
protected:
    MembershipTest() {
        genesis.name = "shop";
        genesis.founder = founder.identity.public_key;
        genesis.nonce.fill(7);
        founder_bytes = issue(certificate(founder, 1, "hq", Role::admin), founder.identity);
    }

    Certificate certificate(SiteKeys const& site,
                            std::uint64_t actor,
                            std::string name,
                            Role role,
                            std::vector<std::string> scope = {}) {
        Certificate out;
        out.space = genesis.id();
        out.actor = ActorId{actor};
        out.site = site.identity.public_key;
        out.channel = site.channel.public_key;
        out.sealing = site.sealing.public_key;
        out.name = std::move(name);
        out.role = role;
        out.scope = std::move(scope);
        return out;
    }
    Membership founded() {
        Membership membership(genesis);
        EXPECT_TRUE(test::value_of(membership.add(founder_bytes)));
        return membership;
    }
    Error refusal(Membership membership, std::string const& bytes) {
        auto const digest = membership.digest();
        auto const result = membership.add(bytes);
        EXPECT_FALSE(result);
        EXPECT_EQ(membership.digest(), digest);
        return result ? Error() : result.error();
    }

    Tape tape = Tape::seeded(1);
    SiteKeys founder = random_site_keys(tape), shop = random_site_keys(tape),
             desk = random_site_keys(tape);
    Genesis genesis;
    std::string founder_bytes;
};

TEST_F(MembershipTest, a_certificate_reads_as_it_was_issued) {
    Certificate made = certificate(shop, 2, "Laden", Role::writer, {"orders", "stock"});
    made.issuer_vv.set(ActorId{1}, 12);
    std::string const bytes = issue(made, founder.identity);
    made.issuer = founder.identity.public_key;
    EXPECT_EQ(test::value_of(decode_certificate(bytes)), made);
    EXPECT_EQ(issue(made, founder.identity), bytes);
}

TEST_F(MembershipTest, no_damaged_certificate_is_believed) {
    std::string const bytes =
        issue(certificate(shop, 2, "shop", Role::writer, {"orders"}), founder.identity);
    Membership const membership = founded();
    test::for_every_corruption(bytes, [&](std::string const& bad) {
        Membership copy = membership;
        ASSERT_FALSE(copy.add(bad));
    });
    EXPECT_EQ(refusal(membership, std::string(70'000, 'x')).code, Errc::protocol);
    std::string newer = bytes;
    newer[1] = 2;
    EXPECT_EQ(refusal(membership, newer).code, Errc::unsupported);
}

TEST_F(MembershipTest, names_the_reason_of_a_refusal) {
    Membership const membership = founded();
    Certificate made = certificate(shop, 2, "shop", Role::writer);
    Error error = refusal(membership, issue(made, desk.identity));
    EXPECT_EQ(error.code, Errc::not_found);
    EXPECT_THAT(error.message, HasSubstr("\"shop\" was issued by a site that is not known"));

    made.space[0] ^= 1;
    EXPECT_THAT(refusal(membership, issue(made, founder.identity)).message,
                HasSubstr("another space"));

    Membership with_shop = membership;
    made = certificate(shop, 2, "shop", Role::writer);
    ASSERT_TRUE(with_shop.add(issue(made, founder.identity)));
    error = refusal(with_shop, issue(certificate(desk, 3, "desk", Role::reader), shop.identity));
    EXPECT_EQ(error.code, Errc::forbidden);
    EXPECT_THAT(error.message, HasSubstr("issued by \"shop\", which is no admin"));

    // Claims the founder as its issuer, but somebody else has signed.
    std::string forged = issue(certificate(desk, 4, "desk", Role::admin), founder.identity);
    std::string const other = issue(certificate(desk, 4, "desk", Role::admin), desk.identity);
    forged.replace(forged.size() - 64, 64, other.substr(other.size() - 64));
    EXPECT_THAT(refusal(membership, forged).message, HasSubstr("wrong signature"));
}

TEST_F(MembershipTest, a_site_continues_with_its_own_rights_and_no_others) {
    Membership membership = founded();
    ASSERT_TRUE(membership.add(
        issue(certificate(shop, 2, "shop", Role::writer, {"orders"}), founder.identity)));
    auto const more = [&](Role role, std::vector<std::string> scope) {
        auto const wanted = certificate(shop, 3, "shop", role, std::move(scope));
        return refusal(membership, issue_following(wanted, {}, shop.identity)).code;
    };
    EXPECT_EQ(more(Role::writer, {}), Errc::forbidden);
    EXPECT_EQ(more(Role::admin, {"orders"}), Errc::forbidden);
    Certificate next = certificate(shop, 3, "shop", Role::writer, {"orders"});
    next.issuer_vv.set(ActorId{2}, 5);
    EXPECT_THAT(refusal(membership, issue(next, shop.identity)).message,
                HasSubstr("another actor than follows from it"))
        << "nobody may take an actor that he has seen elsewhere";
    auto const bytes = issue_following(next, {}, shop.identity);
    ASSERT_TRUE(membership.add(bytes));
    ActorId const actor = test::value_of(decode_certificate(bytes)).actor;
    EXPECT_EQ(membership.by_site(shop.identity.public_key)->actor, actor);
    EXPECT_EQ(membership.by_actor(ActorId{2})->name, "shop");
    EXPECT_EQ(membership.by_channel(shop.channel.public_key)->actor, actor);
    EXPECT_EQ(membership.sites().size(), 2u);
}

TEST_F(MembershipTest, a_continuation_names_the_actor_that_follows_from_it_and_no_other) {
    Membership membership = founded();
    Certificate const first = certificate(shop, 2, "shop", Role::writer, {"orders"});
    ASSERT_TRUE(membership.add(issue(first, founder.identity)));
    std::array<std::uint8_t, 16> nonce{1, 2, 3};
    std::string const bytes = issue_following(first, nonce, shop.identity);
    Certificate next = test::value_of(decode_certificate(bytes));
    EXPECT_EQ(bytes, issue_following(first, nonce, shop.identity));
    std::set<ActorId> actors{first.actor, next.actor};
    Certificate other = first;
    other.issuer_vv.set(ActorId{1}, 1);
    for (auto const& different :
         {issue_following(other, nonce, shop.identity), issue_following(first, {}, shop.identity)})
        actors.insert(test::value_of(decode_certificate(different)).actor);
    EXPECT_EQ(actors.size(), 4u) << "whatever differs";
    ASSERT_TRUE(test::value_of(membership.add(bytes)));
    EXPECT_EQ(membership.granted(*membership.by_actor(next.actor)).actor, first.actor);
    EXPECT_EQ(membership.granted(*membership.by_actor(first.actor)).actor, first.actor);
    next.actor = ActorId{7};
    EXPECT_EQ(refusal(membership, issue(next, shop.identity)).code, Errc::protocol);
}

// A set that was fine as it came has to be fine in the order in which a store gives it back, and to
// mean the same.
TEST_F(MembershipTest, the_order_of_certificates_does_not_matter) {
    // The shop was an admin, admitted the desk, and is a reader now; actor numbers are random.
    Certificate reader = certificate(shop, 2, "shop", Role::reader);
    reader.issuer_vv.set(ActorId{1}, 9);
    std::vector<std::string> set{founder_bytes,
                                 issue(certificate(shop, 5, "shop", Role::admin), founder.identity),
                                 issue(certificate(desk, 4, "desk", Role::writer), shop.identity),
                                 issue(reader, founder.identity)};
    std::sort(set.begin(), set.end());
    std::optional<crypto::Hash16> digest;
    do {
        Membership membership(genesis);
        auto const added = membership.add_all(set);
        ASSERT_TRUE(added) << added.error().message;
        EXPECT_EQ(added->size(), 4u);
        EXPECT_EQ(membership.by_site(shop.identity.public_key)->role, Role::reader);
        EXPECT_EQ(membership.by_site(desk.identity.public_key)->actor, ActorId{4});
        if (!digest) digest = membership.digest();
        EXPECT_EQ(membership.digest(), *digest);
        EXPECT_TRUE(test::value_of(membership.add_all(set)).empty());
    } while (std::next_permutation(set.begin(), set.end()));
    EXPECT_NE(founded().digest(), *digest);
}

// An admin's machine that was doubled, or one that lies: no site may judge by another one.
TEST_F(MembershipTest, of_two_certificates_that_name_one_actor_all_judge_by_the_same) {
    std::string const one = issue(certificate(shop, 7, "shop", Role::writer), founder.identity);
    std::string const two = issue(certificate(desk, 7, "desk", Role::reader), founder.identity);
    std::string const judges = statement_hash(one) < statement_hash(two) ? one : two;
    for (auto const& set : {std::vector{one, two}, std::vector{two, one}}) {
        Membership membership = founded();
        EXPECT_EQ(test::value_of(membership.add_all(set)).size(), 2u);
        EXPECT_EQ(membership.bytes_of(ActorId{7}), judges);
        EXPECT_EQ(membership.sites().size(), 3u);
    }
}

TEST_F(MembershipTest, a_set_with_an_unknown_issuer_is_refused) {
    Membership membership = founded();
    auto const added =
        membership.add_all({issue(certificate(desk, 4, "desk", Role::writer), shop.identity)});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::protocol);
}

TEST_F(MembershipTest, rights_by_role_and_scope) {
    auto const may = [&](Role role, std::vector<std::string> scope) {
        Certificate const c = certificate(shop, 2, "shop", role, std::move(scope));
        std::string out;
        for (char const* collection :
             {"orders", "customers", "_links", "_schema", "_spaces", "_reviews"})
            out += c.may_write(collection) ? 'y' : '-';
        return out;
    };
    EXPECT_EQ(may(Role::admin, {}), "yyyyyy");
    EXPECT_EQ(may(Role::writer, {}), "yyy---");
    EXPECT_EQ(may(Role::writer, {"orders"}), "y-----");
    EXPECT_EQ(may(Role::writer, {"_schema"}), "------");
    EXPECT_EQ(may(Role::reader, {}), "------");
    EXPECT_EQ(may(Role::relay, {}), "------");
    for (Role const role : {Role::admin, Role::writer, Role::reader, Role::relay})
        EXPECT_EQ(parse_role(role_name(role)), role);
    EXPECT_FALSE(parse_role("owner"));
}

TEST_F(MembershipTest, a_space_is_named_by_all_of_its_genesis) {
    auto const again = Genesis::decode(genesis.encode());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id(), genesis.id());
    test::for_every_corruption(genesis.encode(), [&](std::string const& bad) {
        auto const other = Genesis::decode(bad);
        EXPECT_TRUE(!other || other->id() != genesis.id());
    });
}

}  // namespace
}  // namespace inos
