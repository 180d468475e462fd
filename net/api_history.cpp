// The API's past: a record's history, reads as of an earlier moment, and bringing such a state
// back. Why it says what it says is in api_explain.cpp.
#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "net/moment.hpp"
#include "storage/copied_fields.hpp"
#include "storage/history.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

constexpr std::size_t kStepsDefault = 100;
constexpr std::size_t kStepsMax = 1'000;

RecordName followed(Replica const& replica, RecordName const& asked) {
    return {asked.collection, std::string(replica.aliases().master(asked.collection, asked.key))};
}

std::string missing(RecordName const& name) {
    return "there is no record \"" + name.key + "\" in \"" + name.collection + "\"";
}

char const* kind_word(StepKind kind) {
    switch (kind) {
        case StepKind::change:
            return "change";
        case StepKind::fresh:
            return "fresh";
        case StepKind::delete_:
            return "delete";
        case StepKind::unknown:
            break;
    }
    return "unknown";
}

char const* outcome_word(Outcome outcome) {
    switch (outcome) {
        case Outcome::in_effect:
            return "in_effect";
        case Outcome::replaced:
            return "replaced";
        case Outcome::lost:
            break;
    }
    return "lost";
}

Value field_value(FieldStep const& field) {
    Object value{{"field", Value(field.field)},
                 {"outcome", Value(outcome_word(field.outcome))},
                 {"words", Value(field.words)}};
    if (field.from) set_member(value, "from", *field.from);
    if (field.to) set_member(value, "to", *field.to);
    return Value(std::move(value));
}

Value step_value(HistoryStep const& step, StepStory const& story, Membership const& membership) {
    Array changes, others;
    for (FieldStep const& field : story.fields)
        changes.push_back(field_value(field));
    for (Dot const dot : story.concurrent)
        others.push_back(Value(dot_text(dot)));
    VersionVector after = step.deps;
    after.raise(step.dot.actor, step.dot.seq);
    Object value;
    set_member(value, "dot", Value(dot_text(step.dot)));
    set_member(value, "time", Value(utc_text(step.hlc.ms())));
    set_member(value, "time_ms", number_value(step.hlc.ms()));
    set_member(value, "site", Value(site_name(membership, step.dot.actor)));
    set_member(value, "source", Value(step.source));
    set_member(value, "arrived", Value(utc_text(step.arrived_ms)));
    set_member(value, "kind", Value(kind_word(story.kind)));
    set_member(value, "changes", Value(std::move(changes)));
    set_member(value, "concurrent_with", Value(std::move(others)));
    if (story.exists) set_member(value, "exists", Value(*story.exists));
    set_member(value, "outcome", Value(outcome_word(story.outcome)));
    set_member(value, "vector", Value(frontier_text(after)));
    return Value(std::move(value));
}

struct HistoryQuery {
    RecordName asked;
    bool own = false;
    std::size_t limit = kStepsDefault;
    std::string before;  // a dot's text

    HttpResponse run(Replica const& replica) const {
        RecordName const name = own ? asked : followed(replica, asked);
        auto const past = read_past(replica, name);
        if (!past) return api_error(past.error());
        auto const& steps = past->steps;
        if (steps.empty() && past->now.empty() && !past->kept_from_ms)
            return api_error(404, "not_found", missing(asked));
        std::size_t last = steps.size();
        if (!before.empty()) {
            auto const it = std::find_if(steps.begin(), steps.end(), [&](HistoryStep const& step) {
                return dot_text(step.dot) == before;
            });
            if (it == steps.end())
                return api_error(400,
                                 "usage",
                                 "\"before\" names no step of this record; pass the \"next\" of "
                                 "an answer, unchanged",
                                 "before");
            last = static_cast<std::size_t>(it - steps.begin());
        }
        Membership const& membership = replica.membership();
        auto const stories =
            tell_steps(*past,
                       replica.schema(name.collection),
                       last - std::min(last, limit),
                       last,
                       [&membership](ActorId actor) { return site_name(membership, actor); });
        Array list;
        for (StepStory const& story : stories)
            list.push_back(step_value(steps[story.step], story, membership));
        bool const more = !stories.empty() && stories.front().step > 0;
        Object body;
        set_member(body, "id", Value(name.key));
        if (name.key != asked.key) set_member(body, "alias", Value(asked.key));
        set_member(body, "complete", Value(past->complete));
        if (past->kept_from_ms) set_member(body, "kept_from", Value(utc_text(*past->kept_from_ms)));
        set_member(body, "steps", Value(std::move(list)));
        set_member(body, "next", more ? Value(dot_text(steps[stories.front().step].dot)) : Value());
        return json_response(200, Value(std::move(body)));
    }
};

// Is the moment before the end of what was cut from the log?
bool may_be_cut(LogStarts const& starts, Moment const& moment) {
    if (moment.time_ms) return starts.last_cut() && *moment.time_ms <= starts.last_cut()->ms();
    return !starts.within(moment.vector);
}

// The record as it was. Errc::not_found: it did not exist then.
struct PastState {
    RecordName name;
    Record record;
    Record now;  // as it is stored
};
Result<PastState> state_as_of(Replica const& replica,
                              RecordName const& asked,
                              Moment const& moment) {
    if (!replica.vector().includes(moment.vector))
        return fail(Errc::unavailable,
                    "this node has not received yet all that \"at\" names; ask again",
                    "at");
    RecordName const name = followed(replica, asked);
    INOS_TRY(auto past, read_past(replica, name));
    if (past.steps.empty() && past.now.empty() && !past.kept_from_ms)
        return fail(Errc::not_found, missing(asked));
    if (past.kept_from_ms)
        return fail(Errc::gone,
                    "the history of \"" + name.key + "\" in \"" + name.collection + "\" before " +
                        utc_text(*past.kept_from_ms) +
                        " is no longer kept here (log_retention), and without its beginning no "
                        "moment of its past can be shown, later ones neither");
    if (!past.complete)
        return fail(Errc::gone,
                    "the log of this node does not reach back to the beginning of \"" + name.key +
                        "\" in \"" + name.collection + "\", or it has more than " +
                        std::to_string(kHistoryMax) + " changes, or more than " +
                        std::to_string(kHistoryBytesMax >> 20) +
                        " MiB of them; its past cannot be shown here");
    auto record =
        record_as_of(past, moment.time_ms ? moment_of(past, *moment.time_ms) : moment.vector);
    bool const there = visible(state_of(record), replica.schema(name.collection).on_delete);
    if (!there && may_be_cut(replica.log_starts(), moment))
        return fail(Errc::gone,
                    "whether there was a record \"" + asked.key + "\" in \"" + asked.collection +
                        "\" as of " + moment.text() +
                        " is no longer known here: the log does not reach back so far");
    if (!there)
        return fail(Errc::not_found,
                    "there was no record \"" + asked.key + "\" in \"" + asked.collection +
                        "\" as of " + moment.text());
    return PastState{name, std::move(record), std::move(past.now)};
}

}  // namespace

void Api::get_history(CallPtr call) {
    HistoryQuery query;
    query.asked = {call->args[0], call->args[1]};
    auto const allowed = check_collection(query.asked.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto const own = flag_param(call->request, "own");
    if (!own) return send(call, api_error(own.error()));
    query.own = *own;
    query.before = std::string(call->param("before"));
    if (call->request.query.contains("limit")) {
        auto const number = parse_number("limit", call->param("limit"), 1, kStepsMax);
        if (!number) return send(call, api_error(number.error()));
        query.limit = static_cast<std::size_t>(*number);
    }
    read(std::move(call),
         [query = std::move(query)](Replica& replica) { return query.run(replica); });
}

// GET of a record with ?at=MOMENT. The answer has no version: it is nothing to write against.
void Api::get_record_as_of(CallPtr call) {
    RecordName const asked{call->args[0], call->args[1]};
    auto const moment = parse_moment(call->param("at"));
    if (!moment) return send(call, api_error(moment.error()));
    // As with X-Inos-Frontier, the read waits until this node holds what the moment names.
    if (!moment->vector.empty()) {
        if (!call->seen) call->seen.emplace();
        call->seen->merge(moment->vector);
    }
    bool const elements = call->param("elements") == "true";
    read(std::move(call), [asked, elements, moment = *moment](Replica& replica) {
        auto const found = state_as_of(replica, asked, moment);
        if (!found) return api_error(found.error());
        CollectionSchema const& schema = replica.schema(asked.collection);
        auto shown = resolve(found->record, schema);
        if (elements) name_elements(found->record, schema, shown.fields);
        Object body;
        set_member(body, "id", Value(found->name.key));
        if (found->name.key != asked.key) set_member(body, "alias", Value(asked.key));
        set_member(body, "fields", Value(shown.fields));
        set_member(body, "conflicts", conflicts_value(shown.conflicts, replica.membership()));
        set_member(body, "at", Value(moment.text()));
        return json_response(200, Value(std::move(body)));
    });
}

namespace {

struct Restoration {
    RecordName name;
    Moment moment;
    std::optional<std::string> if_match;
};

Result<Restoration> parse_restoration(RecordName const& name, Object const& body) {
    INOS_CHECK(check_members(body, {"at", "if_match"}));
    Restoration out{name, {}, {}};
    Value const* at = find_member(body, "at");
    auto const* ms = at ? at->as<std::int64_t>() : nullptr;
    if (ms) {
        INOS_TRY(out.moment, parse_moment(std::to_string(*ms)));
    } else {
        INOS_TRY(std::string const text, text_member(body, "at"));
        INOS_TRY(out.moment, parse_moment(text));
    }
    if (find_member(body, "if_match")) {
        INOS_TRY(out.if_match, text_member(body, "if_match"));
    }
    return out;
}

}  // namespace

// An ordinary PUT of what the fields were then: it has seen the present, and replaces it.
void Api::restore_record(CallPtr call) {
    RecordName const name{call->args[0], call->args[1]};
    auto const allowed = check_collection(name.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto const asked = parse_restoration(name, *body);
    if (!asked) return send(call, api_error(asked.error()));
    auto work = [asked = *asked](Replica& replica) -> Result<Object> {
        INOS_TRY(auto const found, state_as_of(replica, asked.name, asked.moment));
        CollectionSchema const& schema = replica.schema(asked.name.collection);
        bool const there = visible(state_of(found.now), schema.on_delete);
        return copied_fields(found.record, there ? found.now : Record(), schema);
    };
    auto done = [this, call, name, if_match = asked->if_match](Result<Object> fields) {
        if (!fields) return send(call, api_error(fields.error()));
        Transaction transaction;
        transaction.writes.push_back({Write::Kind::put, name, *std::move(fields), if_match});
        write(call, std::move(transaction), [](Committed const& committed) {
            WriteOutcome const& outcome = committed.writes.front();
            Object answer;
            set_member(answer, "id", Value(outcome.id));
            set_member(answer, "version", Value(outcome.version));
            set_member(answer, "created", Value(outcome.created));
            set_member(answer, "changed", Value(outcome.changed));
            add_warnings(answer, outcome.warnings);
            return Written{outcome.created ? 201 : 200, Value(std::move(answer)), outcome.version};
        });
    };
    store_.query(std::move(work), std::move(done));
}

}  // namespace inos
