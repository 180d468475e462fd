// inos-bench-apply: what applying one large op costs, beside inserting the cells that it makes one
// after the other into the record. One JSON line a result. Figures of docs/benchmarks.md.
//
//   inos-bench-apply [ELEMENTS]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/resource.h>

#include "crdt/change.hpp"
#include "crdt/merge.hpp"

namespace inos::bench {
namespace {

constexpr ActorId kActor{7};
RecordName const kName{"c", "1"};

double cpu_ms() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec) * 1e3 +
           static_cast<double>(usage.ru_utime.tv_usec) / 1e3;
}

template <class F>
double cpu_of(F&& work) {
    double const before = cpu_ms();
    work();
    return cpu_ms() - before;
}

// Elements in an order that is not the one of their bytes.
Value elements(std::size_t count, std::string_view prefix) {
    Array array;
    for (std::size_t i = 0; i < count; ++i)
        array.push_back(Value(std::string(prefix) + std::to_string(i * 7'919 % count)));
    return Value(std::move(array));
}

Op planned(Record const& record, CollectionSchema const& schema, Seq seq, Value value) {
    auto plan = plan_change(
        record, schema, kName, Object{{"f", std::move(value)}}, AssignMode::merge, {kActor, seq});
    auto* op = std::get_if<std::optional<Op>>(&plan);
    if (!op || !*op) std::exit(1);
    return *std::move(*op);
}

// An operation that adds elements to those that are there.
Value more(CellType type, std::size_t count) {
    if (type == CellType::set) return Value(Object{{"$add", elements(count, "more ")}});
    Object at_front{{"after", Value()}, {"values", elements(count, "more ")}};
    return Value(Object{{"$insert", Value(std::move(at_front))}});
}

// The record gets `count` elements by one op, and by a second op as many more.
void run(char const* name, CellType type, std::size_t count) {
    CollectionSchema schema;
    schema.fields["f"].type = type;
    Record record;
    VersionVector deps;
    for (Seq seq : {1, 2}) {
        Op const op = planned(
            record, schema, seq, seq == 1 ? elements(count, "element ") : more(type, count));
        OpOrigin const origin{{kActor, seq}, Hlc::from(seq, 0), "bench", deps};
        Record applied = record, one_by_one = record;
        double const at_once = cpu_of([&] { apply(applied, op, origin); });
        double const in_turn = cpu_of([&] {
            if (op.fresh)
                one_by_one.insert(
                    {std::string(kExistencePath), origin.dot, origin.hlc, "bench", ""});
            for (Edit const& edit : op.edits)
                one_by_one.insert({edit.path, origin.dot, origin.hlc, "bench", edit.payload});
        });
        if (!(applied == one_by_one)) std::exit(1);
        std::printf(
            "{\"name\":\"%s\",\"cells before\":%zu,\"cells\":%zu,\"apply ms\":%.2f,"
            "\"one by one ms\":%.2f,\"ratio\":%.1f}\n",
            name,
            record.cells().size(),
            op.edits.size(),
            at_once,
            in_turn,
            in_turn / std::max(at_once, 0.01));
        record = std::move(applied);
        deps.set(kActor, seq);
    }
}

}  // namespace
}  // namespace inos::bench

int main(int argc, char** argv) {
    std::size_t const count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 9'900;
    inos::bench::run("set", inos::CellType::set, count);
    inos::bench::run("list", inos::CellType::list, count);
}
