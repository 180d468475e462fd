// Goal: whatever the network and the machines did, once they behave all sites hold the same, and
// nothing that was acknowledged is lost. Method: a few hundred random schedules of commits,
// partitions, cuts, corrupt frames, stops and crashes over the real nodes on a simulated network;
// then everything is healed and checked. Numbers of the invariants as in docs/testing.md.
//
// INOS_SCHEDULES=N runs N of them, INOS_SEED=S only that of seed S. A failure names its seed.
#include <cstdlib>

#include <gtest/gtest.h>

#include "storage/schema_document.hpp"
#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

constexpr std::uint64_t kSchedules = 200;
constexpr std::string_view kSchema = R"({
    "customers": {"fields": {"points": {"type": "counter"}, "tags": {"type": "set"}}}})";

struct Counts {
    std::size_t commits = 0, acknowledged = 0, crashes = 0, partitions = 0, cuts = 0, corrupted = 0;
};

class Schedule {
public:
    Schedule(std::uint64_t seed, Counts& counts)
        : tape_(Tape::seeded(seed * 2 + 1)), counts_(counts), world_(options(seed)) {
        std::size_t const sites = 2 + tape_.below(5);
        world_.found("s0");
        for (std::size_t i = 1; i < sites; ++i) {
            bool const known = tape_.chance(70);
            world_.member("s" + std::to_string(i), Role::writer, known);
        }
        std::uint64_t const delay_max = tape_.pick(std::array<std::uint64_t, 4>{1, 10, 100, 900});
        world_.network().set_delay(1, delay_max);
        for (std::size_t i = 1; i < sites; ++i) {
            std::size_t const to = tape_.below(i);
            tape_.chance(50) ? connect(i, to) : connect(to, i);
            if (tape_.chance(40)) connect(i, tape_.below(sites));
        }
        world_[0].commit(schema_writes(object_of(kSchema), world_[0].replica().schema_documents()));
    }

    void run() {
        std::size_t const steps = 10 + tape_.below(40);
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            check_equal_vectors();
        }
    }

    void heal_and_check() {
        world_.network().heal_all();
        for (auto const& node : world_.nodes())
            if (!node->running()) node->start();
        ASSERT_TRUE(world_.converge()) << describe();
        world_.step(2'000);
        ASSERT_TRUE(world_.all_equal()) << "not quiet";
        for (auto const& node : world_.nodes()) {
            Replica& replica = node->replica();
            EXPECT_EQ(value_of(replica.recompute_root()), world_[0].replica().root());
            for (Dot const dot : dots_)  // I1
                EXPECT_TRUE(replica.vector().covers(dot)) << node->name() << " lacks an entry";
            for (auto const& [key, value] : written_)  // I1
                EXPECT_EQ(node->field("orders", key, "n"), Value(value)) << node->name() << key;
            EXPECT_EQ(node->logged("alarm"), 0u) << node->name() << ": " << node->log().back();
            check_counter(*node);
        }
        counts_.cuts += world_.network().cuts();
        counts_.corrupted += world_.network().corruptions();
    }

private:
    static SimOptions options(std::uint64_t seed) {
        return {seed, std::array<std::uint64_t, 4>{0, 1, 5, 40}[seed % 4]};
    }
    void connect(std::size_t from, std::size_t to) {
        if (from != to) world_.connect(world_[from], world_[to]);
    }
    SimNode& any_node() { return world_[tape_.below(world_.nodes().size())]; }
    std::pair<std::string, std::string> any_pair() {
        std::size_t const n = world_.nodes().size(), one = tape_.below(n);
        return {world_[one].name(), world_[(one + 1 + tape_.below(n - 1)) % n].name()};
    }

    void step() {
        SimNode& node = any_node();
        auto const [a, b] = any_pair();
        switch (tape_.below(16)) {
            case 0:
                ++counts_.partitions;
                return world_.network().partition(a, b);
            case 1:
                return world_.network().heal(a, b);
            case 2:
                return world_.network().heal_all();
            case 3:
                return world_.network().cut(a, b);
            case 4:
                return world_.network().corrupt_next(a, b);
            case 5:
                ++counts_.crashes;
                return node.running() ? node.crash() : node.start();
            case 6:
                if (!node.running()) return node.start();
                return tape_.chance(50) ? node.stop() : node.restart();
            case 7:
                return world_.network().cut_at_frame(1 + tape_.below(20));
            case 8:
            case 9:
                return world_.step(tape_.pick(std::array<std::uint64_t, 4>{1, 50, 3'000, 70'000}));
            case 10:
            case 11:
                return world_.step(tape_.below(600));
            default:
                for (std::size_t i = 1 + tape_.below(4); i > 0; --i)
                    commit(any_node());
        }
    }

    // New records that nobody else touches, a counter that all share, and records that all fight
    // for.
    void commit(SimNode& node) {
        if (!node.running()) return;
        std::vector<Write> writes;
        std::int64_t const number = static_cast<std::int64_t>(++counts_.commits);
        std::string const key = "o" + std::to_string(number);
        std::string const text = std::to_string(number);
        writes.push_back(
            {Write::Kind::put, {"orders", key}, object_of("{\"n\":" + text + "}"), {}});
        bool const counts = tape_.chance(50);
        if (counts)
            writes.push_back({Write::Kind::patch,
                              {"customers", "all"},
                              object_of(R"({"points":{"$inc":1}})"),
                              {}});
        if (tape_.chance(60)) writes.push_back(any_write(text));
        if (counts) ++increments_asked_;
        node.commit(std::move(writes), [this, key, number, counts](Result<Committed> result) {
            if (!result) {  // a new member that has not caught up
                EXPECT_EQ(result.error().code, Errc::unavailable) << result.error().message;
                if (counts) --increments_asked_;
                return;
            }
            ++counts_.acknowledged;
            written_.emplace_back(key, number);
            dots_.push_back(*result->dot);
            if (counts) ++increments_;
        });
    }
    Write any_write(std::string const& text) {
        Write write;
        write.name = {"customers", tape_.pick(std::array<char const*, 2>{"ann", "bob"})};
        write.kind = tape_.pick(std::array{
            Write::Kind::put, Write::Kind::patch, Write::Kind::patch, Write::Kind::delete_});
        if (write.kind == Write::Kind::delete_) return write;
        write.fields = object_of(tape_.chance(50) ? "{\"name\":\"" + text + "\"}"
                                                  : "{\"tags\":{\"$add\":\"" + text + "\"}}");
        return write;
    }

    void check_equal_vectors() {  // I2
        for (auto const& one : world_.nodes())
            for (auto const& other : world_.nodes())
                if (one->running() && other->running() &&
                    one->replica().vector() == other->replica().vector()) {
                    ASSERT_EQ(one->replica().root(), other->replica().root());
                }
    }
    void check_counter(SimNode const& node) {  // I5
        Value const points = node.field("customers", "all", "points");
        auto const* sum = points.as<std::int64_t>();
        std::int64_t const total = sum ? *sum : 0;
        EXPECT_GE(total, increments_);
        EXPECT_LE(total, increments_asked_);
    }
    std::string describe() const {
        std::string text;
        for (auto const& node : world_.nodes()) {
            text += "\n" + node->name() + ":";
            for (auto const& [actor, seq] : node->peers().local().vector.items())
                text += " " + std::to_string(seq);
            for (PeerStatus const& peer : node->peers().peers())
                text += " | " + peer.name + " " + peer.state + " " + peer.last_error;
            if (!node->log().empty()) text += " | " + node->log().back();
        }
        return text;
    }

    Tape tape_;
    Counts& counts_;
    SimWorld world_;
    std::vector<Dot> dots_;
    std::vector<std::pair<std::string, std::int64_t>> written_;
    std::int64_t increments_ = 0, increments_asked_ = 0;
};

std::uint64_t setting(char const* name, std::uint64_t otherwise) {
    char const* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(Sync, random_schedules_end_with_equal_sites_and_nothing_lost) {
    Counts counts;
    std::uint64_t const only = setting("INOS_SEED", 0);
    std::uint64_t const first = only ? only : 1;
    std::uint64_t const last = only ? only : setting("INOS_SCHEDULES", kSchedules);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        SCOPED_TRACE("INOS_SEED=" + std::to_string(seed));
        Schedule schedule(seed, counts);
        schedule.run();
        schedule.heal_and_check();
        if (HasFailure()) return;
    }
    if (only) return;
    // Each fault fired, else the schedules prove less than they seem to.
    EXPECT_GT(counts.acknowledged, 10 * last);
    EXPECT_GT(counts.crashes, last);
    EXPECT_GT(counts.partitions, last);
    EXPECT_GT(counts.cuts, last);
    EXPECT_GT(counts.corrupted, last / 4);
}

}  // namespace
}  // namespace inos::test
