// Who may talk to the HTTP API: decides from the head of a request, before its body is read. Pure.
//
// Over TCP: the Host header must be one of ours (else a web page could point its own name at this
// address), an Origin header must be that address itself or configured, and a bearer token is
// needed everywhere but on the open paths: the health probes, the dashboard's files. The Unix
// socket needs none of these: its file mode is its guard. State changes take JSON only, so that no
// HTML form can make one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_types.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos {

// A token as the guard keeps it: never the token itself.
struct HttpToken {
    crypto::Hash32 hash{};  // http_token_hash(token)
    std::string role;       // becomes HttpRequest::role
};

crypto::Hash32 http_token_hash(std::string_view token);

// "127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT": what Host may say unless configured otherwise.
std::vector<std::string> default_http_hosts(std::uint16_t port);

class HttpGuard {
public:
    struct Options {
        std::vector<std::string> hosts;  // with the port; without one for port 80. Case is ignored
        std::vector<std::string> origins;  // "https://admin.example"; none by default
        std::vector<HttpToken> tokens;
        // Paths that need no token, exactly as sent.
        std::vector<std::string> open_paths{"/healthz", "/readyz"};
    };

    explicit HttpGuard(Options options);

    // The refusal, or nothing if the request may go on; then its role is set. Needs only its head.
    std::optional<HttpResponse> check(HttpRequest& request) const;

    // Replaces the tokens: one was added or revoked.
    void set_tokens(std::vector<HttpToken> tokens);

private:
    std::optional<HttpResponse> check_names(HttpRequest const& request) const;
    std::optional<HttpResponse> check_token(HttpRequest& request) const;

    Options options_;
};

}  // namespace inos
