// What the engine and key files hold besides records and entries: a bad disk is no crash.
#include "storage/continuity.hpp"
#include "storage/digest.hpp"
#include "storage/invites.hpp"
#include "storage/site_directory.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes = fuzz::view(data, size);
    if (auto const invite = Invite::decode(bytes))
        fuzz::expect(invite->encode() == bytes, "an invitation encodes to the same bytes");
    if (auto const record = ContinuityRecord::decode(bytes))
        fuzz::expect(record->encode() == bytes, "marks encode to the same bytes");
    if (auto const fork = Fork::decode(ActorId{1}, bytes))
        fuzz::expect(fork->encode() == bytes, "a fork encodes to the same bytes");
    CollectionSums sums;
    if (CollectionSums::decode(bytes, sums))
        fuzz::expect(sums.encode() == bytes, "sums encode to the same bytes");
    if (auto const keys = parse_space_keys(bytes)) {
        auto const again = parse_space_keys(space_keys_text(*keys));
        fuzz::expect(again && space_keys_text(*again) == space_keys_text(*keys),
                     "space keys written again are the same");
    }
    return 0;
}
