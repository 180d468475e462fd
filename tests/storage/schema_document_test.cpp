// Schema documents: strict when a person gives one, lenient when one is read from the records.
#include "storage/schema_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/json.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Object doc(std::string_view json) {
    auto object = parse_json_object(json);
    EXPECT_TRUE(object) << (object ? "" : object.error().message);
    return object ? *object : Object();
}

constexpr std::string_view kCustomers = R"({"customers":{"delete":"update-wins",
    "index":["email",["city","name"]],"identity":["email"],"fields":{
    "name":{"type":"register"},
    "email":{"type":"register","policy":"priority","ranking":["crm","manager","shop"]},
    "contact":{"type":"map","pii":true},
    "notes":{"type":"register","policy":"keep-all","project":"latest"},
    "consent_email":{"type":"register","policy":"order","order":["unknown","pending"]},
    "points":{"type":"counter","max":100},
    "stock":{"type":"bounded-counter","min":0,"offline_rights":"strict"},
    "tags":{"type":"set"},
    "consent":{"type":"flag","wins":"disable"},
    "lines":{"type":"list"},
    "memo":{"type":"text","required":true,"enum":["a@b.se"],"format":"email","check":"warn",
            "default":"a@b.se","canon":["trim","lower"]}
    }}})";

std::map<std::string, Object> records_of(Object const& document) {
    std::map<std::string, Object> records;
    for (Write& write : schema_writes(document, {}))
        records[write.name.key] = write.fields;
    return records;
}

TEST(SchemaCheck, accepts_everything_that_a_schema_may_say) {
    for (auto const& problem : check_schema(doc(kCustomers)))
        ADD_FAILURE() << problem.path << ": " << problem.message;
    EXPECT_THAT(check_schema({}), IsEmpty());
    EXPECT_THAT(check_schema(doc(R"({"c":{}})")), IsEmpty());
}

struct Wrong {
    std::string json, path, words;
};

void expect_named(std::vector<Wrong> const& cases) {
    for (auto const& [json, path, words] : cases) {
        auto const problems = check_schema(doc(json));
        ASSERT_EQ(problems.size(), 1u) << json;
        EXPECT_EQ(problems.front().path, path);
        EXPECT_THAT(problems.front().message, HasSubstr(words));
    }
}

TEST(SchemaCheck, names_the_place_and_the_near_miss) {
    expect_named({
        {R"({"c":{"fields":{"p":{"type":"cuonter"}}}})",
         "c.fields.p.type",
         "unknown field type \"cuonter\"; did you mean \"counter\"?"},
        {R"({"c":{"fields":{"p":{"type":"blob"}}}})",
         "c.fields.p.type",
         "there is \"register\", \"counter\""},
        {R"({"c":{"fields":{"p":{"type":3}}}})", "c.fields.p.type", "not 3"},
        {R"({"c":{"fields":{"p":{}}}})", "c.fields.p", "\"type\" is missing"},
        {R"({"c":{"fields":{"p":"register"}}})", "c.fields.p", "{ type = \"register\" }"},
        {R"({"c":{"fields":{"$p":{"type":"set"}}}})", "c.fields.$p", "cannot begin with $"},
        {R"({"c":{"fields":{"":{"type":"set"}}}})", "c.fields.", "1 to 249 bytes"},
        {R"({"c":{"fields":[]}})", "c.fields", "table of fields"},
        {R"({"c":{"feilds":{}}})", "c.feilds", "did you mean \"fields\"?"},
        {R"({"c":{"delete":"updates-win"}})", "c.delete", "did you mean \"update-wins\"?"},
        {R"({"c":{"index":"email"}})", "c.index", "list of fields"},
        {R"({"c":{"identity":["a","a"]}})", "c.identity", "names \"a\" twice"},
        {R"({"c":{"index":[""]}})", "c.index", "each index is of a field"},
        {R"({"c":3})", "c", "has to be a table"},
        {R"({"_schema":{}})", "_schema", "reserved"},
        {R"({"c\n":{}})", "c\n", "control characters"},
        {R"({"c":{"fields":{"p":{"type":"register","policy":"lates"}}}})",
         "c.fields.p.policy",
         "unknown field policy \"lates\"; did you mean \"latest\"?"},
        {R"({"c":{"fields":{"p":{"type":"register","policy":"priority"}}}})",
         "c.fields.p.ranking",
         "the policy \"priority\" needs it"},
        {R"({"c":{"fields":{"p":{"type":"register","policy":"order"}}}})",
         "c.fields.p.order",
         "the policy \"order\" needs it"},
        {R"({"c":{"fields":{"p":{"type":"register","ranking":["a"]}}}})",
         "c.fields.p.ranking",
         "no effect without policy = \"priority\""},
        {R"({"c":{"fields":{"p":{"type":"set","policy":"latest"}}}})",
         "c.fields.p.policy",
         "is for fields of type \"register\", and this one is a \"set\""},
        {R"({"c":{"fields":{"p":{"type":"flag","wins":"disabled"}}}})",
         "c.fields.p.wins",
         "did you mean \"disable\"?"},
        {R"({"c":{"fields":{"p":{"type":"bounded-counter","min":"0"}}}})",
         "c.fields.p.min",
         "a whole number from 0 on (a counter that may go under 0 is a \"counter\"), not \"0\""},
        {R"({"c":{"fields":{"p":{"type":"bounded-counter","min":-1}}}})",
         "c.fields.p.min",
         "a whole number from 0 on (a counter that may go under 0 is a \"counter\"), not -1"},
        {R"({"c":{"fields":{"p":{"type":"bounded-counter","offline_rights":"strickt"}}}})",
         "c.fields.p.offline_rights",
         "did you mean \"strict\"?"},
    });
}

TEST(SchemaCheck, names_what_is_wrong_with_options) {
    expect_named({
        {R"({"c":{"fields":{"p":{"type":"set","requierd":true}}}})",
         "c.fields.p.requierd",
         "did you mean \"required\"?"},
        {R"({"c":{"fields":{"p":{"type":"set","required":1}}}})",
         "c.fields.p.required",
         "true or false, not 1"},
        {R"({"c":{"fields":{"p":{"type":"set","pii":1}}}})", "c.fields.p.pii", "a text, or true"},
        {R"({"c":{"fields":{"p":{"type":"set","format":"emial"}}}})",
         "c.fields.p.format",
         "unknown field format \"emial\"; did you mean \"email\"?"},
        {R"({"c":{"fields":{"p":{"type":"map","format":"email"}}}})",
         "c.fields.p.format",
         "has no effect on a \"map\"; it is for \"register\""},
        {R"({"c":{"fields":{"p":{"type":"set","max":1,"check":"warm"}}}})",
         "c.fields.p.check",
         "did you mean \"warn\"?"},
        {R"({"c":{"fields":{"p":{"type":"set","check":"warn"}}}})",
         "c.fields.p.check",
         "no effect without required, enum, max or format"},
        {R"({"c":{"fields":{"p":{"type":"set","max":-1}}}})", "c.fields.p.max", "is a length"},
        {R"({"c":{"fields":{"p":{"type":"set","max":1.5}}}})", "c.fields.p.max", "is a length"},
        {R"({"c":{"fields":{"p":{"type":"set","enum":[]}}}})", "c.fields.p.enum", "at least one"},
        {R"({"c":{"fields":{"p":{"type":"set","canon":["trim","lowre"]}}}})",
         "c.fields.p.canon",
         "did you mean \"lower\"?"},
        {R"({"c":{"fields":{"p":{"type":"set","canon":7}}}})", "c.fields.p.canon", "not 7"},
        {R"({"c":{"fields":{"p":{"type":"counter","default":1}}}})",
         "c.fields.p.default",
         "a counter starts at 0"},
        {R"({"c":{"fields":{"p":{"type":"flag","default":"on"}}}})",
         "c.fields.p.default",
         "what a \"flag\" holds, not \"on\""},
        {R"({"c":{"fields":{"p":{"type":"register","default":null}}}})",
         "c.fields.p.default",
         "without a default reads as absent"},
        {R"({"c":{"fields":{"p":{"type":"register","enum":["a"],"default":"b"}}}})",
         "c.fields.p.default",
         "one of the values of its enum"},
    });
}

TEST(SchemaCheck, finds_all_mistakes_at_once) {
    auto const problems = check_schema(
        doc(R"({"_x":{},"c":{"delete":1,"fields":{"a":{"type":"q"},"b":{"type":"set","x":1}}}})"));
    EXPECT_EQ(problems.size(), 4u);
}

TEST(SchemaCheck, a_field_name_has_to_leave_room_for_its_prefix) {
    for (std::size_t const size : {249, 250}) {
        Object fields{{std::string(size, 'a'), Value(Object{{"type", Value("set")}})}};
        Object const document{{"c", Value(Object{{"fields", Value(fields)}})}};
        EXPECT_EQ(check_schema(document).empty(), size == 249);
        auto const writes = schema_writes(document, {});
        EXPECT_EQ(valid_name(writes.front().fields.front().key), size == 249);
    }
}

TEST(SchemaRecords, the_document_comes_back_from_its_records) {
    Object const document = doc(kCustomers);
    EXPECT_EQ(write_json(schema_document(records_of(document))), write_json(document));
}

TEST(SchemaRecords, writes_name_only_collections_that_change) {
    Object const document =
        doc(R"({"a":{"fields":{"x":{"type":"set"}}},"b":{"delete":"delete-wins"}})");
    auto current = records_of(document);
    EXPECT_THAT(schema_writes(document, current), IsEmpty());
    current["b"] = {};
    current["z"] = {};
    auto const writes = schema_writes(document, current);
    ASSERT_EQ(writes.size(), 1u);
    EXPECT_EQ(writes[0].name, (RecordName{"_schema", "b"}));
    EXPECT_EQ(writes[0].kind, Write::Kind::put);
    EXPECT_EQ(write_json(writes[0].fields), R"({"delete":"delete-wins"})");
}

TEST(SchemaRecords, are_read_as_types_and_policies) {
    auto const schema = parse_collection_schema(records_of(doc(kCustomers)).at("customers"));
    EXPECT_EQ(schema.on_delete, DeletePolicy::update_wins);
    EXPECT_EQ(schema.fields.size(), 11u);
    EXPECT_FALSE(schema.others);
    FieldSchema const& email = *schema.field("email");
    EXPECT_EQ(email.policy, RegisterPolicy::priority);
    EXPECT_THAT(email.ranking, ElementsAre("crm", "manager", "shop"));
    EXPECT_THAT(schema.field("consent_email")->order, ElementsAre("unknown", "pending"));
    EXPECT_EQ(schema.field("notes")->policy, RegisterPolicy::keep_all);
    EXPECT_EQ(schema.field("points")->type, CellType::counter);
    EXPECT_EQ(schema.field("stock")->type, CellType::bounded_counter);
    EXPECT_EQ(schema.field("tags")->type, CellType::set);
    EXPECT_EQ(schema.field("contact")->type, CellType::map);
    EXPECT_TRUE(schema.field("consent")->disable_wins);
    EXPECT_THAT(schema.identity, ElementsAre("email"));
    EXPECT_EQ(schema.field("points")->rules.max, Value(100));
    FieldRules const& memo = schema.field("memo")->rules;
    EXPECT_TRUE(memo.required && memo.warn_only);
    EXPECT_EQ(memo.format, TextFormat::email);
    EXPECT_THAT(memo.choices, ElementsAre(Value("a@b.se")));
    EXPECT_THAT(schema.field("memo")->canon, ElementsAre(TextCanon::trim, TextCanon::lower));
    for (auto const& [name, field] : schema.fields) {
        EXPECT_TRUE(field.type_known) << name;
        EXPECT_TRUE(field.policy_known) << name;
    }
}

TEST(SchemaRecords, say_how_far_a_bounded_counter_may_fall) {
    auto const schema = parse_collection_schema(doc(
        R"({"fields/a":{"type":"bounded-counter","min":7,"offline_rights":"trust-disk"},
            "fields/b":{"type":"bounded-counter"},
            "fields/c":{"type":"bounded-counter","min":-7,"offline_rights":"hope"}})"));
    EXPECT_EQ(schema.field("a")->min, 7);
    EXPECT_EQ(schema.field("a")->offline_rights, OfflineRights::trust_disk);
    EXPECT_EQ(schema.field("b")->min, 0);
    EXPECT_EQ(schema.field("b")->offline_rights, OfflineRights::strict);
    EXPECT_EQ(schema.field("c")->min, 0);
    EXPECT_EQ(schema.field("c")->offline_rights, OfflineRights::strict);
}

TEST(SchemaRecords, of_a_newer_version_are_read_without_failing) {
    auto const schema = parse_collection_schema(doc(
        R"({"delete":"ask","fields/a":{"type":"graph"},
            "fields/b":{"type":"register","policy":"vote"},
            "fields/c":7,"fields/d":{},"retention":{"days":3},"index":null})"));
    EXPECT_EQ(schema.on_delete, DeletePolicy::update_wins);
    EXPECT_FALSE(schema.field("a")->type_known);
    EXPECT_FALSE(schema.field("b")->policy_known);
    EXPECT_TRUE(schema.field("b")->type_known);
    EXPECT_EQ(schema.field("c"), nullptr);
    EXPECT_FALSE(schema.field("d")->type_known);
}

TEST(SchemaToml, reads_like_a_schema_file) {
    EXPECT_EQ(schema_toml(doc(R"({"customers":{"fields":{
            "name":{"type":"register"},
            "email":{"ranking":["crm","shop"],"type":"register","policy":"priority"},
            "net price":{"type":"register","max":1.0,"default":{},"note":null}},
            "index":["email"],"delete":"update-wins","retention":{"days":3}},
        "o.rders":{"fields":{}}})")),
              "[customers]\n"
              "delete = \"update-wins\"\n"
              "index = [\"email\"]\n"
              "retention = { days = 3 }\n"
              "[customers.fields]\n"
              "email = { type = \"register\", policy = \"priority\", "
              "ranking = [\"crm\", \"shop\"] }\n"
              "name = { type = \"register\" }\n"
              "\"net price\" = { type = \"register\", default = {}, max = 1.0 }\n"
              "\n[\"o.rders\"]\n");
}

TEST(NearMiss, finds_typing_mistakes_only) {
    std::vector<std::string> const words{"register", "counter", "set", "map"};
    EXPECT_EQ(near_miss("conuter", words), "counter");
    EXPECT_EQ(near_miss("regster", words), "register");
    EXPECT_EQ(near_miss("sett", words), "set");
    EXPECT_EQ(near_miss("banana", words), std::nullopt);
    EXPECT_EQ(near_miss("", words), std::nullopt);
    EXPECT_EQ(near_miss(std::string(10'000, 'a'), words), std::nullopt);
}

}  // namespace
}  // namespace inos
