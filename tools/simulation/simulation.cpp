#include "tools/simulation/simulation.hpp"

#include <algorithm>
#include <set>

#include "crdt/types/bounded_counter.hpp"
#include "storage/schema_document.hpp"
#include "tools/simulation/checkers.hpp"
#include "tools/simulation/journal.hpp"
#include "tools/simulation/people.hpp"
#include "tools/simulation/swarm.hpp"

namespace inos::sim {
namespace {

constexpr std::size_t kNodesMax = 8;
constexpr std::size_t kLookedAt = 6;  // of the last things that were asked for, after every step
constexpr std::uint64_t kHourMs = 3'600'000;
constexpr std::uint64_t kTenYearsMs = 10ull * 365 * 24 * kHourMs;

class Run {
public:
    Run(std::uint64_t seed, RunOptions const& options)
        : tape_(Tape::seeded(seed * 2 + 1)),
          swarm_(Swarm::of(seed, tape_)),
          people_(Tape::seeded(tape_.word64())),
          journal_([this] { return world_ ? world_->network().now_ms() : 0; }, options.out),
          world_(std::make_unique<SimWorld>(swarm_.options)) {
        report_.seed = seed;
        report_.described = swarm_.describe();
        world_->on_power_loss([this](SimNode& node) { power_lost(node); });
    }

    RunReport run() {
        try {
            set_up();
            for (std::size_t i = 0; i < swarm_.steps; ++i) {
                step(swarm_.pick(tape_));
                world_->find_power_losses();
                look();
            }
            heal();
            check_end(*world_, ledger_, tape_);
        } catch (std::exception const& failed) {
            report_.failure = failed.what();
            journal_.note("", *report_.failure);
        }
        count();
        return report_;
    }

private:
    // ---- beginning and end --------------------------------------------------------------------
    void set_up() {
        journal_.note("", report_.described);
        watch(world_->found("s0"));
        // Nobody writes before he knows it: members have to catch up with whoever admitted them.
        set_schema(node(0), people_.first_schema());
        ask(node(0), [](Asked& asked) { People::fill_stock(asked); });
        world_->run_until([this] { return node(0).commits_under_way() == 0; }, 1'000);
        for (std::size_t i = 1; i < swarm_.sites; ++i) {
            bool const known = tape_.chance(swarm_.known_percent);
            watch(world_->member("s" + std::to_string(i), Role::writer, known));
        }
        network().set_delay(1, swarm_.delay_max_ms);
        for (std::size_t i = 1; i < swarm_.sites; ++i) {
            std::size_t const to = tape_.below(i);
            tape_.chance(50) ? connect(i, to) : connect(to, i);
            if (tape_.chance(40)) connect(i, tape_.below(swarm_.sites));
        }
        if (tape_.chance(70)) world_->step(5'000);
    }

    void heal() {
        healing_ = true;
        network().heal_all();
        network().set_delay(1, 20);
        for (auto const& each : world_->nodes()) {
            network().set_reading(each->name(), std::nullopt);
            wake(*each);
            bool const right = tape_.chance(50);
            if (right) set_right(*each);
        }
        finish_joins();
        for (auto const& each : world_->nodes()) {
            each->engine().heal();
            if (each->running() && each->replica().failed()) fall(*each, "restart");
            start(*each);
        }
        std::uint64_t const began = network().now_ms();
        require(world_->converge(),
                "I9: the nodes do not hold the same after " +
                    std::to_string(SimWorld::kHealMs / 1'000) + " s" + state());
        report_.healed_ms = network().now_ms() - began;
        journal_.note("", "all nodes hold the same");
        world_->step(tape_.chance(30) ? 150'000 : 2'000);
        require(world_->converge(20'000), "I9: the nodes do not come to rest" + state());
        look();
    }

    void count() {
        FaultCounts& counts = report_.faults;
        SimNetwork& net = network();
        counts[Fault::connection_cut] += net.cuts();
        counts[Fault::frame_corrupted] += net.spoiled(FrameFault::corrupted);
        counts[Fault::frame_dropped] += net.spoiled(FrameFault::dropped);
        counts[Fault::frame_repeated] += net.spoiled(FrameFault::repeated);
        counts[Fault::frame_swapped] += net.spoiled(FrameFault::swapped);
        counts[Fault::frame_shortened] += net.spoiled(FrameFault::shortened);
        counts[Fault::slow_reader] += net.stalls();
        for (auto const& each : world_->nodes())
            counts[Fault::purge] += each->logged("purged");
        for (Asked const& asked : ledger_.all()) {
            if (asked.outcome == Outcome::unknown) ++counts[Fault::unknown_outcome];
            if (asked.outcome == Outcome::acknowledged) ++report_.acknowledged;
        }
        report_.asked = ledger_.all().size();
        report_.frames = net.frames();
        report_.virtual_ms = net.now_ms();
        if (!report_.failure) count_entries();
        journal_.note("", "frames " + std::to_string(net.trace()));
        report_.hash = journal_.hash();
    }

    void count_entries() {
        LogView const log = read_log(node(0).engine());
        report_.entries = log.size();
        for (auto const& [dot, entry] : log)
            for (Op const& op : entry.ops) {
                auto const passes = [](Edit const& edit) { return holds_passed_rights(edit.path); };
                if (std::any_of(op.edits.begin(), op.edits.end(), passes))
                    ++report_.faults[Fault::rights_moved];
            }
    }

    // ---- one step -----------------------------------------------------------------------------
    void step(Action action) {
        switch (action) {
            case Action::commit:
                for (std::size_t n = 1 + tape_.below(4); n > 0; --n)
                    commit(any_node());
                return;
            case Action::run:
                return world_->step(tape_.chance(50) ? tape_.below(600)
                                                     : tape_.pick(std::array<std::uint64_t, 4>{
                                                           1, 50, 3'000, 70'000}));
            case Action::join:
                return join();
            case Action::schema:
                ++report_.faults[Fault::schema_change];
                return set_schema(node(0), people_.other_schema());
            case Action::start:
                return start(any_node());
            case Action::stop:
            case Action::kill:
            case Action::pause:
            case Action::power_loss:
            case Action::power_loss_in_call:
                return harm_process(any_node(), action);
            case Action::fail_write:
            case Action::fail_reads:
            case Action::fill_disk:
                return harm_disk(any_node(), action);
            case Action::clock:
            case Action::freeze:
                return harm_clock(any_node(), action);
            default:
                return harm_network(action);
        }
    }

    // What has to hold at any moment.
    void look() {
        require(!alarm_, alarm_.value_or(""));
        check_equal_vectors(*world_);
        check_bounds(*world_);
        check_seen(*world_, ledger_, kLookedAt);
        for (auto const& each : world_->nodes()) {
            count_disk_faults(*each);
            if (each->running() && each->replica().failed() && tape_.chance(40)) {
                fall(*each, "restart");
                start(*each);
            }
        }
        std::erase_if(joins_, [this](Join const& join) {
            bool const over = join.pairing->outcome.has_value();
            if (over) end(join);
            return over;
        });
    }

    // ---- network ------------------------------------------------------------------------------
    void harm_network(Action action) {
        auto const [a, b] = any_pair();
        switch (action) {
            case Action::partition:
                note(Fault::partition, a, "partition from " + b);
                return network().partition(a, b);
            case Action::one_way:
                note(Fault::one_way_partition, a, "no way to " + b);
                return network().partition_one_way(a, b);
            case Action::isolate:
                note(Fault::isolation, a, "isolated");
                for (auto const& each : world_->nodes())
                    if (each->name() != a) network().partition(a, each->name());
                return;
            case Action::flap:
                return flap(a, b);
            case Action::heal:
                journal_.note(a, "healed with " + b);
                return tape_.chance(50) ? network().heal(a, b) : network().heal_all();
            case Action::cut:
                journal_.note(a, "cut from " + b);
                return tape_.chance(50) ? network().cut(a, b)
                                        : network().cut_at_frame(1 + tape_.below(20));
            case Action::spoil: {
                auto const fault = static_cast<FrameFault>(tape_.below(kFrameFaults));
                journal_.note(a, "spoils a frame to " + b);
                return network().spoil_next(a, b, fault);
            }
            case Action::slow_reader:
                journal_.note(a, "reads slowly");
                network().set_reading(a, 500 + tape_.below(20'000));
                return later(1'000 + tape_.below(60'000),
                             [this, name = a] { network().set_reading(name, std::nullopt); });
            default:
                note(Fault::silent_reader, a, "reads nothing");
                network().set_reading(a, 0);
                return later(1'000 + tape_.below(90'000),
                             [this, name = a] { network().set_reading(name, std::nullopt); });
        }
    }

    void flap(std::string const& a, std::string const& b) {
        note(Fault::flapping, a, "flapping with " + b);
        std::uint64_t at = 0;
        for (std::size_t n = 4 + tape_.below(16); n > 0; --n) {
            at += 20 + tape_.below(3'000);
            later(at, [this, a = a, b = b, down = n % 2 == 0] {
                down ? network().partition(a, b) : network().heal(a, b);
            });
        }
    }

    // ---- processes, disks, clocks -------------------------------------------------------------
    void harm_process(SimNode& node, Action action) {
        if (!node.running()) return start(node);
        switch (action) {
            case Action::stop:
                note(Fault::stop, node.name(), "stop");
                return fall(node, "stop");
            case Action::kill:
                note(Fault::kill, node.name(), "kill");
                fall(node, "kill");
                if (tape_.chance(50)) start(node);
                return;
            case Action::pause:
                if (node.paused()) return wake(node);
                note(Fault::pause, node.name(), "pause");
                network().pause(node.name());
                return later(100 + tape_.below(120'000), [this, &node] { wake(node); });
            case Action::power_loss:
                note(Fault::power_loss, node.name(), "power loss");
                return lose_power(node);
            default: {
                std::size_t const call = 1 + tape_.below(tape_.chance(50) ? 10 : 100);
                journal_.note(node.name(), "power loss in call " + std::to_string(call));
                return node.lose_power_at(
                    call,
                    tape_.chance(50) ? FaultEngine::Outcome::lost : FaultEngine::Outcome::kept);
            }
        }
    }

    void harm_disk(SimNode& node, Action action) {
        if (!node.running()) return;
        FaultEngine& engine = node.engine();
        count_disk_faults(node);
        Fault fault = Fault::failed_read;
        if (action == Action::fail_write) {
            bool const kept = tape_.chance(50);
            fault = kept ? Fault::failed_write_kept : Fault::failed_write_lost;
            engine.fail_write(1 + tape_.below(4),
                              kept ? FaultEngine::Outcome::kept : FaultEngine::Outcome::lost);
        } else if (action == Action::fail_reads) {
            engine.fail_reads(true);
            later(1 + tape_.below(5'000), [&engine] { engine.fail_reads(false); });
        } else {
            fault = Fault::disk_full;
            engine.fill(true);
            later(1 + tape_.below(20'000), [&engine] { engine.fill(false); });
        }
        disks_[node.name()].fault = fault;
        journal_.note(node.name(), "armed: " + std::string(fault_name(fault)));
    }

    void count_disk_faults(SimNode& node) {
        Disk& disk = disks_[node.name()];
        std::uint64_t const failures = node.engine().failures();
        if (disk.fault) report_.faults[*disk.fault] += failures - disk.failures;
        disk.failures = failures;
    }

    void harm_clock(SimNode& node, Action action) {
        ManualClock& clock = node.clock();
        if (action == Action::freeze) {
            note(Fault::clock_frozen, node.name(), "the clock stands still");
            clock.freeze(true);
            return;
        }
        std::uint64_t const hours = (1 + tape_.below(48)) * kHourMs;
        switch (tape_.below(4)) {
            case 0:
                note(Fault::clock_forward, node.name(), "the clock jumps ahead");
                return clock.set(clock.now_ms() + hours);
            case 1:
                note(Fault::clock_back, node.name(), "the clock jumps back");
                return clock.set(clock.now_ms() - hours);
            case 2:
                note(Fault::clock_ten_years, node.name(), "the clock jumps ten years ahead");
                return clock.set(clock.now_ms() + kTenYearsMs);
            default:
                return set_right(node);
        }
    }

    void set_right(SimNode& node) {
        note(Fault::clock_right, node.name(), "the clock is set right");
        node.clock().freeze(false);
        node.clock().set(kTestNowMs + network().now_ms());
    }

    void fall(SimNode& node, std::string const& how) {
        wake(node);
        lives_[node.name()] = {node.replica().vector(), false};
        count_disk_faults(node);
        how == "stop" ? node.stop() : node.crash();
    }

    void lose_power(SimNode& node) {
        wake(node);
        bool const flushed = swarm_.options.durability == Durability::flushed;
        lives_[node.name()] = {node.replica().vector(), flushed};
        count_disk_faults(node);
        std::size_t const unsynced = node.engine().unsynced();
        std::size_t const kept = tape_.below(unsynced + 1);
        if (kept < unsynced) ++report_.faults[Fault::unsynced_lost];
        if (0 < kept && kept < unsynced) ++report_.faults[Fault::torn_tail];
        node.lose_power(kept);
    }

    void power_lost(SimNode& node) {
        note(Fault::power_loss_in_call, node.name(), "power lost");
        lose_power(node);
    }

    void start(SimNode& node) {
        bool const joining = std::any_of(
            joins_.begin(), joins_.end(), [&](Join const& join) { return join.node == &node; });
        if (node.running() || joining || !node.is_member()) return;
        journal_.note(node.name(), "start");
        node.start();
        Life const& life = lives_[node.name()];
        check_recovered(*world_, node, life.before, life.may_lose_own, ledger_);
    }

    void wake(SimNode& node) {
        if (!node.paused()) return;
        journal_.note(node.name(), "goes on");
        network().resume(node.name());
    }

    // ---- people -------------------------------------------------------------------------------
    bool can_ask(SimNode const& node) const {
        return node.running() && !node.paused() && !node.lost_power();
    }

    void commit(SimNode& node) {
        if (can_ask(node)) ask(node, [this](Asked& asked) { people_.ask(asked); });
    }

    template <class Fill>
    void ask(SimNode& node, Fill const& fill) {
        Asked& asked = ledger_.ask();
        asked.node = node.name();
        asked.actor = node.replica().actor();
        fill(asked);
        std::string text = "commit t" + std::to_string(asked.number);
        for (Write const& write : asked.writes)
            text += " " + write.name.collection + "/" + write.name.key;
        journal_.note(node.name(), text);
        if (asked.writes.size() > 1) ++report_.faults[Fault::transaction];
        auto answer = [this, number = asked.number](Result<Committed> const& result) {
            answered(ledger_.at(number), result);
        };
        node.submit({asked.source, asked.writes}, std::move(answer));
    }

    void answered(Asked& asked, Result<Committed> const& result) {
        std::string const name = "t" + std::to_string(asked.number);
        if (result) {
            asked.outcome = Outcome::acknowledged;
            asked.dot = result->dot;
            for (std::size_t i = 0; i < asked.writes.size(); ++i) {
                Write::Kind const kind = asked.writes[i].kind;
                if (!result->writes[i].changed) continue;
                if (kind == Write::Kind::delete_) ++report_.faults[Fault::delete_record];
                if (kind == Write::Kind::erase) ++report_.faults[Fault::erase_record];
            }
            std::string const seq = asked.dot ? std::to_string(asked.dot->seq) : "no entry";
            return journal_.note(asked.node, name + " is done: " + seq);
        }
        Errc const code = result.error().code;
        bool const unknown = code == Errc::io || code == Errc::no_space || code == Errc::corruption;
        if (!unknown) {
            asked.outcome = Outcome::refused;
            ++report_.faults[Fault::refused];
        }
        if (code == Errc::rights) ++report_.faults[Fault::rights_lacking];
        journal_.note(asked.node, name + " failed: " + result.error().message);
    }

    void set_schema(SimNode& node, Object const& document) {
        if (!can_ask(node)) return;
        auto writes = schema_writes(document, node.replica().schema_documents());
        if (writes.empty()) return;
        journal_.note(node.name(), "schema");
        node.submit({"admin", std::move(writes)}, [](Result<Committed> const&) {});
    }

    struct Join {
        SimNode* node;
        std::shared_ptr<SimWorld::Pairing> pairing;
    };
    void join() {
        if (world_->nodes().size() >= kNodesMax || !can_ask(node(0))) return;
        auto const invited = world_->try_invite(node(0));
        if (!invited) {
            note(Fault::failed_join, "s0", "no invitation: " + invited.error().message);
            return;
        }
        SimNode& newcomer = world_->stranger("s" + std::to_string(world_->nodes().size()));
        watch(newcomer);
        journal_.note(newcomer.name(), "joins");
        joins_.push_back({&newcomer, world_->begin_join(newcomer, invited->code)});
    }

    void end(Join const& join) {
        bool const member = world_->end_join(*join.node, join.pairing);
        note(member ? Fault::join : Fault::failed_join,
             join.node->name(),
             member ? "has joined" : "could not join");
    }

    void finish_joins() {
        auto const over = [this] {
            return std::all_of(joins_.begin(), joins_.end(), [](Join const& join) {
                return join.pairing->outcome.has_value();
            });
        };
        world_->run_until(over, 60'000);
        for (Join const& join : joins_)
            end(join);
        joins_.clear();
    }

    // ---- small things -------------------------------------------------------------------------
    SimNetwork& network() { return world_->network(); }
    SimNode& node(std::size_t i) { return (*world_)[i]; }
    SimNode& any_node() { return node(tape_.below(world_->nodes().size())); }
    std::pair<std::string, std::string> any_pair() {
        std::size_t const n = world_->nodes().size(), one = tape_.below(n);
        std::size_t const other = (one + 1 + tape_.below(n - 1)) % n;
        return {node(one).name(), node(other).name()};
    }
    void connect(std::size_t from, std::size_t to) {
        if (from != to) world_->connect(node(from), node(to));
    }
    void note(Fault fault, std::string const& name, std::string const& what) {
        ++report_.faults[fault];
        journal_.note(name, what);
    }
    // Happens unless everything is being healed by then.
    void later(std::uint64_t delay_ms, std::function<void()> what) {
        network().after(delay_ms, [this, what = std::move(what)] {
            if (!healing_) what();
        });
    }
    void watch(SimNode& node) {
        node.on_log([this, &node](std::string const& line) {
            journal_.note(node.name(), line);
            bool const bad = line.find("not the same records") != std::string::npos ||
                             line.find("break the rules") != std::string::npos;
            if (line.starts_with("alarm") && bad && !alarm_)
                alarm_ = "I2: " + node.name() + " says: " + line;
        });
    }
    std::string state() {
        std::string text;
        for (auto const& each : world_->nodes()) {
            if (!each->running()) continue;
            text += "\n    " + each->name() + ":";
            for (auto const& [actor, seq] : each->replica().vector().items())
                text += " " + std::to_string(seq);
            for (PeerStatus const& peer : each->peers().peers())
                text += " | " + peer.name + " " + peer.state + " " + peer.last_error;
        }
        return text;
    }

    struct Life {
        VersionVector before;  // when it was last seen running
        bool may_lose_own = false;
    };
    struct Disk {
        std::optional<Fault> fault;  // what was last armed
        std::uint64_t failures = 0;  // that are counted
    };

    Tape tape_;
    Swarm swarm_;
    People people_;
    RunReport report_;
    Journal journal_;
    Ledger ledger_;
    std::map<std::string, Life> lives_;
    std::map<std::string, Disk> disks_;
    std::optional<std::string> alarm_;
    bool healing_ = false;
    std::unique_ptr<SimWorld> world_;
    std::vector<Join> joins_;
};

}  // namespace

RunReport run_seed(std::uint64_t seed, RunOptions const& options) {
    return Run(seed, options).run();
}

}  // namespace inos::sim
