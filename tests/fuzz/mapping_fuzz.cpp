// Mapping files (TOML): read against a schema; what is accepted has the laws of maps on samples.
#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/mapping_toml.hpp"
#include "adapters/mapping/round_trip.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

MappingContext context() {
    CollectionSchema schema;
    schema.identity = {"email"};
    schema.fields["name"].type = CellType::map;
    schema.fields["email"].canon = {TextCanon::trim, TextCanon::lower};
    schema.fields["phone"] = {};
    schema.fields["ship"] = {};
    schema.fields["consent_email"].rules.choices = {
        Value("unknown"), Value("pending"), Value("subscribed"), Value("unsubscribed")};
    schema.fields["tags"].type = CellType::set;
    schema.fields["owner"] = {};
    MappingContext made;
    made.schemas.emplace("customers", std::move(schema));
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const parsed = parse_mapping(fuzz::view(data, size), context());
    for (MappingProblem const& problem : parsed.problems)
        fuzz::expect(!problem.message.empty() && problem.place.line > 0, "a problem has a place");
    for (Binding const& binding : parsed.mapping.bindings) {
        fuzz::expect(parsed.mapping.system(binding.system) != nullptr, "a binding has a system");
        fuzz::expect(binding.hash.size() == 64, "a binding has a hash");
        for (FieldMap const& map : binding.maps) {
            fuzz::expect(settles(map.canon), "its forms settle");
            fuzz::expect(map.external.has_value() != map.is_composed(), "a map has places");
            for (Value const& sample : sample_values())
                write_external(map, canonical(sample, map.canon).value);
        }
    }
    return 0;
}
