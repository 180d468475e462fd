// How commands reach a site: over DIR/api.sock while a node runs there, otherwise by opening the
// directory themselves. Both ways are the same HTTP API, so a command cannot tell the difference.
//
// Thread: one. A client that has opened the directory holds its lock until it is destroyed.
// Errors: Errc::not_found when there is no site in the directory; Errc::conflict when another
// process has it open and answers no API; Errc::unavailable when the node does not answer.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crdt/value.hpp"
#include "storage/result.hpp"
#include "tools/command_line.hpp"
#include "tools/event_stream.hpp"

namespace inos {

struct ApiRequest {
    std::string method = "GET";
    std::string path;                          // percent-encoded, see record_path
    std::map<std::string, std::string> query;  // plain
    std::map<std::string, std::string> headers;
    std::string body;  // JSON
};

struct ApiResponse {
    int status = 0;
    std::map<std::string, std::string> headers;  // lower-case names
    std::string body;
};

class Client {
public:
    // Checks --space too.
    static Result<std::unique_ptr<Client>> open(Context const& context);
    virtual ~Client() = default;

    // Sends the request; any status is an answer.
    virtual Result<ApiResponse> request(ApiRequest const& request) = 0;
    virtual bool node_is_running() const = 0;

    // The events that a GET answers with, as they come, until the node ends them or `on_event`
    // answers false. Needs a running node. A status of 400 or more becomes its error.
    virtual Result<void> events(ApiRequest const& request, OnEvent const& on_event) = 0;

    // The bytes that a GET answers with, as they come, until `on_piece` answers false. A status of
    // 400 or more becomes its error.
    using OnPiece = std::function<bool(std::string_view)>;
    virtual Result<void> download(ApiRequest const& request, OnPiece const& on_piece) = 0;

    // The same for a JSON answer: null for an empty one; a status of 400 or more becomes its error.
    Result<Value> call(ApiRequest const& request);
};

// What a response of 400 or more says, as an Error.
Error error_of(ApiResponse const& response);

// How long the node may take to answer: longer for a write that waits for other sites.
std::chrono::milliseconds answer_patience(ApiRequest const& request);

std::string percent_encoded(std::string_view text);
std::string collection_path(std::string_view collection);                   // .../records
std::string record_path(std::string_view collection, std::string_view id);  // .../records/ID
std::string path_and_query(ApiRequest const& request);

// Members of a JSON object that may be missing or of another type.
std::string text_of(Value const& object, std::string_view member);
std::int64_t number_of(Value const& object, std::string_view member);
bool bool_of(Value const& object, std::string_view member);
Array const& array_of(Value const& object, std::string_view member);

}  // namespace inos
