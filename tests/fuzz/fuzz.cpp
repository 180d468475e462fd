#include "tests/fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>

#include <sodium.h>

#include "storage/crypto/crypto.hpp"

namespace inos::fuzz {
namespace {

std::uint64_t random_state = 0;

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t next_random() {
    std::uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

char const* random_name() {
    return "seeded";
}
std::uint32_t random_word() {
    return static_cast<std::uint32_t>(next_random() >> 32);
}
void random_fill(void* const out, std::size_t const size) {
    auto* const bytes = static_cast<unsigned char*>(out);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<unsigned char>(next_random() >> 56);
}

randombytes_implementation implementation{
    random_name, random_word, nullptr, nullptr, random_fill, nullptr};

}  // namespace

void expect(bool holds, char const* property) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", property);
    std::abort();
}

void seed_randomness() {
    static bool const ready = [] {
        randombytes_set_implementation(&implementation);
        crypto::init();
        return true;
    }();
    random_state = ready ? 1 : 0;
}

}  // namespace inos::fuzz
