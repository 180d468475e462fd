#include "net/api_call.hpp"

#include <algorithm>
#include <charconv>

#include "net/api.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"
#include "storage/near_miss.hpp"
#include "storage/schema_document.hpp"

namespace inos {

Result<void> check_collection(std::string_view collection) {
    if (!is_reserved(collection)) return {};
    return fail(Errc::forbidden,
                "the collection \"" + std::string(collection) +
                    "\" is reserved, as all that begin with an underscore; use the paths made for "
                    "what is in it, like /v1/schema",
                "collection");
}

Result<void> check_members(Object const& body, std::vector<std::string> const& known) {
    for (auto const& [name, value] : body) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        std::string list;
        for (std::string const& word : known)
            list += (list.empty() ? "\"" : ", \"") + word + "\"";
        std::string const hint = did_you_mean(name, known);
        return fail(
            Errc::invalid,
            "there is no \"" + name + "\" here" + (hint.empty() ? "; there is " + list : hint),
            name);
    }
    return {};
}

Result<std::string> text_member(Object const& body, std::string_view name) {
    Value const* value = find_member(body, name);
    auto const* text = value ? value->as<std::string>() : nullptr;
    if (text && !text->empty()) return *text;
    return fail(Errc::invalid,
                "\"" + std::string(name) + "\" is missing; it has to be a text that is not empty",
                std::string(name));
}

Result<Role> role_member(Object const& body) {
    INOS_TRY(std::string const name, text_member(body, "role"));
    if (auto const role = parse_role(name)) return *role;
    return fail(Errc::invalid,
                "unknown role \"" + name + "\"; there is \"admin\", \"writer\", \"reader\"",
                "role");
}

Result<std::vector<std::string>> texts_member(Object const& body, std::string_view name) {
    std::vector<std::string> texts;
    Value const* value = find_member(body, name);
    if (!value) return texts;
    auto const* array = value->as<Array>();
    bool all = array != nullptr;
    for (std::size_t i = 0; all && i < array->size(); ++i) {
        auto const* text = (*array)[i].as<std::string>();
        all = text && !text->empty();
        if (all) texts.push_back(*text);
    }
    if (all) return texts;
    return fail(Errc::invalid,
                "\"" + std::string(name) + "\" has to be a list of texts that are not empty",
                std::string(name));
}

Result<bool> flag_param(HttpRequest const& request, std::string_view name) {
    std::string_view const value = request.param(name);
    if (value.empty() || value == "false") return false;
    if (value == "true") return true;
    return fail(
        Errc::usage, "\"" + std::string(name) + "\" has to be true or false", std::string(name));
}

Result<std::uint64_t> parse_number(std::string_view name,
                                   std::string_view text,
                                   std::uint64_t least,
                                   std::uint64_t most) {
    std::uint64_t number = 0;
    char const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= least && number <= most)
        return number;
    return fail(Errc::usage,
                "\"" + std::string(name) + "\" has to be a whole number from " +
                    std::to_string(least) + " to " + std::to_string(most) + ", not \"" +
                    std::string(text) + "\"",
                std::string(name));
}

std::string record_cursor(RecordName const& name) {
    std::string bytes;
    put_blob(bytes, name.collection);
    return crypto::hex(bytes + name.key);
}

Result<RecordName> parse_record_cursor(std::string_view text) {
    RecordName name;
    if (text.empty()) return name;
    auto const bytes = crypto::unhex(text);
    Reader in(bytes ? std::string_view(*bytes) : std::string_view());
    name.collection = in.blob();
    name.key = in.rest();
    if (bytes && in.ok() && valid_name(name.collection)) return name;
    return fail(
        Errc::usage, "\"after\" is malformed; pass the \"next\" of an answer, unchanged", "after");
}

void AnswerPage::add(Value const& element) {
    if (count_++ > 0) text_ += ',';
    append_json(text_, element);
}

bool AnswerPage::full() const {
    return count_ >= limit_ || text_.size() >= kAnswerBytesMax;
}

HttpResponse AnswerPage::answer(std::string_view name,
                                std::optional<RecordName> const& next) const {
    HttpResponse response = json_response(200, Value());
    response.body = "{\"" + std::string(name) + "\":[" + text_ + "],\"next\":";
    append_json(response.body, next ? Value(record_cursor(*next)) : Value());
    response.body += '}';
    return response;
}

}  // namespace inos
