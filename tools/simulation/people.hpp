// The people of a run: what they ask their nodes to write. Everything is read off a tape.
#pragma once

#include <string>
#include <vector>

#include "crdt/schema.hpp"
#include "tools/simulation/ledger.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::sim {

class People {
public:
    explicit People(Tape tape);

    // The schema that a run begins with, and later one with another idea of `typed`.
    Object first_schema() const;
    Object other_schema();

    // What somebody asks for next; fills source and writes of what has a number already.
    void ask(Asked& asked);
    // The first of all asks for something to sell.
    static void fill_stock(Asked& asked);

    static std::string source_of(std::uint64_t number) { return "t" + std::to_string(number); }
    // The record of the n-th person, and what must not be found anywhere once it is erased.
    static std::string person_key(std::uint64_t number);
    static std::string person_secret(std::uint64_t number);

private:
    void everyday(Asked& asked);
    Write fight_for_field(std::uint64_t number);
    Write change_stock();
    Write come_and_go(std::uint64_t number);
    Write person(std::uint64_t number);
    Write any_typed();
    RecordName few(char const* collection);

    Tape tape_;
    CollectionSchema typed_;
    std::vector<std::uint64_t> persons_;
};

// A collection's schema as the document that makes it.
Object document_of(CollectionSchema const& schema);

}  // namespace inos::sim
