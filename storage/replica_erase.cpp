// Erasure: a record's contents go from the records and from the log, and stay away. What remains is
// a mark under the record's tag, and in the log a stub for each op.

#include <algorithm>
#include <utility>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kProofVersion = 1;
constexpr std::string_view kSchemaCollection = "_schema";

}  // namespace

std::string encode_erasure(Erasure const& erasure) {
    std::string out;
    out += static_cast<char>(kProofVersion);
    put_blob(out, erasure.collection);
    put_u64(out, erasure.actor.value);
    out += crypto::view(erasure.signature);
    return out;
}

std::optional<Erasure> decode_erasure(std::string_view tag, std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kProofVersion) return std::nullopt;
    Erasure erasure;
    if (tag.size() != erasure.tag.size()) return std::nullopt;
    std::copy(tag.begin(), tag.end(), erasure.tag.begin());
    erasure.collection = in.blob();
    erasure.actor.value = in.u64();
    std::string_view const signature = in.take(erasure.signature.size());
    std::copy(signature.begin(), signature.end(), erasure.signature.begin());
    return in.finished() ? std::optional(std::move(erasure)) : std::nullopt;
}

Result<void> Replica::load_erasures() {
    std::string const from = keys::meta_kind(options_.space, 'e');
    auto cursor = engine_.scan(Family::meta, from, keys::meta_kind(options_.space, 'f'));
    for (; cursor->valid(); cursor->next()) {
        auto erasure = decode_erasure(cursor->key().substr(from.size()), cursor->value());
        if (!erasure) return fail(Errc::corruption, "the stored proof of an erasure is malformed");
        std::string const mark = keys::erased_key(crypto::view(erasure->tag));
        auto const marked =
            engine_.get(Family::records, keys::record(options_.space, erasure->collection, mark));
        bool const unreadable = !marked && marked.error().code == Errc::corruption;
        if (!marked && !unreadable) return tl::unexpected(marked.error());
        // Where its author's log was cut, the erase may be among what went, and never come. The
        // node looks at those that wait, too: the marks may have been lost.
        bool const lost = unreadable || (!*marked && log_starts_.of(erasure->actor) > 0);
        if (lost || !*marked) note_damaged(erasure->collection + '\0' + mark);
        if (!lost && !*marked) pending_erasures_.insert(erasure->tag);
        erasures_.emplace(erasure->tag, *std::move(erasure));
    }
    return cursor->status();
}

bool Replica::is_erased(RecordName const& name) const {
    return !erasures_.empty() &&
           is_erased(record_tag(options_.digest_key, name.collection, name.key));
}

bool Replica::Stage::is_erased(RecordTag const& tag) const {
    return replica_.is_erased(tag) || erasures_.contains(tag);
}

bool Replica::Stage::is_erased(RecordName const& name) const {
    return !erasures_.empty() &&
           is_erased(record_tag(replica_.options_.digest_key, name.collection, name.key));
}

std::optional<RecordName> Replica::erased_name(RecordTag const& tag) const {
    auto const found = erased_names_.find(tag);
    return found == erased_names_.end() ? std::nullopt : std::optional(found->second);
}

void Replica::remember_erased(Stage const& stage) {
    for (auto const& [tag, name] : stage.erased_names_)
        if (erased_names_.emplace(tag, name).second) erased_order_.push_back(tag);
    for (; erased_order_.size() > kErasedNamesMax; erased_order_.pop_front())
        erased_names_.erase(erased_order_.front());
}

void Replica::Stage::put_proof(Erasure const& erasure) {
    if (is_erased(erasure.tag)) return;
    std::string key = keys::meta_kind(replica_.options_.space, 'e');
    key += crypto::view(erasure.tag);
    batch_.put(Family::meta, std::move(key), encode_erasure(erasure));
    erasures_.emplace(erasure.tag, erasure);
}

Result<void> Replica::Stage::erase(Op const& op, OpOrigin const& origin) {
    // Of a record that was erased before, nothing has come to the disk since.
    bool const is_known =
        replica_.is_erased(op.tag) && !replica_.pending_erasures_.contains(op.tag);
    scrub = scrub || !is_known;
    put_proof({op.tag, op.collection, origin.dot.actor, op.proof});
    marked_.insert(op.tag);
    schema_changed = schema_changed || op.collection == kSchemaCollection;
    aliases_changed = aliases_changed || op.collection == kAliasCollection;
    INOS_TRY(auto const key, key_of(op.tag));
    if (key) {
        scrub = true;
        INOS_TRY(Staged* const staged, record({op.collection, *key}));
        // The entry that holds the erase is not in the log yet; its own ops become stubs on the
        // way.
        bool const own = staged->last == origin.dot;
        INOS_TRY(bool const whole, rewrite_history(own ? staged->before : staged->last, op.tag));
        if (!whole) wait_for_repair(op.collection + '\0' + *key);
        staged->record = Record();
        staged->last = {};
        staged->gone = true;
        erased_names_.emplace_back(op.tag, RecordName{op.collection, *key});
    }
    INOS_CHECK(rewrite_void_entries(op.tag));
    INOS_TRY(Staged* const mark, record({op.collection, keys::erased_key(crypto::view(op.tag))}));
    inos::apply(mark->record, op, origin);
    mark->dirty = true;
    return {};
}

// Follows the record's list through the log: what was cut is at the list's end. False: that of a
// record that was damaged ends in itself, and where an entry cannot be read or the list goes in a
// circle it ends there; a repair finds the rest.
Result<bool> Replica::Stage::rewrite_history(Dot last, RecordTag const& tag) {
    std::uint64_t left = entries_in(vector_);
    while (last.seq > 0 && !replica_.log_starts_.is_cut(last)) {
        Dot before;
        auto const rewritten = rewrite_log(last, tag, before);
        if (!rewritten && rewritten.error().code != Errc::corruption)
            return tl::unexpected(rewritten.error());
        if (!rewritten || before == last || left-- == 0) return false;
        last = before;
    }
    return true;
}

void Replica::Stage::wait_for_repair(std::string const& key) {
    replica_.note_damaged(key);
    batch_.put(Family::meta, keys::damaged_record(replica_.options_.space, key), {});
}

// Void entries touch no record, so no list leads to them.
Result<void> Replica::Stage::rewrite_void_entries(RecordTag const& tag) {
    std::uint32_t const space = replica_.options_.space;
    std::string const from = keys::meta_kind(space, 'x');
    std::vector<Dot> dots;
    auto cursor = replica_.engine_.scan(Family::index, from, keys::meta_kind(space, 'y'));
    for (; cursor->valid(); cursor->next()) {
        Reader key(cursor->key().substr(from.size()));
        ActorId const actor{key.u64()};
        dots.push_back({actor, key.u64()});
    }
    INOS_CHECK(cursor->status());
    dots.insert(dots.end(), void_entries_.begin(), void_entries_.end());
    for (Dot const& dot : dots) {
        Dot before;
        auto const rewritten = rewrite_log(dot, tag, before);
        // What it holds nobody knows any more, and others would not get the erase.
        if (!rewritten && rewritten.error().code != Errc::corruption) return rewritten;
    }
    return {};
}

// Puts stubs in place of the entry's ops on the record; `before`: the record's entry before it.
Result<void> Replica::Stage::rewrite_log(Dot dot, RecordTag const& tag, Dot& before) {
    std::string const key = keys::log(replica_.options_.space, dot);
    std::optional<std::string> value;
    auto const staged = entries_.find(dot);
    if (staged != entries_.end()) {
        value = batch_.changes[staged->second].value;
    } else {
        INOS_TRY(value, replica_.engine_.get(Family::log, key));
    }
    auto stored = value ? StoredEntry::decode(*value, dot.actor) : std::nullopt;
    if (!stored) return tl::unexpected(corrupt_entry(dot));
    auto const& secret = replica_.options_.digest_key;
    if (auto const frame = frame_entry(stored->bytes)) {
        auto const tags = op_tags(*frame, secret);
        for (std::size_t i = 0; i < tags.size() && i < stored->links.size(); ++i)
            if (tags[i] == tag && stored->links[i].seq > 0) before = stored->links[i];
    }
    auto const bytes = erase_ops(
        stored->bytes, secret, [&tag](RecordTag const& t) { return t == tag; }, stored->reason);
    if (!bytes) return {};
    scrub = true;
    stored->bytes = *bytes;
    std::string encoded = stored->encode(dot.actor);
    if (staged != entries_.end()) {
        batch_.changes[staged->second].value = std::move(encoded);
    } else {
        // Several erasures may go through one entry: the next one starts from here.
        entries_.emplace(dot, batch_.changes.size());
        batch_.put(Family::log, key, std::move(encoded));
    }
    return {};
}

std::string Replica::Stage::without_erased(std::string_view bytes,
                                           std::vector<RecordTag> const& tags,
                                           VoidReason reason) const {
    bool const any = std::any_of(
        tags.begin(), tags.end(), [this](RecordTag const& tag) { return is_erased(tag); });
    if (any) {
        auto erased = erase_ops(
            bytes,
            replica_.options_.digest_key,
            [this](RecordTag const& tag) { return is_erased(tag); },
            reason);
        if (erased) return *std::move(erased);
    }
    return std::string(bytes);
}

// An erase names its record by the tag alone, so that its own bytes need no erasing. The author
// knows the key; other sites look for it, once for all erasures of a batch.
Result<void> Replica::Stage::find_erased_keys() {
    if (!batch || std::exchange(keys_searched_, true)) return {};
    std::map<std::string, std::set<RecordTag>, std::less<>> wanted;
    for (EntryRun const& run : batch->runs) {
        for (std::size_t i = 0; i < run.entries.size(); ++i) {
            auto const frame = frame_entry(run.entries[i]);
            bool const erases =
                frame && std::any_of(frame->ops.begin(), frame->ops.end(), [](auto const& op) {
                    return !op.kind_and_body.empty() &&
                           op.kind_and_body.front() == static_cast<char>(OpKind::erase);
                });
            if (!erases) continue;
            auto const decoded = decode_entry(run.entries[i], {run.actor, run.first + i});
            for (Op const& op : decoded.entry.ops) {
                if (op.kind != static_cast<std::uint64_t>(OpKind::erase)) continue;
                wanted[op.collection].insert(op.tag);
                wanted_tags_.insert(op.tag);
            }
        }
    }
    for (auto const& [engine_key, staged] : records_)
        note_wanted(staged.name);
    std::uint32_t const space = replica_.options_.space;
    for (auto const& [collection, tags] : wanted) {
        std::string const from = keys::record(space, collection, {});
        auto cursor =
            replica_.engine_.scan(Family::records, from, keys::record_end(space, collection));
        for (; cursor->valid(); cursor->next()) {
            std::string_view const key = cursor->key().substr(from.size());
            auto const tag = record_tag(replica_.options_.digest_key, collection, key);
            if (tags.contains(tag)) erased_keys_.emplace(tag, key);
        }
        auto const status = cursor->status();
        if (status || status.error().code != Errc::corruption) {
            INOS_CHECK(status);
            continue;
        }
        // Behind what the disk cannot read, their repair finds them.
        for (RecordTag const& tag : tags) {
            if (erased_keys_.contains(tag)) continue;
            std::string const marks = collection + '\0' + keys::erased_key(crypto::view(tag));
            wait_for_repair(marks);
        }
    }
    return {};
}

// A record that came with the batch itself may be erased by it.
void Replica::Stage::note_wanted(RecordName const& name) {
    if (wanted_tags_.empty()) return;
    auto const tag = record_tag(replica_.options_.digest_key, name.collection, name.key);
    if (wanted_tags_.contains(tag)) erased_keys_.emplace(tag, name.key);
}

Result<std::optional<std::string>> Replica::Stage::key_of(RecordTag const& tag) {
    INOS_CHECK(find_erased_keys());
    auto const known = erased_keys_.find(tag);
    return known == erased_keys_.end() ? std::nullopt : std::optional(known->second);
}

}  // namespace inos
