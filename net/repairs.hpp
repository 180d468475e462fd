// When records are repaired, and with whom: one round at a time at a site. A round with a peer
// begins when both hold the same entries and not the same records; it finds those that differ, has
// the store put right what the own log tells (storage/record_repair.hpp), and asks the peer for
// what the log does not. `inos verify --repair` is a round of the whole site, then one with each
// peer that is connected and still differs. Records that the store has found damaged are looked at
// without anybody, at once and then ever more rarely; what the log cannot tell shows in the root,
// so that a round with a peer follows.
//
// A round costs a reading of the log, and who says that records differ may be lying: after a round
// that has mended nothing the next one with that site waits twice as long, up to kRepairPauseMaxMs.
// What a site says shortens no pause: it halves for every kRepairForgetMs without a round.
//
// Thread: the node's. Work of the store is cut into steps, with room between them for others.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/link.hpp"
#include "net/node_control.hpp"
#include "storage/record_repair.hpp"

namespace inos {

inline constexpr std::uint64_t kRepairPauseMs = 5'000;         // from one round to the next
inline constexpr std::uint64_t kRepairPauseMaxMs = 3'600'000;  // of those that mend nothing
inline constexpr std::uint64_t kRepairForgetMs = 600'000;
inline constexpr std::uint64_t kRepairRoundMs = 300'000;   // then it is given up
inline constexpr std::uint64_t kRepairMeetMs = 5'000;      // for the peers to say what they hold
inline constexpr std::uint64_t kRepairTimeoutMs = 60'000;  // of a repair of everything, its peers

class Repairs {
public:
    struct Host {
        std::function<std::vector<std::shared_ptr<Link>>()> links;  // with sessions
        std::function<void(std::shared_ptr<LocalState const>)> moved;
        std::function<bool()> damaged;  // some records wait for their repair
        std::function<bool()> rows_missing;
        std::function<void()> probe;  // asks all peers what they hold
        std::function<void(std::string const& event, std::string const& text)> log;
    };
    Repairs(Store& store, Clock const& clock, SiteId const& self, Host host);
    ~Repairs();
    Repairs(Repairs const&) = delete;
    Repairs& operator=(Repairs const&) = delete;

    void tick();
    // Errc::unavailable: it is under way already.
    void everything(std::function<void(Result<RepairReport>)> done);
    void searched(Link const& link, session::Searched found);
    void states_came(Link const& link, session::StatesCame came);
    RepairCounts const& counts() const { return counts_; }

private:
    struct Round {
        std::optional<SiteId> site;  // none: what is damaged here, or everything
        bool own = false;            // what is damaged here
        std::string name;            // of the site
        std::weak_ptr<Link> link;
        std::uint64_t began_ms = 0;
        bool searching = false, asking = false, asked = false;
        bool whole = true;
        std::shared_ptr<RecordRepair> job;
        std::vector<std::string> keys;  // asked for
    };
    struct Due {
        std::uint64_t next_ms = 0, pause_ms = 0;
    };
    struct Everything {
        bool here = false, met = false;          // done at this site; the peers have been asked
        std::uint64_t asked_ms = 0, met_ms = 0;  // the last of them; the first
        std::map<SiteId, std::uint64_t> acks{};  // how many each had sent then
        RepairReport report{};
        std::function<void(Result<RepairReport>)> done;
    };

    std::shared_ptr<Link> link_of(SiteId const& site) const;
    void look_for_agreement(std::uint64_t now_ms);
    void begin_due(std::uint64_t now_ms);
    void begin_own(std::uint64_t now_ms);
    static void put_off(Due& due, bool fruitful, std::uint64_t now_ms);
    void begin(std::shared_ptr<Link> const& link, std::uint64_t now_ms);
    std::shared_ptr<Link> link_of_round() const;
    void go_on_with_everything(std::uint64_t now_ms);
    bool may_begin(Link const& link, std::uint64_t now_ms) const;
    void make_job(std::optional<std::vector<std::string>> keys);
    void begin_steps(std::shared_ptr<RecordRepair> job, std::uint64_t number);
    void step();
    void after_step();
    void ask(std::vector<std::string> keys);
    void stop_asking();
    void end_round(Result<void> const& outcome);
    void tell(RepairReport const& report, Round const& round);
    void end_everything(Result<void> const& outcome);

    Store& store_;
    Clock const& clock_;
    SiteId self_;
    Host host_;
    std::optional<Round> round_;
    std::uint64_t number_ = 0;  // of the round: answers to earlier ones come too late
    std::map<SiteId, Due> due_;
    Due own_due_;
    std::uint64_t agreement_ms_ = 0, missing_told_ms_ = 0;  // when each is due again
    std::optional<Everything> everything_;
    RepairCounts counts_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace inos
