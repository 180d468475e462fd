// Statements about members: decoding, and what the founder has really signed, whatever it says.
#include "storage/membership.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

crypto::SigningKey const& founder() {
    static auto const key = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'f')));
    return key;
}

Genesis genesis() {
    return {"space", founder().public_key, {}};
}

// Made again by its issuer, it says the same.
struct Again {
    SpaceId const& space;
    bool operator()(Certificate const&) const { return true; }
    bool operator()(UnknownStatement const&) const { return true; }
    template <class Known>
    bool operator()(Known const& what) const {
        auto const again = decode_statement(space, state(space, what, founder()));
        return again && std::get<Known>(again->what) == what;
    }
};

void check(std::string_view bytes) {
    SpaceId const space = genesis().id();
    auto const statement = decode_statement(space, bytes);
    if (!statement) {
        fuzz::expect(!statement.error().message.empty(), "a refusal says why");
        return;
    }
    fuzz::expect(std::visit(Again{space}, statement->what), "a statement is read as it is made");
}

// `rest`: what stands between the issuer and the signature.
void add(std::uint8_t kind, std::uint8_t version, std::string_view rest) {
    Membership membership(genesis());
    std::string bytes{static_cast<char>(kind), static_cast<char>(version)};
    bytes.append(reinterpret_cast<char const*>(membership.space().data()), 16);
    bytes.append(reinterpret_cast<char const*>(founder().public_key.data()), 32);
    bytes += rest;
    bytes += crypto::view(crypto::sign(founder(), "inos statement 1" + bytes));
    check(bytes);
    auto const before = membership.digest();
    auto const added = membership.add(bytes);
    fuzz::expect(added.has_value() == (membership.digest() != before), "what is kept shows");
    if (!added) return;
    auto const again = membership.add(bytes);
    fuzz::expect(again && !*again, "a statement that is known is not new");
    fuzz::expect(membership.all_bytes().at(0) == bytes, "the bytes are kept as they came");
    fuzz::expect(membership.sites().empty(), "nobody becomes a member without a certificate");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    if (in.below(3) == 0) {
        check(in.rest());
        return 0;
    }
    auto const kind = static_cast<std::uint8_t>(in.below(8));
    auto const version = static_cast<std::uint8_t>(in.below(3));
    add(kind, version, in.rest());
    return 0;
}
