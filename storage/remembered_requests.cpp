#include "storage/remembered_requests.hpp"

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/raw_bytes.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint8_t kCreated = 1, kChanged = 2, kFound = 4;

std::string day_key(std::uint32_t space, std::uint64_t day) {
    std::string key = keys::meta_kind(space, 'r');
    put_u32(key, static_cast<std::uint32_t>(std::min<std::uint64_t>(day, 0xffff'ffff)));
    return key;
}

std::uint64_t day_of(std::uint64_t now_ms, std::uint32_t days_ago) {
    std::uint64_t const day = now_ms / kDayMs;
    return day - std::min<std::uint64_t>(day, days_ago);
}

}  // namespace

std::string RememberedRequest::encode() const {
    std::string out;
    out += static_cast<char>(kVersion);
    out += crypto::view(contents);
    put_varint(out, writes.size());
    for (WriteOutcome const& write : writes) {
        out += static_cast<char>((write.created ? kCreated : 0) | (write.changed ? kChanged : 0) |
                                 (write.found ? kFound : 0));
        put_blob(out, write.version);
    }
    put_u64(out, dot ? dot->actor.value : 0);
    put_varint(out, dot ? dot->seq : 0);
    return out;
}

std::optional<RememberedRequest> RememberedRequest::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    RememberedRequest request;
    request.contents = take_raw<crypto::Hash16>(in);
    request.writes.resize(in.count(2));
    for (WriteOutcome& write : request.writes) {
        std::uint8_t const flags = in.byte();
        write.created = (flags & kCreated) != 0;
        write.changed = (flags & kChanged) != 0;
        write.found = (flags & kFound) != 0;
        write.version = in.blob();
    }
    Dot dot{ActorId{in.u64()}, 0};
    dot.seq = in.varint();
    if (dot.seq > 0) request.dot = dot;
    return in.finished() ? std::optional(std::move(request)) : std::nullopt;
}

std::string request_key(std::uint32_t space,
                        std::uint64_t now_ms,
                        std::uint32_t days_ago,
                        crypto::Hash16 const& request) {
    std::string key = day_key(space, day_of(now_ms, days_ago));
    key += crypto::view(request);
    return key;
}

std::pair<std::string, std::string> forgotten_requests(std::uint32_t space, std::uint64_t now_ms) {
    return {day_key(space, 0), day_key(space, day_of(now_ms, 1))};
}

// ---- the replica's part -----------------------------------------------------------------------

// What became of it, in this stage or before; nullopt: it is new. Errc::invalid: its name stands
// for another one.
Result<std::optional<Committed>> Replica::Stage::remembered(Transaction const& transaction) {
    std::uint32_t const space = replica_.options_.space;
    std::uint64_t const now = replica_.clock_.now_ms();
    auto const hashed = [&](std::string_view text) {
        return crypto::hash16(text, replica_.options_.digest_key.view());
    };
    crypto::Hash16 const name = hashed("inos request 1" + transaction.request->name);
    request_key_ = request_key(space, now, 0, name);
    request_contents_ = hashed("inos request contents 1" + transaction.request->contents);
    std::optional<std::string> row;
    if (auto const staged = requests_.find(request_key_); staged != requests_.end())
        row = staged->second;
    for (std::uint32_t days_ago = 0; !row && days_ago < 2; ++days_ago) {
        INOS_TRY(row, replica_.engine_.get(Family::meta, request_key(space, now, days_ago, name)));
    }
    auto const request = row ? RememberedRequest::decode(*row) : std::nullopt;
    if (row && !request)
        return fail(Errc::corruption, "what is remembered of this request cannot be read");
    if (!request) return std::optional<Committed>();
    if (request->contents != request_contents_)
        return fail(Errc::invalid,
                    "another request was made under this Idempotency-Key; every request needs a "
                    "new one, and only its own retries the same");
    Committed committed{request->dot, request->writes, {}, true};
    committed.writes.resize(transaction.writes.size());
    for (std::size_t i = 0; i < committed.writes.size(); ++i) {
        RecordName const& asked = transaction.writes[i].name;
        committed.writes[i].id = replica_.aliases_.master(asked.collection, asked.key);
    }
    return std::optional(std::move(committed));
}

void Replica::Stage::remember(Committed const& committed) {
    std::string row =
        RememberedRequest{request_contents_, committed.writes, committed.dot}.encode();
    batch_.put(Family::meta, request_key_, row);
    requests_.insert_or_assign(request_key_, std::move(row));
}

Result<std::size_t> Replica::forget_requests(std::size_t budget) {
    if (failure_) return std::size_t{0};
    auto const [from, to] = forgotten_requests(options_.space, clock_.now_ms());
    WriteBatch batch;
    auto cursor = engine_.scan(Family::meta, from, to);
    for (; cursor->valid() && batch.changes.size() < budget; cursor->next())
        batch.remove(Family::meta, std::string(cursor->key()));
    INOS_CHECK(cursor->status());
    if (!batch.changes.empty()) INOS_CHECK(write_batch(batch, Durability::flushed));
    return batch.changes.size();
}

}  // namespace inos
