// One connection to a peer: the channel over the transport's connection, and above it the session.
// Turns a session's actions into work for the store and frames for the connection, and feeds the
// outcome back. No clock, no sockets, no threads of its own: time and transport come from outside.
//
// Life: made with a connection -> handshake -> the owner is asked to accept the peer -> session ->
// ended (once, with a reason). Everything on the node's thread; answers of the store that come
// after the end are dropped.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/identity.hpp"
#include "net/secure_channel.hpp"
#include "net/session.hpp"
#include "net/store.hpp"
#include "net/transport.hpp"
#include "storage/clock.hpp"

namespace inos {

class Link : public std::enable_shared_from_this<Link> {
public:
    struct Options {
        SpaceId space{};
        bool outbound = false;
        std::string url;  // what was dialled
    };
    struct Handlers {
        // The handshake has shown who the peer is. An error ends the link without a word; a refusal
        // is said to the peer, inside the channel, before the link ends.
        std::function<Result<std::optional<wire::Refusal>>(Link&, Identity const&)> accept;
        std::function<void(Link&)> established;  // the session has begun
        std::function<void(Link&)> changed;      // what is known of the peer has moved
        // The replica took something in. May come after the link's end, and after its destruction.
        std::function<void(std::shared_ptr<LocalState const>)> moved;
        std::function<void(Link&, RightsNeed const&, ActorId to)> rights_asked;
        // The peer has another history of an actor, and more of it: it cannot be shown here.
        std::function<void(Link&, HeadComparison::Unlike const&)> unlike;
        std::function<void(Link&, session::Searched)> searched;
        std::function<void(Link&, session::StatesCame)> states_came;
        std::function<void(Link&, std::string const& what)> alarm;
        std::function<void(Link&, Error const& why)> ended;
    };

    Link(Options options,
         std::shared_ptr<Connection> connection,
         SecureChannelOptions channel,
         Store& store,
         Clock const& clock,
         Handlers handlers);

    void start();
    // What we hold now; kept for the session that may begin later.
    void set_local(std::shared_ptr<LocalState const> local);
    void probe();
    void search();
    void ask_states(std::vector<std::string> keys);
    void ask_rights(RightsNeed const& need, ActorId to);
    void tick(std::uint64_t now_ms);
    // Says goodbye inside the channel and ends without calling `ended`.
    void close(std::string_view reason);
    // Says why the peer is refused from now on, and ends; `ended` is called.
    void refuse(wire::Refusal const& refusal);

    bool outbound() const { return options_.outbound; }
    std::string const& url() const { return options_.url; }
    std::optional<SiteId> const& site() const { return site_; }
    std::string const& site_name() const { return site_name_; }
    Session const* session() const { return session_ ? &*session_ : nullptr; }
    std::uint64_t began_ms() const { return began_ms_; }
    bool ended() const { return ended_; }

    struct Counters {
        std::uint64_t bytes_in = 0, bytes_out = 0, entries_in = 0, entries_out = 0;
    };
    Counters const& counters() const { return counters_; }

private:
    void on_frame(std::string const& frame);
    void on_received(Result<SecureChannel::Received> received);
    Result<std::optional<wire::Refusal>> on_peer(SecureChannel::Peer const& peer);
    void begin_session();
    void end(Error const& why);
    void send_frames(std::vector<std::string> frames);
    void send(wire::Message const& message);
    void perform(session::Actions actions);
    void do_action(session::Send& action);
    void do_action(session::Collect& action);
    void do_action(session::Apply& action);
    void do_action(session::AddStatements& action);
    void do_action(session::AddAcknowledgements& action);
    void do_action(session::RightsAsked& action);
    void do_action(session::CompareHeads& action);
    void do_action(session::AddFork& action);
    void on_compared(Result<HeadComparison> const& comparison);
    void alarm_fork(HeadComparison::Found const& found);
    void do_action(session::AskState& action);
    void do_action(session::GiveState& action);
    void do_action(session::TakeState& action);
    void tell_damage(Error const& error);
    void do_action(session::StateFailed& action);
    void do_action(session::RootsDiffer& action);
    void do_action(session::AnswerRepair& action);
    void do_action(session::CompareRange& action);
    void do_action(session::Searched& action);
    void do_action(session::StatesCame& action);
    void add(std::function<Result<std::size_t>(Replica&)> take);
    void do_action(session::Close& action);

    Options options_;
    std::shared_ptr<Connection> connection_;
    SecureChannel channel_;
    Store& store_;
    Clock const& clock_;
    Handlers handlers_;
    std::uint64_t began_ms_;
    std::shared_ptr<LocalState const> local_;
    std::optional<SiteId> site_;
    std::string site_name_;
    std::optional<Session> session_;
    std::deque<session::Action> actions_;
    bool performing_ = false;
    bool damage_told_ = false;
    bool ended_ = false;
    Counters counters_;
};

}  // namespace inos
