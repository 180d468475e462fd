// The source of all random choices: a tape of words, read from the front. A generator is an
// ordinary function that reads choices off a tape, so that the simulator, rapidcheck, a fuzzer and
// a plain loop over seeds share it. Past its end a written tape reads as zeros, and choice 0 is
// always the simplest one: shrinking the words shrinks what is made of them. A tape made of a seed
// never ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace inos::sim {

class Tape {
public:
    Tape() = default;
    explicit Tape(std::vector<std::uint32_t> words) : words_(std::move(words)) {}
    static Tape seeded(std::uint64_t seed) {
        Tape tape;
        tape.seed_ = seed;
        tape.endless_ = true;
        return tape;
    }

    std::uint32_t word() {
        if (endless_) return static_cast<std::uint32_t>(next_random() >> 32);
        return next_ < words_.size() ? words_[next_++] : 0;
    }
    std::size_t below(std::size_t bound) { return bound <= 1 ? 0 : word() % bound; }
    bool chance(unsigned percent) { return 99 - word() % 100 < percent; }  // a zero is a no
    template <class List>
    auto const& pick(List const& list) {
        return list[below(std::size(list))];
    }
    std::uint64_t word64() {
        std::uint64_t const high = word();
        return high << 32 | word();
    }

    std::vector<std::uint32_t> const& words() const { return words_; }

private:
    // SplitMix64 (Steele, Lea, Flood 2014).
    std::uint64_t next_random() {
        std::uint64_t z = seed_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    std::vector<std::uint32_t> words_;
    std::size_t next_ = 0;
    std::uint64_t seed_ = 0;
    bool endless_ = false;
};

}  // namespace inos::sim
