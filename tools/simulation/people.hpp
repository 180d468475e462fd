// The people of a run: what they ask their nodes to write. Everything is read off a tape.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "crdt/schema.hpp"
#include "tools/simulation/ledger.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::sim {

// What kind of thing somebody asks for.
enum class Topic : std::uint8_t {
    everyday,
    pair,
    stock,
    come_and_go,
    mixed,
    person,
    typed,
    decision,
};
inline constexpr std::size_t kTopics = static_cast<std::size_t>(Topic::decision) + 1;

class People {
public:
    // `erases`: persons may be erased.
    People(Tape tape, bool erases);

    // The schema that a run begins with, and later one with another idea of `typed`.
    Object first_schema() const;
    Object other_schema();

    // What somebody asks for next; fills source and writes of what has a number already.
    void ask(Asked& asked);
    // The first of all asks for something to sell.
    static void fill_stock(Asked& asked);
    // How many ask at a time.
    std::size_t crowd() { return 1 + tape_.below(12); }

    static std::string source_of(std::uint64_t number) { return "t" + std::to_string(number); }
    // The record of the n-th person, and what must not be found anywhere once it is erased.
    static std::string person_key(std::uint64_t number);
    static std::string person_secret(std::uint64_t number);

private:
    // What the people of this run are like, drawn once: what most of them do, and how few things
    // they do it to.
    struct Mood {
        std::array<unsigned, kTopics> weights{};
        std::size_t keys = 3;
        unsigned delete_percent = 40, erase_percent = 60;
    };
    static Mood mood_of(Tape& tape);
    void choose_focus();
    Topic topic();
    void everyday(Asked& asked);
    void decision(Asked& asked);
    Write fight_for_field(std::uint64_t number);
    Write change_stock();
    Write come_and_go(std::uint64_t number);
    Write change_mixed();
    Write person(std::uint64_t number);
    Write any_typed();
    RecordName few(char const* collection);

    Tape tape_;
    Mood mood_;
    CollectionSchema typed_;
    CollectionSchema focus_;  // those fields of it that people write
    std::vector<std::uint64_t> persons_;
};

// A collection's schema as the document that makes it.
Object document_of(CollectionSchema const& schema);

}  // namespace inos::sim
