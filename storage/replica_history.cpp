// A record's history: the list that runs through the log from the newest entry that touched the
// record to the oldest (StoredEntry::links), and what each author had seen.

#include <algorithm>
#include <map>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

// What a step takes in memory, about.
std::size_t size_of(HistoryStep const& step) {
    std::size_t const vectors = step.deps.items().size() +
                                (step.op.ctx ? step.op.ctx->items().size() : 0) +
                                step.op.seen.items().size();
    std::size_t bytes = sizeof(HistoryStep) + step.source.size() + step.op.key.size() +
                        step.op.collection.size() + step.op.body.size() +
                        vectors * sizeof(VersionVector::Item);
    for (Edit const& edit : step.op.edits)
        bytes += sizeof(Edit) + edit.path.size() + edit.payload.size();
    return bytes;
}

// What entries' authors had seen. An entry says only what is new since the one before, so up to
// kDepsEvery of them are read; they are kept for the next question, which is mostly about one of
// them.
class DepsReader {
public:
    DepsReader(Engine const& engine, std::uint32_t space, LogStarts const& starts)
        : engine_(engine), space_(space), starts_(starts) {}

    // Precondition: the entry is held, or the last one that was cut.
    Result<VersionVector> of(Dot dot) {
        Seq const base = std::max(dot.seq / kDepsEvery * kDepsEvery, starts_.of(dot.actor));
        Window& window = windows_[dot.actor];
        if (!window.loaded || window.base != base || dot.seq > base + window.news.size())
            INOS_CHECK(load(window, base, dot));
        VersionVector deps = window.at_base;
        for (std::size_t i = 0; i < dot.seq - base; ++i)
            for (DepHead const& dep : window.news[i])
                deps.set(dep.actor, dep.seq);
        if (dot.seq > 1) deps.set(dot.actor, dot.seq - 1);
        return deps;
    }

private:
    // Entries of one actor from `base` on: the first one's deps, and what each later one adds.
    struct Window {
        bool loaded = false;
        Seq base = 0;
        VersionVector at_base;
        std::vector<std::vector<DepHead>> news;
    };

    Result<void> load(Window& window, Seq base, Dot last) const {
        window = {};
        window.base = base;
        window.news.resize(last.seq - base);
        if (base > 0) {
            INOS_TRY(auto const value,
                     engine_.get(Family::index, keys::deps(space_, {last.actor, base})));
            Reader in(value ? std::string_view(*value) : std::string_view());
            auto stored = VersionVector::decode(in);
            if (!value || !stored || !in.finished()) return tl::unexpected(corrupt_entry(last));
            window.at_base = *std::move(stored);
        }
        auto cursor = engine_.scan(Family::log,
                                   keys::log(space_, {last.actor, base + 1}),
                                   keys::log(space_, {last.actor, last.seq + 1}));
        for (; cursor->valid(); cursor->next()) {
            if (cursor->key().size() != keys::log(space_, last).size()) continue;  // a signature
            Reader key(cursor->key().substr(12));
            Seq const seq = key.u64();
            auto const stored = StoredEntry::decode(cursor->value(), last.actor);
            if (!stored) return tl::unexpected(corrupt_entry(last));
            auto const frame = frame_entry(stored->bytes);
            auto header = frame ? decode_header(frame->header) : std::nullopt;
            if (!header || header->dot != Dot{last.actor, seq}) continue;
            window.news[seq - base - 1] = std::move(header->deps);
        }
        INOS_CHECK(cursor->status());
        window.loaded = true;
        return {};
    }

    Engine const& engine_;
    std::uint32_t space_;
    LogStarts const& starts_;
    std::map<ActorId, Window> windows_;
};

}  // namespace

Result<std::optional<VersionVector>> Replica::deps_of(Dot dot) const {
    if (dot.seq == 0 || dot.seq > vector_.at(dot.actor) || log_starts_.is_cut(dot))
        return std::optional<VersionVector>();
    INOS_TRY(auto deps, DepsReader(engine_, options_.space, log_starts_).of(dot));
    return std::optional(std::move(deps));
}

Result<VersionVector> Replica::seen_at(Dot dot) const {
    INOS_TRY(auto deps, DepsReader(engine_, options_.space, log_starts_).of(dot));
    deps.set(dot.actor, 0);
    return deps;
}

Result<RecordHistory> Replica::history(RecordName const& name, HistoryLimits const& limits) const {
    RecordHistory history;
    std::vector<HistoryStep>& steps = history.steps;
    std::size_t bytes_held = 0;
    DepsReader deps_reader(engine_, options_.space, log_starts_);
    std::string const key = keys::record(options_.space, name.collection, name.key);
    INOS_TRY(auto const value, engine_.get(Family::records, key));
    if (!value) return history;
    INOS_TRY(StoredRecord const stored, StoredRecord::decode(*value, name));
    RecordTag const tag = record_tag(options_.digest_key, name.collection, name.key);
    for (Dot at = stored.last; at.seq > 0;) {
        if (log_starts_.is_cut(at)) {
            Hlc const last_cut = log_starts_.find(at.actor)->hlc;
            history.kept_from_ms = (steps.empty() ? last_cut : steps.back().hlc).ms();
            break;
        }
        history.cut = steps.size() >= limits.steps || bytes_held >= limits.bytes;
        if (history.cut && !steps.empty()) break;
        INOS_TRY(auto const bytes, engine_.get(Family::log, keys::log(options_.space, at)));
        auto const entry = bytes ? StoredEntry::decode(*bytes, at.actor) : std::nullopt;
        auto const frame = entry ? frame_entry(entry->bytes) : std::nullopt;
        if (!frame) return tl::unexpected(corrupt_entry(at));
        auto decoded = decode_entry(entry->bytes, at);
        INOS_TRY(auto const deps, deps_reader.of(at));
        auto const tags = op_tags(*frame, options_.digest_key);
        Dot before;
        std::vector<HistoryStep> of_entry;
        auto op = decoded.entry.ops.begin();
        for (std::size_t i = 0; i < frame->ops.size(); ++i) {
            bool const here = op != decoded.entry.ops.end() && !frame->ops[i].kind_and_body.empty();
            Op* const present = here ? &*op++ : nullptr;
            if (tags[i] != tag) continue;
            if (i < entry->links.size() && entry->links[i].seq > 0) before = entry->links[i];
            if (present)
                of_entry.push_back({at,
                                    decoded.entry.header.hlc,
                                    decoded.entry.header.source,
                                    entry->arrived_ms,
                                    deps,
                                    std::move(*present)});
        }
        for (HistoryStep const& step : of_entry)
            bytes_held += size_of(step);
        // The list goes back in time, and so do the ops of one entry here.
        std::move(of_entry.rbegin(), of_entry.rend(), std::back_inserter(steps));
        at = before == at ? Dot() : before;  // not known: see Stage::touch
    }
    std::reverse(steps.begin(), steps.end());
    return history;
}

Result<bool> Replica::history_within(RecordName const& name,
                                     Dot last,
                                     VersionVector const& vector) const {
    RecordTag const tag = record_tag(options_.digest_key, name.collection, name.key);
    std::uint64_t left = entries_in(vector_);  // a list that is longer goes in a circle
    // What is before a cut may be any entry that was cut, or that came as a state.
    while (last.seq > 0) {
        if (log_starts_.is_cut(last)) return log_starts_.within(vector);
        if (!vector.covers(last)) return false;
        auto const bytes = engine_.get(Family::log, keys::log(options_.space, last));
        if (!bytes && bytes.error().code != Errc::corruption) return tl::unexpected(bytes.error());
        auto const entry =
            bytes && *bytes ? StoredEntry::decode(**bytes, last.actor) : std::nullopt;
        auto const frame = entry ? frame_entry(entry->bytes) : std::nullopt;
        if (!frame || left-- == 0) return false;  // what is before it, nobody knows
        auto const tags = op_tags(*frame, options_.digest_key);
        Dot before;
        for (std::size_t i = 0; i < tags.size() && i < entry->links.size(); ++i)
            if (tags[i] == tag && entry->links[i].seq > 0) before = entry->links[i];
        // Not known: see Stage::touch.
        if (before == last) return log_starts_.empty() || log_starts_.within(vector);
        last = before;
    }
    return true;
}

}  // namespace inos
