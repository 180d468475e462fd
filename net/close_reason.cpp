#include "net/close_reason.hpp"

namespace inos {

std::string_view cut_reason(std::string_view text) {
    if (text.size() <= kCloseReasonLimit) return text;
    std::size_t end = kCloseReasonLimit;
    while (end > 0 && (text[end] & 0xC0) == 0x80) {
        --end;
    }
    return text.substr(0, end);
}

std::string printable_text(std::string_view text) {
    std::string result(text.substr(0, kCloseReasonLimit));
    for (char& c : result) {
        if (c < 0x20 || c > 0x7e) c = '?';
    }
    return result;
}

}  // namespace inos
