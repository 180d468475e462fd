#include "tools/simulate/plan_run.hpp"

#include <algorithm>
#include <map>

#include "storage/schema_document.hpp"
#include "tools/simulate/plan_checks.hpp"
#include "tools/simulate/site_view.hpp"
#include "tools/simulation/checkers.hpp"
#include "tools/simulation/rebuild.hpp"

namespace inos::simulate {
namespace {

using sim::SimNode;
using sim::SimWorld;

constexpr std::uint64_t kStepMs = 1'000;    // from one step to the next
constexpr std::uint64_t kMeetMs = 60'000;   // that a meeting may take
constexpr std::uint64_t kRightsMs = 1'500;  // that asking for rights may take
constexpr std::uint64_t kLingerMs = 300;    // so that greetings and answers get through
constexpr std::uint64_t kMinuteMs = 60'000;

class Run {
public:
    Run(Plan const& plan, Setting const& setting, RunOptions const& options)
        : plan_(plan), setting_(setting), options_(options), world_({.seed = plan.seed}) {}

    RunResult run() {
        try {
            set_up();
            look(true);
            while (at_ < plan_.steps.size() && !failed()) {
                begin_report();
                step(plan_.steps[at_]);
                see();
                if (!failed()) ++at_;
            }
            if (!failed()) {
                begin_report();
                finish();
                see();
            }
        } catch (sim::CheckFailed const& broken) {
            fail(FailureKind::differ, broken.what());
            see();
        }
        return std::move(result_);
    }

private:
    // ---- the world ----------------------------------------------------------------------------
    SimNode& node(std::size_t site) { return world_[site]; }
    sim::SimNetwork& network() { return world_.network(); }
    bool failed() const { return result_.failure.has_value(); }

    void set_up() {
        SimNode& first = world_.found(site_name(0));
        auto const stored = [](Result<Committed> const& result) {
            sim::require(result.has_value(),
                         "the schema cannot be stored: " + (result ? "" : result.error().message));
        };
        first.submit({"admin", schema_writes(setting_.document, {})}, stored);
        for (std::size_t i = 1; i < plan_.sites; ++i)
            world_.member(site_name(i));
        network().set_delay(1, 20);
        auto const everybody = all_sites();
        bring_together(everybody);
        sim::require(world_.converge(), "the sites do not hold the same after they were set up");
        part(everybody);
        views_.resize(plan_.sites);
        seen_.resize(plan_.sites);
        wanting_.resize(plan_.sites);
    }

    std::vector<std::size_t> all_sites() const {
        std::vector<std::size_t> sites(plan_.sites);
        for (std::size_t i = 0; i < sites.size(); ++i)
            sites[i] = i;
        return sites;
    }

    template <class Each>
    void pairs(std::vector<std::size_t> const& sites, Each const& each) {
        for (std::size_t i = 0; i < sites.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                each(node(sites[j]), node(sites[i]));
    }

    void bring_together(std::vector<std::size_t> const& sites) {
        pairs(sites, [this](SimNode& one, SimNode& other) {
            network().heal(one.name(), other.name());
            sim::value_of(one.peers().add_peer(other.address()));
        });
    }
    void part(std::vector<std::size_t> const& sites) {
        pairs(sites, [this](SimNode& one, SimNode& other) {
            network().cut(one.name(), other.name());
            network().partition(one.name(), other.name());
        });
    }

    // Runs until the condition holds, looking at the rules after every event.
    bool run_until(std::function<bool()> const& condition, std::uint64_t bound_ms) {
        bool held = false;
        auto const over = [&] {
            look(false);
            held = condition();
            return held || failed();
        };
        world_.run_until(over, bound_ms);
        return held;
    }
    void pass(std::uint64_t ms) {
        run_until([] { return false; }, ms);
    }

    bool hold_the_same(std::vector<std::size_t> const& sites) {
        return std::all_of(sites.begin(), sites.end(), [&](std::size_t site) {
            Replica const &one = node(site).replica(), &first = node(sites[0]).replica();
            return node(site).commits_under_way() == 0 && one.vector() == first.vector() &&
                   one.root() == first.root();
        });
    }

    bool are_connected(std::vector<std::size_t> const& sites) {
        bool connected = true;
        pairs(sites, [&](SimNode& one, SimNode& other) {
            connected =
                connected && one.connected_with(other.name()) && other.connected_with(one.name());
        });
        return connected;
    }

    // ---- steps --------------------------------------------------------------------------------
    void step(Step const& step) {
        Counts& counts = result_.counts;
        switch (step.kind) {
            case StepKind::write:
                report().write = write(step);
                break;
            case StepKind::meet:
                return meet(step);
            case StepKind::restart:
                ++counts.restarts;
                restart(node(step.site), false);
                break;
            case StepKind::power:
                ++counts.powers;
                restart(node(step.site), true);
                break;
            case StepKind::clock: {
                ++counts.clocks;
                auto& clock = node(step.site).clock();
                auto const by = static_cast<std::uint64_t>(step.minutes) * kMinuteMs;
                clock.set(clock.now_ms() + by);  // less for a negative one: it wraps around
                break;
            }
        }
        look(false);
        pass(kStepMs);
    }

    WriteReport write(Step const& step) {
        Counts& counts = result_.counts;
        ++counts.writes;
        if (step.writes.size() > 1) ++counts.transactions;
        WriteReport const report = attempt(step);
        if (report.end == WriteEnd::left_out) ++counts.left_out;
        if (report.end == WriteEnd::refused) ++counts.refused;
        if (report.end == WriteEnd::unchanged) ++counts.unchanged;
        if (report.end != WriteEnd::done) return report;
        ++counts.done;
        for (Write const& write : step.writes)
            if (write.kind == Write::Kind::delete_) ++counts.deletes;
        return report;
    }

    WriteReport attempt(Step const& step) {
        Transaction const transaction{step.source, step.writes};
        SimNode& site = node(step.site);
        if (auto const rule = would_break(step.site, transaction))
            return {WriteEnd::left_out, {}, *rule};
        std::optional<Result<Committed>> answer;
        wanting_[step.site] = nullptr;
        site.submit(transaction,
                    [&answer](Result<Committed> result) { answer = std::move(result); });
        sim::require(answer.has_value(), "a write has no answer");
        if (!*answer) {
            if (answer->error().code == Errc::rights) wanting_[step.site] = &step;
            return {WriteEnd::refused, answer->error().message, 0};
        }
        if (!(*answer)->dot) return {WriteEnd::unchanged, {}, 0};
        done_.push_back({*(*answer)->dot, step.site, step.writes});
        return {};
    }

    // The rule that holds at the site now and would not after the write.
    std::optional<std::size_t> would_break(std::size_t site, Transaction const& transaction) {
        if (setting_.rules.empty()) return std::nullopt;
        auto const after =
            snapshot_after(node(site), world_.space_keys(), transaction, setting_.schemas);
        if (!after) return std::nullopt;
        Snapshot const now = snapshot_of(views_[site]);
        for (std::size_t i = 0; i < setting_.rules.size(); ++i)
            if (find_breach(setting_.rules[i], *after) && !find_breach(setting_.rules[i], now))
                return i;
        return std::nullopt;
    }

    void meet(Step const& step) {
        ++result_.counts.meetings;
        std::uint64_t const cuts = network().cuts();
        bring_together(step.sites);
        if (step.cut_at > 0) network().cut_at_frame(step.cut_at);
        auto const is_cut = [&] { return step.cut_at > 0 && network().cuts() > cuts; };
        auto const met = [&] { return hold_the_same(step.sites) && are_connected(step.sites); };
        run_until([&] { return is_cut() || met(); }, kMeetMs);
        report().cut = is_cut();
        if (is_cut()) ++result_.counts.cuts;
        network().cut_at_frame(0);
        if (!is_cut() && !failed()) {
            pass(kLingerMs);
            try_again(step.sites);
        }
        part(step.sites);
        pass(kStepMs);
    }

    // Writes that lacked rights of a bounded counter: once more, now that others can be asked.
    void try_again(std::vector<std::size_t> const& sites) {
        for (std::size_t const site : sites) {
            Step const* const step = wanting_[site];
            if (!step || failed()) continue;
            WriteReport again = attempt(*step);
            if (again.end == WriteEnd::refused) {
                pass(kRightsMs);
                if (failed()) return;
                again = attempt(*step);
            }
            wanting_[site] = nullptr;
            if (again.end == WriteEnd::done) ++result_.counts.done;
            report().retries.emplace_back(site, again);
            look(false);
        }
        run_until([&] { return hold_the_same(sites); }, kMeetMs);
    }

    void restart(SimNode& site, bool loses_power) {
        VersionVector const before = site.replica().vector();
        loses_power ? site.lose_power(0) : site.crash();
        site.start();
        sim::Ledger ledger;
        sim::check_recovered(world_, site, before, site.replica().actor(), false, ledger);
    }

    // ---- the end ------------------------------------------------------------------------------
    void finish() {
        network().heal_all();
        bring_together(all_sites());
        bool const same = run_until([this] { return world_.all_equal(); }, SimWorld::kHealMs);
        if (failed()) return;
        sim::require(same,
                     "the sites do not hold the same " + std::to_string(SimWorld::kHealMs / 1'000) +
                         " s after all of them can reach each other");
        pass(kLingerMs);
        look(true);
        if (failed()) return;
        sim::require(world_.converge(), "the sites do not come to rest");
        sim::check_equal_vectors(world_);
        for (std::size_t i = 1; i < plan_.sites; ++i)
            sim::require(sim::shown(node(i).replica()) == sim::shown(node(0).replica()),
                         site_name(i) + " and " + site_name(0) +
                             " hold the same entries and show different records");
        for (auto const& [name, record] : views_[0])
            result_.counts.conflicts += record.conflicts.size();
        if (auto const broken = find_broken_bound(setting_.schemas, done_))
            return fail(FailureKind::bound, *broken);
        if (auto const lost = find_lost(world_, setting_.schemas, done_))
            fail(FailureKind::lost, *lost);
    }

    // ---- looking ------------------------------------------------------------------------------
    void look(bool all) {
        for (std::size_t site = 0; site < plan_.sites && !failed(); ++site) {
            if (!node(site).running()) continue;
            VersionVector const& vector = node(site).replica().vector();
            if (!all && vectors_[site] == vector) continue;
            vectors_[site] = vector;
            views_[site] = view_of(node(site).replica(), setting_.schemas);
            look_at(site);
        }
    }

    void look_at(std::size_t site) {
        Snapshot const snapshot = snapshot_of(views_[site]);
        for (std::size_t i = 0; i < setting_.rules.size(); ++i) {
            if (!options_.rules.empty() && !options_.rules[i]) continue;
            ++result_.counts.rule_checks;
            auto breach = find_breach(setting_.rules[i], snapshot);
            if (!breach) continue;
            fail(FailureKind::rule, {}, site);
            result_.failure->rule = i;
            result_.failure->breach = std::move(breach);
            return;
        }
    }

    void fail(FailureKind kind, std::string text, std::optional<std::size_t> site = std::nullopt) {
        if (failed()) return;
        result_.failure = Failure{kind, 0, at_, site, std::nullopt, std::move(text)};
    }

    // ---- telling ------------------------------------------------------------------------------
    void begin_report() { result_.steps.emplace_back(); }
    StepReport& report() { return result_.steps.back(); }

    // What each site shows now and did not show before.
    void see() {
        if (!options_.tell || result_.steps.empty()) return;
        for (std::size_t site = 0; site < views_.size(); ++site) {
            SiteView const &before = seen_[site], &now = views_[site];
            for (auto const& [name, record] : now) {
                auto const old = before.find(name);
                bool const same = old != before.end() && old->second.fields == record.fields &&
                                  old->second.conflicts == record.conflicts;
                if (!same) report().sights.push_back({site, name, record.fields, record.conflicts});
            }
            for (auto const& [name, record] : before)
                if (!now.contains(name)) report().sights.push_back({site, name, std::nullopt, {}});
            seen_[site] = now;
        }
    }

    Plan const& plan_;
    Setting const& setting_;
    RunOptions const& options_;
    SimWorld world_;
    RunResult result_;
    std::size_t at_ = 0;
    std::map<std::size_t, VersionVector> vectors_;  // when it was looked at last
    std::vector<SiteView> views_, seen_;
    std::vector<Step const*> wanting_;  // by site: the last write that lacked rights
    std::vector<DoneWrite> done_;
};

}  // namespace

void Counts::add(Counts const& other) {
    writes += other.writes;
    done += other.done;
    unchanged += other.unchanged;
    refused += other.refused;
    left_out += other.left_out;
    transactions += other.transactions;
    deletes += other.deletes;
    meetings += other.meetings;
    cuts += other.cuts;
    restarts += other.restarts;
    powers += other.powers;
    clocks += other.clocks;
    rule_checks += other.rule_checks;
    conflicts += other.conflicts;
}

RunResult run_plan(Plan const& plan, Setting const& setting, RunOptions const& options) {
    return Run(plan, setting, options).run();
}

}  // namespace inos::simulate
