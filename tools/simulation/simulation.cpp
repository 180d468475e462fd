#include "tools/simulation/simulation.hpp"

#include <algorithm>
#include <array>

#include "crdt/types/bounded_counter.hpp"
#include "tools/simulation/asking.hpp"
#include "tools/simulation/checkers.hpp"
#include "tools/simulation/damage.hpp"
#include "tools/simulation/harm.hpp"
#include "tools/simulation/lives.hpp"
#include "tools/simulation/run_state.hpp"

namespace inos::sim {
namespace {

constexpr std::size_t kNodesMax = 8;
constexpr std::size_t kCopiesMax = 6;
constexpr std::uint64_t kMendMs = 120'000;
constexpr std::size_t kLookedAt = 12;  // of the last things that were asked for, after every step

class Run {
public:
    Run(std::uint64_t seed, RunOptions const& options)
        : run_(seed, options.out), lives_(run_), harm_(run_), damage_(run_, lives_), asking_(run_) {
        report_.seed = seed;
        report_.described = run_.swarm.describe();
        world().on_power_loss([this](SimNode& node) { lives_.power_lost(node); });
        lives_.on_down([this](SimNode& node) { forget_join(node); });
    }

    RunReport run() {
        try {
            set_up();
            for (std::size_t i = 0; i < run_.swarm.steps; ++i) {
                step(run_.swarm.pick(run_.tape));
                world().find_power_losses();
                look();
            }
            heal();
            if (run_.swarm.damage) damage_.damage_and_repair();
            auto const guards = world().undisturbed();
            check_end(world(), run_.ledger, run_.tape);
        } catch (std::exception const& failed) {
            report_.failure = failed.what();
            run_.journal.note("", *report_.failure);
        }
        count();
        return report_;
    }

private:
    // ---- beginning and end --------------------------------------------------------------------
    void set_up() {
        Swarm const& swarm = run_.swarm;
        run_.journal.note("", report_.described);
        watch(world().found("s0"));
        // Nobody writes before he knows it: members have to catch up with whoever admitted them.
        asking_.begin(node(0));
        world().run_until([this] { return node(0).commits_under_way() == 0; }, 1'000);
        for (std::size_t i = 1; i < swarm.sites; ++i) {
            Role role = i == 1 && swarm.second_admin ? Role::admin : Role::writer;
            if (i >= swarm.sites - swarm.readers)
                role = run_.tape.chance(50) ? Role::reader : Role::relay;
            bool const known = run_.tape.chance(swarm.known_percent);
            watch(world().member("s" + std::to_string(i), role, known));
        }
        network().set_delay(1, swarm.delay_max_ms);
        for (std::size_t i = 1; i < swarm.sites; ++i) {
            std::size_t const to = run_.tape.below(i);
            run_.tape.chance(50) ? connect(i, to) : connect(to, i);
            if (run_.tape.chance(40)) connect(i, run_.tape.below(swarm.sites));
        }
        if (run_.tape.chance(70)) world().step(5'000);
    }

    void heal() {
        world().find_power_losses();
        run_.healing = true;
        network().heal_all();
        network().disarm();
        network().set_delay(1, 20);
        for (auto const& each : world().nodes()) {
            network().set_reading(each->name(), std::nullopt);
            lives_.wake(*each);
            each->engine().heal();
            bool const right = run_.tape.chance(50);
            if (right) harm_.set_clock_right(*each);
        }
        finish_joins();
        for (auto const& each : world().nodes()) {
            if (each->running() && each->replica().failed()) lives_.fall(*each, false);
            lives_.start(*each);
        }
        // Whoever was between them may be no member any more, a relay without the key, or one that
        // may not write everything, so that no state goes from it; of a write that failed nobody
        // knows whether it was done.
        bool const parted = run_.swarm.has(Action::retire) || run_.swarm.has(Action::rotate_key) ||
                            run_.swarm.options.log_retention_ms;
        for (std::size_t i = 1; parted && i < world().nodes().size(); ++i)
            if (node(i).running()) connect(i, 0);
        std::uint64_t const began = network().now_ms();
        require(world().converge(),
                "I9: the nodes do not hold the same after " +
                    std::to_string(SimWorld::kHealMs / 1'000) + " s" + state());
        report_.healed_ms = network().now_ms() - began;
        run_.journal.note("", "all nodes hold the same");
        world().step(run_.tape.chance(30) ? 150'000 : 2'000);
        // Among the records that wait for a repair one may have been erased meanwhile.
        if (run_.swarm.damage)
            world().run_until(
                [&] {
                    return std::ranges::all_of(world().nodes(), [](auto const& each) {
                        return !each->running() || each->replica().damaged_records().empty();
                    });
                },
                kMendMs);
        require(world().converge(20'000), "I9: the nodes do not come to rest" + state());
        look();
    }

    void count() {
        FaultCounts& counts = run_.faults;
        SimNetwork& net = network();
        counts[Fault::partition] = net.held_back(BlockCause::partition);
        counts[Fault::one_way_partition] = net.held_back(BlockCause::one_way);
        counts[Fault::isolation] = net.held_back(BlockCause::isolation);
        counts[Fault::flapping] = net.held_back(BlockCause::flapping);
        counts[Fault::connection_cut] = net.cuts(CutCause::cut);
        counts[Fault::frame_corrupted] = net.spoiled(FrameFault::corrupted);
        counts[Fault::frame_dropped] = net.spoiled(FrameFault::dropped);
        counts[Fault::frame_repeated] = net.spoiled(FrameFault::repeated);
        counts[Fault::frame_swapped] = net.spoiled(FrameFault::swapped);
        counts[Fault::frame_shortened] = net.spoiled(FrameFault::shortened);
        counts[Fault::frames_after_death] = net.afterlives();
        counts[Fault::slow_reader] = net.stalls();
        counts[Fault::silent_reader] = net.silences();
        counts[Fault::pause] = net.waits();
        for (auto const& each : world().nodes())
            count_node(*each);
        for (Asked const& asked : run_.ledger.all()) {
            if (asked.outcome == Outcome::unknown) ++counts[Fault::unknown_outcome];
            if (asked.outcome == Outcome::acknowledged) ++report_.acknowledged;
            if (asked.lost) ++counts[Fault::acknowledged_lost];
        }
        report_.asked = run_.ledger.all().size();
        report_.frames = net.frames();
        report_.virtual_ms = net.now_ms();
        if (!report_.failure) count_entries();
        run_.journal.note("", "frames " + std::to_string(net.trace()));
        report_.hash = run_.journal.hash();
        report_.faults = counts;
    }

    void count_node(SimNode& node) {
        FaultCounts& counts = run_.faults;
        counts[Fault::purge] += node.logged("purged");
        counts[Fault::log_cut] += node.logged("log-cut");
        counts[Fault::state_taken] += node.engine().states();
        counts[Fault::group_commit] += node.groups();
        counts[Fault::failed_write_lost] += node.engine().failures(DiskFault::write_lost);
        counts[Fault::failed_write_kept] += node.engine().failures(DiskFault::write_kept);
        counts[Fault::failed_read] += node.engine().failures(DiskFault::read);
        counts[Fault::disk_full] += node.engine().failures(DiskFault::full);
        counts[Fault::disk_low] += node.logged("alarm disk: the disk has only");
        counts[Fault::disk_recovered] += node.engine().recoveries();
        if (!node.running()) return;
        std::string text = "holds " + node.replica().root().text();
        for (auto const& [actor, seq] : node.replica().vector().items())
            text += " " + std::to_string(actor.value) + ":" + std::to_string(seq);
        run_.journal.note(node.name(), text);
    }

    void count_entries() {
        auto const guards = world().undisturbed();
        LogView const log = read_log(node(0).engine());
        report_.entries = log.size();
        for (auto const& [dot, entry] : log)
            for (Op const& op : entry.ops) {
                auto const passes = [](Edit const& edit) { return holds_passed_rights(edit.path); };
                if (std::any_of(op.edits.begin(), op.edits.end(), passes))
                    ++run_.faults[Fault::rights_moved];
            }
    }

    // ---- one step -----------------------------------------------------------------------------
    void step(Action action) {
        switch (action) {
            case Action::commit:
                return asking_.crowd();
            case Action::run:
                return world().step(
                    run_.tape.chance(50)
                        ? run_.tape.below(600)
                        : run_.tape.pick(std::array<std::uint64_t, 4>{1, 50, 3'000, 70'000}));
            case Action::join:
                return join();
            case Action::schema:
                return asking_.change_schema(
                    node(run_.swarm.second_admin && run_.tape.chance(50) ? 1 : 0));
            case Action::retire:
            case Action::role:
            case Action::rotate_key:
                return decide_about_members(action);
            case Action::start:
                return start(any_down());
            case Action::copy:
                return copy(run_.any_node());
            case Action::put_back:
                return put_back();
            case Action::stop:
            case Action::kill:
            case Action::pause:
            case Action::power_loss:
            case Action::power_loss_in_call:
                return lives_.harm(run_.any_node(), action);
            case Action::fail_write:
            case Action::fail_reads:
            case Action::fill_disk:
                return harm_.disk(run_.any_node(), action);
            case Action::damage:
                return damage_.spoil_one();
            case Action::clock:
            case Action::freeze:
                return harm_.clock(run_.any_node(), action);
            default:
                return harm_.network(action);
        }
    }

    // ---- copies of directories ----------------------------------------------------------------
    struct Copy {
        SimNode* node;
        Contents contents;
    };

    void copy(SimNode& node) {
        if (!node.is_member() || node.lost_power()) return;
        run_.journal.note(node.name(), "its directory is copied");
        if (copies_.size() == kCopiesMax) copies_.erase(copies_.begin());
        copies_.push_back({&node, node.copy()});
    }
    void put_back() {
        if (copies_.empty()) return copy(run_.any_node());
        Copy const& copy = run_.tape.pick(copies_);
        SimNode& node = *copy.node;
        if (node.lost_power()) return;
        lives_.put_back(node, copy.contents);
        // Before it has met anybody.
        for (std::size_t n = run_.tape.below(4); n > 0 && Asking::can_ask(node); --n)
            asking_.at(node);
    }

    SimNode* any_down() {
        std::vector<SimNode*> down;
        for (auto const& each : world().nodes())
            if (!each->running() && each->is_member()) down.push_back(each.get());
        return down.empty() ? nullptr : run_.tape.pick(down);
    }
    void start(SimNode* node) {
        if (node) lives_.start(*node);
    }

    // What has to hold at any moment.
    void look() {
        require(!run_.found_wrong, run_.found_wrong.value_or(""));
        {
            auto const guards = world().undisturbed();
            if (!run_.swarm.orphans || run_.healing)
                check_equal_vectors(world(), run_.swarm.damage);
            check_bounds(world());
            check_seen(world(), run_.ledger, kLookedAt);
            check_queues(world());
            lives_.look();
        }
        for (auto const& each : world().nodes()) {
            if (!each->running() || !each->replica().failed()) continue;
            // After a full disk it goes on by itself, if it is let.
            bool const full = each->replica().disk_status().state == DiskState::full;
            if (!run_.tape.chance(full ? 5 : 40)) continue;
            run_.journal.note(each->name(), "restart");
            lives_.fall(*each, false);
            lives_.start(*each);
        }
        for (auto const& join : std::vector(joins_))
            if (join.pairing->outcome) end(join);
        world().find_power_losses();
    }

    // ---- members ------------------------------------------------------------------------------
    // What an admin decides, by what it knows. The first node is left alone: it is what the others
    // are measured by.
    void decide_about_members(Action action) {
        std::vector<SimNode*> admins;
        for (auto const& each : world().nodes()) {
            if (!Asking::can_ask(*each)) continue;
            auto const* own =
                each->replica().membership().by_site(each->keys().identity.public_key);
            if (own && own->role == Role::admin) admins.push_back(each.get());
        }
        if (admins.empty()) return;
        SimNode& by = *run_.tape.pick(admins);
        if (action == Action::rotate_key) {
            if (!by.replica().rotate_key()) return;
            run_.note(Fault::key_rotation, by.name(), "rotates the key");
            return by.peers().refresh();
        }
        SimNode& about = node(1 + run_.tape.below(world().nodes().size() - 1));
        SiteId const& site = about.keys().identity.public_key;
        if (action == Action::retire) {
            if (!by.replica().retire(site)) return;
            run_.note(Fault::retirement, by.name(), "retires " + about.name());
        } else {
            auto const role = run_.tape.pick(
                std::array<Role, 4>{Role::admin, Role::admin, Role::writer, Role::reader});
            std::vector<std::string> scope;
            if (role == Role::writer && run_.tape.chance(50)) scope = {kFields, kOrders};
            if (!by.replica().change_role(site, role, scope)) return;
            run_.note(
                Fault::role_change, by.name(), "makes " + about.name() + " " + role_name(role));
        }
        by.peers().refresh();
    }

    // ---- joins --------------------------------------------------------------------------------
    struct Join {
        SimNode* node;
        std::shared_ptr<SimWorld::Pairing> pairing;
    };

    bool joining(SimNode const& node) const {
        return std::any_of(
            joins_.begin(), joins_.end(), [&](Join const& join) { return join.node == &node; });
    }

    // Somebody new, or one who has failed before.
    void join() {
        if (!Asking::can_ask(node(0))) return;
        SimNode* newcomer = nullptr;
        for (auto const& each : world().nodes())
            if (!each->is_member() && !joining(*each)) newcomer = each.get();
        if (!newcomer && world().nodes().size() >= kNodesMax) return;
        InviteRequest request;
        if (run_.tape.chance(20)) request.role = Role::reader;
        auto const invited = world().try_invite(node(0), std::move(request));
        if (!invited) {
            run_.note(Fault::failed_join, "s0", "no invitation: " + invited.error().message);
            return;
        }
        if (!newcomer) {
            newcomer = &world().stranger("s" + std::to_string(world().nodes().size()));
            watch(*newcomer);
        }
        if (run_.swarm.has(Action::fail_write) && run_.tape.chance(30))
            newcomer->engine().fail_write(1, FaultEngine::Outcome::lost, Errc::no_space);
        run_.journal.note(newcomer->name(), "joins");
        joins_.push_back({newcomer, world().begin_join(*newcomer, invited->code)});
    }

    void end(Join const& join) {
        std::erase_if(joins_, [&](Join const& other) { return other.node == join.node; });
        bool const member = world().end_join(*join.node, join.pairing);
        run_.note(member ? Fault::join : Fault::failed_join,
                  join.node->name(),
                  member ? "has joined" : "could not join");
        if (member) lives_.start(*join.node);
    }

    void forget_join(SimNode& node) {
        for (Join const& join : std::vector(joins_)) {
            if (join.node != &node) continue;
            std::erase_if(joins_, [&](Join const& other) { return other.node == &node; });
            world().end_join(node, join.pairing);
            run_.note(Fault::failed_join, node.name(), "is down before it could join");
        }
    }

    void finish_joins() {
        auto const over = [this] {
            return std::all_of(joins_.begin(), joins_.end(), [](Join const& join) {
                return join.pairing->outcome.has_value();
            });
        };
        world().run_until(over, 60'000);
        for (Join const& join : std::vector(joins_))
            end(join);
    }

    // ---- small things -------------------------------------------------------------------------
    SimWorld& world() { return *run_.world; }
    SimNetwork& network() { return run_.world->network(); }
    SimNode& node(std::size_t i) { return world()[i]; }
    void connect(std::size_t from, std::size_t to) {
        if (from != to) world().connect(node(from), node(to));
    }
    void watch(SimNode& node) {
        node.on_log([this, &node](std::string const& line) {
            run_.journal.note(node.name(), line);
            if (!line.starts_with("alarm") || run_.damaging) return;
            try {
                check_alarm(node.name(), line, run_.swarm);
            } catch (CheckFailed const& failed) {
                run_.wrong(failed.what());  // nothing may be thrown from here
            }
        });
    }
    std::string state() {
        std::string text;
        for (auto const& each : world().nodes()) {
            if (!each->running()) continue;
            text += "\n    " + each->name() + ":";
            for (auto const& [actor, seq] : each->replica().vector().items())
                text += " " + std::to_string(seq);
            for (PeerStatus const& peer : each->peers().peers())
                text += " | " + peer.name + " " + peer.state + " " + peer.last_error;
        }
        return text;
    }

    RunState run_;
    Lives lives_;
    Harm harm_;
    Damage damage_;
    Asking asking_;
    RunReport report_;
    std::vector<Join> joins_;
    std::vector<Copy> copies_;
};

}  // namespace

RunReport run_seed(std::uint64_t seed, RunOptions const& options) {
    try {
        return Run(seed, options).run();
    } catch (std::exception const& failed) {  // before there was a world, or after it
        RunReport report;
        report.seed = seed;
        report.failure = failed.what();
        return report;
    }
}

}  // namespace inos::sim
