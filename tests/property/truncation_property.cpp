// Random schedules, run twice side by side: once with logs that are cut at any moment, and once
// with whole ones. What is cut changes nothing but how far histories reach back:
//   equal vectors and roots at every step, whoever has purged or cut what
//   no site ever lacks an entry that another one has cut
//   every history is the end of the whole one, and says when it is not all of it, unless the record
//   was purged meanwhile and began anew
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/log_retention.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr std::uint64_t kAgeMs = 50;
constexpr char const* kIds[] = {"a", "b", "c", "d"};
constexpr char const* kCollections[] = {"customers", "strict"};

class Twins {
public:
    explicit Twins(Tape tape)
        : tape_(std::move(tape)), count_(2 + tape_.below(3)), cut_(count_), whole_(count_) {
        both([](Space& space) {
            space[0].set_schema(R"({"customers": {"fields": {"points": {"type": "counter"},
                                                             "tags": {"type": "set"}}},
                                    "strict": {"delete": "delete-wins"}})");
            space.converge();
        });
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            compare(tape_.chance(15));
        }
        both([](Space& space) {
            space.converge();
            space.acknowledge();
        });
        for (std::size_t at = 0; at < count_; ++at) {
            while (value_of(cut_log(*cut_[at], 0, 1'000)) > 0) {
            }
            both([at](Space& space) { space[at].reopen(); });
        }
        both([](Space& space) {
            space[0].put("customers", "e", {});
            space.converge();
        });
        compare(true);
        for (std::size_t at = 0; at < count_; ++at)
            RC_ASSERT(value_of(cut_[at]->recompute_root()) == cut_[at]->root());
    }

private:
    template <class F>
    void both(F const& act) {
        act(cut_);
        act(whole_);
    }

    void step() {
        std::size_t const at = tape_.below(count_), from = tape_.below(count_);
        switch (tape_.below(10)) {
            case 0:
            case 1:
            case 2:
                return commit(at);
            case 3:
            case 4:
                return both([&](Space& space) { space.pull(from, at); });
            case 5:
                return both([](Space& space) { space.acknowledge(); });
            case 6:
                return both([at](Space& space) { value_of(space[at]->purge(100)); });
            case 7:
                return both([](Space& space) {
                    for (auto const& site : space.sites())
                        site->clock.advance(kAgeMs / 2);
                });
            case 8:
                return both([at](Space& space) { space[at].reopen(); });
            default:
                value_of(cut_log(*cut_[at], kAgeMs, 1 + tape_.below(20)));
        }
    }

    void commit(std::size_t at) {
        Write write;
        write.name = {tape_.pick(kCollections), tape_.pick(kIds)};
        std::size_t const kind = tape_.below(8);
        if (kind == 0) write.kind = Write::Kind::erase;
        if (kind == 1 || kind == 2) write.kind = Write::Kind::delete_;
        if (kind > 2) {
            static constexpr char const* kChanges[] = {R"({"name": "x"})",
                                                       R"({"name": null})",
                                                       R"({"points": {"$inc": 2}})",
                                                       R"({"points": null})",
                                                       R"({"tags": {"$add": "t"}})",
                                                       R"({"tags": {"$remove": "t"}})",
                                                       R"({"extra": {"k": {"l": 1}}})"};
            write.kind = Write::Kind::patch;
            write.fields = object_of(tape_.pick(kChanges));
        }
        both([&](Space& space) { (void)space[at].try_commit({write}); });
    }

    void compare(bool histories) {
        for (std::size_t at = 0; at < count_; ++at) {
            RC_ASSERT(cut_[at]->vector() == whole_[at]->vector());
            RC_ASSERT(cut_[at]->root() == whole_[at]->root());
            if (!histories) continue;
            for (char const* collection : kCollections)
                for (char const* id : kIds)
                    compare_histories(at, {collection, id});
        }
    }

    void compare_histories(std::size_t at, RecordName const& name) {
        auto const cut = value_of(cut_[at]->history(name));
        auto const whole = value_of(whole_[at]->history(name));
        RC_ASSERT(cut.size() <= whole.size());
        bool const anew = cut.empty() || cut.steps.front().op.fresh;
        RC_ASSERT(cut.kept_from_ms.has_value() || cut.size() == whole.size() || anew);
        std::size_t const missing = whole.size() - cut.size();
        for (std::size_t i = 0; i < cut.size(); ++i) {
            RC_ASSERT(cut.steps[i].dot == whole.steps[missing + i].dot);
            RC_ASSERT(cut.steps[i].deps == whole.steps[missing + i].deps);
        }
    }

    Tape tape_;
    std::size_t count_;
    Space cut_, whole_;
};

RC_GTEST_PROP(TruncationProperty, C6_cutting_the_log_changes_nothing_else, (std::uint32_t seed)) {
    Twins(Tape::seeded(seed)).run(60);
}

}  // namespace
}  // namespace inos::test
