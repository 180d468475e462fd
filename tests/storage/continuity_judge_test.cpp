// When a directory is certain to be the one that wrote last: every mark that can differ, alone.
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/continuity.hpp"

namespace inos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kDayMs = 24ull * 3600 * 1000;

DirectoryMarks marks() {
    DirectoryMarks made;
    made.nonce[3] = 7;
    made.inode = 11;
    made.device = 12;
    made.changed_ns = 13;
    made.machine = "machine";
    made.boot = "boot";
    return made;
}

ContinuityRecord recorded() {
    ContinuityRecord record;
    record.marks = marks();
    return record;
}

struct Case {
    char const* what;
    void (*change)(DirectoryMarks&);
    Doubt expected;
};

TEST(Continuity, C1_is_judged_by_every_mark) {
    Case const cases[] = {
        {"nothing", [](DirectoryMarks&) {}, Doubt::none},
        {"inode", [](DirectoryMarks& m) { ++m.inode; }, Doubt::copied},
        {"device", [](DirectoryMarks& m) { ++m.device; }, Doubt::copied},
        {"nonce", [](DirectoryMarks& m) { ++m.nonce[0]; }, Doubt::overwritten},
        {"change time", [](DirectoryMarks& m) { ++m.changed_ns; }, Doubt::overwritten},
        {"machine", [](DirectoryMarks& m) { m.machine = "other"; }, Doubt::moved},
        {"machine without id", [](DirectoryMarks& m) { m.machine.clear(); }, Doubt::moved},
        {"boot", [](DirectoryMarks& m) { m.boot = "other"; }, Doubt::rebooted},
        {"boot without id", [](DirectoryMarks& m) { m.boot.clear(); }, Doubt::rebooted},
        {"boot and file",
         [](DirectoryMarks& m) {
             m.boot = "other";
             ++m.inode;
         },
         Doubt::copied},
        {"boot and machine",
         [](DirectoryMarks& m) {
             m.boot = "other";
             m.machine = "other";
         },
         Doubt::moved},
        {"boot and device",
         [](DirectoryMarks& m) {
             m.boot = "other";
             ++m.device;
         },
         Doubt::rebooted},
    };
    for (Case const& one : cases) {
        DirectoryMarks present = marks();
        one.change(present);
        EXPECT_EQ(judge_continuity(recorded(), present), one.expected) << one.what;
    }
}

TEST(Continuity, is_in_doubt_where_nothing_tells) {
    EXPECT_EQ(judge_continuity({}, marks()), Doubt::unmarked);
    ContinuityRecord record = recorded();
    record.marks->boot.clear();
    DirectoryMarks present = marks();
    present.boot.clear();
    EXPECT_EQ(judge_continuity(record, present), Doubt::rebooted) << "no boot is like another";
    record = recorded();
    record.marks->machine.clear();
    present = marks();
    present.machine.clear();
    EXPECT_EQ(judge_continuity(record, present), Doubt::none) << "machines without an id";
    EXPECT_EQ(judge_continuity({}, std::nullopt), Doubt::none) << "no directory at all";
}

TEST(Continuity, what_peers_have_shown_outweighs_all_marks) {
    ContinuityRecord record = recorded();
    for (Doubt const doubt : {Doubt::seen_more, Doubt::forked}) {
        record.doubt = doubt;
        EXPECT_EQ(judge_continuity(record, marks()), doubt);
        EXPECT_EQ(judge_continuity(record, std::nullopt), doubt);
    }
}

TEST(Continuity, counts_renewals_of_the_last_day_and_none_of_the_future) {
    std::uint64_t const now = 10 * kDayMs;
    EXPECT_THAT(recent_renewals({now - kDayMs, now - kDayMs + 1, now, now + 1}, now),
                ElementsAre(now - kDayMs + 1, now));
    EXPECT_THAT(recent_renewals({}, 0), IsEmpty());
}

TEST(Continuity, every_doubt_has_words_and_a_name_of_its_own) {
    std::set<std::string> names, words;
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(Doubt::forked); ++i) {
        names.insert(doubt_name(static_cast<Doubt>(i)));
        words.insert(doubt_text(static_cast<Doubt>(i)));
    }
    EXPECT_EQ(names.size(), 8u);
    EXPECT_EQ(words.size(), 8u);
    EXPECT_FALSE(names.contains("unknown"));
}

TEST(Continuity, records_read_back_and_refuse_everything_else) {
    ContinuityRecord record = recorded();
    record.doubt = Doubt::seen_more;
    record.renewals = {1, 200, 70'000};
    record.next.emplace()[2] = 9;
    record.earlier = {{ActorId{5}, Left::trusted}, {ActorId{4}, Left::confirmed}};
    std::string const bytes = record.encode();
    EXPECT_EQ(ContinuityRecord::decode(bytes), record);
    EXPECT_EQ(ContinuityRecord::decode(ContinuityRecord().encode()), ContinuityRecord());
    EXPECT_FALSE(ContinuityRecord::decode(bytes + "x"));
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_FALSE(ContinuityRecord::decode(std::string_view(bytes).substr(0, length)));

    Fork fork{ActorId{9}, 4, 5, {}, {7, {}, {}}};
    fork.ours.seq = 6;
    fork.ours.chain[1] = 1;
    std::string const both = fork.encode();
    EXPECT_EQ(Fork::decode(ActorId{9}, both), fork);
    for (std::size_t length = 0; length < both.size(); ++length)
        EXPECT_FALSE(Fork::decode(ActorId{9}, std::string_view(both).substr(0, length)));
}

}  // namespace
}  // namespace inos
