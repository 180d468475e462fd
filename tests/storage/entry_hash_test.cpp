// The hashes that all sites have to agree on for ever: golden values in tests/golden/hashes.json,
// which were computed by another implementation of BLAKE2b too. What stands there is never made
// again: with INOS_GOLDEN_NEW=1 this program only appends values whose name is not there yet.
#include "storage/entry_hash.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "storage/digest.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/hex.hpp"

namespace inos {
namespace {

namespace json = boost::json;
using test::hex;
using test::simple_op;

constexpr Salt kSalt{0xf0, 1, 2, 3, 4, 5, 6, 7};

crypto::Secret secret(char fill) {
    return crypto::Secret(std::string(32, fill));
}

std::string sample_entry() {
    EntryHeader header;
    header.dot = {ActorId{0xa1b2c3d4e5f60718}, 1};
    header.hlc = Hlc::from(1'750'000'000'000, 3);
    header.deps = {{ActorId{0x1111111111111111}, 300, {1, 2, 3, 4, 5, 6, 7, 8}}};
    header.source = "crm";
    header.names = {"customers", "name"};
    return encode_entry(
        header,
        kSalt,
        {simple_op("customers", "ann", "Ann"), simple_op("customers", "bob", "Bob")});
}

// The space's digest key, under which records have their tags.
crypto::Secret const& digest_key() {
    static crypto::Secret const key = secret(5);
    return key;
}

RecordTag tag_of(std::string_view key) {
    return record_tag(digest_key(), "customers", key);
}

// The entry after the records with these keys were erased.
std::string without(std::string_view entry, std::set<std::string> const& keys) {
    std::set<RecordTag> tags;
    for (auto const& key : keys)
        tags.insert(tag_of(key));
    auto const erased = erase_ops(
        entry,
        digest_key(),
        [&](RecordTag const& tag) { return tags.contains(tag); },
        VoidReason::none);
    return erased ? *erased : std::string(entry);
}

Certificate sample_certificate(Genesis const& genesis) {
    Certificate certificate;
    certificate.space = genesis.id();
    certificate.actor = ActorId{0xa1b2c3d4e5f60718};
    certificate.site = crypto::SigningKey::from_seed(secret(2)).public_key;
    certificate.channel.fill(3);
    certificate.sealing.fill(4);
    certificate.name = "Kiel";
    certificate.role = Role::writer;
    certificate.scope = {"customers", "orders"};
    certificate.issuer_vv.set(ActorId{0x1111111111111111}, 300);
    return certificate;
}

json::object values() {
    json::object out;
    auto const add = [&out](char const* name, std::string_view bytes) { out[name] = hex(bytes); };
    auto const founder = crypto::SigningKey::from_seed(secret(1));
    Genesis genesis{"shop", founder.public_key, {}};
    genesis.nonce.fill(7);
    auto const space = genesis.id();
    std::string const certificate = issue(sample_certificate(genesis), founder);
    add("genesis", genesis.encode());
    add("space", {reinterpret_cast<char const*>(space.data()), space.size()});
    add("certificate", certificate);
    Membership membership(genesis);
    EXPECT_TRUE(membership.add(certificate));
    add("membership digest", crypto::view(membership.digest()));

    std::string const entry = sample_entry();
    auto const frame = *frame_entry(entry);
    add("entry", entry);
    add("op hash 0", crypto::view(op_hash(frame, 0)));
    add("op hash 1", crypto::view(op_hash(frame, 1)));
    add("tag of ann", crypto::view(tag_of("ann")));
    add("entry with op 1 erased", without(entry, {"bob"}));
    auto const start = chain_start(certificate);
    auto const first = chain_next(start, entry, digest_key());
    auto const malformed = chain_next(first, "malformed", digest_key());
    add("chain 0", crypto::view(start));
    add("chain 1", crypto::view(first));
    add("chain 2, malformed", crypto::view(malformed));
    std::string const statement = head_statement(space, {ActorId{0xa1b2c3d4e5f60718}, 1}, first);
    add("head statement", statement);
    add("head signature",
        crypto::view(crypto::sign(crypto::SigningKey::from_seed(secret(2)), statement)));

    Record record;
    record.insert({std::string(kExistencePath), {ActorId{1}, 1}, Hlc::from(5, 0), "crm", ""});
    record.insert({path_child({}, "name", CellType::register_),
                   {ActorId{1}, 1},
                   Hlc::from(5, 0),
                   "crm",
                   encode(Value("Ann"))});
    record.insert({path_child({}, "points", CellType::counter),
                   {ActorId{2}, 9},
                   Hlc::from(6, 1),
                   "shop",
                   RunCell{-4, 3}.encode()});
    add("record digest",
        crypto::view(record_digest(secret(5), "customers", "ann", record).bytes()));
    return out;
}

TEST(Hashes, are_what_they_always_were) {
    std::string const path = INOS_TEST_GOLDEN "/hashes.json";
    std::ifstream file(path);
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    json::object golden = text.empty() ? json::object() : json::parse(text).as_object();
    json::object const now = values();
    if (std::getenv("INOS_GOLDEN_NEW")) {
        for (auto const& [name, value] : now)
            golden.emplace(name, value);
        std::ofstream out(path);
        out << "{\n";
        for (std::size_t i = 0; auto const& [name, value] : golden)
            out << "    " << json::serialize(json::string(name)) << ": " << json::serialize(value)
                << (++i < golden.size() ? ",\n" : "\n");
        out << "}\n";
    }
    ASSERT_EQ(golden.size(), now.size());
    for (auto const& [name, value] : now)
        EXPECT_EQ(golden.at(name), value) << name;
}

TEST(Hashes, an_entry_with_erased_ops_has_the_chain_of_the_whole_one) {
    std::string const whole = sample_entry();
    auto const start = chain_start("certificate");
    auto const chain = chain_next(start, whole, digest_key());
    for (std::set<std::string> const& keys :
         {std::set<std::string>{"ann"}, {"bob"}, {"ann", "bob"}}) {
        std::string const erased = without(whole, keys);
        ASSERT_TRUE(frame_entry(erased));
        EXPECT_EQ(chain_next(start, erased, digest_key()), chain);
        for (auto const& key : keys)
            EXPECT_EQ(erased.find(key), std::string::npos);
    }
    // One after the other gives the same as both at once.
    EXPECT_EQ(without(without(whole, {"ann"}), {"bob"}), without(whole, {"ann", "bob"}));
    EXPECT_FALSE(erase_ops(
        whole, digest_key(), [](RecordTag const&) { return false; }, VoidReason::none));
}

// A stub that names another record than the op was about would let a forwarder drop what it likes.
TEST(Hashes, the_tag_of_a_stub_is_bound_by_the_chain) {
    std::string const whole = sample_entry();
    auto const start = chain_start("certificate");
    auto frame = *frame_entry(whole);
    Stub const stub{0, tag_of("somebody else"), op_hash(frame, 0), VoidReason::none};
    std::string const forged = encode_erased(frame, {stub}, {op_key(frame, 0), op_key(frame, 1)});
    EXPECT_NE(chain_next(start, forged, digest_key()), chain_next(start, whole, digest_key()));
}

// Else an author could show some an entry, and others its bare header, under one signature.
TEST(Hashes, bytes_without_a_frame_have_another_chain_than_an_entry_with_that_header) {
    auto const start = chain_start("certificate");
    EntryHeader header;
    header.dot = {ActorId{7}, 1};
    std::string const entry = encode_entry(header, kSalt, {});
    std::string const bare(frame_entry(entry)->header);
    ASSERT_FALSE(frame_entry(bare));
    EXPECT_NE(chain_next(start, bare, digest_key()), chain_next(start, entry, digest_key()));
}

TEST(Hashes, the_chain_depends_on_every_byte_and_on_all_before) {
    std::string const entry = sample_entry();
    auto const start = chain_start("certificate");
    auto const chain = chain_next(start, entry, digest_key());
    for (std::size_t at = 0; at < entry.size(); ++at) {
        std::string other = entry;
        other[at] = static_cast<char>(other[at] ^ 1);
        EXPECT_NE(chain_next(start, other, digest_key()), chain) << at;
    }
    EXPECT_NE(chain_next(chain_start("Certificate"), entry, digest_key()), chain);
    EXPECT_NE(chain_next(chain, entry, digest_key()), chain);
    EXPECT_NE(chain_next(start, "", digest_key()),
              chain_next(start, std::string(1, '\0'), digest_key()));
}

}  // namespace
}  // namespace inos
