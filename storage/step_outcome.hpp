// How an edit of the past ended: whether what it wrote is still there and is what is read. Judged
// by the record's cells as they are now, and by who had seen what. Pure; refers to the past that it
// is made for.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/types/list.hpp"
#include "storage/history.hpp"

namespace inos {

// What the steps of a past took away, by path, so that asking does not walk the past.
class Removals {
public:
    explicit Removals(RecordPast const& past);

    // Did some step take away or overwrite what the entry `dot` wrote at `path`, having seen it?
    bool took(std::string_view path, Dot dot) const;
    // The same of an increment at `path` in the run `id`, which goes with its run.
    bool took_run(std::string_view path, RunName const& id, Dot dot) const;
    // Of what the entry made of the record as a whole: any step that had seen it.
    bool replaced_delete(Dot dot) const;

private:
    using Steps = std::vector<HistoryStep const*>;  // the oldest first
    using ByPath = std::map<std::string_view, Steps>;

    bool cleared(std::string_view path, Dot dot) const;

    Steps all_, fresh_;
    ByPath clears_, exact_, ends_of_runs_;
};

class Outcomes {
public:
    Outcomes(RecordPast const& past, CollectionSchema const& schema);

    Outcome of_edit(HistoryStep const& step, Edit const& edit, FieldPath const& field);
    Outcome of_delete(HistoryStep const& step) const;
    // Of a change without edits: of a record that was put with no fields.
    Outcome of_existence(HistoryStep const& step) const;

    Removals const& removals() const { return removals_; }

private:
    Outcome of_write(HistoryStep const& step, Edit const& edit, FieldPath const& field);
    Outcome of_removal(HistoryStep const& step, Edit const& edit) const;
    Outcome of_count(HistoryStep const& step, Edit const& edit, FieldPath const& field);
    Outcome of_cell(Cell const& cell, FieldPath const& field);
    Outcome of_element(Cell const& cell, FieldPath const& field);
    Outcome of_marker(HistoryStep const& step, Edit const& edit, FieldPath const& field);
    bool counts_against_removal(std::size_t cell) const;
    Outcome hidden(Dot dot) const;
    bool is_read(FieldPath const& field);
    bool find_is_read(FieldPath const& field) const;

    struct List {
        ListState state;
        std::map<std::string_view, ListElement const*> shown;  // by name, into the state
    };
    List const& list_at(std::string_view at);

    RecordPast const& past_;
    CollectionSchema const& schema_;
    bool visible_;
    Removals removals_;
    std::vector<Record::Range> removed_elements_;
    std::vector<HistoryStep const*> deletes_;
    std::map<Dot, HistoryStep const*> by_dot_;
    // What is asked for each edit of a field and costs a walk over its cells.
    std::map<std::string, List, std::less<>> lists_;
    std::map<std::pair<std::string, CellType>, bool> read_;
};

}  // namespace inos
