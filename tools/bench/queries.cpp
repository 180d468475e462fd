// inos-bench-queries: what secondary indexes cost a write, and what they save a query, in CPU time
// of one run. One JSON line a result. The figures of docs/benchmarks.md.
//
//   inos-bench-queries [--records N]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <sys/resource.h>

#include "storage/json.hpp"
#include "storage/run_query.hpp"
#include "storage/schema_document.hpp"
#include "storage/site_directory.hpp"
#include "tools/bench/measure.hpp"
#include "tools/bench/records.hpp"
#include "tools/system_clock.hpp"

namespace inos::bench {
namespace {

constexpr std::uint32_t kPerTransaction = 1'000, kUpdates = 5'000, kQueries = 2'000;

constexpr int kCpu = RUSAGE_THREAD;

void commit(Replica& replica, Transaction transaction) {
    must(std::move(replica.commit({std::move(transaction)}).front()));
}

void fill(Replica& replica, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; i += kPerTransaction) {
        Transaction transaction{"bench", {}};
        for (std::uint32_t k = i; k < std::min(n, i + kPerTransaction); ++k)
            transaction.writes.push_back(
                {Write::Kind::put, {"customers", record_id(k)}, record(k), std::nullopt});
        commit(replica, std::move(transaction));
    }
}

void updates(Replica& replica, std::uint32_t n, char const* field, char const* name) {
    static std::uint32_t made = 0;  // so that no value is one that was there
    double us = 0;
    for (std::uint32_t j = 0; j < kUpdates; ++j) {
        std::uint32_t const i = permuted(j, n);
        Object fields;
        set_member(fields, field, Value("v" + std::to_string(mix(i)) + std::to_string(++made)));
        Transaction transaction{"bench", {}};
        transaction.writes.push_back(
            {Write::Kind::patch, {"customers", record_id(i)}, std::move(fields), std::nullopt});
        us += cpu_of(kCpu, [&] { commit(replica, std::move(transaction)); });
    }
    report(name, kUpdates, us / kUpdates, "us CPU/update");
}

void index(Replica& replica, char const* schema) {
    auto const document = must(parse_json_object(schema));
    commit(replica, {"bench", schema_writes(document, replica.schema_documents())});
    std::uint64_t records = 0;
    double const us = cpu_of(kCpu, [&] {
        while (must(replica.build_indexes(2'000))) {
        }
    });
    for (IndexStatus const& status : replica.index_status())
        records += status.done;
    report("building an index", records, us / static_cast<double>(records), "us CPU/record");
}

// All pages; how many records were shown.
std::size_t all_pages(Replica& replica, Query query) {
    std::size_t shown = 0;
    for (;;) {
        auto const end = must(run_query(replica, query, [&](RecordView&) {
            ++shown;
            return true;
        }));
        if (!end.next) return shown;
        query.after = *end.next;
    }
}

void one_by_value(Replica& replica, std::uint32_t n, std::uint32_t times, char const* name) {
    double us = 0;
    for (std::uint32_t j = 0; j < times; ++j) {
        auto const fields = record(permuted(j + n / 2, n));
        Query query{"customers"};
        query.where = must(Where::parse("email = " + write_json(*find_member(fields, "email"))));
        us += cpu_of(kCpu, [&] {
            if (all_pages(replica, query) == 0) std::exit(1);
        });
    }
    report(name, times, us / times, "us CPU/query");
}

void ten_in_order(Replica& replica, char const* name) {
    Query query{"customers"};
    query.order = must(Order::parse("city,name"));
    query.limit = 10;
    double const us = cpu_of(kCpu, [&] {
        for (std::uint32_t j = 0; j < kQueries; ++j) {
            auto const end = must(run_query(replica, query, [](RecordView&) { return true; }));
            query.after = end.next.value_or("");
        }
    });
    report(name, kQueries, us / kQueries, "us CPU/query");
}

int run(std::uint32_t n, std::string const& dir) {
    crypto::init();
    SystemClock clock;
    must(create_founder(dir + "/a", "a", "bench"));
    auto const site = must(open_site(dir + "/a", clock, Durability::flushed));
    Replica& replica = *site->replica;
    fill(replica, n);
    updates(replica, n, "phone", "field update, no index");
    updates(replica, n, "phone", "the same again");
    one_by_value(replica, n, 3, "one of all by a field, no index");
    index(replica, R"({"customers": {"index": ["email", ["city", "name"]]}})");
    updates(replica, n, "phone", "field update, two indexes of other fields");
    updates(replica, n, "city", "update of an indexed field");
    one_by_value(replica, n, kQueries, "one of all by a field, indexed");
    ten_in_order(replica, "ten in order, indexed");
    double const us = cpu_of(kCpu, [&] {
        for (std::uint32_t j = 0; j < kQueries; ++j)
            if (!must(replica.get({"customers", record_id(permuted(j, n))}))) std::exit(1);
    });
    report("point read by id", kQueries, us / kQueries, "us CPU/read");
    must(replica.check_indexes());
    return 0;
}

}  // namespace
}  // namespace inos::bench

int main(int argc, char** argv) {
    std::uint32_t records = 100'000;
    if (argc == 3 && std::strcmp(argv[1], "--records") == 0)
        records = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
    if ((argc != 1 && argc != 3) || records < 10'000) {
        std::fprintf(stderr, "Usage: inos-bench-queries [--records N], N at least 10000\n");
        return 2;
    }
    char path[] = "/tmp/inos-bench-XXXXXX";
    if (!::mkdtemp(path)) return 1;
    int const status = inos::bench::run(records, path);
    std::filesystem::remove_all(path);
    return status;
}
