// Parts that several of the API's handlers share: names in requests, members of bodies, pages of
// answers. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"
#include "net/http_types.hpp"
#include "storage/replica.hpp"

namespace inos {

// Errc::forbidden for the program's own collections.
Result<void> check_collection(std::string_view collection);

// Errc::invalid names the first member that is not among the known ones, and the near miss.
Result<void> check_members(Object const& body, std::vector<std::string> const& known);

// A member that has to be a text.
Result<std::string> text_member(Object const& body, std::string_view name);
Result<Role> role_member(Object const& body);  // "role"
// A member that is a list of texts; a missing one is empty.
Result<std::vector<std::string>> texts_member(Object const& body, std::string_view name);

// A parameter's whole number from `least` to `most`; else Errc::usage.
Result<std::uint64_t> parse_number(std::string_view name,
                                   std::string_view text,
                                   std::uint64_t least,
                                   std::uint64_t most);

// A parameter that is true or false, or missing, which is false; else Errc::usage.
Result<bool> flag_param(HttpRequest const& request, std::string_view name);

// Where a list of records of several collections goes on, for its "next": collection blob | id, in
// hex.
std::string record_cursor(RecordName const& name);
// Of "after"; the empty text is the beginning. Errc::usage if it is malformed.
Result<RecordName> parse_record_cursor(std::string_view text);

// What a page of such a list holds, as JSON: `limit` elements, or fewer when they are long.
class AnswerPage {
public:
    explicit AnswerPage(std::size_t limit) : limit_(limit) {}
    void add(Value const& element);
    std::size_t size() const { return count_; }
    bool full() const;  // of elements, or kAnswerBytesMax
    // {"NAME":[...],"next":...}
    HttpResponse answer(std::string_view name, std::optional<RecordName> const& next) const;

private:
    std::size_t limit_, count_ = 0;
    std::string text_;
};

}  // namespace inos
