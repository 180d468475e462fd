// Whether a rule holds in what one site shows.
//
// Expressions come to what storage/expression_eval.hpp says. A condition counts only records where
// it is true, and a rule is broken only where it is false: what is unknown breaks none.
//
// Pure, total; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/simulate/rule_check.hpp"

namespace inos::simulate {

using Records = std::map<std::string, Object>;    // fields by id
using Snapshot = std::map<std::string, Records>;  // by collection

inline constexpr std::size_t kBindingsMax = 10'000;  // of a rule's variables, for one record

// Where a rule does not hold.
struct Breach {
    std::string collection, id;  // of the record; empty for a rule about none
    // What was looked at, by its text in the rule: {"stock", -1}, {"X", "ann@example.org"},
    // {"count(...)", 2}; each once, in the rule's order.
    std::vector<std::pair<std::string, Value>> values;
    bool operator==(Breach const&) const = default;
};

// The first one, by id and then by the variables' values.
std::optional<Breach> find_breach(CheckedRule const& rule, Snapshot const& snapshot);

}  // namespace inos::simulate
