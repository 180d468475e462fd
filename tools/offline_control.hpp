// The NodeControl of a directory whose node is not running: it has no connections, remembers peers
// for the next start, and says of everything that needs a network that a node must run for it.
//
// Thread: one. Lifetime: the site outlives it. Callbacks come before the call returns.
#pragma once

#include "net/node_control.hpp"
#include "storage/site_directory.hpp"

namespace inos {

class OfflineControl final : public NodeControl {
public:
    explicit OfflineControl(OpenSite& site) : site_(site) {}

    bool running() const override { return false; }
    std::string site_id() const override;
    std::string site_name() const override { return site_.name; }
    std::string space_name() const override;
    std::vector<PeerStatus> peers() const override;
    Result<void> add_peer(std::string const& url) override;
    Result<void> remove_peer(std::string const& url) override;
    void verify(std::function<void(Result<VerifyReport>)> done) override;
    void repair(std::function<void(Result<RepairReport>)> done) override;
    void invite(InviteRequest request, std::function<void(Result<InviteInfo>)> done) override;
    std::vector<InviteInfo> invites() const override { return {}; }
    Result<void> revoke_invite(std::string const& id) override;
    void members_changed() override {}
    std::size_t acknowledged_by(VersionVector const&) const override { return 0; }
    void wait_acknowledged(VersionVector held,
                           std::size_t sites,
                           std::uint64_t timeout_ms,
                           std::function<void(std::size_t)> done) override;

private:
    Error not_running(std::string const& what) const;

    OpenSite& site_;
};

}  // namespace inos
