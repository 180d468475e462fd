#include "storage/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace inos {

void assert_failed(char const* condition, char const* file, int line) {
    std::fprintf(stderr, "%s:%d: internal error: this does not hold: %s\n", file, line, condition);
    std::fflush(stderr);
    std::abort();
}

}  // namespace inos
