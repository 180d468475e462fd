// Random schedules of transactions, exchange, restarts and crashes over real replicas. What has to
// hold at any moment (numbers as in docs/testing.md):
//   I2 equal version vectors, equal roots and records    I3 state = rebuilt from the log
//   I6 numbers without gap or reuse, stamps growing      I7 batches again or in parts: the same
//   bytes
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/replica_stage.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr std::string_view kSchema = R"({
    "customers": {"fields": {"points": {"type": "counter"}, "tags": {"type": "set"},
                             "vip": {"type": "flag"}, "name": {"type": "register"}}},
    "strict": {"delete": "delete-wins", "fields": {"tags": {"type": "set"}}}})";

class Schedule {
public:
    explicit Schedule(Tape tape) : tape_(std::move(tape)), space_(2 + tape_.below(4)) {
        if (tape_.chance(70)) {
            space_[0].set_schema(kSchema);
            space_.converge();
        }
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            check_equal_vectors();
        }
    }

    // Whatever the clocks: of all that one site sends another, every entry comes when the receiver
    // has all that its author had seen, in batches of any size.
    void check_streams() {
        for (auto const& from : space_.sites())
            for (auto const& to : space_.sites())
                check_stream(*from, to->replica->vector());
        check_stream(any_site(), {});
    }

    // After healing everybody holds the same, whoever crashed when.
    void heal_and_check() {
        for (auto const& site : space_.sites())
            site->reopen();
        space_.converge();
        check_equal_vectors();
        for (auto const& site : space_.sites()) {
            RC_ASSERT(site->replica->vector() == space_[0]->vector());
            RC_ASSERT(value_of(site->replica->recompute_root()) == site->replica->root());
            check_conflicts(*site);
        }
        check_logs();
        check_rebuilt();
    }

private:
    Site& any_site() { return space_[tape_.below(space_.size())]; }

    void step() {
        Site& site = any_site();
        switch (tape_.below(10)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return commit(site);
            case 4:
            case 5:
            case 6:
                return pull(site);
            case 7:
                return jump(site);
            case 8:
                return restart(site);
            default:
                return crash(site);
        }
    }

    Write any_write() {
        static constexpr char const* kIds[] = {"a", "b", "c"};
        static constexpr char const* kCollections[] = {"customers", "customers", "strict"};
        static constexpr char const* kChanges[] = {
            R"({"name":"x"})",
            R"({"name":"y","extra":{"k":1}})",
            R"({"extra":{"k":null,"l":2}})",
            R"({"tags":{"$add":"t"}})",
            R"({"tags":{"$remove":"t"}})",
            R"({"name":null})",
            "{}",
        };
        static constexpr char const* kTyped[] = {
            R"({"points":{"$inc":2}})", R"({"points":7})", R"({"vip":true})", R"({"vip":false})"};
        Write write;
        write.name = {tape_.pick(kCollections), tape_.pick(kIds)};
        std::size_t const kind = tape_.below(8);
        if (kind == 0) {
            write.kind = Write::Kind::delete_;
            return write;
        }
        write.kind = kind < 3 ? Write::Kind::put : Write::Kind::patch;
        bool const typed = write.name.collection == "customers" && tape_.chance(40);
        write.fields = object_of(typed ? tape_.pick(kTyped) : tape_.pick(kChanges));
        return write;
    }

    std::vector<Transaction> any_group() {
        std::vector<Transaction> group(1 + tape_.below(3));
        for (Transaction& transaction : group) {
            transaction.source = tape_.chance(50) ? "crm" : "shop";
            transaction.writes.resize(1 + tape_.below(3));
            for (Write& write : transaction.writes)
                write = any_write();
        }
        return group;
    }

    void commit(Site& site) {
        auto const root = site->root();
        auto const vector = site->vector();
        bool changed = false;
        for (auto const& result : site->commit(any_group()))
            changed = changed || (result && result->dot);
        if (!changed) {
            RC_ASSERT(site->root() == root);
            RC_ASSERT(site->vector() == vector);
        }
    }

    void pull(Site& site) {
        Site& from = any_site();
        std::size_t const target = tape_.chance(50) ? 1 : Space::kTargetBytes;
        for (std::size_t batches = 1 + tape_.below(5); batches > 0; --batches) {
            auto const batch = value_of(from->collect(site->vector(), target));
            if (batch.empty()) return;
            RC_ASSERT(value_of(site->apply(batch)).applied == batch.entries());
            if (!tape_.chance(20)) continue;
            auto const before = contents(*site.engine);
            RC_ASSERT(value_of(site->apply(batch)).known == batch.entries());
            RC_ASSERT(contents(*site.engine) == before);
        }
    }

    void jump(Site& site) {
        static constexpr std::int64_t kTenYears = 315'569'520'000;
        static constexpr std::int64_t kJumps[] = {
            1, 1'000, -1'000, 3'600'000, -3'600'000, kTenYears, -kTenYears};
        site.clock.set(site.clock.now_ms() + static_cast<std::uint64_t>(tape_.pick(kJumps)));
    }

    void restart(Site& site) {
        auto const root = site->root();
        auto const vector = site->vector();
        auto const count = site->record_count();
        site.reopen();
        RC_ASSERT(site->root() == root);
        RC_ASSERT(site->vector() == vector);
        RC_ASSERT(site->record_count() == count);
        RC_ASSERT(value_of(site->recompute_root()) == root);
    }

    // A write fails, now or a few writes later, with or without having happened.
    void crash(Site& site) {
        auto const outcome =
            tape_.chance(50) ? FaultEngine::Outcome::lost : FaultEngine::Outcome::kept;
        site.engine->fail_write(1 + tape_.below(3), outcome);
        VersionVector acknowledged = site->vector();
        for (int i = 0; i < 3 && !site->failed(); ++i) {
            if (tape_.chance(50)) {
                site->commit(any_group());
            } else if (auto const batch = any_site()->collect(site->vector(), 1'000)) {
                (void)site->apply(*batch);
            }
            acknowledged = site->vector();
        }
        site.reopen();
        RC_ASSERT(site->vector().includes(acknowledged));
        RC_ASSERT(value_of(site->recompute_root()) == site->root());
    }

    void check_stream(Site& from, VersionVector there) {
        std::size_t const target = tape_.chance(50) ? 1 : 1 + tape_.below(4'000);
        for (;;) {
            auto const batch = value_of(from->collect(there, target));
            if (batch.empty()) break;
            for (EntryRun const& run : batch.runs)
                for (std::size_t i = 0; i < run.entries.size(); ++i) {
                    auto const header = decode_header(frame_entry(run.entries[i])->header);
                    RC_ASSERT(header.has_value());
                    RC_ASSERT(header->dot == (Dot{run.actor, there.at(run.actor) + 1}));
                    for (DepHead const& dep : header->deps)
                        RC_ASSERT(there.at(dep.actor) >= dep.seq);
                    there.raise(run.actor, header->dot.seq);
                }
        }
        RC_ASSERT(there.includes(from->vector()));
    }

    void check_equal_vectors() {
        for (std::size_t i = 0; i < space_.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                if (space_[i]->vector() != space_[j]->vector()) continue;
                RC_ASSERT(space_[i]->root() == space_[j]->root());
                RC_ASSERT(space_[i].records() == space_[j].records());
            }
    }

    // Numbers and stamps of every actor, as everybody holds them.
    void check_logs() {
        auto const batch = value_of(space_[0]->collect({}, 64 << 20));
        std::map<ActorId, std::pair<Seq, Hlc>> last;
        for (EntryRun const& run : batch.runs)
            for (std::size_t i = 0; i < run.entries.size(); ++i) {
                auto const header = decode_header(frame_entry(run.entries[i])->header);
                RC_ASSERT(header.has_value());
                auto& [seq, stamp] = last[run.actor];
                RC_ASSERT(header->dot == (Dot{run.actor, seq + 1}));
                RC_ASSERT(run.first + i == seq + 1);
                RC_ASSERT(header->hlc > stamp);
                seq = header->dot.seq;
                stamp = header->hlc;
            }
        for (auto const& [actor, seq] : space_[0]->vector().items())
            RC_ASSERT(last[actor].first == seq);
    }

    // The index finds all records with conflicts, and no more of the others than it has to.
    void check_conflicts(Site& site) {
        auto const names = value_of(site->conflict_candidates({}, {}, 1'000));
        for (auto const& [key, value] : site.records()) {
            std::string_view const rest = std::string_view(key.second).substr(4);
            RecordName const name{std::string(rest.substr(0, rest.find('\0'))),
                                  std::string(rest.substr(rest.find('\0') + 1))};
            auto const stored = value_of(StoredRecord::decode(value, name));
            bool const found = std::find(names.begin(), names.end(), name) != names.end();
            RC_ASSERT(found == belongs_to_conflicts(stored.digest_class, stored.record));
            auto const view = value_of(site->get(name));
            RC_ASSERT(found || !view || view->conflicts.empty());
        }
    }

    // A site that comes last replays the whole log and gets the same bytes.
    void check_rebuilt() {
        Site& fresh = space_.admit({"fresh", Role::reader});
        space_.pull(0, space_.size() - 1, tape_.chance(50) ? 1 : Space::kTargetBytes);
        RC_ASSERT(fresh->vector() == space_[0]->vector());
        RC_ASSERT(fresh.records() == space_[0].records());
        RC_ASSERT(contents(*fresh.engine, Family::digests) ==
                  contents(*space_[0].engine, Family::digests));
        RC_ASSERT(fresh->root() == space_[0]->root());
    }

    Tape tape_;
    Space space_;
};

RC_GTEST_PROP(ReplicaSchedules, I2_I3_I6_I7_hold_and_sites_converge_after_healing, (Tape tape)) {
    Schedule schedule(tape);
    schedule.run(5 + tape.words().size() / 3);
    schedule.heal_and_check();
}

RC_GTEST_PROP(ReplicaSchedules, B1_B4_a_stream_never_makes_the_receiver_wait, (Tape tape)) {
    Schedule schedule(tape);
    schedule.run(5 + tape.words().size() / 3);
    schedule.check_streams();
}

// Long ones, which random tapes of rapidcheck's sizes do not reach.
TEST(ReplicaSchedules, long_schedules_by_seed) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        EXPECT_NO_THROW({
            Schedule schedule(Tape::seeded(seed));
            schedule.run(250);
            schedule.check_streams();
            schedule.heal_and_check();
        });
    }
}

}  // namespace
}  // namespace inos::test
