// The bytes of messages, kept for ever.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "net/wire/codec.hpp"
#include "net/wire/vector_codec.hpp"
#include "tests/support/hex.hpp"

namespace inos::test {
namespace {

namespace json = boost::json;

std::vector<std::pair<std::string, wire::Message>> golden_messages() {
    auto const fill = [](std::uint8_t byte) {
        std::array<std::uint8_t, 16> out;
        out.fill(byte);
        return out;
    };
    wire::Hello hello;
    hello.version_min = 1;
    hello.version_max = 2;
    hello.now_ms = 1'750'000'000'000;
    hello.spaces = {{fill(1), fill(2), fill(3), fill(4), fill(5)}};
    wire::Fork fork{fill(1), ActorId{7}, 5, {6, {}, {}}};
    fork.head.chain.fill(8);
    fork.head.signature.fill(9);
    wire::Batch batch{fill(1), 1, {{ActorId{0xa1b2c3d4e5f60718}, 5, 2}}, "sealed bytes"};
    wire::Hello with_features = hello;
    with_features.features = wire::kFeatureRepair;
    wire::RepairAnswer answer{fill(1), fill(2), {{"a", "z"}, {}, {}}, {}};
    answer.summary.parts = {{"m", Digest128::from(fill(3)), 7}, {"z", Digest128::from(fill(4)), 8}};
    answer.summary.items = {{"k", Digest128::from(fill(5)), DigestClass::uncovered}};
    answer.states = {{"k", Standing::whole, "record"}};
    wire::PairGrant grant;
    grant.genesis = "genesis";
    grant.space_key = std::string(32, 's');
    grant.digest_key = std::string(32, 'd');
    grant.actor = ActorId{0xa1b2c3d4e5f60718};
    grant.statements = {"one", "two"};
    grant.addresses = {"ws://kiel.example:7711"};
    grant.later_keys = {{2, std::string(32, 'k')}};
    return {{"hello", hello},
            {"statements", wire::Statements{fill(1), {"one", "certificate two"}}},
            {"vector",
             wire::Vector{
                 fill(1),
                 wire::encode_heads({{ActorId{7}, 3, {}}, {ActorId{9}, 1, {}}}, nullptr).vector,
                 std::string(16, 'c')}},
            {"batch", batch},
            {"ack", wire::Ack{fill(1), "changed", fill(2), fill(3)}},
            {"probe", wire::Probe{}},
            {"refusal", wire::Refusal{"the peer said hello twice", {"one"}}},
            {"pair grant", grant},
            {"pair done", wire::PairDone{}},
            {"acknowledgements", wire::Acknowledgements{fill(1), {"one", "another one"}}},
            {"rights request",
             wire::RightsRequest{fill(1), "products", "lamp", "stock", 3, true, ActorId{7}}},
            {"fork", fork},
            {"state offer", wire::StateOffer{fill(1)}},
            {"state ask", wire::StateAsk{fill(1), fill(2), "after", "heads"}},
            {"state part", wire::StatePart{fill(1), fill(2), "after", 4, "sealed bytes"}},
            {"hello with features", with_features},
            {"repair ask", wire::RepairAsk{fill(1), {"a", "z"}, {"one", "two"}, fill(3), fill(4)}},
            {"repair answer", answer},
            {"room", wire::Room{fill(1), true}}};
}

// Bytes that a released version has sent are read, and written, for ever. INOS_GOLDEN_NEW=1 adds
// new kinds to the file and never changes one.
TEST(Golden, messages_are_what_they_always_were) {
    std::string const path = INOS_TEST_GOLDEN "/messages.json";
    std::ifstream file(path);
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    json::object golden = text.empty() ? json::object() : json::parse(text).as_object();
    auto const messages = golden_messages();
    ASSERT_EQ(messages.size(), std::variant_size_v<wire::Message> + 1)
        << "every kind, and what was added to one";
    if (std::getenv("INOS_GOLDEN_NEW")) {
        for (auto const& [name, message] : messages)
            golden.emplace(name, hex(wire::encode(message)));
        std::ofstream out(path);
        out << "{\n";
        for (std::size_t i = 0; auto const& [name, value] : golden)
            out << "    " << json::serialize(json::string(name)) << ": " << json::serialize(value)
                << (++i < golden.size() ? ",\n" : "\n");
        out << "}\n";
    }
    ASSERT_EQ(golden.size(), messages.size());
    for (auto const& [name, message] : messages) {
        std::string const bytes = *unhex(std::string(golden.at(name).as_string()));
        EXPECT_EQ(hex(wire::encode(message)), hex(bytes)) << name;
        auto const decoded = wire::decode(bytes);
        ASSERT_TRUE(decoded) << name;
        EXPECT_EQ(*decoded, message) << name;
    }
}

}  // namespace
}  // namespace inos::test
