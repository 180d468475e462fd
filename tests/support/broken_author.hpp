// A member that signs what it should not: entries made by hand under a real site's key. What it
// says is authentic, so receivers have to keep and forward it, whatever it is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "crdt/types/types.hpp"
#include "storage/entry_hash.hpp"
#include "tests/support/space.hpp"

namespace inos::test {

// An op that makes the record afresh with one text in it.
inline Op simple_op(std::string collection, std::string key, std::string const& text = "x") {
    Op op;
    op.kind = static_cast<std::uint64_t>(OpKind::change);
    op.collection = std::move(collection);
    op.key = std::move(key);
    op.fresh = true;
    std::string const path = path_child({}, "name", CellType::register_);
    op.edits.push_back({static_cast<std::uint64_t>(EditKind::write), path, encode(Value(text))});
    return op;
}

class BrokenAuthor {
public:
    // Speaks in the name of a site that has not written yet.
    BrokenAuthor(Site const& site, SpaceId const& space, crypto::Secret const& digest_key)
        : key_(site.keys.identity),
          actor_(site.actor()),
          space_(space),
          digest_key_(digest_key),
          chain_(chain_start(site.certificate_bytes)) {}

    Dot next() const { return {actor_, entries_.size() + 1}; }
    crypto::Hash32 const& chain() const { return chain_; }

    EntryHeader header(std::vector<std::string> names = {"customers", "name"}) const {
        EntryHeader header;
        header.dot = next();
        header.hlc = Hlc::from(kTestNowMs, static_cast<std::uint16_t>(next().seq));
        header.source = "broken";
        header.names = std::move(names);
        return header;
    }

    BrokenAuthor& say_bytes(std::string bytes) {
        chain_ = chain_next(chain_, bytes, digest_key_);
        heads_.push_back({actor_, next().seq, {}});
        heads_.back().signature = sign(key_, head_statement(space_, next(), chain_));
        entries_.push_back(std::move(bytes));
        return *this;
    }
    BrokenAuthor& say(EntryHeader const& header, std::vector<Op> const& ops) {
        return say_bytes(encode_entry(header, kSalt, ops));
    }
    BrokenAuthor& say(std::vector<Op> const& ops) { return say(header(), ops); }

    // Entries from `first` on, signed at the end only.
    EntryBatch batch(Seq first = 1) const {
        EntryRun run{actor_, first, {}};
        run.entries.assign(entries_.begin() + static_cast<std::ptrdiff_t>(first - 1),
                           entries_.end());
        return {{std::move(run)}, {heads_.back()}, {}};
    }
    std::vector<std::string> const& entries() const { return entries_; }
    SignedHead const& head(Seq seq) const { return heads_.at(seq - 1); }

    static constexpr Salt kSalt{1, 2, 3, 4, 5, 6, 7, 8};

private:
    crypto::SigningKey key_;
    ActorId actor_;
    SpaceId space_;
    crypto::Secret digest_key_;
    crypto::Hash32 chain_;
    std::vector<std::string> entries_;
    std::vector<SignedHead> heads_;
};

}  // namespace inos::test
