#include "adapters/mapping/round_trip.hpp"

#include <set>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/transform.hpp"
#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::size_t kShownBytesMax = 80;

std::string shown(Value const& value) {
    return shortened(write_json(value), kShownBytesMax);
}

std::string shown(std::vector<Outbound::Part> const& parts) {
    return parts.size() == 1 ? shown(parts[0].value) : shown(Value(external_of(parts)));
}

}  // namespace

Object external_of(std::vector<Outbound::Part> const& parts) {
    Object object;
    for (Outbound::Part const& part : parts)
        set_at(object, part.external, part.value);
    return object;
}

std::optional<std::string> round_trip_problem(FieldMap const& map, Value const& value) {
    Outbound const out = write_external(map, value);
    if (out.kind != Outbound::Kind::write) return std::nullopt;
    Inbound const in = read_external(map, external_of(out.parts));
    bool const silent = in.kind == Inbound::Kind::keep || in.kind == Inbound::Kind::hidden;
    if (silent || (in.kind == Inbound::Kind::value && in.value == value)) return std::nullopt;
    return shown(value) + " goes out as " + shown(out.parts) +
           (in.kind == Inbound::Kind::refused ? " and is refused on its way back (" + in.why + ")"
                                              : " and comes back as " + shown(in.value));
}

std::vector<Value> sample_values() {
    Object money;
    set_member(money, "amount", Value("12.50"));
    set_member(money, "currency", Value("EUR"));
    return {Value("Anna Maria Schmidt-Meyer"),
            Value("A"),
            Value("DE"),
            Value("0012"),
            Value("12.50"),
            Value("2026-01-31"),
            Value("2026-01-31T10:00:00Z"),
            Value("+46701234567"),
            Value(true),
            Value(false),
            Value(7),
            Value(12.5),
            Value(std::move(money)),
            Value(Array{Value("Anna"), Value("Bela")})};
}

}  // namespace inos
