// The API's doctor: what is well at this site and what is not, and the inspection of all that is
// stored. POST begins one, GET says how far it is and what was found.
#include <memory>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "net/api_inspection.hpp"
#include "net/doctor.hpp"
#include "storage/backup.hpp"
#include "storage/json.hpp"
#include "storage/member_review.hpp"
#include "storage/record_ranges.hpp"
#include "storage/record_repair.hpp"

namespace inos {
namespace {

constexpr std::size_t kStepsPerCall = 16;  // where no node runs
constexpr std::size_t kDamagedNamed = 20;

std::string standing_of(Replica const& replica) {
    Membership const& membership = replica.membership();
    SiteId const& self = membership.by_actor(replica.actor())->site;
    if (membership.by_site(self)) return "member";
    return membership.is_retired(self) ? "retired" : "refused";
}

std::vector<std::string> names_of(std::set<std::string> const& keys) {
    std::vector<std::string> names;
    for (std::string const& key : keys) {
        if (names.size() == kDamagedNamed) break;
        auto const name = record_of_key(key);
        if (!name) continue;
        bool const marks = name->key.front() == '\1';
        names.push_back(name->collection + "/" + (marks ? "(an erased record)" : name->key));
    }
    return names;
}

// What of the facts lies with the replica.
Result<DoctorFacts> facts_of(Replica const& replica, std::uint64_t now_ms) {
    DoctorFacts facts;
    facts.now_ms = now_ms;
    facts.failed = replica.failed();
    facts.caught_up = replica.caught_up();
    facts.rows_missing = RecordRepair::rows_missing(replica);
    facts.doubt = replica.doubt();
    facts.standing = standing_of(replica);
    for (auto const& [actor, fork] : replica.forks())
        facts.forks.push_back(site_name(replica.membership(), actor));
    facts.last_stamp = Inspector::last_stamp(replica);
    INOS_TRY(facts.members, list_members(replica));
    facts.blockers = replica.purge_blockers();
    facts.schema = check_schema(schema_document(replica.schema_documents()));
    facts.indexes = replica.index_status();
    facts.damaged = names_of(replica.damaged_records());
    facts.damaged_count = replica.damaged_records().size();
    INOS_TRY(auto const reviews, inos::list_reviews(replica));
    facts.reviews = reviews.size();
    INOS_TRY(auto const orphans, replica.orphans({}, {}, 1));
    facts.orphans = !orphans.empty();
    facts.records = replica.record_count();
    INOS_TRY(facts.backup_ms, last_backup(replica.engine()));
    facts.membership = replica.shared_membership();
    return facts;
}

Value diagnosis_value(Diagnosis const& diagnosis) {
    return Value(Object{{"severity", Value(severity_name(diagnosis.severity))},
                        {"check", Value(diagnosis.check)},
                        {"what", Value(diagnosis.what)},
                        {"do", Value(diagnosis.todo)}});
}

Value doctor_value(DoctorFacts const& facts) {
    Array findings, left_out;
    Severity worst = Severity::ok;
    for (Diagnosis const& diagnosis : diagnose(facts)) {
        worst = std::max(worst, diagnosis.severity);
        findings.push_back(diagnosis_value(diagnosis));
    }
    for (std::string const& check : unchecked(facts))
        left_out.push_back(Value(check));
    return Value(Object{{"severity", Value(severity_name(worst))},
                        {"findings", Value(std::move(findings))},
                        {"unchecked", Value(std::move(left_out))},
                        {"inspection", inspection_value(facts.inspection)},
                        {"damage", damage_value(facts.inspection, *facts.membership)}});
}

}  // namespace

Inspection& Api::inspection() {
    if (inspection_) return *inspection_;
    if (!own_inspection_)
        own_inspection_ = std::make_unique<Inspection>(
            InspectionOptions{}, store_, clock_, [](std::string_view, std::string const&) {});
    return *own_inspection_;
}

void Api::post_doctor(CallPtr call) {
    if (!call->request.body.empty()) {
        auto const body = parse_json_object(call->request.body);
        if (!body) return send(call, body_error(body.error()));
        auto const known = check_members(*body, {});
        if (!known) return send(call, write_error(known.error()));
    }
    inspection().begin_full();
    send(call, json_response(202, inspection_value(inspection().status())));
}

// The replica is asked first, then all peers that are connected.
void Api::get_doctor(CallPtr call) {
    if (!inspection_) inspection().drive(kStepsPerCall);
    auto answer = [this, call](Result<DoctorFacts> gathered) {
        if (!gathered) return send(call, api_error(gathered.error()));
        auto facts = std::make_shared<DoctorFacts>(*std::move(gathered));
        facts->running = node_.running();
        facts->peers = node_.peers();
        facts->invites = node_.invites();
        facts->inspection = inspection().status();
        if (!facts->running) return send(call, json_response(200, doctor_value(*facts)));
        node_.verify([this, call, facts](Result<VerifyReport> report) {
            if (report) facts->comparison = *std::move(report);
            send(call, json_response(200, doctor_value(*facts)));
        });
    };
    store_.query([now_ms = clock_.now_ms()](Replica& replica) { return facts_of(replica, now_ms); },
                 std::move(answer));
}

}  // namespace inos
