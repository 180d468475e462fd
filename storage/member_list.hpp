// The sites of a space as people want to see them: members, those that were retired, and when each
// has last said what it holds. On the replica's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

struct MemberInfo {
    enum class State { member, retired, refused };  // refused: admitted by a retired admin
    Certificate certificate;                        // that holds now, or held last
    State state = State::member;
    bool self = false;
    std::optional<std::uint64_t> acknowledged_ms;  // by its clock; none: never heard of
    std::uint64_t missing = 0;                     // entries held here that it has not acknowledged
    std::string retired_by;                        // a site's name
    std::uint64_t retired_ms = 0;                  // by that site's clock
    // Of a retired site: who goes on with its shares of bounded counters (empty: no admin may),
    // as soon as these members have said that they know of the retirement.
    std::string heir;
    std::vector<std::string> heir_waits_for;
};

// Members by name, then the others by name.
Result<std::vector<MemberInfo>> list_members(Replica const& replica);

// The member whose id or name the text is. Errc::not_found offers the near miss; Errc::conflict:
// several have the name, say the id.
Result<Certificate> find_member(Membership const& membership, std::string_view text);

// "member", "retired", "refused".
char const* state_name(MemberInfo::State state);

}  // namespace inos
