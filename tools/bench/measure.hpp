// What the bench programs measure with.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include <sys/resource.h>

#include "storage/result.hpp"

namespace inos::bench {

// User and system time. `who`: RUSAGE_SELF for all threads, RUSAGE_THREAD for the calling one,
// without what RocksDB does in the background at any time.
inline double cpu_us(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    auto const us = [](timeval const& t) {
        return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
    };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

template <class F>
double cpu_of(int who, F&& work) {
    double const before = cpu_us(who);
    work();
    return cpu_us(who) - before;
}

inline void report(char const* name, std::uint64_t n, double value, char const* unit) {
    std::printf("{\"name\":\"%s\",\"n\":%llu,\"value\":%.2f,\"unit\":\"%s\"}\n",
                name,
                static_cast<unsigned long long>(n),
                value,
                unit);
    std::fflush(stdout);
}

template <class T>
T must(Result<T> result) {
    if (result) {
        if constexpr (std::is_void_v<T>)
            return;
        else
            return *std::move(result);
    }
    std::fprintf(stderr, "the benchmark cannot go on: %s\n", result.error().message.c_str());
    std::exit(1);
}

}  // namespace inos::bench
