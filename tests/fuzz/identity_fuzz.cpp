// What a stranger says of itself in the handshake, with and without a key certificate that holds.
#include "crdt/bytes.hpp"
#include "net/identity.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

SiteKeyCertificate const& certificate() {
    static SiteKeyCertificate const made = [] {
        SiteKeys keys;
        keys.identity = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'i')));
        keys.channel = crypto::KeyPair::from_secret(crypto::Secret(std::string(32, 'c')));
        keys.sealing = crypto::KeyPair::from_secret(crypto::Secret(std::string(32, 's')));
        return *make_site_key_certificate(keys, "kiel", 1);
    }();
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    std::string payload;
    if (in.below(2) == 1) put_blob(payload, encode(certificate()));
    payload += in.rest();
    auto const identity = check_identity(payload, certificate().channel_key);
    if (!identity) return 0;
    fuzz::expect(identity->keys == certificate(), "only the holder of the key is believed");
    auto const again = check_identity(encode_identity(*identity), certificate().channel_key);
    fuzz::expect(again && again->certificates == identity->certificates,
                 "an identity written again says the same");
    return 0;
}
