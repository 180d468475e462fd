// A bounded counter: a counter that never goes under its `min`, on any side of any partition,
// because an actor uses only what it holds the rights to. Below the field's path lie plain counters
// whose totals only grow, one cell per actor in each:
//
//   i             what each actor has added
//   u             what each has used
//   t | actor u64 what each has passed on to that actor
//   f | actor u64 what each has taken over from that actor, an earlier one of its own site
//
//   value     = sum(i) - sum(u)
//   rights(a) = i[a] + received(a) - passed(a) - u[a] - reserve(a)
//
// What is taken over counts as passed on by the earlier actor. That one writes nothing any more,
// and who takes over holds all that it wrote; so this is what it could have done itself.
//
// The reserve keeps `min` back: from the actors in ascending order, from what each has added, until
// it is reached. Totals that are negative or cannot be read count as 0; nobody plans such.
//
// Why a stale view is safe: an actor knows all that it has added, used and passed on itself. What
// it may lack is what others added and passed to it; learning that makes received(a) larger and
// reserve(a) smaller, never the reverse. So its rights as it sees them are at most its rights as
// they are, and the sum over all actors of what they used is at most sum(i) - min. The same holds
// for any set of entries that is closed under deps, so no site ever shows less than min.
//
// Two things are outside of that. A clear (the field taken away, the record deleted or begun
// afresh) removes what its author had seen, while others who had not seen it used or passed on
// their rights: then the sum may be under min. It is shown as a conflict, reads as 0 where it is
// negative, and the next increments fill it up. And a raised min binds the decrements of sites that
// have seen it, but takes nothing back. In both cases some actor's rights are negative; what is
// missing there nobody else uses, so that the hole does not grow.
//
// Source: escrow rights after Balegas et al. 2015, "Extending Eventually Consistent Cloud Databases
// for Enforcing Numeric Invariants". Pure and total, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "crdt/types/types.hpp"

namespace inos {

TypeRules bounded_counter_rules();

// Who holds how much of one field, as one site sees it.
struct FieldRights {
    struct Share {
        ActorId actor;
        std::int64_t rights = 0;
        bool operator==(Share const&) const = default;
    };
    std::int64_t value = 0;     // the sum, also where it is under min
    std::int64_t min = 0;       // by the schema
    std::vector<Share> shares;  // ascending by actor; negative ones see above

    std::int64_t of(ActorId actor) const;
    // What the actor may use now: its rights, without what others lack.
    std::int64_t available(ActorId actor) const;
    // The actor holds what these earlier ones of its site held.
    void take_over(ActorId actor, std::vector<ActorId> const& earlier);
    // What all others together could pass on to it, at most.
    std::int64_t elsewhere(ActorId actor) const;
};
// nullopt: the field is no bounded counter, or there is none.
std::optional<FieldRights> field_rights(Record const& record,
                                        std::string_view at,
                                        FieldSchema const* schema);

// Those of the earlier actors whose rights may be used under the schema's `offline_rights`.
std::vector<ActorId> usable(EarlierActors const& earlier, FieldSchema const* schema);

// Lies at the path, of a run or of its `lost` cells, what an actor has passed on?
bool holds_passed_rights(std::string_view path);

// The top-level field whose rights an edit at `path` uses up; nullopt for all other edits.
std::optional<std::string_view> used_bounded_counter(std::string_view path);

// Passes rights on: a change like any other, by the actor who gives. ChangeError::Kind::rights when
// it does not have them.
void pass_rights(EditPlan& plan, FieldTarget const& target, std::int64_t amount, ActorId to);

// What `holder` passes on when it is asked for `amount`: all that it has when the other cannot do
// without, at most half when the other asks ahead of need.
std::int64_t rights_to_grant(FieldRights const& rights,
                             ActorId holder,
                             std::int64_t amount,
                             bool ahead);

// What to ask for ahead of need: nothing while the own share is at least half of a fair one, else
// what is missing to a fair one. `sites`: how many sites write.
std::int64_t rights_to_ask_ahead(FieldRights const& rights, ActorId own, std::size_t sites);

// Whom to ask for `amount`: those of `reachable` that hold most, until it is covered; ahead of need
// the first of them only.
std::vector<FieldRights::Share> rights_holders(FieldRights const& rights,
                                               std::vector<ActorId> const& reachable,
                                               std::int64_t amount,
                                               bool ahead);

}  // namespace inos
