// Two systems and two sites hold one record in common. Users edit it everywhere, while machines
// stop, answers get lost and sites are apart; then all of them are left alone. From then on
// everything comes to rest and agrees, no edit is lost, and no difference of a counter counts twice.
//
// The systems keep values in forms of their own, which no adapter may take for changes.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/pair_bindings.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

using sim::Tape;

RecordName const kName{"c", "x"};

// One ends every text with a tilde, the other takes it away.
Value with_tilde(Pointer const&, Value value) {
    auto const* text = value.as<std::string>();
    return text && !text->ends_with('~') ? Value(*text + "~") : value;
}
Value without_tilde(Pointer const&, Value value) {
    auto const* text = value.as<std::string>();
    return text && text->ends_with('~') ? Value(text->substr(0, text->size() - 1)) : value;
}

class World {
public:
    explicit World(Planted const& planted) {
        shop.system.normalise = with_tilde;
        crm.system.normalise = without_tilde;
        for (Pair* pair : {&shop, &crm}) {
            pair->planted = planted;
            pair->binding.errors.flips = 1'000'000;  // would hide what is looked for
        }
        here.patch(kName, {{"name", Value("first")}});
    }

    // What is wrong at the end; none: nothing.
    std::optional<std::string> run(Tape tape) {
        for (std::size_t acts = tape.words().size() / 3; acts > 0; --acts)
            act(tape);
        return come_to_rest();
    }

private:
    void act(Tape& tape) {
        Pair& pair = tape.below(2) == 0 ? shop : crm;
        switch (tape.below(8)) {
            case 0:
            case 1:
                return edit_here(tape);
            case 2:
            case 3:
                return edit_there(tape, pair);
            case 4:
                here.pull(there);
                there.pull(here);
                return;
            default: {
                // A lost answer and two places to stop at are rarer than none.
                auto const luck = tape.below(8);
                pair.lose_answer = luck == 1;
                pair.round(luck == 2 ? 1 : luck == 3 ? 2 : 0);
            }
        }
    }

    std::string fresh() { return std::to_string(++values_); }

    void edit_here(Tape& tape) {
        MiniReplica& node = tape.below(2) == 0 ? here : there;
        if (!node.exists(kName)) return;
        node.set_source("office");
        std::int64_t const by = static_cast<std::int64_t>(tape.below(9)) - 4;
        Value const element(std::string(1, static_cast<char>('a' + tape.below(4))));
        switch (tape.below(5)) {
            case 0:
                node.patch(kName, {{"name", Value(fresh())}});
                return;
            case 1:
                node.patch(kName, {{"city", Value(fresh())}});
                return;
            case 2:
                total_ += by;
                node.patch(kName, {{"stock", Value(Object{{"$inc", Value(by)}})}});
                return;
            case 3:
                node.patch(kName, {{"tags", Value(Object{{"$add", Value(Array{element})}})}});
                return;
            default:
                node.patch(kName, {{"tags", Value(Object{{"$remove", Value(Array{element})}})}});
        }
    }

    void edit_there(Tape& tape, Pair& pair) {
        if (!pair.system.object()) return;
        std::int64_t const by = static_cast<std::int64_t>(tape.below(9)) - 4;
        Value const element(std::string(1, static_cast<char>('a' + tape.below(4))));
        switch (tape.below(5)) {
            case 0:
                return pair.system.edit("/Name", Value(fresh()));
            case 1:
                return pair.system.edit("/Address/City", Value(fresh()));
            case 2:
                total_ += by;
                return pair.system.count("/Stock", by);
            case 3:
                return pair.system.add("/Tags", element);
            default:
                return pair.system.remove("/Tags", element);
        }
    }

    std::optional<std::string> come_to_rest() {
        shop.lose_answer = crm.lose_answer = false;
        constexpr int kRoundsMax = 12;
        for (int round = 0; round < kRoundsMax; ++round) {
            here.pull(there);
            there.pull(here);
            auto const did_shop = shop.settle(), did_crm = crm.settle();
            if (!did_shop || !did_crm) return "a pair does not come to rest";
            if (*did_shop == 0 && *did_crm == 0 && here.vv() == there.vv()) return check();
        }
        return "the two systems do not come to rest";
    }

    std::optional<std::string> check() {
        if (here.bytes() != there.bytes()) return "the sites differ";
        for (Pair* pair : {&shop, &crm}) {
            if (!pair->broken.empty()) return pair->broken.front();
            if (pair->system.overwritten() > 0) return "an edit was overwritten without being read";
            if (pair->system.created() > 1) return "an object was made twice";
            if (auto const wrong = differs(*pair)) return wrong;
            if (auto const lost = lost_edit(*pair)) return lost;
        }
        Value const stock = shop.field("/stock");
        if (!(stock == Value(total_)) && !(stock.is_null() && total_ == 0))
            return "the counter is not what was counted";
        return std::nullopt;
    }

    // A system holds what it makes of the record.
    std::optional<std::string> differs(Pair& pair) const {
        auto const fields = pair.fields();
        auto const views = field_views(pair.binding, &fields, pair.system.read());
        for (FieldView const& view : views) {
            if (!goes_out(view.map->dir) || view.out.kind != Outbound::Kind::write) continue;
            for (std::size_t i = 0; i < view.out.parts.size(); ++i) {
                Outbound::Part const& part = view.out.parts[i];
                // An empty set is no value here and none or an empty list there, and a counter that
                // was never counted stands at zero.
                auto const none = [](Value const& value) {
                    return value.is_null() || value == Value(0);
                };
                bool const nothing = none(view.ours) && none(view.theirs.value) &&
                                     view.map->kind != FieldKind::register_;
                Value const wanted = pair.system.normalise(part.external, part.value);
                if (!nothing && !(pair.system.value(part.external.text()) == wanted))
                    return view.map->record.text() + " differs between record and object";
            }
        }
        return std::nullopt;
    }

    std::optional<std::string> lost_edit(Pair const& pair) const {
        for (Value const& value : pair.system.user_values()) {
            auto const bytes = encode(value);
            bool const found =
                std::any_of(here.log().begin(), here.log().end(), [&](CommitPtr const& commit) {
                    return commit->bytes.find(bytes) != std::string::npos;
                });
            if (!found) return "an edit of a system's user is nowhere in the log";
        }
        return std::nullopt;
    }

    Schemas schemas_ = customer_schemas();
    MiniReplica here{ActorId{1}, "office", schemas_}, there{ActorId{2}, "office", schemas_};
    Pair shop{here, customer_binding(), kName, "shop"}, crm{here, customer_binding(), kName, "crm"};
    std::int64_t total_ = 0;
    int values_ = 0;
};

RC_GTEST_PROP(Adapter, comes_to_rest_and_loses_nothing, (Tape tape)) {
    auto const wrong = World({}).run(std::move(tape));
    if (wrong) RC_FAIL(*wrong);
}

// A test that cannot see these mistakes would be of no use.
std::optional<std::string> found(Planted const& planted) {
    constexpr int kRuns = 400;
    for (int seed = 0; seed < kRuns; ++seed) {
        Tape source = Tape::seeded(static_cast<std::uint64_t>(seed));
        std::vector<std::uint32_t> words(400);
        for (auto& word : words)
            word = source.word();
        if (auto const wrong = World(planted).run(Tape(std::move(words)))) return wrong;
    }
    return std::nullopt;
}

TEST(AdapterMistakes, none_is_found_where_none_is) {
    EXPECT_EQ(found({}), std::nullopt);
}

TEST(AdapterMistakes, F3_the_value_as_written_in_the_shadow) {
    EXPECT_TRUE(found({.seen_as_written = true}));
}

TEST(AdapterMistakes, no_compare_token) {
    EXPECT_EQ(found({.no_token = true}), "an edit was overwritten without being read");
}

TEST(AdapterMistakes, a_context_that_claims_to_have_seen_everything) {
    EXPECT_TRUE(found({.whole_context = true}));
}

TEST(AdapterMistakes, a_shadow_that_does_not_show_what_came_in) {
    EXPECT_TRUE(found({.no_dot = true}));
}

TEST(AdapterMistakes, F10_a_write_that_is_not_durable_before_the_call) {
    EXPECT_TRUE(found({.forgets_intent = true}));
}

TEST(AdapterMistakes, F12_a_difference_that_is_sent_again_under_a_new_key) {
    EXPECT_EQ(found({.blind_resend = true}), "the counter is not what was counted");
}

TEST(AdapterMistakes, a_shadow_that_is_durable_before_the_record) {
    EXPECT_TRUE(found({.shadow_first = true}));
}

}  // namespace
}  // namespace inos::test
