// The inspection of what a node holds (storage/integrity.hpp), as the node does it by itself: a
// little of it each second, one whole pass a day; or at once, when somebody asks for it.
//
// In the background a step reads at most step_bytes, and behind it the node rests `share` times as
// long as it took: so it takes at most one part in `share` of a core, and as many bytes a second.
// Asked for, step follows step, with room for others in between. A pass that has found something is
// followed by the next one soon, so that what was mended is shown no longer.
//
// Thread: the node's. The inspector itself lives on the store's thread; none of its steps keeps the
// store longer than it takes to read step_bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/store.hpp"
#include "storage/clock.hpp"
#include "storage/integrity.hpp"

namespace inos {

struct InspectionOptions {
    std::size_t step_bytes = kIntegrityStepBytes;
    std::uint64_t step_every_ms = 1'000;
    std::uint64_t share = 100;
    std::uint64_t first_after_ms = 60'000;  // from the start of the node to its first pass
    std::uint64_t pass_every_ms = 24ull * 3'600 * 1'000;
    std::uint64_t again_ms = 15 * 60'000;  // after one that has found something
};
inline constexpr std::uint64_t kInspectionRecheckMs = 5'000;   // of what was found
inline constexpr std::uint64_t kInspectionObstacleMs = 5'000;  // from an error to the next try
inline constexpr std::size_t kFindingsTold = 20;               // one by one, of a pass

struct InspectionStatus {
    struct Pass {
        std::uint64_t began_ms = 0, ended_ms = 0;  // Unix time
        bool full = false;                         // somebody had asked for it
        Inspected seen;
    };
    bool under_way = false, full = false;
    std::uint64_t began_ms = 0;
    Inspected seen;                 // by the pass that is under way
    std::optional<Pass> last;       // that came to its end
    std::uint64_t passes = 0;       // that did, since the node started
    std::vector<Finding> findings;  // of the last pass and of this one, as far as not mended
    std::string obstacle;           // why it does not get on
};

class Inspection {
public:
    using Log = std::function<void(std::string_view event, std::string const& text)>;

    Inspection(InspectionOptions const& options, Store& store, Clock const& clock, Log log);
    ~Inspection();
    Inspection(Inspection const&) = delete;
    Inspection& operator=(Inspection const&) = delete;

    // About ten times a second.
    void tick();
    // A whole pass, at once; one that was asked for and is under way goes on.
    void begin_full();
    // For those who have no ticks: so many steps of a pass that was asked for.
    void drive(std::size_t steps);
    InspectionStatus const& status() const { return status_; }

private:
    struct Held;  // on the store's thread
    struct Outcome;

    void step();
    void finished(Outcome const& outcome);
    void take_findings(std::vector<Finding> const& seen, Membership const& membership);
    void end_pass(Outcome const& outcome, std::uint64_t now_ms);
    void recheck();
    void tell_obstacle(std::string const& obstacle);

    InspectionOptions options_;
    Store& store_;
    Clock const& clock_;
    Log log_;
    std::shared_ptr<Held> held_;
    InspectionStatus status_;
    std::uint64_t next_ms_, next_pass_ms_, next_recheck_ms_ = 0;
    std::size_t told_ = 0;  // of this pass
    bool stepping_ = false, driving_ = false, begin_ = true;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace inos
