// Replica::apply: a peer's batch, checked whole, then written whole.

#include <algorithm>
#include <set>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema";

std::string describe_dot(Certificate const& author, Dot dot) {
    return "entry " + std::to_string(dot.seq) + " of \"" + author.name + "\"";
}

// Did the author's site sign the erasure that the op is, and of a record of that collection?
bool is_authentic(Certificate const& author, Op const& op, crypto::Secret const& digest_key) {
    return is_tag_in(op.tag, digest_key, op.collection) &&
           crypto::verify(author.site,
                          erasure_statement(author.space, author.actor, op.collection, op.tag),
                          op.proof);
}

// The records whose ops came as stubs, anywhere in the batch.
std::set<RecordTag> stub_tags(EntryBatch const& batch) {
    std::set<RecordTag> tags;
    for (EntryRun const& run : batch.runs)
        for (auto const& bytes : run.entries) {
            auto const frame = in_erased_form(bytes) ? frame_entry(bytes) : std::nullopt;
            if (!frame) continue;
            for (auto const& op : frame->ops)
                if (op.kind_and_body.empty()) tags.insert(op.tag);
        }
    return tags;
}

}  // namespace

VoidReason Replica::judge(Certificate const& author, Entry const& entry) const {
    if (!author.may_write()) return VoidReason::not_a_writer;
    for (Op const& op : entry.ops)
        if (!op.collection.empty() &&
            !author.may_write(collection_concerned(op.collection, op.key)))
            return VoidReason::out_of_scope;
    for (Op const& op : entry.ops)
        if (op.kind == static_cast<std::uint64_t>(OpKind::erase) &&
            !is_authentic(author, op, options_.digest_key))
            return VoidReason::bad_proof;
    return VoidReason::none;
}

// Deps name entries: each head has to be here, on the same chain, which is kept of what was cut.
Result<void> Replica::check_deps(Stage const& stage,
                                 Certificate const& author,
                                 EntryHeader const& header) const {
    for (DepHead const& dep : header.deps) {
        if (stage.vector().at(dep.actor) < dep.seq)
            return fail(
                Errc::protocol,
                describe_dot(author, header.dot) + " came before an entry that it had seen");
        INOS_TRY(auto const chain, stage.chain_prefix_at({dep.actor, dep.seq}));
        if (!chain)
            return fail(
                Errc::corruption,
                "the log lacks an entry that " + describe_dot(author, header.dot) + " names");
        if (*chain != dep.chain)
            return fail(Errc::protocol,
                        describe_dot(author, header.dot) +
                            " had seen another history of one of the actors than the one held "
                            "here: two copies of a site have been writing");
    }
    return {};
}

// What the entry does to the records here. Answers for every op the entry before it in the history
// of its record.
Result<std::vector<Dot>> Replica::apply_ops(Stage& stage,
                                            OpOrigin const& origin,
                                            Entry const& entry,
                                            EntryFrame const& frame,
                                            std::vector<RecordTag> const& tags) {
    std::vector<Dot> links(frame.ops.size());
    auto const names = header_names(frame.header);
    auto op = entry.ops.begin();
    for (std::size_t i = 0; i < frame.ops.size(); ++i) {
        if (frame.ops[i].kind_and_body.empty()) continue;  // a stub
        Op const& present = *op++;
        if (present.kind == static_cast<std::uint64_t>(OpKind::erase)) {
            INOS_CHECK(stage.erase(present, origin));
            continue;
        }
        auto const record = op_record(names, frame.ops[i].kind_and_body);
        if (!record || !valid_name(record->collection) || !valid_name(record->key)) continue;
        if (stage.is_erased(tags[i])) continue;
        INOS_TRY(Staged* const staged,
                 stage.record({std::string(record->collection), std::string(record->key)}));
        links[i] = stage.touch(*staged, origin.dot);
        inos::apply(staged->record, present, origin);  // nothing, if its kind is of a newer version
        staged->dirty = true;
        if (record->collection == kSchemaCollection) stage.schema_changed = true;
    }
    return links;
}

Result<void> Replica::apply_entry(Stage& stage,
                                  Dot dot,
                                  std::string const& bytes,
                                  ApplyReport& report) {
    Certificate const& author = *membership_->by_actor(dot.actor);
    if (from_newer_version(bytes))
        return fail(Errc::unsupported,
                    describe_dot(author, dot) +
                        " is in a newer format than this program knows; upgrade this node");
    auto decoded = decode_entry(bytes, dot);
    EntryHeader const& header = decoded.entry.header;
    if (decoded.header_known) INOS_CHECK(check_deps(stage, author, header));
    VoidReason reason = decoded.reason;
    if (reason == VoidReason::none) reason = judge(author, decoded.entry);
    auto const hashed = hash_entry(stage.actor(dot.actor).chain, bytes, options_.digest_key);
    if (hashed.frame)
        for (auto const& op : hashed.frame->ops)
            if (op.kind_and_body.empty() && !stage.is_erased(op.tag))
                return fail(Errc::protocol,
                            describe_dot(author, dot) +
                                " came without an operation that no erasure explains");
    stage.advance(dot, decoded.header_known ? &header : nullptr, hashed.chain);
    std::vector<Dot> links;
    if (reason == VoidReason::none) {
        // Our own of another life: what we issue next has to be above it, whatever the clock says.
        if (is_ours(dot.actor)) {
            stage.hlc = HlcClock(std::max(stage.hlc.last(), header.hlc));
        } else if (stage.hlc.observe(header.hlc, clock_.now_ms())) {
            auto& skewed = report.skewed_sites;
            if (std::find(skewed.begin(), skewed.end(), author.name) == skewed.end())
                skewed.push_back(author.name);
        }
        VersionVector deps = stage.actor(dot.actor).deps;
        if (dot.seq > 1) deps.set(dot.actor, dot.seq - 1);
        OpOrigin const origin{dot, header.hlc, header.source, deps};
        INOS_TRY(links, apply_ops(stage, origin, decoded.entry, *hashed.frame, hashed.tags));
    } else {
        ++report.voided;
    }
    stage.append(dot,
                 hashed.chain,
                 reason,
                 std::move(links),
                 stage.without_erased(bytes, hashed.tags, reason));
    return {};
}

Result<void> Replica::apply_run(Stage& stage, EntryRun const& run, ApplyReport& report) {
    auto const* author = membership_->by_actor(run.actor);
    if (!author)
        return fail(Errc::protocol, "a batch holds entries of an actor without a certificate here");
    if (run.first == 0 || run.first > kSeqMax)
        return fail(Errc::protocol, "a batch names an entry number out of range");
    for (std::size_t i = 0; i < run.entries.size(); ++i) {
        Dot const dot{run.actor, run.first + i};
        Seq const have = stage.vector().at(run.actor);
        if (dot.seq <= have) {
            ++report.known;
            continue;
        }
        if (dot.seq != have + 1)
            return fail(Errc::protocol,
                        describe_dot(*author, dot) + " came without the one before it, " +
                            std::to_string(have + 1));
        INOS_CHECK(apply_entry(stage, dot, run.entries[i], report));
        ++report.applied;
    }
    return {};
}

// The erasures that come along are those of stubs. Each has to be signed by a site that may write
// the collection; those that are known already are not looked at again. Of what is no stub here the
// erase itself comes sometime, at the place that it has among the entries.
Result<void> Replica::check_erasures(Stage& stage, EntryBatch const& batch) const {
    if (batch.erasures.empty()) return {};
    auto const stubs = stub_tags(batch);
    for (Erasure const& erasure : batch.erasures) {
        if (is_erased(erasure.tag)) continue;
        auto const* author = membership_->by_actor(erasure.actor);
        bool const good =
            author && author->may_write(erasure.collection) && valid_name(erasure.collection) &&
            is_tag_in(erasure.tag, options_.digest_key, erasure.collection) &&
            crypto::verify(
                author->site,
                erasure_statement(
                    membership_->space(), erasure.actor, erasure.collection, erasure.tag),
                erasure.signature);
        if (!good)
            return fail(Errc::protocol,
                        "a batch holds an erasure that nobody here may have signed");
        if (stubs.contains(erasure.tag)) stage.put_proof(erasure);
    }
    return {};
}

// Before anything is decoded: what nobody could forward, or is made to cost its receiver time.
Result<void> Replica::check_size(EntryBatch const& batch) const {
    std::size_t const entries = batch.entries();
    if (entries > kBatchEntriesMax || batch.bytes() > kBatchBytesMax)
        return fail(Errc::protocol,
                    "a batch of " + std::to_string(entries) + " entries and " +
                        std::to_string(batch.bytes()) + " bytes is over the limit of a batch");
    if (batch.heads.size() > entries)
        return fail(Errc::protocol, "a batch holds more signatures than entries");
    if (batch.erasures.size() > kBatchErasuresMax)
        return fail(Errc::protocol, "a batch holds more erasures than a batch may");
    return {};
}

// The last entry of every actor that the batch moved has to be signed; other signatures that come
// along are checked too and kept, for they are where a forwarder may cut.
Result<void> Replica::check_heads(Stage& stage, EntryBatch const& batch) const {
    for (SignedHead const& head : batch.heads) {
        Dot const dot{head.actor, head.seq};
        auto const* author = membership_->by_actor(head.actor);
        if (!author) return fail(Errc::protocol, "a signature of an actor without a certificate");
        if (head.seq <= vector_.at(head.actor)) continue;
        INOS_TRY(auto const chain, stage.chain_at(dot));
        if (!chain) return fail(Errc::protocol, "a signature names an entry that did not come");
        if (!crypto::verify(
                author->site, head_statement(membership_->space(), dot, *chain), head.signature))
            return fail(Errc::protocol,
                        describe_dot(*author, dot) + " is not what its author signed");
        stage.put_signature(dot, head.signature);
    }
    for (auto const& [actor, state] : stage.actors_)
        if (state.seq > vector_.at(actor) && state.signed_seq != state.seq)
            return fail(Errc::protocol, "a batch ends at an entry that its author has not signed");
    return {};
}

// Signs our own last entry before foreign ones are taken in: so no entry of an unsigned stretch
// depends on anything that the stretch's first one did not, and forwarders can cut there.
void Replica::sign_head(Stage& stage) const {
    auto const own = actors_.find(options_.actor);
    if (own == actors_.end() || own->second.signed_seq == own->second.seq) return;
    Dot const dot{options_.actor, own->second.seq};
    stage.put_signature(dot, sign_own(dot, own->second.chain));
}

Result<ApplyReport> Replica::apply(EntryBatch const& batch) {
    INOS_CHECK(check_size(batch));
    INOS_CHECK(check_foreign_room());
    Stage stage(*this);
    ApplyReport report;
    INOS_CHECK(check_erasures(stage, batch));
    stage.batch = &batch;
    for (EntryRun const& run : batch.runs)
        INOS_CHECK(apply_run(stage, run, report));
    if (report.applied == 0) return report;
    INOS_CHECK(check_heads(stage, batch));
    sign_head(stage);
    // Somebody has seen more of our actor than this directory: its life went on elsewhere.
    ContinuityRecord record = continuity_;
    for (auto const& [actor, state] : stage.actors_)
        if (is_ours(actor) && state.seq > vector_.at(actor))
            record.another_life(actor == options_.actor ? Doubt::seen_more : Doubt::none);
    report.took_back = record.doubt > continuity_.doubt;
    bool const known_better = record != continuity_;
    if (known_better) put_record(stage.batch_, record);
    report.schema_changed = stage.schema_changed;
    // Synced whatever this node chose for its own commits: what follows is an acknowledgement, and
    // others count on what it names.
    INOS_CHECK(write(stage, Durability::synced));
    if (known_better) {
        continuity_ = std::move(record);
        doubt_ = judge_continuity(continuity_, options_.marks);
    }
    return report;
}

}  // namespace inos
