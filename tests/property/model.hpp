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
// A run of text has lost the code points that any op of the set cut away that had seen it; with
// none left it is gone.
// A run that exists has one cell: of its last increment in the set, with the sum of all of them.
// One that was removed has a `lost` cell below it, of its last increment, unless an op that reaches
// that had seen this increment.
//
// Once the set holds an erase, nothing exists but a mark for each.
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

    // Is the record to be seen? Deleted while its markers cover all its cells but those of removed
    // elements (or while any marker stands), and there at all only with an existence cell.
    static bool visible(std::vector<Cell> const& cells, DeletePolicy policy);

    // What a purge leaves of the cells when everybody holds what `stable` names: nothing of a
    // record that its markers cover, and nothing of an element of a list that its own markers
    // cover, if all of it, the markers too, is stable.
    static std::vector<Cell> purged(std::vector<Cell> cells, VersionVector const& stable);

    std::vector<RecordName> records() const;

private:
    struct Event {
        CommitPtr commit;
        Op const* op;
    };
    std::map<RecordName, std::vector<Event>> events_;
};

}  // namespace inos::test
