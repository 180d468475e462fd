// A state that has arrived comes into force. A first pass writes nothing: it orders the entries of
// the log as it will be, merges all records and compares the root. Then a mark, and bounded writes,
// which come to the same when they are made again: whoever opens a directory with the mark ends the
// switch before anything else.
//
//   staging  space u32 | 'q'  -> phase u8 | the last record's name that is done blob
//
// The log as it will be: of actors that move the staged entries, of others what is here. The lists
// of history are built anew from it: those of the source go through entries that are not in it.

#include <algorithm>
#include <set>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/feed_cursor.hpp"
#include "storage/keys.hpp"
#include "storage/log_order.hpp"
#include "storage/raw_bytes.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/replica_states.hpp"
#include "storage/schema_document.hpp"
#include "storage/staged_state.hpp"

namespace inos {

using namespace std::string_view_literals;

namespace {
constexpr std::size_t kWriteChanges = 20'000;
constexpr Seq kHashesAtOnce = kHashesPerKey * 1'024;

enum class Phase : std::uint8_t { none = 0, records = 1, hashes = 2, entries = 3, removals = 4 };
}  // namespace

class Replica::States::Switch {
public:
    Switch(Replica& replica, Taken const& taken)
        : replica_(replica),
          taken_(taken),
          space_(replica.options_.space),
          staged_(replica.engine_, space_),
          all_theirs_(taken.vector.includes(replica.vector_)) {
        for (StateHead const& head : taken_.manifest.heads) {
            Seq const have = replica.vector_.at(head.actor);
            if (head.seq > have) moved_.emplace(head.actor, Moved{&head, have, {}, {}});
        }
    }

    // Anything that goes wrong before the mark is written leaves all as it was.
    Result<void> run() {
        INOS_TRY(auto const mark,
                 replica_.engine_.get(Family::staging, staging::key(space_, staging::kSwitching)));
        if (mark) {
            Reader in(*mark);
            phase_ = static_cast<Phase>(in.byte());
            done_ = in.blob();
            if (!in.finished()) return tl::unexpected(StagedState::corrupt());
        }
        find_end();
        INOS_TRY(marks_, staged_.marks());
        if (phase_ == Phase::none) INOS_CHECK(compare());
        INOS_CHECK(order_log(false));
        if (phase_ == Phase::none) {
            INOS_CHECK(merge_records(false));
            INOS_CHECK(check_root());
            // What was written here and is in nobody's hands yet: see Replica::sign_head.
            INOS_CHECK(replica_.sign_own_log());
        }
        auto written = write_all();
        replica_.failed_ |= !written;
        return written;
    }

private:
    struct Moved {
        StateHead const* head = nullptr;
        Seq have = 0;
        VersionVector deps;  // of the last entry
        Hlc hlc;             // of the last entry that says any
    };

    Result<void> write_all() {
        if (phase_ == Phase::none) {
            note_scrub();
            // Under the schemas that come with it they may be others.
            replica_.indexes_->begin_again(batch_);
        }
        INOS_CHECK(begin_phase(Phase::records));
        if (phase_ == Phase::records) INOS_CHECK(merge_records(true));
        INOS_CHECK(begin_phase(Phase::hashes));
        if (phase_ == Phase::hashes) INOS_CHECK(put_hashes());
        INOS_CHECK(begin_phase(Phase::entries));
        if (phase_ == Phase::entries) INOS_CHECK(order_log(true));
        INOS_CHECK(begin_phase(Phase::removals));
        INOS_CHECK(remove_entries());
        return finish();
    }

    // ---- writes ---------------------------------------------------------------------------------
    void put(Family family, std::string key, std::string value) {
        bytes_ += key.size() + value.size();
        batch_.put(family, std::move(key), std::move(value));
    }
    void remove(Family family, std::string key) {
        bytes_ += key.size();
        batch_.remove(family, std::move(key));
    }

    // The mark goes with every write, and says how far the records are.
    Result<void> flush(Durability durability = Durability::flushed) {
        std::string mark(1, static_cast<char>(phase_));
        put_blob(mark, done_);
        batch_.put(Family::staging, staging::key(space_, staging::kSwitching), std::move(mark));
        INOS_CHECK(replica_.write_batch(batch_, durability));
        batch_.changes.clear();
        bytes_ = 0;
        return {};
    }
    Result<void> flush_if_full() {
        bool const full =
            bytes_ >= replica_.options_.state_write_bytes || batch_.changes.size() >= kWriteChanges;
        return full ? flush() : Result<void>();
    }
    Result<void> begin_phase(Phase phase) {
        if (phase_ >= phase) return {};
        phase_ = phase;
        return flush(Durability::synced);
    }

    // ---- before anything is written -------------------------------------------------------------
    bool moves(ActorId actor) const { return moved_.contains(actor); }
    Seq start_of(ActorId actor) const {
        auto const moved = moved_.find(actor);
        return moved == moved_.end() ? replica_.log_starts_.of(actor) : moved->second.head->floor;
    }

    // Where lists end that may not be whole: of all cuts the one with the latest stamp.
    void find_end() {
        std::optional<Hlc> latest;
        auto const look = [&](ActorId actor, Seq start, Hlc hlc) {
            if (start == 0 || (latest && hlc <= *latest)) return;
            latest = hlc;
            end_ = {actor, start};
        };
        for (auto const& [actor, seq] : replica_.vector_.items())
            if (auto const* start = replica_.log_starts_.find(actor); start && !moves(actor))
                look(actor, start->seq, start->hlc);
        for (auto const& [actor, moved] : moved_)
            look(actor, moved.head->floor, moved.head->floor_hlc);
    }

    bool is_erased(RecordTag const& tag) const {
        return marks_.contains(tag) || replica_.is_erased(tag);
    }

    // What came since the rows were checked is of the same history, by the last entry held.
    Result<void> compare() {
        for (StateHead const& head : taken_.manifest.heads)
            INOS_CHECK(replica_.states_->check_head(head));
        for (auto const& [actor, moved] : moved_) {
            Dot const dot{actor, moved.have};
            if (dot.seq == 0) continue;
            crypto::Hash32 const& ours = replica_.actors_.at(actor).chain;
            bool same = false;
            if (dot.seq <= moved.head->floor) {
                INOS_TRY(auto const hash, staged_.hashes(*moved.head, dot.seq, dot.seq));
                same = crypto::view(ours).starts_with(hash);
            } else {
                INOS_TRY(auto const chain, staged_.chain(dot));
                same = chain == crypto::view(ours);
            }
            if (!same) return tl::unexpected(other_history());
        }
        return {};
    }

    // The chain at an entry, as much as there will be of it.
    Result<std::string> chain_of(Dot dot) const {
        auto const moved = moved_.find(dot.actor);
        if (moved == moved_.end() || dot.seq <= moved->second.have) {
            INOS_TRY(auto const chain, replica_.chain_prefix_at(dot));
            if (!chain) return tl::unexpected(corrupt_entry(dot));
            return std::string(chain->begin(), chain->end());
        }
        StateHead const& head = *moved->second.head;
        return dot.seq <= head.floor ? staged_.hashes(head, dot.seq, dot.seq) : staged_.chain(dot);
    }

    // As Replica::check_deps has it.
    Result<void> check_deps(LogItem const& item) const {
        for (DepHead const& dep : item.deps) {
            INOS_TRY(auto const chain, chain_of({dep.actor, dep.seq}));
            if (!chain.starts_with(std::string(dep.chain.begin(), dep.chain.end())))
                return tl::unexpected(other_history());
        }
        return {};
    }

    // ---- log ------------------------------------------------------------------------------------
    // The first time it finds the newest entry of every record, and that nothing is missing.
    Result<void> order_log(bool write) {
        newest_.clear();
        VersionVector starts, ends = replica_.vector_;
        std::vector<LogFeed> feeds;
        for (auto& [actor, moved] : moved_) {
            ends.set(actor, moved.head->seq);
            moved.hlc = moved.head->floor_hlc;
            INOS_TRY(moved.deps, staged_.floor_deps(*moved.head));
        }
        for (auto const& [actor, end] : ends.items()) {
            Seq const start = start_of(actor);
            starts.set(actor, start);
            if (start == end) continue;
            Dot const first{actor, start + 1}, behind{actor, end + 1};
            INOS_TRY(VersionVector before,
                     moves(actor) ? Result<VersionVector>(moved_.at(actor).deps)
                                  : replica_.seen_at({actor, start}));
            feeds.emplace_back(first,
                               end,
                               std::move(before),
                               moves(actor) ? staged_.entries(first, behind)
                                            : replica_.engine_.scan(Family::log,
                                                                    keys::log(space_, first),
                                                                    keys::log(space_, behind)),
                               moves(actor));
        }
        return in_causal_order(
            feeds, std::move(starts), [&](LogFeed const& feed) { return visit(feed, write); });
    }

    Result<void> visit(LogFeed const& feed, bool write) {
        LogItem const& item = *feed.item();
        std::string_view const bytes = item.bytes;
        StoredEntry stored{item.reason, item.arrived_ms, item.chain, {}, bytes};
        if (feed.is_staged()) {
            auto const decoded = decode_entry(bytes, item.dot);
            stored.arrived_ms = replica_.clock_.now_ms();
            stored.reason = decoded.reason;
            if (stored.reason == VoidReason::none)
                stored.reason =
                    replica_.judge(*replica_.membership_->by_actor(item.dot.actor), decoded.entry);
            INOS_CHECK(advance(item.dot, decoded, write));
            // Before the mark only: then what they name goes from the log.
            if (phase_ == Phase::none) INOS_CHECK(check_deps(item));
        }
        auto const frame = frame_entry(bytes);
        auto const tags =
            frame ? op_tags(*frame, replica_.options_.digest_key) : std::vector<RecordTag>();
        for (std::size_t i = 0; i < tags.size(); ++i)
            if (frame->ops[i].kind_and_body.empty() && !is_erased(frame->ops[i].tag))
                return tl::unexpected(malformed_state(
                    "a state holds an entry without an operation that no erasure explains"));
        if (stored.reason == VoidReason::none && frame)
            stored.links = links(item.dot, *frame, tags);
        if (!write) return {};
        return put_entry(feed, stored);
    }

    // As Replica::apply_ops has it.
    std::vector<Dot> links(Dot dot, EntryFrame const& frame, std::vector<RecordTag> const& tags) {
        std::vector<Dot> links(frame.ops.size());
        auto const names = header_names(frame.header);
        for (std::size_t i = 0; i < links.size(); ++i) {
            auto const record = op_record(names, frame.ops[i].kind_and_body);
            if (!record || !valid_name(record->collection) || !valid_name(record->key)) continue;
            if (is_erased(tags[i])) continue;
            auto const [newest, is_first] = newest_.emplace(tags[i], dot);
            if (is_first)
                links[i] = end_;
            else if (newest->second != dot)
                links[i] = std::exchange(newest->second, dot);
        }
        return links;
    }

    // What the author had seen, as Stage::advance has it.
    Result<void> advance(Dot dot, DecodedEntry const& decoded, bool write) {
        Moved& moved = moved_.at(dot.actor);
        if (decoded.header_known) {
            moved.hlc = decoded.entry.header.hlc;
            for (DepHead const& dep : decoded.entry.header.deps)
                moved.deps.set(dep.actor, dep.seq);
        }
        bool const known_here = dot.seq == moved.have;
        if (known_here && moved.deps != replica_.actors_.at(dot.actor).deps)
            return tl::unexpected(malformed_state("a state says wrongly what authors had seen"));
        if (write && dot.seq % kDepsEvery == 0) put_deps(dot, moved.deps);
        return {};
    }

    void put_deps(Dot dot, VersionVector const& deps) {
        std::string bytes;
        deps.encode(bytes);
        put(Family::index, keys::deps(space_, dot), std::move(bytes));
    }

    Result<void> put_entry(LogFeed const& feed, StoredEntry& stored) {
        LogItem const& item = *feed.item();
        auto const erased = erase_ops(
            item.bytes,
            replica_.options_.digest_key,
            [this](RecordTag const& tag) { return is_erased(tag); },
            stored.reason);
        if (erased) stored.bytes = *erased;
        if (feed.is_staged()) {
            if (stored.reason != VoidReason::none)
                put(Family::index, keys::void_entry(space_, item.dot), {});
            if (!item.signature.empty())
                put(Family::log, keys::signature(space_, item.dot), std::string(item.signature));
        } else if (!erased && stored.links == item.links) {
            return {};
        }
        put(Family::log, keys::log(space_, item.dot), stored.encode(item.dot.actor));
        return flush_if_full();
    }

    // ---- records --------------------------------------------------------------------------------
    // Both in the order of their keys, which differ in what is in front of the name.
    Result<void> merge_records(bool write) {
        std::string const behind(done_.empty() ? 0 : 1, '\0');
        std::string const first = write ? done_ + behind : std::string();
        auto theirs = replica_.engine_.scan(Family::staging,
                                            staging::key(space_, state_row::kRecord + first),
                                            staging::key(space_, state_row::kRecord + 1));
        auto ours = replica_.engine_.scan(
            Family::records, keys::space_begin(space_) + first, keys::space_end(space_));
        std::string name;
        for (;;) {
            // Before what it has not come to is taken for absent.
            if (!ours->valid()) INOS_CHECK(replica_.states_->scanned(ours->status(), name));
            if (!theirs->valid()) INOS_CHECK(theirs->status());
            if (!ours->valid() && !theirs->valid()) return {};
            std::string_view const our_name =
                ours->valid() ? ours->key().substr(4) : std::string_view();
            std::string_view const their_name =
                theirs->valid() ? theirs->key().substr(StagedState::kRecordNameAt)
                                : std::string_view();
            int order = ours->valid() ? -1 : 1;
            if (ours->valid() && theirs->valid()) order = our_name.compare(their_name);
            name = order <= 0 ? our_name : their_name;
            std::optional<std::string_view> our_value, their_value;
            if (order <= 0) our_value = ours->value();
            if (order >= 0) their_value = theirs->value();
            INOS_CHECK(merge_row(name, our_value, their_value, write));
            if (order >= 0) {
                // Marks are looked for again when this is interrupted.
                bool const is_mark = name.find("\0\1"sv) != std::string::npos;
                if (write && !is_mark) remove(Family::staging, std::string(theirs->key()));
                theirs->next();
            }
            if (order <= 0) ours->next();
            done_ = write ? name : done_;
            if (write) INOS_CHECK(flush_if_full());
        }
    }

    Result<void> merge_row(std::string const& row,
                           std::optional<std::string_view> our_value,
                           std::optional<std::string_view> their_value,
                           bool write) {
        auto const name = name_of_row(row);
        if (!name) return tl::unexpected(StagedState::corrupt());
        Staged staged = our_row(*name, our_value);
        Record came;
        if (their_value) {
            auto const staged_row = StagedRow::decode(*their_value);
            auto record = staged_row ? Record::decode(staged_row->value) : std::nullopt;
            if (!record) return tl::unexpected(StagedState::corrupt());
            came = *std::move(record);
            write ? put_proof(*name, staged_row->extra) : count(*name, came);
        }
        // Ours may have been lost, and what we had seen goes: no entries have made what is left.
        if (!our_value && !all_theirs_ && replica_.rows_missing_ &&
            std::ranges::any_of(came.cells(), [this](Cell const& cell) {
                return replica_.vector_.covers(cell.dot);
            }))
            staged.damaged.emplace();
        if (!write) INOS_CHECK(check_same_cells(staged.record, came));
        auto const [before, last] = std::pair(staged.record, staged.last);
        if (all_theirs_)
            staged.record = std::move(came);
        else if (!staged.damaged)
            merge(staged.record, replica_.vector_, came, taken_.vector);
        return put_record(row, staged, our_value ? &before : nullptr, last, write);
    }

    // What cannot be read waits for its repair, marked; unless all there is has come. Indexes are
    // built again behind the switch.
    Staged our_row(RecordName const& name, std::optional<std::string_view> value) {
        Staged staged;
        staged.name = name;
        if (!value) return staged;
        auto const head = StoredRecord::head(*value);
        auto stored = replica_.checked(*value, name);
        staged.index_unknown = !stored;
        if (!stored && !all_theirs_) staged.damaged = *value;
        staged.take(stored ? *std::move(stored)
                           : StoredRecord{head.digest, head.digest_class, Dot{{}, kSeqMax}, {}});
        return staged;
    }

    // `before`: the record that is held; null: none is.
    Result<void> put_record(
        std::string const& row, Staged& staged, Record const* before, Dot last, bool write) {
        bool const is_mark = staged.name.key.starts_with('\1');
        RecordTag const tag =
            record_tag(replica_.options_.digest_key, staged.name.collection, staged.name.key);
        bool const erased = !is_mark && is_erased(tag);
        auto const newest = newest_.find(tag);
        bool const is_linked = newest != newest_.end();
        staged.last = is_mark ? Dot() : is_linked ? newest->second : end_;
        staged.gone = erased || (!staged.damaged && staged.record.empty() && !is_linked);
        if (staged.gone && !before) return {};
        if (!staged.gone && before && staged.record == *before && staged.last == last) return {};
        stage_.batch_.changes.clear();
        Sums sums;  // of all they are made in the end
        replica_.put_row(stage_, keys::space_begin(space_) + row, staged, sums);
        if (!write) return {};
        if (erased) stage_.erased_names_.emplace_back(tag, staged.name);
        for (auto& change : stage_.batch_.changes) {
            bytes_ += change.key.size() + (change.value ? change.value->size() : 0);
            batch_.changes.push_back(std::move(change));
        }
        return {};
    }

    void put_proof(RecordName const& name, std::string_view proof) {
        if (!name.key.starts_with('\1')) return;
        put(Family::meta, keys::meta_kind(space_, 'e') + name.key.substr(1), std::string(proof));
    }

    // What the source holds. Its schemas say what counts in the root.
    void count(RecordName const& name, Record const& came) {
        CollectionSchema plain;
        plain.others = FieldSchema{};
        auto const state = state_of(came);
        if (auto const counts = digest_class(state); counts != DigestClass::none)
            theirs_[name.collection].add(
                counts,
                record_digest(replica_.options_.digest_key, name.collection, name.key, came));
        if (name.collection != "_schema" || name.key == "_schema" || name.key.starts_with('\1') ||
            !visible(state, plain.on_delete))
            return;
        policies_[name.key] = parse_collection_schema(resolve(came, plain).fields).on_delete;
    }

    // What came has to be what was signed, but for rows of what is erased here.
    Result<void> check_root() const {
        if (taken_.met_erased) return {};
        Digest128 root;
        for (auto const& [collection, sums] : theirs_) {
            auto const policy = policies_.find(collection);
            root +=
                sums.sum(policy == policies_.end() ? DeletePolicy::update_wins : policy->second);
        }
        if (root == Digest128::from(taken_.manifest.root)) return {};
        return fail(Errc::protocol, "a state is not what its source has signed: its root differs");
    }

    // ---- what else changes ----------------------------------------------------------------------
    // Of each entry that does not stay in the log: from the log, or as they came.
    Result<void> put_hashes() {
        for (auto const& [actor, moved] : moved_) {
            Seq next = replica_.log_starts_.of(actor) + 1;
            while (next <= moved.head->floor) {
                Seq const end = next - 1 - (next - 1) % kHashesPerKey + kHashesAtOnce;
                Seq const last = std::min(end, moved.head->floor);
                std::vector<crypto::Hash16> chains;
                Seq const held = std::min(last, moved.have);
                if (next <= held) {
                    INOS_TRY(std::string const ours, replica_.states_->hashes(actor, next, held));
                    Reader in(ours);
                    while (!in.finished())
                        chains.push_back(take_raw<crypto::Hash16>(in));
                }
                while (next + chains.size() <= last) {
                    INOS_TRY(std::string const came,
                             staged_.hashes(*moved.head, next + chains.size(), last));
                    Reader in(came);
                    while (!in.finished())
                        chains.push_back(take_raw<crypto::Hash16>(in));
                }
                INOS_CHECK(put_cut_chains(replica_.engine_, space_, {actor, next}, chains, batch_));
                INOS_CHECK(flush());
                next = last + 1;
            }
        }
        return {};
    }

    Result<void> remove_all(Family family, std::string const& from, std::string const& to) {
        auto cursor = replica_.engine_.scan(family, from, to);
        for (; cursor->valid(); cursor->next()) {
            remove(family, std::string(cursor->key()));
            INOS_CHECK(flush_if_full());
        }
        return cursor->status();
    }

    Result<void> remove_entries() {
        for (auto const& [actor, moved] : moved_) {
            Dot const first{actor, 0}, behind{actor, moved.head->floor + 1};
            INOS_CHECK(
                remove_all(Family::log, keys::log(space_, first), keys::log(space_, behind)));
            for (char const kind : {'v', 'x'})
                INOS_CHECK(remove_all(Family::index,
                                      keys::index_entry(space_, kind, first),
                                      keys::index_entry(space_, kind, behind)));
            Dot const old{actor, replica_.log_starts_.of(actor)};
            if (old.seq > 0 && old.seq % kDepsEvery != 0)
                remove(Family::index, keys::deps(space_, old));
        }
        return flush();
    }

    void put_head(ActorId actor, Moved const& moved) {
        StateHead const& head = *moved.head;
        Dot const last{actor, head.seq};
        // Of an entry of ours that did not come itself only the source says what its stamp was.
        Hlc const most = Hlc::from(replica_.clock_.now_ms() + kHlcAheadMaxMs, 0xffff);
        Hlc const hlc = head.floor == head.seq ? std::min(moved.hlc, most) : moved.hlc;
        ActorState const state{head.seq, head.seq, hlc, head.chain, moved.deps};
        put(Family::meta, keys::meta(space_, 'a', actor), state.encode());
        put(Family::log, keys::signature(space_, last), std::string(crypto::view(head.signature)));
        if (!replica_.is_ours(actor)) replica_.hlc_.observe(hlc, replica_.clock_.now_ms());
        std::string const start_key = keys::meta(space_, 'b', actor);
        if (head.floor == 0) return remove(Family::meta, start_key);
        Hlc const start_hlc = std::min(head.floor_hlc, most);
        put(Family::meta, start_key, LogStart{head.floor, start_hlc, head.floor_chain}.encode());
    }

    // The vector moves, and all that was held back is read.
    Result<void> finish() {
        INOS_TRY(Sums sums, sum_heads(replica_.engine_, space_));
        for (auto const& [collection, value] : replica_.sums_)
            sums.try_emplace(collection);
        for (auto const& [collection, value] : sums)
            put(Family::digests, keys::digest(space_, collection), value.encode());
        ContinuityRecord record = replica_.continuity_;
        for (auto const& [actor, moved] : moved_) {
            put_head(actor, moved);
            INOS_TRY(VersionVector const deps, staged_.floor_deps(*moved.head));
            if (moved.head->floor > 0) put_deps({actor, moved.head->floor}, deps);
            if (!replica_.is_ours(actor)) continue;
            bool const current = actor == replica_.options_.actor;
            record.another_life(current ? Doubt::seen_more : Doubt::none);
        }
        if (record != replica_.continuity_) replica_.put_record(batch_, record);
        if (all_theirs_) remove(Family::meta, keys::meta_kind(space_, 'n'));
        put_feed_generation(batch_, space_, crypto::view(replica_.fresh_nonce()));
        for (char const name : {staging::kManifest, staging::kPosition, staging::kSwitching})
            remove(Family::staging, staging::key(space_, name));
        INOS_CHECK(replica_.write_batch(batch_, Durability::synced));
        if (scrub_) ++replica_.erasing_writes_;
        replica_.remember_erased(stage_);
        replica_.states_->drop_given();
        INOS_CHECK(replica_.states_->forget());
        return replica_.load_again();
    }

    // With the mark: what is erased is removed little by little from then on.
    void note_scrub() {
        scrub_ = taken_.met_erased ||
                 std::any_of(marks_.begin(), marks_.end(), [&](RecordTag const& tag) {
                     return !replica_.is_erased(tag) || replica_.pending_erasures_.contains(tag);
                 });
        if (scrub_) replica_.states_->put_scrub(batch_);
    }

    Replica& replica_;
    Taken const taken_;
    std::uint32_t const space_;
    StagedState const staged_;
    bool const all_theirs_;  // nothing is held here that the source has not seen
    Phase phase_ = Phase::none;
    std::string done_;
    WriteBatch batch_;
    std::size_t bytes_ = 0;
    std::map<ActorId, Moved> moved_;
    std::set<RecordTag> marks_;  // of all records that the source holds as erased
    std::unordered_map<RecordTag, Dot, HashOfTag> newest_;
    Dot end_;
    Stage stage_{replica_};
    bool scrub_ = false;
    Sums theirs_;
    std::map<std::string, DeletePolicy> policies_;
};

Result<void> Replica::States::switch_over() {
    return Switch(replica_, *taken_).run();
}

}  // namespace inos
