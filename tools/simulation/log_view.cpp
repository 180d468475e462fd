#include "tools/simulation/log_view.hpp"

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::sim {

LogView read_log(Engine const& engine) {
    LogView log;
    auto cursor =
        engine.scan(Family::log, keys::space_begin(kSimSpace), keys::space_end(kSimSpace));
    LoggedEntry const* last = nullptr;
    for (; cursor->valid(); cursor->next()) {
        Reader key(cursor->key().substr(4));
        Dot const dot{ActorId{key.u64()}, key.u64()};
        if (cursor->key().size() != 20) continue;  // a signature
        auto const stored = StoredEntry::decode(cursor->value(), dot.actor);
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
    require(bool(cursor->status()), "the log cannot be read");
    return log;
}

VersionVector logged(Engine const& engine) {
    VersionVector all;
    for (auto const& [key, value] : contents(engine, Family::log)) {
        // space u32 | actor u64 | seq u64
        Reader in(std::string_view(key.second).substr(4));
        if (key.second.size() != 20) continue;
        ActorId const actor{in.u64()};
        all.raise(actor, in.u64());
    }
    return all;
}

Seq last_logged(Engine const& engine, ActorId actor) {
    Seq last = 0;
    auto cursor = engine.scan(
        Family::log, keys::log(kSimSpace, {actor, 1}), keys::log(kSimSpace, {actor, kSeqMax}));
    for (; cursor->valid(); cursor->next())
        if (cursor->key().size() == 20) last = Reader(cursor->key().substr(12)).u64();
    require(bool(cursor->status()), "the log cannot be read");
    return last;
}

}  // namespace inos::sim
