#include "net/wire/vector_codec.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "storage/acknowledgements.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/entry_hash.hpp"

namespace inos::wire {
namespace {

constexpr std::uint8_t kWhole = 0, kPositional = 1;
constexpr std::size_t kDigestBytes = 8;

std::string_view prefix(Digest const& digest) {
    return {reinterpret_cast<char const*>(digest.data()), kDigestBytes};
}

std::string_view view(ChainPrefix const& chain) {
    return {reinterpret_cast<char const*>(chain.data()), chain.size()};
}

// Calls `ended` or `open` for each actor of the table, ascending.
template <class Ended, class Open>
void for_each_actor(ActorTable const& table, Ended ended, Open open) {
    auto end = table.ends.begin();
    for (ActorId const actor : table.actors) {
        if (end != table.ends.end() && end->actor == actor)
            ended(*end++);
        else
            open(actor);
    }
}

DepHead head_at(std::vector<DepHead> const& heads, ActorId actor) {
    auto const it = std::lower_bound(
        heads.begin(), heads.end(), actor, [](DepHead const& head, ActorId wanted) {
            return head.actor < wanted;
        });
    return it != heads.end() && it->actor == actor ? *it : DepHead{actor, 0, {}};
}

HeadBytes encode_positional(std::vector<DepHead> const& heads, ActorTable const& table) {
    HeadBytes out;
    std::string exceptions, open;
    std::uint64_t count = 0, gap = 0;
    auto const add = [&](DepHead const& head, std::string& to) {
        put_varint(to, head.seq);
        if (head.seq > 0) out.chains += view(head.chain);
    };
    for_each_actor(
        table,
        [&](DepHead const& end) {
            DepHead const head = head_at(heads, end.actor);
            if (is_at_end(head, end)) {
                ++gap;
                return;
            }
            put_varint(exceptions, std::exchange(gap, 0));
            add(head, exceptions);
            ++count;
        },
        [&](ActorId actor) { add(head_at(heads, actor), open); });
    out.vector += static_cast<char>(kPositional);
    out.vector += prefix(table.membership);
    put_varint(out.vector, count);
    out.vector += exceptions;
    out.vector += open;
    return out;
}

// The chains that follow on the wire, each once.
class Chains {
public:
    explicit Chains(std::string_view bytes) : in_(bytes) {}
    // The next one, of what is named; nothing is named by 0.
    void take(DepHead& head) {
        if (head.seq == 0) return;
        std::string_view const raw = in_.take(head.chain.size());
        std::copy(raw.begin(), raw.end(), head.chain.begin());
    }
    bool finished() const { return in_.finished(); }

private:
    Reader in_;
};

// The exceptions' seqs, by their places among the ended actors.
std::optional<std::map<std::uint64_t, Seq>> decode_exceptions(Reader& in, std::size_t ends) {
    std::map<std::uint64_t, Seq> exceptions;
    std::uint64_t at = 0;
    for (std::size_t left = in.count(2); left > 0; --left) {
        std::uint64_t const gap = in.varint();
        if (gap >= ends || at + gap >= ends) return std::nullopt;
        at += gap;
        exceptions.emplace_hint(exceptions.end(), at, in.varint());
        ++at;
    }
    return exceptions;
}

std::optional<std::vector<DepHead>> decode_positional(Reader& in,
                                                      std::string_view chain_bytes,
                                                      ActorTable const& table) {
    auto const exceptions = decode_exceptions(in, table.ends.size());
    if (!exceptions) return std::nullopt;
    std::vector<DepHead> heads;
    Chains chains(chain_bytes);
    std::uint64_t place = 0;
    bool sound = true;
    auto const add = [&](DepHead head) {
        sound = sound && head.seq <= kSeqMax;
        if (head.seq > 0) heads.push_back(head);
    };
    for_each_actor(
        table,
        [&](DepHead const& end) {
            auto const exception = exceptions->find(place++);
            if (exception == exceptions->end()) return add(end);
            DepHead head{end.actor, exception->second, {}};
            chains.take(head);
            add(head);
        },
        [&](ActorId actor) {
            DepHead head{actor, in.varint(), {}};
            chains.take(head);
            add(head);
        });
    if (!sound || !in.finished() || !chains.finished()) return std::nullopt;
    return heads;
}

std::optional<std::vector<DepHead>> decode_whole(Reader& in, std::string_view chain_bytes) {
    auto const vector = VersionVector::decode(in);
    if (!vector || !in.finished()) return std::nullopt;
    std::vector<DepHead> heads;
    Chains chains(chain_bytes);
    for (auto const& [actor, seq] : vector->items()) {
        heads.push_back({actor, seq, {}});
        chains.take(heads.back());
    }
    return chains.finished() ? std::optional(std::move(heads)) : std::nullopt;
}

}  // namespace

ActorTable actor_table(Membership const& membership) {
    ActorTable table{membership.digest(), membership.actors(), {}};
    for (auto const& [actor, end] : membership.ends())
        if (membership.by_actor(actor))
            table.ends.push_back({actor, end.seq, chain_prefix(end.chain)});
    return table;
}

HeadBytes encode_heads(std::vector<DepHead> const& heads, ActorTable const* table) {
    bool const all =
        table && std::all_of(heads.begin(), heads.end(), [&](DepHead const& head) {
            return std::binary_search(table->actors.begin(), table->actors.end(), head.actor);
        });
    if (all) return encode_positional(heads, *table);
    HeadBytes out;
    out.vector += static_cast<char>(kWhole);
    vector_of(heads).encode(out.vector);
    for (DepHead const& head : heads)
        out.chains += view(head.chain);
    return out;
}

std::optional<std::vector<DepHead>> decode_heads(std::string_view vector,
                                                 std::string_view chains,
                                                 std::vector<ActorTable> const& tables) {
    Reader in(vector);
    std::uint8_t const form = in.byte();
    if (form == kWhole) return decode_whole(in, chains);
    if (form != kPositional) return std::nullopt;
    std::string_view const digest = in.take(kDigestBytes);
    for (ActorTable const& table : tables)
        if (in.ok() && prefix(table.membership) == digest)
            return decode_positional(in, chains, table);
    return std::nullopt;
}

std::vector<DepHead> heads_of(VersionVector const& vector, std::vector<ChainPrefix> const& chains) {
    std::vector<DepHead> heads;
    heads.reserve(chains.size());
    for (std::size_t i = 0; i < vector.items().size(); ++i)
        heads.push_back({vector.items()[i].first, vector.items()[i].second, chains.at(i)});
    return heads;
}

VersionVector vector_of(std::vector<DepHead> const& heads) {
    VersionVector vector;
    for (DepHead const& head : heads)
        vector.set(head.actor, head.seq);
    return vector;
}

Digest vector_digest(VersionVector const& vector, std::vector<ChainPrefix> const& chains) {
    std::string bytes = "inos vector 1";
    vector.encode(bytes);
    for (ChainPrefix const& chain : chains)
        bytes += view(chain);
    return crypto::hash16(bytes);
}

}  // namespace inos::wire
