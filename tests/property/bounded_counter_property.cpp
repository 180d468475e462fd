// E4: a bounded counter over random executions of two to five replicas with partitions, transfers
// of rights and crashes. Goal: at no site and at no moment, nor in all entries together, is the
// value under its min. Method: sites use, add and pass on at random; after every step the site's
// own reading and the sum of what all sites have done themselves are checked.
// INOS_EXECUTIONS=N runs N of them; a failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "storage/rights.hpp"
#include "tests/support/mini_rights.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

int executions(int usual) {
    char const* text = std::getenv("INOS_EXECUTIONS");
    return text ? std::atoi(text) : usual;
}

RecordName const kLamp{"products", "lamp"};
constexpr char const* kField = "stock";

struct Tally {
    std::size_t used = 0, refused = 0, passed = 0, crashes = 0, rounds = 0, cleared = 0;
};

class Execution {
public:
    Execution(std::size_t count, std::int64_t min, bool with_clears)
        : min_(min), with_clears_(with_clears) {
        auto& field = schemas_["products"].fields[kField];
        field.type = CellType::bounded_counter;
        field.min = min;
        for (std::uint64_t i = 1; i <= count; ++i) {
            // Actors are not in the order of the sites.
            ActorId const actor{i * 0x9e3779b97f4a7c15};
            sites_.push_back({{actor, "shop", schemas_}, {actor, "shop", schemas_}, 0});
        }
    }

    void step(std::uint64_t word) {
        Tape tape = Tape::seeded(word);
        std::size_t const at = tape.below(sites_.size());
        std::size_t const kind = tape.below(100);
        if (kind < 20) {
            change(at, operation(1 + amount(tape)));
        } else if (kind < 44) {
            change(at, operation(-1 - amount(tape)));
        } else if (kind < 48) {
            change(at, Value(amount(tape)));
        } else if (kind < 66) {
            request(at, tape.below(sites_.size()), 1 + amount(tape), tape.chance(30));
        } else if (kind < 84) {
            pull(at, tape.below(sites_.size()), tape.chance(50) ? 1 + tape.below(3) : SIZE_MAX);
        } else if (kind < 88) {
            merge_state(at, tape.below(sites_.size()));
        } else if (kind < 92) {
            for (Place& place : sites_)
                place.group = tape.chance(50) ? static_cast<int>(tape.below(2)) : 0;
        } else if (kind < 96) {
            sites_[at].live = sites_[at].durable;
            ++tally_.crashes;
        } else if (with_clears_) {
            clear(at, tape.chance(50));
        }
        if (!with_clears_) check_bound();
    }

    void finish() {
        for (Place& place : sites_)
            place.group = 0;
        converge();
        for (Place const& place : sites_)
            if (place.live.bytes() != sites_[0].live.bytes())
                throw Violation("replicas that have all entries differ");
        FieldRights const rights = rights_at(sites_[0].live, kLamp, kField);
        std::int64_t held = 0, usable = 0;
        for (auto const& share : rights.shares) {
            held += share.rights;
            usable += rights.available(share.actor);
        }
        std::int64_t const free = std::max<std::int64_t>(rights.value - min_, 0);
        if (usable > free) throw Violation("sites together may use more than there is");
        if (with_clears_) return;
        bool const exists = !rights.shares.empty();
        if (exists && held != rights.value - min_)
            throw Violation("rights are not what the value has over its min");
        if (exists && rights.value != own_sum()) throw Violation("something was counted twice");
    }

    // All are connected: a decrement that all rights together cover succeeds.
    void check_liveness(Tape tape) {
        Place& place = sites_[tape.below(sites_.size())];
        FieldRights const rights = rights_at(place.live, kLamp, kField);
        if (rights.value <= min_ || with_clears_) return;
        auto const free = static_cast<std::size_t>(rights.value - min_);
        auto const wanted = static_cast<std::int64_t>(1 + tape.below(free));
        for (int round = 0; round < 2; ++round) {
            place.live.patch(kLamp, {{kField, operation(-wanted)}});
            if (!place.live.error()) return;
            ++tally_.rounds;
            ask(place, need_of({kLamp, kField, place.live.error()->shortage}));
        }
        throw Violation("a decrement that the rights of all cover did not get them");
    }

    Tally const& tally() const { return tally_; }

private:
    // What a site shows, and what it would come back with after a crash. Others take only what is
    // durable.
    struct Place {
        MiniReplica live, durable;
        int group = 0;
    };

    static std::int64_t amount(Tape& tape) { return static_cast<std::int64_t>(tape.below(9)); }
    static Value operation(std::int64_t delta) { return Value(Object{{"$inc", Value(delta)}}); }

    void change(std::size_t at, Value value) {
        MiniReplica& site = sites_[at].live;
        auto const before = rights_at(site, kLamp, kField);
        site.patch(kLamp, {{kField, std::move(value)}});
        if (!site.error()) {
            tally_.used += rights_at(site, kLamp, kField).value < before.value;
            return;
        }
        ++tally_.refused;
        if (site.error()->kind != ChangeError::Kind::rights) return;
        Shortage const& shortage = site.error()->shortage;
        if (shortage.wanted <= shortage.available) throw Violation("refused what there is");
    }

    bool reach(std::size_t a, std::size_t b) const {
        return a != b && sites_[a].group == sites_[b].group;
    }
    void sync(Place& place) { place.durable = place.live; }

    void pull(std::size_t to, std::size_t from, std::size_t limit) {
        if (!reach(to, from)) return;
        sync(sites_[from]);
        sites_[to].live.pull(sites_[from].durable, limit);
    }

    void merge_state(std::size_t to, std::size_t from) {
        if (!reach(to, from)) return;
        sync(sites_[from]);
        sites_[to].live.merge_state(sites_[from].durable);
    }

    // `to` asks `from`, which grants what it decides to; the entry comes when it is pulled.
    void request(std::size_t to, std::size_t from, std::int64_t wanted, bool ahead) {
        if (reach(to, from)) grant(sites_[from], sites_[to].live.actor(), wanted, ahead);
    }

    void grant(Place& from, ActorId to, std::int64_t wanted, bool ahead) {
        std::int64_t const granted =
            rights_to_grant(rights_at(from.live, kLamp, kField), from.live.actor(), wanted, ahead);
        if (granted == 0) return;
        if (pass_rights(from.live, kLamp, kField, granted, to))
            throw Violation("what was granted is not there");
        ++tally_.passed;
    }

    void ask(Place& place, RightsNeed const& need) {
        std::vector<ActorId> others;
        for (Place const& other : sites_)
            if (&other != &place) others.push_back(other.live.actor());
        auto const rights = rights_at(place.live, kLamp, kField);
        for (auto const& [actor, part] : rights_holders(rights, others, need.amount, need.ahead))
            for (Place& other : sites_)
                if (other.live.actor() == actor) grant(other, place.live.actor(), part, need.ahead);
        for (Place const& other : sites_)
            place.live.pull(other.live);
    }

    void clear(std::size_t at, bool whole) {
        ++tally_.cleared;
        if (whole)
            sites_[at].live.erase(kLamp);
        else
            sites_[at].live.patch(kLamp, {{kField, Value()}});
    }

    void converge() {
        for (int round = 0; round < 2; ++round)
            for (Place& to : sites_)
                for (Place const& from : sites_)
                    to.live.pull(from.live);
    }

    // What all sites have added and used themselves, by their own records: all entries there are.
    std::int64_t own_sum() const {
        std::int64_t sum = 0;
        std::string const own = path_child({}, kField, CellType::bounded_counter);
        for (Place const& place : sites_)
            for (auto const& [part, sign] : {std::pair("i", 1), std::pair("u", -1)}) {
                Record const& record = place.live.record(kLamp);
                auto const range = record.at(path_child(own, part, CellType::counter));
                for (std::size_t i = range.begin; i < range.end; ++i)
                    if (record[i].dot.actor == place.live.actor())
                        sum += sign * RunCell::decode(record[i].payload)->total;
            }
        return sum;
    }

    void check_bound() const {
        bool anywhere = false;
        for (Place const& place : sites_) {
            auto const* field = &schemas_.at("products").fields.at(kField);
            auto const rights =
                field_rights(place.live.record(kLamp), path_name({}, kField), field);
            anywhere = anywhere || rights;
            if (rights && rights->value < min_)
                throw Violation("a site sees " + std::to_string(rights->value));
            for (auto const& share : rights ? rights->shares : std::vector<FieldRights::Share>())
                if (share.rights < 0) throw Violation("a site sees rights that are negative");
        }
        if (anywhere && own_sum() < min_)
            throw Violation("all entries together make " + std::to_string(own_sum()));
    }

    std::int64_t min_;
    bool with_clears_;
    Schemas schemas_;
    std::vector<Place> sites_;
    Tally tally_;
};

using Words = std::vector<std::uint64_t>;

Words any_steps() {
    auto const word = rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
    return *rc::gen::scale(1.5, rc::gen::container<Words>(word));
}

void run(int count, bool with_clears, Tally& sum) {
    auto const property = [&] {
        auto const replicas = *rc::gen::inRange<std::size_t>(2, 6);
        auto const min = *rc::gen::element<std::int64_t>(0, 0, 4);
        auto const words = any_steps();
        Execution execution(replicas, min, with_clears);
        for (std::uint64_t const word : words)
            execution.step(word);
        execution.finish();
        execution.check_liveness(Tape::seeded(words.empty() ? 0 : words[0]));
        Tally const& one = execution.tally();
        sum.used += one.used;
        sum.refused += one.refused;
        sum.passed += one.passed;
        sum.crashes += one.crashes;
        sum.rounds += one.rounds;
        sum.cleared += one.cleared;
    };
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    params.maxSuccess = count;
    rc::detail::TestMetadata metadata;
    metadata.id = "BoundedCounter";
    auto const result = rc::detail::checkTestable(property, metadata, params);
    if (!result.is<rc::detail::SuccessResult>()) {
        rc::detail::printResultMessage(result, std::cerr);
        FAIL() << "\nexecution failed; run again with RC_PARAMS=\"seed=" << params.seed << "\"";
    }
    std::cout << sum.used << " used, " << sum.refused << " refused, " << sum.passed << " passed, "
              << sum.crashes << " crashes, " << sum.rounds << " waits, " << sum.cleared
              << " clears\n";
}

TEST(BoundedCounterExecutions, E4_never_under_min_and_no_right_is_used_twice) {
    int const count = executions(10'000);
    Tally sum;
    run(count, false, sum);
    if (count < 1'000) return;
    auto const enough = static_cast<std::size_t>(count) / 4;
    for (std::size_t const reached : {sum.used, sum.refused, sum.passed, sum.crashes})
        EXPECT_GT(reached, enough) << "the executions do not reach everything";
    EXPECT_GT(sum.rounds, enough / 4) << "nobody had to ask";
}

TEST(BoundedCounterExecutions, after_clears_sites_together_use_no_more_than_there_is) {
    int const count = executions(2'000);
    Tally sum;
    run(count, true, sum);
    auto const enough = static_cast<std::size_t>(count) / 4;
    if (count >= 1'000) {
        EXPECT_GT(sum.cleared, enough);
    }
}

}  // namespace
}  // namespace inos::test
