// Every execution there is, within small bounds: three sites, four operations on one record, and
// for each operation every set of earlier ones that its author may have received. Random runs
// (executions_property.cpp) go further out; this one leaves nothing out.
//
// An execution is a shape (who made an operation, having seen which) and a choice of an operation
// for each place. Shapes that differ only in which site is which count once. In each one, all sets
// of operations that a replica can hold are looked at:
//   - whatever the last operation was that arrived, the cells are the same, and those of the model;
//     by induction so for every order that respects causality;
//   - of any two such states, the merge is the state of both sets together, whichever way;
//   - the record is to be seen under update-wins and delete-wins when the model says so;
//   - a purge when all sites hold everything changes nothing that is seen.
// The number of shapes is counted a second time from their definition, with Burnside's lemma.
#include <algorithm>
#include <array>
#include <iostream>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "crdt/change.hpp"
#include "crdt/merge.hpp"
#include "crdt/resolve.hpp"
#include "tests/property/model.hpp"

namespace inos::test {
namespace {

constexpr std::size_t kSites = 3, kOps = 4;
constexpr std::size_t kMasks = std::size_t{1} << kOps;
RecordName const kRecord{"c", "1"};

using Counts = std::array<std::size_t, kSites>;  // of each site's operations, the first so many

struct Step {
    std::size_t site = 0;
    Counts seen{};
    auto operator<=>(Step const&) const = default;
};
using Shape = std::vector<Step>;

// ---- Shapes, built: one operation after the other, each of which has seen what it may. ----

Step const* find_step(Shape const& shape, std::size_t site, std::size_t number) {
    for (Step const& step : shape)
        if (step.site == site && step.seen[site] == number) return &step;
    return nullptr;
}

bool within(Counts const& inner, Counts const& outer) {
    return std::equal(inner.begin(), inner.end(), outer.begin(), std::less_equal<>());
}

// Whoever has seen an operation has seen all that its author had.
bool is_closed(Shape const& shape, Counts const& seen) {
    for (std::size_t site = 0; site < kSites; ++site)
        for (std::size_t number = 0; number < seen[site]; ++number) {
            Step const* step = find_step(shape, site, number);
            if (!step || !within(step->seen, seen)) return false;
        }
    return true;
}

using Permutation = std::array<std::size_t, kSites>;

std::vector<Permutation> permutations() {
    Permutation p{};
    std::iota(p.begin(), p.end(), std::size_t{0});
    std::vector<Permutation> all;
    do
        all.push_back(p);
    while (std::next_permutation(p.begin(), p.end()));
    return all;
}

// The shape with its sites renamed; sorted, so that the order of writing it down does not matter.
Shape renamed(Shape const& shape, Permutation const& to) {
    Shape out;
    for (Step const& step : shape) {
        Step other{to[step.site], {}};
        for (std::size_t site = 0; site < kSites; ++site)
            other.seen[to[site]] = step.seen[site];
        out.push_back(other);
    }
    std::sort(out.begin(), out.end());
    return out;
}

// A counter with one place for each site; false after the last of the vectors up to `limit`.
bool advance(Counts& counts, Counts const& limit) {
    for (std::size_t site = 0; site < kSites; ++site) {
        if (counts[site]++ < limit[site]) return true;
        counts[site] = 0;
    }
    return false;
}

void grow(Shape& shape, std::set<Shape>& found) {
    if (shape.size() == kOps) {
        std::set<Shape> names;
        for (Permutation const& p : permutations())
            names.insert(renamed(shape, p));
        found.insert(*names.begin());
        return;
    }
    Counts made{};
    for (Step const& step : shape)
        ++made[step.site];
    for (std::size_t site = 0; site < kSites; ++site) {
        Counts seen{};
        do {
            if (seen[site] != made[site] || !is_closed(shape, seen)) continue;
            shape.push_back({site, seen});
            grow(shape, found);
            shape.pop_back();
        } while (advance(seen, made));
    }
}

// In an order that respects causality.
Shape in_causal_order(Shape const& shape) {
    Shape out;
    while (out.size() < shape.size())
        for (Step const& step : shape)
            if (!find_step(out, step.site, step.seen[step.site]) && is_closed(out, step.seen))
                out.push_back(step);
    return out;
}

std::vector<Shape> all_shapes() {
    std::set<Shape> found;
    Shape shape;
    grow(shape, found);
    std::vector<Shape> shapes;
    for (Shape const& one : found)
        shapes.push_back(in_causal_order(one));
    return shapes;
}

// ---- Shapes, counted from their definition: vectors for all operations at once. ----

struct Definition {
    std::size_t shapes = 0;  // sites told apart
    std::size_t fixed = 0;   // sum over all renamings of the shapes that each leaves as they are
};

void define(Shape& shape, std::size_t at, Counts const& made, Definition& sum) {
    if (at < shape.size()) {
        Counts const own = shape[at].seen;
        Counts seen{};
        do {
            if (seen[shape[at].site] != own[shape[at].site]) continue;
            shape[at].seen = seen;
            define(shape, at + 1, made, sum);
        } while (advance(seen, made));
        shape[at].seen = own;
        return;
    }
    for (Step const& step : shape)
        if (!is_closed(shape, step.seen)) return;
    ++sum.shapes;
    for (Permutation const& p : permutations())
        sum.fixed += renamed(shape, p) == renamed(shape, permutations().front());
}

Definition definition() {
    Definition sum;
    Counts made{}, limit{};
    limit.fill(kOps);
    do {
        if (std::accumulate(made.begin(), made.end(), std::size_t{0}) != kOps) continue;
        Shape shape;
        for (std::size_t site = 0; site < kSites; ++site)
            for (std::size_t number = 0; number < made[site]; ++number) {
                shape.push_back({site, {}});
                shape.back().seen[site] = number;
            }
        define(shape, 0, made, sum);
    } while (advance(made, limit));
    return sum;
}

// ---- Executions of one shape. ----

// What a site may do to the record's one field; deleting it is one of them.
struct Action {
    char const* name;
    std::optional<Value> value;  // none: delete
};

struct Alphabet {
    char const* name;
    CellType type;
    std::vector<Action> actions;
};

Value operation(char const* name, Value operand) {
    return Value(Object{{name, std::move(operand)}});
}

std::vector<Alphabet> const& alphabets() {
    static std::vector<Alphabet> const list{
        {"register",
         CellType::register_,
         {{"a", Value("a")}, {"b", Value("b")}, {"unset", Value()}, {"delete", {}}}},
        {"counter",
         CellType::counter,
         {{"+1", operation("$inc", Value(1))}, {"unset", Value()}, {"delete", {}}}},
        {"set",
         CellType::set,
         {{"add", operation("$add", Value("x"))},
          {"remove", operation("$remove", Value("x"))},
          {"delete", {}}}},
        {"flag",
         CellType::flag,
         {{"on", operation("$enable", Value(true))},
          {"off", operation("$enable", Value(false))},
          {"delete", {}}}},
        {"list",
         CellType::list,
         {{"insert",
           operation("$insert", Value(Object{{"after", Value()}, {"value", Value("x")}}))},
          {"empty", Value(Array())},
          {"delete", {}}}},
        {"text",
         CellType::text,
         {{"type", operation("$splice", Value(Object{{"at", Value(0)}, {"insert", Value("ab")}}))},
          {"cut", operation("$splice", Value(Object{{"at", Value(0)}, {"delete", Value(1)}}))},
          {"delete", {}}}}};
    return list;
}

struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Tally {
    std::size_t executions = 0, states = 0, merges = 0, purged = 0, ops = 0;
};

class Runner {
public:
    Runner(Alphabet const& alphabet, DeletePolicy policy, bool existed, Tally& tally)
        : alphabet_(alphabet), tally_(tally) {
        schema_.on_delete = policy;
        schema_.fields["f"].type = alphabet.type;
        if (!existed) return;
        // Somebody else made the record, and all sites have it.
        base_.set(ActorId{9}, 1);
        auto const made = author(Dot{ActorId{9}, 1}, VersionVector(), Action{"made", Value()}, {});
        models_[0].add(made);
        act(states_[0], *made);
    }

    void run(Shape const& shape) {
        shape_ = shape;
        for (std::size_t mask = 0; mask < kMasks; ++mask) {
            vv_[mask] = base_;
            for (std::size_t i = 0; i < kOps; ++i)
                if (mask >> i & 1) vv_[mask].raise(actor(i), shape_[i].seen[shape_[i].site] + 1);
        }
        for (std::size_t i = 0; i < kOps; ++i) {
            needs_[i] = 0;
            for (std::size_t j = 0; j < i; ++j) {
                Step const& earlier = shape_[j];
                if (earlier.seen[earlier.site] < shape_[i].seen[earlier.site])
                    needs_[i] |= std::size_t{1} << j;
            }
        }
        go(0);
    }

private:
    ActorId actor(std::size_t i) const { return ActorId{shape_[i].site + 1}; }

    bool holdable(std::size_t mask) const {
        for (std::size_t i = 0; i < kOps; ++i)
            if (mask >> i & 1 && (needs_[i] & ~mask) != 0) return false;
        return true;
    }

    // An entry by one who holds `state`; with no op in it where nothing would change.
    CommitPtr author(Dot dot,
                     VersionVector const& deps,
                     Action const& action,
                     Record const& state) {
        auto commit = std::make_shared<Commit>();
        commit->deps = deps;
        commit->entry.header.dot = dot;
        std::size_t depth = 1;
        for (auto const& item : deps.items())
            depth += item.second;
        commit->entry.header.hlc = Hlc::from(depth, 0);
        std::optional<Op> op;
        if (action.value) {
            auto planned = plan_change(state,
                                       schema_,
                                       kRecord,
                                       {{"f", *action.value}},
                                       AssignMode::merge,
                                       {dot.actor, dot.seq});
            if (auto* made = std::get_if<std::optional<Op>>(&planned)) op = std::move(*made);
        } else {
            op = plan_delete(state, schema_, kRecord);
        }
        if (op) commit->entry.ops.push_back(*std::move(op));
        tally_.ops += commit->entry.ops.size();
        return commit;
    }

    static void act(Record& state, Commit const& commit) {
        auto const& header = commit.entry.header;
        for (Op const& op : commit.entry.ops)
            apply(state, op, {header.dot, header.hlc, header.source, commit.deps});
    }

    // Chooses the operation at place i, and all that come after it.
    void go(std::size_t i) {
        if (i == kOps) return finish();
        std::size_t const seen = needs_[i];
        Dot const dot{actor(i), shape_[i].seen[shape_[i].site] + 1};
        for (Action const& action : alphabet_.actions) {
            chosen_[i] = action.name;
            commits_[i] = author(dot, vv_[seen], action, states_[seen]);
            models_[i + 1] = models_[i];
            models_[i + 1].add(commits_[i]);
            check_states(i);
            check_merges(i);
            go(i + 1);
        }
    }

    // All sets with operation i in them, of those up to i.
    void check_states(std::size_t i) {
        std::size_t const bit = std::size_t{1} << i;
        for (std::size_t mask = bit; mask < 2 * bit; ++mask) {
            if (!holdable(mask)) continue;
            ++tally_.states;
            bool first = true;
            for (std::size_t last = 0; last <= i; ++last) {
                std::size_t const before = mask & ~(std::size_t{1} << last);
                if (before == mask || !holdable(before)) continue;
                Record next = states_[before];
                act(next, *commits_[last]);
                if (!first && next != states_[mask]) fail("the order of arrival matters", mask);
                states_[mask] = std::move(next);
                first = false;
            }
            auto const expected = models_[i + 1].cells(kRecord, vv_[mask]);
            if (states_[mask].cells() != expected) fail("the model has other cells", mask);
            RecordState const state = state_of(states_[mask]);
            for (auto const policy : {DeletePolicy::update_wins, DeletePolicy::delete_wins})
                if (visible(state, policy) != Model::visible(expected, policy))
                    fail("the record is seen wrongly", mask);
        }
    }

    void check_merges(std::size_t i) {
        std::size_t const bit = std::size_t{1} << i;
        for (std::size_t ours = bit; ours < 2 * bit; ++ours) {
            if (!holdable(ours)) continue;
            for (std::size_t theirs = 0; theirs <= ours; ++theirs) {
                if (!holdable(theirs)) continue;
                check_merge(ours, theirs);
                check_merge(theirs, ours);
            }
        }
    }

    void check_merge(std::size_t ours, std::size_t theirs) {
        ++tally_.merges;
        Record merged = states_[ours];
        merge(merged, vv_[ours], states_[theirs], vv_[theirs]);
        if (merged != states_[ours | theirs])
            fail("a state merge gives something else, of " + described(ours) + " with " +
                     described(theirs),
                 ours | theirs);
    }

    void finish() {
        ++tally_.executions;
        Record const& all = states_[kMasks - 1];
        Record rest = all;
        tally_.purged += purge(rest, vv_[kMasks - 1]);
        if (rest.cells() != Model::purged(all.cells(), vv_[kMasks - 1]))
            fail("a purge takes something else", kMasks - 1);
        for (auto const policy : {DeletePolicy::update_wins, DeletePolicy::delete_wins}) {
            bool const shown = visible(state_of(all), policy);
            if (shown != visible(state_of(rest), policy) ||
                (shown && resolve(all, schema_) != resolve(rest, schema_)))
                fail("a purge changes what is seen", kMasks - 1);
        }
    }

    std::string described(std::size_t mask) const {
        std::string out = "{";
        for (std::size_t i = 0; i < kOps; ++i)
            if (mask >> i & 1) out += (out.size() > 1 ? " " : "") + std::to_string(i + 1);
        return out + "}";
    }

    [[noreturn]] void fail(std::string const& what, std::size_t mask) const {
        std::string out = what + ", holding " + described(mask) + " of";
        for (std::size_t i = 0; i < kOps && commits_[i]; ++i)
            out += "\n  " + std::to_string(i + 1) + ": site " + std::to_string(shape_[i].site + 1) +
                   " " + chosen_[i] + ", having seen " + described(needs_[i]);
        throw Violation(out);
    }

    Alphabet const& alphabet_;
    Tally& tally_;
    CollectionSchema schema_;
    VersionVector base_;
    Shape shape_;
    std::array<std::size_t, kOps> needs_{};
    std::array<CommitPtr, kOps> commits_;
    std::array<char const*, kOps> chosen_{};
    std::array<Model, kOps + 1> models_;  // of the first i operations
    std::array<Record, kMasks> states_;   // by the set of operations held
    std::array<VersionVector, kMasks> vv_;
};

TEST(SmallSpaceShapes, are_as_many_as_their_definition_says) {
    auto const shapes = all_shapes();
    Definition const defined = definition();
    EXPECT_EQ(shapes.size() * permutations().size(), defined.fixed) << "Burnside's lemma";
    std::size_t told_apart = 0;
    for (Shape const& shape : shapes) {
        std::set<Shape> names;
        for (Permutation const& p : permutations())
            names.insert(renamed(shape, p));
        told_apart += names.size();
    }
    EXPECT_EQ(told_apart, defined.shapes);
    EXPECT_EQ(defined.shapes, 321u);
    EXPECT_EQ(shapes.size(), 58u);
}

class SmallSpace : public testing::TestWithParam<std::tuple<std::size_t, DeletePolicy>> {};

TEST_P(SmallSpace, A6_A9_A10_B10_D18_every_execution_is_as_the_model_says) {
    auto const& [index, policy] = GetParam();
    Alphabet const& alphabet = alphabets()[index];
    auto const shapes = all_shapes();
    Tally tally;
    for (bool const existed : {false, true}) {
        Runner runner(alphabet, policy, existed, tally);
        for (Shape const& shape : shapes) {
            try {
                runner.run(shape);
            } catch (Violation const& violation) {
                FAIL() << violation.what();
            }
        }
    }
    std::size_t choices = 1;
    for (std::size_t i = 0; i < kOps; ++i)
        choices *= alphabet.actions.size();
    EXPECT_EQ(tally.executions * permutations().size(), 2 * definition().fixed * choices);
    EXPECT_GT(tally.purged, 0u);
    EXPECT_GT(tally.ops * 2, tally.executions);
    std::cout << tally.executions << " executions, " << tally.states << " new states, "
              << tally.merges << " state merges, " << tally.purged << " with a purge\n";
}

std::string case_name(testing::TestParamInfo<std::tuple<std::size_t, DeletePolicy>> const& info) {
    auto const& [index, policy] = info.param;
    return std::string(alphabets()[index].name) +
           (policy == DeletePolicy::update_wins ? "_update_wins" : "_delete_wins");
}

INSTANTIATE_TEST_SUITE_P(Types,
                         SmallSpace,
                         testing::Combine(testing::Range<std::size_t>(0, 6),
                                          testing::Values(DeletePolicy::update_wins,
                                                          DeletePolicy::delete_wins)),
                         case_name);

}  // namespace
}  // namespace inos::test
