#include "storage/crypto/site_key_certificate.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "crdt/bytes.hpp"
#include "crdt/value.hpp"
#include "storage/crypto/site_id.hpp"

namespace inos {
namespace {

constexpr std::string_view kConstant = "inos site keys 1";
constexpr std::uint8_t kVersion = 1;

template <std::size_t N>
std::string_view bytes_of(std::array<std::uint8_t, N> const& array) {
    return {reinterpret_cast<char const*>(array.data()), N};
}

template <std::size_t N>
void read_into(Reader& reader, std::array<std::uint8_t, N>& array) {
    std::string_view const raw = reader.take(N);
    std::copy(raw.begin(), raw.end(), array.begin());
}

std::string body_of(SiteKeyCertificate const& certificate) {
    std::string out;
    out += static_cast<char>(kVersion);
    out += bytes_of(certificate.site);
    put_blob(out, certificate.name);
    out += bytes_of(certificate.channel_key);
    out += bytes_of(certificate.sealing_key);
    put_varint(out, certificate.serial);
    return out;
}

std::string signed_bytes(SiteKeyCertificate const& certificate) {
    return std::string(kConstant) + body_of(certificate);
}

}  // namespace

Result<SiteKeyCertificate> make_site_key_certificate(SiteKeys const& keys,
                                                     std::string name,
                                                     std::uint64_t serial) {
    if (!valid_name(name))
        return fail(Errc::invalid,
                    "the site name \"" + name +
                        "\" has to be 1 to 256 bytes of UTF-8 without control characters");
    if (serial == 0)
        return fail(Errc::invalid, "the serial number of a key certificate starts at 1");
    SiteKeyCertificate certificate{.site = keys.identity.public_key,
                                   .name = std::move(name),
                                   .channel_key = keys.channel.public_key,
                                   .sealing_key = keys.sealing.public_key,
                                   .serial = serial};
    certificate.signature = crypto::sign(keys.identity, signed_bytes(certificate));
    return certificate;
}

std::string encode(SiteKeyCertificate const& certificate) {
    return body_of(certificate) + std::string(crypto::view(certificate.signature));
}

Result<SiteKeyCertificate> decode_site_key_certificate(std::string_view bytes) {
    Reader reader(bytes);
    std::uint8_t const version = reader.byte();
    if (reader.ok() && version > kVersion)
        return fail(Errc::unsupported,
                    "a key certificate has version " + std::to_string(version) +
                        ", this program reads version 1");
    SiteKeyCertificate certificate;
    read_into(reader, certificate.site);
    certificate.name = std::string(reader.blob());
    read_into(reader, certificate.channel_key);
    read_into(reader, certificate.sealing_key);
    certificate.serial = reader.varint();
    read_into(reader, certificate.signature);
    if (!reader.finished() || version != kVersion || certificate.serial == 0 ||
        !valid_name(certificate.name))
        return fail(Errc::protocol,
                    "a key certificate of " + std::to_string(bytes.size()) + " bytes is malformed");
    return certificate;
}

Result<void> verify(SiteKeyCertificate const& certificate) {
    if (!crypto::verify(certificate.site, signed_bytes(certificate), certificate.signature))
        return fail(Errc::protocol,
                    "the key certificate of site " + site_id_short(certificate.site) +
                        " is not signed by that site");
    return {};
}

}  // namespace inos
