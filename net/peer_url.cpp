#include "net/peer_url.hpp"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "net/transport.hpp"

namespace inos {

namespace {

constexpr std::size_t kInviteIdDigits = 16;

Result<PeerUrl> refuse(std::string_view text, std::string_view why) {
    std::string message = "peer address \"";
    message.append(text.substr(0, 256)).append("\" ").append(why);
    return fail(Errc::invalid, std::move(message));
}

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// A name or an address as it may stand in a Host header: nothing that was hidden behind a percent
// sign, no zone of an IPv6 address, no form of address that is yet to be invented.
bool is_host(std::string_view host, bool in_brackets) {
    std::string_view const allowed =
        in_brackets ? "0123456789abcdefABCDEF:."
                    : "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
    bool const is_v6 = host.find(':') != std::string_view::npos;
    return in_brackets == is_v6 && host.find_first_not_of(allowed) == std::string_view::npos;
}

std::string host_of(boost::urls::url_view const& url) {
    std::string host = url.host();  // decoded; brackets stay around an IPv6 address
    if (host.size() >= 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    return host;
}

}  // namespace

std::string host_and_port(std::string_view host, std::uint16_t port) {
    bool const is_v6 = host.find(':') != std::string_view::npos;
    std::string text;
    if (is_v6) text += '[';
    text += host;
    if (is_v6) text += ']';
    return text + ':' + std::to_string(port);
}

std::optional<std::string_view> subprotocol_of(std::string_view path) {
    if (path == kSyncPath) return "inos.sync.1";
    if (!path.starts_with(kPairPrefix)) return std::nullopt;
    std::string_view const id = path.substr(kPairPrefix.size());
    if (id.size() != kInviteIdDigits || !std::all_of(id.begin(), id.end(), is_hex_digit)) {
        return std::nullopt;
    }
    return "inos.pair.1";
}

Result<PeerUrl> parse_peer_url(std::string_view text) {
    constexpr std::string_view kForm = "; write ws://HOST or ws://HOST:PORT";
    auto const parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!parsed) return refuse(text, std::string("is not a URL").append(kForm));
    boost::urls::url_view const& url = *parsed;
    if (url.scheme() == "wss") {
        return fail(Errc::unsupported,
                    "peer address \"" + std::string(text.substr(0, 256)) +
                        "\" asks for TLS, which this version does not speak (the channel inside is "
                        "encrypted all the same); use a ws:// address, or put a TLS proxy on this "
                        "side and dial the proxy with ws://");
    }
    if (url.scheme() != "ws") {
        return refuse(text, std::string("has a scheme other than ws").append(kForm));
    }
    PeerUrl result;
    result.host = host_of(url);
    if (result.host.empty()) return refuse(text, std::string("has no host").append(kForm));
    if (!is_host(result.host, url.encoded_host().starts_with('['))) {
        return refuse(text, std::string("has a host that is no name or address").append(kForm));
    }
    if (url.has_userinfo() || url.has_query() || url.has_fragment()) {
        return refuse(text, std::string("has a user, query or fragment part").append(kForm));
    }
    result.port = kDefaultSyncPort;
    if (url.has_port()) {
        result.port = url.port_number();
        if (result.port == 0) return refuse(text, "has no port between 1 and 65535");
    }
    std::string const path(url.encoded_path().data(), url.encoded_path().size());
    result.path = path.empty() || path == "/" ? std::string(kSyncPath) : path;
    if (!subprotocol_of(result.path)) {
        return refuse(text, std::string("has a path that no site serves").append(kForm));
    }
    return result;
}

}  // namespace inos
