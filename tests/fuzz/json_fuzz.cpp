// JSON text: what is read can be written, read again, stored, and is the same each time.
#include "storage/json.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const value = parse_json(fuzz::view(data, size));
    if (!value) {
        fuzz::expect(!value.error().message.empty(), "a refusal says why");
        return 0;
    }
    std::string const text = write_json(*value);
    auto const again = parse_json(text);
    fuzz::expect(again && *again == *value, "written JSON reads back as the same value");
    fuzz::expect(write_json(*again) == text, "writing is deterministic");
    auto const stored = decode_value(encode(*value));
    fuzz::expect(stored && *stored == *value, "a value from JSON can be stored");
    return 0;
}
