// What a bad disk or a hostile peer makes of good bytes: every truncation, every flip of a bit, and
// bytes left over. A decoder must refuse each or give something that encodes to the same bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inos::test {

template <class Visit>
void for_every_truncation(std::string_view good, Visit visit) {
    for (std::size_t size = 0; size < good.size(); ++size)
        visit(std::string(good.substr(0, size)));
}

// Each bit of each byte, and each byte set to the ends of its range.
template <class Visit>
void for_every_flip(std::string_view good, Visit visit) {
    std::string bad(good);
    for (char& byte : bad) {
        char const was = byte;
        for (unsigned bit = 0; bit < 8; ++bit) {
            byte = static_cast<char>(static_cast<unsigned char>(was) ^ (1u << bit));
            visit(bad);
        }
        for (char const end : {'\0', '\x7f', '\xff'}) {
            byte = end;
            if (byte != was) visit(bad);
        }
        byte = was;
    }
}

template <class Visit>
void for_every_corruption(std::string_view good, Visit visit) {
    for_every_truncation(good, visit);
    for_every_flip(good, visit);
    for (char const extra : {'\0', '\1', '\xff'})
        visit(std::string(good) + extra);
}

}  // namespace inos::test
