#include "storage/log_order.hpp"

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/raw_bytes.hpp"
#include "storage/staged_state.hpp"

namespace inos {

Result<void> LogFeed::advance() {
    if (item_) {
        cursor_->next();
        before_ = {};
    }
    item_.reset();
    if (next_.seq > last_) return {};
    std::size_t const signature_size = keys::signature(0, {}).size();
    while (!staged_ && cursor_->valid() && cursor_->key().size() == signature_size)
        cursor_->next();
    INOS_CHECK(cursor_->status());
    INOS_CHECK(read());
    ++next_.seq;
    return {};
}

Result<void> LogFeed::read() {
    bool const here = cursor_->valid() && cursor_->key().size() >= 8 &&
                      Reader(cursor_->key().substr(cursor_->key().size() - 8)).u64() == next_.seq;
    if (!here) return tl::unexpected(corrupt_entry(next_));
    LogItem item;
    item.dot = next_;
    if (staged_) {
        auto const row = StagedRow::decode(cursor_->value());
        if (!row || row->chain.size() != item.chain.size())
            return tl::unexpected(corrupt_entry(next_));
        item.bytes = row->value;
        item.signature = row->extra;
        std::copy(row->chain.begin(), row->chain.end(), item.chain.begin());
    } else {
        auto stored = StoredEntry::decode(cursor_->value(), next_.actor);
        if (!stored) return tl::unexpected(corrupt_entry(next_));
        item.bytes = stored->bytes;
        item.chain = stored->chain;
        item.reason = stored->reason;
        item.arrived_ms = stored->arrived_ms;
        item.links = std::move(stored->links);
    }
    // Nobody checks the deps of an entry that names another place.
    if (auto const frame = frame_entry(item.bytes))
        if (auto header = decode_header(frame->header); header && header->dot == next_)
            item.deps = std::move(header->deps);
    item_ = std::move(item);
    return {};
}

bool LogFeed::ready(VersionVector const& done) const {
    auto const& before = before_.items();
    return std::all_of(before.begin(),
                       before.end(),
                       [&](auto const& seen) {
                           return seen.first == actor() || seen.second <= done.at(seen.first);
                       }) &&
           std::all_of(item_->deps.begin(), item_->deps.end(), [&](DepHead const& dep) {
               return dep.seq <= done.at(dep.actor);
           });
}

Result<void> in_causal_order(std::vector<LogFeed>& feeds,
                             VersionVector done,
                             std::function<Result<void>(LogFeed const&)> const& visit) {
    for (LogFeed& feed : feeds)
        INOS_CHECK(feed.advance());
    for (bool moved = true; moved;) {
        moved = false;
        for (LogFeed& feed : feeds)
            while (feed.item() && feed.ready(done)) {
                INOS_CHECK(visit(feed));
                done.set(feed.actor(), feed.item()->dot.seq);
                INOS_CHECK(feed.advance());
                moved = true;
            }
    }
    bool const all = std::none_of(
        feeds.begin(), feeds.end(), [](LogFeed const& feed) { return feed.item().has_value(); });
    if (all) return {};
    return tl::unexpected(malformed_state("a state holds entries that wait for what is not there"));
}

}  // namespace inos
