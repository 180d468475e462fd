// A run of the simulation as data: how many sites, and what happens, step by step. Made from a seed
// (plan_make.hpp), carried out (plan_run.hpp), made smaller where it shows something (shrink.hpp),
// and told (story.hpp).
//
// Between two steps no site hears of another one: they exchange what they have when they meet, and
// at the end all of them do. So every write is concurrent with all that its site has not been told
// at a meeting. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/replica.hpp"

namespace inos::simulate {

inline constexpr std::size_t kSitesMin = 2, kSitesMax = 16;

enum class StepKind : std::uint8_t {
    write,    // one transaction at a site
    meet,     // sites exchange what they have
    restart,  // a site's program is killed and starts again
    power,    // a site's machine loses power and starts again
    clock,    // a site's clock is set ahead or back
};

struct Step {
    StepKind kind = StepKind::write;
    std::size_t site = 0;
    std::vector<Write> writes;       // write
    std::string source = {};         // write: who asks for it
    std::vector<std::size_t> sites;  // meet: at least two, ascending
    std::uint64_t cut_at = 0;        // meet: the connection breaks at this message; 0: it does not
    std::int64_t minutes = 0;        // clock
};

struct Plan {
    std::uint64_t seed = 1;  // of delays and keys
    std::size_t sites = 2;
    std::vector<Step> steps;
};

// "A", "B", ...
inline std::string site_name(std::size_t site) {
    return std::string(1, static_cast<char>('A' + site));
}

}  // namespace inos::simulate
