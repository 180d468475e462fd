// What everything here begins with: keys from a tape, values from JSON, and the answer of what
// cannot fail as long as the program is right.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include "crdt/value.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/crypto/key_files.hpp"
#include "storage/json.hpp"
#include "storage/result.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::sim {

// Throws std::logic_error with the error's text.
template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::logic_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// Fields as a test writes them: {"name": "Ann"}.
inline Object object_of(std::string_view json) {
    return value_of(parse_json_object(json));
}

inline crypto::Secret random_secret(Tape& tape) {
    crypto::Secret secret;
    for (std::size_t i = 0; i < crypto::Secret::size(); ++i)
        secret.data()[i] = static_cast<std::uint8_t>(tape.word() >> 24);
    return secret;
}

inline SiteKeys random_site_keys(Tape& tape) {
    return {crypto::SigningKey::from_seed(random_secret(tape)),
            crypto::KeyPair::from_secret(random_secret(tape)),
            crypto::KeyPair::from_secret(random_secret(tape))};
}

}  // namespace inos::sim
