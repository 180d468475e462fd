// Server-sent events, from the pieces of a response's body (the "event stream" of the HTML
// standard, section 9.2, without "retry"). Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace inos {

inline constexpr std::size_t kEventBytesMax = 64u << 20;

struct ServerEvent {
    std::string name;  // empty: a plain message
    std::string id;    // the last one that was sent, with this event or before
    std::string data;
};

// False: no more events are wanted.
using OnEvent = std::function<bool(ServerEvent const&)>;

class EventStream {
public:
    explicit EventStream(OnEvent on_event) : on_event_(std::move(on_event)) {}

    // Takes the next piece, cut anywhere. False when no more are wanted, or an event is larger than
    // kEventBytesMax.
    bool take(std::string_view piece);
    bool overflowed() const { return overflowed_; }

private:
    bool take_line(std::string_view line);

    OnEvent on_event_;
    std::string line_;  // the beginning of one
    ServerEvent event_;
    bool has_data_ = false;
    bool overflowed_ = false;
};

}  // namespace inos
