// The replica's thread: commits that wait together share one write, answers keep their order, and
// stopping finishes what was taken.
#include "net/store_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos::test {
namespace {

// The node's thread, played by the test: runs what is posted when it is asked to.
class Inbox {
public:
    StoreThread::Post post() {
        return [this](std::function<void()> task) {
            std::lock_guard const lock(mutex_);
            tasks_.push_back(std::move(task));
            came_.notify_one();
        };
    }
    template <class Condition>
    void run_until(Condition reached) {
        while (!reached()) {
            std::function<void()> task;
            {
                std::unique_lock lock(mutex_);
                came_.wait(lock, [this] { return !tasks_.empty(); });
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
            task();
        }
    }
    // Without waiting for more.
    void run_posted() {
        for (;;) {
            std::function<void()> task;
            {
                std::lock_guard const lock(mutex_);
                if (tasks_.empty()) return;
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
            task();
        }
    }

private:
    std::mutex mutex_;  // guards tasks_
    std::condition_variable came_;
    std::deque<std::function<void()>> tasks_;
};

// Holds the replica's thread until it is opened, so that requests wait together.
class Gate {
public:
    std::function<void(Replica&)> work() {
        return [this](Replica&) {
            std::unique_lock lock(mutex_);
            inside_ = true;
            changed_.notify_all();
            changed_.wait(lock, [this] { return open_; });
        };
    }
    void wait_until_inside() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return inside_; });
    }
    void open() {
        std::lock_guard const lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;  // guards open_ and inside_
    std::condition_variable changed_;
    bool open_ = false, inside_ = false;
};

class StoreThreadTest : public ::testing::Test {
protected:
    Space space{1};
    Inbox inbox;
    Gate gate;
    StoreThread store{*space[0].replica, inbox.post()};
    std::vector<int> order;  // of the answers

    static Transaction put(std::string key, Object fields = {}) {
        return {"test", {{Write::Kind::put, {"c", std::move(key)}, std::move(fields), {}}}};
    }
    void hold() {
        store.run(gate.work(), [] {});
        gate.wait_until_inside();
    }
    void commit(int number, Object fields = {}) {
        store.commit(put(std::to_string(number), std::move(fields)),
                     [this, number](Result<Committed> result) {
                         EXPECT_TRUE(result) << (result ? "" : result.error().message);
                         order.push_back(number);
                     });
    }
    std::function<bool()> answers(std::size_t count) {
        return [this, count] { return order.size() >= count; };
    }
};

TEST_F(StoreThreadTest, commits_that_wait_together_share_one_sync) {
    hold();
    std::size_t const before = space[0].engine->syncs();
    for (int i = 0; i < 500; ++i)
        commit(i);
    gate.open();
    inbox.run_until(answers(500));
    EXPECT_EQ(space[0].engine->syncs(), before + 1);
    EXPECT_EQ(space[0].engine->writes(), before + 1);
    for (int i = 0; i < 500; ++i)
        EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_F(StoreThreadTest, groups_have_a_limit_by_number) {
    hold();
    std::size_t const before = space[0].engine->writes();
    int const count = static_cast<int>(kGroupTransactionsMax) * 2 + 1;
    for (int i = 0; i < count; ++i)
        commit(i);
    gate.open();
    inbox.run_until(answers(static_cast<std::size_t>(count)));
    EXPECT_EQ(space[0].engine->writes(), before + 3);
}

TEST_F(StoreThreadTest, groups_have_a_limit_by_bytes) {
    hold();
    std::size_t const before = space[0].engine->writes();
    std::string const text(200'000, 'x');
    for (int i = 0; i < 30; ++i)
        commit(i, {{"t", Value(text)}});
    gate.open();
    inbox.run_until(answers(30));
    EXPECT_EQ(space[0].engine->writes(), before + 2);
}

TEST_F(StoreThreadTest, work_between_commits_sees_those_before_it_only) {
    hold();
    commit(1);
    store.query([](Replica& replica) { return replica.record_count(); },
                [this](std::uint64_t records) {
                    EXPECT_EQ(records, 1u);
                    order.push_back(-1);
                });
    commit(2);
    gate.open();
    inbox.run_until(answers(3));
    EXPECT_EQ(order, (std::vector<int>{1, -1, 2}));
}

TEST_F(StoreThreadTest, one_refused_transaction_does_not_touch_the_others) {
    hold();
    commit(1);
    store.commit(put("2", {{"$bad", Value(1)}}), [this](Result<Committed> result) {
        EXPECT_FALSE(result);
        order.push_back(2);
    });
    commit(3);
    gate.open();
    inbox.run_until(answers(3));
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(space[0]->record_count(), 2u);
}

TEST_F(StoreThreadTest, a_failed_write_fails_every_commit_of_its_group) {
    hold();
    space[0].engine->fail_write(1, FaultEngine::Outcome::lost);
    for (int i = 0; i < 3; ++i)
        store.commit(put(std::to_string(i)), [this, i](Result<Committed> result) {
            EXPECT_FALSE(result);
            order.push_back(i);
        });
    gate.open();
    inbox.run_until(answers(3));
}

TEST_F(StoreThreadTest, a_full_inbox_refuses_commits_and_loses_none_that_it_took) {
    hold();
    int const taken = static_cast<int>(kStoreQueueMax);
    for (int i = 0; i < taken; ++i)
        commit(i);
    bool refused = false;
    store.commit(put("x"), [&](Result<Committed> result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::unavailable);
        refused = true;
    });
    inbox.run_until([&] { return refused; });
    EXPECT_TRUE(order.empty());
    gate.open();
    store.stop();
    inbox.run_posted();
    EXPECT_EQ(order.size(), kStoreQueueMax);
    EXPECT_EQ(space[0]->record_count(), kStoreQueueMax);
}

TEST_F(StoreThreadTest, after_stop_commits_are_refused_and_work_is_dropped) {
    store.stop();
    bool refused = false;
    store.commit(put("x"), [&](Result<Committed> result) { refused = !result; });
    store.run([](Replica&) { ADD_FAILURE(); }, [] { ADD_FAILURE(); });
    inbox.run_posted();
    EXPECT_TRUE(refused);
    store.stop();
}

TEST_F(StoreThreadTest, answers_run_on_the_nodes_thread_only) {
    auto const node_thread = std::this_thread::get_id();
    std::thread::id work_thread, done_thread;
    store.run([&](Replica&) { work_thread = std::this_thread::get_id(); },
              [&] {
                  done_thread = std::this_thread::get_id();
                  order.push_back(1);
              });
    inbox.run_until(answers(1));
    EXPECT_NE(work_thread, node_thread);
    EXPECT_EQ(done_thread, node_thread);
}

}  // namespace
}  // namespace inos::test
