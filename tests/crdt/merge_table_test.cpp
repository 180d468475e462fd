// Runs the table of docs/data-model.md that says what two concurrent changes come to, so that the
// documentation is what the code does. Columns: type | before | site A | site B | both read | in
// conflict. In each column stand code spans:
//
//   changes   a JSON value (PATCH gives it to the field `f`), PATCH {...}, PUT {...}, DELETE,
//   ERASE,
//             or PASS n; "refused" behind one says that the site does not accept it
//   reads     a JSON value of the field (of rows about a record: all fields), or one of the words
//             absent, deleted, erased
//   conflict  the values that lost, or `increment` for one that adds nothing
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "crdt/types/list.hpp"
#include "storage/json.hpp"
#include "tests/support/mini_rights.hpp"

namespace inos::test {
namespace {

constexpr char const* kHeading = "## What two concurrent changes come to";
constexpr std::uint64_t kNow = 1'700'000'000'000, kMinute = 60'000;
RecordName const kName{"c", "1"};

struct Row {
    std::size_t line = 0;
    std::string type, before, a, b, reads, conflict;
};

std::string trimmed(std::string const& text) {
    auto const first = text.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> columns_of(std::string const& line) {
    std::vector<std::string> columns;
    for (std::size_t at = 1; at < line.size();) {
        std::size_t const end = std::min(line.find('|', at), line.size());
        columns.push_back(trimmed(line.substr(at, end - at)));
        at = end + 1;
    }
    return columns;
}

std::vector<Row> rows() {
    std::ifstream file(INOS_TEST_GOLDEN "/../../docs/data-model.md");
    std::vector<Row> rows;
    bool inside = false;
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line.starts_with("## ")) inside = line == kHeading;
        if (!inside || !line.starts_with("| ") || line.starts_with("| ---")) continue;
        auto const c = columns_of(line);
        if (c.size() != 6) throw std::runtime_error("not 6 columns in line: " + line);
        if (c[0] != "type") rows.push_back({number, c[0], c[1], c[2], c[3], c[4], c[5]});
    }
    return rows;
}

// The code spans of a column, each with the words behind it.
struct Span {
    std::string code, after;
};

std::vector<Span> spans_of(std::string const& column) {
    std::vector<Span> spans;
    for (std::size_t at = column.find('`'); at != std::string::npos;) {
        std::size_t const end = column.find('`', at + 1);
        if (end == std::string::npos)
            throw std::runtime_error("a code span without end: " + column);
        std::size_t const next = column.find('`', end + 1);
        spans.push_back(
            {column.substr(at + 1, end - at - 1),
             column.substr(end + 1, next == std::string::npos ? next : next - end - 1)});
        at = next;
    }
    return spans;
}

Value json(std::string const& text) {
    auto value = parse_json(text);
    if (!value) throw std::runtime_error("no JSON: " + text);
    return *std::move(value);
}

bool begins(std::string const& text, std::string_view word) {
    return text.compare(0, word.size(), word) == 0;
}

CollectionSchema schema_of(std::string const& type) {
    CollectionSchema schema;
    if (type == "record, delete-wins") schema.on_delete = DeletePolicy::delete_wins;
    if (begins(type, "record, ") || type == "no schema") return schema;
    FieldSchema& field = schema.fields["f"];
    std::size_t const comma = std::min(type.find(','), type.size());
    auto const* rules = rules_of(type.substr(0, comma));
    if (!rules) throw std::runtime_error("no such type: " + type);
    field.type = rules->type;
    std::string const rest = trimmed(type.substr(std::min(comma + 1, type.size())));
    if (rest == "priority") {
        field.policy = RegisterPolicy::priority;
        field.ranking = {"crm", "shop"};
    } else if (rest == "order") {
        field.policy = RegisterPolicy::order;
        field.order = {"open", "closed"};
    } else if (rest == "keep-all") {
        field.policy = RegisterPolicy::keep_all;
    } else if (rest == "disable wins") {
        field.disable_wins = true;
    } else if (!rest.empty() && rest != "latest" && rest != "enable wins") {
        throw std::runtime_error("no such variant: " + type);
    }
    return schema;
}

// Puts ids in the place of the values by which the table names elements of a list.
void name_elements(Record const& record, Value& operation) {
    auto const id = [&record](Value& named) {
        for (ListElement const& element : list_state(record, path_name({}, "f")).shown)
            if (element.values.front()->payload == encode(named))
                return named = Value(element_id(element.name)), true;
        return false;
    };
    auto* members = operation.as<Object>();
    if (!members) return;
    for (Member& member : *members) {
        if (member.key == "$remove") id(member.value);
        auto* operands = member.value.as<Object>();
        if (!operands) continue;
        for (Member& operand : *operands)
            if (operand.key == "element" || operand.key == "after" || operand.key == "before")
                id(operand.value);
    }
}

// One row, at two sites.
class Pair {
public:
    Pair(Row const& row, bool swapped)
        : schemas_{{kName.collection, schema_of(row.type)}},
          a_(ActorId{swapped ? 2u : 1u}, "crm", schemas_),
          b_(ActorId{swapped ? 1u : 2u}, "shop", schemas_),
          is_list_(row.type == "list") {
        a_.set_time(kNow - kMinute);
        make(a_, b_, row.before);
        b_.pull(a_);
        a_.set_time(kNow);
        b_.set_time(kNow + kMinute);
        make(a_, b_, row.a);
        make(b_, a_, row.b);
    }

    // Everything that two sites with both changes can be, by the way they got there.
    std::vector<MiniReplica> merged() const {
        MiniReplica nobody(ActorId{9}, "crm", schemas_);
        std::vector<MiniReplica> all{a_, b_, a_, b_, nobody, nobody, nobody};
        all[0].pull(b_);
        all[1].pull(a_);
        all[2].merge_state(b_);
        all[3].merge_state(a_);
        all[4].pull(a_);
        all[4].pull(b_);
        all[5].pull(b_);
        all[5].pull(a_);
        all[6].merge_state(b_);
        all[6].merge_state(a_);
        return all;
    }

private:
    void make(MiniReplica& site, MiniReplica& other, std::string const& column) {
        for (Span const& span : spans_of(column)) {
            bool const refused = !carry_out(site, other, span.code);
            bool const expected = span.after.find("refused") != std::string::npos;
            EXPECT_EQ(refused, expected)
                << span.code << (site.error() ? site.error()->message : "");
        }
    }

    // False when the site refuses it.
    bool carry_out(MiniReplica& site, MiniReplica& other, std::string const& code) {
        if (code == "DELETE") return site.erase(kName) != nullptr;
        if (code == "ERASE") return site.forget(kName) != nullptr;
        if (begins(code, "PASS "))
            return !pass_rights(site, kName, "f", std::stoll(code.substr(5)), other.actor());
        if (begins(code, "PUT "))
            return site.put(kName, *json(code.substr(4)).as<Object>()) != nullptr;
        if (begins(code, "PATCH "))
            return site.patch(kName, *json(code.substr(6)).as<Object>()) != nullptr;
        Value value = json(code);
        if (is_list_) name_elements(site.record(kName), value);
        return site.patch(kName, {{"f", std::move(value)}}) != nullptr;
    }

    Schemas schemas_;
    MiniReplica a_, b_;
    bool is_list_;
};

std::string reading(MiniReplica const& site, bool whole) {
    if (state_of(site.record(kName)).erased) return "erased";
    if (!site.exists(kName)) return "deleted";
    auto const fields = site.resolved(kName).fields;
    if (whole) return write_json(fields);
    auto const* value = find_member(fields, "f");
    return value ? write_json(*value) : "absent";
}

std::string losers(MiniReplica const& site) {
    std::string out;
    for (Conflict const& conflict : site.resolved(kName).conflicts)
        for (ConflictValue const& value : conflict.values)
            if (!value.wins) out += (value.lost ? "increment" : write_json(value.value)) + " ";
    return out;
}

// The same text for the same values, however they are written in the table.
std::string canonical(std::string const& column) {
    auto const spans = spans_of(column);
    return spans.empty() ? column : write_json(json(spans.front().code));
}

std::string canonical_list(std::string const& column) {
    std::string out;
    for (Span const& span : spans_of(column))
        out += (span.code == "increment" ? span.code : write_json(json(span.code))) + " ";
    return out;
}

void run(Row const& row, bool swapped) {
    Pair const pair(row, swapped);
    auto const all = pair.merged();
    for (MiniReplica const& site : all) {
        EXPECT_EQ(site.bytes(), all[0].bytes());
        EXPECT_EQ(site.vv(), all[0].vv());
    }
    EXPECT_EQ(reading(all[0], begins(row.type, "record, ")), canonical(row.reads));
    EXPECT_EQ(losers(all[0]), canonical_list(row.conflict));
}

TEST(MergeTable, every_row_comes_out_as_it_says) {
    for (Row const& row : rows()) {
        SCOPED_TRACE("docs/data-model.md:" + std::to_string(row.line) + ": " + row.type + " | " +
                     row.before + " | " + row.a + " | " + row.b);
        run(row, false);
        // Which actor has the lower number decides nothing but the order of what was inserted at
        // one place.
        if (row.type != "list" && row.type != "text" && row.type != "bounded-counter")
            run(row, true);
    }
}

TEST(MergeTable, has_rows_for_every_type_policy_and_way_to_delete) {
    std::map<std::string, std::size_t> count;
    for (Row const& row : rows())
        ++count[row.type];
    for (TypeRules const& rules : type_list()) {
        std::size_t of_type = 0;
        for (auto const& [type, n] : count)
            if (type == rules.name || begins(type, std::string(rules.name) + ",")) of_type += n;
        EXPECT_GE(of_type, 5u) << rules.name;
    }
    for (char const* type : {"register, latest",
                             "register, priority",
                             "register, order",
                             "register, keep-all",
                             "flag, enable wins",
                             "flag, disable wins",
                             "no schema",
                             "record, update-wins",
                             "record, delete-wins"})
        EXPECT_GE(count[type], 1u) << type;
}

}  // namespace
}  // namespace inos::test
