// Replica::collect: exactly what a peer lacks, as a few range reads of the log, merged into causal
// order by deps. The receiver never waits: an entry is sent when its deps are covered by what the
// receiver has plus what was sent before. The clocks only choose among the entries that are ready.

#include <algorithm>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

struct Item {
    Seq seq = 0;
    std::string bytes;
    Hlc hlc;
    std::vector<DepHead> deps;
    std::vector<RecordTag> stubs;
    std::optional<crypto::Signature> signature;
};

// One actor's log from some seq on.
class Feed {
public:
    Feed(ActorId actor, std::unique_ptr<Cursor> cursor)
        : actor_(actor), cursor_(std::move(cursor)) {}

    ActorId actor() const { return actor_; }
    std::optional<Item> const& item() const { return item_; }

    Result<void> advance() {
        item_.reset();
        if (!cursor_->valid()) return cursor_->status();
        Reader key(cursor_->key().substr(12));
        Item item;
        item.seq = key.u64();
        auto const stored = StoredEntry::decode(cursor_->value(), actor_);
        if (!stored || !key.finished()) return tl::unexpected(corrupt_entry({actor_, item.seq}));
        item.bytes = stored->bytes;
        if (auto const frame = frame_entry(item.bytes)) {
            // The deps of an entry that names another place are nothing that receivers check.
            if (auto header = decode_header(frame->header);
                header && header->dot == Dot{actor_, item.seq}) {
                item.hlc = header->hlc;
                item.deps = std::move(header->deps);
            }
            for (auto const& op : frame->ops)
                if (op.kind_and_body.empty()) item.stubs.push_back(op.tag);
        }
        cursor_->next();
        take_signature(item);
        item_ = std::move(item);
        return {};
    }

private:
    // The signature's key is the entry's key with one byte more, so it comes right behind.
    void take_signature(Item& item) {
        if (!cursor_->valid() || cursor_->key().size() != 21) return;
        std::string_view const value = cursor_->value();
        crypto::Signature signature{};
        if (value.size() == signature.size()) {
            std::copy(value.begin(), value.end(), signature.begin());
            item.signature = signature;
        }
        cursor_->next();
    }

    ActorId actor_;
    std::unique_ptr<Cursor> cursor_;
    std::optional<Item> item_;
};

}  // namespace

class Replica::Collector {
public:
    Collector(Replica& replica, VersionVector theirs, std::size_t target_bytes)
        : replica_(replica), sent_(std::move(theirs)), target_bytes_(target_bytes) {}

    Result<EntryBatch> run() {
        INOS_CHECK(open_feeds());
        while (bytes_ < target_bytes_ || checkpoint_ < entries_) {
            Feed* const feed = choose();
            if (!feed) break;
            if (full(*feed)) break;
            INOS_CHECK(take(*feed));
        }
        cut_back();
        keep_needed_heads();
        for (RecordTag const& tag : stubs_)
            if (auto const it = replica_.erasures_.find(tag); it != replica_.erasures_.end())
                batch_.erasures.push_back(it->second);
        INOS_CHECK(sign_own_head());
        if (batch_.empty() && !feeds_.empty())
            return fail(
                Errc::corruption,
                "the log lacks entries or signatures that the version vector says it holds; "
                "run `inos verify`");
        return std::move(batch_);
    }

private:
    Result<void> open_feeds() {
        std::uint32_t const space = replica_.options_.space;
        for (auto const& [actor, have] : replica_.vector_.items()) {
            Seq const theirs = sent_.at(actor);
            if (theirs >= have) continue;
            if (theirs < replica_.log_starts_.of(actor)) return tl::unexpected(cut(actor));
            auto cursor = replica_.engine_.scan(Family::log,
                                                keys::log(space, {actor, theirs + 1}),
                                                keys::log(space, {actor, have + 1}));
            feeds_.emplace_back(actor, std::move(cursor));
            INOS_CHECK(feeds_.back().advance());
        }
        return {};
    }

    Error cut(ActorId actor) const {
        auto const* author = replica_.membership_->by_actor(actor);
        return Error{Errc::gone,
                     "the peer lacks entries of \"" + (author ? author->name : "") +
                         "\" up to number " + std::to_string(replica_.log_starts_.of(actor)) +
                         ", which this site has cut from its log (log_retention); connect it with "
                         "a site that keeps them longer, or with an admin's",
                     {}};
    }

    bool ready(Feed const& feed) const {
        if (!feed.item() || feed.item()->seq != sent_.at(feed.actor()) + 1) return false;
        auto const& deps = feed.item()->deps;
        return std::all_of(deps.begin(), deps.end(), [this](DepHead const& dep) {
            return sent_.covers({dep.actor, dep.seq});
        });
    }

    // A stretch that was begun goes on to its signature; else the ready entry with the lowest
    // clock.
    Feed* choose() {
        Feed* best = nullptr;
        for (Feed& feed : feeds_) {
            if (!ready(feed)) continue;
            if (is_open(feed.actor())) return &feed;
            if (!best || feed.item()->hlc < best->item()->hlc) best = &feed;
        }
        return best;
    }

    bool is_open(ActorId actor) const {
        return std::find(open_.begin(), open_.end(), actor) != open_.end();
    }

    // Stop before the limit of a message, at a point where everything is signed.
    bool full(Feed const& feed) const {
        bool const over =
            bytes_ + feed.item()->bytes.size() > kBatchBytesMax || entries_ == kBatchEntriesMax;
        return over && checkpoint_ > 0;
    }

    Result<void> take(Feed& feed) {
        Item const& item = *feed.item();
        if (batch_.runs.empty() || batch_.runs.back().actor != feed.actor())
            batch_.runs.push_back({feed.actor(), item.seq, {}});
        batch_.runs.back().entries.push_back(item.bytes);
        bytes_ += item.bytes.size() + kEntryWeight;
        ++entries_;
        stubs_.insert(item.stubs.begin(), item.stubs.end());
        sent_.set(feed.actor(), item.seq);
        bool const own = feed.actor() == replica_.options_.actor;
        // The signature in front of an entry that had seen something new is where a forwarder cuts.
        if (!item.deps.empty()) cuts_.push_back({feed.actor(), item.seq - 1});
        if (item.signature) batch_.heads.push_back({feed.actor(), item.seq, *item.signature});
        std::erase(open_, feed.actor());
        if (!own && !item.signature) open_.push_back(feed.actor());
        if (open_.empty()) checkpoint_ = entries_;
        return feed.advance();
    }

    // Drops what follows the last point at which every actor's last entry was signed. With authors
    // that keep the rules nothing does.
    void cut_back() {
        while (entries_ > checkpoint_) {
            batch_.runs.back().entries.pop_back();
            if (batch_.runs.back().entries.empty()) batch_.runs.pop_back();
            --entries_;
        }
    }

    // Of an actor's signatures the last one in the batch, and those where a forwarder may have to
    // cut: a signature costs its receiver as much as many entries.
    void keep_needed_heads() {
        VersionVector last;
        for (EntryRun const& run : batch_.runs)
            last.raise(run.actor, run.first + run.entries.size() - 1);
        std::sort(cuts_.begin(), cuts_.end());
        std::erase_if(batch_.heads, [&](SignedHead const& head) {
            Seq const end = last.at(head.actor);
            bool const cut =
                std::binary_search(cuts_.begin(), cuts_.end(), Dot{head.actor, head.seq});
            return head.seq > end || (head.seq < end && !cut);
        });
        own_last_ = last.at(replica_.options_.actor);
    }

    // We may cut our own log anywhere: we can always sign. Nothing of ours leaves before it is
    // synced, else a power cut makes us use its number twice; the signature's write syncs all
    // before it. A signature alone needs no sync: one that is lost is made again, and says the
    // same.
    Result<void> sign_own_head() {
        if (own_last_ == 0) return {};
        Dot const dot{replica_.options_.actor, own_last_};
        bool const is_synced = own_last_ <= replica_.own_synced_;
        auto const it =
            std::find_if(batch_.heads.begin(), batch_.heads.end(), [&](SignedHead const& head) {
                return head.actor == dot.actor && head.seq == dot.seq;
            });
        if (it != batch_.heads.end())
            return is_synced ? Result<void>() : replica_.keep_signature(*it, Durability::synced);
        INOS_TRY(auto const chain, replica_.chain_at(dot));
        INOS_ASSERT(chain.has_value());
        batch_.heads.push_back({dot.actor, dot.seq, replica_.sign_own(dot, *chain)});
        // What is on the disk goes to others even while nothing can be written there.
        if (is_synced && replica_.failed()) return {};
        return replica_.keep_signature(batch_.heads.back(),
                                       is_synced ? Durability::flushed : Durability::synced);
    }

    Replica& replica_;
    VersionVector sent_;
    std::size_t target_bytes_;
    std::vector<Feed> feeds_;
    std::vector<ActorId> open_;  // actors whose last entry in the batch is not signed
    std::vector<Dot> cuts_;      // what stands in front of an entry with new deps
    std::set<RecordTag> stubs_;  // of the entries in the batch
    Seq own_last_ = 0;           // our last entry in the batch
    std::size_t bytes_ = 0, entries_ = 0, checkpoint_ = 0;
    EntryBatch batch_;
};

Result<void> Replica::keep_signature(SignedHead const& head, Durability durability) {
    Dot const dot{head.actor, head.seq};
    ActorState state = actors_[dot.actor];
    state.signed_seq = std::max(state.signed_seq, dot.seq);
    WriteBatch batch;
    batch.put(Family::log,
              keys::signature(options_.space, dot),
              std::string(crypto::view(head.signature)));
    batch.put(Family::meta, keys::meta(options_.space, 'a', dot.actor), state.encode());
    INOS_CHECK(write_batch(batch, durability));
    actors_[dot.actor] = std::move(state);
    return {};
}

Result<void> Replica::sign_own_log() {
    auto const own = actors_.find(options_.actor);
    if (own == actors_.end()) return {};
    ActorState const& state = own->second;
    if (state.signed_seq == state.seq && state.seq <= own_synced_) return {};
    Dot const dot{own->first, state.seq};
    return keep_signature({dot.actor, dot.seq, sign_own(dot, state.chain)}, Durability::synced);
}

Result<EntryBatch> Replica::collect(VersionVector const& theirs, std::size_t target_bytes) {
    return Collector(*this, theirs, target_bytes).run();
}

}  // namespace inos
