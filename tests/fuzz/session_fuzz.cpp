// A session that hears anything in any order, from a peer that means harm and from its own driver:
// it asks for one collect at a time, keeps its bounds, says nothing after it has closed, and sends
// only what the wire can carry.
#include "net/session.hpp"
#include "net/wire/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

struct Fixture {
    crypto::SigningKey founder =
        crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'f')));
    std::vector<std::string> certificates;
    std::vector<std::shared_ptr<LocalState const>> states;
    SpaceId space{};

    Fixture() {
        Membership membership({"space", founder.public_key, {}});
        space = membership.space();
        for (std::uint64_t i = 1; i <= 3; ++i) {
            Certificate certificate;
            certificate.space = space;
            certificate.actor = ActorId{i};
            certificate.site = founder.public_key;
            certificate.name = "founder";
            certificate.role = Role::admin;
            certificates.push_back(issue(certificate, founder));
            fuzz::expect(membership.add(certificates.back()).has_value(), "the fixture is right");
            VersionVector vector;
            for (std::uint64_t actor = 1; actor < i; ++actor)
                vector.set(ActorId{actor}, 10 * i);
            auto const known = std::make_shared<Membership const>(membership);
            LocalState state{vector, {}, wire::actor_table(*known), known, true};
            state.chains.resize(vector.items().size());
            states.push_back(std::make_shared<LocalState const>(std::move(state)));
        }
    }
};

VersionVector next_vector(fuzz::Input& in) {
    VersionVector vector;
    for (std::size_t n = in.below(5); n > 0; --n) {
        ActorId const actor{in.byte()};
        vector.set(actor, in.wide() % kSeqMax);
    }
    return vector;
}

class Driver {
public:
    Driver(Fixture const& fixture, fuzz::Input& in)
        : fixture_(fixture), in_(in), session_(fixture.space, fixture.states[0], now_ms_) {
        perform(session_.start(now_ms_));
    }

    void step() {
        switch (in_.below(8)) {
            case 0:
            case 1:
            case 2:
            case 3: {
                std::uint64_t const wall_ms = now_ms_ + in_.byte();
                return perform(session_.received(next_message(), now_ms_, wall_ms));
            }
            case 4:
                return perform(session_.progress(next_state(), now_ms_));
            case 5:
                now_ms_ += in_.number(2) * 10;
                return perform(session_.tick(now_ms_));
            case 6:
                if (collecting_) return answer_collect();
                if (asking_ || giving_ || taking_) return answer_state();
                if (adding_ > 0) {
                    --adding_;
                    return session_.statements_added();
                }
                return perform(session_.probe());
            default:
                if (answering_) return answer_repair();
                if (comparing_) return answer_compared();
                if (applying_ > 0) return answer_apply();
                return perform(in_.byte() & 1
                                   ? session_.ask_states({std::string("c\0k", 3)}, now_ms_)
                                   : session_.search(now_ms_));
        }
    }

private:
    // A replica only ever takes more in.
    std::shared_ptr<LocalState const> next_state() {
        if (in_.byte() & 1 && state_ + 1 < fixture_.states.size()) ++state_;
        return fixture_.states[state_];
    }
    SpaceId next_space() { return in_.byte() == 0xff ? SpaceId{} : fixture_.space; }

    wire::Message next_of_state() {
        switch (in_.below(4)) {
            case 0:
                return wire::StateOffer{next_space()};
            case 3:
                return wire::Room{next_space(), (in_.byte() & 1) != 0};
            case 1:
                return wire::StateAsk{next_space(), {}, {}, std::string(1, '\0')};
            default:
                return wire::StatePart{next_space(), {}, {}, 0, std::string(in_.blob())};
        }
    }

    wire::Message next_message() {
        switch (in_.below(15)) {
            case 0: {
                wire::Hello hello;
                hello.version_max = static_cast<std::uint16_t>(in_.below(3));
                hello.now_ms = in_.wide();
                auto const& known = *fixture_.states[in_.below(3)];
                hello.spaces.push_back(
                    {next_space(), wire::vector_digest(known.vector, known.chains), {}, {}});
                hello.features = in_.byte() & 1;
                if (in_.byte() & 1) hello.spaces[0].vector = {};
                if (in_.byte() & 1) hello.spaces[0].membership = known.table.membership;
                return hello;
            }
            case 1:
                return wire::Statements{next_space(), {fixture_.certificates[in_.below(3)]}};
            case 2: {
                wire::Vector message{next_space(), {}, {}};
                auto const vector = next_vector(in_);
                auto heads = wire::encode_heads(
                    wire::heads_of(vector, std::vector<ChainPrefix>(vector.items().size())),
                    nullptr);
                message.bytes = in_.byte() & 1 ? std::string(in_.blob()) : std::move(heads.vector);
                message.chains = std::move(heads.chains);
                return message;
            }
            case 3: {
                wire::Batch batch;
                batch.space = next_space();
                for (std::size_t n = in_.below(4); n > 0; --n)
                    batch.runs.push_back(
                        {ActorId{in_.byte()}, in_.wide(), static_cast<std::uint32_t>(in_.wide())});
                return batch;
            }
            case 4: {
                wire::Ack ack;
                ack.space = next_space();
                next_vector(in_).encode(ack.changed);
                if (in_.byte() & 1)
                    ack.vector =
                        wire::vector_digest(fixture_.states[1]->vector, fixture_.states[1]->chains);
                return ack;
            }
            case 5:
                return wire::Probe{};
            case 6:
                return wire::Refusal{std::string(in_.blob())};
            case 7:
                return wire::PairDone{};
            case 12:
            case 13:
            case 14:
                return next_of_state();
            case 10:
                return wire::RepairAsk{
                    next_space(), {std::string(in_.blob()).substr(0, kRecordKeyBytesMax), {}}, {}};
            case 11: {
                wire::RepairAnswer answer;
                answer.space = next_space();
                if (in_.byte() & 1) answer.summary.range.to = "m";
                return answer;
            }
            case 9:
                return wire::RightsRequest{
                    next_space(), "c", std::string(in_.blob()), "f", in_.wide(), false, {}};
            default:
                if (auto message = wire::decode(in_.blob())) return *std::move(message);
                return wire::Probe{};
        }
    }

    void answer_collect() {
        collecting_ = false;
        if (in_.byte() == 0xff)
            return perform(session_.collected(fail(Errc::io, "the disk failed"), now_ms_));
        Session::Collected collected;
        collected.batch.space = fixture_.space;
        collected.batch.runs.push_back({ActorId{1}, 1 + in_.number(1), 1});
        collected.entries = in_.below(2);
        collected.offer_state = in_.byte() & 1;
        collected.entry_bytes = in_.number(3);
        perform(session_.collected(std::move(collected), now_ms_));
    }

    void answer_state() {
        if (std::exchange(asking_, false))
            return perform(session_.state_asked(
                in_.byte() & 1 ? std::optional(StateAsk{}) : std::nullopt, now_ms_));
        if (std::exchange(giving_, false)) {
            auto const code = in_.byte() & 1 ? Errc::conflict : Errc::unavailable;
            Result<wire::StatePart> part = wire::StatePart{fixture_.space, {}, {}, 0, {}};
            if (in_.byte() & 1) part = fail(code, "there is no state");
            return perform(session_.state_given(std::move(part), now_ms_));
        }
        taking_ = false;
        Result<StateTaken> taken = static_cast<StateTaken>(in_.below(3));
        if (in_.byte() == 0xff) taken = fail(Errc::protocol, "a record nobody made");
        perform(session_.state_taken(std::move(taken), next_state(), now_ms_));
    }

    void answer_repair() {
        answering_ = false;
        RepairAnswered made;
        made.answer.space = fixture_.space;
        made.answer.summary.range = ask_.range;
        made.cost = 1 + ask_.keys.size() * 1'000;
        for (auto const& key : ask_.keys)
            if (made.answer.states.size() < kStateKeysMax)
                made.answer.states.push_back({key, Standing::whole, {}});
        perform(session_.repair_answered(std::move(made), now_ms_));
    }

    void answer_compared() {
        comparing_ = false;
        Result<RangeDifferences> found;
        for (std::size_t n = in_.below(4); n > 0; --n)
            found->ranges.push_back({{std::string(1, 'a'), {}}, std::nullopt});
        for (std::size_t n = in_.below(4); n > 0; --n)
            found->records.push_back(
                {std::string(in_.blob()).substr(0, kRecordKeyBytesMax), {}, DigestClass::none});
        if (in_.byte() == 0xff) found = fail(Errc::protocol, "sums that cannot be");
        perform(session_.range_compared(answer_, std::move(found), now_ms_));
    }

    void answer_apply() {
        --applying_;
        Result<ApplyReport> report;
        std::optional<wire::Batch> refused;
        std::uint8_t const outcome = in_.byte();
        if (outcome == 0xff) report = fail(Errc::protocol, "a signature is wrong");
        if (outcome == 0xfe) {
            report = fail(Errc::no_space, "the disk is full");
            refused.emplace().space = fixture_.space;
        }
        perform(session_.applied(std::move(report), next_state(), now_ms_, std::move(refused)));
    }

    void perform(session::Actions const& actions) {
        for (session::Action const& action : actions) {
            fuzz::expect(!closed_, "nothing comes after a close");
            std::visit([this](auto const& a) { check(a); }, action);
        }
        for (auto const& [actor, seq] : session_.acknowledged().items())
            fuzz::expect(seq > 0 && seq <= kSeqMax, "a peer holds only what can exist");
        session_.settled();
        session_.ahead();
        session_.behind();
    }

    void check(session::Send const& action) {
        auto const read = wire::decode(wire::encode(action.message));
        fuzz::expect(read && *read == action.message, "what is sent can be read");
    }
    void check(session::RightsAsked const& action) {
        fuzz::expect(action.need.amount > 0 && valid_name(action.need.name.key),
                     "rights are asked for by amount and name");
    }
    void check(session::Collect const&) {
        fuzz::expect(!std::exchange(collecting_, true), "one collect at a time");
    }
    void check(session::Apply const&) {
        fuzz::expect(++applying_ <= kPendingBatchesMax, "a bounded number of batches waits");
    }
    void check(session::AddStatements const&) {
        fuzz::expect(++adding_ <= kPendingStatementsMax, "a bounded number of messages waits");
    }
    void check(session::AddAcknowledgements const&) {
        fuzz::expect(++adding_ <= kPendingStatementsMax, "a bounded number of messages waits");
    }
    void check(session::CompareHeads const& action) {
        for (DepHead const& head : action.heads)
            fuzz::expect(head.seq > 0 && head.seq <= kSeqMax, "heads that can exist");
    }
    void check(session::AddFork const&) {
        fuzz::expect(++adding_ <= kPendingStatementsMax, "a bounded number of messages waits");
    }
    void check(session::AskState const&) { asking_ = true; }
    void check(session::GiveState const&) {
        fuzz::expect(!std::exchange(giving_, true), "one part is made at a time");
    }
    void check(session::TakeState const&) {
        fuzz::expect(!std::exchange(taking_, true), "one part is taken at a time");
    }
    void check(session::StateFailed const&) {}
    void check(session::RootsDiffer const&) {
        fuzz::expect(!std::exchange(alarmed_, true), "the alarm is given once");
    }
    void check(session::AnswerRepair const& action) {
        fuzz::expect(!std::exchange(answering_, true), "one answer at a time");
        ask_ = action.ask;
    }
    void check(session::CompareRange const& action) {
        fuzz::expect(!std::exchange(comparing_, true), "one answer is looked at at a time");
        answer_ = action.answer;
    }
    void check(session::Searched const& action) {
        fuzz::expect(action.keys.size() <= kRepairKeysMax, "what is found is bounded");
    }
    void check(session::StatesCame const& action) {
        fuzz::expect(!action.answer || action.answer->states.size() <= 1, "what was asked for");
    }
    void check(session::Close const& action) {
        fuzz::expect(!action.reason.message.empty(), "a close says why");
        closed_ = true;
    }

    Fixture const& fixture_;
    fuzz::Input& in_;
    std::uint64_t now_ms_ = 1'000'000;
    Session session_;
    bool asking_ = false, giving_ = false, taking_ = false;
    bool collecting_ = false, closed_ = false, alarmed_ = false;
    bool answering_ = false, comparing_ = false;
    wire::RepairAsk ask_;
    wire::RepairAnswer answer_;
    std::size_t state_ = 0, applying_ = 0, adding_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    static Fixture const fixture;
    fuzz::Input in(fuzz::view(data, size));
    Driver driver(fixture, in);
    while (!in.empty())
        driver.step();
    return 0;
}
