// How many handshakes may be in progress, in all and per remote address: counts them and decides
// about the next one. Pure; its size is bounded by the limit in all.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "storage/result.hpp"

namespace inos {

class HandshakeLimits {
public:
    HandshakeLimits(std::size_t in_all_max, std::size_t per_address_max)
        : in_all_max_(in_all_max), per_address_max_(per_address_max) {}

    // Counts a handshake and answers true, or false if it would be one too many.
    bool begin(std::string const& address) {
        auto const same = by_address_.find(address);
        std::size_t const from_there = same == by_address_.end() ? 0 : same->second;
        if (in_all_ >= in_all_max_ || from_there >= per_address_max_) return false;
        ++in_all_;
        by_address_[address] = from_there + 1;
        return true;
    }

    // The end of one that begin() counted.
    void end(std::string const& address) {
        auto const same = by_address_.find(address);
        INOS_ASSERT(same != by_address_.end() && in_all_ > 0);
        --in_all_;
        if (--same->second == 0) by_address_.erase(same);
    }

private:
    std::size_t const in_all_max_;
    std::size_t const per_address_max_;
    std::size_t in_all_ = 0;
    std::map<std::string, std::size_t> by_address_;
};

}  // namespace inos
