#include "tools/simulation/checkers.hpp"

#include <algorithm>
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

// Records wait, or were put right, and the sums are still to be made anew.
bool in_repair(Replica const& replica) {
    auto const root = replica.recompute_root();
    return !replica.damaged_records().empty() || !root || *root != replica.root();
}

bool written_once(Write const& write) {
    return write.name.collection == kOrders || write.name.collection == kPairs;
}

void check_acknowledged(SimNode& node, Asked const& asked) {
    if (asked.outcome != Outcome::acknowledged || !asked.dot || asked.lost) return;
    if (!node.replica().vector().covers(*asked.dot)) {
        require(asked.away || node.name() != asked.node,
                "I8: " + node.name() + " does not hold what it acknowledged, t" +
                    std::to_string(asked.number));
        return;
    }
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

void check_equal_vectors(SimWorld& world, bool damage) {
    auto const& nodes = world.nodes();
    for (std::size_t i = 0; i < nodes.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            if (!nodes[i]->running() || !nodes[j]->running()) continue;
            Replica const& one = nodes[i]->replica();
            Replica const& other = nodes[j]->replica();
            if (!one.root_comparable() || !other.root_comparable()) continue;
            bool const same = one.vector() != other.vector() || one.root() == other.root();
            require(same || (damage && (in_repair(one) || in_repair(other))),
                    "I2: " + nodes[i]->name() + " and " + nodes[j]->name() +
                        " hold the same entries and other records");
        }
}

void check_bounds(SimWorld& world, std::int64_t least) {
    for (auto const& node : world.nodes()) {
        if (!node->running()) continue;
        for (char const* key : {"a", "b", "c"}) {
            auto const rights = node->replica().rights({kStock, key}, "left");
            if (!rights || !*rights) continue;
            require((*rights)->value >= least,
                    "E4: " + node->name() + " shows stock/" + key + " at " +
                        std::to_string((*rights)->value));
        }
    }
}

void check_alarm(std::string const& node, std::string const& line, Swarm const& swarm) {
    static constexpr std::array<std::string_view, 4> kOfTheDisk = {
        "an injected error of a",
        "the machine has lost power",
        "the disk is full",
        "an earlier write to the disk failed"};
    std::string const what = line.substr(line.find(' ') + 1);
    bool const disk = std::any_of(kOfTheDisk.begin(), kOfTheDisk.end(), [&](auto const words) {
        return what.find(words) != std::string::npos;
    });
    bool const about_disk = what.starts_with("upkeep: ") ||
                            what.starts_with("the peers' addresses could not be saved: ") ||
                            what.starts_with("erased data is still on the disk: ") ||
                            what.starts_with("an invitation could not be removed: ");
    bool const clock = what.starts_with('"') &&
                       what.find(": the clock of \"") != std::string::npos &&
                       what.ends_with("is more than 5 minutes ahead");
    // Where copies of directories are put back.
    bool const copy =
        swarm.has(Action::put_back) &&
        (what.find(": holds entries of this site that were missing here") != what.npos ||
         what.find(": says that it holds entries of this site that") != what.npos);
    // Said by sites that are no admins, and so have no state to give.
    bool const cut = what.find(": the peer lacks entries of \"") != what.npos;
    bool const retired = what.starts_with("this site is no member of the space any more");
    bool const differs = (swarm.orphans || swarm.damage) &&
                         what.find("holds the same entries as this site, but not") != what.npos;
    // A damaged record that is still to be repaired.
    bool const waits = what.find("damaged") != what.npos ||
                       what.find("may be missing") != what.npos ||
                       what.find("an admin's site could tell") != what.npos ||
                       what.find("the peer's state lacks what entries") != what.npos;
    // Found by itself what was planted; whether it comes right the checks of damage say.
    bool const found = swarm.damage && what.starts_with("inspection: ");
    bool const damage = swarm.damage && (waits || (disk && what.starts_with("repair: ")));
    require(clock || copy || differs || damage || found || cut || retired || (disk && about_disk),
            "I2: " + node + " says: " + line);
}

void check_queues(SimWorld& world) {
    require(world.network().queued_most() <= kQueueHardLimit + kFrameLimit,
            "I12: more waits for a node than a connection may hold");
    for (auto const& node : world.nodes()) {
        if (!node->running()) continue;
        SessionLoad const load = node->peers().heaviest_session();
        std::string const where = "I12: a session of " + node->name() + " ";
        require(load.in_flight_bytes <= kWindowBytes + kBatchBytesMax + kFrameLimit,
                where + "has more in flight than its window");
        require(load.pending_bytes <= kPendingBytesMax && load.pending <= 2 * kPendingBatchesMax,
                where + "holds more for its store than it may");
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
                     ActorId own,
                     bool may_lose_own,
                     Ledger& ledger,
                     bool put_back) {
    VersionVector const& now = node.replica().vector();
    for (auto const& [actor, seq] : before.items())
        require(now.at(actor) >= seq || (actor == own && may_lose_own),
                "I8: " + node.name() + " came back without an entry that it had");
    for (auto const& other : world.nodes()) {
        if (other.get() == &node || put_back) continue;
        Seq const there = other->running() ? other->replica().vector().at(own)
                                           : last_logged(other->engine(), own);
        // More than it held before is of a life that it does not know of yet: an older directory
        // was put back, and has not met the other one since.
        require(there <= now.at(own) || there > before.at(own),
                "W2: entries of " + node.name() + " are at " + other->name() +
                    ", and were not on the disk of their author");
    }
    for (Asked& asked : ledger.all()) {
        bool const of_it = asked.dot && asked.dot->actor == own;
        if (!of_it || asked.lost || asked.away || now.covers(*asked.dot)) continue;
        require(may_lose_own,
                "I1: " + node.name() + " acknowledged t" + std::to_string(asked.number) +
                    " and came back without it");
        asked.lost = true;
    }
}

}  // namespace inos::sim
