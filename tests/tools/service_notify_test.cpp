#include "tools/service_notify.hpp"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tools/log_line.hpp"

namespace inos {
namespace {

TEST(ServiceNotify, addresses_are_paths_or_abstract_names) {
    EXPECT_EQ(*notify_address("/run/systemd/notify"), "/run/systemd/notify");
    EXPECT_EQ(*notify_address("@abc"), std::string("\0abc", 4));
    EXPECT_EQ(notify_address(std::string(107, '/'))->size(), 107u);
    for (std::string const& bad : {std::string(),
                                   std::string("/"),
                                   std::string("@"),
                                   std::string("notify"),
                                   std::string("vsock:2:1"),
                                   std::string("/a\0b", 4),
                                   std::string(108, '/')}) {
        auto const address = notify_address(bad);
        ASSERT_FALSE(address) << bad;
        EXPECT_EQ(address.error().code, Errc::usage);
        EXPECT_NE(address.error().message.find("NOTIFY_SOCKET"), std::string::npos);
    }
}

TEST(ServiceNotify, the_watchdog_hears_twice_in_its_time) {
    EXPECT_EQ(watchdog_every_ms("60000000", "", 7), 30'000u);
    EXPECT_EQ(watchdog_every_ms("60000000", "7", 7), 30'000u);
    EXPECT_EQ(watchdog_every_ms("1", "7", 7), 1u);
    EXPECT_EQ(watchdog_every_ms("60000000", "8", 7), std::nullopt);
    EXPECT_EQ(watchdog_every_ms("60000000", "x", 7), std::nullopt);
    for (char const* bad : {"", "0", "-1", "1s", "99999999999999999999"})
        EXPECT_EQ(watchdog_every_ms(bad, "7", 7), std::nullopt) << bad;
}

TEST(ServiceNotify, a_message_is_lines_and_the_status_is_one) {
    EXPECT_EQ(notify_text({}), "");
    EXPECT_EQ(notify_text({.ready = true, .status = "a\nREADY=0"}), "READY=1\nSTATUS=a READY=0\n");
    EXPECT_EQ(notify_text({.alive = true}), "WATCHDOG=1\n");
    EXPECT_EQ(notify_text({.stopping = true}), "STOPPING=1\n");
}

TEST(ServiceNotify, the_status_says_how_the_site_is) {
    Node::Progress progress;
    EXPECT_EQ(service_status("shop", progress), "site \"shop\": no peer connected");
    progress.last_error = "refused";
    EXPECT_EQ(service_status("shop", progress), "site \"shop\": no peer connected, refused");
    progress.connected = true;
    progress.peers_connected = 2;
    EXPECT_EQ(service_status("shop", progress), "site \"shop\": 2 peers connected, up to date");
    progress.behind = 1;
    EXPECT_EQ(service_status("shop", progress), "site \"shop\": 2 peers connected, 1 entry behind");
    progress.behind = 1'200;
    EXPECT_EQ(service_status("shop", progress),
              "site \"shop\": 2 peers connected, 1,200 entries behind");
    progress.state = StateProgress{.here = 5, .records = 10};
    EXPECT_EQ(service_status("shop", progress),
              "site \"shop\": 2 peers connected, taking over records, 5 of about 10");
}

// The manager's end of the socket.
class FakeManager {
public:
    explicit FakeManager(std::string const& path)
        : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        if (path.front() == '@') address.sun_path[0] = '\0';
        auto const length = static_cast<socklen_t>(
            path.front() == '@' ? offsetof(sockaddr_un, sun_path) + path.size() : sizeof(address));
        auto const* const any = reinterpret_cast<sockaddr const*>(&address);
        EXPECT_EQ(::bind(descriptor_, any, length), 0) << path;
    }
    ~FakeManager() { ::close(descriptor_); }
    FakeManager(FakeManager const&) = delete;
    FakeManager& operator=(FakeManager const&) = delete;

    std::string heard() const {
        char text[512];
        auto const size = ::recv(descriptor_, text, sizeof(text), 0);
        return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
    }

private:
    int descriptor_;
};

TEST(ServiceNotify, datagrams_reach_the_manager) {
    test::TempDir const temp;
    for (std::string const& name :
         {temp / "notify", "@inos-notify-test-" + std::to_string(::getpid())}) {
        FakeManager const fake(name);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        ::setenv("WATCHDOG_USEC", "2000000", 1);
        ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
        auto const manager = ServiceManager::of_process();
        ASSERT_TRUE(manager) << manager.error().message;
        EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
        EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
        EXPECT_EQ(manager->watchdog_ms(), 1'000u);
        manager->send({});
        manager->send({.ready = true, .status = "up"});
        EXPECT_EQ(fake.heard(), "READY=1\nSTATUS=up\n") << name;
        EXPECT_EQ(fake.heard(), "");
    }
}

TEST(ServiceNotify, without_a_manager_nothing_is_sent_and_a_wrong_one_is_named) {
    ::unsetenv("NOTIFY_SOCKET");
    auto const none = ServiceManager::of_process();
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->is_there());
    none->send({.ready = true});
    ::setenv("NOTIFY_SOCKET", "vsock:1:2", 1);
    EXPECT_FALSE(ServiceManager::of_process());
    ::setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    ServiceManager::of_process()->send({.ready = true});
}

TEST(LogLine, formats_and_levels) {
    EXPECT_EQ(*parse_log_format("journal"), LogFormat::journal);
    EXPECT_FALSE(parse_log_format("xml"));
    EXPECT_EQ(log_payload(LogFormat::text, "alarm", "a\nb"), "alarm a b");
    EXPECT_EQ(log_payload(LogFormat::journal, "alarm", "a\nb"), "<3>alarm a b");
    EXPECT_EQ(log_payload(LogFormat::journal, "pairing_failed", "x"), "<4>pairing_failed x");
    EXPECT_EQ(log_payload(LogFormat::journal, "started", "x"), "<6>started x");
    EXPECT_EQ(log_payload(LogFormat::json, "alarm", "the \"shop\"\x1b"),
              "\"event\":\"alarm\",\"text\":\"the \\\"shop\\\"\uFFFD\"");
    EXPECT_NE(log_pattern(LogFormat::json).find("%v}"), std::string::npos);
}

}  // namespace
}  // namespace inos
