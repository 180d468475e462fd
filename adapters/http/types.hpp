// HTTP as the connectors and the command line send it: plain values without any network in them.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace inos {

struct HttpClientRequest {
    std::string method = "GET";
    std::string target = "/";                    // path and query, percent-encoded
    std::map<std::string, std::string> headers;  // Host, Content-Length and Connection are added
    std::string body;
};

struct HttpClientResponse {
    int status = 0;
    std::map<std::string, std::string> headers;  // lower-case names; repeated ones joined with ", "
    std::string body;

    std::string_view header(std::string_view name) const {
        auto const found = headers.find(std::string(name));
        return found == headers.end() ? std::string_view() : std::string_view(found->second);
    }
};

}  // namespace inos
