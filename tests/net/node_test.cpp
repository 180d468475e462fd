// The whole node as the program runs it, where only its beginning and end matter.
#include "net/node.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tools/simulation/manual_clock.hpp"

namespace inos {
namespace {

std::unique_ptr<OpenSite> open(std::string const& dir, Clock const& clock) {
    auto site = open_site(dir, clock, Durability::flushed);
    return site ? *std::move(site) : nullptr;
}

// The store answers what was asked of it before the end; nothing is begun because of that.
TEST(Node, may_be_stopped_at_once_though_something_waits_to_be_scrubbed) {
    test::TempDir const temp;
    std::string const dir = temp.path() + "/site";
    crypto::init();
    sim::ManualClock clock;
    ASSERT_TRUE(create_founder(dir, "shop", "main"));
    auto site = open(dir, clock);
    ASSERT_TRUE(site);
    for (auto const kind : {Write::Kind::put, Write::Kind::erase})
        ASSERT_TRUE(site->replica->commit({{"local", {{kind, {"c", "x"}, {}, {}}}}}).front());
    ASSERT_TRUE(site->replica->needs_scrub());
    {
        boost::asio::io_context io(1);
        NodeOptions options;
        options.socket = false;
        auto node = Node::start(io, std::move(site), clock, std::move(options));
        ASSERT_TRUE(node) << node.error().message;
        (*node)->stop();
        io.run();
    }
    site = open(dir, clock);
    ASSERT_TRUE(site);
    EXPECT_TRUE(site->replica->needs_scrub()) << "it is for the next start";
}

}  // namespace
}  // namespace inos
