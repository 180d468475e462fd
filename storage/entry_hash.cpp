#include "storage/entry_hash.hpp"

#include <algorithm>

namespace inos {
crypto::Hash32 op_key(EntryFrame const& frame, std::size_t index) {
    crypto::Hash32 key{};
    if (!frame.ops[index].key.empty()) {
        std::copy_n(frame.ops[index].key.begin(), key.size(), key.begin());
        return key;
    }
    std::string text = "inos op key 1";
    put_u32(text, static_cast<std::uint32_t>(index));
    std::string salt(frame.salt);
    if (salt.size() < 16) salt += std::string(8, '\0');
    return crypto::hash32(text, salt);
}

crypto::Hash32 chain_start(std::string_view certificate) {
    return crypto::Hasher32().add("inos chain 0").add(certificate).finish();
}

crypto::Hash32 op_hash(EntryFrame const& frame, std::size_t index) {
    auto const& op = frame.ops[index];
    if (op.kind_and_body.empty()) return op.erased;
    return crypto::hash32(op.kind_and_body, crypto::view(op_key(frame, index)));
}

namespace {

using CollectionTag = std::array<std::uint8_t, 4>;

CollectionTag collection_tag(crypto::Secret const& digest_key, std::string_view collection) {
    std::string text = "inos collection tag 1";
    put_blob(text, collection);
    auto const hash = crypto::hash16(text, digest_key.view());
    CollectionTag tag{};
    std::copy_n(hash.begin(), tag.size(), tag.begin());
    return tag;
}

RecordTag tag_of(CollectionTag const& of_collection,
                 crypto::Secret const& digest_key,
                 std::string_view collection,
                 std::string_view key) {
    std::string text = "inos tag 1";
    put_blob(text, collection);
    put_blob(text, key);
    RecordTag tag = crypto::hash16(text, digest_key.view());
    std::copy(of_collection.begin(), of_collection.end(), tag.begin());
    return tag;
}

}  // namespace

RecordTag record_tag(crypto::Secret const& digest_key,
                     std::string_view collection,
                     std::string_view key) {
    return tag_of(collection_tag(digest_key, collection), digest_key, collection, key);
}

bool is_tag_in(RecordTag const& tag,
               crypto::Secret const& digest_key,
               std::string_view collection) {
    auto const expected = collection_tag(digest_key, collection);
    return std::equal(expected.begin(), expected.end(), tag.begin());
}

std::vector<RecordTag> op_tags(EntryFrame const& frame, crypto::Secret const& digest_key) {
    std::vector<RecordTag> tags(frame.ops.size());
    auto const names = header_names(frame.header);
    std::string_view collection;  // of the op before: most entries are about one
    CollectionTag of_collection{};
    for (std::size_t i = 0; i < tags.size(); ++i) {
        auto const& op = frame.ops[i];
        if (op.kind_and_body.empty()) {
            tags[i] = op.tag;
        } else if (auto const record = op_record(names, op.kind_and_body)) {
            if (collection.empty() || collection != record->collection)
                of_collection = collection_tag(digest_key, record->collection);
            collection = record->collection;
            tags[i] = tag_of(of_collection, digest_key, collection, record->key);
        }
    }
    return tags;
}

HashedEntry hash_entry(crypto::Hash32 const& previous,
                       std::string_view entry,
                       crypto::Secret const& digest_key) {
    HashedEntry hashed;
    hashed.frame = frame_entry(entry);
    crypto::Hasher32 chain;
    if (!hashed.frame) {
        chain.add("inos chain 1 malformed").add(crypto::view(previous));
        hashed.chain = chain.add(crypto::view(crypto::hash32(entry))).finish();
        return hashed;
    }
    hashed.tags = op_tags(*hashed.frame, digest_key);
    chain.add("inos chain 1").add(crypto::view(previous));
    chain.add(crypto::view(crypto::hash32(hashed.frame->header)));
    for (std::size_t i = 0; i < hashed.tags.size(); ++i)
        chain.add(crypto::view(hashed.tags[i])).add(crypto::view(op_hash(*hashed.frame, i)));
    hashed.chain = chain.finish();
    return hashed;
}

crypto::Hash32 chain_next(crypto::Hash32 const& previous,
                          std::string_view entry,
                          crypto::Secret const& digest_key) {
    return hash_entry(previous, entry, digest_key).chain;
}

std::optional<std::string> erase_ops(std::string_view entry,
                                     crypto::Secret const& digest_key,
                                     std::function<bool(RecordTag const&)> const& goes,
                                     VoidReason reason) {
    auto const frame = frame_entry(entry);
    if (!frame) return std::nullopt;
    auto const tags = op_tags(*frame, digest_key);
    std::vector<Stub> stubs;
    for (std::size_t i = 0; i < tags.size(); ++i)
        if (!frame->ops[i].kind_and_body.empty() && tags[i] != RecordTag{} && goes(tags[i]))
            stubs.push_back({i, tags[i], op_hash(*frame, i), reason});
    if (stubs.empty()) return std::nullopt;
    std::vector<OpHash> keys;
    for (std::size_t i = 0; i < frame->ops.size(); ++i)
        keys.push_back(frame->ops[i].kind_and_body.empty() ? OpHash{} : op_key(*frame, i));
    return encode_erased(*frame, stubs, keys);
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

std::string erasure_statement(SpaceId const& space,
                              ActorId actor,
                              std::string_view collection,
                              RecordTag const& tag) {
    std::string out = "inos erase 1";
    out.append(reinterpret_cast<char const*>(space.data()), space.size());
    put_u64(out, actor.value);
    put_blob(out, collection);
    out += crypto::view(tag);
    return out;
}

}  // namespace inos
