// What records have to show, by rules written down here a second time: who had seen whom is read
// off the log, what was asked for off the ledger, and the merge is not asked at all.
//
// Two words: a write *sees* another one when its author held it; a write is *fresh* when its author
// held the record as deleted, or not at all, and then it takes away all that it sees.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/simulation/ledger.hpp"
#include "tools/simulation/log_view.hpp"

namespace inos::sim {

class RecordRules {
public:
    // Entries by the number of what was asked. All of them have to outlive the rules.
    RecordRules(Ledger const& ledger,
                LogView const& log,
                std::map<std::uint64_t, LoggedEntry const*> const& entries);

    struct Expected {
        bool there = false;
        std::map<std::string, Value> fields;  // those that have a rule, and null for absent ones
    };
    // By record, all of `loose`, `strict`, `mixed` and `persons` that anybody wrote to and nobody
    // erased.
    std::map<RecordName, Expected> all() const;

private:
    struct Touch {
        LoggedEntry const* entry = nullptr;
        Op const* op = nullptr;
        Write const* asked = nullptr;  // nullptr: by the node itself
        bool is_delete = false, fresh = false;
    };
    using Touches = std::vector<Touch const*>;  // by actor and number
    using Kills = std::function<bool(Touch const&)>;

    static bool there(RecordName const& name, Touches const& touches);
    static bool left(RecordName const& name, Touches const& touches, Touch const& touch);
    static bool killed(Touches const& touches, Dot dot, Kills const& kills);
    static void find_fresh(RecordName const& name, std::vector<Touch>& touches);
    static Value register_of(Touches const& touches, std::string const& field);
    static Value tags_of(Touches const& touches);
    static std::map<Dot, Dot> runs_of(Touches const& touches);
    static Value sum_of(Touches const& touches);

    std::map<RecordName, std::vector<Touch>> records_;
};

}  // namespace inos::sim
