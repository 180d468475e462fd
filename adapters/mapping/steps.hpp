// Canonical forms and transforms as data: what a mapping file's `canon`, `in` and `out` say, read
// and checked. canon.hpp and transform.hpp say what they do. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "crdt/value.hpp"

namespace inos {

// A way to write a value that all ways which count as the same are brought into.
struct CanonForm {
    enum class Kind : std::uint8_t {
        nfc,
        trim,
        collapse_space,
        lower,
        upper,
        e164,  // argument: the region of numbers without a country code
        digits,
        iso_country,
        iso_currency,
        decimal,  // places: digits behind the point
        date,
        datetime_utc,
        address,  // of an object: each of its members in the form of its kind
        lines_lf,
        empty_null,
    };

    Kind kind = Kind::trim;
    std::string argument;
    int places = 0;

    bool operator==(CanonForm const&) const = default;
};

// One step of a chain between what an external system holds and what the record holds.
struct Transform {
    enum class Kind : std::uint8_t {
        map,           // pairs, otherwise
        lookup,        // pairs of a table of the file; argument: its name
        lookup_back,   // the same from its values to its keys
        join_lines,    // names: members of an object that become lines of the first
        split_lines,   // names: members that take the lines of the first
        join,          // argument: separator
        split,         // argument: separator; number: parts at most (0: any number)
        prefix,        // argument
        strip_prefix,  // argument
        constant,      // value
        default_,      // value: stands for no value
        drop,          // value: becomes no value
        number,        // from text
        text,          // from a number
        bool_,         // names: the words for true and false
        bool_text,     // names: the words for true and false
        truncate,      // number: characters
        money,         // argument: currency ("": an object's own); from what systems hold
        amount,        // argument: currency; to what systems hold
        minor_units,   // argument: currency; from whole cents to money
        minor_amount,  // argument: currency; from money to whole cents
        tz,            // argument: zone; from local time there to UTC
        local,         // argument: zone; from UTC to local time there
        hash,          // SHA-256 in hexadecimal
        country_code,  // argument: language; from a country's name to its code
        country_name,  // argument: language; from a country's code to its name
    };
    // What a pair leads to.
    enum class Result : std::uint8_t {
        value,  // the pair's text, true, false or number
        keep,   // inward: says nothing, the record's value stays
        skip,   // outward: nothing is written
    };
    struct Pair {
        Value from;
        Result result = Result::value;
        Value to;

        bool operator==(Pair const&) const = default;
    };

    Kind kind = Kind::map;
    std::string argument;
    std::int64_t number = 0;
    std::vector<std::string> names;
    std::vector<Pair> pairs;
    bool has_otherwise = false;   // map: "*=..."
    bool otherwise_same = false;  // map: "*=same", the value itself
    Pair otherwise;
    Value value;

    bool operator==(Transform const&) const = default;
};

using CanonForms = std::vector<CanonForm>;
using Chain = std::vector<Transform>;

}  // namespace inos
