#include "tools/offline_control.hpp"

#include <algorithm>

#include "net/peer_manager.hpp"
#include "net/peer_url.hpp"
#include "storage/crypto/site_id.hpp"

namespace inos {

Error OfflineControl::not_running(std::string const& what) const {
    return Error{Errc::unavailable,
                 what + " needs the running node, and none runs on \"" + site_.dir +
                     "\"; start it with: inos run --data " + site_.dir,
                 ""};
}

std::string OfflineControl::site_id() const {
    return site_id_text(site_.keys.identity.public_key);
}

std::string OfflineControl::space_name() const {
    return site_.replica->membership().genesis().name;
}

std::vector<PeerStatus> OfflineControl::peers() const {
    std::vector<PeerStatus> peers;
    for (auto const& url : site_.peers) {
        PeerStatus peer;
        peer.url = url;
        peer.state = "waiting";
        peer.last_error = "no node is running here";
        peers.push_back(std::move(peer));
    }
    return peers;
}

Result<void> OfflineControl::add_peer(std::string const& url) {
    INOS_TRY(auto parsed, parse_peer_url(url));
    if (parsed.path != kSyncPath) {
        return fail(Errc::invalid,
                    "\"" + url + "\" is the address of an invitation, not of a site");
    }
    auto peers = site_.peers;
    if (std::find(peers.begin(), peers.end(), url) != peers.end()) return {};
    peers.push_back(url);
    INOS_CHECK(save_peers(*site_.engine, peers));
    site_.peers = std::move(peers);
    return {};
}

Result<void> OfflineControl::remove_peer(std::string const& url) {
    auto peers = site_.peers;
    if (std::erase(peers, url) == 0) {
        return fail(Errc::not_found, "no peer \"" + url + "\" is remembered here (see inos peers)");
    }
    INOS_CHECK(save_peers(*site_.engine, peers));
    site_.peers = std::move(peers);
    return {};
}

void OfflineControl::verify(std::function<void(Result<VerifyReport>)> done) {
    VerifyReport report;
    report.root = site_.replica->root().text();
    for (auto const& member : site_.replica->membership().sites()) {
        if (member.site == site_.keys.identity.public_key) continue;
        SiteComparison comparison;
        comparison.site = site_id_text(member.site);
        comparison.name = member.name;
        comparison.state = "unreachable";
        report.peers.push_back(std::move(comparison));
    }
    report.agree = report.peers.empty();
    done(std::move(report));
}

void OfflineControl::repair(std::function<void(Result<RepairReport>)> done) {
    RecordRepair repair(*site_.replica);
    for (;;) {
        auto const end = repair.step();
        if (!end) return done(tl::unexpected(end.error()));
        if (*end) return done(repair.take_report());
    }
}

void OfflineControl::invite(InviteRequest, std::function<void(Result<InviteInfo>)> done) {
    done(tl::unexpected<Error>(not_running("inviting a site")));
}

Result<void> OfflineControl::revoke_invite(std::string const&) {
    return tl::unexpected<Error>(not_running("revoking an invitation"));
}

void OfflineControl::wait_acknowledged(VersionVector,
                                       std::size_t,
                                       std::uint64_t,
                                       std::function<void(std::size_t)> done) {
    done(0);
}

}  // namespace inos
