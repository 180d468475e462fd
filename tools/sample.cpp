// The program `inos-sample`: invented customers as CSV, the same for the same seed.
//
//   inos-sample customers --count 10000 --seed 1 > customers.csv
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "tools/csv.hpp"
#include "tools/sample_names.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kCountMax = 100'000'000;

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    template <class List>
    auto const& pick(List const& list) {
        return list[static_cast<std::size_t>(below(list.size()))];
    }

private:
    std::uint64_t state_;
};

std::string padded(std::uint64_t number, int width) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llu", width, static_cast<unsigned long long>(number));
    return text;
}

void print_customer(std::ostream& out, Dice& dice, std::uint64_t number) {
    auto const& region = dice.pick(sample_regions());
    auto const& given = dice.pick(region.given);
    auto const& family = dice.pick(region.family);
    std::string const name = region.family_first ? std::string(family) + std::string(given)
                                                 : std::string(given) + " " + std::string(family);
    std::string const email = dice.below(20) == 0
                                  ? ""
                                  : "customer" + std::to_string(number) + "@example." +
                                        (dice.below(2) == 0 ? "org" : "com");
    std::string const phone =
        dice.below(8) == 0 ? ""
                           : std::string(region.phone) + " " + padded(dice.below(10'000'000), 7);
    std::string street =
        std::string(dice.pick(region.streets)) + " " + std::to_string(1 + dice.below(250));
    if (dice.below(10) == 0)
        street += ", \"" + std::string(1, static_cast<char>('A' + dice.below(6))) + "\"";
    static constexpr std::string_view kConsents[] = {
        "unknown", "pending", "subscribed", "unsubscribed"};
    std::string const cells[] = {"c-" + padded(number, 6),
                                 name,
                                 email,
                                 phone,
                                 street,
                                 std::string(dice.pick(region.cities)),
                                 std::string(region.country),
                                 std::string(dice.pick(sample_notes())),
                                 std::string(kConsents[dice.below(4)])};
    char const* separator = "";
    for (auto const& cell : cells) {
        out << separator << csv_cell(cell);
        separator = ",";
    }
    out << "\r\n";
}

bool parse(std::string_view text, std::uint64_t& number) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

constexpr std::string_view kUsage =
    "Usage: inos-sample customers [--count N] [--seed N]\n\n"
    "Prints N invented customers (default 10000) as CSV with the columns id, name, email, phone,\n"
    "street, city, country, notes, consent: names in Latin, Greek, Cyrillic, Arabic, Hebrew, "
    "Chinese,\n"
    "Japanese, Korean and Devanagari letters, some cells empty, some with commas, quotes, line "
    "breaks.\n"
    "The same seed (default 1) gives the same customers.\n\n"
    "  inos-sample customers --count 10000 --seed 1 > customers.csv\n"
    "  inos import customers customers.csv\n";

int run(int argc, char** argv) {
    std::uint64_t count = 10'000;
    std::uint64_t seed = 1;
    bool wanted = false;
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument = argv[i];
        std::string_view const value = i + 1 < argc ? argv[i + 1] : "";
        if (argument == "--help" || argument == "-h") {
            std::cout << kUsage;
            return 0;
        }
        if (argument == "customers") {
            wanted = true;
        } else if ((argument == "--count" && parse(value, count) && count <= kCountMax) ||
                   (argument == "--seed" && parse(value, seed))) {
            ++i;
        } else {
            std::cerr << "inos-sample: cannot use \"" << argument << "\"; see inos-sample --help\n";
            return 2;
        }
    }
    if (!wanted) {
        std::cerr
            << "inos-sample: what shall it be? inos-sample customers; see inos-sample --help\n";
        return 2;
    }
    std::cerr << "inos-sample: " << count << " customers, seed " << seed << '\n';
    std::cout << "id,name,email,phone,street,city,country,notes,consent\r\n";
    Dice dice(seed);
    for (std::uint64_t number = 1; number <= count && std::cout; ++number)
        print_customer(std::cout, dice, number);
    return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace inos

int main(int argc, char** argv) {
    return inos::run(argc, argv);
}
