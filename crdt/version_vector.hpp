// A version vector: for each actor the highest sequence number that was applied. Per actor the
// applied entries are always the gapless prefix 1..seq, so the vector names an exact set of
// entries.
//
// Sorted by actor, actors at 0 are not kept, so equal sets have equal bytes. A plain value.
//
//   encoded   count varint | count times: actor u64, seq varint         sorted, seq > 0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/ids.hpp"

namespace inos {

class VersionVector {
public:
    using Item = std::pair<ActorId, Seq>;

    Seq at(ActorId actor) const;
    bool covers(Dot dot) const { return dot.seq <= at(dot.actor); }
    // Every entry that `other` names is named here too.
    bool includes(VersionVector const& other) const;

    void set(ActorId actor, Seq seq);    // seq 0 removes the actor
    void raise(ActorId actor, Seq seq);  // never lowers
    void merge(VersionVector const& other);

    bool empty() const { return items_.empty(); }
    std::vector<Item> const& items() const { return items_; }
    bool operator==(VersionVector const&) const = default;

    void encode(std::string& out) const;
    static std::optional<VersionVector> decode(Reader& in);

private:
    std::vector<Item> items_;
};

}  // namespace inos
