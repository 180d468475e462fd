// The admin's side of pairing, and the part of the peer manager that keeps invitations.
// docs/protocol.md, pairing, shows the exchange.

#include <algorithm>
#include <utility>

#include "net/peer_manager.hpp"
#include "net/peer_url.hpp"
#include "net/wire/codec.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kPairingDeadlineMs = 30'000;
constexpr std::size_t kPairingsMax = 16;
constexpr std::size_t kScopeBytesMax = 4'096;
constexpr std::size_t kGrantBytesMax = 2 << 20, kGrantStatementsMax = 1'000;

std::string_view view(InviteId const& id) {
    return {reinterpret_cast<char const*>(id.data()), id.size()};
}

std::optional<InviteId> parse_invite_id(std::string_view text) {
    auto const bytes = crypto::unhex(text);
    InviteId id;
    if (!bytes || bytes->size() != id.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return id;
}

// What could not become a certificate that fits into a handshake is refused before there is a code.
Result<void> check_request(InviteRequest const& request) {
    if (request.role == Role::relay)
        return fail(Errc::unsupported,
                    "this version has no relays: every site that joins can read the space; invite "
                    "a reader instead",
                    "role");
    std::size_t bytes = 0;
    for (auto const& collection : request.scope) {
        if (!valid_name(collection))
            return fail(Errc::invalid,
                        "the collection's name \"" + collection +
                            "\" has to be 1 to 256 bytes of UTF-8 without control characters",
                        "write");
        bytes += collection.size() + 2;
    }
    if (bytes > kScopeBytesMax)
        return fail(Errc::too_large,
                    "the names of the " + std::to_string(request.scope.size()) +
                        " collections that the site may write take " + std::to_string(bytes) +
                        " bytes; the limit is " + std::to_string(kScopeBytesMax),
                    "write");
    return {};
}

// The membership log, as far as a grant has room: then those that the certificate cannot be checked
// without. The others come at the first meeting, in as many pieces as it takes.
std::vector<std::string> admission_of(Membership const& known, std::string const& certificate) {
    Membership membership = known;
    membership.add_some({certificate});
    std::vector<std::string> all = membership.all_bytes();
    std::size_t bytes = 0;
    for (auto const& statement : all)
        bytes += statement.size();
    if (bytes <= kGrantBytesMax && all.size() <= kGrantStatementsMax) return all;
    auto const admitted = decode_certificate(certificate);
    INOS_ASSERT(admitted.has_value());
    return membership.chain_of(admitted->site);
}

InviteInfo info_of(Invite const& invite) {
    return {crypto::hex(view(invite.id)), {}, invite.role, invite.expires_unix_s, invite.failures};
}

}  // namespace

// One joiner at the door: handshake with the invitation's psk, admission, grant, and its word that
// it holds the grant.
class PeerManager::Pairing : public std::enable_shared_from_this<Pairing> {
public:
    Pairing(PeerManager& manager,
            std::shared_ptr<Connection> connection,
            SecureChannelOptions channel,
            InviteId const& id)
        : manager_(manager),
          alive_(manager.alive_),
          connection_(std::move(connection)),
          channel_(std::move(channel)),
          id_(id),
          deadline_ms_(manager.clock_.monotonic_ms() + kPairingDeadlineMs) {}

    void start() {
        std::weak_ptr<Pairing> const weak = weak_from_this();
        ConnectionHandlers handlers;
        handlers.on_frame = [weak](std::string frame) {
            if (auto const self = weak.lock()) self->on_frame(frame);
        };
        // A network that fails is no guess at the secret: only a frame that proves wrong counts.
        handlers.on_closed = [weak](Error) {
            if (auto const self = weak.lock()) self->finish(false);
        };
        handlers.on_drained = [] {};
        connection_->start(std::move(handlers));
    }

    bool over(std::uint64_t now_ms) const { return now_ms > deadline_ms_; }
    void drop() { connection_->close("closing"); }

private:
    enum class Step { handshake, admitting, granted };

    void on_frame(std::string const& frame) {
        if (!*alive_) return;
        auto received = channel_.receive(frame);
        if (!received) return finish(step_ == Step::handshake);
        for (auto& out : received->frames)
            connection_->send(std::move(out));
        if (received->peer) return on_peer(*received->peer);
        bool const done = !received->messages.empty() || received->ended;
        if (step_ == Step::granted && done) finish(false);
    }

    void on_peer(SecureChannel::Peer const& peer) {
        auto const identity = check_identity(peer.payload, peer.static_key);
        if (!identity) return finish(true);
        connection_->established();
        step_ = Step::admitting;
        SiteKeyCertificate const& keys = identity->keys;
        Applicant applicant{keys.site, keys.channel_key, keys.sealing_key, keys.name};
        auto work = [issuer = manager_.options_.keys.identity,
                     id = id_,
                     applicant = std::move(applicant),
                     now = manager_.clock_.now_ms() / 1000](Replica& replica) {
            return admit(replica, issuer, id, applicant, now);
        };
        manager_.store_.query(std::move(work), [self = shared_from_this()](Result<Invite> invite) {
            if (*self->alive_) self->on_admitted(std::move(invite));
        });
    }

    void on_admitted(Result<Invite> invite) {
        if (!invite) {
            manager_.log_("pairing_refused", invite.error().message);
            return finish(false);
        }
        manager_.pairing_done(*invite);  // it is a member now, whatever becomes of the connection
        if (!channel_.approve()) return finish(false);
        auto const certificate = decode_certificate(invite->certificate);
        INOS_ASSERT(certificate.has_value());
        wire::PairGrant grant;
        Membership const& membership = *manager_.local_->membership;
        grant.genesis = membership.genesis().encode();
        grant.space_key = manager_.options_.space_keys.seal.view();
        grant.digest_key = manager_.options_.space_keys.digest.view();
        for (SpaceKey const& later : manager_.local_->keys->later())
            grant.later_keys.emplace_back(later.epoch, later.key.view());
        grant.actor = certificate->actor;
        grant.statements = admission_of(membership, invite->certificate);
        grant.addresses = invite->addresses;
        auto frames = channel_.send(wire::encode(wire::Message(std::move(grant))));
        if (!frames) return finish(false);
        for (auto& frame : *frames)
            connection_->send(std::move(frame));
        step_ = Step::granted;
        manager_.log_("site_admitted",
                      "admitted \"" + certificate->name + "\" as " + role_name(certificate->role) +
                          "; words: " + words());
    }

    // The same as the joiner shows, unless somebody sits in between.
    std::string words() const {
        std::string text;
        for (auto const word : six_words(channel_.handshake_hash()))
            text += (text.empty() ? "" : " ") + std::string(word);
        return text;
    }

    void finish(bool failed) {
        auto const self = shared_from_this();
        if (channel_.open()) {
            if (auto frame = channel_.end()) connection_->send(*std::move(frame));
        }
        connection_->close("closing");
        if (!*alive_) return;
        if (failed) manager_.pairing_failed(id_);
        std::erase(manager_.pairings_, self);
    }

    PeerManager& manager_;
    std::shared_ptr<bool> alive_;
    std::shared_ptr<Connection> connection_;
    SecureChannel channel_;
    InviteId id_;
    std::uint64_t deadline_ms_;
    Step step_ = Step::handshake;
};

// Nobody is told why the door stays shut.
void PeerManager::start_pairing(std::shared_ptr<Connection> connection) {
    std::string const path = connection->path();
    auto const subprotocol = subprotocol_of(path);
    auto const id = subprotocol ? parse_invite_id(std::string_view(path).substr(kPairPrefix.size()))
                                : std::nullopt;
    auto const invite = id ? invites_.find(*id) : invites_.end();
    bool const open = invite != invites_.end() && invite->second.open(clock_.now_ms() / 1000);
    if (!open || pairings_.size() >= kPairingsMax) return connection->close("closing");
    auto certificate = make_site_key_certificate(options_.keys, options_.name, 1);
    INOS_ASSERT(certificate.has_value());
    SecureChannelOptions channel;
    channel.role = ChannelRole::responder;
    channel.pattern = ChannelPattern::xxpsk3;
    channel.prologue = make_prologue({path, *subprotocol, ChannelPattern::xxpsk3, invite->first});
    channel.static_key = options_.keys.channel;
    channel.psk = invite->second.psk;
    channel.own_payload = encode_identity({*std::move(certificate), {}});
    auto pairing =
        std::make_shared<Pairing>(*this, std::move(connection), std::move(channel), invite->first);
    pairings_.push_back(pairing);
    pairing->start();
}

void PeerManager::drop_late_pairings(std::uint64_t now_ms) {
    std::erase_if(pairings_, [now_ms](auto const& pairing) {
        if (!pairing->over(now_ms)) return false;
        pairing->drop();
        return true;
    });
}

void PeerManager::pairing_failed(InviteId const& id) {
    auto const it = invites_.find(id);
    if (it == invites_.end()) return;
    ++it->second.failures;
    log_("pairing_failed", "a handshake for invitation " + crypto::hex(view(id)) + " failed");
    auto work = [id](Replica& replica) { return count_failure(replica, id); };
    store_.query(std::move(work), [](Result<void> const&) {});
}

void PeerManager::pairing_done(Invite invite) {
    auto const id = invite.id;
    invites_.insert_or_assign(id, std::move(invite));
    refresh();
}

// They let nobody in any more, and would count against the limit for ever.
void PeerManager::forget_expired_invites() {
    std::vector<InviteId> over;
    for (auto const& [id, invite] : invites_)
        if (clock_.now_ms() / 1000 >= invite.expires_unix_s) over.push_back(id);
    for (InviteId const& id : over) {
        invites_.erase(id);
        auto work = [id](Replica& replica) { return remove_invite(replica, id); };
        store_.query(std::move(work), [](Result<void> const&) {});
    }
}

void PeerManager::invite(InviteRequest request, std::function<void(Result<InviteInfo>)> done) {
    auto const* own = local_->membership->by_site(options_.keys.identity.public_key);
    if (!own || own->role != Role::admin)
        return done(fail(Errc::forbidden,
                         "only an admin site invites others, and this one is " +
                             (own ? std::string("a ") + role_name(own->role) : "no member") +
                             "; run it at an admin site"));
    auto const sound = check_request(request);
    if (!sound) return done(tl::unexpected<Error>(sound.error()));
    forget_expired_invites();
    if (invites_.size() >= kInvitesMax)
        return done(fail(Errc::too_large, "there are too many invitations; revoke old ones"));
    if (request.addresses.empty()) request.addresses = listening_;
    if (request.addresses.empty())
        return done(fail(Errc::usage,
                         "the code needs an address that the new site can reach; run with --listen "
                         "HOST:PORT or name one with --at ws://HOST:PORT"));
    PairingCode code;
    code.addresses = request.addresses;
    code.inviter_id_hash = inviter_id_hash(options_.keys.identity.public_key);
    crypto::random_bytes(code.invite_id.data(), code.invite_id.size());
    crypto::random_bytes(code.secret.data(), code.secret.size());
    code.expires_unix_s = clock_.now_ms() / 1000 + request.ttl_s;
    auto text = encode_pairing_code(code);
    if (!text) return done(tl::unexpected(text.error()));
    Invite invite;
    invite.id = code.invite_id;
    invite.psk = pairing_psk(code.secret);
    invite.role = request.role;
    invite.scope = request.scope;
    invite.expires_unix_s = code.expires_unix_s;
    invite.addresses = request.addresses;
    InviteInfo info = info_of(invite);
    info.code = *std::move(text);
    auto work = [invite](Replica& replica) { return save_invite(replica, invite); };
    store_.query(
        std::move(work),
        [this, alive = alive_, invite, info, done = std::move(done)](Result<void> const& saved) {
            if (!*alive) return;
            if (!saved) return done(tl::unexpected(saved.error()));
            invites_.insert_or_assign(invite.id, invite);
            done(info);
        });
}

std::vector<InviteInfo> PeerManager::invites() const {
    std::vector<InviteInfo> list;
    std::uint64_t const now = clock_.now_ms() / 1000;
    for (auto const& [id, invite] : invites_)
        if (invite.open(now) && !invite.used_by) list.push_back(info_of(invite));
    return list;
}

Result<void> PeerManager::revoke_invite(std::string const& text) {
    auto const id = parse_invite_id(text);
    if (!id || !invites_.contains(*id))
        return fail(Errc::not_found, "there is no invitation \"" + text + "\"");
    invites_.erase(*id);
    auto work = [id = *id](Replica& replica) { return remove_invite(replica, id); };
    store_.query(std::move(work), [this, alive = alive_](Result<void> const& removed) {
        if (*alive && !removed)
            log_("alarm", "an invitation could not be removed: " + removed.error().message);
    });
    return {};
}

}  // namespace inos
