// The new site's side of pairing: dials the addresses of a code, proves with its secret that it was
// invited, checks that the other end is the site that made the code, and brings home what it needs
// to be a member. Over any Transport; everything on the transport's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/pairing_code.hpp"
#include "net/secure_channel.hpp"
#include "net/transport.hpp"
#include "storage/site_directory.hpp"

namespace inos {

class Joiner : public std::enable_shared_from_this<Joiner> {
public:
    struct Joined {
        SpaceGrant grant;
        std::string inviter;  // its name
        std::array<std::string_view, 6>
            words;  // equal at both ends unless somebody sits in between
    };
    // `keep` makes the grant durable; only when it succeeds the inviter is told so, and done() is
    // called.
    using Keep = std::function<Result<void>(SpaceGrant const&)>;
    using Done = std::function<void(Result<Joined>)>;

    Joiner(Transport& transport,
           PairingCode code,
           SiteKeys keys,
           std::string name,
           Keep keep,
           Done done);
    void start();

private:
    void dial_next();
    void begin(std::shared_ptr<Connection> connection, std::string const& path);
    void on_frame(std::string const& frame);
    Result<void> on_peer(SecureChannel::Peer const& peer);
    Result<Joined> take_grant(std::string const& message);
    void failed(Error error);
    void finish(Result<Joined> result);

    Transport& transport_;
    PairingCode code_;
    SiteKeys keys_;
    std::string name_;
    Keep keep_;
    Done done_;
    std::size_t address_ = 0;
    Error last_error_;
    std::shared_ptr<Connection> connection_;
    std::optional<SecureChannel> channel_;
    std::string inviter_;
};

}  // namespace inos
