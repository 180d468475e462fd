// Random executions over real replicas: what the history of a record says is the record.
//   replay of all steps gives the stored cells, and no step stands before one that it had seen
//   as of each version vector that a site once had, the record is what that site held then
//   what is told of the steps ends in the fields that are read
//   how each edit ended is what a plain reading of the steps says, whoever has purged
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/explain.hpp"
#include "storage/history.hpp"
#include "storage/step_outcome.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr std::string_view kSchema = R"({
    "customers": {"fields": {"points": {"type": "counter"}, "tags": {"type": "set"},
                             "vip": {"type": "flag"}, "lines": {"type": "list"},
                             "memo": {"type": "text"}, "name": {"type": "register"}}},
    "strict": {"delete": "delete-wins"}})";

class Execution {
public:
    explicit Execution(Tape tape) : tape_(std::move(tape)), space_(2 + tape_.below(3)) {
        space_[0].set_schema(kSchema);
        space_.converge();
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i)
            step();
        for (std::size_t i = 0; i < space_.size(); ++i)
            check(i);
        space_.converge();
        check(0);
        check_purge();
    }

private:
    // What a site held of a record when it had applied just these entries.
    struct Moment {
        VersionVector vector;
        std::map<RecordName, Record> records;
    };

    static std::vector<RecordName> const& names() {
        static std::vector<RecordName> const list{
            {"customers", "a"}, {"customers", "b"}, {"strict", "a"}};
        return list;
    }

    void step() {
        std::size_t const at = tape_.below(space_.size());
        Site& site = space_[at];
        std::size_t const kind = tape_.below(10);
        if (kind < 6)
            commit(site);
        else if (kind < 9)
            pull(site);
        else
            site.clock.set(site.clock.now_ms() + (tape_.chance(50) ? 3'600'000 : 1));
        if (tape_.chance(40)) remember(site);
    }

    void commit(Site& site) {
        static constexpr char const* kChanges[] = {
            R"({"name":"x"})",
            R"({"name":"y","extra":{"k":1}})",
            R"({"extra":{"k":null,"l":2}})",
            R"({"extra":"flat"})",
            R"({"name":null})",
            "{}",
        };
        static constexpr char const* kTyped[] = {R"({"points":{"$inc":2}})",
                                                 R"({"points":null})",
                                                 R"({"vip":true})",
                                                 R"({"vip":false})",
                                                 R"({"tags":{"$add":"t"}})",
                                                 R"({"tags":{"$remove":"t"}})",
                                                 R"({"lines":["x","y"]})",
                                                 R"({"lines":["y","z"]})",
                                                 R"({"memo":"hello there"})",
                                                 R"({"memo":"help her"})"};
        Transaction transaction{tape_.chance(50) ? "crm" : "shop", {}};
        transaction.writes.resize(1 + tape_.below(2));
        for (Write& write : transaction.writes) {
            write.name = tape_.pick(names());
            std::size_t const kind = tape_.below(8);
            if (kind == 0) {
                write.kind = Write::Kind::delete_;
                continue;
            }
            write.kind = kind < 3 ? Write::Kind::put : Write::Kind::patch;
            bool const typed = write.name.collection == "customers" && tape_.chance(60);
            write.fields = object_of(typed ? tape_.pick(kTyped) : tape_.pick(kChanges));
        }
        (void)site->commit({transaction});  // a PUT of a null to a counter is refused
    }

    void pull(Site& site) {
        Site& from = space_[tape_.below(space_.size())];
        std::size_t const target = tape_.chance(60) ? 1 : Space::kTargetBytes;
        auto const batch = value_of(from->collect(site->vector(), target));
        if (!batch.empty()) value_of(site->apply(batch));
    }

    void remember(Site& site) {
        Moment moment{site->vector(), {}};
        for (RecordName const& name : names())
            moment.records[name] = value_of(site->record_at(name));
        moments_.push_back(std::move(moment));
    }

    void check(std::size_t at) {
        Site& site = space_[at];
        for (RecordName const& name : names()) {
            auto const past = value_of(read_past(*site, name));
            RC_ASSERT(past.complete);
            check_order(past);
            for (HistoryStep const& one : past.steps)
                RC_ASSERT(one.deps == *value_of(site->deps_of(one.dot)));
            RC_ASSERT(record_as_of(past, site->vector()) == past.now);
            for (Moment const& moment : moments_)
                if (site->vector().includes(moment.vector))
                    RC_ASSERT(record_as_of(past, moment.vector) == moment.records.at(name));
            check_times(past);
            check_told(*site, past);
            check_outcomes(*site, past);
        }
    }

    // What a purge takes away at one site changes nothing of what is told there.
    void check_purge() {
        space_.acknowledge();
        std::vector<std::vector<Outcome>> before;
        for (RecordName const& name : names())
            before.push_back(outcomes_told(*space_[0], name));
        value_of(space_[0]->purge(1'000));
        for (std::size_t i = 0; i < names().size(); ++i)
            RC_ASSERT(outcomes_told(*space_[0], names()[i]) == before[i]);
    }

    static std::vector<Outcome> outcomes_told(Replica const& replica, RecordName const& name) {
        auto const past = value_of(read_past(replica, name));
        auto const names = [](ActorId) { return std::string("x"); };
        std::vector<Outcome> told;
        for (StepStory const& story :
             tell_steps(past, replica.schema(name.collection), 0, past.steps.size(), names)) {
            told.push_back(story.outcome);
            for (FieldStep const& field : story.fields)
                told.push_back(field.outcome);
        }
        return told;
    }

    static bool is(Edit const& edit, EditKind kind) {
        return edit.kind == static_cast<std::uint64_t>(kind);
    }
    static bool deletes(HistoryStep const& step) {
        return step.op.kind == static_cast<std::uint64_t>(OpKind::delete_);
    }

    // Some step takes away what stands at the path, and its author had seen the entry.
    static bool taken(RecordPast const& past, std::string const& path, Dot dot) {
        return std::any_of(past.steps.begin(), past.steps.end(), [&](HistoryStep const& step) {
            if (step.dot == dot || deletes(step) || !saw(step, dot)) return false;
            auto const& edits = step.op.edits;
            return step.op.fresh || std::any_of(edits.begin(), edits.end(), [&](Edit const& edit) {
                       return is(edit, EditKind::clear)
                                  ? path.starts_with(edit.path)
                                  : edit.path == path &&
                                        (is(edit, EditKind::write) || is(edit, EditKind::remove));
                   });
        });
    }

    static void check_outcomes(Replica const& replica, RecordPast const& past) {
        auto const& schema = replica.schema(past.name.collection);
        auto const view = value_of(replica.get(past.name));
        Outcomes outcomes(past, schema);
        for (HistoryStep const& step : past.steps) {
            auto const seen_by = [&](auto const& counts) {
                return std::any_of(past.steps.begin(), past.steps.end(), [&](auto const& other) {
                    return other.dot != step.dot && counts(other) && saw(other, step.dot);
                });
            };
            bool const deleted = seen_by(deletes);
            if (deletes(step)) {
                bool const seen = seen_by([](auto const&) { return true; });
                RC_ASSERT(outcomes.of_delete(step) == (seen   ? Outcome::replaced
                                                       : view ? Outcome::lost
                                                              : Outcome::in_effect));
            }
            for (Edit const& edit : step.op.edits) {
                auto const field = field_path(edit.path);
                if (field.names.empty()) continue;
                Outcome const outcome = outcomes.of_edit(step, edit, field);
                auto const now =
                    view ? value_at(view->fields, field.names) : std::optional<Value>();
                if (is(edit, EditKind::write))
                    check_write(past, step, edit, field, view.has_value(), deleted, now, outcome);
                else if (!view)
                    RC_ASSERT(is(edit, EditKind::count) || outcome != Outcome::in_effect);
                else if (is(edit, EditKind::clear) && !field.type && field.names.size() == 1 &&
                         !writes_below(step, edit))
                    RC_ASSERT((outcome == Outcome::in_effect) == !now);
            }
        }
    }

    // A transaction may take a field away and write it.
    static bool writes_below(HistoryStep const& step, Edit const& clear) {
        auto const& edits = step.op.edits;
        return std::any_of(edits.begin(), edits.end(), [&](Edit const& edit) {
            return (is(edit, EditKind::write) || is(edit, EditKind::count)) &&
                   edit.path.starts_with(clear.path);
        });
    }

    static void check_write(RecordPast const& past,
                            HistoryStep const& step,
                            Edit const& edit,
                            FieldPath const& field,
                            bool exists,
                            bool deleted,
                            std::optional<Value> const& now,
                            Outcome outcome) {
        auto const last = static_cast<CellType>(edit.path.back());
        if (last == CellType::text_run) return;  // may also be cut away
        bool const gone = taken(past, edit.path, step.dot) || (!exists && deleted);
        bool const in_list = field.type == CellType::list && !field.rest.empty();
        if (gone || !exists) {
            RC_ASSERT(outcome == (gone ? Outcome::replaced : Outcome::lost));
        } else if (in_list && last != CellType::marker) {
            // A removed element is replaced by its removal.
        } else {
            RC_ASSERT(outcome != Outcome::replaced);
            bool const plain = last == CellType::register_ && !in_list;
            if (plain && outcome == Outcome::in_effect)
                RC_ASSERT(now && encode(*now) == edit.payload);
        }
    }

    static void check_order(RecordPast const& past) {
        for (std::size_t i = 0; i < past.steps.size(); ++i)
            for (std::size_t j = i + 1; j < past.steps.size(); ++j)
                RC_ASSERT(!past.steps[i].deps.covers(past.steps[j].dot));
    }

    // A time names a set of steps that is closed: with each, all that it had seen.
    static void check_times(RecordPast const& past) {
        for (HistoryStep const& step : past.steps) {
            VersionVector const moment = moment_of(past, step.hlc.ms());
            RC_ASSERT(moment.covers(step.dot));
            for (HistoryStep const& other : past.steps)
                if (moment.covers(other.dot)) RC_ASSERT(moment.includes(other.deps));
        }
    }

    static void check_told(Replica const& replica, RecordPast const& past) {
        auto const& schema = replica.schema(past.name.collection);
        auto const names = [](ActorId) { return std::string("x"); };
        auto const stories = tell_steps(past, schema, 0, past.steps.size(), names);
        auto const view = value_of(replica.get(past.name));
        RC_ASSERT(stories.size() == past.steps.size());
        if (!stories.empty()) RC_ASSERT(stories.back().exists == view.has_value());
        RecordStory const story = explain(past, schema);
        RC_ASSERT((story.state == RecordStory::State::exists) == view.has_value());
        if (!view) return;
        for (FieldStory const& field : story.fields) {
            if (field.field.find('.') != std::string::npos) continue;
            auto const* value = find_member(view->fields, field.field);
            RC_ASSERT(field.value.has_value() == (value != nullptr));
            if (value) RC_ASSERT(*field.value == *value);
            for (Former const& former : field.before)
                RC_ASSERT(former.replaced.dot.seq > 0);
        }
        for (Member const& member : view->fields)
            RC_ASSERT(std::any_of(story.fields.begin(), story.fields.end(), [&](auto const& one) {
                return one.field == member.key || one.field.starts_with(member.key + ".");
            }));
    }

    Tape tape_;
    Space space_;
    std::vector<Moment> moments_;
};

RC_GTEST_PROP(History, replay_gives_the_record_at_every_moment, (Tape tape)) {
    Execution execution(tape);
    execution.run(5 + tape.words().size() / 4);
}

// Long ones, which random tapes of rapidcheck's sizes do not reach.
TEST(History, long_executions_by_seed) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        try {
            Execution execution(Tape::seeded(seed));
            execution.run(150);
        } catch (rc::detail::CaseResult const& failed) {
            ADD_FAILURE() << failed.description;
        }
    }
}

}  // namespace
}  // namespace inos::test
