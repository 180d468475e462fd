#include "storage/log_starts.hpp"

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHashBytes = sizeof(crypto::Hash16);

Seq block_of(Seq seq) {
    return (seq - 1) / kHashesPerKey;
}

Error corrupt_chains(ActorId actor) {
    return Error{Errc::corruption,
                 "what is kept of entries of actor " + std::to_string(actor.value) +
                     " that were cut from the log cannot be read",
                 {}};
}

// The hashes that a block holds, with how many are missing in front; the value of a new block for
// none.
Result<std::string> read_block(Engine const& engine,
                               std::uint32_t space,
                               ActorId actor,
                               Seq block) {
    INOS_TRY(auto value, engine.get(Family::index, keys::cut_chains(space, actor, block)));
    if (!value) return std::string();
    bool const sound = !value->empty() && (value->size() - 1) % kHashBytes == 0 &&
                       static_cast<std::uint8_t>(value->front()) < kHashesPerKey;
    if (!sound) return tl::unexpected(corrupt_chains(actor));
    return *std::move(value);
}

}  // namespace

std::string LogStart::encode() const {
    std::string out;
    out += static_cast<char>(kVersion);
    put_varint(out, seq);
    put_u64(out, hlc.value);
    put_raw(out, chain);
    return out;
}

std::optional<LogStart> LogStart::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    LogStart start;
    start.seq = in.varint();
    start.hlc.value = in.u64();
    start.chain = take_raw<crypto::Hash32>(in);
    bool const sound = in.finished() && start.seq > 0;
    return sound ? std::optional(start) : std::nullopt;
}

Result<LogStarts> LogStarts::load(Engine const& engine, std::uint32_t space) {
    LogStarts starts;
    std::string const from = keys::meta_kind(space, 'b');
    auto cursor = engine.scan(Family::meta, from, keys::meta_kind(space, 'c'));
    for (; cursor->valid(); cursor->next()) {
        Reader key(cursor->key().substr(from.size()));
        ActorId const actor{key.u64()};
        auto const start = LogStart::decode(cursor->value());
        if (!start || !key.finished())
            return fail(Errc::corruption, "where the log of an actor begins cannot be read");
        starts.set(actor, *start);
    }
    INOS_CHECK(cursor->status());
    return starts;
}

LogStart const* LogStarts::find(ActorId actor) const {
    auto const it = starts_.find(actor);
    return it == starts_.end() ? nullptr : &it->second;
}

Seq LogStarts::of(ActorId actor) const {
    LogStart const* start = find(actor);
    return start ? start->seq : 0;
}

Dot LogStarts::any_cut() const {
    return starts_.empty() ? Dot() : Dot{starts_.begin()->first, starts_.begin()->second.seq};
}

std::optional<Hlc> LogStarts::last_cut() const {
    std::optional<Hlc> last;
    for (auto const& [actor, start] : starts_)
        last = std::max(last.value_or(start.hlc), start.hlc);
    return last;
}

bool LogStarts::within(VersionVector const& vector) const {
    return std::all_of(starts_.begin(), starts_.end(), [&vector](auto const& start) {
        return start.second.seq <= vector.at(start.first);
    });
}

Result<void> put_cut_chains(Engine const& engine,
                            std::uint32_t space,
                            Dot first,
                            std::vector<crypto::Hash16> const& chains,
                            WriteBatch& batch) {
    std::size_t at = 0;
    while (at < chains.size()) {
        Seq const seq = first.seq + at, block = block_of(seq);
        Seq const offset = (seq - 1) % kHashesPerKey;
        INOS_TRY(std::string value, read_block(engine, space, first.actor, block));
        if (value.empty()) value += static_cast<char>(offset);
        // What a write that was undone had left behind the last entry that is cut says the same.
        Seq const before = offset - std::min<Seq>(offset, static_cast<std::uint8_t>(value.front()));
        if (before * kHashBytes > value.size() - 1)
            return tl::unexpected(corrupt_chains(first.actor));
        value.resize(1 + before * kHashBytes);
        for (Seq i = offset; i < kHashesPerKey && at < chains.size(); ++i, ++at)
            put_raw(value, chains[at]);
        batch.put(Family::index, keys::cut_chains(space, first.actor, block), std::move(value));
    }
    return {};
}

crypto::Hash16 cut_hash(crypto::Hash32 const& chain) {
    crypto::Hash16 hash{};
    std::copy_n(chain.begin(), hash.size(), hash.begin());
    return hash;
}

Result<std::string> cut_chains(
    Engine const& engine, std::uint32_t space, ActorId actor, Seq first, Seq last) {
    std::string hashes;
    for (Seq seq = first; seq <= last;) {
        Seq const block = block_of(seq), end = std::min(last, (block + 1) * kHashesPerKey);
        INOS_TRY(std::string const value, read_block(engine, space, actor, block));
        Seq const missing = value.empty() ? 0 : static_cast<std::uint8_t>(value.front());
        Seq const offset = (seq - 1) % kHashesPerKey, count = end - seq + 1;
        bool const held = !value.empty() && offset >= missing &&
                          1 + (offset - missing + count) * kHashBytes <= value.size();
        if (!held) return tl::unexpected(corrupt_chains(actor));
        hashes += value.substr(1 + (offset - missing) * kHashBytes, count * kHashBytes);
        seq = end + 1;
    }
    return hashes;
}

Result<std::optional<crypto::Hash16>> cut_chain(Engine const& engine,
                                                std::uint32_t space,
                                                Dot dot) {
    INOS_TRY(std::string const value, read_block(engine, space, dot.actor, block_of(dot.seq)));
    Seq const offset = (dot.seq - 1) % kHashesPerKey;
    Seq const missing = value.empty() ? kHashesPerKey : static_cast<std::uint8_t>(value.front());
    if (offset < missing) return std::optional<crypto::Hash16>();
    std::size_t const at = 1 + (offset - missing) * kHashBytes;
    if (at + kHashBytes > value.size()) return std::optional<crypto::Hash16>();
    crypto::Hash16 hash{};
    std::copy_n(value.begin() + static_cast<std::ptrdiff_t>(at), hash.size(), hash.begin());
    return std::optional(hash);
}

}  // namespace inos
