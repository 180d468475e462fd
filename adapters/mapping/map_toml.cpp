// One `[[binding.map]]` of a mapping file.
#include <algorithm>
#include <set>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/mapping_parts.hpp"
#include "storage/query.hpp"

namespace inos {
namespace {

constexpr std::size_t kStepsMax = 20;

Chain read_chain(TomlSection const& section, std::string_view key, LookupTables const& lookups) {
    Chain chain;
    section.each_text(key, [&](std::string const& text, toml::node const& node) {
        auto step = parse_transform(text, lookups);
        if (!step)
            section.problems().push_back(
                {place_of(node), std::string(key) + ": " + step.error().message});
        else if (chain.size() < kStepsMax)
            chain.push_back(*std::move(step));
        else
            section.problems().push_back(
                {place_of(node), std::string(key) + ": has more than 20 steps"});
    });
    return chain;
}

// The chain that the file leaves out, where both are needed.
void complete(Chain& in,
              Chain& out,
              Flow direction,
              Place place,
              std::string const& what,
              Problems& problems) {
    if (direction != Flow::both || in.empty() == out.empty()) return;
    Chain const& given = in.empty() ? out : in;
    auto back = inverse(given);
    if (!back) {
        std::string steps;
        for (Transform const& step : given)
            if (!inverse({step}))
                steps += (steps.empty() ? "\"" : ", \"") + transform_word(step) + "\"";
        problems.push_back({place,
                            what + ": goes both ways, and " + steps +
                                " has no inverse; write both \"in\" and " +
                                "\"out\", or give it one direction with dir"});
        return;
    }
    (in.empty() ? in : out) = *std::move(back);
}

void read_external(TomlSection const& section, FieldMap& map) {
    toml::node const* node = section.find("external");
    if (!section.require("external")) return;
    if (!node->is_table()) {
        section.pointer("external", map.external);
        if (map.external && map.external->empty()) section.add("external", "cannot be the whole");
        return;
    }
    for (auto const& [key, child] : *node->as_table()) {
        auto const text = child.value_exact<std::string>();
        auto pointer =
            text ? Pointer::parse(*text)
                 : Result<Pointer>(fail(Errc::invalid, "a path has to be a text in quotes"));
        if (pointer && pointer->empty())
            pointer = fail(Errc::invalid, "a part cannot be the whole");
        if (pointer)
            map.members.push_back(
                {std::string(key.str()), *std::move(pointer), {}, {}, place_of(child)});
        else
            section.problems().push_back({place_of(child), "external: " + pointer.error().message});
    }
    if (node->as_table()->empty()) section.add("external", "names no parts");
}

void read_also(TomlSection const& section, FieldMap& map, LookupTables const& lookups) {
    toml::table const* table = section.below("also");
    if (!table) return;
    std::vector<std::string> names;
    for (MapMember const& member : map.members)
        names.push_back(member.member);
    for (auto const& [key, node] : *table) {
        auto const member =
            std::find_if(map.members.begin(), map.members.end(), [&](MapMember const& one) {
                return one.member == key.str();
            });
        if (member == map.members.end()) {
            section.problems().push_back(
                {place_of(key), "also: " + unknown_word("part", key.str(), names)});
            continue;
        }
        auto const* steps = node.as_table();
        if (!steps) {
            section.problems().push_back(
                {place_of(node), "also: has to be a table such as { in = [\"country-code\"] }"});
            continue;
        }
        TomlSection const also("binding.map.also", *steps, section.problems());
        member->in = read_chain(also, "in", lookups);
        member->out = read_chain(also, "out", lookups);
        complete(member->in,
                 member->out,
                 map.dir,
                 place_of(node),
                 "also." + member->member,
                 section.problems());
    }
}

void read_canon(TomlSection const& section, FieldMap& map) {
    section.each_text("canon", [&](std::string const& text, toml::node const& node) {
        auto form = parse_canon_form(text);
        if (form)
            map.canon.push_back(*std::move(form));
        else
            section.problems().push_back({place_of(node), form.error().message});
    });
}

void read_default(TomlSection const& section, FieldMap& map) {
    toml::node const* node = section.find("default");
    if (!node) return;
    auto value = toml_value(*node, section.problems());
    if (!value) return;
    if (value->as<Object>() || value->as<Array>() || !map.members.empty())
        return section.add("default", "has to be one text, number, true or false, for one place");
    Transform step;
    step.kind = Transform::Kind::default_;
    step.value = *value;
    map.out.push_back(step);
    step.kind = Transform::Kind::drop;
    map.in.insert(map.in.begin(), step);
}

bool wider(Flow inner, Flow outer) {
    return (goes_in(inner) && !goes_in(outer)) || (goes_out(inner) && !goes_out(outer));
}

void read_direction(TomlSection const& section, Flow mode, FieldMap& map) {
    std::vector<std::pair<std::string, Flow>> const directions{
        {"both", Flow::both}, {"in", Flow::in}, {"out", Flow::out}};
    map.dir = mode;
    if (section.word("dir", directions, map.dir) && wider(map.dir, mode))
        section.add("dir",
                    "is wider than the mode of the binding, which is \"" +
                        std::string(mode == Flow::in ? "in" : "out") + "\"");
    for (char const* key : {"max", "too_long", "write", "when", "default"})
        if (section.find(key) && !goes_out(map.dir))
            section.add(key, "has no effect: nothing of this map goes out");
    if (section.find("in") && !goes_in(map.dir))
        section.add("in", "has no effect: nothing of this map comes in");
    if (section.find("out") && !goes_out(map.dir))
        section.add("out", "has no effect: nothing of this map goes out");
}

}  // namespace

std::optional<FieldMap> read_map(toml::table const& table,
                                 Flow mode,
                                 LookupTables const& lookups,
                                 Problems& problems) {
    std::size_t const before = problems.size();
    TomlSection const section("binding.map", table, problems);
    FieldMap map;
    map.place = section.place();
    std::optional<Pointer> record;
    if (section.require("record") && section.pointer("record", record)) map.record = *record;
    if (record && record->empty()) section.add("record", "has to name a field");
    read_direction(section, mode, map);
    read_external(section, map);
    map.in = read_chain(section, "in", lookups);
    map.out = read_chain(section, "out", lookups);
    Place const chains = section.find("in") ? section.place("in") : section.place("out");
    complete(map.in, map.out, map.dir, chains, map.record.text(), problems);
    read_also(section, map, lookups);
    read_canon(section, map);
    read_default(section, map);
    std::vector<std::pair<std::string, FieldMap::TooLong>> const too_long{
        {"reject", FieldMap::TooLong::reject}, {"truncate", FieldMap::TooLong::truncate}};
    section.word("too_long", too_long, map.too_long);
    std::uint64_t max = 0;
    if (section.whole("max", 1, 1'000'000, max)) map.max = max;
    section.text("write", map.write);
    if (section.text("when", map.when))
        if (auto const where = Where::parse(map.when); !where)
            section.add("when", where.error().message);
    section.driver("driver", map.driver);
    if (problems.size() != before) return std::nullopt;
    return map;
}

}  // namespace inos
