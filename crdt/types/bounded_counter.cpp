#include "crdt/types/bounded_counter.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace inos {
namespace {

constexpr CellType kType = CellType::bounded_counter;
constexpr std::string_view kAdded = "i";
constexpr std::string_view kUsed = "u";
constexpr char kPassed = 't';
constexpr char kTakenOver = 'f';

// Sums of 64-bit totals, in which the order of addition does not matter.
__extension__ using Wide = __int128;

std::int64_t narrow(Wide sum) {
    constexpr Wide kLowest = std::numeric_limits<std::int64_t>::min();
    constexpr Wide kHighest = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(sum, kLowest, kHighest));
}

std::string part_path(std::string_view at, std::string_view part) {
    return path_child(own_path(at, kType), part, CellType::counter);
}

// Where the author counts what goes to, or comes from, another actor.
std::string other_path(std::string_view at, char kind, ActorId other) {
    std::string name(1, kind);
    put_u64(name, other.value);
    return part_path(at, name);
}

std::optional<ActorId> other_in(std::string_view name, char kind) {
    if (name.size() != 9 || name.front() != kind) return std::nullopt;
    return ActorId{Reader(name.substr(1)).u64()};
}

struct Totals {
    Wide added = 0, used = 0, passed = 0, received = 0;
};

std::map<ActorId, Totals> totals(Record const& record, std::string_view at) {
    std::map<ActorId, Totals> all;
    std::string const own = own_path(at, kType);
    for (Cell const* cell : cells_under(record, own)) {
        std::string_view rest = std::string_view(cell->path).substr(own.size());
        auto const segment = take_segment(rest);
        if (!segment || !rest.empty() || segment->type != CellType::counter) continue;
        auto const run = RunCell::decode(cell->payload);
        Wide const total = run ? std::max<std::int64_t>(run->total, 0) : 0;
        Totals& author = all[cell->dot.actor];
        if (segment->name == kAdded) author.added += total;
        if (segment->name == kUsed) author.used += total;
        if (auto const to = other_in(segment->name, kPassed)) {
            author.passed += total;
            all[*to].received += total;
        }
        if (auto const from = other_in(segment->name, kTakenOver)) {
            author.received += total;
            all[*from].passed += total;
        }
    }
    return all;
}

// What passes of rights are left of a counter that was taken away is no value.
bool present(Record const& record, std::string_view at) {
    for (auto const part : {kAdded, kUsed}) {
        auto const range = record.at(part_path(at, part));
        if (range.begin != range.end) return true;
    }
    return false;
}

FieldRights read_rights(Record const& record, std::string_view at, FieldSchema const* schema) {
    FieldRights rights;
    rights.min = schema ? std::max<std::int64_t>(schema->min, 0) : 0;
    Wide value = 0, reserve_left = rights.min;
    for (auto const& [actor, total] : totals(record, at)) {
        Wide const reserve = std::min(reserve_left, total.added);
        reserve_left -= reserve;
        value += total.added - total.used;
        Wide const held = total.added + total.received - total.passed - total.used - reserve;
        rights.shares.push_back({actor, narrow(held)});
    }
    rights.value = narrow(value);
    return rights;
}

FieldRights rights_in(EditPlan const& plan, FieldTarget const& target) {
    return read_rights(plan.record, target.at, target.schema);
}

std::int64_t shown(FieldRights const& rights) {
    return std::max<std::int64_t>(rights.value, 0);
}

Value read(Record const& record, std::string_view at, FieldSchema const* schema) {
    return Value(shown(read_rights(record, at, schema)));
}

// A sum under min: beside what is shown stands what was counted, or, where that is the same, the
// bound that does not hold.
std::vector<ConflictValue> siblings(Record const& record,
                                    std::string_view at,
                                    FieldSchema const* schema) {
    FieldRights const rights = read_rights(record, at, schema);
    if (!present(record, at) || rights.value >= rights.min) return {};
    Cell const* newest = latest_value(record, own_path(at, kType));
    Cell const* used = latest(cells_at(record, part_path(at, kUsed)));
    if (!used) used = newest;
    std::int64_t const other = rights.value < 0 ? rights.value : rights.min;
    return {{Value(shown(rights)), newest->dot, newest->hlc, newest->source, true},
            {Value(other), used->dot, used->hlc, used->source, false}};
}

// Counts on the author's own total at the path, which only grows.
void grow(EditPlan& plan, FieldTarget const& target, std::string path, std::int64_t amount) {
    std::int64_t total = amount;
    bool over = false;
    for (Cell const* cell : cells_at(plan.record, path)) {
        auto const run = RunCell::decode(cell->payload);
        if (cell->dot.actor != plan.actor || !run) continue;
        over = over || __builtin_add_overflow(total, run->total, &total);
    }
    if (over)
        return plan.fail(ChangeError::Kind::limit,
                         target.label,
                         "what this site has counted would leave the range of 64-bit integers");
    plan.end_lost_runs(own_path(target.at, kType));
    plan.count(std::move(path), amount);
}

void add(EditPlan& plan, FieldTarget const& target, std::int64_t amount) {
    FieldRights const rights = rights_in(plan, target);
    bool const begins = !present(plan.record, target.at);
    std::int64_t sum = 0;
    if (__builtin_add_overflow(rights.value, amount, &sum))
        return plan.fail(ChangeError::Kind::limit,
                         target.label,
                         "the counter would leave the range of 64-bit integers");
    if (begins && sum < rights.min)
        return plan.fail(ChangeError::Kind::bad_operation,
                         target.label,
                         "the counter cannot begin with " + std::to_string(sum) +
                             ", under its min of " + std::to_string(rights.min));
    if (amount == 0 && !begins) return;
    std::string own = own_path(target.at, kType);
    if (begins && !cells_under(plan.record, own).empty()) plan.clear(std::move(own));
    grow(plan, target, part_path(target.at, kAdded), amount);
}

// `rights` after what may be taken over was.
void fail_rights(EditPlan& plan,
                 FieldTarget const& target,
                 std::int64_t wanted,
                 std::int64_t available,
                 FieldRights const& rights) {
    if (plan.error) return;
    // Of this site, but until a peer has confirmed what it wrote last nobody may use them.
    Wide frozen = 0;
    for (ActorId const earlier : plan.earlier.trusted)
        frozen += std::max<std::int64_t>(rights.of(earlier), 0);
    std::int64_t const elsewhere = narrow(std::max<Wide>(rights.elsewhere(plan.actor) - frozen, 0));
    std::string text = std::to_string(wanted) + " wanted, " + std::to_string(available) +
                       " available at this site, " + std::to_string(elsewhere) + " at other sites";
    bool const enough = wanted - available <= elsewhere;
    if (elsewhere > 0)
        text += enough ? " (they are asked for; try again)" : ", which is too little";
    if (frozen > 0)
        text += ", " + std::to_string(narrow(frozen)) +
                " of this site frozen until another site has confirmed what it wrote last";
    plan.fail(ChangeError::Kind::rights, target.label, std::move(text));
    plan.error->shortage = {wanted, available, elsewhere};
}

// Once this site's own rights do not do, all that its earlier actors hold is taken over.
void take_over_if_short(EditPlan& plan, FieldTarget const& target, Wide amount) {
    FieldRights const rights = rights_in(plan, target);
    if (amount <= rights.available(plan.actor)) return;
    for (ActorId const earlier : usable(plan.earlier, target.schema))
        if (std::int64_t const held = rights.of(earlier); held > 0)
            grow(plan, target, other_path(target.at, kTakenOver, earlier), held);
}

void use(EditPlan& plan, FieldTarget const& target, Wide amount) {
    FieldRights rights = rights_in(plan, target);
    rights.take_over(plan.actor, usable(plan.earlier, target.schema));
    std::int64_t const available = rights.available(plan.actor);
    if (amount > available) return fail_rights(plan, target, narrow(amount), available, rights);
    take_over_if_short(plan, target, amount);
    grow(plan, target, part_path(target.at, kUsed), narrow(amount));
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    auto const* wanted = value.as<std::int64_t>();
    if (!wanted)
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "a bounded counter takes an integer or {\"$inc\": integer}");
    FieldRights const rights = rights_in(plan, target);
    // A sum under zero is put back as the 0 that it reads as; only a decision makes up for it.
    std::int64_t const as_it_is = plan.resolves ? rights.value : shown(rights);
    if (present(plan.record, target.at) && *wanted == as_it_is) return;
    if (*wanted < rights.min)
        return plan.fail(ChangeError::Kind::bad_operation,
                         target.label,
                         std::to_string(*wanted) + " is under the counter's min of " +
                             std::to_string(rights.min));
    Wide const delta = Wide{*wanted} - rights.value;
    if (delta < 0) return use(plan, target, -delta);
    if (delta != narrow(delta))
        return plan.fail(ChangeError::Kind::limit,
                         target.label,
                         "the difference to the present value leaves the range of 64-bit integers");
    add(plan, target, narrow(delta));
}

void operate(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    Value const* inc = find_member(operation, "$inc");
    auto const* delta = inc ? inc->as<std::int64_t>() : nullptr;
    if (!delta)
        return plan.fail(ChangeError::Kind::bad_operation, target.label, "$inc takes an integer");
    if (*delta < 0) return use(plan, target, -Wide{*delta});
    add(plan, target, *delta);
}

}  // namespace

TypeRules bounded_counter_rules() {
    return {kType, "bounded-counter", present, read, siblings, assign, operate};
}

bool holds_passed_rights(std::string_view path) {
    while (auto const segment = take_segment(path)) {
        if (segment->type != kType) continue;
        auto const part = take_segment(path);
        return part && (other_in(part->name, kPassed) || other_in(part->name, kTakenOver));
    }
    return false;
}

std::int64_t FieldRights::of(ActorId actor) const {
    for (Share const& share : shares)
        if (share.actor == actor) return share.rights;
    return 0;
}

void FieldRights::take_over(ActorId actor, std::vector<ActorId> const& earlier) {
    Wide taken = 0;
    for (Share& share : shares) {
        bool const gives = std::find(earlier.begin(), earlier.end(), share.actor) != earlier.end();
        if (gives && share.rights > 0) taken += std::exchange(share.rights, 0);
    }
    if (taken == 0) return;
    auto const at = std::lower_bound(
        shares.begin(), shares.end(), actor, [](Share const& s, ActorId a) { return s.actor < a; });
    if (at != shares.end() && at->actor == actor)
        at->rights = narrow(taken + at->rights);
    else
        shares.insert(at, {actor, narrow(taken)});
}

std::vector<ActorId> usable(EarlierActors const& earlier, FieldSchema const* schema) {
    std::vector<ActorId> actors = earlier.certain;
    if (schema && schema->offline_rights == OfflineRights::trust_disk)
        actors.insert(actors.end(), earlier.trusted.begin(), earlier.trusted.end());
    return actors;
}

std::int64_t FieldRights::available(ActorId actor) const {
    Wide own = of(actor);
    for (Share const& share : shares)
        if (share.actor != actor && share.rights < 0) own += share.rights;
    return narrow(std::max(std::min(own, Wide{value} - min), Wide{0}));
}

std::int64_t FieldRights::elsewhere(ActorId actor) const {
    return narrow(std::max(Wide{value} - min - available(actor), Wide{0}));
}

std::optional<FieldRights> field_rights(Record const& record,
                                        std::string_view at,
                                        FieldSchema const* schema) {
    if (read_type(record, at, schema) != kType || !present(record, at)) return std::nullopt;
    return read_rights(record, at, schema);
}

std::optional<std::string_view> used_bounded_counter(std::string_view path) {
    auto const field = take_segment(path);
    if (!field || field->type != kType) return std::nullopt;
    auto const part = take_segment(path);
    bool const used = part && part->name == kUsed && path.empty();
    return used ? std::optional(field->name) : std::nullopt;
}

void pass_rights(EditPlan& plan, FieldTarget const& target, std::int64_t amount, ActorId to) {
    auto rights = field_rights(plan.record, target.at, target.schema);
    if (!rights || amount <= 0 || to == plan.actor)
        return plan.fail(ChangeError::Kind::bad_operation,
                         target.label,
                         "rights of a bounded counter that is there can be passed on, more than "
                         "none of them, and to another site");
    rights->take_over(plan.actor, usable(plan.earlier, target.schema));
    std::int64_t const held = std::max<std::int64_t>(rights->of(plan.actor), 0);
    if (amount > held) return fail_rights(plan, target, amount, held, *rights);
    take_over_if_short(plan, target, amount);
    grow(plan, target, other_path(target.at, kPassed, to), amount);
}

std::int64_t rights_to_grant(FieldRights const& rights,
                             ActorId holder,
                             std::int64_t amount,
                             bool ahead) {
    std::int64_t const held = std::max<std::int64_t>(rights.of(holder), 0);
    return std::clamp<std::int64_t>(amount, 0, ahead ? held / 2 : held);
}

std::int64_t rights_to_ask_ahead(FieldRights const& rights, ActorId own, std::size_t sites) {
    Wide const all = Wide{rights.value} - rights.min;
    Wide const held = std::max<std::int64_t>(rights.of(own), 0);
    Wide const count = std::max<std::size_t>(sites, 1);
    if (all <= 0 || held * 2 * count >= all) return 0;
    return narrow(std::max(all / count - held, Wide{0}));
}

std::vector<FieldRights::Share> rights_holders(FieldRights const& rights,
                                               std::vector<ActorId> const& reachable,
                                               std::int64_t amount,
                                               bool ahead) {
    std::vector<FieldRights::Share> holders, asked;
    for (FieldRights::Share const& share : rights.shares) {
        bool const reached =
            std::find(reachable.begin(), reachable.end(), share.actor) != reachable.end();
        if (reached && share.rights > 0) holders.push_back(share);
    }
    std::stable_sort(holders.begin(), holders.end(), [](auto const& a, auto const& b) {
        return a.rights > b.rights;
    });
    for (FieldRights::Share const& holder : holders) {
        if (amount <= 0) break;
        std::int64_t const part = std::min(amount, holder.rights);
        asked.push_back({holder.actor, ahead ? amount : part});
        amount = ahead ? 0 : amount - part;
    }
    return asked;
}

}  // namespace inos
