#include "net/dashboard.hpp"

#include <algorithm>

#include "net/close_reason.hpp"

namespace inos {
namespace {

constexpr std::string_view kFirstPage = "index.html";

// Nothing but this node's own files and answers is loaded, run, embedded or told where one was.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// `sent` is the header's value: "*", or tags between commas, weak ones with W/ in front.
bool names_tag(std::string_view sent, std::string_view tag) {
    while (!sent.empty()) {
        std::size_t const end = std::min(sent.find(','), sent.size());
        std::string_view part = sent.substr(0, end);
        sent.remove_prefix(std::min(end + 1, sent.size()));
        while (!part.empty() && part.front() == ' ')
            part.remove_prefix(1);
        while (!part.empty() && part.back() == ' ')
            part.remove_suffix(1);
        if (part.starts_with("W/")) part.remove_prefix(2);
        if (part == "*" || part == tag) return true;
    }
    return false;
}

}  // namespace

std::vector<std::string> dashboard_paths() {
    std::vector<std::string> paths{"/"};
    for (DashboardFile const& file : dashboard_files())
        paths.push_back("/dashboard/" + std::string(file.name));
    return paths;
}

HttpResponse dashboard_response(std::string_view name, std::string_view if_none_match) {
    std::string_view const wanted = name.empty() ? kFirstPage : name;
    auto const& files = dashboard_files();
    auto const file = std::find_if(files.begin(), files.end(), [wanted](DashboardFile const& one) {
        return one.name == wanted;
    });
    if (file == files.end())
        return http_error(
            404,
            "not_found",
            "the dashboard has no file \"" + printable_text(wanted) + "\"; it begins at \"/\"");
    std::string const tag = '"' + std::string(file->etag) + '"';
    HttpResponse response;
    response.headers = {{"Cache-Control", "no-cache"},  // kept, and asked for by its tag each time
                        {"Content-Security-Policy", std::string(kPolicy)},
                        {"Cross-Origin-Opener-Policy", "same-origin"},
                        {"Cross-Origin-Resource-Policy", "same-origin"},
                        {"ETag", tag},
                        {"Referrer-Policy", "no-referrer"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"X-Frame-Options", "DENY"}};
    if (names_tag(if_none_match, tag)) {
        response.status = 304;
        return response;
    }
    response.headers["Content-Type"] = std::string(file->type);
    response.body = std::string(file->content);
    return response;
}

}  // namespace inos
