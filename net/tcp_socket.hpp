// What the sync transport and the HTTP server share of TCP: opening a listener with an error that
// helps, the accept loop, looking up a host. Asio only, and internal to net: nobody else includes
// this.
//
// Threads: the one of the io_context that the sockets belong to.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/result.hpp"

namespace inos {

// Opens a listener; port 0 lets the operating system choose. `option` is the one of `inos run` that
// sets the address ("--listen"): the error names it.
Result<std::shared_ptr<boost::asio::ip::tcp::acceptor>> open_acceptor(boost::asio::io_context& io,
                                                                      std::string const& host,
                                                                      std::uint16_t port,
                                                                      std::string_view option);

// The endpoints of a host name or address; an address is not looked up. Errc::unavailable.
boost::asio::awaitable<Result<std::vector<boost::asio::ip::tcp::endpoint>>> look_up(
    boost::asio::io_context& io, std::string host, std::uint16_t port);

// Small messages go out at once.
void set_no_delay(boost::asio::ip::tcp::socket& socket);

// The address as IPv4 if it is one that was mapped into IPv6.
boost::asio::ip::address plain_address(boost::asio::ip::address const& address);

// The end of an accept loop: an exception leaves io_context::run(), since nothing can be accepted.
void rethrow(std::exception_ptr fatal);

// Hands each accepted socket on until the acceptor is closed. When the process is out of file
// descriptors (or the like) it waits a moment instead of spinning.
template <class Acceptor>
boost::asio::awaitable<void> accept_loop(
    std::shared_ptr<Acceptor> acceptor,
    std::function<void(typename Acceptor::protocol_type::socket)> on_socket) {
    constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
    constexpr std::chrono::milliseconds kPause{100};
    boost::asio::steady_timer pause(acceptor->get_executor());
    while (acceptor->is_open()) {
        typename Acceptor::protocol_type::socket socket(acceptor->get_executor());
        auto const [problem] = co_await acceptor->async_accept(socket, kToken);
        if (!acceptor->is_open()) co_return;
        if (problem) {
            pause.expires_after(kPause);
            co_await pause.async_wait(kToken);
            continue;
        }
        on_socket(std::move(socket));
    }
}

// A timer whose expiry counts only for the last arming: an expiry that was already on its way when
// the timer was set anew or cancelled is told apart by the generation that its handler remembers.
struct Deadline {
    explicit Deadline(boost::asio::io_context& io) : timer(io) {}
    void cancel() {
        ++generation;
        timer.cancel();
    }
    boost::asio::steady_timer timer;
    std::uint64_t generation = 0;
};

}  // namespace inos
