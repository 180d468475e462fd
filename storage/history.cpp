#include "storage/history.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "crdt/merge.hpp"
#include "storage/step_outcome.hpp"

namespace inos {
namespace {

StepKind kind_of(Op const& op) {
    if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) return StepKind::delete_;
    if (op.kind != static_cast<std::uint64_t>(OpKind::change)) return StepKind::unknown;
    return op.fresh ? StepKind::fresh : StepKind::change;
}

void take(Record& record, HistoryStep const& step) {
    apply(record, step.op, {step.dot, step.hlc, step.source, step.deps});
}

// The fields that the record shows: none of one that is not there.
Object fields_of(Record const& record, CollectionSchema const& schema) {
    if (!visible(state_of(record), schema.on_delete)) return {};
    return resolve(record, schema).fields;
}

// Of several edits, one that still has an effect says most; one that lost says more than one that
// was replaced in the ordinary way.
Outcome better(Outcome a, Outcome b) {
    auto const rank = [](Outcome outcome) {
        return outcome == Outcome::in_effect ? 2 : outcome == Outcome::lost ? 1 : 0;
    };
    return rank(a) >= rank(b) ? a : b;
}

// The edits of one step, gathered by field.
struct FieldEdits {
    std::vector<std::string> names;
    std::string words, minor;
    std::optional<Outcome> outcome, minor_outcome;

    void add(EditWords const& edit, Outcome ended) {
        std::string& text = edit.minor ? minor : words;
        auto& result = edit.minor ? minor_outcome : outcome;
        if (!text.ends_with(edit.words)) text += (text.empty() ? "" : ", ") + edit.words;
        result = result ? better(*result, ended) : ended;
    }
};

// Making a map says nothing beside what was put into it.
bool only_leads_on(FieldEdits const& field, std::vector<FieldEdits> const& all) {
    return field.words.empty() && std::any_of(all.begin(), all.end(), [&](FieldEdits const& other) {
               return other.names.size() > field.names.size() &&
                      std::equal(field.names.begin(), field.names.end(), other.names.begin());
           });
}

class Storyteller {
public:
    Storyteller(RecordPast const& past, CollectionSchema const& schema, SiteNames const& names)
        : past_(past), schema_(schema), names_(names), outcomes_(past, schema) {}

    StepStory tell(std::size_t index, Object const& before, Object const& after) {
        HistoryStep const& step = past_.steps[index];
        StepStory story;
        story.step = index;
        story.kind = kind_of(step.op);
        if (story.kind == StepKind::delete_) {
            story.outcome = outcomes_.of_delete(step);
        } else if (step.op.edits.empty()) {
            story.outcome = outcomes_.of_existence(step);
        } else {
            add_fields(step, before, after, story);
        }
        for (HistoryStep const& other : past_.steps)
            if (concurrent(step, other) && story.concurrent.size() < kConcurrentMax)
                story.concurrent.push_back(other.dot);
        return story;
    }

private:
    void add_fields(HistoryStep const& step,
                    Object const& before,
                    Object const& after,
                    StepStory& story) {
        std::vector<FieldEdits> fields;
        for (Edit const& edit : step.op.edits) {
            auto const words = describe_edit(edit, step.dot, names_);
            if (words.field.names.empty()) continue;
            auto it = std::find_if(fields.begin(), fields.end(), [&](FieldEdits const& one) {
                return one.names == words.field.names;
            });
            if (it == fields.end()) it = fields.insert(it, {words.field.names, {}, {}, {}, {}});
            it->add(words, outcomes_.of_edit(step, edit, words.field));
        }
        std::optional<Outcome> all;
        for (FieldEdits& field : fields) {
            if (only_leads_on(field, fields)) continue;
            FieldStep told;
            for (std::string const& name : field.names)
                told.field += (told.field.empty() ? "" : ".") + name;
            told.words = field.words.empty() ? std::move(field.minor) : std::move(field.words);
            told.outcome =
                field.outcome ? *field.outcome : field.minor_outcome.value_or(Outcome::in_effect);
            if (past_.complete) {
                told.from = value_at(before, field.names);
                told.to = value_at(after, field.names);
            }
            all = all ? better(*all, told.outcome) : told.outcome;
            story.fields.push_back(std::move(told));
        }
        story.outcome = all.value_or(Outcome::in_effect);
    }

    RecordPast const& past_;
    CollectionSchema const& schema_;
    SiteNames const& names_;
    Outcomes outcomes_;
};

}  // namespace

Result<RecordPast> read_past(Replica const& replica,
                             RecordName const& name,
                             HistoryLimits const& limits) {
    if (replica.is_erased(name))
        return fail(Errc::gone,
                    "the record \"" + name.key + "\" in \"" + name.collection +
                        "\" was erased for good; nothing of its past is kept");
    RecordPast past;
    past.name = name;
    INOS_TRY(auto history, replica.history(name, limits));
    past.steps = std::move(history.steps);
    past.kept_from_ms = history.kept_from_ms;
    INOS_TRY(past.now, replica.record_at(name));
    if (past.kept_from_ms) {
        past.complete = false;
    } else if (past.steps.empty()) {
        past.complete = past.now.empty();
    } else {
        bool const begins = kind_of(past.steps.front().op) != StepKind::change;
        past.complete = begins && !history.cut;
    }
    return past;
}

bool saw(HistoryStep const& step, Dot dot) {
    return step.deps.covers(dot) && (!step.op.ctx || step.op.ctx->covers(dot));
}

bool concurrent(HistoryStep const& a, HistoryStep const& b) {
    return a.dot != b.dot && !saw(a, b.dot) && !saw(b, a.dot);
}

// From the newest to the oldest: what a later one that counts had seen counts too.
VersionVector moment_of(RecordPast const& past, std::uint64_t unix_ms) {
    VersionVector moment;
    for (auto step = past.steps.rbegin(); step != past.steps.rend(); ++step) {
        if (step->hlc.ms() > unix_ms && !moment.covers(step->dot)) continue;
        moment.merge(step->deps);
        moment.raise(step->dot.actor, step->dot.seq);
    }
    return moment;
}

Record record_as_of(RecordPast const& past, VersionVector const& moment) {
    Record record;
    for (HistoryStep const& step : past.steps)
        if (moment.covers(step.dot)) take(record, step);
    return record;
}

std::optional<Value> value_at(Object const& fields, std::vector<std::string> const& names) {
    Value const* value = find_member(fields, names.front());
    for (std::size_t i = 1; value && i < names.size(); ++i) {
        auto const* members = value->as<Object>();
        value = members ? find_member(*members, names[i]) : nullptr;
    }
    return value ? std::optional(*value) : std::nullopt;
}

std::size_t StepStory::bytes() const {
    std::size_t sum = 0;
    for (FieldStep const& field : fields) {
        sum += field.field.size() + field.words.size();
        for (auto const* value : {&field.from, &field.to})
            if (*value) sum += encode(**value).size();
    }
    return sum;
}

std::vector<StepStory> tell_steps(RecordPast const& past,
                                  CollectionSchema const& schema,
                                  std::size_t first,
                                  std::size_t last,
                                  SiteNames const& names) {
    std::deque<StepStory> stories;
    std::size_t bytes = 0;
    Storyteller teller(past, schema, names);
    Record record;
    Object before;
    for (std::size_t i = 0; i < std::min(last, past.steps.size()); ++i) {
        if (i == first) before = fields_of(record, schema);
        take(record, past.steps[i]);
        if (i < first) continue;
        Object after = fields_of(record, schema);
        stories.push_back(teller.tell(i, before, after));
        if (past.complete) stories.back().exists = visible(state_of(record), schema.on_delete);
        before = std::move(after);
        bytes += stories.back().bytes();
        for (; bytes > kToldBytesMax && stories.size() > 1; stories.pop_front())
            bytes -= stories.front().bytes();
    }
    return {std::make_move_iterator(stories.begin()), std::make_move_iterator(stories.end())};
}

}  // namespace inos
