// What the merge has to arrive at, said without saying how: from the mere set of entries that a
// replica has, which cells exist. Slow, naive, and written apart from crdt/merge.cpp on purpose: it
// shares no code with it but the encoding of numbers.
//
// A cell exists if the set holds the op that wrote it and no op of the set removes it. An op
// removes a cell of its record if it had seen it (its ctx, within its deps, covers the cell's dot;
// of a run: the run's start) and it is one of
//   - a fresh op: every cell;
//   - a change: delete markers; what lies on a path that it writes or removes, or under a prefix
//     that it clears (a counter's run is not touched by increments);
//   - a delete: delete markers.
// A run that exists has one cell: of its last increment in the set, with the sum of all of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crdt/record.hpp"
#include "tests/support/mini_replica.hpp"

namespace inos::test {

class Model {
public:
    void add(CommitPtr const& commit);

    // The cells of a record by the entries that `known` names, ascending by path and dot.
    std::vector<Cell> cells(RecordName const& name, VersionVector const& known) const;

    // Is the record to be seen? Deleted while its markers cover all its cells (or while any marker
    // stands), and there at all only with an existence cell.
    static bool visible(std::vector<Cell> const& cells, DeletePolicy policy);

    std::vector<RecordName> records() const;

private:
    struct Event {
        CommitPtr commit;
        Op const* op;
    };
    std::map<RecordName, std::vector<Event>> events_;
};

}  // namespace inos::test
