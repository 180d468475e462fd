// The HTTP API of one space: what /v1/... means, as values, without any network. docs/api.md is
// made of the table in api.cpp; a command that opens the store itself and a test call handle()
// directly.
//
// Thread: all functions on the node's thread, which is also where the store answers. The store's
// answers come back into this object: it has to outlive them (stop the store's thread first).
//
// Every answer carries X-Inos-Frontier, a version vector that this node holds. Sent back with a
// read, here or to another node, it makes the read wait until that node holds as much; at most
// kFrontierWaitMs, then 503. With a write it does not wait, and the answer's frontier covers both.
//
// The socket is the site's own user, who may name a source for each write (X-Inos-Source or
// ?source=); over TCP the token's role is the source. Collections that begin with an underscore are
// not reachable here.
//
// Limits: a list ends after kAnswerBytesMax, a search for conflicts after
// kConflictScanMax records (both say where to go on); kWaitingMax reads wait at a time, more are
// answered 503 at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/change_feed.hpp"
#include "net/http_types.hpp"
#include "net/inspection.hpp"
#include "net/node_control.hpp"
#include "net/store.hpp"
#include "storage/clock.hpp"

namespace inos {

inline constexpr std::uint64_t kFrontierWaitMs = 10'000;
inline constexpr std::size_t kWaitingMax = 1'000;
inline constexpr std::size_t kAnswerBytesMax = 8 << 20;
inline constexpr std::size_t kConflictScanMax = 10'000;
inline constexpr std::uint64_t kWaitTimeoutMaxS = 300;
inline constexpr std::uint64_t kBackupViewMs = 30 * 60 * 1'000;

struct ApiRoute {
    std::string method, pattern, about;
    std::vector<std::string> params;  // of the query
};

class Api {
public:
    Api(Store& store, NodeControl& node, Clock const& clock);
    ~Api();
    Api(Api const&) = delete;
    Api& operator=(Api const&) = delete;

    // Calls `respond` once, at once or later.
    void handle(HttpRequest request, HttpRespond respond);

    // The replica holds more than before: reads that wait for it are looked at again.
    void on_progress();
    // Lets go of what keeps erased data on the disk: slow clients of the change feed
    // (ChangeFeed::make_way), and a backup that takes longer than kBackupViewMs.
    void make_way();
    // Ends waits that have lasted too long. `monotonic_ms` is the clock's; call it once a second.
    void tick(std::uint64_t monotonic_ms);
    std::size_t waiting() const { return waiting_.size(); }
    // A request was answered before it came here; for the metrics.
    void count_answer(int status) { ++answered_[status]; }

    // What inspects the replica; outlives all calls. Without, the API does it by itself, where
    // somebody asks for it.
    void use(Inspection& inspection) { inspection_ = &inspection; }

    static std::vector<ApiRoute> routes();

private:
    struct Route;
    // A request under way.
    struct Call {
        HttpRequest request;
        HttpRespond respond;
        std::vector<std::string> args;      // what {...} in the route's pattern stands for
        std::optional<VersionVector> seen;  // X-Inos-Frontier

        std::string_view param(std::string_view name) const;
        std::string_view header(std::string_view name) const;
    };
    using CallPtr = std::shared_ptr<Call>;

    // A read: a function of the replica, run on its thread; it may use only what it owns.
    using ReadWork = std::function<HttpResponse(Replica&)>;
    struct Reading {
        CallPtr call;
        ReadWork work;
        std::uint64_t deadline_ms = 0;
    };

    // What a write answers when all went well.
    struct Written {
        int status = 200;
        Value body;        // an object; not sent with 204
        std::string etag;  // a version, or empty
        bool replayed = false;
    };
    using WriteAnswer = std::function<Written(Committed const&)>;
    struct Waiting {  // ?wait=N&timeout=S
        std::size_t sites = 0;
        std::uint64_t timeout_ms = 0;
    };

    static std::vector<Route> const& table();
    void dispatch(Route const& route, CallPtr const& call);
    HttpResponse no_such_path(HttpRequest const& request) const;

    void send(CallPtr const& call, HttpResponse response);
    void read(CallPtr call, ReadWork work);
    void attempt(Reading reading);
    void write(CallPtr call, Transaction transaction, WriteAnswer answer);
    void written(CallPtr call, Waiting waiting, VersionVector held, Written written);
    Result<Waiting> waiting_of(Call const& call) const;
    Result<std::string> source_of(Call const& call) const;

    // api_records.cpp
    void list_collections(CallPtr call);
    void list_records(CallPtr call);
    void get_record(CallPtr call);
    void put_record(CallPtr call);
    void patch_record(CallPtr call);
    void delete_record(CallPtr call);
    void change_record(CallPtr call, Write::Kind kind);
    // api_history.cpp
    void get_history(CallPtr call);
    void get_record_as_of(CallPtr call);
    void restore_record(CallPtr call);
    // api_explain.cpp
    void get_explanation(CallPtr call);
    // api_transactions.cpp
    void post_transaction(CallPtr call);
    // api_conflicts.cpp
    void list_conflicts(CallPtr call);
    void resolve_conflict(CallPtr call);
    // api_changes.cpp
    void get_changes(CallPtr call);
    // api_metrics.cpp
    void get_metrics(CallPtr call);
    // api_duplicates.cpp
    void list_duplicates(CallPtr call);
    void merge_records(CallPtr call);
    void unmerge_record(CallPtr call);
    // api_erasures.cpp
    void list_erasures(CallPtr call);
    void list_orphans(CallPtr call);
    void decide_orphan(CallPtr call);
    // api_schema.cpp
    void get_schema(CallPtr call);
    void post_schema(CallPtr call);
    // api_status.cpp
    void get_status(CallPtr call);
    void post_verify(CallPtr call);
    void get_health(CallPtr call);
    void get_readiness(CallPtr call);
    // api_members.cpp
    void get_members(CallPtr call);
    void delete_member(CallPtr call);
    void post_member(CallPtr call);
    void rotate_key(CallPtr call);
    void recover(CallPtr call);
    void list_reviews(CallPtr call);
    void decide_review(CallPtr call);
    void decide(CallPtr call, std::function<Result<Value>(Replica&)> work);
    // api_backup.cpp
    struct Backup;
    void get_backup(CallPtr call);
    void pump(std::shared_ptr<Backup> const& backup);
    void end_backup(std::shared_ptr<Backup> const& backup);
    // api_doctor.cpp
    Inspection& inspection();
    void get_doctor(CallPtr call);
    void post_doctor(CallPtr call);
    // api_peers.cpp
    void get_peers(CallPtr call);
    void post_peer(CallPtr call);
    void delete_peer(CallPtr call);
    void get_invites(CallPtr call);
    void post_invite(CallPtr call);
    void delete_invite(CallPtr call);

    Store& store_;
    NodeControl& node_;
    Clock const& clock_;
    VersionVector held_;  // what this node is known to hold: at most behind, never ahead
    std::vector<Reading> waiting_;
    bool checking_ = false;     // on_progress() has asked the store
    bool check_again_ = false;  // ... and was called since
    ChangeFeed changes_;
    std::shared_ptr<Backup> backup_;  // that is being sent
    Inspection* inspection_ = nullptr;
    std::unique_ptr<Inspection> own_inspection_;
    std::uint64_t const started_ms_;
    std::map<int, std::uint64_t> answered_;  // by status
};

}  // namespace inos
