#include "tools/client.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapters/http/client.hpp"
#include "net/api.hpp"
#include "net/http_stream.hpp"
#include "net/http_types.hpp"
#include "net/store.hpp"
#include "storage/json.hpp"
#include "storage/site_directory.hpp"
#include "tools/offline_control.hpp"
#include "tools/system_clock.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

constexpr std::chrono::milliseconds kLockPatience{2'000};
constexpr std::chrono::milliseconds kLockRetry{20};
constexpr int kAnswerDepthMax = kValueDepthMax + 8;  // records inside lists inside answers

std::map<std::string, std::string> headers_of(ApiRequest const& request) {
    auto headers = request.headers;
    if (request.method != "GET") headers.emplace("content-type", "application/json");
    return headers;
}

class SocketClient final : public Client {
public:
    explicit SocketClient(std::string path)
        : path_(std::move(path)), http_(HttpClient::over_socket(path_)) {}
    bool node_is_running() const override { return true; }

    Result<ApiResponse> request(ApiRequest const& request) override {
        HttpClientOptions options;
        options.answer_timeout = answer_patience(request);
        if (std::exchange(patience_, options.answer_timeout) != options.answer_timeout)
            http_ = HttpClient::over_socket(path_, options);
        INOS_TRY(auto answer, http_.request(plain(request)));
        return ApiResponse{answer.status, std::move(answer.headers), std::move(answer.body)};
    }

    Result<void> events(ApiRequest const& request, OnEvent const& on_event) override {
        EventStream events(on_event);
        INOS_CHECK(
            download(request, [&events](std::string_view piece) { return events.take(piece); }));
        if (events.overflowed())
            return fail(Errc::too_large,
                        "the node sent an event that is larger than " +
                            std::to_string(kEventBytesMax) + " bytes");
        return {};
    }

    Result<void> download(ApiRequest const& request, OnPiece const& on_piece) override {
        INOS_TRY(auto answer, http_.stream(plain(request), on_piece));
        if (answer.status < 400) return {};
        return tl::unexpected<Error>(
            error_of({answer.status, std::move(answer.headers), std::move(answer.body)}));
    }

private:
    static HttpClientRequest plain(ApiRequest const& request) {
        return {request.method, path_and_query(request), headers_of(request), request.body};
    }

    std::string path_;
    HttpClient http_;
    std::chrono::milliseconds patience_ = HttpClientOptions().answer_timeout;
};

class DirectClient final : public Client {
public:
    DirectClient(std::unique_ptr<SystemClock> clock, std::unique_ptr<OpenSite> site)
        : clock_(std::move(clock)),
          site_(std::move(site)),
          control_(*site_),
          store_(*site_->replica),
          api_(store_, control_, *clock_) {}
    bool node_is_running() const override { return false; }

    Result<ApiResponse> request(ApiRequest const& request) override {
        INOS_TRY(auto response, answer_to(request));
        return plain(std::move(response));
    }

    Result<void> download(ApiRequest const& request, OnPiece const& on_piece) override {
        INOS_TRY(auto response, answer_to(request));
        if (response.status >= 400)
            return tl::unexpected<Error>(error_of(plain(std::move(response))));
        auto const& stream = response.stream;
        if (!stream) {
            on_piece(response.body);
            return {};
        }
        bool wanted = true;
        while (wanted && (stream->has_data() || !stream->ended()))
            wanted = on_piece(stream->take());
        stream->close();
        return {};
    }

    Result<void> events(ApiRequest const& request, OnEvent const&) override {
        return fail(Errc::unavailable,
                    "GET " + request.path + " needs the running node, and none runs on \"" +
                        site_->dir + "\"; start it with: inos run --data " + site_->dir);
    }

private:
    Result<HttpResponse> answer_to(ApiRequest const& request) {
        HttpRequest received;
        received.method = request.method;
        INOS_CHECK(parse_target(path_and_query(request), received));
        received.headers = headers_of(request);
        received.body = request.body;
        received.from_socket = true;
        std::optional<HttpResponse> answer;
        api_.handle(std::move(received),
                    [&answer](HttpResponse response) { answer = std::move(response); });
        // What it waits for cannot come while no node runs.
        if (!answer) api_.tick(clock_->monotonic_ms() + kFrontierWaitMs);
        if (!answer)
            return fail(Errc::internal, "no answer to " + request.method + " " + request.path);
        return *std::move(answer);
    }

    static ApiResponse plain(HttpResponse response) {
        ApiResponse plain{response.status, {}, std::move(response.body)};
        for (auto& [name, value] : response.headers) {
            std::string lower = name;
            for (char& c : lower)
                c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
            plain.headers[lower] = std::move(value);
        }
        return plain;
    }

    std::unique_ptr<SystemClock> clock_;
    std::unique_ptr<OpenSite> site_;
    OfflineControl control_;
    DirectStore store_;
    Api api_;
};

// Whether somebody listens on the socket.
bool answers(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    path.copy(address.sun_path, path.size());
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    void const* const plain = &address;
    bool const connected = ::connect(fd, static_cast<sockaddr const*>(plain), sizeof address) == 0;
    ::close(fd);
    return connected;
}

// Over the socket, or by opening the directory. Another command may have it open for a moment, or a
// node be on its way to its socket: that is waited for.
Result<std::unique_ptr<Client>> reach(Context const& context, std::string const& dir) {
    std::string const socket = dir + "/api.sock";
    auto const deadline = std::chrono::steady_clock::now() + kLockPatience;
    for (;;) {
        if (answers(socket)) return std::make_unique<SocketClient>(socket);
        auto clock = std::make_unique<SystemClock>();
        INOS_TRY(auto const key, unlock(context, dir));
        auto site = open_site(dir, *clock, Durability::synced, pointer_to(key));
        if (site) return std::make_unique<DirectClient>(std::move(clock), *std::move(site));
        bool const busy = site.error().code == Errc::conflict;
        if (!busy || std::chrono::steady_clock::now() >= deadline) {
            return tl::unexpected<Error>(site.error());
        }
        std::this_thread::sleep_for(kLockRetry);
    }
}

Result<void> check_space(Client& client, std::string const& wanted) {
    if (wanted.empty()) return {};
    INOS_TRY(auto status,
             client.call({.path = "/v1/status", .query = {}, .headers = {}, .body = {}}));
    std::string known;
    for (auto const& space : array_of(status, "spaces")) {
        if (text_of(space, "name") == wanted) return {};
        known += (known.empty() ? "\"" : "\", \"") + text_of(space, "name");
    }
    return fail(Errc::not_found,
                "this site has no space \"" + wanted + "\"; it is in " + known + "\"");
}

}  // namespace

Result<std::unique_ptr<Client>> Client::open(Context const& context) {
    INOS_TRY(auto const dir, context.data_dir());
    std::error_code ignored;
    if (!std::filesystem::is_directory(dir, ignored)) {
        return fail(Errc::not_found,
                    "there is no site in \"" + dir + "\"; found a space with: inos init --data " +
                        dir + " --site NAME, or join one with: inos join CODE --data " + dir +
                        " --site NAME",
                    dir);
    }
    INOS_TRY(auto client, reach(context, dir));
    INOS_CHECK(check_space(*client, context.space));
    return client;
}

Error error_of(ApiResponse const& response) {
    auto const code = [&] {
        switch (response.status) {
            case 401:
            case 403:
                return Errc::forbidden;
            case 404:
                return Errc::not_found;
            case 409:
            case 412:
                return Errc::conflict;
            case 410:
                return Errc::gone;
            case 413:
                return Errc::too_large;
            case 501:
                return Errc::unsupported;
            case 503:
                return Errc::unavailable;
            case 507:
                return Errc::no_space;
            default:
                return response.status < 500 ? Errc::invalid : Errc::internal;
        }
    }();
    auto const body = parse_json(response.body);
    auto const* error = body ? body->find("error") : nullptr;
    if (error == nullptr) {
        return Error{
            code, "the node answered with HTTP status " + std::to_string(response.status), ""};
    }
    // HTTP has one status for what is wrong in a body, what is too much of it, and a parameter that
    // cannot be.
    std::string const told = text_of(*error, "code");
    Errc const exact = told == "too_large" ? Errc::too_large : told == "usage" ? Errc::usage : code;
    return Error{exact, text_of(*error, "message"), text_of(*error, "field")};
}

Result<Value> Client::call(ApiRequest const& sent) {
    INOS_TRY(auto response, request(sent));
    if (response.status >= 400) return tl::unexpected<Error>(error_of(response));
    if (response.body.empty()) return Value();
    return parse_json(response.body, kAnswerDepthMax);
}

constexpr std::chrono::minutes kVerifyPatience{60};

std::chrono::milliseconds answer_patience(ApiRequest const& request) {
    auto const patience = HttpClientOptions().answer_timeout;
    // Reads all that the node holds.
    if (request.path == "/v1/verify") return patience + kVerifyPatience;
    auto const found = request.query.find("timeout");
    if (found == request.query.end()) return patience;
    std::uint64_t seconds = 0;
    auto const& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return patience + std::chrono::seconds(std::min(seconds, kWaitTimeoutMaxS));
}

std::string percent_encoded(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
        }
    }
    return out;
}

std::string collection_path(std::string_view collection) {
    return "/v1/collections/" + percent_encoded(collection) + "/records";
}

std::string record_path(std::string_view collection, std::string_view id) {
    return collection_path(collection) + "/" + percent_encoded(id);
}

std::string path_and_query(ApiRequest const& request) {
    std::string target = request.path;
    for (auto const& [name, value] : request.query) {
        target += (target.size() == request.path.size() ? "?" : "&") + percent_encoded(name) + "=" +
                  percent_encoded(value);
    }
    return target;
}

std::string text_of(Value const& object, std::string_view member) {
    auto const* value = object.find(member);
    auto const* text = value ? value->as<std::string>() : nullptr;
    return text ? *text : std::string();
}

std::int64_t number_of(Value const& object, std::string_view member) {
    auto const* value = object.find(member);
    auto const* number = value ? value->as<std::int64_t>() : nullptr;
    return number ? *number : 0;
}

bool bool_of(Value const& object, std::string_view member) {
    auto const* value = object.find(member);
    auto const* flag = value ? value->as<bool>() : nullptr;
    return flag && *flag;
}

Array const& array_of(Value const& object, std::string_view member) {
    static Array const none;
    auto const* value = object.find(member);
    auto const* array = value ? value->as<Array>() : nullptr;
    return array ? *array : none;
}

}  // namespace inos
