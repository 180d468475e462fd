// Canonical forms, by tables: what is written in how many ways, and what is left as it was.
#include <gtest/gtest.h>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/phone.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

CanonForms forms(std::vector<std::string> const& words) {
    CanonForms list;
    for (std::string const& word : words) {
        auto form = parse_canon_form(word);
        EXPECT_TRUE(form) << form.error().message;
        if (form) list.push_back(*form);
    }
    return list;
}

Value json(std::string const& text) {
    auto value = parse_json(text);
    EXPECT_TRUE(value) << text;
    return value ? *value : Value();
}

struct Case {
    std::vector<std::string> forms;
    std::string from, to;  // JSON
    bool marked = false;
};

void check(std::vector<Case> const& cases) {
    for (Case const& one : cases) {
        Canonical const formed = canonical(json(one.from), forms(one.forms));
        EXPECT_EQ(write_json(formed.value), write_json(json(one.to)))
            << one.forms[0] << " of " << one.from;
        EXPECT_EQ(formed.marked, one.marked) << one.forms[0] << " of " << one.from;
        EXPECT_EQ(canonical(formed.value, forms(one.forms)).value, formed.value) << one.from;
    }
}

TEST(Canon, texts) {
    check({{{"nfc"}, "\"Mu\\u0308ller\"", "\"M\\u00fcller\""},
           {{"trim"}, "\" \\u00a0 a b \\t\"", "\"a b\""},
           {{"collapse-space"}, "\"a \\u00a0\\n b\"", "\"a b\""},
           {{"lower"}, "\"ÅSA Ἀθῆναι ΣΑΣ İ\"", "\"åsa ἀθῆναι σασ i\""},
           {{"upper"}, "\"straße ÿ\"", "\"STRAßE Ÿ\""},
           {{"digits"}, "\"AB 12-3/٤\"", "\"1234\""},
           {{"lines-lf"}, "\"a\\r\\nb\\rc\\n\"", "\"a\\nb\\nc\\n\""},
           {{"empty-null"}, "\"\"", "null"},
           {{"empty-null"}, "\" \"", "\" \""},
           {{"trim", "empty-null"}, "\" \"", "null"},
           {{"trim", "lower"}, "[\" A\",\"b \",7]", "[\"a\",\"b\",7]"},
           {{"trim"}, "{\"a\":\" x \",\"b\":[\" y\"]}", "{\"a\":\"x\",\"b\":[\"y\"]}"},
           {{"trim"}, "7", "7"},
           {{"nfc", "lower"}, "\"J\\u030c\"", "\"\\u01f0\""}});
}

TEST(Canon, codes_and_numbers) {
    check({{{"iso-country"}, "\" germany \"", "\"DE\""},
           {{"iso-country"}, "\"Deu\"", "\"DE\""},
           {{"iso-country"}, "\"Côte d'Ivoire\"", "\"CI\""},
           {{"iso-country"}, "\"UK\"", "\"GB\""},
           {{"iso-country"}, "\"Atlantis\"", "\"Atlantis\"", true},
           {{"iso-currency"}, "\" eur\"", "\"EUR\""},
           {{"iso-currency"}, "\"euro\"", "\"euro\"", true},
           {{"decimal:2"}, "\"0012.5\"", "\"12.50\""},
           {{"decimal:2"}, "12", "\"12.00\""},
           {{"decimal:2"}, "12.345", "\"12.35\""},
           {{"decimal:2"}, "\"-0.004\"", "\"0.00\""},
           {{"decimal:0"}, "\"99.5\"", "\"100\""},
           {{"decimal:2"}, "9223372036854775807", "\"9223372036854775807.00\""},
           {{"decimal:1"},
            "\"123456789012345678901234567890.05\"",
            "\"123456789012345678901234567890.1\""},
           {{"decimal:2"}, "\"12,50\"", "\"12,50\"", true},
           {{"decimal:2"}, "\"\"", "\"\""}});
}

TEST(Canon, dates_and_times) {
    check({{{"date"}, "\"20260131\"", "\"2026-01-31\""},
           {{"date"}, "\"31.01.2026\"", "\"2026-01-31\""},
           {{"date"}, "\"2026-01-31T23:59:00Z\"", "\"2026-01-31\""},
           {{"date"}, "\"01/02/2026\"", "\"01/02/2026\"", true},
           {{"date"}, "\"2026-02-30\"", "\"2026-02-30\"", true},
           {{"datetime-utc"}, "\"2026-01-31T00:30:00+01:00\"", "\"2026-01-30T23:30:00Z\""},
           {{"datetime-utc"}, "\"2026-01-31 10:00:00.500000+0000\"", "\"2026-01-31T10:00:00.5Z\""},
           {{"datetime-utc"}, "\"1969-12-31T23:59:59.999Z\"", "\"1969-12-31T23:59:59.999Z\""},
           {{"datetime-utc"}, "\"2026-01-31T10:00:00\"", "\"2026-01-31T10:00:00\"", true},
           {{"datetime-utc"}, "\"2026-01-31T25:00:00Z\"", "\"2026-01-31T25:00:00Z\"", true}});
}

TEST(Canon, addresses) {
    check(
        {{{"address"},
          R"({"street":" Hauptstr.  1 ","city":"Berlin","postal":"sw1a 1aa","country":"Germany","region":"be","phone":"030 123456","street2":""})",
          R"({"street":"Hauptstr. 1","city":"Berlin","postal":"SW1A 1AA","country":"DE","region":"BE","phone":"+4930123456"})"},
         {{"address"}, R"({"street":"","country":null})", "null"},
         {{"address"}, R"({"country":"Mordor"})", R"({"country":"Mordor"})", true}});
}

TEST(Canon, F3_phones_are_one_number_however_they_are_written) {
    struct Phone {
        char const *region, *from, *to;
    };
    for (Phone const& one : std::vector<Phone>{{"US", "(650) 253-0000", "+16502530000"},
                                               {"US", "+1 650 253 0000", "+16502530000"},
                                               {"US", "1-650-253-0000", "+16502530000"},
                                               {"US", "011 44 20 7031 3000", "+442070313000"},
                                               {"SE", "070-123 45 67", "+46701234567"},
                                               {"SE", "0046701234567", "+46701234567"},
                                               {"DE", "+49 (0)30 123456", "+4930123456"},
                                               {"GB", "020 7031 3000", "+442070313000"},
                                               {"IT", "06 698 12345", "+390669812345"},
                                               {"US", "+39 06 698 12345", "+390669812345"},
                                               {"AR", "0343 15-555-1212", "+5493435551212"},
                                               {"US", "+800 1234 5678", "+80012345678"},
                                               {"US", "tel:+1-650-253-0000", "+16502530000"},
                                               {"US", "６５０２５３００００", "+16502530000"}})
        EXPECT_EQ(e164_of(one.from, one.region).value_or("none"), one.to) << one.from;
    for (char const* text : {"",
                             "call me",
                             "253-0000",
                             "+1 650 253 0000 ext. 5",
                             "123",
                             "+999 1234567",
                             "++16502530000",
                             "6502530000123456789",
                             "+1 (650) 253-0000x9"})
        EXPECT_FALSE(e164_of(text, "US")) << text;
    check({{{"e164:US"}, "\"call me\"", "\"call me\"", true}, {{"e164:US"}, "\"\"", "\"\""}});
}

TEST(Canon, bytes_that_are_no_text_stay_and_are_marked) {
    Canonical const formed = canonical(Value(std::string("a\xff ")), forms({"trim", "nfc"}));
    EXPECT_EQ(formed.value, Value(std::string("a\xff ")));
    EXPECT_TRUE(formed.marked);
}

TEST(Canon, forms_that_undo_one_another_do_not_settle) {
    EXPECT_TRUE(settles(forms({"nfc", "collapse-space", "trim", "lower", "empty-null"})));
    EXPECT_TRUE(settles({}));
    EXPECT_TRUE(settles(forms({"trim", "e164:SE"})));
    EXPECT_FALSE(settles(forms({"lower", "upper"})));
    EXPECT_FALSE(settles(forms({"decimal:2", "decimal:3"})));
    EXPECT_FALSE(settles(forms({"e164:SE", "digits"})));
    EXPECT_FALSE(settles(forms({"lower", "iso-country"})));
}

TEST(Canon, words_that_are_wrong_say_what_is_right) {
    auto const message = [](std::string_view text) {
        auto const form = parse_canon_form(text);
        return form ? "" : form.error().message;
    };
    EXPECT_EQ(message("trimm"), "canon \"trimm\" is unknown; did you mean \"trim\"?");
    EXPECT_NE(message("e164").find("e164:US"), std::string::npos);
    EXPECT_NE(message("e164:ZZ").find("e164:US"), std::string::npos);
    EXPECT_NE(message("decimal:99").find("0 to 18"), std::string::npos);
    EXPECT_NE(message("trim:x").find("no argument"), std::string::npos);
    for (std::string const& word : canon_form_words()) {
        std::string const text = word == "e164"      ? "e164:SE"
                                 : word == "decimal" ? "decimal:2"
                                                     : word;
        auto const form = parse_canon_form(text);
        ASSERT_TRUE(form) << text;
        EXPECT_EQ(canon_form_text(*form), text);
    }
}

}  // namespace
}  // namespace inos
