#include "tools/progress.hpp"

#include <algorithm>
#include <ostream>

namespace inos {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

Progress::Progress(Terminal& terminal, std::string label, std::uint64_t total)
    : terminal_(terminal), label_(std::move(label)), total_(total) {}

void Progress::update(std::uint64_t done, std::string_view note) {
    if (!terminal_.err_is_terminal) return;
    auto const now = std::chrono::steady_clock::now();
    if (shown_ && now - drawn_ < kRedraw) return;
    drawn_ = now;
    shown_ = true;
    std::string line = label_ + " ";
    if (total_ > 0) {
        done = std::min(done, total_);
        auto const filled = static_cast<std::size_t>(done * kBarWidth / total_);
        line += '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
                std::to_string(done * 100 / total_) + " %";
    } else {
        line += grouped(done);
    }
    if (!note.empty()) line += "  " + std::string(note);
    terminal_.err << "\r\x1b[2K" << fit_text(line, terminal_.width - 1) << std::flush;
}

void Progress::clear() {
    if (!shown_) return;
    terminal_.err << "\r\x1b[2K" << std::flush;
    shown_ = false;
}

}  // namespace inos
