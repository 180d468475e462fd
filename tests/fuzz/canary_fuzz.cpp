// Shows that a property that does not hold is found: its corpus has an input that must fail.
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::expect(fuzz::view(data, size) != "canary\n", "the canary is alive");
    return 0;
}
