// Version vectors on the wire, whole and positional.
#include "net/wire/vector_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes = fuzz::view(data, size);
    std::vector<wire::ActorTable> const tables{
        {wire::Digest{}, {}},
        {wire::Digest{1}, {ActorId{1}, ActorId{2}, ActorId{~std::uint64_t{0}}}}};
    auto const vector = wire::decode_vector(bytes, tables);
    if (!vector) return 0;
    for (wire::ActorTable const* table :
         {static_cast<wire::ActorTable const*>(nullptr), &tables[0], &tables[1]}) {
        auto const again = wire::decode_vector(wire::encode_vector(*vector, table), tables);
        fuzz::expect(again == vector, "a vector written again says the same");
    }
    return 0;
}
