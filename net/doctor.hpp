// What `inos doctor` says of a site: judges what is known of it, and says for each finding what to
// do. The facts are gathered by who asks (net/api_doctor.cpp); here they are only judged. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crdt/hlc.hpp"
#include "net/inspection.hpp"
#include "net/node_control.hpp"
#include "storage/member_list.hpp"
#include "storage/replica.hpp"
#include "storage/schema_document.hpp"

namespace inos {

inline constexpr std::uint64_t kClockBehindMs = 60'000;     // what was written here is so far ahead
inline constexpr std::uint64_t kClockWrongMs = 5 * 60'000;  // design.md, clocks
inline constexpr std::uint64_t kSilentMemberMs = 24ull * 3'600 * 1'000;
inline constexpr std::uint64_t kSilentMemberLongMs = 14 * kSilentMemberMs;
inline constexpr std::uint64_t kBackupOldMs = 7 * kSilentMemberMs;
inline constexpr std::size_t kInvitesUnusual = 10;

// note: nothing has to be done. warning: somebody should see to it in the next days. problem: now.
enum class Severity : std::uint8_t { ok, note, warning, problem };
char const* severity_name(Severity severity);

struct Diagnosis {
    Severity severity = Severity::ok;
    std::string check;  // a stable name: "clock"
    std::string what;   // one sentence
    std::string todo;   // one sentence with the exact command; empty where nothing is to be done
};

struct DoctorFacts {
    std::uint64_t now_ms = 0;
    bool running = false;  // else nobody can be asked but this directory
    // Of the replica:
    bool failed = false, caught_up = true, rows_missing = false;
    Doubt doubt = Doubt::none;
    std::string standing;            // "member", "retired", "refused"
    std::vector<std::string> forks;  // sites
    Hlc last_stamp;
    std::vector<MemberInfo> members;
    std::vector<PurgeBlocker> blockers;
    std::vector<SchemaProblem> schema;
    std::vector<IndexStatus> indexes;
    std::vector<std::string> damaged;  // some of the records, as people name them; ...
    std::size_t damaged_count = 0;     // ... and how many they are
    std::size_t reviews = 0;           // of what retired sites wrote last, undecided
    bool orphans = false;              // edits without a record wait for somebody
    std::uint64_t records = 0;
    std::optional<std::uint64_t> backup_ms;  // when the last one was taken
    std::shared_ptr<Membership const> membership;
    // Of the node:
    std::vector<PeerStatus> peers;
    std::vector<InviteInfo> invites;
    std::optional<VerifyReport> comparison;
    InspectionStatus inspection;
};

// Of every check at least one, the worst first.
std::vector<Diagnosis> diagnose(DoctorFacts const& facts);

// Checks that need a running node, and why they were left out.
std::vector<std::string> unchecked(DoctorFacts const& facts);

}  // namespace inos
