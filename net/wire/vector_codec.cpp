#include "net/wire/vector_codec.hpp"

#include <algorithm>

#include "storage/crypto/crypto.hpp"

namespace inos::wire {
namespace {

constexpr std::uint8_t kWhole = 0, kPositional = 1;
constexpr std::size_t kDigestBytes = 8;

std::string_view prefix(Digest const& digest) {
    return {reinterpret_cast<char const*>(digest.data()), kDigestBytes};
}

std::optional<VersionVector> decode_positional(Reader& in, ActorTable const& table) {
    VersionVector vector;
    for (ActorId const actor : table.actors) {
        Seq const seq = in.varint();
        if (seq > kSeqMax) return std::nullopt;
        vector.set(actor, seq);
    }
    return in.finished() ? std::optional(std::move(vector)) : std::nullopt;
}

}  // namespace

ActorTable actor_table(Membership const& membership) {
    return {membership.digest(), membership.actors()};
}

std::string encode_vector(VersionVector const& vector, ActorTable const* table) {
    std::string out;
    bool const all =
        table && std::all_of(vector.items().begin(), vector.items().end(), [&](auto const& item) {
            return std::binary_search(table->actors.begin(), table->actors.end(), item.first);
        });
    if (!all) {
        out += static_cast<char>(kWhole);
        vector.encode(out);
        return out;
    }
    out += static_cast<char>(kPositional);
    out += prefix(table->membership);
    for (ActorId const actor : table->actors)
        put_varint(out, vector.at(actor));
    return out;
}

std::optional<VersionVector> decode_vector(std::string_view bytes,
                                           std::vector<ActorTable> const& tables) {
    Reader in(bytes);
    std::uint8_t const form = in.byte();
    if (form == kWhole) {
        auto vector = VersionVector::decode(in);
        return in.finished() ? std::move(vector) : std::nullopt;
    }
    if (form != kPositional) return std::nullopt;
    std::string_view const digest = in.take(kDigestBytes);
    for (ActorTable const& table : tables)
        if (in.ok() && prefix(table.membership) == digest) return decode_positional(in, table);
    return std::nullopt;
}

Digest vector_digest(VersionVector const& vector, std::vector<ChainPrefix> const& chains) {
    std::string bytes = "inos vector 1";
    vector.encode(bytes);
    bytes += encode_chains(chains);
    return crypto::hash16(bytes);
}

std::string encode_chains(std::vector<ChainPrefix> const& chains) {
    std::string bytes;
    bytes.reserve(chains.size() * sizeof(ChainPrefix));
    for (ChainPrefix const& chain : chains)
        bytes.append(reinterpret_cast<char const*>(chain.data()), chain.size());
    return bytes;
}

std::optional<std::vector<DepHead>> decode_heads(VersionVector const& vector,
                                                 std::string_view chains) {
    if (chains.size() != vector.items().size() * sizeof(ChainPrefix)) return std::nullopt;
    std::vector<DepHead> heads;
    heads.reserve(vector.items().size());
    for (auto const& [actor, seq] : vector.items()) {
        DepHead head{actor, seq, {}};
        std::copy_n(chains.begin(), head.chain.size(), head.chain.begin());
        chains.remove_prefix(head.chain.size());
        heads.push_back(head);
    }
    return heads;
}

}  // namespace inos::wire
