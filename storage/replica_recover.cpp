// What a replica does about its disk: what is taken while there is little room, and how it goes on
// after a write found none at all (docs/decisions/0015).

#include <algorithm>
#include <utility>

#include "storage/disk_space.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/replica_stage.hpp"
#include "storage/replica_states.hpp"

namespace inos {
namespace {

// Room comes of it, sooner or later.
bool is_removal(Write const& write) {
    return write.kind == Write::Kind::delete_ || write.kind == Write::Kind::erase ||
           write.kind == Write::Kind::cover;
}

}  // namespace

// ---- room ---------------------------------------------------------------------------------------

Room Replica::room() const {
    return room_on(engine_.space(), options_.space_marks);
}

DiskStatus Replica::disk_status() const {
    DiskStatus status;
    status.space = engine_.space();
    status.wanted = foreign_mark(status.space, options_.space_marks);
    if (failure_) {
        status.error = failure_->message;
        status.state = failure_->code == Errc::no_space ? DiskState::full : DiskState::failed;
        return status;
    }
    switch (room_on(status.space, options_.space_marks)) {
        case Room::everything:
            break;
        case Room::own:
            status.state = DiskState::low;
            break;
        case Room::removals:
            status.state = DiskState::lower;
            break;
    }
    return status;
}

Result<void> Replica::check_room(Transaction const& transaction, Room room) const {
    auto const& writes = transaction.writes;
    if (room != Room::removals || std::all_of(writes.begin(), writes.end(), is_removal)) return {};
    return tl::unexpected(no_room(disk_status()));
}

// What others hold can be had later.
Result<void> Replica::check_foreign_room() const {
    if (failure_) return refused();
    if (room() == Room::everything) return {};
    return tl::unexpected(no_room(disk_status()));
}

// ---- after a failed write -----------------------------------------------------------------------

void Replica::note_failure(Error const& error) {
    if (!failure_) failure_ = error;
}

Result<void> Replica::refused() const {
    return tl::unexpected(Error{failure_->code, disk_status().words(), {}});
}

Result<void> Replica::recover() {
    if (!failure_) return {};
    if (failure_->code != Errc::no_space) return refused();
    auto const space = engine_.space();
    if (space && space->free < foreign_mark(space, options_.space_marks)) return refused();
    states_->drop_given();  // they read the database
    INOS_CHECK(engine_.recover());
    // All of it has to be readable before anything that is known here is given up for it.
    INOS_CHECK(open(engine_, clock_, *membership_, options_));
    Error const why = *std::exchange(failure_, std::nullopt);
    auto loaded = load_recovered();
    if (!loaded) failure_ = why;
    return loaded;
}

// As at the opening. What the failed write was about is there or not, and is known from here on;
// what has no place on the disk (the clock, what peers have said without showing it) stays.
Result<void> Replica::load_recovered() {
    INOS_CHECK(find_own_actor(engine_, options_));
    INOS_TRY(auto const stored, stored_statements(engine_, options_.space));
    Membership next = *membership_;
    INOS_CHECK(next.add_all(stored));
    membership_ = std::make_shared<Membership const>(std::move(next));
    update_keys();
    forget_loaded();
    // It may have erased something behind the tickets that were taken.
    ++erasing_writes_;
    INOS_CHECK(load_stored());
    INOS_CHECK(states_->load());
    INOS_CHECK(load_or_repair());
    // The engine was opened anew: what it shows is synced.
    own_synced_ = vector_.at(options_.actor);
    return {};
}

// All that load_stored() and load_or_repair() read.
void Replica::forget_loaded() {
    vector_ = {};
    actors_.clear();
    sums_.clear();
    sums_lost_ = false;
    summing_.reset();
    erasures_.clear();
    pending_erasures_.clear();
    unscrubbed_since_.reset();
    acknowledgements_.clear();
    aliases_ = {};
    damaged_.clear();
    stable_known_ = false;
    purged_with_ = {};
    purge_from_.clear();
    again_from_.clear();
    cut_from_ = {};
    log_pin_ = std::make_shared<int>(0);  // who has read the log begins again
}

}  // namespace inos
