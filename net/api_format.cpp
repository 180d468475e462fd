#include "net/api_format.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/crypto/site_id.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

// Days since 1970-01-01 to year, month, day in the Gregorian calendar, counted in eras of 400 years
// that begin in March.
struct Date {
    std::int64_t year;
    unsigned month, day;
};

Date date_of(std::int64_t days) {
    std::int64_t const shifted = days + 719'468;  // since 0000-03-01
    std::int64_t const era = shifted / 146'097;
    std::int64_t const day_of_era = shifted % 146'097;
    std::int64_t const year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    std::int64_t const day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    std::int64_t const month_from_march = (5 * day_of_year + 2) / 153;
    auto const day = static_cast<unsigned>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    auto const month = static_cast<unsigned>((month_from_march + 2) % 12 + 1);
    return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

std::string digits(std::uint64_t number, std::size_t width) {
    std::string text = std::to_string(number);
    if (text.size() < width) text.insert(0, width - text.size(), '0');
    return text;
}

HttpResponse error_response(int status, std::string_view code, Error const& error) {
    Value body = error_value(code, error.message, error.field);
    if (error.rights) {
        Value inner = *body.find("error");
        set_member(*inner.as<Object>(), "available", Value(error.rights->shortage.available));
        set_member(*inner.as<Object>(), "elsewhere", Value(error.rights->shortage.elsewhere));
        set_member(*body.as<Object>(), "error", std::move(inner));
    }
    return json_response(status, body);
}

}  // namespace

HttpResponse json_response(int status, Value const& body) {
    HttpResponse response;
    response.status = status;
    response.headers["Content-Type"] = "application/json";
    response.body = write_json(body);
    return response;
}

Value error_value(std::string_view code, std::string_view message, std::string_view field) {
    Object error{{"code", Value(code)}, {"message", Value(message)}};
    if (!field.empty()) set_member(error, "field", Value(field));
    return Value(Object{{"error", Value(std::move(error))}});
}

HttpResponse api_error(int status,
                       std::string_view code,
                       std::string_view message,
                       std::string_view field) {
    return json_response(status, error_value(code, message, field));
}

HttpResponse api_error(Error const& error) {
    auto const [status, code] = status_and_code(error.code);
    return error_response(status, code, error);
}

HttpResponse write_error(Error const& error) {
    auto const [status, code] = status_and_code(error.code);
    bool const content = error.code == Errc::invalid || error.code == Errc::too_large;
    int const shown = content ? 422 : error.code == Errc::conflict ? 412 : status;
    return error_response(shown, code, error);
}

HttpResponse body_error(Error const& error) {
    return api_error(400, "invalid", "the body cannot be read: " + error.message, error.field);
}

Value record_value(RecordView const& record, Membership const& membership) {
    Object value;
    set_member(value, "id", Value(record.id));
    set_member(value, "fields", Value(record.fields));
    set_member(value, "conflicts", conflicts_value(record.conflicts, membership));
    set_member(value, "version", Value(record.version));
    if (!record.alias.empty()) set_member(value, "alias", Value(record.alias));
    return Value(std::move(value));
}

void add_warnings(Object& answer, std::vector<FieldWarning> const& warnings) {
    Array array;
    for (FieldWarning const& warning : warnings)
        array.push_back(
            Value(Object{{"field", Value(warning.field)}, {"message", Value(warning.message)}}));
    if (!array.empty()) set_member(answer, "warnings", Value(std::move(array)));
}

Value conflicts_value(std::vector<Conflict> const& conflicts, Membership const& membership) {
    Object by_field;
    for (Conflict const& conflict : conflicts) {
        Array values;
        for (ConflictValue const& sibling : conflict.values) {
            // Nobody has written what is absent.
            bool const written = sibling.dot.seq != 0;
            Object value{{"value", sibling.value},
                         {"site", Value(written ? site_name(membership, sibling.dot.actor) : "")},
                         {"source", Value(sibling.source)},
                         {"time", written ? Value(utc_text(sibling.hlc.ms())) : Value()},
                         {"wins", Value(sibling.wins)}};
            if (sibling.lost) set_member(value, "lost", Value(true));
            values.push_back(Value(std::move(value)));
        }
        set_member(by_field, conflict.field, Value(std::move(values)));
    }
    return Value(std::move(by_field));
}

Value peer_value(PeerStatus const& peer) {
    return Value(Object{{"site", Value(peer.site)},
                        {"name", Value(peer.name)},
                        {"state", Value(peer.state)},
                        {"url", Value(peer.url)},
                        {"behind", number_value(peer.behind)},
                        {"ahead", number_value(peer.ahead)},
                        {"skew_ms", Value(peer.skew_ms)},
                        {"disk_full", Value(peer.full)},
                        {"last_error", Value(peer.last_error)},
                        {"bytes_in", number_value(peer.bytes_in)},
                        {"bytes_out", number_value(peer.bytes_out)},
                        {"entries_in", number_value(peer.entries_in)},
                        {"entries_out", number_value(peer.entries_out)}});
}

Value number_value(std::uint64_t number) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    return Value(static_cast<std::int64_t>(std::min(number, kMax)));
}

std::string actor_text(ActorId actor) {
    std::string bytes;
    put_u64(bytes, actor.value);
    return crypto::hex(bytes);
}

std::string dot_text(Dot dot) {
    return actor_text(dot.actor) + ":" + std::to_string(dot.seq);
}

std::string site_name(Membership const& membership, ActorId actor) {
    auto const* site = membership.by_actor(actor);
    return site ? site->name : actor_text(actor);
}

std::string utc_text(std::uint64_t unix_ms) {
    std::uint64_t const seconds = unix_ms / 1'000;
    std::uint64_t const of_day = seconds % 86'400;
    Date const date = date_of(static_cast<std::int64_t>(seconds / 86'400));
    std::string const year = digits(static_cast<std::uint64_t>(date.year), 4);
    return year + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) + "T" +
           digits(of_day / 3'600, 2) + ":" + digits(of_day / 60 % 60, 2) + ":" +
           digits(of_day % 60, 2) + "." + digits(unix_ms % 1'000, 3) + "Z";
}

std::string frontier_text(VersionVector const& vector) {
    std::string bytes;
    vector.encode(bytes);
    return crypto::hex(bytes);
}

std::optional<VersionVector> parse_frontier(std::string_view text) {
    auto const bytes = crypto::unhex(text);
    if (!bytes) return std::nullopt;
    Reader in(*bytes);
    auto vector = VersionVector::decode(in);
    return in.finished() ? std::move(vector) : std::nullopt;
}

Value member_value(Certificate const& certificate) {
    Array scope;
    for (std::string const& collection : certificate.scope)
        scope.push_back(Value(collection));
    return Value(Object{{"site", Value(site_id_text(certificate.site))},
                        {"name", Value(certificate.name)},
                        {"role", Value(role_name(certificate.role))},
                        {"actor", Value(actor_text(certificate.actor))},
                        {"scope", Value(std::move(scope))}});
}

}  // namespace inos
