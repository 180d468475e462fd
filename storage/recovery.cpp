#include "storage/recovery.hpp"

#include <algorithm>

#include "storage/crypto/base32.hpp"

namespace inos {
namespace {

constexpr std::string_view kPrefix = "inosr1-";
constexpr std::size_t kSecretBytes = 16, kCheckBytes = 4, kGroup = 6;
constexpr std::size_t kCodeCharsMax = 256;
constexpr char kVersion = 1;

std::string check_of(std::string_view body) {
    auto const hash = crypto::Hasher32().add("inos recovery code 1").add(body).finish();
    return std::string(crypto::view(hash).substr(0, kCheckBytes));
}

crypto::SigningKey key_of(std::string_view secret) {
    auto const seed = crypto::Hasher32().add("inos recovery key 1").add(secret).finish();
    return crypto::SigningKey::from_seed(crypto::Secret(crypto::view(seed)));
}

}  // namespace

Recovery make_recovery() {
    std::string secret(kSecretBytes, '\0');
    crypto::random_bytes(secret.data(), secret.size());
    std::string body(1, kVersion);
    body += secret;
    std::string const digits = base32_encode(body + check_of(body));
    Recovery made{std::string(kPrefix), key_of(secret)};
    for (std::size_t i = 0; i < digits.size(); i += kGroup)
        made.code += (i == 0 ? "" : "-") + digits.substr(i, kGroup);
    return made;
}

crypto::Hash16 recovery_nonce(crypto::PublicKey const& key) {
    std::string text = "inos recovery nonce 1";
    text.append(reinterpret_cast<char const*>(key.data()), key.size());
    return crypto::hash16(text);
}

Result<crypto::SigningKey> read_recovery_code(std::string_view code) {
    auto const mistyped = [] {
        return fail(Errc::invalid,
                    "this is no recovery code, or it is mistyped or cut off; it begins with "
                    "\"inosr1-\" and was printed by inos init");
    };
    while (!code.empty() && static_cast<unsigned char>(code.front()) <= ' ')
        code.remove_prefix(1);
    bool const begins =
        code.size() > kPrefix.size() && code.size() < kCodeCharsMax &&
        std::equal(kPrefix.begin(), kPrefix.end(), code.begin(), [](char a, char b) {
            return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a');
        });
    if (!begins) return mistyped();
    INOS_TRY(std::string const bytes, base32_decode(code.substr(kPrefix.size()), kPrefix.size()));
    if (bytes.size() != 1 + kSecretBytes + kCheckBytes) return mistyped();
    std::string_view const body = std::string_view(bytes).substr(0, 1 + kSecretBytes);
    if (!crypto::equal(check_of(body), std::string_view(bytes).substr(body.size())))
        return mistyped();
    if (body[0] != kVersion)
        return fail(Errc::unsupported,
                    "the recovery code was made by a newer version; upgrade this program");
    return key_of(body.substr(1));
}

}  // namespace inos
