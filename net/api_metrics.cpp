// GET /metrics: what Prometheus reads.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "net/api.hpp"
#include "net/api_format.hpp"
#include "net/metrics_text.hpp"
#include "storage/crypto/site_id.hpp"
#include "storage/keys.hpp"

namespace inos {
namespace {

constexpr std::size_t kCountMax = 100'000;  // of one thing at one time; takes about 50 ms
constexpr std::size_t kPage = 1'000;

// What lies with the replica.
struct SpaceMetrics {
    VersionVector vector;
    std::uint64_t entries = 0;
    std::uint64_t members = 0;
    std::vector<CollectionInfo> collections;
    std::map<std::string, std::uint64_t> conflicts;
    std::uint64_t void_entries = 0;
    std::uint64_t unpurged = 0, orphans = 0, erasures = 0;
    std::vector<PurgeBlocker> blockers;
    bool writable = false;
    bool caught_up = false;
};

std::map<std::string, std::uint64_t> count_conflicts(Replica const& replica) {
    std::map<std::string, std::uint64_t> counts;
    for (CollectionInfo const& info : replica.collections())
        counts[info.name] = 0;
    RecordName after;
    for (std::size_t seen = 0; seen < kCountMax; seen += kPage) {
        auto const names = replica.conflict_candidates(after, {}, kPage);
        if (!names) break;
        for (RecordName const& name : *names)
            if (name.collection.front() != '_') ++counts[name.collection];
        if (names->size() < kPage) break;
        after = names->back();
    }
    return counts;
}

// Keys of one kind in the index.
std::uint64_t count_index(Replica const& replica, char kind) {
    std::uint32_t const space = replica.space_number();
    auto cursor = replica.engine().scan(Family::index,
                                        keys::meta_kind(space, kind),
                                        keys::meta_kind(space, static_cast<char>(kind + 1)));
    std::uint64_t count = 0;
    for (; cursor->valid() && count < kCountMax; cursor->next())
        ++count;
    return count;
}

SpaceMetrics space_metrics(Replica const& replica) {
    SpaceMetrics space;
    space.vector = replica.vector();
    for (auto const& [actor, seq] : replica.vector().items())
        space.entries += seq;
    space.members = replica.membership().sites().size();
    space.collections = replica.collections();
    space.conflicts = count_conflicts(replica);
    space.void_entries = count_index(replica, 'x');
    space.unpurged = count_index(replica, 'd');
    space.orphans = count_index(replica, 'o');
    space.erasures = replica.erasures().size();
    space.blockers = replica.purge_blockers();
    space.writable = !replica.failed();
    space.caught_up = replica.caught_up();
    return space;
}

void add_space(MetricsText& text, SpaceMetrics const& space) {
    text.gauge("inos_entries", "Entries (transactions of all sites) that this site holds.");
    text.sample({}, space.entries);
    text.gauge("inos_records", "Records that can be read.");
    for (CollectionInfo const& info : space.collections)
        text.sample({{"collection", info.name}}, info.records);
    text.gauge(
        "inos_conflicts",
        "Records that may have fields with rival values, as GET /v1/conflicts shows them; at "
        "most 100000 are counted.");
    for (auto const& [collection, count] : space.conflicts)
        text.sample({{"collection", collection}}, count);
    text.gauge("inos_void_entries",
               "Entries without effect, because they break the rules; at most 100000 are counted.");
    text.sample({}, space.void_entries);
    text.gauge("inos_unpurged_records",
               "Deleted records, and records with removed elements, that wait until all sites have "
               "seen that; at most 100000 are counted.");
    text.sample({}, space.unpurged);
    text.gauge(
        "inos_purge_missing_entries",
        "Entries that a site has not acknowledged: what is deleted in them cannot be purged.");
    for (PurgeBlocker const& blocker : space.blockers)
        text.sample({{"site", site_id_text(blocker.site)}, {"name", blocker.name}},
                    blocker.entries);
    text.gauge("inos_orphan_edits", "Edits without a record, to be kept or dropped.");
    text.sample({}, space.orphans);
    text.gauge("inos_erasures", "Records that were erased for good.");
    text.sample({}, space.erasures);
    text.gauge("inos_members", "Sites of the space.");
    text.sample({}, space.members);
    text.gauge("inos_writable", "1, or 0 after a write to the disk has failed.");
    text.sample({}, std::uint64_t{space.writable});
    text.gauge("inos_caught_up", "1, or 0 as long as a new site may not write.");
    text.sample({}, std::uint64_t{space.caught_up});
}

using Peers = std::map<std::tuple<std::string, std::string, std::string>, PeerStatus>;

MetricsText::Labels labels_of(PeerStatus const& peer) {
    return {{"site", peer.site}, {"name", peer.name}, {"url", peer.url}};
}

void add_peers(MetricsText& text, std::vector<PeerStatus> const& list) {
    std::map<std::string, std::uint64_t> states{
        {"connected", 0}, {"connecting", 0}, {"listening", 0}, {"waiting", 0}};
    Peers peers;  // each set of labels once
    for (PeerStatus const& peer : list) {
        ++states[peer.state];
        peers.insert_or_assign({peer.site, peer.name, peer.url}, peer);
    }
    text.gauge("inos_peers", "Other sites, by the state of the connection to them.");
    for (auto const& [state, count] : states)
        text.sample({{"state", state}}, count);
    struct Family {
        char const* name;
        char const* help;
        std::uint64_t PeerStatus::*value;
        bool counts;
    };
    static constexpr Family kFamilies[] = {
        {"inos_peer_behind_entries",
         "Entries that the peer has and this site lacks, as far as known.",
         &PeerStatus::behind,
         false},
        {"inos_peer_ahead_entries",
         "Entries that this site has and the peer lacks, as far as known.",
         &PeerStatus::ahead,
         false},
        {"inos_peer_received_bytes_total",
         "Bytes received over the present connection.",
         &PeerStatus::bytes_in,
         true},
        {"inos_peer_sent_bytes_total",
         "Bytes sent over the present connection.",
         &PeerStatus::bytes_out,
         true},
        {"inos_peer_received_entries_total",
         "Entries received over the present connection.",
         &PeerStatus::entries_in,
         true},
        {"inos_peer_sent_entries_total",
         "Entries sent over the present connection.",
         &PeerStatus::entries_out,
         true},
    };
    for (Family const& family : kFamilies) {
        family.counts ? text.counter(family.name, family.help)
                      : text.gauge(family.name, family.help);
        for (auto const& [key, peer] : peers)
            text.sample(labels_of(peer), peer.*family.value);
    }
    text.gauge("inos_peer_clock_skew_seconds", "The peer's clock minus this site's.");
    for (auto const& [key, peer] : peers)
        text.seconds(labels_of(peer), peer.skew_ms);
}

void add_repairs(MetricsText& text, RepairCounts const& counts) {
    text.counter("inos_repair_rounds_total",
                 "Searches for records that differ from a peer's, or from the log.");
    text.sample({}, counts.rounds);
    text.counter("inos_repaired_records_total", "Records that were put right.");
    text.sample({}, counts.mended);
    text.counter("inos_damaged_records_total",
                 "Records that a search found damaged and nobody could put right.");
    text.sample({}, counts.left);
}

}  // namespace

void Api::get_metrics(CallPtr call) {
    auto done = [this, call](SpaceMetrics const& space) {
        MetricsText text;
        text.gauge("inos_info", "The program and the site; always 1.");
        text.sample({{"version", INOS_VERSION},
                     {"site", node_.site_id()},
                     {"name", node_.site_name()},
                     {"space", node_.space_name()}},
                    std::uint64_t{1});
        text.gauge("inos_uptime_seconds", "Time since the API began to answer.");
        text.seconds({}, static_cast<std::int64_t>(clock_.monotonic_ms() - started_ms_));
        add_space(text, space);
        add_peers(text, node_.peers());
        add_repairs(text, node_.repair_counts());
        text.gauge("inos_watchers", "Clients of the change feed.");
        text.sample({}, std::uint64_t{changes_.watchers()});
        text.gauge(
            "inos_watcher_behind_entries",
            "Entries that this site holds and the client of the change feed that is furthest "
            "behind has not been told of.");
        text.sample({}, changes_.behind(space.vector));
        text.gauge("inos_watcher_waiting_bytes",
                   "Bytes that wait here for clients of the change feed to take them.");
        text.sample({}, std::uint64_t{changes_.waiting_bytes()});
        text.counter("inos_watchers_ended_total", "Feeds that have ended, by reason.");
        for (auto const& [reason, count] : changes_.ended())
            text.sample({{"reason", reason}}, count);
        text.gauge("inos_waiting_reads", "Reads that wait for what X-Inos-Frontier names.");
        text.sample({}, std::uint64_t{waiting_.size()});
        text.counter("inos_http_responses_total", "Answers of the API, by HTTP status.");
        for (auto const& [status, count] : answered_)
            text.sample({{"status", std::to_string(status)}}, count);
        HttpResponse response;
        response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8";
        response.body = text.text();
        send(call, std::move(response));
    };
    store_.query([](Replica& replica) { return space_metrics(replica); }, std::move(done));
}

}  // namespace inos
