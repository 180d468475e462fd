#include "net/http_guard.hpp"

#include <gtest/gtest.h>

namespace inos {
namespace {

HttpGuard make_guard() {
    HttpGuard::Options options;
    options.hosts = default_http_hosts(8080);
    options.origins = {"https://admin.example"};
    options.tokens = {{http_token_hash("secret-1"), ""}, {http_token_hash("secret-2"), "customer"}};
    return HttpGuard(options);
}

HttpRequest make_request(std::string method = "GET", std::string path = "/v1/status") {
    HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = {{"host", "127.0.0.1:8080"}, {"authorization", "Bearer secret-1"}};
    return request;
}

int status_of(HttpRequest request) {
    auto const refusal = make_guard().check(request);
    return refusal ? refusal->status : 0;
}

TEST(HttpGuard, lets_a_request_with_token_and_host_in) {
    EXPECT_EQ(status_of(make_request()), 0);
}

TEST(HttpGuard, sets_the_role_of_the_token) {
    HttpRequest request = make_request();
    request.headers["authorization"] = "bearer secret-2";
    EXPECT_FALSE(make_guard().check(request));
    EXPECT_EQ(request.role, "customer");
}

TEST(HttpGuard, refuses_a_missing_wrong_or_empty_token) {
    HttpRequest request = make_request();
    for (char const* value : {"Bearer secret-3", "Bearer ", "Basic secret-1", "secret-1", ""}) {
        request.headers["authorization"] = value;
        EXPECT_EQ(status_of(request), 401) << value;
    }
    request.headers.erase("authorization");
    EXPECT_EQ(status_of(request), 401);
}

TEST(HttpGuard, takes_no_token_from_query_or_cookie) {
    HttpRequest request = make_request();
    request.headers.erase("authorization");
    request.headers["cookie"] = "token=secret-1";
    request.query["token"] = "secret-1";
    EXPECT_EQ(status_of(request), 401);
}

TEST(HttpGuard, refuses_everybody_while_there_are_no_tokens) {
    HttpGuard guard = make_guard();
    guard.set_tokens({});
    HttpRequest request = make_request();
    EXPECT_EQ(guard.check(request)->status, 401);
}

TEST(HttpGuard, forgets_a_revoked_token) {
    HttpGuard guard = make_guard();
    guard.set_tokens({{http_token_hash("secret-2"), "customer"}});
    HttpRequest request = make_request();
    EXPECT_EQ(guard.check(request)->status, 401);
}

TEST(HttpGuard, needs_no_token_on_health_probes_and_nothing_else) {
    for (char const* path : {"/healthz", "/readyz"}) {
        HttpRequest request = make_request("GET", path);
        request.headers.erase("authorization");
        EXPECT_EQ(status_of(request), 0) << path;
    }
    HttpRequest request = make_request("GET", "/healthz/x");
    request.headers.erase("authorization");
    EXPECT_EQ(status_of(request), 401);
}

TEST(HttpGuard, accepts_its_own_names_in_any_case) {
    HttpRequest request = make_request();
    for (char const* host : {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"}) {
        request.headers["host"] = host;
        EXPECT_EQ(status_of(request), 0) << host;
    }
}

TEST(HttpGuard, refuses_other_names_even_on_health_probes) {
    for (char const* host : {"evil.example:8080",
                             "127.0.0.1",
                             "127.0.0.1:8081",
                             "",
                             "localhost.:8080",
                             "127.0.0.1:8080, evil.example"}) {
        HttpRequest request = make_request("GET", "/healthz");
        request.headers["host"] = host;
        EXPECT_EQ(status_of(request), 421) << host;
    }
}

TEST(HttpGuard, needs_no_port_on_port_80) {
    HttpGuard::Options options;
    options.hosts = default_http_hosts(80);
    HttpRequest request = make_request("GET", "/healthz");
    request.headers["host"] = "localhost";
    EXPECT_FALSE(HttpGuard(options).check(request));
}

TEST(HttpGuard, refuses_origins_that_are_not_configured) {
    HttpRequest request = make_request();
    for (char const* origin : {"https://evil.example", "null", ""}) {
        request.headers["origin"] = origin;
        EXPECT_EQ(status_of(request), 403) << origin;
    }
    request.headers["origin"] = "https://admin.example";
    EXPECT_EQ(status_of(request), 0);
}

TEST(HttpGuard, takes_changes_as_json_only) {
    for (char const* method : {"POST", "PUT", "PATCH"}) {
        HttpRequest request = make_request(method);
        EXPECT_EQ(status_of(request), 415) << method;
        for (char const* type : {"text/plain", "application/x-www-form-urlencoded", ""}) {
            request.headers["content-type"] = type;
            EXPECT_EQ(status_of(request), 415) << method << ' ' << type;
        }
        for (char const* type : {"application/json",
                                 "Application/JSON; charset=utf-8",
                                 "application/merge-patch+json"}) {
            request.headers["content-type"] = type;
            EXPECT_EQ(status_of(request), 0) << method << ' ' << type;
        }
    }
}

TEST(HttpGuard, lets_a_delete_without_a_body_have_no_type) {
    HttpRequest request = make_request("DELETE");
    EXPECT_EQ(status_of(request), 0);
    request.headers["content-length"] = "2";
    EXPECT_EQ(status_of(request), 415);
}

TEST(HttpGuard, asks_the_socket_for_neither_token_nor_names) {
    HttpRequest request = make_request();
    request.headers = {{"origin", "https://evil.example"}};
    request.from_socket = true;
    EXPECT_EQ(status_of(request), 0);
}

TEST(HttpGuard, takes_bodies_on_the_socket_as_json_only) {
    HttpRequest request = make_request("POST");
    request.from_socket = true;
    EXPECT_EQ(status_of(request), 0);
    request.headers["transfer-encoding"] = "chunked";
    EXPECT_EQ(status_of(request), 415);
}

TEST(ParseTarget, splits_before_it_decodes) {
    HttpRequest request;
    ASSERT_TRUE(
        parse_target("/v1/collections/a%20b/records/x%2Fy+z?limit=10&q=a+b%2B&flag", request));
    EXPECT_EQ(request.path, "/v1/collections/a%20b/records/x%2Fy+z");
    EXPECT_EQ(request.segments,
              (std::vector<std::string>{"v1", "collections", "a b", "records", "x/y+z"}));
    EXPECT_EQ(request.query,
              (std::map<std::string, std::string>{{"limit", "10"}, {"q", "a b+"}, {"flag", ""}}));
}

TEST(ParseTarget, knows_the_root_empty_parts_and_the_absolute_form) {
    HttpRequest request;
    ASSERT_TRUE(parse_target("/", request));
    EXPECT_TRUE(request.segments.empty());
    ASSERT_TRUE(parse_target("/a//", request));
    EXPECT_EQ(request.segments, (std::vector<std::string>{"a", "", ""}));
    ASSERT_TRUE(parse_target("http://localhost:80/a?b=c", request));
    EXPECT_EQ(request.path, "/a");
    EXPECT_EQ(request.query["b"], "c");
}

TEST(ParseTarget, refuses_what_is_malformed) {
    HttpRequest request;
    for (char const* target : {"", "*", "a", "/%", "/%2", "/%zz", "/%00", "/?a=%", "host:80"}) {
        auto const result = parse_target(target, request);
        ASSERT_FALSE(result) << target;
        EXPECT_EQ(result.error().code, Errc::invalid);
    }
}

TEST(ResponseHead, leaves_out_values_that_would_write_headers) {
    HttpResponse response;
    response.headers["X-Id"] = "a\r\nSet-Cookie: b";
    response.headers["X-Ok"] = "a\tb";
    response.body = "12345";
    EXPECT_EQ(
        response_head(response, true),
        "HTTP/1.1 200 OK\r\nX-Ok: a\tb\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
}

TEST(HttpError, is_json_with_code_and_message) {
    HttpResponse const response = http_error(Error{Errc::not_found, "no \"x\" here", ""});
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.body, R"({"error":{"code":"not_found","message":"no \"x\" here"}})");
}

}  // namespace
}  // namespace inos
