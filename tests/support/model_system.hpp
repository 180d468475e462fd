// An external system in memory, with what real ones do to those who write to them: it keeps values
// in its own form, checks compare tokens, remembers idempotency keys, and has users of its own. And
// a pair of one of its objects and a record, which the adapter engine's step keeps equal, with the
// mistakes that an adapter can make. For tests of adapters/engine. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/engine/step.hpp"
#include "tests/support/mini_replica.hpp"

namespace inos::test {

inline Pointer at(std::string_view text) {
    return *Pointer::parse(text);
}

class ModelSystem {
public:
    struct Answer {
        bool stale = false;  // the token is an old one: nothing was done
        Object object;       // as it is after the write
        std::string token;
    };
    // What the system makes of a value that is written to the place.
    using Normaliser = std::function<Value(Pointer const&, Value)>;

    bool compares_tokens = true;
    Normaliser normalise = [](Pointer const&, Value value) { return value; };

    // A read by the adapter.
    Object const* read();
    std::string token() const { return std::to_string(version_); }
    // A write by the adapter; one under a key that is known is answered as it was the first time.
    Answer write(std::string const& key, OutboundWrite const& write, Binding const& binding);

    // Its users.
    void edit(std::string_view place, Value value);
    void count(std::string_view place, std::int64_t delta);
    void add(std::string_view place, Value element);
    void remove(std::string_view place, Value const& element);
    void remove_object() { object_.reset(), ++version_; }

    std::optional<Object> const& object() const { return object_; }
    Value value(std::string_view place) const;
    std::size_t writes() const { return writes_; }  // by the adapter, that did something
    std::size_t created() const { return created_; }
    // Edits of users that the adapter wrote over without having read them.
    std::size_t overwritten() const { return overwritten_; }
    // Values that users have put there and that did not go by another edit of theirs.
    std::vector<Value> user_values() const;
    // Has the value ever stood there?
    bool has_shown(std::string_view place, Value const& value) const;

private:
    void apply(FieldWrite const& field, FieldMap const& map);
    void put(Pointer const& pointer, Value value);
    void touched(std::string_view place);

    std::optional<Object> object_;
    std::uint64_t version_ = 1;
    std::set<std::string> unread_;  // places that users have edited since the adapter's last read
    std::map<std::string, Answer> answers_;
    std::map<std::string, Value> by_users_;  // what stands in a place, if a user has put it there
    std::vector<Value> replaced_;            // of these, what the adapter wrote over
    std::map<std::string, std::vector<Value>> history_;
    std::size_t writes_ = 0, created_ = 0, overwritten_ = 0;
};

// Mistakes, to see that tests find them.
struct Planted {
    bool seen_as_written = false;  // the shadow has what was sent, and not what came of it
    bool no_token = false;         // writes without the compare token
    bool whole_context = false;    // inbound writes claim to have seen all of the record
    bool no_dot = false;           // the shadow does not show what an inbound write has written
    bool forgets_intent = false;   // a write is not durable before the call
    bool blind_resend = false;     // after a lost answer the write goes out under a new key
    bool shadow_first = false;     // the shadow is durable before the write into the record
};

// One record, one object, and what the adapter keeps of them.
class Pair {
public:
    Pair(MiniReplica& node, Binding binding, RecordName record, std::string source);

    enum class Did { nothing, inbound, outbound, stale, crashed, suppressed };
    // Reads the object, makes the step and does what it says. `crash_at`: the machine stops after
    // so many of its effects (0: never); what was durable stays.
    Did round(int crash_at = 0);
    // Rounds until one has nothing to do; how many did something, or nullopt after `limit`.
    std::optional<int> settle(int limit = 50);
    Step plan();

    ModelSystem system;
    Planted planted;
    Shadow shadow;                                                // durable
    std::optional<std::pair<std::string, OutboundWrite>> intent;  // durable
    Binding binding;
    Evidence evidence = Evidence::answer;
    bool lose_answer = false;  // of the next call
    bool erased = false;
    std::uint64_t now_ms = 1'700'000'000'000;
    std::optional<std::uint64_t> object_ms;
    StepCounts counts;                    // all steps together
    std::vector<StepProblem> problems;    // all steps together
    std::vector<std::string> normalised;  // all writes together

    // Rules that an inbound write has broken: it took away what its system had never shown, or left
    // a rival of what its system's users had replaced.
    std::vector<std::string> broken;

    Object fields() const { return node_->resolved(record_).fields; }
    Value field(std::string_view pointer) const;
    MiniReplica& node() { return *node_; }

private:
    Did take(Step const& step);
    void check_taken(Record const& before, Step const& step);
    Did send(int crash_at);
    std::optional<Op> op_of(RecordWrite const& write) const;

    MiniReplica* node_;
    RecordName record_;
    std::string source_;
    // Fields whose last edit by users the shadow could not take note of (Step::Taken::unseen), until
    // they are written.
    std::set<std::string> blurred_;
    int next_key_ = 0;
};

}  // namespace inos::test
