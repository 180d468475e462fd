// What schemas ask of values: which are wrong and why, what a write is judged by, forms of texts,
// and that all of it ends at this site's own API.
#include "storage/field_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/schema_document.hpp"
#include "storage/text_forms.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Site;
using test::Space;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The schema of one collection from its fields' definitions.
CollectionSchema schema_of(std::string_view fields) {
    auto const document = object_of(R"({"c":{"fields":)" + std::string(fields) + "}}");
    for (SchemaProblem const& problem : check_schema(document))
        ADD_FAILURE() << problem.path << ": " << problem.message;
    return parse_collection_schema(schema_writes(document, {}).front().fields);
}

std::vector<FieldProblem> check(std::string_view fields,
                                char const* before,
                                std::string_view after) {
    Object const was = before ? object_of(before) : Object();
    return check_fields({"c", "r"}, before ? &was : nullptr, object_of(after), schema_of(fields));
}

std::string message(std::string_view fields, std::string_view after) {
    auto const problems = check(fields, nullptr, after);
    return problems.empty() ? "" : problems.front().message;
}

struct Case {
    char const* definition;
    char const* value;
    char const* words;  // nullptr: nothing is wrong
};

TEST(FieldChecks, name_the_value_and_the_rule) {
    Case const cases[] = {
        {R"("type":"register","enum":["a","b"])", R"("a")", nullptr},
        {R"("type":"register","enum":["open","closed"])", R"("opn")", "did you mean \"open\"?"},
        {R"("type":"register","enum":[1,2])", "3", "one of the values of its enum: 1, 2"},
        {R"("type":"register","enum":["a","b"])", R"(["b","a"])", nullptr},
        {R"("type":"register","enum":["a","b"])", R"(["b","q"])", "holds \"q\", which has to be"},
        {R"("type":"set","enum":["a","b"])", R"(["b","q"])", "holds \"q\""},
        {R"("type":"register","enum":[["a"],"b"])", R"(["a"])", nullptr},
        {R"("type":"register","max":10)", "10", nullptr},
        {R"("type":"register","max":10)", "10.5", "has to be at most 10 (max)"},
        {R"("type":"register","max":9007199254740992)", "9007199254740993", "at most"},
        {R"("type":"counter","max":10)", "11", "at most 10"},
        {R"("type":"register","max":3)", "\"\xC3\xA5\xC3\xA4\xC3\xB6\"", nullptr},
        {R"("type":"register","max":3)", R"("abcd")", "has 4 characters; at most 3 are allowed"},
        {R"("type":"set","max":1)", R"(["a","b"])", "has 2 elements; at most 1 are allowed"},
        {R"("type":"register","format":"email")", R"("ann@example.org")", nullptr},
        {R"("type":"register","format":"email")", R"("ann")", "such as name@example.org"},
        {R"("type":"register","format":"email")", "7", "such as name@example.org"},
        {R"("type":"register","format":"e164")", R"("0701")", "such as +46701234567"},
        {R"("type":"register","format":"iso-date")", R"("2026-02-30")", "such as 2026-01-31"},
        {R"("type":"register","format":"country")", R"("se")", "such as SE"},
        {R"("type":"set","format":"currency")", R"(["SEK","KRO"])", "holds \"KRO\", which"},
        {R"("type":"register","policy":"keep-all","max":1)", R"([7])", "at most 1"},
        {R"("type":"register","policy":"keep-all","max":1)", R"([0,1])", nullptr},
    };
    for (Case const& c : cases) {
        std::string const said = message("{\"f\":{" + std::string(c.definition) + "}}",
                                         "{\"f\":" + std::string(c.value) + "}");
        if (!c.words) {
            EXPECT_EQ(said, "") << c.definition;
            continue;
        }
        EXPECT_THAT(said, HasSubstr(c.words)) << c.definition;
        EXPECT_THAT(said, HasSubstr("\"f\" of \"r\" in \"c\"")) << c.definition;
    }
}

TEST(FieldChecks, show_long_values_cut_between_characters) {
    std::string const said = message(R"({"f":{"type":"register","max":1}})",
                                     R"({"f":")" + std::string(5'000, 'x') + "\xC3\xA5\"}");
    EXPECT_LT(said.size(), 250u);
    EXPECT_TRUE(valid_utf8(said));
    EXPECT_EQ(shortened("ab\xC3\xA5", 3), "ab...");
    EXPECT_EQ(shortened("ab\xC3\xA5", 4), "ab\xC3\xA5");
}

TEST(FieldChecks, judge_a_write_by_what_it_changes) {
    char const* const fields = R"({"f":{"type":"register","format":"email"},
        "n":{"type":"register","max":10},"r":{"type":"register","required":true}})";
    EXPECT_THAT(check(fields, R"({"f":"bad","r":1})", R"({"f":"bad","r":2})"), IsEmpty());
    EXPECT_EQ(check(fields, R"({"f":"bad","r":1})", R"({"f":"worse","r":1})").size(), 1u);
    // A number that others have brought over the limit may go down, not up.
    EXPECT_THAT(check(fields, R"({"n":20,"r":1})", R"({"n":19,"r":1})"), IsEmpty());
    EXPECT_EQ(check(fields, R"({"n":20,"r":1})", R"({"n":21,"r":1})").size(), 1u);
    EXPECT_EQ(check(fields, R"({"n":9,"r":1})", R"({"n":11,"r":1})").size(), 1u);
}

TEST(FieldChecks, what_goes_down_is_excused_its_size_and_nothing_else) {
    char const* const fields = R"({"s":{"type":"set","max":3,"enum":["a","b","c","d","e"]}})";
    char const* const five = R"({"s":["a","b","c","d","e"]})";
    EXPECT_THAT(check(fields, five, R"({"s":["a","b","c","d"]})"), IsEmpty());
    EXPECT_EQ(check(fields, five, R"({"s":["a","b","nonsense"]})").size(), 1u);
    // An element that others have brought is no reason to keep all.
    EXPECT_THAT(check(fields, R"({"s":["a","b","c","d","odd"]})", R"({"s":["a","b","c","odd"]})"),
                IsEmpty());
}

TEST(FieldChecks, of_kept_values_each_is_measured_and_not_their_number) {
    char const* const fields = R"({"k":{"type":"register","policy":"keep-all","max":1}})";
    EXPECT_EQ(check(fields, R"({"k":[0,1]})", R"({"k":[7]})").size(), 1u);
    EXPECT_EQ(check(fields, R"({"k":[0,9]})", R"({"k":[9]})").size(), 1u);
    EXPECT_THAT(check(fields, R"({"k":[0,9]})", R"({"k":[7]})"), IsEmpty());
}

TEST(FieldChecks, E10_null_and_absent_are_missing_and_an_empty_text_is_not) {
    char const* const fields = R"({"f":{"type":"register","required":true,"format":"email"}})";
    EXPECT_THAT(check(fields, nullptr, "{}").front().message, HasSubstr("is missing"));
    EXPECT_THAT(check(fields, nullptr, R"({"f":null})").front().message, HasSubstr("is null"));
    EXPECT_THAT(message(fields, R"({"f":""})"), HasSubstr("e-mail"));
    EXPECT_THAT(check(R"({"f":{"type":"register","required":true}})", nullptr, R"({"f":""})"),
                IsEmpty());
    // Not required: null is no value, and never wrong.
    EXPECT_THAT(check(R"({"f":{"type":"register","enum":["a"]}})", nullptr, R"({"f":null})"),
                IsEmpty());
}

TEST(FieldChecks, refuse_who_takes_a_required_field_away_and_warn_where_it_was_missing) {
    char const* const fields = R"({"f":{"type":"register","required":true}})";
    EXPECT_TRUE(check(fields, nullptr, "{}").front().refuses);
    EXPECT_TRUE(check(fields, R"({"f":1})", "{}").front().refuses);
    EXPECT_TRUE(check(fields, R"({"f":1})", R"({"f":null})").front().refuses);
    EXPECT_FALSE(check(fields, R"({"g":1})", R"({"g":2})").front().refuses);
    EXPECT_FALSE(check(fields, R"({"f":null})", R"({"f":null,"g":2})").front().refuses);
}

TEST(FieldChecks, warn_where_the_schema_says_so) {
    char const* const fields =
        R"({"f":{"type":"register","required":true,"check":"warn"},
            "g":{"type":"register","max":1,"check":"warn"},
            "h":{"type":"register","max":1,"check":"refuse"}})";
    auto const problems = check(fields, nullptr, R"({"g":2,"h":2})");
    ASSERT_EQ(problems.size(), 3u);
    EXPECT_FALSE(problems[0].refuses);
    EXPECT_FALSE(problems[1].refuses);
    EXPECT_TRUE(problems[2].refuses);
}

TEST(TextForms, know_addresses_numbers_dates_and_codes) {
    for (char const* text :
         {"a@b.se", "first.last+tag@mail.example.org", "j\xC3\xB6rg@b\xC3\xBC.de", "x@1-2.example"})
        EXPECT_TRUE(is_email(text)) << text;
    for (char const* text :
         {"",          "a",        "@",       "a@b",      "@b.se",       "a@",       "a@.se",
          "a@b.",      "a@b..se",  "a@@b.se", "a@b@c.se", "a b@c.se",    ".a@b.se",  "a.@b.se",
          "a..b@c.se", "a@-b.se",  "a@b-.se", "a@b_c.se", "a@[1.2.3.4]", "a@b.se\n", "a\x01@b.se",
          "a@b.se ",   "\xFF@b.se"})
        EXPECT_FALSE(is_email(text)) << text;
    EXPECT_FALSE(is_email(std::string(65, 'a') + "@b.se"));
    EXPECT_FALSE(is_email("a@" + std::string(64, 'b') + ".se"));
    for (char const* text : {"+46701234567", "+12", "+123456789012345"})
        EXPECT_TRUE(is_e164(text)) << text;
    for (char const* text :
         {"", "+", "+1", "46701234567", "+0701234567", "+1234567890123456", "+46 70", "+4670a"})
        EXPECT_FALSE(is_e164(text)) << text;
    for (char const* text : {"2024-02-29", "2000-02-29", "2026-12-31", "0001-01-01"})
        EXPECT_TRUE(is_iso_date(text)) << text;
    for (char const* text : {"2025-02-29",
                             "1900-02-29",
                             "2026-13-01",
                             "2026-00-10",
                             "2026-04-31",
                             "2026-01-00",
                             "26-01-01",
                             "2026/01/01",
                             "2026-1-01",
                             "2026-01-01T",
                             "+026-01-01"})
        EXPECT_FALSE(is_iso_date(text)) << text;
    for (char const* text : {"SE", "AD", "ZW", "GB"})
        EXPECT_TRUE(is_country(text)) << text;
    for (char const* text : {"", "S", "se", "UK", "EU", "E ", " A", "SWE", "W "})
        EXPECT_FALSE(is_country(text)) << text;
    for (char const* text : {"SEK", "AED", "EUR", "ZWL"})
        EXPECT_TRUE(is_currency(text)) << text;
    for (char const* text : {"", "sek", "KRO", "EU", "EUR ", "L Z", "XXX"})
        EXPECT_FALSE(is_currency(text)) << text;
}

TEST(TextForms, E12_trim_and_lower_know_more_than_ascii) {
    EXPECT_EQ(trimmed(" \t\xC2\xA0\xE3\x80\x80 a b\xE2\x80\x83\n"), "a b");
    EXPECT_EQ(trimmed(" \xC2\xA0"), "");
    EXPECT_EQ(lower_case("\xC3\x85NGSTR\xC3\x96M \xC3\x97"), "\xC3\xA5ngstr\xC3\xB6m \xC3\x97");
    EXPECT_EQ(lower_case("\xC5\xBB\xC3\x93\xC5\x81W \xC5\xB8"),
              "\xC5\xBC\xC3\xB3\xC5\x82w \xC3\xBF");
    EXPECT_EQ(lower_case("\xCE\x91\xCE\x86\xCE\xA3 \xD0\x96\xD0\x81"),
              "\xCE\xB1\xCE\xAC\xCF\x83 \xD0\xB6\xD1\x91");
    EXPECT_EQ(lower_case("\xE6\x97\xA5\xF0\x9F\x98\x80"), "\xE6\x97\xA5\xF0\x9F\x98\x80");
    EXPECT_EQ(spaces_collapsed("a \t b\xC2\xA0\xC2\xA0"
                               "c"),
              "a b c");
}

RC_GTEST_PROP(TextForms, take_any_bytes_and_are_done_after_once, (std::string const& text)) {
    for (auto* form : {trimmed, lower_case, spaces_collapsed}) {
        std::string const once = form(text);
        RC_ASSERT(form(once) == once);
        RC_ASSERT(!valid_utf8(text) || valid_utf8(once));
    }
    is_email(text);
}

// ---- through the replica ---------------------------------------------------------------------

class CheckedSite : public testing::Test {
protected:
    CheckedSite() { space[0].put("other", "x", {}); }

    void apply_schema(std::string const& fields) {
        site.set_schema(R"({"c":{"fields":)" + fields + "}}");
    }
    std::string show(std::string const& id) {
        auto const view = site.get("c", id);
        return view ? write_json(Value(view->fields)) : "nothing";
    }
    Error refused(Write::Kind kind, std::string const& id, std::string_view fields) {
        auto const before = test::contents(*site.engine);
        auto const result = site.try_commit({{kind, {"c", id}, object_of(fields), {}}});
        EXPECT_FALSE(result) << fields;
        EXPECT_EQ(test::contents(*site.engine), before);
        return result ? Error() : result.error();
    }

    Space space{2};
    Site& site = space[0];
};

TEST_F(CheckedSite, refuses_with_the_field_and_writes_nothing) {
    apply_schema(R"({"email":{"type":"register","format":"email","required":true},
                     "tags":{"type":"set","max":2}})");
    Error const missing = refused(Write::Kind::put, "a", R"({"name":"Ann"})");
    EXPECT_EQ(missing.code, Errc::invalid);
    EXPECT_EQ(missing.field, "email");
    EXPECT_EQ(refused(Write::Kind::put, "a", R"({"email":"x"})").field, "email");
    site.put("c", "a", object_of(R"({"email":"a@b.se","tags":["x"]})"));
    EXPECT_EQ(refused(Write::Kind::patch, "a", R"({"email":null})").field, "email");
    EXPECT_EQ(refused(Write::Kind::patch, "a", R"({"tags":{"$add":["y","z"]}})").field, "tags");
    EXPECT_EQ(refused(Write::Kind::resolve, "a", R"({"email":"x"})").field, "email");
    site.patch("c", "a", object_of(R"({"tags":{"$add":["y"]}})"));
    EXPECT_EQ(show("a"), R"({"email":"a@b.se","tags":["x","y"]})");
    site.erase("c", "a");
    EXPECT_EQ(show("a"), "nothing");
}

TEST_F(CheckedSite, warns_and_writes_where_the_schema_says_so) {
    apply_schema(R"({"email":{"type":"register","format":"email","check":"warn"}})");
    Committed const done = site.put("c", "a", object_of(R"({"email":"x"})"));
    ASSERT_EQ(done.writes[0].warnings.size(), 1u);
    EXPECT_EQ(done.writes[0].warnings[0].field, "email");
    EXPECT_EQ(show("a"), R"({"email":"x"})");
    EXPECT_THAT(site.patch("c", "a", object_of(R"({"n":1})")).writes[0].warnings, IsEmpty());
}

TEST_F(CheckedSite, entries_of_other_sites_are_never_judged) {
    space.converge();
    space[1].put("c", "a", object_of(R"({"email":"x","n":1})"));
    apply_schema(R"({"email":{"type":"register","format":"email","required":true}})");
    space.converge();
    EXPECT_EQ(show("a"), R"({"email":"x","n":1})");
    EXPECT_EQ(space[1]->root(), site->root());
    // What came wrong may stay while other fields are edited, at both sites.
    site.patch("c", "a", object_of(R"({"n":2})"));
    EXPECT_EQ(show("a"), R"({"email":"x","n":2})");
    EXPECT_EQ(refused(Write::Kind::patch, "a", R"({"email":"y"})").field, "email");
}

TEST_F(CheckedSite, brings_texts_into_form_before_it_plans) {
    apply_schema(R"({"email":{"type":"register","format":"email","canon":["trim","lower"]},
                     "tags":{"type":"set","canon":"lower"},
                     "name":{"type":"register","canon":["collapse-space","trim"]}})");
    site.put(
        "c", "a", object_of(R"({"email":" Ann@Example.ORG ","name":" A  B ","tags":["VIP"]})"));
    EXPECT_EQ(show("a"), R"({"email":"ann@example.org","name":"A B","tags":["vip"]})");
    Committed const again = site.patch("c", "a", object_of(R"({"email":"ANN@example.org"})"));
    EXPECT_FALSE(again.dot) << "the same address is no change";
    site.patch("c", "a", object_of(R"({"tags":{"$add":["New"],"$remove":["VIP"]}})"));
    EXPECT_EQ(show("a"), R"({"email":"ann@example.org","name":"A B","tags":["new"]})");
}

TEST_F(CheckedSite, reads_defaults_where_there_are_no_cells) {
    apply_schema(R"({"state":{"type":"register","default":"new","required":true},
                     "tags":{"type":"set","default":["b","a","b"]},
                     "notes":{"type":"register","policy":"keep-all","default":"-"}})");
    site.put("c", "a", object_of(R"({"n":1})"));
    EXPECT_EQ(show("a"), R"({"n":1,"notes":["-"],"state":"new","tags":["a","b"]})");
    site.patch("c", "a", object_of(R"({"notes":{"$null":true},"state":"done"})"));
    EXPECT_EQ(show("a"), R"({"n":1,"notes":[null],"state":"done","tags":["a","b"]})");
    site.patch("c", "a", object_of(R"({"state":null,"notes":null})"));
    EXPECT_EQ(show("a"), R"({"n":1,"notes":["-"],"state":"new","tags":["a","b"]})");
}

TEST_F(CheckedSite, E10_a_stored_null_is_not_the_default) {
    apply_schema(R"({"f":{"type":"register","default":"d"}})");
    site.put("c", "null", object_of(R"({"f":null})"));
    site.put("c", "empty", object_of(R"({"f":""})"));
    site.put("c", "absent", object_of("{}"));
    EXPECT_EQ(show("null"), R"({"f":null})");
    EXPECT_EQ(show("empty"), R"({"f":""})");
    EXPECT_EQ(show("absent"), R"({"f":"d"})");
}

TEST_F(CheckedSite, E13_putting_back_what_was_read_writes_defaults_once_and_nothing_else) {
    apply_schema(R"({"f":{"type":"register","default":"d"}})");
    site.put("c", "a", object_of(R"({"name":"Ann","list":[1,null],"map":{"x":"y"}})"));
    auto const before = site.get("c", "a");
    Committed const back = site.put("c", "a", before->fields);
    ASSERT_TRUE(back.dot) << "a default that is put back is stored from then on";
    EXPECT_FALSE(site.put("c", "a", before->fields).dot);
    apply_schema(R"({"f":{"type":"register","default":"other"}})");
    EXPECT_EQ(site.field("c", "a", "f"), Value("d"));
}

TEST_F(CheckedSite, D11_changed_defaults_and_policies_write_the_schema_and_nothing_else) {
    apply_schema(R"({"f":{"type":"register","default":"d"}})");
    for (int i = 0; i < 20; ++i)
        site.put("c", "r" + std::to_string(i), object_of(R"({"n":1,"email":"X"})"));
    space.converge();
    auto const held = site->vector().at(site.actor());
    auto const version = site.get("c", "r7")->version;
    apply_schema(R"({"f":{"type":"register","default":"e","max":1},
                     "email":{"type":"register","policy":"keep-all","canon":"lower"}})");
    EXPECT_EQ(site->vector().at(site.actor()), held + 1) << "one entry, the schema's";
    EXPECT_EQ(site.get("c", "r7")->version, version);
    EXPECT_EQ(space.pull(0, 1), 1u);
    EXPECT_EQ(space[1].field("c", "r7", "f"), Value("e"));
    EXPECT_EQ(space[1].field("c", "r7", "email"), Value(Array{Value("X")}));
    EXPECT_EQ(site->root(), space[1]->root());
}

TEST_F(CheckedSite, B12_words_of_a_newer_version_check_nothing_and_stay) {
    std::string const fields =
        R"({"fields/f":{"type":"register","policy":"vote","format":"iban","canon":"nfkc",
                        "check":"ask","max":{"of":3},"enum":7,"default":null}})";
    site.commit({{Write::Kind::put, {"_schema", "c"}, object_of(fields), {}}});
    space.converge();
    space[1].put("c", "a", object_of(R"({"f":" Any Thing "})"));
    EXPECT_THAT(space[1].put("c", "a", object_of(R"({"f":"x"})")).writes[0].warnings, IsEmpty());
    EXPECT_EQ(space[1].field("c", "a", "f"), Value(Array{Value("x")})) << "reads as keep-all";
    EXPECT_EQ(write_json(Value(space[1]->schema_documents().at("c"))),
              write_json(Value(object_of(fields))));
}

}  // namespace
}  // namespace inos
