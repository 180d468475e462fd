#include "tools/simulation/checkers.hpp"

#include <array>

namespace inos::sim {
namespace {

std::string describe(RecordName const& name) {
    return name.collection + "/" + name.key;
}

// Written once, so it reads this or nothing. nullopt: the node cannot read just now.
std::optional<Value> number_at(SimNode& node, RecordName const& name) {
    auto const view = node.replica().get(name);
    if (!view) return std::nullopt;
    Value const* value = *view ? find_member((*view)->fields, "n") : nullptr;
    return value ? *value : Value();
}

bool written_once(Write const& write) {
    return write.name.collection == kOrders || write.name.collection == kPairs;
}

void check_acknowledged(SimNode& node, Asked const& asked) {
    if (asked.outcome != Outcome::acknowledged || !asked.dot || asked.lost) return;
    if (!node.replica().vector().covers(*asked.dot)) return;
    for (Write const& write : asked.writes) {
        if (!written_once(write)) continue;
        auto const read = number_at(node, write.name);
        require(!read || *read == Value(static_cast<std::int64_t>(asked.number)),
                "I8: " + node.name() + " holds the entry of t" + std::to_string(asked.number) +
                    " but not " + describe(write.name));
    }
}

void check_whole(SimNode& node, Asked const& asked) {
    std::size_t seen = 0, looked = 0;
    for (Write const& write : asked.writes) {
        if (write.name.collection != kPairs) continue;
        auto const read = number_at(node, write.name);
        if (!read) return;
        ++looked;
        if (!read->is_null()) ++seen;
    }
    require(seen == 0 || seen == looked,
            "E14: " + node.name() + " shows half of t" + std::to_string(asked.number));
}

}  // namespace

void check_equal_vectors(SimWorld& world) {
    auto const& nodes = world.nodes();
    for (std::size_t i = 0; i < nodes.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            if (!nodes[i]->running() || !nodes[j]->running()) continue;
            Replica const& one = nodes[i]->replica();
            Replica const& other = nodes[j]->replica();
            if (!one.root_comparable() || !other.root_comparable()) continue;
            require(one.vector() != other.vector() || one.root() == other.root(),
                    "I2: " + nodes[i]->name() + " and " + nodes[j]->name() +
                        " hold the same entries and other records");
        }
}

void check_bounds(SimWorld& world) {
    for (auto const& node : world.nodes()) {
        if (!node->running()) continue;
        for (char const* key : {"a", "b", "c"}) {
            auto const rights = node->replica().rights({kStock, key}, "left");
            if (!rights || !*rights) continue;
            require((*rights)->value >= 0,
                    "E4: " + node->name() + " shows stock/" + key + " at " +
                        std::to_string((*rights)->value));
        }
    }
}

void check_seen(SimWorld& world, Ledger const& ledger, std::size_t count) {
    auto const& all = ledger.all();
    std::size_t const first = all.size() > count ? all.size() - count : 0;
    for (auto const& node : world.nodes()) {
        if (!node->running() || node->engine().dead()) continue;
        for (std::size_t i = first; i < all.size(); ++i) {
            check_acknowledged(*node, all[i]);
            check_whole(*node, all[i]);
        }
    }
}

void check_recovered(SimWorld& world,
                     SimNode& node,
                     VersionVector const& before,
                     bool may_lose_own,
                     Ledger& ledger) {
    VersionVector const& now = node.replica().vector();
    ActorId const own = node.replica().actor();
    for (auto const& [actor, seq] : before.items())
        require(now.at(actor) >= seq || (actor == own && may_lose_own),
                "I8: " + node.name() + " came back without an entry that it had");
    for (auto const& other : world.nodes())
        require(!other->running() || other->replica().vector().at(own) <= now.at(own),
                "W2: entries of " + node.name() + " left it before they were on its disk");
    for (Asked& asked : ledger.all())
        if (asked.actor == own && asked.dot && !asked.lost && !now.covers(*asked.dot))
            asked.lost = true;
}

}  // namespace inos::sim
