// An Api over a real replica in memory, with a node that does what the test says.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/api.hpp"
#include "storage/json.hpp"
#include "tests/support/space.hpp"

namespace inos::test {

class FakeNode final : public NodeControl {
public:
    std::vector<PeerStatus> known_peers;
    std::vector<InviteInfo> open_invites;
    InviteRequest last_invite;
    VerifyReport report;
    RepairReport repair_report;
    std::optional<Error> failure;  // of everything that can fail
    std::size_t acknowledged = 0;  // what waiting comes to
    struct Wait {
        VersionVector held;
        std::size_t sites = 0;
        std::uint64_t timeout_ms = 0;
    };
    std::optional<Wait> last_wait;
    std::size_t members_changes = 0;

    bool running() const override { return true; }
    std::string site_id() const override { return "site-id"; }
    std::string site_name() const override { return "site0"; }
    std::string space_name() const override { return "main"; }
    std::vector<PeerStatus> peers() const override { return known_peers; }
    Result<void> add_peer(std::string const& url) override {
        if (failure) return tl::unexpected<Error>(*failure);
        PeerStatus peer;
        peer.url = url;
        peer.state = "connecting";
        known_peers.push_back(peer);
        return {};
    }
    Result<void> remove_peer(std::string const& url) override {
        auto const removed =
            std::erase_if(known_peers, [&](PeerStatus const& peer) { return peer.url == url; });
        if (removed > 0) return {};
        return fail(Errc::not_found, "no peer \"" + url + "\"");
    }
    void verify(std::function<void(Result<VerifyReport>)> done) override {
        if (failure) return done(tl::unexpected<Error>(*failure));
        done(report);
    }
    void repair(std::function<void(Result<RepairReport>)> done) override {
        if (failure) return done(tl::unexpected<Error>(*failure));
        done(repair_report);
    }
    void invite(InviteRequest request, std::function<void(Result<InviteInfo>)> done) override {
        last_invite = request;
        if (failure) return done(tl::unexpected<Error>(*failure));
        InviteInfo info;
        info.id = "00112233aabbccdd";
        info.role = request.role;
        info.expires_unix_s = kTestNowMs / 1'000 + request.ttl_s;
        open_invites.push_back(info);
        info.code = "the-code";
        done(info);
    }
    std::vector<InviteInfo> invites() const override { return open_invites; }
    Result<void> revoke_invite(std::string const& id) override {
        auto const removed = std::erase_if(open_invites, [&](auto const& i) { return i.id == id; });
        if (removed > 0) return {};
        return fail(Errc::not_found, "no invitation \"" + id + "\"");
    }
    void members_changed() override { ++members_changes; }
    std::size_t acknowledged_by(VersionVector const&) const override { return acknowledged; }
    void wait_acknowledged(VersionVector held,
                           std::size_t sites,
                           std::uint64_t timeout_ms,
                           std::function<void(std::size_t)> done) override {
        last_wait = Wait{std::move(held), sites, timeout_ms};
        done(acknowledged);
    }
};

class ApiTest : public ::testing::Test {
public:
    using Headers = std::map<std::string, std::string>;

    Space space{2};
    FakeNode node;
    DirectStore store{*space[0].replica};
    Api api{store, node, space[0].clock};

    static HttpRequest request(std::string method,
                               std::string const& target,
                               std::string body = {},
                               Headers headers = {}) {
        HttpRequest made;
        made.method = std::move(method);
        std::size_t const mark = std::min(target.find('?'), target.size());
        made.path = target.substr(0, mark);
        for (std::string_view rest = made.path; rest.size() > 1;) {
            rest.remove_prefix(1);
            std::size_t const end = std::min(rest.find('/'), rest.size());
            made.segments.emplace_back(rest.substr(0, end));
            rest.remove_prefix(end);
            if (rest == "/") made.segments.emplace_back();
        }
        for (std::string_view rest = std::string_view(target).substr(mark); !rest.empty();) {
            rest.remove_prefix(1);  // ? or &
            std::string_view const part = rest.substr(0, rest.find('&'));
            std::size_t const equals = std::min(part.find('='), part.size());
            made.query[std::string(part.substr(0, equals))] =
                part.substr(std::min(equals + 1, part.size()));
            rest.remove_prefix(part.size());
        }
        made.headers = std::move(headers);
        made.body = std::move(body);
        made.from_socket = true;
        return made;
    }

    HttpResponse send(HttpRequest made) {
        std::optional<HttpResponse> answer;
        api.handle(std::move(made), [&answer](HttpResponse response) {
            EXPECT_FALSE(answer) << "answered twice";
            answer = std::move(response);
        });
        EXPECT_TRUE(answer) << "no answer";
        return answer.value_or(HttpResponse{});
    }
    HttpResponse send(std::string method,
                      std::string const& target,
                      std::string body = {},
                      Headers headers = {}) {
        return send(request(std::move(method), target, std::move(body), std::move(headers)));
    }
    // The JSON of an answer that has to have this status.
    Value json(int status,
               std::string method,
               std::string const& target,
               std::string body = {},
               Headers headers = {}) {
        auto const response = send(method, target, std::move(body), std::move(headers));
        EXPECT_EQ(response.status, status) << method << " " << target << ": " << response.body;
        auto const value = parse_json(response.body.empty() ? "null" : response.body, 64);
        EXPECT_TRUE(value) << response.body;
        return value ? *value : Value();
    }

    // Site 1 and site 0 write the field at the same time; site 0 learns of both.
    void make_conflict(std::string const& id) {
        space[0].put("customers", id, object_of(R"({"name":"Ann"})"));
        space.converge();
        space[1].clock.advance(5'000);
        space[0].patch("customers", id, object_of(R"({"name":"Anna"})"));
        space[1].patch("customers", id, object_of(R"({"name":"Anne"})"));
        space.pull(1, 0);
    }
};

}  // namespace inos::test
