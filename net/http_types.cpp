#include "net/http_types.hpp"

#include <algorithm>
#include <utility>

#include "net/close_reason.hpp"
#include "storage/json.hpp"

namespace inos {

namespace {

std::string_view reason_of(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 507:
            return "Insufficient Storage";
        default:
            return "Status";
    }
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Undoes percent-encoding; in a query a plus sign is a space, as HTML forms write it.
std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            int const high = digit_of(text[i + 1]);
            int const low = digit_of(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0') return std::nullopt;
        result += c;
    }
    return result;
}

// Calls visit with each part of text between separators.
template <class Visit>
bool for_each_part(std::string_view text, char separator, Visit visit) {
    for (;;) {
        std::size_t const end = text.find(separator);
        if (!visit(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

bool is_header_safe(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& query) {
    return for_each_part(text, '&', [&](std::string_view part) {
        if (part.empty()) return true;
        std::size_t const equals = std::min(part.find('='), part.size());
        auto name = decode(part.substr(0, equals), true);
        auto value = decode(part.substr(std::min(equals + 1, part.size())), true);
        if (!name || !value) return false;
        query[*std::move(name)] = *std::move(value);
        return true;
    });
}

// "http://host/path" -> "/path". Every server has to understand that form (RFC 9112, 3.2.2).
std::string_view without_authority(std::string_view target) {
    for (std::string_view const scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        std::size_t const end = target.find_first_of("/?", scheme.size());
        return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
    }
    return target;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
    auto const found = headers.find(std::string(name));
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view HttpRequest::param(std::string_view name) const {
    auto const found = query.find(std::string(name));
    return found == query.end() ? std::string_view() : std::string_view(found->second);
}

HttpResponse http_error(int status, std::string_view code, std::string_view message) {
    HttpResponse response;
    response.status = status;
    response.headers["Content-Type"] = "application/json";
    response.body = "{\"error\":{\"code\":";
    append_json_text(response.body, code);
    response.body += ",\"message\":";
    append_json_text(response.body, message);
    response.body += "}}";
    return response;
}

std::pair<int, std::string_view> status_and_code(Errc code) {
    switch (code) {
        case Errc::internal:
            return {500, "internal"};
        case Errc::usage:
            return {400, "usage"};
        case Errc::invalid:
            return {400, "invalid"};
        case Errc::not_found:
            return {404, "not_found"};
        case Errc::conflict:
            return {409, "conflict"};
        case Errc::forbidden:
            return {403, "forbidden"};
        case Errc::too_large:
            return {413, "too_large"};
        case Errc::io:
            return {500, "io"};
        case Errc::corruption:
            return {500, "corruption"};
        case Errc::no_space:
            return {507, "no_space"};
        case Errc::protocol:
            return {500, "protocol"};
        case Errc::unavailable:
            return {503, "unavailable"};
        case Errc::unsupported:
            return {501, "unsupported"};
        case Errc::gone:
            return {410, "gone"};
        case Errc::rights:
            return {409, "rights"};
    }
    return {500, "internal"};
}

HttpResponse http_error(Error const& error) {
    auto const [status, code] = status_and_code(error.code);
    return http_error(status, code, error.message);
}

Result<void> parse_target(std::string_view target, HttpRequest& request) {
    auto const malformed = [&] {
        return fail(Errc::invalid,
                    "the request target \"" + printable_text(target) +
                        "\" is malformed; it must begin with a slash, and a percent sign must be "
                        "followed by two hexadecimal digits that are not 00");
    };
    std::string_view const rest = without_authority(target);
    if (!rest.starts_with('/')) return malformed();
    std::size_t const mark = std::min(rest.find('?'), rest.size());
    std::string_view const path = rest.substr(0, mark);
    request.path = std::string(path);
    request.segments.clear();
    request.query.clear();
    bool const path_ok = path == "/" || for_each_part(path.substr(1), '/', [&](auto part) {
                             auto segment = decode(part, false);
                             if (!segment) return false;
                             request.segments.push_back(*std::move(segment));
                             return true;
                         });
    if (!path_ok) return malformed();
    if (mark < rest.size() && !parse_query(rest.substr(mark + 1), request.query)) {
        return malformed();
    }
    return {};
}

std::string response_head(HttpResponse const& response, bool keep_alive, HttpFraming framing) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    head += reason_of(response.status);
    head += "\r\n";
    for (auto const& [name, value] : response.headers) {
        if (!is_header_safe(name) || !is_header_safe(value)) continue;
        head.append(name).append(": ").append(value).append("\r\n");
    }
    bool const has_body = response.status >= 200 && response.status != 204;
    if (has_body && framing == HttpFraming::chunks) head += "Transfer-Encoding: chunked\r\n";
    if (has_body && framing == HttpFraming::length) {
        head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    }
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

std::string http_chunk(std::string_view piece) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string size;
    for (std::size_t rest = piece.size(); rest > 0; rest /= 16)
        size.insert(size.begin(), kDigits[rest % 16]);
    std::string chunk = size.empty() ? "0" : size;
    chunk.append("\r\n").append(piece).append("\r\n");
    return chunk;
}

}  // namespace inos
