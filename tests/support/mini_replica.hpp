// The smallest replica that follows the rules of docs/data-model.md: records, a version vector and
// the entries that it holds, all in memory. It plans and applies with the real code; entries travel
// as bytes, and deps are rebuilt from the differences that headers carry. No hashes and no
// signatures. One thread. A plain value: copy it to try two ways from one state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/entry.hpp"
#include "crdt/hlc.hpp"
#include "crdt/merge.hpp"
#include "crdt/resolve.hpp"
#include "tools/simulation/crdt_gen.hpp"

namespace inos::test {

using Schemas = std::map<std::string, CollectionSchema, std::less<>>;

// An entry as it travels, and for the checks what it says.
struct Commit {
    std::string bytes;
    Entry entry;
    VersionVector deps;  // whole, the author's own seq included
    Dot dot() const { return entry.header.dot; }
};
using CommitPtr = std::shared_ptr<Commit const>;

// The record that an op is about. An erase names it by its tag, which here is simply its key.
inline RecordTag tag_of(std::string_view key) {
    if (key.size() > RecordTag().size()) throw std::logic_error("a key too long for a tag");
    RecordTag tag{};
    std::copy(key.begin(), key.end(), tag.begin());
    return tag;
}
inline RecordName name_of(Op const& op) {
    if (op.kind != static_cast<std::uint64_t>(OpKind::erase)) return {op.collection, op.key};
    return {op.collection, {op.tag.begin(), std::find(op.tag.begin(), op.tag.end(), 0)}};
}

// What a user or an adapter asks for. `ctx`: the cells that an adapter's shadow showed.
struct Request {
    enum class Kind { put, patch, delete_ } kind = Kind::put;
    RecordName name;
    Object fields;
    std::optional<VersionVector> ctx;
};

class MiniReplica {
public:
    MiniReplica(ActorId actor, std::string source, Schemas const& schemas)
        : actor_(actor), source_(std::move(source)), schemas_(&schemas) {}

    ActorId actor() const { return actor_; }
    VersionVector const& vv() const { return vv_; }
    std::vector<CommitPtr> const& log() const { return log_; }
    std::map<RecordName, Record> const& records() const { return records_; }
    std::optional<ChangeError> const& error() const { return error_; }  // of the last commit
    void set_time(std::uint64_t now_ms) { now_ms_ = now_ms; }
    void set_source(std::string source) { source_ = std::move(source); }

    Record const& record(RecordName const& name) const {
        static Record const kNothing;
        auto const it = records_.find(name);
        return it == records_.end() ? kNothing : it->second;
    }
    CollectionSchema const& schema(RecordName const& name) const {
        static CollectionSchema const kDefault;
        auto const it = schemas_->find(name.collection);
        return it == schemas_->end() ? kDefault : it->second;
    }
    bool exists(RecordName const& name) const {
        return visible(state_of(record(name)), schema(name).on_delete);
    }
    Resolved resolved(RecordName const& name) const {
        return exists(name) ? resolve(record(name), schema(name)) : Resolved();
    }
    std::map<RecordName, std::string> bytes() const {
        std::map<RecordName, std::string> all;
        for (auto const& [name, record] : records_)
            all[name] = record.encode();
        return all;
    }

    // One transaction, all or nothing. Null when nothing would change, or on an error.
    CommitPtr commit(std::vector<Request> const& requests);
    CommitPtr put(RecordName const& name, Object fields) {
        return commit({{Request::Kind::put, name, std::move(fields), {}}});
    }
    CommitPtr patch(RecordName const& name, Object fields) {
        return commit({{Request::Kind::patch, name, std::move(fields), {}}});
    }
    CommitPtr erase(RecordName const& name) {
        return commit({{Request::Kind::delete_, name, {}, {}}});
    }
    // The right to be forgotten: an erase, not a delete.
    CommitPtr forget(RecordName const& name) {
        Op op;
        op.kind = static_cast<std::uint64_t>(OpKind::erase);
        op.collection = name.collection;
        op.tag = tag_of(name.key);
        return commit_ops({op});
    }
    // An entry of ops as they are.
    CommitPtr commit_ops(std::vector<Op> const& ops);

    // False when something that the entry needs is not here yet. One that is here is skipped.
    bool receive(CommitPtr const& commit);
    // Takes at most `limit` entries that `other` has and we lack, in its order. How many came.
    std::size_t pull(MiniReplica const& other, std::size_t limit = SIZE_MAX);
    // Takes its whole state at once; its log comes along so that others can pull it from here.
    void merge_state(MiniReplica const& other);
    // Drops what nobody can need again when everybody holds what `stable` names. How many records
    // became smaller.
    std::size_t purge(VersionVector const& stable);
    // The entries that touched the record here.
    VersionVector touched(RecordName const& name) const {
        auto const it = touched_.find(name);
        return it == touched_.end() ? VersionVector() : it->second;
    }

private:
    struct Working {
        std::optional<Op> op;
        Record scratch;
    };

    bool plan(Request const& request, std::map<RecordName, Working>& work);
    void take(Entry const& entry, VersionVector const& deps);
    OpOrigin origin(Dot dot, Hlc hlc) const { return {dot, hlc, source_, vv_}; }

    ActorId actor_;
    std::string source_;
    Schemas const* schemas_;
    std::map<RecordName, Record> records_;
    std::map<RecordName, VersionVector> touched_;  // by the entries that it names
    VersionVector vv_;
    std::map<ActorId, VersionVector> last_deps_;  // per author, of its last entry here
    std::vector<CommitPtr> log_;                  // in the order of application
    HlcClock clock_;
    std::uint64_t now_ms_ = 1'700'000'000'000;
    std::optional<ChangeError> error_;
};

inline CommitPtr MiniReplica::commit_ops(std::vector<Op> const& ops) {
    auto made = std::make_shared<Commit>();
    made->deps = vv_;
    EntryHeader header;
    header.dot = {actor_, vv_.at(actor_) + 1};
    header.hlc = clock_.tick(now_ms_);
    for (auto const& [actor, seq] : vv_.items())
        if (actor != actor_ && last_deps_[actor_].at(actor) != seq)
            header.deps.push_back({actor, seq, {}});
    header.source = source_;
    header.names = sim::names_in(ops);
    made->bytes = encode_entry(header, Salt{1, 2, 3, 4, 5, 6, 7, 8}, ops);
    auto decoded = decode_entry(made->bytes, header.dot);
    if (decoded.reason != VoidReason::none)
        throw std::logic_error(std::string("own entry is void: ") + describe(decoded.reason));
    if (decoded.entry.ops != ops || decoded.entry.header != header)
        throw std::logic_error("own entry decodes to something else");
    made->entry = std::move(decoded.entry);
    take(made->entry, made->deps);
    log_.push_back(made);
    return made;
}

inline bool MiniReplica::plan(Request const& request, std::map<RecordName, Working>& work) {
    auto const& rules = schema(request.name);
    auto const [it, first] = work.try_emplace(request.name);
    Working& own = it->second;
    if (first) own.scratch = record(request.name);
    if (state_of(own.scratch).erased) return true;
    std::optional<Op> op;
    if (request.kind == Request::Kind::delete_) {
        op = plan_delete(own.scratch, rules, request.name);
    } else {
        auto const mode =
            request.kind == Request::Kind::put ? AssignMode::replace : AssignMode::merge;
        auto planned = plan_change(own.scratch,
                                   rules,
                                   request.name,
                                   request.fields,
                                   mode,
                                   Author{actor_, vv_.at(actor_) + 1});
        if (auto* failed = std::get_if<ChangeError>(&planned)) {
            error_ = std::move(*failed);
            return false;
        }
        op = std::get<std::optional<Op>>(std::move(planned));
    }
    if (!op) return true;
    if (request.ctx && !op->fresh) {
        op->ctx = request.ctx;
        if (op->kind == static_cast<std::uint64_t>(OpKind::delete_)) {
            op->seen = {};
            for (Cell const& cell : own.scratch.cells())
                if (cell.path != kDeletePath && request.ctx->covers(cell.dot))
                    op->seen.raise(cell.dot.actor, cell.dot.seq);
        }
    }
    own.op = own.op ? compose(record(request.name), rules, *std::move(own.op), *std::move(op))
                    : std::move(op);
    own.scratch = record(request.name);
    if (own.op) apply(own.scratch, *own.op, origin({actor_, vv_.at(actor_) + 1}, {}));
    return true;
}

inline CommitPtr MiniReplica::commit(std::vector<Request> const& requests) {
    error_.reset();
    std::map<RecordName, Working> work;
    for (Request const& request : requests)
        if (!plan(request, work)) return nullptr;
    std::vector<Op> ops;
    for (auto& [name, own] : work)
        if (own.op) ops.push_back(*std::move(own.op));
    return ops.empty() ? nullptr : commit_ops(ops);
}

inline void MiniReplica::take(Entry const& entry, VersionVector const& deps) {
    auto const& header = entry.header;
    for (Op const& op : entry.ops) {
        if (op.collection.empty()) continue;  // of an unknown kind
        RecordName const name = name_of(op);
        Record& state = records_[name];
        touched_[name].raise(header.dot.actor, header.dot.seq);
        apply(state, op, {header.dot, header.hlc, header.source, deps});
        if (state.empty()) records_.erase(name);
    }
    vv_.set(header.dot.actor, header.dot.seq);
    last_deps_[header.dot.actor] = deps;
}

inline bool MiniReplica::receive(CommitPtr const& commit) {
    Dot const dot = commit->dot();
    if (vv_.covers(dot)) return true;
    if (dot.seq != vv_.at(dot.actor) + 1) return false;
    auto const decoded = decode_entry(commit->bytes, dot);
    VersionVector deps = last_deps_[dot.actor];
    for (DepHead const& head : decoded.entry.header.deps)
        deps.raise(head.actor, head.seq);
    deps.set(dot.actor, dot.seq - 1);
    if (deps != commit->deps) throw std::logic_error("deps rebuilt from differences are wrong");
    if (!vv_.includes(deps)) return false;
    clock_.observe(decoded.entry.header.hlc, now_ms_);
    take(decoded.entry, deps);
    log_.push_back(commit);
    return true;
}

inline std::size_t MiniReplica::pull(MiniReplica const& other, std::size_t limit) {
    std::size_t came = 0;
    for (CommitPtr const& commit : other.log_) {
        if (came == limit) break;
        if (vv_.covers(commit->dot())) continue;
        if (!receive(commit)) throw std::logic_error("a log is not in causal order");
        ++came;
    }
    return came;
}

inline void MiniReplica::merge_state(MiniReplica const& other) {
    auto names = records_;
    names.insert(other.records_.begin(), other.records_.end());
    for (auto const& [name, unused] : names) {
        Record& ours = records_[name];
        merge(ours, vv_, other.record(name), other.vv_);
        if (ours.empty()) records_.erase(name);
    }
    for (CommitPtr const& commit : other.log_)
        if (!vv_.covers(commit->dot())) log_.push_back(commit);
    for (auto const& [actor, deps] : other.last_deps_)
        if (other.vv_.at(actor) > vv_.at(actor)) last_deps_[actor] = deps;
    for (auto const& [name, touched] : other.touched_)
        touched_[name].merge(touched);
    vv_.merge(other.vv_);
}

inline std::size_t MiniReplica::purge(VersionVector const& stable) {
    std::size_t count = 0;
    for (auto& [name, record] : records_)
        if (stable.includes(touched_[name])) count += inos::purge(record, stable);
    std::erase_if(records_, [](auto const& item) { return item.second.empty(); });
    return count;
}

}  // namespace inos::test
