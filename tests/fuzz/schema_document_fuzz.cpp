// Schema documents: checking finds a reason or the document can be stored, read back as the same,
// and written as a TOML file that means the same; fields of newer versions are read somehow.
#include "storage/json.hpp"
#include "storage/schema_document.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/schema_file.hpp"

using namespace inos;

namespace {

bool has_null(Value const& value) {
    if (auto const* array = value.as<Array>())
        return std::any_of(array->begin(), array->end(), has_null);
    if (auto const* object = value.as<Object>())
        return std::any_of(object->begin(), object->end(), [](Member const& member) {
            return has_null(member.value);
        });
    return value.is_null();
}

std::map<std::string, Object> records_of(Object const& document) {
    std::map<std::string, Object> records;
    for (Write const& write : schema_writes(document, {}))
        records[write.name.key] = write.fields;
    return records;
}

void check_stored(Object const& document) {
    auto const records = records_of(document);
    for (auto const& [collection, fields] : records) {
        parse_collection_schema(fields);
        auto const stored = decode_value(encode(Value(fields)));
        fuzz::expect(stored && *stored == Value(fields), "a schema can be stored");
    }
    Object const again = schema_document(records);
    fuzz::expect(check_schema(again).empty(), "the stored document may be applied");
    fuzz::expect(schema_writes(again, records).empty(), "and needs no write");
}

void check_toml(Object const& document) {
    if (has_null(Value(document))) return;  // TOML has no word for it
    auto const file = SchemaFile::parse(schema_toml(document), "schema.toml");
    fuzz::expect(file.has_value(), "a document's TOML can be read");
    fuzz::expect(records_of(file->document()) == records_of(document), "and means the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const document = parse_json_object(fuzz::view(data, size));
    if (!document) return 0;
    parse_collection_schema(*document);
    auto const problems = check_schema(*document);
    for (SchemaProblem const& problem : problems)
        fuzz::expect(!problem.message.empty(), "a problem says what is wrong");
    if (!problems.empty()) return 0;
    check_stored(*document);
    check_toml(*document);
    return 0;
}
