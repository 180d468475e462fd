// What one session does about forks, and about a site that wants to be confirmed, against a peer
// whose messages the test makes up.
#include <gtest/gtest.h>

#include "net/session.hpp"
#include "tests/support/session_actions.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr std::uint64_t kWall = kTestNowMs;

class SessionForks : public testing::Test {
protected:
    SessionForks() : space(2) { space[0].put("c", "own", {{"n", Value(0)}}); }

    void begin() {
        session.emplace(
            space.id(), std::make_shared<LocalState const>(local_state(*space[0].replica)), 0);
        (void)session->start(kWall);
    }
    wire::Hello hello(VersionVector const& vector = {}) {
        auto const local = local_state(*space[0].replica);
        bool const same = vector == local.vector;
        wire::Hello message;
        message.now_ms = kWall;
        message.spaces.push_back(
            {space.id(),
             wire::vector_digest(vector, same ? local.chains : std::vector<ChainPrefix>()),
             local.root.bytes(),
             local.table.membership,
             local.acknowledgements->digest});
        return message;
    }
    wire::Vector vector(VersionVector const& theirs) const {
        auto heads = wire::encode_heads(
            wire::heads_of(theirs, std::vector<ChainPrefix>(theirs.items().size())), nullptr);
        return {space.id(), std::move(heads.vector), std::move(heads.chains)};
    }
    VersionVector own(Seq seq) {
        VersionVector vector;
        vector.set(space[0].actor(), seq);
        return vector;
    }
    session::Actions receive(wire::Message message) {
        return session->received(std::move(message), 0, kWall);
    }

    Space space;
    std::optional<Session> session;
};

TEST_F(SessionForks, lets_a_peer_that_holds_the_same_confirm_what_this_site_wrote_last) {
    for (bool const wanted : {false, true}) {
        auto local = local_state(*space[0].replica);
        local.wants_confirmation = wanted;
        session.emplace(space.id(), std::make_shared<LocalState const>(local), 0);
        (void)session->start(kWall);
        auto const compares = all_of<session::CompareHeads>(receive(hello(local.vector)));
        ASSERT_EQ(compares.size(), wanted ? 1u : 0u);
        if (!wanted) continue;
        ASSERT_EQ(compares[0].heads.size(), 1u);
        EXPECT_EQ(compares[0].heads[0].chain, local.chains[0]);
        EXPECT_TRUE(session->compared(HeadComparison(), 0).empty());
    }
}

// What it was sent and has acknowledged can be newer than what the session knows of its own store.
TEST_F(SessionForks, an_acknowledgement_ahead_of_what_is_known_here_is_no_fork) {
    auto older = local_state(*space[0].replica);
    older.wants_confirmation = true;
    session.emplace(space.id(), std::make_shared<LocalState const>(older), 0);
    (void)session->start(kWall);
    receive(hello());
    receive(vector(VersionVector()));
    (void)session->compared(HeadComparison(), 0);
    space[0].put("c", "own", {{"n", Value(1)}});
    auto newer = local_state(*space[0].replica);
    newer.wants_confirmation = true;
    wire::Ack ack{space.id(), {}, wire::vector_digest(newer.vector, newer.chains), {}};
    newer.vector.encode(ack.changed);
    EXPECT_TRUE(all_of<session::CompareHeads>(receive(ack)).empty());
    auto const compares = all_of<session::CompareHeads>(
        session->progress(std::make_shared<LocalState const>(newer), 0));
    ASSERT_EQ(compares.size(), 1u);
    ASSERT_EQ(compares[0].heads.size(), 1u);
    EXPECT_EQ(compares[0].heads[0].seq, 2u);
    EXPECT_EQ(compares[0].heads[0].chain, newer.chains[0]);
    (void)session->compared(HeadComparison(), 0);
    EXPECT_TRUE(session->progress(std::make_shared<LocalState const>(newer), 0).empty()) << "once";
}

TEST_F(SessionForks, compares_what_a_peer_holds_last_of_every_actor) {
    begin();
    receive(hello());
    auto const compares = all_of<session::CompareHeads>(receive(vector(own(1))));
    ASSERT_EQ(compares.size(), 1u);
    EXPECT_EQ(compares[0].heads[0].seq, 1u);
    begin();
    receive(hello());
    wire::Vector odd = vector(own(1));
    odd.chains.pop_back();
    ASSERT_TRUE(closed(receive(odd)));
}

TEST_F(SessionForks, D6_shows_its_side_of_a_fork_and_ends_when_the_peer_shows_none) {
    begin();
    receive(hello());
    receive(vector(own(1)));
    HeadComparison comparison;
    comparison.forks.push_back({space[0].actor(), 1, {}});
    auto const actions = session->compared(comparison, 0);
    EXPECT_EQ(sent<wire::Fork>(actions).size(), 1u);
    EXPECT_FALSE(closed(actions));
    EXPECT_TRUE(session->compared(comparison, 0).empty()) << "once";
    EXPECT_FALSE(closed(session->tick(kForkPatienceMs)));
    auto const end = closed(session->tick(kForkPatienceMs + 1));
    ASSERT_TRUE(end);
    EXPECT_NE(end->message.find("two copies of the site \"site0\""), std::string::npos);
}

TEST_F(SessionForks, D6_answers_a_fork_with_its_side_and_ignores_what_is_none) {
    begin();
    receive(hello());
    receive(vector(own(1)));
    wire::Fork const fork{space.id(), space[0].actor(), 1, {}};
    EXPECT_EQ(all_of<session::AddFork>(receive(fork)).size(), 1u);
    EXPECT_TRUE(session->fork_added(ForkShown(), 0).empty());
    receive(fork);
    ForkShown shown;
    shown.found.emplace().fork.actor = space[0].actor();
    auto const actions = session->fork_added(shown, 0);
    EXPECT_EQ(sent<wire::Fork>(actions).size(), 1u);
    EXPECT_TRUE(closed(actions));
}

TEST_F(SessionForks, D6_shows_its_side_where_only_the_peer_can_judge) {
    begin();
    receive(hello());
    receive(vector(own(1)));
    receive(wire::Fork{space.id(), space[0].actor(), 1, {}});
    ForkShown shown;
    shown.cannot = HeadComparison::Unlike{space[0].actor(), 1, {}};
    auto const actions = session->fork_added(shown, 0);
    EXPECT_EQ(sent<wire::Fork>(actions).size(), 1u);
    EXPECT_FALSE(closed(actions)) << "the peer ends it when it has looked";
    EXPECT_TRUE(closed(session->tick(kForkPatienceMs + 1)));
}

TEST_F(SessionForks, a_peer_that_sends_its_vector_again_and_again_is_faulty) {
    begin();
    receive(hello());
    for (std::size_t i = 0; i < kVectorsMax; ++i)
        EXPECT_FALSE(closed(receive(vector(own(1)))));
    EXPECT_TRUE(closed(receive(vector(own(1)))));
}

}  // namespace
}  // namespace inos::test
