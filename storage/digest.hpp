// How sites know that they hold the same: every visible record has a keyed 128-bit digest, and the
// sum of all digests mod 2^128 is the space's root, kept with every write. Equal version vectors
// mean equal roots; a difference is an alarm.
//
//   digest  = BLAKE2b-128 keyed with the space's digest key over "inos digest 1" | collection blob
//             | key blob | cell*
//   cell    = path blob | actor u64 | total zigzag                                      of a run
//           | path blob | actor u64 | seq varint | hlc u64 | source blob | payload blob   any other
//
// Digests are over the form that is read: a run by its actor and total, not by its seq.
// Per collection there are two sums, of records without delete markers and of records with markers
// and an uncovered cell; the second counts only where the schema says update-wins, so that a change
// of policy costs nothing. Marks of erased records count always, in the first sum. Removed elements
// of lists count nothing, so it does not matter who has dropped them already. Additive multiset
// hashing after Bellare and Micciancio 1997, AdHASH, with keyed terms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crdt/record.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos {

class Digest128 {
public:
    Digest128() = default;
    static Digest128 from(crypto::Hash16 const& bytes);
    crypto::Hash16 bytes() const;
    std::string text() const;  // 32 hex digits

    Digest128& operator+=(Digest128 const& other);
    Digest128& operator-=(Digest128 const& other);
    bool operator==(Digest128 const&) const = default;

    // All ones: said in place of a root by a site that waits for the erase which explains its
    // stubs.
    static Digest128 not_comparable();

private:
    std::uint64_t high_ = 0, low_ = 0;
};

inline Digest128 const kNotComparable = Digest128::not_comparable();

// Which of a collection's sums a record counts in. Stored; never reused.
enum class DigestClass : std::uint8_t {
    none = 0,
    unmarked = 1,
    uncovered = 2,
    hidden = 3,  // counts as an unmarked one, but is no record that anybody sees: the marks of an
                 // erased record, and cells without an existence cell
    hidden_uncovered = 4,  // counts as an uncovered one, but is no record that anybody sees either:
                           // its cells lack an existence cell
};
inline constexpr DigestClass kDigestClassMax = DigestClass::hidden_uncovered;
DigestClass digest_class(RecordState const& state);

Digest128 record_digest(crypto::Secret const& key,
                        std::string_view collection,
                        std::string_view record_key,
                        Record const& record);

struct CollectionSums {
    Digest128 unmarked, uncovered;
    std::uint64_t unmarked_records = 0, uncovered_records = 0;

    void add(DigestClass which, Digest128 const& digest);
    void subtract(DigestClass which, Digest128 const& digest);
    Digest128 sum(DeletePolicy policy) const;
    std::uint64_t records(DeletePolicy policy) const;
    bool operator==(CollectionSums const&) const = default;

    std::string encode() const;
    static bool decode(std::string_view bytes, CollectionSums& sums);
};

}  // namespace inos
