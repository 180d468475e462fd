// A space with several sites in one process: keys, certificates, engines, replicas and a clock for
// each, all made from a seed, and exchange by plain calls instead of a network. For tests of the
// replica, of sync sessions and for the simulator. Things that cannot fail in a test that is right
// throw std::logic_error with the error's text. One thread.
//
//   Space space(3);                         site 0 is the founder, the others are writers
//   space[0].put("customers", "ann", {{"name", Value("Ann")}});
//   space.pull(0, 1);                       1 takes what 0 has
//   space[1].reopen();                      crash and start again
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/crypto/key_files.hpp"
#include "storage/engines/memory.hpp"
#include "storage/engines/rocks.hpp"
#include "storage/json.hpp"
#include "storage/replica.hpp"
#include "storage/replica_stage.hpp"
#include "storage/schema_document.hpp"
#include "tests/support/sim.hpp"
#include "tests/support/tape.hpp"
#include "tools/simulation/basics.hpp"
#include "tools/simulation/fault_engine.hpp"
#include "tools/simulation/manual_clock.hpp"

namespace inos::test {

struct SiteSetup {
    std::string name;
    Role role = Role::writer;
    std::vector<std::string> scope = {};
};

struct SpaceSetup {
    std::uint64_t seed = 1;
    Durability durability = Durability::synced;
    std::string rocks_below = {};  // a directory; empty: engines in memory
    RocksOptions rocks = {};
    std::size_t state_write_bytes = kStateWriteBytes;
    std::uint64_t state_entries_min = kStateEntriesMin;
};

class Site {
public:
    SiteKeys keys;
    Certificate certificate;
    std::string certificate_bytes;
    ManualClock clock;
    std::unique_ptr<FaultEngine> engine;
    std::unique_ptr<Replica> replica;

    Replica& operator*() { return *replica; }
    Replica* operator->() { return replica.get(); }
    ActorId actor() const { return certificate.actor; }

    // Drops the replica and opens it again from what the engine holds.
    void reopen() {
        Membership membership = replica->membership();
        replica.reset();
        engine->heal();
        replica = value_of(Replica::open(*engine, clock, std::move(membership), options_));
    }

    // The same where the engine was closed too.
    void reopen_on(std::unique_ptr<Engine> inner) {
        Membership membership = known_;
        engine = std::make_unique<FaultEngine>(std::move(inner));
        replica = value_of(Replica::open(*engine, clock, std::move(membership), options_));
    }
    void close() {
        known_ = replica->membership();
        replica.reset();
        engine.reset();
    }

    // One transaction; throws when it is refused.
    Committed commit(std::vector<Write> writes, std::string source = "test") {
        return value_of(try_commit(std::move(writes), std::move(source)));
    }
    Result<Committed> try_commit(std::vector<Write> writes, std::string source = "test") {
        return replica->commit({{std::move(source), std::move(writes)}}).front();
    }
    Committed put(std::string collection, std::string key, Object fields) {
        return commit({{Write::Kind::put, {collection, key}, std::move(fields), {}}});
    }
    Committed patch(std::string collection, std::string key, Object fields) {
        return commit({{Write::Kind::patch, {collection, key}, std::move(fields), {}}});
    }
    Committed erase(std::string collection, std::string key) {
        return commit({{Write::Kind::delete_, {collection, key}, {}, {}}});
    }

    Committed erase_for_good(std::string collection, std::string key) {
        return commit({{Write::Kind::erase, {collection, key}, {}, {}}});
    }

    // Sets schemas as a schema file would; the site has to be an admin.
    Committed set_schema(std::string_view json) {
        return commit(schema_writes(object_of(json), replica->schema_documents()));
    }

    std::optional<RecordView> get(std::string collection, std::string key) const {
        return value_of(replica->get({collection, key}));
    }
    // What the record's field holds; null when there is no such record or field.
    Value field(std::string collection, std::string key, std::string_view name) const {
        auto const view = get(collection, key);
        auto const* value = view ? find_member(view->fields, name) : nullptr;
        return value ? *value : Value();
    }
    // What the site holds of records, without what is its own: where their histories begin.
    Contents records() const {
        Contents shared;
        for (auto const& [key, value] : contents(*engine, Family::records)) {
            auto const stored = value_of(StoredRecord::decode(value, {}));
            if (stored.record.empty()) continue;
            shared[key] =
                StoredRecord::encode(stored.digest, stored.digest_class, {}, stored.record);
        }
        return shared;
    }

private:
    friend class Space;
    ReplicaOptions options_;
    Membership known_{Genesis{}};
};

class Space {
public:
    static constexpr std::size_t kTargetBytes = 256 << 10;

    explicit Space(std::size_t sites, SpaceSetup const& setup = {})
        : Space(founder_and_writers(sites), setup) {}

    // The first site is the founder and an admin whatever its setup says.
    explicit Space(std::vector<SiteSetup> const& sites, SpaceSetup const& setup = {})
        : setup_(setup), tape_(Tape::seeded(setup.seed)) {
        crypto::init();
        digest_key_ = random_secret(tape_);
        seal_key_ = random_secret(tape_);
        for (SiteSetup const& site : sites)
            admit(site);
    }

    std::size_t size() const { return sites_.size(); }
    Site& operator[](std::size_t i) { return *sites_.at(i); }
    Genesis const& genesis() const { return genesis_; }
    SpaceId id() const { return genesis_.id(); }
    crypto::Secret const& digest_key() const { return digest_key_; }
    std::vector<std::string> const& certificates() const { return certificates_; }
    std::vector<std::unique_ptr<Site>> const& sites() const { return sites_; }

    // Adds a site while the others run; all learn its certificate.
    Site& admit(SiteSetup const& setup) {
        auto site = std::make_unique<Site>();
        site->keys = random_site_keys(tape_);
        if (sites_.empty()) found(*site);
        certify(*site, setup);
        open(*site);
        for (auto const& other : sites_)
            value_of(other->replica->add_statements({site->certificate_bytes}));
        sites_.push_back(std::move(site));
        return *sites_.back();
    }

    // Site `to` takes everything that `from` has and it lacks. How many entries came.
    std::size_t pull(std::size_t from, std::size_t to, std::size_t target_bytes = kTargetBytes) {
        return value_of(try_pull(from, to, target_bytes));
    }
    Result<std::size_t> try_pull(std::size_t from,
                                 std::size_t to,
                                 std::size_t target_bytes = kTargetBytes) {
        Replica& source = **sites_.at(from);
        Replica& sink = **sites_.at(to);
        std::size_t came = 0;
        while (!sink.vector().includes(source.vector())) {
            INOS_TRY(EntryBatch const batch, source.collect(sink.vector(), target_bytes));
            INOS_TRY(ApplyReport const report, sink.apply(batch));
            if (report.applied == 0)
                return fail(Errc::internal, "a batch brought nothing, yet entries are missing");
            came += report.applied;
        }
        return came;
    }

    // Everybody acknowledges what it holds, and learns of all others' acknowledgements.
    void acknowledge() {
        for (auto const& site : sites_)
            value_of(site->replica->acknowledge());
        for (auto const& to : sites_) {
            std::vector<std::string> all;
            for (auto const& from : sites_)
                for (auto const& [id, bytes] : from->replica->acknowledgements())
                    all.push_back(bytes);
            value_of(to->replica->add_acknowledgements(all));
        }
    }

    // Everybody pulls from everybody.
    void converge() {
        for (int round = 0; round < 2; ++round)
            for (std::size_t to = 0; to < size(); ++to)
                for (std::size_t from = 0; from < size(); ++from)
                    if (from != to) pull(from, to);
    }

private:
    static std::vector<SiteSetup> founder_and_writers(std::size_t count) {
        std::vector<SiteSetup> sites(count);
        for (std::size_t i = 0; i < count; ++i)
            sites[i] = {"site" + std::to_string(i), Role::writer, {}};
        return sites;
    }

    void found(Site const& founder) {
        genesis_.name = "test";
        genesis_.founder = founder.keys.identity.public_key;
        for (auto& byte : genesis_.nonce)
            byte = static_cast<std::uint8_t>(tape_.word() >> 24);
    }

    void certify(Site& site, SiteSetup const& setup) {
        Certificate& certificate = site.certificate;
        certificate.space = genesis_.id();
        certificate.actor = ActorId{tape_.word64() | 1};
        certificate.site = site.keys.identity.public_key;
        certificate.channel = site.keys.channel.public_key;
        certificate.sealing = site.keys.sealing.public_key;
        certificate.name = setup.name;
        certificate.role = sites_.empty() ? Role::admin : setup.role;
        certificate.scope = setup.scope;
        certificate.issuer = genesis_.founder;
        auto const& issuer = sites_.empty() ? site.keys.identity : sites_[0]->keys.identity;
        if (!sites_.empty()) certificate.issuer_vv = sites_[0]->replica->vector();
        site.certificate_bytes = issue(certificate, issuer);
        certificates_.push_back(site.certificate_bytes);
    }

    void open(Site& site) {
        site.options_ = {1, site.actor(), site.keys.identity, digest_key_, setup_.durability};
        site.options_.keys = KeyRing(SpaceKeys{seal_key_, digest_key_});
        site.options_.sealing = site.keys.sealing;
        site.options_.state_write_bytes = setup_.state_write_bytes;
        site.options_.state_entries_min = setup_.state_entries_min;
        std::unique_ptr<Engine> inner = std::make_unique<MemoryEngine>();
        if (!setup_.rocks_below.empty())
            inner = value_of(open_rocks(
                setup_.rocks_below + "/site" + std::to_string(sites_.size()), setup_.rocks));
        site.engine = std::make_unique<FaultEngine>(std::move(inner));
        Membership membership(genesis_);
        value_of(membership.add_all(certificates_));
        site.replica =
            value_of(Replica::open(*site.engine, site.clock, std::move(membership), site.options_));
    }

    SpaceSetup setup_;
    Tape tape_;
    Genesis genesis_;
    crypto::Secret digest_key_, seal_key_;
    std::vector<std::string> certificates_;
    std::vector<std::unique_ptr<Site>> sites_;
};

}  // namespace inos::test
