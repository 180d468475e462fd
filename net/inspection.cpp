#include "net/inspection.hpp"

#include <algorithm>
#include <utility>

#include "net/finding_words.hpp"

namespace inos {
namespace {

bool same_place(Finding const& one, Finding const& other) {
    return one.kind == other.kind && one.family == other.family &&
           one.collection == other.collection && one.key == other.key &&
           one.fields == other.fields && one.actor == other.actor;
}

}  // namespace

struct Inspection::Held {
    std::unique_ptr<Inspector> inspector;
};

struct Inspection::Outcome {
    Result<bool> end;
    Inspected seen;
    std::vector<Finding> still;  // of what was found, at the end of a pass
    std::uint64_t took_ms = 0;
    std::shared_ptr<Membership const> membership;
};

Inspection::Inspection(InspectionOptions const& options, Store& store, Clock const& clock, Log log)
    : options_(options),
      store_(store),
      clock_(clock),
      log_(std::move(log)),
      held_(std::make_shared<Held>()),
      next_ms_(clock.monotonic_ms()),
      next_pass_ms_(clock.monotonic_ms() + options.first_after_ms) {}

Inspection::~Inspection() {
    *alive_ = false;
}

void Inspection::tick() {
    std::uint64_t const now = clock_.monotonic_ms();
    if (!stepping_ && !status_.findings.empty() && now >= next_recheck_ms_) return recheck();
    if (stepping_ || now < next_ms_) return;
    if (status_.full) return drive(1);
    if (!status_.under_way && now < next_pass_ms_) return;
    step();
}

void Inspection::begin_full() {
    if (status_.full) return;
    status_.full = true;
    status_.under_way = true;
    status_.began_ms = clock_.now_ms();
    status_.seen = {};
    begin_ = true;
    next_ms_ = clock_.monotonic_ms();
    told_ = 0;
}

// A store that answers at once must not make this recursive: hence the loop.
void Inspection::drive(std::size_t steps) {
    if (std::exchange(driving_, true)) return;
    while (status_.full && !stepping_ && steps-- > 0 && clock_.monotonic_ms() >= next_ms_)
        step();
    driving_ = false;
}

void Inspection::step() {
    stepping_ = true;
    if (!std::exchange(status_.under_way, true)) {
        status_.began_ms = clock_.now_ms();
        told_ = 0;
        begin_ = true;
    }
    bool const begins = std::exchange(begin_, false);
    auto work =
        [held = held_, begins, &clock = clock_, bytes = options_.step_bytes](Replica& replica) {
            std::uint64_t const began = clock.monotonic_ms();
            if (!held->inspector) held->inspector = std::make_unique<Inspector>(replica);
            if (begins) held->inspector->begin();
            Outcome outcome{held->inspector->step(bytes), {}, {}, 0, replica.shared_membership()};
            outcome.seen = held->inspector->inspected();
            if (outcome.end && *outcome.end) {
                auto still = held->inspector->still_there(outcome.seen.findings);
                outcome.still = still ? *std::move(still) : outcome.seen.findings;
            }
            outcome.took_ms = clock.monotonic_ms() - began;
            return outcome;
        };
    store_.query(std::move(work), [this, alive = alive_](Outcome const& outcome) {
        if (*alive) finished(outcome);
    });
}

void Inspection::finished(Outcome const& outcome) {
    stepping_ = false;
    std::uint64_t const now = clock_.monotonic_ms();
    if (!outcome.end) {
        next_ms_ = now + kInspectionObstacleMs;
        return tell_obstacle(outcome.end.error().message);
    }
    status_.obstacle.clear();
    if (begin_) return;  // somebody has asked for a whole pass meanwhile
    take_findings(outcome.seen.findings, *outcome.membership);
    status_.seen = outcome.seen;
    next_ms_ = status_.full
                   ? now
                   : now + std::max(options_.step_every_ms, outcome.took_ms * options_.share);
    if (*outcome.end)
        end_pass(outcome, now);
    else if (status_.full)
        drive(1);
}

// What was found is told once; told again when it was mended and is found again.
void Inspection::take_findings(std::vector<Finding> const& seen, Membership const& membership) {
    auto const find = [](std::vector<Finding>& list, Finding const& finding) {
        return std::find_if(list.begin(), list.end(), [&](Finding const& other) {
            return same_place(finding, other);
        });
    };
    for (Finding const& finding : seen) {
        auto const known = find(status_.findings, finding);
        if (known != status_.findings.end()) {
            known->count = std::max(known->count, finding.count);
            continue;
        }
        // By this pass already: it was mended since.
        auto& before = status_.seen.findings;
        if (find(before, finding) != before.end()) continue;
        if (status_.findings.size() >= kFindingsMax) continue;
        status_.findings.push_back(finding);
        ++told_;
        if (told_ <= kFindingsTold)
            log_("alarm", "inspection: " + finding_words(finding, membership).what);
        if (told_ == kFindingsTold + 1)
            log_("alarm", "inspection: more is damaged; see inos doctor");
    }
}

void Inspection::end_pass(Outcome const& outcome, std::uint64_t now_ms) {
    status_.last =
        InspectionStatus::Pass{status_.began_ms, clock_.now_ms(), status_.full, outcome.seen};
    ++status_.passes;
    status_.under_way = status_.full = false;
    bool const found = !status_.findings.empty() || !outcome.still.empty();
    status_.findings = outcome.still;
    if (outcome.seen.findings.empty() && found)
        log_("inspected", "what was found damaged before is in order");
    next_pass_ms_ = now_ms + (outcome.still.empty() ? options_.pass_every_ms : options_.again_ms);
}

// Whether what was found was mended meanwhile.
void Inspection::recheck() {
    next_recheck_ms_ = clock_.monotonic_ms() + kInspectionRecheckMs;
    stepping_ = true;
    auto work = [held = held_, findings = status_.findings](Replica& replica) {
        if (!held->inspector) held->inspector = std::make_unique<Inspector>(replica);
        return held->inspector->still_there(findings);
    };
    store_.query(std::move(work), [this, alive = alive_](Result<std::vector<Finding>> still) {
        if (!*alive) return;
        stepping_ = false;
        if (still) status_.findings = *std::move(still);
    });
}

void Inspection::tell_obstacle(std::string const& obstacle) {
    if (std::exchange(status_.obstacle, obstacle) == obstacle) return;
    log_("inspection", "it does not get on: " + obstacle);
}

}  // namespace inos
