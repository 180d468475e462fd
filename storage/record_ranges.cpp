#include "storage/record_ranges.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

// The records of a range that count, by the heads of what is stored.
class Walk {
public:
    Walk(Engine const& engine, std::uint32_t space, RecordRange const& range, std::size_t max)
        : max_(max),
          cursor_(engine.scan(
              Family::records,
              keys::space_begin(space) + range.from,
              range.to.empty() ? keys::space_end(space) : keys::space_begin(space) + range.to)) {
        settle();
    }

    bool valid() const { return cursor_->valid() && !stopped_; }
    // It has looked at as much as it may: where to go on.
    bool stopped() const { return cursor_->valid() && stopped_; }
    std::string key() const { return std::string(cursor_->key().substr(4)); }
    RangeItem const& item() const { return item_; }
    void next() {
        cursor_->next();
        settle();
    }
    std::size_t looked() const { return looked_; }
    Result<void> status() const { return cursor_->status(); }

private:
    void settle() {
        for (; cursor_->valid(); cursor_->next()) {
            stopped_ = looked_ >= max_;
            if (stopped_) return;
            looked_ += 1 + cursor_->value().size() / kRangeBytesPerCost;
            auto const head = StoredRecord::head(cursor_->value());
            if (head.digest_class == DigestClass::none) continue;
            if (!record_of_key(cursor_->key().substr(4))) continue;
            item_ = {std::string(cursor_->key().substr(4)), head.digest, head.digest_class};
            return;
        }
    }

    std::size_t max_;
    std::unique_ptr<Cursor> cursor_;
    RangeItem item_;
    std::size_t looked_ = 0;
    bool stopped_ = false;
};

// Parts of equal numbers of records, their number bounded without knowing how many will come.
class Parts {
public:
    void add(RangeItem const& item) {
        if (open_.records == per_) close(item.key);
        open_.sum += item.digest;
        ++open_.records;
    }
    std::vector<RangePart> finish(std::string end) {
        close(std::move(end));
        return std::move(parts_);
    }

private:
    void close(std::string end) {
        if (parts_.size() == kRangePartsMax) halve();
        open_.end = std::move(end);
        parts_.push_back(std::exchange(open_, {}));
    }
    void halve() {
        for (std::size_t i = 0; i < parts_.size() / 2; ++i) {
            RangePart& left = parts_[2 * i];
            RangePart& right = parts_[2 * i + 1];
            right.sum += left.sum;
            right.records += left.records;
            parts_[i] = std::move(right);
        }
        parts_.resize(parts_.size() / 2);
        per_ *= 2;
    }

    std::vector<RangePart> parts_;
    RangePart open_;
    std::uint64_t per_ = kRangeItemsMax / 2;
};

bool ends_before(std::string const& key, std::string const& to) {
    return to.empty() || key < to;
}

bool sound(RangeSummary const& summary) {
    RecordRange const& range = summary.range;
    if (!range.to.empty() && range.to < range.from) return false;
    if (!summary.parts.empty() && !summary.items.empty()) return false;
    // A part is smaller than what it is a part of, and no larger than what one answer looks at.
    if (summary.parts.size() == 1) return false;
    for (RangePart const& part : summary.parts)
        if (part.records > kRangeScanMax) return false;
    std::string const* last = &range.from;
    for (RangeItem const& item : summary.items) {
        bool const ascending =
            item.key >= range.from && (&item == &summary.items[0] || item.key > *last);
        if (!ascending || !ends_before(item.key, range.to)) return false;
        last = &item.key;
    }
    for (std::size_t i = 0; i < summary.parts.size(); ++i) {
        auto const& end = summary.parts[i].end;
        bool const is_last = i + 1 == summary.parts.size();
        if (is_last ? end != range.to : end <= *last || !ends_before(end, range.to)) return false;
        last = &end;
    }
    return true;
}

Result<void> compare_items(Walk& walk, RangeSummary const& theirs, RangeDifferences& found) {
    auto their = theirs.items.begin();
    auto const differs = [&](RangeItem item) { found.records.push_back(std::move(item)); };
    for (; walk.valid(); walk.next()) {
        RangeItem const& own = walk.item();
        if (found.records.size() >= kRangeFoundMax) {
            auto const& from =
                their != theirs.items.end() ? std::min(own.key, their->key) : own.key;
            found.ranges.push_back({{from, theirs.range.to}, std::nullopt});
            return {};
        }
        for (; their != theirs.items.end() && their->key < own.key; ++their)
            differs(*their);
        bool const both = their != theirs.items.end() && their->key == own.key;
        if (!both) differs({own.key, {}, DigestClass::none});
        if (both && !(*their == own)) differs(*their);
        if (both) ++their;
    }
    if (walk.stopped()) {
        std::string const from =
            their != theirs.items.end() ? std::min(walk.key(), their->key) : walk.key();
        found.ranges.push_back({{from, theirs.range.to}, std::nullopt});
        return {};
    }
    for (; their != theirs.items.end(); ++their)
        differs(*their);
    return walk.status();
}

}  // namespace

std::optional<RecordName> record_of_key(std::string_view key) {
    std::size_t const zero = key.find('\0');
    if (zero == std::string_view::npos || key.size() > kRecordKeyBytesMax) return std::nullopt;
    RecordName name{std::string(key.substr(0, zero)), std::string(key.substr(zero + 1))};
    bool const marks = !name.key.empty() && name.key.front() == '\1';
    bool const sound = marks ? name.key.size() == RecordTag().size() + 1 : valid_name(name.key);
    if (!sound || !valid_name(name.collection)) return std::nullopt;
    return name;
}

RangeTotal total_of(RangeSummary const& summary) {
    RangeTotal total;
    for (RangePart const& part : summary.parts) {
        total.sum += part.sum;
        total.records += part.records;
    }
    for (RangeItem const& item : summary.items) {
        total.sum += item.digest;
        ++total.records;
    }
    return total;
}

Result<RangeSummary> summarize(Engine const& engine,
                               std::uint32_t space,
                               RecordRange const& range) {
    RangeSummary summary{range, {}, {}};
    Parts parts;
    std::size_t count = 0;
    Walk walk(engine, space, range, kRangeScanMax);
    for (; walk.valid(); walk.next()) {
        ++count;
        parts.add(walk.item());
        if (count <= kRangeItemsMax) summary.items.push_back(walk.item());
    }
    if (walk.stopped()) summary.range.to = walk.key();
    INOS_CHECK(walk.status());
    summary.looked = walk.looked();
    if (count <= kRangeItemsMax) return summary;
    summary.items.clear();
    summary.parts = parts.finish(summary.range.to);
    return summary;
}

Result<RangeDifferences> compare_range(Engine const& engine,
                                       std::uint32_t space,
                                       RangeSummary const& theirs) {
    if (!sound(theirs))
        return fail(Errc::protocol, "the peer sent sums over ranges of keys that overlap");
    RangeDifferences found;
    if (theirs.parts.empty()) {
        Walk walk(engine, space, theirs.range, kRangeScanMax);
        INOS_CHECK(compare_items(walk, theirs, found));
        found.looked = walk.looked();
        return found;
    }
    std::string from = theirs.range.from;
    std::size_t left = 4 * kRangeScanMax;
    for (RangePart const& part : theirs.parts) {
        RecordRange const range{from, part.end};
        Walk walk(engine, space, range, std::min(left, kRangeScanMax));
        Digest128 sum;
        std::uint64_t records = 0;
        for (; walk.valid() && records <= part.records; walk.next()) {
            sum += walk.item().digest;
            ++records;
        }
        INOS_CHECK(walk.status());
        left -= std::min(left, walk.looked());
        found.looked += walk.looked();
        bool const same = !walk.stopped() && records == part.records && sum == part.sum;
        if (!same) found.ranges.push_back({range, RangeTotal{part.sum, part.records}});
        from = part.end;
    }
    return found;
}

}  // namespace inos
