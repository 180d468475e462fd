// What the HTTP API asks of a running node besides its records: its peers, invitations, comparison
// of all sites. A node that is not running (a command that opens the store itself) has no peers and
// says so.
//
// All functions on the node's thread; callbacks too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/membership.hpp"
#include "storage/record_repair.hpp"
#include "storage/result.hpp"

namespace inos {

struct PeerStatus {
    std::string site;  // site id as text; empty while not known
    std::string name;
    std::string
        state;  // "connected", "connecting", "waiting" (to dial again), "listening" (it dials us)
    std::string url;           // what we dial; empty where it dials us
    std::uint64_t behind = 0;  // entries that it has and we lack, as far as known
    std::uint64_t ahead = 0;   // entries that we have and it lacks, as far as known
    std::int64_t skew_ms = 0;  // its clock minus ours at the last hello
    bool full = false;         // its disk is nearly full, and it takes nothing for now
    std::string last_error;    // why it is not connected
    std::uint64_t bytes_in = 0, bytes_out = 0;  // of the present connection, on the wire
    std::uint64_t entries_in = 0, entries_out = 0;
};

struct SiteComparison {
    std::string site, name;
    // "agrees": same entries, same root. "differs": same entries, another root: an alarm. "behind",
    // "ahead", "diverged": entries under way in one or both directions. "unreachable": not
    // connected.
    std::string state;
    std::string root;
    std::uint64_t behind = 0, ahead = 0;
};

struct VerifyReport {
    bool agree = false;  // every other site agrees
    std::string root;
    std::vector<SiteComparison> peers;
};

struct InviteRequest {
    Role role = Role::writer;
    std::vector<std::string> scope;
    std::uint64_t ttl_s = 3600;
    std::vector<std::string> addresses;  // ws://HOST:PORT; empty: where this node listens
};

struct InviteInfo {
    std::string id;    // 16 hex digits
    std::string code;  // only in the answer to making it
    Role role = Role::writer;
    std::uint64_t expires_unix_s = 0;
    int failures = 0;
};

struct RepairCounts {
    std::uint64_t rounds = 0, mended = 0, left = 0;  // since the node started; records
};

class NodeControl {
public:
    virtual ~NodeControl() = default;
    virtual bool running() const = 0;
    virtual std::string site_id() const = 0;
    virtual std::string site_name() const = 0;
    virtual std::string space_name() const = 0;
    virtual std::vector<PeerStatus> peers() const = 0;
    virtual Result<void> add_peer(std::string const& url) = 0;     // dials at once, remembers
    virtual Result<void> remove_peer(std::string const& url) = 0;  // hangs up, forgets
    virtual void verify(std::function<void(Result<VerifyReport>)> done) = 0;
    // Looks at every record here, and with the peers for those that differ; puts right what is
    // wrong. Errc::unavailable: it is under way already.
    virtual void repair(std::function<void(Result<RepairReport>)> done) = 0;
    virtual RepairCounts repair_counts() const { return {}; }
    virtual void invite(InviteRequest request, std::function<void(Result<InviteInfo>)> done) = 0;
    virtual std::vector<InviteInfo> invites() const = 0;
    virtual Result<void> revoke_invite(std::string const& id) = 0;
    // The membership log has grown here: peers want to hear of it.
    virtual void members_changed() = 0;
    // How many other sites have said that they hold all of `held` durably.
    virtual std::size_t acknowledged_by(VersionVector const& held) const = 0;
    // Calls back when that number has reached `sites` or the time is over; answers the number.
    virtual void wait_acknowledged(VersionVector held,
                                   std::size_t sites,
                                   std::uint64_t timeout_ms,
                                   std::function<void(std::size_t)> done) = 0;
};

}  // namespace inos
