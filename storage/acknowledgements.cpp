#include "storage/acknowledgements.hpp"

#include <algorithm>

#include "crdt/bytes.hpp"
#include "storage/entry_hash.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;

template <std::size_t N>
void take_bytes(Reader& in, std::array<std::uint8_t, N>& bytes) {
    std::string_view const raw = in.take(N);
    std::copy(raw.begin(), raw.end(), bytes.begin());
}

template <std::size_t N>
std::string_view view_of(std::array<std::uint8_t, N> const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), N};
}

std::string statement(SpaceId const& space, std::string_view body) {
    std::string text = "inos acknowledgement 1";
    text += view_of(space);
    text += body;
    return text;
}

}  // namespace

namespace {

DepHead head_of(ActorPoint const& end) {
    return {end.actor, end.seq, chain_prefix(end.chain)};
}

// Both ascend by actor. Calls `one` for each actor with the head and the end that there are of it.
template <class One>
void for_each_actor(std::vector<DepHead> const& heads,
                    std::map<ActorId, ActorPoint> const& ends,
                    One one) {
    auto head = heads.begin();
    auto end = ends.begin();
    while (head != heads.end() || end != ends.end()) {
        bool const by_end = head == heads.end() || (end != ends.end() && end->first < head->actor);
        bool const both = !by_end && end != ends.end() && end->first == head->actor;
        one(by_end ? nullptr : &*head, by_end || both ? &end->second : nullptr);
        if (!by_end) ++head;
        if (by_end || both) ++end;
    }
}

}  // namespace

bool is_at_end(DepHead const& held, DepHead const& end) {
    return held == end || (held.seq == 0 && end.seq == 0);
}

std::vector<DepHead> Acknowledgement::all_heads(Membership const& known) const {
    static std::map<ActorId, ActorPoint> const kNone;
    std::vector<DepHead> all;
    auto const& ends = known.digest() == membership ? known.ends() : kNone;
    for_each_actor(heads, ends, [&](DepHead const* head, ActorPoint const* end) {
        DepHead const held = head ? *head : head_of(*end);
        if (held.seq > 0) all.push_back(held);
    });
    return all;
}

VersionVector Acknowledgement::vector(Membership const& known) const {
    VersionVector vector;
    for (DepHead const& head : all_heads(known))
        vector.set(head.actor, head.seq);
    return vector;
}

std::vector<DepHead> without_ended(std::vector<DepHead> const& heads,
                                   std::map<ActorId, ActorPoint> const& ends) {
    std::vector<DepHead> named;
    for_each_actor(heads, ends, [&](DepHead const* head, ActorPoint const* end) {
        DepHead const held = head ? *head : DepHead{end->actor, 0, {}};
        if (!end || !is_at_end(held, head_of(*end))) named.push_back(held);
    });
    return named;
}

bool Acknowledgement::same_as(Acknowledgement const& other) const {
    return site == other.site && membership == other.membership && heads == other.heads &&
           scrubbed == other.scrubbed;
}

std::string Acknowledgement::encode(SpaceId const& space, crypto::SigningKey const& key) const {
    std::string out;
    out += static_cast<char>(kVersion);
    out += view_of(site);
    put_varint(out, counter);
    put_varint(out, made_ms);
    out += view_of(membership);
    put_varint(out, heads.size());
    for (DepHead const& head : heads) {
        put_u64(out, head.actor.value);
        put_varint(out, head.seq);
        out += view_of(head.chain);
    }
    out += static_cast<char>(scrubbed ? 1 : 0);
    if (scrubbed) scrubbed->encode(out);
    out += crypto::view(crypto::sign(key, statement(space, out)));
    return out;
}

Result<Acknowledgement> decode_acknowledgement(SpaceId const& space, std::string_view bytes) {
    auto const malformed = [] { return fail(Errc::protocol, "an acknowledgement is malformed"); };
    crypto::Signature signature{};
    if (bytes.size() < signature.size() || bytes.size() > kAcknowledgementBytesMax)
        return malformed();
    std::string_view const body = bytes.substr(0, bytes.size() - signature.size());
    std::string_view const signed_by = bytes.substr(body.size());
    std::copy(signed_by.begin(), signed_by.end(), signature.begin());
    Reader in(body);
    Acknowledgement ack;
    if (in.byte() != kVersion) return malformed();
    take_bytes(in, ack.site);
    ack.counter = in.varint();
    ack.made_ms = in.varint();
    take_bytes(in, ack.membership);
    ack.heads.resize(in.count(17));
    for (std::size_t i = 0; i < ack.heads.size(); ++i) {
        DepHead& head = ack.heads[i];
        head.actor.value = in.u64();
        head.seq = in.varint();
        take_bytes(in, head.chain);
        bool const ascending = i == 0 || ack.heads[i - 1].actor < head.actor;
        if (!in.ok() || !ascending || head.seq > kSeqMax) return malformed();
    }
    std::uint8_t const partial = in.byte();
    if (partial == 1) {
        ack.scrubbed = VersionVector::decode(in);
        if (!ack.scrubbed) return malformed();
    }
    if (!in.finished() || partial > 1) return malformed();
    if (!crypto::verify(ack.site, statement(space, body), signature))
        return fail(Errc::protocol, "an acknowledgement is not signed by the site that it names");
    return ack;
}

std::optional<SiteId> acknowledgement_site(std::string_view bytes) {
    Reader in(bytes);
    SiteId site{};
    in.byte();
    take_bytes(in, site);
    return in.ok() ? std::optional(site) : std::nullopt;
}

crypto::Hash16 Acknowledgements::digest_of(std::map<SiteId, std::string> const& by_site) {
    std::string all = "inos acknowledgements 1";
    for (auto const& [site, bytes] : by_site)
        all += crypto::view(crypto::hash16(bytes));
    return crypto::hash16(all);
}

bool acknowledges(Certificate const& certificate) {
    return certificate.role != Role::relay;
}

}  // namespace inos
