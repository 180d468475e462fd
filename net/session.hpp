// One sync session: what two sites that know each other say inside their channel, as a machine
// without I/O. Events and the time go in, actions come out; the driver (peer_manager.hpp) performs
// them and feeds their outcome back. The simulator is another driver.
//
//   both      hello: versions, per space digests of vector, root and membership
//   unequal   statements and acknowledgements that the other may lack, then the version vector
//   then      each side streams what the other lacks, in batches; the receiver applies, makes it
//             durable and acknowledges with what moved, the digest of its vector, and its root
//   unequal   each compares the last entries of every actor with the other's: two histories under
//             one actor (storage/continuity.hpp) end the session
//   cut       where a side lacks entries that the other has cut from its log, or many more than the
//             other has records, it is offered the other's state and asks for it, part after part
//   live      new entries go out as they commit; while a small batch is in flight the next
//             one gathers
//   no room   a side whose disk is nearly full says so, keeps what is on its way in memory, and
//             is sent nothing more until it has room again (session_room.cpp)
//
// Acknowledgements of members (storage/acknowledgements.hpp) are passed on as they come.
// Equal digests at hello end the exchange in a constant number of bytes. Whenever both sides turn
// out to hold the same vector, their roots are compared; a difference is an alarm, and each side
// searches for the records that differ and puts its own right (storage/record_repair.hpp).
//
// Bounds: kWindowBytes of entries in flight to the peer; kPendingBatchesMax received batches and
// kPendingStatementsMax messages with statements that wait for the store, kPendingBytesMax
// together (a peer that sends more breaks the protocol, it has its window too);
// kRightsRequestsPerSecond asked and looked at, more are dropped; 60 s without an acknowledgement
// while something is in flight ends the session. A peer names only actors whose certificates are
// known here or came before from it, so what is kept of it is bounded by the space's members.
//
// Threads: used by one at a time. Version vectors in flight are kept in memory only: a new session
// starts with a new hello.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "net/repair_search.hpp"
#include "net/wire/messages.hpp"
#include "net/wire/vector_codec.hpp"
#include "storage/digest.hpp"
#include "storage/replica.hpp"

namespace inos {

inline constexpr std::uint16_t kProtocolVersionMin = 1, kProtocolVersionMax = 1;
inline constexpr std::size_t kBatchTargetBytes = 512 << 10;
inline constexpr std::size_t kWindowBytes = 4 << 20;
inline constexpr std::size_t kPendingBatchesMax = 64;
inline constexpr std::size_t kPendingStatementsMax = 64;   // messages
inline constexpr std::size_t kPendingBytesMax = 48 << 20;  // of both
inline constexpr std::uint64_t kAckTimeoutMs = 60'000;
inline constexpr std::uint64_t kForkPatienceMs = 5'000;  // for the peer's side of a fork
inline constexpr std::size_t kForksShownMax = 16;
inline constexpr std::size_t kVectorsMax = 2;  // that a peer sends: at hello, and to find a fork
inline constexpr std::uint64_t kRepairAgainMs = 200;  // to ask again what could not be answered
inline constexpr std::size_t kRightsRequestsPerSecond = 16;
inline constexpr std::uint64_t kStatePatienceMs = 20'000;      // at least, until it is asked again
inline constexpr std::uint64_t kStatePatienceMaxMs = 600'000;  // grows no further on its own
inline constexpr std::uint64_t kStateOfferMs = 40'000;         // until an offer has come to nothing
inline constexpr std::uint64_t kStateBytesPerMs = 8;           // of the slowest line
inline constexpr std::uint64_t kRoomAgainMs =
    20'000;  // while there is none, the peer is told again
inline constexpr std::size_t kStatementBytesTarget = 1 << 20;  // of one message
inline constexpr std::size_t kStatementsPerMessage = 1'000;

// What this node holds, as of one moment; made by the driver whenever the replica has moved.
struct LocalState {
    VersionVector vector;
    Digest128 root;
    wire::ActorTable table;
    std::shared_ptr<Membership const> membership;
    bool caught_up = true;  // Replica::caught_up()
    std::shared_ptr<Acknowledgements const> acknowledgements =
        std::make_shared<Acknowledgements const>();
    std::vector<ChainPrefix> chains = {};  // of the vector's entries, in its order
    ActorId actor = {};                    // under which this site writes
    bool wants_confirmation = false;       // Replica::wants_confirmation()
    std::shared_ptr<KeyRing const> keys = std::make_shared<KeyRing const>();
    std::optional<StateProgress> state_progress = {};  // of a state that arrives
    std::size_t damaged = 0;                           // Replica::damaged_records()
    bool rows_missing = false;                         // RecordRepair::rows_missing()
    bool has_room = true;                              // Replica::has_room()
};
LocalState local_state(Replica const& replica);

// What a session keeps in memory because somebody else has to do something.
struct SessionLoad {
    std::size_t in_flight_bytes = 0;  // of entries that the peer has not acknowledged
    std::size_t pending = 0;          // messages that wait for the store
    std::size_t pending_bytes = 0;
};

namespace session {

// Actions, to be performed in their order.
struct Send {
    wire::Message message;
};
struct Collect {  // then collected()
    VersionVector theirs;
    std::size_t target_bytes = 0;
    bool may_offer = true;  // the state instead, where that is less
};
struct Apply {  // then applied(), once per action and in their order
    wire::Batch batch;
    // For the store's thread: true once one was refused for want of room. Then those behind it that
    // share this are refused without being tried, and all come back.
    std::shared_ptr<bool> refused;
};
struct AddStatements {  // then statements_added(), and progress() if any were new
    std::vector<std::string> statements;
    bool partial = false;  // some may be missing: those are taken that can be checked
};
struct AddAcknowledgements {  // the same
    std::vector<std::string> acknowledgements;
};
struct RightsAsked {  // the driver passes rights on, or not: the peer may not be a writer
    RightsNeed need;
    ActorId to;
};
struct CompareHeads {  // then compared(): what the peer holds last of every actor
    std::vector<DepHead> heads;
};
struct AddFork {  // then fork_added()
    wire::Fork fork;
};
struct AskState {};  // then state_asked(): what to ask the peer for, if anything
struct GiveState {   // then state_given(), one at a time
    inos::StateAsk ask;
};
struct TakeState {  // then state_taken(), one at a time
    wire::StatePart part;
};
struct StateFailed {};  // none came about: Replica::state_failed
struct RootsDiffer {};  // the same entries, but not the same records: an alarm
struct AnswerRepair {   // then repair_answered(), one at a time
    wire::RepairAsk ask;
};
struct CompareRange {  // then range_compared(), one at a time
    wire::RepairAnswer answer;
};
struct Searched {                   // the end of a search
    std::vector<std::string> keys;  // of records that differ
    bool whole = true;              // false: broken off, the next search goes on
};
struct StatesCame {  // what was asked for; none: it does not come
    std::optional<wire::RepairAnswer> answer;
};
struct Close {
    Error reason;
};
using Action = std::variant<Send,
                            Collect,
                            Apply,
                            AddStatements,
                            AddAcknowledgements,
                            RightsAsked,
                            CompareHeads,
                            AddFork,
                            AskState,
                            GiveState,
                            TakeState,
                            StateFailed,
                            RootsDiffer,
                            AnswerRepair,
                            CompareRange,
                            Searched,
                            StatesCame,
                            Close>;
using Actions = std::vector<Action>;

}  // namespace session

class Session {
public:
    // `local` is what we hold now.
    Session(SpaceId space, std::shared_ptr<LocalState const> local, std::uint64_t now_ms);

    session::Actions start(std::uint64_t wall_ms);
    session::Actions received(wire::Message message, std::uint64_t now_ms, std::uint64_t wall_ms);
    // The replica has moved: own commits, or entries from elsewhere.
    session::Actions progress(std::shared_ptr<LocalState const> local, std::uint64_t now_ms);
    // The outcome of a Collect: the batch as it is to be sent, and what it holds.
    struct Collected {
        wire::Batch batch;
        std::size_t entry_bytes = 0;  // EntryBatch::weight()
        std::size_t entries = 0;
        bool offer_state = false;  // no entries: the state is offered
    };
    session::Actions collected(Result<Collected> batch, std::uint64_t now_ms);
    // The outcome of an Apply. `local` is what we hold afterwards. `refused`: the batch, which was
    // not taken for want of room on the disk; it is kept here, and comes again when there is.
    session::Actions applied(Result<ApplyReport> report,
                             std::shared_ptr<LocalState const> local,
                             std::uint64_t now_ms,
                             std::optional<wire::Batch> refused = std::nullopt);
    // The outcome of an AddStatements or AddAcknowledgements, in their order.
    void statements_added();
    // The outcome of a CompareHeads, and of an AddFork: each side of a fork shows what
    // it holds, and the session ends.
    session::Actions compared(Result<HeadComparison> const& comparison, std::uint64_t now_ms);
    session::Actions fork_added(Result<ForkShown> const& shown, std::uint64_t now_ms);
    // The outcome of an AskState, a GiveState and a TakeState .
    session::Actions state_asked(std::optional<inos::StateAsk> const& ask, std::uint64_t now_ms);
    session::Actions state_given(Result<wire::StatePart> part, std::uint64_t now_ms);
    session::Actions state_taken(Result<StateTaken> taken,
                                 std::shared_ptr<LocalState const> local,
                                 std::uint64_t now_ms);
    // Looks for the records that differ; ends with Searched. Nothing, unless can_search(): both
    // sides hold the same entries, the roots differ, and nothing else is asked for.
    bool can_search() const;
    session::Actions search(std::uint64_t now_ms);
    // What the peer holds of these, at most kStateKeysMax; ends with StatesCame.
    session::Actions ask_states(std::vector<std::string> keys, std::uint64_t now_ms);
    // The outcome of an AnswerRepair, and of a CompareRange.
    session::Actions repair_answered(Result<RepairAnswered> made, std::uint64_t now_ms);
    session::Actions range_compared(wire::RepairAnswer const& answer,
                                    Result<RangeDifferences> found,
                                    std::uint64_t now_ms);
    session::Actions tick(std::uint64_t now_ms);
    session::Actions probe();  // ask the peer what it holds now; any time after start()
    // Asks the peer for rights of a bounded counter, for an actor of this site, as soon as its
    // hello is here. Nothing while they are asked for too often.
    session::Actions ask_rights(RightsNeed const& need, ActorId to, std::uint64_t now_ms);

    // What is known of the peer.
    bool greeted() const { return greeted_; }  // its hello is here
    bool vector_known() const { return theirs_known_; }
    bool settled() const;  // nothing under way and nothing known to be missing on either side
    VersionVector const& acknowledged() const { return acknowledged_; }  // durable there
    std::optional<Digest128> peer_root() const { return peer_root_; }
    wire::Digest const& peer_vector_digest() const { return peer_digest_; }
    std::int64_t skew_ms() const { return skew_ms_; }
    std::uint64_t behind() const;  // entries it has and we lack
    std::uint64_t ahead() const;   // entries we have and it has not acknowledged
    std::uint64_t acks_received() const { return acks_received_; }
    bool roots_differ() const;                             // and the vectors do not
    bool roots_agree() const;                              // and the vectors
    bool peer_has_room() const { return peer_has_room_; }  // on its disk, for what we send
    SessionLoad load() const {
        return {in_flight_bytes(),
                applying_.size() + adding_.size() + refused_.size() + behind_refused_.size(),
                pending_bytes_};
    }

private:
    // Lets through so many a second.
    struct Throttle {
        std::uint64_t began_ms = 0;
        std::size_t count = 0;
        bool take(std::uint64_t now_ms);
    };
    struct InFlight {
        VersionVector end;
        std::size_t bytes = 0;
    };

    void on(wire::Hello const& hello, std::uint64_t wall_ms, session::Actions& out);
    void on(wire::Statements const& message, session::Actions& out);
    void on(wire::Acknowledgements const& message, session::Actions& out);
    void on(wire::Refusal const& message, session::Actions& out);
    void on(wire::Vector const& message, session::Actions& out);
    void on(wire::Batch message, session::Actions& out);
    void on(wire::Ack const& message, session::Actions& out);
    void on(wire::RightsRequest const& message, session::Actions& out);
    void on(wire::Fork const& message, session::Actions& out);
    void on(wire::StateOffer const& message, session::Actions& out);
    void on(wire::StateAsk const& message, session::Actions& out);
    void on(wire::StatePart message, session::Actions& out);
    void on(wire::Room const& message, session::Actions& out);
    void tell_room(session::Actions& out);
    void apply(wire::Batch batch, session::Actions& out);
    void apply_refused(session::Actions& out);
    void offer_state(bool can, session::Actions& out);
    void ask_state(session::Actions& out);
    void give_up_state(session::Actions& out);
    void tick_states(session::Actions& out);
    void tell_moved(session::Actions& out);
    void show_fork(HeadComparison::Unlike const& fork, session::Actions& out);
    void confirm(session::Actions& out);
    void compare(std::vector<DepHead> heads, session::Actions& out);
    void look_for_forks(wire::Ack const& ack, session::Actions& out);
    std::string fork_text(ActorId actor, Seq seq) const;
    wire::Digest own_digest() const;
    void send_statements(session::Actions& out);
    void send_acknowledgements(session::Actions& out);
    void send_vector(session::Actions& out);
    void send_ack(VersionVector const& changed, session::Actions& out);
    void compare_roots(session::Actions& out);
    void tell_mended(session::Actions& out);
    void on(wire::RepairAsk const& message, session::Actions& out);
    void on(wire::RepairAnswer message, session::Actions& out);
    void ask(wire::RepairAsk ask, session::Actions& out);
    void ask_next(session::Actions& out);
    void end_search(bool whole, session::Actions& out);
    void tick_repair(session::Actions& out);
    std::int64_t credit();
    void answer(session::Actions& out);
    bool take_in(std::deque<std::size_t>& waiting, std::size_t limit, std::size_t bytes);
    bool all_introduced(VersionVector const& vector) const;
    void maybe_collect(session::Actions& out);
    void close(Error reason, session::Actions& out);
    std::size_t in_flight_bytes() const;

    SpaceId space_;
    std::shared_ptr<LocalState const> local_;
    std::uint64_t now_ms_;
    // When the peer last greeted or acknowledged, or the first batch left.
    std::uint64_t progress_ms_;

    bool greeted_ = false, vector_sent_ = false, theirs_known_ = false, closed_ = false;
    bool alarmed_ = false;
    std::set<ActorId> forks_shown_;
    std::optional<Error> fork_;  // why the session ends as soon as the peer has shown its side
    std::uint64_t fork_ms_ = 0;
    bool looked_for_forks_ = false;
    std::size_t vectors_ = 0;         // that the peer has sent
    std::size_t comparing_ = 0;       // CompareHeads under way
    std::vector<DepHead> confirmed_;  // what was last compared of our own
    VersionVector theirs_;            // what it has or will have, once what is in flight arrives
    VersionVector acknowledged_;      // what it has durably
    std::optional<Digest128> peer_root_;
    wire::Digest peer_digest_{};
    std::set<crypto::Hash16> statements_there_;
    std::map<SiteId, crypto::Hash16> acknowledgements_there_;  // the last of each site
    std::set<ActorId> introduced_;  // by its certificates; one that is refused ends the session
    std::vector<wire::ActorTable> tables_;  // that the peer may mean, newest last
    VersionVector told_;                    // heads that our acknowledgements have named

    // States instead of entries (session_states.cpp): to the peer, from it.
    bool offered_ = false, can_give_ = false, giving_ = false;
    bool asking_state_ = false, taking_ = false;
    std::uint64_t offer_ms_ = 0, state_ask_ms_ = 0;
    std::uint64_t state_patience_ms_ = kStatePatienceMs;
    std::size_t taking_bytes_ = 0;

    bool collecting_ = false;
    bool last_was_full_ = false;
    std::deque<InFlight> in_flight_;
    std::deque<std::size_t> applying_;  // sizes of received batches that wait to be applied
    // Batches that came back for want of room, and those that came from the peer since.
    std::deque<wire::Batch> refused_, behind_refused_;
    std::shared_ptr<bool> refusing_ = std::make_shared<bool>(false);
    bool peer_has_room_ = true, peer_knows_room_ = false;
    bool told_room_ = true;  // what the peer was told last
    std::uint64_t room_told_ms_ = 0;
    std::deque<std::size_t> adding_;              // of messages with statements or acknowledgements
    std::size_t pending_bytes_ = 0;               // of both
    Throttle asked_, asking_;                     // for rights: by the peer, by us
    session::Actions asking_later_;               // what is sent when the peer's hello is here
    bool mended_ = false;                         // our root has changed, and the vector has not
    bool peer_repairs_ = false;                   // answers our questions
    std::optional<wire::RepairAsk> asked_of_us_;  // waits for credit
    bool answering_ = false;
    std::int64_t credit_ = kRepairCostBurst;
    std::uint64_t credit_ms_ = 0;
    std::optional<RepairSearch> search_;
    std::optional<wire::RepairAsk> asked_states_;
    bool ask_open_ = false, comparing_ranges_ = false;
    std::uint64_t search_ms_ = 0;  // when it began
    std::uint64_t heard_ms_ = 0;   // when it last went on
    std::uint64_t again_ms_ = 0;   // when to ask again what could not be answered; 0: nothing
    std::int64_t skew_ms_ = 0;
    std::uint64_t acks_received_ = 0;
};

// What the peer lacks, sealed; or that it is offered the state. On the replica's thread.
// Errc::gone: neither is possible.
Result<Session::Collected> collect_or_offer(Replica& replica,
                                            SiteId const& peer,
                                            session::Collect const& wanted,
                                            SpaceId const& space,
                                            crypto::Secret const& key);

}  // namespace inos
