#include "net/store_thread.hpp"

#include <utility>

namespace inos {
namespace {

// About what a value takes in an entry; exact enough to bound a group.
std::size_t weight(Value const& value) {
    std::size_t bytes = sizeof(std::int64_t);
    if (auto const* text = value.as<std::string>()) bytes += text->size();
    if (auto const* array = value.as<Array>())
        for (Value const& item : *array)
            bytes += weight(item);
    if (auto const* object = value.as<Object>())
        for (Member const& member : *object)
            bytes += member.key.size() + weight(member.value);
    return bytes;
}

std::size_t weight(Transaction const& transaction) {
    std::size_t bytes = 0;
    for (Write const& write : transaction.writes) {
        bytes += write.name.collection.size() + write.name.key.size();
        for (Member const& member : write.fields)
            bytes += member.key.size() + weight(member.value);
    }
    return bytes;
}

}  // namespace

StoreThread::StoreThread(Replica& replica, Post post_to_node)
    : replica_(replica), post_to_node_(std::move(post_to_node)), thread_([this] { main(); }) {}

StoreThread::~StoreThread() {
    stop();
}

void StoreThread::commit(Transaction transaction, std::function<void(Result<Committed>)> done) {
    Error refusal{Errc::unavailable, "the node is stopping and takes no more writes", ""};
    {
        std::lock_guard const lock(mutex_);
        if (!stopping_ && inbox_.size() < kStoreQueueMax) {
            inbox_.emplace_back(CommitMessage{std::move(transaction), std::move(done)});
            wake_.notify_one();
            return;
        }
        if (!stopping_)
            refusal.message =
                std::to_string(kStoreQueueMax) + " requests wait already; try again later";
    }
    refuse(std::move(done), std::move(refusal));
}

void StoreThread::run(std::function<void(Replica&)> work, std::function<void()> done) {
    std::lock_guard const lock(mutex_);
    if (stopping_) return;
    inbox_.emplace_back(WorkMessage{std::move(work), std::move(done)});
    wake_.notify_one();
}

void StoreThread::stop() {
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
        wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void StoreThread::refuse(std::function<void(Result<Committed>)> done, Error error) {
    post_to_node_(
        [done = std::move(done), error = std::move(error)] { done(tl::unexpected<Error>(error)); });
}

void StoreThread::main() {
    for (;;) {
        std::deque<Message> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !inbox_.empty(); });
            if (inbox_.empty()) return;  // stopping, and all is done
            batch.swap(inbox_);
        }
        handle(std::move(batch));
    }
}

void StoreThread::handle(std::deque<Message> batch) {
    while (!batch.empty()) {
        if (std::holds_alternative<CommitMessage>(batch.front())) {
            commit_group(batch);
            continue;
        }
        auto message = std::get<WorkMessage>(std::move(batch.front()));
        batch.pop_front();
        message.work(replica_);
        message.work = nullptr;  // what it owned goes before its answer is seen
        post_to_node_(std::move(message.done));
    }
}

// Commits the messages at the front of the batch that may go together.
void StoreThread::commit_group(std::deque<Message>& batch) {
    std::vector<Transaction> group;
    std::vector<std::function<void(Result<Committed>)>> done;
    for (std::size_t bytes = 0; !batch.empty() && group.size() < kGroupTransactionsMax;) {
        auto* const message = std::get_if<CommitMessage>(&batch.front());
        if (!message) break;
        bytes += weight(message->transaction);
        if (bytes > kGroupBytesMax && !group.empty()) break;
        group.push_back(std::move(message->transaction));
        done.push_back(std::move(message->done));
        batch.pop_front();
    }
    auto results = replica_.commit(group);
    INOS_ASSERT(results.size() == group.size());
    Answers answers;
    for (std::size_t i = 0; i < results.size(); ++i)
        answers.push_back(
            [answer = std::move(done[i]), result = std::move(results[i])] { answer(result); });
    post_answers(std::move(answers));
}

// One post for all of a group: they become known at the same moment anyway.
void StoreThread::post_answers(Answers answers) {
    post_to_node_([answers = std::move(answers)] {
        for (auto const& answer : answers)
            answer();
    });
}

}  // namespace inos
