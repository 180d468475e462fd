// Acknowledgements: what each member says that it holds durably, signed, so that everybody can know
// what nobody will ever miss again. They travel from site to site beside the entries; of one site's
// the highest counter counts.
//
//   acknowledgement  = body | signature 64 over "inos acknowledgement 1" | space 16 | body
//   body             = version u8 (1) | site 32 | counter varint | made varint (Unix ms)
//                    | membership 16
//                    | count varint, (actor u64, seq varint, chain 8)*       ascending by actor
//                    | scrubbed: 0, or 1 and VersionVector
//
// The heads name entries by their chain, so that a fork is not taken for agreement. `membership` is
// the digest of the membership log that the site knew: whom it does not know may not have seen what
// everybody else has. An actor that has ended there, and that is held just to its end, is not
// named, so that former lives take no room; one that is not held at all is named with 0.
// `scrubbed`: every erase in these entries has left no byte on its disk; 0 says that this holds for
// all that it acknowledges.
//
// Pure; any thread. Errors: Errc::protocol, with what is wrong.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "storage/membership.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kAcknowledgementBytesMax = 1 << 20;

struct Acknowledgement {
    SiteId site{};
    std::uint64_t counter = 0;
    std::uint64_t made_ms = 0;  // by its clock; for people only
    crypto::Hash16 membership{};
    std::vector<DepHead> heads;             // without those at their stated ends
    std::optional<VersionVector> scrubbed;  // nullopt: all that it acknowledges

    // All that it acknowledges, ascending by actor. Of a site that knows another membership log
    // only what it names: it may not have known of the ends that are known here.
    std::vector<DepHead> all_heads(Membership const& membership) const;
    VersionVector vector(Membership const& membership) const;
    std::string encode(SpaceId const& space, crypto::SigningKey const& key) const;
    // Says the same, whatever counter and time.
    bool same_as(Acknowledgement const& other) const;
};

// Decodes and checks the signature against the site that it names; not whether that is a member.
Result<Acknowledgement> decode_acknowledgement(SpaceId const& space, std::string_view bytes);

// The site that the bytes name, unchecked.
std::optional<SiteId> acknowledgement_site(std::string_view bytes);

// The last one of every site, as bytes. Equal sets have equal digests.
struct Acknowledgements {
    std::map<SiteId, std::string> by_site;
    crypto::Hash16 digest = digest_of({});

    static crypto::Hash16 digest_of(std::map<SiteId, std::string> const& by_site);
};

// Does somebody hold an actor just to its stated end? If it wrote nothing, everybody does.
bool is_at_end(DepHead const& held, DepHead const& end);

// Heads ascending by actor, as an acknowledgement names them.
std::vector<DepHead> without_ended(std::vector<DepHead> const& heads,
                                   std::map<ActorId, ActorPoint> const& ends);

// Sites that acknowledge: all members but relays.
bool acknowledges(Certificate const& certificate);

}  // namespace inos
