// What a running node does by itself, once a second: acknowledges what it holds (at most once in
// kAcknowledgeEveryMs, and only if something has changed), purges what is stable, cuts old entries
// from the log, deletes again where deletes win, and scrubs the disk after an erasure. At every
// tick, while there is something to do, it builds secondary indexes. And it inspects what is held,
// slowly (net/inspection.hpp).
//
// Thread: the node's. The work itself runs on the store's thread; scrubbing runs where `Scrub`
// says, because it takes long. Limits: kUpkeepBudget records a second.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "net/inspection.hpp"
#include "net/store.hpp"
#include "storage/clock.hpp"

namespace inos {

inline constexpr std::uint64_t kUpkeepEveryMs = 1'000;
inline constexpr std::uint64_t kAcknowledgeEveryMs = 60'000;
inline constexpr std::uint64_t kTellAgainMs = 60'000;  // of a failure that lasts
inline constexpr std::uint64_t kScrubAgainMs = 5'000;  // after a scrub that could not be done
inline constexpr std::size_t kScrubsPutOffMax = 24;    // until that is an alarm
inline constexpr std::size_t kUpkeepBudget = 1'000;
// Records at a tick, while secondary indexes are being built.
inline constexpr std::size_t kIndexBudget = 2'000;
// Not even once: then nobody purges or cuts anything, and no erasure is said to be done.
inline constexpr std::uint64_t kNeverAcknowledge = ~std::uint64_t{0};

class Upkeep {
public:
    // Lets the engine scrub itself, then calls `done` on the node's thread.
    using Scrub = std::function<void(std::function<void(Result<void>)> done)>;
    using Log = std::function<void(std::string_view event, std::string const& text)>;
    struct Options {
        std::uint64_t acknowledge_every_ms = kAcknowledgeEveryMs;
        // How long entries stay in the log that all members hold; none: for ever.
        std::optional<std::uint64_t> log_retention_ms = std::nullopt;
        InspectionOptions inspection = {};
    };

    // `changed` is called when others have to hear of something: a new acknowledgement, an entry.
    Upkeep(Options options,
           Store& store,
           Clock const& clock,
           Scrub scrub,
           std::function<void()> changed,
           Log log);
    ~Upkeep();
    void tick();
    Inspection& inspection() { return inspection_; }

private:
    struct Outcome {
        Result<void> error;
        bool changed = false, indexing = false;
        std::size_t purged = 0, deleted_again = 0, cut = 0;
        std::size_t damaged = 0;  // records that wait for their repair
        bool needs_scrub = false;
        ScrubTicket ticket;
    };
    static Outcome run(Replica& replica, Options const& options, bool acknowledge);
    static Outcome index(Replica& replica);
    void finished(Outcome const& outcome, bool acknowledged);
    void tell_failure(std::string const& failure, std::uint64_t now_ms);
    void start_scrub(ScrubTicket ticket);

    Options options_;
    Store& store_;
    Clock const& clock_;
    Scrub scrub_;
    std::function<void()> changed_;
    Log log_;
    Inspection inspection_;
    std::uint64_t next_ms_ = 0, next_acknowledgement_ms_ = 0, next_scrub_ms_ = 0;
    std::string failure_;  // that was told last
    std::uint64_t failure_told_ms_ = 0;
    std::size_t scrubs_put_off_ = 0;  // one after the other
    std::size_t damaged_ = 0;         // that were told
    bool running_ = false, scrubbing_ = false, indexing_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace inos
