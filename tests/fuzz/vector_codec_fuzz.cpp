// Version vectors and their chains on the wire, whole and positional.
#include "crdt/bytes.hpp"
#include "net/wire/vector_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    Reader in(fuzz::view(data, size));
    std::string_view const vector = in.blob();
    if (!in.ok()) return 0;
    std::vector<wire::ActorTable> const tables{
        {wire::Digest{}, {}, {}},
        {wire::Digest{1},
         {ActorId{1}, ActorId{2}, ActorId{~std::uint64_t{0}}},
         {{ActorId{2}, 9, {}}}}};
    auto const heads = wire::decode_heads(vector, in.rest(), tables);
    if (!heads) return 0;
    for (wire::ActorTable const* table :
         {static_cast<wire::ActorTable const*>(nullptr), &tables[0], &tables[1]}) {
        auto const bytes = wire::encode_heads(*heads, table);
        fuzz::expect(wire::decode_heads(bytes.vector, bytes.chains, tables) == heads,
                     "heads written again say the same");
    }
    return 0;
}
