#include "tools/bench/records.hpp"

#include <array>
#include <cstdio>

namespace inos::bench {
namespace {

using Words16 = std::array<char const*, 16>;
using Words8 = std::array<char const*, 8>;

constexpr Words16 kFirst{"Ada",
                         "Bruno",
                         "Chiara",
                         "Dmitri",
                         "Elif",
                         "Farid",
                         "Grete",
                         "Hugo",
                         "Ines",
                         "Jonas",
                         "Kaja",
                         "Luc",
                         "Mina",
                         "Nils",
                         "Olga",
                         "Pavel"};
constexpr Words16 kLast{"Albers",
                        "Brandt",
                        "Castro",
                        "Dubois",
                        "Eriksen",
                        "Fischer",
                        "Garcia",
                        "Horvat",
                        "Ivanov",
                        "Jansen",
                        "Keller",
                        "Lopez",
                        "Moreau",
                        "Novak",
                        "Olsen",
                        "Petrov"};
constexpr Words8 kStreet{"Harbour Road",
                         "Mill Lane",
                         "Station Street",
                         "Church Walk",
                         "Market Square",
                         "Garden Avenue",
                         "King Street",
                         "Quay West"};
constexpr Words8 kCity{
    "Antwerp", "Bergen", "Cadiz", "Dresden", "Essen", "Faro", "Gdansk", "Haarlem"};
constexpr std::array<char const*, 32> kWords{
    "prefers",  "delivery", "on",     "friday", "invoice",   "monthly", "key",     "account",
    "discount", "agreed",   "call",   "before", "visit",     "gate",    "code",    "pending",
    "review",   "new",      "branch", "stock",  "order",     "return",  "paid",    "net",
    "thirty",   "contact",  "sales",  "desk",   "warehouse", "east",    "loading", "dock"};
constexpr std::array<char const*, 4> kTrade{"Trading", "Foods", "Logistics", "Tools"};
constexpr std::array<char const*, 4> kForm{"Ltd", "GmbH", "SA", "BV"};

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

std::uint32_t mix(std::uint32_t a) {  // murmur3's finaliser
    a ^= a >> 16;
    a *= 0x85ebca6bu;
    a ^= a >> 13;
    a *= 0xc2b2ae35u;
    a ^= a >> 16;
    return a;
}

std::string record_id(std::uint32_t i) {
    char text[24];
    std::snprintf(text, sizeof text, "cust:%08u", i);
    return text;
}

std::uint32_t permuted(std::uint32_t j, std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{j} * 7919 + 13) % n);
}

Object record(std::uint32_t i, std::uint32_t seed) {
    std::uint32_t s = mix(mix(i) ^ seed);
    auto const next = [&s] { return s = mix(s + 0x9e3779b9u); };
    std::string const first = kFirst[next() & 15];
    std::string const last = kLast[next() & 15];
    std::string company = kLast[next() & 15];
    company += std::string(" ") + kTrade[next() & 3];
    company += std::string(" ") + kForm[next() & 3];
    std::string email = lower(first) + "." + lower(last) + std::to_string(i) + "@example.com";
    std::string phone = "+49" + std::to_string(next() % 900'000'000 + 100'000'000);
    std::string address = std::to_string(next() % 200 + 1) + " " + kStreet[next() & 7];
    address += ", " + std::to_string(next() % 90'000 + 10'000);
    address += std::string(" ") + kCity[next() & 7];
    std::string note = kWords[next() & 31];
    while (note.size() < 96)
        note += std::string(" ") + kWords[next() & 31];
    std::int64_t const balance = static_cast<std::int64_t>(next() % 2'000'000) - 500'000;
    std::int64_t const updated = 1'700'000'000 + static_cast<std::int64_t>(next() % 60'000'000);
    Object fields;
    set_member(fields, "name", Value(first + " " + last));
    set_member(fields, "company", Value(std::move(company)));
    set_member(fields, "email", Value(std::move(email)));
    set_member(fields, "phone", Value(std::move(phone)));
    set_member(fields, "address", Value(std::move(address)));
    set_member(fields, "note", Value(std::move(note)));
    set_member(fields, "balance", Value(balance));
    set_member(fields, "updated", Value(updated));
    return fields;
}

}  // namespace inos::bench
