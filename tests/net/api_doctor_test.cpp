// GET and POST /v1/doctor, what the status and the metrics say of an inspection, and how what is
// known of a site is judged.
#include <gmock/gmock.h>

#include "net/doctor.hpp"
#include "storage/backup.hpp"
#include "tests/net/api_fixture.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;
using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

auto says(Severity severity, std::string const& check, std::string const& what) {
    return Contains(AllOf(Field(&Diagnosis::severity, severity),
                          Field(&Diagnosis::check, check),
                          Field(&Diagnosis::what, HasSubstr(what))));
}

MemberInfo member(std::string name, Role role) {
    MemberInfo info;
    info.certificate.name = std::move(name);
    info.certificate.role = role;
    return info;
}

// Nothing is wrong.
DoctorFacts healthy() {
    DoctorFacts facts;
    facts.now_ms = 1'800'000'000'000;
    facts.running = true;
    facts.standing = "member";
    facts.last_stamp = Hlc::from(facts.now_ms - 1'000, 0);
    facts.members = {member("shop", Role::admin), member("office", Role::admin)};
    facts.records = 12;
    facts.backup_ms = facts.now_ms - 3'600'000;
    Genesis genesis;
    genesis.name = "main";
    facts.membership = std::make_shared<Membership const>(genesis);
    PeerStatus peer;
    peer.name = "office";
    peer.site = "x";
    peer.state = "connected";
    facts.peers = {peer};
    facts.comparison.emplace();
    facts.comparison->peers = {{"x", "office", "agrees", "r", 0, 0}};
    facts.inspection.last.emplace();
    facts.inspection.last->seen.sums_compared = true;
    return facts;
}

TEST(Doctor, says_that_all_is_well_where_it_is) {
    for (Diagnosis const& diagnosis : diagnose(healthy())) {
        EXPECT_EQ(diagnosis.severity, Severity::ok) << diagnosis.what;
        EXPECT_EQ(diagnosis.todo, "");
    }
    EXPECT_THAT(unchecked(healthy()), IsEmpty());
}

TEST(Doctor, the_worst_comes_first_and_says_what_to_do) {
    DoctorFacts facts = healthy();
    facts.failed = true;
    facts.members.pop_back();
    facts.members.push_back(member("office", Role::writer));
    auto const all = diagnose(facts);
    EXPECT_EQ(all.front().severity, Severity::problem);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](auto const& a, auto const& b) {
        return a.severity > b.severity;
    }));
    for (Diagnosis const& diagnosis : all)
        EXPECT_EQ(diagnosis.severity < Severity::warning, diagnosis.todo.empty()) << diagnosis.what;
    EXPECT_THAT(all, says(Severity::problem, "writes", "a write to the disk has failed"));
    EXPECT_THAT(all, says(Severity::warning, "admins", "only one admin"));
}

TEST(Doctor, B4_a_clock_behind_what_was_written_or_apart_from_peers_is_named) {
    DoctorFacts facts = healthy();
    facts.last_stamp = Hlc::from(facts.now_ms + kClockBehindMs, 0);
    EXPECT_THAT(diagnose(facts), says(Severity::ok, "clock", "agrees"));
    facts.last_stamp = Hlc::from(facts.now_ms + kClockBehindMs + 1, 0);
    EXPECT_THAT(diagnose(facts), says(Severity::warning, "clock", "behind what this site"));
    facts.last_stamp = Hlc::from(facts.now_ms + kClockWrongMs + 1, 0);
    EXPECT_THAT(diagnose(facts), says(Severity::problem, "clock", "behind what this site"));
    facts = healthy();
    facts.peers[0].skew_ms = -61'000;
    EXPECT_THAT(diagnose(facts), says(Severity::warning, "clock", "\"office\" is behind"));
    facts.peers.push_back(facts.peers[0]);
    EXPECT_THAT(diagnose(facts), says(Severity::warning, "clock", "this machine's is likely"));
}

TEST(Doctor, members_that_are_silent_lost_or_alone) {
    DoctorFacts facts = healthy();
    facts.blockers = {{{}, "laptop", 3, facts.now_ms - kSilentMemberLongMs - 1}};
    EXPECT_THAT(diagnose(facts), says(Severity::warning, "silent", "\"laptop\" has said nothing"));
    facts.blockers[0].since_ms = facts.now_ms - 2 * kSilentMemberMs;
    EXPECT_THAT(diagnose(facts), says(Severity::note, "silent", "2 days"));
    facts.blockers[0].since_ms = facts.now_ms;
    EXPECT_THAT(diagnose(facts), says(Severity::ok, "silent", "all members"));
    facts.members = {member("shop", Role::admin)};
    EXPECT_THAT(diagnose(facts), says(Severity::note, "admins", "the only site"));
    facts.members = {member("shop", Role::writer)};
    EXPECT_THAT(diagnose(facts), says(Severity::problem, "admins", "no admin"));
    facts.standing = "retired";
    EXPECT_THAT(diagnose(facts), says(Severity::problem, "membership", "was retired"));
}

TEST(Doctor, peers_roots_invitations_and_backups) {
    DoctorFacts facts = healthy();
    facts.peers[0].state = "waiting";
    facts.peers[0].last_error = "connection refused";
    facts.comparison->peers[0].state = "differs";
    facts.invites.resize(1);
    facts.invites[0].id = "0011";
    facts.invites[0].failures = 2;
    facts.backup_ms = facts.now_ms - kBackupOldMs - 1;
    auto const all = diagnose(facts);
    EXPECT_THAT(all, says(Severity::warning, "peers", "not reached: connection refused"));
    EXPECT_THAT(all, says(Severity::warning, "peers", "no other site is connected"));
    EXPECT_THAT(all, says(Severity::problem, "roots", "not the same records"));
    EXPECT_THAT(all, says(Severity::warning, "invites", "0011 2 times"));
    EXPECT_THAT(all, says(Severity::note, "invites", "1 invitation is open"));
    EXPECT_THAT(all, says(Severity::warning, "backup", "7 days old"));
    facts.backup_ms.reset();
    EXPECT_THAT(diagnose(facts), says(Severity::warning, "backup", "no backup was ever"));
}

TEST(Doctor, damage_forks_doubts_and_schemas) {
    DoctorFacts facts = healthy();
    facts.damaged = {"customers/ann"};
    facts.damaged_count = 1;
    facts.rows_missing = true;
    facts.forks = {"shop"};
    facts.doubt = Doubt::copied;
    facts.schema = {{"customers.fields", "is no object"}};
    facts.indexes.resize(1);
    Finding chain{.kind = FindingKind::entry_chain, .remedy = Remedy::replace};
    chain.family = Family::log;
    chain.seq = 7;
    Finding record{.kind = FindingKind::record_damaged, .collection = "customers", .key = "ann"};
    facts.inspection.findings = {record, record, chain};
    auto const all = diagnose(facts);
    EXPECT_THAT(all, says(Severity::problem, "damaged", "1 record waits for repair"));
    EXPECT_THAT(all, says(Severity::problem, "damaged", "a part of the records was lost"));
    EXPECT_THAT(all, says(Severity::problem, "forks", "two copies of the site \"shop\""));
    EXPECT_THAT(all, says(Severity::note, "continuity", "not certain"));
    EXPECT_THAT(all, says(Severity::warning, "schema", "customers.fields: is no object"));
    EXPECT_THAT(all, says(Severity::note, "indexes", "1 index is being built"));
    EXPECT_THAT(all, says(Severity::warning, "inspection", "(and so are 1 others)"));
    EXPECT_THAT(all, says(Severity::problem, "inspection", "entry 7 of"));
}

// ---- the API ------------------------------------------------------------------------------------

class ApiDoctor : public ApiTest {
protected:
    Value asked(std::string const& method, std::string const& path, int status) {
        return json(status, method, path, method == "POST" ? "{}" : "");
    }
    static std::string text(Value const& object, std::string_view name) {
        auto const* value = object.find(name);
        auto const* words = value ? value->as<std::string>() : nullptr;
        return words ? *words : std::string();
    }
    static std::int64_t number(Value const& object, std::string_view name) {
        auto const* value = object.find(name);
        auto const* number = value ? value->as<std::int64_t>() : nullptr;
        return number ? *number : -1;
    }
    // Until a pass that was asked for has ended.
    Value inspected() {
        asked("POST", "/v1/doctor", 202);
        for (int n = 0; n < 1'000; ++n) {
            Value answer = asked("GET", "/v1/doctor", 200);
            if (number(*answer.find("inspection"), "passes") > 0) return answer;
        }
        ADD_FAILURE() << "it does not end";
        return {};
    }
};

TEST_F(ApiDoctor, looks_at_all_that_is_stored_and_says_so) {
    space[0].put("customers", "ann", object_of(R"({"name": "Ann"})"));
    auto const before = asked("GET", "/v1/doctor", 200);
    EXPECT_TRUE(before.find("inspection")->find("last")->is_null());
    auto const answer = inspected();
    auto const& last = *answer.find("inspection")->find("last");
    EXPECT_EQ(number(last, "records"), 1);
    EXPECT_EQ(number(last, "entries"), 1);
    EXPECT_EQ(number(last, "found"), 0);
    EXPECT_EQ(*last.find("sums_compared"), Value(true));
    EXPECT_EQ(answer.find("damage")->as<Array>()->size(), 0u);
    EXPECT_EQ(number(*asked("GET", "/v1/status", 200).find("inspection"), "passes"), 1);
    auto const metrics = send("GET", "/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("inos_inspections_total 1\n"));
    EXPECT_THAT(metrics, HasSubstr("inos_inspection_findings 0\n"));
}

TEST_F(ApiDoctor, D20_names_damage_one_by_one_without_what_is_in_it) {
    space[0].put("customers", "ann", object_of(R"({"name": "Secret"})"));
    flip(space[0], Family::records, record_key("ann", "customers"));
    auto const answer = inspected();
    auto const& damage = *answer.find("damage")->as<Array>();
    ASSERT_EQ(damage.size(), 1u);
    EXPECT_EQ(text(damage[0], "kind"), "record_damaged");
    EXPECT_EQ(text(damage[0], "remedy"), "itself");
    EXPECT_EQ(text(damage[0], "collection"), "customers");
    EXPECT_EQ(text(damage[0], "id"), "ann");
    EXPECT_NE(text(damage[0], "do"), "");
    EXPECT_EQ(text(answer, "severity"), "problem") << "it waits for repair";
    EXPECT_THAT(write_json(answer), Not(HasSubstr("Secret")));
    EXPECT_THAT(send("GET", "/metrics").body, HasSubstr("inos_inspection_findings 1\n"));
}

TEST_F(ApiDoctor, a_body_that_says_anything_else_is_refused) {
    EXPECT_EQ(send("POST", "/v1/doctor", R"({"fast": true})").status, 422);
    EXPECT_EQ(send("POST", "/v1/doctor", "no json").status, 400);
}

TEST_F(ApiDoctor, a_backup_that_was_sent_whole_is_known) {
    EXPECT_EQ(value_of(last_backup(*space[0].engine)), std::nullopt);
    value_of(note_backup(*space[0].engine, 77));
    EXPECT_EQ(value_of(last_backup(*space[0].engine)), 77u);
}

}  // namespace
}  // namespace inos
