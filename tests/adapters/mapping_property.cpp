// The laws of mappings over generated values: canonical forms are their own form; what goes out
// through a chain comes back by its inverse; every planted mistake is told at its line.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/mapping_toml.hpp"
#include "adapters/mapping/round_trip.hpp"
#include "adapters/mapping/transform.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

using Texts = std::vector<std::string>;

// Letters that are hard on one form or another.
rc::Gen<std::string> any_text() {
    auto const piece = rc::gen::elementOf(Texts{
        "a",          "B",        "ß",    "Å",  "A\u030a", "İ", "Σ",       "ς",      "ǅ",    " ",
        "\u00a0",     "\t",       "\r\n", "\n", "\r",      "+", "1",       "23",     "456",  "٤",
        "-",          ".",        ",",    "(",  ")",       "0", ":",       "T",      "Z",    "/",
        "2026-01-31", "10:00:00", "eur",  "de", "ﬁ",       "ﷺ", "J\u030c", "\u1e9e", "ab;c", "e"});
    return rc::gen::map(rc::gen::container<Texts>(piece), [](Texts const& pieces) {
        std::string text;
        for (std::string const& one : pieces)
            text += one;
        return text;
    });
}

rc::Gen<std::string> word() {
    return rc::gen::nonEmpty(
        rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcXYZ 0123456789-"))));
}

rc::Gen<Value> any_value() {
    auto const text = rc::gen::map(any_text(), [](std::string t) { return Value(std::move(t)); });
    auto const number =
        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t n) { return Value(n); });
    auto const real = rc::gen::map(rc::gen::arbitrary<std::int32_t>(),
                                   [](std::int32_t n) { return Value(n / 64.0); });
    auto const array = rc::gen::map(rc::gen::container<std::vector<std::string>>(any_text()),
                                    [](Texts const& texts) {
                                        Array list;
                                        for (std::string const& one : texts)
                                            list.emplace_back(one);
                                        return Value(std::move(list));
                                    });
    auto const object = rc::gen::map(rc::gen::pair(any_text(), any_text()), [](auto const& texts) {
        Object address;
        for (char const* member : {"street", "postal", "phone"})
            set_member(address, member, Value(texts.first));
        for (char const* member : {"country", "region", "city"})
            set_member(address, member, Value(texts.second));
        return Value(std::move(address));
    });
    return rc::gen::oneOf(text,
                          text,
                          text,
                          number,
                          real,
                          array,
                          object,
                          rc::gen::just(Value()),
                          rc::gen::just(Value(true)));
}

rc::Gen<CanonForm> any_form() {
    Texts words;
    for (std::string const& one : canon_form_words()) {
        if (one == "e164")
            words.insert(words.end(), {"e164:US", "e164:SE", "e164:AR", "e164:IT"});
        else if (one == "decimal")
            words.insert(words.end(), {"decimal:0", "decimal:2"});
        else
            words.push_back(one);
    }
    return rc::gen::map(rc::gen::elementOf(words),
                        [](std::string const& text) { return *parse_canon_form(text); });
}

void canon_law(Value const& value, CanonForms const& forms) {
    Canonical const once = canonical(value, forms);
    RC_ASSERT(canonical(once.value, forms).value == once.value);
}

RC_GTEST_PROP(CanonLaw, one_form_is_its_own_form, ()) {
    canon_law(*any_value(), {*any_form()});
}

RC_GTEST_PROP(CanonLaw, lists_that_settle_are_their_own_form, ()) {
    CanonForms forms;
    for (int i = *rc::gen::inRange(2, 5); i > 0; --i) {
        forms.push_back(*any_form());
        if (!settles(forms)) forms.pop_back();
    }
    canon_law(*any_value(), forms);
}

RC_GTEST_PROP(CanonLaw, phones_that_are_dialled_are_their_own_form, ()) {
    auto const digits =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789")));
    std::string const text = *rc::gen::elementOf(Texts{"", "+", "00", "+1", "+44", "+39", "+54"});
    canon_law(Value(text + digits), {*any_form()});
}

// Chains that have an inverse, and what the record's field may hold for them.
struct LawCase {
    Texts out;
    rc::Gen<Value> values;
};

Value text_value(std::string text) {
    return Value(std::move(text));
}

rc::Gen<Value> words() {
    return rc::gen::map(word(), text_value);
}

rc::Gen<Value> lists() {
    return rc::gen::map(rc::gen::container<Texts>(word()), [](Texts const& texts) {
        Array list;
        for (std::string const& one : texts)
            list.emplace_back(one);
        return Value(std::move(list));
    });
}

rc::Gen<Value> streets() {
    return rc::gen::map(
        rc::gen::container<Texts>(3, rc::gen::oneOf(word(), rc::gen::just(std::string()))),
        [](Texts const& lines) {
            Object object;
            char const* const names[] = {"a", "b", "c"};
            for (std::size_t i = 0; i < 3; ++i)
                if (!lines[i].empty()) set_member(object, names[i], Value(lines[i]));
            return Value(std::move(object));
        });
}

rc::Gen<Value> moneys(std::string currency) {
    return rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [currency](std::int64_t cents) {
        Transform minor = *parse_transform("minor-units:" + currency, {});
        return transformed({minor}, Value(cents)).value;
    });
}

rc::Gen<Value> times() {
    auto const number = [](int high) { return rc::gen::inRange(0, high); };
    return rc::gen::map(
        rc::gen::tuple(number(60), number(12), number(28), number(24), number(60)),
        [](auto const& parts) {
            auto const two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
            return Value(std::to_string(1980 + std::get<0>(parts)) + "-" +
                         two(1 + std::get<1>(parts)) + "-" + two(1 + std::get<2>(parts)) + "T" +
                         two(std::get<3>(parts)) + ":" + two(std::get<4>(parts)) + ":00Z");
        });
}

std::vector<LawCase> law_cases() {
    auto const numbers = rc::gen::oneOf(
        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t n) { return Value(n); }),
        rc::gen::map(rc::gen::arbitrary<std::int32_t>(),
                     [](std::int32_t n) { return Value(n / 8.0); }));
    auto const flags = rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Value(b); });
    auto const countries = rc::gen::elementOf(
        std::vector<Value>{Value("DE"), Value("SE"), Value("CI"), Value("US"), Value("CD")});
    auto const choices =
        rc::gen::elementOf(std::vector<Value>{Value("no"), Value("yes"), Value(true), Value("x")});
    return {{{"map:yes=Y,no=N,true=T"}, choices},
            {{"lookup:t", "prefix:gid/"}, choices},
            {{"lookup-back:t"}, rc::gen::elementOf(std::vector<Value>{Value("1"), Value("2")})},
            {{"join-lines:a,b,c"}, streets()},
            {{"join:;"}, lists()},
            {{"join:, :3", "prefix:>"}, lists()},
            {{"prefix:p"}, words()},
            {{"strip-prefix:a"}, words()},
            {{"text"}, numbers},
            {{"bool-text"}, flags},
            {{"bool-text:J,N", "map:J=1,N=0"}, flags},
            {{"amount:EUR"}, moneys("EUR")},
            {{"amount"}, moneys("JPY")},
            {{"minor-amount:EUR"}, moneys("EUR")},
            {{"minor-amount:KWD", "text"}, moneys("KWD")},
            {{"local:Europe/Berlin"}, times()},
            {{"local:America/St_Johns"}, times()},
            {{"local:Australia/Lord_Howe"}, times()},
            {{"country-name:de"}, countries},
            {{"country-name"}, countries}};
}

RC_GTEST_PROP(TransformLaw, what_goes_out_comes_back, ()) {
    LookupTables const tables{{"t", {{"yes", "1"}, {"no", "2"}}}};
    for (LawCase const& one : law_cases()) {
        Chain out;
        for (std::string const& text : one.out)
            out.push_back(*parse_transform(text, tables));
        auto const in = inverse(out);
        RC_ASSERT(in.has_value());
        FieldMap map;
        map.record = *Pointer::parse("/f");
        map.external = *Pointer::parse("/e/x");
        map.out = out;
        map.in = *in;
        Value const value = *one.values;
        auto const problem = round_trip_problem(map, value);
        if (problem) RC_FAIL(one.out[0] + ": " + *problem);
    }
}

RC_GTEST_PROP(TransformLaw, no_value_breaks_a_step, ()) {
    Texts const steps{"map:a=b",
                      "join-lines:street,city",
                      "split-lines:street,city",
                      "join:;",
                      "split:;:2",
                      "prefix:p",
                      "strip-prefix:p",
                      "const:1",
                      "default:1",
                      "drop:1",
                      "number",
                      "text",
                      "bool",
                      "bool-text",
                      "truncate:2",
                      "money",
                      "money:EUR",
                      "amount",
                      "amount:EUR",
                      "minor-units:EUR",
                      "minor-amount:EUR",
                      "tz:Europe/Berlin",
                      "local:Europe/Berlin",
                      "hash",
                      "country-code",
                      "country-name"};
    Chain const chain{*parse_transform(*rc::gen::elementOf(steps), {}),
                      *parse_transform(*rc::gen::elementOf(steps), {})};
    Transformed const made = transformed(chain, *any_value());
    RC_ASSERT((made.kind == Transformed::Kind::refused) == !made.why.empty());
}

constexpr std::string_view kGood = R"(format = 1
[system.s]
kind = "k"
owner_site = "hq"
[[binding]]
name = "b"
system = "s"
collection = "c"
object = "O"
key = "/id"
[[binding.trigger]]
type = "poll"
every = "5m"
cursor = "/at"
[binding.initial]
match = [["/email"]]
[binding.deletes]
in = "unlink"
[[binding.map]]
record = "/email"
external = "/Email"
[[binding.map]]
record = "/city"
external = "/City"
)";

MappingContext good_context() {
    CollectionSchema schema;
    schema.fields["email"] = {};
    schema.fields["city"] = {};
    MappingContext context;
    context.schemas.emplace("c", std::move(schema));
    return context;
}

struct Mistake {
    std::string good, bad;
};

RC_GTEST_PROP(MappingFile, every_planted_mistake_is_told_at_its_line, ()) {
    std::vector<Mistake> const mistakes{{"kind = \"k\"", "kind = 7"},
                                        {"owner_site =", "owner_sit = 1\nowner_site ="},
                                        {"object = \"O\"", "object = \"\""},
                                        {"type = \"poll\"", "type = \"poll\"\nevry = 1"},
                                        {"every = \"5m\"", "every = \"5\""},
                                        {"cursor = \"/at\"", "cursor = \"at\""},
                                        {"in = \"unlink\"", "in = \"unlnk\""},
                                        {"\"/Email\"", "\"/Email\"\nmax = -1"},
                                        {"\"/City\"", "\"/City\"\nout = [\"hash\", \"x\"]"}};
    std::string text(kGood);
    RC_ASSERT(parse_mapping(text, good_context()).ok());
    std::vector<std::string> planted;
    for (Mistake const& mistake : mistakes) {
        if (!*rc::gen::arbitrary<bool>()) continue;
        text.replace(text.find(mistake.good), mistake.good.size(), mistake.bad);
        planted.push_back(mistake.bad);
    }
    auto const parsed = parse_mapping(text, good_context());
    for (std::string const& bad : planted) {
        std::size_t const begin = text.find(bad);
        auto const line = [&](std::size_t at) {
            return 1 +
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        };
        bool const told = std::any_of(
            parsed.problems.begin(), parsed.problems.end(), [&](MappingProblem const& problem) {
                return problem.place.line >= line(begin) &&
                       problem.place.line <= line(begin + bad.size());
            });
        if (!told) RC_FAIL("nothing is told of " + bad);
    }
    RC_ASSERT(parsed.ok() == planted.empty());
}

RC_GTEST_PROP(MappingFile, no_file_breaks_the_reader, ()) {
    std::string text(kGood);
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
        auto const at = *rc::gen::inRange<std::size_t>(0, text.size());
        auto const size = *rc::gen::inRange<std::size_t>(0, 12);
        text.replace(at,
                     size,
                     *rc::gen::elementOf(Texts{"\"",
                                               "[",
                                               "]",
                                               "=",
                                               "\n",
                                               "{}",
                                               "1",
                                               "-1",
                                               "[[binding]]\n",
                                               "\xff",
                                               "in = \"map:\"\n"}));
    }
    auto const parsed = parse_mapping(text, good_context());
    for (MappingProblem const& problem : parsed.problems) {
        RC_ASSERT(!problem.message.empty());
        RC_ASSERT(problem.place.line > 0u);
    }
}

}  // namespace
}  // namespace inos
