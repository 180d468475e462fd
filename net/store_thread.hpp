// The replica's own thread: a Store whose requests wait in an inbox, and whose commits that wait
// together become durable with one sync (group commit).
//
//   inbox   CommitMessage   a transaction and who wants to know
//           WorkMessage     anything else that needs the replica
//
// The thread takes all messages that wait, runs them in their order, and posts the answers to the
// node's thread. Consecutive commits go to the replica as one group, up to kGroupTransactionsMax
// transactions or about kGroupBytesMax of fields; so the busier the node, the larger the groups.
//
// Threads: commit(), run() and stop() on the node's thread. Answers are posted in the order of the
// requests, with one exception: a commit that finds the inbox full is refused at once, ahead of
// those that wait, because remembering refusals in their order would have no bound. Work is not
// refused; its callers are bounded by the numbers of connections and peers.
//
// Lifetime: the replica outlives this object and is used by nobody else meanwhile. `post` is called
// on both threads and has to outlive it too. An exception of the replica (no memory) ends the
// program: what is durable is safe, and nothing else can be said.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "net/store.hpp"

namespace inos {

inline constexpr std::size_t kGroupTransactionsMax = 1'000;
inline constexpr std::size_t kGroupBytesMax = 4 << 20;

class StoreThread final : public Store {
public:
    using Post = std::function<void(std::function<void()>)>;

    StoreThread(Replica& replica, Post post_to_node);
    ~StoreThread() override;  // stops

    void commit(Transaction transaction, std::function<void(Result<Committed>)> done) override;
    void run(std::function<void(Replica&)> work, std::function<void()> done) override;

    // Takes no more, finishes what waits, posts its answers, and joins the thread. Later commits
    // are answered Errc::unavailable; later work is dropped without an answer. May be called again.
    void stop();

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
    using Answers = std::vector<std::function<void()>>;

    void refuse(std::function<void(Result<Committed>)> done, Error error);
    void main();
    void handle(std::deque<Message> batch);
    void commit_group(std::deque<Message>& batch);
    void post_answers(Answers answers);

    Replica& replica_;
    Post post_to_node_;
    std::mutex mutex_;  // guards inbox_ and stopping_
    std::condition_variable wake_;
    std::deque<Message> inbox_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace inos
