// How the API's answers look: records, conflicts, times, errors. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crdt/value.hpp"
#include "net/http_types.hpp"
#include "net/node_control.hpp"
#include "storage/replica.hpp"

namespace inos {

HttpResponse json_response(int status, Value const& body);

// {"error":{"code","message","field"?}}; of Errc::rights also "available" and "elsewhere"
Value error_value(std::string_view code, std::string_view message, std::string_view field = {});
HttpResponse api_error(int status,
                       std::string_view code,
                       std::string_view message,
                       std::string_view field = {});
// An expected failure of a read or of the node.
HttpResponse api_error(Error const& error);
// The same of a write: what is wrong with the content is 422, a version that differs 412.
HttpResponse write_error(Error const& error);
// A body that is no usable JSON: 400.
HttpResponse body_error(Error const& error);

// {"id","fields","conflicts","version"}, and "alias" for an id that stands for this one; the
// membership gives conflicts the names of their sites.
Value record_value(RecordView const& record, Membership const& membership);
// {field: [{"value","site","source","time","wins"}]}, the winner first. `time` is null, `site` and
// `source` are empty of a winner that is not there; "lost": true marks increments that add nothing,
// whose value is null.
Value conflicts_value(std::vector<Conflict> const& conflicts, Membership const& membership);

// [{"field","message"}]: what the schema finds wrong with values that were written all the same.
// Puts nothing into the answer when there is nothing.
void add_warnings(Object& answer, std::vector<FieldWarning> const& warnings);

Value peer_value(PeerStatus const& peer);
// {"site","name","role","actor","scope"}
Value member_value(Certificate const& certificate);

// A number that does not fit is the largest one.
Value number_value(std::uint64_t number);
std::string actor_text(ActorId actor);  // 16 hex digits
std::string dot_text(Dot dot);          // the actor's, a colon, the number
// What people call the site; the actor's digits where it is not known.
std::string site_name(Membership const& membership, ActorId actor);
std::string utc_text(std::uint64_t unix_ms);  // 2026-01-31T23:59:59.123Z

// The version vector of X-Inos-Frontier: its bytes in hex.
std::string frontier_text(VersionVector const& vector);
std::optional<VersionVector> parse_frontier(std::string_view text);

}  // namespace inos
