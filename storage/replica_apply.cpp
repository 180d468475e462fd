// Replica::apply: a peer's batch, checked whole, then written whole.

#include <algorithm>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema";

std::string describe_dot(Certificate const& author, Dot dot) {
    return "entry " + std::to_string(dot.seq) + " of \"" + author.name + "\"";
}

}  // namespace

VoidReason Replica::judge(Certificate const& author, Entry const& entry) const {
    if (!author.may_write()) return VoidReason::not_a_writer;
    for (Op const& op : entry.ops)
        if (!op.collection.empty() && !author.may_write(op.collection))
            return VoidReason::out_of_scope;
    return VoidReason::none;
}

// Deps name entries: each head has to be here, on the same chain.
Result<void> Replica::check_deps(Stage const& stage,
                                 Certificate const& author,
                                 EntryHeader const& header) const {
    for (DepHead const& dep : header.deps) {
        if (stage.vector().at(dep.actor) < dep.seq)
            return fail(
                Errc::protocol,
                describe_dot(author, header.dot) + " came before an entry that it had seen");
        INOS_TRY(auto const chain, stage.chain_at({dep.actor, dep.seq}));
        if (!chain)
            return fail(
                Errc::corruption,
                "the log lacks an entry that " + describe_dot(author, header.dot) + " names");
        if (chain_prefix(*chain) != dep.chain)
            return fail(Errc::protocol,
                        describe_dot(author, header.dot) +
                            " had seen another history of one of the actors than the one held "
                            "here: two copies of a site have been writing");
    }
    return {};
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
    if (in_erased_form(bytes))
        return fail(Errc::unsupported,
                    describe_dot(author, dot) +
                        " lacks operations that were erased, which this program cannot check; "
                        "upgrade this node");
    auto decoded = decode_entry(bytes, dot);
    EntryHeader const& header = decoded.entry.header;
    if (decoded.header_known) INOS_CHECK(check_deps(stage, author, header));
    VoidReason reason = decoded.reason;
    if (reason == VoidReason::none) reason = judge(author, decoded.entry);
    auto const chain = chain_next(stage.actor(dot.actor).chain, bytes);
    stage.append(dot, decoded.header_known ? &header : nullptr, chain, reason, bytes);
    if (reason != VoidReason::none) {
        ++report.voided;
        return {};
    }
    if (stage.hlc.observe(header.hlc, clock_.now_ms())) {
        auto& skewed = report.skewed_sites;
        if (std::find(skewed.begin(), skewed.end(), author.name) == skewed.end())
            skewed.push_back(author.name);
    }
    VersionVector deps = stage.actor(dot.actor).deps;
    if (dot.seq > 1) deps.set(dot.actor, dot.seq - 1);
    OpOrigin const origin{dot, header.hlc, header.source, deps};
    for (Op const& op : decoded.entry.ops) {
        if (op.collection.empty()) continue;  // a kind of a newer version
        INOS_TRY(Staged* const staged, stage.record({op.collection, op.key}));
        inos::apply(staged->record, op, origin);
        staged->dirty = true;
        if (op.collection == kSchemaCollection) stage.schema_changed = true;
    }
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

// Before anything is decoded: what nobody could forward, or is made to cost its receiver time.
Result<void> Replica::check_size(EntryBatch const& batch) const {
    std::size_t const entries = batch.entries();
    if (entries > kBatchEntriesMax || batch.bytes() > kBatchBytesMax)
        return fail(Errc::protocol,
                    "a batch of " + std::to_string(entries) + " entries and " +
                        std::to_string(batch.bytes()) + " bytes is over the limit of a batch");
    if (batch.heads.size() > entries)
        return fail(Errc::protocol, "a batch holds more signatures than entries");
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
    if (failed_) return tl::unexpected(refused().error());
    INOS_CHECK(check_size(batch));
    Stage stage(*this);
    ApplyReport report;
    for (EntryRun const& run : batch.runs)
        INOS_CHECK(apply_run(stage, run, report));
    if (report.applied == 0) return report;
    INOS_CHECK(check_heads(stage, batch));
    sign_head(stage);
    report.schema_changed = stage.schema_changed;
    // Synced whatever this node chose for its own commits: what follows is an acknowledgement, and
    // others count on what it names.
    INOS_CHECK(write(stage, Durability::synced));
    return report;
}

}  // namespace inos
