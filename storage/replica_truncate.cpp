// Replica::truncate: cuts from the log what every member has acknowledged and what is old enough,
// from each actor's beginning on.
//
// An entry waits for those before it in the histories of the records that it touched: so of every
// record's history the log holds the end, from some entry on, and whoever follows it from the
// newest entry back (erasing, purging) meets all that is held.

#include <algorithm>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::size_t kActorsAtOnce = 64;

struct Item {
    Dot dot;
    Hlc hlc;
    bool is_void = false;
    crypto::Hash32 chain{};
    std::vector<DepHead> deps;
    std::vector<Dot> links;
    std::vector<RecordName> records;
};

// One actor's log, and what of it is to be cut.
class Feed {
public:
    // Of entries that came until `newest_ms`.
    Feed(ActorId actor,
         LogStart start,
         VersionVector deps,
         std::uint64_t newest_ms,
         std::unique_ptr<Cursor> cursor)
        : actor_(actor),
          first_(start.seq + 1),
          start_(start),
          deps_(std::move(deps)),
          newest_ms_(newest_ms),
          cursor_(std::move(cursor)) {}

    ActorId actor() const { return actor_; }
    Seq first() const { return first_; }
    LogStart const& start() const { return start_; }
    VersionVector const& deps() const { return deps_; }  // of the entry at the start
    std::vector<crypto::Hash16> const& cut_chains() const { return chains_; }
    std::vector<Seq> const& signatures() const { return signatures_; }  // met on the way
    // The oldest one that is left; nullopt: none that is old enough.
    std::optional<Item> const& item() const { return item_; }
    // Nothing before it in the histories of its records is left; one that names itself knows of
    // none (Stage::touch). `start_of` only grows, so a link
    // that was met once is not looked at again.
    template <class StartOf>
    bool is_first(StartOf start_of) {
        auto& links = item_->links;
        auto const gone = [&](Dot link) {
            return link == item_->dot || link.seq <= start_of(link.actor);
        };
        while (!links.empty() && gone(links.back()))
            links.pop_back();
        return links.empty();
    }

    Result<void> advance() {
        item_.reset();
        while (cursor_->valid() && cursor_->key().size() == keys::signature(0, {}).size()) {
            signatures_.push_back(Reader(cursor_->key().substr(12)).u64());
            cursor_->next();
        }
        if (!cursor_->valid()) return cursor_->status();
        Item item;
        item.dot = {actor_, Reader(cursor_->key().substr(12)).u64()};
        auto const stored = StoredEntry::decode(cursor_->value(), actor_);
        if (!stored || item.dot.seq != start_.seq + 1)
            return tl::unexpected(corrupt_entry(item.dot));
        if (stored->arrived_ms > newest_ms_) return {};
        item.is_void = stored->reason != VoidReason::none;
        item.chain = stored->chain;
        item.links = stored->links;
        if (auto const frame = frame_entry(stored->bytes)) read(*frame, item);
        // What it claims to be from later than it came is not told to anybody.
        item.hlc = std::min(item.hlc, Hlc::from(stored->arrived_ms, 0xffff));
        cursor_->next();
        item_ = std::move(item);
        return {};
    }

    // The item goes.
    void cut() {
        Hlc const latest = item_->is_void ? start_.hlc : std::max(start_.hlc, item_->hlc);
        start_ = {item_->dot.seq, latest, item_->chain};
        for (DepHead const& dep : item_->deps)
            deps_.set(dep.actor, dep.seq);
        chains_.push_back(cut_hash(item_->chain));
    }

private:
    void read(EntryFrame const& frame, Item& item) const {
        if (auto header = decode_header(frame.header); header && header->dot == item.dot) {
            item.hlc = header->hlc;
            item.deps = std::move(header->deps);
        }
        auto const names = header_names(frame.header);
        for (auto const& op : frame.ops)
            if (auto const record = op_record(names, op.kind_and_body))
                item.records.push_back({std::string(record->collection), std::string(record->key)});
    }

    ActorId actor_;
    Seq first_;
    LogStart start_;
    VersionVector deps_;
    std::uint64_t newest_ms_;
    std::unique_ptr<Cursor> cursor_;
    std::optional<Item> item_;
    std::vector<crypto::Hash16> chains_;
    std::vector<Seq> signatures_;
};

}  // namespace

class Replica::Truncation {
public:
    Truncation(Replica& replica, VersionVector floor, LogRetention const& retention)
        : replica_(replica), floor_(std::move(floor)), retention_(retention) {
        std::uint64_t const now = replica.clock_.now_ms();
        newest_ms_ = now - std::min(now, retention.age_ms);
    }

    Result<std::size_t> run() {
        INOS_CHECK(open_feeds());
        for (bool moved = true; moved && looked_ < retention_.budget;) {
            moved = false;
            for (Feed& feed : feeds_)
                while (looked_ < retention_.budget && goes(feed)) {
                    INOS_CHECK(cut(feed));
                    moved = true;
                }
        }
        if (entries_ == 0) return entries_;
        INOS_CHECK(move_starts());
        INOS_CHECK(replica_.write_batch(batch_, Durability::flushed));
        for (Feed const& feed : feeds_)
            if (!feed.cut_chains().empty()) replica_.log_starts_.set(feed.actor(), feed.start());
        return entries_;
    }

private:
    Seq limit(ActorId actor) const {
        auto const needed = retention_.needed.find(actor);
        Seq const stable = floor_.at(actor);
        return needed == retention_.needed.end() ? stable : std::min(stable, needed->second);
    }

    // Of so many actors, from where the last call has ended.
    Result<void> open_feeds() {
        auto const& items = floor_.items();
        auto const first = std::lower_bound(
            items.begin(), items.end(), replica_.cut_from_, [](auto const& item, ActorId actor) {
                return item.first < actor;
            });
        auto const begin = static_cast<std::size_t>(first - items.begin());
        for (std::size_t i = 0; i < items.size(); ++i) {
            ActorId const actor = items[(begin + i) % items.size()].first;
            replica_.cut_from_ = actor;
            if (feeds_.size() == kActorsAtOnce) break;
            if (limit(actor) > replica_.log_starts_.of(actor)) INOS_CHECK(open(actor));
        }
        return {};
    }

    Result<void> open(ActorId actor) {
        std::uint32_t const space = replica_.options_.space;
        auto const* known = replica_.log_starts_.find(actor);
        LogStart const start = known ? *known : LogStart{};
        VersionVector deps;
        if (known) {
            INOS_TRY(auto const value,
                     replica_.engine_.get(Family::index, keys::deps(space, {actor, start.seq})));
            Reader in(value ? std::string_view(*value) : std::string_view());
            auto stored = VersionVector::decode(in);
            if (!value || !stored || !in.finished())
                return tl::unexpected(corrupt_entry({actor, start.seq}));
            deps = *std::move(stored);
        }
        feeds_.emplace_back(actor,
                            start,
                            std::move(deps),
                            newest_ms_,
                            replica_.engine_.scan(Family::log,
                                                  keys::log(space, {actor, start.seq + 1}),
                                                  keys::log(space, {actor, limit(actor) + 1})));
        ++looked_;
        return feeds_.back().advance();
    }

    bool goes(Feed& feed) const {
        return feed.item() && feed.is_first([this](ActorId actor) { return start_of(actor); });
    }

    Seq start_of(ActorId actor) const {
        auto const feed = std::find_if(
            feeds_.begin(), feeds_.end(), [&](Feed const& f) { return f.actor() == actor; });
        return feed == feeds_.end() ? replica_.log_starts_.of(actor) : feed->start().seq;
    }

    Result<void> cut(Feed& feed) {
        Item const& item = *feed.item();
        std::uint32_t const space = replica_.options_.space;
        batch_.remove(Family::log, keys::log(space, item.dot));
        if (item.is_void) batch_.remove(Family::index, keys::void_entry(space, item.dot));
        if (item.dot.seq % kDepsEvery == 0)
            batch_.remove(Family::index, keys::deps(space, item.dot));
        if (!item.is_void)
            for (RecordName const& name : item.records)
                INOS_CHECK(drop_row(name, item.dot));
        looked_ += 1 + item.records.size();
        ++entries_;
        feed.cut();
        return feed.advance();
    }

    // A purged record's row, which was there for the history only.
    Result<void> drop_row(RecordName const& name, Dot dot) {
        std::string key = keys::record(replica_.options_.space, name.collection, name.key);
        auto const value = replica_.engine_.get(Family::records, key);
        if (value && !*value) return {};
        auto const stored =
            value ? StoredRecord::decode(**value, name) : tl::unexpected(value.error());
        if (!stored) {
            if (stored.error().code == Errc::corruption) replica_.note_damaged(key.substr(4));
            return tl::unexpected(stored.error());
        }
        if (stored->record.empty() && stored->last == dot)
            batch_.remove(Family::records, std::move(key));
        return {};
    }

    Result<void> move_starts() {
        std::uint32_t const space = replica_.options_.space;
        for (Feed const& feed : feeds_) {
            if (feed.cut_chains().empty()) continue;
            Dot const first{feed.actor(), feed.first()}, last{feed.actor(), feed.start().seq};
            if (first.seq > 1) {
                Dot const before{first.actor, first.seq - 1};
                batch_.remove(Family::index, keys::deps(space, before));
                batch_.remove(Family::log, keys::signature(space, before));
            }
            for (Seq const seq : feed.signatures())
                if (seq < last.seq)
                    batch_.remove(Family::log, keys::signature(space, {last.actor, seq}));
            std::string deps;
            feed.deps().encode(deps);
            batch_.put(Family::index, keys::deps(space, last), std::move(deps));
            batch_.put(Family::meta, keys::meta(space, 'b', last.actor), feed.start().encode());
            INOS_CHECK(put_cut_chains(replica_.engine_, space, first, feed.cut_chains(), batch_));
        }
        return {};
    }

    Replica& replica_;
    VersionVector floor_;
    LogRetention const& retention_;
    std::uint64_t newest_ms_ = 0;
    std::vector<Feed> feeds_;
    std::size_t looked_ = 0, entries_ = 0;
    WriteBatch batch_;
};

Result<std::size_t> Replica::truncate(LogRetention const& retention) {
    if (failure_) return tl::unexpected(refused().error());
    if (log_pin_.use_count() > 1 || !damaged_.empty()) return std::size_t{0};
    INOS_TRY(VersionVector floor, stable());
    auto cut = Truncation(*this, std::move(floor), retention).run();
    bool const waits = !cut && !damaged_.empty() && cut.error().code == Errc::corruption;
    return waits ? std::size_t{0} : cut;
}

}  // namespace inos
