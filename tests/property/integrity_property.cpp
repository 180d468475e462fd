// Random schedules of all that changes a replica, with an inspection that goes on between them, a
// few bytes at a time: nothing is ever found, for nothing is ever wrong. And with damage planted at
// a random place: a whole pass finds it.
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/integrity.hpp"
#include "storage/log_retention.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos::test {
namespace {

constexpr char const* kIds[] = {"a", "b", "c", "d", "e"};
constexpr char const* kCollections[] = {"customers", "strict"};
constexpr char const* kSchemas[] = {R"({"customers": {"index": ["name"]}})",
                                    R"({"customers": {"index": ["name", "city"]}})",
                                    R"({"customers": {"index": []}})",
                                    R"({"strict": {"delete": "delete-wins"}})",
                                    R"({"strict": {"delete": "update-wins"}})"};

class Watched {
public:
    explicit Watched(Tape tape)
        : tape_(std::move(tape)), count_(2 + tape_.below(2)), space_(count_) {
        for (std::size_t i = 0; i < count_; ++i)
            inspectors_.push_back(std::make_unique<Inspector>(*space_[i]));
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            act();
            look(tape_.below(count_), 1 + tape_.below(3'000));
        }
        for (std::size_t at = 0; at < count_; ++at) {
            inspectors_[at]->begin();
            while (!value_of(inspectors_[at]->step(500))) {
            }
            expect_nothing(at);
            RC_ASSERT(inspectors_[at]->inspected().sums_compared);
            RC_ASSERT(inspectors_[at]->inspected().whole);
        }
        RC_ASSERT(passes_ > 0u);
    }

    // A byte of a row, or all of it, that a pass looks at from end to end.
    void damage_one() {
        std::size_t const at = tape_.below(count_);
        Site& site = space_[at];
        auto const family = tape_.chance(50) ? Family::records : Family::log;
        std::vector<std::pair<std::string, std::string>> rows;
        for (auto const& [key, value] : contents(*site.engine, family))
            if (!value.empty()) rows.emplace_back(key.second, value);
        if (rows.empty()) return;
        auto [key, value] = tape_.pick(rows);
        bool const entry = family == Family::log && key.size() == keys::log(1, {}).size();
        if (tape_.chance(30) && (family == Family::records || entry)) {
            // A row without cells counts nowhere, and nobody misses it.
            if (family == Family::records &&
                StoredRecord::head(value).digest_class == DigestClass::none)
                return;
            put_raw(site, family, key, std::nullopt);
        } else {
            value.back() = static_cast<char>(value.back() ^ (1 << tape_.below(8)));
            put_raw(site, family, key, value);
        }
        inspectors_[at]->begin();
        while (!value_of(inspectors_[at]->step(400))) {
        }
        RC_ASSERT(!inspectors_[at]->inspected().findings.empty());
    }

private:
    void look(std::size_t at, std::size_t budget) {
        if (!value_of(inspectors_[at]->step(budget))) return;
        ++passes_;
        expect_nothing(at);
    }

    void expect_nothing(std::size_t at) {
        for (Finding const& finding : inspectors_[at]->inspected().findings)
            RC_FAIL("found: kind " + std::to_string(static_cast<int>(finding.kind)) + " of \"" +
                    finding.collection + "\" \"" + finding.key + "\", entry " +
                    std::to_string(finding.seq));
    }

    void act() {
        std::size_t const at = tape_.below(count_), from = tape_.below(count_);
        switch (tape_.below(12)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return commit(at);
            case 4:
            case 5:
                return static_cast<void>(space_.pull(from, at));
            case 6:
                return space_.acknowledge();
            case 7:
                value_of(space_[at]->purge(1 + tape_.below(5)));
                return static_cast<void>(value_of(space_[at]->delete_again(5)));
            case 8:
                for (auto const& site : space_.sites())
                    site->clock.advance(25);
                return static_cast<void>(value_of(space_[at]->build_indexes(1 + tape_.below(4))));
            case 9:
                if (tape_.chance(50)) return space_.converge();
                inspectors_[at].reset();
                space_[at].reopen();
                inspectors_[at] = std::make_unique<Inspector>(*space_[at]);
                return;
            case 10:
                space_[0].set_schema(tape_.pick(kSchemas));
                return;
            default:
                value_of(cut_log(*space_[at], 50, 1 + tape_.below(20)));
        }
    }

    void commit(std::size_t at) {
        Write write;
        write.name = {tape_.pick(kCollections), tape_.pick(kIds)};
        std::size_t const kind = tape_.below(9);
        if (kind == 0) write.kind = Write::Kind::erase;
        if (kind == 1 || kind == 2) write.kind = Write::Kind::delete_;
        if (kind > 2) {
            static constexpr char const* kChanges[] = {R"({"name": "x"})",
                                                       R"({"name": "y", "city": "z"})",
                                                       R"({"name": null})",
                                                       R"({"points": {"$inc": 2}})",
                                                       R"({"tags": {"$add": "t"}})",
                                                       R"({"tags": {"$remove": "t"}})",
                                                       R"({"extra": {"k": {"l": 1}}})"};
            write.kind = Write::Kind::patch;
            write.fields = object_of(tape_.pick(kChanges));
        }
        (void)space_[at].try_commit({write});
    }

    Tape tape_;
    std::size_t count_;
    Space space_;
    std::vector<std::unique_ptr<Inspector>> inspectors_;
    std::size_t passes_ = 0;
};

RC_GTEST_PROP(IntegrityProperty, nothing_is_found_while_others_write, (std::uint32_t seed)) {
    Watched(Tape::seeded(seed)).run(150);
}

RC_GTEST_PROP(IntegrityProperty, D20_what_is_damaged_is_found, (std::uint32_t seed)) {
    Watched watched(Tape::seeded(seed));
    watched.run(40);
    watched.damage_one();
}

}  // namespace
}  // namespace inos::test
