// How an edit of the past ended: whether what it wrote is still there and is what is read. Judged
// by the record's cells as they are now, and by who had seen what. Pure; refers to the past that it
// is made for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crdt/types/list.hpp"
#include "storage/history.hpp"

namespace inos {

// Did the author of some step take away the increment with its run, having seen it? `step` counted
// at `path` in the run `id`.
bool was_cleared(RecordPast const& past,
                 HistoryStep const& step,
                 std::string_view path,
                 RunName const& id);

class Outcomes {
public:
    Outcomes(RecordPast const& past, CollectionSchema const& schema);

    Outcome of_edit(HistoryStep const& step, Edit const& edit, FieldPath const& field);
    Outcome of_delete(HistoryStep const& step) const;
    // Of a change without edits: of a record that was put with no fields.
    Outcome of_existence(HistoryStep const& step) const;

private:
    Outcome of_write(HistoryStep const& step, Edit const& edit, FieldPath const& field);
    Outcome of_removal(HistoryStep const& step, Edit const& edit) const;
    Outcome of_count(HistoryStep const& step, Edit const& edit, FieldPath const& field) const;
    Outcome of_cell(Cell const& cell, FieldPath const& field);
    Outcome of_element(Cell const& cell, FieldPath const& field);
    Outcome hidden(Dot dot) const;
    bool is_read(FieldPath const& field) const;
    ListState const& list_at(std::string_view at);

    RecordPast const& past_;
    CollectionSchema const& schema_;
    bool visible_;
    std::vector<HistoryStep const*> deletes_;
    std::map<Dot, HistoryStep const*> by_dot_;
    std::map<std::string, ListState, std::less<>> lists_;
};

}  // namespace inos
