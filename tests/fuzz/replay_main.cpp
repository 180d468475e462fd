// Feeds a fuzz target its committed corpus and seeded mutations of it: what builds without
// libFuzzer run instead of it.
//
//   fuzz_replay UNIT CORPUS_DIRECTORY [MUTATIONS]
//
// Exit status: 0 when every input passed, 1 when one did not (it is printed as hexadecimal, for
// `xxd -r -p` into a new corpus file), 2 for wrong arguments.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#define INOS_FUZZ_UNITS(X)  \
    X(apply)                \
    X(backup)               \
    X(batch)                \
    X(canary)               \
    X(certificate)          \
    X(config)               \
    X(csv)                  \
    X(entry)                \
    X(http_target)          \
    X(identity)             \
    X(json)                 \
    X(message)              \
    X(pairing_code)         \
    X(peer_url)             \
    X(record)               \
    X(recovery_code)        \
    X(rule)                 \
    X(schema_document)      \
    X(schema_file)          \
    X(secure_channel)       \
    X(session)              \
    X(site_id)              \
    X(site_key_certificate) \
    X(statement)            \
    X(stored)               \
    X(value)                \
    X(vector_codec)         \
    X(version_vector)

#define INOS_FUZZ_DECLARE(unit) extern "C" int fuzz_##unit(std::uint8_t const*, std::size_t);
INOS_FUZZ_UNITS(INOS_FUZZ_DECLARE)

// So that a sanitizer's finding reaches the handler below.
extern "C" char const* __asan_default_options();
extern "C" char const* __asan_default_options() {
    return "abort_on_error=1";
}
extern "C" char const* __ubsan_default_options();
extern "C" char const* __ubsan_default_options() {
    return "abort_on_error=1:print_stacktrace=1";
}

namespace {

constexpr std::size_t kMutationsDefault = 2'000;
constexpr std::size_t kInputBytesMax = 4'096;

using Target = int (*)(std::uint8_t const*, std::size_t);

struct Unit {
    char const* name;
    Target target;
};
#define INOS_FUZZ_ROW(unit) {#unit, fuzz_##unit},
constexpr Unit kUnits[] = {INOS_FUZZ_UNITS(INOS_FUZZ_ROW)};

std::string input;  // what the target is looking at

// Async-signal-safe: reads `input` and writes to standard error, nothing else.
extern "C" void on_abort(int) {
    static constexpr char kHex[] = "0123456789abcdef";
    static constexpr char kTitle[] = "the input, in hexadecimal:\n";
    bool written = write(STDERR_FILENO, kTitle, sizeof kTitle - 1) >= 0;
    for (char const c : input) {
        auto const byte = static_cast<std::uint8_t>(c);
        char const digits[2] = {kHex[byte >> 4], kHex[byte & 15]};
        written = write(STDERR_FILENO, digits, 2) == 2 && written;
    }
    written = write(STDERR_FILENO, "\n", 1) == 1 && written;
    _exit(1);
}

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
public:
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t bound) { return bound < 2 ? 0 : next() % bound; }

private:
    std::uint64_t state_ = 1;
};

// One change of the kinds that break decoders: bits, bytes at the ends of their range, lengths,
// pieces that are missing, repeated or from elsewhere.
void mutate(std::string& bytes, std::vector<std::string> const& corpus, Random& random) {
    std::size_t const at = random.below(bytes.size() + 1);
    std::size_t const length = 1 + random.below(8);
    switch (random.below(7)) {
        case 0:
            if (at < bytes.size()) bytes[at] ^= static_cast<char>(1u << random.below(8));
            break;
        case 1:
            if (at < bytes.size()) bytes[at] = "\x00\x01\x7f\x80\xff"[random.below(5)];
            break;
        case 2:
            bytes.insert(at, 1, static_cast<char>(random.next()));
            break;
        case 3:
            bytes.erase(at, length);
            break;
        case 4:
            bytes.insert(at, bytes.substr(random.below(bytes.size() + 1), length));
            break;
        case 5:
            bytes.resize(at);
            break;
        default: {
            std::string const& other = corpus[random.below(corpus.size())];
            bytes.replace(at, std::string::npos, other, random.below(other.size() + 1), 64);
        }
    }
    if (bytes.size() > kInputBytesMax) bytes.resize(kInputBytesMax);
}

std::vector<std::string> read_corpus(std::filesystem::path const& directory) {
    std::vector<std::filesystem::path> paths;
    for (auto const& file : std::filesystem::directory_iterator(directory))
        paths.push_back(file.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> corpus;
    for (auto const& path : paths) {
        std::ifstream in(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return corpus;
}

void run(Target target, std::string bytes) {
    input = std::move(bytes);
    // A copy of exactly this size, so that a read past the end is seen.
    std::vector<std::uint8_t> const exact(input.begin(), input.end());
    target(exact.data(), exact.size());
}

int replay(Unit const& unit, std::vector<std::string> const& corpus, std::size_t mutations) {
    for (std::string const& bytes : corpus)
        run(unit.target, bytes);
    Random random;
    for (std::size_t i = 0; i < mutations; ++i) {
        std::string bytes = corpus[random.below(corpus.size())];
        for (std::size_t changes = 1 + random.below(4); changes > 0; --changes)
            mutate(bytes, corpus, random);
        run(unit.target, std::move(bytes));
    }
    std::printf("%s: %zu inputs and %zu mutations\n", unit.name, corpus.size(), mutations);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argc > 4) {
        std::fputs("usage: fuzz_replay UNIT CORPUS_DIRECTORY [MUTATIONS]\n", stderr);
        return 2;
    }
    std::signal(SIGABRT, on_abort);
    auto const corpus = read_corpus(argv[2]);
    if (corpus.empty()) {
        std::fprintf(stderr, "the corpus \"%s\" is empty\n", argv[2]);
        return 2;
    }
    std::size_t const mutations =
        argc == 4 ? std::strtoul(argv[3], nullptr, 10) : kMutationsDefault;
    for (Unit const& unit : kUnits)
        if (std::string(argv[1]) == unit.name) return replay(unit, corpus, mutations);
    std::fprintf(stderr, "there is no fuzz target \"%s\"\n", argv[1]);
    return 2;
}
