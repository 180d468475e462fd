// Random schedules, run twice side by side: once with states that go from site to site, in parts
// between which everything else goes on, and logs that are cut; once with entries alone. At every
// step both hold the same: vectors, roots. Sites join, and machines stop within a switch. In the
// end all are connected, and hold the same, down to every index, list and hash.
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <optional>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/log_retention.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr char const* kIds[] = {"a", "b", "c", "d"};
constexpr char const* kCollections[] = {"customers", "strict"};
constexpr std::size_t kSitesMax = 5;

struct Seen {
    std::size_t states = 0, cut_off = 0, entries = 0, gone = 0;
};

SpaceSetup setup() {
    SpaceSetup setup;
    setup.state_write_bytes = 300;
    return setup;
}

std::vector<SiteSetup> members(Tape& tape) {
    std::vector<SiteSetup> sites(2 + tape.below(3));
    for (std::size_t i = 0; i < sites.size(); ++i)
        sites[i] = {"s" + std::to_string(i), tape.chance(50) ? Role::admin : Role::writer, {}};
    return sites;
}

// ---- what is checked of one site ----------------------------------------------------------------

// The indexes hold what the records say, and nothing else.
void check_indexes(Site& site) {
    std::set<std::string> expected, held;
    for (auto const& [key, value] : contents(*site.engine, Family::records)) {
        std::string_view const row = std::string_view(key.second).substr(4);
        std::size_t const zero = row.find('\0');
        std::string const collection(row.substr(0, zero)), id(row.substr(zero + 1));
        auto const stored = value_of(StoredRecord::decode(value, {}));
        UpkeepFlags const flags = upkeep_flags(stored.record);
        if (belongs_to_conflicts(stored.digest_class, stored.record))
            expected.insert(keys::index_record(1, 'c', collection, id));
        if (flags.markers) expected.insert(keys::index_record(1, 'd', collection, id));
        if (flags.orphan) expected.insert(keys::index_record(1, 'o', collection, id));
    }
    for (auto const& [key, value] : contents(*site.engine, Family::index))
        if (std::string_view("cdo").find(key.second[4]) != std::string_view::npos)
            held.insert(key.second);
    RC_ASSERT(held == expected);
}

using Touch = std::pair<RecordTag, Dot>;

// From the newest entry of every record all entries in the log that touched it are reached.
void check_lists(Site& site, crypto::Secret const& digest_key) {
    std::map<Dot, std::vector<std::pair<RecordTag, Dot>>> log;  // with where each op leads to
    std::set<Touch> all, reached;
    for (auto const& [key, value] : contents(*site.engine, Family::log)) {
        if (key.second.size() != keys::log(1, {}).size()) continue;
        Reader in(std::string_view(key.second).substr(4));
        Dot dot;
        dot.actor.value = in.u64();
        dot.seq = in.u64();
        auto const stored = StoredEntry::decode(value, dot.actor);
        auto const frame = frame_entry(stored->bytes);
        auto const tags = op_tags(*frame, digest_key);
        for (std::size_t i = 0; i < tags.size(); ++i) {
            bool const is_named =
                op_record(header_names(frame->header), frame->ops[i].kind_and_body).has_value();
            if (!is_named || site->is_erased(tags[i])) continue;
            all.insert({tags[i], dot});
            log[dot].push_back({tags[i], stored->links[i]});
        }
    }
    for (auto const& [key, value] : contents(*site.engine, Family::records)) {
        std::string_view const row = std::string_view(key.second).substr(4);
        std::size_t const zero = row.find('\0');
        if (row[zero + 1] == '\1') continue;
        RecordTag const tag = record_tag(digest_key, row.substr(0, zero), row.substr(zero + 1));
        Dot at = value_of(StoredRecord::decode(value, {})).last;
        while (at.seq > 0 && !site->log_starts().is_cut(at)) {
            RC_ASSERT(reached.insert({tag, at}).second);
            Dot before;
            for (auto const& [of, link] : log.at(at))
                if (of == tag && link.seq > 0) before = link;
            at = before;
        }
    }
    RC_ASSERT(reached == all);
}

// ---- the schedules ------------------------------------------------------------------------------

class Twins {
public:
    Twins(Tape tape, Seen& seen)
        : tape_(std::move(tape)),
          seen_(seen),
          sites_(members(tape_)),
          states_(sites_, setup()),
          entries_(sites_, setup()) {
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
        under_way_.reset();
        connect_all();
        for (auto const& site : states_.sites())
            RC_ASSERT((*site)->drop_idle_states().has_value());
        compare();
        both([](Space& space) {
            for (auto const& site : space.sites())
                site->reopen();
        });
        compare();
        for (std::size_t at = 0; at < states_.size(); ++at)
            check(at);
    }

private:
    // A state from one site to another, and what entries alone would bring.
    struct UnderWay {
        std::size_t from = 0, to = 0;
        std::vector<EntryBatch> batches;
        VersionVector held;  // by the source, of that moment
        std::optional<crypto::Hash16> snapshot;
    };

    template <class F>
    void both(F const& act) {
        act(states_);
        act(entries_);
    }

    SiteId const& id(std::size_t at) { return states_[at].keys.identity.public_key; }

    void step() {
        std::size_t const count = states_.size();
        std::size_t const at = tape_.below(count), from = tape_.below(count);
        switch (tape_.below(14)) {
            case 0:
            case 1:
            case 2:
                return commit(at);
            case 3:
            case 4:
                pull(from, at);
                return;
            case 5:
            case 6:
                return both([](Space& space) { space.acknowledge(); });
            case 7:
                return both([at](Space& space) { value_of(space[at]->purge(100)); });
            case 8:
                return both([at](Space& space) { space[at].reopen(); });
            case 9:
                value_of(cut_log(*states_[at], 0, 1 + tape_.below(20)));
                return;
            case 10:
                if (count < kSitesMax && tape_.chance(30)) join();
                return;
            case 11:
                if (!under_way_ && from != at) under_way_ = UnderWay{from, at, {}, {}, {}};
                return;
            default:
                if (under_way_) go_on();
        }
    }

    void join() {
        Role const role = tape_.pick(std::array{Role::admin, Role::writer, Role::reader});
        both([&](Space& space) { space.admit({"j" + std::to_string(space.size()), role, {}}); });
    }

    // Only who has joined can need what was cut: everybody else had acknowledged it, and what it
    // may lack goes on from whoever was given a state.
    bool pull(std::size_t from, std::size_t to) {
        auto const before = states_[to]->vector();
        auto const pulled = states_.try_pull(from, to, tape_.chance(50) ? 1 : 1 << 20);
        if (!pulled) {
            RC_ASSERT(pulled.error().code == Errc::gone);
            RC_ASSERT(!states_[to]->caught_up());
            RC_ASSERT(states_[to]->vector() == before);
            ++seen_.gone;
            return false;
        }
        entries_.pull(from, to);
        return true;
    }

    void scrub(std::size_t at) {
        both([at](Space& space) {
            auto& replica = *space[at];
            RC_ASSERT(replica.scrubbed(replica.scrub_ticket()).has_value());
        });
    }

    // False: it was made earlier, and nobody knows any more what entries would have brought then.
    bool begin_again(UnderWay& way, StatePart const& part) {
        auto const manifest = value_of(decode_state_manifest(states_.id(), part.manifest));
        if (manifest.vector() != states_[way.from]->vector()) {
            both([&](Space& space) { space[way.from].reopen(); });
            return false;
        }
        way.snapshot = part.id;
        way.batches.clear();
        seen_.entries += manifest.entries();
        way.held = entries_[way.to]->vector();
        for (;;) {
            auto batch = value_of(entries_[way.from]->collect(way.held, 1 << 20));
            if (batch.empty()) break;
            for (EntryRun const& run : batch.runs)
                way.held.raise(run.actor, run.first + run.entries.size() - 1);
            way.batches.push_back(std::move(batch));
        }
        return true;
    }

    void go_on() {
        UnderWay& way = *under_way_;
        auto const ask = states_[way.to]->state_ask(id(way.from));
        if (!ask) return under_way_.reset();  // one from elsewhere is half way here
        StatePartLimits const limits{1 << 20, 1 + tape_.below(12)};
        scrub(way.from);
        auto const part = states_[way.from]->give_state(id(way.to), *ask, limits);
        if (!part) {
            bool const cannot = states_[way.from].certificate.role != Role::admin;
            RC_ASSERT(part.error().code == (cannot ? Errc::forbidden : Errc::unavailable));
            return under_way_.reset();
        }
        if (way.snapshot != part->id) {
            if (part->manifest.empty()) return under_way_.reset();  // begun by another attempt
            if (!begin_again(way, *part)) return;
        }
        if (tape_.chance(20)) return;  // the part is lost
        if (!take(way, *part)) return;
        ++seen_.states;
        for (EntryBatch const& batch : way.batches)
            value_of(entries_[way.to]->apply(batch));
        // A clock forgets with a restart what it has heard of.
        if (std::exchange(stopped_, false)) both([&](Space& space) { space[way.to].reopen(); });
        under_way_.reset();
    }

    // True: in force. The machine may stop meanwhile.
    bool take(UnderWay const& way, StatePart const& part) {
        Site& to = states_[way.to];
        if (!tape_.chance(30))
            return value_of(to->take_state(id(way.from), part)) == StateTaken::in_force;
        stopped_ = false;
        auto const outcome =
            tape_.chance(50) ? FaultEngine::Outcome::lost : FaultEngine::Outcome::kept;
        to.engine->die_at(
            1 + tape_.below(60), FaultEngine::Counted::calls, outcome, [&] { stopped_ = true; });
        auto const taken = to->take_state(id(way.from), part);
        if (!stopped_) to.engine->heal();
        if (!stopped_) return value_of(taken) == StateTaken::in_force;
        to.engine->lose_unsynced(tape_.below(4));
        both([&](Space& space) { space[way.to].reopen(); });
        bool const in_force = to->vector().includes(way.held) && !to->state_progress();
        seen_.cut_off += in_force;
        return in_force;
    }

    // Whoever cannot be given entries is given the state, by the founder at least.
    void connect_all() {
        for (int round = 0; round < 2; ++round)
            for (std::size_t to = 0; to < states_.size(); ++to)
                for (std::size_t from = 0; from < states_.size(); ++from)
                    if (from != to && !pull(from, to)) give_whole(from, to);
        for (std::size_t at = 1; at < states_.size(); ++at)
            RC_ASSERT(states_[at]->vector() == states_[0]->vector());
    }

    void give_whole(std::size_t from, std::size_t to) {
        if (states_[from].certificate.role != Role::admin || !states_[from]->root_comparable())
            return;
        for (StateTaken taken = StateTaken::more; taken != StateTaken::in_force;) {
            for (std::size_t at : {to, from})  // of another one nobody asks for more
                states_[at].clock.advance(5 * kStateIdleMs);
            scrub(from);
            auto const ask = states_[to]->state_ask(id(from));
            taken = value_of(states_[to]->take_state(
                id(from), value_of(states_[from]->give_state(id(to), *ask))));
            RC_ASSERT(taken != StateTaken::stale);
        }
        ++seen_.states;
        entries_.pull(from, to);
    }

    // Down to every list and hash.
    void check(std::size_t at) {
        Site& site = states_[at];
        RC_ASSERT(value_of(site->recompute_root()) == site->root());
        check_indexes(site);
        check_lists(site, states_.digest_key());
        RC_ASSERT(contents(*site.engine, Family::staging).empty());
        for (auto const& [actor, last] : site->vector().items()) {
            for (Seq seq = 1; seq <= last; ++seq) {
                auto const chain = value_of(site->chain_prefix_at({actor, seq}));
                RC_ASSERT(chain == value_of(states_[0]->chain_prefix_at({actor, seq})));
                RC_ASSERT(chain.has_value());
                if (!site->log_starts().is_cut({actor, seq}))
                    RC_ASSERT(value_of(site->deps_of({actor, seq})) ==
                              value_of(entries_[at]->deps_of({actor, seq})));
            }
        }
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
        for (std::size_t at = 0; at < states_.size(); ++at) {
            RC_ASSERT(states_[at]->vector() == entries_[at]->vector());
            RC_ASSERT(states_[at]->needs_scrub() == entries_[at]->needs_scrub());
            if (states_[at]->root_comparable() && entries_[at]->root_comparable())
                RC_ASSERT(states_[at]->root() == entries_[at]->root());
        }
    }

    Tape tape_;
    Seen& seen_;
    std::vector<SiteSetup> sites_;
    Space states_, entries_;
    std::optional<UnderWay> under_way_;
    bool stopped_ = false;
};

TEST(StatesProperty, D15_a_state_comes_to_the_same_as_its_entries) {
    Seen seen;
    EXPECT_TRUE(rc::check("a state comes to the same as its entries",
                          [&](std::uint32_t seed) { Twins(Tape::seeded(seed), seen).run(100); }));
    EXPECT_GT(seen.states, 50u);
    EXPECT_GT(seen.entries, 50u) << "that came along";
    EXPECT_GT(seen.gone, 10u);
    EXPECT_GT(seen.cut_off, 0u) << "machines stopped within a switch";
}

}  // namespace
}  // namespace inos::test
