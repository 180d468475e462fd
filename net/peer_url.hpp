// The address of a site as people write it: ws://HOST[:PORT][/v1/sync | /v1/pair/ID]. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

inline constexpr std::string_view kSyncPath = "/v1/sync";
inline constexpr std::string_view kPairPrefix = "/v1/pair/";

struct PeerUrl {
    std::string host;  // a name or an address, IPv6 without brackets
    std::uint16_t port = 0;
    std::string path;  // kSyncPath, or kPairPrefix and 16 lower-case hex digits

    bool operator==(PeerUrl const&) const = default;
};

// Reads an address. An empty path means kSyncPath, a missing port 7711. Refused with a reason:
// other schemes (wss with what to do instead), user names, queries, fragments, other paths, port 0.
Result<PeerUrl> parse_peer_url(std::string_view text);

// "host:port", with brackets around an IPv6 address.
std::string host_and_port(std::string_view host, std::uint16_t port);

// The WebSocket subprotocol that belongs to a path, or nothing if nobody serves that path.
std::optional<std::string_view> subprotocol_of(std::string_view path);

}  // namespace inos
