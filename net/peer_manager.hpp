// The peers of one node: dials them, takes their calls, keeps one link per site, pairs new sites,
// and answers what the API asks about all of that. No sockets, clocks or threads of its own; the
// node (or the simulator) gives it a transport, a store and a clock, and calls tick() about ten
// times a second.
//
// Dialling: each known address that leads to no connected site is dialled again with capped,
// jittered backoff (kBackoffMin doubling to kBackoffMax, from the start again after a connection
// that lasted longer than kBackoffMax). Two connections with one site: the one that the site with
// the lower id has dialled stays, at both ends alike; of two from one side the newer one.
//
// Thread: the node's; callbacks too. Limits: kPeersMax links, kAddressesMax remembered addresses.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/link.hpp"
#include "net/node_control.hpp"
#include "net/pairing_code.hpp"
#include "net/repairs.hpp"
#include "storage/invites.hpp"
#include "storage/site_directory.hpp"

namespace inos {

inline constexpr std::uint64_t kBackoffMinMs = 250, kBackoffMaxMs = 30'000;
inline constexpr std::uint64_t kLinkLifeMs = 24ull * 3600 * 1000;  // then dial again, with new keys
inline constexpr std::uint64_t kVerifyTimeoutMs = 5'000;
inline constexpr std::uint64_t kRightsPatienceMs = 2'000;
inline constexpr std::size_t kRightsAskedMax = 1'000;  // fields that are asked for at a time
inline constexpr std::size_t kPeersMax = 256;
inline constexpr std::size_t kRememberedAddressesMax = 256;

class PeerManager final : public NodeControl {
public:
    struct Options {
        SiteKeys keys;
        std::string name;  // the site's
        SpaceKeys space_keys;
        std::vector<std::string> peers;  // addresses to dial
    };
    // A line for the log: a stable event name, then words.
    using Log = std::function<void(std::string_view event, std::string const& text)>;

    PeerManager(Options options,
                Store& store,
                Transport& transport,
                Clock const& clock,
                std::shared_ptr<LocalState const> local,
                std::vector<Invite> invites,
                Log log);
    ~PeerManager() override;

    // Hand this to Transport::listen. The addresses go into invitations that name none.
    void accept(std::shared_ptr<Connection> connection);
    void listening_on(std::vector<std::string> addresses) { listening_ = std::move(addresses); }
    void tick();
    // Something was committed here: look at the replica again.
    void refresh();
    // A write lacked rights of a bounded counter, or has left little: asks the sites that hold most
    // and can be reached.
    void need_rights(RightsNeed const& need);
    // The replica was read again after its disk had been full: what was not taken meanwhile has to
    // come again, so all links end, and sites greet each other anew.
    void recovered();
    // Called whenever the replica is known to hold more.
    void on_progress(std::function<void()> callback) { on_progress_ = std::move(callback); }
    // Ends all links, politely.
    void stop();
    LocalState const& local() const { return *local_; }
    // Everything that any connected site had when we met is here.
    bool settled() const;
    // The most that any of the sessions has of each, for those who watch the bounds.
    SessionLoad heaviest_session() const;

    bool running() const override { return true; }
    std::string site_id() const override;
    std::string site_name() const override { return options_.name; }
    std::string space_name() const override;
    std::vector<PeerStatus> peers() const override;
    Result<void> add_peer(std::string const& url) override;
    Result<void> remove_peer(std::string const& url) override;
    void verify(std::function<void(Result<VerifyReport>)> done) override;
    void repair(std::function<void(Result<RepairReport>)> done) override;
    RepairCounts repair_counts() const override { return repairs_.counts(); }
    void invite(InviteRequest request, std::function<void(Result<InviteInfo>)> done) override;
    std::vector<InviteInfo> invites() const override;
    Result<void> revoke_invite(std::string const& id) override;
    void members_changed() override { refresh(); }
    std::size_t acknowledged_by(VersionVector const& held) const override;
    void wait_acknowledged(VersionVector held,
                           std::size_t sites,
                           std::uint64_t timeout_ms,
                           std::function<void(std::size_t)> done) override;

private:
    struct Dial {
        std::string url;
        bool dialling = false;
        int attempts = 0;
        std::uint64_t next_ms = 0;
        std::optional<SiteId> site;  // who answered there
        std::string last_error;
    };
    struct Verification {
        std::uint64_t deadline_ms = 0;
        std::map<SiteId, std::uint64_t> acks;  // how many each had sent when asked
        std::function<void(Result<VerifyReport>)> done;
    };
    struct Waiting {
        VersionVector held;
        std::size_t sites = 0;
        std::uint64_t deadline_ms = 0;
        std::function<void(std::size_t)> done;
    };
    // Of one bounded counter: what this site has asked for a moment ago.
    struct RightsAsked {
        bool ahead = false;
        std::uint64_t until_ms = 0;
    };
    using RightsKey = std::pair<RecordName, std::string>;
    class Pairing;

    void dial(Dial& dial);
    void back_off(Dial& dial);
    void open_link(std::shared_ptr<Connection> connection, bool outbound, std::string const& url);
    Link::Handlers link_handlers();
    Result<std::optional<wire::Refusal>> accept_peer(Link& link, Identity const& identity);
    Result<std::optional<wire::Refusal>> check_member(Identity const& identity);
    std::optional<wire::Refusal> refusal_of(Membership const& membership, SiteId const& site) const;
    void refuse_former_members();
    void share_key(SiteId const& site);
    void rotate_exposed_key();
    bool is_member(LocalState const& local) const;
    void link_ended(Link& link, Error const& why);
    bool keep_new(Link const& old, Link const& candidate, SiteId const& site) const;
    void drop_links_to(std::string const& url, std::optional<SiteId> const& site);
    void set_local(std::shared_ptr<LocalState const> local);
    std::shared_ptr<Link> link_of(SiteId const& site) const;
    Dial* find_dial(std::string const& url);
    void remember_peers();
    void check_waiting();
    void check_verifications(std::uint64_t now_ms);
    VerifyReport compare() const;
    Repairs::Host repairs_host();
    bool note_asked(RightsNeed const& need);
    void ask_holders(RightsNeed const& need, FieldRights const& rights, ActorId to);
    void grant_rights(Link const& link, RightsNeed const& need, ActorId to);
    void start_pairing(std::shared_ptr<Connection> connection);
    void greet_anew();
    void drop_late_pairings(std::uint64_t now_ms);
    void pairing_failed(InviteId const& id);
    void pairing_done(Invite invite);
    void forget_expired_invites();

    Options options_;
    Store& store_;
    Transport& transport_;
    Clock const& clock_;
    std::shared_ptr<LocalState const> local_;
    Log log_;
    std::vector<std::string> listening_;  // addresses at which others may reach us
    std::function<void()> on_progress_;
    std::vector<Dial> dials_;
    std::vector<std::shared_ptr<Link>> links_;  // in handshake or established
    std::vector<Verification> verifications_;
    Repairs repairs_;
    std::vector<Waiting> waiting_;
    std::map<RightsKey, RightsAsked> rights_asked_;
    std::map<InviteId, Invite> invites_;
    std::set<std::pair<SiteId, ActorId>> unlike_;  // histories: whose peer was named for which
    std::vector<std::shared_ptr<Pairing>> pairings_;
    bool refreshing_ = false, refresh_again_ = false, stopped_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Passes everything on, and tells the peer manager of commits.
class WatchedStore final : public Store {
public:
    explicit WatchedStore(Store& inner) : inner_(inner) {}
    void on_commit(std::function<void()> callback) { on_commit_ = std::move(callback); }
    // A commit lacked rights of a bounded counter, or has left little of them.
    void on_rights(std::function<void(RightsNeed const&)> callback) {
        on_rights_ = std::move(callback);
    }

    void commit(Transaction transaction, std::function<void(Result<Committed>)> done) override {
        auto watched = [this, done = std::move(done)](Result<Committed> result) {
            // A refusal for want of rights may have taken a new actor.
            bool const moved = result ? result->dot.has_value() : result.error().rights != nullptr;
            if (moved && on_commit_) on_commit_();
            tell_rights(result);
            done(std::move(result));
        };
        inner_.commit(std::move(transaction), std::move(watched));
    }
    void run(std::function<void(Replica&)> work, std::function<void()> done) override {
        inner_.run(std::move(work), std::move(done));
    }

private:
    void tell_rights(Result<Committed> const& result) const {
        if (!on_rights_) return;
        if (!result && result.error().rights) on_rights_(need_of(*result.error().rights));
        if (!result) return;
        for (RightsNeed const& need : result->low)
            on_rights_(need);
    }

    Store& inner_;
    std::function<void()> on_commit_;
    std::function<void(RightsNeed const&)> on_rights_;
};

}  // namespace inos
