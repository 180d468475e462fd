// Included first by the codec: clang 16 in C++20 mode finds Cap'n Proto 0.9's comparison of a C
// string with kj::StringPtr ambiguous; this exact match settles it.
#pragma once

#include <kj/string.h>

#if defined(__clang__) && __clang_major__ >= 16
namespace kj {
inline bool operator==(char const* a, StringPtr b) {
    return b.operator==(StringPtr(a));
}
}  // namespace kj
#endif
