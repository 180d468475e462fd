// Random schedules of writes, restarts, crashes, older copies, cut logs and states from peers at
// three sites, and of one reader of the change feed that keeps a copy of the records: it reads a few
// events, or none for long, goes away in the middle of a group, and comes back with its last cursor,
// to the same site or another one. It works off whole groups, and begins anew only where it is told
// to (410). Then:
//   when it has read all, its copy is what the site shows: nothing was skipped
//   behind its last cursor there is nothing: nothing is told twice
//   at the end of every group both records of every transaction are of the same write
// A failure prints its seed: RC_PARAMS="seed=..." runs it again.
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/log_retention.hpp"
#include "tests/net/change_feed_fixture.hpp"

namespace inos::test {
namespace {

constexpr std::size_t kSites = 3;
constexpr std::size_t kIds = 5;

struct Tally {
    std::size_t schedules = 0, groups = 0, resumed = 0, refused = 0, put_back = 0, states = 0;
    std::map<std::string, std::size_t> reasons;
};

class Schedule {
public:
    Schedule(Tape tape, Tally& tally) : tape_(std::move(tape)), tally_(tally) {
        for (std::size_t at = 0; at < kSites; ++at)
            copies_.push_back(contents(*space_[at].engine));
        for (std::size_t at = 0; at < kSites; ++at)
            open_api(at);
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            if (tape_.chance(12)) settle();
        }
        settle();
    }

private:
    struct Served {
        Served(Replica& replica, Site& site) : store(replica), api(store, node, site.clock) {}
        DirectStore store;
        FakeNode node;
        Api api;
    };
    using Key = std::pair<std::string, std::string>;

    // ---- what happens at the sites ---------------------------------------------------------------
    void step() {
        std::size_t const at = tape_.below(kSites);
        switch (tape_.below(14)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return commit(at);
            case 4:
            case 5:
                return pull(tape_.below(kSites), at);
            case 6:
                return keep_house(at);
            case 7:
                return restart(at);
            case 8:
                return crash(at);
            case 9:
                if (tape_.chance(30)) put_back(at);
                return;
            case 10:
                copies_[at] = contents(*space_[at].engine);
                return;
            case 11:
                return leave();
            default:
                return read(tape_.below(6));
        }
    }

    std::vector<Write> some_writes() {
        std::string const id = "k" + std::to_string(tape_.below(kIds));
        Object const value{{"n", Value(static_cast<std::int64_t>(++written_))}};
        std::uint32_t const kind = tape_.below(20);
        auto const each = [&](Write::Kind what, Object const& fields) {
            return std::vector<Write>{{what, {"a", id}, fields, {}}, {what, {"b", id}, fields, {}}};
        };
        if (kind < 13) return each(Write::Kind::put, value);
        if (kind < 19) return each(Write::Kind::delete_, {});
        return {{Write::Kind::erase, {"e", "e" + std::to_string(tape_.below(kIds))}, {}, {}}};
    }
    void commit(std::size_t at) {
        space_[at].clock.advance(1 + tape_.below(20));
        auto writes = some_writes();
        if (tape_.chance(15)) {
            std::string const id = "e" + std::to_string(tape_.below(kIds));
            writes = {{Write::Kind::put, {"e", id}, {{"n", Value(1)}}, {}}};
        }
        auto const done = space_[at].try_commit(std::move(writes));
        if (!done) RC_ASSERT(done.error().code == Errc::gone);  // an erased id
        served_[at]->api.on_progress();
    }

    // Entries, or the state where the log does not reach back.
    void pull(std::size_t from, std::size_t to) {
        if (from == to) return;
        auto const known = space_[from]->membership().all_bytes();
        value_of(space_[to]->add_statements(known));
        auto const came = space_.try_pull(from, to, 200);
        if (!came && came.error().code == Errc::gone)
            transfer(from, to);
        else if (!came)
            RC_FAIL("pull: " + came.error().message);
        served_[from]->api.on_progress();
        served_[to]->api.on_progress();
    }
    void transfer(std::size_t from, std::size_t to) {
        Site &giver = space_[from], &taker = space_[to];
        auto const giver_id = giver.keys.identity.public_key;
        auto const taker_id = taker.keys.identity.public_key;
        for (int parts = 0; parts < 200; ++parts) {
            auto const ask = taker->state_ask(giver_id);
            if (!ask) return;  // another one's is arriving
            auto part = giver->give_state(taker_id, *ask, {});
            if (!part && part.error().code == Errc::unavailable) {
                giver.clock.advance(20'000);
                if (!giver->scrubbed(giver->scrub_ticket())) return;
                part = giver->give_state(taker_id, *ask, {});
            }
            if (!part) return;
            auto const taken = taker->take_state(giver_id, *part);
            if (!taken) return;
            if (*taken != StateTaken::in_force) continue;
            ++tally_.states;
            return;
        }
    }
    void keep_house(std::size_t at) {
        if (tape_.chance(40))
            for (std::size_t from = 0; from < kSites; ++from)
                for (std::size_t to = 0; to < kSites; ++to)
                    pull(from, to);
        space_.acknowledge();
        value_of(space_[at]->purge(100));
        space_[at].clock.advance(100);
        while (value_of(cut_log(*space_[at], 10, 100)) > 0) {
        }
        served_[at]->api.on_progress();
    }
    void open_api(std::size_t at) {
        served_[at] = std::make_unique<Served>(*space_[at].replica, space_[at]);
    }
    // The feeds end with the program.
    void restart(std::size_t at) {
        if (reading_at_ == at && client_ && client_->stream) client_->stream->close();
        if (reading_at_ == at) client_.reset();
        served_[at].reset();
        space_[at].reopen();
        open_api(at);
    }
    // In the middle of a write, which is there or not when the program starts again.
    void crash(std::size_t at) {
        auto const outcome =
            tape_.chance(50) ? FaultEngine::Outcome::kept : FaultEngine::Outcome::lost;
        space_[at].engine->fail_write(1, outcome);
        (void)space_[at].try_commit(some_writes());
        served_[at]->api.on_progress();
        restart(at);
    }
    // An older copy of the directory. What others hold of it comes back first: two histories under
    // one actor would keep sites apart, which is not what this is about.
    void put_back(std::size_t at) {
        ++tally_.put_back;
        space_[at].engine->replace(copies_[at]);
        restart(at);
        read(3);
        for (std::size_t from = 0; from < kSites; ++from)
            pull(from, at);
    }

    // ---- the reader ------------------------------------------------------------------------------
    void leave() {
        if (client_ && client_->stream) client_->stream->close();
        client_.reset();
        if (tape_.chance(30)) reading_at_ = tape_.below(kSites);
    }
    void connect() {
        ++tally_.resumed;
        group_.clear();  // what it saw of one comes again
        client_ = std::make_shared<ChangeFeedClient>();
        std::string const query = fresh_ ? "?snapshot=true" : "?since=" + cursor_;
        served_[reading_at_]->api.handle(ApiTest::request("GET", "/v1/changes" + query),
                                         [weak = std::weak_ptr(client_)](HttpResponse response) {
                                             auto const client = weak.lock();
                                             if (!client && response.stream)
                                                 response.stream->close();  // it has gone
                                             if (!client) return;
                                             client->answer = std::move(response);
                                             client->stream = client->answer->stream;
                                         });
    }
    void read(std::size_t events) {
        if (!client_) connect();
        if (refused()) return;
        if (client_->stream && client_->stream->has_data()) take_text(*client_);
        while (events-- > 0 && take_event()) {
        }
    }
    static void take_text(ChangeFeedClient& client) { client.text += client.stream->take(); }

    // It begins anew only when it is told to.
    bool refused() {
        if (!client_->answer || client_->answer->status == 200) return false;
        RC_ASSERT(client_->answer->status == 410 || client_->answer->status == 503);
        if (client_->answer->status == 410) begin_anew(client_->answer->body);
        client_.reset();
        return true;
    }
    void begin_anew(std::string const& why) {
        RC_ASSERT(!fresh_);
        ++tally_.refused;
        ++tally_.reasons[why.substr(0, 90)];
        fresh_ = true;
        copy_.clear();
    }

    bool take_event() {
        if (!client_) return false;
        auto const list = first_events(*client_, 1);
        if (list.empty()) return false;
        FeedEvent const& event = list.front();
        if (event.name == "error") {
            begin_anew(write_json(event.data));
            client_.reset();
            return false;
        }
        if (event.name.empty()) group_.push_back(event.data);
        if (!event.id.empty()) end_group(event.id);
        return true;
    }
    void work_off(Value const& change) {
        Key const key{*change.find("collection")->as<std::string>(),
                      *change.find("id")->as<std::string>()};
        Value const& fields = *change.find("fields");
        copy_.erase(key);
        if (!fields.is_null()) copy_[key] = write_json(fields);
    }
    void end_group(std::string const& id) {
        ++tally_.groups;
        for (Value const& change : group_)
            work_off(change);
        group_.clear();
        cursor_ = id;
        cursor_from_ = reading_at_;
        fresh_ = false;
        for (std::size_t k = 0; k < kIds; ++k) {
            std::string const key = "k" + std::to_string(k);
            auto const a = copy_.find({"a", key}), b = copy_.find({"b", key});
            RC_ASSERT((a == copy_.end()) == (b == copy_.end()));
            if (a != copy_.end()) RC_ASSERT(a->second == b->second);
        }
    }

    // Reads all that there is: then the copy is what the site shows.
    void settle() {
        bool caught_up = false;
        for (int round = 0; round < 30 && !caught_up; ++round) {
            // What the cursor names may be lost; only the site that it is from can tell.
            if (!client_ && round > 10) reading_at_ = cursor_from_;
            Api& api = served_[reading_at_]->api;
            if (!client_) connect();
            if (!client_->answer && round > 2)
                for (std::size_t from = 0; from < kSites; ++from)
                    pull(from, reading_at_);
            if (!client_->answer && round > 5)
                api.tick(space_[reading_at_].clock.monotonic_ms() + kFrontierWaitMs);
            if (refused() || !client_->stream) continue;
            api.on_progress();
            while (client_ && client_->stream->has_data()) {
                take_text(*client_);
                while (take_event()) {
                }
            }
            // Also where only reserved collections have changed.
            api.tick(space_[reading_at_].clock.monotonic_ms() + kPositionMs);
            if (client_) take_text(*client_);
            while (take_event()) {
            }
            caught_up = client_ != nullptr;
        }
        RC_ASSERT(caught_up);
        RC_ASSERT(copy_ == shown(reading_at_));
        ChangeFeedClient once;
        served_[reading_at_]->api.handle(
            ApiTest::request("GET", "/v1/changes?live=false&since=" + cursor_),
            [&](HttpResponse response) {
                once.answer = std::move(response);
                once.stream = once.answer->stream;
            });
        RC_ASSERT(once.answer && once.answer->status == 200);
        take_text(once);
        RC_ASSERT(first_events(once, 100).empty());
    }
    std::map<Key, std::string> shown(std::size_t at) {
        std::map<Key, std::string> records;
        for (std::string const collection : {"a", "b", "e"})
            for (RecordView const& view : value_of(space_[at]->list(collection, "", 100)).records)
                records[{collection, view.id}] = write_json(Value(view.fields));
        return records;
    }

    Tape tape_;
    Tally& tally_;
    Space space_{
        std::vector<SiteSetup>{{"s0", Role::admin}, {"s1", Role::admin}, {"s2", Role::admin}},
        {.state_write_bytes = 300}};
    std::vector<Contents> copies_;
    std::array<std::unique_ptr<Served>, kSites> served_;
    int written_ = 0;

    std::size_t reading_at_ = 0;
    std::shared_ptr<ChangeFeedClient> client_;
    std::string cursor_;
    std::size_t cursor_from_ = 0;
    bool fresh_ = true;         // the next thing is a snapshot
    std::vector<Value> group_;  // that is not whole yet
    std::map<Key, std::string> copy_;
};

TEST(ChangeFeedProperty, C13_D21_skips_nothing_and_tells_nothing_twice) {
    Tally tally;
    auto const holds = rc::check([&tally] {
        auto const seed = *rc::gen::arbitrary<std::uint64_t>();
        Schedule schedule(Tape::seeded(seed), tally);
        ++tally.schedules;
        schedule.run(60);
    });
    EXPECT_TRUE(holds);
    for (auto const& [why, times] : tally.reasons)
        std::cout << times << " x " << why << '\n';
    std::cout << tally.schedules << " schedules, " << tally.groups << " groups, " << tally.resumed
              << " connections, " << tally.refused << " refused, " << tally.put_back
              << " older copies, " << tally.states << " states\n";
    if (tally.schedules < 50) return;  // one seed again
    EXPECT_GT(tally.refused, 0u);
    EXPECT_GT(tally.put_back, 0u);
    EXPECT_GT(tally.states, 0u);
}

}  // namespace
}  // namespace inos::test
