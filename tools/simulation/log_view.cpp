#include "tools/simulation/log_view.hpp"

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::sim {

namespace {

// space u32 | actor u64 | seq u64, of an entry and of its signature
Dot dot_of(std::string_view key) {
    Reader in(key.substr(4));
    ActorId const actor{in.u64()};
    return {actor, in.u64()};
}

bool is_entry(std::string_view key) {
    return key.size() == 20;
}

// Is all that is missing in it known to be erased here? A site whose erasure never came may have
// written it without.
bool is_explained(FaultEngine const& engine, std::string const& stored, ActorId author) {
    auto const entry = StoredEntry::decode(stored, author);
    auto const frame = entry ? frame_entry(entry->bytes) : std::nullopt;
    if (!frame) return true;
    for (auto const& op : frame->ops) {
        if (!op.kind_and_body.empty()) continue;
        std::string const proof =
            keys::meta_kind(kSimSpace, 'e') + std::string(crypto::view(op.tag));
        auto const known = engine.get(Family::meta, proof);
        require(bool(known), "the proofs of erasures cannot be read");
        if (!*known) return false;
    }
    return true;
}

// As the node would have kept it.
std::string const& version_here(FaultEngine const& engine,
                                std::string const& key,
                                std::vector<std::string> const& versions) {
    auto const fits = [&](std::string const& version) {
        return !is_entry(key) || is_explained(engine, version, dot_of(key).actor);
    };
    auto const version = std::find_if(versions.rbegin(), versions.rend(), fits);
    return version == versions.rend() ? versions.back() : *version;
}

}  // namespace

std::map<std::string, std::string> whole_log(FaultEngine const& engine) {
    std::map<std::string, std::string> all;
    auto cursor =
        engine.scan(Family::log, keys::space_begin(kSimSpace), keys::space_end(kSimSpace));
    for (; cursor->valid(); cursor->next())
        all.emplace(cursor->key(), cursor->value());
    require(bool(cursor->status()), "the log cannot be read");
    auto const starts = LogStarts::load(engine, kSimSpace);
    require(bool(starts), "the log's starts cannot be read");
    for (auto const& [key, versions] : engine.archive())
        if (starts->is_cut(dot_of(key))) {
            bool const first = all.emplace(key, version_here(engine, key, versions)).second;
            bool const at_start = dot_of(key).seq == starts->of(dot_of(key).actor);
            require(first || (at_start && !is_entry(key)),
                    "I6: an entry in front of the log's start is in the log");
        }
    return all;
}

LogView read_log(FaultEngine const& engine) {
    LogView log;
    LoggedEntry const* last = nullptr;
    for (auto const& [key, value] : whole_log(engine)) {
        if (!is_entry(key)) continue;
        Dot const dot = dot_of(key);
        auto const stored = StoredEntry::decode(value, dot.actor);
        require(stored.has_value(), "an entry of the log cannot be read");
        auto decoded = decode_entry(stored->bytes, dot);
        require(decoded.reason == VoidReason::none && stored->reason == VoidReason::none,
                std::string("an entry is void: ") + describe(stored->reason));
        bool const first = !last || last->dot.actor != dot.actor;
        std::string const at = std::to_string(dot.actor.value) + ":" + std::to_string(dot.seq);
        require(dot.seq == (first ? 1 : last->dot.seq + 1), "I6: a gap in the log before " + at);
        LoggedEntry entry;
        entry.dot = dot;
        entry.hlc = decoded.entry.header.hlc;
        require(first || last->hlc < entry.hlc, "I6: the stamps do not grow at " + at);
        if (!first) entry.deps = last->deps;
        for (DepHead const& dep : decoded.entry.header.deps)
            entry.deps.set(dep.actor, dep.seq);
        entry.deps.set(dot.actor, dot.seq - 1);
        entry.source = decoded.entry.header.source;
        entry.ops = std::move(decoded.entry.ops);
        entry.bytes = stored->bytes;
        entry.chain = stored->chain;
        last = &log.emplace(dot, std::move(entry)).first->second;
    }
    return log;
}

VersionVector logged(FaultEngine const& engine) {
    VersionVector all;
    for (auto const& [key, value] : whole_log(engine))
        if (is_entry(key)) all.raise(dot_of(key).actor, dot_of(key).seq);
    return all;
}

Seq last_logged(FaultEngine const& engine, ActorId actor) {
    return logged(engine).at(actor);
}

}  // namespace inos::sim
