#include "net/session.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "storage/record_repair.hpp"

namespace inos {
namespace {

constexpr std::size_t kTablesMax = 64;
constexpr std::size_t kRefusalBytesMax = 500;
constexpr char const* kNotIntroduced =
    "the peer named entries of a site whose certificate it has not sent";

// What a peer says may end up on a terminal.
std::string printable(std::string_view text) {
    std::string out(text.substr(0, kRefusalBytesMax));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return out;
}

std::uint64_t missing(VersionVector const& from, VersionVector const& in) {
    std::uint64_t count = 0;
    for (auto const& [actor, seq] : from.items())
        if (seq > in.at(actor)) count += seq - in.at(actor);
    return count;
}

// Whether the header names entries that can exist: sums over it cannot overflow.
bool in_range(wire::Batch const& batch) {
    return std::all_of(batch.runs.begin(), batch.runs.end(), [](wire::RunHeader const& run) {
        return run.first > 0 && run.first <= kSeqMax && run.count <= kSeqMax - run.first + 1;
    });
}

// Sorted before, so that each head is appended: a peer may name very many.
VersionVector end_of(wire::Batch const& batch) {
    std::vector<VersionVector::Item> heads;
    for (auto const& run : batch.runs)
        if (run.count > 0) heads.emplace_back(run.actor, run.first + run.count - 1);
    std::sort(heads.begin(), heads.end());
    VersionVector end;
    for (auto const& [actor, seq] : heads)
        end.raise(actor, seq);
    return end;
}

}  // namespace

LocalState local_state(Replica const& replica) {
    return {replica.vector(),
            replica.root_comparable() ? replica.root() : kNotComparable,
            wire::actor_table(replica.membership()),
            replica.shared_membership(),
            replica.caught_up(),
            replica.shared_acknowledgements(),
            replica.chains(),
            replica.actor(),
            replica.wants_confirmation(),
            replica.keys(),
            replica.state_progress(),
            replica.damaged_records().size(),
            RecordRepair::rows_missing(replica),
            replica.has_room()};
}

Session::Session(SpaceId space, std::shared_ptr<LocalState const> local, std::uint64_t now_ms)
    : space_(space), local_(std::move(local)), now_ms_(now_ms), progress_ms_(now_ms) {
    tables_.push_back(local_->table);
}

session::Actions Session::start(std::uint64_t wall_ms) {
    wire::Hello hello;
    hello.version_min = kProtocolVersionMin;
    hello.version_max = kProtocolVersionMax;
    hello.now_ms = wall_ms;
    hello.features = wire::kFeatureRepair | wire::kFeatureRoom;
    hello.spaces.push_back({space_,
                            own_digest(),
                            local_->root.bytes(),
                            local_->table.membership,
                            local_->acknowledgements->digest});
    return {session::Send{std::move(hello)}};
}

session::Actions Session::received(wire::Message message,
                                   std::uint64_t now_ms,
                                   std::uint64_t wall_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    if (closed_) return out;
    if (auto const* hello = std::get_if<wire::Hello>(&message)) {
        on(*hello, wall_ms, out);
    } else if (auto const* refusal = std::get_if<wire::Refusal>(&message)) {
        on(*refusal, out);
    } else if (!greeted_) {
        close({Errc::protocol, "the peer began without a hello", {}}, out);
    } else if (auto const* statements = std::get_if<wire::Statements>(&message)) {
        on(*statements, out);
    } else if (auto const* acknowledgements = std::get_if<wire::Acknowledgements>(&message)) {
        on(*acknowledgements, out);
    } else if (auto const* vector = std::get_if<wire::Vector>(&message)) {
        on(*vector, out);
    } else if (auto* batch = std::get_if<wire::Batch>(&message)) {
        on(std::move(*batch), out);
    } else if (auto const* ack = std::get_if<wire::Ack>(&message)) {
        on(*ack, out);
    } else if (std::get_if<wire::Probe>(&message)) {
        send_ack(local_->vector, out);
    } else if (auto const* request = std::get_if<wire::RightsRequest>(&message)) {
        on(*request, out);
    } else if (auto const* fork = std::get_if<wire::Fork>(&message)) {
        on(*fork, out);
    } else if (auto const* offer = std::get_if<wire::StateOffer>(&message)) {
        on(*offer, out);
    } else if (auto const* ask = std::get_if<wire::StateAsk>(&message)) {
        on(*ask, out);
    } else if (auto const* room = std::get_if<wire::Room>(&message)) {
        on(*room, out);
    } else if (auto* part = std::get_if<wire::StatePart>(&message)) {
        on(std::move(*part), out);
    } else if (auto const* question = std::get_if<wire::RepairAsk>(&message)) {
        on(*question, out);
    } else if (auto* answer = std::get_if<wire::RepairAnswer>(&message)) {
        on(std::move(*answer), out);
    } else {
        close({Errc::protocol, "the peer sent a message that belongs to pairing", {}}, out);
    }
    return out;
}

void Session::on(wire::Hello const& hello, std::uint64_t wall_ms, session::Actions& out) {
    if (greeted_) return close({Errc::protocol, "the peer said hello twice", {}}, out);
    if (hello.version_min > kProtocolVersionMax || hello.version_max < kProtocolVersionMin)
        return close({Errc::unsupported,
                      "the peer speaks protocol versions " + std::to_string(hello.version_min) +
                          " to " + std::to_string(hello.version_max) + ", this program " +
                          std::to_string(kProtocolVersionMin) + " to " +
                          std::to_string(kProtocolVersionMax) + "; upgrade the older of the two",
                      {}},
                     out);
    auto const space = std::find_if(
        hello.spaces.begin(), hello.spaces.end(), [this](auto const& s) { return s.id == space_; });
    if (space == hello.spaces.end())
        return close({Errc::protocol, "the peer shares no space with this site", {}}, out);
    greeted_ = true;
    peer_repairs_ = (hello.features & wire::kFeatureRepair) != 0;
    peer_knows_room_ = (hello.features & wire::kFeatureRoom) != 0;
    tell_room(out);
    progress_ms_ = now_ms_;
    skew_ms_ = static_cast<std::int64_t>(hello.now_ms - wall_ms);  // wraps, whatever it claims
    peer_root_ = Digest128::from(space->root);
    peer_digest_ = space->vector;
    if (space->membership != local_->table.membership) send_statements(out);
    if (space->acknowledgements == local_->acknowledgements->digest)
        for (auto const& [site, bytes] : local_->acknowledgements->by_site)
            acknowledgements_there_.emplace(site, crypto::hash16(bytes));
    else
        send_acknowledgements(out);
    for (session::Action& request : asking_later_)
        out.push_back(std::move(request));
    asking_later_.clear();
    tell_mended(out);
    if (space->vector == own_digest()) {
        theirs_ = acknowledged_ = local_->vector;
        theirs_known_ = true;
        confirm(out);
        return compare_roots(out);
    }
    send_vector(out);
}

void Session::send_statements(session::Actions& out) {
    // In the order in which they came, each after its issuer's, so that every message can be
    // checked for itself.
    wire::Statements message{space_, {}};
    std::size_t bytes = 0;
    auto const flush = [&] {
        if (message.statements.empty()) return;
        out.push_back(session::Send{std::exchange(message, {space_, {}})});
        bytes = 0;
    };
    for (auto const& known : local_->membership->statements()) {
        if (!statements_there_.insert(known->hash).second) continue;
        bytes += known->bytes.size();
        message.statements.push_back(known->bytes);
        if (bytes >= kStatementBytesTarget || message.statements.size() >= kStatementsPerMessage)
            flush();
    }
    flush();
}

void Session::send_acknowledgements(session::Actions& out) {
    wire::Acknowledgements message{space_, {}};
    std::size_t bytes = 0;
    auto const flush = [&] {
        if (message.acknowledgements.empty()) return;
        out.push_back(session::Send{std::exchange(message, {space_, {}})});
        bytes = 0;
    };
    for (auto const& [site, acknowledgement] : local_->acknowledgements->by_site) {
        auto const hash = crypto::hash16(acknowledgement);
        auto& there = acknowledgements_there_[site];
        if (std::exchange(there, hash) == hash) continue;
        bytes += acknowledgement.size();
        message.acknowledgements.push_back(acknowledgement);
        if (bytes >= kStatementBytesTarget ||
            message.acknowledgements.size() >= kStatementsPerMessage)
            flush();
    }
    flush();
}

void Session::on(wire::Acknowledgements const& message, session::Actions& out) {
    std::size_t bytes = 0;
    for (auto const& acknowledgement : message.acknowledgements)
        bytes += acknowledgement.size();
    bool const fits = take_in(adding_, kPendingStatementsMax, bytes);
    if (message.space != space_ || !fits)
        return close(
            {Errc::protocol, "the peer sent more acknowledgements than can be looked at", {}}, out);
    for (auto const& acknowledgement : message.acknowledgements)
        if (auto const site = acknowledgement_site(acknowledgement);
            site && local_->membership->by_site(*site))
            acknowledgements_there_[*site] = crypto::hash16(acknowledgement);
    out.push_back(session::AddAcknowledgements{message.acknowledgements});
}

void Session::send_vector(session::Actions& out) {
    if (std::exchange(vector_sent_, true)) return;
    // Named whole: the peer may not have our latest certificates yet when it reads this.
    bool const same_table = statements_there_.empty();
    auto heads = wire::encode_heads(wire::heads_of(local_->vector, local_->chains),
                                    same_table ? &local_->table : nullptr);
    out.push_back(
        session::Send{wire::Vector{space_, std::move(heads.vector), std::move(heads.chains)}});
}

void Session::on(wire::Statements const& message, session::Actions& out) {
    if (message.space != space_)
        return close({Errc::protocol, "the peer sent statements of another space", {}}, out);
    std::size_t bytes = 0;
    for (auto const& statement : message.statements)
        bytes += statement.size();
    if (!take_in(adding_, kPendingStatementsMax, bytes))
        return close({Errc::protocol,
                      "the peer sent more statements about members than can be looked at",
                      {}},
                     out);
    for (auto const& statement : message.statements) {
        statements_there_.insert(statement_hash(statement));
        auto const decoded = decode_certificate(statement);
        if (decoded) introduced_.insert(decoded->actor);
    }
    out.push_back(session::AddStatements{message.statements});
}

// It may come before the hello, from a site that knows that we are no member any more, or that it
// is none itself; its word alone counts for nothing, the statements are checked.
void Session::on(wire::Refusal const& message, session::Actions& out) {
    std::size_t bytes = 0;
    for (auto const& statement : message.statements)
        bytes += statement.size();
    if (bytes > 0 && take_in(adding_, kPendingStatementsMax, bytes))
        out.push_back(session::AddStatements{message.statements, true});
    close({Errc::unavailable, "the peer ended the session: " + printable(message.message), {}},
          out);
}

void Session::on(wire::Vector const& message, session::Actions& out) {
    auto heads = wire::decode_heads(message.bytes, message.chains, tables_);
    if (message.space != space_ || !heads)
        return close({Errc::protocol, "the peer sent a version vector that cannot be read", {}},
                     out);
    VersionVector const vector = wire::vector_of(*heads);
    if (!all_introduced(vector)) return close({Errc::protocol, kNotIntroduced, {}}, out);
    theirs_.merge(vector);
    acknowledged_.merge(vector);
    if (++vectors_ > kVectorsMax)
        return close({Errc::protocol, "the peer sent its version vector again and again", {}}, out);
    theirs_known_ = true;
    compare(*std::move(heads), out);
    send_vector(out);
    maybe_collect(out);
}

void Session::on(wire::Batch message, session::Actions& out) {
    if (fork_) return;  // nothing is exchanged any more
    if (message.space != space_)
        return close({Errc::protocol, "the peer sent a batch of another space", {}}, out);
    if (!in_range(message))
        return close({Errc::protocol, "the peer sent a batch that names entries out of range", {}},
                     out);
    pending_bytes_ += message.sealed.size();
    std::size_t const waiting = applying_.size() + refused_.size() + behind_refused_.size();
    if (waiting >= kPendingBatchesMax || pending_bytes_ > kPendingBytesMax)
        return close({Errc::protocol, "the peer sent more batches than its window allows", {}},
                     out);
    VersionVector const end = end_of(message);
    if (!all_introduced(end)) return close({Errc::protocol, kNotIntroduced, {}}, out);
    theirs_.merge(end);
    acknowledged_.merge(end);
    if (!refused_.empty())
        behind_refused_.push_back(std::move(message));
    else
        apply(std::move(message), out);
}

void Session::on(wire::Ack const& message, session::Actions& out) {
    Reader in(message.changed);
    auto const changed = VersionVector::decode(in);
    if (message.space != space_ || !changed || !in.finished())
        return close({Errc::protocol, "the peer sent an acknowledgement that cannot be read", {}},
                     out);
    if (!all_introduced(*changed)) return close({Errc::protocol, kNotIntroduced, {}}, out);
    ++acks_received_;
    progress_ms_ = now_ms_;
    if (!theirs_.includes(*changed)) offered_ = false;  // a state is in force there
    acknowledged_.merge(*changed);
    theirs_.merge(*changed);
    peer_digest_ = message.vector;
    peer_root_ = Digest128::from(message.root);
    while (!in_flight_.empty() && acknowledged_.includes(in_flight_.front().end))
        in_flight_.pop_front();
    compare_roots(out);
    look_for_forks(message, out);
    maybe_collect(out);
}

void Session::on(wire::RightsRequest const& message, session::Actions& out) {
    constexpr std::uint64_t kAmountMax = std::numeric_limits<std::int64_t>::max();
    bool const sound = message.space == space_ && valid_name(message.collection) &&
                       valid_name(message.key) && valid_name(message.field) && message.amount > 0 &&
                       message.amount <= kAmountMax;
    if (!sound)
        return close({Errc::protocol, "the peer asked for rights that cannot exist", {}}, out);
    if (!asked_.take(now_ms_)) return;
    out.push_back(session::RightsAsked{{{message.collection, message.key},
                                        message.field,
                                        static_cast<std::int64_t>(message.amount),
                                        message.ahead_of_need},
                                       message.actor});
}

session::Actions Session::ask_rights(RightsNeed const& need, ActorId to, std::uint64_t now_ms) {
    bool const later = !greeted_ && asking_later_.size() < kRightsRequestsPerSecond;
    bool const sends = greeted_ || later;
    if (closed_ || !sends || need.amount <= 0 || !asking_.take(now_ms)) return {};
    session::Send request{wire::RightsRequest{space_,
                                              need.name.collection,
                                              need.name.key,
                                              need.field,
                                              static_cast<std::uint64_t>(need.amount),
                                              need.ahead,
                                              to}};
    if (greeted_) return {std::move(request)};
    asking_later_.push_back(std::move(request));
    return {};
}

bool Session::Throttle::take(std::uint64_t now_ms) {
    if (count == 0 || now_ms >= began_ms + 1'000) {
        began_ms = now_ms;
        count = 0;
    }
    return ++count <= kRightsRequestsPerSecond;
}

// Counts something that waits for the store from now on; false if it would be too much.
bool Session::take_in(std::deque<std::size_t>& waiting, std::size_t limit, std::size_t bytes) {
    waiting.push_back(bytes);
    pending_bytes_ += bytes;
    return waiting.size() <= limit && pending_bytes_ <= kPendingBytesMax;
}

void Session::statements_added() {
    INOS_ASSERT(!adding_.empty());
    pending_bytes_ -= adding_.front();
    adding_.pop_front();
}

// Whether every actor is one that can have entries, as far as certificates are known.
bool Session::all_introduced(VersionVector const& vector) const {
    auto const& known = local_->table.actors;
    auto const& items = vector.items();
    return std::all_of(items.begin(), items.end(), [&](VersionVector::Item const& item) {
        return std::binary_search(known.begin(), known.end(), item.first) ||
               introduced_.contains(item.first);
    });
}

session::Actions Session::progress(std::shared_ptr<LocalState const> local, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    bool const new_members = local->table.membership != local_->table.membership;
    bool const new_acknowledgements = local->acknowledgements != local_->acknowledgements;
    bool const mended = local->root != local_->root && local->vector == local_->vector;
    local_ = std::move(local);
    if (closed_) return out;
    mended_ = mended_ || mended;
    if (greeted_) tell_mended(out);
    if (new_members) {
        offered_ = offered_ && can_give_;  // maybe we can now
        tables_.push_back(local_->table);
        if (tables_.size() > kTablesMax) tables_.erase(tables_.begin());
        if (greeted_) send_statements(out);
    }
    if (new_acknowledgements && greeted_) send_acknowledgements(out);
    if (theirs_known_) confirm(out);
    if (greeted_) tell_room(out);
    apply_refused(out);
    maybe_collect(out);
    return out;
}

session::Actions Session::collected(Result<Collected> batch, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    collecting_ = false;
    if (closed_) return out;
    bool const gone = !batch && batch.error().code == Errc::gone;
    if (gone || (batch && batch->offer_state)) {
        if (!fork_) offer_state(!gone, out);
        return out;
    }
    // Our own has to be signed first, and that cannot be written now.
    if (!batch && batch.error().code == Errc::no_space) return out;
    if (!batch) {
        close(batch.error(), out);
        return out;
    }
    if (batch->entries == 0 || fork_) return out;
    if (in_flight_.empty()) progress_ms_ = now_ms_;
    last_was_full_ = batch->entry_bytes >= kBatchTargetBytes;
    in_flight_.push_back({end_of(batch->batch), batch->entry_bytes});
    theirs_.merge(in_flight_.back().end);
    out.push_back(session::Send{std::move(batch->batch)});
    maybe_collect(out);
    return out;
}

session::Actions Session::applied(Result<ApplyReport> report,
                                  std::shared_ptr<LocalState const> local,
                                  std::uint64_t now_ms,
                                  std::optional<wire::Batch> refused) {
    INOS_ASSERT(!applying_.empty());
    if (refused)
        refused_.push_back(*std::move(refused));
    else
        pending_bytes_ -= applying_.front();
    applying_.pop_front();
    bool const waits = !report && !refused_.empty();
    session::Actions out = progress(std::move(local), now_ms);
    if (closed_ || waits) return out;
    if (!report) {
        close(report.error(), out);
        return out;
    }
    tell_moved(out);
    return out;
}

void Session::tell_moved(session::Actions& out) {
    VersionVector changed;
    for (auto const& [actor, seq] : local_->vector.items())
        if (told_.at(actor) < seq) changed.set(actor, seq);
    send_ack(changed, out);
    compare_roots(out);
}

void Session::send_ack(VersionVector const& changed, session::Actions& out) {
    told_.merge(changed);
    wire::Ack ack{space_, {}, own_digest(), local_->root.bytes()};
    changed.encode(ack.changed);
    out.push_back(session::Send{std::move(ack)});
}

// The root that was told last, maybe with the hello, is none of the vector that went with it.
void Session::tell_mended(session::Actions& out) {
    if (!std::exchange(mended_, false)) return;
    send_ack({}, out);
    compare_roots(out);
}

bool Session::roots_differ() const {
    if (!peer_root_ || peer_digest_ != own_digest()) return false;
    bool const comparable = *peer_root_ != kNotComparable && local_->root != kNotComparable;
    return comparable && *peer_root_ != local_->root;
}

bool Session::roots_agree() const {
    return peer_root_ && peer_digest_ == own_digest() && *peer_root_ == local_->root;
}

// Said once a session, however often the owner has it searched.
void Session::compare_roots(session::Actions& out) {
    if (roots_differ() && !std::exchange(alarmed_, true)) out.push_back(session::RootsDiffer{});
}

// While the peer is far behind, batches follow each other up to the window; live, one is in flight
// and the next takes all that waits.
void Session::maybe_collect(session::Actions& out) {
    if (closed_ || !greeted_ || !theirs_known_ || collecting_ || fork_ || offered_) return;
    if (!peer_has_room_) return;
    if (theirs_.includes(local_->vector)) return;
    bool const room = in_flight_.empty() ||
                      (last_was_full_ && in_flight_bytes() + kBatchTargetBytes <= kWindowBytes);
    if (!room) return;
    collecting_ = true;
    out.push_back(session::Collect{theirs_, kBatchTargetBytes, in_flight_.empty()});
}

session::Actions Session::tick(std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    if (!closed_ && fork_ && now_ms > fork_ms_ + kForkPatienceMs) close(*fork_, out);
    if (!closed_ && greeted_) tell_room(out);
    if (!closed_) tick_states(out);
    if (!closed_) tick_repair(out);
    if (closed_ || now_ms <= progress_ms_ + kAckTimeoutMs) return out;
    if (!greeted_)
        close({Errc::unavailable, "the peer has said nothing for a minute", {}}, out);
    else if (!in_flight_.empty())
        close({Errc::unavailable, "the peer has not acknowledged anything for a minute", {}}, out);
    return out;
}

session::Actions Session::probe() {
    if (closed_) return {};
    return {session::Send{wire::Probe{}}};
}

void Session::close(Error reason, session::Actions& out) {
    closed_ = true;
    if (reason.code == Errc::protocol || reason.code == Errc::unsupported)
        out.push_back(session::Send{wire::Refusal{printable(reason.message)}});
    out.push_back(session::Close{std::move(reason)});
}

bool Session::settled() const {
    return greeted_ && theirs_known_ && !collecting_ && in_flight_.empty() && applying_.empty() &&
           behind() == 0 && ahead() == 0;
}

std::uint64_t Session::behind() const {
    return missing(theirs_, local_->vector);
}
std::uint64_t Session::ahead() const {
    return theirs_known_ ? missing(local_->vector, acknowledged_) : 0;
}

std::size_t Session::in_flight_bytes() const {
    std::size_t bytes = 0;
    for (InFlight const& batch : in_flight_)
        bytes += batch.bytes;
    return bytes;
}

}  // namespace inos
