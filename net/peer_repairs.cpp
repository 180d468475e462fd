// What the peer manager's repairs (net/repairs.hpp) use of it.

#include <algorithm>
#include <iterator>
#include <utility>

#include "net/peer_manager.hpp"

namespace inos {

void PeerManager::repair(std::function<void(Result<RepairReport>)> done) {
    if (stopped_) return done(fail(Errc::unavailable, "the node is stopping"));
    repairs_.everything(std::move(done));
}

Repairs::Host PeerManager::repairs_host() {
    Repairs::Host host;
    host.links = [this] {
        std::vector<std::shared_ptr<Link>> links;
        std::copy_if(links_.begin(), links_.end(), std::back_inserter(links), [](auto const& link) {
            return link->session() && !link->ended();
        });
        return links;
    };
    host.damaged = [this] { return local_->damaged > 0; };
    host.rows_missing = [this] { return local_->rows_missing; };
    host.moved = [this](std::shared_ptr<LocalState const> local) { set_local(std::move(local)); };
    host.probe = [this] {
        refresh();
        for (auto const& link : std::vector(links_))
            link->probe();
    };
    host.log = [this](std::string const& event, std::string const& text) { log_(event, text); };
    return host;
}

}  // namespace inos
