// A progress bar on standard error, while that is a terminal; otherwise nothing is printed. Redrawn
// at most ten times a second, removed when done, so that only the summary stays.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tools/terminal.hpp"

namespace inos {

class Progress {
public:
    // `total` 0: not known, only the count is shown.
    Progress(Terminal& terminal, std::string label, std::uint64_t total);
    ~Progress() { clear(); }
    Progress(Progress const&) = delete;
    Progress& operator=(Progress const&) = delete;

    void update(std::uint64_t done, std::string_view note = {});
    void set_total(std::uint64_t total) { total_ = total; }
    void clear();

private:
    Terminal& terminal_;
    std::string label_;
    std::uint64_t total_;
    std::chrono::steady_clock::time_point drawn_{};
    bool shown_ = false;
};

}  // namespace inos
