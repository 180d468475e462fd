// Recovery codes: whatever people type is refused in words, or is the code of one key.
#include "storage/recovery.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    auto const text = fuzz::view(data, size);
    auto const key = read_recovery_code(text);
    if (!key) {
        fuzz::expect(!key.error().message.empty(), "a refusal says why");
        return 0;
    }
    auto const again = read_recovery_code(" " + std::string(text));
    fuzz::expect(again && again->public_key == key->public_key, "one code names one key");
    return 0;
}
