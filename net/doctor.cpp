#include "net/doctor.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "net/api_format.hpp"
#include "net/finding_words.hpp"

namespace inos {
namespace {

constexpr std::size_t kNamed = 5;  // of what there may be many of

class Doctor {
public:
    explicit Doctor(DoctorFacts const& facts) : facts_(facts) {}

    std::vector<Diagnosis> all() {
        disk();
        membership();
        continuity();
        clock();
        members();
        invites();
        schema();
        indexes();
        records();
        inspection();
        peers();
        roots();
        backup();
        std::stable_sort(found_.begin(), found_.end(), [](auto const& a, auto const& b) {
            return a.severity > b.severity;
        });
        return std::move(found_);
    }

private:
    void add(Severity severity, char const* check, std::string what, std::string todo = {}) {
        found_.push_back({severity, check, std::move(what), std::move(todo)});
    }
    // What to say where nothing was wrong.
    void well(char const* check, std::string what) {
        bool const any = std::any_of(
            found_.begin(), found_.end(), [check](auto const& d) { return d.check == check; });
        if (!any) add(Severity::ok, check, std::move(what));
    }
    static std::string list(std::vector<std::string> const& names) {
        std::string text;
        for (std::size_t i = 0; i < names.size() && i < kNamed; ++i)
            text += (i == 0 ? "\"" : ", \"") + names[i] + "\"";
        if (names.size() > kNamed)
            text += " and " + std::to_string(names.size() - kNamed) + " more";
        return text;
    }
    static std::string days(std::uint64_t ms) {
        std::uint64_t const hours = ms / 3'600'000;
        return hours < 48 ? std::to_string(hours) + " hours" : std::to_string(hours / 24) + " days";
    }
    static std::string seconds(std::uint64_t ms) {
        return ms < 120'000 ? std::to_string(ms / 1'000) + " s"
                            : std::to_string(ms / 60'000) + " min";
    }

    void disk() {
        if (facts_.failed)
            add(Severity::problem,
                "writes",
                "a write to the disk has failed, so this node takes no more writes",
                "See that the disk is well and has room, then stop the node and start it again: "
                "inos run");
        if (!facts_.caught_up)
            add(Severity::warning,
                "writes",
                "this site has not caught up with its space since it joined, so it takes no writes",
                "Let it reach a peer: inos status shows what it waits for");
        well("writes", "writes are taken");
    }

    void membership() {
        if (facts_.standing != "member")
            add(Severity::problem,
                "membership",
                facts_.standing == "retired"
                    ? "this site was retired: it is no member of the space any more"
                    : "this site is no member any more, because the admin that admitted it was "
                      "retired",
                "Ask an admin for a pairing code (inos invite), and carry over what is only here: "
                "inos join CODE --data NEWDIR, then inos carry-over");
        well("membership", "this site is a member of the space");
    }

    void continuity() {
        for (auto const& site : facts_.forks)
            add(Severity::problem,
                "forks",
                "two copies of the site \"" + site + "\" have been writing as one",
                "Find the second copy (a cloned machine, a directory put back from a backup) and "
                "stop it; then see docs/operations.md, \"Copies\"");
        well("forks", "no site has been writing as two");
        if (facts_.doubt == Doubt::none) return well("continuity", "this directory wrote last");
        add(Severity::note,
            "continuity",
            "it is not certain that this directory wrote last: " +
                std::string(doubt_text(facts_.doubt)),
            "Nothing has to be done: the next write goes on under a new actor, and nothing is "
            "lost");
    }

    void clock() {
        std::uint64_t const stamped = facts_.last_stamp.ms();
        if (stamped > facts_.now_ms + kClockBehindMs) {
            std::uint64_t const by = stamped - facts_.now_ms;
            add(by > kClockWrongMs ? Severity::problem : Severity::warning,
                "clock",
                "this machine's clock is " + seconds(by) +
                    " behind what this site has written already: it was set back, or had been "
                    "ahead",
                "Set the clock: timedatectl set-ntp true");
        }
        std::vector<std::string> ahead, behind;
        std::size_t compared = 0;
        for (PeerStatus const& peer : facts_.peers) {
            if (peer.state != "connected") continue;
            ++compared;
            auto const skew = static_cast<std::uint64_t>(std::abs(peer.skew_ms));
            if (skew > kClockBehindMs) (peer.skew_ms > 0 ? ahead : behind).push_back(peer.name);
        }
        for (auto const* side : {&ahead, &behind}) {
            if (side->empty()) continue;
            bool const ours = compared >= 2 && 2 * side->size() > compared;
            std::string const way = side == &ahead ? "ahead of" : "behind";
            add(Severity::warning,
                "clock",
                "the " + std::string(side->size() == 1 ? "clock" : "clocks") + " of " +
                    list(*side) + (side->size() == 1 ? " is " : " are ") + way +
                    " this machine's by more than a minute" +
                    (ours ? "; most sites say so, so this machine's is likely to be wrong" : ""),
                ours ? "Set the clock here: timedatectl set-ntp true"
                     : "Set the clock there, or here: timedatectl set-ntp true");
        }
        well("clock",
             compared > 0 ? "the clock agrees with what was written here and with " +
                                std::to_string(compared) + " connected peers"
                          : "the clock agrees with what was written here");
    }

    void members() {
        std::size_t admins = 0, present = 0;
        std::vector<std::string> retired;
        for (MemberInfo const& member : facts_.members) {
            if (member.state != MemberInfo::State::member) {
                retired.push_back(member.certificate.name);
                continue;
            }
            ++present;
            admins += member.certificate.role == Role::admin ? 1 : 0;
        }
        if (admins == 1)
            add(present == 1 ? Severity::note : Severity::warning,
                "admins",
                present == 1 ? "this is the only site of its space"
                             : "there is only one admin: when it is lost, only the recovery code "
                               "helps",
                present == 1 ? "Let a second site in, so that no machine is the only one: inos "
                               "invite --role "
                               "admin"
                             : "At the admin's site, make a second one: inos role SITE admin");
        if (admins == 0)
            add(Severity::problem,
                "admins",
                "the space has no admin: nobody can let sites in or retire them",
                "Make this site one with the recovery code: inos recover CODE");
        well("admins", "there are " + std::to_string(admins) + " admins");
        if (!retired.empty())
            add(Severity::note, "retired", "no members any more: " + list(retired));
        if (facts_.reviews > 0)
            add(Severity::warning,
                "retired",
                "what retired sites wrote last waits to be kept or reverted",
                "Look at it: inos members review");
        silent();
    }

    // Members that acknowledge nothing hold back purging and what depends on it.
    void silent() {
        for (PurgeBlocker const& blocker : facts_.blockers) {
            bool const ever = blocker.since_ms > 0;
            std::uint64_t const since = facts_.now_ms - std::min(facts_.now_ms, blocker.since_ms);
            if (ever && since < kSilentMemberMs) continue;
            bool const longer = ever && since > kSilentMemberLongMs;
            add(ever && !longer ? Severity::note : Severity::warning,
                "silent",
                "\"" + blocker.name + "\" " +
                    (ever ? "has said nothing for " + days(since)
                          : "has never said what it holds") +
                    "; until it does, deleted records and old log entries stay",
                "Start it and let it reach a peer; if it is gone for good: inos retire " +
                    site_id_argument(blocker));
        }
        well("silent", "all members have said in the last day what they hold");
    }
    static std::string site_id_argument(PurgeBlocker const& blocker) {
        bool const plain = std::all_of(blocker.name.begin(), blocker.name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_' || c == '.';
        });
        return plain ? blocker.name : "SITE";
    }

    void invites() {
        for (InviteInfo const& invite : facts_.invites)
            if (invite.failures > 0)
                add(Severity::warning,
                    "invites",
                    "somebody has tried the invitation " + invite.id + " " +
                        std::to_string(invite.failures) + " times with a wrong code",
                    "If it was none of yours: inos invites revoke " + invite.id);
        std::size_t const open = facts_.invites.size();
        if (open > 0)
            add(open >= kInvitesUnusual ? Severity::warning : Severity::note,
                "invites",
                std::to_string(open) +
                    (open == 1 ? " invitation is open" : " invitations are open") +
                    ": whoever has the code can join",
                "See them with inos invites; revoke what nobody needs: inos invites revoke ID");
        well("invites", "no invitation is open");
    }

    void schema() {
        for (std::size_t i = 0; i < facts_.schema.size() && i < kNamed; ++i)
            add(Severity::warning,
                "schema",
                "the schema in force is not right: " + facts_.schema[i].path + ": " +
                    facts_.schema[i].message,
                "Correct it: inos schema show > schema.toml, edit it, inos schema apply "
                "schema.toml");
        if (facts_.schema.size() > kNamed)
            add(Severity::warning,
                "schema",
                "and " + std::to_string(facts_.schema.size() - kNamed) + " more problems of it");
        well("schema", "the schema in force is understood");
    }

    void indexes() {
        std::size_t building = 0;
        for (IndexStatus const& index : facts_.indexes)
            building += index.ready ? 0 : 1;
        if (building > 0)
            add(Severity::note,
                "indexes",
                std::to_string(building) + (building == 1 ? " index is" : " indexes are") +
                    " being built; queries read all records until then",
                facts_.running ? "" : "It goes on while the node runs: inos run");
        well("indexes", std::to_string(facts_.indexes.size()) + " indexes are ready");
    }

    void records() {
        if (facts_.damaged_count > 0)
            add(Severity::problem,
                "damaged",
                std::to_string(facts_.damaged_count) +
                    (facts_.damaged_count == 1 ? " record waits" : " records wait") +
                    " for repair: " + list(facts_.damaged),
                facts_.running ? "It is under way; if it does not end: inos verify --repair"
                               : "Run: inos verify --repair");
        if (facts_.rows_missing)
            add(Severity::problem,
                "damaged",
                "a part of the records was lost, and nobody knows yet whether all are back",
                "Connect this site with an admin's site; it knows as soon as both agree: inos "
                "verify --repair");
        well("damaged",
             std::to_string(facts_.records) + " records, and none is known to be damaged");
        if (facts_.orphans)
            add(Severity::note,
                "orphans",
                "edits came whose records are gone everywhere",
                "Keep or drop them: inos orphans");
    }

    // Findings of one kind and collection are one line.
    void inspection() {
        InspectionStatus const& status = facts_.inspection;
        struct Group {
            Finding first;
            std::uint64_t places = 0;
        };
        std::map<std::tuple<FindingKind, std::string, ActorId>, Group> groups;
        for (Finding const& finding : status.findings) {
            auto const [at, added] =
                groups.try_emplace({finding.kind, finding.collection, finding.actor});
            if (added) at->second.first = finding;
            ++at->second.places;
        }
        for (auto const& [place, group] : groups) {
            auto words = finding_words(group.first, *facts_.membership);
            if (group.places > 1)
                words.what += " (and so are " + std::to_string(group.places - 1) + " others)";
            bool const serious = group.first.remedy != Remedy::itself;
            add(serious ? Severity::problem : Severity::warning,
                "inspection",
                words.what,
                words.todo);
        }
        if (!status.obstacle.empty())
            add(Severity::warning,
                "inspection",
                "what is stored cannot be looked at: " + status.obstacle,
                "See the node's log, and the machine's: dmesg");
        if (status.last && !status.last->seen.whole)
            add(Severity::warning,
                "inspection",
                "a part of what is stored could not be looked at",
                "Run: inos verify --repair");
        if (!status.last)
            return add(Severity::note,
                       "inspection",
                       status.under_way ? "what is stored is being looked at for the first time "
                                          "since the node started"
                                        : "what is stored was not looked at since the node started",
                       "To look at all of it now: inos doctor --full");
        auto const& seen = status.last->seen;
        well("inspection",
             "all was as stored at " + utc_text(status.last->ended_ms) + ": " +
                 std::to_string(seen.records) + " rows of records, " +
                 std::to_string(seen.entries) + " log entries, " + std::to_string(seen.signatures) +
                 " signatures, " + std::to_string(seen.index_rows) + " rows of indexes" +
                 (seen.sums_compared ? "" : "; a repair was under way, so sums were left out"));
    }

    void peers() {
        std::size_t connected = 0;
        for (PeerStatus const& peer : facts_.peers) {
            if (peer.state == "connected") ++connected;
            if (!facts_.running || peer.state == "connected" || peer.last_error.empty()) continue;
            bool const never = peer.site.empty();
            std::string const who = peer.name.empty() ? peer.url : peer.name;
            add(Severity::warning,
                "peers",
                "\"" + who + "\" " +
                    (never ? "was never reached since the node started" : "is not reached") + ": " +
                    peer.last_error,
                "Is it switched on, and is the address right? inos peers shows both; forget a "
                "wrong one with inos peers remove " +
                    (peer.url.empty() ? std::string("URL") : peer.url));
        }
        bool const alone =
            std::count_if(
                facts_.members.begin(), facts_.members.end(), [](MemberInfo const& member) {
                    return member.state == MemberInfo::State::member;
                }) <= 1;
        if (facts_.running && connected == 0 && !alone)
            add(Severity::warning,
                "peers",
                "no other site is connected: what is written here is on this machine only",
                "See inos peers; add an address with inos peers add URL");
        if (facts_.running) well("peers", std::to_string(connected) + " peers are connected");
    }

    void roots() {
        if (!facts_.comparison) return;
        for (SiteComparison const& site : facts_.comparison->peers) {
            if (site.state == "differs")
                add(Severity::problem,
                    "roots",
                    "\"" + site.name +
                        "\" holds the same entries as this site, and not the same records",
                    "Both repair it by themselves; if it is still so in an hour, run here and "
                    "there: inos verify --repair");
            if (site.state == "behind" || site.state == "ahead" || site.state == "diverged")
                add(Severity::note,
                    "roots",
                    "\"" + site.name +
                        "\" is being brought up to date: " + std::to_string(site.behind) +
                        " entries come, " + std::to_string(site.ahead) + " go");
        }
        std::size_t agreeing = 0;
        for (SiteComparison const& site : facts_.comparison->peers)
            agreeing += site.state == "agrees" ? 1 : 0;
        well("roots", std::to_string(agreeing) + " connected sites hold the same records");
    }

    void backup() {
        if (facts_.records == 0) return;
        std::string const todo = "Take one every night: inos backup /backups/inos/ --keep 14";
        if (!facts_.backup_ms)
            return add(Severity::warning, "backup", "no backup was ever taken of this site", todo);
        std::uint64_t const age = facts_.now_ms - std::min(facts_.now_ms, *facts_.backup_ms);
        if (age > kBackupOldMs)
            add(Severity::warning, "backup", "the last backup is " + days(age) + " old", todo);
        well("backup", "the last backup was taken at " + utc_text(*facts_.backup_ms));
    }

    DoctorFacts const& facts_;
    std::vector<Diagnosis> found_;
};

}  // namespace

char const* severity_name(Severity severity) {
    switch (severity) {
        case Severity::ok:
            return "ok";
        case Severity::note:
            return "note";
        case Severity::warning:
            return "warning";
        case Severity::problem:
            return "problem";
    }
    return "";
}

std::vector<Diagnosis> diagnose(DoctorFacts const& facts) {
    return Doctor(facts).all();
}

std::vector<std::string> unchecked(DoctorFacts const& facts) {
    if (facts.running) return {};
    return {"peers", "roots", "invites"};
}

}  // namespace inos
