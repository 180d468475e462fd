// A random execution: a few replicas of a few records of all types, links that come and go, and
// every way in which records change and states travel. Made of a list of words, one a step, so that
// rapidcheck drops the steps that a failure does not need. Throws Violation when what a replica
// holds is not what the model (model.hpp) says.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/property/model.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/mini_replica.hpp"
#include "tests/support/tape.hpp"
#include "tools/simulation/crdt_gen.hpp"

namespace inos::test {

struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What an execution did, so that a test can see that it did enough.
struct Tally {
    std::size_t commits = 0, deletes = 0, own_ctx = 0, fresh = 0, pulls = 0, merges = 0,
                refused = 0, reads = 0, erasures = 0, purged = 0, lost = 0, ended_runs = 0;
};

class Execution {
public:
    // With removals, records are erased too, and replicas purge: then two replicas that have the
    // same entries are equal only in what is seen, until both have purged.
    explicit Execution(std::size_t replicas, bool removals = false) : removals_(removals) {
        schemas_["typed"] = typed_schema();
        schemas_["strict"] = typed_schema();
        schemas_["strict"].on_delete = DeletePolicy::delete_wins;
        for (std::uint64_t i = 0; i < replicas; ++i) {
            sites_.emplace_back(ActorId{(i + 1) * 0x1111}, sources()[i % 3], schemas_);
            moments_.push_back({VersionVector()});
            groups_.push_back(0);
        }
    }

    void step(std::uint64_t word) {
        Tape tape = Tape::seeded(word);
        std::size_t const at = tape.below(sites_.size());
        std::size_t const kind = tape.below(100);
        sites_[at].set_time(kEpoch + ++time_ + (at % 3) * 40);
        if (kind < 42) {
            change(at, tape);
        } else if (kind < 50) {
            remove(at, tape);
        } else if (kind < 52) {
            end_runs(at, tape);
        } else if (kind < 76) {
            pull(at, tape);
        } else if (kind < 84) {
            merge_state(at, tape);
        } else if (kind < 85) {
            if (removals_ && tape.chance(25)) erase(at, tape);
        } else if (kind < 88) {
            if (removals_) purge(at);
        } else if (kind < 92) {
            for (int& group : groups_)
                group = tape.chance(50) ? static_cast<int>(tape.below(2)) : 0;
        } else {
            check(sites_[at], tape.pick(names()));
        }
        if (tape.chance(30)) moments_[at].push_back(sites_[at].vv());
    }

    // Links heal, everybody learns everything: all hold the same, and it is what the model says.
    // When everybody knows that of everybody, all purge, and hold the same again.
    void finish() {
        for (MiniReplica const& site : sites_)
            check_all(site);
        for (std::size_t round = 0; round < 2; ++round)
            for (std::size_t i = 0; i < sites_.size(); ++i)
                sites_[i].pull(sites_[(i + 1) % sites_.size()]);
        for (std::size_t i = sites_.size(); i-- > 0;)
            for (MiniReplica const& other : sites_)
                sites_[i].pull(other);
        for (MiniReplica const& site : sites_) {
            check_all(site);
            bool const equal = purged_ ? seen_bytes(site) == seen_bytes(sites_[0])
                                       : site.bytes() == sites_[0].bytes();
            if (!equal || site.vv() != sites_[0].vv())
                throw Violation("replicas that have all entries differ");
        }
        if (!removals_) return;
        for (std::size_t i = 0; i < sites_.size(); ++i)
            moments_[i].push_back(sites_[i].vv());
        for (std::size_t i = 0; i < sites_.size(); ++i) {
            purge(i);
            check_all(sites_[i]);
            if (sites_[i].bytes() != sites_[0].bytes())
                throw Violation("replicas that have purged everything differ");
        }
    }

    // A newcomer gets all entries in another causal order, some of them twice.
    void check_any_order(Tape tape) {
        MiniReplica late(ActorId{0x9999}, "crm", schemas_);
        std::vector<CommitPtr> waiting = sites_[0].log();
        while (!waiting.empty()) {
            std::size_t const first = tape.below(waiting.size());
            std::size_t taken = waiting.size();
            for (std::size_t i = 0; i < waiting.size(); ++i) {
                std::size_t const at = (first + i) % waiting.size();
                if (!late.receive(waiting[at])) continue;
                taken = at;
                break;
            }
            if (taken == waiting.size()) throw Violation("a log is not closed under deps");
            if (!tape.chance(10))
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(taken));
        }
        if (removals_) late.purge(late.vv());
        if (late.bytes() != sites_[0].bytes())
            throw Violation("another causal order gives other bytes");
    }

    std::vector<MiniReplica>& sites() { return sites_; }
    Schemas const& schemas() const { return schemas_; }
    Tally const& tally() const { return tally_; }
    static std::vector<RecordName> const& names() {
        static std::vector<RecordName> const list{
            {"typed", "1"}, {"typed", "2"}, {"strict", "1"}, {"free", "1"}};
        return list;
    }

private:
    static constexpr std::uint64_t kEpoch = 1'700'000'000'000;
    static std::vector<std::string> const& sources() {
        static std::vector<std::string> const list{"crm", "manager", "shop"};
        return list;
    }

    void commit(std::size_t at, std::vector<Request> const& requests) {
        MiniReplica& site = sites_[at];
        CommitPtr const made = site.commit(requests);
        if (site.error()) ++tally_.refused;
        if (made) note(site, made);
    }

    void note(MiniReplica const& site, CommitPtr const& made) {
        model_.add(made);
        ++tally_.commits;
        for (Op const& op : made->entry.ops) {
            tally_.deletes += op.kind == 2;
            tally_.erasures += op.kind == 3;
            tally_.own_ctx += op.ctx.has_value();
            tally_.fresh += op.fresh;
            check(site, name_of(op));
        }
    }

    void erase(std::size_t at, Tape& tape) {
        note(sites_[at], sites_[at].forget(tape.pick(names())));
    }

    // What a site may take as held by all: the latest that it has heard of each, which may be old,
    // as long as it holds all that they had written by then. Else an edit that is still on its way
    // could come to a record that is there at some sites and was purged at others.
    VersionVector stable_at(MiniReplica const& site) const {
        VersionVector stable;
        for (std::size_t i = 0; i < sites_.size(); ++i) {
            ActorId const author = sites_[i].actor();
            auto const heard =
                std::find_if(moments_[i].rbegin(), moments_[i].rend(), [&](auto const& vv) {
                    return vv.at(author) <= site.vv().at(author);
                });
            if (i == 0) stable = *heard;
            VersionVector const so_far = stable;
            for (auto const& [actor, seq] : so_far.items())
                stable.set(actor, std::min(seq, heard->at(actor)));
        }
        return stable;
    }

    void purge(std::size_t at) {
        MiniReplica const before = sites_[at];
        VersionVector const stable = stable_at(before);
        tally_.purged += sites_[at].purge(stable);
        purged_ = true;
        for (RecordName const& name : names()) {
            bool const settled = stable.includes(before.touched(name));
            auto const& cells = before.record(name).cells();
            if (sites_[at].record(name).cells() != (settled ? Model::purged(cells, stable) : cells))
                throw Violation("a purge takes something else of " + name.collection + "/" +
                                name.key + list(cells));
        }
        check_all(sites_[at]);
    }

    // All that anybody has written.
    VersionVector everything() const {
        VersionVector all;
        for (MiniReplica const& site : sites_)
            all.merge(site.vv());
        return all;
    }

    // The records in the form in which only what is seen counts.
    std::map<RecordName, std::string> seen_bytes(MiniReplica site) const {
        site.purge(everything());
        return site.bytes();
    }

    void change(std::size_t at, Tape& tape) {
        std::vector<Request> requests(1 + (tape.chance(30) ? tape.below(3) : 0));
        for (Request& request : requests) {
            request.name = tape.pick(names());
            if (requests.size() > 1 && tape.chance(20)) {
                request.kind = Request::Kind::delete_;
                continue;
            }
            request.kind = tape.chance(25) ? Request::Kind::put : Request::Kind::patch;
            request.fields = random_fields(tape, sites_[at].schema(request.name));
        }
        // An adapter's write: it had seen what its shadow showed, and not what came since.
        if (requests.size() == 1 && tape.chance(25)) requests[0].ctx = tape.pick(moments_[at]);
        // Rarely a liar, who names a ctx that another replica had and it had not.
        if (requests.size() == 1 && tape.chance(3))
            requests[0].ctx = tape.pick(moments_[tape.below(sites_.size())]);
        commit(at, requests);
    }

    // Edits that no planner makes: ends runs that are not lost, of whomever, as of any moment.
    void end_runs(std::size_t at, Tape& tape) {
        Op op;
        op.kind = static_cast<std::uint64_t>(OpKind::change);
        RecordName const name = tape.pick(names());
        op.collection = name.collection;
        op.key = name.key;
        if (!sites_[at].exists(name)) return;
        for (Cell const& cell : sites_[tape.below(sites_.size())].record(name).cells()) {
            auto const run = run_name(cell);
            if (!run || tape.chance(30)) continue;
            std::string path(run_of_lost(cell.path).value_or(cell.path));
            op.edits.push_back(
                {static_cast<std::uint64_t>(EditKind::end_run), std::move(path), run->encode()});
        }
        if (op.edits.empty()) return;
        if (tape.chance(50)) op.ctx = tape.pick(moments_[tape.below(sites_.size())]);
        ++tally_.ended_runs;
        note(sites_[at], sites_[at].commit_ops({op}));
    }

    void remove(std::size_t at, Tape& tape) {
        Request request{Request::Kind::delete_, tape.pick(names()), {}, {}};
        if (tape.chance(25)) request.ctx = tape.pick(moments_[at]);
        commit(at, {request});
    }

    void pull(std::size_t at, Tape& tape) {
        std::size_t const from = tape.below(sites_.size());
        if (groups_[at] != groups_[from]) return;
        std::size_t const limit = tape.chance(40) ? 1 + tape.below(4) : SIZE_MAX;
        tally_.pulls += sites_[at].pull(sites_[from], limit) > 0;
    }

    void merge_state(std::size_t at, Tape& tape) {
        std::size_t const from = tape.below(sites_.size());
        if (groups_[at] != groups_[from] || at == from) return;
        MiniReplica by_entries = sites_[at];
        by_entries.pull(sites_[from]);
        sites_[at].merge_state(sites_[from]);
        ++tally_.merges;
        bool const equal = purged_ ? seen_bytes(by_entries) == seen_bytes(sites_[at])
                                   : by_entries.bytes() == sites_[at].bytes();
        if (!equal || by_entries.vv() != sites_[at].vv())
            throw Violation("a state merge gives other bytes than the missing entries");
    }

    void check_all(MiniReplica const& site) {
        for (RecordName const& name : names())
            check(site, name);
    }

    void check(MiniReplica const& site, RecordName const& name) {
        ++tally_.reads;
        auto const expected = model_.cells(name, site.vv());
        if (purged_) check_purged(site, name, expected);
        auto const& held = site.record(name).cells();
        for (Cell const& cell : held)
            tally_.lost += cell.path.back() == static_cast<char>(CellType::lost);
        if (!purged_ && held != expected)
            throw Violation("record " + name.collection + "/" + name.key + " at actor " +
                            std::to_string(site.actor().value) + "\nholds   " + list(held) +
                            "\nmodel   " + list(expected));
        if (site.exists(name) != Model::visible(expected, site.schema(name).on_delete))
            throw Violation("record " + name.collection + "/" + name.key + " is seen wrongly");
        check_conflicts(site.record(name));
    }

    // Replicas purge when they like, so before all have they differ in what nobody sees: that is
    // left out of the comparison, and what is read is that of the whole record.
    void check_purged(MiniReplica const& site,
                      RecordName const& name,
                      std::vector<Cell> const& expected) {
        VersionVector const all = everything();
        Record held = site.record(name), whole;
        inos::purge(held, all);
        auto const left = Model::purged(expected, all);
        if (held.cells() != left)
            throw Violation("record " + name.collection + "/" + name.key + " after purges holds  " +
                            list(held.cells()) + "\nmodel   " + list(left));
        if (left.size() == expected.size()) return;
        for (Cell const& cell : expected)
            whole.insert(cell);
        if (site.exists(name) && site.resolved(name) != resolve(whole, site.schema(name)))
            throw Violation("a purge changed what is read of " + name.collection + "/" + name.key);
    }

    // The index of conflicts holds every record that has one, under whatever schema.
    void check_conflicts(Record const& record) {
        if (may_conflict(record)) return;
        for (CollectionSchema const& schema : {CollectionSchema(), typed_schema()})
            if (!resolve(record, schema).conflicts.empty())
                throw Violation("a conflict where none is possible: " + list(record.cells()));
    }

    static std::string list(std::vector<Cell> const& cells) {
        std::string out;
        for (Cell const& cell : cells)
            out += "\n  " + hex(cell.path) + " by " + std::to_string(cell.dot.actor.value) + ":" +
                   std::to_string(cell.dot.seq) + " = " + hex(cell.payload);
        return out;
    }

    Schemas schemas_;
    std::vector<MiniReplica> sites_;
    std::vector<std::vector<VersionVector>> moments_;  // earlier version vectors, per replica
    std::vector<int> groups_;                          // who can reach whom
    Model model_;
    Tally tally_;
    std::uint64_t time_ = 0;
    bool removals_ = false;
    bool purged_ = false;  // did any replica purge?
};

}  // namespace inos::test
