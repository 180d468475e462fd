// What people might do with a schema: plans with writes that fit its collections, types, formats
// and rules, drawn from a seed. Ids and values are few on purpose, because what matters happens
// where two sites touch the same thing; numbers and texts that rules mention come up often. Sites
// make records under ids that all of them use, and under ids of their own that agree in everything
// else: duplicates. Pure; any thread.
#pragma once

#include "tools/simulate/plan.hpp"
#include "tools/simulate/rule_check.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::simulate {

// How people of one run behave: some runs are about one record, others have everything in them.
struct Habits {
    std::size_t common_ids = 2;  // per collection, used by all sites
    unsigned own_percent = 35;   // of the writes go to ids that only the site uses
    unsigned delete_percent = 12, put_percent = 25, transaction_percent = 15;

    static Habits random(sim::Tape& tape);
};

class Workload {
public:
    // At least one collection.
    Workload(Schemas schemas, FieldHints hints)
        : schemas_(std::move(schemas)), hints_(std::move(hints)) {}

    // The same plan for the same seed, with every compiler.
    Plan plan(std::uint64_t seed, std::size_t sites) const;

    // The parts of it, for generators of other tests.
    Write write(sim::Tape& tape, std::size_t site, Habits const& habits = {}) const;
    Object fields(sim::Tape& tape, std::string const& collection, bool whole) const;

private:
    class Maker;

    Value plain(sim::Tape& tape,
                std::string const& collection,
                std::vector<std::string> const& path,
                FieldSchema const& field) const;
    Value element(sim::Tape& tape, FieldSchema const& field, FieldHint const* hint) const;
    Value scalar(sim::Tape& tape, FieldSchema const& field, FieldHint const* hint) const;
    Value object(sim::Tape& tape,
                 std::string const& collection,
                 std::vector<std::string> const& path) const;
    Value operation(sim::Tape& tape,
                    std::string const& collection,
                    std::string const& name,
                    FieldSchema const& field) const;
    Write write_to(sim::Tape& tape,
                   std::string const& collection,
                   std::size_t site,
                   Habits const& habits) const;
    FieldHint const* hint(std::string const& collection,
                          std::vector<std::string> const& path) const;
    bool matters(std::string const& collection, std::string const& name) const;
    bool has_parts(std::string const& collection, std::string const& name) const;
    std::vector<std::string> sources() const;

    Schemas schemas_;
    FieldHints hints_;
};

}  // namespace inos::simulate
