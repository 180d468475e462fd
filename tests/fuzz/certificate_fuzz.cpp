// Genesis and membership certificates: decoding, and the check back to the founder, also of bytes
// that the founder really signed.
#include "storage/membership.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

crypto::SigningKey const& founder() {
    static auto const key = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'f')));
    return key;
}

void check(std::string_view bytes) {
    auto const decoded = decode_certificate(bytes);
    if (!decoded) return;
    auto const again = decode_certificate(issue(*decoded, founder()));
    Certificate expected = *decoded;
    expected.issuer = founder().public_key;
    fuzz::expect(again && *again == expected, "a certificate issued again says the same");
}

void admit(std::string_view body) {
    Membership membership({"space", founder().public_key, {}});
    std::string bytes(body);
    bytes += crypto::view(crypto::sign(founder(), "inos certificate 1" + bytes));
    check(bytes);
    auto const added = membership.add(bytes);
    if (!added) {
        fuzz::expect(membership.all_bytes().empty(), "a refused certificate is not kept");
        return;
    }
    auto const again = membership.add(bytes);
    fuzz::expect(again && !*again, "a certificate that is known is not new");
    ActorId const actor = membership.actors().at(0);
    fuzz::expect(membership.bytes_of(actor) == bytes, "the bytes are kept as they came");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    switch (in.below(3)) {
        case 0:
            check(in.rest());
            break;
        case 1:
            if (auto const genesis = Genesis::decode(in.rest()))
                fuzz::expect(genesis->encode() == in.rest(), "a genesis encodes to the same bytes");
            break;
        default:
            admit(in.rest());
    }
    return 0;
}
