#include "tools/terminal.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <numeric>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

namespace inos {
namespace {

constexpr std::size_t kWidthDefault = 100;
constexpr std::size_t kWidthMax = 500;
constexpr std::size_t kColumnMin = 6;
constexpr std::size_t kGap = 2;
constexpr char32_t kReplacement = 0xFFFD;

// The next character of UTF-8 text that may be broken; moves `at` behind it.
char32_t next_char(std::string_view text, std::size_t& at) {
    auto const byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    unsigned const first = byte(at);
    std::size_t const length = first < 0x80   ? 1
                               : first < 0xC2 ? 0
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF5 ? 4
                                              : 0;
    char32_t c = length <= 1 ? first : first & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0u) != 0x80u) {
            ++at;
            return kReplacement;
        }
        c = (c << 6) | (byte(at + i) & 0x3Fu);
    }
    at += std::max<std::size_t>(length, 1);
    return length == 0 ? kReplacement : c;
}

// What a terminal acts on instead of showing: controls, and marks that change the direction of
// text.
bool acts(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::size_t char_width(char32_t c) {
    int const width = ::wcwidth(static_cast<wchar_t>(c));
    return width < 0 ? 1 : static_cast<std::size_t>(width);
}

// Standard input without echo and line editing, until this is gone.
class Unseen {
public:
    Unseen() {
        is_set_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        termios now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        now.c_cc[VMIN] = 1;
        now.c_cc[VTIME] = 0;
        is_set_ = is_set_ && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) == 0;
    }
    ~Unseen() {
        if (is_set_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    Unseen(Unseen const&) = delete;
    Unseen& operator=(Unseen const&) = delete;
    bool is_set() const { return is_set_; }

private:
    termios before_{};
    bool is_set_ = false;
};

constexpr std::size_t kTypedMax = 1024;

std::optional<Passphrase> ask_unseen(std::string const& prompt) {
    constexpr char kBreak = 3, kEnd = 4, kBack = 8, kClear = 21, kDelete = 127;
    Unseen const unseen;
    if (!unseen.is_set()) return std::nullopt;
    std::cerr << prompt << std::flush;
    std::array<char, kTypedMax> typed{};
    std::size_t size = 0;
    bool broken = false;
    for (char c = 0; !broken;) {
        broken = ::read(STDIN_FILENO, &c, 1) != 1 || c == kBreak || (c == kEnd && size == 0);
        if (broken || c == '\n' || c == '\r') break;
        if (c == kClear) {
            size = 0;
        } else if (c == kBack || c == kDelete) {
            // A character of UTF-8 goes whole.
            while (size > 0 && (static_cast<unsigned char>(typed[--size]) & 0xC0u) == 0x80u)
                continue;
        } else if (size < typed.size()) {
            typed[size++] = c;
        }
    }
    std::cerr << std::endl;
    Passphrase passphrase(std::string_view(typed.data(), size));
    std::memset(typed.data(), 0, typed.size());
    if (broken) return std::nullopt;
    return passphrase;
}

void use_utf8() {
    static bool const done = [] { return std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr; }();
    static_cast<void>(done);
}

}  // namespace

Terminal Terminal::of_process() {
    Terminal terminal{std::cin, std::cout, std::cerr};
    terminal.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    terminal.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
    if (::isatty(STDIN_FILENO) == 1) terminal.ask = ask_unseen;
    terminal.colours = terminal.out_is_terminal && std::getenv("NO_COLOR") == nullptr;
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
        terminal.width = std::min<std::size_t>(size.ws_col, kWidthMax);
    } else {
        terminal.width = kWidthDefault;
    }
    return terminal;
}

std::string Terminal::coloured(char const* code, std::string_view text) const {
    if (!colours) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::size_t display_width(std::string_view text) {
    use_utf8();
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();)
        width += char_width(next_char(text, at));
    return width;
}

std::string clean_text(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t const from = at;
        char32_t const c = next_char(text, at);
        if (c == '\n' || c == '\r' || c == '\t') {
            out.push_back(' ');
        } else if (acts(c) || c == kReplacement) {
            out.append("\xEF\xBF\xBD");
        } else {
            out.append(text.substr(from, at - from));
        }
    }
    return out;
}

std::string fit_text(std::string_view text, std::size_t width) {
    std::string const clean = clean_text(text);
    if (display_width(clean) <= width) return clean;
    std::size_t used = 0;
    std::size_t at = 0;
    for (std::size_t next = 0; next < clean.size();) {
        std::size_t const columns = char_width(next_char(clean, next));
        if (used + columns + 1 > width) break;
        used += columns;
        at = next;
    }
    return clean.substr(0, at) + "…";
}

std::vector<std::size_t> Table::widths(std::size_t available) const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (auto const& row : rows_) {
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(clean_text(row[i])));
        }
    }
    auto const total = [&] {
        return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
    };
    while (total() > available) {
        auto const widest = std::max_element(widths.begin(), widths.end());
        if (*widest <= kColumnMin) break;
        --*widest;
    }
    return widths;
}

void Table::print(Terminal const& terminal, std::string_view indent) const {
    auto const widths = this->widths(terminal.width - std::min(terminal.width, indent.size()));
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        std::string line;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            std::string const cell = i < rows_[r].size() ? fit_text(rows_[r][i], widths[i]) : "";
            line += cell;
            if (i + 1 < widths.size()) {
                line.append(widths[i] - std::min(widths[i], display_width(cell)) + kGap, ' ');
            }
        }
        line.erase(line.find_last_not_of(' ') + 1);
        terminal.out << indent << (r == 0 ? terminal.dim(line) : line) << '\n';
    }
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

std::string human_bytes(std::uint64_t bytes) {
    static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit)
        amount /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", amount, kUnits[unit]);
    return text;
}

}  // namespace inos
