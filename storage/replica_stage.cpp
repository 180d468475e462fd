#include "storage/replica_stage.hpp"

#include <algorithm>
#include <utility>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/store_format.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kActorVersion = 1;

crypto::Hash32 take_hash(Reader& in) {
    crypto::Hash32 hash{};
    std::string_view const raw = in.take(hash.size());
    std::copy(raw.begin(), raw.end(), hash.begin());
    return hash;
}

}  // namespace

std::string Replica::ActorState::encode() const {
    std::string out;
    out += static_cast<char>(kActorVersion);
    put_varint(out, seq);
    put_varint(out, signed_seq);
    put_u64(out, hlc.value);
    out += crypto::view(chain);
    deps.encode(out);
    return out;
}

std::optional<Replica::ActorState> Replica::ActorState::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kActorVersion) return std::nullopt;
    ActorState state;
    state.seq = in.varint();
    state.signed_seq = in.varint();
    state.hlc.value = in.u64();
    state.chain = take_hash(in);
    auto deps = VersionVector::decode(in);
    if (!deps || !in.finished()) return std::nullopt;
    state.deps = *std::move(deps);
    return state;
}

std::string StoredRecord::encode(Digest128 const& digest,
                                 DigestClass digest_class,
                                 Dot last,
                                 Record const& record) {
    std::string out;
    out += static_cast<char>(kRecordVersion);
    out += crypto::view(digest.bytes());
    out += static_cast<char>(digest_class);
    put_u64(out, last.actor.value);
    put_varint(out, last.seq);
    out += record.encode();
    return out;
}

Result<StoredRecord> StoredRecord::decode(std::string_view bytes, RecordName const& name) {
    if (is_newer_row(bytes, kRecordVersion))
        return tl::unexpected<Error>(newer_record(name, bytes));
    Reader in(bytes);
    std::uint8_t const version = in.byte();
    StoredRecord stored;
    crypto::Hash16 digest{};
    std::string_view const raw = in.take(digest.size());
    std::copy(raw.begin(), raw.end(), digest.begin());
    stored.digest = Digest128::from(digest);
    std::uint8_t const digest_class = in.byte();
    stored.digest_class = static_cast<DigestClass>(digest_class);
    stored.last.actor.value = in.u64();
    stored.last.seq = in.varint();
    auto record = in.ok() ? Record::decode(in.rest()) : std::nullopt;
    bool const marked =
        stored.digest == kNotComparable && stored.digest_class == DigestClass::hidden;
    if (version != kRecordVersion || digest_class > static_cast<std::uint8_t>(kDigestClassMax) ||
        !record || marked)
        return fail(Errc::corruption,
                    "the stored record \"" + name.key + "\" of \"" + name.collection +
                        "\" is damaged; see `inos verify --repair`");
    stored.record = *std::move(record);
    return stored;
}

StoredRecord::Head StoredRecord::head(std::string_view bytes) {
    Reader in(bytes);
    std::uint8_t const version = in.byte();
    crypto::Hash16 digest{};
    std::string_view const raw = in.take(digest.size());
    std::copy(raw.begin(), raw.end(), digest.begin());
    std::uint8_t const digest_class = in.byte();
    if (!in.ok() || version != kRecordVersion ||
        digest_class > static_cast<std::uint8_t>(kDigestClassMax))
        return {kNotComparable, DigestClass::hidden};
    return {Digest128::from(digest), static_cast<DigestClass>(digest_class)};
}

std::string StoredEntry::encode(ActorId author) const {
    std::string out;
    out.reserve(48 + links.size() * 4 + bytes.size());
    out += static_cast<char>(kLogVersion);
    out += static_cast<char>(reason);
    put_varint(out, arrived_ms);
    out += crypto::view(chain);
    put_varint(out, links.size());
    for (Dot const& link : links) {
        bool const own = link.seq > 0 && link.actor == author;
        put_varint(out, link.seq << 1 | (own ? 1 : 0));
        if (link.seq > 0 && !own) put_u64(out, link.actor.value);
    }
    out += bytes;
    return out;
}

std::optional<StoredEntry> StoredEntry::decode(std::string_view value, ActorId author) {
    Reader in(value);
    if (in.byte() != kLogVersion) return std::nullopt;
    StoredEntry entry;
    entry.reason = static_cast<VoidReason>(in.byte());
    entry.arrived_ms = in.varint();
    entry.chain = take_hash(in);
    entry.links.resize(in.count(1));
    for (Dot& link : entry.links) {
        std::uint64_t const word = in.varint();
        link.seq = word >> 1;
        if (link.seq > 0) link.actor = (word & 1) != 0 ? author : ActorId{in.u64()};
    }
    if (!in.ok()) return std::nullopt;
    entry.bytes = in.rest();
    return entry;
}

std::string StoredRecord::marked_as_damaged(std::string bytes) {
    constexpr std::size_t kDigestAt = 1, kClassAt = 17;
    bytes.resize(std::max(bytes.size(), kClassAt + 1));
    bytes[0] = static_cast<char>(kRecordVersion);
    auto const none = kNotComparable.bytes();
    std::copy(none.begin(), none.end(), bytes.begin() + kDigestAt);
    bytes[kClassAt] = static_cast<char>(DigestClass::hidden);
    return bytes;
}

Error corrupt_entry(Dot dot) {
    return Error{Errc::corruption,
                 "entry " + std::to_string(dot.seq) + " of actor " +
                     std::to_string(dot.actor.value) + " in the log cannot be read",
                 {}};
}

void Replica::Staged::take(StoredRecord stored) {
    record = std::move(stored.record);
    stored_class = stored.digest_class;
    stored_digest = stored.digest;
    stored_conflict = belongs_to_conflicts(stored_class, record);
    last = stored.last;
    stored_upkeep = upkeep_flags(record);
}

// What is there is supposed to be what has to change.
void Replica::Staged::index_anew() {
    UpkeepFlags const flags = gone ? UpkeepFlags() : upkeep_flags(record);
    stored_upkeep = {!flags.markers, !flags.orphan};
    stored_conflict = gone || !belongs_to_conflicts(digest_class(state_of(record)), record);
}

Replica::Stage::Stage(Replica& replica)
    : hlc(replica.hlc_), replica_(replica), vector_(replica.vector_) {}

Result<Replica::Staged*> Replica::Stage::record(RecordName const& name) {
    std::string key = keys::record(replica_.options_.space, name.collection, name.key);
    auto const it = records_.find(key);
    if (it != records_.end()) return &it->second;
    auto const value = replica_.engine_.get(Family::records, key);
    if (!value && value.error().code != Errc::corruption) return tl::unexpected(value.error());
    Staged staged;
    staged.name = name;
    bool const held = !value || value->has_value();
    auto stored = value && held ? StoredRecord::decode(**value, name)
                                : fail(Errc::corruption, "it cannot be read");
    // What a newer program wrote is not damaged, and must not be marked as if it were.
    if (held && !stored && stored.error().code != Errc::corruption)
        return tl::unexpected(stored.error());
    if (held && stored) {
        staged.take(*std::move(stored));
        staged.stored_entries = replica_.indexes_->entries(name, staged.record);
    } else if (held) {
        staged.damaged = value ? **value : std::string();
        replica_.note_damaged(key.substr(4));
    }
    staged.list_unknown = held ? staged.last.seq == 0 : replica_.rows_missing_;
    note_wanted(name);
    return &records_.emplace(std::move(key), std::move(staged)).first->second;
}

Replica::ActorState& Replica::Stage::actor(ActorId actor) {
    auto const staged = actors_.find(actor);
    if (staged != actors_.end()) return staged->second;
    auto const known = replica_.actors_.find(actor);
    if (known != replica_.actors_.end()) return actors_.emplace(actor, known->second).first->second;
    ActorState fresh;
    auto const bytes = replica_.membership_->bytes_of(actor);
    INOS_ASSERT(bytes.has_value());
    fresh.chain = chain_start(*bytes);
    return actors_.emplace(actor, std::move(fresh)).first->second;
}

Result<std::optional<crypto::Hash32>> Replica::Stage::chain_at(Dot dot) const {
    auto const it = chains_.find(dot.actor);
    if (it != chains_.end() && dot.seq >= it->second.first) {
        std::size_t const index = dot.seq - it->second.first;
        if (index >= it->second.second.size()) return std::optional<crypto::Hash32>();
        return std::optional(it->second.second[index]);
    }
    return replica_.chain_at(dot);
}

Result<std::optional<ChainPrefix>> Replica::Stage::chain_prefix_at(Dot dot) const {
    INOS_TRY(auto const chain, chain_at(dot));
    if (chain) return std::optional(chain_prefix(*chain));
    return replica_.chain_prefix_at(dot);
}

void Replica::Stage::advance(Dot dot, EntryHeader const* header, crypto::Hash32 const& chain) {
    ActorState& state = actor(dot.actor);
    INOS_ASSERT(dot.seq == state.seq + 1);
    state.seq = dot.seq;
    state.chain = chain;
    if (header) {
        state.hlc = header->hlc;
        for (DepHead const& dep : header->deps)
            state.deps.set(dep.actor, dep.seq);
    }
    auto& chains =
        chains_.try_emplace(dot.actor, dot.seq, std::vector<crypto::Hash32>{}).first->second;
    chains.second.push_back(chain);
    vector_.set(dot.actor, dot.seq);
    if (dot.seq % kDepsEvery != 0) return;
    std::string deps;
    state.deps.encode(deps);
    batch_.put(Family::index, keys::deps(replica_.options_.space, dot), std::move(deps));
}

Dot Replica::Stage::touch(Staged& staged, Dot dot) {
    if (staged.last == dot) return {};
    if (staged.list_unknown && staged.last.seq == 0) return staged.last = dot;
    staged.before = std::exchange(staged.last, dot);
    return staged.before;
}

void Replica::Stage::append(Dot dot,
                            crypto::Hash32 const& chain,
                            VoidReason reason,
                            std::vector<Dot> links,
                            std::string_view bytes) {
    StoredEntry const stored{reason, replica_.clock_.now_ms(), chain, std::move(links), bytes};
    entries_[dot] = batch_.changes.size();
    batch_.put(Family::log, keys::log(replica_.options_.space, dot), stored.encode(dot.actor));
    if (reason == VoidReason::none) return;
    void_entries_.push_back(dot);
    batch_.put(Family::index, keys::void_entry(replica_.options_.space, dot), {});
}

void Replica::Stage::put_signature(Dot dot, crypto::Signature const& signature) {
    ActorState& state = actor(dot.actor);
    if (dot.seq > state.signed_seq) state.signed_seq = dot.seq;
    batch_.put(Family::log,
               keys::signature(replica_.options_.space, dot),
               std::string(crypto::view(signature)));
}

}  // namespace inos
