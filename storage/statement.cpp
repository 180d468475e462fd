#include "storage/statement.hpp"

#include <algorithm>
#include <optional>

#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kEpochMax = std::uint64_t{1} << 32;

void put_point(std::string& out, ActorPoint const& point) {
    put_u64(out, point.actor.value);
    put_varint(out, point.seq);
    put_raw(out, point.chain);
}

ActorPoint take_point(Reader& in) {
    ActorPoint point;
    point.actor.value = in.u64();
    point.seq = in.varint();
    point.chain = take_raw<crypto::Hash32>(in);
    if (point.seq == 0 || point.seq > kSeqMax) in.fail();
    return point;
}

void put_body(std::string& out, Retirement const& retirement) {
    put_raw(out, retirement.site);
    put_varint(out, retirement.made_ms);
    put_varint(out, retirement.held.size());
    for (ActorPoint const& point : retirement.held)
        put_point(out, point);
    put_varint(out, retirement.issued.size());
    for (StatementHash const& hash : retirement.issued)
        put_raw(out, hash);
}

void put_body(std::string& out, ActorEnd const& end) {
    put_point(out, end.last);
}

void put_body(std::string& out, KeyStatement const& key) {
    put_varint(out, key.name.epoch);
    put_u64(out, key.name.id);
    put_varint(out, key.envelopes.size());
    for (auto const& envelope : key.envelopes) {
        put_raw(out, envelope.site);
        put_blob(out, envelope.sealed);
    }
}

void put_body(std::string& out, RecoveryKey const& recovery) {
    put_raw(out, recovery.key);
}

StatementKind kind_of(Retirement const&) {
    return StatementKind::retirement;
}
StatementKind kind_of(ActorEnd const&) {
    return StatementKind::actor_end;
}
StatementKind kind_of(KeyStatement const&) {
    return StatementKind::key;
}
StatementKind kind_of(RecoveryKey const&) {
    return StatementKind::recovery;
}

Retirement take_retirement(Reader& in) {
    Retirement retirement;
    retirement.site = take_raw<SiteId>(in);
    retirement.made_ms = in.varint();
    retirement.held.resize(in.count(41));
    for (ActorPoint& point : retirement.held)
        point = take_point(in);
    retirement.issued.resize(in.count(sizeof(StatementHash)));
    for (StatementHash& hash : retirement.issued)
        hash = take_raw<StatementHash>(in);
    return retirement;
}

KeyStatement take_key(Reader& in) {
    KeyStatement key;
    key.name.epoch = in.varint();
    if (key.name.epoch == 0 || key.name.epoch > kEpochMax) in.fail();
    key.name.id = in.u64();
    key.envelopes.resize(in.count(33));
    for (auto& envelope : key.envelopes) {
        envelope.site = take_raw<SiteId>(in);
        envelope.sealed = in.blob();
    }
    return key;
}

// False: of a kind that is not known here.
bool take_body(Reader& in, std::uint8_t kind, Statement& out) {
    switch (static_cast<StatementKind>(kind)) {
        case StatementKind::retirement:
            out.what = take_retirement(in);
            return true;
        case StatementKind::actor_end:
            out.what = ActorEnd{take_point(in)};
            return true;
        case StatementKind::key:
            out.what = take_key(in);
            return true;
        case StatementKind::recovery:
            out.what = RecoveryKey{take_raw<SiteId>(in)};
            return true;
        case StatementKind::certificate:
            break;
    }
    return false;
}

}  // namespace

std::uint64_t key_id(crypto::Secret const& key) {
    auto const hash = crypto::Hasher32().add("inos key id 1").add(key.view()).finish();
    return Reader(crypto::view(hash)).u64();
}

StatementHash statement_hash(std::string_view bytes) {
    return crypto::hash16(bytes);
}

std::string state(SpaceId const& space,
                  std::variant<Retirement, ActorEnd, KeyStatement, RecoveryKey> const& what,
                  crypto::SigningKey const& issuer) {
    std::string out;
    out += std::visit([](auto const& w) { return static_cast<char>(kind_of(w)); }, what);
    out += static_cast<char>(kVersion);
    put_raw(out, space);
    put_raw(out, issuer.public_key);
    std::visit([&out](auto const& w) { put_body(out, w); }, what);
    put_blob(out, {});
    put_raw(out, crypto::sign(issuer, "inos statement 1" + out));
    return out;
}

Result<Statement> decode_statement(SpaceId const& space, std::string_view bytes) {
    auto const malformed = [] {
        return fail(Errc::protocol, "a statement about members is malformed; its sender is faulty");
    };
    Statement out;
    if (bytes.empty()) return malformed();
    if (static_cast<std::uint8_t>(bytes[0]) ==
        static_cast<std::uint8_t>(StatementKind::certificate)) {
        INOS_TRY(Certificate certificate, decode_certificate(bytes));
        if (certificate.space != space)
            return fail(Errc::protocol,
                        "the certificate of \"" + certificate.name + "\" belongs to another space");
        out.issuer = certificate.issuer;
        out.what = std::move(certificate);
        return out;
    }
    if (bytes.size() > kStatementBytesMax || bytes.size() < sizeof(crypto::Signature))
        return malformed();
    Reader in(bytes.substr(0, bytes.size() - sizeof(crypto::Signature)));
    std::uint8_t const kind = in.byte(), version = in.byte();
    auto const of = take_raw<SpaceId>(in);
    out.issuer = take_raw<SiteId>(in);
    if (!in.ok() || kind == 0 || version == 0) return malformed();
    if (of != space) return fail(Errc::protocol, "a statement about members is of another space");
    if (version != kVersion || !take_body(in, kind, out)) {
        out.what = UnknownStatement();
        return out;
    }
    in.blob();
    if (!in.finished()) return malformed();
    return out;
}

bool is_signed(Statement const& statement, std::string_view bytes) {
    std::string_view const body = bytes.substr(0, bytes.size() - sizeof(crypto::Signature));
    crypto::Signature signature;
    std::copy(
        bytes.begin() + static_cast<std::ptrdiff_t>(body.size()), bytes.end(), signature.begin());
    bool const certificate = std::holds_alternative<Certificate>(statement.what);
    return crypto::verify(
        statement.issuer,
        certificate ? certificate_statement(body) : "inos statement 1" + std::string(body),
        signature);
}

}  // namespace inos
