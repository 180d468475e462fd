// Transforms by tables, both ways, and pointers, schedules and durations.
#include <gtest/gtest.h>

#include "adapters/mapping/pointer.hpp"
#include "adapters/mapping/schedule.hpp"
#include "adapters/mapping/transform.hpp"
#include "adapters/mapping/unicode.hpp"
#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

LookupTables const kTables{{"sites", {{"1001", "branch"}, {"1002", "hall"}}},
                           {"twice", {{"a", "x"}, {"b", "x"}}}};

Chain chain(std::vector<std::string> const& steps) {
    Chain list;
    for (std::string const& text : steps) {
        auto step = parse_transform(text, kTables);
        EXPECT_TRUE(step) << step.error().message;
        if (step) list.push_back(*step);
    }
    return list;
}

Value json(std::string const& text) {
    auto value = parse_json(text);
    EXPECT_TRUE(value) << text;
    return value ? *value : Value();
}

// The value as JSON, "nothing", or "refused".
std::string result(std::vector<std::string> const& steps, std::string const& from) {
    Transformed const made = transformed(chain(steps), json(from));
    if (made.kind == Transformed::Kind::nothing) return "nothing";
    if (made.kind == Transformed::Kind::refused) return made.why.empty() ? "" : "refused";
    return write_json(made.value);
}

struct Case {
    std::vector<std::string> steps;
    std::string from, to;
};

void check(std::vector<Case> const& cases) {
    for (Case const& one : cases)
        EXPECT_EQ(result(one.steps, one.from),
                  one.to == "nothing" || one.to == "refused" ? one.to : write_json(json(one.to)))
            << one.steps[0] << " of " << one.from;
}

TEST(Transform, maps) {
    check({{{"map:true=unsubscribed,false=keep"}, "true", "\"unsubscribed\""},
           {{"map:true=unsubscribed,false=keep"}, "false", "nothing"},
           {{"map:true=unsubscribed,false=keep"}, "\"true\"", "\"unsubscribed\""},
           {{"map:unsubscribed=true,*=false"}, "\"pending\"", "false"},
           {{"map:a=b"}, "\"c\"", "refused"},
           {{"map:a=b,*=same"}, "\"c\"", "\"c\""},
           {{"map:a=b,*=skip"}, "7", "nothing"},
           {{"map:a\\,b=c\\=d"}, "\"a,b\"", "\"c=d\""},
           {{"map:1=one"}, "1", "\"one\""},
           {{"map:a=b"}, "null", "null"},
           {{"lookup:sites"}, "\"1002\"", "\"hall\""},
           {{"lookup-back:sites"}, "\"hall\"", "\"1002\""},
           {{"lookup:sites"}, "\"9\"", "refused"}});
}

TEST(Transform, lists_and_lines) {
    check({{{"join-lines:street,street2"},
            R"({"street":"A","street2":"B","city":"C"})",
            R"({"street":"A\nB","city":"C"})"},
           {{"split-lines:street,street2"},
            R"({"street":"A\nB\nC","city":"D"})",
            R"({"street":"A","street2":"B\nC","city":"D"})"},
           {{"join-lines:a,b,c"}, R"({"a":"A","c":"C"})", R"({"a":"A\n\nC"})"},
           {{"split-lines:a,b,c"}, R"({"a":"A\n\nC"})", R"({"a":"A","c":"C"})"},
           {{"join-lines:a,b"}, R"({"a":"A\nB"})", "refused"},
           {{"join:;"}, R"(["a","b"])", R"("a;b")"},
           {{"join:;"}, R"(["a;","b"])", "refused"},
           {{"join:;:1"}, R"(["a","b"])", "refused"},
           {{"split:;"}, R"("a;b;;c")", R"(["a","b","c"])"},
           {{"split:, :2"}, R"("a, b, c")", R"(["a","b, c"])"},
           {{"split:;"}, "\"\"", "[]"}});
}

TEST(Transform, texts_numbers_and_flags) {
    check({{{"prefix:gid://x/"}, "12", "\"gid://x/12\""},
           {{"strip-prefix:gid://x/"}, "\"gid://x/12\"", "\"12\""},
           {{"strip-prefix:gid://x/"}, "\"12\"", "refused"},
           {{"const:yes"}, "null", "\"yes\""},
           {{"const:true"}, "7", "true"},
           {{"default:-"}, "null", "\"-\""},
           {{"default:-"}, "\"a\"", "\"a\""},
           {{"drop:-"}, "\"-\"", "null"},
           {{"number"}, "\"9223372036854775807\"", "9223372036854775807"},
           {{"number"}, "\"12.50\"", "12.5"},
           {{"number"}, "\"9007199254740993.1\"", "refused"},
           {{"number"}, "\"12a\"", "refused"},
           {{"text"}, "12.0", "\"12.0\""},
           {{"bool"}, "\"Yes\"", "true"},
           {{"bool"}, "0", "false"},
           {{"bool:J,N"}, "\"N\"", "false"},
           {{"bool:J,N"}, "\"n\"", "refused"},
           {{"bool-text:J,N"}, "true", "\"J\""},
           {{"truncate:3"}, "\"Zoë!\"", "\"Zoë\""},
           {{"hash"},
            "\"abc\"",
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""}});
}

TEST(Transform, money) {
    check({{{"money:EUR"}, "12.5", R"({"amount":"12.50","currency":"EUR"})"},
           {{"money:EUR"}, "\"0.0125\"", R"({"amount":"0.0125","currency":"EUR"})"},
           {{"money:JPY"}, "\"1200.0\"", R"({"amount":"1200","currency":"JPY"})"},
           {{"money"}, R"({"amount":3,"currency":"eur"})", R"({"amount":"3.00","currency":"EUR"})"},
           {{"money"}, R"({"amount":3,"currency":"euro"})", "refused"},
           {{"amount:EUR"}, R"({"amount":"12.50","currency":"EUR"})", "\"12.50\""},
           {{"amount:EUR"}, R"({"amount":"12.50","currency":"USD"})", "refused"},
           {{"minor-units:EUR"}, "1250", R"({"amount":"12.50","currency":"EUR"})"},
           {{"minor-units:EUR"}, "-5", R"({"amount":"-0.05","currency":"EUR"})"},
           {{"minor-units:JPY"}, "1200", R"({"amount":"1200","currency":"JPY"})"},
           {{"minor-amount:EUR"}, R"({"amount":"-0.05","currency":"EUR"})", "-5"},
           {{"minor-amount:EUR"}, R"({"amount":"0.0125","currency":"EUR"})", "refused"}});
    EXPECT_EQ(result({"minor-units:EUR", "minor-amount:EUR"}, "-9223372036854775808"),
              "-9223372036854775808");
}

TEST(Transform, time_zones) {
    check({{{"tz:Europe/Berlin"}, "\"2026-07-01 12:00:00\"", "\"2026-07-01T10:00:00Z\""},
           {{"tz:Europe/Berlin"}, "\"2026-07-01T12:00:00+00:00\"", "\"2026-07-01T12:00:00Z\""},
           {{"local:Europe/Berlin"}, "\"2026-01-01T12:00:00Z\"", "\"2026-01-01T13:00:00\""},
           // The hour that clocks leave out, and the one that they show twice.
           {{"tz:Europe/Berlin"}, "\"2026-03-29T02:30:00\"", "refused"},
           {{"local:Europe/Berlin"}, "\"2026-10-25T00:30:00Z\"", "refused"},
           {{"local:Europe/Berlin"}, "\"2026-10-25T01:30:00Z\"", "refused"},
           {{"tz:UTC"}, "\"2026-10-25T01:30:00.25\"", "\"2026-10-25T01:30:00.25Z\""}});
}

TEST(Transform, every_country_has_a_name_that_leads_back) {
    int countries = 0;
    for (char a = 'A'; a <= 'Z'; ++a) {
        for (char b = 'A'; b <= 'Z'; ++b) {
            std::string const code{a, b};
            if (!is_country(code)) continue;
            ++countries;
            for (char const* language : {"en", "de"}) {
                auto const name = country_name_of(code, language);
                ASSERT_TRUE(name) << code;
                EXPECT_EQ(country_code_of(*name, language).value_or(""), code) << *name;
            }
        }
    }
    EXPECT_EQ(countries, 249);
}

TEST(Transform, inverses) {
    auto const has = [](std::vector<std::string> const& steps) {
        return inverse(chain(steps)).has_value();
    };
    EXPECT_TRUE(has({"map:a=b,c=d", "prefix:x", "split:;"}));
    EXPECT_TRUE(has({"map:A=a,B=keep,*=keep"}));
    EXPECT_FALSE(has({"map:a=b,c=b"}));
    EXPECT_FALSE(has({"map:a=b,*=c"}));
    EXPECT_FALSE(has({"map:a=b,*=same"}));
    EXPECT_FALSE(has({"hash"}));
    EXPECT_FALSE(has({"truncate:3"}));
    EXPECT_FALSE(has({"const:1"}));
    EXPECT_FALSE(has({"lookup:twice"}));
    auto const there = chain({"prefix:x", "lookup:sites"}), back = *inverse(there);
    EXPECT_EQ(*inverse(back), there);
}

TEST(Transform, wrong_ones_say_what_is_right) {
    auto const message = [](std::string_view text) {
        auto const step = parse_transform(text, kTables);
        return step ? "" : step.error().message;
    };
    EXPECT_EQ(message("splitt:;"), "unknown transform \"splitt:;\"; did you mean \"split\"?");
    EXPECT_NE(message("lookup:site").find("did you mean \"sites\"?"), std::string::npos);
    for (char const* text :
         {"map:",         "map:a",        "map:a=b,a=c",       "map:a=b=c", "map:*=a,*=b",
          "join-lines:a", "join:",        "split:;:0",         "prefix:",   "truncate:x",
          "money:XXX",    "minor-units:", "tz:Mars/Base",      "hash:x",    "country-code:zz",
          "bool:a",       "bool:a,a",     "lookup-back:twice", "default:",  ""})
        EXPECT_NE(message(text), "") << text;
}

TEST(Pointers, as_rfc_6901_writes_them) {
    Value const whole = json(R"({"a":{"b/c":[1,{"d~":null}]},"":2})");
    auto const at = [&](std::string_view text) {
        auto const pointer = Pointer::parse(text);
        EXPECT_TRUE(pointer) << text;
        EXPECT_EQ(pointer->text(), text);
        Value const* value = find_at(whole, *pointer);
        return value ? write_json(*value) : "none";
    };
    EXPECT_EQ(at("/a/b~1c/0"), "1");
    EXPECT_EQ(at("/a/b~1c/1/d~0"), "null");
    EXPECT_EQ(at("/"), "2");
    EXPECT_EQ(at("/a/b~1c/00"), "none");
    EXPECT_EQ(at("/a/b~1c/2"), "none");
    EXPECT_EQ(at("/a/x"), "none");
    EXPECT_EQ(at(""), write_json(whole));
    for (char const* text : {"a", "/a~", "/a~2", "/\xff"})
        EXPECT_FALSE(Pointer::parse(text)) << text;
    Object made;
    EXPECT_TRUE(set_at(made, *Pointer::parse("/x/y"), Value(1)));
    EXPECT_FALSE(set_at(made, *Pointer::parse("/x/y/z"), Value(1)));
    EXPECT_EQ(write_json(made), R"({"x":{"y":1}})");
}

TEST(Schedules, cron_and_durations) {
    auto const next = [](std::string_view text, std::uint64_t after_ms) {
        auto const schedule = CronSchedule::parse(text);
        EXPECT_TRUE(schedule) << text;
        return schedule ? schedule->next(after_ms).value_or(0) / 60'000 : 0;
    };
    constexpr std::uint64_t kDay = 24 * 60;
    EXPECT_EQ(next("30 3 * * *", 0), 210u);
    EXPECT_EQ(next("30 3 * * *", 210 * 60'000), kDay + 210);
    EXPECT_EQ(next("*/15 * * * *", 60'000), 15u);
    EXPECT_EQ(next("0 0 1 2 *", 0), 31 * kDay);
    EXPECT_EQ(next("0 0 * * 1", 0), 4 * kDay);  // 1970-01-01 was a Thursday
    EXPECT_EQ(next("0 0 * * 7", 0), 3 * kDay);
    EXPECT_EQ(next("0 0 3 * 1", 0), 2 * kDay);  // either of the two days
    EXPECT_EQ(next("0 0 29 2 *", 0), (2 * 365 + 59) * kDay);
    for (char const* text : {"",
                             "* * * *",
                             "60 * * * *",
                             "* * 0 * *",
                             "a * * * *",
                             "5-1 * * * *",
                             "*/0 * * * *",
                             "0 0 31 2 *",
                             "* * * * 8",
                             "1-2-3 * * * *"})
        EXPECT_FALSE(CronSchedule::parse(text)) << text;
    EXPECT_EQ(parse_duration_ms("500ms").value(), 500u);
    EXPECT_EQ(parse_duration_ms("2d").value(), 2 * kDay * 60'000);
    for (char const* text : {"", "5", "0s", "s", "-1s", "5 m", "366d", "99999999999999999999s"})
        EXPECT_FALSE(parse_duration_ms(text)) << text;
}

}  // namespace
}  // namespace inos
