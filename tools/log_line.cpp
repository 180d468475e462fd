#include "tools/log_line.hpp"

#include "crdt/value.hpp"
#include "storage/json.hpp"
#include "storage/near_miss.hpp"
#include "tools/terminal.hpp"

namespace inos {
namespace {

std::string json_string(std::string text) {
    return write_json(Value(std::move(text)));
}

}  // namespace

Result<LogFormat> parse_log_format(std::string_view text) {
    if (text == "text") return LogFormat::text;
    if (text == "json") return LogFormat::json;
    if (text == "journal") return LogFormat::journal;
    return fail(Errc::usage,
                "\"" + std::string(text) + R"(" is none of "text", "json", "journal")" +
                    did_you_mean(std::string(text), {"text", "json", "journal"}));
}

LogLevel log_level_of(std::string_view event) {
    if (event == "alarm") return LogLevel::error;
    return event.starts_with("pairing_") ? LogLevel::warn : LogLevel::info;
}

std::string log_pattern(LogFormat format) {
    switch (format) {
        case LogFormat::json:
            return R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
        case LogFormat::journal:
            return "%v";
        default:
            return "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
    }
}

std::string log_payload(LogFormat format, std::string_view event, std::string_view text) {
    std::string const clean = clean_text(text);
    switch (format) {
        case LogFormat::json:
            return "\"event\":" + json_string(clean_text(event)) +
                   ",\"text\":" + json_string(clean);
        case LogFormat::journal:
            return "<" + std::to_string(static_cast<int>(log_level_of(event))) + ">" +
                   std::string(event) + " " + clean;
        default:
            return std::string(event) + " " + clean;
    }
}

}  // namespace inos
