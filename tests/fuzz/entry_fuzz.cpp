// Entries: framing, hashing and decoding are total; what is in effect says the same when it is
// written again, and leaves a record that can be stored.
#include "crdt/entry.hpp"
#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

// Ops of unknown kinds and erased ones have no effect and are left out.
std::vector<Op> known_ops(Entry const& entry) {
    std::vector<Op> ops;
    for (Op const& op : entry.ops)
        if (!op.collection.empty()) ops.push_back(op);
    return ops;
}

void write_again(Entry const& entry) {
    Entry const plain{entry.header, known_ops(entry)};
    std::string const bytes = encode_entry(plain.header, Salt{}, plain.ops);
    DecodedEntry const again = decode_entry(bytes, plain.header.dot);
    // The largest entries can grow over the limit, because their longer form was in the header.
    if (bytes.size() > kEntryBytesMax) return;
    fuzz::expect(again.reason == VoidReason::none, "an entry in effect can be written again");
    fuzz::expect(again.entry.header == plain.header && again.entry.ops == plain.ops,
                 "an entry written again says the same");
}

void apply_to_records(Entry const& entry) {
    VersionVector deps;
    for (DepHead const& dep : entry.header.deps)
        deps.set(dep.actor, dep.seq);
    if (entry.header.dot.seq > 1) deps.set(entry.header.dot.actor, entry.header.dot.seq - 1);
    Record record;
    for (Op const& op : known_ops(entry)) {
        apply(record, op, {entry.header.dot, entry.header.hlc, entry.header.source, deps});
        auto const stored = Record::decode(record.encode());
        fuzz::expect(stored && *stored == record, "a record that an entry left can be stored");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes = fuzz::view(data, size);
    chain_next({}, bytes, crypto::Secret());
    auto const frame = frame_entry(bytes);
    auto const header = frame ? decode_header(frame->header) : std::nullopt;
    DecodedEntry const elsewhere = decode_entry(bytes, Dot{ActorId{1}, 1});
    if (!header) {
        fuzz::expect(elsewhere.reason == VoidReason::malformed, "without a header it is malformed");
        return 0;
    }
    DecodedEntry const decoded = decode_entry(bytes, header->dot);
    fuzz::expect(decoded.header_known && decoded.entry.header == *header, "the header is the same");
    if (decoded.reason != VoidReason::none) {
        fuzz::expect(decoded.entry.ops.empty(), "a void entry has no ops");
        return 0;
    }
    write_again(decoded.entry);
    apply_to_records(decoded.entry);
    return 0;
}
