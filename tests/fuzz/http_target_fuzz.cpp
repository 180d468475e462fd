// The request target of HTTP, and the head of a response with values from anywhere.
#include "net/http_types.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

// The lines of a response's head; a value must not be able to add one.
std::size_t lines_of(std::string_view head) {
    return static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text = fuzz::view(data, size);
    HttpRequest request;
    if (parse_target(text, request)) {
        fuzz::expect(request.path.starts_with('/'), "a path begins with a slash");
        for (std::string const& segment : request.segments)
            fuzz::expect(segment.find('\0') == std::string::npos, "no segment holds a NUL");
    }
    HttpResponse response;
    std::size_t const lines = lines_of(response_head(response, true));
    response.headers["location"] = std::string(text);
    fuzz::expect(lines_of(response_head(response, true)) <= lines + 1, "a value is one line");
    http_error(400, text, text);
    return 0;
}
