// What a run does to its nodes and people do in it, each with a name and a count of how often it
// really happened: a fault that was asked for but hit nothing does not count. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inos::sim {

enum class Fault : std::uint8_t {
    // network
    partition,
    one_way_partition,
    isolation,
    flapping,
    connection_cut,
    frame_corrupted,
    frame_dropped,
    frame_repeated,
    frame_swapped,
    frame_shortened,
    frames_after_death,
    slow_reader,
    silent_reader,
    // processes
    stop,
    kill,
    pause,
    failed_start,
    put_back,
    another_actor,
    // disk
    power_loss,
    power_loss_in_call,
    power_loss_in_start,
    unsynced_lost,
    torn_tail,
    acknowledged_lost,
    failed_write_lost,
    failed_write_kept,
    failed_read,
    disk_full,
    disk_low,
    disk_recovered,
    record_damaged,
    record_falsified,
    // clocks
    clock_forward,
    clock_back,
    clock_ten_years,
    clock_frozen,
    clock_right,
    // people
    join,
    failed_join,
    transaction,
    group_commit,
    refused,
    refused_to_reader,
    refused_version,
    unknown_outcome,
    delete_record,
    erase_record,
    resolve,
    cover,
    revive,
    merge_records,
    schema_change,
    rights_moved,
    rights_lacking,
    purge,
    log_cut,
    state_taken,
    retirement,
    role_change,
    key_rotation,
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::key_rotation) + 1;

// The groups above, as the first of each.
struct FaultGroup {
    std::string_view name;
    Fault first;
};
inline constexpr std::array<FaultGroup, 5> kFaultGroups = {{{"network", Fault::partition},
                                                            {"processes", Fault::stop},
                                                            {"disk", Fault::power_loss},
                                                            {"clocks", Fault::clock_forward},
                                                            {"people", Fault::join}}};

inline constexpr std::array<std::string_view, kFaults> kFaultNames = {"partition",
                                                                      "one-way partition",
                                                                      "isolation",
                                                                      "flapping",
                                                                      "connection cut",
                                                                      "frame corrupted",
                                                                      "frame dropped",
                                                                      "frame repeated",
                                                                      "frame swapped",
                                                                      "frame shortened",
                                                                      "frames after death",
                                                                      "slow reader",
                                                                      "silent reader",
                                                                      "stop",
                                                                      "kill",
                                                                      "pause",
                                                                      "failed start",
                                                                      "copy put back",
                                                                      "another actor",
                                                                      "power loss",
                                                                      "power loss in call",
                                                                      "power loss in start",
                                                                      "unsynced lost",
                                                                      "torn tail",
                                                                      "acknowledged lost",
                                                                      "failed write lost",
                                                                      "failed write kept",
                                                                      "failed read",
                                                                      "disk full",
                                                                      "disk low",
                                                                      "disk recovered",
                                                                      "record damaged",
                                                                      "record falsified",
                                                                      "clock forward",
                                                                      "clock back",
                                                                      "clock ten years",
                                                                      "clock frozen",
                                                                      "clock right",
                                                                      "join",
                                                                      "failed join",
                                                                      "transaction",
                                                                      "group commit",
                                                                      "refused",
                                                                      "refused to a reader",
                                                                      "refused for its version",
                                                                      "unknown outcome",
                                                                      "delete",
                                                                      "erase",
                                                                      "resolve",
                                                                      "cover",
                                                                      "revive",
                                                                      "merge of records",
                                                                      "schema change",
                                                                      "rights moved",
                                                                      "rights lacking",
                                                                      "purge",
                                                                      "log cut",
                                                                      "state taken",
                                                                      "retirement",
                                                                      "role change",
                                                                      "key rotation"};

constexpr std::string_view fault_name(Fault fault) {
    return kFaultNames[static_cast<std::size_t>(fault)];
}

struct FaultCounts {
    std::array<std::uint64_t, kFaults> of{};

    std::uint64_t& operator[](Fault fault) { return of[static_cast<std::size_t>(fault)]; }
    std::uint64_t operator[](Fault fault) const { return of[static_cast<std::size_t>(fault)]; }
    void add(FaultCounts const& other) {
        for (std::size_t i = 0; i < kFaults; ++i)
            of[i] += other.of[i];
    }
};

}  // namespace inos::sim
