#include "net/identity.hpp"

#include "crdt/bytes.hpp"

namespace inos {

std::string encode_identity(Identity const& identity) {
    std::string out;
    put_blob(out, encode(identity.keys));
    put_varint(out, identity.certificates.size());
    for (auto const& certificate : identity.certificates)
        put_blob(out, certificate);
    put_blob(out, {});
    return out;
}

Result<Identity> check_identity(std::string_view payload, crypto::PublicKey const& channel_key) {
    Reader in(payload);
    std::string_view const keys = in.blob();
    std::uint64_t const count = in.count();
    if (count > kIdentityCertificatesMax) in.fail();
    std::vector<std::string> certificates(in.ok() ? count : 0);
    for (auto& certificate : certificates)
        certificate = in.blob();
    in.blob();
    if (!in.finished())
        return fail(Errc::protocol, "the peer's identity in the handshake is malformed");
    Identity identity;
    INOS_TRY(identity.keys, decode_site_key_certificate(keys));
    INOS_CHECK(verify(identity.keys));
    if (identity.keys.channel_key != channel_key)
        return fail(Errc::protocol, "the peer's identity does not certify the key that it uses");
    identity.certificates = std::move(certificates);
    return identity;
}

}  // namespace inos
