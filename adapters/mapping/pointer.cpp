#include "adapters/mapping/pointer.hpp"

#include <charconv>

namespace inos {
namespace {

Value const* step(Value const& value, std::string const& token) {
    if (auto const* object = value.as<Object>()) return find_member(*object, token);
    auto const* array = value.as<Array>();
    if (!array || token.empty() || (token.size() > 1 && token[0] == '0')) return nullptr;
    std::size_t index = 0;
    auto const [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    bool const whole = error == std::errc() && end == token.data() + token.size();
    return whole && index < array->size() ? &(*array)[index] : nullptr;
}

bool set_below(Object& object, Pointer const& pointer, std::size_t at, Value& value) {
    std::string const& token = pointer.tokens[at];
    if (at + 1 == pointer.tokens.size()) {
        set_member(object, token, std::move(value));
        return true;
    }
    Value const* child = find_member(object, token);
    Object below;
    if (child && !child->is_null()) {
        auto const* known = child->as<Object>();
        if (!known) return false;
        below = *known;
    }
    if (!set_below(below, pointer, at + 1, value)) return false;
    set_member(object, token, Value(std::move(below)));
    return true;
}

}  // namespace

Result<Pointer> Pointer::parse(std::string_view text) {
    auto const wrong = [&](std::string_view what) {
        return fail(Errc::invalid,
                    "\"" + std::string(text) + "\" is no path: " + std::string(what) +
                        " (a JSON Pointer such as \"/name/first\")");
    };
    Pointer pointer;
    if (text.empty()) return pointer;
    if (text.size() > kPointerBytesMax) return wrong("it is too long");
    if (!valid_utf8(text)) return wrong("it is not UTF-8");
    if (text.front() != '/') return wrong("it has to begin with /");
    for (std::size_t at = 0; at < text.size(); ++at) {
        char const c = text[at];
        if (c == '/') {
            if (pointer.tokens.size() == kPointerTokensMax) return wrong("it is too deep");
            pointer.tokens.emplace_back();
        } else if (c != '~') {
            pointer.tokens.back() += c;
        } else {
            char const escape = at + 1 < text.size() ? text[++at] : '\0';
            if (escape != '0' && escape != '1') return wrong("~ has to be written as ~0");
            pointer.tokens.back() += escape == '0' ? '~' : '/';
        }
    }
    return pointer;
}

std::string Pointer::text() const {
    std::string text;
    for (std::string const& token : tokens) {
        text += '/';
        for (char const c : token) {
            if (c == '~')
                text += "~0";
            else if (c == '/')
                text += "~1";
            else
                text += c;
        }
    }
    return text;
}

bool Pointer::covers(Pointer const& other) const {
    if (tokens.size() > other.tokens.size()) return false;
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i] != other.tokens[i]) return false;
    return true;
}

Value const* find_at(Value const& whole, Pointer const& pointer) {
    Value const* value = &whole;
    for (std::size_t i = 0; value && i < pointer.tokens.size(); ++i)
        value = step(*value, pointer.tokens[i]);
    return value;
}

Value const* find_at(Object const& whole, Pointer const& pointer) {
    if (pointer.empty()) return nullptr;
    Value const* value = find_member(whole, pointer.tokens[0]);
    for (std::size_t i = 1; value && i < pointer.tokens.size(); ++i)
        value = step(*value, pointer.tokens[i]);
    return value;
}

bool set_at(Object& whole, Pointer const& pointer, Value value) {
    return !pointer.empty() && set_below(whole, pointer, 0, value);
}

}  // namespace inos
