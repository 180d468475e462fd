// The simulator as a program of the tests. Runs of one seed or of many; says how often each fault
// fired, and fails when a run does or when a fault never did.
//
//   sim --seed 17 --verbose         one run, every event
//   sim --runs 300 --first 1000     seeds 1000 to 1299
//   sim --seeds FILE                the seeds that failed once
//   sim --runs 20 --twice           every run twice: the same lines?
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/simulation/simulation.hpp"

namespace {

using namespace inos::sim;

// From this many runs on, a fault that never fired is a failure.
constexpr std::size_t kRunsForAllFaults = 100;

struct Options {
    std::uint64_t seed = 0, first = 1;
    std::size_t runs = 0;
    std::string seeds_file;
    bool verbose = false, twice = false;
};

// One number a line, with a comment behind it.
std::vector<std::uint64_t> seeds_of(std::string const& path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("\"" + path + "\" cannot be read");
    std::vector<std::uint64_t> seeds;
    for (std::string line; std::getline(in, line);)
        if (!line.empty() && line.front() != '#') seeds.push_back(std::stoull(line));
    return seeds;
}

std::vector<std::uint64_t> seeds_of(Options const& options) {
    if (options.seed > 0) return {options.seed};
    if (!options.seeds_file.empty()) return seeds_of(options.seeds_file);
    std::vector<std::uint64_t> seeds(options.runs);
    for (std::size_t i = 0; i < seeds.size(); ++i)
        seeds[i] = options.first + i;
    return seeds;
}

void print_report(RunReport const& report) {
    std::printf("%s\n", report.described.c_str());
    std::printf(
        "%llu asked, %llu acknowledged, %llu entries, %llu frames, %llu s of virtual time, "
        "healed in %llu ms, lines %016llx\n",
        static_cast<unsigned long long>(report.asked),
        static_cast<unsigned long long>(report.acknowledged),
        static_cast<unsigned long long>(report.entries),
        static_cast<unsigned long long>(report.frames),
        static_cast<unsigned long long>(report.virtual_ms / 1'000),
        static_cast<unsigned long long>(report.healed_ms),
        static_cast<unsigned long long>(report.hash));
}

bool print_faults(FaultCounts const& counts, bool need_all) {
    bool all = true;
    for (std::size_t i = 0; i < kFaults; ++i) {
        std::string const name(fault_name(static_cast<Fault>(i)));
        std::printf("%10llu  %s\n", static_cast<unsigned long long>(counts.of[i]), name.c_str());
        all = all && counts.of[i] > 0;
    }
    if (need_all && !all) std::fprintf(stderr, "sim: error: a fault never fired, see above\n");
    return all || !need_all;
}

// The lines of a run, as one text.
std::string lines_of(std::uint64_t seed) {
    std::string lines;
    run_seed(seed, {[&lines](std::string const& line) { lines += line + '\n'; }});
    return lines;
}

int run(Options const& options) {
    auto const seeds = seeds_of(options);
    FaultCounts counts;
    std::size_t failed = 0;
    std::uint64_t slowest_ms = 0;
    for (std::uint64_t const seed : seeds) {
        // Said before anything can go wrong, and again only where it did.
        if (seeds.size() == 1) std::printf("SEED=%llu\n", static_cast<unsigned long long>(seed));
        std::fflush(stdout);
        if (options.twice && lines_of(seed) != lines_of(seed)) {
            ++failed;
            std::fprintf(
                stderr, "SEED=%llu gives different runs\n", static_cast<unsigned long long>(seed));
        }
        RunOptions how;
        if (options.verbose) how.out = [](std::string const& line) { std::puts(line.c_str()); };
        RunReport const report = run_seed(seed, how);
        counts.add(report.faults);
        slowest_ms = std::max(slowest_ms, report.healed_ms);
        if (seeds.size() == 1) print_report(report);
        if (!report.failure) continue;
        ++failed;
        std::fprintf(stderr,
                     "SEED=%llu failed: %s\n",
                     static_cast<unsigned long long>(seed),
                     report.failure->c_str());
    }
    bool const fired = print_faults(counts, seeds.size() >= kRunsForAllFaults);
    std::printf("%zu runs, %zu failed, slowest healing %llu ms\n",
                seeds.size(),
                failed,
                static_cast<unsigned long long>(slowest_ms));
    return failed == 0 && fired ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"Runs the simulator: real nodes on a network, disks and clocks made of a seed."};
    auto* seed = app.add_option("--seed", options.seed, "one run");
    auto* runs = app.add_option("--runs", options.runs, "how many runs");
    app.add_option("--first", options.first, "the first of their seeds")->needs(runs);
    auto* file = app.add_option("--seeds", options.seeds_file, "runs of the seeds in a file");
    app.add_flag("--verbose", options.verbose, "print every event")->needs(seed);
    app.add_flag("--twice", options.twice, "run every seed three times and compare");
    seed->excludes(runs)->excludes(file);
    runs->excludes(file);
    CLI11_PARSE(app, argc, argv);
    if (options.seed == 0 && options.runs == 0 && options.seeds_file.empty()) {
        std::fprintf(stderr, "sim: say --seed N, --runs N or --seeds FILE\n");
        return 2;
    }
    try {
        return run(options);
    } catch (std::exception const& error) {
        std::fprintf(stderr, "sim: %s\n", error.what());
        return 1;
    }
}
