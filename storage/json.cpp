#include "storage/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <set>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

#include "storage/text_forms.hpp"

namespace inos {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownDigits = 40;

// ---- reading ---------------------------------------------------------------------------------

// Linear search up to here: objects with more keys keep a set beside them.
constexpr std::size_t kFewKeys = 16;

// A container that is being read.
struct Frame {
    bool is_object = false;
    Array array;
    Object object;  // in the order of the text until it ends
    std::set<std::string, std::less<>> keys;
    std::string key;  // of the member whose value comes next

    bool has(std::string_view name) const {
        if (!keys.empty()) return keys.contains(name);
        return std::any_of(
            object.begin(), object.end(), [&](Member const& m) { return m.key == name; });
    }
    void add(Value value) {
        if (!is_object) return array.push_back(std::move(value));
        if (!keys.empty()) keys.insert(key);
        object.push_back({std::exchange(key, {}), std::move(value)});
        if (object.size() == kFewKeys)
            for (Member const& member : object)
                keys.insert(member.key);
    }
};

// Receives what the parser finds. Numbers are taken from their text and not from what the parser
// makes of it, which is not exact: it turns large integers into doubles and may be off by one unit
// in the last place of a double.
struct Handler {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    std::vector<Frame> frames;
    Value result;
    std::string text;     // parts of a string, key or number
    std::string problem;  // why the text was refused here and not by the parser

    bool refuse(std::string why, json::error_code& ec) {
        problem = std::move(why);
        ec = json::make_error_code(json::error::syntax);
        return false;
    }
    bool add(Value value) {
        if (frames.empty())
            result = std::move(value);
        else
            frames.back().add(std::move(value));
        return true;
    }
    std::string take(json::string_view last) {
        text.append(last.data(), last.size());
        return std::exchange(text, {});
    }
    bool append(json::string_view part) {
        text.append(part.data(), part.size());
        return true;
    }
    bool number(json::string_view last, json::error_code& ec);

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) {
        frames.emplace_back().is_object = true;
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) {
        Value value(std::move(frames.back().object));
        frames.pop_back();
        return add(std::move(value));
    }
    bool on_array_begin(json::error_code&) {
        frames.emplace_back();
        return true;
    }
    bool on_array_end(std::size_t, json::error_code&) {
        Value value(std::move(frames.back().array));
        frames.pop_back();
        return add(std::move(value));
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        return append(part);
    }
    bool on_key(json::string_view last, std::size_t, json::error_code& ec) {
        std::string key = take(last);
        if (frames.back().has(key))
            return refuse("the key \"" + key + "\" stands twice in one object", ec);
        frames.back().key = std::move(key);
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        return append(part);
    }
    bool on_string(json::string_view last, std::size_t, json::error_code&) {
        return add(Value(take(last)));
    }
    bool on_number_part(json::string_view part, json::error_code&) { return append(part); }
    bool on_int64(std::int64_t, json::string_view last, json::error_code& ec) {
        return number(last, ec);
    }
    bool on_uint64(std::uint64_t, json::string_view last, json::error_code& ec) {
        return number(last, ec);
    }
    bool on_double(double, json::string_view last, json::error_code& ec) {
        return number(last, ec);
    }
    bool on_bool(bool b, json::error_code&) { return add(Value(b)); }
    bool on_null(json::error_code&) { return add(Value()); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

// Decides between a number too large for a double and one too small (which reads as zero): the
// decimal exponent of the first digit that is not zero says which.
bool is_too_large(std::string_view number) {
    std::size_t const mark = std::min(number.find_first_of("eE"), number.size());
    long exponent = 0;
    if (mark < number.size()) {
        std::string_view digits = number.substr(mark + 1);
        if (digits.front() == '+') digits.remove_prefix(1);
        auto const parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
        if (parsed.ec != std::errc()) return digits.front() != '-';
    }
    std::string_view const mantissa = number.substr(0, mark);
    std::size_t const first = std::min(mantissa.find_first_of("123456789"), mantissa.size());
    std::size_t const point = std::min(mantissa.find('.'), mantissa.size());
    return exponent + static_cast<long>(point) - static_cast<long>(first) > 0;
}

bool Handler::number(json::string_view last, json::error_code& ec) {
    std::string const digits = take(last);
    char const* const begin = digits.data();
    char const* const end = begin + digits.size();
    if (digits.find_first_of(".eE") == std::string::npos) {
        std::int64_t n = 0;
        if (std::from_chars(begin, end, n).ec == std::errc()) return add(Value(n));
        return refuse("the number " + shortened(digits, kShownDigits) +
                          " does not fit into 64 bits; write it as a string",
                      ec);
    }
    double d = 0;
    if (std::from_chars(begin, end, d).ec == std::errc()) return add(Value(d));
    if (!is_too_large(digits)) return add(Value(0.0));
    return refuse("the number " + shortened(digits, kShownDigits) +
                      " is too large for a double; write it as a string",
                  ec);
}

std::string place_of(std::string_view text, std::size_t offset) {
    std::string_view const before = text.substr(0, offset);
    auto const line = std::count(before.begin(), before.end(), '\n') + 1;
    std::size_t const start = before.rfind('\n') + 1;  // npos + 1 is 0
    std::string_view const row = before.substr(start);
    std::size_t const column = characters(row) + 1;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string describe(json::error_code const& ec, std::string_view text, int depth_max) {
    auto const is = [&](json::error e) { return ec == json::make_error_code(e); };
    if (is(json::error::incomplete))
        return text.find_first_not_of(" \t\r\n") == std::string_view::npos
                   ? "there is no JSON, only an empty text"
                   : "the JSON ends too early";
    if (is(json::error::extra_data)) return "there is more after the end of the JSON document";
    if (is(json::error::too_deep))
        return "arrays and objects are nested deeper than " + std::to_string(depth_max) + " levels";
    if (is(json::error::exponent_overflow)) return "a number is malformed";
    if (!valid_utf8(text)) return "the text is not well-formed UTF-8";
    return "the text is not JSON (" + ec.message() + ")";
}

// ---- writing ---------------------------------------------------------------------------------

class Writer {
public:
    Writer(std::string& out, JsonStyle style) : out_(out), pretty_(style == JsonStyle::pretty) {}

    void write(Value const& value) { std::visit(*this, value.data); }

    void operator()(std::monostate) { out_ += "null"; }
    void operator()(bool b) { out_ += b ? "true" : "false"; }
    void operator()(std::int64_t n) { out_ += std::to_string(n); }
    void operator()(double d) { out_ += double_text(d); }
    void operator()(std::string const& text) { append_json_text(out_, text); }
    void operator()(Array const& array) {
        container('[', ']', array, [this](Value const& item) { write(item); });
    }
    void operator()(Object const& object) {
        container('{', '}', object, [this](Member const& member) {
            append_json_text(out_, member.key);
            out_ += pretty_ ? ": " : ":";
            write(member.value);
        });
    }

private:
    template <class Items, class Each>
    void container(char open, char close, Items const& items, Each each) {
        out_ += open;
        ++depth_;
        bool first = true;
        for (auto const& item : items) {
            if (!std::exchange(first, false)) out_ += ',';
            line_break();
            each(item);
        }
        --depth_;
        if (!items.empty()) line_break();
        out_ += close;
    }
    void line_break() {
        if (!pretty_) return;
        out_ += '\n';
        out_.append(2 * depth_, ' ');
    }

    std::string& out_;
    bool pretty_;
    std::size_t depth_ = 0;
};

template <class Written>
std::string written(Written const& what, JsonStyle style) {
    std::string out;
    Writer writer(out, style);
    if constexpr (std::is_same_v<Written, Value>)
        writer.write(what);
    else
        writer(what);
    return out;
}

}  // namespace

Result<Value> parse_json(std::string_view text, int depth_max) {
    json::parse_options options;
    options.max_depth = static_cast<std::size_t>(depth_max);
    json::basic_parser<Handler> parser(options);
    json::error_code ec;
    std::size_t const end = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && end < text.size()) ec = json::make_error_code(json::error::extra_data);
    if (!ec) return std::move(parser.handler().result);
    std::string const& problem = parser.handler().problem;
    return fail(Errc::invalid,
                (problem.empty() ? describe(ec, text, depth_max) : problem) + ", at " +
                    place_of(text, end));
}

Result<Object> parse_json_object(std::string_view text, int depth_max) {
    INOS_TRY(Value value, parse_json(text, depth_max));
    if (auto* object = value.as<Object>()) return std::move(*object);
    return fail(Errc::invalid, "the JSON has to be an object, like {\"name\": \"value\"}");
}

std::string write_json(Value const& value, JsonStyle style) {
    return written(value, style);
}

std::string write_json(Object const& object, JsonStyle style) {
    return written(object, style);
}

void append_json(std::string& out, Value const& value) {
    Writer(out, JsonStyle::compact).write(value);
}

void append_json(std::string& out, Object const& object) {
    Writer writer(out, JsonStyle::compact);
    writer(object);
}

void append_json_text(std::string& out, std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += '"';
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        std::size_t const named = std::string_view("\"\\\b\f\n\r\t").find(c);
        if (named != std::string_view::npos) {
            out += '\\';
            out += "\"\\bfnrt"[named];
        } else if (byte < 0x20) {
            out += "\\u00";
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string double_text(double number) {
    char buffer[32];
    auto const end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    std::string text(buffer, end);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

}  // namespace inos
