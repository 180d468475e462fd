#include "crdt/version_vector.hpp"

#include <algorithm>

namespace inos {
namespace {

template <class Items>
auto position(Items& items, ActorId actor) {
    return std::lower_bound(items.begin(), items.end(), actor, [](auto const& item, ActorId a) {
        return item.first < a;
    });
}

}  // namespace

Seq VersionVector::at(ActorId actor) const {
    auto const it = position(items_, actor);
    return it != items_.end() && it->first == actor ? it->second : 0;
}

bool VersionVector::includes(VersionVector const& other) const {
    return std::all_of(other.items_.begin(), other.items_.end(), [this](Item const& item) {
        return item.second <= at(item.first);
    });
}

void VersionVector::set(ActorId actor, Seq seq) {
    auto const it = position(items_, actor);
    bool const present = it != items_.end() && it->first == actor;
    if (seq == 0) {
        if (present) items_.erase(it);
    } else if (present) {
        it->second = seq;
    } else {
        items_.insert(it, {actor, seq});
    }
}

void VersionVector::raise(ActorId actor, Seq seq) {
    if (seq > at(actor)) set(actor, seq);
}

void VersionVector::merge(VersionVector const& other) {
    if (includes(other)) return;
    // In one pass: inserting one by one would take quadratic time for what a peer may send.
    std::vector<Item> merged;
    merged.reserve(items_.size() + other.items_.size());
    auto own = items_.begin();
    for (Item const& item : other.items_) {
        for (; own != items_.end() && own->first < item.first; ++own)
            merged.push_back(*own);
        bool const both = own != items_.end() && own->first == item.first;
        merged.emplace_back(item.first,
                            both ? std::max((own++)->second, item.second) : item.second);
    }
    merged.insert(merged.end(), own, items_.end());
    items_ = std::move(merged);
}

void VersionVector::encode(std::string& out) const {
    put_varint(out, items_.size());
    for (auto const& [actor, seq] : items_) {
        put_u64(out, actor.value);
        put_varint(out, seq);
    }
}

std::optional<VersionVector> VersionVector::decode(Reader& in) {
    VersionVector vv;
    std::uint64_t const n = in.count(9);
    vv.items_.reserve(n);
    for (std::uint64_t i = 0; i < n && in.ok(); ++i) {
        ActorId const actor{in.u64()};
        Seq const seq = in.varint();
        if (!in.ok() || seq == 0 || seq > kSeqMax) return std::nullopt;
        if (!vv.items_.empty() && vv.items_.back().first >= actor) return std::nullopt;
        vv.items_.emplace_back(actor, seq);
    }
    if (!in.ok()) return std::nullopt;
    return vv;
}

}  // namespace inos
