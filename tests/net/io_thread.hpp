// Helpers of the tests that need a real network: an io_context on a thread of its own, waiting for
// a condition, and a blocking client that sends exactly the bytes a test wants.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace inos::test {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds kPatience{20};

class IoThread {
public:
    IoThread() : thread_([this] { io.run(); }) {}
    ~IoThread() { finish(); }

    // Runs f on the thread and waits for it; here, when the thread has ended.
    template <class F>
    auto call(F f) {
        if (!thread_.joinable()) return f();
        std::packaged_task<decltype(f())()> task(std::move(f));
        auto result = task.get_future();
        boost::asio::post(io, [&task] { task(); });
        return result.get();
    }

    // Waits until the thread has nothing to do any more: returns only if nothing is left running.
    void finish() {
        guard_.reset();
        if (thread_.joinable()) thread_.join();
    }

    boost::asio::io_context io{1};

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
        io.get_executor()};
    std::thread thread_;
};

// Runs io on this thread until the condition holds; false when patience is over.
template <class Condition>
bool run_until(boost::asio::io_context& io, Condition condition) {
    auto const end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        io.restart();
        io.run_one_for(50ms);
    }
    return true;
}

// A blocking byte stream to a local server.
class RawClient {
public:
    static RawClient tcp(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return RawClient(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    static RawClient local(std::string const& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        return RawClient(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    RawClient(RawClient&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), text_(std::move(other.text_)) {}
    ~RawClient() { close(); }

    bool connected() const { return fd_ >= 0; }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            auto const size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
    }

    // Everything until the other side closes.
    std::string read_all() {
        while (receive()) {
        }
        return std::exchange(text_, {});
    }

    // Everything up to and with the first occurrence of what; less if the connection ends before.
    std::string read_until(std::string_view what) {
        while (text_.find(what) == std::string::npos && receive()) {
        }
        std::size_t const at = text_.find(what);
        std::size_t const end = at == std::string::npos ? text_.size() : at + what.size();
        std::string const result = text_.substr(0, end);
        text_.erase(0, end);
        return result;
    }

    std::string read_bytes(std::size_t count) {
        while (text_.size() < count && receive()) {
        }
        std::string const result = text_.substr(0, count);
        text_.erase(0, result.size());
        return result;
    }

    // One HTTP response with a Content-Length.
    std::string read_response() {
        std::string const head = read_until("\r\n\r\n");
        std::size_t const at = head.find("Content-Length: ");
        if (at == std::string::npos) return head;
        return head + read_bytes(std::stoul(head.substr(at + 16)));
    }

    // The other side has closed, or reset, the connection.
    bool is_closed() { return !receive(); }

    // Sends no more, but still reads.
    void shut_down() { ::shutdown(fd_, SHUT_WR); }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    RawClient(int family, sockaddr* address, socklen_t size) {
        fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(fd_, address, size) != 0) close();
    }

    bool receive() {
        pollfd wait{fd_, POLLIN, 0};
        int const ready =
            ::poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
        if (ready != 1) {
            ADD_FAILURE() << "nothing came from the server in time";
            return false;
        }
        char buffer[16 * 1024];
        auto const got = ::recv(fd_, buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        text_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    int fd_ = -1;
    std::string text_;
};

// A directory that goes away with the object.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        char name[] = "/tmp/inos-test-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~TemporaryDirectory() {
        ::unlink(file("api.sock").c_str());
        ::rmdir(path_.c_str());
    }
    TemporaryDirectory(TemporaryDirectory const&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
    std::string file(std::string const& name) const { return path_ + '/' + name; }

private:
    std::string path_;
};

}  // namespace inos::test
