// The API's members: who belongs to the space, and what an admin decides about them.
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/crypto/site_id.hpp"
#include "storage/json.hpp"
#include "storage/member_list.hpp"
#include "storage/member_review.hpp"
#include "storage/recovery.hpp"

namespace inos {
namespace {

Value info_value(MemberInfo const& info) {
    Value base = member_value(info.certificate);
    Object value = *base.as<Object>();
    set_member(value, "state", Value(state_name(info.state)));
    set_member(value, "self", Value(info.self));
    bool const heard = info.acknowledged_ms.has_value();
    set_member(value, "acknowledged", heard ? Value(utc_text(*info.acknowledged_ms)) : Value());
    set_member(value, "missing", number_value(info.missing));
    if (info.state == MemberInfo::State::retired) {
        set_member(value, "retired_by", Value(info.retired_by));
        set_member(value, "retired", Value(utc_text(info.retired_ms)));
        Array waits;
        for (auto const& name : info.heir_waits_for)
            waits.push_back(Value(name));
        set_member(value, "heir", info.heir.empty() ? Value() : Value(info.heir));
        set_member(value, "heir_waits_for", Value(std::move(waits)));
    }
    return Value(std::move(value));
}

}  // namespace

void Api::get_members(CallPtr call) {
    read(std::move(call), [](Replica& replica) {
        auto const listed = list_members(replica);
        if (!listed) return api_error(listed.error());
        Array members;
        for (MemberInfo const& info : *listed)
            members.push_back(info_value(info));
        return json_response(200, Value(std::move(members)));
    });
}

// Work of an admin on the membership log; the peers hear of it at once.
void Api::decide(CallPtr call, std::function<Result<Value>(Replica&)> work) {
    store_.query(std::move(work), [this, call](Result<Value> const& done) {
        if (!done) return send(call, api_error(done.error()));
        node_.members_changed();
        send(call, json_response(200, *done));
    });
}

void Api::delete_member(CallPtr call) {
    std::string const text(call->param("site"));
    if (text.empty())
        return send(
            call,
            api_error(
                400, "usage", "which site? name it: DELETE /v1/members?site=NAME or ID", "site"));
    decide(std::move(call), [text](Replica& replica) -> Result<Value> {
        INOS_TRY(Certificate const member, find_member(replica.membership(), text));
        INOS_CHECK(replica.retire(member.site));
        return Value(Object{{"name", Value(member.name)},
                            {"site", Value(site_id_text(member.site))},
                            {"state", Value("retired")}});
    });
}

void Api::post_member(CallPtr call) {
    struct Change {
        std::string site;
        Role role = Role::reader;
        std::vector<std::string> scope;
    };
    auto const parse = [](std::string const& text) -> Result<Change> {
        INOS_TRY(Object const body, parse_json_object(text));
        INOS_CHECK(check_members(body, {"site", "role", "write"}));
        Change change;
        INOS_TRY(change.site, text_member(body, "site"));
        INOS_TRY(change.role, role_member(body));
        INOS_TRY(change.scope, texts_member(body, "write"));
        return change;
    };
    auto const change = parse(call->request.body);
    if (!change) return send(call, body_error(change.error()));
    decide(std::move(call), [change = *change](Replica& replica) -> Result<Value> {
        INOS_TRY(Certificate const member, find_member(replica.membership(), change.site));
        INOS_CHECK(replica.change_role(member.site, change.role, change.scope));
        auto const* now = replica.membership().by_site(member.site);
        return member_value(now ? *now : member);
    });
}

void Api::rotate_key(CallPtr call) {
    decide(std::move(call), [](Replica& replica) -> Result<Value> {
        INOS_CHECK(replica.rotate_key());
        KeyName const& key = replica.keys()->sealing();
        std::string id;
        put_u64(id, key.id);
        return Value(Object{{"epoch", number_value(key.epoch)}, {"key", Value(crypto::hex(id))}});
    });
}

namespace {

// Who is to be retired when this site recovers: those that are named; or the only other admin.
Result<std::vector<Certificate>> lost_admins(Replica const& replica,
                                             std::vector<std::string> const& named) {
    Membership const& membership = replica.membership();
    std::vector<Certificate> lost;
    for (auto const& text : named) {
        INOS_TRY(Certificate member, find_member(membership, text));
        lost.push_back(std::move(member));
    }
    if (!named.empty()) return lost;
    SiteId const self = membership.by_actor(replica.actor())->site;
    for (Certificate const& member : membership.sites())
        if (member.role == Role::admin && member.site != self) lost.push_back(member);
    if (lost.size() <= 1) return lost;
    std::string names;
    for (Certificate const& member : lost)
        names += (names.empty() ? "\"" : "\", \"") + member.name;
    return fail(Errc::conflict,
                "there are " + std::to_string(lost.size()) + " other admins, " + names +
                    "\"; name those that are lost",
                "lost");
}

}  // namespace

void Api::recover(CallPtr call) {
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto const known = check_members(*body, {"code", "lost"});
    if (!known) return send(call, api_error(known.error()));
    auto const code = text_member(*body, "code");
    auto const lost = texts_member(*body, "lost");
    if (!code || !lost) return send(call, api_error(code ? lost.error() : code.error()));
    auto const key = read_recovery_code(*code);
    if (!key) return send(call, api_error(key.error()));
    decide(std::move(call), [key = *key, named = *lost](Replica& replica) -> Result<Value> {
        INOS_TRY(auto const gone, lost_admins(replica, named));
        std::vector<SiteId> sites;
        Array names;
        for (Certificate const& member : gone) {
            sites.push_back(member.site);
            names.push_back(Value(member.name));
        }
        Recovery const next = make_recovery();
        INOS_CHECK(replica.recover(key, sites, next.key.public_key));
        return Value(
            Object{{"recovery_code", Value(next.code)}, {"retired", Value(std::move(names))}});
    });
}

namespace {

constexpr std::size_t kReviewRecordsShown = 100;

Value names_value(std::vector<RecordName> const& names) {
    Array records;
    for (RecordName const& name : names) {
        if (records.size() == kReviewRecordsShown) break;
        records.push_back(
            Value(Object{{"collection", Value(name.collection)}, {"id", Value(name.key)}}));
    }
    return Value(std::move(records));
}

Value review_value(MemberReview const& review) {
    return Value(Object{{"actor", Value(actor_text(review.actor))},
                        {"site", Value(site_id_text(review.site))},
                        {"name", Value(review.name)},
                        {"reason", Value(review.retired ? "retired" : "rights")},
                        {"from", number_value(review.from)},
                        {"to", number_value(review.to)},
                        {"not_kept", number_value(review.not_kept)},
                        {"record_count", number_value(review.records.size())},
                        {"records", names_value(review.records)}});
}

struct ReviewAsked {
    std::string actor;
    ReviewDecision decision = ReviewDecision::keep;
};

Result<ReviewAsked> parse_review(std::string const& text) {
    INOS_TRY(Object const body, parse_json_object(text));
    INOS_CHECK(check_members(body, {"actor", "decision"}));
    ReviewAsked asked;
    INOS_TRY(asked.actor, text_member(body, "actor"));
    INOS_TRY(std::string const decision, text_member(body, "decision"));
    if (decision != "keep" && decision != "revert")
        return fail(Errc::invalid, "\"decision\" has to be \"keep\" or \"revert\"", "decision");
    asked.decision = decision == "keep" ? ReviewDecision::keep : ReviewDecision::revert;
    return asked;
}

}  // namespace

void Api::list_reviews(CallPtr call) {
    read(std::move(call), [](Replica& replica) {
        auto const reviews = inos::list_reviews(replica);
        if (!reviews) return api_error(reviews.error());
        Array list;
        for (MemberReview const& review : *reviews)
            list.push_back(review_value(review));
        return json_response(200, Value(Object{{"reviews", Value(std::move(list))}}));
    });
}

// Ordinary writes, made from what is there now: history and explain tell them as any others.
void Api::decide_review(CallPtr call) {
    auto const asked = parse_review(call->request.body);
    if (!asked) return send(call, body_error(asked.error()));
    using Decided = Result<ReviewWrites>;
    auto work = [asked = *asked](Replica& replica) -> Decided {
        INOS_TRY(auto const reviews, inos::list_reviews(replica));
        for (MemberReview const& review : reviews)
            if (actor_text(review.actor) == asked.actor)
                return review_writes(replica, review, asked.decision);
        return fail(Errc::not_found,
                    "nothing of the actor \"" + asked.actor + "\" waits for a review",
                    "actor");
    };
    store_.query(std::move(work), [this, call, decision = asked->decision](Decided planned) {
        if (!planned) return send(call, api_error(planned.error()));
        bool const reverts = decision == ReviewDecision::revert;
        auto tell = [reverts, left = std::move(planned->left)](Committed const& committed) {
            std::size_t changed = 0;
            for (std::size_t i = 0; i + 1 < committed.writes.size(); ++i)
                if (committed.writes[i].changed) ++changed;
            return Written{200,
                           Value(Object{{"decision", Value(reverts ? "revert" : "keep")},
                                        {"changed", number_value(changed)},
                                        {"left_count", number_value(left.size())},
                                        {"left", names_value(left)}}),
                           {}};
        };
        write(call, std::move(planned->transaction), std::move(tell));
    });
}

}  // namespace inos
