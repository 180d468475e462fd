// Inside an inspection of a replica: where in the log it is, and what the records so far add up to.
#pragma once

#include <memory>
#include <optional>

#include "storage/integrity.hpp"
#include "storage/replica_stage.hpp"

namespace inos {

// Between two actors, or within the log of one.
struct Inspector::Reading {
    std::optional<ActorId> done;  // the last actor whose log was read to its end
    std::optional<ActorId> actor;
    Seq next = 1;
    crypto::Hash32 chain{};  // at next - 1
    bool chain_known = true;
    Seq signature_behind = 0;  // signatures at higher numbers were not looked at yet
    Seq last_signed = 0;       // the last signature that was looked at
};

// With all that is written meanwhile, as long as nobody else sums (Replica::write).
struct Inspector::Adding {
    std::shared_ptr<Replica::Summing> summing;
};

}  // namespace inos
