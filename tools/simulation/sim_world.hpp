// Nodes as the program makes them, on a SimNetwork: a real Replica, Store and PeerManager each,
// with engines in memory. A node can be restarted, which leaves it nothing but its engine. One
// thread; everything follows from the seed.
//
//   SimWorld world({.seed = 7});
//   SimNode& a = world.found("a");
//   SimNode& b = world.member("b");
//   world.connect(a, b);
//   a.put("customers", "ann", {...});
//   EXPECT_TRUE(world.converge());
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/joiner.hpp"
#include "net/peer_manager.hpp"
#include "net/upkeep.hpp"
#include "storage/engines/memory.hpp"
#include "tools/simulation/basics.hpp"
#include "tools/simulation/fault_engine.hpp"
#include "tools/simulation/manual_clock.hpp"
#include "tools/simulation/sim_network.hpp"

namespace inos::sim {

inline constexpr std::uint32_t kSimSpace = 1;  // its number in every node's engine

struct SimOptions {
    std::uint64_t seed = 1;
    // 0: the store answers at once (DirectStore). Else work waits and answers wait for so long, as
    // with a store thread.
    std::uint64_t store_delay_ms = 0;
    std::uint64_t acknowledge_every_ms = kAcknowledgeEveryMs;
    Durability durability = Durability::synced;                    // of all nodes' own commits
    std::optional<std::uint64_t> log_retention_ms = std::nullopt;  // Upkeep's
    std::uint64_t state_entries_min = kStateEntriesMin;            // ReplicaOptions'
    std::size_t state_write_bytes = kStateWriteBytes;
};

// A store whose work and answers come later, each in its order, as StoreThread's do: commits that
// wait side by side become one group.
class SlowStore final : public Store {
public:
    // Groups of more than one transaction are counted in `groups`.
    SlowStore(Replica& replica,
              SimNetwork& network,
              std::string node,
              std::uint64_t delay_ms,
              std::size_t& groups)
        : replica_(replica),
          network_(network),
          node_(std::move(node)),
          delay_ms_(delay_ms),
          groups_(groups) {}
    void commit(Transaction transaction, std::function<void(Result<Committed>)> done) override;
    void run(std::function<void(Replica&)> work, std::function<void()> done) override;

private:
    struct CommitMessage {
        Transaction transaction;
        std::function<void(Result<Committed>)> done;
    };
    struct WorkMessage {
        std::function<void(Replica&)> work;
        std::function<void()> done;
    };
    using Message = std::variant<CommitMessage, WorkMessage>;
    void take(Message message);
    void handle();
    void commit_group(std::deque<Message>& batch);
    void answer(std::function<void()> done);

    Replica& replica_;
    SimNetwork& network_;
    std::string node_;
    std::uint64_t delay_ms_;
    std::size_t& groups_;
    std::deque<Message> inbox_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class SimNode {
public:
    SimNode(SimNetwork& network, SimOptions const& options, std::string name, SiteKeys keys);
    ~SimNode();

    std::string const& name() const { return name_; }
    std::string address() const { return SimNetwork::address(name_); }
    SiteKeys const& keys() const { return keys_; }
    ManualClock& clock() { return clock_; }
    FaultEngine& engine() { return *engine_; }
    Replica& replica() { return *replica_; }
    PeerManager& peers() { return *peers_; }
    bool is_member() const { return grant_.has_value(); }
    bool may_write() const {  // while it is running
        auto const* own = replica_->membership().by_site(keys_.identity.public_key);
        return own && own->may_write();
    }
    bool running() const { return peers_ != nullptr; }

    // Makes the grant durable in the engine. Then start().
    Result<void> keep(SpaceGrant const& grant);
    // Opens what the engine holds and goes online, dialling the remembered addresses. The disk is
    // as it is: on an error the node stays down.
    Result<void> try_start();
    // The same with a disk that works; it has to succeed.
    void start();
    void stop();   // as the program does: politely
    void crash();  // everything but the engine is gone
    // The machine stops: a crash, and of what was not synced only the first `kept` writes stay. It
    // comes up again with a disk that works and a monotonic clock that begins anew.
    void lose_power(std::size_t kept);
    // The same, but within the n-th call (or write) of the engine from now; nothing leaves the node
    // after it. Somebody has to look whether it happened, and to call lose_power().
    void lose_power_at(std::size_t n, FaultEngine::Counted counted, FaultEngine::Outcome outcome);
    bool lost_power() const { return engine_->dead(); }
    // What somebody gets who copies the directory, and a copy that is put back, as other files,
    // while the node does not run.
    Contents copy();
    void put_back(Contents const& copy);
    bool paused() const { return network_.paused(name_); }
    void restart() {
        crash();
        start();
    }
    void tick();
    // The certificate comes from somewhere else than the network.
    void learn(std::string const& certificate);
    // For a node that is not running: a past in which it knew only the first `count` certificates,
    // and keys other than those it was admitted with.
    void forget_certificates_but(std::size_t count);
    void forget_grant() { grant_.reset(); }
    void set_keys(SiteKeys keys) { keys_ = std::move(keys); }
    // An address that every start dials.
    void remember(std::string const& url);

    // One transaction; calls back when it is durable. Without a callback a refusal throws.
    void commit(std::vector<Write> writes, std::function<void(Result<Committed>)> done = {});
    void submit(Transaction transaction, std::function<void(Result<Committed>)> done = {});
    std::size_t commits_under_way() const { return *under_way_; }
    std::size_t groups() const { return groups_; }  // commits that shared a write
    void put(std::string collection, std::string key, std::string_view json);
    void patch(std::string collection, std::string key, std::string_view json);
    Value field(std::string collection, std::string key, std::string_view name) const;

    // Every line of the log, as it is written.
    void on_log(std::function<void(std::string const& line)> callback) {
        on_log_ = std::move(callback);
    }
    // Lines of the log: "event text".
    std::vector<std::string> const& log() const { return log_; }
    std::size_t logged(std::string_view event) const;
    std::optional<PeerStatus> peer(std::string const& name) const;
    bool connected_with(std::string const& name) const;

private:
    Result<void> open();
    Result<void> renew_marker();
    void log(std::string_view event, std::string const& text);

    SimNetwork& network_;
    SimOptions options_;
    std::string name_;
    SiteKeys keys_;
    ManualClock clock_;
    std::unique_ptr<FaultEngine> engine_;
    DirectoryMarks directory_;  // of the marker file, and the machine in its present run
    std::uint64_t boots_ = 1;
    std::optional<SpaceGrant> grant_;
    std::vector<std::string> urls_;
    std::vector<std::string> log_;
    std::function<void(std::string const&)> on_log_;
    std::shared_ptr<std::size_t> under_way_ = std::make_shared<std::size_t>(0);
    std::size_t groups_ = 0;

    std::unique_ptr<Transport> transport_;
    std::unique_ptr<Replica> replica_;
    std::unique_ptr<Store> inner_store_;
    std::unique_ptr<WatchedStore> store_;
    std::unique_ptr<PeerManager> peers_;
    std::unique_ptr<Upkeep> upkeep_;
};

class SimWorld {
public:
    static constexpr std::uint64_t kTickMs = 100;
    static constexpr std::uint64_t kHealMs = 180'000;  // virtual time that convergence may take

    explicit SimWorld(SimOptions const& options = {});
    ~SimWorld();

    SimNetwork& network() { return network_; }
    std::vector<std::unique_ptr<SimNode>> const& nodes() const { return nodes_; }
    SimNode& operator[](std::size_t i) { return *nodes_.at(i); }
    Genesis const& genesis() const { return genesis_; }
    SpaceKeys const& space_keys() const { return space_keys_; }

    SimNode& found(std::string const& name);
    // Certified by `issuer` (the founder) without any pairing; other nodes know it only if `known`.
    SimNode& member(std::string const& name,
                    Role role = Role::writer,
                    bool known = true,
                    SimNode* issuer = nullptr);
    SimNode& stranger(std::string const& name);  // keys and an engine, no membership
    void connect(SimNode& from, SimNode& to);    // `from` dials `to`, now and after restarts

    // Called between two events, when a node has lost power within the last one.
    void on_power_loss(std::function<void(SimNode&)> callback) { on_power_loss_ = callback; }
    // Looks for such nodes; after calls that did not come from an event.
    void find_power_losses();
    // While it is kept, reading from the nodes' engines is nothing that happens to them.
    std::vector<FaultEngine::Undisturbed> undisturbed();

    void step(std::uint64_t ms);
    // False: the condition did not come true within so much virtual time.
    bool run_until(std::function<bool()> const& condition, std::uint64_t bound_ms);
    // Runs until all running nodes hold the same. False: they do not within the bound.
    bool converge(std::uint64_t bound_ms = kHealMs);
    bool all_equal() const;  // and no commit is under way; of those that belong
    // False: the first node knows that this one is no member any more, or has not got the key.
    bool belongs(SimNode const& node) const;

    struct Pairing {
        std::optional<Result<Joiner::Joined>> outcome;
        std::shared_ptr<Joiner> joiner;
        std::unique_ptr<Transport> transport;
    };
    // A code made at `inviter`; throws when it refuses.
    InviteInfo invite(SimNode& inviter, InviteRequest request = {});
    Result<InviteInfo> try_invite(SimNode& inviter, InviteRequest request = {});
    // Runs until the joiner has an answer; on success the node is started.
    Result<Joiner::Joined> join(SimNode& node, std::string const& code);
    // The same without waiting.
    std::shared_ptr<Pairing> begin_join(SimNode& node, std::string const& code);
    // Afterwards, or when the machine stops. Answers whether the node has become a member, whatever
    // the joiner was told; then somebody has to start it.
    bool end_join(SimNode& node, std::shared_ptr<Pairing> const& pairing);

private:
    bool next(std::uint64_t until_ms);
    void tick(SimNode& node);
    SimNode& add_node(std::string const& name);
    Certificate certificate_for(SimNode const& node, Role role);

    SimOptions options_;
    SeededRandomness randomness_;
    SimNetwork network_;
    Tape tape_;
    Genesis genesis_;
    SpaceKeys space_keys_;
    std::uint64_t clocks_ms_ = 0;
    std::shared_ptr<FaultEngine::Archive> archive_ = std::make_shared<FaultEngine::Archive>();
    std::vector<std::unique_ptr<SimNode>> nodes_;
    std::vector<std::shared_ptr<Pairing>> pairings_;
    std::function<void(SimNode&)> on_power_loss_;
};

}  // namespace inos::sim
