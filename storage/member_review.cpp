#include "storage/member_review.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "crdt/path.hpp"
#include "storage/copied_fields.hpp"
#include "storage/entry_hash.hpp"
#include "storage/history.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

std::string actor_key(ActorId actor) {
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4)
        text += kHexDigits[actor.value >> shift & 15];
    return text;
}

// Does `now` allow less than `before` did?
bool allows_less(Certificate const& now, Certificate const& before) {
    if (now.role != before.role) return now.role > before.role;
    if (now.scope.empty()) return false;
    if (before.scope.empty()) return true;
    return std::any_of(before.scope.begin(), before.scope.end(), [&](auto const& collection) {
        return !now.may_write(collection);
    });
}

// The last entry of an actor that is beyond doubt; nullopt: all are.
std::optional<Seq> cut_of(Membership const& membership, Certificate const& author) {
    auto const& view = membership.view();
    if (auto const by = view.retired.find(author.site); by != view.retired.end()) {
        std::optional<Seq> least;
        for (KnownStatement const* known : by->second) {
            Seq held = 0;
            for (ActorPoint const& point : std::get<Retirement>(known->statement.what).held)
                if (point.actor == author.actor) held = point.seq;
            least = std::min(least.value_or(held), held);
        }
        return least;
    }
    auto const* now = membership.by_site(author.site);
    if (!now) return Seq{0};
    if (membership.is_current(author.actor) || !allows_less(*now, author)) return std::nullopt;
    return membership.granted(*now).issuer_vv.at(author.actor);
}

// What is under review decides nothing: only cells count whose authors are beyond doubt.
Result<Seq> reviewed_up_to(Replica const& replica, ActorId actor) {
    Membership const& membership = replica.membership();
    RecordName const name{std::string(kReviewCollection), actor_key(actor)};
    INOS_TRY(Record const record, replica.record_at(name));
    for (Cell const& cell : record.cells()) {
        if (is_special(cell.path) || Reader(cell.path).blob() != "seq") continue;
        auto const cut = cut_of(membership, *membership.by_actor(cell.dot.actor));
        if (cut && cell.dot.seq > *cut) return Seq{0};
    }
    INOS_TRY(auto const view, replica.get(name));
    Value const* seq = view ? find_member(view->fields, "seq") : nullptr;
    auto const* number = seq ? seq->as<std::int64_t>() : nullptr;
    return number && *number > 0 ? static_cast<Seq>(*number) : Seq{0};
}

// Reads on from review.from; review.to is where it had to stop.
Result<void> read_records(Replica const& replica, MemberReview& review, Seq last) {
    std::set<RecordName> records;
    Seq const first = std::max(review.from, replica.log_starts().of(review.actor) + 1);
    review.not_kept = std::min(first - 1, last) - (review.from - 1);
    review.to = std::min(first - 1, last);
    for (Seq seq = first; seq <= last && records.size() < kReviewRecordsMax; ++seq) {
        review.to = seq;
        Dot const dot{review.actor, seq};
        INOS_TRY(auto const value,
                 replica.engine().get(Family::log, keys::log(replica.space_number(), dot)));
        auto const stored = value ? StoredEntry::decode(*value, review.actor) : std::nullopt;
        if (!stored) return tl::unexpected(corrupt_entry(dot));
        if (stored->reason != VoidReason::none) continue;
        auto const decoded = decode_entry(std::string(stored->bytes), dot);
        for (Op const& op : decoded.entry.ops) {
            RecordName name{op.collection, op.key};
            bool const named = valid_name(op.collection) && valid_name(op.key);
            if (named && !replica.is_erased(name)) records.insert(std::move(name));
        }
    }
    review.records.assign(records.begin(), records.end());
    return {};
}

// Adds what makes the record what it would be without the entries.
Result<void> revert(Replica const& replica,
                    MemberReview const& review,
                    RecordName const& name,
                    ReviewWrites& out) {
    INOS_TRY(RecordPast const past, read_past(replica, name));
    if (!past.complete) {
        out.left.push_back(name);
        return {};
    }
    VersionVector without = replica.vector();
    without.set(review.actor, review.from - 1);
    CollectionSchema const& schema = replica.schema(name.collection);
    Record const then = record_as_of(past, without);
    bool const was = visible(state_of(then), schema.on_delete);
    bool const is = visible(state_of(past.now), schema.on_delete);
    if (!was && !is) return {};
    Write write;
    write.name = name;
    write.kind = was ? Write::Kind::put : Write::Kind::delete_;
    if (was) write.fields = copied_fields(then, is ? past.now : Record(), schema);
    out.transaction.writes.push_back(std::move(write));
    return {};
}

}  // namespace

Result<std::map<ActorId, Seq>> not_reviewed_behind(Replica const& replica) {
    Membership const& membership = replica.membership();
    std::map<ActorId, Seq> open;
    for (auto const& [actor, last] : replica.vector().items()) {
        auto const cut = cut_of(membership, *membership.by_actor(actor));
        if (!cut || *cut >= last) continue;
        INOS_TRY(Seq const reviewed, reviewed_up_to(replica, actor));
        if (reviewed < last) open.emplace(actor, std::max(*cut, reviewed));
    }
    return open;
}

Result<std::vector<MemberReview>> list_reviews(Replica const& replica) {
    Membership const& membership = replica.membership();
    std::vector<MemberReview> reviews;
    INOS_TRY(auto const open, not_reviewed_behind(replica));
    for (auto const& [actor, behind] : open) {
        Certificate const& author = *membership.by_actor(actor);
        MemberReview review;
        review.actor = actor;
        review.site = author.site;
        review.name = author.name;
        review.retired = !membership.by_site(author.site);
        review.from = behind + 1;
        INOS_CHECK(read_records(replica, review, replica.vector().at(actor)));
        reviews.push_back(std::move(review));
    }
    return reviews;
}

Result<ReviewWrites> review_writes(Replica const& replica,
                                   MemberReview const& review,
                                   ReviewDecision decision) {
    bool const reverts = decision == ReviewDecision::revert;
    ReviewWrites out{{"review", {}}, {}};
    for (RecordName const& name : review.records) {
        if (!reverts) break;
        INOS_CHECK(revert(replica, review, name, out));
    }
    Write decided;
    decided.kind = Write::Kind::patch;
    decided.name = {std::string(kReviewCollection), actor_key(review.actor)};
    set_member(decided.fields, "seq", Value(static_cast<std::int64_t>(review.to)));
    set_member(decided.fields, "decision", Value(reverts ? "revert" : "keep"));
    out.transaction.writes.push_back(std::move(decided));
    return out;
}

}  // namespace inos
