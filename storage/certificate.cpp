#include "storage/certificate.hpp"

#include <algorithm>

#include "crdt/value.hpp"
#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kKindActor = 1, kVersion = 1;
constexpr std::size_t kActorAt = 2 + sizeof(SpaceId);  // in a certificate's bytes
constexpr std::size_t kNonceBytes = sizeof(Nonce);
constexpr char kChange = 'c';

void put_hashes(std::string& out, std::vector<StatementHash> const& hashes) {
    put_varint(out, hashes.size());
    for (StatementHash const& hash : hashes)
        put_raw(out, hash);
}

std::vector<StatementHash> take_hashes(Reader& in) {
    std::vector<StatementHash> hashes(in.count(sizeof(StatementHash)));
    for (StatementHash& hash : hashes)
        hash = take_raw<StatementHash>(in);
    return hashes;
}

}  // namespace

char const* role_name(Role role) {
    switch (role) {
        case Role::admin:
            return "admin";
        case Role::writer:
            return "writer";
        case Role::reader:
            return "reader";
        case Role::relay:
            return "relay";
    }
    return "unknown";
}

std::optional<Role> parse_role(std::string_view name) {
    for (Role const role : {Role::admin, Role::writer, Role::reader, Role::relay})
        if (name == role_name(role)) return role;
    return std::nullopt;
}

std::string Genesis::encode() const {
    std::string out;
    put_blob(out, name);
    put_raw(out, founder);
    put_raw(out, nonce);
    return out;
}

std::optional<Genesis> Genesis::decode(std::string_view bytes) {
    Reader in(bytes);
    Genesis genesis;
    genesis.name = in.blob();
    genesis.founder = take_raw<SiteId>(in);
    genesis.nonce = take_raw<std::array<std::uint8_t, 16>>(in);
    if (!in.finished() || !valid_name(genesis.name)) return std::nullopt;
    return genesis;
}

SpaceId Genesis::id() const {
    auto const hash = crypto::Hasher32().add("inos space 1").add(encode()).finish();
    SpaceId id;
    std::copy_n(hash.begin(), id.size(), id.begin());
    return id;
}

bool Certificate::may_write(std::string_view collection) const {
    if (!may_write()) return false;
    // These are for admins; the other reserved collections follow the scope.
    bool const for_admins =
        collection == "_schema" || collection == "_spaces" || collection == "_reviews";
    if (for_admins) return role == Role::admin;
    return scope.empty() || std::find(scope.begin(), scope.end(), collection) != scope.end();
}

namespace {

std::string unsigned_bytes(Certificate const& certificate, SiteId const& issuer) {
    std::string out;
    out += static_cast<char>(kKindActor);
    out += static_cast<char>(kVersion);
    put_raw(out, certificate.space);
    put_u64(out, certificate.actor.value);
    put_raw(out, certificate.site);
    put_raw(out, certificate.channel);
    put_raw(out, certificate.sealing);
    put_blob(out, certificate.name);
    out += static_cast<char>(certificate.role);
    put_varint(out, certificate.scope.size());
    for (auto const& collection : certificate.scope)
        put_blob(out, collection);
    put_raw(out, issuer);
    certificate.issuer_vv.encode(out);
    put_blob(out, certificate.extension);
    return out;
}

// `bytes`: a certificate without its signature.
ActorId following_actor(std::string bytes) {
    std::fill_n(bytes.begin() + kActorAt, 8, '\0');
    auto const hash = crypto::Hasher32().add("inos actor 1").add(bytes).finish();
    return ActorId{Reader(crypto::view(hash)).u64()};
}

}  // namespace

std::string issue(Certificate const& certificate, crypto::SigningKey const& issuer) {
    std::string out = unsigned_bytes(certificate, issuer.public_key);
    put_raw(out, crypto::sign(issuer, certificate_statement(out)));
    return out;
}

std::string issue_following(Certificate certificate,
                            Nonce const& nonce,
                            crypto::SigningKey const& issuer) {
    certificate.extension.clear();
    put_raw(certificate.extension, nonce);
    certificate.actor = following_actor(unsigned_bytes(certificate, issuer.public_key));
    return issue(certificate, issuer);
}

std::string issue_change(Certificate certificate,
                         RightsChange const& change,
                         Nonce const& nonce,
                         crypto::SigningKey const& issuer) {
    certificate.extension = kChange;
    put_raw(certificate.extension, nonce);
    put_hashes(certificate.extension, change.replaced);
    put_hashes(certificate.extension, change.issued);
    certificate.actor = following_actor(unsigned_bytes(certificate, issuer.public_key));
    return issue(certificate, issuer);
}

std::optional<RightsChange> change_of(Certificate const& certificate) {
    Reader in(certificate.extension);
    if (certificate.extension.size() == kNonceBytes || in.byte() != kChange) return std::nullopt;
    in.take(kNonceBytes);
    RightsChange change;
    change.replaced = take_hashes(in);
    change.issued = take_hashes(in);
    return in.finished() ? std::optional(std::move(change)) : std::nullopt;
}

bool actor_follows(Certificate const& certificate, std::string_view bytes, bool always) {
    bool const chosen = certificate.extension.size() != kNonceBytes && !change_of(certificate);
    std::size_t const body = bytes.size() - sizeof(crypto::Signature);
    return (chosen && !always) ||
           certificate.actor == following_actor(std::string(bytes.substr(0, body)));
}

std::string certificate_statement(std::string_view unsigned_bytes) {
    std::string out = "inos certificate 1";
    out += unsigned_bytes;
    return out;
}

bool is_continuation(Certificate const& certificate, SiteId const& founder) {
    bool const root = certificate.issuer == founder && certificate.extension.empty();
    return certificate.issuer == certificate.site && !root;
}

bool continues(Certificate const& next, Certificate const& known) {
    return next.issuer == known.site && next.site == known.site && next.role == known.role &&
           next.scope == known.scope;
}

Result<Certificate> decode_certificate(std::string_view bytes) {
    auto const malformed = [] {
        return fail(Errc::protocol, "a membership certificate is malformed; its sender is faulty");
    };
    if (bytes.size() > kCertificateBytesMax) return malformed();
    Reader in(bytes);
    std::uint8_t const kind = in.byte(), version = in.byte();
    if (in.ok() && (kind != kKindActor || version != kVersion))
        return fail(
            Errc::unsupported,
            "a membership certificate of a newer version cannot be read; upgrade this node");
    Certificate certificate;
    certificate.space = take_raw<SpaceId>(in);
    certificate.actor.value = in.u64();
    certificate.site = take_raw<SiteId>(in);
    certificate.channel = take_raw<crypto::PublicKey>(in);
    certificate.sealing = take_raw<crypto::PublicKey>(in);
    certificate.name = in.blob();
    std::uint8_t const role = in.byte();
    certificate.role = static_cast<Role>(role);
    certificate.scope.resize(in.count());
    for (auto& collection : certificate.scope)
        collection = in.blob();
    certificate.issuer = take_raw<SiteId>(in);
    auto vv = VersionVector::decode(in);
    certificate.extension = in.blob();
    in.take(sizeof(crypto::Signature));
    bool const sound = in.finished() && vv && role >= 1 && role <= 4 &&
                       valid_name(certificate.name) && certificate.actor.value != 0 &&
                       std::all_of(certificate.scope.begin(), certificate.scope.end(), valid_name);
    if (!sound) return malformed();
    certificate.issuer_vv = *std::move(vv);
    return certificate;
}

}  // namespace inos
