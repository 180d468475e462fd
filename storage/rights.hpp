// Rights of bounded counters between sites: what a refused write lacks, what a site should ask for
// ahead of need. Who grants how much is decided in crdt/types/bounded_counter.hpp; rights move by
// a Write of kind transfer, which is an entry like all others. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "crdt/change.hpp"

namespace inos {

// Behind an Error of kind Errc::rights: which field of which record, and how much of it.
struct RightsShortage {
    RecordName name;
    std::string field;
    Shortage shortage;
};

// What a site asks other sites for.
struct RightsNeed {
    RecordName name;
    std::string field;
    std::int64_t amount = 0;
    bool ahead = false;  // nothing waits for it: others keep what they may need themselves
    bool operator==(RightsNeed const&) const = default;
};

// What is missing to the refused write; an amount of 0 where asking is in vain, because all sites
// together do not have it.
inline RightsNeed need_of(RightsShortage const& refused) {
    Shortage const& shortage = refused.shortage;
    bool const exists = shortage.wanted - shortage.available <= shortage.elsewhere;
    return {refused.name, refused.field, exists ? shortage.wanted - shortage.available : 0, false};
}

}  // namespace inos
