#include "storage/crypto/site_id.hpp"

#include <algorithm>

#include "storage/crypto/base32.hpp"

namespace inos {
namespace {

constexpr std::string_view kCheckConstant = "inos site id 1";
constexpr std::size_t kKeyDigits = 52;
constexpr std::size_t kDigits = kKeyDigits + 2;
constexpr std::size_t kGroup = 6;
constexpr std::size_t kShortDigits = 8;

std::string_view bytes(crypto::PublicKey const& key) {
    return {reinterpret_cast<char const*>(key.data()), key.size()};
}

std::string with_check(crypto::PublicKey const& key) {
    crypto::Hash32 const hash = crypto::Hasher32().add(kCheckConstant).add(bytes(key)).finish();
    std::string text = base32_encode(bytes(key));
    text += base32_digit(hash[0] >> 3u);
    text += base32_digit((hash[0] & 7u) << 2 | hash[1] >> 6u);
    return text;
}

}  // namespace

std::string site_id_text(crypto::PublicKey const& site) {
    std::string const digits = with_check(site);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += kGroup) {
        if (i != 0) out += '-';
        out += digits.substr(i, kGroup);
    }
    return out;
}

Result<crypto::PublicKey> parse_site_id(std::string_view text) {
    auto digits = base32_normalize(text);
    if (!digits)
        return tl::unexpected<Error>(
            digits.error().prefixed("site id \"" + std::string(text.substr(0, 80)) + "\""));
    if (digits->size() != kDigits)
        return fail(Errc::invalid,
                    "the site id \"" + std::string(text.substr(0, 80)) + "\" has " +
                        std::to_string(digits->size()) + " characters without the dashes; " +
                        std::to_string(kDigits) + " are needed, copy it again");
    auto const key_bytes = base32_decode(digits->substr(0, kKeyDigits));
    crypto::PublicKey key{};
    if (key_bytes) std::copy(key_bytes->begin(), key_bytes->end(), key.begin());
    if (!key_bytes || with_check(key) != *digits)
        return fail(Errc::invalid,
                    "the site id \"" + std::string(text.substr(0, 80)) +
                        "\" is mistyped: its check characters do not fit, copy it again");
    return key;
}

std::string site_id_short(crypto::PublicKey const& site) {
    return base32_encode(bytes(site)).substr(0, kShortDigits);
}

}  // namespace inos
