#include "net/joiner.hpp"

#include <algorithm>
#include <utility>

#include "net/identity.hpp"
#include "net/peer_url.hpp"
#include "net/wire/codec.hpp"

namespace inos {

Joiner::Joiner(
    Transport& transport, PairingCode code, SiteKeys keys, std::string name, Keep keep, Done done)
    : transport_(transport),
      code_(std::move(code)),
      keys_(std::move(keys)),
      name_(std::move(name)),
      keep_(std::move(keep)),
      done_(std::move(done)) {}

void Joiner::start() {
    dial_next();
}

void Joiner::dial_next() {
    if (address_ == code_.addresses.size()) {
        if (last_error_.message.empty())
            last_error_ = {Errc::invalid, "the pairing code names no address", {}};
        return finish(tl::unexpected(last_error_));
    }
    std::string const id(reinterpret_cast<char const*>(code_.invite_id.data()),
                         code_.invite_id.size());
    std::string const path = std::string(kPairPrefix) + crypto::hex(id);
    std::string const url = code_.addresses[address_++] + path;
    transport_.dial(url, [self = shared_from_this(), path](Result<std::shared_ptr<Connection>> c) {
        if (!c) {
            self->last_error_ = c.error();
            return self->dial_next();
        }
        self->begin(*std::move(c), path);
    });
}

void Joiner::begin(std::shared_ptr<Connection> connection, std::string const& path) {
    connection_ = std::move(connection);
    auto certificate = make_site_key_certificate(keys_, name_, 1);
    if (!certificate) return finish(tl::unexpected(certificate.error()));
    SecureChannelOptions options;
    options.role = ChannelRole::initiator;
    options.pattern = ChannelPattern::xxpsk3;
    options.prologue =
        make_prologue({path, *subprotocol_of(path), ChannelPattern::xxpsk3, code_.invite_id});
    options.static_key = keys_.channel;
    options.psk = pairing_psk(code_.secret);
    options.own_payload = encode_identity({*std::move(certificate), {}});
    channel_.emplace(std::move(options));
    std::weak_ptr<Joiner> const weak = weak_from_this();
    ConnectionHandlers handlers;
    // The connection keeps the joiner alive while it reads.
    handlers.on_frame = [self = shared_from_this()](std::string frame) { self->on_frame(frame); };
    handlers.on_closed = [weak](Error) {
        if (auto const self = weak.lock())
            self->failed(
                {Errc::forbidden,
                 "the other site did not accept the code: it may have expired, been used or "
                 "revoked; ask for a new one",
                 {}});
    };
    handlers.on_drained = [] {};
    connection_->start(std::move(handlers));
    auto frame = channel_->start();
    if (!frame) return failed(frame.error());
    connection_->send(*std::move(frame));
}

// The connection counts as a handshake until the grant is here, so the transport's deadline bounds
// all of pairing.
void Joiner::on_frame(std::string const& frame) {
    auto const keep = shared_from_this();  // closing lets go of the callbacks
    auto received = channel_->receive(frame);
    if (!received) return failed(received.error());
    if (received->peer) {
        auto const checked = on_peer(*received->peer);
        if (!checked) return failed(checked.error());
        auto more = channel_->approve();
        if (!more) return failed(more.error());
        for (auto& out : more->frames)
            connection_->send(std::move(out));
    }
    if (!received->messages.empty()) {
        auto joined = take_grant(received->messages.front());
        if (!joined) return failed(joined.error());
        connection_->established();
        if (auto frames = channel_->send(wire::encode(wire::Message(wire::PairDone{}))))
            for (auto& out : *frames)
                connection_->send(std::move(out));
        if (auto end = channel_->end()) connection_->send(*std::move(end));
        return finish(std::move(joined));
    }
    if (received->ended)
        failed({Errc::forbidden, "the other site did not accept the code; ask for a new one", {}});
}

Result<void> Joiner::on_peer(SecureChannel::Peer const& peer) {
    INOS_TRY(Identity const identity, check_identity(peer.payload, peer.static_key));
    if (inviter_id_hash(identity.keys.site) != code_.inviter_id_hash)
        return fail(Errc::protocol,
                    "the site at that address is not the one that made the pairing code");
    inviter_ = identity.keys.name;
    return {};
}

Result<Joiner::Joined> Joiner::take_grant(std::string const& message) {
    INOS_TRY(wire::Message decoded, wire::decode(message));
    auto* grant = std::get_if<wire::PairGrant>(&decoded);
    auto genesis = grant ? Genesis::decode(grant->genesis) : std::nullopt;
    if (!genesis) return fail(Errc::protocol, "the other site did not answer with an admission");
    Joined joined;
    joined.grant.genesis = *std::move(genesis);
    joined.grant.keys = {crypto::Secret(grant->space_key), crypto::Secret(grant->digest_key)};
    for (auto const& [epoch, key] : grant->later_keys)
        joined.grant.keys.later.push_back({epoch, crypto::Secret(key)});
    joined.grant.actor = grant->actor;
    joined.grant.statements = std::move(grant->statements);
    joined.grant.peers = code_.addresses;
    for (auto& address : grant->addresses)
        if (std::find(joined.grant.peers.begin(), joined.grant.peers.end(), address) ==
            joined.grant.peers.end())
            joined.grant.peers.push_back(std::move(address));
    Membership membership(joined.grant.genesis);
    INOS_CHECK(membership.add_all(joined.grant.statements));
    auto const* own = membership.by_actor(joined.grant.actor);
    if (!own || own->site != keys_.identity.public_key)
        return fail(Errc::protocol, "the admission that the other site sent is not for this site");
    joined.inviter = inviter_;
    joined.words = six_words(channel_->handshake_hash());
    INOS_CHECK(keep_(joined.grant));
    return joined;
}

// An address that answers wrongly may still be followed by one that answers well.
void Joiner::failed(Error error) {
    if (!done_) return;
    if (connection_) std::exchange(connection_, nullptr)->close("closing");
    last_error_ = std::move(error);
    dial_next();
}

void Joiner::finish(Result<Joined> result) {
    if (connection_) connection_->close("done");
    if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace inos
