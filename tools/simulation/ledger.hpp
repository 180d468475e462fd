// What people asked for in a run, and what they were told. Kept beside the nodes, by nobody whose
// work is checked. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/aliases.hpp"
#include "storage/replica.hpp"

namespace inos::sim {

// The collections that people write to, each with a rule of its own for the checkers.
//
//   orders    a new record for every write, written once: {"n": number}
//   pairs     two new records in one transaction, both with {"n": number}
//   fields    few records, one register for which all fight: {"v": number}; never deleted
//   totals    one record with a counter; never deleted
//   stock     few records with a bounded counter; never deleted
//   loose     few records that are written and deleted: {"v": number, "w": number}; update-wins
//   strict    the same; delete-wins
//   mixed     few records with a set and a counter, which are changed, taken away and deleted:
//             {"tags": [...], "n": sum}; update-wins
//   twins     few records that are merged into each other, and parted again
//   persons   records with a secret each, some of them erased
//   typed     anything that the schema of the run allows, and some that it does not
inline constexpr char const* kOrders = "orders";
inline constexpr char const* kPairs = "pairs";
inline constexpr char const* kFields = "fields";
inline constexpr char const* kTotals = "totals";
inline constexpr char const* kStock = "stock";
inline constexpr char const* kLoose = "loose";
inline constexpr char const* kStrict = "strict";
inline constexpr char const* kMixed = "mixed";
inline constexpr char const* kTwins = "twins";
inline constexpr char const* kPersons = "persons";
inline constexpr char const* kTyped = "typed";

enum class Outcome : std::uint8_t {
    unknown,       // no answer came, or one that says that the disk failed
    acknowledged,  // the client was told that it is done
    refused,       // the client was told that nothing was done
};

struct Asked {
    std::uint64_t number = 0;  // from 1, in the order of asking
    std::string node;
    ActorId actor;
    std::string source;  // "t" and the number; in `typed` a name that its schema may rank
    std::vector<Write> writes;
    // How the node stood when it was asked: what it may refuse follows from that.
    bool may_write = true, caught_up = true;
    std::optional<bool> fits_version;  // If-Match names the version of that moment, or another one
    Outcome outcome = Outcome::unknown;
    std::optional<Dot> dot;  // of the entry, if it is known and there is one
    // Acknowledged and gone, as may be: flushed before a loss of power, or held by nobody but a
    // directory in whose place an older one was put.
    bool lost = false;
    bool away = false;  // not where it was asked for: there the directory is an older one
};

class Ledger {
public:
    Asked& ask() {
        asked_.push_back({});
        asked_.back().number = asked_.size();
        return asked_.back();
    }
    Asked& at(std::uint64_t number) { return asked_.at(number - 1); }
    std::vector<Asked> const& all() const { return asked_; }
    std::vector<Asked>& all() { return asked_; }

private:
    std::vector<Asked> asked_;
};

}  // namespace inos::sim
