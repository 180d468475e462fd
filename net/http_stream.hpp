// The body of a response that is sent piece by piece for as long as its producer likes: what the
// producer of a stream of events and the server share.
//
// The producer writes while has_room() is true; when the buffer has been full and the client has
// taken what was in it, on_room is called. So a slow client holds at most kHttpStreamBytesMax and
// one piece here, and as much again on its way to the network. The stream ends by end(), or by the
// server: the client went away, took nothing for too long, or the server stops.
//
// Thread: the server's; so are the callbacks. Lifetime: shared. A callback is called no more after
// on_close or after detach().
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace inos {

inline constexpr std::size_t kHttpStreamBytesMax = 1u << 20;

class HttpStream {
public:
    // `heartbeat` is sent whenever nothing else was for a while, so that both ends notice a dead
    // connection; empty: nothing is.
    explicit HttpStream(std::string heartbeat = {}) : heartbeat_(std::move(heartbeat)) {}
    HttpStream(HttpStream const&) = delete;
    HttpStream& operator=(HttpStream const&) = delete;

    // ---- the producer's side -------------------------------------------------------------------
    void on_room(std::function<void()> callback) { on_room_ = std::move(callback); }
    // At most once, and not after end().
    void on_close(std::function<void()> callback) { on_close_ = std::move(callback); }
    void detach();

    bool has_room() const { return !ended_ && buffer_.size() < kHttpStreamBytesMax; }
    void write(std::string_view bytes);  // dropped after the end
    void end();                          // what was written is still sent
    bool ended() const { return ended_; }

    // ---- the server's side ---------------------------------------------------------------------
    // Called when there is something to take, or the stream has ended.
    void on_data(std::function<void()> callback) { on_data_ = std::move(callback); }
    std::string const& heartbeat() const { return heartbeat_; }
    bool has_data() const { return !buffer_.empty(); }
    std::size_t waiting_bytes() const { return buffer_.size(); }
    std::string take();  // all of it
    // The server stops: what was written is sent, nothing more comes.
    void stop();
    // Nothing more is sent.
    void close();

private:
    void wake() const;
    void tell_producer();

    std::string const heartbeat_;
    std::string buffer_;
    bool ended_ = false;
    bool was_full_ = false;
    std::function<void()> on_room_, on_close_, on_data_;
};

}  // namespace inos
