// A list: elements in an order that each site changes as it likes, such as the lines of an order.
// A removal that was concurrent with an edit or a move of the element does not hold: it comes back
// whole (update wins). Concurrent moves of one element leave it at one place, the later one's.
//
//   L                        the list's own path; a cell without payload: "there is a list"
//   E = L | name | element   name = seq varint of the entry that made it | Position at its birth
//   E | "v" | register       its value; several after concurrent writes
//   E | "p" | position       where it was moved to: a Position
//   E | "d" | marker         it was removed: the VersionVector of what the remover saw of it
//
// An element is shown if it has a value and its markers do not cover all its other cells. It stands
// at the place it was moved to last, else where it was born; elements at one place (by an author
// that used a place again after the whole list was taken away) stand in the order of their paths.
//
// The list of values with moves after Kleppmann 2020, "Moving Elements in List CRDTs".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/position.hpp"
#include "crdt/types/types.hpp"

namespace inos {

TypeRules list_rules();

struct ListElement {
    std::string path;
    std::string name;
    Position place;
    std::vector<Cell const*> values;  // readable ones, the one that is shown first; never empty
    bool marked = false;              // somebody removed it meanwhile

    // Do concurrent values differ?
    bool conflict() const;
};

// A list as it is read, and the places of all elements that have been somewhere, shown or not, so
// that new ones get places of their own.
struct ListState {
    bool exists = false;
    std::vector<ListElement> shown;  // in order
    std::vector<Position> places;    // in no order; may repeat
};
ListState list_state(Record const& record, std::string_view at);

// How people name an element: its name in hexadecimal digits.
std::string element_id(std::string_view name);
std::optional<std::string> parse_element_id(std::string_view id);  // nullopt: no element's id

// The list as [{"element": id, "value": value}, ...].
Value elements_value(Record const& record, std::string_view at);

// The concurrent values of an element, the one that is shown first, one of each.
std::vector<ConflictValue> element_values(ListElement const& element);

// Paths of an element and of its cells.
std::string element_path(std::string_view at, Seq seq, Position const& birth);
std::string element_value_path(std::string_view element);
std::string element_place_path(std::string_view element);
std::string element_marker_path(std::string_view element);

}  // namespace inos
