#include "net/wire/batch_codec.hpp"

#include <algorithm>

#include "crdt/bytes.hpp"
#include "storage/compression.hpp"

namespace inos::wire {
namespace {

std::string associated(Batch const& batch) {
    std::string out = "inos batch 1";
    out.append(reinterpret_cast<char const*>(batch.space.data()), batch.space.size());
    put_u64(out, batch.key_id);
    put_varint(out, batch.runs.size());
    for (RunHeader const& run : batch.runs) {
        put_u64(out, run.actor.value);
        put_varint(out, run.first);
        put_varint(out, run.count);
    }
    return out;
}

template <std::size_t N>
void take_bytes(Reader& in, std::array<std::uint8_t, N>& bytes) {
    std::string_view const raw = in.take(N);
    std::copy(raw.begin(), raw.end(), bytes.begin());
}

}  // namespace

Batch seal_batch(SpaceId const& space, crypto::Secret const& key, EntryBatch const& batch) {
    Batch out;
    out.space = space;
    out.key_id = key_id(key);
    std::string content;
    for (EntryRun const& run : batch.runs) {
        out.runs.push_back({run.actor, run.first, static_cast<std::uint32_t>(run.entries.size())});
        for (auto const& entry : run.entries)
            put_blob(content, entry);
    }
    put_varint(content, batch.heads.size());
    for (SignedHead const& head : batch.heads) {
        put_u64(content, head.actor.value);
        put_varint(content, head.seq);
        content += crypto::view(head.signature);
    }
    put_varint(content, batch.erasures.size());
    for (Erasure const& erasure : batch.erasures) {
        content += crypto::view(erasure.tag);
        put_blob(content, erasure.collection);
        put_u64(content, erasure.actor.value);
        content += crypto::view(erasure.signature);
    }
    out.sealed = crypto::seal(key, compress(content), associated(out));
    return out;
}

Result<EntryBatch> open_batch(Batch const& batch, crypto::Secret const& key) {
    auto const opened = crypto::open(key, batch.sealed, associated(batch));
    if (!opened)
        return fail(Errc::protocol, "a batch was not sealed with this space's key, or was changed");
    INOS_TRY(std::string const content, decompress(*opened, kContentBytesMax));
    Reader in(content);
    EntryBatch out;
    std::size_t entries = 0;
    for (RunHeader const& header : batch.runs) {
        entries += header.count;
        if (entries > kBatchEntriesMax)
            return fail(Errc::protocol, "a batch holds more entries than a batch may");
        if (header.count > in.rest().size())
            return fail(Errc::protocol, "a batch holds fewer entries than its header says");
        EntryRun run{header.actor, header.first, {}};
        run.entries.reserve(header.count);
        for (std::uint32_t i = 0; i < header.count && in.ok(); ++i)
            run.entries.emplace_back(in.blob());
        out.runs.push_back(std::move(run));
    }
    out.heads.resize(in.count(73));
    for (SignedHead& head : out.heads) {
        head.actor.value = in.u64();
        head.seq = in.varint();
        take_bytes(in, head.signature);
    }
    out.erasures.resize(in.count(89));
    for (Erasure& erasure : out.erasures) {
        take_bytes(in, erasure.tag);
        erasure.collection = in.blob();
        erasure.actor.value = in.u64();
        take_bytes(in, erasure.signature);
    }
    if (!in.finished()) return fail(Errc::protocol, "a batch's contents are malformed");
    return out;
}

}  // namespace inos::wire
