// Result<T>: the value of something that can fail for an expected reason (bad input, a full disk, a
// peer that breaks the protocol), or the Error that says what, where, and what to do about it.
//
// Bugs are INOS_ASSERT; "cannot go on" (no memory, a library threw) is an exception that only the
// top of a thread, coroutine or command catches. Everything here is a plain value without threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace inos {

// The kind of a failure, stable for callers that react to it: the HTTP status and the exit status
// of a command follow from it. Explicit values: they appear in logs. Never reused.
enum class Errc : int {
    internal = 1,      // should not happen; HTTP 500, exit 1
    usage = 2,         // wrong command line or configuration; HTTP 400, exit 2
    invalid = 3,       // malformed or unacceptable input; HTTP 400 or 422, exit 1
    not_found = 4,     // no such record, collection, file, peer; HTTP 404, exit 3
    conflict = 5,      // precondition failed, or in use; HTTP 412 or 409, exit 4
    forbidden = 6,     // rights do not allow it; HTTP 403, exit 1
    too_large = 7,     // over a limit; HTTP 413 or 422, exit 1
    io = 8,            // disk or network failed; HTTP 500, exit 1
    corruption = 9,    // stored bytes are not what was written; HTTP 500, exit 1
    no_space = 10,     // disk full; HTTP 507, exit 1
    protocol = 11,     // a peer broke the protocol or could not be authenticated; exit 1
    unavailable = 12,  // not reachable, not ready, timed out; HTTP 503, exit 1
    unsupported = 13,  // understood, but not by this version; HTTP 501, exit 1
    gone = 14,         // erased id, cursor too old; HTTP 410, exit 3
    rights = 15,       // a bounded counter has too little at this site; HTTP 409, exit 4
};

struct RightsShortage;  // storage/rights.hpp

struct Error {
    Errc code = Errc::internal;
    std::string message;  // one clear sentence, without a full stop at its end
    std::string field;    // the field, path or file that is meant, if there is one
    std::shared_ptr<RightsShortage const> rights = nullptr;  // Errc::rights: how much there is

    // The same error with the place it happened in front: "apply batch 12 from kiel: ...".
    Error prefixed(std::string_view where) const {
        return Error{code, std::string(where) + ": " + message, field, rights};
    }
};

template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
    using tl::expected<T, Error>::expected;
};

inline auto fail(Errc code, std::string message, std::string field = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), std::move(field)});
}

// Stops the program, in release builds too: `condition` can only be false because of a bug.
[[noreturn]] void assert_failed(char const* condition, char const* file, int line);

}  // namespace inos

#define INOS_ASSERT(condition) \
    ((condition) ? void(0) : ::inos::assert_failed(#condition, __FILE__, __LINE__))

#define INOS_CONCAT_2(a, b) a##b
#define INOS_CONCAT(a, b) INOS_CONCAT_2(a, b)

// INOS_TRY(auto x, f()): evaluates f() once; on failure returns its error from the enclosing
// function, otherwise declares x as its value. INOS_CHECK(f()) is the same for Result<void> and for
// a dropped value.
#define INOS_TRY(declaration, ...) \
    INOS_TRY_2(INOS_CONCAT(inos_try_, __LINE__), declaration, __VA_ARGS__)
#define INOS_TRY_2(name, declaration, ...)                           \
    auto name = (__VA_ARGS__);                                       \
    if (!name) return ::tl::unexpected<::inos::Error>(name.error()); \
    declaration = *std::move(name)
#define INOS_CHECK(...)                                                              \
    do {                                                                             \
        if (auto inos_checked = (__VA_ARGS__); !inos_checked)                        \
            return ::tl::unexpected<::inos::Error>(std::move(inos_checked).error()); \
    } while (false)
