// A record's bytes: canonical, and every state that they can hold is readable, mergeable and can be
// written over, however unlikely it is to come about.
#include "crdt/change.hpp"
#include "crdt/merge.hpp"
#include "crdt/record.hpp"
#include "crdt/resolve.hpp"
#include "storage/digest.hpp"
#include "storage/json.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

CollectionSchema schema_with(RegisterPolicy policy) {
    FieldSchema field;
    field.policy = policy;
    field.ranking = {"crm", "shop"};
    field.order = {"given", "withdrawn"};
    CollectionSchema schema;
    schema.others = field;
    return schema;
}

void read(Record const& record) {
    write_json(resolve(record, {}).fields);
    for (auto const policy : {RegisterPolicy::latest,
                              RegisterPolicy::priority,
                              RegisterPolicy::order,
                              RegisterPolicy::keep_all})
        resolve(record, schema_with(policy));
    visible(state_of(record), DeletePolicy::update_wins);
    record_digest(crypto::Secret(std::string(32, 'd')), "customers", "ann", record);
}

void merge_with_itself(Record const& record) {
    VersionVector const all = seen_cells(record);
    Record merged = record;
    merge(merged, all, record, all);
    std::string const bytes = merged.encode();
    auto const decoded = Record::decode(bytes);
    fuzz::expect(decoded && *decoded == merged, "a merged record decodes to itself");
}

void write_over(Record const& record) {
    RecordName const name{"customers", "ann"};
    Author const author{ActorId{7}, kSeqMax};
    plan_delete(record, {}, name);
    for (AssignMode const mode : {AssignMode::replace, AssignMode::merge})
        for (Object const& fields : {Object{}, Object{{"name", Value("Ann")}}})
            plan_change(record, {}, name, fields, mode, author);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes = fuzz::view(data, size);
    if (auto const run = RunCell::decode(bytes))
        fuzz::expect(run->encode() == bytes, "a decoded run cell encodes to the same bytes");
    auto const record = Record::decode(bytes);
    if (!record) return 0;
    fuzz::seed_randomness();
    fuzz::expect(record->encode() == bytes, "a decoded record encodes to the same bytes");
    read(*record);
    merge_with_itself(*record);
    write_over(*record);
    return 0;
}
