#include "storage/state_transfer.hpp"

#include <algorithm>

#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kHeadBytesMin = 8 + 1 + 32 + 64 + 1;

std::string statement(SpaceId const& space, std::string_view body) {
    std::string text = "inos state 2";
    put_raw(text, space);
    text += body;
    return text;
}

auto malformed() {
    return fail(Errc::protocol, "a state's manifest or part is malformed");
}

bool sound(StateHead const& head) {
    if (head.seq == 0 || head.seq > kSeqMax || head.floor > head.seq) return false;
    bool const has_floor = head.floor > 0;
    if (has_floor && (head.known == 0 || head.known > head.floor)) return false;
    return head.floor < head.seq || head.floor_chain == head.chain;
}

}  // namespace

std::string state_row::name(char kind, ActorId actor, std::optional<std::uint64_t> number) {
    std::string out(1, kind);
    put_u64(out, actor.value);
    if (number) put_u64(out, *number);
    return out;
}

std::optional<state_row::Numbered> state_row::parse(std::string_view name) {
    Reader in(name);
    Numbered row;
    row.kind = static_cast<char>(in.byte());
    row.actor.value = in.u64();
    if (row.kind == kHashes || row.kind == kEntry) row.number = in.u64();
    bool const known = row.kind == kDeps || row.kind == kHashes || row.kind == kEntry;
    return known && in.finished() ? std::optional(row) : std::nullopt;
}

VersionVector StateManifest::vector() const {
    VersionVector vector;
    for (StateHead const& head : heads)
        vector.set(head.actor, head.seq);
    return vector;
}

StateHead const* StateManifest::find(ActorId actor) const {
    auto const it = std::lower_bound(
        heads.begin(), heads.end(), actor, [](StateHead const& head, ActorId wanted) {
            return head.actor < wanted;
        });
    return it == heads.end() || it->actor != actor ? nullptr : &*it;
}

std::uint64_t StateManifest::deps() const {
    return static_cast<std::uint64_t>(std::count_if(
        heads.begin(), heads.end(), [](StateHead const& head) { return head.floor > 0; }));
}

std::uint64_t StateManifest::hashes() const {
    std::uint64_t sum = 0;
    for (StateHead const& head : heads)
        if (head.floor > 0) sum += head.floor - head.known + 1;
    return sum;
}

std::uint64_t StateManifest::entries() const {
    std::uint64_t sum = 0;
    for (StateHead const& head : heads)
        sum += head.seq - head.floor;
    return sum;
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
        put_varint(out, head.floor);
        if (head.floor == 0) continue;
        put_varint(out, head.known);
        put_raw(out, head.floor_chain);
        put_u64(out, head.floor_hlc.value);
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
    manifest.heads.resize(in.count(kHeadBytesMin));
    Seq total = 0;
    for (std::size_t i = 0; i < manifest.heads.size(); ++i) {
        StateHead& head = manifest.heads[i];
        head.actor.value = in.u64();
        head.seq = in.varint();
        head.chain = take_raw<crypto::Hash32>(in);
        head.signature = take_raw<crypto::Signature>(in);
        head.floor = in.varint();
        if (head.floor > 0) {
            head.known = in.varint();
            head.floor_chain = take_raw<crypto::Hash32>(in);
            head.floor_hlc.value = in.u64();
        }
        bool const ascending = i == 0 || manifest.heads[i - 1].actor < head.actor;
        if (!ascending || !sound(head)) return malformed();
        total += head.seq;
        if (total > kSeqMax) return malformed();
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
        put_blob(out, row.value);
        put_blob(out, row.extra);
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
        row.value = in.blob();
        row.extra = in.blob();
    }
    if (!in.finished() || last > 1 || part.rows.size() > kStatePartRows) return malformed();
    return part;
}

}  // namespace inos
