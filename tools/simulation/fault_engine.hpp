// An Engine around another one that counts what passes and fails when it is told to: the disk as a
// replica may meet it. The engine inside outlives replicas, so "drop the replica and open it again"
// is a crash of the program, which keeps all writes; lose_unsynced() before it makes it a loss of
// power, after which only what was synced is certain. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/engine.hpp"

namespace inos::sim {

using Contents = std::map<std::pair<Family, std::string>, std::string>;

// Everything that an engine holds, or what one of its families holds.
inline Contents contents(Engine const& engine, Family family) {
    Contents all;
    auto cursor = engine.scan(family, "", std::string(64, '\xff'));
    for (; cursor->valid(); cursor->next())
        all.emplace(std::pair(family, cursor->key()), cursor->value());
    return all;
}
inline Contents contents(Engine const& engine) {
    Contents all;
    for (std::size_t i = 0; i < kFamilies; ++i)
        all.merge(contents(engine, static_cast<Family>(i)));
    return all;
}

// Nothing can be read behind it.
class FailedCursor final : public Cursor {
public:
    explicit FailedCursor(Error error) : error_(std::move(error)) {}
    bool valid() const override { return false; }
    void next() override {}
    std::string_view key() const override { return {}; }
    std::string_view value() const override { return {}; }
    Result<void> status() const override { return tl::unexpected<Error>(error_); }

private:
    Error error_;
};

// Ends before what cannot be read.
class CutCursor final : public Cursor {
public:
    explicit CutCursor(std::unique_ptr<Cursor> before) : before_(std::move(before)) {}
    bool valid() const override { return before_->valid(); }
    void next() override { before_->next(); }
    std::string_view key() const override { return before_->key(); }
    std::string_view value() const override { return before_->value(); }
    Result<void> status() const override {
        return fail(Errc::corruption, "an injected bad checksum of a block");
    }

private:
    std::unique_ptr<Cursor> before_;
};

// What a disk can do to a call, for counting.
enum class DiskFault : std::uint8_t { write_lost, write_kept, read, full };
inline constexpr std::size_t kDiskFaults = 4;

class FaultEngine final : public Engine {
public:
    // What is found after a failed write: its outcome is unknown to the one who wrote.
    enum class Outcome { lost, kept };
    // What the moment of a loss of power is counted in.
    enum class Counted { calls, writes };

    // While one exists, calls are neither counted nor made to fail: somebody looks from outside.
    class Undisturbed {
    public:
        explicit Undisturbed(FaultEngine& engine) : engine_(&engine) { ++engine.watchers_; }
        ~Undisturbed() {
            if (engine_) --engine_->watchers_;
        }
        Undisturbed(Undisturbed&& other) noexcept
            : engine_(std::exchange(other.engine_, nullptr)) {}
        Undisturbed& operator=(Undisturbed&&) = delete;

    private:
        FaultEngine* engine_;
    };

    explicit FaultEngine(std::unique_ptr<Engine> inner) : inner_(std::move(inner)) {}

    // All that was ever written to the family of logs, by key, one after the other; of several
    // engines if they share it. Nothing of the disk, but for those who compare what a node shows
    // with all that was written, here or elsewhere.
    using Archive = std::map<std::string, std::vector<std::string>>;
    Archive const& archive() const { return *archive_; }
    void share(std::shared_ptr<Archive> archive) { archive_ = std::move(archive); }

    std::size_t writes() const { return writes_; }  // that were asked for, failed ones too
    std::size_t syncs() const { return syncs_; }    // those of them that were to be synced
    std::size_t reads() const { return reads_; }
    std::size_t calls() const { return calls_; }  // of any kind
    std::size_t scrubs() const { return scrubs_; }
    std::size_t recoveries() const { return recoveries_; }
    std::size_t states() const { return states_; }  // that came into force
    // Calls that were made to fail.
    std::size_t failures(DiskFault fault) const {
        return failures_[static_cast<std::size_t>(fault)];
    }

    // The next write is number 1.
    void fail_write(std::size_t number, Outcome outcome, Errc code = Errc::io) {
        fail_at_ = writes_ + number;
        outcome_ = outcome;
        code_ = code;
    }
    void fail_reads(bool fail) { failing_reads_ = fail; }
    void fill(bool full) { full_ = full; }  // no write succeeds, and none leaves anything
    void set_space(std::optional<DiskSpace> const& space) { space_ = space; }
    // A working disk again, in a machine that runs.
    void heal() {
        fail_at_ = 0;
        die_at_ = 0;
        failing_reads_ = full_ = dead_ = false;
        space_.reset();
    }

    // Opening a database writes what its log holds into tables, synced: from then on it stays.
    void reopen() {
        if (!dead_) undo_.clear();
    }

    // ---- loss of power ------------------------------------------------------------------------
    // The machine stops within the n-th call (or write) from now (from 1): on_death is called, then
    // every call fails and has no effect, until heal(). A write that it stops in is there or not,
    // unsynced.
    void die_at(std::size_t n, Counted counted, Outcome outcome, std::function<void()> on_death) {
        counted_at_death_ = counted;
        die_at_ = (counted == Counted::calls ? calls_ : writes_) + n;
        outcome_at_death_ = outcome;
        on_death_ = std::move(on_death);
    }
    bool dead() const { return dead_; }
    std::size_t unsynced() const { return undo_.size(); }  // writes since the last synced one
    // Of the unsynced writes the first `kept` stay, as of a log whose tail is torn.
    void lose_unsynced(std::size_t kept) {
        while (undo_.size() > kept) {
            (void)inner_->write(undo_.back(), Durability::synced);
            undo_.pop_back();
        }
        undo_.clear();
    }

    // Other contents take the place of all that is there, as files that are put back.
    void replace(Contents const& all) {
        WriteBatch batch;
        for (auto const& [key, value] : contents(*inner_))
            batch.remove(key.first, key.second);
        for (auto const& [key, value] : all)
            batch.put(key.first, key.second, value);
        (void)inner_->write(batch, Durability::synced);
        undo_.clear();
    }

    // A block of a file that cannot be read any more: what is written later can, but no scan comes
    // past it until the family is written anew.
    void make_unreadable(Family family, std::string const& key) {
        unreadable_.insert({family, key});
    }

    // ---- Engine -------------------------------------------------------------------------------
    Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
        if (watchers_ == 0) {
            ++reads_;
            if (auto const error = failed_read()) return tl::unexpected<Error>(*error);
        }
        std::pair const place(family, std::string(key));
        if (unreadable_.contains(place) && !overwritten_.contains(place))
            return fail(Errc::corruption, "an injected bad checksum of a block");
        return inner_->get(family, key);
    }
    using Engine::scan;
    std::unique_ptr<Cursor> scan(Family family,
                                 std::string_view from,
                                 std::string_view to,
                                 Direction direction) const override {
        if (watchers_ == 0)
            if (auto const error = failed_read()) return std::make_unique<FailedCursor>(*error);
        bool const back = direction == Direction::descending;
        auto const first = unreadable_.lower_bound({family, std::string(from)});
        auto const end = unreadable_.lower_bound({family, std::string(to)});
        if (first == end) return inner_->scan(family, from, to, direction);
        std::string const bad = back ? std::prev(end)->second + '\0' : first->second;
        return std::make_unique<CutCursor>(
            inner_->scan(family, back ? bad : from, back ? to : bad, direction));
    }
    Result<void> write(WriteBatch const& batch, Durability durability) override {
        if (watchers_ == 0) {
            ++writes_;
            if (durability == Durability::synced) ++syncs_;
            INOS_CHECK(disturbed_write(batch));
        }
        INOS_CHECK(keep(batch, durability));
        if (!unreadable_.empty())
            for (auto const& change : batch.changes)
                overwritten_.insert({change.family, change.key});
        if (durability == Durability::synced) undo_.clear();
        return {};
    }
    Result<void> scrub(std::atomic<bool>& cancelled) override {
        ++scrubs_;
        if (dies(false)) return fail(Errc::io, "the machine has lost power");
        undo_.clear();  // rewriting everything syncs everything
        return inner_->scrub(cancelled);
    }
    Result<void> keep_only(Family family, std::vector<std::string> const& keys) override {
        if (dies(false)) return fail(Errc::io, "the machine has lost power");
        undo_.clear();
        std::erase_if(unreadable_, [family](auto const& key) { return key.first == family; });
        overwritten_.clear();
        return inner_->keep_only(family, keys);
    }
    Result<void> recover() override {
        if (dies(false)) return fail(Errc::io, "the machine has lost power");
        if (full_) return fail(Errc::no_space, "the disk is full");
        INOS_CHECK(inner_->recover());
        ++recoveries_;
        undo_.clear();  // as reopen()
        return {};
    }
    std::optional<DiskSpace> space() const override {
        if (!space_ || !full_) return space_;
        return DiskSpace{0, space_->total};
    }

private:
    bool dies(bool is_write) const {
        ++calls_;
        bool const here = counted_at_death_ == Counted::calls ? calls_ == die_at_
                                                              : is_write && writes_ == die_at_;
        if (dead_ || !here) return dead_;
        dead_ = true;
        if (on_death_) on_death_();
        return true;
    }
    std::optional<Error> failed_read() const {
        if (dies(false)) return Error{Errc::io, "the machine has lost power", {}};
        if (!failing_reads_) return std::nullopt;
        count(DiskFault::read);
        return Error{Errc::io, "an injected error of a read", {}};
    }
    void count(DiskFault fault) const { ++failures_[static_cast<std::size_t>(fault)]; }
    // The error of a write that must not happen, or not be believed.
    Result<void> disturbed_write(WriteBatch const& batch) {
        bool const was_dead = dead_;
        if (dies(true)) {
            if (!was_dead && outcome_at_death_ == Outcome::kept)
                INOS_CHECK(keep(batch, Durability::flushed));
            return fail(Errc::io, "the machine has lost power");
        }
        if (full_) {
            count(DiskFault::full);
            return fail(Errc::no_space, "the disk is full");
        }
        if (writes_ != fail_at_) return {};
        bool const kept = outcome_ == Outcome::kept;
        count(kept ? DiskFault::write_kept : DiskFault::write_lost);
        if (kept) INOS_CHECK(keep(batch, Durability::flushed));
        return fail(code_, "an injected error of a write");
    }
    // Writes, and notes how to take it back.
    Result<void> keep(WriteBatch const& batch, Durability durability) {
        WriteBatch undo;
        bool staged = false, starts = false;
        for (auto const& change : batch.changes) {
            staged = staged || change.family == Family::staging;
            starts = starts || (change.family == Family::meta && change.key.size() > 4 &&
                                change.key[4] == 'b');
            INOS_TRY(auto before, inner_->get(change.family, change.key));
            if (change.family == Family::log && change.value)
                (*archive_)[change.key].push_back(*change.value);
            undo.changes.push_back({change.family, change.key, std::move(before)});
        }
        if (staged && starts) ++states_;
        std::reverse(undo.changes.begin(), undo.changes.end());
        undo_.push_back(std::move(undo));
        return inner_->write(batch, durability);
    }

    std::unique_ptr<Engine> inner_;
    std::size_t scrubs_ = 0, states_ = 0, recoveries_ = 0;
    std::optional<DiskSpace> space_;
    std::size_t writes_ = 0, syncs_ = 0, fail_at_ = 0;
    mutable std::size_t reads_ = 0, calls_ = 0;
    mutable std::array<std::size_t, kDiskFaults> failures_{};
    std::size_t watchers_ = 0;
    std::size_t die_at_ = 0;
    Counted counted_at_death_ = Counted::calls;
    mutable bool dead_ = false;
    bool failing_reads_ = false, full_ = false;
    Outcome outcome_ = Outcome::lost, outcome_at_death_ = Outcome::lost;
    Errc code_ = Errc::io;
    std::function<void()> on_death_;
    std::vector<WriteBatch> undo_;
    std::shared_ptr<Archive> archive_ = std::make_shared<Archive>();
    std::set<std::pair<Family, std::string>> unreadable_, overwritten_;
};

}  // namespace inos::sim
