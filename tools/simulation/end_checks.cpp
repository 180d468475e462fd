// What has to hold when a run is over: the ledger against the logs, and the records against what
// the logs say, by rules written down here a second time and in another way.
#include <algorithm>
#include <set>

#include "storage/digest.hpp"
#include "storage/json.hpp"
#include "tools/simulation/checkers.hpp"
#include "tools/simulation/people.hpp"
#include "tools/simulation/rebuild.hpp"
#include "tools/simulation/record_rules.hpp"

namespace inos::sim {
namespace {

std::int64_t integer_at(SimNode const& node, RecordName const& name, std::string_view field) {
    Value const value = node.field(name.collection, name.key, field);
    auto const* number = value.as<std::int64_t>();
    return number ? *number : 0;
}

std::int64_t increment_of(Write const& write) {
    auto const* operation = write.fields.front().value.as<Object>();
    return *find_member(*operation, "$inc")->as<std::int64_t>();
}

class EndChecks {
public:
    EndChecks(SimWorld& world, Ledger const& ledger)
        : world_(world), ledger_(ledger), log_(read_log(world[0].engine())) {
        for (auto const& [dot, entry] : log_)
            if (auto const number = number_of(entry.source)) {
                bool const first = entries_.emplace(*number, &entry).second;
                require(first, "I7: " + entry.source + " was done twice");
            }
    }

    void logs() {
        for (auto const& node : world_.nodes()) {
            if (!node->running() || !world_.belongs(*node)) continue;
            same_entries(read_log(node->engine()), node->name());  // I6, too
        }
    }

    void outcomes() {
        for (Asked const& asked : ledger_.all()) {
            std::string const name = "t" + std::to_string(asked.number);
            bool const done = entries_.contains(asked.number);
            if (asked.outcome == Outcome::refused)
                require(!done, "I1: " + name + " was refused, and is there");
            if (asked.outcome != Outcome::acknowledged || !asked.dot || asked.lost) continue;
            auto const entry = log_.find(*asked.dot);
            // What a site that was retired had written, and nobody had taken, stays with it.
            if (entry == log_.end() && (by_former_member(asked) || left_with_former_member(asked)))
                continue;
            require(entry != log_.end() && entry->second.source == asked.source,
                    "I1: " + name + " was acknowledged, and is gone");
        }
    }

    void records_written_once() {
        std::size_t orders = 0, pairs = 0;
        for (auto const& [number, entry] : entries_)
            for (Write const& write : ledger_.all()[number - 1].writes) {
                bool const order = write.name.collection == kOrders;
                if (!order && write.name.collection != kPairs) continue;
                ++(order ? orders : pairs);
                each([&, n = number](SimNode const& node) {
                    require(integer_at(node, write.name, "n") == static_cast<std::int64_t>(n),
                            "I1: " + node.name() + " lacks " + write.name.key + " of " +
                                write.name.collection);
                });
            }
        for (CollectionInfo const& info : world_[0].replica().collections()) {
            if (info.name == kOrders)
                require(info.records == orders, "I1: there are orders that nobody made");
            if (info.name == kPairs)
                require(info.records == pairs, "I1: there are pairs that nobody made");
        }
    }

    void counters() {
        std::map<RecordName, std::int64_t> sums;
        for (auto const& [number, entry] : entries_)
            for (Write const& write : ledger_.all()[number - 1].writes)
                if (write.name.collection == kTotals || write.name.collection == kStock)
                    sums[write.name] += increment_of(write);
        each([&](SimNode const& node) {
            for (auto const& [name, sum] : sums) {
                std::int64_t const read =
                    integer_at(node, name, name.collection == kStock ? "left" : "n");
                require(read == sum,
                        "I5: " + node.name() + " reads " + std::to_string(read) + " in " +
                            name.collection + "/" + name.key + "; done were " +
                            std::to_string(sum));
                require(name.collection != kStock || sum >= 0, "E4: more was sold than there was");
            }
        });
    }

    // The value that is read was written by somebody whom no other writer had seen, and of those
    // it is the latest; all of them are shown.
    void fought_for_fields() {
        std::map<RecordName, std::vector<LoggedEntry const*>> writers;
        for (auto const& [number, entry] : entries_)
            for (Write const& write : ledger_.all()[number - 1].writes)
                if (write.name.collection == kFields) writers[write.name].push_back(entry);
        for (auto const& [name, entries] : writers) {
            std::vector<LoggedEntry const*> last;
            for (auto const* one : entries) {
                bool const seen = std::any_of(entries.begin(), entries.end(), [&](auto* other) {
                    return saw(*other, one->dot);
                });
                if (!seen) last.push_back(one);
            }
            auto const* winner = *std::max_element(last.begin(), last.end(), [](auto* a, auto* b) {
                return std::pair(a->hlc, a->dot) < std::pair(b->hlc, b->dot);
            });
            auto const expected = static_cast<std::int64_t>(*number_of(winner->source));
            each([&, &key = name](SimNode& node) {
                require(integer_at(node, key, "v") == expected,
                        "I1: " + node.name() + " shows another value of fields/" + key.key +
                            " than " + winner->source);
                auto const view = value_of(node.replica().get(key));
                std::size_t const shown =
                    view->conflicts.empty() ? 1 : view->conflicts.front().values.size();
                require(shown == last.size(), "I1: siblings of fields/" + key.key + " are missing");
            });
        }
    }

    // I4 and I1, of records that come and go.
    void ruled_records() {
        for (auto const& [name, expected] : RecordRules(ledger_, log_, entries_).all())
            each([&, &key = name, &rule = expected](SimNode& node) {
                std::string const at = key.collection + "/" + key.key;
                bool const there = value_of(node.replica().get(key)).has_value();
                require(
                    there == rule.there,
                    "I4: " + at + " is " + (there ? "there" : "not there") + " at " + node.name());
                if (!there) return;
                for (auto const& [field, value] : rule.fields) {
                    Value const read = node.field(key.collection, key.key, field);
                    require(same(read, value),
                            "I1: " + node.name() + " shows " + field + " of " + at + " as " +
                                write_json(read) + "; it has to be " + write_json(value));
                }
            });
    }

    void erasures() {
        std::set<RecordName> erased;
        for (auto const& [number, entry] : entries_)
            for (Write const& write : ledger_.all()[number - 1].writes)
                if (write.kind == Write::Kind::erase) erased.insert(write.name);
        each([&](SimNode& node) {
            std::string all;
            for (auto const& [key, value] : contents(node.engine()))
                all += key.second + '\n' + value + '\n';
            for (RecordName const& name : erased) {
                std::uint64_t const number = std::stoull(name.key.substr(name.key.find('-') + 1));
                require(node.replica().is_erased(name), "R5: an erased record is not erased");
                require(all.find(name.key) == std::string::npos &&
                            all.find(People::person_secret(number)) == std::string::npos,
                        "R5: " + node.name() + " still holds something of " + name.key);
            }
        });
    }

private:
    bool by_former_member(Asked const& asked) const {
        auto const& nodes = world_.nodes();
        return std::any_of(nodes.begin(), nodes.end(), [&](auto const& node) {
            return node->name() == asked.node && !world_.belongs(*node);
        });
    }
    // What its author had lost to an older directory, and only sites held that were retired since.
    bool left_with_former_member(Asked const& asked) const {
        auto const& nodes = world_.nodes();
        return asked.away && std::any_of(nodes.begin(), nodes.end(), [&](auto const& node) {
                   return !world_.belongs(*node) && read_log(node->engine()).contains(*asked.dot);
               });
    }
    // Where nothing was erased an entry is what its author made, wherever it is.
    void same_entries(LogView const& log, std::string const& node) const {
        require(log.size() == log_.size(), "I7: " + node + " holds another number of entries");
        for (auto const& [dot, entry] : log) {
            require(entry.chain == log_.at(dot).chain,
                    "D6: " + node + " holds another history of an actor");
            std::string const& bytes = log_.at(dot).bytes;
            bool const whole = !in_erased_form(entry.bytes) && !in_erased_form(bytes);
            require(!whole || entry.bytes == bytes,
                    "I7: " + node + " holds other bytes of " + entry.source);
        }
    }
    // A set without elements and a counter without runs may be absent.
    static bool same(Value const& read, Value const& expected) {
        if (read == expected) return true;
        auto const* array = expected.as<Array>();
        bool const nothing = (array && array->empty()) || expected == Value(std::int64_t{0});
        return read.is_null() && nothing;
    }
    static std::optional<std::uint64_t> number_of(std::string const& source) {
        bool const numbered = source.size() > 1 && source[0] == 't' &&
                              source.find_first_not_of("0123456789", 1) == std::string::npos;
        if (!numbered) return std::nullopt;
        return std::stoull(source.substr(1));
    }
    template <class F>
    void each(F const& check) {
        for (auto const& node : world_.nodes())
            if (node->running() && world_.belongs(*node)) check(*node);
    }

    SimWorld& world_;
    Ledger const& ledger_;
    LogView log_;
    std::map<std::uint64_t, LoggedEntry const*> entries_;  // by the number of what was asked
};

}  // namespace

void check_end(SimWorld& world, Ledger const& ledger, Tape& tape) {
    EndChecks checks(world, ledger);
    checks.logs();
    checks.outcomes();
    checks.records_written_once();
    checks.counters();
    checks.fought_for_fields();
    checks.ruled_records();
    checks.erasures();
    for (auto const& node : world.nodes()) {
        if (!node->running() || !world.belongs(*node)) continue;
        Replica const& replica = node->replica();
        require(value_of(replica.recompute_root()) == replica.root(),
                "I3: the root of " + node->name() + " is not that of its records");
        check_indexes(*node);
        require(shown(replica) == shown(world[0].replica()),
                "I2: " + node->name() + " shows other records than " + world[0].name());
    }
    SimNode* held = nullptr;
    while (!held || !held->running() || !world.belongs(*held))
        held = tape.pick(world.nodes()).get();
    check_rebuilt(*held, world.space_keys(), tape);
}

}  // namespace inos::sim
