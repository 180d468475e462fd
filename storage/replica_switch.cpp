// A state that has arrived comes into force: one write, in which every record becomes the merge of
// what is held and what came, and the log of the actors that moved begins anew.
//
// What stays of the log (entries that the state does not cover, and actors of whom nothing new
// came) is linked past what goes: of every record's history it is still reached from the newest
// entry back, and ends at a cut.

#include <algorithm>
#include <set>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_states.hpp"
#include "storage/schema_document.hpp"

namespace inos {

class Replica::States::Switch {
public:
    Switch(Replica& replica, Taken const& taken)
        : replica_(replica), taken_(taken), stage_(replica), sums_(replica.sums_) {
        for (StateHead const& head : taken_.manifest.heads)
            if (head.seq > replica.vector_.at(head.actor)) moved_.emplace(head.actor, &head);
    }

    Result<bool> run() {
        if (moved_.empty()) {
            INOS_CHECK(replica_.states_->forget());
            return true;
        }
        auto const& first = *moved_.begin();
        end_ = {first.first, first.second->seq};
        sign_own_head();
        INOS_CHECK(find_erasures());
        INOS_CHECK(relink_log());
        INOS_CHECK(merge_records());
        INOS_CHECK(cut_log());
        move_heads();
        INOS_CHECK(check_root());
        ContinuityRecord record = replica_.continuity_;
        for (auto const& [actor, head] : moved_)
            if (replica_.is_ours(actor))
                record.another_life(actor == replica_.options_.actor ? Doubt::seen_more
                                                                     : Doubt::none);
        bool const known_better = record != replica_.continuity_;
        if (known_better) replica_.put_record(stage_.batch_, record);
        // With it the state is no longer one that arrives.
        stage_.batch_.remove(Family::staging, keys::meta_kind(replica_.options_.space, 'm'));
        stage_.schema_changed = true;
        INOS_CHECK(replica_.write(stage_, std::move(sums_), Durability::synced));
        if (known_better) {
            replica_.continuity_ = std::move(record);
            replica_.doubt_ = judge_continuity(replica_.continuity_, replica_.options_.marks);
        }
        return finish();
    }

private:
    bool goes(Dot dot) const {
        auto const moved = moved_.find(dot.actor);
        return moved != moved_.end() && dot.seq <= moved->second->seq;
    }
    bool is_cut(Dot dot) const { return goes(dot) || replica_.log_starts_.is_cut(dot); }

    // What was written here and is in nobody's hands yet: see Replica::sign_head.
    void sign_own_head() { replica_.sign_head(stage_); }

    // Erased there and not here, or here only by a stub's proof: then the erase itself is covered
    // now and never comes. The records have to be found by their tags.
    Result<void> find_erasures() {
        std::uint32_t const space = replica_.options_.space;
        std::string const from = keys::meta_kind(space, 'r');
        std::set<std::string> collections;
        auto cursor = replica_.engine_.scan(Family::staging, from, keys::meta_kind(space, 's'));
        for (; cursor->valid(); cursor->next()) {
            auto const name = name_of_row(cursor->key().substr(from.size()));
            if (!name || !name->key.starts_with('\1')) continue;
            Reader in(cursor->value());
            in.blob();
            auto const erasure = decode_erasure(std::string_view(name->key).substr(1), in.blob());
            if (!erasure) return tl::unexpected(corrupt());
            stage_.marked_.insert(erasure->tag);
            bool const pending = replica_.pending_erasures_.contains(erasure->tag);
            if (replica_.is_erased(erasure->tag) && !pending) continue;
            erased_.insert(erasure->tag);
            stage_.put_proof(*erasure);
            stage_.scrub = true;
        }
        return cursor->status();
    }

    Error corrupt() const {
        return Error{Errc::corruption, "what has arrived of a state cannot be read", {}};
    }

    // ---- log ----------------------------------------------------------------------------------
    Result<void> relink_log() {
        for (auto const& [actor, state] : replica_.actors_)
            if (!moved_.contains(actor)) INOS_CHECK(relink(actor, state.seq));
        return {};
    }

    Result<void> relink(ActorId actor, Seq last) {
        std::uint32_t const space = replica_.options_.space;
        auto cursor =
            replica_.engine_.scan(Family::log,
                                  keys::log(space, {actor, replica_.log_starts_.of(actor) + 1}),
                                  keys::log(space, {actor, last + 1}));
        for (; cursor->valid(); cursor->next()) {
            if (cursor->key().size() != keys::log(space, {}).size()) continue;  // a signature
            Dot const dot{actor, Reader(cursor->key().substr(12)).u64()};
            auto stored = StoredEntry::decode(cursor->value(), actor);
            auto const frame = stored ? frame_entry(stored->bytes) : std::nullopt;
            if (!stored) return tl::unexpected(corrupt_entry(dot));
            if (!frame || stored->links.empty()) {
                INOS_CHECK(erase_from(dot, *stored));
                continue;
            }
            auto const tags = op_tags(*frame, replica_.options_.digest_key);
            auto const before = stored->links;
            for (std::size_t i = 0; i < stored->links.size() && i < tags.size(); ++i) {
                INOS_TRY(stored->links[i], next_left(stored->links[i], tags[i]));
            }
            auto const erased = without_erased(*stored);
            if (erased) stored->bytes = *erased;
            if (erased || stored->links != before)
                stage_.batch_.put(Family::log, keys::log(space, dot), stored->encode(actor));
        }
        return cursor->status();
    }

    // A void entry, or one without ops.
    Result<void> erase_from(Dot dot, StoredEntry stored) {
        auto const erased = without_erased(stored);
        if (!erased) return {};
        stored.bytes = *erased;
        stage_.batch_.put(
            Family::log, keys::log(replica_.options_.space, dot), stored.encode(dot.actor));
        return {};
    }

    std::optional<std::string> without_erased(StoredEntry const& stored) const {
        if (erased_.empty()) return std::nullopt;
        return erase_ops(
            stored.bytes,
            replica_.options_.digest_key,
            [this](RecordTag const& tag) { return erased_.contains(tag); },
            stored.reason);
    }

    // From an entry in a record's history on: the first that stays. At its end there is a cut now,
    // for the state may hold what the log does not tell.
    Result<Dot> next_left(Dot at, RecordTag const& tag) const {
        while (at.seq > 0 && goes(at) && !replica_.log_starts_.is_cut(at)) {
            INOS_TRY(auto const value,
                     replica_.engine_.get(Family::log, keys::log(replica_.options_.space, at)));
            auto const stored = value ? StoredEntry::decode(*value, at.actor) : std::nullopt;
            auto const frame = stored ? frame_entry(stored->bytes) : std::nullopt;
            if (!frame) return tl::unexpected(corrupt_entry(at));
            auto const tags = op_tags(*frame, replica_.options_.digest_key);
            at = {};
            for (std::size_t i = 0; i < tags.size() && i < stored->links.size(); ++i)
                if (tags[i] == tag && stored->links[i].seq > 0) at = stored->links[i];
        }
        return at.seq == 0 ? end_ : at;
    }

    Result<void> cut_log() {
        std::uint32_t const space = replica_.options_.space;
        for (auto const& [actor, head] : moved_) {
            Seq const start = replica_.log_starts_.of(actor), have = replica_.vector_.at(actor);
            auto cursor = replica_.engine_.scan(
                Family::log, keys::log(space, {actor, start}), keys::log(space, {actor, have + 1}));
            for (; cursor->valid(); cursor->next())
                stage_.batch_.remove(Family::log, std::string(cursor->key()));
            INOS_CHECK(cursor->status());
            for (char const kind : {'v', 'x'}) {
                auto index =
                    replica_.engine_.scan(Family::index,
                                          keys::index_entry(space, kind, {actor, 0}),
                                          keys::index_entry(space, kind, {actor, have + 1}));
                for (; index->valid(); index->next())
                    stage_.batch_.remove(Family::index, std::string(index->key()));
                INOS_CHECK(index->status());
            }
        }
        return {};
    }

    void move_heads() {
        std::uint32_t const space = replica_.options_.space;
        for (auto const& [actor, head] : moved_) {
            Dot const dot{actor, head->seq};
            ActorState& state = stage_.actor(actor);
            state = {head->seq, head->seq, head->hlc, head->chain, head->deps};
            stage_.vector_.set(actor, head->seq);
            stage_.hlc.observe(head->hlc, replica_.clock_.now_ms());
            if (replica_.is_ours(actor))
                stage_.hlc = HlcClock(std::max(stage_.hlc.last(), head->hlc));
            std::string deps;
            head->deps.encode(deps);
            stage_.batch_.put(Family::index, keys::deps(space, dot), std::move(deps));
            stage_.batch_.put(Family::log,
                              keys::signature(space, dot),
                              std::string(crypto::view(head->signature)));
            LogStart const start{head->seq, head->hlc, head->chain};
            stage_.batch_.put(Family::meta, keys::meta(space, 'b', actor), start.encode());
            put_first_cut_chain(space, dot, head->chain, stage_.batch_);
        }
    }

    // ---- records ------------------------------------------------------------------------------
    // Both in the order of their keys, which differ in what is in front of the name.
    Result<void> merge_records() {
        std::uint32_t const space = replica_.options_.space;
        std::string const from = keys::meta_kind(space, 'r');
        auto theirs = replica_.engine_.scan(Family::staging, from, keys::meta_kind(space, 's'));
        auto ours = replica_.engine_.scan(
            Family::records, keys::space_begin(space), keys::space_end(space));
        while (ours->valid() || theirs->valid()) {
            std::string_view const our_name =
                ours->valid() ? ours->key().substr(4) : std::string_view();
            std::string_view const their_name =
                theirs->valid() ? theirs->key().substr(from.size()) : std::string_view();
            int order = ours->valid() ? -1 : 1;
            if (ours->valid() && theirs->valid()) order = our_name.compare(their_name);
            std::string const name(order <= 0 ? our_name : their_name);
            std::optional<std::string_view> our_value, their_value;
            if (order <= 0) our_value = ours->value();
            if (order >= 0) their_value = theirs->value();
            INOS_CHECK(merge_row(name, our_value, their_value));
            if (order >= 0) {
                stage_.batch_.remove(Family::staging, std::string(theirs->key()));
                theirs->next();
            }
            if (order <= 0) ours->next();
        }
        INOS_CHECK(ours->status());
        return theirs->status();
    }

    Result<void> merge_row(std::string const& row,
                           std::optional<std::string_view> our_value,
                           std::optional<std::string_view> their_value) {
        auto const name = name_of_row(row);
        if (!name) return tl::unexpected(corrupt());
        Staged staged;
        staged.name = *name;
        if (our_value) {
            INOS_TRY(StoredRecord stored, StoredRecord::decode(*our_value, *name));
            staged.record = std::move(stored.record);
            staged.stored_class = stored.digest_class;
            staged.stored_digest = stored.digest;
            staged.stored_conflict = belongs_to_conflicts(staged.stored_class, staged.record);
            staged.last = stored.last;
            staged.stored_upkeep = upkeep_flags(staged.record);
        }
        Record came;
        if (their_value) {
            Reader in(*their_value);
            auto record = Record::decode(in.blob());
            if (!record) return tl::unexpected(corrupt());
            came = *std::move(record);
        }
        Record const before = staged.record;
        Dot const last = staged.last;
        merge(staged.record, replica_.vector_, came, taken_.vector);
        bool const erased =
            !name->key.starts_with('\1') && (replica_.is_erased(*name) || stage_.is_erased(*name));
        INOS_CHECK(find_last(staged));
        staged.gone = erased || (staged.record.empty() && is_cut(staged.last));
        if (!staged.gone) note_policy(staged);
        if (staged.gone && !our_value) return {};
        if (erased) stage_.erased_names_.emplace_back(tag_of(*name), *name);
        if (!staged.gone && our_value && staged.record == before && staged.last == last) return {};
        if (staged.record.empty() && !our_value) return {};
        replica_.put_row(stage_, keys::space_begin(replica_.options_.space) + row, staged, sums_);
        return {};
    }

    RecordTag tag_of(RecordName const& name) const {
        return record_tag(replica_.options_.digest_key, name.collection, name.key);
    }

    Result<void> find_last(Staged& staged) const {
        if (staged.last.seq == 0) {
            staged.last = end_;
        } else if (goes(staged.last)) {
            INOS_TRY(staged.last, next_left(staged.last, tag_of(staged.name)));
        }
        return {};
    }

    // Where we held nothing that the source did not, its root has to be ours now.
    Result<void> check_root() const {
        if (!taken_.vector.includes(stage_.vector_)) return {};
        for (RecordTag const& tag : replica_.pending_erasures_)
            if (!stage_.marked_.contains(tag)) return {};
        Digest128 root;
        for (auto const& [collection, sums] : sums_) {
            auto const policy = policies_.find(collection);
            root +=
                sums.sum(policy == policies_.end() ? DeletePolicy::update_wins : policy->second);
        }
        if (root == Digest128::from(taken_.manifest.root)) return {};
        return fail(Errc::protocol, "a state is not what its source has signed: its root differs");
    }

    // Schemas say what counts in the root: those that are in force after the switch.
    void note_policy(Staged const& staged) {
        CollectionSchema plain;
        plain.others = FieldSchema{};
        std::string const& key = staged.name.key;
        if (staged.name.collection != "_schema" || key == "_schema" || key.starts_with('\1') ||
            !visible(state_of(staged.record), plain.on_delete))
            return;
        auto const fields = resolve(staged.record, plain).fields;
        policies_[key] = parse_collection_schema(fields).on_delete;
    }

    Result<bool> finish() {
        for (auto const& [actor, head] : moved_)
            replica_.log_starts_.set(actor, {head->seq, head->hlc, head->chain});
        replica_.stable_known_ = false;
        replica_.aliases_ = {};
        auto loaded = replica_.load_aliases();
        replica_.failed_ = replica_.failed_ || !loaded;
        INOS_CHECK(std::move(loaded));
        INOS_CHECK(replica_.states_->forget());
        return true;
    }

    Replica& replica_;
    Taken const taken_;
    Stage stage_;
    Sums sums_;
    std::map<std::string, DeletePolicy> policies_;
    std::set<RecordTag> erased_;  // by this switch: their ops may be in the log that stays
    std::map<ActorId, StateHead const*> moved_;
    Dot end_;  // one that is cut: where histories end that were not whole
};

Result<bool> Replica::States::switch_over() {
    return Switch(replica_, *taken_).run();
}

}  // namespace inos
