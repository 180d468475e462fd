// The bindings of a mapping file, but for their maps.
#include <algorithm>

#include "adapters/mapping/mapping_parts.hpp"

namespace inos {
namespace {

constexpr std::size_t kTriggersMax = 50;
constexpr std::size_t kMatchGroupsMax = 20;

using FlowWords = std::vector<std::pair<std::string, Flow>>;
using DeleteWords = std::vector<std::pair<std::string, DeleteRule>>;

// Keys that only some kinds of trigger have.
void refuse_for(TomlSection const& section,
                std::string_view kind,
                std::initializer_list<char const*> keys) {
    for (char const* key : keys)
        if (section.find(key))
            section.add(key, "has no effect for a trigger of type \"" + std::string(kind) + "\"");
}

void read_schedule(TomlSection const& section, Trigger& trigger) {
    std::uint64_t every = 0;
    if (section.duration("every", every)) trigger.every_ms = every;
    std::string at;
    if (section.text("at", at)) {
        auto schedule = CronSchedule::parse(at);
        if (schedule)
            trigger.at = *schedule;
        else
            section.add("at", schedule.error().message);
    }
    if (section.find("every") && section.find("at"))
        section.add("at", "a trigger has either \"every\" or \"at\"");
}

void check_trigger(TomlSection const& section, Trigger const& trigger, Flow mode) {
    bool const poll = trigger.kind == TriggerKind::poll;
    if (poll && !section.find("every") && !section.find("at"))
        section.add("type", "a poll needs \"every\" (\"5m\") or \"at\" (\"30 3 * * *\")");
    if (!poll)
        refuse_for(section,
                   trigger.kind == TriggerKind::manual ? "manual" : "webhook or stream",
                   {"every", "at", "cursor", "tie", "overlap"});
    if (trigger.kind != TriggerKind::webhook) refuse_for(section, "other than webhook", {"topics"});
    if (trigger.kind != TriggerKind::stream) refuse_for(section, "other than stream", {"channel"});
    if (poll || trigger.kind == TriggerKind::manual)
        refuse_for(section, "poll or manual", {"payload"});
    for (char const* key : {"tie", "overlap"})
        if (poll && section.find(key) && !section.find("cursor"))
            section.add(key, "has no effect without a cursor");
    if (poll && trigger.what != Trigger::What::delta && section.find("cursor"))
        section.add("cursor", "has no effect unless what = \"delta\"");
    bool const events = trigger.kind == TriggerKind::webhook || trigger.kind == TriggerKind::stream;
    if (events && trigger.what != Trigger::What::delta)
        section.add("what", "events tell of changes: \"delta\" is all that there is for them");
    if (trigger.what == Trigger::What::outbox ? !goes_out(mode) : !goes_in(mode))
        section.add(section.find("what") ? "what" : "type",
                    "has nothing to do: the mode of the binding is \"" +
                        std::string(goes_in(mode) ? "in" : "out") + "\"");
}

Trigger read_trigger(toml::table const& table, Flow mode, Problems& problems) {
    TomlSection const section("binding.trigger", table, problems);
    Trigger trigger;
    trigger.place = section.place();
    std::vector<std::pair<std::string, TriggerKind>> const kinds{{"stream", TriggerKind::stream},
                                                                 {"webhook", TriggerKind::webhook},
                                                                 {"poll", TriggerKind::poll},
                                                                 {"manual", TriggerKind::manual}};
    std::vector<std::pair<std::string, Trigger::What>> const whats{
        {"delta", Trigger::What::delta},
        {"full", Trigger::What::full},
        {"outbox", Trigger::What::outbox}};
    std::vector<std::pair<std::string, Trigger::Payload>> const payloads{
        {"refetch", Trigger::Payload::refetch}, {"inline", Trigger::Payload::inline_}};
    bool const has_kind = section.require("type") && section.word("type", kinds, trigger.kind);
    bool const has_what = !section.find("what") || section.word("what", whats, trigger.what);
    read_schedule(section, trigger);
    section.pointer("cursor", trigger.cursor);
    section.pointer("tie", trigger.tie);
    section.duration("overlap", trigger.overlap_ms);
    section.texts("topics", trigger.topics);
    section.text("channel", trigger.channel);
    section.word("payload", payloads, trigger.payload);
    section.driver("driver", trigger.driver);
    if (has_kind && has_what) check_trigger(section, trigger, mode);
    return trigger;
}

std::optional<Differing> differing_of(std::string const& text,
                                      std::string const& system,
                                      Place place,
                                      Problems& problems) {
    std::vector<std::pair<std::string, Differing::Rule>> const rules{
        {"fill-empty", Differing::Rule::fill_empty},
        {"newest", Differing::Rule::newest},
        {"keep-all", Differing::Rule::keep_all},
        {"policy", Differing::Rule::policy},
        {"review", Differing::Rule::review}};
    std::vector<std::string> names{"prefer:record", "prefer:" + system};
    Differing differing;
    for (auto const& [name, rule] : rules) {
        if (text == name) {
            differing.rule = rule;
            return differing;
        }
        names.push_back(name);
    }
    differing.rule = Differing::Rule::prefer;
    differing.prefer_record = text == names[0];
    if (differing.prefer_record || text == names[1]) return differing;
    problems.push_back({place, unknown_word("rule", text, names)});
    return std::nullopt;
}

void read_differing(TomlSection const& initial, Binding& binding) {
    toml::node const* node = initial.find("differing");
    if (!node) return;
    Problems& problems = initial.problems();
    Initial& out = binding.initial;
    if (auto const text = node->value_exact<std::string>()) {
        if (auto rule = differing_of(*text, binding.system, place_of(*node), problems))
            out.differing = *rule;
        return;
    }
    toml::table const* table = initial.below("differing");
    if (!table) return;
    for (auto const& [key, value] : *table) {
        auto const text = value.value_exact<std::string>();
        auto pointer = Pointer::parse(key.str());
        bool const fallback = key.str() == "default";
        if (!text) problems.push_back({place_of(value), "differing: has to be a text"});
        if (!pointer && !fallback)
            problems.push_back({place_of(key), "differing: " + pointer.error().message});
        if (!text || (!pointer && !fallback)) continue;
        auto const rule = differing_of(*text, binding.system, place_of(value), problems);
        if (rule && fallback) out.differing = *rule;
        if (rule && !fallback) out.differing_at.emplace(*std::move(pointer), *rule);
    }
}

// One text of a group: "external:FIELD" or a pointer into the record.
std::optional<MatchPart> match_part(std::string const& text,
                                    Binding const& binding,
                                    Place place,
                                    Problems& problems) {
    MatchPart part;
    constexpr std::string_view kExternal = "external:";
    if (text.starts_with(kExternal)) {
        std::string name = text.substr(kExternal.size());
        bool const same = name == binding.external_id || name == "/" + binding.external_id;
        if (!binding.external_id.empty() && same) {
            part.by_external_id = true;
            return part;
        }
        problems.push_back(
            {place,
             "match: \"" + text + "\" has to name the binding's external_id" +
                 (binding.external_id.empty() ? ", and it has none"
                                              : ", \"external:" + binding.external_id + "\"")});
        return std::nullopt;
    }
    auto pointer = Pointer::parse(text);
    if (!pointer) {
        problems.push_back({place, "match: " + pointer.error().message});
        return std::nullopt;
    }
    part.record = *std::move(pointer);
    return part;
}

void read_match(TomlSection const& section, Binding& binding) {
    toml::node const* node = section.find("match");
    if (!node) return;
    auto const* groups = node->as_array();
    if (!groups || groups->size() > kMatchGroupsMax)
        return section.add("match", "has to be a list of at most 20 groups: [[\"/email\"]]");
    for (auto const& child : *groups) {
        auto const* group = child.as_array();
        if (!group || group->empty()) {
            section.problems().push_back(
                {place_of(child), "match: a group has to be a list of paths: [\"/email\"]"});
            continue;
        }
        std::vector<MatchPart> parts;
        for (auto const& item : *group) {
            auto const text = item.value_exact<std::string>();
            auto part = text ? match_part(*text, binding, place_of(item), section.problems())
                             : std::nullopt;
            if (!text) section.problems().push_back({place_of(item), "match: has to be a text"});
            if (part) parts.push_back(*std::move(part));
        }
        binding.initial.match.push_back(std::move(parts));
    }
}

void read_initial(toml::table const& table, Binding& binding, Problems& problems) {
    TomlSection const section("binding.initial", table, problems);
    Initial& initial = binding.initial;
    using Unmatched = Initial::Unmatched;
    std::vector<std::pair<std::string, Unmatched>> const unmatched_external{
        {"import", Unmatched::take}, {"ignore", Unmatched::ignore}, {"review", Unmatched::review}};
    std::vector<std::pair<std::string, Unmatched>> const unmatched_record{
        {"create", Unmatched::take}, {"ignore", Unmatched::ignore}, {"review", Unmatched::review}};
    std::vector<std::pair<std::string, Initial::Ambiguous>> const ambiguous{
        {"review", Initial::Ambiguous::review}, {"skip", Initial::Ambiguous::skip}};
    read_match(section, binding);
    section.word("ambiguous", ambiguous, initial.ambiguous);
    section.word("unmatched_external", unmatched_external, initial.external);
    section.word("unmatched_record", unmatched_record, initial.record);
    if (initial.external == Unmatched::take && !goes_in(binding.mode))
        section.add("unmatched_external", "nothing is imported, the binding's mode is \"out\"");
    if (initial.record == Unmatched::take && !goes_out(binding.mode))
        section.add("unmatched_record", "nothing is created, the binding's mode is \"in\"");
    read_differing(section, binding);
}

std::optional<Archive> read_archive(TomlSection const& deletes, std::string_view key) {
    toml::table const* table = deletes.below(key);
    if (!table) return std::nullopt;
    TomlSection const section("binding.deletes.archive", *table, deletes.problems());
    Archive archive;
    std::optional<Pointer> path;
    if (section.require("path")) section.pointer("path", path);
    toml::node const* value = section.find("value");
    if (bool(value) == bool(section.find("append")))
        deletes.add(key, "needs either \"value\" or \"append\"");
    std::string text;
    archive.append = section.text("append", text);
    archive.value = Value(std::move(text));
    if (value)
        if (auto there = toml_value(*value, deletes.problems())) archive.value = *std::move(there);
    if (path) archive.path = *std::move(path);
    return archive;
}

void read_deletes(toml::table const& table, Deletes& deletes, Problems& problems) {
    TomlSection const section("binding.deletes", table, problems);
    DeleteWords const rules{{"propagate", DeleteRule::propagate},
                            {"unlink", DeleteRule::unlink},
                            {"archive", DeleteRule::archive},
                            {"ignore", DeleteRule::ignore}};
    std::vector<std::pair<std::string, Deletes::Merge>> const merges{
        {"relink", Deletes::Merge::relink},
        {"review", Deletes::Merge::review},
        {"ignore", Deletes::Merge::ignore}};
    std::vector<std::pair<std::string, Deletes::Redact>> const redacts{
        {"erase", Deletes::Redact::erase},
        {"review", Deletes::Redact::review},
        {"ignore", Deletes::Redact::ignore}};
    section.word("in", rules, deletes.in);
    section.word("out", rules, deletes.out);
    section.word("merge", merges, deletes.merge);
    section.word("redact", redacts, deletes.redact);
    deletes.archive_out = read_archive(section, "archive");
    deletes.archive_in = read_archive(section, "archive_in");
    if (deletes.out == DeleteRule::archive && !section.find("archive"))
        section.add("out", "needs archive = { path = ..., value = ... }");
    if (deletes.in == DeleteRule::archive && !section.find("archive_in"))
        section.add("in", "needs archive_in = { path = ..., value = ... }");
    if (auto const* guard = section.below("guard")) {
        TomlSection const limits("binding.deletes.guard", *guard, problems);
        limits.whole("max", 1, deletes.guard.count);
        limits.real("share", 0.0001, 1, deletes.guard.share);
        limits.duration("per", deletes.guard.per_ms);
    }
}

void read_errors(toml::table const& table, Errors& errors, Problems& problems) {
    TomlSection const section("binding.errors", table, problems);
    section.flag("dead_letter", errors.dead_letter);
    section.whole("quarantine_after", 1, errors.quarantine_after);
    section.whole("flips", 2, errors.flips);
    section.duration("flips_per", errors.flips_per_ms);
}

std::optional<Aggregate> read_aggregate(TomlSection const& binding) {
    toml::table const* table = binding.below("aggregate");
    if (!table) return std::nullopt;
    TomlSection const section("binding.aggregate", *table, binding.problems(), true);
    std::vector<std::pair<std::string, Aggregate::Function>> const functions{
        {"sum", Aggregate::Function::sum},
        {"min", Aggregate::Function::min},
        {"max", Aggregate::Function::max},
        {"count", Aggregate::Function::count}};
    Aggregate aggregate;
    std::optional<Pointer> by;
    if (section.require("by") && section.pointer("by", by)) aggregate.by = *by;
    for (auto const& [key, node] : *table) {
        if (key.str() == "by") continue;
        auto pointer = Pointer::parse(key.str());
        auto const text = node.value_exact<std::string>();
        std::vector<std::string> names;
        bool found = false;
        for (auto const& [name, function] : functions) {
            names.push_back(name);
            if (!pointer || !text || *text != name) continue;
            aggregate.fields.emplace(*pointer, function);
            found = true;
        }
        if (!pointer)
            binding.problems().push_back({place_of(key), "aggregate: " + pointer.error().message});
        else if (!found)
            binding.problems().push_back(
                {place_of(node), unknown_word("aggregate", text.value_or(""), names)});
    }
    return aggregate;
}

void read_locations(TomlSection const& section, Binding& binding) {
    toml::table const* table = section.below("locations");
    if (!table) return;
    for (auto const& [key, node] : *table) {
        auto const text = node.value_exact<std::string>();
        if (text)
            binding.locations.emplace(key.str(), *text);
        else
            section.problems().push_back({place_of(node), "locations: has to lead to texts"});
    }
}

void read_head(TomlSection const& section, Binding& binding) {
    FlowWords const modes{{"bidirectional", Flow::both}, {"in", Flow::in}, {"out", Flow::out}};
    std::vector<std::pair<std::string, Binding::RecordId>> const ids{
        {"fresh", Binding::RecordId::fresh},
        {"identity", Binding::RecordId::identity},
        {"external", Binding::RecordId::external}};
    if (section.require("name") && section.text("name", binding.name) && !valid_name(binding.name))
        section.add("name", "cannot be a name");
    if (section.require("system")) section.text("system", binding.system);
    if (section.require("collection")) section.text("collection", binding.collection);
    if (section.require("object")) section.text("object", binding.object);
    section.word("mode", modes, binding.mode);
    std::optional<Pointer> key;
    if (section.require("key") && section.pointer("key", key)) binding.key = *key;
    section.pointer("version", binding.version);
    section.text("external_id", binding.external_id);
    section.word("record_id", ids, binding.record_id);
}

}  // namespace

ReadBinding read_binding(toml::table const& table,
                         LookupTables const& lookups,
                         Problems& problems) {
    TomlSection const section("binding", table, problems);
    ReadBinding read;
    Binding& binding = read.binding;
    binding.place = section.place();
    read_head(section, binding);
    binding.aggregate = read_aggregate(section);
    read_locations(section, binding);
    section.each_table("trigger", [&](toml::table const& trigger) {
        if (binding.triggers.size() < kTriggersMax)
            binding.triggers.push_back(read_trigger(trigger, binding.mode, problems));
    });
    if (auto const* initial = section.below("initial")) read_initial(*initial, binding, problems);
    if (auto const* deletes = section.below("deletes"))
        read_deletes(*deletes, binding.deletes, problems);
    if (auto const* errors = section.below("errors"))
        read_errors(*errors, binding.errors, problems);
    section.driver("driver", binding.driver);
    section.require("map");
    section.each_table("map", [&](toml::table const& map) {
        auto one = binding.maps.size() < kMapsMax ? read_map(map, binding.mode, lookups, problems)
                                                  : std::nullopt;
        read.has_all_maps &= one.has_value();
        if (one) binding.maps.push_back(*std::move(one));
    });
    return read;
}

}  // namespace inos
