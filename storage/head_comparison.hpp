// What comes to light when two sites compare their histories (storage/continuity.hpp). Values.
#pragma once

#include <optional>
#include <vector>

#include "storage/continuity.hpp"

namespace inos {

// What a comparison of all actors' last entries with those of a peer brought to light.
struct HeadComparison {
    struct Found {
        Fork fork;
        bool is_new = false;  // nobody has been told yet
    };
    // The peer says that it holds another entry under the number. What we hold can be shown to it.
    struct Unlike {
        ActorId actor;
        Seq seq = 0;
        ActorHead ours;
    };
    std::vector<Unlike> forks;
    bool confirmed = false;  // of our actors, present or earlier: more than before
    bool over = false;       // our next write takes a new actor from now on
};

// What a peer's side of a fork means here. Neither: what it shows is what is held here.
struct ForkShown {
    std::optional<HeadComparison::Found> found;    // two histories: kept as evidence
    std::optional<HeadComparison::Unlike> cannot;  // it is ahead of us, so it has to judge: by this
};

}  // namespace inos
