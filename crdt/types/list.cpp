#include "crdt/types/list.hpp"

#include <algorithm>
#include <tuple>

#include "crdt/types/list_change.hpp"

namespace inos {
namespace {

constexpr CellType kType = CellType::list;

std::string const& value_segment() {
    static std::string const segment = path_child({}, "v", CellType::register_);
    return segment;
}
std::string const& place_segment() {
    static std::string const segment = path_child({}, "p", CellType::position);
    return segment;
}
std::string const& marker_segment() {
    static std::string const segment = path_child({}, "d", CellType::marker);
    return segment;
}

std::optional<Position> birth_of(std::string_view name) {
    Reader in(name);
    in.varint();
    if (!in.ok()) return std::nullopt;
    return Position::decode(in.rest());
}

bool is_marker(Cell const& cell) {
    return static_cast<CellType>(cell.path.back()) == CellType::marker;
}

// Do the markers of one path below the element cover all its other cells?
bool removed(Record const& record, Record::Range element, std::string_view path) {
    for (std::size_t i = element.begin; i < element.end; ++i) {
        std::string_view rest = std::string_view(record[i].path).substr(path.size());
        if (!is_marker(record[i]) || !take_segment(rest) || !rest.empty()) continue;
        VersionVector seen;
        auto const markers = record.at(record[i].path);
        for (std::size_t m = markers.begin; m < markers.end; ++m) {
            Reader in(record[m].payload);
            if (auto const vv = VersionVector::decode(in)) seen.merge(*vv);
        }
        bool covered = true;
        for (std::size_t c = element.begin; c < element.end && covered; ++c)
            covered = is_marker(record[c]) || seen.covers(record[c].dot);
        if (covered) return true;
        i = markers.end - 1;
    }
    return false;
}

bool later(Cell const* a, Cell const* b) {
    return std::tie(b->hlc, b->dot) < std::tie(a->hlc, a->dot);
}

void add_element(ListState& state, Record const& record, Record::Range range, ListElement element) {
    auto const birth = birth_of(element.name);
    if (!birth) return;
    state.places.push_back(*birth);
    element.place = *birth;
    Cell const* moved = nullptr;
    for (std::size_t i = range.begin; i < range.end; ++i) {
        Cell const& cell = record[i];
        std::string_view const rest = std::string_view(cell.path).substr(element.path.size());
        if (rest == value_segment() && decode_value(cell.payload)) {
            element.values.push_back(&cell);
        } else if (rest == place_segment()) {
            auto const place = Position::decode(cell.payload);
            if (!place) continue;
            state.places.push_back(*place);
            if (moved && !later(&cell, moved)) continue;
            moved = &cell;
            element.place = *place;
        }
        element.marked |= is_marker(cell);
    }
    if (element.values.empty() || removed(record, range, element.path)) return;
    std::sort(element.values.begin(), element.values.end(), later);
    state.shown.push_back(std::move(element));
}

bool present(Record const& record, std::string_view at) {
    auto const own = record.at(own_path(at, kType));
    return own.begin != own.end || !list_state(record, at).shown.empty();
}

Value read(Record const& record, std::string_view at, FieldSchema const*) {
    Array values;
    for (ListElement const& element : list_state(record, at).shown)
        values.push_back(*decode_value(element.values.front()->payload));
    return Value(std::move(values));
}

// Conflicts of a list are those of its elements; resolve() walks to them.
std::vector<ConflictValue> siblings(Record const&, std::string_view, FieldSchema const*) {
    return {};
}

}  // namespace

bool ListElement::conflict() const {
    return std::any_of(values.begin(), values.end(), [this](Cell const* cell) {
        return cell->payload != values.front()->payload;
    });
}

ListState list_state(Record const& record, std::string_view at) {
    ListState state;
    std::string const own = own_path(at, kType);
    auto const all = record.under(own);
    for (std::size_t i = all.begin; i < all.end;) {
        std::string_view const path = record[i].path;
        std::string_view rest = path.substr(own.size());
        auto const segment = take_segment(rest);
        if (!segment || segment->type != CellType::element) {
            state.exists |= path == own;
            ++i;
            continue;
        }
        ListElement element;
        element.path = path.substr(0, path.size() - rest.size());
        element.name = segment->name;
        Record::Range range{i, i};
        while (range.end < all.end && record[range.end].path.starts_with(element.path))
            ++range.end;
        add_element(state, record, range, std::move(element));
        i = range.end;
    }
    std::sort(state.shown.begin(), state.shown.end(), [](auto const& a, auto const& b) {
        auto const order = a.place <=> b.place;
        return order == 0 ? a.path < b.path : order < 0;
    });
    state.exists |= !state.shown.empty();
    return state;
}

std::string element_id(std::string_view name) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string id;
    for (char const c : name) {
        auto const byte = static_cast<std::uint8_t>(c);
        id += kDigits[byte >> 4];
        id += kDigits[byte & 15];
    }
    return id;
}

std::optional<std::string> parse_element_id(std::string_view id) {
    auto const digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    if (id.empty() || id.size() % 2 != 0) return std::nullopt;
    std::string name;
    for (std::size_t i = 0; i < id.size(); i += 2) {
        int const high = digit(id[i]), low = digit(id[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        name += static_cast<char>(high << 4 | low);
    }
    if (!birth_of(name)) return std::nullopt;
    return name;
}

Value elements_value(Record const& record, std::string_view at) {
    Array list;
    for (ListElement const& element : list_state(record, at).shown)
        list.push_back(Value(Object{{"element", Value(element_id(element.name))},
                                    {"value", *decode_value(element.values.front()->payload)}}));
    return Value(std::move(list));
}

std::vector<ConflictValue> element_values(ListElement const& element) {
    std::vector<ConflictValue> values;
    std::vector<std::string_view> known;
    for (Cell const* cell : element.values) {
        if (std::find(known.begin(), known.end(), cell->payload) != known.end()) continue;
        known.push_back(cell->payload);
        values.push_back(
            {*decode_value(cell->payload), cell->dot, cell->hlc, cell->source, values.empty()});
    }
    return values;
}

std::string element_path(std::string_view at, Seq seq, Position const& birth) {
    std::string name;
    put_varint(name, seq);
    name += birth.encode();
    return path_child(own_path(at, kType), name, CellType::element);
}

std::string element_value_path(std::string_view element) {
    return std::string(element) + value_segment();
}
std::string element_place_path(std::string_view element) {
    return std::string(element) + place_segment();
}
std::string element_marker_path(std::string_view element) {
    return std::string(element) + marker_segment();
}

TypeRules list_rules() {
    return {kType, "list", present, read, siblings, assign_list, operate_list};
}

}  // namespace inos
