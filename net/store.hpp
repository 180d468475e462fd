// A replica as the node's thread sees it: work goes to the replica's own thread, answers come back.
//
// Threads: all functions are called on the node's thread, and every callback is called there too,
// in the order of the calls that asked for it. `work` runs on the replica's thread and may use
// nothing but the replica and what it owns. Commits that wait together share one sync (group
// commit). Limit: at most kStoreQueueMax requests wait; beyond, commit() answers Errc::unavailable.
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "storage/replica.hpp"

namespace inos {

inline constexpr std::size_t kStoreQueueMax = 10'000;

class Store {
public:
    virtual ~Store() = default;

    virtual void commit(Transaction transaction, std::function<void(Result<Committed>)> done) = 0;

    // Runs `work` on the replica, then `done` on the node's thread.
    virtual void run(std::function<void(Replica&)> work, std::function<void()> done) = 0;

    // The same for work with an answer: query([](Replica& r) { return r.get(...); }, [](auto
    // answer) {...}).
    template <class Work, class Done>
    void query(Work work, Done done) {
        using Answer = std::invoke_result_t<Work&, Replica&>;
        auto answer = std::make_shared<std::optional<Answer>>();
        run([answer,
             work = std::move(work)](Replica& replica) mutable { answer->emplace(work(replica)); },
            [answer, done = std::move(done)]() mutable { done(*std::move(*answer)); });
    }
};

// The same on the caller's own thread, at once: for commands that open the store themselves, for
// the simulator and for tests.
class DirectStore final : public Store {
public:
    explicit DirectStore(Replica& replica) : replica_(replica) {}
    void commit(Transaction transaction, std::function<void(Result<Committed>)> done) override {
        auto results = replica_.commit({std::move(transaction)});
        done(std::move(results.front()));
    }
    void run(std::function<void(Replica&)> work, std::function<void()> done) override {
        work(replica_);
        done();
    }

private:
    Replica& replica_;
};

}  // namespace inos
