// The main check of the merge: random executions against a naive model. 2,000 by default;
// INOS_EXECUTIONS=N runs N. A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/property/execution.hpp"

namespace inos::test {
namespace {

int executions() {
    char const* text = std::getenv("INOS_EXECUTIONS");
    return text ? std::atoi(text) : 2'000;
}

using Words = std::vector<std::uint64_t>;

rc::Gen<Words> any_steps() {
    auto const word = rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
    return rc::gen::scale(2.5, rc::gen::container<Words>(word));
}

void add(Tally& sum, Tally const& one) {
    sum.commits += one.commits;
    sum.deletes += one.deletes;
    sum.own_ctx += one.own_ctx;
    sum.fresh += one.fresh;
    sum.pulls += one.pulls;
    sum.merges += one.merges;
    sum.refused += one.refused;
    sum.reads += one.reads;
    sum.erasures += one.erasures;
    sum.purged += one.purged;
    sum.lost += one.lost;
    sum.ended_runs += one.ended_runs;
}

TEST(Executions, A5_A7_A8_A9_A10_A15_D18_replicas_hold_what_the_model_says_and_converge) {
    Tally sum;
    auto const property = [&sum] {
        auto const replicas = *rc::gen::inRange<std::size_t>(2, 6);
        auto const words = *any_steps();
        Execution execution(replicas, true);
        for (std::uint64_t const word : words)
            execution.step(word);
        execution.finish();
        execution.check_any_order(Tape::seeded(words.empty() ? 0 : words[0]));
        add(sum, execution.tally());
    };
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    params.maxSuccess = executions();
    rc::detail::TestMetadata metadata;
    metadata.id = "Executions";
    auto const result = rc::detail::checkTestable(property, metadata, params);
    if (!result.is<rc::detail::SuccessResult>()) {
        rc::detail::printResultMessage(result, std::cerr);
        FAIL() << "\nexecution failed; run again with RC_PARAMS=\"seed=" << params.seed << "\"";
    }
    std::cout << sum.commits << " commits, " << sum.deletes << " deletes, " << sum.own_ctx
              << " with an older ctx, " << sum.fresh << " fresh, " << sum.pulls << " pulls, "
              << sum.merges << " state merges, " << sum.refused << " refused, " << sum.reads
              << " records compared, " << sum.erasures << " erasures, " << sum.purged << " purged, "
              << sum.lost << " times an increment that came to nothing, " << sum.ended_runs
              << " times runs were ended by somebody else\n";
    if (executions() >= 1'000) {
        auto const enough = static_cast<std::size_t>(executions());
        for (std::size_t const count :
             {sum.commits, sum.deletes, sum.own_ctx, sum.fresh, sum.pulls, sum.merges})
            EXPECT_GT(count, enough / 4) << "the executions do not reach everything";
        for (std::size_t const count : {sum.erasures, sum.purged, sum.lost, sum.ended_runs})
            EXPECT_GT(count, enough / 20) << "the executions do not reach everything";
        EXPECT_LT(sum.refused, sum.commits);
    }
}

}  // namespace
}  // namespace inos::test
