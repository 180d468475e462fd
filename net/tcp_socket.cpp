#include "net/tcp_socket.hpp"

#include "net/peer_url.hpp"

namespace inos {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

std::string listen_problem(std::string const& where, error_code problem, std::string_view option) {
    std::string text = "cannot listen on " + where + ": " + problem.message() + ';';
    if (problem == asio::error::address_in_use) {
        text += " another program (perhaps another node) uses it: stop that one, or";
    }
    return text + " choose another address with inos run " + std::string(option) + " HOST:PORT";
}

}  // namespace

Result<std::shared_ptr<tcp::acceptor>> open_acceptor(asio::io_context& io,
                                                     std::string const& host,
                                                     std::uint16_t port,
                                                     std::string_view option) {
    std::string const where = host_and_port(host, port);
    tcp::resolver resolver(io);
    error_code problem;
    auto const found =
        resolver.resolve(host, std::to_string(port), asio::ip::resolver_base::passive, problem);
    if (problem) return fail(Errc::usage, listen_problem(where, problem, option));
    tcp::endpoint const endpoint = found.begin()->endpoint();
    auto acceptor = std::make_shared<tcp::acceptor>(io);
    acceptor->open(endpoint.protocol(), problem);
    if (!problem) acceptor->set_option(tcp::acceptor::reuse_address(true), problem);
    if (!problem) acceptor->bind(endpoint, problem);
    if (!problem) acceptor->listen(asio::socket_base::max_listen_connections, problem);
    if (problem) {
        bool const busy = problem == asio::error::address_in_use;
        return fail(busy ? Errc::conflict : Errc::io, listen_problem(where, problem, option));
    }
    return acceptor;
}

asio::awaitable<Result<std::vector<tcp::endpoint>>> look_up(asio::io_context& io,
                                                            std::string host,
                                                            std::uint16_t port) {
    constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
    std::vector<tcp::endpoint> endpoints;
    error_code not_numeric;
    auto const address = asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
        endpoints.emplace_back(address, port);
        co_return endpoints;
    }
    tcp::resolver resolver(io);
    std::string const service = std::to_string(port);
    auto const [problem, found] = co_await resolver.async_resolve(host, service, kToken);
    if (problem) {
        co_return fail(Errc::unavailable,
                       "the host \"" + host + "\" cannot be found: " + problem.message());
    }
    for (auto const& entry : found)
        endpoints.push_back(entry.endpoint());
    co_return endpoints;
}

void set_no_delay(tcp::socket& socket) {
    error_code ignored;  // without it small messages wait, nothing else breaks
    socket.set_option(tcp::no_delay(true), ignored);
}

asio::ip::address plain_address(asio::ip::address const& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return address;
}

void rethrow(std::exception_ptr fatal) {
    if (fatal) std::rethrow_exception(fatal);
}

}  // namespace inos
