#include "storage/state_transfer.hpp"

#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;

std::string statement(SpaceId const& space, std::string_view body) {
    std::string text = "inos state 1";
    put_raw(text, space);
    text += body;
    return text;
}

auto malformed() {
    return fail(Errc::protocol, "a state's manifest or part is malformed");
}

}  // namespace

VersionVector StateManifest::vector() const {
    VersionVector vector;
    for (StateHead const& head : heads)
        vector.set(head.actor, head.seq);
    return vector;
}

std::string StateManifest::encode(SpaceId const& space, crypto::SigningKey const& key) const {
    std::string out;
    out += static_cast<char>(kVersion);
    put_raw(out, source);
    put_varint(out, records);
    put_raw(out, root);
    put_varint(out, heads.size());
    for (StateHead const& head : heads) {
        put_u64(out, head.actor.value);
        put_varint(out, head.seq);
        put_raw(out, head.chain);
        put_raw(out, head.signature);
        put_u64(out, head.hlc.value);
        head.deps.encode(out);
    }
    put_raw(out, crypto::sign(key, statement(space, out)));
    return out;
}

Result<StateManifest> decode_state_manifest(SpaceId const& space, std::string_view bytes) {
    crypto::Signature signature{};
    if (bytes.size() < signature.size() || bytes.size() > kStateManifestBytesMax)
        return malformed();
    std::string_view const body = bytes.substr(0, bytes.size() - signature.size());
    Reader signed_by(bytes.substr(body.size()));
    signature = take_raw<crypto::Signature>(signed_by);
    Reader in(body);
    StateManifest manifest;
    if (in.byte() != kVersion) return malformed();
    manifest.source = take_raw<SiteId>(in);
    manifest.records = in.varint();
    manifest.root = take_raw<crypto::Hash16>(in);
    manifest.heads.resize(in.count(114));
    for (std::size_t i = 0; i < manifest.heads.size(); ++i) {
        StateHead& head = manifest.heads[i];
        head.actor.value = in.u64();
        head.seq = in.varint();
        head.chain = take_raw<crypto::Hash32>(in);
        head.signature = take_raw<crypto::Signature>(in);
        head.hlc.value = in.u64();
        auto deps = VersionVector::decode(in);
        bool const ascending = i == 0 || manifest.heads[i - 1].actor < head.actor;
        if (!deps || !ascending || head.seq == 0 || head.seq > kSeqMax) return malformed();
        head.deps = *std::move(deps);
    }
    if (!in.finished()) return malformed();
    if (!crypto::verify(manifest.source, statement(space, body), signature))
        return fail(Errc::protocol, "a state is not signed by the site that it names");
    return manifest;
}

std::string StatePart::encode() const {
    std::string out;
    put_blob(out, manifest);
    out += static_cast<char>(last ? 1 : 0);
    put_varint(out, rows.size());
    for (StateRow const& row : rows) {
        put_blob(out, row.name);
        put_blob(out, row.record);
        put_blob(out, row.proof);
    }
    return out;
}

Result<StatePart> StatePart::decode(std::string_view bytes) {
    if (bytes.size() > kStatePartBytesMax) return malformed();
    Reader in(bytes);
    StatePart part;
    part.manifest = in.blob();
    std::uint8_t const last = in.byte();
    part.last = last == 1;
    part.rows.resize(in.count(3));
    for (StateRow& row : part.rows) {
        row.name = in.blob();
        row.record = in.blob();
        row.proof = in.blob();
    }
    if (!in.finished() || last > 1 || part.rows.size() > kStatePartRows) return malformed();
    return part;
}

}  // namespace inos
