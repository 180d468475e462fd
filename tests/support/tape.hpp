// Tapes as rapidcheck makes, shrinks and shows them.
#pragma once

#include <ostream>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "tests/support/sim.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::sim {

inline void showValue(Tape const& tape, std::ostream& out) {
    rc::show(tape.words(), out);
}

inline rc::Gen<Tape> any_tape(double words_per_size = 5) {
    auto const word = rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>());
    return rc::gen::map(
        rc::gen::scale(words_per_size, rc::gen::container<std::vector<std::uint32_t>>(word)),
        [](std::vector<std::uint32_t> words) { return Tape(std::move(words)); });
}

}  // namespace inos::sim

namespace rc {
template <>
struct Arbitrary<inos::sim::Tape> {
    static Gen<inos::sim::Tape> arbitrary() { return inos::sim::any_tape(); }
};
}  // namespace rc
