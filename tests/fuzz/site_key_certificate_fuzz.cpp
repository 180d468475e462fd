// Key certificates of sites: canonical bytes; only the site's own signature holds.
#include "storage/crypto/site_key_certificate.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    std::string_view const bytes = fuzz::view(data, size);
    auto const certificate = decode_site_key_certificate(bytes);
    if (!certificate) return 0;
    fuzz::expect(encode(*certificate) == bytes, "a certificate encodes to the same bytes");
    if (!verify(*certificate)) return 0;
    SiteKeyCertificate changed = *certificate;
    changed.serial += 1;
    fuzz::expect(!verify(changed), "a signature holds for one content only");
    return 0;
}
