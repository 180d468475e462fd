// The dashboard: the pages that a browser shows at "/" of the API over TCP. The files of
// net/dashboard/ are in the program itself; there is nothing secret in them, so they need no token.
// What they show they ask of /v1 with the token that the user gives them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http_types.hpp"

namespace inos {

struct DashboardFile {
    std::string_view name;  // "app.js"
    std::string_view type;  // of its content
    std::string_view etag;  // changes with the content
    std::string_view content;
};

// All of them, by name; made at build time from net/dashboard/ (cmake/embed_files.cmake).
std::vector<DashboardFile> const& dashboard_files();

// "/" and "/dashboard/NAME" of every file.
std::vector<std::string> dashboard_paths();

// The file of that name ("index.html" for "/"), 304 if the request's If-None-Match names what it
// is, 404 if there is none.
HttpResponse dashboard_response(std::string_view name, std::string_view if_none_match);

}  // namespace inos
