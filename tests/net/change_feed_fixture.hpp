// Clients of GET /v1/changes over a real replica: each reads when the test says so.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/change_feed.hpp"
#include "storage/feed_cursor.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {

inline Object name(std::string const& text) {
    return {{"name", Value(text)}};
}

struct ChangeFeedClient {
    std::shared_ptr<HttpStream> stream;
    std::optional<HttpResponse> answer;
    std::string text;   // what came and was not looked at
    std::string retry;  // how soon to connect again
};

struct FeedEvent {
    std::string name, id;
    Value data;
};

// Those at the beginning of what came; a block without data is none.
inline std::vector<FeedEvent> first_events(ChangeFeedClient& client, std::size_t most) {
    std::vector<FeedEvent> list;
    std::size_t begin = 0, end = 0;
    for (; list.size() < most && (end = client.text.find("\n\n", begin)) != std::string::npos;
         begin = end + 2) {
        FeedEvent event;
        bool has_data = false;
        std::string const block = client.text.substr(begin, end + 1 - begin);
        for (std::size_t from = 0; from < block.size();) {
            std::string const line = block.substr(from, block.find('\n', from) - from);
            from += line.size() + 1;
            std::string const rest = line.substr(line.find(": ") + 2);
            if (line.starts_with("event: ")) event.name = rest;
            if (line.starts_with("id: ")) event.id = rest;
            if (line.starts_with("retry: ")) client.retry = rest;
            has_data = has_data || line.starts_with("data: ");
            if (line.starts_with("data: ")) event.data = value_of(parse_json(rest, 64));
        }
        if (has_data) list.push_back(std::move(event));
    }
    client.text.erase(0, begin);
    return list;
}

class ChangeFeedTest : public ApiTest {
protected:
    using Client = ChangeFeedClient;
    using Event = FeedEvent;

    Client& watch(std::string const& query, Headers headers = {}) {
        return watch_at(api, query, std::move(headers));
    }
    Client& watch_at(Api& where, std::string const& query, Headers headers = {}) {
        auto& client = *clients.emplace_back(std::make_unique<Client>());
        where.handle(request("GET", "/v1/changes" + query, "", std::move(headers)),
                     [&client](HttpResponse response) {
                         EXPECT_FALSE(client.answer);
                         client.stream = response.stream;
                         client.answer = std::move(response);
                     });
        return client;
    }

    // All events, as many as come while the client reads.
    static std::vector<Event> events(Client& client) {
        while (client.stream && client.stream->has_data())
            client.text += client.stream->take();
        return first_events(client, client.text.size());
    }
    // "id=value" for each change, and "+" behind those of which more follow.
    static std::vector<std::string> seen(Client& client) {
        std::vector<std::string> list;
        for (Event const& event : events(client)) {
            if (!event.name.empty()) continue;
            Value const& fields = *event.data.find("fields");
            Value const* shown = fields.find("name");
            list.push_back(*event.data.find("id")->as<std::string>() + "=" +
                           (shown ? *shown->as<std::string>() : write_json(fields)) +
                           (event.data.find("more") ? "+" : ""));
        }
        return list;
    }
    static std::string member(Event const& event, std::string_view key) {
        return *event.data.find(key)->as<std::string>();
    }
    std::string cursor(std::size_t site = 0) { return value_of(feed_cursor(*space[site])).text(); }

    std::vector<std::unique_ptr<Client>> clients;
};

}  // namespace inos::test
