#include "storage/changes.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema";

// The name that a record's key in the engine stands for.
std::optional<RecordName> name_of(std::string_view key) {
    std::string_view const rest = key.substr(std::min<std::size_t>(4, key.size()));
    std::size_t const zero = rest.find('\0');
    if (zero == std::string_view::npos) return std::nullopt;
    return RecordName{std::string(rest.substr(0, zero)), std::string(rest.substr(zero + 1))};
}

// The tag of the record that an op erases.
std::optional<RecordTag> erased_tag(std::string_view kind_and_body) {
    Reader in(kind_and_body);
    if (in.varint() != static_cast<std::uint64_t>(OpKind::erase)) return std::nullopt;
    Reader body(in.blob());
    body.varint();
    RecordTag tag{};
    std::string_view const raw = body.take(tag.size());
    if (!body.ok()) return std::nullopt;
    std::copy(raw.begin(), raw.end(), tag.begin());
    return tag;
}

Cell const* newest(Record const& record) {
    Cell const* best = nullptr;
    for (Cell const& cell : record.cells())
        if (!best || std::tie(best->hlc, best->dot) < std::tie(cell.hlc, cell.dot)) best = &cell;
    return best;
}

}  // namespace

ChangeReader::ChangeReader(VersionVector since, std::string collection, ChangeLimits limits)
    : from_(std::move(since)),
      collection_(std::move(collection)),
      limits_(limits),
      read_(from_),
      all_(from_.empty()) {}

Result<ChangePage> ChangeReader::next(Replica const& replica) {
    ChangePage page;
    if (phase_ == Phase::names) {
        INOS_TRY(bool const complete, read_names(replica));
        if (!complete) return page;
        INOS_CHECK(open(replica));
    }
    if (phase_ == Phase::ready)
        take_ready(page);
    else
        INOS_CHECK(scan(replica, page));
    return page;
}

// ---- the names -------------------------------------------------------------------------------

// True when they are complete: everything that the replica holds now was looked at.
Result<bool> ChangeReader::read_names(Replica const& replica) {
    std::size_t budget = limits_.step_ops;
    if (from_.empty()) return true;
    for (auto const& [actor, last] : replica.vector().items()) {
        if (read_.at(actor) < last) INOS_CHECK(read_log(replica, actor, last, budget));
    }
    return read_.includes(replica.vector());
}

Result<void> ChangeReader::read_log(Replica const& replica,
                                    ActorId actor,
                                    Seq last,
                                    std::size_t& budget) {
    std::uint32_t const space = replica.space_number();
    auto cursor = replica.engine().scan(Family::log,
                                        keys::log(space, {actor, read_.at(actor) + 1}),
                                        keys::log(space, {actor, last + 1}));
    std::size_t const entry_key_size = keys::log(space, {}).size();
    for (; cursor->valid() && budget > 0; cursor->next()) {
        if (cursor->key().size() != entry_key_size) continue;  // a signature
        Reader key(cursor->key().substr(12));
        Dot const dot{actor, key.u64()};
        if (dot.seq != read_.at(actor) + 1) break;
        auto const stored = StoredEntry::decode(cursor->value(), actor);
        if (!stored) return tl::unexpected(corrupt_entry(dot));
        std::size_t ops = 0;
        if (stored->reason == VoidReason::none) {
            INOS_TRY(ops, take_entry(replica, dot, stored->bytes));
        }
        read_.set(actor, dot.seq);
        budget -= std::min(budget, ops + 1);
        INOS_CHECK(bound_names());
    }
    INOS_CHECK(cursor->status());
    if (budget == 0 || read_.at(actor) == last) return {};
    return tl::unexpected(
        begin_with_snapshot("this node's log does not reach back to the cursor any more"));
}

// Too many names: every record counts as touched, so only what may be purged has to be named.
Result<void> ChangeReader::bound_names() {
    if (touches_.size() <= limits_.names_max) return {};
    if (!std::exchange(all_, true))
        std::erase_if(touches_, [](auto const& touched) { return !touched.second.deleted; });
    if (touches_.size() <= limits_.names_max) return {};
    return tl::unexpected(
        begin_with_snapshot("more than " + std::to_string(limits_.names_max) +
                            " records were deleted since the cursor, too many to tell"));
}

// Answers how many ops the entry has.
Result<std::size_t> ChangeReader::take_entry(Replica const& replica,
                                             Dot dot,
                                             std::string_view bytes) {
    auto const frame = frame_entry(bytes);
    auto const header = frame ? decode_header(frame->header) : std::nullopt;
    if (!header) return std::size_t{0};
    auto const names = header_names(frame->header);
    Touch by{header->hlc, dot, header->source};
    for (auto const& op : frame->ops) {
        Reader in(op.kind_and_body);
        by.deleted = in.varint() == static_cast<std::uint64_t>(OpKind::delete_);
        if (auto const named = op_record(names, op.kind_and_body)) {
            RecordName const record{std::string(named->collection), std::string(named->key)};
            if (record.collection == kSchemaCollection) schemas_.insert(record.key);
            if (record.collection == kAliasCollection)
                INOS_CHECK(touch_aliases(replica, record.key, by));
            else
                touch(replica, record, by);
        } else if (auto const tag = erased_tag(op.kind_and_body)) {
            auto const record = replica.erased_name(*tag);
            if (!record)
                return tl::unexpected(begin_with_snapshot(
                    "a record was erased for good after the cursor, and its id is not kept"));
            by.deleted = true;
            touch(replica, *record, by);
        }
    }
    return frame->ops.size();
}

void ChangeReader::touch(Replica const& replica, RecordName const& record, Touch const& by) {
    if (!is_wanted(record.collection, record.key)) return;
    std::string key = keys::record(replica.space_number(), record.collection, record.key);
    if (all_ && !by.deleted && !touches_.contains(key)) return;
    Touch& touch = touches_[std::move(key)];
    bool const deleted = touch.deleted || by.deleted;
    if (std::tie(touch.hlc, touch.dot) <= std::tie(by.hlc, by.dot)) touch = by;
    touch.deleted = deleted;
}

// An alias hides the record under its id, and shows it again when it is taken back. Where several
// lead to one another, that may show or hide any of them.
Result<void> ChangeReader::touch_aliases(Replica const& replica,
                                         std::string const& key,
                                         Touch const& by) {
    auto hidden = hidden_by(key);
    if (!hidden) {  // the key names it by its hash
        INOS_TRY(Record const record, replica.record_at({std::string(kAliasCollection), key}));
        auto const alias = Alias::parse(key, resolve(record, {}).fields);
        if (!alias) return {};
        hidden = RecordName{alias->collection, alias->from};
    }
    touch(replica, *hidden, by);
    Aliases const& aliases = replica.aliases();
    RecordName const master{hidden->collection,
                            std::string(aliases.master(hidden->collection, hidden->key))};
    touch(replica, master, by);
    for (auto const& id : aliases.aliases_of(master))
        touch(replica, {master.collection, id}, by);
    return {};
}

bool ChangeReader::is_wanted(std::string_view collection, std::string_view key) const {
    if (collection.empty() || collection.front() == '_') return false;
    if (key.empty() || key.front() == '\1') return false;
    return collection_.empty() || collection == collection_;
}

// ---- the moment ------------------------------------------------------------------------------

Result<void> ChangeReader::open(Replica const& replica) {
    INOS_TRY(to_, feed_cursor(replica));
    bool direct = false;
    if (!all_ && touches_.size() <= limits_.direct_max) {
        INOS_TRY(direct, read_directly(replica));
    }
    if (direct)
        phase_ = Phase::ready;
    else
        open_cursor(replica);
    return {};
}

// False: they are too large together.
Result<bool> ChangeReader::read_directly(Replica const& replica) {
    std::size_t total = 0;
    for (auto const& [key, touch] : touches_) {
        INOS_TRY(auto const value, replica.engine().get(Family::records, key));
        std::size_t bytes = 0;
        INOS_TRY(auto change, this->change(replica, key, value, &touch, bytes));
        if (change) {
            ready_.push_back(*std::move(change));
            sizes_.push_back(bytes);
        }
        total += bytes;
        if (total <= limits_.direct_bytes) continue;
        ready_.clear();
        sizes_.clear();
        return false;
    }
    touches_.clear();
    return true;
}

void ChangeReader::open_cursor(Replica const& replica) {
    std::uint32_t const space = replica.space_number();
    std::string from = keys::space_begin(space), to = keys::space_end(space);
    if (!all_) {
        from = touches_.begin()->first;
        to = touches_.rbegin()->first + '\0';
    } else if (!collection_.empty()) {
        from = keys::record(space, collection_, {});
        to = keys::record_end(space, collection_);
    }
    cursor_ = replica.engine().scan(Family::records, from, to);
    phase_ = Phase::scan;
}

// ---- the changes -----------------------------------------------------------------------------

void ChangeReader::take_ready(ChangePage& page) {
    std::size_t bytes = 0;
    while (given_ < ready_.size() && bytes < limits_.step_bytes) {
        bytes += sizes_[given_];
        page.changes.push_back(std::move(ready_[given_]));
        ++given_;
    }
    page.done = given_ == ready_.size();
}

// Walks the cursor, and the names beside it: both ascend by key. A name that is not among the
// records has none any more.
Result<void> ChangeReader::scan(Replica const& replica, ChangePage& page) {
    std::size_t bytes = 0;
    for (std::size_t seen = 0; seen < limits_.step_records && bytes < limits_.step_bytes; ++seen) {
        bool const has_record = cursor_->valid();
        if (!has_record) INOS_CHECK(cursor_->status());
        auto const touched = touches_.begin();
        bool const named = touched != touches_.end();
        page.done = !named && !(all_ && has_record);
        if (page.done) return {};
        int const order = !named ? 1 : has_record ? touched->first.compare(cursor_->key()) : -1;
        if (order <= 0 || all_) {
            std::string const key = order <= 0 ? touched->first : std::string(cursor_->key());
            std::optional<std::string_view> value;
            if (order >= 0) value = cursor_->value();
            Touch const* const touch = order <= 0 ? &touched->second : nullptr;
            INOS_TRY(auto change, this->change(replica, key, value, touch, bytes));
            if (change) page.changes.push_back(*std::move(change));
            if (order <= 0) touches_.erase(touched);
        }
        if (order >= 0) cursor_->next();
    }
    return {};
}

// What became of a record; nothing for those that the reader is not told of.
Result<std::optional<RecordChange>> ChangeReader::change(Replica const& replica,
                                                         std::string_view key,
                                                         std::optional<std::string_view> value,
                                                         Touch const* touch,
                                                         std::size_t& bytes) const {
    auto name = name_of(key);
    if (!name) return fail(Errc::corruption, "a record's key in the database is malformed");
    if (!is_wanted(name->collection, name->key)) return std::optional<RecordChange>();
    bytes += key.size() + (value ? value->size() : 0);
    RecordChange change;
    if (value) {
        INOS_TRY(StoredRecord const stored, StoredRecord::decode(*value, *name));
        CollectionSchema const& schema = replica.schema(name->collection);
        bool const hidden = replica.aliases().is_alias(name->collection, name->key);
        if (visible(state_of(stored.record), schema.on_delete) && !hidden)
            change.fields = resolve(stored.record, schema).fields;
        change.actor = stored.last.actor;
        if (Cell const* const cell = newest(stored.record)) change.source = cell->source;
    }
    if (touch) {
        change.actor = touch->dot.actor;
        change.source = touch->source;
    }
    change.name = *std::move(name);
    return std::optional(std::move(change));
}

}  // namespace inos
