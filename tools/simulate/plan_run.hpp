// Carries a plan out: real nodes in the simulated world (tools/simulation), steps one after the
// other, then all sites meet.
//
// A site keeps the rules as far as it can see: before a write it is tried on a copy of the site's
// store, and a write that would break a rule there is left out, as a program that looks before it
// writes would do. So what breaks a rule in the end is that sites did not know of each other.
//
// Rules are looked at whenever what a site holds has changed, be it by a write or by what it hears
// of others, and once more when all sites hold the same. Looked at besides:
//
//   bound     no more was taken from a bounded counter than its min allows
//   differ    at the end all sites hold the same and show the same; a site that was killed or lost
//             power comes back with all that it had
//   lost      at the end every write that was answered as done is in the log of every site; the
//             value that it gave a register is shown, or in conflict, or replaced by somebody who
//             had seen it; counters that were only counted are the sum
//
// The same plan gives the same result, with every compiler. One run at a time in a process: it
// replaces the source of random bytes while it lasts. Never throws for what a plan says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/simulate/plan.hpp"
#include "tools/simulate/rule_eval.hpp"

namespace inos::simulate {

// What all runs have in common; outlives them.
struct Setting {
    Object document;  // the schema, without problems
    Schemas schemas;  // the same
    std::vector<CheckedRule> rules;
};

enum class FailureKind : std::uint8_t { rule, bound, differ, lost };

struct Failure {
    FailureKind kind = FailureKind::rule;
    std::size_t rule = 0;  // of Setting::rules
    std::size_t step = 0;  // when; the number of steps: at the end
    std::optional<std::size_t> site;
    std::optional<Breach> breach;  // of a rule
    std::string text;              // of the others

    // For making a plan smaller: it still shows the same mistake.
    bool same_as(Failure const& other) const { return kind == other.kind && rule == other.rule; }
};

enum class WriteEnd : std::uint8_t {
    done,
    unchanged,  // it was so already
    refused,    // by the schema or for lack of rights; `why`
    left_out,   // it would have broken a rule at its own site; `rule`
};
struct WriteReport {
    WriteEnd end = WriteEnd::done;
    std::string why;
    std::size_t rule = 0;
};

// A record as a site shows it after a step, where that has changed.
struct Sight {
    std::size_t site = 0;
    RecordName name;
    std::optional<Object> fields;  // none: it is not there any more
    std::vector<Conflict> conflicts;
};

struct StepReport {
    std::optional<WriteReport> write;
    std::vector<std::pair<std::size_t, WriteReport>> retries;  // of writes that had lacked rights
    bool cut = false;                                          // the meeting was interrupted
    std::vector<Sight> sights;
};

// How often what happened.
struct Counts {
    std::uint64_t writes = 0, done = 0, unchanged = 0, refused = 0, left_out = 0;
    std::uint64_t transactions = 0, deletes = 0, meetings = 0, cuts = 0, restarts = 0, powers = 0;
    std::uint64_t clocks = 0, rule_checks = 0, conflicts = 0;

    void add(Counts const& other);
};

struct RunResult {
    std::optional<Failure> failure;  // the first; the run ends with it
    Counts counts;
    std::vector<StepReport> steps;  // if asked for; the last one is of the end
};

struct RunOptions {
    std::vector<bool> rules;  // those that are looked at; empty: all
    bool tell = false;        // fill RunResult::steps
};

RunResult run_plan(Plan const& plan, Setting const& setting, RunOptions const& options);

}  // namespace inos::simulate
