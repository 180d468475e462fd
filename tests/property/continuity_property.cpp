// Random executions in which directories are copied, put back from any earlier moment, started
// again after a reboot, or started twice: no entry's number is ever used for two entries, no right
// of a bounded counter is used twice, nothing that anybody still holds is lost, and all come to
// hold the same.
//
// A peer that confirms a rolled-back disk while another one holds more is the one case that no
// site can notice in time; it is left out here, and a fork in continuity_test.cpp.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/lives.hpp"

namespace inos::test {
namespace {

class Restores {
public:
    explicit Restores(Tape tape) : tape_(std::move(tape)), lives_(2 + tape_.below(2)) {
        std::string const policy = tape_.chance(50) ? "strict" : "trust-disk";
        std::string const json =
            R"({"customers":{"fields":{"stock":{"type":"bounded-counter","offline_rights":")" +
            policy + "\"}}}}";
        Transaction const schema{"test", schema_writes(object_of(json), {})};
        value_of(lives_[0]->commit({schema}).front());
        value_of(lives_[0].try_put("lamp", R"({"stock":{"$inc":30}})"));
        lives_.converge();
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            note_entries();
            look_at_stock();
        }
        settle();
    }

private:
    std::size_t any() { return tape_.below(lives_.size()); }
    DirectoryMarks new_file() { return marks(++files_ + 100, "boot " + std::to_string(boots_)); }

    void step() {
        std::size_t const at = any();
        Life& life = lives_[at];
        switch (tape_.below(11)) {
            case 0:
            case 1:
            case 2:
                return write(life);
            case 3:
            case 4:
                if (std::size_t const other = any(); other != at) meet(at, other);
                return;
            case 5:  // a backup, to come back some time
                backups_.emplace_back(at, life.contents());
                return;
            case 6:  // restored, or copied to where it is not known
                if (backups_.empty()) return;
                return restore();
            case 7: {  // the machine starts again; nothing was lost
                DirectoryMarks now = life.present();
                now.boot = "boot " + std::to_string(++boots_);
                return life.reopen(now);
            }
            case 8:
                return sell(life);
            case 9:
                return pass_on(life, lives_[any()]->actor());
            default:  // a second directory that runs beside the first
                if (lives_.size() < 5) lives_.clone(at, new_file());
                return;
        }
    }

    void write(Life& life) {
        // Too many new actors a day; an hour passes for each.
        life.clock.set(life.clock.now_ms() + 2 * 3'600'000);
        life.put("k" + std::to_string(++keys_));
    }

    void sell(Life& life) {
        life.clock.set(life.clock.now_ms() + 2 * 3'600'000);
        auto const amount = std::to_string(1 + tape_.below(6));
        auto const sold = life.try_put("lamp", R"({"stock":{"$inc":-)" + amount + "}}");
        RC_ASSERT(sold || sold.error().code == Errc::rights);
    }
    void pass_on(Life& life, ActorId to) {
        life.clock.set(life.clock.now_ms() + 2 * 3'600'000);
        Write write;
        write.kind = Write::Kind::transfer;
        write.name = {"customers", "lamp"};
        write.fields = {{"stock", Value(static_cast<std::int64_t>(1 + tape_.below(8)))}};
        write.to = to;
        // To itself, or more than there is: refused.
        (void)life->commit({{"test", {write}}});
    }
    void look_at_stock() {
        for (std::size_t i = 0; i < lives_.size(); ++i) {
            auto const rights = value_of(lives_[i]->rights({"customers", "lamp"}, "stock"));
            RC_ASSERT(rights.has_value());
            RC_ASSERT(rights->value >= 0);
        }
    }

    void restore() {
        auto const& [at, contents] = backups_[tape_.below(backups_.size())];
        lives_[at].restore(contents, new_file());
        if (tape_.chance(50)) write(lives_[at]);
    }

    void meet(std::size_t a, std::size_t b) {
        bool const forked = lives_.meet(a, b).forked();
        RC_ASSERT(!forked);
    }

    std::set<std::string> held_by_anybody() {
        std::set<std::string> keys;
        for (std::size_t i = 0; i < lives_.size(); ++i)
            for (std::size_t key = 1; key <= keys_; ++key)
                if (lives_[i].has("k" + std::to_string(key))) keys.insert(std::to_string(key));
        return keys;
    }

    void note_entries() {
        for (std::size_t i = 0; i < lives_.size(); ++i) {
            Replica& replica = *lives_[i];
            for (auto const& [actor, seq] : replica.vector().items())
                for (Seq n = 1; n <= seq; ++n) {
                    auto const chain = *value_of(replica.chain_at({actor, n}));
                    auto const known = chains_.emplace(Dot{actor, n}, chain).first;
                    RC_ASSERT(known->second == chain);
                }
        }
    }

    void settle() {
        auto const held = held_by_anybody();
        for (std::size_t round = 0; round < 3; ++round) {
            for (std::size_t i = 0; i < lives_.size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    meet(i, j);
            if (round == 0)
                for (std::size_t i = 0; i < lives_.size(); ++i)
                    write(lives_[i]);
            note_entries();
        }
        for (std::size_t i = 0; i < lives_.size(); ++i) {
            RC_ASSERT(lives_[i]->vector() == lives_[0]->vector());
            RC_ASSERT(lives_[i]->root() == lives_[0]->root());
            RC_ASSERT(value_of(lives_[i]->recompute_root()) == lives_[i]->root());
            RC_ASSERT(lives_[i]->forks().empty());
        }
        for (auto const& key : held)
            RC_ASSERT(lives_[0].has("k" + key));
        look_at_stock();
    }

    Tape tape_;
    Lives lives_;
    std::uint64_t files_ = 0;
    std::size_t boots_ = 1, keys_ = 0;
    std::vector<std::pair<std::size_t, Contents>> backups_;
    std::map<Dot, crypto::Hash32> chains_;
};

RC_GTEST_PROP(ContinuityProperty, C1_no_number_is_used_twice_and_all_come_to_agree, (Tape tape)) {
    Restores(std::move(tape)).run(12);
}

TEST(ContinuityExecutions, C1_long_ones_from_seeds) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Restores(Tape::seeded(seed)).run(60);
    }
}

}  // namespace
}  // namespace inos::test
