#include "adapters/engine/shadow.hpp"

#include <algorithm>

#include "adapters/mapping/pointer.hpp"
#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kSeen = 1, kRec = 2, kRecIsSeen = 4, kSent = 8, kBefore = 16, kFlips = 32,
                       kQuarantined = 64;
constexpr std::size_t kFieldBytesMin = 3;  // lengths of path and shown, and the flags

bool rec_is_seen(ShadowField const& field) {
    return field.seen && field.seen->kind == SeenValue::Kind::read && field.rec &&
           *field.rec == field.seen->value;
}

bool has_flips(ShadowField const& field) {
    return field.flips > 0 || field.flips_since_ms > 0;
}

std::uint8_t flags_of(ShadowField const& field) {
    unsigned flags = 0;
    if (field.seen) flags |= kSeen;
    if (field.rec) flags |= rec_is_seen(field) ? kRecIsSeen : kRec;
    if (field.sent) flags |= kSent;
    if (field.before) flags |= kBefore;
    if (has_flips(field)) flags |= kFlips;
    if (field.quarantined) flags |= kQuarantined;
    return static_cast<std::uint8_t>(flags);
}

void put_seen(std::string& out, SeenValue const& seen) {
    out += static_cast<char>(seen.kind);
    put_blob(out, encode(seen.value));
}

Value take_value(Reader& in) {
    auto value = decode_value(in.blob());
    if (!value) in.fail();
    return value ? *std::move(value) : Value();
}

SeenValue take_seen(Reader& in) {
    SeenValue seen;
    std::uint8_t const kind = in.byte();
    if (kind != 1 && kind != 2) in.fail();
    seen.kind = static_cast<SeenValue::Kind>(kind);
    seen.value = take_value(in);
    return seen;
}

void put_field(std::string& out, ShadowField const& field) {
    put_blob(out, field.path);
    std::uint8_t const flags = flags_of(field);
    out += static_cast<char>(flags);
    if (field.seen) put_seen(out, *field.seen);
    if ((flags & kRec) != 0) put_blob(out, encode(*field.rec));
    if (field.sent) put_blob(out, encode(*field.sent));
    if (field.before) put_seen(out, *field.before);
    field.shown.encode(out);
    if ((flags & kFlips) == 0) return;
    put_varint(out, field.flips);
    put_varint(out, field.flips_since_ms);
}

std::uint32_t take_u32_varint(Reader& in) {
    std::uint64_t const value = in.varint();
    if (value > 0xffff'ffff) in.fail();
    return static_cast<std::uint32_t>(value);
}

std::string take_text(Reader& in, std::size_t bytes_max) {
    std::string_view const text = in.blob();
    if (text.size() > bytes_max || !valid_utf8(text)) in.fail();
    return std::string(text);
}

ShadowField take_field(Reader& in) {
    ShadowField field;
    field.path = take_text(in, kPointerBytesMax);
    std::uint8_t const flags = in.byte();
    if ((flags & kSeen) != 0) field.seen = take_seen(in);
    if ((flags & kRec) != 0) field.rec = take_value(in);
    if ((flags & kRecIsSeen) != 0 && field.seen) field.rec = field.seen->value;
    if ((flags & kSent) != 0) field.sent = take_value(in);
    if ((flags & kBefore) != 0) field.before = take_seen(in);
    auto shown = VersionVector::decode(in);
    if (!shown) in.fail();
    if (shown) field.shown = *std::move(shown);
    if ((flags & kFlips) != 0) {
        field.flips = take_u32_varint(in);
        field.flips_since_ms = in.varint();
    }
    field.quarantined = (flags & kQuarantined) != 0;
    if (in.ok() && flags_of(field) != flags) in.fail();  // there is one way to say it
    return field;
}

void put_error(std::string& out, ShadowError const& error) {
    out += static_cast<char>(error.error_class);
    put_blob(out, error.code);
    put_blob(out, error.message);
    put_varint(out, error.count);
    put_varint(out, error.first_ms);
    put_varint(out, error.last_ms);
}

ShadowError take_error(Reader& in) {
    ShadowError error;
    std::uint8_t const error_class = in.byte();
    if (error_class < 1 || error_class > static_cast<std::uint8_t>(ErrorClass::unknown)) in.fail();
    error.error_class = static_cast<ErrorClass>(error_class);
    error.code = take_text(in, kErrorCodeBytesMax);
    error.message = take_text(in, kErrorMessageBytesMax);
    error.count = take_u32_varint(in);
    error.first_ms = in.varint();
    error.last_ms = in.varint();
    return error;
}

bool take_flag(Reader& in) {
    std::uint8_t const flag = in.byte();
    if (flag > 1) in.fail();
    return flag == 1;
}

// At most so many bytes of the text, and no half character. What is no UTF-8 is left out.
std::string cut(std::string_view text, std::size_t bytes_max) {
    std::string_view kept = text.substr(0, bytes_max);
    while (!kept.empty() && !valid_utf8(kept))
        kept.remove_suffix(1);
    return std::string(kept);
}

}  // namespace

char const* error_class_name(ErrorClass error_class) {
    switch (error_class) {
        case ErrorClass::auth:
            return "auth";
        case ErrorClass::quota:
            return "quota";
        case ErrorClass::retry:
            return "retry";
        case ErrorClass::conflict:
            return "conflict";
        case ErrorClass::identity:
            return "identity";
        case ErrorClass::gone:
            return "gone";
        case ErrorClass::locked:
            return "locked";
        case ErrorClass::cursor:
            return "cursor";
        case ErrorClass::schema:
            return "schema";
        case ErrorClass::data:
            return "data";
        case ErrorClass::unknown:
            return "unknown";
    }
    return "unknown";
}

ShadowField const* Shadow::field(std::string_view path) const {
    auto const it =
        std::lower_bound(fields.begin(), fields.end(), path, [](auto const& field, auto wanted) {
            return field.path < wanted;
        });
    return it != fields.end() && it->path == path ? &*it : nullptr;
}

ShadowField& Shadow::field_for(std::string_view path) {
    auto it =
        std::lower_bound(fields.begin(), fields.end(), path, [](auto const& field, auto wanted) {
            return field.path < wanted;
        });
    if (it != fields.end() && it->path == path) return *it;
    it = fields.insert(it, ShadowField());
    it->path = path;
    return *it;
}

std::string Shadow::encode() const {
    std::string out;
    out += static_cast<char>(kVersion);
    out += static_cast<char>(state);
    out += static_cast<char>(misses);
    put_blob(out, record.collection);
    put_blob(out, record.key);
    put_blob(out, token);
    out += intent ? '\1' : '\0';
    if (intent) put_raw(out, *intent);
    out += error ? '\1' : '\0';
    if (error) put_error(out, *error);
    put_varint(out, fields.size());
    for (ShadowField const& field : fields)
        put_field(out, field);
    return out;
}

std::optional<Shadow> Shadow::decode(std::string_view bytes) {
    if (bytes.size() > kShadowBytesMax) return std::nullopt;
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    Shadow shadow;
    std::uint8_t const state = in.byte();
    if (state < 1 || state > 4) return std::nullopt;
    shadow.state = static_cast<State>(state);
    shadow.misses = in.byte();
    shadow.record.collection = in.blob();
    shadow.record.key = in.blob();
    if (!valid_name(shadow.record.collection) || !valid_name(shadow.record.key))
        return std::nullopt;
    shadow.token = take_text(in, kShadowTokenBytesMax);
    if (take_flag(in)) shadow.intent = take_raw<IntentId>(in);
    if (take_flag(in)) shadow.error = take_error(in);
    std::uint64_t const count = in.count(kFieldBytesMin);
    if (count > kShadowFieldsMax) return std::nullopt;
    for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
        ShadowField field = take_field(in);
        bool const ascends = shadow.fields.empty() || shadow.fields.back().path < field.path;
        if (!ascends) return std::nullopt;
        shadow.fields.push_back(std::move(field));
    }
    return in.finished() ? std::optional(std::move(shadow)) : std::nullopt;
}

void note_error(Shadow& shadow,
                ErrorClass error_class,
                std::string_view code,
                std::string_view message,
                std::uint64_t now_ms) {
    std::string kept_code = cut(code, kErrorCodeBytesMax);
    bool const same =
        shadow.error && shadow.error->error_class == error_class && shadow.error->code == kept_code;
    if (!same) shadow.error = ShadowError{error_class, std::move(kept_code), {}, 0, now_ms, now_ms};
    shadow.error->message = cut(message, kErrorMessageBytesMax);
    if (shadow.error->count < 0xffff'ffff) ++shadow.error->count;
    shadow.error->last_ms = now_ms;
}

std::string SuppressionMark::encode() const {
    std::string out;
    out += static_cast<char>(kVersion);
    put_varint(out, erased_ms);
    return out;
}

std::optional<SuppressionMark> SuppressionMark::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    SuppressionMark const mark{in.varint()};
    return in.finished() ? std::optional(mark) : std::nullopt;
}

crypto::Hash16 suppression_tag(crypto::Secret const& digest_key,
                               std::string_view system,
                               std::string_view object,
                               std::string_view external_id) {
    std::string text = "inos suppressed object 1";
    put_blob(text, system);
    put_blob(text, object);
    put_blob(text, external_id);
    return crypto::hash16(text, digest_key.view());
}

}  // namespace inos
