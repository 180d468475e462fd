// A member that signs anything. Whatever its entries hold, each replica takes them, in effect or
// void, or refuses the whole batch; replicas that took the same hold the same, before and after
// they are opened again, and hand it on.
#include "storage/engines/memory.hpp"
#include "storage/entry_hash.hpp"
#include "storage/json.hpp"
#include "storage/replica.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/simulation/manual_clock.hpp"

using namespace inos;

namespace {

constexpr std::size_t kEntriesMax = 8;

struct Fixture {
    crypto::SigningKey author = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'a')));
    crypto::SigningKey reader = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 'b')));
    Membership membership{{"space", author.public_key, {}}};

    Fixture() {
        admit(ActorId{1}, author, Role::admin);
        admit(ActorId{2}, reader, Role::writer);
    }
    void admit(ActorId actor, crypto::SigningKey const& site, Role role) {
        Certificate certificate;
        certificate.space = membership.space();
        certificate.actor = actor;
        certificate.site = site.public_key;
        certificate.name = "site";
        certificate.role = role;
        bool const added = membership.add(issue(certificate, author)).has_value();
        fuzz::expect(added, "the fixture is right");
    }
};

// One receiving site.
class Receiver {
public:
    explicit Receiver(Fixture const& fixture) : fixture_(fixture) { open(); }

    void open() {
        replica_.reset();
        ReplicaOptions options;
        options.actor = ActorId{2};
        options.identity = fixture_.reader;
        options.digest_key = crypto::Secret(std::string(32, 'd'));
        auto opened = Replica::open(engine_, clock_, fixture_.membership, std::move(options));
        fuzz::expect(opened.has_value(), "what a replica wrote it can open");
        replica_ = *std::move(opened);
    }
    Replica& operator*() { return *replica_; }
    Replica* operator->() { return replica_.get(); }

    void check() {
        auto const recomputed = replica_->recompute_root();
        fuzz::expect(recomputed && *recomputed == replica_->root(),
                     "the root is that of the records");
        for (char const* collection : {"customers", "name", "_schema"}) {
            auto const page = replica_->list(collection, "", 100);
            fuzz::expect(page.has_value(), "records can be read");
            for (RecordView const& view : page->records)
                write_json(view.fields);
        }
    }

private:
    Fixture const& fixture_;
    MemoryEngine engine_;
    sim::ManualClock clock_;
    std::unique_ptr<Replica> replica_;
};

void expect_same(Receiver& a, Receiver& b) {
    fuzz::expect(a->vector() == b->vector(), "the same entries are held");
    fuzz::expect(a->root() == b->root(), "equal vectors, equal roots");
}

// Whole bytes, or a header in its place with ops that the input makes.
std::string next_entry(fuzz::Input& in, Dot dot) {
    if (in.below(4) == 0) return std::string(in.blob());
    EntryHeader header;
    header.dot = dot;
    header.hlc = Hlc{in.byte() & 1 ? in.wide() : Hlc::from(sim::kTestNowMs, in.byte()).value};
    header.source = "fuzz";
    header.names = {"customers", "name", "_schema"};
    std::string bytes = encode_entry(header, Salt{}, {});
    bytes.pop_back();  // the count of no ops
    return bytes += in.blob();
}

EntryBatch next_batch(Fixture const& fixture, fuzz::Input& in) {
    EntryRun run{ActorId{1}, 1, {}};
    auto chain = chain_start(*fixture.membership.bytes_of(run.actor));
    do {
        run.entries.push_back(next_entry(in, {run.actor, run.entries.size() + 1}));
        chain = chain_next(chain, run.entries.back(), crypto::Secret(std::string(32, 'd')));
    } while (!in.empty() && run.entries.size() < kEntriesMax);
    SignedHead head{run.actor, run.entries.size(), {}};
    std::string const statement =
        head_statement(fixture.membership.space(), {head.actor, head.seq}, chain);
    head.signature = crypto::sign(fixture.author, statement);
    return {{std::move(run)}, {head}, {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    static Fixture const fixture;
    fuzz::Input in(fuzz::view(data, size));
    EntryBatch const batch = next_batch(fixture, in);
    Receiver first(fixture);
    auto const report = first->apply(batch);
    if (!report) {
        bool const known =
            report.error().code == Errc::protocol || report.error().code == Errc::unsupported;
        fuzz::expect(known, "only deps and newer versions are refused");
        fuzz::expect(first->vector().empty(), "nothing of a refused batch is kept");
        return 0;
    }
    fuzz::expect(first->vector().at(ActorId{1}) == batch.runs[0].entries.size(), "all are held");
    first.check();
    Receiver second(fixture);
    auto const collected = first->collect({}, 1 << 20);
    fuzz::expect(collected && second->apply(*collected).has_value(), "it can be handed on");
    expect_same(first, second);
    auto const twice = second->apply(batch);
    fuzz::expect(twice && twice->applied == 0, "a batch that comes twice changes nothing");
    first.open();
    expect_same(first, second);
    return 0;
}
