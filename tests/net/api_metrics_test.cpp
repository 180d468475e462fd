// GET /metrics, read as Prometheus reads it.
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "net/metrics_text.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;

// The text format: every family has one HELP and one TYPE before its samples, and no sample comes
// twice. Answers the samples by name and labels as they stand.
std::map<std::string, std::string> parse_metrics(std::string const& text) {
    std::map<std::string, std::string> samples;
    std::set<std::string> helped, typed;
    std::string family;
    EXPECT_TRUE(text.ends_with('\n'));
    for (std::size_t from = 0; from < text.size();) {
        std::string const line = text.substr(from, text.find('\n', from) - from);
        from += line.size() + 1;
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(helped.insert(family).second) << line;
            EXPECT_GT(line.size(), family.size() + 10) << line;
            continue;
        }
        if (line.starts_with("# TYPE ")) {
            EXPECT_TRUE(line == "# TYPE " + family + " gauge" ||
                        line == "# TYPE " + family + " counter")
                << line;
            EXPECT_TRUE(typed.insert(family).second) << line;
            EXPECT_EQ(line.ends_with("counter"), family.ends_with("_total")) << line;
            continue;
        }
        std::size_t const end = line.rfind(' ');
        std::string const key = line.substr(0, end);
        EXPECT_EQ(key.substr(0, key.find('{')), family) << line;
        EXPECT_TRUE(typed.contains(family)) << line;
        EXPECT_NO_THROW((void)std::stod(line.substr(end + 1))) << line;
        EXPECT_TRUE(samples.emplace(key, line.substr(end + 1)).second) << line;
    }
    return samples;
}

using ApiMetrics = ApiTest;

TEST_F(ApiMetrics, tell_of_records_conflicts_peers_and_answers) {
    make_conflict("ann");
    space[0].put("orders", "o", {});
    PeerStatus peer;
    peer.site = "id1";
    peer.name = "site1";
    peer.state = "connected";
    peer.behind = 3;
    peer.ahead = 4;
    peer.bytes_in = 500;
    peer.skew_ms = -1'250;
    node.known_peers = {peer};
    send("GET", "/v1/none");
    space[0].clock.advance(2'500);
    auto const response = send("GET", "/metrics");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.at("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    auto samples = parse_metrics(response.body);
    EXPECT_EQ(samples["inos_entries"], "4");
    EXPECT_EQ(samples["inos_void_entries"], "0");
    EXPECT_EQ(samples["inos_members"], "2");
    EXPECT_EQ(samples["inos_records{collection=\"customers\"}"], "1");
    EXPECT_EQ(samples["inos_records{collection=\"orders\"}"], "1");
    EXPECT_EQ(samples["inos_conflicts{collection=\"customers\"}"], "1");
    EXPECT_EQ(samples["inos_conflicts{collection=\"orders\"}"], "0");
    EXPECT_EQ(samples["inos_peers{state=\"connected\"}"], "1");
    EXPECT_EQ(samples["inos_peers{state=\"waiting\"}"], "0");
    std::string const labels = "{site=\"id1\",name=\"site1\",url=\"\"}";
    EXPECT_EQ(samples["inos_peer_behind_entries" + labels], "3");
    EXPECT_EQ(samples["inos_peer_ahead_entries" + labels], "4");
    EXPECT_EQ(samples["inos_peer_received_bytes_total" + labels], "500");
    EXPECT_EQ(samples["inos_peer_clock_skew_seconds" + labels], "-1.250");
    EXPECT_EQ(samples["inos_http_responses_total{status=\"404\"}"], "1");
    EXPECT_EQ(samples["inos_uptime_seconds"], "2.500");
    EXPECT_EQ(samples["inos_writable"], "1");
    EXPECT_EQ(samples["inos_watchers"], "0");
    samples = parse_metrics(send("GET", "/metrics").body);
    EXPECT_EQ(samples["inos_http_responses_total{status=\"200\"}"], "1");
}

TEST_F(ApiMetrics, name_each_peer_once) {
    PeerStatus peer;
    peer.state = "waiting";
    peer.url = "ws://a:1";
    node.known_peers = {peer, peer};
    parse_metrics(send("GET", "/metrics").body);
}

TEST(MetricsText, escapes_labels_and_help) {
    MetricsText text;
    text.gauge("a", "one\\two\nthree \"four\"");
    text.sample({{"x", "q\"b\\n\nz"}, {"y", "é"}}, std::int64_t{-7});
    text.sample({}, std::uint64_t{18'446'744'073'709'551'615u});
    text.seconds({}, 61'005);
    EXPECT_EQ(text.text(),
              "# HELP a one\\\\two\\nthree \"four\"\n# TYPE a gauge\n"
              "a{x=\"q\\\"b\\\\n\\nz\",y=\"é\"} -7\na 18446744073709551615\na 61.005\n");
}

TEST_F(ApiMetrics, sites_of_one_name_are_told_apart) {
    Space twins({{"shop"}, {"office"}, {"office"}});
    twins[0].put("c", "x", {});
    DirectStore its_store(*twins[0].replica);
    Api its_api(its_store, node, twins[0].clock);
    std::string text;
    its_api.handle(request("GET", "/metrics"),
                   [&](HttpResponse response) { text = response.body; });
    std::size_t missing = 0;
    for (auto const& [labels, value] : parse_metrics(text))
        missing += labels.starts_with("inos_purge_missing_entries{site=\"") &&
                   labels.ends_with(",name=\"office\"}") && value == "1";
    EXPECT_EQ(missing, 2u);
}

}  // namespace
}  // namespace inos::test
