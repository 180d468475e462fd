// What happens in a run, one aligned line for each event: when, at which node, what. The lines are
// the same for the same seed whatever the compiler, so they hold no addresses and no order that
// depends on them. A hash over all of them stands for a run where nobody reads along.
//
//     12.345 s  s2        commit t17 orders/o17
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace inos::sim {

class Journal {
public:
    using Out = std::function<void(std::string const& line)>;

    // `now_ms` is asked for the virtual time of every line; `out` may be empty.
    Journal(std::function<std::uint64_t()> now_ms, Out out)
        : now_ms_(std::move(now_ms)), out_(std::move(out)) {}

    void note(std::string_view node, std::string_view what) {
        std::string line = seconds(now_ms_());
        line += "  ";
        line += node;
        line.append(node.size() < kNodeWidth ? kNodeWidth - node.size() : 1, ' ');
        line += what;
        for (char const c : line)
            hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;  // FNV-1a
        if (out_) out_(line);
    }
    std::uint64_t hash() const { return hash_; }

private:
    static constexpr std::size_t kNodeWidth = 10;
    static constexpr std::size_t kTimeWidth = 10;

    static std::string seconds(std::uint64_t ms) {
        std::string const fraction = std::to_string(1'000 + ms % 1'000).substr(1);
        std::string const text = std::to_string(ms / 1'000) + "." + fraction + " s";
        return std::string(text.size() < kTimeWidth ? kTimeWidth - text.size() : 0, ' ') + text;
    }

    std::function<std::uint64_t()> now_ms_;
    Out out_;
    std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace inos::sim
