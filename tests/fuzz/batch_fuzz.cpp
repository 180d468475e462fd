// Sealed batches. The fuzzed bytes are what is inside the seal (a member's content, or what stands
// for zstd's), or the sealed bytes themselves.
#include <zstd.h>

#include "net/wire/batch_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

crypto::Secret const& key() {
    static crypto::Secret const secret(std::string(32, 'k'));
    return secret;
}

// As drawn in net/wire/batch_codec.hpp.
std::string associated(wire::Batch const& batch) {
    std::string out = "inos batch 1";
    out.append(reinterpret_cast<char const*>(batch.space.data()), batch.space.size());
    put_u64(out, batch.key_id);
    put_varint(out, batch.runs.size());
    for (wire::RunHeader const& run : batch.runs) {
        put_u64(out, run.actor.value);
        put_varint(out, run.first);
        put_varint(out, run.count);
    }
    return out;
}

std::string compress(std::string_view content) {
    std::string out(ZSTD_compressBound(content.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 1));
    return out;
}

bool same(EntryBatch const& a, EntryBatch const& b) {
    auto const same_run = [](EntryRun const& x, EntryRun const& y) {
        return x.actor == y.actor && x.first == y.first && x.entries == y.entries;
    };
    auto const same_head = [](SignedHead const& x, SignedHead const& y) {
        return x.actor == y.actor && x.seq == y.seq && x.signature == y.signature;
    };
    return std::equal(a.runs.begin(), a.runs.end(), b.runs.begin(), b.runs.end(), same_run) &&
           std::equal(a.heads.begin(), a.heads.end(), b.heads.begin(), b.heads.end(), same_head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    std::size_t const side = in.below(3);
    wire::Batch batch;
    batch.runs.resize(in.below(4));
    for (wire::RunHeader& run : batch.runs)
        run = {ActorId{in.byte()}, in.wide(), static_cast<std::uint32_t>(in.wide())};
    std::string const inside = side == 0 ? compress(in.rest()) : std::string(in.rest());
    batch.sealed = side == 2 ? inside : crypto::seal(key(), inside, associated(batch));
    auto const opened = wire::open_batch(batch, key());
    if (!opened) {
        fuzz::expect(opened.error().code == Errc::protocol, "a refusal is a protocol error");
        return 0;
    }
    fuzz::expect(side != 2, "nobody without the key can seal");
    auto const again = wire::open_batch(wire::seal_batch(batch.space, key(), *opened), key());
    fuzz::expect(again && same(*again, *opened), "a batch sealed again says the same");
    return 0;
}
