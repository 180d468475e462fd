#include "net/link.hpp"

#include <utility>

#include "net/wire/batch_codec.hpp"
#include "net/wire/codec.hpp"

namespace inos {
namespace {

constexpr char kTookBack[] =
    "holds entries of this site that were missing here, so this directory is an old copy; they are "
    "taken back, and the next write goes on under a new actor";

constexpr char kNoKey[] =
    "the peer seals with a key that this site has not got yet; it comes with the membership log, "
    "and "
    "nothing is lost";

std::size_t entries_of(wire::Batch const& batch) {
    std::size_t count = 0;
    for (auto const& run : batch.runs)
        count += run.count;
    return count;
}

}  // namespace

Link::Link(Options options,
           std::shared_ptr<Connection> connection,
           SecureChannelOptions channel,
           Store& store,
           Clock const& clock,
           Handlers handlers)
    : options_(std::move(options)),
      connection_(std::move(connection)),
      channel_(std::move(channel)),
      store_(store),
      clock_(clock),
      handlers_(std::move(handlers)),
      began_ms_(clock.monotonic_ms()) {}

void Link::start() {
    std::weak_ptr<Link> const weak = weak_from_this();
    ConnectionHandlers handlers;
    handlers.on_frame = [weak](std::string frame) {
        if (auto const self = weak.lock()) self->on_frame(frame);
    };
    handlers.on_closed = [weak](Error reason) {
        if (auto const self = weak.lock()) self->end(reason);
    };
    handlers.on_drained = [] {};
    connection_->start(std::move(handlers));
    if (!options_.outbound) return;
    auto first = channel_.start();
    if (!first) return end(first.error());
    std::vector<std::string> frames;
    frames.push_back(*std::move(first));
    send_frames(std::move(frames));
}

void Link::on_frame(std::string const& frame) {
    if (ended_) return;
    counters_.bytes_in += frame.size();
    on_received(channel_.receive(frame));
}

void Link::on_received(Result<SecureChannel::Received> received) {
    if (!received) return end(received.error());
    send_frames(std::move(received->frames));
    if (received->peer) {
        auto const accepted = on_peer(*received->peer);
        if (!accepted) return end(accepted.error());
        auto more = channel_.approve();
        if (!more) return end(more.error());
        send_frames(more->frames);
        if (*accepted) return refuse(**accepted);
        begin_session();
        for (auto& message : more->messages)
            received->messages.push_back(std::move(message));
        received->ended = received->ended || more->ended;
    }
    for (auto const& bytes : received->messages) {
        if (ended_) return;
        auto message = wire::decode(bytes);
        if (!message) return end(message.error());
        if (auto const* batch = std::get_if<wire::Batch>(&*message))
            counters_.entries_in += entries_of(*batch);
        perform(session_->received(*std::move(message), clock_.monotonic_ms(), clock_.now_ms()));
        if (!ended_) handlers_.changed(*this);
    }
    if (received->ended && !ended_) end({Errc::unavailable, "the peer ended the session", {}});
}

Result<std::optional<wire::Refusal>> Link::on_peer(SecureChannel::Peer const& peer) {
    INOS_TRY(Identity const identity, check_identity(peer.payload, peer.static_key));
    site_ = identity.keys.site;
    site_name_ = identity.keys.name;
    return handlers_.accept(*this, identity);
}

void Link::begin_session() {
    connection_->established();
    session_.emplace(options_.space, local_, clock_.monotonic_ms());
    perform(session_->start(clock_.now_ms()));
    if (!ended_) handlers_.established(*this);
}

void Link::set_local(std::shared_ptr<LocalState const> local) {
    local_ = std::move(local);
    if (session_ && !ended_) perform(session_->progress(local_, clock_.monotonic_ms()));
}

void Link::probe() {
    if (session_ && !ended_) perform(session_->probe());
}

void Link::ask_rights(RightsNeed const& need, ActorId to) {
    if (session_ && !ended_) perform(session_->ask_rights(need, to, clock_.monotonic_ms()));
}

void Link::tick(std::uint64_t now_ms) {
    if (session_ && !ended_) perform(session_->tick(now_ms));
}

void Link::close(std::string_view reason) {
    if (std::exchange(ended_, true)) return;
    if (channel_.open()) {
        if (auto frame = channel_.end()) connection_->send(*std::move(frame));
    }
    connection_->close(reason);
}

void Link::refuse(wire::Refusal const& refusal) {
    if (ended_) return;
    auto const keep = shared_from_this();
    send(refusal);
    end({Errc::forbidden, refusal.message, {}});
}

void Link::end(Error const& why) {
    if (ended_) return;
    auto const keep = shared_from_this();
    close(why.code == Errc::protocol ? "protocol error" : "closing");
    handlers_.ended(*this, why);
}

void Link::send_frames(std::vector<std::string> frames) {
    for (auto& frame : frames) {
        if (ended_) return;
        counters_.bytes_out += frame.size();
        connection_->send(std::move(frame));
    }
}

void Link::send(wire::Message const& message) {
    auto frames = channel_.send(wire::encode(message));
    if (!frames) return end(frames.error());
    send_frames(*std::move(frames));
}

// Actions may cause further ones at once (a store that answers on the spot): all are performed in
// the order in which they came up.
void Link::perform(session::Actions actions) {
    for (auto& action : actions)
        actions_.push_back(std::move(action));
    if (std::exchange(performing_, true)) return;
    auto const keep = shared_from_this();
    while (!actions_.empty() && !ended_) {
        session::Action action = std::move(actions_.front());
        actions_.pop_front();
        std::visit([this](auto& a) { do_action(a); }, action);
    }
    performing_ = false;
}

void Link::do_action(session::Send& action) {
    send(action.message);
}

// Sealed with the key of the state that the session has seen, for its statement has gone out. While
// the peer has not got that one nothing is sent; the owner shares it, and the session goes on.
void Link::do_action(session::Collect& action) {
    if (local_->keys->empty() || !local_->membership->was_given(*site_, local_->keys->sealing()))
        return perform(session_->collected(Session::Collected(), clock_.monotonic_ms()));
    auto work = [action = std::move(action),
                 peer = *site_,
                 space = options_.space,
                 key = local_->keys->sealing_key()](Replica& replica) {
        return collect_or_offer(replica, peer, action, space, key);
    };
    store_.query(std::move(work), [weak = weak_from_this()](Result<Session::Collected> collected) {
        auto const self = weak.lock();
        if (!self || self->ended_) return;
        if (collected) self->counters_.entries_out += collected->entries;
        bool const gone = !collected && collected.error().code == Errc::gone;
        std::string const why = gone ? collected.error().message : std::string();
        auto const now = self->clock_.monotonic_ms();
        self->perform(self->session_->collected(std::move(collected), now));
        if (!why.empty() && !self->ended_) self->handlers_.alarm(*self, why);
    });
}

void Link::do_action(session::Apply& action) {
    struct Outcome {
        Result<ApplyReport> report;
        std::shared_ptr<LocalState const> local;
        std::optional<wire::Batch> refused;
    };
    auto work = [batch = std::move(action.batch),
                 was_refused = std::move(action.refused),
                 site = *site_](Replica& replica) mutable {
        auto const run = [&]() -> Result<ApplyReport> {
            if (*was_refused) return tl::unexpected(no_room(replica.disk_status()));
            INOS_CHECK(replica.check_member(site));
            auto const* key = replica.keys()->find(batch.key_id);
            if (!key) return fail(Errc::unavailable, kNoKey);
            INOS_TRY(EntryBatch const opened, wire::open_batch(batch, *key));
            return replica.apply(opened);
        };
        Outcome outcome{run(), std::make_shared<LocalState const>(local_state(replica)), {}};
        *was_refused = !outcome.report && outcome.report.error().code == Errc::no_space;
        if (*was_refused) outcome.refused = std::move(batch);
        return outcome;
    };
    auto answer = [weak = weak_from_this(), moved = handlers_.moved](Outcome outcome) {
        auto const self = weak.lock();
        // The entries are here, though the connection that brought them is gone: others want them.
        if (!self || self->ended_) return moved(outcome.local);
        self->local_ = outcome.local;
        if (outcome.report) {
            for (auto const& site : outcome.report->skewed_sites)
                self->handlers_.alarm(*self,
                                      "the clock of \"" + site + "\" is more than 5 minutes ahead");
            if (outcome.report->took_back) self->handlers_.alarm(*self, kTookBack);
            if (outcome.report->voided > 0)
                self->handlers_.alarm(*self,
                                      std::to_string(outcome.report->voided) +
                                          " entries break the rules; they are kept without effect");
        }
        auto const now = self->clock_.monotonic_ms();
        self->perform(self->session_->applied(
            std::move(outcome.report), outcome.local, now, std::move(outcome.refused)));
        moved(outcome.local);
        if (!self->ended_) self->handlers_.changed(*self);
    };
    store_.query(std::move(work), std::move(answer));
}

void Link::do_action(session::AddStatements& action) {
    add([statements = std::move(action.statements), partial = action.partial, peer = *site_](
            Replica& replica) -> Result<std::size_t> {
        if (!partial) {
            INOS_CHECK(replica.check_member(peer));
            return replica.add_statements(statements);
        }
        // What came with a refusal is looked at only if it explains one: that this site, or the
        // peer, is no member any more.
        Membership const& known = replica.membership();
        Membership next = known;
        next.add_some(statements);
        SiteId const& self = known.by_actor(replica.actor())->site;
        bool const explains = (known.by_site(self) && !next.by_site(self)) ||
                              (known.by_site(peer) && !next.by_site(peer));
        return explains ? replica.learn(statements) : std::size_t{0};
    });
}

void Link::do_action(session::AddAcknowledgements& action) {
    add([set = std::move(action.acknowledgements)](Replica& replica) -> Result<std::size_t> {
        INOS_TRY(auto const added, replica.add_acknowledgements(set));
        return added.size();
    });
}

// Adds something to what the replica knows of the members; `take` answers how much was new.
void Link::add(std::function<Result<std::size_t>(Replica&)> take) {
    struct Outcome {
        Result<std::size_t> added;
        std::shared_ptr<LocalState const> local;
    };
    auto work = [take = std::move(take)](Replica& replica) {
        auto added = take(replica);
        return Outcome{std::move(added), std::make_shared<LocalState const>(local_state(replica))};
    };
    auto answer = [weak = weak_from_this(), moved = handlers_.moved](Outcome outcome) {
        auto const self = weak.lock();
        if (self && !self->ended_) self->session_->statements_added();
        if (outcome.added && *outcome.added > 0) moved(outcome.local);
        // When there is room again, everybody is greeted anew, and all of it comes again.
        bool const waits = !outcome.added && outcome.added.error().code == Errc::no_space;
        if (self && !outcome.added && !waits) self->end(outcome.added.error());
    };
    store_.query(std::move(work), std::move(answer));
}

void Link::do_action(session::RightsAsked& action) {
    handlers_.rights_asked(*this, action.need, action.to);
}

void Link::do_action(session::RootsDiffer&) {
    handlers_.alarm(
        *this,
        "holds the same entries as this site, but not the same records; both look for those that "
        "differ");
}

void Link::do_action(session::Close& action) {
    end(action.reason);
}

}  // namespace inos
