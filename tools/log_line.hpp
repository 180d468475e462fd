// How `inos run` writes its log: one line an event, with the event's stable name and a text.
//
//   text     2026-11-24T10:00:00.000Z info peer_connected with "shop"
//   json     {"time":"2026-11-24T10:00:00.000Z","level":"info","event":"peer_connected","text":...}
//   journal  <6>peer_connected with "shop"         systemd takes the level from <N>
//
// spdlog puts time and level in front (log_pattern); log_payload makes the rest. Pure.
#pragma once

#include <string>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

enum class LogFormat { text, json, journal };

// Levels of syslog(3), as the journal knows them.
enum class LogLevel { error = 3, warn = 4, info = 6 };

// "text", "json" or "journal". Errc::usage.
Result<LogFormat> parse_log_format(std::string_view text);

// Somebody has to look: error. Somebody may have to act: warn.
LogLevel log_level_of(std::string_view event);

std::string log_pattern(LogFormat format);
// `text` is cleaned: what comes from records or peers cannot begin a line of its own.
std::string log_payload(LogFormat format, std::string_view event, std::string_view text);

}  // namespace inos
