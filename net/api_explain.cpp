// GET .../records/ID/explain: why the record says what it says.
#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/explain.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

void add_origin(Object& value, Origin const& origin, Membership const& membership) {
    set_member(value, "dot", Value(dot_text(origin.dot)));
    set_member(value, "site", Value(site_name(membership, origin.dot.actor)));
    set_member(value, "source", Value(origin.source));
    set_member(value, "time", Value(utc_text(origin.hlc.ms())));
    set_member(value, "arrived", origin.arrived_ms ? Value(utc_text(*origin.arrived_ms)) : Value());
}

Value origin_value(Origin const& origin, Membership const& membership) {
    Object value;
    add_origin(value, origin, membership);
    return Value(std::move(value));
}

Value origins_value(std::vector<Origin> const& origins, Membership const& membership) {
    Array list;
    for (Origin const& origin : origins)
        list.push_back(origin_value(origin, membership));
    return Value(std::move(list));
}

Value rights_value(FieldRights const& rights, Membership const& membership) {
    Array list;
    for (auto const& share : rights.shares)
        list.push_back(Value(Object{{"site", Value(site_name(membership, share.actor))},
                                    {"rights", Value(share.rights)}}));
    return Value(std::move(list));
}

Value field_value(FieldStory const& story, Membership const& membership) {
    Array shares, lost, before;
    for (Share const& share : story.shares) {
        Object one{{"value", share.value}};
        if (!share.element.empty()) set_member(one, "element", Value(share.element));
        add_origin(one, share.origin, membership);
        shares.push_back(Value(std::move(one)));
    }
    for (Rival const& rival : story.lost) {
        Object one{{"value", rival.value}, {"why", Value(rival.why)}};
        add_origin(one, rival.origin, membership);
        lost.push_back(Value(std::move(one)));
    }
    for (Former const& former : story.before) {
        Object one{{"value", former.value}};
        if (former.written) add_origin(one, *former.written, membership);
        set_member(one, "replaced_by", origin_value(former.replaced, membership));
        before.push_back(Value(std::move(one)));
    }
    Object value{{"before", Value(std::move(before))},
                 {"lost", Value(std::move(lost))},
                 {"rule", Value(story.rule)},
                 {"shares", Value(std::move(shares))},
                 {"type", Value(story.type)}};
    set_member(
        value, "written", story.written ? origin_value(*story.written, membership) : Value());
    if (story.value) set_member(value, "value", *story.value);
    if (story.rights) set_member(value, "rights", rights_value(*story.rights, membership));
    return Value(std::move(value));
}

char const* state_word(RecordStory::State state) {
    switch (state) {
        case RecordStory::State::exists:
            return "exists";
        case RecordStory::State::deleted:
            return "deleted";
        case RecordStory::State::missing:
            break;
    }
    return "missing";
}

HttpResponse no_such_field(RecordPast const& past,
                           CollectionSchema const& schema,
                           std::string const& field) {
    std::vector<std::string> names;
    for (FieldStory const& story : explain(past, schema).fields)
        names.push_back(story.field);
    return api_error(404,
                     "not_found",
                     "\"" + past.name.key + "\" in \"" + past.name.collection +
                         "\" has and had no field \"" + field + "\"" + did_you_mean(field, names),
                     "field");
}

HttpResponse explanation(Replica const& replica,
                         RecordName const& asked,
                         std::string const& field) {
    RecordName const name{asked.collection,
                          std::string(replica.aliases().master(asked.collection, asked.key))};
    auto const past = read_past(replica, name);
    if (!past) return api_error(past.error());
    if (past->steps.empty() && past->now.empty() && past->kept_from_ms)
        return api_error(404,
                         "not_found",
                         "there is no record \"" + asked.key + "\" in \"" + asked.collection +
                             "\"; there was one, but what became of it before " +
                             utc_text(*past->kept_from_ms) + " is no longer kept here");
    if (past->steps.empty() && past->now.empty())
        return api_error(404,
                         "not_found",
                         "there is no record \"" + asked.key + "\" in \"" + asked.collection +
                             "\", and there never was as far as this node knows");
    CollectionSchema const& schema = replica.schema(name.collection);
    RecordStory const story = explain(*past, schema, field);
    bool const exists = story.state == RecordStory::State::exists;
    if (exists && !field.empty() && story.fields.empty())
        return no_such_field(*past, schema, field);
    Membership const& membership = replica.membership();
    Object fields;
    for (FieldStory const& one : story.fields)
        set_member(fields, one.field, field_value(one, membership));
    Object body{{"id", Value(name.key)}};
    if (name.key != asked.key) set_member(body, "alias", Value(asked.key));
    set_member(body, "state", Value(state_word(story.state)));
    set_member(body, "why", Value(story.why));
    set_member(body, "deletes", origins_value(story.deletes, membership));
    set_member(body, "edits_beside", origins_value(story.not_deleting, membership));
    set_member(body, "fields", Value(std::move(fields)));
    set_member(body, "complete", Value(story.complete));
    return json_response(200, Value(std::move(body)));
}

}  // namespace

void Api::get_explanation(CallPtr call) {
    RecordName const asked{call->args[0], call->args[1]};
    auto const allowed = check_collection(asked.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    std::string const field(call->param("field"));
    read(std::move(call),
         [asked, field](Replica& replica) { return explanation(replica, asked, field); });
}

}  // namespace inos
