#include "tools/event_stream.hpp"

namespace inos {

bool EventStream::take(std::string_view piece) {
    while (!piece.empty()) {
        std::size_t const end = piece.find('\n');
        line_ += piece.substr(0, end);
        overflowed_ = overflowed_ || line_.size() + event_.data.size() > kEventBytesMax;
        if (overflowed_) return false;
        if (end == std::string_view::npos) return true;
        piece.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        std::string const line = std::exchange(line_, {});
        if (!take_line(line)) return false;
    }
    return true;
}

// An empty line ends an event; one without data is none, but its id counts.
bool EventStream::take_line(std::string_view line) {
    if (line.empty()) {
        ServerEvent const event{std::exchange(event_.name, {}), event_.id, event_.data};
        event_.data.clear();
        return !std::exchange(has_data_, false) || on_event_(event);
    }
    std::size_t const colon = line.find(':');
    std::string_view const field = line.substr(0, colon);
    std::string_view value;
    if (colon != std::string_view::npos) value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") event_.name = value;
    if (field == "id") event_.id = value;
    if (field == "data") {
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    }
    return true;
}

}  // namespace inos
