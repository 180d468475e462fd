// Texts in random executions, against a reference that is plainly right: every character that is
// ever typed is another one, so that a text is known by its characters. Each replica has to hold
// exactly those that were inserted and not removed by the entries that it has; every author sees
// what it asked for; and no two replicas ever show two characters in different orders.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crdt/types/text_document.hpp"
#include "tests/support/mini_replica.hpp"
#include "tests/support/tape.hpp"
#include "tools/simulation/crdt_gen.hpp"

namespace inos::test {
namespace {

RecordName const kNote{"notes", "1"};

using Letters = std::vector<std::string>;

// The n-th letter there is, of two, three or four bytes.
std::string letter(std::uint32_t n) {
    static constexpr std::uint32_t kFirst[] = {0x100, 0x4e00, 0x10000};
    std::uint32_t const code = kFirst[n % 3] + n;
    auto const tail = [code](int shift) {
        return static_cast<char>(0x80 | ((code >> shift) & 0x3f));
    };
    if (n % 3 == 0) return {static_cast<char>(0xc0 | code >> 6), tail(0)};
    if (n % 3 == 1) return {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
}

Letters split(std::string_view text) {
    Letters letters;
    while (!text.empty()) {
        std::size_t const bytes = bytes_of(text, 1);
        letters.emplace_back(text.substr(0, bytes));
        text.remove_prefix(bytes);
    }
    return letters;
}

std::string joined(Letters const& letters) {
    std::string text;
    for (std::string const& one : letters)
        text += one;
    return text;
}

std::string read(MiniReplica const& site) {
    auto const fields = site.resolved(kNote).fields;
    auto const* value = find_member(fields, "memo");
    return value ? *value->as<std::string>() : std::string();
}

Value splice(std::size_t at, std::size_t removed, std::string_view inserted) {
    return Value(Object{{"at", Value(static_cast<std::int64_t>(at))},
                        {"delete", Value(static_cast<std::int64_t>(removed))},
                        {"insert", Value(inserted)}});
}

Request patch(Value memo) {
    return {Request::Kind::patch, kNote, {{"memo", std::move(memo)}}, {}};
}

struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Writers {
public:
    explicit Writers(std::size_t count) {
        schemas_["notes"].fields["memo"].type = CellType::text;
        for (std::uint64_t i = 1; i <= count; ++i)
            sites_.emplace_back(ActorId{i * 0x1111}, "", schemas_);
    }

    void step(Tape& tape) {
        MiniReplica& site = sites_[tape.below(sites_.size())];
        MiniReplica const& other = sites_[tape.below(sites_.size())];
        std::size_t const kind = tape.below(10);
        if (kind < 6) {
            write(site, tape);
        } else if (kind < 9) {
            site.pull(other, tape.chance(50) ? SIZE_MAX : 1 + tape.below(3));
            check(site);
        } else if (&site != &other) {
            MiniReplica by_entries = site;
            by_entries.pull(other);
            site.merge_state(other);
            if (by_entries.bytes() != site.bytes()) throw Broken("a state merge differs");
            check(site);
        }
    }

    void finish(Tape& tape) {
        for (MiniReplica& site : sites_)
            for (MiniReplica const& other : sites_)
                site.pull(other);
        MiniReplica late = late_comer(tape);
        for (MiniReplica& site : sites_) {
            site.pull(sites_.front());
            site.pull(sites_.back());
            check(site);
            if (site.bytes() != late.bytes()) throw Broken("replicas that have all differ");
        }
        check_one_order();
    }

private:
    struct Effect {
        std::set<std::string> inserted, removed;
    };

    // Changes `now` and answers the operation that does the same.
    Value change(Tape& tape, Letters& now) {
        std::size_t const at = tape.below(now.size() + 1);
        std::size_t const removed =
            tape.chance(50) ? tape.below(std::min<std::size_t>(now.size() - at, 6) + 1) : 0;
        Letters fresh(removed > 0 && tape.chance(50) ? 0 : tape.below(5));
        for (std::string& one : fresh)
            one = letter(next_++);
        auto const from = now.begin() + static_cast<std::ptrdiff_t>(at);
        auto const place = now.erase(from, from + static_cast<std::ptrdiff_t>(removed));
        now.insert(place, fresh.begin(), fresh.end());
        return splice(at, removed, joined(fresh));
    }

    // A transaction of one or more requests: splices, lists of splices, or whole texts.
    void write(MiniReplica& site, Tape& tape) {
        Letters const before = split(read(site));
        Letters now = before;
        std::vector<Request> requests(1 + (tape.chance(30) ? tape.below(3) : 0));
        for (Request& request : requests) {
            Array splices(1 + (tape.chance(30) ? tape.below(3) : 0));
            for (Value& one : splices)
                one = change(tape, now);
            Value operand = splices.size() == 1 ? splices[0] : Value(splices);
            request = patch(tape.chance(20) ? Value(joined(now))
                                            : Value(Object{{"$splice", std::move(operand)}}));
        }
        auto const made = site.commit(requests);
        if (site.error()) throw Broken("refused: " + site.error()->message);
        if (read(site) != joined(now)) throw Broken("the author does not see what it asked for");
        if (!made) return;
        Effect& effect = effects_[made->dot()];
        std::set<std::string> const old(before.begin(), before.end()), all(now.begin(), now.end());
        std::set_difference(all.begin(),
                            all.end(),
                            old.begin(),
                            old.end(),
                            std::inserter(effect.inserted, effect.inserted.end()));
        std::set_difference(old.begin(),
                            old.end(),
                            all.begin(),
                            all.end(),
                            std::inserter(effect.removed, effect.removed.end()));
        check(site);
    }

    void check(MiniReplica const& site) {
        std::set<std::string> expected;
        for (auto const& [dot, effect] : effects_)
            if (site.vv().covers(dot))
                expected.insert(effect.inserted.begin(), effect.inserted.end());
        for (auto const& [dot, effect] : effects_)
            if (site.vv().covers(dot))
                for (std::string const& one : effect.removed)
                    expected.erase(one);
        Letters const shown = split(read(site));
        if (shown.size() != expected.size() ||
            std::set<std::string>(shown.begin(), shown.end()) != expected)
            throw Broken("other characters than were typed and not removed");
        for (std::size_t i = 1; i < shown.size(); ++i)
            after_[shown[i - 1]].insert(shown[i]);
        for (Cell const& cell : site.record(kNote).cells()) {
            auto const pieces = Pieces::decode(cell.payload);
            if (is_shrinking(cell.path) && !pieces) throw Broken("a run without characters");
        }
    }

    // All entries in another causal order.
    MiniReplica late_comer(Tape& tape) {
        MiniReplica late(ActorId{0x9999}, "", schemas_);
        std::vector<CommitPtr> waiting = sites_[0].log();
        while (!waiting.empty()) {
            std::size_t const first = tape.below(waiting.size());
            for (std::size_t i = 0; i < waiting.size(); ++i) {
                auto const at =
                    waiting.begin() + static_cast<std::ptrdiff_t>((first + i) % waiting.size());
                if (!late.receive(*at)) continue;
                waiting.erase(at);
                break;
            }
        }
        return late;
    }

    // What any replica ever showed before something else: without a circle, one order fits all.
    void check_one_order() const {
        std::map<std::string, std::size_t> waits;
        for (auto const& [one, followers] : after_)
            for (std::string const& next : followers)
                ++waits[next];
        Letters ready;
        for (auto const& [one, followers] : after_)
            if (!waits.contains(one)) ready.push_back(one);
        std::size_t circle = waits.size();
        while (!ready.empty()) {
            std::string const one = ready.back();
            ready.pop_back();
            auto const found = after_.find(one);
            if (found == after_.end()) continue;
            for (std::string const& next : found->second) {
                if (--waits[next] > 0) continue;
                ready.push_back(next);
                --circle;
            }
        }
        if (circle > 0) throw Broken("two replicas showed characters in different orders");
    }

    Schemas schemas_;
    std::vector<MiniReplica> sites_;
    std::map<Dot, Effect> effects_;
    std::map<std::string, std::set<std::string>> after_;
    std::uint32_t next_ = 0;
};

RC_GTEST_PROP(TextProperty, D18_all_hold_what_was_typed_and_not_removed_in_one_order, ()) {
    Tape tape = *any_tape(12);
    Writers writers(2 + tape.below(3));
    for (std::size_t n = 5 + tape.below(60); n > 0; --n)
        writers.step(tape);
    writers.finish(tape);
}

// Whoever types a word at one place, in one direction, finds it whole however many others did.
RC_GTEST_PROP(TextProperty, words_typed_at_one_place_at_the_same_time_are_not_mixed, ()) {
    Tape tape = *any_tape(12);
    Schemas schemas;
    schemas["notes"].fields["memo"].type = CellType::text;
    std::vector<MiniReplica> sites;
    for (std::uint64_t i = 1; i <= 2 + tape.below(3); ++i)
        sites.emplace_back(ActorId{i}, "", schemas);
    std::uint32_t next = 0;
    auto const insert = [&](MiniReplica& site, std::size_t at, std::string_view text) {
        auto const made = site.commit({patch(Value(Object{{"$splice", splice(at, 0, text)}}))});
        RC_ASSERT(made != nullptr);
    };
    // What stands there before, written by some of them.
    for (std::size_t n = tape.below(6); n > 0; --n) {
        MiniReplica& site = sites[tape.below(sites.size())];
        for (MiniReplica const& other : sites)
            site.pull(other);
        std::size_t const at = tape.below(split(read(site)).size() + 1);
        insert(site, at, letter(next) + letter(next + 1));
        next += 2;
    }
    for (MiniReplica& site : sites)
        for (MiniReplica const& other : sites)
            site.pull(other);
    std::size_t const length = split(read(sites[0])).size();
    std::size_t const place = tape.below(length + 1);
    std::vector<std::string> words;
    for (MiniReplica& site : sites) {
        Letters word(1 + tape.below(6));
        for (std::string& one : word)
            one = letter(next++);
        words.push_back(joined(word));
        bool const backwards = tape.chance(40);
        for (std::size_t done = 0; done < word.size();) {
            std::size_t const count = 1 + tape.below(word.size() - done);
            std::size_t const from = backwards ? word.size() - done - count : done;
            auto const first = word.begin() + static_cast<std::ptrdiff_t>(from);
            Letters const part(first, first + static_cast<std::ptrdiff_t>(count));
            insert(site, place + (backwards ? 0 : done), joined(part));
            done += count;
        }
    }
    for (MiniReplica& site : sites)
        for (MiniReplica const& other : sites)
            site.pull(other);
    for (MiniReplica const& site : sites) {
        RC_ASSERT(read(site) == read(sites[0]));
        for (std::string const& word : words)
            RC_ASSERT(read(site).find(word) != std::string::npos);
    }
}

// Whatever cells there are, a text is read, each character once, and the same from any record that
// holds them.
RC_GTEST_PROP(TextProperty, reading_is_total, (Tape tape)) {
    std::string const own = own_path(path_name({}, "memo"), CellType::text);
    Record record;
    std::size_t readable = 0;
    for (std::size_t n = tape.below(12); n > 0; --n) {
        std::vector<Waypoint> path(1 + tape.below(3));
        for (Waypoint& point : path)
            point = {tape.chance(50) ? Side::left : Side::right,
                     {tape.below(3), ActorId{tape.below(2)}},
                     tape.below(2),
                     tape.below(4)};
        std::string name = Position(path).encode();
        if (tape.chance(10)) name += "x";
        std::string payload = Pieces("abcdefgh").encode();
        auto pieces = *Pieces::decode(payload);
        pieces.cut({{tape.below(8), 1 + tape.below(3)}});
        std::string const left = tape.chance(10) ? "malformed" : pieces.encode();
        Cell const cell{path_child(own, name, CellType::text_run),
                        {ActorId{tape.below(3)}, 1 + tape.below(3)},
                        {},
                        "",
                        left};
        record.insert(cell);
    }
    for (Cell const& cell : record.cells()) {
        std::string_view rest = std::string_view(cell.path).substr(own.size());
        auto const pieces = Pieces::decode(cell.payload);
        if (!pieces || !Position::decode(take_segment(rest)->name)) continue;
        for (Piece const& piece : pieces->items())
            readable += piece.length;
    }
    TextDocument const document(record, own);
    RC_ASSERT(document.length() == readable);
    RC_ASSERT(document.text().size() == readable);

    TextDocument edited(record, own);
    std::string want = edited.text();
    std::size_t const at = tape.below(want.size() + 1);
    std::size_t const removed = tape.below(want.size() - at + 1);
    want.replace(at, removed, "NEW");
    RC_ASSERT(edited.splice(at, removed, "NEW", ActorId{1}));
    RC_ASSERT(edited.text() == want);
    EditPlan plan{record, ActorId{1}, 9, {}, {}};
    edited.plan(plan);
    Op op;
    op.kind = 1;
    op.edits = plan.edits;
    VersionVector deps;
    for (std::uint64_t actor = 0; actor < 3; ++actor)
        deps.set(ActorId{actor}, 8);
    apply(record, op, {{ActorId{1}, 9}, {}, "", deps});
    RC_ASSERT(TextDocument(record, own).text() == want);
}

}  // namespace
}  // namespace inos::test
