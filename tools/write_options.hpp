// Options that all commands which write one record share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/client.hpp"
#include "tools/command_line.hpp"

namespace inos {

struct WriteOptions {
    std::string source;
    std::string if_match;
    std::string request;  // Idempotency-Key
    std::uint64_t wait = 0;
    std::uint64_t timeout_s = 10;
};

void add_write_options(Command& command, WriteOptions& options);

// Puts the options into the request.
void apply_write_options(ApiRequest& request, WriteOptions const& options);

// Sends the write and says what it did: the answer with --json, otherwise a line, in which `done`
// stands for what follows from the answer: created, stored, unchanged, deleted.
Result<int> send_write(Context& context,
                       ApiRequest const& request,
                       std::string const& what,
                       std::string_view done = {});

}  // namespace inos
