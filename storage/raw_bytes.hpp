// Arrays of bytes (hashes, keys, nonces, signatures) as they stand in stored and signed formats: by
// themselves, without a length. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "crdt/bytes.hpp"

namespace inos {

template <class Bytes>
void put_raw(std::string& out, Bytes const& bytes) {
    out.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}

// What is left of a reader that has failed is zeros.
template <class Bytes>
Bytes take_raw(Reader& in) {
    Bytes bytes{};
    std::string_view const raw = in.take(bytes.size());
    std::copy(raw.begin(), raw.end(), bytes.begin());
    return bytes;
}

}  // namespace inos
