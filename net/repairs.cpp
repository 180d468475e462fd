#include "net/repairs.hpp"

#include <algorithm>
#include <utility>

#include "net/wire/vector_codec.hpp"

namespace inos {
namespace {

constexpr std::size_t kNamesLogged = 20;

std::string words_of(RepairNote const& note) {
    if (note.name.collection.empty()) return note.what;
    // The marks of an erased record are named by no key that anybody could read.
    bool const marks = !note.name.key.empty() && note.name.key.front() == '\1';
    std::string const key = marks ? "an erased record" : "\"" + note.name.key + "\"";
    return key + " of \"" + note.name.collection + "\": " + note.what;
}

// Whose word counts where this site's log cannot tell: an admin's. Where there is no other admin,
// that of a writer of everything.
Teller teller_of(Replica const& replica, SiteId const& site, SiteId const& self) {
    auto const* peer = replica.membership().by_site(site);
    auto const* own = replica.membership().by_site(self);
    Teller teller;
    if (!peer) return teller;
    teller.admin = peer->role == Role::admin;
    auto const members = replica.membership().sites();
    bool const only_admin =
        own && own->role == Role::admin &&
        std::count_if(members.begin(), members.end(), [](Certificate const& member) {
            return member.role == Role::admin;
        }) == 1;
    teller.stands_in = only_admin && peer->role == Role::writer && peer->scope.empty();
    return teller;
}

}  // namespace

Repairs::Repairs(Store& store, Clock const& clock, SiteId const& self, Host host)
    : store_(store), clock_(clock), self_(self), host_(std::move(host)) {}

Repairs::~Repairs() {
    *alive_ = false;
}

std::shared_ptr<Link> Repairs::link_of(SiteId const& site) const {
    for (auto const& link : host_.links())
        if (link->site() == site) return link;
    return nullptr;
}

// ---- when ---------------------------------------------------------------------------------------

void Repairs::tick() {
    std::uint64_t const now = clock_.monotonic_ms();
    if (round_ && round_->site) {
        bool const waits = round_->searching || round_->asking;
        if (waits && (!link_of_round() || now > round_->began_ms + kRepairRoundMs)) {
            if (round_->asking) return stop_asking();
            round_->whole = false;
            end_round({});
        }
    }
    if (host_.rows_missing()) look_for_agreement(now);
    if (everything_) go_on_with_everything(now);
    // A round with a peer that takes longer goes on without anybody waiting for it.
    if (everything_ && everything_->met && now > everything_->met_ms + kRepairTimeoutMs)
        end_everything({});
    if (!round_ && !everything_) begin_due(now);
}

// Rows are missing no more where the root is that of a site whose word counts. Not in the middle of
// a round, which has not summed yet what is left.
void Repairs::look_for_agreement(std::uint64_t now_ms) {
    if (round_ || everything_ || now_ms < agreement_ms_) return;
    agreement_ms_ = now_ms + kRepairPauseMs;
    if (now_ms >= missing_told_ms_) {
        missing_told_ms_ = now_ms + kRepairPauseMaxMs;
        host_.log("alarm",
                  "records that the log does not name any more may be missing; this site gives no "
                  "state until its root is that of an admin's site");
    }
    struct Outcome {
        Result<bool> complete;
        std::shared_ptr<LocalState const> local;
    };
    for (auto const& link : host_.links()) {
        if (!link->session()->roots_agree()) continue;
        auto work = [site = *link->site(),
                     self = self_,
                     root = *link->session()->peer_root(),
                     vector = link->session()->peer_vector_digest()](Replica& replica) -> Outcome {
            Teller const teller = teller_of(replica, site, self);
            auto local = std::make_shared<LocalState const>(local_state(replica));
            bool const same =
                root == local->root && vector == wire::vector_digest(local->vector, local->chains);
            if (!(teller.admin || teller.stands_in) || !same || local->damaged > 0 ||
                !local->rows_missing)
                return {false, nullptr};
            auto const noted = RecordRepair::note_rows_complete(replica);
            if (!noted) return {tl::unexpected(noted.error()), nullptr};
            return {true, std::make_shared<LocalState const>(local_state(replica))};
        };
        store_.query(std::move(work), [this, alive = alive_](Outcome const& made) {
            if (!*alive || !made.local) return;
            host_.log("records_complete", "no records are missing: the root is an admin's");
            host_.moved(made.local);
        });
    }
}

bool Repairs::may_begin(Link const& link, std::uint64_t now_ms) const {
    if (!link.session()->can_search()) return false;
    auto const due = due_.find(*link.site());
    return due == due_.end() || now_ms >= due->second.next_ms;
}

// Own records first; then whoever has waited longest.
void Repairs::begin_due(std::uint64_t now_ms) {
    if (host_.damaged() && now_ms >= own_due_.next_ms) return begin_own(now_ms);
    std::shared_ptr<Link> first;
    auto const since = [this](Link const& link) {
        auto const due = due_.find(*link.site());
        return due == due_.end() ? 0 : due->second.next_ms;
    };
    for (auto const& link : host_.links())
        if (may_begin(*link, now_ms) && (!first || since(*link) < since(*first))) first = link;
    if (first) begin(first, now_ms);
}

void Repairs::begin_own(std::uint64_t now_ms) {
    round_.emplace();
    ++number_;
    round_->own = true;
    round_->began_ms = now_ms;
    store_.query(
        [](Replica& replica) {
            auto const& keys = replica.damaged_records();
            return std::make_shared<RecordRepair>(
                replica, std::vector<std::string>(keys.begin(), keys.end()));
        },
        [this, alive = alive_, number = number_](std::shared_ptr<RecordRepair> job) {
            if (*alive) begin_steps(std::move(job), number);
        });
}

void Repairs::begin(std::shared_ptr<Link> const& link, std::uint64_t now_ms) {
    round_.emplace();
    ++number_;
    round_->site = link->site();
    round_->name = link->site_name();
    round_->link = link;
    round_->began_ms = now_ms;
    round_->searching = true;
    link->search();
}

// Another link to the same site knows nothing of what was asked.
std::shared_ptr<Link> Repairs::link_of_round() const {
    auto const link = round_->link.lock();
    return link && !link->ended() ? link : nullptr;
}

void Repairs::everything(std::function<void(Result<RepairReport>)> done) {
    if (everything_)
        return done(
            fail(Errc::unavailable, "a repair is under way at this site; wait until it has ended"));
    everything_.emplace();
    everything_->done = std::move(done);
    go_on_with_everything(clock_.monotonic_ms());
}

// First this site, then what its peers say of it, then a round with each of those that differ.
void Repairs::go_on_with_everything(std::uint64_t now_ms) {
    if (round_) return;
    Everything& all = *everything_;
    if (!all.here) {
        round_.emplace();
        ++number_;
        round_->began_ms = now_ms;
        return make_job(std::nullopt);
    }
    if (!std::exchange(all.met, true)) {
        all.asked_ms = all.met_ms = now_ms;
        for (auto const& link : host_.links())
            all.acks[*link->site()] = link->session()->acks_received();
        host_.probe();
        if (!everything_) return;
    }
    bool const late = now_ms > all.asked_ms + kRepairMeetMs;
    for (auto at = all.acks.begin(); at != all.acks.end();) {
        auto const link = link_of(at->first);
        bool const answered = link && link->session()->acks_received() > at->second;
        if (answered && link->session()->can_search()) {
            all.acks.erase(at);
            all.asked_ms = now_ms;
            return begin(link, now_ms);
        }
        bool const done = !link || late || (answered && link->session()->roots_agree());
        at = done ? all.acks.erase(at) : std::next(at);
    }
    if (all.acks.empty()) end_everything({});
}

// ---- a round ------------------------------------------------------------------------------------

void Repairs::searched(Link const& link, session::Searched found) {
    if (!round_ || !round_->searching || round_->link.lock().get() != &link) return;
    round_->searching = false;
    round_->whole = found.whole;
    make_job(std::move(found.keys));
}

void Repairs::make_job(std::optional<std::vector<std::string>> keys) {
    store_.query(
        [keys = std::move(keys)](Replica& replica) mutable {
            return std::make_shared<RecordRepair>(replica, std::move(keys));
        },
        [this, alive = alive_, number = number_](std::shared_ptr<RecordRepair> job) {
            if (*alive) begin_steps(std::move(job), number);
        });
}

void Repairs::begin_steps(std::shared_ptr<RecordRepair> job, std::uint64_t number) {
    if (!round_ || number != number_) return;
    round_->job = std::move(job);
    step();
}

void Repairs::step() {
    struct Outcome {
        Result<bool> end;
        std::shared_ptr<LocalState const> local;
    };
    auto work = [job = round_->job](Replica& replica) {
        auto const root = replica.root();
        auto const damaged = replica.damaged_records().size();
        auto end = job->step();
        bool const moved = !(root == replica.root()) || damaged != replica.damaged_records().size();
        return Outcome{std::move(end),
                       moved ? std::make_shared<LocalState const>(local_state(replica)) : nullptr};
    };
    store_.query(std::move(work), [this, alive = alive_, number = number_](Outcome made) {
        if (!*alive) return;
        if (made.local) host_.moved(made.local);
        if (!round_ || number != number_) return;
        if (!made.end) return end_round(tl::unexpected(made.end.error()));
        *made.end ? after_step() : step();
    });
}

void Repairs::after_step() {
    auto keys = round_->asked ? std::vector<std::string>() : round_->job->next_open();
    if (keys.empty() || !round_->site) return end_round({});
    ask(std::move(keys));
}

void Repairs::ask(std::vector<std::string> keys) {
    auto const link = link_of_round();
    if (!link) return stop_asking();
    round_->asking = true;
    round_->keys = keys;
    link->ask_states(std::move(keys));
}

// What has been written so far is still to be summed, and schemas among it to be read.
void Repairs::stop_asking() {
    round_->asking = false;
    round_->whole = false;
    round_->asked = true;
    step();
}

void Repairs::states_came(Link const& link, session::StatesCame came) {
    if (!round_ || !round_->asking || round_->link.lock().get() != &link) return;
    if (!came.answer || came.answer->states.empty()) return stop_asking();
    round_->asking = false;
    std::size_t const answered = came.answer->states.size();
    auto work = [job = round_->job,
                 answer = *std::move(came.answer),
                 site = *round_->site,
                 self = self_](Replica& replica) -> Result<void> {
        // Written meanwhile: the next round asks again.
        if (answer.vector != wire::vector_digest(replica.vector(), replica.chains())) return {};
        return job->merge(answer.states, teller_of(replica, site, self));
    };
    store_.query(std::move(work),
                 [this, alive = alive_, number = number_, answered](Result<void> const& merged) {
                     if (!*alive || !round_ || number != number_) return;
                     if (!merged) return end_round(merged);
                     auto& keys = round_->keys;
                     keys.erase(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(answered));
                     if (keys.empty()) keys = round_->job->next_open();
                     if (!keys.empty()) return ask(std::vector(keys));
                     round_->asked = true;
                     step();
                 });
}

void Repairs::end_round(Result<void> const& outcome) {
    Round const round = *std::exchange(round_, std::nullopt);
    ++number_;
    ++counts_.rounds;
    RepairReport const report = round.job ? round.job->take_report() : RepairReport();
    if (outcome) tell(report, round);
    if (!outcome) host_.log("alarm", "repair: " + outcome.error().message);
    std::uint64_t const now = clock_.monotonic_ms();
    if (round.site) put_off(due_[*round.site], report.mended > 0, now);
    if (round.own) put_off(own_due_, report.mended > 0, now);
    if (!everything_) return;
    everything_->report.add(report);
    if (round.site || round.own) return;
    everything_->here = true;
    if (!outcome) return end_everything(outcome);
    go_on_with_everything(clock_.monotonic_ms());
}

void Repairs::put_off(Due& due, bool fruitful, std::uint64_t now_ms) {
    if (now_ms > due.next_ms)
        due.pause_ms >>= std::min<std::uint64_t>((now_ms - due.next_ms) / kRepairForgetMs, 63);
    due.pause_ms =
        fruitful ? kRepairPauseMs : std::clamp(2 * due.pause_ms, kRepairPauseMs, kRepairPauseMaxMs);
    due.next_ms = now_ms + due.pause_ms;
}

void Repairs::tell(RepairReport const& report, Round const& round) {
    counts_.mended += report.mended;
    counts_.left += report.lost;
    std::string const with = round.site ? "with \"" + round.name + "\": " : std::string();
    std::size_t logged = 0;
    for (RepairNote const& note : report.repaired)
        if (++logged <= kNamesLogged) host_.log("record_repaired", with + words_of(note));
    for (RepairNote const& note : report.left)
        if (++logged <= kNamesLogged) host_.log("alarm", with + words_of(note));
    for (auto const& words : report.log_damage)
        if (++logged <= kNamesLogged) host_.log("alarm", words);
    if (logged > kNamesLogged)
        host_.log("record_repaired",
                  with + std::to_string(report.mended) + " repaired, " +
                      std::to_string(report.lost) + " could not be, in all");
    if (!round.whole)
        host_.log(
            "repair_broken_off",
            with + "the search for records that differ was broken off; it begins again by itself");
}

void Repairs::end_everything(Result<void> const& outcome) {
    auto ended = *std::exchange(everything_, std::nullopt);
    if (!outcome) return ended.done(tl::unexpected(outcome.error()));
    // What was damaged here alone, a peer may have told.
    RepairReport& report = ended.report;
    std::set<RecordName> repaired;
    for (RepairNote const& note : report.repaired)
        repaired.insert(note.name);
    std::set<RecordName> seen;
    std::size_t const before = report.left.size();
    std::erase_if(report.left, [&](RepairNote const& note) {
        return repaired.contains(note.name) || !seen.insert(note.name).second;
    });
    report.lost -= before - report.left.size();
    ended.done(std::move(report));
}

}  // namespace inos
