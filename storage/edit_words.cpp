#include "storage/edit_words.hpp"

#include "crdt/pieces.hpp"
#include "crdt/record.hpp"
#include "crdt/schema.hpp"
#include "crdt/types/list.hpp"
#include "crdt/value.hpp"
#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

std::string value_words(std::string_view bytes) {
    auto const value = decode_value(bytes);
    return value ? shortened(write_json(*value), kWordsValueBytes) : "what cannot be read here";
}

std::string with_sign(std::int64_t number) {
    return (number < 0 ? "" : "+") + std::to_string(number);
}

std::string characters(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " character" : " characters");
}

bool is_write(Edit const& edit) {
    return edit.kind == static_cast<std::uint64_t>(EditKind::write);
}

void describe_register(Edit const& edit, EditWords& out) {
    out.words = is_write(edit) ? "set to " + value_words(edit.payload) : "removed";
}

void describe_set(Edit const& edit, EditWords& out) {
    std::string_view rest = out.field.rest;
    auto const element = take_segment(rest);
    out.minor = !element;
    if (!element)
        out.words = "made a set";
    else
        out.words = (is_write(edit) ? "added " : "took out ") + value_words(element->name);
}

void describe_flag(Edit const& edit, EditWords& out) {
    std::string_view rest = out.field.rest;
    auto const side = take_segment(rest);
    bool const on = side && side->name == "1";
    out.minor = !is_write(edit);
    out.words = out.minor ? "took back what it was" : on ? "switched on" : "switched off";
}

void describe_count(Edit const& edit, EditWords& out) {
    auto const run = RunCell::decode(edit.payload);
    out.words = run ? with_sign(run->total) : "counted";
}

void describe_bounded(Edit const& edit, SiteNames const& names, EditWords& out) {
    std::string_view rest = out.field.rest;
    auto const part = take_segment(rest);
    auto const run = RunCell::decode(edit.payload);
    if (!part || !run) return;
    if (part->name == "i") out.words = with_sign(run->total);
    if (part->name == "u") out.words = "-" + std::to_string(run->total);
    if (part->name.size() == 9 && part->name.front() == 't')
        out.words = "passed the right to use " + std::to_string(run->total) + " on to " +
                    names(ActorId{Reader(part->name.substr(1)).u64()});
}

// An element's name holds the entry's seq and the place where it was born, whose last part names
// the author.
bool is_made_by(std::string_view name, Dot dot) {
    Reader in(name);
    if (in.varint() != dot.seq) return false;
    auto const birth = Position::decode(in.rest());
    return birth && birth->waypoints().back().run.actor == dot.actor;
}

void describe_list(Edit const& edit, Dot dot, EditWords& out) {
    std::string_view rest = out.field.rest;
    auto const element = take_segment(rest);
    if (!element) {
        out.minor = true;
        out.words = "made a list";
        return;
    }
    auto const part = take_segment(rest);
    std::string const id = element_id(element->name);
    bool const fresh = is_made_by(element->name, dot);
    bool const marker = part && part->type == CellType::marker;
    if (!part || (marker && is_write(edit)))
        out.words = "removed the element " + id;
    else if (marker)
        out.minor = true, out.words = "kept the element " + id;
    else if (part->type == CellType::position)
        out.minor = !is_write(edit), out.words = "moved the element " + id;
    else if (fresh)
        out.words = "inserted " + value_words(edit.payload);
    else
        out.words = "set the element " + id + " to " + value_words(edit.payload);
}

void describe_text(Edit const& edit, EditWords& out) {
    if (out.field.rest.empty()) {
        out.minor = true;
        out.words = "made a text";
    } else if (edit.kind == static_cast<std::uint64_t>(EditKind::cut)) {
        auto const cut = Cut::decode(edit.payload);
        std::uint64_t count = 0;
        for (PieceRange const& range : cut ? cut->ranges : PieceRanges())
            count += range.length;
        out.words = "cut " + characters(count);
    } else if (is_write(edit)) {
        auto const pieces = Pieces::decode(edit.payload);
        std::string text;
        for (Piece const& piece : pieces ? pieces->items() : std::vector<Piece>())
            text += piece.text;
        out.words = "wrote " + shortened(write_json(Value(text)), kWordsValueBytes);
    } else {
        out.words = "cut a piece";
    }
}

void describe_clear(EditWords& out) {
    char const* const type = out.field.type ? type_name(*out.field.type) : nullptr;
    if (out.field.type == CellType::list && !out.field.rest.empty()) {
        std::string_view rest = out.field.rest;
        auto const element = take_segment(rest);
        out.words = "removed the element " + (element ? element_id(element->name) : "");
    } else if (type) {
        out.minor = true;
        out.words = std::string("took away the ") + type + " that was there";
    } else {
        out.minor = out.field.type.has_value();
        out.words = "removed";
    }
}

}  // namespace

std::string FieldPath::label() const {
    std::string text;
    for (std::string const& name : names)
        text += (text.empty() ? "" : ".") + name;
    return text;
}

FieldPath field_path(std::string_view path) {
    FieldPath field;
    if (is_special(path)) return field;
    Reader in(path);
    for (std::string_view name = in.blob(); in.ok() && !name.empty(); name = in.blob()) {
        field.names.emplace_back(name);
        field.at = path.substr(0, path.size() - in.rest().size());
        field.type.reset();
        field.rest = {};
        if (in.rest().empty()) return field;
        field.type = static_cast<CellType>(in.byte());
        field.rest = in.rest();
        if (field.type != CellType::map || field.rest.empty()) return field;
    }
    return {};
}

EditWords describe_edit(Edit const& edit, Dot dot, SiteNames const& names) {
    EditWords out{field_path(edit.path), "changed", false};
    if (edit.kind > static_cast<std::uint64_t>(EditKind::end_run)) {
        out.words = "changed in a way that this version does not know";
        return out;
    }
    if (edit.kind == static_cast<std::uint64_t>(EditKind::end_run)) {
        out.minor = true;
        out.words = "took note of increments that add nothing";
        return out;
    }
    if (edit.kind == static_cast<std::uint64_t>(EditKind::clear) || !out.field.type) {
        describe_clear(out);
        return out;
    }
    switch (*out.field.type) {
        case CellType::register_:
            describe_register(edit, out);
            break;
        case CellType::set:
            describe_set(edit, out);
            break;
        case CellType::flag:
            describe_flag(edit, out);
            break;
        case CellType::map:
            out.minor = true;
            out.words = is_write(edit) ? "made an object" : "no longer an object of its own";
            break;
        case CellType::counter:
            describe_count(edit, out);
            break;
        case CellType::bounded_counter:
            describe_bounded(edit, names, out);
            break;
        case CellType::list:
            describe_list(edit, dot, out);
            break;
        case CellType::text:
            describe_text(edit, out);
            break;
        default:
            break;
    }
    return out;
}

}  // namespace inos
