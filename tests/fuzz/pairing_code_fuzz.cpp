// Pairing codes: the text as people type it, and bodies with a right check inside.
#include "net/pairing_code.hpp"
#include "storage/crypto/base32.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

void check(std::string_view text) {
    auto const code = decode_pairing_code(text);
    if (!code) {
        fuzz::expect(!code.error().message.empty(), "a refusal says why");
        return;
    }
    auto const written = encode_pairing_code(*code);
    fuzz::expect(written.has_value(), "a code that was read can be written");
    auto const again = decode_pairing_code(*written);
    fuzz::expect(again && *again == *code, "a code written again says the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    if (in.below(2) == 0) {
        check(in.rest());
        return 0;
    }
    std::string body(in.rest());
    auto const hash = crypto::hash32("inos pairing code 1" + body);
    body += crypto::view(hash).substr(0, 4);
    check("inos1-" + base32_encode(body));
    return 0;
}
