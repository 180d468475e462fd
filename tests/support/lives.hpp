// Directories of sites that are copied, put back and started twice: what an engine holds can be
// taken and opened again at any time, under marks that the test makes up. One thread.
//
//   Lives lives(2);                          two sites, as Space makes them
//   Contents const old = lives[0].contents();
//   lives[0].put("a"); lives.meet(0, 1);
//   lives.restore(0, old, marks(2));         the old copy takes the directory's place
//   std::size_t const clone = lives.clone(0, marks(3));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/keys.hpp"
#include "tests/support/space.hpp"

namespace inos::test {

// Marks of one directory: equal numbers, equal files.
inline DirectoryMarks marks(std::uint64_t file, std::string boot = "boot 1") {
    DirectoryMarks made;
    made.nonce[0] = static_cast<std::uint8_t>(file);
    made.inode = file;
    made.device = 1;
    made.changed_ns = file;
    made.machine = "machine";
    made.boot = std::move(boot);
    return made;
}

class Life {
public:
    Life(Space& space, std::size_t site) : genesis_(space.genesis()) {
        options_ = {1,
                    space[site].actor(),
                    space[site].keys.identity,
                    space.digest_key(),
                    Durability::synced,
                    marks(site + 1)};
        WriteBatch batch;
        for (auto const& bytes : space.certificates())
            batch.put(
                Family::meta, keys::meta(1, 'c', value_of(decode_certificate(bytes)).actor), bytes);
        ContinuityRecord record;
        record.marks = options_.marks;
        batch.put(Family::meta, keys::meta_kind(1, 'm'), record.encode());
        put_engine({});
        value_of(engine->write(batch, Durability::synced));
        open();
    }
    // Another directory with the same contents.
    Life(Life const& other, DirectoryMarks const& now)
        : genesis_(other.genesis_), options_(other.options_) {
        clock.set(other.clock.now_ms());
        restore(other.contents(), now);
    }

    Replica& operator*() const { return *replica; }
    Replica* operator->() const { return replica.get(); }
    Contents contents() const { return test::contents(*engine); }
    DirectoryMarks const& present() const { return *options_.marks; }

    // The directory holds this now, and is opened again.
    void restore(Contents const& held, DirectoryMarks const& now) {
        replica.reset();
        put_engine(held);
        reopen(now);
    }
    void reopen(DirectoryMarks const& now) {
        replica.reset();
        engine->heal();
        options_.marks = now;
        open();
    }

    Result<Committed> try_put(std::string const& key, std::string_view json) {
        return replica
            ->commit({{"test", {{Write::Kind::patch, {"customers", key}, object_of(json), {}}}}})
            .front();
    }
    Dot put(std::string const& key, std::string const& text = "x") {
        auto const made = value_of(try_put(key, "{\"" + text + "\":true}"));
        if (!made.dot) throw std::logic_error("nothing changed");
        return *made.dot;
    }
    bool has(std::string const& key) const {
        return value_of(replica->get({"customers", key})).has_value();
    }

    ManualClock clock;
    std::unique_ptr<FaultEngine> engine;
    std::unique_ptr<Replica> replica;

private:
    void put_engine(Contents const& held) {
        engine = std::make_unique<FaultEngine>(std::make_unique<MemoryEngine>());
        WriteBatch batch;
        for (auto const& [key, value] : held)
            batch.put(key.first, key.second, value);
        value_of(engine->write(batch, Durability::synced));
    }
    void open() {
        Membership membership(genesis_);
        std::vector<std::string> certificates;
        for (auto const& [key, value] : test::contents(*engine, Family::meta))
            if (key.second.starts_with(keys::meta_kind(1, 'c'))) certificates.push_back(value);
        value_of(membership.add_all(certificates));
        replica = value_of(Replica::open(*engine, clock, std::move(membership), options_));
    }

    Genesis genesis_;
    ReplicaOptions options_;
};

// What a session does, without a network: certificates, acknowledgements, last entries, entries.
struct Meeting {
    HeadComparison at_first, at_second;
    bool forked() const { return !at_first.forks.empty() || !at_second.forks.empty(); }
};

class Lives {
public:
    explicit Lives(std::size_t sites, std::uint64_t seed = 1)
        : space_(sites, {.seed = seed, .durability = {}, .rocks_below = {}}) {
        for (std::size_t i = 0; i < sites; ++i)
            lives_.push_back(std::make_unique<Life>(space_, i));
    }

    Life& operator[](std::size_t i) { return *lives_.at(i); }
    std::size_t size() const { return lives_.size(); }

    // A second running directory of the same site; answers its number.
    std::size_t clone(std::size_t of, DirectoryMarks const& now) {
        lives_.push_back(std::make_unique<Life>(*lives_.at(of), now));
        return size() - 1;
    }

    static std::vector<DepHead> heads(Replica const& replica) {
        std::vector<DepHead> heads;
        auto const chains = replica.chains();
        for (std::size_t i = 0; i < chains.size(); ++i) {
            auto const& [actor, seq] = replica.vector().items()[i];
            heads.push_back({actor, seq, chains[i]});
        }
        return heads;
    }

    Meeting meet(std::size_t first, std::size_t second) {
        Replica& a = *(*this)[first];
        Replica& b = *(*this)[second];
        value_of(a.add_statements(b.membership().all_bytes()));
        value_of(b.add_statements(a.membership().all_bytes()));
        auto const theirs = heads(b), ours = heads(a);
        Meeting meeting{value_of(a.compare_heads(theirs)), value_of(b.compare_heads(ours))};
        if (meeting.forked()) return meeting;
        pull(a, b);
        pull(b, a);
        return meeting;
    }
    void converge() {
        for (int round = 0; round < 2; ++round)
            for (std::size_t i = 0; i < size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    (void)meet(i, j);
    }

private:
    static void pull(Replica& to, Replica& from) {
        while (!to.vector().includes(from.vector())) {
            auto const batch = value_of(from.collect(to.vector(), 1'000));
            if (value_of(to.apply(batch)).applied == 0)
                throw std::logic_error("a batch brought nothing");
        }
    }

    Space space_;
    std::vector<std::unique_ptr<Life>> lives_;
};

}  // namespace inos::test
