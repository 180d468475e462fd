#include "net/pairing_code.hpp"

#include <algorithm>

#include <sodium.h>

#include "crdt/bytes.hpp"
#include "storage/crypto/base32.hpp"

namespace inos {
namespace {

constexpr std::string_view kPrefix = "inos1-";
constexpr std::string_view kPrefixWord = "inos";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCheckBytes = 4;
constexpr std::string_view kCheckConstant = "inos pairing code 1";
constexpr std::string_view kPskConstant = "inos pairing psk 1";
constexpr std::array<std::string_view, 2> kSchemes{"ws://", "wss://"};

template <std::size_t N>
std::string_view bytes(std::array<std::uint8_t, N> const& array) {
    return {reinterpret_cast<char const*>(array.data()), N};
}

template <std::size_t N>
void read_into(Reader& reader, std::array<std::uint8_t, N>& array) {
    std::string_view const raw = reader.take(N);
    std::copy(raw.begin(), raw.end(), array.begin());
}

std::string check_of(std::string_view body) {
    crypto::Hash32 const hash = crypto::Hasher32().add(kCheckConstant).add(body).finish();
    return std::string(crypto::view(hash).substr(0, kCheckBytes));
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

auto mistyped() {
    return fail(Errc::invalid,
                "the pairing code is mistyped or cut off; copy the whole line again");
}
auto newer(std::string const& version) {
    return fail(Errc::unsupported,
                "the pairing code has version " + version +
                    ", this program reads version 1; install a newer inos here");
}

// Checks the prefix and returns its length with white space before it.
Result<std::size_t> skip_prefix(std::string_view text) {
    std::size_t const start = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), is_space) - text.begin());
    std::string head(text.substr(start, 16));
    std::transform(head.begin(), head.end(), head.begin(), lower);
    if (head.starts_with(kPrefix)) return start + kPrefix.size();
    if (head.starts_with(kPrefixWord)) {
        std::size_t end = kPrefixWord.size();
        while (end < head.size() && is_digit(head[end]))
            ++end;
        std::string const version = head.substr(kPrefixWord.size(), end - kPrefixWord.size());
        if (end < head.size() && head[end] == '-' && !version.empty()) return newer(version);
    }
    return fail(Errc::invalid, "this is not a pairing code: it must begin with \"inos1-\"");
}

bool valid_host(std::string_view host) {
    if (host.empty()) return false;
    if (host.front() == '[')
        return host.size() > 3 && host.back() == ']' &&
               host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") ==
                   std::string_view::npos;
    return std::all_of(host.begin(), host.end(), [](char c) {
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '-' ||
               c == '_';
    });
}

bool valid_port(std::string_view port) {
    if (port.empty() || port.size() > 5 || port.front() == '0') return false;
    if (!std::all_of(port.begin(), port.end(), is_digit)) return false;
    return std::stoul(std::string(port)) <= 65'535;
}

// The index in kSchemes; kSchemes.size() when the address has none of them.
std::size_t scheme_of(std::string_view address) {
    auto const found = std::find_if(kSchemes.begin(), kSchemes.end(), [address](auto scheme) {
        return address.starts_with(scheme);
    });
    return static_cast<std::size_t>(found - kSchemes.begin());
}

Result<PairingCode> decode_body(std::string_view body) {
    Reader reader(body);
    PairingCode code;
    reader.byte();  // the version, looked at by the caller
    read_into(reader, code.inviter_id_hash);
    read_into(reader, code.invite_id);
    read_into(reader, code.secret);
    code.expires_unix_s = reader.varint();
    std::size_t const count = reader.byte();
    if (!reader.ok() || count > kPairingAddressesMax) return mistyped();
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t const scheme = reader.byte();
        std::string_view const rest = reader.blob();
        if (!reader.ok() || scheme >= kSchemes.size()) return mistyped();
        std::string address = std::string(kSchemes[scheme]) + std::string(rest);
        INOS_CHECK(check_pairing_address(address));
        code.addresses.push_back(std::move(address));
    }
    if (!reader.finished()) return mistyped();
    return code;
}

}  // namespace

PairingCode::~PairingCode() {
    sodium_memzero(secret.data(), secret.size());
}

Result<void> check_pairing_address(std::string_view address) {
    std::size_t const scheme = scheme_of(address);
    bool valid = scheme < kSchemes.size() && address.size() <= kPairingAddressBytesMax;
    if (valid) {
        std::string_view const rest = address.substr(kSchemes[scheme].size());
        std::size_t const colon = rest.rfind(':');
        valid = colon != std::string_view::npos && valid_host(rest.substr(0, colon)) &&
                valid_port(rest.substr(colon + 1));
    }
    if (!valid)
        return fail(Errc::invalid,
                    "the address \"" + std::string(address.substr(0, kPairingAddressBytesMax)) +
                        "\" is not of the form ws://HOST:PORT");
    return {};
}

Result<std::string> encode_pairing_code(PairingCode const& code) {
    if (code.addresses.size() > kPairingAddressesMax)
        return fail(Errc::invalid,
                    "a pairing code holds at most " + std::to_string(kPairingAddressesMax) +
                        " addresses, not " + std::to_string(code.addresses.size()));
    std::string body;
    body += static_cast<char>(kVersion);
    body += bytes(code.inviter_id_hash);
    body += bytes(code.invite_id);
    body += bytes(code.secret);
    put_varint(body, code.expires_unix_s);
    body += static_cast<char>(code.addresses.size());
    for (std::string const& address : code.addresses) {
        INOS_CHECK(check_pairing_address(address));
        std::size_t const scheme = scheme_of(address);
        body += static_cast<char>(scheme);
        put_blob(body, std::string_view(address).substr(kSchemes[scheme].size()));
    }
    body += check_of(body);
    std::string text = std::string(kPrefix) + base32_encode(body);
    sodium_memzero(body.data(), body.size());
    return text;
}

Result<PairingCode> decode_pairing_code(std::string_view text) {
    if (text.size() > kPairingCodeCharsMax)
        return fail(
            Errc::invalid,
            "this is not a pairing code: it has " + std::to_string(text.size()) + " characters");
    INOS_TRY(std::size_t const start, skip_prefix(text));
    std::string_view const digits = text.substr(start);
    // Two steps, so that a wrong character is named and any other damage is "mistyped or cut off".
    INOS_CHECK(base32_normalize(digits, start));
    auto decoded = base32_decode(digits, start);
    if (!decoded || decoded->size() <= kCheckBytes) return mistyped();
    std::string_view const all = *decoded;
    std::string_view const body = all.substr(0, all.size() - kCheckBytes);
    // The check holds for every version, so a newer code is told from a mistyped one.
    if (!crypto::equal(check_of(body), all.substr(body.size()))) return mistyped();
    auto const version = static_cast<std::uint8_t>(body.front());
    if (version != kVersion) return newer(std::to_string(version));
    auto code = decode_body(body);
    sodium_memzero(decoded->data(), decoded->size());
    return code;
}

crypto::Hash16 inviter_id_hash(crypto::PublicKey const& inviter) {
    crypto::Hash32 const hash = crypto::hash32(bytes(inviter));
    crypto::Hash16 out;
    std::copy_n(hash.begin(), out.size(), out.begin());
    return out;
}

crypto::Secret pairing_psk(PairingSecret const& secret) {
    crypto::Hash32 hash = crypto::Hasher32().add(kPskConstant).add(bytes(secret)).finish();
    crypto::Secret psk(crypto::view(hash));
    sodium_memzero(hash.data(), hash.size());
    return psk;
}

}  // namespace inos
