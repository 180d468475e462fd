#include "tools/service_notify.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/output.hpp"
#include "tools/terminal.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kStatusEveryMs = 5'000;
constexpr std::size_t kErrorShownColumns = 120;

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// A variable of the environment, once.
std::string take_variable(char const* name) {
    char const* const value = std::getenv(name);
    std::string text = value ? value : "";
    ::unsetenv(name);
    return text;
}

}  // namespace

Result<std::string> notify_address(std::string_view name) {
    bool const known = name.size() > 1 && (name.front() == '/' || name.front() == '@');
    if (!known || name.find('\0') != std::string_view::npos)
        return fail(Errc::usage,
                    "NOTIFY_SOCKET is \"" + clean_text(name) +
                        "\", and has to be the path of a socket or an abstract name, \"@...\"");
    if (name.size() >= sizeof(sockaddr_un::sun_path))
        return fail(Errc::usage,
                    "NOTIFY_SOCKET is " + std::to_string(name.size()) +
                        " bytes long, and names of sockets have at most " +
                        std::to_string(sizeof(sockaddr_un::sun_path) - 1));
    std::string address(name);
    if (address.front() == '@') address.front() = '\0';
    return address;
}

std::optional<std::uint64_t> watchdog_every_ms(std::string_view usec,
                                               std::string_view pid,
                                               std::int64_t own_pid) {
    auto const limit = number_in<std::uint64_t>(usec);
    if (!limit || *limit == 0) return std::nullopt;
    if (!pid.empty() && number_in<std::int64_t>(pid) != own_pid) return std::nullopt;
    return std::max<std::uint64_t>(*limit / 2'000, 1);
}

std::string notify_text(ServiceState const& state) {
    std::string text;
    if (state.ready) text += "READY=1\n";
    if (state.stopping) text += "STOPPING=1\n";
    if (state.alive) text += "WATCHDOG=1\n";
    if (!state.status.empty()) text += "STATUS=" + clean_text(state.status) + "\n";
    return text;
}

std::string service_status(std::string_view site, Node::Progress const& progress) {
    std::string text = "site \"" + std::string(site) + "\": ";
    if (!progress.connected) {
        text += "no peer connected";
        if (!progress.last_error.empty())
            text += ", " + fit_text(progress.last_error, kErrorShownColumns);
        return text;
    }
    text += counted(progress.peers_connected, "peer") + " connected, ";
    if (progress.state)
        return text + "taking over records, " + grouped(progress.state->here) + " of about " +
               grouped(progress.state->records);
    if (progress.behind > 0)
        return text + grouped(progress.behind) + (progress.behind == 1 ? " entry" : " entries") +
               " behind";
    return text + "up to date";
}

Result<ServiceManager> ServiceManager::of_process() {
    ServiceManager manager;
    std::string const name = take_variable("NOTIFY_SOCKET");
    std::string const usec = take_variable("WATCHDOG_USEC");
    std::string const pid = take_variable("WATCHDOG_PID");
    if (name.empty()) return manager;
    INOS_TRY(manager.address_, notify_address(name));
    manager.watchdog_ms_ = watchdog_every_ms(usec, pid, ::getpid());
    return manager;
}

void ServiceManager::send(ServiceState const& state) const {
    std::string const text = notify_text(state);
    if (address_.empty() || text.empty()) return;
    int const descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    auto const length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() +
                                               (address_.front() == '\0' ? 0 : 1));
    auto const* const address = reinterpret_cast<sockaddr const*>(&to);
    static_cast<void>(
        ::sendto(descriptor, text.data(), text.size(), MSG_NOSIGNAL, address, length));
    ::close(descriptor);
}

struct ServiceReports::Impl {
    boost::asio::steady_timer timer;
    ServiceManager const& manager;
    Node const& node;
    std::string site;
    std::string said;
    bool stopped = false;

    void report(ServiceState state) {
        std::string status = service_status(site, node.progress());
        if (status != said) state.status = said = std::move(status);
        manager.send(state);
    }

    void wait() {
        std::uint64_t const every =
            std::min(manager.watchdog_ms().value_or(kStatusEveryMs), kStatusEveryMs);
        timer.expires_after(std::chrono::milliseconds(every));
        timer.async_wait([this](boost::system::error_code error) {
            if (error || stopped) return;
            ServiceState state;
            state.alive = manager.watchdog_ms().has_value();
            report(std::move(state));
            wait();
        });
    }
};

ServiceReports::ServiceReports(boost::asio::io_context& io,
                               ServiceManager const& manager,
                               Node const& node,
                               std::string site)
    : impl_(new Impl{boost::asio::steady_timer(io), manager, node, std::move(site), "", false}) {
    if (!manager.is_there()) return;
    ServiceState state;
    state.ready = true;
    impl_->report(std::move(state));
    impl_->wait();
}

ServiceReports::~ServiceReports() = default;

void ServiceReports::stop() {
    if (impl_->stopped) return;
    impl_->stopped = true;
    impl_->timer.cancel();
    ServiceState state;
    state.stopping = true;
    state.status = "site \"" + impl_->site + "\": stopping";
    impl_->manager.send(state);
}

}  // namespace inos
