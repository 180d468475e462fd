#include "storage/log_reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "storage/store_format.hpp"

namespace inos {
namespace {

constexpr std::size_t kDamageShown = 16;
constexpr std::size_t kRangesMax = 10'000;  // of damaged entries of one actor
constexpr std::size_t kEntryCost = 128;     // of the budget, besides its bytes

}  // namespace

struct LogReader::Actor {
    ActorId id;
    Seq next = 1;
    crypto::Hash32 chain{};
    bool chain_known = true;
    VersionVector deps;
    bool deps_known = true;
    bool waits = false;                          // for what is in `deps`: it was read from a row
    bool forced = false;                         // its next entry waits for what is not there
    std::vector<std::pair<Seq, Seq>> damaged{};  // first and last of each
};

LogReader::LogReader(Replica const& replica) : replica_(replica), pin_(replica.log_pin_) {}

LogReader::~LogReader() = default;

bool LogReader::cut() const {
    return !replica_.log_starts_.empty();
}

bool LogReader::is_cut(Dot dot) const {
    return replica_.log_starts_.is_cut(dot);
}

bool LogReader::intact(Dot dot) const {
    auto const known = actors_.find(dot.actor);
    if (known == actors_.end() || dot.seq >= known->second.next || is_cut(dot)) return false;
    auto const& damaged = known->second.damaged;
    return std::none_of(damaged.begin(), damaged.end(), [dot](auto const& range) {
        return range.first <= dot.seq && dot.seq <= range.second;
    });
}

bool LogReader::after_damage(VersionVector const& deps) const {
    return std::all_of(actors_.begin(), actors_.end(), [&deps](auto const& item) {
        auto const& [id, actor] = item;
        auto const& damaged = actor.damaged;
        return std::all_of(damaged.begin(), damaged.end(), [&](auto const& range) {
            return deps.covers({id, range.second});
        });
    });
}

void LogReader::broken(Actor& actor, Seq first, Seq last, char const* what) {
    auto& damaged = actor.damaged;
    bool const joins =
        !damaged.empty() && damaged.back().first <= first && first <= damaged.back().second + 1;
    if (damaged.size() >= kRangesMax)
        damaged.back() = {std::min(damaged.back().first, first), kSeqMax};
    else if (joins)
        damaged.back().second = std::max(damaged.back().second, last);
    else
        damaged.push_back({first, last});
    if (joins || damage_.size() >= kDamageShown) return;
    auto const* author = replica_.membership().by_actor(actor.id);
    damage_.push_back("entry " + std::to_string(first) + " of \"" + (author ? author->name : "?") +
                      "\" in the log " + what);
}

LogReader::Actor& LogReader::actor(ActorId id) {
    auto const [at, added] = actors_.try_emplace(id);
    if (!added) return at->second;
    Actor& fresh = at->second;
    fresh.id = id;
    if (auto const* start = replica_.log_starts_.find(id)) {
        fresh.next = start->seq + 1;
        fresh.chain = start->chain;
        fresh.deps_known = false;
    } else if (auto const certificate = replica_.membership().bytes_of(id)) {
        fresh.chain = chain_start(*certificate);
    } else {
        fresh.chain_known = false;
    }
    return fresh;
}

// Also those of which nothing else is known here.
Result<void> LogReader::list_actors() {
    std::uint32_t const space = replica_.space_number();
    std::string from = keys::space_begin(space);
    for (;;) {
        auto const cursor = replica_.engine().scan(Family::log, from, keys::space_end(space));
        if (!cursor->valid()) {
            auto status = cursor->status();
            bool const unreadable = !status && status.error().code == Errc::corruption;
            return unreadable ? Result<void>() : status;
        }
        ActorId const id{Reader(cursor->key().substr(4)).u64()};
        if (replica_.vector().at(id) == 0) {
            Actor& unknown = actor(id);
            broken(unknown, 1, kSeqMax, "is there, and the actor's state is not");
        }
        if (id.value == std::numeric_limits<std::uint64_t>::max()) return {};
        from = keys::log(space, {ActorId{id.value + 1}, 0});
    }
}

bool LogReader::ready(EntryHeader const& header) const {
    return std::all_of(header.deps.begin(), header.deps.end(), [this](DepHead const& dep) {
        auto const known = actors_.find(dep.actor);
        return known != actors_.end() && dep.seq < known->second.next;
    });
}

// Of an entry that is damaged: whether what it says of its author's deps can be no accident.
Result<bool> LogReader::names_entries(std::optional<EntryHeader> const& header) const {
    if (!header) return false;
    for (DepHead const& dep : header->deps) {
        auto const chain = replica_.chain_at({dep.actor, dep.seq});
        if (!chain && chain.error().code != Errc::corruption) return tl::unexpected(chain.error());
        if (!chain || !*chain || chain_prefix(**chain) != dep.chain) return false;
    }
    return true;
}

// After damage, and where a log begins: what the author had seen is stored beside it now and then.
Result<void> LogReader::find_deps(Actor& actor) {
    Dot const last{actor.id, actor.next - 1};
    bool const kept = last.seq % kDepsEvery == 0 || last.seq == replica_.log_starts_.of(actor.id);
    if (actor.deps_known || last.seq == 0 || !kept) return {};
    auto const value =
        replica_.engine().get(Family::index, keys::deps(replica_.space_number(), last));
    if (!value && value.error().code != Errc::corruption) return tl::unexpected(value.error());
    bool const held = value && *value;
    Reader in(held ? std::string_view(**value) : std::string_view());
    auto deps = VersionVector::decode(in);
    if (!held || !deps || !in.finished()) return {};
    actor.deps = *std::move(deps);
    actor.deps_known = actor.waits = true;
    return {};
}

// Not all has been read that the author had seen before the entries that are read of it: where logs
// begin is no causal order, and an entry names only what is new since the one before it.
bool LogReader::behind(Actor const& actor) const {
    auto const& deps = actor.deps.items();
    return actor.waits && std::any_of(deps.begin(), deps.end(), [this](auto const& dep) {
               auto const known = actors_.find(dep.first);
               return dep.second > 0 &&
                      (known == actors_.end() || dep.second >= known->second.next);
           });
}

// False: it builds on what has not been read yet.
Result<bool> LogReader::take(
    Actor& actor, Seq seq, std::string_view value, Wants const& wants, See const& see) {
    if (actor.next < seq) {
        broken(actor, actor.next, seq - 1, "is missing");
        actor.next = seq;
        actor.chain_known = actor.deps_known = false;
        INOS_CHECK(find_deps(actor));
    }
    Dot const dot{actor.id, seq};
    if (is_newer_row(value, kLogVersion)) return tl::unexpected<Error>(newer_entry(dot, value));
    auto const entry = StoredEntry::decode(value, actor.id);
    if (!entry) {
        broken(actor, seq, seq, "cannot be read");
        actor.next = seq + 1;
        actor.chain_known = actor.deps_known = false;
        INOS_CHECK(find_deps(actor));
        return true;
    }
    auto const hashed = hash_entry(actor.chain, entry->bytes, replica_.options_.digest_key);
    bool right = actor.chain_known && hashed.chain == entry->chain;
    auto header = hashed.frame ? decode_header(hashed.frame->header) : std::nullopt;
    if (header && header->dot != dot) header.reset();
    bool const waits = behind(actor) || (header && !ready(*header));
    if (right && waits && !actor.forced) return false;
    actor.waits = false;
    if (!right) broken(actor, seq, seq, "is not what its author wrote");
    if (right && (!actor.deps_known || actor.forced)) {
        broken(actor, seq, seq, "builds on what cannot be read");
        right = false;
    }
    actor.forced = false;
    actor.next = seq + 1;
    actor.chain = entry->chain;
    actor.chain_known = true;
    INOS_TRY(bool const deps_hold, right ? Result<bool>(true) : names_entries(header));
    actor.deps_known = actor.deps_known && deps_hold;
    if (header)
        for (DepHead const& dep : header->deps)
            actor.deps.set(dep.actor, dep.seq);
    INOS_CHECK(find_deps(actor));
    bool const wanted = hashed.frame && wants(dot, *hashed.frame, hashed.tags);
    if (!right || !wanted) return true;
    auto const decoded = decode_entry(entry->bytes, dot);
    auto const* author = replica_.membership().by_actor(actor.id);
    bool const is_void = decoded.reason != VoidReason::none || !author ||
                         replica_.judge(*author, decoded.entry) != VoidReason::none;
    if (is_void) return true;
    VersionVector deps = actor.deps;
    if (seq > 1) deps.set(actor.id, seq - 1);
    see({dot, decoded.entry, *hashed.frame, hashed.tags, *entry, deps});
    return true;
}

Result<bool> LogReader::read_actor(Actor& actor,
                                   std::size_t& left,
                                   Wants const& wants,
                                   See const& see) {
    std::uint32_t const space = replica_.space_number();
    Seq const head = replica_.vector().at(actor.id);
    Seq const began = actor.next;
    auto cursor = replica_.engine().scan(Family::log,
                                         keys::log(space, {actor.id, actor.next}),
                                         keys::log(space, {actor.id, head + 1}));
    for (; cursor->valid() && left > 0; cursor->next()) {
        if (cursor->key().size() != keys::log(space, {}).size()) continue;  // a signature
        Seq const seq = Reader(cursor->key().substr(12)).u64();
        INOS_TRY(bool const taken, take(actor, seq, cursor->value(), wants, see));
        if (!taken) return actor.next != began;
        left -= std::min(left, kEntryCost + cursor->value().size());
    }
    auto const status = cursor->status();
    if (!status && status.error().code == Errc::corruption) {
        broken(actor, actor.next, actor.next, "cannot be read");
        left -= std::min(left, kEntryCost);
        ++actor.next;
        actor.chain_known = actor.deps_known = false;
        INOS_CHECK(find_deps(actor));
        return true;
    }
    INOS_CHECK(status);
    if (left > 0 && actor.next <= head) {
        broken(actor, actor.next, head, "is missing");
        actor.next = head + 1;
        actor.chain_known = actor.deps_known = false;
    }
    return actor.next != began;
}

// What is kept of each actor beside the log has to be what the log ends with.
void LogReader::check_ends() {
    if (std::exchange(ends_checked_, true)) return;
    for (auto const& [id, state] : replica_.actors_) {
        Actor& read = actor(id);
        if (read.chain_known && read.chain != state.chain && read.next == state.seq + 1)
            broken(read, 1, state.seq, "or a later one is not what its author wrote");
        auto const cursor =
            replica_.engine().scan(Family::log,
                                   keys::log(replica_.space_number(), {id, state.seq + 1}),
                                   keys::log(replica_.space_number(), {id, kSeqMax}));
        if (cursor->valid()) broken(read, state.seq + 1, kSeqMax, "is there, and not known to be");
    }
}

Result<bool> LogReader::read(std::size_t budget, Wants const& wants, See const& see) {
    if (!std::exchange(listed_, true)) INOS_CHECK(list_actors());
    for (auto const& [id, head] : replica_.vector().items())
        actor(id);  // entries of others may build on what was cut of it
    std::size_t left = budget;
    while (left > 0) {
        bool moved = false;
        Actor* waiting = nullptr;
        for (auto const& [id, head] : replica_.vector().items()) {
            Actor& read = actor(id);
            if (read.next > head) continue;
            INOS_CHECK(find_deps(read));
            INOS_TRY(bool const some, read_actor(read, left, wants, see));
            moved = moved || some;
            if (read.next <= head) waiting = &read;
            if (left == 0) return false;
        }
        if (!waiting) {
            check_ends();
            return true;
        }
        waiting->forced = waiting->forced || !moved;
    }
    return false;
}

}  // namespace inos
