// Schema files (TOML): read into values that can be stored, with every problem traced to its place.
#include "tests/fuzz/fuzz.hpp"
#include "tools/schema_file.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const file = SchemaFile::parse(fuzz::view(data, size), "schema.toml");
    if (!file) {
        fuzz::expect(!file.error().message.empty(), "a refusal says why");
        return 0;
    }
    Value const document(file->document());
    auto const problems = check_schema(file->document());
    fuzz::expect(file->describe(problems).size() == problems.size(), "every problem has a place");
    if (!problems.empty()) return 0;
    auto const stored = decode_value(encode(document));
    fuzz::expect(stored && *stored == document, "a document can be stored");
    auto const again = SchemaFile::parse(schema_toml(file->document()), "again.toml");
    fuzz::expect(again && check_schema(again->document()).empty(), "it can be written as a file");
    return 0;
}
