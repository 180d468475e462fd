#include "tools/event_stream.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace inos {
namespace {

std::string const kText =
    ": a comment\n\n"
    "id: 1\ndata: {\"a\":1}\n\n"
    "event: cursor\r\nid: 2\r\ndata:x\r\ndata: y\r\n\r\n"
    "event: nothing\n\n"
    "data\n\n"
    "data: cut off";

std::vector<std::string> read(std::string const& text, std::size_t piece) {
    std::vector<std::string> events;
    EventStream stream([&](ServerEvent const& event) {
        events.push_back(event.name + "|" + event.id + "|" + event.data);
        return true;
    });
    for (std::size_t from = 0; from < text.size(); from += piece)
        EXPECT_TRUE(stream.take(std::string_view(text).substr(from, piece)));
    return events;
}

TEST(EventStream, is_the_same_wherever_it_is_cut) {
    std::vector<std::string> const expected{"|1|{\"a\":1}", "cursor|2|x\ny", "|2|"};
    for (std::size_t piece = 1; piece <= kText.size(); ++piece)
        EXPECT_EQ(read(kText, piece), expected) << piece;
}

TEST(EventStream, stops_when_no_more_is_wanted) {
    int count = 0;
    EventStream stream([&](ServerEvent const&) { return ++count < 2; });
    EXPECT_FALSE(stream.take("data: 1\n\ndata: 2\n\ndata: 3\n\n"));
    EXPECT_EQ(count, 2);
}

TEST(EventStream, gives_up_on_an_event_without_end) {
    EventStream stream([](ServerEvent const&) { return true; });
    std::string const piece(8u << 20, 'x');
    int taken = 0;
    while (stream.take(piece))
        ++taken;
    EXPECT_TRUE(stream.overflowed());
    EXPECT_EQ(taken, 8);
}

}  // namespace
}  // namespace inos
