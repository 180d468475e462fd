#include "tools/simulate/story.hpp"

#include <algorithm>

#include "storage/json.hpp"

namespace inos::simulate {
namespace {

std::string place(RecordName const& name) {
    return name.collection + "/" + name.key;
}

std::string names_of(std::vector<std::size_t> const& sites) {
    std::string text;
    for (std::size_t i = 0; i < sites.size(); ++i)
        text += (i == 0 ? "" : i + 1 == sites.size() ? " and " : ", ") + site_name(sites[i]);
    return text;
}

std::string write_text(Write const& write) {
    if (write.kind == Write::Kind::delete_) return "deletes " + place(write.name);
    std::string const verb = write.kind == Write::Kind::put ? "puts " : "patches ";
    return verb + place(write.name) + " " + write_json(write.fields);
}

std::string duration(std::int64_t minutes) {
    auto const counted = [](std::int64_t count, char const* noun) {
        return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
    };
    if (minutes % (24 * 60) == 0) return counted(minutes / (24 * 60), "day");
    if (minutes % 60 == 0) return counted(minutes / 60, "hour");
    return counted(minutes, "minute");
}

std::string end_text(WriteReport const& report, Setting const& setting) {
    switch (report.end) {
        case WriteEnd::done:
            return {};
        case WriteEnd::unchanged:
            return "it is so already";
        case WriteEnd::refused:
            return "refused: " + report.why;
        case WriteEnd::left_out:
            break;
    }
    return "not done: it would break \"" + setting.rules[report.rule].text + "\" here";
}

std::string sight_text(Sight const& sight) {
    std::string text = site_name(sight.site) + " shows " + place(sight.name) + " ";
    if (!sight.fields)
        return site_name(sight.site) + " shows no " + place(sight.name) + " any more";
    text += write_json(*sight.fields);
    for (Conflict const& conflict : sight.conflicts) {
        text += ", in conflict: " + conflict.field + " ";
        for (std::size_t i = 0; i < conflict.values.size(); ++i)
            text += (i > 0 ? " or " : "") +
                    (conflict.values[i].lost ? "increments" : write_json(conflict.values[i].value));
    }
    return text;
}

std::string number_text(std::size_t number) {
    std::string const text = std::to_string(number);
    return std::string(text.size() < 3 ? 3 - text.size() : 0, ' ') + text + ". ";
}

void tell(std::vector<std::string>& lines, StepReport const& report, Setting const& setting) {
    std::string const indent(9, ' ');
    if (report.write)
        if (std::string const text = end_text(*report.write, setting); !text.empty())
            lines.push_back(indent + text);
    for (auto const& [site, again] : report.retries) {
        std::string const text = end_text(again, setting);
        lines.push_back(indent + site_name(site) +
                        " tries its refused write again: " + (text.empty() ? "done" : text));
    }
    for (Sight const& sight : report.sights)
        lines.push_back(indent + sight_text(sight));
}

Value texts(std::vector<std::string> const& list) {
    Array array;
    for (std::string const& text : list)
        array.push_back(Value(text));
    return Value(std::move(array));
}

Value sites_json(std::vector<std::size_t> const& sites) {
    std::vector<std::string> names;
    for (std::size_t const site : sites)
        names.push_back(site_name(site));
    return texts(names);
}

Value writes_json(std::vector<Write> const& writes) {
    Array all;
    for (Write const& write : writes) {
        bool const is_delete = write.kind == Write::Kind::delete_;
        Object one{{"collection", Value(write.name.collection)}};
        set_member(one, "id", Value(write.name.key));
        set_member(one,
                   "op",
                   Value(is_delete                        ? "delete"
                         : write.kind == Write::Kind::put ? "put"
                                                          : "patch"));
        if (!is_delete) set_member(one, "fields", Value(write.fields));
        all.push_back(Value(std::move(one)));
    }
    return Value(std::move(all));
}

Value step_json(Step const& step) {
    static constexpr char const* kKinds[] = {"write", "meet", "restart", "power", "clock"};
    Object one{{"does", Value(kKinds[static_cast<std::size_t>(step.kind)])}};
    if (step.kind == StepKind::meet)
        set_member(one, "sites", sites_json(step.sites));
    else
        set_member(one, "site", Value(site_name(step.site)));
    if (step.kind == StepKind::write) set_member(one, "writes", writes_json(step.writes));
    if (!step.source.empty()) set_member(one, "source", Value(step.source));
    if (step.cut_at > 0) set_member(one, "cut_at", Value(static_cast<std::int64_t>(step.cut_at)));
    if (step.minutes != 0) set_member(one, "minutes", Value(step.minutes));
    return Value(std::move(one));
}

Value sights_json(StepReport const& report) {
    Array all;
    for (Sight const& sight : report.sights) {
        Object one{{"collection", Value(sight.name.collection)}};
        set_member(one, "site", Value(site_name(sight.site)));
        set_member(one, "id", Value(sight.name.key));
        set_member(one, "fields", sight.fields ? Value(*sight.fields) : Value());
        all.push_back(Value(std::move(one)));
    }
    return Value(std::move(all));
}

// A comparison in the rule that says: this counter or number of a record is not under something.
FieldSchema const* lower_bounded(CheckedRule const& rule,
                                 Setting const& setting,
                                 std::string& name) {
    FieldSchema const* found = nullptr;
    walk(rule.expr, [&](Expr const& expr) {
        bool const low = expr.kind == ExprKind::at_least || expr.kind == ExprKind::greater;
        bool const high = expr.kind == ExprKind::at_most || expr.kind == ExprKind::less;
        if (!low && !high) return;
        Expr const& field = expr.parts[high ? 1 : 0];
        Expr const& bound = expr.parts[high ? 0 : 1];
        if (field.kind != ExprKind::name || field.scope != Scope::record) return;
        if (field.path.size() > 1 || !bound.literal.as<std::int64_t>()) return;
        if (*bound.literal.as<std::int64_t>() < 0) return;
        FieldSchema const* schema = setting.schemas.at(field.collection).field(field.path[0]);
        if (!schema || schema->type == CellType::bounded_counter) return;
        found = schema;
        name = field.path[0];
    });
    return found;
}

bool counts_equal_records(CheckedRule const& rule) {
    bool found = false;
    walk(rule.expr, [&](Expr const& expr) {
        found = found || (expr.kind == ExprKind::count && expr.scope == Scope::records &&
                          !expr.parts.empty() && !rule.variables.empty());
    });
    return found;
}

}  // namespace

std::string step_text(Step const& step) {
    switch (step.kind) {
        case StepKind::meet:
            return names_of(step.sites) + " meet" +
                   (step.cut_at == 0
                        ? ""
                        : ", and are cut off at message " + std::to_string(step.cut_at));
        case StepKind::restart:
            return site_name(step.site) + " is killed and starts again";
        case StepKind::power:
            return site_name(step.site) + " loses power and starts again";
        case StepKind::clock:
            return "the clock of " + site_name(step.site) + " is set " +
                   (step.minutes < 0 ? "back by " + duration(-step.minutes)
                                     : "ahead by " + duration(step.minutes));
        case StepKind::write:
            break;
    }
    std::string text = site_name(step.site) + " ";
    for (std::size_t i = 0; i < step.writes.size(); ++i)
        text += (i > 0 ? " and " : "") + write_text(step.writes[i]);
    if (step.writes.size() > 1) text += ", in one transaction";
    return text + (step.source.empty() ? "" : ", as \"" + step.source + "\"");
}

std::vector<std::string> story(Plan const& plan, RunResult const& result, Setting const& setting) {
    std::vector<std::string> lines;
    if (result.steps.empty()) lines.push_back("    before anybody has written anything");
    for (std::size_t i = 0; i < result.steps.size(); ++i) {
        StepReport const& report = result.steps[i];
        bool const end = i == plan.steps.size();
        std::string text = end ? "at the end all sites meet" : step_text(plan.steps[i]);
        if (!end && plan.steps[i].cut_at > 0 && !report.cut)
            text = step_text({StepKind::meet, 0, {}, {}, plan.steps[i].sites, 0, 0});
        lines.push_back(number_text(i + 1) + text);
        tell(lines, report, setting);
    }
    return lines;
}

std::string failure_text(Failure const& failure, Setting const& setting) {
    std::string const at = failure.site ? "at " + site_name(*failure.site) + ", " : "";
    if (failure.kind != FailureKind::rule) return at + failure.text;
    Breach const& breach = *failure.breach;
    std::string text = at + setting.rules[failure.rule].text + " is false";
    if (!breach.collection.empty()) text += " for " + breach.collection + "/" + breach.id;
    for (std::size_t i = 0; i < breach.values.size(); ++i)
        text += (i == 0 ? ": " : ", ") + breach.values[i].first + " is " +
                write_json(breach.values[i].second);
    return text;
}

std::string advice(Failure const& failure, Setting const& setting) {
    if (failure.kind != FailureKind::rule)
        return "This is a mistake in Inosculate, not in the schema: please report it with the "
               "command "
               "below and the schema file";
    CheckedRule const& rule = setting.rules[failure.rule];
    std::string name;
    if (lower_bounded(rule, setting, name))
        return "Each site had enough by what it knew. A field of type \"bounded-counter\" gives "
               "every "
               "site its own share and never goes under its min: " +
               name + " = { type = \"bounded-counter\", min = 0 }";
    if (counts_equal_records(rule))
        return "No site can know what another one makes at the same time. If the id is made of the "
               "value, both make the same record; or name the field in the collection's identity, "
               "and "
               "inos duplicates finds the records and inos merge-records makes one of them";
    return "Every write was right by what its site knew; what was true at each of them is not when "
           "they meet. Such a rule needs one site that decides, or a field type that merges so "
           "that it "
           "holds";
}

Value story_json(Plan const& plan, RunResult const& result, Setting const& setting) {
    Array steps;
    for (std::size_t i = 0; i < result.steps.size(); ++i) {
        StepReport const& report = result.steps[i];
        bool const end = i == plan.steps.size();
        Object step;
        if (end)
            set_member(step, "does", Value("all meet"));
        else
            step = *step_json(plan.steps[i]).as<Object>();
        if (report.write && report.write->end != WriteEnd::done)
            set_member(step, "outcome", Value(end_text(*report.write, setting)));
        set_member(step, "shows", sights_json(report));
        steps.push_back(Value(std::move(step)));
    }
    return Value(std::move(steps));
}

}  // namespace inos::simulate
