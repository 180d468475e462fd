#include "net/http_guard.hpp"

#include <algorithm>
#include <utility>

#include "net/close_reason.hpp"

namespace inos {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

bool contains(std::vector<std::string> const& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool has_body(HttpRequest const& request) {
    std::string_view const length = request.header("content-length");
    return !request.header("transfer-encoding").empty() || (!length.empty() && length != "0");
}

// Whether the request must say that its body is JSON. A DELETE without a body has nothing to say it
// of; nor has any other bodiless request, but over TCP it says so all the same, because saying so
// is what a web page cannot do without being asked first.
bool needs_json(HttpRequest const& request) {
    bool const is_delete = request.method == "DELETE";
    bool const changes = is_delete || request.method == "POST" || request.method == "PUT" ||
                         request.method == "PATCH";
    return changes && (has_body(request) || (!is_delete && !request.from_socket));
}

bool is_json(std::string_view content_type) {
    std::string type = lower(content_type.substr(0, content_type.find(';')));
    while (!type.empty() && type.back() == ' ')
        type.pop_back();
    return type == "application/json" || type == "application/merge-patch+json";
}

}  // namespace

crypto::Hash32 http_token_hash(std::string_view token) {
    return crypto::hash32(token, "inos http token");
}

std::vector<std::string> default_http_hosts(std::uint16_t port) {
    std::string const suffix = ':' + std::to_string(port);
    std::vector<std::string> hosts;
    for (char const* name : {"127.0.0.1", "localhost", "[::1]"}) {
        hosts.push_back(name + suffix);
        if (port == 80) hosts.emplace_back(name);
    }
    return hosts;
}

HttpGuard::HttpGuard(Options options) : options_(std::move(options)) {
    for (std::string& host : options_.hosts)
        host = lower(host);
    for (std::string& origin : options_.origins)
        origin = lower(origin);
}

void HttpGuard::set_tokens(std::vector<HttpToken> tokens) {
    options_.tokens = std::move(tokens);
}

std::optional<HttpResponse> HttpGuard::check(HttpRequest& request) const {
    if (!request.from_socket) {
        if (auto refusal = check_names(request)) return refusal;
        if (auto refusal = check_token(request)) return refusal;
    }
    if (needs_json(request) && !is_json(request.header("content-type"))) {
        return http_error(415,
                          "content_type",
                          "a request that changes something needs the header \"Content-Type: "
                          "application/json\"");
    }
    return std::nullopt;
}

std::optional<HttpResponse> HttpGuard::check_names(HttpRequest const& request) const {
    std::string_view const host = request.header("host");
    if (!contains(options_.hosts, lower(host))) {
        return http_error(421,
                          "host",
                          "the name \"" + printable_text(host) +
                              "\" in the Host header is not one of this node; use the address it "
                              "listens on, or add the name to the configuration");
    }
    if (request.headers.count("origin") == 0) return std::nullopt;
    // The dashboard's own requests name the address that its page came from, which is the one that
    // this request goes to. Behind a TLS proxy that is https.
    std::string const origin = lower(request.header("origin"));
    bool const is_own = origin == "http://" + lower(host) || origin == "https://" + lower(host);
    if (!is_own && !contains(options_.origins, origin)) {
        return http_error(403,
                          "origin",
                          "requests of web pages are not allowed; add the page's origin to the "
                          "configuration if this one should be");
    }
    return std::nullopt;
}

std::optional<HttpResponse> HttpGuard::check_token(HttpRequest& request) const {
    if (contains(options_.open_paths, request.path)) return std::nullopt;
    constexpr std::string_view kScheme = "bearer ";
    std::string_view const sent = request.header("authorization");
    bool const is_bearer = lower(sent.substr(0, kScheme.size())) == kScheme;
    std::string_view const token = is_bearer ? sent.substr(kScheme.size()) : std::string_view();
    crypto::Hash32 const hash = http_token_hash(token);
    HttpToken const* match = nullptr;
    for (HttpToken const& known : options_.tokens) {  // all of them: time tells nothing
        if (crypto::equal(crypto::view(hash), crypto::view(known.hash))) match = &known;
    }
    if (token.empty() || match == nullptr) {
        HttpResponse refusal = http_error(401,
                                          "token",
                                          "this needs the header \"Authorization: Bearer TOKEN\" "
                                          "with a token of this node");
        refusal.headers["WWW-Authenticate"] = "Bearer";
        return refusal;
    }
    request.role = match->role;
    return std::nullopt;
}

}  // namespace inos
