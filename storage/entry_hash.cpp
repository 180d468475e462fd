#include "storage/entry_hash.hpp"

#include <algorithm>

namespace inos {
namespace {

crypto::Hash32 op_key(std::string_view salt, std::size_t index) {
    std::string text = "inos op key 1";
    put_u32(text, static_cast<std::uint32_t>(index));
    return crypto::hash32(text,
                          salt.size() >= 16 ? salt : std::string(salt) + std::string(8, '\0'));
}

}  // namespace

crypto::Hash32 chain_start(std::string_view certificate) {
    return crypto::Hasher32().add("inos chain 0").add(certificate).finish();
}

crypto::Hash32 op_hash(EntryFrame const& frame, std::size_t index) {
    auto const& op = frame.ops[index];
    if (op.kind_and_body.empty()) return op.erased;
    if (!op.key.empty()) return crypto::hash32(op.kind_and_body, op.key);
    auto const key = op_key(frame.salt, index);
    return crypto::hash32(op.kind_and_body, crypto::view(key));
}

crypto::Hash32 chain_next(crypto::Hash32 const& previous, std::string_view entry) {
    crypto::Hasher32 chain;
    auto const frame = frame_entry(entry);
    if (!frame)
        return chain.add("inos chain 1 malformed")
            .add(crypto::view(previous))
            .add(crypto::view(crypto::hash32(entry)))
            .finish();
    chain.add("inos chain 1").add(crypto::view(previous));
    chain.add(crypto::view(crypto::hash32(frame->header)));
    for (std::size_t i = 0; i < frame->ops.size(); ++i)
        chain.add(crypto::view(op_hash(*frame, i)));
    return chain.finish();
}

ChainPrefix chain_prefix(crypto::Hash32 const& chain) {
    ChainPrefix prefix;
    std::copy_n(chain.begin(), prefix.size(), prefix.begin());
    return prefix;
}

std::string head_statement(SpaceId const& space, Dot dot, crypto::Hash32 const& chain) {
    std::string out = "inos chain head 1";
    out.append(reinterpret_cast<char const*>(space.data()), space.size());
    put_u64(out, dot.actor.value);
    put_u64(out, dot.seq);
    out += crypto::view(chain);
    return out;
}

}  // namespace inos
