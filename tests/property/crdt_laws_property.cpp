// The laws of the crdt library, over every type in type_list(): what encodes decodes, what merges
// converges, what was asked for is what is read, and nothing else changes.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/property/execution.hpp"

namespace inos::test {
namespace {

// A few replicas after a random execution, not yet synchronised.
Execution random_execution(Tape& tape, std::size_t replicas = 3) {
    Execution execution(replicas);
    for (std::size_t n = 5 + tape.below(60); n > 0; --n)
        execution.step(tape.word64());
    return execution;
}

Record merged(Record ours,
              VersionVector const& our_vv,
              Record const& theirs,
              VersionVector const& their_vv) {
    merge(ours, our_vv, theirs, their_vv);
    return ours;
}

VersionVector joined(VersionVector a, VersionVector const& b) {
    a.merge(b);
    return a;
}

// The same, with sets read as sets: order and repetition of what was asked do not matter there.
bool matches(Value const& want, Value const& got) {
    if (want == got) return true;
    auto const* want_object = want.as<Object>();
    auto const* got_object = got.as<Object>();
    if (want_object && got_object)
        return std::equal(want_object->begin(),
                          want_object->end(),
                          got_object->begin(),
                          got_object->end(),
                          [](Member const& a, Member const& b) {
                              return a.key == b.key && matches(a.value, b.value);
                          });
    auto const* want_array = want.as<Array>();
    auto const* got_array = got.as<Array>();
    if (!want_array || !got_array) return false;
    std::set<std::string> a, b;
    for (Value const& item : *want_array)
        a.insert(encode(item));
    for (Value const& item : *got_array)
        b.insert(encode(item));
    return a == b && got_array->size() == b.size();
}

std::optional<Value> read_field(MiniReplica const& site,
                                RecordName const& name,
                                std::string_view field) {
    auto const fields = site.resolved(name).fields;
    auto const* value = find_member(fields, field);
    return value ? std::optional(*value) : std::nullopt;
}

// Did a value lose to one that is shown?
bool is_of_shown_values(Conflict const& conflict) {
    auto const& values = conflict.values;
    return values.front().dot != Dot() &&
           std::any_of(values.begin() + 1, values.end(), [](auto const& v) { return !v.lost; });
}

// The field of typed_schema() that stands for the type.
std::string field_of(TypeRules const& rules) {
    return rules.name;
}

RC_GTEST_PROP(Laws,
              E12_values_come_back_from_their_bytes_and_equal_ones_have_equal_bytes,
              (Tape tape)) {
    Value const a = random_value(tape, 4), b = random_value(tape, 4);
    auto const back = decode_value(encode(a));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == a);
    RC_ASSERT((encode(a) == encode(b)) == (a == b));
}

RC_GTEST_PROP(Laws, version_vectors_are_a_lattice, (Tape tape)) {
    VersionVector const a = random_vv(tape), b = random_vv(tape), c = random_vv(tape);
    RC_ASSERT(joined(a, b) == joined(b, a));
    RC_ASSERT(joined(joined(a, b), c) == joined(a, joined(b, c)));
    RC_ASSERT(joined(a, a) == a);
    RC_ASSERT(joined(a, b).includes(a));
    RC_ASSERT(a.includes(b) == (joined(a, b) == a));
    std::string bytes;
    a.encode(bytes);
    Reader in(bytes);
    RC_ASSERT(VersionVector::decode(in) == a);
    RC_ASSERT(in.finished());
}

RC_GTEST_PROP(Laws, D14_an_entry_that_is_in_effect_encodes_to_its_own_bytes, (Tape tape)) {
    auto const [header, ops] = random_entry(tape);
    Salt const salt{9, 8, 7};
    auto const bytes = encode_entry(header, salt, ops);
    auto const decoded = decode_entry(bytes, header.dot);
    RC_ASSERT(decoded.reason == VoidReason::none);
    RC_ASSERT(decoded.entry.header == header);
    RC_ASSERT(decoded.entry.ops == ops);
    RC_ASSERT(encode_entry(decoded.entry.header, salt, decoded.entry.ops) == bytes);
    std::string bad = bytes;
    bad[tape.below(bad.size())] = static_cast<char>(tape.word());
    auto const read = decode_entry(bad, header.dot);
    if (read.reason != VoidReason::none) RC_ASSERT(read.entry.ops.empty());
}

RC_GTEST_PROP(Laws, records_come_back_from_their_bytes, (Tape tape)) {
    auto execution = random_execution(tape);
    for (MiniReplica const& site : execution.sites())
        for (auto const& [name, record] : site.records()) {
            auto const back = Record::decode(record.encode());
            RC_ASSERT(back.has_value());
            RC_ASSERT(*back == record);
        }
}

RC_GTEST_PROP(Laws, merge_is_commutative_associative_and_idempotent, (Tape tape)) {
    auto execution = random_execution(tape);
    auto const& s = execution.sites();
    for (RecordName const& name : Execution::names()) {
        Record const &a = s[0].record(name), &b = s[1].record(name), &c = s[2].record(name);
        VersionVector const &va = s[0].vv(), &vb = s[1].vv(), &vc = s[2].vv();
        Record const ab = merged(a, va, b, vb), bc = merged(b, vb, c, vc);
        RC_ASSERT(ab == merged(b, vb, a, va));
        RC_ASSERT(merged(ab, joined(va, vb), c, vc) == merged(a, va, bc, joined(vb, vc)));
        RC_ASSERT(merged(a, va, a, va) == a);
        RC_ASSERT(merged(ab, joined(va, vb), b, vb) == ab);
        RC_ASSERT(merged(ab, joined(va, vb), a, va) == ab);
    }
}

RC_GTEST_PROP(Laws, the_missing_entries_and_the_state_give_the_same, (Tape tape)) {
    auto execution = random_execution(tape);
    MiniReplica by_entries = execution.sites()[0], by_state = execution.sites()[0];
    by_entries.pull(execution.sites()[1]);
    by_state.merge_state(execution.sites()[1]);
    RC_ASSERT(by_entries.bytes() == by_state.bytes());
    RC_ASSERT(by_entries.vv() == by_state.vv());
}

RC_GTEST_PROP(Laws, D18_any_causal_order_gives_the_same_bytes, (Tape tape)) {
    auto execution = random_execution(tape, 4);
    execution.finish();
    for (std::uint64_t seed = 0; seed < 3; ++seed)
        execution.check_any_order(Tape::seeded(seed + tape.word64()));
}

RC_GTEST_PROP(Laws, B10_what_is_read_depends_on_the_cells_alone, (Tape tape)) {
    auto execution = random_execution(tape);
    CollectionSchema const schema = random_schema(tape);
    for (auto const& [name, record] : execution.sites()[0].records()) {
        std::vector<Cell> cells = record.cells();
        for (std::size_t i = cells.size(); i > 1; --i)
            std::swap(cells[i - 1], cells[tape.below(i)]);
        Record shuffled;
        for (Cell& cell : cells)
            shuffled.insert(std::move(cell));
        RC_ASSERT(shuffled == record);
        RC_ASSERT(resolve(shuffled, schema) == resolve(record, schema));
    }
}

// Whatever the cells and whatever the schema, reading is total and fields come in order.
RC_GTEST_PROP(Laws, B12_any_schema_reads_any_record, (Tape tape)) {
    auto execution = random_execution(tape);
    CollectionSchema const schema = random_schema(tape);
    for (auto const& [name, record] : execution.sites()[0].records()) {
        auto const resolved = resolve(record, schema);
        RC_ASSERT(std::is_sorted(resolved.fields.begin(),
                                 resolved.fields.end(),
                                 [](auto const& a, auto const& b) { return a.key < b.key; }));
        for (Conflict const& conflict : resolved.conflicts) {
            RC_ASSERT(conflict.values.size() > 1);
            for (std::size_t i = 0; i < conflict.values.size(); ++i)
                RC_ASSERT(conflict.values[i].wins == (i == 0));
        }
    }
}

RC_GTEST_PROP(Laws, an_assigned_value_is_what_is_read_for_every_type, (Tape tape)) {
    auto execution = random_execution(tape);
    RecordName const name{"typed", "1"};
    for (TypeRules const& rules : type_list()) {
        MiniReplica site = execution.sites()[0];
        Value wanted = fitting_value(tape, rules.type);
        // A bounded counter falls only as far as the site has rights; it can always rise.
        auto const before = read_field(site, name, field_of(rules)).value_or(Value(0));
        if (rules.type == CellType::bounded_counter)
            wanted = Value(*wanted.as<std::int64_t>() + *before.as<std::int64_t>());
        site.patch(name, {{field_of(rules), wanted}});
        RC_ASSERT(!site.error());
        auto const got = read_field(site, name, field_of(rules));
        RC_ASSERT(got.has_value() == !wanted.is_null());  // in a patch null unsets
        if (got && rules.type != CellType::map) RC_ASSERT(matches(wanted, *got));
        site.put(name, {{field_of(rules), wanted}});
        RC_ASSERT(!site.error());
        RC_ASSERT(site.resolved(name).fields.size() == 1u);
        RC_ASSERT(matches(wanted, site.resolved(name).fields[0].value));
        for (Conflict const& conflict : site.resolved(name).conflicts)
            RC_ASSERT(!is_of_shown_values(conflict) || wanted == before);
        RC_ASSERT(site.put(name, {{field_of(rules), wanted}}) == nullptr);  // E13
    }
}

// Puts back what was read under a schema, whatever the cells are. What holds: nothing is refused
// and all reads as before; it is a write only where values lost to one that is shown; conflicts of
// other kinds stay as they were, but for those of a field that is written; what is not shown stays.
void check_putting_back(MiniReplica const& site,
                        RecordName const& name,
                        CollectionSchema const& schema) {
    Record const& record = site.record(name);
    if (!visible(state_of(record), schema.on_delete)) return;
    Resolved const before = resolve(record, schema);
    Dot const dot{site.actor(), site.vv().at(site.actor()) + 1};
    auto const put = [&](Record const& on, Seq seq) {
        auto const planned =
            plan_change(on, schema, name, before.fields, AssignMode::replace, {site.actor(), seq});
        RC_ASSERT(std::holds_alternative<std::optional<Op>>(planned));
        return std::get<std::optional<Op>>(planned);
    };
    auto const op = put(record, dot.seq);
    if (std::none_of(before.conflicts.begin(), before.conflicts.end(), is_of_shown_values))
        RC_ASSERT(!op);
    if (!op) return;
    Record after = record;
    apply(after, *op, {dot, Hlc::from(1'800'000'000'000, 0), "crm", site.vv()});
    Resolved const now = resolve(after, schema);
    RC_ASSERT(now.fields == before.fields);
    RC_ASSERT(!put(after, dot.seq + 1));
    for (Conflict const& conflict : before.conflicts) {
        bool const written = std::any_of(
            before.conflicts.begin(), before.conflicts.end(), [&](Conflict const& other) {
                return is_of_shown_values(other) &&
                       (other.field + ".").starts_with(conflict.field + ".");
            });
        RC_ASSERT(written || std::find(now.conflicts.begin(), now.conflicts.end(), conflict) !=
                                 now.conflicts.end());
    }
    for (Cell const& cell : record.cells()) {
        std::string_view path = cell.path;
        auto const segment = take_segment(path);
        if (!segment || find_member(before.fields, segment->name)) continue;
        auto const& cells = after.cells();
        RC_ASSERT(std::find(cells.begin(), cells.end(), cell) != cells.end());
    }
}

RC_GTEST_PROP(Laws,
              E13_putting_back_what_was_read_settles_values_and_does_nothing_else,
              (Tape tape)) {
    auto execution = random_execution(tape);
    for (MiniReplica const& site : execution.sites())
        for (RecordName const& name : Execution::names()) {
            check_putting_back(site, name, site.schema(name));
            check_putting_back(site, name, {});
            check_putting_back(site, name, random_schema(tape));
        }
}

RC_GTEST_PROP(Laws, operations_do_what_they_say_for_every_type, (Tape tape)) {
    auto execution = random_execution(tape);
    RecordName const name{"typed", "1"};
    MiniReplica& site = execution.sites()[0];
    auto const counter_before = read_field(site, name, "counter").value_or(Value(0));
    std::int64_t const delta = static_cast<std::int64_t>(tape.below(100)) - 50;
    site.patch(name, {{"counter", Value(operation("$inc", Value(delta)))}});
    RC_ASSERT(read_field(site, name, "counter") ==
              Value(*counter_before.as<std::int64_t>() + delta));

    auto const stock_before = read_field(site, name, "bounded-counter").value_or(Value(0));
    site.patch(name, {{"bounded-counter", Value(*stock_before.as<std::int64_t>())}});
    std::int64_t const used = std::max<std::int64_t>(-delta, 0);
    site.patch(name, {{"bounded-counter", Value(operation("$inc", Value(delta)))}});
    std::int64_t const short_of = site.error() ? site.error()->shortage.wanted : 0;
    RC_ASSERT(short_of == 0 || short_of == used);
    RC_ASSERT(read_field(site, name, "bounded-counter") ==
              Value(*stock_before.as<std::int64_t>() + (site.error() ? 0 : delta)));

    auto const set_before = read_field(site, name, "set").value_or(Value(Array{}));
    auto const added = random_elements(tape), removed = random_elements(tape);
    std::set<std::string> want;
    for (Value const& item : *set_before.as<Array>())
        want.insert(encode(item));
    site.patch(name, {{"set", Value(operation("$remove", removed))}});
    site.patch(name, {{"set", Value(operation("$add", added))}});
    for (Value const& item : *removed.as<Array>())
        want.erase(encode(item));
    for (Value const& item : *added.as<Array>())
        want.insert(encode(item));
    std::set<std::string> got;
    auto const set_after = read_field(site, name, "set").value_or(Value());
    RC_ASSERT(set_after.as<Array>() != nullptr);
    for (Value const& item : *set_after.as<Array>())
        got.insert(encode(item));
    RC_ASSERT(got == want);

    for (char const* flag : {"flag", "disable"}) {
        Value const on(tape.chance(50));
        site.patch(name, {{flag, Value(operation("$enable", on))}});
        RC_ASSERT(read_field(site, name, flag) == on);
    }
    site.patch(name, {{"register", Value(operation("$null", Value(true)))}});
    RC_ASSERT(read_field(site, name, "register") == Value());

    auto list_after = read_field(site, name, "list").value_or(Value(Array{}));
    auto const inserted = random_list(tape);
    Object const end{{"before", Value()}, {"values", inserted}};
    site.patch(name, {{"list", Value(operation("$insert", Value(end)))}});
    for (Value const& item : *inserted.as<Array>())
        list_after.as<Array>()->push_back(item);
    RC_ASSERT(read_field(site, name, "list") == list_after);

    auto const text_before = read_field(site, name, "text").value_or(Value(""));
    std::string const typed = random_text(tape);
    Object const front{{"at", Value(0)}, {"insert", Value(typed)}};
    site.patch(name, {{"text", Value(operation("$splice", Value(front)))}});
    RC_ASSERT(read_field(site, name, "text") == Value(typed + *text_before.as<std::string>()));
}

RC_GTEST_PROP(Laws, B7_untouched_fields_never_change, (Tape tape)) {
    auto execution = random_execution(tape);
    RecordName const name = tape.pick(Execution::names());
    MiniReplica& site = execution.sites()[0];
    RC_PRE(site.exists(name));
    auto const before = site.resolved(name);
    auto const cells_before = site.record(name).cells();
    Object const fields = random_fields(tape, site.schema(name));
    auto const made = site.patch(name, fields);
    auto const after = site.resolved(name);
    for (Member const& member : before.fields) {
        if (made && find_member(fields, member.key)) continue;
        auto const* now = find_member(after.fields, member.key);
        RC_ASSERT(now != nullptr);
        RC_ASSERT(*now == member.value);
    }
    for (Cell const& cell : cells_before) {
        std::string_view path = cell.path;
        auto const segment = take_segment(path);
        if (!segment || find_member(fields, segment->name)) continue;
        auto const& cells = site.record(name).cells();
        RC_ASSERT(std::find(cells.begin(), cells.end(), cell) != cells.end());
    }
}

RC_GTEST_PROP(Laws, B15_a_write_covers_all_that_it_saw, (Tape tape)) {
    auto execution = random_execution(tape);
    MiniReplica& site = execution.sites()[0];
    RecordName const name{"typed", "1"};
    for (MiniReplica const& other : execution.sites())
        site.pull(other);
    static constexpr char const* kRegisters[] = {"register", "priority", "order", "keep"};
    for (char const* field : kRegisters) {
        Value const wanted(static_cast<std::int64_t>(tape.word64()));
        site.patch(name, {{field, wanted}});
        auto const path = path_child({}, field, CellType::register_);
        RC_ASSERT(cells_at(site.record(name), path).size() == 1u);
    }
    for (Conflict const& conflict : site.resolved(name).conflicts)
        for (char const* field : kRegisters)
            RC_ASSERT(conflict.field != field);
}

// Without a clear, the sum is of all increments, whoever made them and however they travelled.
RC_GTEST_PROP(Laws, E1_a_counter_is_the_sum_of_its_increments, (Tape tape)) {
    Schemas schemas;
    schemas["c"].fields["n"].type = CellType::counter;
    std::vector<MiniReplica> sites;
    for (std::uint64_t i = 1; i <= 3; ++i)
        sites.emplace_back(ActorId{i}, "", schemas);
    RecordName const name{"c", "1"};
    std::int64_t sum = 0;
    for (std::size_t n = tape.below(40); n > 0; --n) {
        MiniReplica& site = sites[tape.below(3)];
        MiniReplica const& other = sites[tape.below(3)];
        switch (tape.below(4)) {
            case 0:
                site.pull(other, 1 + tape.below(5));
                break;
            case 1:
                if (&site != &other) site.merge_state(other);
                break;
            default: {
                std::int64_t const delta = static_cast<std::int64_t>(tape.below(20)) - 8;
                site.patch(name, {{"n", Value(operation("$inc", Value(delta)))}});
                sum += delta;
            }
        }
    }
    for (MiniReplica& site : sites)
        for (MiniReplica const& other : sites)
            site.pull(other);
    for (MiniReplica const& site : sites)
        RC_ASSERT(read_field(site, name, "n").value_or(Value(0)) == Value(sum));
}

// Two requests in one transaction do what they do in two.
RC_GTEST_PROP(Laws, compose_is_the_one_after_the_other, (Tape tape)) {
    auto execution = random_execution(tape);
    RecordName const name = tape.pick(Execution::names());
    MiniReplica at_once = execution.sites()[0], in_turn = at_once;
    std::vector<Request> requests(2 + tape.below(2));
    for (Request& request : requests) {
        request.name = name;
        request.kind = static_cast<Request::Kind>(tape.below(3));
        if (request.kind != Request::Kind::delete_)
            request.fields = random_fields(tape, at_once.schema(name));
        if (request.kind == Request::Kind::patch && tape.chance(50))
            set_member(request.fields, "counter", random_operation(tape, CellType::counter));
    }
    bool failed = false;
    for (Request const& request : requests) {
        in_turn.commit({request});
        failed |= in_turn.error().has_value();
    }
    auto const before = at_once.bytes();
    auto const made = at_once.commit(requests);
    if (failed) {
        RC_ASSERT(at_once.error().has_value());
        RC_ASSERT(at_once.bytes() == before);
        return;
    }
    RC_ASSERT(!at_once.error());
    if (made) RC_ASSERT(made->entry.ops.size() == 1u);
    RC_ASSERT(at_once.exists(name) == in_turn.exists(name));
    RC_ASSERT(at_once.resolved(name).fields == in_turn.resolved(name).fields);
    // Cells of others are the same too, so that later merges come out the same.
    auto const foreign = [&](MiniReplica const& site) {
        std::vector<Cell> cells;
        for (Cell const& cell : site.record(name).cells())
            if (cell.dot.seq <= execution.sites()[0].vv().at(cell.dot.actor)) cells.push_back(cell);
        return cells;
    };
    if (at_once.exists(name)) RC_ASSERT(foreign(at_once) == foreign(in_turn));
}

}  // namespace
}  // namespace inos::test
