// Site ids and base32 as people type them.
#include "storage/crypto/base32.hpp"
#include "storage/crypto/site_id.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    std::string_view const text = fuzz::view(data, size);
    if (auto const bytes = base32_decode(text)) {
        auto const normal = base32_normalize(text);
        fuzz::expect(normal && base32_encode(*bytes) == *normal, "one byte string has one text");
    }
    if (auto const site = parse_site_id(text)) {
        auto const again = parse_site_id(site_id_text(*site));
        fuzz::expect(again && *again == *site, "a site id written again says the same");
    }
    return 0;
}
