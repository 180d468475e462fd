// A text as its cells make it up: stretches of characters in the order of the document, and the
// edits that turn it into another text.
//
// A run is a cell; its characters stand at consecutive positions (crdt/position.hpp), of which
// removals leave gaps and into which other runs are inserted. So a run is shown as one or more
// stretches. Where several cells hold characters at one position, which no author means to write,
// the cells' dots decide. Cells that cannot be read are passed over.
//
// Building takes O(n log n) comparisons of positions for n pieces of runs, however long they are.
// A value of one plan; refers to the record's payloads and must not outlive the record.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/pieces.hpp"
#include "crdt/position.hpp"
#include "crdt/types/types.hpp"

namespace inos {

class TextDocument {
public:
    // `own` is the text's own path.
    TextDocument(Record const& record, std::string_view own);
    TextDocument(TextDocument const&) = delete;
    TextDocument& operator=(TextDocument const&) = delete;

    std::uint64_t length() const { return length_; }  // in code points
    std::string text() const;

    // Removes `removed` characters from `at` on, then inserts there. at + removed <= length().
    // False, with nothing inserted, when the place would be deeper in the tree of positions than
    // kPositionDepthMax.
    bool splice(std::uint64_t at, std::uint64_t removed, std::string_view inserted, ActorId author);

    // The edits that all splices so far come to.
    void plan(EditPlan& plan) const;

private:
    // The characters of one cell, or of one insertion of this plan (then without a cell).
    struct Run {
        Position position;  // of index 0
        Cell const* cell = nullptr;
        std::uint64_t length = 0;  // of what was there to begin with
        PieceRanges removed;       // of a cell: in the order of the splices
    };
    // Consecutive characters of a run, with nothing between them.
    struct Stretch {
        std::size_t run = 0;
        std::uint64_t index = 0, length = 0;
        std::string_view text;
    };
    struct Front;  // a stretch on its way into the order

    void load(Record const& record);
    void put_in_order(std::vector<Front> fronts);
    Front front(Stretch stretch) const;
    bool precedes(Front const& a, Front const& b) const;
    std::uint64_t count_before(Front const& a, Front const& b) const;
    Position position(Stretch const& stretch, std::uint64_t offset) const;

    // The stretch that begins at the character; stretches_.size() for the end.
    std::size_t split_at(std::uint64_t at);
    void remove(std::size_t first, std::size_t last);
    std::string take_twins(std::size_t before);
    std::optional<Position> place(std::size_t before, ActorId author) const;
    void plan_removals(EditPlan& plan) const;
    void plan_insertions(EditPlan& plan) const;
    void plan_run(EditPlan& plan, Position const& position, std::string_view text) const;

    std::string own_;
    std::vector<Run> runs_;
    std::vector<Stretch> stretches_;
    std::deque<std::string> inserted_;  // the texts of this plan's insertions
    std::uint64_t length_ = 0;
    std::uint64_t counter_ = 0;  // the highest run counter in the text
};

// A write of a run of which `cut` is taken away before it is made: the writes that are left, one
// for each piece, at the places of their first characters.
std::vector<Edit> shortened_writes(Edit const& write, PieceRanges const& cut);

}  // namespace inos
