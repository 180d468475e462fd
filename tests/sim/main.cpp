// The simulator as a program of the tests. Runs of one seed or of many; says how often each fault
// fired, and fails when a run does, when a fault never did, or when hardly anything was done.
//
//   sim --seed 17 --verbose         one run, every event
//   sim --runs 300 --first 1000     seeds 1000 to 1299
//   sim --seeds FILE                the seeds that failed once
//   sim --runs 20 --twice           every run twice: the same lines?
//   sim --runs 20 --hashes          a line for each run: its seed and the hash of all that happened
#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/simulation/simulation.hpp"

// Of the sanitizers, where the program is built with one of them.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using namespace inos::sim;

// From this many runs on, a fault that never fired is a failure, ...
constexpr std::size_t kRunsForAllFaults = 200;
// ... and so is it if fewer of all writes than this were done.
constexpr unsigned kAcknowledgedPercentMin = 60;
constexpr std::size_t kRunsMax = 100'000'000;

struct Options {
    std::uint64_t seed = 0, first = 1;
    std::size_t runs = 0;
    std::string seeds_file;
    unsigned limit_s = 120;
    bool one = false, verbose = false, twice = false, hashes = false, until_failure = false;
};

struct Totals {
    FaultCounts faults;
    std::size_t runs = 0, failed = 0;
    std::uint64_t asked = 0, acknowledged = 0, entries = 0, frames = 0;
    std::uint64_t virtual_ms = 0, slowest_ms = 0;
};

// ---- a run that does not come back --------------------------------------------------------------

// The seed, as text that a signal handler can write.
char seed_text[64];
volatile std::sig_atomic_t seed_size = 0;

void say_seed() {
    auto const size = static_cast<std::size_t>(seed_size);
    for (std::size_t at = 0; at < size;) {
        auto const written = write(STDERR_FILENO, seed_text + at, size - at);
        if (written <= 0) return;
        at += static_cast<std::size_t>(written);
    }
}

void on_signal(int number) {
    say_seed();
    if (number == SIGALRM) _exit(1);
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void watch_signals() {
    for (int const number : {SIGABRT, SIGTERM, SIGINT, SIGALRM})
        std::signal(number, on_signal);
    // A sanitizer says what is wrong with an access, and then calls back.
    if (__sanitizer_set_death_callback) return __sanitizer_set_death_callback(say_seed);
    for (int const number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(number, on_signal);
}

void begin(std::uint64_t seed, unsigned limit_s) {
    seed_size = 0;
    std::string const text =
        "SEED=" + std::to_string(seed) + " did not come to its end; run it with sim --seed\n";
    seed_size = static_cast<std::sig_atomic_t>(text.copy(seed_text, sizeof seed_text));
    alarm(limit_s);
}

void end() {
    alarm(0);
    seed_size = 0;
}

// ---- seeds --------------------------------------------------------------------------------------

std::uint64_t number_of(std::string const& text, std::string const& where) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        throw std::runtime_error(where + ": \"" + text + "\" is not a seed, a number from 0 on");
    return number;
}

// One number a line, with a comment behind it.
std::vector<std::uint64_t> seeds_of(std::string const& path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("\"" + path + "\" cannot be read");
    std::vector<std::uint64_t> seeds;
    std::size_t at = 0;
    for (std::string line; std::getline(in, line);) {
        ++at;
        if (!line.empty() && line.front() != '#')
            seeds.push_back(number_of(line.substr(0, line.find_first_of(" \t")),
                                      path + ":" + std::to_string(at)));
    }
    return seeds;
}

// ---- runs ---------------------------------------------------------------------------------------

unsigned long long wide(std::uint64_t number) {
    return number;
}

void print_report(RunReport const& report) {
    std::printf("%s\n", report.described.c_str());
    std::printf(
        "%llu asked, %llu acknowledged, %llu entries, %llu frames, %llu s of virtual time, "
        "healed in %llu ms, lines %016llx\n",
        wide(report.asked),
        wide(report.acknowledged),
        wide(report.entries),
        wide(report.frames),
        wide(report.virtual_ms / 1'000),
        wide(report.healed_ms),
        wide(report.hash));
}

void print_progress(std::size_t done, std::size_t all, std::size_t failed) {
    static auto last = std::chrono::steady_clock::time_point();
    auto const now = std::chrono::steady_clock::now();
    if (all < 20 || isatty(STDERR_FILENO) == 0) return;
    if (done < all && now - last < std::chrono::milliseconds(200)) return;
    last = now;
    std::size_t const width = 30, filled = width * done / all;
    std::fprintf(stderr,
                 "\r[%s%s] %zu of %zu, %zu failed%s",
                 std::string(filled, '#').c_str(),
                 std::string(width - filled, '.').c_str(),
                 done,
                 all,
                 failed,
                 done == all ? "\n" : "");
}

void run(std::uint64_t seed, Options const& options, Totals& totals) {
    begin(seed, options.limit_s);
    RunOptions how;
    if (options.verbose) how.out = [](std::string const& line) { std::puts(line.c_str()); };
    RunReport const report = run_seed(seed, how);
    std::uint64_t const again = options.twice ? run_seed(seed, {}).hash : report.hash;
    end();
    ++totals.runs;
    totals.faults.add(report.faults);
    totals.asked += report.asked;
    totals.acknowledged += report.acknowledged;
    totals.entries += report.entries;
    totals.frames += report.frames;
    totals.virtual_ms += report.virtual_ms;
    totals.slowest_ms = std::max(totals.slowest_ms, report.healed_ms);
    if (options.hashes) std::printf("%llu %016llx\n", wide(seed), wide(report.hash));
    if (options.one) print_report(report);
    if (!report.failure && again == report.hash) return;
    ++totals.failed;
    if (report.failure)
        std::fprintf(stderr, "SEED=%llu failed: %s\n", wide(seed), report.failure->c_str());
    else
        std::fprintf(stderr, "SEED=%llu gives different runs\n", wide(seed));
}

// ---- what came of all of them -------------------------------------------------------------------

void print_faults(FaultCounts const& counts) {
    for (std::size_t i = 0; i < kFaults; ++i) {
        for (FaultGroup const& group : kFaultGroups)
            if (static_cast<std::size_t>(group.first) == i)
                std::printf("%s\n", std::string(group.name).c_str());
        std::printf("%10llu  %s\n", wide(counts.of[i]), std::string(kFaultNames[i]).c_str());
    }
}

bool enough(Totals const& totals) {
    if (totals.runs < kRunsForAllFaults) return true;
    bool good = true;
    for (std::size_t i = 0; i < kFaults; ++i) {
        if (totals.faults.of[i] > 0) continue;
        good = false;
        std::fprintf(
            stderr, "sim: error: \"%s\" never happened\n", std::string(kFaultNames[i]).c_str());
    }
    if (totals.acknowledged * 100 < totals.asked * kAcknowledgedPercentMin) {
        good = false;
        std::fprintf(stderr,
                     "sim: error: fewer than %u %% of all writes were acknowledged\n",
                     kAcknowledgedPercentMin);
    }
    return good;
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto const seconds = [](timeval const& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int finish(Totals const& totals) {
    print_faults(totals.faults);
    std::printf(
        "%zu runs, %zu failed; %llu asked, %llu acknowledged, %llu entries, %llu frames; "
        "%llu h of virtual time, slowest healing %llu ms; %.1f s of CPU time\n",
        totals.runs,
        totals.failed,
        wide(totals.asked),
        wide(totals.acknowledged),
        wide(totals.entries),
        wide(totals.frames),
        wide(totals.virtual_ms / 3'600'000),
        wide(totals.slowest_ms),
        cpu_seconds());
    return totals.failed == 0 && enough(totals) ? 0 : 1;
}

int run_all(Options const& options, std::vector<std::uint64_t> const& listed) {
    Totals totals;
    if (options.one) {
        // Said before anything can go wrong, and again only where it did.
        std::printf("SEED=%llu\n", wide(options.seed));
        std::fflush(stdout);
        run(options.seed, options, totals);
        return finish(totals);
    }
    if (!options.seeds_file.empty() && listed.empty()) {
        std::printf("%s names no seeds: none has failed yet\n", options.seeds_file.c_str());
        return 0;
    }
    std::size_t const all = listed.empty() ? options.runs : listed.size();
    for (std::size_t i = 0; i < all; ++i) {
        run(listed.empty() ? options.first + i : listed[i], options, totals);
        print_progress(i + 1, all, totals.failed);
        if (options.until_failure && totals.failed > 0) break;
    }
    return finish(totals);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::string seed_text_given;
    CLI::App app{"Runs the simulator: real nodes on a network, disks and clocks made of a seed."};
    auto* seed = app.add_option("--seed", seed_text_given, "one run");
    auto* runs = app.add_option("--runs", options.runs, "how many runs");
    runs->check(CLI::Range(std::size_t{1}, kRunsMax));
    app.add_option("--first", options.first, "the first of their seeds")->needs(runs);
    auto* file = app.add_option("--seeds", options.seeds_file, "runs of the seeds in a file");
    app.add_option("--limit", options.limit_s, "seconds that one run may take (default 120)");
    app.add_flag("--verbose", options.verbose, "print every event")->needs(seed);
    app.add_flag("--twice", options.twice, "run every seed twice and compare");
    app.add_flag("--hashes", options.hashes, "print every seed and the hash of its run");
    app.add_flag("--until-failure", options.until_failure, "end with the first run that fails");
    seed->excludes(runs)->excludes(file);
    runs->excludes(file);
    CLI11_PARSE(app, argc, argv);
    if (seed->count() + runs->count() + file->count() == 0) {
        std::fprintf(stderr, "sim: say --seed N, --runs N or --seeds FILE\n");
        return 2;
    }
    watch_signals();
    try {
        options.one = seed->count() > 0;
        if (options.one) options.seed = number_of(seed_text_given, "--seed");
        return run_all(
            options,
            file->count() > 0 ? seeds_of(options.seeds_file) : std::vector<std::uint64_t>());
    } catch (std::exception const& error) {
        std::fprintf(stderr, "sim: %s\n", error.what());
        return 1;
    }
}
