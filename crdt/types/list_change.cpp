#include "crdt/types/list_change.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "crdt/types/list.hpp"

namespace inos {
namespace {

constexpr std::size_t kCompareMax = 4'000'000;  // pairs of elements; beyond, only equal ones
constexpr std::size_t kEqualMax = 1'000'000;    // pairs of equal elements; beyond, one for each

// What is to happen with the elements that are shown and the values that are wanted.
struct Diff {
    enum class Step : std::uint8_t { keep, move, set, insert };
    struct Item {
        Step step = Step::insert;
        std::size_t element = 0;  // but for insert
    };
    std::vector<Item> want;
    std::vector<bool> used;  // by element; the others go
};

// Where each element's value comes, each row from the last place to the first. Where there are too
// many equal ones, the first has the first for its own, the second the second.
std::vector<std::vector<std::size_t>> equal_places(std::vector<std::string_view> const& have,
                                                   std::vector<std::string_view> const& want,
                                                   std::size_t begin,
                                                   std::size_t have_end,
                                                   std::size_t want_end) {
    std::unordered_map<std::string_view, std::vector<std::size_t>> places;
    for (std::size_t i = want_end; i-- > begin;)
        places[want[i]].push_back(i);
    std::size_t pairs = 0;
    for (std::size_t i = begin; i < have_end; ++i)
        if (auto const it = places.find(have[i]); it != places.end()) pairs += it->second.size();
    std::vector<std::vector<std::size_t>> rows(have_end - begin);
    for (std::size_t i = begin; i < have_end; ++i) {
        auto const it = places.find(have[i]);
        if (it == places.end() || it->second.empty()) continue;
        if (pairs <= kEqualMax) {
            rows[i - begin] = it->second;
        } else {
            rows[i - begin] = {it->second.back()};
            it->second.pop_back();
        }
    }
    return rows;
}

// For lists that are too long for keep_common's table: the longest sequence of equal pairs that
// ascends in both lists. After Hunt and Szymanski 1977, "A Fast Algorithm for Computing Longest
// Common Subsequences": `ends[n]` is the pair that ends a sequence of n + 1 earliest.
void keep_ascending(std::vector<std::string_view> const& have,
                    std::vector<std::string_view> const& want,
                    std::size_t begin,
                    std::size_t have_end,
                    std::size_t want_end,
                    Diff& diff) {
    constexpr std::size_t kNone = SIZE_MAX;
    struct Pair {
        std::size_t element, value, before;
    };
    std::vector<Pair> pairs;
    std::vector<std::size_t> ends;
    auto const rows = equal_places(have, want, begin, have_end, want_end);
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (std::size_t const value : rows[row]) {
            auto const end = std::partition_point(
                ends.begin(), ends.end(), [&](std::size_t p) { return pairs[p].value < value; });
            std::size_t const before = end == ends.begin() ? kNone : *std::prev(end);
            if (end == ends.end())
                ends.push_back(pairs.size());
            else
                *end = pairs.size();
            pairs.push_back({begin + row, value, before});
        }
    for (std::size_t p = ends.empty() ? kNone : ends.back(); p != kNone; p = pairs[p].before) {
        diff.want[pairs[p].value] = {Diff::Step::keep, pairs[p].element};
        diff.used[pairs[p].element] = true;
    }
}

// Longest common subsequence of a stretch of both lists by dynamic programming; what is in it is
// kept.
void keep_common(std::vector<std::string_view> const& have,
                 std::vector<std::string_view> const& want,
                 std::size_t begin,
                 std::size_t have_end,
                 std::size_t want_end,
                 Diff& diff) {
    std::size_t const rows = have_end - begin, columns = want_end - begin;
    if (rows == 0 || columns == 0) return;
    if (rows > kCompareMax / columns)
        return keep_ascending(have, want, begin, have_end, want_end, diff);
    std::vector<std::uint16_t> best((rows + 1) * (columns + 1));
    auto const at = [&](std::size_t row, std::size_t column) -> std::uint16_t& {
        return best[row * (columns + 1) + column];
    };
    for (std::size_t row = rows; row-- > 0;)
        for (std::size_t column = columns; column-- > 0;)
            at(row, column) = have[begin + row] == want[begin + column]
                                  ? static_cast<std::uint16_t>(at(row + 1, column + 1) + 1)
                                  : std::max(at(row + 1, column), at(row, column + 1));
    for (std::size_t row = 0, column = 0; row < rows && column < columns;) {
        if (have[begin + row] == want[begin + column]) {
            diff.want[begin + column] = {Diff::Step::keep, begin + row};
            diff.used[begin + row] = true;
            ++row;
            ++column;
        } else if (at(row + 1, column) >= at(row, column + 1)) {
            ++row;
        } else {
            ++column;
        }
    }
}

// Values that go at one place and come at another.
void find_moves(std::vector<std::string_view> const& have,
                std::vector<std::string_view> const& want,
                Diff& diff) {
    std::map<std::string_view, std::deque<std::size_t>> free;
    for (std::size_t i = 0; i < have.size(); ++i)
        if (!diff.used[i]) free[have[i]].push_back(i);
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (diff.want[i].step != Diff::Step::insert) continue;
        auto const it = free.find(want[i]);
        if (it == free.end() || it->second.empty()) continue;
        diff.want[i] = {Diff::Step::move, it->second.front()};
        diff.used[it->second.front()] = true;
        it->second.pop_front();
    }
}

// Between two neighbours that stay, as many elements that go as values that come are edits.
void find_edits(Diff& diff) {
    std::size_t element = 0;
    for (std::size_t i = 0; i <= diff.want.size();) {
        std::vector<std::size_t> come, go;
        for (; i < diff.want.size() && diff.want[i].step != Diff::Step::keep; ++i)
            if (diff.want[i].step == Diff::Step::insert) come.push_back(i);
        std::size_t const end = i < diff.want.size() ? diff.want[i].element : diff.used.size();
        for (; element < end; ++element)
            if (!diff.used[element]) go.push_back(element);
        for (std::size_t k = 0; k < go.size() && come.size() == go.size(); ++k) {
            diff.want[come[k]] = {Diff::Step::set, go[k]};
            diff.used[go[k]] = true;
        }
        element = end + 1;
        ++i;
    }
}

Diff compare(std::vector<std::string_view> const& have, std::vector<std::string_view> const& want) {
    Diff diff{std::vector<Diff::Item>(want.size()), std::vector<bool>(have.size())};
    auto const keep = [&](std::size_t element, std::size_t value) {
        diff.want[value] = {Diff::Step::keep, element};
        diff.used[element] = true;
    };
    std::size_t begin = 0, have_end = have.size(), want_end = want.size();
    for (; begin < std::min(have_end, want_end) && have[begin] == want[begin]; ++begin)
        keep(begin, begin);
    while (have_end > begin && want_end > begin && have[have_end - 1] == want[want_end - 1])
        keep(--have_end, --want_end);
    keep_common(have, want, begin, have_end, want_end, diff);
    find_moves(have, want, diff);
    find_edits(diff);
    return diff;
}

int segments(std::string_view path) {
    int count = 0;
    while (take_segment(path))
        ++count;
    return count;
}

// A list in the making: what is shown after the edits that are planned so far.
class Draft {
public:
    struct Element {
        std::string path;
        std::string value;  // canonical bytes
        bool single = true;
        bool marked = false;
    };
    struct Place {
        Position position;
        std::string name;
        bool operator<(Place const& other) const {
            auto const order = position <=> other.position;
            return order == 0 ? name < other.name : order < 0;
        }
    };
    using Elements = std::map<Place, Element>;
    using Iterator = Elements::iterator;

    Draft(EditPlan& plan, FieldTarget const& target) : plan_(plan), target_(target) {
        ListState const state = list_state(plan.record, target.at);
        std::string own = own_path(target.at, CellType::list);
        // An element and its cells are two segments more.
        if (segments(own) + 2 > kPathDepthMax)
            plan.fail(
                ChangeError::Kind::limit, target.label, "a list cannot lie this deep in maps");
        if (cells_at(plan.record, own).empty()) plan.write(std::move(own), {});
        for (ListElement const& element : state.shown) {
            Element draft{
                element.path, element.values.front()->payload, !element.conflict(), element.marked};
            auto const it =
                elements_.emplace(Place{element.place, element.name}, std::move(draft)).first;
            by_name_[element.name] = it;
        }
        for (Position const& position : state.places)
            take(position);
    }

    Elements& elements() { return elements_; }

    Iterator find(std::string_view name) {
        auto const it = by_name_.find(name);
        return it == by_name_.end() ? elements_.end() : it->second;
    }

    // Nothing was known of an element that the entry in the making began: it is as if it had never
    // been. Else a marker remembers what was seen of it.
    void remove(Iterator it) {
        std::string const& path = it->second.path;
        VersionVector seen;
        bool own = true;
        for (Cell const* cell : cells_under(plan_.record, path)) {
            own &= cell->dot == Dot{plan_.actor, plan_.seq};
            if (static_cast<CellType>(cell->path.back()) != CellType::marker)
                seen.raise(cell->dot.actor, cell->dot.seq);
        }
        if (own) {
            plan_.clear(path);
        } else {
            std::string payload;
            seen.encode(payload);
            plan_.write(element_marker_path(path), std::move(payload));
        }
        by_name_.erase(it->first.name);
        elements_.erase(it);
    }

    void set(Iterator it, std::string bytes) {
        if (!storable(plan_, target_, "an element", bytes)) return;
        unmark(it->second);
        it->second.value = bytes;
        it->second.single = true;
        plan_.write(element_value_path(it->second.path), std::move(bytes));
    }

    // Two elements can stand at one place: a list that was taken away is forgotten by its author,
    // who may take a place again that a concurrent edit keeps in use. Before something can stand
    // between them, those that come later are moved behind the first.
    void part_after(Iterator it) {
        std::vector<Iterator> others;
        for (auto next = std::next(it);
             next != elements_.end() && next->first.position == it->first.position;
             ++next)
            others.push_back(next);
        Position last = it->first.position;
        for (Iterator const other : others) {
            last = place_after(&last);
            move(other, last);
        }
    }
    void part_before(Iterator it) {
        if (it != elements_.begin()) part_after(std::prev(it));
    }

    // Behind or in front of a place; nullptr: in front of all, or behind all.
    Position place_after(Position const* left) {
        auto const it = left ? places_.upper_bound(*left) : places_.begin();
        return place(left, it == places_.end() ? nullptr : &*it);
    }
    Position place_before(Position const* right) {
        auto const it = right ? places_.lower_bound(*right) : places_.end();
        return place(it == places_.begin() ? nullptr : &*std::prev(it), right);
    }

    void move(Iterator it, Position const& to) {
        unmark(it->second);
        plan_.write(element_place_path(it->second.path), to.encode());
        take(to);
        auto node = elements_.extract(it);
        node.key().position = to;
        auto const moved = elements_.insert(std::move(node)).position;
        by_name_[moved->first.name] = moved;
    }

    // The values stand one behind the other from `first` on, which place_after or place_before
    // gave. Answers the place of the last one.
    Position insert(Position const& first, std::vector<std::string> values) {
        Position at = first;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!storable(plan_, target_, "an element", values[i])) break;
            at = first.advanced(i);
            take(at);
            plan_.write(element_value_path(element_path(target_.at, plan_.seq, at)),
                        std::move(values[i]));
        }
        return at;
    }

private:
    // A write to an element has seen that somebody removed it: the removal does not hold any more.
    void unmark(Element& element) {
        if (std::exchange(element.marked, false)) plan_.remove(element_marker_path(element.path));
    }

    void take(Position const& position) {
        counter_above_ = std::max(counter_above_, max_counter(position));
        places_.insert(position);
    }

    Position place(Position const* left, Position const* right) {
        Position found = between(left, right, plan_.actor, counter_above_);
        if (found.waypoints().size() > kPositionDepthMax)
            plan_.fail(ChangeError::Kind::limit,
                       target_.label,
                       "too much was inserted into each other at this place of the list; take the "
                       "list away with null and write it anew");
        return found;
    }

    EditPlan& plan_;
    FieldTarget const& target_;
    Elements elements_;
    std::map<std::string, Iterator, std::less<>> by_name_;
    std::set<Position> places_;
    std::uint64_t counter_above_ = 0;
};

void bad(EditPlan& plan, FieldTarget const& target, std::string message) {
    plan.fail(ChangeError::Kind::bad_operation, target.label, std::move(message));
}

// The element that an operand names; end() after a complaint.
Draft::Iterator named(EditPlan& plan, FieldTarget const& target, Draft& draft, Value const* id) {
    auto const* text = id ? id->as<std::string>() : nullptr;
    if (!text) {
        bad(plan, target, "an element is named by its id, a text; ?elements=true lists the ids");
        return draft.elements().end();
    }
    auto const name = parse_element_id(*text);
    auto const it = name ? draft.find(*name) : draft.elements().end();
    if (it == draft.elements().end())
        bad(plan,
            target,
            "the list has no element \"" + *text +
                "\"; read the record with ?elements=true to see the ids of those that it has");
    return it;
}

// Where an operand says that something shall stand.
struct Spot {
    bool after = true;
    std::optional<Draft::Iterator> neighbour;  // none: the front, or the end
};

std::optional<Spot> spot_of(EditPlan& plan,
                            FieldTarget const& target,
                            Draft& draft,
                            Value const& operand) {
    Value const* after = operand.find("after");
    Value const* before = operand.find("before");
    if ((after != nullptr) == (before != nullptr)) {
        bad(plan,
            target,
            "say where with \"after\" (an element, or null for the front) or \"before\" (an "
            "element, or null for the end)");
        return std::nullopt;
    }
    Spot spot{after != nullptr, std::nullopt};
    Value const& where = after ? *after : *before;
    if (where.is_null()) return spot;
    auto const it = named(plan, target, draft, &where);
    if (it == draft.elements().end()) return std::nullopt;
    spot.neighbour = it;
    return spot;
}

Position place_at(Draft& draft, Spot const& spot) {
    if (spot.neighbour)
        spot.after ? draft.part_after(*spot.neighbour) : draft.part_before(*spot.neighbour);
    Position const* neighbour = spot.neighbour ? &(*spot.neighbour)->first.position : nullptr;
    return spot.after ? draft.place_after(neighbour) : draft.place_before(neighbour);
}

bool stands_there(Draft& draft, Draft::Iterator it, Spot const& spot) {
    auto& all = draft.elements();
    if (!spot.neighbour) return spot.after ? it == all.begin() : std::next(it) == all.end();
    return spot.after ? std::next(*spot.neighbour) == it : std::next(it) == *spot.neighbour;
}

// An operand has these members and no others.
bool has_only(EditPlan& plan,
              FieldTarget const& target,
              std::string_view what,
              Value const& operand,
              std::vector<std::string_view> const& members) {
    auto const* object = operand.as<Object>();
    if (!object) {
        bad(plan, target, std::string(what) + " takes an object, or an array of objects");
        return false;
    }
    for (Member const& member : *object) {
        if (std::find(members.begin(), members.end(), member.key) != members.end()) continue;
        std::string known;
        for (std::string_view const name : members)
            known += (known.empty() ? "\"" : ", \"") + std::string(name) + "\"";
        bad(plan, target, std::string(what) + " has no \"" + member.key + "\"; it has " + known);
        return false;
    }
    return true;
}

bool plain(EditPlan& plan, FieldTarget const& target, Value const* value, std::string_view what) {
    if (!value) {
        bad(plan, target, std::string(what) + " needs a \"value\"");
    } else if (holds_operators(*value)) {
        bad(plan, target, "names inside a value cannot begin with $");
    } else {
        return true;
    }
    return false;
}

void remove_one(EditPlan& plan, FieldTarget const& target, Draft& draft, Value const& operand) {
    auto const it = named(plan, target, draft, &operand);
    if (it != draft.elements().end()) draft.remove(it);
}

void set_one(EditPlan& plan, FieldTarget const& target, Draft& draft, Value const& operand) {
    if (!has_only(plan, target, "$set", operand, {"element", "value"})) return;
    auto const it = named(plan, target, draft, operand.find("element"));
    Value const* value = operand.find("value");
    if (it == draft.elements().end() || !plain(plan, target, value, "$set")) return;
    std::string bytes = encode(*value);
    if (it->second.value != bytes || !it->second.single || it->second.marked)
        draft.set(it, std::move(bytes));
}

void move_one(EditPlan& plan, FieldTarget const& target, Draft& draft, Value const& operand) {
    if (!has_only(plan, target, "$move", operand, {"element", "after", "before"})) return;
    auto const it = named(plan, target, draft, operand.find("element"));
    if (it == draft.elements().end()) return;
    auto const spot = spot_of(plan, target, draft, operand);
    if (!spot) return;
    if (spot->neighbour == it) return bad(plan, target, "an element cannot stand beside itself");
    if (!stands_there(draft, it, *spot)) draft.move(it, place_at(draft, *spot));
}

void insert_one(EditPlan& plan, FieldTarget const& target, Draft& draft, Value const& operand) {
    if (!has_only(plan, target, "$insert", operand, {"after", "before", "value", "values"})) return;
    Value const* one = operand.find("value");
    Value const* several = operand.find("values");
    auto const* array = several ? several->as<Array>() : nullptr;
    if ((one != nullptr) == (several != nullptr) || (several && !array))
        return bad(plan, target, "$insert needs either a \"value\" or an array of \"values\"");
    if (!plain(plan, target, one ? one : several, "$insert")) return;
    auto const spot = spot_of(plan, target, draft, operand);
    if (!spot) return;
    std::vector<std::string> values;
    if (one) values.push_back(encode(*one));
    if (array)
        for (Value const& value : *array)
            values.push_back(encode(value));
    draft.insert(place_at(draft, *spot), std::move(values));
}

}  // namespace

void assign_list(EditPlan& plan, FieldTarget const& target, Value const& value) {
    auto const* array = value.as<Array>();
    if (!array)
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "a list takes an array, or $insert, $move, $set and $remove");
    Draft draft(plan, target);
    std::vector<Draft::Iterator> elements;
    std::vector<std::string_view> have, want;
    for (auto it = draft.elements().begin(); it != draft.elements().end(); ++it) {
        elements.push_back(it);
        have.push_back(it->second.value);
    }
    std::vector<std::string> bytes;
    for (Value const& item : *array)
        bytes.push_back(encode(item));
    want.assign(bytes.begin(), bytes.end());
    Diff const diff = compare(have, want);
    for (std::size_t i = 0; i < elements.size(); ++i)
        if (!diff.used[i]) draft.remove(elements[i]);
    std::optional<Position> last;
    std::optional<Draft::Iterator> beside;  // the element that stands at `last`, if not a new one
    auto const next_place = [&] {
        if (beside) draft.part_after(*beside);
        return draft.place_after(last ? &*last : nullptr);
    };
    for (std::size_t i = 0; i < diff.want.size() && !plan.error; ++i) {
        auto const [step, element] = diff.want[i];
        if (step == Diff::Step::insert) {
            std::vector<std::string> run;
            for (; i < bytes.size() && diff.want[i].step == Diff::Step::insert; ++i)
                run.push_back(std::move(bytes[i]));
            --i;
            last = draft.insert(next_place(), std::move(run));
            beside.reset();
            continue;
        }
        auto const it = elements[element];
        bool const settle = !it->second.single;  // has seen all values and decides for this one
        if (step == Diff::Step::set || settle) draft.set(it, std::move(bytes[i]));
        if (step == Diff::Step::move) draft.move(it, next_place());
        last = it->first.position;
        beside = it;
    }
}

void operate_list(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    using One = void (*)(EditPlan&, FieldTarget const&, Draft&, Value const&);
    static constexpr std::pair<std::string_view, One> kSteps[] = {
        {"$remove", remove_one}, {"$set", set_one}, {"$move", move_one}, {"$insert", insert_one}};
    Draft draft(plan, target);
    for (auto const& [name, one] : kSteps) {
        Value const* operand = find_member(operation, name);
        if (!operand) continue;
        auto const* array = operand->as<Array>();
        if (!array) one(plan, target, draft, *operand);
        for (std::size_t i = 0; array && i < array->size() && !plan.error; ++i)
            one(plan, target, draft, (*array)[i]);
    }
}

bool resolve_element(EditPlan& plan,
                     FieldTarget const& target,
                     std::string_view id,
                     Value const& value) {
    auto const name = parse_element_id(id);
    if (!name || !list_state(plan.record, target.at).exists) return false;
    Draft draft(plan, target);
    auto const it = draft.find(*name);
    if (it == draft.elements().end()) return false;
    if (plain(plan, target, &value, "a resolution")) draft.set(it, encode(value));
    return true;
}

}  // namespace inos
