// What a set of statements comes to: who is a member, with which certificate, which keys are in
// force. A function of the set alone, whatever the order in which it came; of what admins state at
// once the more restrictive holds.
//
//   - Who is retired by anybody who was ever an admin is retired, and stays so.
//   - What a retired admin has issued counts as far as every retirement of it names it. The same
//     for an admin whose rights were taken from it, until an admin that counts gives them back.
//     (Retirements count whoever made them: taking back a right is never undone by accident.)
//   - Of certificates of one site that do not replace one another the most restrictive holds.
//   - If all that leaves no admin, the one nearest to the founder (then with the lowest id) stays
//     whom no recovery key has retired.
//
// Pure. Cost: linear in the set, times the length of the longest chain of admissions.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "storage/statement.hpp"

namespace inos {

// A statement that is signed by whom it names, who had the right to it at some time.
struct KnownStatement {
    StatementHash hash{};
    Statement statement;
    std::string bytes;
};
using KnownStatements = std::vector<std::shared_ptr<KnownStatement const>>;

struct MembershipView {
    std::map<SiteId, Certificate const*> members;  // the certificate that holds now
    std::set<ActorId> current;  // under which members may go on with the rights they have
    std::map<SiteId, std::vector<KnownStatement const*>> retired;  // and by what
    std::vector<KeyName> keys;                                     // in force, ascending
    std::set<SiteId> recovery_keys;                                // in force
    std::optional<SiteId> stays;  // an admin, although others took its rights
};

// The certificates in the answer are those of the set.
MembershipView judge_membership(Genesis const& genesis, KnownStatements const& set);

}  // namespace inos
