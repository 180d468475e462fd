// An Engine in memory, for the simulator and for tests. Scans see the moment they were made.
// Every write is "durable" at once; faults are for wrappers to add.
#pragma once

#include <array>
#include <map>
#include <mutex>

#include "storage/engine.hpp"

namespace inos {

class MemoryEngine final : public Engine {
public:
    Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
    using Engine::scan;
    std::unique_ptr<Cursor> scan(Family family,
                                 std::string_view from,
                                 std::string_view to,
                                 Direction direction) const override;
    Result<void> write(WriteBatch const& batch, Durability durability) override;
    Result<void> scrub(std::atomic<bool>&) override {
        return {};
    }  // holds nothing but what it shows
    Result<void> keep_only(Family family, std::vector<std::string> const& keys) override;
    Result<void> recover() override { return {}; }  // a write to it never fails

private:
    using Table = std::map<std::string, std::string, std::less<>>;
    mutable std::mutex mutex_;  // guards tables_
    std::array<Table, kFamilies> tables_;
};

}  // namespace inos
