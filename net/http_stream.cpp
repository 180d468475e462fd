#include "net/http_stream.hpp"

#include <utility>

namespace inos {

void HttpStream::detach() {
    on_room_ = nullptr;
    on_close_ = nullptr;
}

void HttpStream::write(std::string_view bytes) {
    if (ended_ || bytes.empty()) return;
    buffer_ += bytes;
    was_full_ = buffer_.size() >= kHttpStreamBytesMax;
    wake();
}

void HttpStream::end() {
    if (std::exchange(ended_, true)) return;
    detach();
    wake();
}

std::string HttpStream::take() {
    std::string data = std::exchange(buffer_, {});
    bool const tell = std::exchange(was_full_, false) && !ended_;
    auto const callback = on_room_;  // it may replace itself
    if (tell && callback) callback();
    return data;
}

void HttpStream::stop() {
    if (std::exchange(ended_, true)) return;
    tell_producer();
    wake();
}

void HttpStream::close() {
    buffer_.clear();
    on_data_ = nullptr;
    if (!std::exchange(ended_, true)) tell_producer();
}

void HttpStream::wake() const {
    auto const callback = on_data_;
    if (callback) callback();
}

void HttpStream::tell_producer() {
    auto const callback = std::exchange(on_close_, nullptr);
    on_room_ = nullptr;
    if (callback) callback();
}

}  // namespace inos
