// Replays tests/vectors/traces.json: 200 random replications with the answers that a correct merge
// may give. Everything lies in one record: registers (policy latest), counters and sets (add wins).
// Each trace runs twice, once with entries travelling and once with whole states.
#include <fstream>
#include <iterator>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

namespace json = boost::json;
using test::MiniReplica;

RecordName const kRecord{"traces", "1"};

json::value traces() {
    std::ifstream file(INOS_TEST_VECTORS "/traces.json");
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    return json::parse(text);
}

Value value_of(json::value const& v) {
    if (v.is_null()) return Value();
    return v.is_string() ? Value(std::string_view(v.as_string()))
                         : Value(v.to_number<std::int64_t>());
}

class Replay {
public:
    Replay(json::object const& trace, bool by_state) : trace_(trace), by_state_(by_state) {
        auto const n = trace.at("replicas").to_number<std::uint64_t>();
        for (std::uint64_t i = 0; i < n; ++i) {
            sites_.emplace_back(ActorId{i + 1}, "test", schemas_);
            // Clocks that disagree: only ties may depend on them.
            sites_.back().set_time(1'700'000'000'000 + (i * 7919) % 5 * 1'000'000);
        }
    }

    void run() {
        std::size_t number = 0;
        for (auto const& step : trace_.at("steps").as_array()) {
            SCOPED_TRACE("step " + std::to_string(number++) + " " + json::serialize(step));
            perform(step.as_array());
            if (testing::Test::HasFatalFailure()) return;
        }
        for (MiniReplica const& site : sites_) {
            check(site, trace_.at("final").as_object());
            EXPECT_EQ(site.bytes(), sites_[0].bytes());
        }
    }
    int reads() const { return reads_; }

private:
    void perform(json::array const& step) {
        std::string_view const what = step[0].as_string();
        MiniReplica& site = sites_.at(step[1].to_number<std::size_t>());
        if (what == "pull") {
            MiniReplica& to = sites_.at(step[2].to_number<std::size_t>());
            return by_state_ ? to.merge_state(site) : void(to.pull(site));
        }
        if (what == "read") return check(site, step[2].as_object());
        std::string const key(step[2].as_string());
        Value asked;
        if (what == "set") asked = value_of(step[3]);
        if (what == "inc") asked = Value(Object{{"$inc", value_of(step[3])}});
        if (what == "add") asked = Value(Object{{"$add", value_of(step[3])}});
        if (what == "rem") asked = Value(Object{{"$remove", value_of(step[3])}});
        site.patch(kRecord, {{key, asked}});
        ASSERT_FALSE(site.error()) << site.error()->message;
    }

    void check(MiniReplica const& site, json::object const& expected) {
        ++reads_;
        auto const resolved = site.resolved(kRecord);
        Object left = resolved.fields;
        auto const take = [&left](std::string_view key) {
            Value const* found = find_member(left, key);
            auto const value = found ? std::optional(*found) : std::nullopt;
            std::erase_if(left, [&](Member const& m) { return m.key == key; });
            return value;
        };
        for (auto const& [key, allowed] : expected.at("registers").as_object())
            check_register(resolved, key, allowed.as_array(), take(key));
        for (auto const& [key, sum] : expected.at("counters").as_object())
            EXPECT_EQ(take(key).value_or(Value(0)), value_of(sum)) << key;
        for (auto const& [key, elements] : expected.at("sets").as_object()) {
            Array array;
            for (auto const& element : elements.as_array())
                array.push_back(value_of(element));
            EXPECT_EQ(take(key).value_or(Value(Array{})), Value(array)) << key;
        }
        for (Member const& member : left)
            EXPECT_EQ(member.value, Value(Array{})) << member.key << " was not expected";
    }

    // The shown value and its siblings are exactly the allowed ones.
    static void check_register(Resolved const& resolved,
                               std::string_view key,
                               json::array const& allowed,
                               std::optional<Value> const& shown) {
        std::set<std::string> wanted, got;
        for (auto const& v : allowed)
            if (!v.is_null()) wanted.insert(encode(value_of(v)));
        if (shown) got.insert(encode(*shown));
        for (Conflict const& conflict : resolved.conflicts)
            if (conflict.field == key)
                for (ConflictValue const& v : conflict.values)
                    got.insert(encode(v.value));
        EXPECT_EQ(got, wanted) << key;
    }

    json::object const& trace_;
    bool by_state_;
    test::Schemas schemas_;
    std::vector<MiniReplica> sites_;
    int reads_ = 0;
};

void replay_all(bool by_state) {
    json::value const file = traces();
    int reads = 0;
    std::size_t count = 0;
    for (auto const& trace : file.at("traces").as_array()) {
        SCOPED_TRACE("trace " + json::serialize(trace.at("id")));
        Replay replay(trace.as_object(), by_state);
        replay.run();
        if (testing::Test::HasFailure()) return;
        reads += replay.reads();
        ++count;
    }
    EXPECT_EQ(count, 200u);
    EXPECT_GE(reads, file.at("confirmedReads").to_number<int>());
}

TEST(Traces, every_read_of_200_traces_is_one_that_a_correct_merge_may_give) {
    replay_all(false);
}

TEST(Traces, the_same_when_states_travel_instead_of_entries) {
    replay_all(true);
}

}  // namespace
}  // namespace inos
