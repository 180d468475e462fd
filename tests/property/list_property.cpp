// Random executions over one list at two to four sites: operators, assigned arrays, the list taken
// away, entries in any causal order, merges of states. Each operation gives its author the list
// that it asked for; all sites agree; and what a site shows is what a naive reference says of the
// entries that it has: of each element the last place and value that were written and not
// overwritten by somebody who had seen them, shown while a write that was not taken away remains
// that no removal had seen.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crdt/types/list.hpp"
#include "tests/support/mini_replica.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

RecordName const kOrder{"orders", "1"};

std::string field() {
    return path_name({}, "lines");
}

// An edit of a list as the reference sees it. An empty element: the whole list is taken away.
struct Event {
    enum class Kind { value, place, removal, clear } kind;
    std::string element;
    std::string payload;
    Dot dot;
    Hlc hlc;
    VersionVector deps;
};

std::vector<Event> events_of(Commit const& commit) {
    std::vector<Event> events;
    std::string const own = own_path(field(), CellType::list);
    for (Op const& op : commit.entry.ops)
        for (Edit const& edit : op.edits) {
            std::string_view rest = edit.path;
            Event event{Event::Kind::clear,
                        {},
                        edit.payload,
                        commit.dot(),
                        commit.entry.header.hlc,
                        commit.deps};
            if (edit.kind == 3 && edit.path == field()) events.push_back(event);
            if (edit.kind != 1 || !rest.starts_with(own) || rest == own) continue;
            rest.remove_prefix(own.size());
            event.element = take_segment(rest)->name;
            event.kind = rest[1] == 'v'   ? Event::Kind::value
                         : rest[1] == 'p' ? Event::Kind::place
                                          : Event::Kind::removal;
            events.push_back(std::move(event));
        }
    return events;
}

bool saw(Event const& later, Event const& earlier) {
    return later.deps.covers(earlier.dot);
}

// The values that a site with these entries shows, by the ids of their elements, in order.
using Shown = std::vector<std::pair<std::string, Value>>;

Shown reference(std::vector<CommitPtr> const& commits) {
    std::map<std::string, std::vector<Event>> by_element;
    std::vector<Event> clears;
    for (CommitPtr const& commit : commits)
        for (Event& event : events_of(*commit))
            (event.kind == Event::Kind::clear ? clears : by_element[event.element])
                .push_back(std::move(event));
    // Elements at one place, as a concurrent clear can leave them, are ordered by their paths.
    std::map<std::pair<Position, std::string>, std::pair<std::string, Value>> shown;
    for (auto const& [element, events] : by_element) {
        Event const *value = nullptr, *place = nullptr;
        bool kept = false;
        for (Event const& event : events) {
            if (event.kind == Event::Kind::removal) continue;
            auto const sees = [&](Event const& other) { return saw(other, event); };
            bool const gone = std::any_of(clears.begin(), clears.end(), sees) ||
                              std::any_of(events.begin(), events.end(), [&](Event const& other) {
                                  return other.kind == event.kind && sees(other);
                              });
            if (gone) continue;
            kept |= std::none_of(events.begin(), events.end(), [&](Event const& other) {
                return other.kind == Event::Kind::removal && sees(other);
            });
            Event const*& last = event.kind == Event::Kind::value ? value : place;
            if (!last || std::pair(last->hlc, last->dot) < std::pair(event.hlc, event.dot))
                last = &event;
        }
        if (!kept || !value) continue;
        Reader name(element);
        name.varint();
        auto const at = Position::decode(place ? place->payload : std::string(name.rest()));
        shown[{*at, path_child({}, element, CellType::element)}] = {element_id(element),
                                                                    *decode_value(value->payload)};
    }
    Shown list;
    for (auto const& [key, element] : shown)
        list.push_back(element);
    return list;
}

Shown shown_by(MiniReplica const& site) {
    Shown list;
    for (ListElement const& element : list_state(site.record(kOrder), field()).shown)
        list.push_back({element_id(element.name), *decode_value(element.values[0]->payload)});
    return list;
}

Array values_of(Shown const& shown) {
    Array values;
    for (auto const& [id, value] : shown)
        values.push_back(value);
    return values;
}

class Lists {
public:
    explicit Lists(std::size_t sites) {
        schemas_["orders"].fields["lines"].type = CellType::list;
        for (std::uint64_t i = 0; i < sites; ++i)
            sites_.emplace_back(ActorId{i + 1}, "", schemas_);
    }

    void step(Tape& tape) {
        MiniReplica& site = sites_[tape.below(sites_.size())];
        MiniReplica const& other = sites_[tape.below(sites_.size())];
        site.set_time(1'700'000'000'000 + 10 * ++time_ + tape.below(50));
        switch (tape.below(10)) {
            case 0:
            case 1:
                site.pull(other, tape.chance(50) ? 1 + tape.below(3) : SIZE_MAX);
                break;
            case 2:
                if (&site != &other) site.merge_state(other);
                break;
            case 3:
                assign(site, tape);
                break;
            default:
                operate(site, tape);
        }
        RC_ASSERT(shown_by(site) == reference(site.log()));
    }

    void finish() {
        for (MiniReplica& site : sites_)
            for (MiniReplica const& other : sites_)
                site.pull(other);
        for (MiniReplica& site : sites_)
            site.pull(sites_.back());
        for (MiniReplica const& site : sites_) {
            RC_ASSERT(site.bytes() == sites_[0].bytes());
            RC_ASSERT(shown_by(site) == reference(site.log()));
        }
    }

    std::vector<MiniReplica>& sites() { return sites_; }

private:
    void patch(MiniReplica& site, Value value) {
        site.patch(kOrder, {{"lines", std::move(value)}});
        RC_ASSERT(!site.error());
    }

    // What is read afterwards is exactly what was asked for.
    void expect(MiniReplica const& site, Array const& values) {
        RC_ASSERT(values_of(shown_by(site)) == values);
    }

    void assign(MiniReplica& site, Tape& tape) {
        if (tape.chance(15)) {
            patch(site, Value());
            return expect(site, {});
        }
        Array want = values_of(shown_by(site));
        for (std::size_t n = tape.below(4); n > 0; --n) {
            std::size_t const at = tape.below(want.size() + 1);
            auto const it = want.begin() + static_cast<std::ptrdiff_t>(at);
            if (at == want.size() || tape.chance(30))
                want.insert(it, fresh(tape));
            else if (tape.chance(30))
                want.erase(it);
            else if (tape.chance(50))
                *it = fresh(tape);
            else
                std::swap(*it, want.front());
        }
        patch(site, Value(Array(want)));
        expect(site, want);
    }

    void operate(MiniReplica& site, Tape& tape) {
        Shown const before = shown_by(site);
        std::size_t const size = before.size();
        Array want = values_of(before);
        auto const at = [&](std::size_t i) {
            return want.begin() + static_cast<std::ptrdiff_t>(i);
        };
        std::size_t const one = tape.below(size);
        std::size_t const gap = tape.below(size + 1);
        bool const after = tape.chance(50);
        Object place = after ? Object{{"after", gap ? Value(before[gap - 1].first) : Value()}}
                             : Object{{"before", gap < size ? Value(before[gap].first) : Value()}};
        std::size_t const kind = size == 0 ? 3 : tape.below(6);
        char const* name = kind == 0   ? "$remove"
                           : kind == 1 ? "$set"
                           : kind == 2 ? "$move"
                                       : "$insert";
        Value operand;
        if (kind == 0) {
            operand = Value(before[one].first);
            want.erase(at(one));
        } else if (kind == 1) {
            want[one] = fresh(tape);
            operand = Value(Object{{"element", Value(before[one].first)}, {"value", want[one]}});
        } else if (kind == 2) {
            std::size_t const beside = after ? gap - 1 : gap;
            if (beside == one) return;
            set_member(place, "element", Value(before[one].first));
            operand = Value(place);
            Value const moved = want[one];
            want.erase(at(one));
            want.insert(at(gap > one ? gap - 1 : gap), moved);
        } else {
            Array const run(1 + tape.below(3), fresh(tape));
            set_member(place, "values", Value(Array(run)));
            operand = Value(place);
            want.insert(at(gap), run.begin(), run.end());
        }
        patch(site, Value(Object{{name, std::move(operand)}}));
        expect(site, want);
    }

    // Often a value that is there already.
    Value fresh(Tape& tape) { return Value(static_cast<std::int64_t>(tape.below(6))); }

    Schemas schemas_;
    std::vector<MiniReplica> sites_;
    std::uint64_t time_ = 0;
};

RC_GTEST_PROP(ListProperty, A7_E15_lists_converge_to_what_the_reference_says, (Tape tape)) {
    Lists lists(2 + tape.below(3));
    for (std::size_t n = tape.below(60); n > 0; --n)
        lists.step(tape);
    lists.finish();
}

}  // namespace
}  // namespace inos::test
