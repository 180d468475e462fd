// The part of an inspection that looks at the log: one actor after the other, each from where its
// log begins.
#include <algorithm>
#include <limits>
#include <utility>

#include "storage/entry_hash.hpp"
#include "storage/integrity_reading.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::size_t kEntryCost = 256;          // of the budget, besides its bytes
constexpr std::size_t kLookupCost = 1'024;       // of another entry that it names, ...
constexpr std::size_t kLookupBytesMax = 32'768;  // ... and of its bytes so many at most
constexpr std::size_t kSignatureCost = 20'000;   // verifying one takes as long
constexpr std::size_t kOpsLookedAt = 64;         // of an entry that a link names

}  // namespace

Result<void> Inspector::look_at_log(std::size_t& left) {
    if (!reading_) reading_ = std::make_unique<Reading>();
    while (left > 0) {
        if (reading_->actor) {
            INOS_CHECK(read_actor(left));
            continue;
        }
        left -= std::min(left, kEntryCost);
        INOS_TRY(bool const more, begin_actor());
        if (more) continue;
        reading_.reset();
        next_phase(IntegrityPhase::meta);
        return {};
    }
    return {};
}

// False: there is none. Rows of actors of whom the site does not know to hold anything lie between.
Result<bool> Inspector::begin_actor() {
    std::uint32_t const space = replica_.options_.space;
    ActorId next{std::numeric_limits<std::uint64_t>::max()};
    bool more = false;
    for (auto const& [actor, seq] : replica_.vector_.items()) {
        if (seq == 0 || (reading_->done && actor <= *reading_->done)) continue;
        next = actor;
        more = true;
        break;
    }
    std::string from = keys::space_begin(space);
    if (reading_->done)
        from = reading_->done->value == std::numeric_limits<std::uint64_t>::max()
                   ? keys::space_end(space)
                   : keys::log(space, {ActorId{reading_->done->value + 1}, 0});
    std::string const to = more ? keys::log(space, {next, 0}) : keys::space_end(space);
    auto cursor = replica_.engine_.scan(Family::log, from, to);
    if (cursor->valid()) {
        ActorId const stray{Reader(cursor->key().substr(4)).u64()};
        note({.kind = FindingKind::entry_stray, .family = Family::log, .actor = stray, .seq = 1});
    } else {
        INOS_TRY(bool const all, ended(*cursor, Family::log));
        static_cast<void>(all);
    }
    if (!more) return false;
    reading_->actor = next;
    reading_->next = 1;
    reading_->chain = {};
    reading_->chain_known = false;
    reading_->signature_behind = reading_->last_signed = 0;
    if (auto const certificate = replica_.membership_->bytes_of(next)) {
        reading_->chain = chain_start(*certificate);
        reading_->chain_known = true;
    }
    return true;
}

// Where the log was cut meanwhile, it goes on at its beginning.
void Inspector::place_reading() {
    auto const* start = replica_.log_starts_.find(*reading_->actor);
    if (!start || start->seq < reading_->next) return;
    reading_->next = start->seq + 1;
    reading_->chain = start->chain;
    reading_->chain_known = true;
    reading_->signature_behind = start->seq - 1;
}

Result<void> Inspector::read_actor(std::size_t& left) {
    place_reading();
    std::uint32_t const space = replica_.options_.space;
    ActorId const actor = *reading_->actor;
    Seq const head = replica_.vector_.at(actor);
    // With the signature of the one before, unless that lies where the disk cannot read.
    Seq const first = reading_->next - (reading_->chain_known ? 1 : 0);
    auto cursor = replica_.engine_.scan(
        Family::log, keys::log(space, {actor, first}), keys::log(space, {actor, head + 1}));
    for (; cursor->valid() && left > 0; cursor->next()) {
        Seq const seq = Reader(cursor->key().substr(12)).u64();
        bool const is_entry = cursor->key().size() == keys::log(space, {}).size();
        // Looked at in an earlier step: costs nothing, or a short step would never get further.
        bool const known = is_entry ? seq < reading_->next : seq <= reading_->signature_behind;
        if (known) continue;
        left -= std::min(left, kEntryCost + cursor->value().size());
        if (is_entry) {
            INOS_CHECK(look_at_entry(seq, cursor->value(), left));
        } else {
            left -= std::min(left, kSignatureCost);
            look_at_signature(seq, cursor->value());
        }
    }
    if (cursor->valid()) return {};
    auto const status = cursor->status();
    if (!status && status.error().code != Errc::corruption) return status;
    if (!status && reading_->next <= head) {  // maybe the next one can be read
        left -= std::min(left, kSignatureCost);
        wrong_entry(FindingKind::entry_unreadable, reading_->next);
        ++reading_->next;
        reading_->chain_known = false;
        return {};
    }
    if (reading_->next <= head)
        wrong_entry(FindingKind::entry_missing, reading_->next, head - reading_->next + 1);
    return end_actor();
}

void Inspector::wrong_entry(FindingKind kind, Seq seq, std::uint64_t count) {
    note({.kind = kind,
          .family = Family::log,
          .actor = *reading_->actor,
          .seq = seq,
          .count = count});
}

Result<void> Inspector::look_at_entry(Seq seq, std::string_view value, std::size_t& left) {
    Reading& at = *reading_;
    Dot const dot{*at.actor, seq};
    if (at.next < seq) {
        wrong_entry(FindingKind::entry_missing, at.next, seq - at.next);
        at.chain_known = false;
    }
    at.next = seq + 1;
    ++inspected_.entries;
    auto const stored = StoredEntry::decode(value, dot.actor);
    if (!stored) {
        wrong_entry(FindingKind::entry_unreadable, seq);
        at.chain_known = false;
        return {};
    }
    auto const hashed = hash_entry(at.chain, stored->bytes, replica_.options_.digest_key);
    bool const right = !at.chain_known || hashed.chain == stored->chain;
    if (!right) wrong_entry(FindingKind::entry_chain, seq);
    at.chain = stored->chain;
    at.chain_known = true;
    INOS_CHECK(look_beside(dot, *stored));
    if (!right || !hashed.frame) return {};
    auto const header = decode_header(hashed.frame->header);
    if (header && header->dot == dot) {
        left -= std::min(left, header->deps.size() * kLookupCost);
        INOS_CHECK(look_at_deps(dot, *header));
    }
    return look_at_links(dot, *stored, hashed.tags, left);
}

// Each of the heads that the author had seen is here, and is that entry. Of what was cut maybe
// nobody knows any more.
Result<void> Inspector::look_at_deps(Dot dot, EntryHeader const& header) {
    for (DepHead const& dep : header.deps) {
        bool right = replica_.vector_.at(dep.actor) >= dep.seq;
        if (right) {
            auto const chain = replica_.chain_prefix_at({dep.actor, dep.seq});
            if (!chain && chain.error().code != Errc::corruption)
                return tl::unexpected(chain.error());
            right = !chain || !*chain || **chain == dep.chain;
        }
        if (right) continue;
        wrong_entry(FindingKind::entry_deps, dot.seq);
        return {};
    }
    return {};
}

// A link names an entry that touched the op's record before this one; one that names itself says
// that nobody knows.
Result<void> Inspector::look_at_links(Dot dot,
                                      StoredEntry const& stored,
                                      std::vector<RecordTag> const& tags,
                                      std::size_t& left) {
    if (stored.links.size() > tags.size()) {
        wrong_entry(FindingKind::entry_links, dot.seq);
        return {};
    }
    for (std::size_t i = 0; i < stored.links.size(); ++i) {
        Dot const link = stored.links[i];
        if (link.seq == 0 || link == dot || replica_.log_starts_.is_cut(link)) continue;
        bool right = replica_.vector_.covers(link);
        if (right) {
            auto const value =
                replica_.engine_.get(Family::log, keys::log(replica_.options_.space, link));
            if (!value && value.error().code != Errc::corruption)
                return tl::unexpected(value.error());
            std::size_t const bytes = value && *value ? (*value)->size() : 0;
            left -= std::min(left, kLookupCost + std::min(bytes, kLookupBytesMax));
            auto const entry =
                value && *value ? StoredEntry::decode(**value, link.actor) : std::nullopt;
            auto const frame = entry ? frame_entry(entry->bytes) : std::nullopt;
            // One that is damaged is found where it lies.
            if (!frame || frame->ops.size() > kOpsLookedAt) continue;
            auto const there = op_tags(*frame, replica_.options_.digest_key);
            right = std::find(there.begin(), there.end(), tags[i]) != there.end();
        }
        if (right) continue;
        wrong_entry(FindingKind::entry_links, dot.seq);
        return {};
    }
    return {};
}

// What the indexes keep of an entry.
Result<void> Inspector::look_beside(Dot dot, StoredEntry const& stored) {
    std::uint32_t const space = replica_.options_.space;
    auto const lacks = [&](std::string const& key) -> Result<bool> {
        auto const row = replica_.engine_.get(Family::index, key);
        if (!row && row.error().code != Errc::corruption) return tl::unexpected(row.error());
        return !row || !*row;
    };
    bool wrong = false;
    if (dot.seq % kDepsEvery == 0) {
        INOS_TRY(wrong, lacks(keys::deps(space, dot)));
    }
    if (!wrong && stored.reason != VoidReason::none) {
        INOS_TRY(wrong, lacks(keys::void_entry(space, dot)));
    }
    if (wrong) wrong_entry(FindingKind::entry_row, dot.seq);
    return {};
}

// It stands behind its entry, so that is the last one that was read; or where the log begins.
void Inspector::look_at_signature(Seq seq, std::string_view value) {
    Reading& at = *reading_;
    at.signature_behind = at.last_signed = seq;
    ++inspected_.signatures;
    auto const* author = replica_.membership_->by_actor(*at.actor);
    if (!author || !at.chain_known || seq != at.next - 1) return;
    crypto::Signature signature{};
    bool right = value.size() == signature.size();
    if (right) {
        std::copy(value.begin(), value.end(), signature.begin());
        right = crypto::verify(
            author->site,
            head_statement(replica_.membership_->space(), {*at.actor, seq}, at.chain),
            signature);
    }
    if (!right) wrong_entry(FindingKind::signature, seq);
}

// What is kept of the actor is what its log ends with.
Result<void> Inspector::end_actor() {
    Reading& at = *reading_;
    std::uint32_t const space = replica_.options_.space;
    auto const known = replica_.actors_.find(*at.actor);
    Seq const head = replica_.vector_.at(*at.actor);
    if (known == replica_.actors_.end()) {
        wrong_entry(FindingKind::entry_stray, head);
    } else {
        auto const& state = known->second;
        if (at.chain_known && at.next == state.seq + 1 && at.chain != state.chain)
            wrong_entry(FindingKind::entry_chain, state.seq);
        if (state.signed_seq > replica_.log_starts_.of(*at.actor) &&
            at.last_signed < state.signed_seq)
            wrong_entry(FindingKind::signature, state.signed_seq);
    }
    auto const behind = replica_.engine_.scan(Family::log,
                                              keys::log(space, {*at.actor, head + 1}),
                                              keys::log(space, {*at.actor, kSeqMax}));
    if (behind->valid()) wrong_entry(FindingKind::entry_stray, head + 1);
    at.done = std::exchange(at.actor, std::nullopt);
    return {};
}

}  // namespace inos
