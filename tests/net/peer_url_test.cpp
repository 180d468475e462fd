// What the transport decides without a network: addresses, reasons, limits of handshakes.
#include "net/peer_url.hpp"

#include <string>

#include <gtest/gtest.h>

#include "net/close_reason.hpp"
#include "net/handshake_limits.hpp"

namespace inos {
namespace {

TEST(CloseReason, is_cut_between_characters_and_printable) {
    EXPECT_EQ(cut_reason("short"), "short");
    EXPECT_EQ(cut_reason(std::string(200, 'a')).size(), kCloseReasonLimit);
    EXPECT_EQ(cut_reason(std::string(122, 'a') + "\xc3\xa9").size(), 122u);
    EXPECT_EQ(printable_text("a\n\xc3\xa9\x1b[0m").find_first_of("\n\x1b"), std::string::npos);
}

TEST(HandshakeLimits, counts_in_all_and_per_address) {
    HandshakeLimits limits(3, 2);
    EXPECT_TRUE(limits.begin("a"));
    EXPECT_TRUE(limits.begin("a"));
    EXPECT_FALSE(limits.begin("a"));
    EXPECT_TRUE(limits.begin("b"));
    EXPECT_FALSE(limits.begin("c"));
    limits.end("a");
    EXPECT_TRUE(limits.begin("c"));
    limits.end("b");
    EXPECT_TRUE(limits.begin("a"));
}

TEST(PeerUrl, reads_what_people_write) {
    struct Case {
        std::string text;
        PeerUrl expected;
    };
    for (Case const& c :
         {Case{"ws://kiel.example:8000", {"kiel.example", 8000, "/v1/sync"}},
          Case{"ws://kiel.example", {"kiel.example", 7711, "/v1/sync"}},
          Case{"ws://10.0.0.1:1/", {"10.0.0.1", 1, "/v1/sync"}},
          Case{"ws://[2001:db8::1]:5", {"2001:db8::1", 5, "/v1/sync"}},
          Case{"ws://[::1]", {"::1", 7711, "/v1/sync"}},
          Case{"ws://h/v1/sync", {"h", 7711, "/v1/sync"}},
          Case{"ws://h/v1/pair/00ff00ff00ff00ff", {"h", 7711, "/v1/pair/00ff00ff00ff00ff"}}}) {
        auto const url = parse_peer_url(c.text);
        ASSERT_TRUE(url) << c.text << ": " << url.error().message;
        EXPECT_EQ(*url, c.expected) << c.text << " -> " << url->host << ' ' << url->path;
    }
}

TEST(PeerUrl, refuses_the_rest_and_quotes_it) {
    for (std::string const text : {"",
                                   "kiel:7711",
                                   "http://h",
                                   "ws://",
                                   "ws://u@h",
                                   "ws://h?x=1",
                                   "ws://h#x",
                                   "ws://h:0",
                                   "ws://h:70000",
                                   "ws://h/other",
                                   "ws://h/v1/pair/00FF00FF00FF00FF",
                                   "ws://h /",
                                   "ws://a%20b",
                                   "ws://a%0D%0AX-Header:1",
                                   "ws://[fe80::1%25eth0]",
                                   "ws://[v1.x]",
                                   "ws://h:x"}) {
        auto const url = parse_peer_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::invalid) << text;
        EXPECT_NE(url.error().message.find('"' + text + '"'), std::string::npos);
    }
    auto const tls = parse_peer_url("wss://h:1");
    ASSERT_FALSE(tls);
    EXPECT_EQ(tls.error().code, Errc::unsupported);
    EXPECT_NE(tls.error().message.find("TLS proxy"), std::string::npos);
}

}  // namespace
}  // namespace inos
