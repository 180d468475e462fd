// Random schedules, run twice side by side: once with states that go from site to site, in parts
// between which everything else goes on, and logs that are cut; once with entries alone. At every
// step both hold the same: vectors, roots, records.
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/log_retention.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr char const* kIds[] = {"a", "b", "c", "d"};
constexpr char const* kCollections[] = {"customers", "strict"};

class Twins {
public:
    explicit Twins(Tape tape)
        : tape_(std::move(tape)), count_(2 + tape_.below(3)), states_(count_), entries_(count_) {
        both([](Space& space) {
            space[0].set_schema(R"({"customers": {"fields": {"points": {"type": "counter"},
                                                             "tags": {"type": "set"},
                                                             "lines": {"type": "list"},
                                                             "vip": {"type": "flag"}}},
                                    "strict": {"delete": "delete-wins"}})");
            space.converge();
        });
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            compare();
        }
        while (under_way_)
            go_on();
        compare();
        both([](Space& space) {
            for (auto const& site : space.sites())
                site->reopen();
        });
        for (std::size_t at = 0; at < count_; ++at)
            RC_ASSERT(value_of(states_[at]->recompute_root()) == states_[at]->root());
    }

private:
    // A state from one site to another, and what entries alone would bring.
    struct UnderWay {
        std::size_t from = 0, to = 0;
        std::vector<EntryBatch> batches;
        std::optional<crypto::Hash16> snapshot;
    };

    template <class F>
    void both(F const& act) {
        act(states_);
        act(entries_);
    }

    void step() {
        std::size_t const at = tape_.below(count_), from = tape_.below(count_);
        switch (tape_.below(12)) {
            case 0:
            case 1:
            case 2:
                return commit(at);
            case 3:
            case 4:
                return pull(from, at);
            case 5:
                return both([](Space& space) { space.acknowledge(); });
            case 6:
                return both([at](Space& space) { value_of(space[at]->purge(100)); });
            case 7:
                return both([at](Space& space) { space[at].reopen(); });
            case 8:
                value_of(cut_log(*states_[at], 0, 1 + tape_.below(20)));
                return;
            case 9:
                if (!under_way_ && from != at) under_way_ = UnderWay{from, at, {}, {}};
                return;
            default:
                if (under_way_) go_on();
        }
    }

    // Where the log does not reach back any more nothing goes, here and there.
    void pull(std::size_t from, std::size_t to) {
        auto const pulled = states_.try_pull(from, to, tape_.chance(50) ? 1 : 1 << 20);
        if (!pulled) return RC_ASSERT(pulled.error().code == Errc::gone);
        entries_.pull(from, to);
    }

    void go_on() {
        UnderWay& way = *under_way_;
        SiteId const& source = states_[way.from].keys.identity.public_key;
        SiteId const& sink = states_[way.to].keys.identity.public_key;
        auto const ask = states_[way.to]->state_ask(source);
        if (!ask) return under_way_.reset();  // one from elsewhere is half way here
        StatePartLimits const limits{1 << 20, 1 + tape_.below(3)};
        auto const part = states_[way.from]->give_state(sink, *ask, limits);
        if (!part) {
            RC_ASSERT(part.error().code == Errc::conflict);
            return under_way_.reset();
        }
        if (way.snapshot != part->id) {  // begun, or begun again
            way.snapshot = part->id;
            way.batches.clear();
            VersionVector held = entries_[way.to]->vector();
            for (;;) {
                auto batch = value_of(entries_[way.from]->collect(held, 1 << 20));
                if (batch.empty()) break;
                for (EntryRun const& run : batch.runs)
                    held.raise(run.actor, run.first + run.entries.size() - 1);
                way.batches.push_back(std::move(batch));
            }
        }
        if (tape_.chance(20)) return;  // the part is lost
        auto const taken = states_[way.to]->take_state(source, *part);
        if (!taken) {  // what came meanwhile as a state cannot be compared with this one
            RC_ASSERT(taken.error().code == Errc::conflict);
            return under_way_.reset();
        }
        if (!*taken) return;
        for (EntryBatch const& batch : way.batches)
            value_of(entries_[way.to]->apply(batch));
        under_way_.reset();
    }

    void commit(std::size_t at) {
        Write write;
        write.name = {tape_.pick(kCollections), tape_.pick(kIds)};
        std::size_t const kind = tape_.below(10);
        if (kind == 0) write.kind = Write::Kind::erase;
        if (kind == 1 || kind == 2) write.kind = Write::Kind::delete_;
        if (kind > 2) {
            static constexpr char const* kChanges[] = {R"({"name": "x"})",
                                                       R"({"name": "y"})",
                                                       R"({"name": null})",
                                                       R"({"points": {"$inc": 2}})",
                                                       R"({"points": null})",
                                                       R"({"tags": {"$add": "t"}})",
                                                       R"({"tags": {"$remove": "t"}})",
                                                       R"({"vip": true})",
                                                       R"({"lines": ["u", "v"]})",
                                                       R"({"lines": ["v"]})",
                                                       R"({"extra": {"k": {"l": 1}}})"};
            write.kind = Write::Kind::patch;
            write.fields = object_of(tape_.pick(kChanges));
        }
        both([&](Space& space) { (void)space[at].try_commit({write}); });
    }

    void compare() {
        for (std::size_t at = 0; at < count_; ++at) {
            RC_ASSERT(states_[at]->vector() == entries_[at]->vector());
            RC_ASSERT(states_[at]->root() == entries_[at]->root());
            RC_ASSERT(states_[at]->needs_scrub() == entries_[at]->needs_scrub());
        }
    }

    Tape tape_;
    std::size_t count_;
    Space states_, entries_;
    std::optional<UnderWay> under_way_;
};

RC_GTEST_PROP(StatesProperty, D15_a_state_comes_to_the_same_as_its_entries, (std::uint32_t seed)) {
    Twins(Tape::seeded(seed)).run(60);
}

}  // namespace
}  // namespace inos::test
