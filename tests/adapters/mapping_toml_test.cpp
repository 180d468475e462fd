// Mapping files: what is read, what is told of what is wrong and where, and that the examples and
// the manual are right.
#include "adapters/mapping/mapping_toml.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/describe_check.hpp"
#include "adapters/mapping/field_values.hpp"
#include "adapters/mapping/mapping_keys.hpp"
#include "adapters/mapping/transform.hpp"
#include "storage/json.hpp"
#include "storage/schema_document.hpp"
#include "tools/schema_file.hpp"

namespace inos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string docs(std::string const& name) {
    std::ifstream file(INOS_TEST_VECTORS "/../../docs/" + name);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << name;
    return text.str();
}

MappingContext context_of(std::string const& schema) {
    MappingContext context;
    auto const file = SchemaFile::parse(schema, "schema");
    EXPECT_TRUE(file) << file.error().message;
    if (!file) return context;
    EXPECT_THAT(file->describe(check_schema(file->document())), IsEmpty());
    for (Write const& write : schema_writes(file->document(), {}))
        context.schemas.emplace(write.name.key, parse_collection_schema(write.fields));
    return context;
}

constexpr char kSchema[] = R"([c]
identity = ["email"]
[c.fields]
name = { type = "map" }
email = { type = "register", canon = ["trim", "lower"] }
consent = { type = "register", enum = ["no", "yes"] }
ship = { type = "register" }
stock = { type = "counter" }
tags = { type = "set" }
)";

constexpr char kHead[] = R"(format = 1
[system.s]
kind = "k"
owner_site = "hq"
[[binding]]
name = "b"
system = "s"
collection = "c"
object = "O"
key = "/id"
)";

ParsedMapping parse(std::string const& text) {
    return parse_mapping(text, context_of(kSchema));
}

// The maps, behind a head of 10 lines.
ParsedMapping parse_maps(std::string const& maps) {
    return parse(kHead + maps);
}

std::string map(std::string const& rest) {
    return "[[binding.map]]\n" + rest + "\n";
}

TEST(MappingToml, the_examples_are_right) {
    for (std::string const name : {"customers", "inventory"}) {
        auto const context = context_of(docs("examples/mappings/" + name + ".schema.toml"));
        auto const parsed =
            parse_mapping(docs("examples/mappings/" + name + ".mapping.toml"), context);
        EXPECT_THAT(describe(parsed.problems, name), IsEmpty());
        EXPECT_EQ(parsed.mapping.bindings.size(), 2u);
        for (Binding const& binding : parsed.mapping.bindings)
            EXPECT_EQ(binding.hash.size(), 64u);
    }
}

TEST(MappingToml, what_is_read) {
    auto const parsed = parse_mapping(docs("examples/mappings/customers.mapping.toml"),
                                      context_of(docs("examples/mappings/customers.schema.toml")));
    ASSERT_TRUE(parsed.ok());
    System const& crm = *parsed.mapping.system("crm");
    EXPECT_EQ(crm.kind, "salesforce");
    EXPECT_EQ(crm.auth.at("key").secret, (SecretRef{SecretRef::From::store, "sf.pem"}));
    EXPECT_EQ(crm.auth.at("client_id").secret->from, SecretRef::From::environment);
    EXPECT_EQ(crm.auth.at("flow").plain, Value("jwt"));
    EXPECT_EQ(crm.rate.per_second, 5.0);
    EXPECT_EQ(crm.retry.give_up_ms, 86'400'000u);
    Binding const& binding = *parsed.mapping.binding("customer-crm");
    EXPECT_EQ(binding.mode, Flow::both);
    ASSERT_THAT(binding.triggers, SizeIs(3));
    EXPECT_EQ(binding.triggers[1].overlap_ms, 600'000u);
    EXPECT_TRUE(binding.triggers[2].at.has_value());
    EXPECT_TRUE(binding.initial.match[0][0].by_external_id);
    EXPECT_EQ(binding.initial.differing_at.at(*Pointer::parse("/email")).rule,
              Differing::Rule::prefer);
    EXPECT_EQ(binding.deletes.archive_out->value, Value("closed by data owner"));
    FieldMap const& name = binding.maps[0];
    EXPECT_EQ(name.record.text(), "/name/first");
    EXPECT_EQ(name.dir, Flow::both);
    EXPECT_THAT(binding.maps[2].canon, SizeIs(2)) << "the forms of the schema";
    FieldMap const& ship = binding.maps[4];
    ASSERT_THAT(ship.in, SizeIs(1)) << "the inverse of what is given";
    EXPECT_EQ(ship.in[0].kind, Transform::Kind::split_lines);
    EXPECT_EQ(parsed.mapping.binding("customer-shop")->maps.back().kind, FieldKind::set);
}

TEST(MappingToml, values_of_a_composed_map_go_both_ways) {
    auto const parsed = parse_mapping(docs("examples/mappings/customers.mapping.toml"),
                                      context_of(docs("examples/mappings/customers.schema.toml")));
    ASSERT_TRUE(parsed.ok());
    FieldMap const& ship = parsed.mapping.binding("customer-crm")->maps[4];
    auto const object = parse_json_object(
        R"({"MailingStreet":"Hauptstr. 1\r\n2. OG","MailingCity":"Berlin","MailingState":null,
            "MailingPostalCode":"10115","MailingCountry":"Germany"})");
    Inbound const in = read_external(ship, *object);
    ASSERT_EQ(in.kind, Inbound::Kind::value) << in.why;
    EXPECT_EQ(
        write_json(in.value),
        R"({"city":"Berlin","country":"DE","postal":"10115","street":"Hauptstr. 1","street2":"2. OG"})");
    Outbound const out = write_external(ship, in.value);
    ASSERT_EQ(out.kind, Outbound::Kind::write) << out.why;
    EXPECT_THAT(out.parts, SizeIs(5));
    // A part that is not there is hidden (F9); one that is null has no value.
    Object hidden = *object;
    std::erase_if(hidden, [](Member const& member) { return member.key == "MailingCity"; });
    EXPECT_EQ(read_external(ship, hidden).kind, Inbound::Kind::hidden);
    // What the map does not know of the address stays.
    auto const current = parse_json(R"({"street":"X","phone":"+4930123456"})");
    EXPECT_NE(with_unmapped(ship, *current, in.value).find("phone"), nullptr);
    EXPECT_EQ(with_unmapped(ship, *current, Value()).find("street"), nullptr);
    Object record;
    set_member(record, "ship", *current);
    EXPECT_EQ(write_json(record_value(ship, record)), R"({"street":"X"})");
}

TEST(MappingToml, objects_below_null_have_no_value_and_counters_are_whole) {
    auto const parsed = parse_maps(map("record = \"/email\"\nexternal = \"/a/b\"") +
                                   map("record = \"/stock\"\nexternal = \"/n\"") +
                                   map("record = \"/tags\"\nexternal = \"/t\""));
    ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, "f")[0];
    auto const& maps = parsed.mapping.bindings[0].maps;
    auto const read = [&](std::size_t i, char const* json) {
        Inbound const in = read_external(maps[i], *parse_json_object(json));
        return in.kind == Inbound::Kind::value    ? write_json(in.value)
               : in.kind == Inbound::Kind::hidden ? "hidden"
                                                  : "refused";
    };
    EXPECT_EQ(read(0, R"({"a":null})"), "null");
    EXPECT_EQ(read(0, R"({"a":{}})"), "hidden");
    EXPECT_EQ(read(0, R"({"a":{"b":" A@B.test "}})"), "\"a@b.test\"");
    EXPECT_EQ(read(1, R"({"n":5.0})"), "5");
    EXPECT_EQ(read(1, R"({"n":5.5})"), "refused");
    EXPECT_EQ(read(1, R"({"n":9007199254740993})"), "9007199254740993");
    EXPECT_EQ(read(2, R"({"t":["b","a","b"]})"), "[\"a\",\"b\"]");
    EXPECT_EQ(read(2, R"({"t":[]})"), "null");
    EXPECT_EQ(read(2, R"({"t":"a"})"), "refused");
}

// One thing that is wrong, where it stands, and a part of what is told.
struct Planted {
    std::string text;
    std::string line_and_message;
};

TEST(MappingToml, every_problem_is_told_at_its_place) {
    std::string const email = map("record = \"/email\"\nexternal = \"/e\"");
    for (Planted const& one : std::vector<Planted>{
             {map("record = \"/emial\"\nexternal = \"/e\""),
              "11:1: /emial: unknown field of \"c\" \"emial\"; did you mean \"email\"?"},
             {map("record = \"/email/x\"\nexternal = \"/e\""), "which is one value"},
             {map("record = \"email\"\nexternal = \"/e\""), "12:10: record: \"email\" is no path"},
             {map("record = \"/email\"\nextrenal = \"/e\""),
              "13:1: unknown key \"extrenal\"; did you mean \"external\"?"},
             {map("record = \"/email\""), "11:1: \"external\" is missing in binding.map"},
             {map("record = \"/email\"\nexternal = 7"), "13:12: external: has to be a text"},
             {map("record = \"/email\"\nexternal = \"/e\"\nconflict = \"rank\""),
              "14:1: \"conflict\" has no place here"},
             {map("record = \"/email\"\nexternal = \"/e\"\nout = [\"hash\"]"),
              "14:7: /email: goes both ways, and \"hash\" has no inverse"},
             {map("record = \"/email\"\nexternal = \"/e\"\nin = [\"prefix:a\"]\nout = "
                  "[\"prefix:a\"]"),
              "11:1: /email: in does not undo what out does"},
             {map("record = \"/email\"\nexternal = \"/e\"\nin = [\"mapp:a=b\"]"),
              "did you mean \"map\"?"},
             {map("record = \"/email\"\nexternal = \"/e\"\nout = [\"map:A=b,*=skip\"]\nin = "
                  "[\"map:b=A,*=keep\"]"),
              "out names \"A\", which canon makes \"a\" of"},
             {map("record = \"/email\"\nexternal = \"/e\"\ncanon = [\"upper\"]"),
              "the canonical forms undo one another: \"trim\", \"lower\", \"upper\""},
             {map("record = \"/consent\"\nexternal = \"/e\"\nout = [\"map:yes=Y\"]"),
              "11:1: /consent: out has no counterpart of \"no\""},
             {map("record = \"/consent\"\nexternal = \"/e\"\ndir = \"in\"\nin = [\"map:Y=jes\"]"),
              "in makes \"jes\", which is none of the values"},
             {map("record = \"/stock\"\nexternal = { a = \"/e\" }"), "cannot be made of parts"},
             {email + map("record = \"/email\"\nexternal = \"/f\""),
              "14:1: \"/email\" is written twice: line 11"},
             {email + map("record = \"/ship\"\nexternal = \"/e\""),
              "14:1: \"/e\" is written twice: line 11"},
             {map("record = \"/email\"\nexternal = \"/id\""), "is the object's key"},
             {map("record = \"/email\"\nexternal = \"/e\"\nmax = 0"),
              "14:7: max: has to be a whole"},
             {map("record = \"/email\"\nexternal = \"/e\"\ndir = \"in\"\nmax = 5"),
              "has no effect"},
             {map("record = \"/email\"\nexternal = \"/e\"\nwhen = \"email =\""), "14:8: when: "},
             {map("record = \"/ship\"\nexternal = { a = \"/e\" }\nalso = { b = {} }"),
              "unknown part \"b\""},
             {email + "[binding.initial]\nmatch = [[\"/emial\"]]", "did you mean \"/email\"?"},
             {email + "[binding.initial]\nmatch = [[\"external:X\"]]", "15:11: match: "},
             {email + "[binding.initial]\ndiffering = \"prefer:shop\"", "unknown rule"},
             {email + "[binding.deletes]\nout = \"archive\"", "15:7: out: needs archive"},
             {email + "[[binding.trigger]]\ntype = \"poll\"", "15:8: type: a poll needs"},
             {email + "[[binding.trigger]]\ntype = \"poll\"\nevery = \"5x\"", "is no duration"},
             {email + "[[binding.trigger]]\ntype = \"poll\"\nat = \"1 2 3\"", "is no schedule"},
             {email + "[[binding.trigger]]\ntype = \"pol\"", "did you mean \"poll\"?"},
             {email + "[[binding.trigger]]\ntype = \"webhook\"\nevery = \"5m\"", "has no effect"},
             {email + "[system.t]\nkind = \"k\"", "14:1: \"owner_site\" is missing in system"},
             {email + "[system.t]\nkind = \"k\"\nowner_site = \"x\"\nrank = 5",
              "17:1: \"rank\" has no"},
             {email + "[system.t]\nkind = \"k\"\nowner_site = \"x\"\nretry = { first = \"2m\" }",
              "shorter than the first wait"},
             {email + "[collection.c]\nkey = 1", "\"collection\" has no place here"},
             {email + "x = 2026-01-31", "unknown key \"x\""},
             {email + "driver = { x = 2026-01-31 }", "14:16: dates, times"},
         }) {
        auto const parsed = parse_maps(one.text);
        auto const lines = describe(parsed.problems, "f");
        EXPECT_THAT(lines, SizeIs(1)) << one.text << testing::PrintToString(lines);
        std::string all;
        for (std::string const& line : lines)
            all += line.substr(2) + "\n";
        EXPECT_THAT(all, HasSubstr(one.line_and_message)) << one.text;
    }
}

TEST(MappingToml, all_problems_are_told_at_once) {
    auto const parsed = parse_maps(map("record = \"/emial\"\nexternal = \"/e\"") +
                                   map("record = \"/name/a\"\nexternal = 7") +
                                   map("record = \"/tags\"\nexternal = \"/t\"\ncanon = \"trimm\"") +
                                   "[[binding.trigger]]\ntype = \"x\"\n[wrong]\n");
    std::vector<std::uint32_t> at;
    for (MappingProblem const& problem : parsed.problems)
        at.push_back(problem.place.line);
    EXPECT_THAT(at, ElementsAre(11u, 16u, 20u, 22u, 23u));
    EXPECT_TRUE(parsed.mapping.bindings.empty());
}

TEST(MappingToml, literal_secrets_are_refused_and_not_repeated) {
    for (std::string const auth : {"token = \"hunter2\"",
                                   "client_secret = \"hunter2\"",
                                   "key = \"hunter2\"",
                                   "apiKey = \"hunter2\"",
                                   "note = \"-----BEGIN hunter2\"",
                                   "password = \"env\"",
                                   "webhook_secret = \"env:\"",
                                   "key = \"secret:../hunter2\""}) {
        auto const parsed = parse(
            "format = 1\n[system.s]\nkind = \"k\"\nowner_site = \"h\"\nauth = { " + auth + " }\n");
        ASSERT_THAT(parsed.problems, SizeIs(1)) << auth;
        EXPECT_EQ(parsed.problems[0].place.line, 5u);
        EXPECT_THAT(parsed.problems[0].message, testing::Not(HasSubstr("hunter2")));
    }
    for (std::string const line :
         {"base_url = \"https://me:hunter2@x.test/\"", "driver = { api_key = \"hunter2\" }"})
        EXPECT_THAT(
            parse("format = 1\n[system.s]\nkind = \"k\"\nowner_site = \"h\"\n" + line).problems,
            SizeIs(1))
            << line;
    EXPECT_TRUE(
        parse("format = 1\n[system.s]\nkind = \"k\"\nowner_site = \"h\"\nauth = { key_id = "
              "\"a\", token_url = \"https://x.test\", key = \"file:/etc/k\", flow = \"token\" }")
            .ok());
}

TEST(MappingToml, broken_files_and_other_systems) {
    EXPECT_THAT(parse("format = 1\n[system.s\n").problems, SizeIs(1));
    EXPECT_THAT(parse("").problems[0].message, HasSubstr("\"format\" is missing"));
    EXPECT_THAT(parse("format = 2").problems[0].message, HasSubstr("has to be 1"));
    EXPECT_THAT(parse(std::string(kMappingBytesMax + 1, '#')).problems, SizeIs(1));
    std::string text = kHead + map("record = \"/email\"\nexternal = \"/e\"");
    text.replace(text.find("system = \"s\""), 12, "system = \"z\"");
    EXPECT_THAT(parse(text).problems[0].message, HasSubstr("unknown system \"z\""));
    text = kHead + map("record = \"/email\"\nexternal = \"/e\"");
    text.replace(text.find("collection = \"c\""), 16, "collection = \"d\"");
    EXPECT_THAT(parse(text).problems[0].message, HasSubstr("unknown collection \"d\""));
    MappingContext context = context_of(kSchema);
    context.kinds = {"salesforce"};
    auto const kinds =
        parse_mapping("format = 1\n[system.s]\nkind = \"salesfroce\"\nowner_site = \"h\"", context);
    EXPECT_THAT(kinds.problems[0].message, HasSubstr("did you mean \"salesforce\"?"));
}

TEST(MappingToml, a_drivers_table_keeps_its_places) {
    auto const parsed = parse_maps(
        map("record = \"/email\"\nexternal = \"/e\"\ndriver = { a = 1, b = [\"x\", { c = 2 }] }"));
    ASSERT_TRUE(parsed.ok());
    DriverTable const& driver = parsed.mapping.bindings[0].maps[0].driver;
    EXPECT_EQ(write_json(driver.values), R"({"a":1,"b":["x",{"c":2}]})");
    EXPECT_EQ(driver.places.at("/b/1/c"), (Place{14, 36}));
    EXPECT_EQ(driver.places.at("").line, 14u);
}

TEST(MappingToml, the_hash_tells_what_a_binding_means) {
    std::string const a = map("record = \"/email\"\nexternal = \"/e\"");
    std::string const b = map("record = \"/tags\"\nexternal = \"/t\"");
    auto const hash = [](ParsedMapping const& parsed) {
        EXPECT_TRUE(parsed.ok());
        return parsed.ok() ? parsed.mapping.bindings[0].hash : "";
    };
    std::string const one = hash(parse_maps(a + b));
    EXPECT_EQ(hash(parse_maps("# note\n" + b + a)), one);
    EXPECT_EQ(hash(parse_maps(a + "dir = \"both\"\n" + b)), one) << "the default, named";
    EXPECT_NE(hash(parse_maps(a)), one);
    EXPECT_NE(hash(parse_maps(a + "dir = \"in\"\n" + b)), one);
    EXPECT_NE(hash(parse_maps(a + "max = 80\n" + b)), one);
    EXPECT_NE(hash(parse_maps(a + "canon = \"nfc\"\n" + b)), one);
    EXPECT_NE(hash(parse_maps(a + b + "[binding.deletes]\nout = \"unlink\"\n")), one);
    EXPECT_NE(hash(parse_maps(a + b + "[[binding.trigger]]\ntype = \"manual\"\n")), one);
}

TEST(MappingToml, a_binding_against_what_its_system_describes) {
    auto context = context_of(R"([c.fields]
email = { type = "register", max = 100 }
state = { type = "register" }
)");
    auto const parsed = parse_mapping(
        kHead + map("record = \"/email\"\nexternal = \"/Email\"") +
            map("record = \"/state\"\nexternal = \"/Status\"\nin = [\"map:Open=o,Shut=s\"]"),
        context);
    ASSERT_TRUE(parsed.ok());
    Binding const& binding = parsed.mapping.bindings[0];
    CollectionSchema const& schema = context.schemas.at("c");
    auto const field = [](char const* path) {
        ExternalField made;
        made.path = *Pointer::parse(path);
        return made;
    };
    ExternalObject object{"O", {field("/id"), field("/Email"), field("/Status")}};
    EXPECT_THAT(check_describe(binding, schema, object), IsEmpty());
    object.fields[1].length = 80;
    object.fields[2].values = {"Open", "Closed"};
    auto lines = describe(check_describe(binding, schema, object), "f");
    ASSERT_THAT(lines, SizeIs(3));
    EXPECT_THAT(lines[0], HasSubstr("f:11:1: \"/email\" may have 100 characters"));
    EXPECT_THAT(lines[1], HasSubstr("\"Shut\""));
    EXPECT_THAT(lines[2], HasSubstr("may hold \"Closed\""));
    object.fields[1].writeable = false;
    EXPECT_THAT(describe(check_describe(binding, schema, object), "f")[0],
                HasSubstr("cannot be written"));
    object.fields.erase(object.fields.begin() + 1);
    EXPECT_THAT(describe(check_describe(binding, schema, object), "f")[0],
                HasSubstr("unknown field of \"O\" \"/Email\""));
    object.fields.push_back(field("/Email"));
    object.fields.back().length = 3;
    Binding const limited = with_lengths(binding, object);
    EXPECT_EQ(write_external(limited.maps[0], Value("abcd")).kind, Outbound::Kind::refused);
    Binding cut = limited;
    cut.maps[0].too_long = FieldMap::TooLong::truncate;
    EXPECT_EQ(write_external(cut.maps[0], Value("abcd")).parts[0].value, Value("abc"));
}

TEST(MappingToml, mappings_md_has_every_key_with_its_default) {
    std::string const text = docs("mappings.md");
    for (MappingKey const& key : mapping_keys()) {
        std::string const title = "### `" + (key.table.empty() ? "the file" : key.table) + "`";
        std::size_t const begin = text.find(title);
        ASSERT_NE(begin, std::string::npos) << title;
        std::string const section = text.substr(begin, text.find("\n##", begin) - begin);
        EXPECT_THAT(section, HasSubstr("| `" + key.name + "` | " + key.fallback + " |")) << title;
    }
    for (std::string const& word : canon_form_words())
        EXPECT_THAT(text, testing::ContainsRegex("\\| `" + word + "[`:]"));
    for (std::string const& word : transform_words())
        EXPECT_THAT(text, testing::ContainsRegex("`" + word + "[`:]"));
}

}  // namespace
}  // namespace inos
