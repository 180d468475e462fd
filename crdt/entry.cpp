#include "crdt/entry.hpp"

#include <algorithm>

#include "crdt/path.hpp"
#include "crdt/pieces.hpp"
#include "crdt/record.hpp"
#include "crdt/value.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kFresh = 1, kOwnCtx = 2;

std::uint64_t name_index(std::vector<std::string> const& names, std::string_view name) {
    auto const it = std::find(names.begin(), names.end(), name);
    return static_cast<std::uint64_t>(it - names.begin());
}

void put_edit(std::string& out, std::vector<std::string> const& names, Edit const& edit) {
    put_varint(out, edit.kind);
    Reader in(edit.path);
    std::string_view const name = in.blob();
    std::uint64_t const index = in.ok() ? name_index(names, name) : names.size();
    if (index < names.size()) {
        put_varint(out, index + 1);
        put_blob(out, in.rest());
    } else {
        put_varint(out, 0);
        put_blob(out, edit.path);
    }
    put_blob(out, edit.payload);
}

template <std::size_t N>
void put_bytes(std::string& out, std::array<std::uint8_t, N> const& bytes) {
    out.append(reinterpret_cast<char const*>(bytes.data()), N);
}

template <std::size_t N>
void take_bytes(Reader& in, std::array<std::uint8_t, N>& bytes) {
    std::string_view const raw = in.take(N);
    std::copy(raw.begin(), raw.end(), bytes.begin());
}

bool known(std::uint64_t op_kind) {
    return op_kind == static_cast<std::uint64_t>(OpKind::change) ||
           op_kind == static_cast<std::uint64_t>(OpKind::delete_) ||
           op_kind == static_cast<std::uint64_t>(OpKind::erase);
}

std::string encode_body(std::vector<std::string> const& names, Op const& op) {
    if (!known(op.kind)) return op.body;
    std::string body;
    put_varint(body, name_index(names, op.collection));
    if (op.kind == static_cast<std::uint64_t>(OpKind::erase)) {
        put_bytes(body, op.tag);
        put_bytes(body, op.proof);
        return body;
    }
    put_blob(body, op.key);
    put_varint(body, (op.fresh ? kFresh : 0) | (op.ctx ? kOwnCtx : 0));
    if (op.ctx) op.ctx->encode(body);
    if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) {
        op.seen.encode(body);
    } else {
        put_varint(body, op.edits.size());
        for (Edit const& edit : op.edits)
            put_edit(body, names, edit);
    }
    return body;
}

std::string encode_header(EntryHeader const& header) {
    std::string out;
    put_u64(out, header.dot.actor.value);
    put_varint(out, header.dot.seq);
    put_u64(out, header.hlc.value);
    put_varint(out, header.deps.size());
    for (DepHead const& dep : header.deps) {
        put_u64(out, dep.actor.value);
        put_varint(out, dep.seq);
        out.append(reinterpret_cast<char const*>(dep.chain.data()), dep.chain.size());
    }
    put_blob(out, header.source);
    put_varint(out, header.names.size());
    for (auto const& name : header.names)
        put_blob(out, name);
    put_blob(out, {});  // extension
    return out;
}

bool all_different(std::vector<std::string> const& names) {
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end());
    return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

// The name under which the `lost` cells of a run lie.
bool names_lost(CellType above, std::string_view name) {
    return static_cast<std::uint8_t>(above) >= kRunTypesFrom && name == kLostName;
}

// A path of an edit of a known kind is a list of whole segments; a clear's may end in a bare name.
// Names of fields and of keys of maps are names: authors write those that they find in a record
// into headers and answers, so one that is none must not get into a record.
// A `lost` cell comes and goes with its run, so no edit names it: one that took the cell away and
// not the run would leave each site with another state.
bool well_formed_path(std::string_view path, bool may_end_in_name) {
    if (path.empty()) return false;
    auto above = CellType::map;  // a record's fields are named as the keys of a map are
    for (int depth = 0; depth < kPathDepthMax && !path.empty(); ++depth) {
        Reader in(path);
        std::string_view const name = in.blob();
        if (!in.ok() || name.empty()) return false;
        if (above == CellType::map && !valid_name(name)) return false;
        if (in.at_end()) return may_end_in_name && !names_lost(above, name);
        above = static_cast<CellType>(in.byte());
        if (above == CellType::lost) return false;
        path = in.rest();
    }
    return path.empty();
}

// What is written to a shrinking path is whole: pieces come of cuts alone.
bool is_insertion(std::string_view payload) {
    auto const pieces = Pieces::decode(payload);
    return pieces && pieces->whole();
}

bool well_formed(Edit const& edit) {
    switch (edit.kind) {
        case static_cast<std::uint64_t>(EditKind::write):
            return well_formed_path(edit.path, false) && !is_run(edit.path) &&
                   (!is_shrinking(edit.path) || is_insertion(edit.payload));
        case static_cast<std::uint64_t>(EditKind::remove):
            return well_formed_path(edit.path, false) && !is_run(edit.path) && edit.payload.empty();
        case static_cast<std::uint64_t>(EditKind::clear):
            return well_formed_path(edit.path, true) && edit.payload.empty();
        case static_cast<std::uint64_t>(EditKind::count):
            return well_formed_path(edit.path, false) && is_run(edit.path) &&
                   RunCell::decode(edit.payload).has_value();
        case static_cast<std::uint64_t>(EditKind::cut):
            return well_formed_path(edit.path, false) && is_shrinking(edit.path) &&
                   Cut::decode(edit.payload).has_value();
        case static_cast<std::uint64_t>(EditKind::end_run):
            return well_formed_path(edit.path, false) && is_run(edit.path) &&
                   RunName::decode(edit.payload).has_value();
        default:
            return true;  // of a newer version
    }
}

// One run has one cell for each entry of its author, so an op counts once at a path.
bool counts_twice(std::vector<Edit> const& edits) {
    std::vector<std::string_view> paths;
    for (Edit const& edit : edits)
        if (edit.kind == static_cast<std::uint64_t>(EditKind::count)) paths.push_back(edit.path);
    std::sort(paths.begin(), paths.end());
    return std::adjacent_find(paths.begin(), paths.end()) != paths.end();
}

// An op is the change of one record; cells of two would have one name.
bool name_one_record_twice(std::vector<Op> const& ops) {
    std::vector<std::pair<std::string_view, std::string_view>> records;
    for (Op const& op : ops)
        if (known(op.kind) && op.kind != static_cast<std::uint64_t>(OpKind::erase))
            records.emplace_back(op.collection, op.key);
    std::sort(records.begin(), records.end());
    return std::adjacent_find(records.begin(), records.end()) != records.end();
}

struct OpReader {
    EntryHeader const& header;
    VoidReason reason = VoidReason::none;
    std::size_t edits = 0;

    void fail(VoidReason why) {
        if (reason == VoidReason::none) reason = why;
    }

    bool read_ctx(Reader& in, Op& op) {
        std::uint64_t const flags = in.varint();
        if (flags > (kFresh | kOwnCtx)) return false;
        op.fresh = (flags & kFresh) != 0;
        if ((flags & kOwnCtx) == 0) return true;
        if (op.fresh) return false;
        op.ctx = VersionVector::decode(in);
        return op.ctx.has_value();
    }

    bool read_edit(Reader& in, Edit& edit) {
        edit.kind = in.varint();
        std::uint64_t const field = in.varint();
        std::string_view const path = in.blob();
        edit.payload = in.blob();
        if (!in.ok() || edit.kind == 0 || field > header.names.size()) return false;
        if (field > 0) put_blob(edit.path, header.names[field - 1]);
        edit.path += path;
        if (edit.payload.size() > kPayloadBytesMax) fail(VoidReason::over_limit);
        return well_formed(edit);
    }

    bool read_known(Reader& in, Op& op) {
        std::uint64_t const collection = in.varint();
        if (!in.ok() || collection >= header.names.size()) return false;
        op.collection = header.names[collection];
        if (op.kind == static_cast<std::uint64_t>(OpKind::erase)) {
            take_bytes(in, op.tag);
            take_bytes(in, op.proof);
            return in.finished() && op.tag != RecordTag{};
        }
        op.key = in.blob();
        if (!in.ok() || !valid_name(op.key)) return false;
        if (!read_ctx(in, op)) return false;
        if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) {
            auto seen = VersionVector::decode(in);
            if (!seen || op.fresh) return false;
            op.seen = *std::move(seen);
            return in.finished();
        }
        std::uint64_t const count = in.count(4);
        edits += count;
        if (edits > kEntryOpsMax) {
            fail(VoidReason::over_limit);
            return false;
        }
        op.edits.resize(count);
        for (Edit& edit : op.edits)
            if (!read_edit(in, edit)) return false;
        return in.finished() && !counts_twice(op.edits);
    }

    Op read(std::string_view kind_and_body) {
        Op op;
        Reader in(kind_and_body);
        op.kind = in.varint();
        std::string_view const body = in.blob();
        if (known(op.kind)) {
            Reader body_in(body);
            if (!read_known(body_in, op)) fail(VoidReason::malformed);
        } else {
            op.body = body;
        }
        return op;
    }
};

}  // namespace

std::string encode_entry(EntryHeader const& header, Salt const& salt, std::vector<Op> const& ops) {
    std::string out;
    out += static_cast<char>(kEntryVersion);
    out += '\0';
    put_blob(out, encode_header(header));
    out.append(reinterpret_cast<char const*>(salt.data()), salt.size());
    put_varint(out, ops.size());
    for (Op const& op : ops) {
        put_varint(out, op.kind);
        put_blob(out, encode_body(header.names, op));
    }
    return out;
}

std::optional<EntryFrame> frame_entry(std::string_view bytes) {
    Reader in(bytes);
    std::uint8_t const version = in.byte();
    std::uint8_t const form = in.byte();
    if (!in.ok() || version != kEntryVersion || form > 1) return std::nullopt;
    EntryFrame frame;
    frame.header = in.blob();
    if (form == 0) frame.salt = in.take(8);
    std::uint64_t const count = in.count(2);
    frame.ops.reserve(count);
    bool any_stub = false;
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        EntryFrame::OpFrame op;
        std::string_view const from = in.rest();
        std::uint64_t const kind = in.varint();
        if (kind == 0) {
            any_stub = true;
            std::uint8_t const reason = in.byte();
            op.reason = static_cast<VoidReason>(reason);
            take_bytes(in, op.tag);
            take_bytes(in, op.erased);
            bool const possible =
                reason <= static_cast<std::uint8_t>(VoidReason::bad_proof) && op.tag != RecordTag{};
            if (!possible) return std::nullopt;
        } else {
            in.blob();
            op.kind_and_body = from.substr(0, from.size() - in.rest().size());
            if (form == 1) op.key = in.take(32);
        }
        frame.ops.push_back(op);
    }
    // One entry has one form: whole, or with stubs.
    if (!in.finished() || any_stub != (form == 1)) return std::nullopt;
    return frame;
}

std::vector<std::string_view> header_names(std::string_view header) {
    Reader in(header);
    in.u64();
    in.varint();
    in.u64();
    for (std::uint64_t deps = in.count(17); deps > 0 && in.ok(); --deps) {
        in.u64();
        in.varint();
        in.take(sizeof(ChainPrefix));
    }
    in.blob();
    std::vector<std::string_view> names(in.count(1));
    for (auto& name : names)
        name = in.blob();
    in.blob();
    if (!in.finished()) names.clear();
    return names;
}

std::optional<OpRecord> op_record(std::vector<std::string_view> const& names,
                                  std::string_view kind_and_body) {
    Reader in(kind_and_body);
    std::uint64_t const kind = in.varint();
    Reader body(in.blob());
    std::uint64_t const collection = body.varint();
    OpRecord record;
    record.key = body.blob();
    bool const erase = kind == static_cast<std::uint64_t>(OpKind::erase);
    if (kind == 0 || erase || !body.ok() || collection >= names.size()) return std::nullopt;
    record.collection = names[collection];
    return record;
}

std::string encode_erased(EntryFrame const& frame,
                          std::vector<Stub> const& stubs,
                          std::vector<OpHash> const& keys) {
    std::string out;
    out += static_cast<char>(kEntryVersion);
    out += '\1';
    put_blob(out, frame.header);
    put_varint(out, frame.ops.size());
    auto const put_stub = [&out](VoidReason reason, RecordTag const& tag, OpHash const& hash) {
        put_varint(out, 0);
        out += static_cast<char>(reason);
        put_bytes(out, tag);
        put_bytes(out, hash);
    };
    for (std::size_t i = 0; i < frame.ops.size(); ++i) {
        EntryFrame::OpFrame const& op = frame.ops[i];
        auto const stub =
            std::find_if(stubs.begin(), stubs.end(), [i](Stub const& s) { return s.index == i; });
        if (op.kind_and_body.empty()) {
            put_stub(op.reason, op.tag, op.erased);
        } else if (stub != stubs.end()) {
            put_stub(stub->reason, stub->tag, stub->hash);
        } else {
            out += op.kind_and_body;
            if (op.key.empty())
                put_bytes(out, keys[i]);
            else
                out += op.key;
        }
    }
    return out;
}

std::optional<EntryHeader> decode_header(std::string_view bytes) {
    Reader in(bytes);
    EntryHeader header;
    header.dot.actor.value = in.u64();
    header.dot.seq = in.varint();
    header.hlc.value = in.u64();
    header.deps.resize(in.count(17));
    for (std::size_t i = 0; i < header.deps.size(); ++i) {
        DepHead& dep = header.deps[i];
        dep.actor.value = in.u64();
        dep.seq = in.varint();
        std::string_view const chain = in.take(dep.chain.size());
        std::copy(chain.begin(), chain.end(), dep.chain.begin());
        if (dep.seq == 0 || dep.seq > kSeqMax || dep.actor == header.dot.actor) return std::nullopt;
        if (i > 0 && header.deps[i - 1].actor >= dep.actor) return std::nullopt;
    }
    header.source = in.blob();
    header.names.resize(in.count(2));
    for (auto& name : header.names) {
        name = in.blob();
        if (!valid_name(name)) return std::nullopt;
    }
    in.blob();  // extension: kept in the bytes, without effect in this version
    if (!in.finished() || !valid_utf8(header.source) || !all_different(header.names))
        return std::nullopt;
    return header;
}

char const* describe(VoidReason reason) {
    switch (reason) {
        case VoidReason::none:
            return "in effect";
        case VoidReason::malformed:
            return "malformed bytes";
        case VoidReason::wrong_dot:
            return "names another actor or number than its place in the chain";
        case VoidReason::over_limit:
            return "over a limit of size or count";
        case VoidReason::out_of_range:
            return "number or clock near the end of its range";
        case VoidReason::not_a_writer:
            return "its author's role may not write";
        case VoidReason::out_of_scope:
            return "its author may not write this collection";
        case VoidReason::bad_proof:
            return "holds an erasure that its author has not signed";
    }
    return "unknown";
}

DecodedEntry decode_entry(std::string_view bytes, Dot dot) {
    DecodedEntry out;
    auto const invalid = [&](VoidReason reason) {
        out.reason = reason;
        out.entry.ops.clear();
        return out;
    };
    auto const frame = frame_entry(bytes);
    if (!frame) return invalid(VoidReason::malformed);
    auto header = decode_header(frame->header);
    if (!header) return invalid(VoidReason::malformed);
    if (header->dot != dot) return invalid(VoidReason::wrong_dot);
    out.entry.header = *std::move(header);
    out.header_known = true;
    if (dot.seq > kSeqMax || out.entry.header.hlc > kHlcMax)
        return invalid(VoidReason::out_of_range);
    // The erased form, which its author did not make, may be longer than what it was made of.
    bool const by_author = !in_erased_form(bytes);
    bool const too_long = (by_author && bytes.size() > kEntryBytesMax) ||
                          frame->ops.size() > kEntryOpsMax ||
                          out.entry.header.source.size() > kSourceBytesMax;
    if (too_long) return invalid(VoidReason::over_limit);
    OpReader reader{out.entry.header};
    out.entry.ops.reserve(frame->ops.size());
    for (auto const& op : frame->ops) {
        if (!op.kind_and_body.empty())
            out.entry.ops.push_back(reader.read(op.kind_and_body));
        else
            reader.fail(op.reason);
        if (reader.reason != VoidReason::none) return invalid(reader.reason);
    }
    if (name_one_record_twice(out.entry.ops)) return invalid(VoidReason::malformed);
    return out;
}

}  // namespace inos
