// What became of requests to write, for clients that did not hear it: a retry under the same name
// gets the answer of the first time, and nothing is written twice.
//
//   meta  space u32 | 'r' | day u32 | request 16  -> version u8 | contents 16 | count
//                                                    | (flags u8 | blob version)* | dot
//   request, contents: H16 under the space's digest key of what the client sent: no byte of it is
//   kept, so an erased record leaves nothing here. day: of the node's clock, Unix days.
//   flags: 1 created, 2 changed, 4 found; dot: actor u64 | seq varint, seq 0 for none
//
// A row goes with the write that it tells of. It is found on the day of its write and on the next
// one, so it is remembered for 24 hours at least, and dropped in the two days behind that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/replica.hpp"

namespace inos {

struct RememberedRequest {
    crypto::Hash16 contents{};
    std::vector<WriteOutcome> writes;  // without ids and warnings
    std::optional<Dot> dot;

    std::string encode() const;
    static std::optional<RememberedRequest> decode(std::string_view bytes);
};

// Of the day of `now_ms`, or so many days before.
std::string request_key(std::uint32_t space,
                        std::uint64_t now_ms,
                        std::uint32_t days_ago,
                        crypto::Hash16 const& request);
// All behind the first and before the second are forgotten.
std::pair<std::string, std::string> forgotten_requests(std::uint32_t space, std::uint64_t now_ms);

}  // namespace inos
