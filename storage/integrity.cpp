#include "storage/integrity.hpp"

#include <algorithm>
#include <utility>

#include "storage/integrity_reading.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "storage/staged_state.hpp"

namespace inos {
namespace {

Remedy remedy_of(FindingKind kind) {
    switch (kind) {
        case FindingKind::record_damaged:
        case FindingKind::record_erased:
        case FindingKind::mark_unproven:
        case FindingKind::index_row_lacks:
        case FindingKind::index_row_extra:
        case FindingKind::index_lacks:
        case FindingKind::index_extra:
        case FindingKind::sums:
            return Remedy::itself;
        case FindingKind::record_key:
        case FindingKind::unreadable:
            return Remedy::repair;
        case FindingKind::sums_row:
        case FindingKind::meta:
            return Remedy::restart;
        case FindingKind::entry_links:
            return Remedy::repair;
        case FindingKind::entry_missing:
        case FindingKind::entry_unreadable:
        case FindingKind::entry_chain:
        case FindingKind::entry_deps:
        case FindingKind::entry_stray:
        case FindingKind::entry_row:
        case FindingKind::signature:
            return Remedy::replace;
        case FindingKind::format:
            return Remedy::upgrade;
    }
    return Remedy::repair;
}

}  // namespace

Inspector::Inspector(Replica& replica) : replica_(replica) {}

Inspector::~Inspector() = default;

Hlc Inspector::last_stamp(Replica const& replica) {
    return replica.hlc_.last();
}

void Inspector::begin() {
    begun_ = true;
    pin_ = replica_.log_pin_;
    inspected_ = {};
    for (auto const& [collection, sums] : replica_.sums_)
        inspected_.of += sums.unmarked_records + sums.uncovered_records;
    for (auto const& [actor, seq] : replica_.vector_.items())
        inspected_.of += seq - std::min(seq, replica_.log_starts_.of(actor));
    findings_.clear();
    wrong_indexes_.clear();
    reading_.reset();
    next_phase(IntegrityPhase::records);
    adding_.reset();
    // There is one such walk at a time, and a repair's comes first.
    if (!replica_.summing_.expired()) return;
    adding_ = std::make_unique<Adding>(Adding{std::make_shared<Replica::Summing>()});
    adding_->summing->from = from_;
    replica_.summing_ = adding_->summing;
}

void Inspector::next_phase(IntegrityPhase phase) {
    inspected_.phase = phase;
    from_ = keys::space_begin(replica_.options_.space);
}

// What is half written is put right by the one who writes it.
Result<void> Inspector::may_look() const {
    if (replica_.failed_)
        return fail(Errc::unavailable,
                    "a write to the disk has failed; the database is looked at when it was opened "
                    "again");
    INOS_TRY(auto const switching,
             replica_.engine_.get(Family::staging,
                                  staging::key(replica_.options_.space, staging::kSwitching)));
    if (!switching) return {};
    return fail(Errc::unavailable, "a state comes into force");
}

// Sums are what they should be when the repair has ended: until then it leaves rows of them empty.
Result<bool> Inspector::waits_for_repair() const {
    if (!replica_.damaged_.empty() || replica_.sums_lost_) return true;
    std::uint32_t const space = replica_.options_.space;
    auto cursor =
        replica_.engine_.scan(Family::digests, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next())
        if (cursor->value().empty()) return true;
    INOS_CHECK(cursor->status());
    return false;
}

Result<bool> Inspector::step(std::size_t budget) {
    INOS_CHECK(may_look());
    if (!begun_ || inspected_.phase == IntegrityPhase::done || pin_.lock() != replica_.log_pin_)
        begin();
    std::size_t left = budget;
    while (left > 0 && inspected_.phase != IntegrityPhase::done) {
        std::size_t const before = left;
        auto const looked = [&]() -> Result<void> {
            switch (inspected_.phase) {
                case IntegrityPhase::records:
                    return look_at_records(left);
                case IntegrityPhase::index:
                    return look_at_rows(left);
                case IntegrityPhase::log:
                    return look_at_log(left);
                case IntegrityPhase::meta:
                    return look_at_meta(left);
                case IntegrityPhase::done:
                    break;
            }
            return {};
        }();
        inspected_.bytes += before - left;
        INOS_CHECK(looked);
    }
    return inspected_.phase == IntegrityPhase::done;
}

Inspected Inspector::inspected() const {
    Inspected all = inspected_;
    for (auto const& [place, finding] : findings_)
        all.findings.push_back(finding);
    return all;
}

// One for each place; of the log one for each kind and author, with the first of the entries.
void Inspector::note(Finding finding) {
    finding.remedy = remedy_of(finding.kind);
    Place place{finding.kind, finding.family, finding.collection, finding.key, finding.actor};
    for (std::string const& field : finding.fields)
        std::get<3>(place) += field + '\0';
    auto const known = findings_.find(place);
    if (known != findings_.end()) {
        known->second.count += finding.count;
    } else if (findings_.size() < kFindingsMax) {
        findings_.emplace(std::move(place), std::move(finding));
    } else {
        inspected_.whole = false;
    }
}

void Inspector::damaged(FindingKind kind, RecordName const& name) {
    replica_.note_damaged(name.collection + '\0' + name.key);
    note({.kind = kind, .collection = name.collection, .key = name.key});
}

// True: all of the range was read. Where the disk cannot read on, that is a finding.
Result<bool> Inspector::ended(Cursor const& cursor, Family family) {
    if (cursor.valid()) return false;
    auto const status = cursor.status();
    if (status) return true;
    if (status.error().code != Errc::corruption) return tl::unexpected(status.error());
    inspected_.whole = false;
    note({.kind = FindingKind::unreadable, .family = family});
    return false;
}

Result<std::vector<Finding>> Inspector::still_there(std::vector<Finding> const& findings) const {
    std::vector<Finding> there;
    for (Finding const& finding : findings) {
        bool const of_record = finding.kind == FindingKind::record_damaged ||
                               finding.kind == FindingKind::record_erased ||
                               finding.kind == FindingKind::index_row_lacks ||
                               finding.kind == FindingKind::index_row_extra;
        if (!of_record) {
            there.push_back(finding);
            continue;
        }
        if (!replica_.damaged_.contains(finding.collection + '\0' + finding.key)) {
            RecordName const name{finding.collection, finding.key};
            auto const value = replica_.engine_.get(
                Family::records, keys::record(replica_.options_.space, name.collection, name.key));
            if (!value && value.error().code != Errc::corruption)
                return tl::unexpected(value.error());
            if (value && !*value) continue;
            INOS_TRY(auto const wrong,
                     value ? judge(name, **value)
                           : Result<std::optional<FindingKind>>(FindingKind::record_damaged));
            if (!wrong) continue;
        }
        there.push_back(finding);
    }
    return there;
}

}  // namespace inos
