// Transforms: the steps between what an external system holds and what the record holds, as a
// mapping file's `in` and `out` name them (docs/mappings.md lists them). Each has an inverse, or
// says that it has none; for a chain and its inverse
//
//   in(out(x)) == x        for every canonical x that `out` does not refuse
//
// Null is no value, and passes all steps but `const` and `default` as it is.
//
// Pure, total; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/mapping/steps.hpp"
#include "storage/result.hpp"

namespace inos {

struct Transformed {
    enum class Kind : std::uint8_t {
        value,
        nothing,  // `keep` or `skip`: says nothing, writes nothing
        refused,  // the value has no counterpart on the other side
    };
    Kind kind = Kind::value;
    Value value;
    std::string why;  // refused: names the value
};

Transformed transformed(Chain const& chain, Value value);

// The chain the other way round; nothing when a step has no inverse.
std::optional<Chain> inverse(Chain const& chain);

// Tables of a mapping file, by name, in the order of the file.
using LookupTables = std::map<std::string, std::vector<std::pair<std::string, std::string>>>;

// One step as it is written: "map:a=b,*=skip". Errc::invalid says what is wrong. In texts of pairs
// and lists a backslash makes the next of , = \ an ordinary character.
Result<Transform> parse_transform(std::string_view text, LookupTables const& tables);
std::vector<std::string> const& transform_words();  // without arguments
std::string transform_word(Transform const& step);

// The members of an object that the steps read or write by name.
std::vector<std::string> member_names(Chain const& chain);

}  // namespace inos
