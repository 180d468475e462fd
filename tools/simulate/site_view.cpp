#include "tools/simulate/site_view.hpp"

#include "storage/engines/memory.hpp"
#include "tools/simulation/basics.hpp"

namespace inos::simulate {
namespace {

constexpr std::size_t kPage = 1'000;

// A replica on a copy of the node's store, as if nothing was written since.
class Copy {
public:
    Copy(sim::SimNode& node, SpaceKeys const& keys) {
        WriteBatch batch;
        for (auto& [key, value] : sim::contents(node.engine()))
            batch.put(key.first, key.second, value);
        sim::value_of(engine_.write(batch, Durability::flushed));
        ReplicaOptions options{sim::kSimSpace,
                               node.replica().actor(),
                               node.keys().identity,
                               keys.digest,
                               Durability::flushed};
        replica_ = sim::value_of(Replica::open(
            engine_, node.clock(), Membership(node.replica().membership()), std::move(options)));
    }
    Replica& replica() { return *replica_; }

private:
    MemoryEngine engine_;
    std::unique_ptr<Replica> replica_;
};

}  // namespace

SiteView view_of(Replica const& replica, Schemas const& schemas) {
    SiteView view;
    for (auto const& [collection, schema] : schemas) {
        std::string after;
        for (bool more = true; more;) {
            ListPage page = sim::value_of(replica.list(collection, after, kPage));
            for (RecordView& record : page.records)
                view.emplace(RecordName{collection, record.id}, std::move(record));
            more = page.next.has_value();
            if (more) after = *page.next;
        }
    }
    return view;
}

Snapshot snapshot_of(SiteView const& view) {
    Snapshot snapshot;
    for (auto const& [name, record] : view)
        snapshot[name.collection].emplace(name.key, record.fields);
    return snapshot;
}

std::optional<Snapshot> snapshot_after(sim::SimNode& node,
                                       SpaceKeys const& keys,
                                       Transaction const& transaction,
                                       Schemas const& schemas) {
    Copy copy(node, keys);
    if (!copy.replica().commit({transaction}).front()) return std::nullopt;
    return snapshot_of(view_of(copy.replica(), schemas));
}

}  // namespace inos::simulate
