#include "net/upkeep.hpp"

#include <algorithm>
#include <utility>

#include "storage/log_retention.hpp"
#include "storage/record_ranges.hpp"

namespace inos {
namespace {

// What the log still holds of an erased record has to go first: its repair does that.
bool erased_waits(Replica const& replica) {
    auto const& damaged = replica.damaged_records();
    return std::any_of(damaged.begin(), damaged.end(), [&](std::string const& key) {
        auto const name = record_of_key(key);
        return name && (name->key.front() == '\1' || replica.is_erased(*name));
    });
}

}  // namespace

Upkeep::Upkeep(Options options,
               Store& store,
               Clock const& clock,
               Scrub scrub,
               std::function<void()> changed,
               Log log)
    : options_(options),
      store_(store),
      clock_(clock),
      scrub_(std::move(scrub)),
      changed_(std::move(changed)),
      log_(std::move(log)),
      inspection_(options.inspection, store, clock, log_) {}

Upkeep::~Upkeep() {
    *alive_ = false;
}

void Upkeep::tick() {
    inspection_.tick();
    std::uint64_t const now = clock_.monotonic_ms();
    if (running_) return;
    if (now < next_ms_) {
        if (!indexing_) return;
        running_ = true;
        return store_.query(index, [this, alive = alive_](Outcome const& outcome) {
            if (*alive) finished(outcome, false);
        });
    }
    next_ms_ = now + kUpkeepEveryMs;
    running_ = true;
    bool const acknowledge =
        options_.acknowledge_every_ms != kNeverAcknowledge && now >= next_acknowledgement_ms_;
    auto work = [options = options_, acknowledge](Replica& replica) {
        return run(replica, options, acknowledge);
    };
    store_.query(work, [this, alive = alive_, acknowledge](Outcome const& outcome) {
        if (*alive) finished(outcome, acknowledge);
    });
}

Upkeep::Outcome Upkeep::index(Replica& replica) {
    Outcome outcome;
    auto const more = replica.build_indexes(kIndexBudget);
    if (!more) outcome.error = tl::unexpected(more.error());
    outcome.indexing = more.value_or(false);
    return outcome;
}

// A step that fails does not keep the others from being done: what this site acknowledges, others
// wait for. The first failure is told.
Upkeep::Outcome Upkeep::run(Replica& replica, Options const& options, bool acknowledge) {
    Outcome outcome = index(replica);
    auto const take = [&outcome](auto result) {
        if (!result && outcome.error) outcome.error = tl::unexpected(result.error());
        return result ? *std::move(result) : typename decltype(result)::value_type();
    };
    if (!replica.failed()) {
        if (auto dropped = replica.drop_idle_states(); !dropped && outcome.error)
            outcome.error = tl::unexpected(dropped.error());
        take(replica.forget_requests(kUpkeepBudget));
        outcome.deleted_again = take(replica.delete_again(kUpkeepBudget));
        if (acknowledge) outcome.changed = take(replica.acknowledge()).has_value();
        outcome.purged = take(replica.purge(kUpkeepBudget));
        if (options.log_retention_ms)
            outcome.cut = take(cut_log(replica, *options.log_retention_ms, kUpkeepBudget));
    }
    outcome.changed = outcome.changed || outcome.deleted_again > 0;
    outcome.damaged = replica.damaged_records().size();
    outcome.needs_scrub = replica.needs_scrub() && !erased_waits(replica);
    outcome.ticket = replica.scrub_ticket();
    return outcome;
}

void Upkeep::finished(Outcome const& outcome, bool acknowledged) {
    running_ = false;
    indexing_ = outcome.indexing;
    std::uint64_t const now = clock_.monotonic_ms();
    tell_failure(outcome.error ? std::string() : outcome.error.error().message, now);
    if (acknowledged && outcome.changed)
        next_acknowledgement_ms_ = now + options_.acknowledge_every_ms;
    if (outcome.purged > 0)
        log_("purged",
             std::to_string(outcome.purged) + " deleted records that all sites have seen");
    if (outcome.cut > 0)
        log_(
            "log-cut",
            std::to_string(outcome.cut) + " old entries that all sites hold were cut from the log");
    if (outcome.needs_scrub && !scrubbing_ && now >= next_scrub_ms_) start_scrub(outcome.ticket);
    bool const damaged = std::exchange(damaged_, outcome.damaged) != outcome.damaged;
    if (outcome.changed || damaged) changed_();
}

// Once in a while as long as it lasts; empty: all went well.
void Upkeep::tell_failure(std::string const& failure, std::uint64_t now_ms) {
    if (failure.empty() || (failure == failure_ && now_ms < failure_told_ms_ + kTellAgainMs))
        return;
    failure_ = failure;
    failure_told_ms_ = now_ms;
    log_("alarm", "upkeep: " + failure);
}

void Upkeep::start_scrub(ScrubTicket ticket) {
    scrubbing_ = true;
    scrub_([this, alive = alive_, ticket = std::move(ticket)](Result<void> const& scrubbed) {
        if (!*alive) return;
        if (!scrubbed) {
            scrubbing_ = false;
            next_scrub_ms_ = clock_.monotonic_ms() + kScrubAgainMs;
            bool const busy = scrubbed.error().code == Errc::unavailable;
            scrubs_put_off_ = busy ? scrubs_put_off_ + 1 : 0;
            if (!busy || scrubs_put_off_ % kScrubsPutOffMax == 0)
                log_("alarm", "erased data is still on the disk: " + scrubbed.error().message);
            return;
        }
        scrubs_put_off_ = 0;
        auto work = [ticket](Replica& replica) { return replica.scrubbed(ticket); };
        store_.query(work, [this, alive](Result<void> const& noted) {
            if (!*alive) return;
            scrubbing_ = false;
            next_acknowledgement_ms_ = 0;  // a receipt that others wait for
            if (noted) log_("scrubbed", "what was erased has left no byte on the disk");
        });
    });
}

}  // namespace inos
