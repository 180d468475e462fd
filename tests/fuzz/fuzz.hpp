// What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput, which reads an
// input, stops the program when a property does not hold, and answers 0. It depends on nothing but
// the input: no clock, no state from earlier inputs, and seeded randomness.
//
// libFuzzer drives a target in the preset `fuzz`; in all other builds replay_main.cpp feeds it the
// committed corpus and mutations of it. (docs/testing.md)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace inos::fuzz {

inline std::string_view view(std::uint8_t const* data, std::size_t size) {
    return {reinterpret_cast<char const*>(data), size};
}

// Says which property does not hold and aborts, so that the fuzzer keeps the input.
void expect(bool holds, char const* property);

// From here on libsodium's randomness is the same for every run of an input. Initialises libsodium.
void seed_randomness();

// Reads choices off the front of an input; past its end they are zero and empty, so every input is
// a valid list of choices and shorter inputs make simpler cases.
class Input {
public:
    explicit Input(std::string_view bytes) : rest_(bytes) {}

    bool empty() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

    std::string_view take(std::size_t size) {
        std::string_view const bytes = rest_.substr(0, std::min(size, rest_.size()));
        rest_.remove_prefix(bytes.size());
        return bytes;
    }
    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (char const c : take(bytes))
            value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
    std::size_t below(std::size_t bound) { return byte() % bound; }
    // 2 bytes of length, then as many bytes as there are.
    std::string_view blob() { return take(number(2)); }

    // A number that is often small or near the ends of its range.
    std::uint64_t wide() {
        switch (below(4)) {
            case 0:
                return byte();
            case 1:
                return ~std::uint64_t{byte()};
            case 2: {
                auto const power = std::uint64_t{1} << (byte() % 64);
                return power + byte() - 2;
            }
            default:
                return number(8);
        }
    }
    template <class Bytes>
    Bytes array() {
        Bytes out{};
        std::string_view const bytes = take(out.size());
        std::copy(bytes.begin(), bytes.end(), out.begin());
        return out;
    }

private:
    std::string_view rest_;
};

}  // namespace inos::fuzz
