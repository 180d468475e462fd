// What the node tells the service manager that started it, by the protocol of sd_notify(3): that it
// is ready, what it is doing (one line in `systemctl status`), that it is alive, that it ends.
//
// Datagrams of lines to the Unix socket that $NOTIFY_SOCKET names:
//   READY=1   STATUS=one line   WATCHDOG=1   STOPPING=1
// Without a service manager nothing is sent. Thread: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/node.hpp"
#include "storage/result.hpp"

namespace boost::asio {
class io_context;
}

namespace inos {

// The bytes of sockaddr_un::sun_path for "/run/x" or "@abstract" (a zero byte in front). Errc::usage
// for other forms, and for names that are too long.
Result<std::string> notify_address(std::string_view name);

// How often to say that one is alive: half of what the manager waits for; none when it does not
// wait, or for another process. The texts are those of WATCHDOG_USEC and WATCHDOG_PID; missing ones
// are empty.
std::optional<std::uint64_t> watchdog_every_ms(std::string_view usec,
                                               std::string_view pid,
                                               std::int64_t own_pid);

struct ServiceState {
    bool ready = false, stopping = false, alive = false;
    std::string status;  // cleaned; empty: as it was
};
// The datagram's text; empty when there is nothing to say.
std::string notify_text(ServiceState const& state);

// `site "shop": 2 peers connected, up to date`
std::string service_status(std::string_view site, Node::Progress const& progress);

// The manager's socket.
class ServiceManager {
public:
    // From the environment, which is cleared of it; one that is not there takes everything and
    // sends nothing. A socket that cannot be had is an error: the manager would wait in vain.
    static Result<ServiceManager> of_process();

    bool is_there() const { return !address_.empty(); }
    std::optional<std::uint64_t> watchdog_ms() const { return watchdog_ms_; }
    // Best effort: a manager that does not listen stops no node.
    void send(ServiceState const& state) const;

private:
    std::string address_;
    std::optional<std::uint64_t> watchdog_ms_;
};

// Says READY at once, then STATUS when it changes and WATCHDOG in time, from the node's thread: a
// node that hangs says nothing and is restarted. Until it is destroyed, which is before the node
// and the io_context, or stopped.
class ServiceReports {
public:
    ServiceReports(boost::asio::io_context& io,
                   ServiceManager const& manager,
                   Node const& node,
                   std::string site);
    ~ServiceReports();
    ServiceReports(ServiceReports const&) = delete;
    ServiceReports& operator=(ServiceReports const&) = delete;

    // Says STOPPING and no more after it.
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace inos
