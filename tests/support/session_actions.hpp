// What a session wants done, taken apart by kind.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "net/session.hpp"

namespace inos::test {

template <class T>
std::vector<T> all_of(session::Actions const& actions) {
    std::vector<T> found;
    for (auto const& action : actions)
        if (auto const* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
}

// The messages of one kind among what is to be sent.
template <class T>
std::vector<T> sent(session::Actions const& actions) {
    std::vector<T> found;
    for (auto const& send : all_of<session::Send>(actions))
        if (auto const* one = std::get_if<T>(&send.message)) found.push_back(*one);
    return found;
}

inline std::optional<Error> closed(session::Actions const& actions) {
    auto const closes = all_of<session::Close>(actions);
    return closes.empty() ? std::nullopt : std::optional(closes.front().reason);
}

}  // namespace inos::test
