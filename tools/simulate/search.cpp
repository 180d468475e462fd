#include "tools/simulate/search.hpp"

#include <algorithm>

#include "tools/simulate/workload.hpp"

namespace inos::simulate {
namespace {

class Search {
public:
    Search(Setting const& setting, SearchOptions const& options)
        : setting_(setting), options_(options) {
        run_.rules.assign(setting.rules.size(), true);
    }

    SearchReport run() {
        Workload const workload(setting_.schemas, hints_of(setting_.rules, setting_.schemas));
        for (std::uint64_t i = 0; i < options_.runs && !stopped_; ++i) {
            tell(i, 0);
            ++report_.runs;
            one(workload.plan(options_.first_seed + i, options_.sites), i);
        }
        return std::move(report_);
    }

private:
    // Again without the rule that broke, until the rest of the run has been seen too.
    void one(Plan const& plan, std::uint64_t number) {
        for (;;) {
            RunResult const result = run_plan(plan, setting_, run_);
            report_.counts.add(result.counts);
            if (!result.failure) return;
            found(plan, *result.failure, number);
            if (result.failure->kind != FailureKind::rule) {
                stopped_ =
                    true;  // the program is wrong: whatever follows may be so for that reason
                return;
            }
            run_.rules[result.failure->rule] = false;
            stopped_ = std::find(run_.rules.begin(), run_.rules.end(), true) == run_.rules.end();
            if (stopped_) return;
        }
    }

    void found(Plan const& plan, Failure const& failure, std::uint64_t number) {
        RunOptions only = run_;
        if (failure.kind == FailureKind::rule) {
            std::fill(only.rules.begin(), only.rules.end(), false);
            only.rules[failure.rule] = true;
        }
        Plan start = plan;  // nothing after the failure matters
        start.steps.resize(std::min(start.steps.size(), failure.step + 1));
        std::size_t tries = 0;
        auto const fails = [&](Plan const& candidate) {
            tell(number, ++tries);
            auto const result = run_plan(candidate, setting_, only);
            return result.failure && result.failure->same_as(failure);
        };
        Finding finding{
            plan.seed, plan.steps.size(), shrink(start, fails, options_.shrink_tries_max), {}};
        only.tell = true;
        finding.result = run_plan(finding.shrunk.plan, setting_, only);
        report_.findings.push_back(std::move(finding));
    }

    void tell(std::uint64_t runs, std::size_t tries) const {
        if (options_.on_progress) options_.on_progress(runs, tries);
    }

    Setting const& setting_;
    SearchOptions const& options_;
    RunOptions run_;
    SearchReport report_;
    bool stopped_ = false;
};

}  // namespace

SearchReport search(Setting const& setting, SearchOptions const& options) {
    return Search(setting, options).run();
}

}  // namespace inos::simulate
