// The session as a pure machine, against a peer that the test plays. session_pair_test.cpp has two
// of them talk to each other.
#include "net/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/wire/batch_codec.hpp"
#include "net/wire/codec.hpp"
#include "tests/support/session_actions.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kWall = kTestNowMs;

std::shared_ptr<LocalState const> state_of(Site const& site) {
    return std::make_shared<LocalState const>(local_state(*site.replica));
}

TEST(Session, alarms_when_equal_vectors_have_different_roots) {
    Space space(2);
    space[0].put("c", "ann", {{"n", Value(1)}});
    space.converge();
    auto fake = local_state(*space[0].replica);
    fake.root += Digest128::from({1});
    Session a(space.id(), std::make_shared<LocalState const>(fake), 0);
    Session b(space.id(), state_of(space[1]), 0);
    auto const hello = sent<wire::Hello>(a.start(kWall)).front();
    auto const actions = b.received(hello, 0, kWall);
    EXPECT_EQ(all_of<session::RootsDiffer>(actions).size(), 1u);
    EXPECT_FALSE(closed(actions));
    // Once a session: it does not follow again from an acknowledgement.
    wire::Ack ack{space.id(), {}, wire::vector_digest(fake.vector, fake.chains), fake.root.bytes()};
    VersionVector{}.encode(ack.changed);
    EXPECT_TRUE(all_of<session::RootsDiffer>(b.received(ack, 0, kWall)).empty());
}

// ---- one session --------------------------------------------------------------------------------

// The session of site 0 against a peer whose messages the test makes up. Site 1 is the author of
// what that peer has.
class OneSession : public testing::Test {
protected:
    OneSession() : space(2) { space[0].put("c", "own", {{"n", Value(0)}}); }

    void begin() {
        session.emplace(space.id(), state_of(space[0]), 0);
        EXPECT_EQ(sent<wire::Hello>(session->start(kWall)).size(), 1u);
    }
    wire::Hello hello(VersionVector const& vector = {}) const {
        wire::Hello message;
        message.now_ms = kWall;
        auto const local = local_state(*space.sites()[0]->replica);
        bool const same = vector == local.vector;
        message.spaces.push_back(
            {space.id(),
             wire::vector_digest(vector, same ? local.chains : std::vector<ChainPrefix>()),
             local.root.bytes(),
             local.table.membership});
        return message;
    }
    wire::Vector vector(VersionVector const& theirs) const {
        auto heads = wire::encode_heads(
            wire::heads_of(theirs, std::vector<ChainPrefix>(theirs.items().size())), nullptr);
        return {space.id(), std::move(heads.vector), std::move(heads.chains)};
    }
    wire::Ack ack(VersionVector const& changed) const {
        wire::Ack message{space.id(), {}, {}, {}};
        changed.encode(message.changed);
        return message;
    }
    wire::Batch batch(Seq first = 1, std::uint32_t count = 1) const {
        wire::Batch message;
        message.space = space.id();
        message.runs = {{space.sites()[1]->actor(), first, count}};
        message.sealed = "sealed";
        return message;
    }
    session::Actions receive(wire::Message message, std::uint64_t now_ms = 0) {
        return session->received(std::move(message), now_ms, kWall);
    }
    // A session in which the peer has said that it has nothing; its first Collect is returned.
    session::Actions greeted() {
        begin();
        receive(hello());
        return receive(vector({}));
    }
    // Answers a Collect as if our own entries `first` to `last` had been collected.
    session::Actions collected(Seq first, Seq last, std::size_t bytes, std::uint64_t now_ms = 0) {
        wire::Batch made;
        made.space = space.id();
        made.runs = {{space[0].actor(), first, static_cast<std::uint32_t>(last - first + 1)}};
        return session->collected(
            Session::Collected{made, bytes, static_cast<std::size_t>(last - first + 1)}, now_ms);
    }
    // Our vector as if we had `seq` entries of our own.
    std::shared_ptr<LocalState const> local_at(Seq seq) {
        auto local = local_state(*space[0].replica);
        local.vector.set(space[0].actor(), seq);
        return std::make_shared<LocalState const>(local);
    }
    VersionVector own(Seq seq) {
        VersionVector v;
        v.set(space[0].actor(), seq);
        return v;
    }
    void expect_protocol_error(session::Actions const& actions, std::string const& what) {
        auto const reason = closed(actions);
        ASSERT_TRUE(reason);
        EXPECT_EQ(reason->code, Errc::protocol);
        EXPECT_THAT(reason->message, HasSubstr(what));
        EXPECT_EQ(sent<wire::Refusal>(actions).size(), 1u);
        EXPECT_TRUE(std::holds_alternative<session::Close>(actions.back()));
        EXPECT_TRUE(receive(vector({})).empty()) << "goes on after its end";
        EXPECT_TRUE(session->probe().empty());
    }

    Space space;
    std::optional<Session> session;
};

TEST_F(OneSession, sends_its_vector_when_vectors_differ) {
    begin();
    auto const actions = receive(hello());
    ASSERT_EQ(sent<wire::Vector>(actions).size(), 1u);
    auto const message = sent<wire::Vector>(actions)[0];
    auto const theirs =
        wire::decode_heads(message.bytes, message.chains, {state_of(space[0])->table});
    ASSERT_TRUE(theirs);
    EXPECT_EQ(wire::vector_of(*theirs), space[0]->vector());
    EXPECT_TRUE(session->greeted());
    EXPECT_FALSE(session->settled());
}

TEST_F(OneSession, names_every_actor_of_its_vector_when_the_peer_lacks_certificates) {
    begin();
    wire::Hello other = hello();
    other.spaces[0].membership = {};
    auto const actions = receive(other);
    ASSERT_EQ(sent<wire::Statements>(actions).size(), 1u);
    EXPECT_EQ(sent<wire::Statements>(actions)[0].statements.size(), 2u);
    ASSERT_EQ(sent<wire::Vector>(actions).size(), 1u);
    auto const message = sent<wire::Vector>(actions)[0];
    EXPECT_TRUE(wire::decode_heads(message.bytes, message.chains, {}));  // without a table
}

TEST_F(OneSession, ends_on_a_second_hello) {
    begin();
    receive(hello());
    expect_protocol_error(receive(hello()), "hello twice");
}

TEST_F(OneSession, ends_on_anything_before_a_hello) {
    for (wire::Message const& message : std::vector<wire::Message>{
             vector({}), batch(), ack({}), wire::Probe{}, wire::Statements{space.id(), {}}}) {
        begin();
        expect_protocol_error(receive(message), "without a hello");
    }
}

TEST_F(OneSession, ends_on_what_belongs_to_pairing) {
    for (wire::Message const& message :
         std::vector<wire::Message>{wire::PairGrant{}, wire::PairDone{}}) {
        begin();
        receive(hello());
        expect_protocol_error(receive(message), "belongs to pairing");
    }
}

TEST_F(OneSession, ends_on_messages_of_another_space) {
    std::vector<wire::Message> const messages{
        wire::Batch{},
        wire::Statements{},
        wire::Vector{{}, wire::encode_heads({}, nullptr).vector, {}},
        wire::Ack{{}, std::string(1, '\0'), {}, {}}};
    for (auto const& message : messages) {
        begin();
        receive(hello());
        EXPECT_TRUE(closed(receive(message))) << message.index();
    }
    begin();
    wire::Hello other = hello();
    other.spaces[0].id = {};
    expect_protocol_error(receive(other), "no space");
}

TEST_F(OneSession, ends_on_vectors_and_acknowledgements_that_cannot_be_read) {
    for (std::string const& bytes : {std::string(), std::string("\7"), std::string("\1zzzzzzzz")}) {
        begin();
        receive(hello());
        expect_protocol_error(receive(wire::Vector{space.id(), bytes, {}}), "version vector");
        begin();
        receive(hello());
        expect_protocol_error(receive(wire::Ack{space.id(), bytes + "\xff", {}, {}}),
                              "acknowledgement");
    }
}

// Else a peer could make us remember as many actors as it can think of.
TEST_F(OneSession, ends_when_the_peer_names_entries_of_a_site_without_a_certificate) {
    ActorId const nobody{0x1234};
    VersionVector vector_of_nobody;
    vector_of_nobody.set(nobody, 7);
    wire::Batch batch_of_nobody = batch();
    batch_of_nobody.runs.push_back({nobody, 1, 1});
    for (wire::Message const& message : std::vector<wire::Message>{
             vector(vector_of_nobody), ack(vector_of_nobody), batch_of_nobody}) {
        greeted();
        expect_protocol_error(receive(message), "whose certificate it has not sent");
        EXPECT_EQ(session->acknowledged().at(nobody), 0u);
    }
}

TEST_F(OneSession, believes_a_peer_whose_certificates_still_wait_for_the_store) {
    Space larger(3);
    begin();
    wire::Hello other = hello();
    other.spaces[0].membership = larger[0]->membership().digest();
    receive(other);
    auto const added = receive(wire::Statements{space.id(), {larger[2].certificate_bytes}});
    ASSERT_EQ(all_of<session::AddStatements>(added).size(), 1u);
    VersionVector theirs;
    theirs.set(larger[2].actor(), 3);
    EXPECT_FALSE(closed(receive(vector(theirs))));
    EXPECT_EQ(session->behind(), 3u);
}

TEST_F(OneSession, D13_finds_the_newest_common_protocol_version) {
    struct Case {
        std::uint16_t min, max;
        bool common;
    };
    for (Case const& c :
         {Case{1, 1, true}, {1, 9, true}, {0, 1, true}, {2, 9, false}, {0, 0, false}}) {
        begin();
        wire::Hello message = hello();
        message.version_min = c.min;
        message.version_max = c.max;
        auto const actions = receive(message);
        ASSERT_EQ(closed(actions).has_value(), !c.common) << c.min << " " << c.max;
        if (c.common) continue;
        EXPECT_EQ(closed(actions)->code, Errc::unsupported);
        EXPECT_THAT(closed(actions)->message, HasSubstr("upgrade"));
        EXPECT_EQ(sent<wire::Refusal>(actions).size(), 1u);
    }
}

TEST_F(OneSession, ends_quietly_when_the_peer_refuses) {
    begin();
    auto const actions = receive(wire::Refusal{"no \x1b[31m more\n" + std::string(9'000, 'x')});
    ASSERT_TRUE(closed(actions));
    EXPECT_EQ(closed(actions)->code, Errc::unavailable);
    EXPECT_THAT(closed(actions)->message, HasSubstr("no ?[31m more?"));
    EXPECT_LT(closed(actions)->message.size(), 1'000u);
    EXPECT_TRUE(sent<wire::Refusal>(actions).empty());
}

TEST_F(OneSession, says_no_more_in_a_refusal_than_the_peer_can_read) {
    greeted();
    std::string const long_text(100'000, 'x');
    auto const actions = session->collected(fail(Errc::protocol, long_text), 0);
    EXPECT_TRUE(wire::decode(wire::encode(sent<wire::Refusal>(actions).at(0))));
}

TEST_F(OneSession, tells_what_the_peer_asks_for_of_a_bounded_counter) {
    greeted();
    wire::RightsRequest request{space.id(), "products", "lamp", "stock", 3, true};
    auto const asked = all_of<session::RightsAsked>(receive(request));
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].need, (RightsNeed{{"products", "lamp"}, "stock", 3, true}));
    // What it asks is what another session sends for that need.
    auto const asking =
        sent<wire::RightsRequest>(session->ask_rights(asked[0].need, asked[0].to, 0));
    ASSERT_EQ(asking.size(), 1u);
    EXPECT_EQ(asking[0], request);
    EXPECT_TRUE(
        session->ask_rights({{"products", "lamp"}, "stock", 0, false}, ActorId{1}, 0).empty());
}

TEST_F(OneSession, rights_asked_for_before_the_peers_hello_are_asked_for_with_it) {
    begin();
    RightsNeed const need{{"products", "lamp"}, "stock", 3, false};
    for (std::size_t i = 0; i < 10 * kRightsRequestsPerSecond; ++i)
        EXPECT_TRUE(session->ask_rights(need, ActorId{1}, 0).empty());
    auto const asked = sent<wire::RightsRequest>(receive(hello()));
    ASSERT_EQ(asked.size(), kRightsRequestsPerSecond);
    EXPECT_EQ(asked.front().amount, 3u);
    EXPECT_TRUE(sent<wire::RightsRequest>(receive(vector({}))).empty()) << "once";
}

TEST_F(OneSession, drops_requests_for_rights_that_come_too_often_and_sends_no_more_itself) {
    greeted();
    wire::RightsRequest const request{space.id(), "products", "lamp", "stock", 3, false};
    for (std::uint64_t const second : {5'000, 6'000}) {
        std::size_t asked = 0, sent_count = 0;
        for (std::size_t i = 0; i < 10 * kRightsRequestsPerSecond; ++i) {
            auto const actions = receive(request, second + i);
            EXPECT_FALSE(closed(actions));
            asked += all_of<session::RightsAsked>(actions).size();
            sent_count +=
                session
                    ->ask_rights({{"products", "lamp"}, "stock", 1, false}, ActorId{1}, second + i)
                    .size();
        }
        EXPECT_EQ(asked, kRightsRequestsPerSecond);
        EXPECT_EQ(sent_count, kRightsRequestsPerSecond);
    }
}

TEST_F(OneSession, ends_when_the_peer_asks_for_rights_that_cannot_exist) {
    wire::RightsRequest const good{space.id(), "products", "lamp", "stock", 3, false};
    std::vector<wire::RightsRequest> bad(5, good);
    bad[0].space = {};
    bad[1].key = "";
    bad[2].collection = "a\nb";
    bad[3].amount = 0;
    bad[4].amount = std::uint64_t{1} << 63;
    for (auto const& request : bad) {
        greeted();
        expect_protocol_error(receive(request), "rights that cannot exist");
    }
    begin();
    expect_protocol_error(receive(good), "without a hello");
}

TEST_F(OneSession, measures_the_difference_of_clocks) {
    struct Case {
        std::uint64_t theirs;
        std::int64_t skew;
    };
    for (Case const& c : {Case{kWall + 5'000, 5'000}, {kWall - 7'000, -7'000}}) {
        begin();
        wire::Hello message = hello();
        message.now_ms = c.theirs;
        receive(message);
        EXPECT_EQ(session->skew_ms(), c.skew);
    }
    for (std::uint64_t const wild : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
        begin();
        wire::Hello message = hello();
        message.now_ms = wild;
        EXPECT_FALSE(closed(receive(message)));
    }
}

// ---- sending ------------------------------------------------------------------------------------

TEST_F(OneSession, collects_what_the_peer_lacks_once_its_vector_is_known) {
    begin();
    EXPECT_TRUE(all_of<session::Collect>(receive(hello())).empty());
    auto const actions = receive(vector({}));
    ASSERT_EQ(all_of<session::Collect>(actions).size(), 1u);
    EXPECT_EQ(all_of<session::Collect>(actions)[0].theirs, VersionVector());
    EXPECT_EQ(session->ahead(), 1u);
}

TEST_F(OneSession, has_one_live_batch_in_flight_and_the_next_takes_all_that_waits) {
    greeted();
    auto actions = collected(1, 1, 100);
    EXPECT_EQ(sent<wire::Batch>(actions).size(), 1u);
    EXPECT_FALSE(session->settled());
    for (Seq seq : {2, 3, 4})
        EXPECT_TRUE(session->progress(local_at(seq), 0).empty()) << seq;
    actions = receive(ack(own(1)));
    ASSERT_EQ(all_of<session::Collect>(actions).size(), 1u);
    EXPECT_EQ(all_of<session::Collect>(actions)[0].theirs, own(1));
    EXPECT_TRUE(all_of<session::Collect>(collected(2, 4, 300)).empty());
    EXPECT_EQ(session->ahead(), 3u);
    receive(ack(own(4)));
    EXPECT_EQ(session->ahead(), 0u);
    EXPECT_TRUE(session->settled());
    EXPECT_EQ(session->acks_received(), 2u);
}

TEST_F(OneSession, fills_the_window_with_full_batches_and_not_more) {
    begin();
    session->progress(local_at(1'000), 0);
    receive(hello());
    auto actions = receive(vector({}));
    Seq next = 1;
    while (!all_of<session::Collect>(actions).empty()) {
        ASSERT_EQ(all_of<session::Collect>(actions)[0].theirs, own(next - 1));
        actions = collected(next, next, kBatchTargetBytes);
        ++next;
        ASSERT_LE((next - 1) * kBatchTargetBytes, kWindowBytes);
    }
    EXPECT_EQ((next - 1) * kBatchTargetBytes, kWindowBytes);
    // An acknowledgement of the first two makes room for two.
    actions = receive(ack(own(2)));
    EXPECT_EQ(all_of<session::Collect>(actions).size(), 1u);
    actions = collected(next, next, kBatchTargetBytes);
    EXPECT_EQ(all_of<session::Collect>(actions).size(), 1u);
    actions = collected(next + 1, next + 1, kBatchTargetBytes);
    EXPECT_TRUE(all_of<session::Collect>(actions).empty());
}

TEST_F(OneSession, does_not_send_back_what_the_peer_has_sent) {
    begin();
    receive(hello());
    receive(vector(own(1)));
    auto const applies = all_of<session::Apply>(receive(batch(1, 3)));
    ASSERT_EQ(applies.size(), 1u);
    auto local = local_state(*space[0].replica);
    local.vector.set(space[1].actor(), 3);
    auto const actions = session->applied(
        ApplyReport{3, 0, 0, {}, false}, std::make_shared<LocalState const>(local), 0);
    EXPECT_TRUE(all_of<session::Collect>(actions).empty());
    ASSERT_EQ(sent<wire::Ack>(actions).size(), 1u);
    EXPECT_EQ(sent<wire::Ack>(actions)[0].vector, wire::vector_digest(local.vector, local.chains));
    EXPECT_TRUE(session->acknowledged().covers({space[1].actor(), 3}));
}

TEST_F(OneSession, names_in_an_acknowledgement_only_what_moved) {
    begin();
    receive(hello());
    receive(vector(own(1)));
    auto local = local_state(*space[0].replica);
    auto const changed = [&](Seq seq) {
        receive(batch(seq));
        local.vector.set(space[1].actor(), seq);
        auto const message =
            sent<wire::Ack>(
                session->applied(ApplyReport{}, std::make_shared<LocalState const>(local), 0))
                .at(0);
        Reader in(message.changed);
        return *VersionVector::decode(in);
    };
    EXPECT_EQ(changed(1), local.vector);
    VersionVector second;
    second.set(space[1].actor(), 2);
    EXPECT_EQ(changed(2), second);
}

TEST_F(OneSession, answers_a_probe_with_all_that_it_holds) {
    begin();
    receive(hello());
    auto const acks = sent<wire::Ack>(receive(wire::Probe{}));
    ASSERT_EQ(acks.size(), 1u);
    Reader in(acks[0].changed);
    EXPECT_EQ(VersionVector::decode(in), space[0]->vector());
    EXPECT_EQ(acks[0].root, space[0]->root().bytes());
}

TEST_F(OneSession, may_probe_before_the_peer_has_greeted) {
    begin();
    EXPECT_EQ(sent<wire::Probe>(session->probe()).size(), 1u);
}

TEST_F(OneSession, ends_when_a_batch_cannot_be_applied) {
    begin();
    receive(hello());
    receive(batch());
    auto const actions =
        session->applied(fail(Errc::protocol, "a bad batch"), state_of(space[0]), 0);
    expect_protocol_error(actions, "a bad batch");
}

TEST_F(OneSession, does_not_blame_the_peer_for_a_full_disk) {
    begin();
    receive(hello());
    receive(batch());
    auto const actions =
        session->applied(fail(Errc::no_space, "the disk is full"), state_of(space[0]), 0);
    EXPECT_EQ(closed(actions)->code, Errc::no_space);
    EXPECT_TRUE(sent<wire::Refusal>(actions).empty());
}

// ---- limits and time ----------------------------------------------------------------------------

TEST_F(OneSession, ends_on_more_batches_than_the_window_allows) {
    begin();
    receive(hello());
    for (std::size_t i = 0; i < kPendingBatchesMax; ++i)
        ASSERT_EQ(all_of<session::Apply>(receive(batch(i + 1))).size(), 1u);
    expect_protocol_error(receive(batch(kPendingBatchesMax + 1)), "more batches");
}

TEST_F(OneSession, ends_on_more_certificates_than_can_wait) {
    begin();
    receive(hello());
    wire::Statements const message{space.id(), {"x"}};
    for (std::size_t i = 0; i < kPendingStatementsMax; ++i)
        ASSERT_EQ(all_of<session::AddStatements>(receive(message)).size(), 1u);
    expect_protocol_error(receive(message), "more statements");
}

TEST_F(OneSession, counts_only_what_still_waits) {
    begin();
    receive(hello());
    for (std::size_t i = 0; i < 3 * kPendingBatchesMax; ++i) {
        ASSERT_FALSE(closed(receive(batch(i + 1))));
        session->applied(ApplyReport{}, state_of(space[0]), 0);
        ASSERT_FALSE(closed(receive(wire::Statements{space.id(), {"x"}})));
        session->statements_added();
    }
}

TEST_F(OneSession, ends_after_a_minute_without_an_acknowledgement) {
    greeted();
    collected(1, 1, 100, 1'000);
    EXPECT_TRUE(session->tick(1'000 + kAckTimeoutMs).empty());
    auto const actions = session->tick(1'001 + kAckTimeoutMs);
    ASSERT_TRUE(closed(actions));
    EXPECT_EQ(closed(actions)->code, Errc::unavailable);
    EXPECT_TRUE(session->tick(1'002 + kAckTimeoutMs).empty());
}

TEST_F(OneSession, waits_as_long_as_acknowledgements_come) {
    begin();
    session->progress(local_at(10), 0);
    receive(hello());
    receive(vector({}));
    collected(1, 5, kBatchTargetBytes);
    collected(6, 10, kBatchTargetBytes);
    receive(ack(own(5)), kAckTimeoutMs - 1);
    EXPECT_TRUE(session->tick(kAckTimeoutMs + 1).empty());
    EXPECT_TRUE(session->tick(2 * kAckTimeoutMs - 1).empty());
    EXPECT_TRUE(closed(session->tick(2 * kAckTimeoutMs)));
}

TEST_F(OneSession, may_be_silent_for_ever_when_nothing_is_under_way) {
    begin();
    receive(hello(space[0]->vector()));
    EXPECT_TRUE(session->settled());
    EXPECT_TRUE(session->tick(1'000 * kAckTimeoutMs).empty());
}

TEST_F(OneSession, ends_when_the_peer_never_greets) {
    begin();
    EXPECT_TRUE(session->tick(kAckTimeoutMs).empty());
    EXPECT_TRUE(closed(session->tick(kAckTimeoutMs + 1)));
}

TEST_F(OneSession, ignores_what_comes_after_its_end) {
    greeted();
    receive(batch());
    receive(wire::Refusal{"bye"});
    EXPECT_TRUE(session->applied(ApplyReport{}, state_of(space[0]), 0).empty());
    EXPECT_TRUE(session->collected(Session::Collected{}, 0).empty());
    EXPECT_TRUE(session->progress(local_at(7), 0).empty());
}

// A peer may claim anything in a header; nothing is computed from it that could go wrong.
TEST_F(OneSession, ends_on_headers_that_name_impossible_entries) {
    for (auto const& [first, count] : std::vector<std::pair<Seq, std::uint32_t>>{
             {0, 1}, {kSeqMax, 2}, {kSeqMax + 1, 1}, {~Seq{0}, ~0u}}) {
        begin();
        receive(hello());
        expect_protocol_error(receive(batch(first, count)), "out of range");
    }
    begin();
    receive(hello());
    EXPECT_FALSE(closed(receive(batch(kSeqMax, 1))));
    EXPECT_FALSE(closed(receive(batch(1, ~0u))));
    receive(ack(own(kSeqMax)));
    EXPECT_EQ(session->ahead(), 0u);
}

}  // namespace
}  // namespace inos::test
