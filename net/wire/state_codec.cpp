#include "net/wire/state_codec.hpp"

#include "storage/compression.hpp"
#include "storage/raw_bytes.hpp"
#include "storage/statement.hpp"

namespace inos::wire {
namespace {

std::string associated(StatePart const& part) {
    std::string out = "inos state part 1";
    put_raw(out, part.space);
    put_u64(out, part.key_id);
    put_raw(out, part.id);
    put_blob(out, part.after);
    return out;
}

}  // namespace

StatePart seal_state_part(SpaceId const& space,
                          crypto::Secret const& key,
                          inos::StatePart const& part) {
    StatePart out{space, part.id, part.after, key_id(key), {}};
    out.sealed = crypto::seal(key, compress(part.encode()), associated(out));
    return out;
}

Result<inos::StatePart> open_state_part(StatePart const& sealed, crypto::Secret const& key) {
    auto const opened = crypto::open(key, sealed.sealed, associated(sealed));
    if (!opened)
        return fail(Errc::protocol,
                    "a part of a state was not sealed with this space's key, or was changed");
    INOS_TRY(std::string const content, decompress(*opened, kStatePartBytesMax));
    INOS_TRY(auto part, inos::StatePart::decode(content));
    part.id = sealed.id;
    part.after = sealed.after;
    return part;
}

std::string encode_state_heads(std::vector<DepHead> const& heads) {
    std::string out;
    put_varint(out, heads.size());
    for (DepHead const& head : heads) {
        put_u64(out, head.actor.value);
        put_varint(out, head.seq);
        put_raw(out, head.chain);
    }
    return out;
}

std::optional<std::vector<DepHead>> decode_state_heads(std::string_view bytes) {
    Reader in(bytes);
    std::vector<DepHead> heads(in.count(17));
    for (std::size_t i = 0; i < heads.size(); ++i) {
        DepHead& head = heads[i];
        head.actor.value = in.u64();
        head.seq = in.varint();
        head.chain = take_raw<ChainPrefix>(in);
        bool const ascending = i == 0 || heads[i - 1].actor < head.actor;
        if (!ascending || head.seq == 0 || head.seq > kSeqMax) return std::nullopt;
    }
    return in.finished() ? std::optional(std::move(heads)) : std::nullopt;
}

}  // namespace inos::wire
