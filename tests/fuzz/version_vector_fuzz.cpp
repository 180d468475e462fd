// Version vectors: canonical bytes, and the merge is the least vector that includes both.
#include "crdt/version_vector.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    Reader in(fuzz::view(data, size));
    std::string_view const before = in.rest();
    auto const a = VersionVector::decode(in);
    if (!a) return 0;
    std::string bytes;
    a->encode(bytes);
    fuzz::expect(before.starts_with(bytes) && before.size() == bytes.size() + in.rest().size(),
                 "a decoded vector encodes to the same bytes");
    auto const b = VersionVector::decode(in);
    if (!b) return 0;
    VersionVector ab = *a, ba = *b;
    ab.merge(*b);
    ba.merge(*a);
    fuzz::expect(ab == ba, "merging is commutative");
    fuzz::expect(ab.includes(*a) && ab.includes(*b), "a merged vector includes both");
    for (auto const& [actor, seq] : ab.items())
        fuzz::expect(seq == std::max(a->at(actor), b->at(actor)), "and nothing else");
    return 0;
}
