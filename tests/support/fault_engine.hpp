// An Engine around another one that counts what passes and fails when it is told to: the disk as a
// replica may meet it. The engine inside outlives replicas, so "drop the replica and open it again"
// is a crash. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "storage/engine.hpp"

namespace inos::test {

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

class FaultEngine final : public Engine {
public:
    // What is found after a failed write: its outcome is unknown to the one who wrote.
    enum class Outcome { lost, kept };

    explicit FaultEngine(std::unique_ptr<Engine> inner) : inner_(std::move(inner)) {}

    std::size_t writes() const { return writes_; }  // that were asked for, failed ones too
    std::size_t syncs() const { return syncs_; }    // those of them that were to be synced
    std::size_t reads() const { return reads_; }
    std::size_t scrubs() const { return scrubs_; }

    // The next write is number 1.
    void fail_write(std::size_t number, Outcome outcome, Errc code = Errc::io) {
        fail_at_ = writes_ + number;
        outcome_ = outcome;
        code_ = code;
    }
    void fail_reads(bool fail) { failing_reads_ = fail; }
    void heal() {
        fail_at_ = 0;
        failing_reads_ = false;
    }

    Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
        ++reads_;
        if (failing_reads_) return fail(Errc::io, "an injected error of a read");
        return inner_->get(family, key);
    }
    std::unique_ptr<Cursor> scan(Family family,
                                 std::string_view from,
                                 std::string_view to) const override {
        return inner_->scan(family, from, to);
    }
    Result<void> write(WriteBatch const& batch, Durability durability) override {
        ++writes_;
        if (durability == Durability::synced) ++syncs_;
        if (writes_ != fail_at_) return inner_->write(batch, durability);
        if (outcome_ == Outcome::kept) INOS_CHECK(inner_->write(batch, durability));
        return fail(code_, "an injected error of a write");
    }

    Result<void> scrub(std::atomic<bool>& cancelled) override {
        ++scrubs_;
        return inner_->scrub(cancelled);
    }

private:
    std::unique_ptr<Engine> inner_;
    std::size_t scrubs_ = 0;
    std::size_t writes_ = 0, syncs_ = 0, fail_at_ = 0;
    mutable std::size_t reads_ = 0;
    bool failing_reads_ = false;
    Outcome outcome_ = Outcome::lost;
    Errc code_ = Errc::io;
};

}  // namespace inos::test
