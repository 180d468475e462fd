// The log of one node, read from its engine and decoded: what every checker believes instead of
// asking the replica whose work it checks. Throws CheckFailed where the log is not in order:
// numbers with gaps, stamps that do not grow, entries that are void.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "storage/crypto/crypto.hpp"
#include "tools/simulation/fault_engine.hpp"

namespace inos::sim {

// An invariant does not hold; the text says which (numbers as in docs/testing.md) and where.
struct CheckFailed : std::runtime_error {
    using std::runtime_error::runtime_error;
};
inline void require(bool holds, std::string const& text) {
    if (!holds) throw CheckFailed(text);
}

struct LoggedEntry {
    Dot dot;
    Hlc hlc;
    VersionVector deps;  // all that its author had seen, its own entries before it included
    std::string source;
    std::vector<Op> ops;  // not those that were erased
    std::string bytes;
    crypto::Hash32 chain{};  // over its author's log up to here
};

// The log's keys and values, with what is in front of its start: it was cut, or never here.
std::map<std::string, std::string> whole_log(FaultEngine const& engine);

// By dot, so each actor's entries are together and in order.
using LogView = std::map<Dot, LoggedEntry>;
LogView read_log(FaultEngine const& engine);

// The last entry of every actor in the log.
VersionVector logged(FaultEngine const& engine);
// The number of the actor's last entry in the log; 0: there is none.
Seq last_logged(FaultEngine const& engine, ActorId actor);

// The entry had seen `dot`.
inline bool saw(LoggedEntry const& entry, Dot dot) {
    return entry.deps.covers(dot);
}

}  // namespace inos::sim
