// The messages of messages.capnp as plain structs: what sessions handle. Cap'n Proto stays inside
// net/wire/codec.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "crdt/ids.hpp"
#include "storage/continuity.hpp"
#include "storage/membership.hpp"
#include "storage/record_repair.hpp"

namespace inos::wire {

using Digest = std::array<std::uint8_t, 16>;

inline constexpr std::uint32_t kFeatureRepair = 1;  // answers RepairAsk
inline constexpr std::uint32_t kFeatureRoom = 2;    // knows Room

struct Hello {
    struct Space {
        SpaceId id{};
        Digest vector{};
        Digest root{};
        Digest membership{};
        Digest acknowledgements{};
        bool operator==(Space const&) const = default;
    };
    std::uint16_t version_min = 1, version_max = 1;
    std::uint64_t now_ms = 0;
    std::vector<Space> spaces;
    std::uint32_t features = 0;  // kFeature...
    bool operator==(Hello const&) const = default;
};

struct Statements {
    SpaceId space{};
    std::vector<std::string> statements;
    bool operator==(Statements const&) const = default;
};

struct Acknowledgements {
    SpaceId space{};
    std::vector<std::string> acknowledgements;
    bool operator==(Acknowledgements const&) const = default;
};

struct Vector {
    SpaceId space{};
    std::string bytes;
    std::string chains = {};
    bool operator==(Vector const&) const = default;
};

struct RunHeader {
    ActorId actor;
    Seq first = 0;
    std::uint32_t count = 0;
    bool operator==(RunHeader const&) const = default;
};

struct Batch {
    SpaceId space{};
    std::uint64_t key_id = 0;
    std::vector<RunHeader> runs;
    std::string sealed;
    bool operator==(Batch const&) const = default;
};

struct Ack {
    SpaceId space{};
    std::string changed;
    Digest vector{};
    Digest root{};
    bool operator==(Ack const&) const = default;
};

struct Probe {
    bool operator==(Probe const&) const = default;
};

struct Refusal {
    std::string message;
    std::vector<std::string> statements = {};
    bool operator==(Refusal const&) const = default;
};

struct PairGrant {
    std::string genesis;
    std::string space_key;   // 32 bytes
    std::string digest_key;  // 32 bytes
    ActorId actor;
    std::vector<std::string> statements;
    std::vector<std::string> addresses;
    std::vector<std::pair<std::uint64_t, std::string>> later_keys = {};  // epoch, 32 bytes
    bool operator==(PairGrant const&) const = default;
};

struct PairDone {
    bool operator==(PairDone const&) const = default;
};

struct RightsRequest {
    SpaceId space{};
    std::string collection, key, field;
    std::uint64_t amount = 0;
    bool ahead_of_need = false;
    ActorId actor = {};
    bool operator==(RightsRequest const&) const = default;
};

struct Fork {
    SpaceId space{};
    ActorId actor;
    Seq seq = 0;
    ActorHead head;
    bool operator==(Fork const&) const = default;
};

// Which records there are in the range, or, if there are keys, what is held under them.
struct RepairAsk {
    SpaceId space{};
    RecordRange range;
    std::vector<std::string> keys;
    Digest vector{}, root{};  // what the sender holds
    bool operator==(RepairAsk const&) const = default;
};

struct RepairAnswer {
    SpaceId space{};
    Digest vector{};
    RangeSummary summary;
    std::vector<SharedState> states;
    bool ready = true;  // false: nothing is answered, for the sites do not hold the same entries
    bool operator==(RepairAnswer const&) const = default;
};

struct StateOffer {
    SpaceId space{};
    bool operator==(StateOffer const&) const = default;
};

struct StateAsk {
    SpaceId space{};
    crypto::Hash16 id{};
    std::string after;
    std::string heads;
    bool operator==(StateAsk const&) const = default;
};

struct StatePart {
    SpaceId space{};
    crypto::Hash16 id{};
    std::string after;
    std::uint64_t key_id = 0;
    std::string sealed;
    bool operator==(StatePart const&) const = default;
};

// Entries and states are taken; or not, for want of room on the disk.
struct Room {
    SpaceId space{};
    bool room = true;
    bool operator==(Room const&) const = default;
};

using Message = std::variant<Hello,
                             Statements,
                             Vector,
                             Batch,
                             Ack,
                             Probe,
                             Refusal,
                             PairGrant,
                             PairDone,
                             RightsRequest,
                             Acknowledgements,
                             Fork,
                             RepairAsk,
                             RepairAnswer,
                             StateOffer,
                             StateAsk,
                             StatePart,
                             Room>;

}  // namespace inos::wire
