// The dashboard's files over the API: what a browser is given, and by which rules.
#include "net/dashboard.hpp"

#include <set>

#include <gmock/gmock.h>

#include "net/http_guard.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Dashboard = ApiTest;

TEST_F(Dashboard, is_a_page_at_the_root_that_loads_nothing_from_elsewhere) {
    auto const page = send("GET", "/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
    EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
    for (DashboardFile const& file : dashboard_files()) {
        std::string const text(file.content);
        EXPECT_FALSE(text.empty()) << file.name;
        // The namespace of SVG is a name, not an address that anything is loaded from.
        for (char const* foreign : {"src=\"http",
                                    "href=\"http",
                                    "url(",
                                    "@import",
                                    "innerHTML",
                                    "insertAdjacentHTML",
                                    "eval(",
                                    "document.write"})
            EXPECT_THAT(text, Not(HasSubstr(foreign))) << file.name;
    }
}

TEST_F(Dashboard, names_each_of_its_files_in_the_page_and_serves_it) {
    std::string const page = send("GET", "/").body;
    for (DashboardFile const& file : dashboard_files()) {
        std::string const path = "/dashboard/" + std::string(file.name);
        if (file.name != "index.html") {
            EXPECT_THAT(page, HasSubstr('"' + path + '"'));
        }
        auto const answer = send("GET", path);
        EXPECT_EQ(answer.status, 200) << path;
        EXPECT_EQ(answer.body, file.content);
        EXPECT_EQ(answer.headers.at("Content-Type"), file.type);
    }
}

TEST_F(Dashboard, is_small) {
    std::size_t bytes = 0;
    for (DashboardFile const& file : dashboard_files())
        bytes += file.content.size();
    EXPECT_LT(bytes, 300u << 10);
}

TEST_F(Dashboard, tells_the_browser_to_allow_nothing_else) {
    for (std::string const& path : dashboard_paths()) {
        auto const headers = send("GET", path).headers;
        std::string const policy = headers.at("Content-Security-Policy");
        for (char const* rule : {"default-src 'none'",
                                 "script-src 'self'",
                                 "connect-src 'self'",
                                 "frame-ancestors 'none'",
                                 "base-uri 'none'",
                                 "form-action 'none'"})
            EXPECT_THAT(policy, HasSubstr(rule));
        EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
        EXPECT_EQ(headers.at("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(headers.at("Referrer-Policy"), "no-referrer");
        EXPECT_EQ(headers.at("X-Frame-Options"), "DENY");
        // What this node holds is not for those who have no token.
        EXPECT_EQ(headers.count("X-Inos-Frontier"), 0u);
        EXPECT_EQ(headers.count("Access-Control-Allow-Origin"), 0u);
    }
}

TEST_F(Dashboard, is_not_sent_again_while_it_is_the_same) {
    std::set<std::string> tags;
    for (DashboardFile const& file : dashboard_files())
        tags.insert(send("GET", "/dashboard/" + std::string(file.name)).headers.at("ETag"));
    EXPECT_EQ(tags.size(), dashboard_files().size());
    std::string const tag = send("GET", "/").headers.at("ETag");
    for (std::string const& sent : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
        auto const answer = send("GET", "/", {}, {{"if-none-match", sent}});
        EXPECT_EQ(answer.status, 304) << sent;
        EXPECT_EQ(answer.body, "");
        EXPECT_EQ(answer.headers.at("ETag"), tag);
        EXPECT_EQ(answer.headers.count("Content-Security-Policy"), 1u);
    }
    for (std::string const& sent :
         {std::string("\"other\""), std::string(), std::string(","), tag.substr(1)})
        EXPECT_EQ(send("GET", "/", {}, {{"if-none-match", sent}}).status, 200) << sent;
}

TEST_F(Dashboard, has_no_other_files_and_takes_no_writes) {
    for (char const* path : {"/dashboard/none.js", "/dashboard/..", "/dashboard/app.js%2F"})
        EXPECT_EQ(send("GET", path).status, 404) << path;
    EXPECT_EQ(send("GET", "/dashboard").status, 404);
    EXPECT_EQ(send("POST", "/", "{}").status, 405);
    EXPECT_EQ(send("GET", "/?token=secret").status, 400);
}

HttpGuard guard_of_a_node() {
    HttpGuard::Options options;
    options.hosts = default_http_hosts(8080);
    options.hosts.push_back("shop.example");
    for (std::string const& path : dashboard_paths())
        options.open_paths.push_back(path);
    options.tokens = {{http_token_hash("secret"), "api"}};
    return HttpGuard(options);
}

int status_of(std::string path, Dashboard::Headers headers, std::string method = "GET") {
    HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = std::move(headers);
    auto const refusal = guard_of_a_node().check(request);
    return refusal ? refusal->status : 0;
}

TEST(DashboardGuard, needs_no_token_for_the_files_and_one_for_everything_else) {
    Dashboard::Headers const nobody{{"host", "127.0.0.1:8080"}};
    for (std::string const& path : dashboard_paths())
        EXPECT_EQ(status_of(path, nobody), 0) << path;
    for (char const* path : {"/v1/status", "/dashboard/none.js", "/dashboard", "//", "/metrics"})
        EXPECT_EQ(status_of(path, nobody), 401) << path;
    EXPECT_EQ(status_of("/", {{"host", "evil.example"}}), 421);
}

TEST(DashboardGuard, lets_pages_of_this_very_address_write_and_no_others) {
    auto const from = [](std::string const& host, std::string const& origin) {
        return status_of("/v1/transactions",
                         {{"host", host},
                          {"origin", origin},
                          {"authorization", "Bearer secret"},
                          {"content-type", "application/json"}},
                         "POST");
    };
    EXPECT_EQ(from("127.0.0.1:8080", "http://127.0.0.1:8080"), 0);
    EXPECT_EQ(from("localhost:8080", "http://LOCALHOST:8080"), 0);
    EXPECT_EQ(from("shop.example", "https://shop.example"), 0);
    for (char const* origin : {"http://127.0.0.1:8081",
                               "http://127.0.0.1",
                               "http://localhost:8080",  // this node too, and not what was asked
                               "http://evil.example",
                               "http://127.0.0.1:8080.evil.example",
                               "null",
                               "127.0.0.1:8080",
                               ""})
        EXPECT_EQ(from("127.0.0.1:8080", origin), 403) << origin;
    // A name that was pointed at this address is refused before its origin is looked at.
    EXPECT_EQ(from("evil.example:8080", "http://evil.example:8080"), 421);
}

}  // namespace
}  // namespace inos::test
