// The stored form of shadows, and what they say of failures.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/engine/shadow.hpp"
#include "tests/support/hex.hpp"

namespace inos::test {
namespace {

VersionVector vector_of(std::uint64_t actor, Seq seq) {
    VersionVector vector;
    vector.set(ActorId{actor}, seq);
    return vector;
}

Shadow bare() {
    Shadow shadow;
    shadow.record = {"customers", "ann"};
    return shadow;
}

// Everything that a shadow can hold.
Shadow full() {
    Shadow shadow = bare();
    shadow.state = Shadow::State::gone;
    shadow.misses = 1;
    shadow.token = "2026-03-01T12:00:00Z";
    shadow.intent = IntentId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    note_error(shadow, ErrorClass::data, "TAKEN", "the address is taken", 1'700'000'000'000);
    note_error(shadow, ErrorClass::data, "TAKEN", "the address is taken", 1'700'000'001'000);
    ShadowField& city = shadow.field_for("/city");
    city.seen = SeenValue{SeenValue::Kind::read, Value("Ulm")};
    city.rec = Value("Ulm");
    city.sent = Value(Object{{"/Address/City", Value("Ulm")}});
    city.before = SeenValue{SeenValue::Kind::read, Value()};
    city.shown = vector_of(7, 300);
    city.flips = 2;
    city.flips_since_ms = 1'700'000'000'000;
    city.quarantined = true;
    ShadowField& consent = shadow.field_for("/consent");
    consent.seen = SeenValue{SeenValue::Kind::unread, Value(Object{{"/OptedOut", Value(false)}})};
    consent.rec = Value("no");
    shadow.field_for("/name");
    return shadow;
}

std::string golden(std::string const& name) {
    std::ifstream in(std::string(INOS_TEST_GOLDEN) + "/shadows.txt");
    for (std::string key, bytes; in >> key >> bytes;)
        if (key == name) return unhex(bytes).value_or("no bytes");
    return "nothing under the name " + name;
}

TEST(Shadow, is_read_as_it_was_written) {
    for (Shadow const& shadow : {bare(), full()})
        EXPECT_EQ(Shadow::decode(shadow.encode()), shadow);
}

TEST(Shadow, bytes_of_every_version_are_read_for_ever) {
    EXPECT_EQ(hex(bare().encode()), hex(golden("bare-1")));
    EXPECT_EQ(hex(full().encode()), hex(golden("full-1")));
    EXPECT_EQ(Shadow::decode(golden("full-1")), full());
    EXPECT_EQ(hex(SuppressionMark{1'700'000'000'000}.encode()), hex(golden("mark-1")));
}

TEST(Shadow, bytes_that_were_not_written_so_are_refused) {
    std::string const bytes = full().encode();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(Shadow::decode(bytes.substr(0, size))) << size;
    EXPECT_FALSE(Shadow::decode(bytes + '\0'));
    std::string newer = bytes;
    newer[0] = 2;
    EXPECT_FALSE(Shadow::decode(newer));
    std::string other_state = bytes;
    other_state[1] = 5;
    EXPECT_FALSE(Shadow::decode(other_state));
    EXPECT_FALSE(Shadow::decode(std::string(kShadowBytesMax + 1, '\1')));
}

TEST(Shadow, whatever_is_read_is_what_would_be_written) {
    std::string const bytes = full().encode();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int const bit : {0, 1, 4, 7}) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
            auto const shadow = Shadow::decode(changed);
            EXPECT_TRUE(!shadow || shadow->encode() == changed) << i << ", bit " << bit;
        }
    }
}

TEST(Shadow, keeps_its_fields_in_order) {
    Shadow shadow = bare();
    for (char const* path : {"/c", "/a", "/b", "/a"})
        shadow.field_for(path).flips += 1;
    ASSERT_EQ(shadow.fields.size(), 3u);
    EXPECT_EQ(shadow.fields[0].path, "/a");
    EXPECT_EQ(shadow.fields[0].flips, 2u);
    EXPECT_EQ(shadow.field("/c")->path, "/c");
    EXPECT_EQ(shadow.field("/d"), nullptr);
}

TEST(Shadow, counts_a_failure_that_goes_on) {
    Shadow shadow = bare();
    note_error(shadow, ErrorClass::quota, "LIMIT", "too many", 10);
    note_error(shadow, ErrorClass::quota, "LIMIT", "too many again", 20);
    EXPECT_EQ(shadow.error->count, 2u);
    EXPECT_EQ(shadow.error->first_ms, 10u);
    EXPECT_EQ(shadow.error->last_ms, 20u);
    EXPECT_EQ(shadow.error->message, "too many again");
    note_error(shadow, ErrorClass::data, "LIMIT", "another one", 30);
    EXPECT_EQ(shadow.error->count, 1u);
    EXPECT_EQ(shadow.error->first_ms, 30u);
}

TEST(Shadow, long_words_of_a_system_are_cut_between_characters) {
    Shadow shadow = bare();
    std::string text(kErrorMessageBytesMax - 1, 'x');
    note_error(shadow, ErrorClass::data, "c", text + "\xc3\xa4", 10);
    EXPECT_EQ(shadow.error->message, text);
    note_error(shadow, ErrorClass::data, "c", "bad \xff bytes", 10);
    EXPECT_EQ(shadow.error->message, "bad ");
    EXPECT_TRUE(Shadow::decode(shadow.encode()));
}

TEST(SuppressionTag, tells_nothing_without_the_key) {
    crypto::init();
    crypto::Secret const one = crypto::Secret::random(), other = crypto::Secret::random();
    auto const tag = suppression_tag(one, "shop", "Customer", "17");
    EXPECT_EQ(tag, suppression_tag(one, "shop", "Customer", "17"));
    EXPECT_NE(tag, suppression_tag(other, "shop", "Customer", "17"));
    EXPECT_NE(tag, suppression_tag(one, "shop", "Customer1", "7"));
    EXPECT_FALSE(SuppressionMark::decode("\1"));
    EXPECT_EQ(SuppressionMark::decode(SuppressionMark{9}.encode()), SuppressionMark{9});
}

}  // namespace
}  // namespace inos::test
