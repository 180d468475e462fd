// Values: what decodes encodes to the same bytes, and its JSON reads back as the same value.
#include "crdt/value.hpp"
#include "storage/json.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes = fuzz::view(data, size);
    auto const value = decode_value(bytes);
    if (!value) return 0;
    fuzz::expect(encode(*value) == bytes, "a decoded value encodes to the same bytes");
    auto const read = parse_json(write_json(*value));
    fuzz::expect(read && *read == *value, "a value's JSON reads back as the same value");
    auto const pretty = parse_json(write_json(*value, JsonStyle::pretty));
    fuzz::expect(pretty && *pretty == *value, "pretty JSON means the same");
    return 0;
}
