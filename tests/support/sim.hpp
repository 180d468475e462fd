// Tests name the simulator's parts as their own: test::Tape is sim::Tape.
#pragma once

namespace inos::sim {}

namespace inos::test {
using namespace sim;
}
