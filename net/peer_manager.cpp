#include "net/peer_manager.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "net/peer_url.hpp"
#include "storage/crypto/site_id.hpp"

namespace inos {
namespace {

// Above it, who waits is told at once what is known: its client may be long gone.
constexpr std::size_t kAcknowledgementWaitsMax = 1'000;

}  // namespace

PeerManager::PeerManager(Options options,
                         Store& store,
                         Transport& transport,
                         Clock const& clock,
                         std::shared_ptr<LocalState const> local,
                         std::vector<Invite> invites,
                         Log log)
    : options_(std::move(options)),
      store_(store),
      transport_(transport),
      clock_(clock),
      local_(std::move(local)),
      log_(std::move(log)),
      repairs_(store, clock, options_.keys.identity.public_key, repairs_host()) {
    for (auto const& url : options_.peers)
        dials_.push_back({url, false, 0, 0, {}, {}});
    for (Invite& invite : invites) {
        auto const id = invite.id;
        invites_.emplace(id, std::move(invite));
    }
}

PeerManager::~PeerManager() {
    stop();
}

namespace {

constexpr std::size_t kRefusalStatementsMax = 64;

// The certificate of the site, and behind it those of its issuers up to the founder, as far as a
// handshake has room: the peer may know none of them.
std::vector<std::string> certificates_of(Membership const& membership, SiteId const& site) {
    std::vector<std::string> out;
    std::size_t bytes = 0;
    for (auto& statement : membership.chain_of(site)) {
        bytes += statement.size();
        if (bytes > kIdentityCertificateBytesMax || out.size() == kIdentityCertificatesMax) break;
        out.push_back(std::move(statement));
    }
    return out;
}

}  // namespace

void PeerManager::stop() {
    if (std::exchange(stopped_, true)) return;
    *alive_ = false;
    for (auto const& link : std::exchange(links_, {}))
        link->close("going away");
    pairings_.clear();
}

std::string PeerManager::site_id() const {
    return site_id_text(options_.keys.identity.public_key);
}
std::string PeerManager::space_name() const {
    return local_->membership->genesis().name;
}

// ---- links -------------------------------------------------------

void PeerManager::tick() {
    if (stopped_) return;
    std::uint64_t const now = clock_.monotonic_ms();
    for (std::size_t i = 0; i < dials_.size(); ++i) {
        bool const connected = dials_[i].site && link_of(*dials_[i].site);
        if (!connected && !dials_[i].dialling && now >= dials_[i].next_ms) dial(dials_[i]);
    }
    for (auto const& link : std::vector(links_)) {
        link->tick(now);
        if (link->session() && !link->ended() && now > link->began_ms() + kLinkLifeMs) {
            link->close("time for new keys");
            link_ended(*link, {Errc::unavailable, "the connection was a day old", {}});
        }
    }
    drop_late_pairings(now);
    check_waiting();
    repairs_.tick();
}

void PeerManager::dial(Dial& dial) {
    dial.dialling = true;
    std::string const url = dial.url;
    transport_.dial(url,
                    [this, url, alive = alive_](Result<std::shared_ptr<Connection>> connection) {
                        if (!*alive) return;
                        Dial* const entry = find_dial(url);
                        if (!entry) return;  // forgotten meanwhile
                        if (connection) return open_link(*std::move(connection), true, url);
                        entry->dialling = false;
                        entry->last_error = connection.error().message;
                        back_off(*entry);
                    });
}

void PeerManager::back_off(Dial& dial) {
    std::uint64_t const wait =
        std::min(kBackoffMaxMs, kBackoffMinMs << std::min(dial.attempts++, 10));
    dial.next_ms = clock_.monotonic_ms() + wait / 2 + crypto::random_u64() % (wait / 2 + 1);
}

void PeerManager::accept(std::shared_ptr<Connection> connection) {
    if (stopped_) return connection->close("going away");
    if (connection->path().starts_with(kPairPrefix)) return start_pairing(std::move(connection));
    if (links_.size() >= kPeersMax) return connection->close("too many peers");
    open_link(std::move(connection), false, {});
}

void PeerManager::open_link(std::shared_ptr<Connection> connection,
                            bool outbound,
                            std::string const& url) {
    auto certificate = make_site_key_certificate(options_.keys, options_.name, 1);
    INOS_ASSERT(certificate.has_value());
    Identity const identity{
        *std::move(certificate),
        certificates_of(*local_->membership, options_.keys.identity.public_key)};
    SecureChannelOptions channel;
    channel.role = outbound ? ChannelRole::initiator : ChannelRole::responder;
    channel.pattern = ChannelPattern::xx;
    channel.prologue = make_prologue({kSyncPath, *subprotocol_of(kSyncPath), ChannelPattern::xx});
    channel.static_key = options_.keys.channel;
    channel.own_payload = encode_identity(identity);
    Link::Options options{local_->membership->space(), outbound, url};
    auto link = std::make_shared<Link>(std::move(options),
                                       std::move(connection),
                                       std::move(channel),
                                       store_,
                                       clock_,
                                       link_handlers());
    link->set_local(local_);
    links_.push_back(link);
    link->start();
}

Link::Handlers PeerManager::link_handlers() {
    Link::Handlers handlers;
    handlers.accept = [this](Link& link, Identity const& identity) {
        return accept_peer(link, identity);
    };
    handlers.established = [this](Link& link) {
        log_("peer_connected", "connected with \"" + link.site_name() + "\"");
        share_key(*link.site());
        for (Dial& dial : dials_) {
            if (dial.url == link.url()) dial.dialling = false;
            if (dial.site == link.site()) dial.last_error.clear();
        }
    };
    handlers.changed = [this](Link&) { check_waiting(); };
    handlers.moved = [this, alive = alive_](std::shared_ptr<LocalState const> local) {
        if (*alive) set_local(std::move(local));
    };
    handlers.rights_asked = [this](Link& link, RightsNeed const& need, ActorId to) {
        grant_rights(link, need, to);
    };
    handlers.unlike = [this](Link& link, HeadComparison::Unlike const& fork) {
        auto const* author = local_->membership->by_actor(fork.actor);
        // Once: the sites meet again and again.
        if (!author || !unlike_.insert({*link.site(), fork.actor}).second) return;
        log_("alarm",
             "\"" + link.site_name() + "\": holds another history of the site \"" + author->name +
                 "\" than this site, from entry " + std::to_string(fork.seq) +
                 " or earlier on: two copies of it have been writing as one");
    };
    handlers.searched = [this](Link& link, session::Searched found) {
        repairs_.searched(link, std::move(found));
    };
    handlers.states_came = [this](Link& link, session::StatesCame came) {
        repairs_.states_came(link, std::move(came));
    };
    handlers.alarm = [this](Link& link, std::string const& what) {
        log_("alarm", "\"" + link.site_name() + "\": " + what);
    };
    handlers.ended = [this](Link& link, Error const& why) { link_ended(link, why); };
    return handlers;
}

// Only members get past the handshake. A new one may bring its certificate along, if an admin that
// is known here has issued it. One that is no member any more is told so, with what shows it.
Result<std::optional<wire::Refusal>> PeerManager::accept_peer(Link& link,
                                                              Identity const& identity) {
    SiteId const& site = identity.keys.site;
    if (Dial* const entry = find_dial(link.url())) entry->site = site;
    if (site == options_.keys.identity.public_key)
        return fail(Errc::usage, "the address \"" + link.url() + "\" is this site itself");
    INOS_TRY(auto refusal, check_member(identity));
    if (refusal) return refusal;
    for (auto const& other : std::vector(links_)) {
        if (other.get() == &link || other->site() != site) continue;
        if (!keep_new(*other, link, site))
            return fail(Errc::conflict, "connected with \"" + identity.keys.name + "\" already");
        other->close("a newer connection took over");
        std::erase(links_, other);
    }
    return refusal;
}

Result<std::optional<wire::Refusal>> PeerManager::check_member(Identity const& identity) {
    SiteId const& site = identity.keys.site;
    auto const uses_its_key = [&](Certificate const& member) {
        return member.channel == identity.keys.channel_key;
    };
    Membership with = *local_->membership;
    auto const* known = with.by_site(site);
    bool const added =
        !(known && uses_its_key(*known)) && !with.add_some(identity.certificates).empty();
    auto refusal = refusal_of(with, site);
    auto const* member = with.by_site(site);
    if (!member && !refusal)
        return fail(Errc::forbidden,
                    "the site \"" + identity.keys.name + "\" is no member of this space");
    if (member && !uses_its_key(*member))
        return fail(
            Errc::forbidden,
            "the site \"" + identity.keys.name + "\" uses another key than its certificate");
    // Nothing is taken from a site that is refused.
    if (!added || refusal) return refusal;
    auto work = [set = identity.certificates](Replica& replica) { return replica.learn(set); };
    store_.query(std::move(work), [this, alive = alive_](Result<std::size_t> const& count) {
        if (*alive && count) refresh();
    });
    return refusal;
}

// What is said to a site before it is shut out: that it is no member any more, or that this site is
// none. nullopt: both are members, or nobody knows the other.
std::optional<wire::Refusal> PeerManager::refusal_of(Membership const& membership,
                                                     SiteId const& site) const {
    SiteId const& self = options_.keys.identity.public_key;
    bool const self_out = !membership.by_site(self);
    SiteId const& who = self_out ? self : site;
    if (membership.by_site(who)) return std::nullopt;
    wire::Refusal refusal;
    if (membership.actors_of(who).empty()) return std::nullopt;
    refusal.statements = membership.why_not(who);
    if (refusal.statements.size() > kRefusalStatementsMax)
        refusal.statements.resize(kRefusalStatementsMax);
    auto const by = membership.view().retired.find(who);
    std::string const name = "the site \"" + membership.name_of(who) + "\"";
    refusal.message = by == membership.view().retired.end()
                          ? name + " was admitted by an admin that is none any more"
                          : name + " was retired from the space by \"" +
                                membership.name_of(by->second.front()->statement.issuer) + "\"";
    refusal.message += "; it may join again with a new invitation";
    return refusal;
}

// Sessions with sites that are no members any more end at once.
void PeerManager::refuse_former_members() {
    for (auto const& link : std::vector(links_)) {
        if (!link->session() || link->ended()) continue;
        auto const refusal = refusal_of(*local_->membership, *link->site());
        if (refusal) link->refuse(*refusal);
    }
}

// Both ends decide alike: the connection that the site with the lower id has dialled stays.
bool PeerManager::keep_new(Link const& old, Link const& candidate, SiteId const& site) const {
    if (old.outbound() == candidate.outbound()) return true;
    bool const we_are_lower = options_.keys.identity.public_key < site;
    return candidate.outbound() == we_are_lower;
}

void PeerManager::link_ended(Link& link, Error const& why) {
    if (stopped_) return;
    if (link.session()) log_("peer_disconnected", "\"" + link.site_name() + "\": " + why.message);
    if (Dial* const entry = find_dial(link.url())) {
        entry->dialling = false;
        bool const served = entry->site && link_of(*entry->site) && why.code == Errc::conflict;
        entry->last_error = served ? "" : why.message;
        // Only a connection that has lasted was a success: one may fail whenever it stands.
        std::uint64_t const now = clock_.monotonic_ms();
        bool const lasted = link.session() && now > link.began_ms() + kBackoffMaxMs;
        if (lasted) entry->attempts = 0;
        back_off(*entry);
    }
    std::erase_if(links_, [&](auto const& other) { return other.get() == &link; });
}

std::shared_ptr<Link> PeerManager::link_of(SiteId const& site) const {
    for (auto const& link : links_)
        if (link->session() && !link->ended() && link->site() == site) return link;
    return nullptr;
}

PeerManager::Dial* PeerManager::find_dial(std::string const& url) {
    if (url.empty()) return nullptr;
    auto const it =
        std::find_if(dials_.begin(), dials_.end(), [&](Dial const& d) { return d.url == url; });
    return it == dials_.end() ? nullptr : &*it;
}

void PeerManager::refresh() {
    if (stopped_) return;
    if (std::exchange(refreshing_, true)) {
        refresh_again_ = true;
        return;
    }
    auto work = [](Replica& replica) {
        return std::make_shared<LocalState const>(local_state(replica));
    };
    store_.query(work, [this, alive = alive_](std::shared_ptr<LocalState const> local) {
        if (!*alive) return;
        refreshing_ = false;
        set_local(std::move(local));
        if (std::exchange(refresh_again_, false)) refresh();
    });
}

// Of a write that failed nobody knows whether it was done, and it may have used up an invitation.
// Those that are unknown here were never shown to anybody, or were revoked.
void PeerManager::recovered() {
    if (stopped_) return;
    auto work = [](Replica& replica) { return load_invites(replica); };
    store_.query(work, [this, alive = alive_](Result<std::vector<Invite>> stored) {
        if (!*alive || !stored) return;
        for (Invite& invite : *stored)
            if (auto const known = invites_.find(invite.id); known != invites_.end())
                known->second = std::move(invite);
    });
    refresh();
    greet_anew();
}

void PeerManager::greet_anew() {
    for (auto const& link : std::vector(links_)) {
        link->close("the database was opened anew");
        link_ended(*link, {Errc::unavailable, "the database was opened anew", {}});
    }
}

void PeerManager::set_local(std::shared_ptr<LocalState const> local) {
    if (stopped_) return;
    if (local_->actor != local->actor)
        log_("actor_renewed",
             "this site goes on under a new actor: its rights were changed, or it was not certain "
             "that this directory was the last to write under the old one");
    bool const members_changed = local_->membership != local->membership;
    bool const was_member = is_member(*local_);
    local_ = std::move(local);
    if (was_member && !is_member(*local_))
        log_("alarm",
             "this site is no member of the space any more; it takes no writes and exchanges "
             "nothing, see `inos status`");
    if (members_changed) {
        refuse_former_members();
        rotate_exposed_key();
        for (auto const& link : std::vector(links_))
            if (link->session() && !link->ended()) share_key(*link->site());
    }
    for (auto const& link : std::vector(links_))
        link->set_local(local_);
    if (on_progress_) on_progress_();
}

// Of two retirements at once each comes with a key that the other one's site got too. An admin that
// sees the key in force with a former member makes a new one.
void PeerManager::rotate_exposed_key() {
    auto const exposed = [](Membership const& membership, KeyRing const& keys) {
        auto const& retired = membership.view().retired;
        return !keys.empty() && keys.sealing().epoch > 0 &&
               std::any_of(retired.begin(), retired.end(), [&](auto const& site) {
                   return membership.was_given(site.first, keys.sealing());
               });
    };
    auto const* own = local_->membership->by_site(options_.keys.identity.public_key);
    if (!own || own->role != Role::admin || !exposed(*local_->membership, *local_->keys)) return;
    auto work = [exposed](Replica& replica) -> Result<void> {
        if (!exposed(replica.membership(), *replica.keys())) return {};
        return replica.rotate_key();
    };
    store_.query(std::move(work), [this, alive = alive_](Result<void> const& rotated) {
        if (*alive && rotated) refresh();
    });
}

// A member that was admitted while another admin rotated the key has not got it: whoever meets it
// first hands it over.
void PeerManager::share_key(SiteId const& site) {
    bool const lacks = local_->membership->by_site(site) && !local_->keys->empty() &&
                       !local_->membership->was_given(site, local_->keys->sealing());
    if (!lacks) return;
    auto work = [site](Replica& replica) { return replica.share_key(site); };
    store_.query(std::move(work), [this, alive = alive_](Result<bool> const& shared) {
        if (*alive && shared && *shared) refresh();
    });
}

bool PeerManager::is_member(LocalState const& local) const {
    return local.membership->by_site(options_.keys.identity.public_key) != nullptr;
}

bool PeerManager::settled() const {
    return std::any_of(links_.begin(), links_.end(), [](auto const& link) {
        return link->session() && link->session()->settled();
    });
}

SessionLoad PeerManager::heaviest_session() const {
    SessionLoad most;
    for (auto const& link : links_) {
        if (!link->session()) continue;
        SessionLoad const load = link->session()->load();
        most.in_flight_bytes = std::max(most.in_flight_bytes, load.in_flight_bytes);
        most.pending = std::max(most.pending, load.pending);
        most.pending_bytes = std::max(most.pending_bytes, load.pending_bytes);
    }
    return most;
}

// ---- what the API asks -------------------------------------------

std::vector<PeerStatus> PeerManager::peers() const {
    std::vector<PeerStatus> list;
    auto const fill = [](PeerStatus& status, Link const& link) {
        status.site = site_id_text(*link.site());
        status.name = link.site_name();
        status.state = "connected";
        status.behind = link.session()->behind();
        status.ahead = link.session()->ahead();
        status.skew_ms = link.session()->skew_ms();
        status.full = !link.session()->peer_has_room();
        status.bytes_in = link.counters().bytes_in;
        status.bytes_out = link.counters().bytes_out;
        status.entries_in = link.counters().entries_in;
        status.entries_out = link.counters().entries_out;
    };
    std::vector<Link const*> shown;
    for (Dial const& dial : dials_) {
        PeerStatus status;
        status.url = dial.url;
        status.last_error = dial.last_error;
        status.state = dial.dialling ? "connecting" : "waiting";
        if (auto const link = dial.site ? link_of(*dial.site) : nullptr) {
            fill(status, *link);
            shown.push_back(link.get());
        } else if (auto const* known =
                       dial.site ? local_->membership->by_site(*dial.site) : nullptr) {
            status.site = site_id_text(known->site);
            status.name = known->name;
        }
        list.push_back(std::move(status));
    }
    for (auto const& link : links_) {
        bool const listed = std::find(shown.begin(), shown.end(), link.get()) != shown.end();
        if (!link->session() || link->ended() || listed) continue;
        PeerStatus status;
        fill(status, *link);
        list.push_back(std::move(status));
    }
    return list;
}

Result<void> PeerManager::add_peer(std::string const& url) {
    INOS_TRY(PeerUrl const parsed, parse_peer_url(url));
    if (parsed.path != kSyncPath)
        return fail(Errc::invalid, "\"" + url + "\" is an address for pairing, not of a peer");
    if (Dial* const known = find_dial(url)) {
        known->next_ms = 0;
        known->attempts = 0;
        tick();
        return {};
    }
    if (dials_.size() >= kRememberedAddressesMax)
        return fail(Errc::too_large,
                    "this site remembers " + std::to_string(dials_.size()) +
                        " addresses already; remove one first");
    dials_.push_back({url, false, 0, 0, {}, {}});
    remember_peers();
    tick();
    return {};
}

Result<void> PeerManager::remove_peer(std::string const& url) {
    Dial* const known = find_dial(url);
    if (!known)
        return fail(Errc::not_found,
                    "\"" + url + "\" is not among the addresses that this site dials");
    auto const site = known->site;
    std::erase_if(dials_, [&](Dial const& dial) { return dial.url == url; });
    remember_peers();
    drop_links_to(url, site);
    return {};
}

void PeerManager::drop_links_to(std::string const& url, std::optional<SiteId> const& site) {
    for (auto const& link : std::vector(links_)) {
        bool const there = link->url() == url || (site && link->site() == site);
        if (!there) continue;
        link->close("removed");
        std::erase(links_, link);
    }
}

void PeerManager::remember_peers() {
    std::vector<std::string> urls;
    for (Dial const& dial : dials_)
        urls.push_back(dial.url);
    auto work = [urls = std::move(urls)](Replica& replica) {
        return save_peers(replica.engine(), urls);
    };
    store_.query(std::move(work), [this, alive = alive_](Result<void> const& saved) {
        if (*alive && !saved)
            log_("alarm", "the peers' addresses could not be saved: " + saved.error().message);
    });
}

// ---- verification and waiting for acknowledgements ---------------

void PeerManager::verify(std::function<void(Result<VerifyReport>)> done) {
    Verification verification;
    verification.deadline_ms = clock_.monotonic_ms() + kVerifyTimeoutMs;
    verification.done = std::move(done);
    for (auto const& link : links_)
        if (link->session()) verification.acks[*link->site()] = link->session()->acks_received();
    verifications_.push_back(std::move(verification));
    refresh();
    for (auto const& link : std::vector(links_))
        link->probe();
    check_verifications(clock_.monotonic_ms());
}

void PeerManager::check_verifications(std::uint64_t now_ms) {
    std::vector<Verification> finished;
    for (std::size_t i = 0; i < verifications_.size();) {
        Verification& verification = verifications_[i];
        bool answered = !refreshing_;
        for (auto const& [site, acks] : verification.acks) {
            auto const link = link_of(site);
            if (link && link->session()->acks_received() <= acks) answered = false;
        }
        if (answered || now_ms >= verification.deadline_ms) {
            finished.push_back(std::move(verification));
            verifications_.erase(verifications_.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    for (Verification& verification : finished)
        verification.done(compare());
}

VerifyReport PeerManager::compare() const {
    VerifyReport report;
    report.agree = true;
    report.root = local_->root.text();
    auto const own = wire::vector_digest(local_->vector, local_->chains);
    for (Certificate const& member : local_->membership->sites()) {
        if (member.site == options_.keys.identity.public_key || member.role == Role::relay)
            continue;
        SiteComparison site;
        site.site = site_id_text(member.site);
        site.name = member.name;
        site.state = "unreachable";
        auto const link = link_of(member.site);
        if (link && link->session()->peer_root()) {
            Session const& session = *link->session();
            site.root = session.peer_root()->text();
            site.behind = session.behind();
            site.ahead = session.ahead();
            bool const same_entries = session.peer_vector_digest() == own;
            if (same_entries)
                site.state = site.root == report.root ? "agrees" : "differs";
            else if (site.behind > 0 && site.ahead > 0)
                site.state = "diverged";
            else
                site.state = site.ahead > 0 ? "ahead" : "behind";
        }
        report.agree = report.agree && site.state == "agrees";
        report.peers.push_back(std::move(site));
    }
    return report;
}

std::size_t PeerManager::acknowledged_by(VersionVector const& held) const {
    return static_cast<std::size_t>(
        std::count_if(links_.begin(), links_.end(), [&](auto const& link) {
            return link->session() && link->session()->acknowledged().includes(held);
        }));
}

void PeerManager::wait_acknowledged(VersionVector held,
                                    std::size_t sites,
                                    std::uint64_t timeout_ms,
                                    std::function<void(std::size_t)> done) {
    if (waiting_.size() >= kAcknowledgementWaitsMax) return done(acknowledged_by(held));
    waiting_.push_back(
        {std::move(held), sites, clock_.monotonic_ms() + timeout_ms, std::move(done)});
    check_waiting();
}

void PeerManager::check_waiting() {
    std::uint64_t const now = clock_.monotonic_ms();
    check_verifications(now);
    auto const first_over =
        std::stable_partition(waiting_.begin(), waiting_.end(), [&](Waiting const& wait) {
            return acknowledged_by(wait.held) < wait.sites && now < wait.deadline_ms;
        });
    std::vector<Waiting> over(std::make_move_iterator(first_over),
                              std::make_move_iterator(waiting_.end()));
    waiting_.erase(first_over, waiting_.end());
    for (Waiting& wait : over)
        wait.done(acknowledged_by(wait.held));
}

}  // namespace inos
