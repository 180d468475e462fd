// The API's view of this site as a whole: status, members, comparison, health.
#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "net/api_inspection.hpp"
#include "storage/crypto/site_id.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

Value members_value(Membership const& membership) {
    Array members;
    for (Certificate const& certificate : membership.sites())
        members.push_back(member_value(certificate));
    return Value(std::move(members));
}

// What of the status lies with the replica.
struct SpaceStatus {
    VersionVector held;
    std::string root;
    std::uint64_t records = 0;
    Value members;
    std::vector<PurgeBlocker> blockers;
    bool failed = false;
    Value continuity, forks, arriving, indexes;
    std::size_t admins = 0;
    std::string standing;
};

// Members that have been silent for so long hold purging back, and somebody should know.
constexpr std::uint64_t kSilentMs = 10 * 60'000;

Value silent_value(std::vector<PurgeBlocker> const& blockers, std::uint64_t now_ms) {
    Array silent;
    for (PurgeBlocker const& blocker : blockers) {
        if (blocker.since_ms + kSilentMs > now_ms) continue;
        bool const ever = blocker.since_ms > 0;
        silent.push_back(
            Value(Object{{"site", Value(blocker.name)},
                         {"entries", number_value(blocker.entries)},
                         {"since", ever ? Value(utc_text(blocker.since_ms)) : Value()}}));
    }
    return Value(std::move(silent));
}

Value continuity_value(Replica const& replica) {
    Doubt const doubt = replica.doubt();
    Object value{{"actor", Value(actor_text(replica.actor()))},
                 {"state", Value(doubt_name(doubt))}};
    if (doubt != Doubt::none)
        set_member(
            value,
            "reason",
            Value(std::string(doubt_text(doubt)) + "; the next write goes on under a new actor"));
    return Value(std::move(value));
}

// Of a state that arrives instead of entries: how many of about how many records are here.
Value arriving_value(std::optional<StateProgress> const& progress) {
    if (!progress) return {};
    return Value(
        Object{{"records", number_value(progress->here)}, {"of", number_value(progress->records)}});
}

Value indexes_value(Replica const& replica) {
    Array indexes;
    for (IndexStatus const& index : replica.index_status()) {
        Array fields;
        for (std::string const& field : index.fields)
            fields.push_back(Value(field));
        indexes.push_back(Value(Object{{"collection", Value(index.collection)},
                                       {"fields", Value(std::move(fields))},
                                       {"ready", Value(index.ready)},
                                       {"done", number_value(index.done)},
                                       {"of", number_value(index.records)}}));
    }
    return Value(std::move(indexes));
}

Value forks_value(Replica const& replica) {
    Array forks;
    for (auto const& [actor, fork] : replica.forks()) {
        auto const* author = replica.membership().by_actor(actor);
        forks.push_back(Value(Object{{"site", Value(author ? author->name : std::string())},
                                     {"actor", Value(actor_text(actor))},
                                     {"entry", number_value(fork.seq)},
                                     {"found", Value(utc_text(fork.found_ms))}}));
    }
    return Value(std::move(forks));
}

std::size_t admins_of(Membership const& membership) {
    auto const sites = membership.sites();
    return static_cast<std::size_t>(std::count_if(
        sites.begin(), sites.end(), [](auto const& site) { return site.role == Role::admin; }));
}

// This site's: "member", "retired", or "refused" where a retired admin had admitted it.
std::string standing_of(Replica const& replica) {
    Membership const& membership = replica.membership();
    SiteId const& self = membership.by_actor(replica.actor())->site;
    if (membership.by_site(self)) return "member";
    return membership.is_retired(self) ? "retired" : "refused";
}

SpaceStatus space_status(Replica const& replica) {
    return {replica.vector(),
            replica.root().text(),
            replica.record_count(),
            members_value(replica.membership()),
            replica.purge_blockers(),
            replica.failed(),
            continuity_value(replica),
            forks_value(replica),
            arriving_value(replica.state_progress()),
            indexes_value(replica),
            admins_of(replica.membership()),
            standing_of(replica)};
}

Value vector_value(VersionVector const& vector) {
    Object actors;
    for (auto const& [actor, seq] : vector.items())
        set_member(actors, actor_text(actor), number_value(seq));
    return Value(std::move(actors));
}

Value comparison_value(SiteComparison const& site) {
    return Value(Object{{"site", Value(site.site)},
                        {"name", Value(site.name)},
                        {"state", Value(site.state)},
                        {"root", Value(site.root)},
                        {"behind", number_value(site.behind)},
                        {"ahead", number_value(site.ahead)}});
}

Value notes_value(std::vector<RepairNote> const& notes) {
    Array list;
    for (RepairNote const& note : notes) {
        // The marks of an erased record have no key that anybody could read.
        bool const marks = !note.name.key.empty() && note.name.key.front() == '\1';
        list.push_back(Value(Object{{"collection", Value(note.name.collection)},
                                    {"id", Value(marks ? std::string() : note.name.key)},
                                    {"what", Value(note.what)}}));
    }
    return Value(std::move(list));
}

Value repair_value(RepairReport const& report) {
    Array damage;
    for (auto const& words : report.log_damage)
        damage.push_back(Value(words));
    return Value(Object{{"looked", number_value(report.looked)},
                        {"repaired", notes_value(report.repaired)},
                        {"repaired_count", number_value(report.mended)},
                        {"left", notes_value(report.left)},
                        {"left_count", number_value(report.lost)},
                        {"log", Value(std::move(damage))}});
}

Object verify_object(VerifyReport const& report) {
    Array peers;
    for (SiteComparison const& site : report.peers)
        peers.push_back(comparison_value(site));
    return Object{{"agree", Value(report.agree)},
                  {"root", Value(report.root)},
                  {"peers", Value(std::move(peers))},
                  {"systems", Value(Array{})}};
}

}  // namespace

void Api::get_status(CallPtr call) {
    auto done = [this, call](SpaceStatus space) {
        held_.merge(space.held);
        Value status(Object{{"name", Value(node_.space_name())},
                            {"root", Value(space.root)},
                            {"records", number_value(space.records)},
                            {"vector", vector_value(space.held)},
                            {"members", std::move(space.members)},
                            {"admins", number_value(space.admins)},
                            {"standing", Value(space.standing)},
                            {"arriving", std::move(space.arriving)},
                            {"indexes", std::move(space.indexes)},
                            {"continuity", std::move(space.continuity)},
                            {"forks", std::move(space.forks)},
                            {"purge_waits_for", silent_value(space.blockers, clock_.now_ms())}});
        Array peers;
        for (PeerStatus const& peer : node_.peers())
            peers.push_back(peer_value(peer));
        Value const site(
            Object{{"id", Value(node_.site_id())}, {"name", Value(node_.site_name())}});
        send(call,
             json_response(200,
                           Value(Object{{"site", site},
                                        {"version", Value(INOS_VERSION)},
                                        {"running", Value(node_.running())},
                                        {"writable", Value(!space.failed)},
                                        {"spaces", Value(Array{std::move(status)})},
                                        {"peers", Value(std::move(peers))},
                                        {"inspection", inspection_value(inspection().status())},
                                        {"adapters", Value(Array{})}})));
    };
    store_.query([](Replica& replica) { return space_status(replica); }, std::move(done));
}

// With {"repair": true}: first everything is looked at and put right, then compared.
void Api::post_verify(CallPtr call) {
    auto compare = [this, call](std::optional<RepairReport> repair) {
        node_.verify([this, call, repair = std::move(repair)](Result<VerifyReport> report) {
            if (!report) return send(call, api_error(report.error()));
            Object body = verify_object(*report);
            if (repair) body.push_back({"repair", repair_value(*repair)});
            send(call, json_response(200, Value(std::move(body))));
        });
    };
    bool repair = false;
    if (!call->request.body.empty()) {
        auto const body = parse_json_object(call->request.body);
        if (!body) return send(call, body_error(body.error()));
        auto const known = check_members(*body, {"repair"});
        if (!known) return send(call, write_error(known.error()));
        auto const* asked = find_member(*body, "repair");
        if (asked && !asked->as<bool>())
            return send(call,
                        write_error(Error{Errc::invalid, "\"repair\" is true or false", "repair"}));
        repair = asked && *asked->as<bool>();
    }
    if (!repair) return compare(std::nullopt);
    node_.repair([this, call, compare](Result<RepairReport> report) {
        if (!report) return send(call, api_error(report.error()));
        compare(*std::move(report));
    });
}

void Api::get_health(CallPtr call) {
    send(call, json_response(200, Value(Object{{"status", Value("ok")}})));
}

void Api::get_readiness(CallPtr call) {
    auto work = [](Replica& replica) -> std::string {
        if (replica.failed())
            return "an earlier write to the disk failed, so this node takes no more writes";
        if (standing_of(replica) != "member")
            return "this site is no member of the space any more, so it takes no writes";
        if (!replica.caught_up())
            return "this site has not caught up with its space yet, so it takes no writes";
        return {};
    };
    auto done = [this, call](std::string const& reason) {
        if (!reason.empty()) return send(call, api_error(503, "unavailable", reason));
        send(call, json_response(200, Value(Object{{"status", Value("ok")}})));
    };
    store_.query(work, std::move(done));
}

}  // namespace inos
