#include "storage/engines/memory.hpp"

#include <algorithm>
#include <utility>

namespace inos {
namespace {

class MemoryCursor final : public Cursor {
public:
    explicit MemoryCursor(std::vector<std::pair<std::string, std::string>> items)
        : items_(std::move(items)) {}
    bool valid() const override { return at_ < items_.size(); }
    void next() override { ++at_; }
    std::string_view key() const override { return items_[at_].first; }
    std::string_view value() const override { return items_[at_].second; }
    Result<void> status() const override { return {}; }

private:
    std::vector<std::pair<std::string, std::string>> items_;
    std::size_t at_ = 0;
};

}  // namespace

Result<std::optional<std::string>> MemoryEngine::get(Family family, std::string_view key) const {
    std::lock_guard const lock(mutex_);
    Table const& table = tables_[static_cast<std::size_t>(family)];
    auto const it = table.find(key);
    if (it == table.end()) return std::optional<std::string>();
    return std::optional(it->second);
}

std::unique_ptr<Cursor> MemoryEngine::scan(Family family,
                                           std::string_view from,
                                           std::string_view to,
                                           Direction direction) const {
    std::lock_guard const lock(mutex_);
    Table const& table = tables_[static_cast<std::size_t>(family)];
    std::vector<std::pair<std::string, std::string>> items;
    for (auto it = table.lower_bound(from); it != table.end() && it->first < to; ++it)
        items.push_back(*it);
    if (direction == Direction::descending) std::reverse(items.begin(), items.end());
    return std::make_unique<MemoryCursor>(std::move(items));
}

Result<void> MemoryEngine::write(WriteBatch const& batch, Durability) {
    std::lock_guard const lock(mutex_);
    for (auto const& change : batch.changes) {
        Table& table = tables_[static_cast<std::size_t>(change.family)];
        if (change.value)
            table.insert_or_assign(change.key, *change.value);
        else
            table.erase(change.key);
    }
    return {};
}

Result<void> MemoryEngine::keep_only(Family family, std::vector<std::string> const& keys) {
    std::lock_guard const lock(mutex_);
    Table& table = tables_[static_cast<std::size_t>(family)];
    Table kept;
    for (auto const& key : keys)
        if (auto const at = table.find(key); at != table.end()) kept.insert(*at);
    table = std::move(kept);
    return {};
}

}  // namespace inos
