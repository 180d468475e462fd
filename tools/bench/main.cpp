// inos-bench: what a record costs, in CPU time and bytes, beside what RocksDB and zstd alone cost
// for the same records in the same run. One JSON line a result. The figures of docs/benchmarks.md.
//
//   inos-bench [--records N] [--dir DIR]

#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/resource.h>
#include <zstd.h>

#include "net/identity.hpp"
#include "net/link.hpp"
#include "net/secure_channel.hpp"
#include "net/wire/batch_codec.hpp"
#include "net/wire/codec.hpp"
#include "storage/engines/rocks.hpp"
#include "storage/json.hpp"
#include "storage/site_directory.hpp"
#include "tools/bench/measure.hpp"
#include "tools/bench/records.hpp"
#include "tools/system_clock.hpp"

namespace inos::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kPerTransaction = 1'000;

constexpr int kCpu = RUSAGE_SELF;

// Two sites of one space, made without a network.
struct Two {
    SystemClock clock;
    std::unique_ptr<OpenSite> a, b;

    explicit Two(std::string const& dir) {
        must(create_founder(dir + "/a", "a", "bench"));
        a = must(open_site(dir + "/a", clock, Durability::flushed));
        SiteKeys const keys = must(prepare_member(dir + "/b"));
        Certificate certificate;
        certificate.space = a->replica->membership().space();
        certificate.actor = ActorId{crypto::random_u64() | 1};
        certificate.site = keys.identity.public_key;
        certificate.channel = keys.channel.public_key;
        certificate.sealing = keys.sealing.public_key;
        certificate.name = "b";
        certificate.role = Role::writer;
        must(a->replica->add_statements({issue(certificate, a->keys.identity)}));
        SpaceGrant grant{a->replica->membership().genesis(),
                         a->space_keys,
                         certificate.actor,
                         a->replica->membership().all_bytes(),
                         {}};
        must(create_member(dir + "/b", grant));
        b = must(open_site(dir + "/b", clock, Durability::flushed));
    }
};

Transaction puts(std::uint32_t from, std::uint32_t to) {
    Transaction transaction{"bench", {}};
    for (std::uint32_t i = from; i < to; ++i)
        transaction.writes.push_back(
            {Write::Kind::put, {"customers", record_id(i)}, record(i), std::nullopt});
    return transaction;
}

void ingest(Replica& replica, std::uint32_t n) {
    std::vector<Transaction> made;
    double us = 0;
    for (std::uint32_t i = 0; i < n; i += kPerTransaction) {
        Transaction transaction = puts(i, std::min(n, i + kPerTransaction));
        us += cpu_of(kCpu,
                     [&] { must(std::move(replica.commit({std::move(transaction)}).front())); });
    }
    report("ingest, transactions of 1,000", n, us / n, "us CPU/record");
}

void raw_floor(std::string const& dir, std::uint32_t n) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kLZ4Compression;
    rocksdb::DB* raw = nullptr;
    if (!rocksdb::DB::Open(options, dir + "/raw", &raw).ok()) std::exit(1);
    std::unique_ptr<rocksdb::DB> const db(raw);
    double us = 0;
    for (std::uint32_t i = 0; i < n; i += kPerTransaction) {
        std::vector<std::pair<std::string, std::string>> items;
        for (std::uint32_t k = i; k < std::min(n, i + kPerTransaction); ++k)
            items.emplace_back(record_id(k), write_json(Value(record(k))));
        us += cpu_of(kCpu, [&] {
            rocksdb::WriteBatch batch;
            std::string log;
            for (auto const& [key, value] : items) {
                batch.Put(key, value);
                log += value;
            }
            batch.Put("log" + items.front().first, log);
            if (!db->Write({}, &batch).ok()) std::exit(1);
        });
    }
    report("floor: RocksDB alone, record + log", n, us / n, "us CPU/record");
}

void single_writes(Replica& replica, std::uint32_t n) {
    double us = 0;
    for (std::uint32_t j = 0; j < n; ++j) {
        std::uint32_t const i = permuted(j, n);
        Object fields;
        set_member(fields, "phone", Value("+49" + std::to_string(mix(i))));
        Transaction transaction{"bench", {}};
        transaction.writes.push_back(
            {Write::Kind::patch, {"customers", record_id(i)}, std::move(fields), std::nullopt});
        us += cpu_of(kCpu,
                     [&] { must(std::move(replica.commit({std::move(transaction)}).front())); });
    }
    report("field update, own transaction", n, us / n, "us CPU/update");
}

void point_reads(Replica& replica, std::uint32_t n) {
    double const us = cpu_of(kCpu, [&] {
        for (std::uint32_t j = 0; j < n; ++j)
            if (!must(replica.get({"customers", record_id(permuted(j, n))}))) std::exit(1);
    });
    report("point read", n, us / n, "us CPU/read");
}

// Everything that b lacks, through the wire's codecs, as links do it.
void exchange(Two& two, std::uint32_t n, char const* what, char const* unit) {
    double sending = 0, receiving = 0;
    std::size_t bytes = 0, batches = 0;
    auto const space = two.a->replica->membership().space();
    while (!two.b->replica->vector().includes(two.a->replica->vector())) {
        std::string message;
        sending += cpu_of(kCpu, [&] {
            auto const batch =
                must(two.a->replica->collect(two.b->replica->vector(), kBatchTargetBytes));
            message = wire::encode(wire::seal_batch(space, two.a->space_keys.seal, batch));
        });
        bytes += message.size();
        ++batches;
        receiving += cpu_of(kCpu, [&] {
            auto const decoded = std::get<wire::Batch>(must(wire::decode(message)));
            must(two.b->replica->apply(must(wire::open_batch(decoded, two.b->space_keys.seal))));
        });
    }
    std::string const name(what);
    report((name + ": sending").c_str(), n, sending / n, (std::string("us CPU/") + unit).c_str());
    report(
        (name + ": receiving").c_str(), n, receiving / n, (std::string("us CPU/") + unit).c_str());
    report((name + ": bytes").c_str(),
           n,
           static_cast<double>(bytes) / n,
           (std::string("bytes/") + unit).c_str());
    report((name + ": batches").c_str(), n, static_cast<double>(batches), "batches");
    if (two.a->replica->root() != two.b->replica->root()) {
        std::fprintf(stderr, "inos-bench: the roots differ\n");
        std::exit(1);
    }
}

void zstd_floor(std::uint32_t n) {
    std::string lines;
    std::size_t compressed = 0, total = 0;
    double us = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
        Object fields = record(i);
        set_member(fields, "id", Value(record_id(i)));
        lines += write_json(Value(std::move(fields))) + "\n";
        if (lines.size() < kBatchTargetBytes && i + 1 < n) continue;
        std::string out(ZSTD_compressBound(lines.size()), '\0');
        us += cpu_of(kCpu, [&] {
            compressed += ZSTD_compress(out.data(), out.size(), lines.data(), lines.size(), 3);
        });
        total += lines.size();
        lines.clear();
    }
    report("floor: JSON lines", n, static_cast<double>(total) / n, "bytes/record");
    report(
        "floor: zstd -3 of the JSON lines", n, static_cast<double>(compressed) / n, "bytes/record");
    report("floor: zstd -3 of the JSON lines, CPU", n, us / n, "us CPU/record");
}

// A connection in memory, for counting what a link says.
class Pipe final : public Connection {
public:
    void start(ConnectionHandlers handlers) override { handlers_ = std::move(handlers); }
    void established() override {}
    void send(std::string frame) override {
        bytes += frame.size();
        ++frames;
        sent.push_back(std::move(frame));
    }
    std::size_t queued_bytes() const override { return 0; }
    void close(std::string_view) override { handlers_ = {}; }
    std::string remote_address() const override { return "memory"; }
    std::string path() const override { return "/v1/sync"; }

    void deliver(std::string frame) {
        auto const handler = handlers_.on_frame;
        if (handler) handler(std::move(frame));
    }

    std::deque<std::string> sent;
    std::size_t bytes = 0, frames = 0;

private:
    ConnectionHandlers handlers_;
};

struct End {
    OpenSite& site;
    DirectStore store;
    std::shared_ptr<Pipe> pipe = std::make_shared<Pipe>();
    std::shared_ptr<Link> link;
    std::size_t handshake_bytes = 0;

    End(OpenSite& open, Clock const& clock, bool outbound) : site(open), store(*open.replica) {
        SecureChannelOptions channel;
        channel.role = outbound ? ChannelRole::initiator : ChannelRole::responder;
        channel.prologue = make_prologue({"/v1/sync", "inos.sync.1", ChannelPattern::xx});
        channel.static_key = site.keys.channel;
        Identity identity{must(make_site_key_certificate(site.keys, site.name, 1)), {}};
        auto const& membership = site.replica->membership();
        identity.certificates.push_back(*membership.bytes_of(site.replica->actor()));
        channel.own_payload = encode_identity(identity);
        Link::Handlers handlers;
        handlers.accept = [this](Link&, Identity const&) {
            handshake_bytes = pipe->bytes;
            return Result<std::optional<wire::Refusal>>(std::nullopt);
        };
        handlers.established = [](Link&) {};
        handlers.changed = [](Link&) {};
        handlers.moved = [](std::shared_ptr<LocalState const>) {};
        handlers.alarm = [](Link&, std::string const&) {};
        handlers.ended = [](Link&, Error const& why) { must(Result<void>(tl::unexpected(why))); };
        link = std::make_shared<Link>(Link::Options{membership.space(), outbound, ""},
                                      pipe,
                                      std::move(channel),
                                      store,
                                      clock,
                                      std::move(handlers));
        link->set_local(std::make_shared<LocalState const>(local_state(*site.replica)));
    }
};

void reconnect(Two& two) {
    std::size_t bytes = 0, frames = 0;
    double const us = cpu_of(kCpu, [&] {
        End a(*two.a, two.clock, true), b(*two.b, two.clock, false);
        b.link->start();
        a.link->start();
        while (!a.pipe->sent.empty() || !b.pipe->sent.empty()) {
            bool const from_a = !a.pipe->sent.empty();
            auto& from = from_a ? a : b;
            auto& to = from_a ? b : a;
            std::string frame = std::move(from.pipe->sent.front());
            from.pipe->sent.pop_front();
            to.pipe->deliver(std::move(frame));
        }
        if (!a.link->session()->settled() || !b.link->session()->settled()) std::exit(1);
        bytes = a.pipe->bytes + b.pipe->bytes;
        frames = a.pipe->frames + b.pipe->frames;
    });
    report("idle reconnect: bytes, both directions, handshake included",
           1,
           static_cast<double>(bytes),
           "bytes");
    report("idle reconnect: frames", 1, static_cast<double>(frames), "frames");
    report("idle reconnect: CPU, both sides", 1, us, "us CPU");
}

std::uint64_t directory_bytes(std::string const& dir) {
    std::uint64_t bytes = 0;
    for (auto const& entry : fs::recursive_directory_iterator(dir))
        if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
}

int run(std::uint32_t n, std::string const& dir) {
    crypto::init();
    {
        Two two(dir);
        raw_floor(dir, n);
        ingest(*two.a->replica, n);
        point_reads(*two.a->replica, n);
        zstd_floor(n);
        exchange(two, n, "first sync", "record");
        reconnect(two);
        single_writes(*two.a->replica, n / 10);
        exchange(two, n / 10, "live or catching up, single field updates", "update");
    }
    report("disk of one site, state and log",
           n,
           static_cast<double>(directory_bytes(dir + "/a/db")) / n,
           "bytes/record");
    return 0;
}

}  // namespace
}  // namespace inos::bench

int main(int argc, char** argv) {
    std::uint32_t records = 100'000;
    std::string dir;
    for (int i = 1; i < argc; ++i) {
        bool const value = i + 1 < argc;
        if (value && std::strcmp(argv[i], "--records") == 0) {
            records = static_cast<std::uint32_t>(std::strtoul(argv[++i], nullptr, 10));
        } else if (value && std::strcmp(argv[i], "--dir") == 0) {
            dir = argv[++i];
        } else {
            std::fprintf(stderr, "Usage: inos-bench [--records N] [--dir NEW_DIRECTORY]\n");
            return 2;
        }
    }
    if (records < 1'000) {
        std::fprintf(stderr, "inos-bench: --records has to be at least 1000\n");
        return 2;
    }
    bool const own = dir.empty();
    if (own) {
        char path[] = "/tmp/inos-bench-XXXXXX";
        if (!::mkdtemp(path)) return 1;
        dir = path;
    }
    int const status = inos::bench::run(records, dir);
    if (own) std::filesystem::remove_all(dir);
    return status;
}
