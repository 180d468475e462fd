// Which records may hold a conflict, and that the replica's index of them follows every change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crdt/types/types.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Cell cell(std::string path, Seq seq, std::string payload = {}) {
    Cell made;
    made.path = std::move(path);
    made.dot = {ActorId{seq}, seq};
    made.payload = std::move(payload);
    return made;
}

bool may(std::vector<Cell> cells) {
    Record record;
    record.insert(cell(std::string(kExistencePath), 1));
    for (Cell& one : cells)
        record.insert(std::move(one));
    return may_conflict(record);
}

std::string at(std::string_view parent, std::string_view name, CellType type) {
    return path_child(parent, name, type);
}

TEST(MayConflict, needs_rival_values_of_one_path) {
    std::string const field = at({}, "f", CellType::register_);
    std::string const other = at({}, "g", CellType::register_);
    EXPECT_FALSE(may({}));
    EXPECT_FALSE(may({cell(field, 1, "a"), cell(other, 2, "b")}));
    EXPECT_FALSE(may({cell(field, 1, "a"), cell(field, 2, "a"), cell(field, 3, "a")}));
    EXPECT_TRUE(may({cell(field, 1, "a"), cell(field, 2, "a"), cell(field, 3, "b")}));
    std::string const counter = at({}, "f", CellType::counter);
    EXPECT_FALSE(may({cell(counter, 1, "a"), cell(counter, 2, "b")}));
    std::string const marker(kDeletePath);
    EXPECT_FALSE(may({cell(marker, 1, "a"), cell(marker, 2, "b")}));
}

TEST(MayConflict, knows_the_two_sides_of_a_flag) {
    std::string const flag = at({}, "f", CellType::flag);
    std::string const off = at(flag, "0", CellType::element);
    std::string const on = at(flag, "1", CellType::element);
    EXPECT_FALSE(may({cell(on, 1), cell(on, 2)}));
    EXPECT_TRUE(may({cell(off, 1), cell(off, 2), cell(on, 3)}));
    std::string const other = at(at({}, "g", CellType::flag), "1", CellType::element);
    EXPECT_FALSE(may({cell(off, 1), cell(other, 3)}));
    std::string const set = at({}, "s", CellType::set);
    EXPECT_FALSE(
        may({cell(at(set, "0", CellType::element), 1), cell(at(set, "1", CellType::element), 1)}));
}

TEST(MayConflict, knows_two_types_of_a_field_and_of_a_member) {
    std::string const field = at({}, "f", CellType::register_);
    EXPECT_TRUE(may({cell(field, 1), cell(at({}, "f", CellType::counter), 2)}));
    EXPECT_TRUE(
        may({cell(field, 1), cell(at(at({}, "f", CellType::map), "m", CellType::register_), 2)}));
    std::string const map = at({}, "f", CellType::map);
    EXPECT_FALSE(may({cell(map, 1), cell(at(map, "m", CellType::register_), 1)}));
    EXPECT_TRUE(may({cell(map, 1),
                     cell(at(map, "m", CellType::register_), 1),
                     cell(at(map, "m", CellType::set), 2)}));
    std::string const longer = at({}, "ff", CellType::counter);
    EXPECT_FALSE(may({cell(field, 1), cell(longer, 2)}));
}

TEST(MayConflict, knows_the_elements_of_a_list) {
    std::string const list = at({}, "l", CellType::list);
    std::string const value = at(list, "e", CellType::element);
    std::string const position = at(list, "e", CellType::position);
    std::string const marker = at(list, "e", CellType::marker);
    EXPECT_FALSE(may({cell(list, 1),
                      cell(value, 1, "v"),
                      cell(position, 1, "p"),
                      cell(position, 2, "q"),
                      cell(marker, 3, "m"),
                      cell(marker, 4, "n")}));
    EXPECT_TRUE(may({cell(list, 1), cell(value, 1, "v"), cell(value, 2, "w")}));
}

TEST(MayConflict, knows_increments_that_were_lost) {
    std::string const counter = at({}, "f", CellType::counter);
    EXPECT_TRUE(may({cell(lost_path(counter), 1, "1")}));
}

class ConflictIndex : public ::testing::Test {
protected:
    // Both sites write the field at the same time; site 0 learns of both.
    void rival(std::string const& collection, std::string const& id) {
        space.converge();
        space[0].patch(collection, id, object_of(R"({"name":"Anna"})"));
        space[1].patch(collection, id, object_of(R"({"name":"Anne"})"));
        space.converge();
    }
    std::vector<std::string> found(RecordName const& after = {},
                                   std::string const& only = {},
                                   std::size_t limit = 100) {
        std::vector<std::string> names;
        for (auto const& name : value_of(space[0]->conflict_candidates(after, only, limit)))
            names.push_back(name.collection + "/" + name.key);
        return names;
    }

    Space space{2};
};

TEST_F(ConflictIndex, holds_a_record_as_long_as_it_may_have_a_conflict) {
    rival("customers", "ann");
    EXPECT_THAT(found(), ElementsAre("customers/ann"));
    space[0].reopen();
    EXPECT_THAT(found(), ElementsAre("customers/ann"));
    space[0].patch("customers", "ann", object_of(R"({"fax":1})"));
    EXPECT_THAT(found(), ElementsAre("customers/ann"));
    space[0].patch("customers", "ann", object_of(R"({"name":"A."})"));
    EXPECT_THAT(found(), IsEmpty());
    rival("customers", "ann");
    space[0].erase("customers", "ann");
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ConflictIndex, is_read_in_pages_by_collection) {
    rival("a", "1");
    rival("a", "2");
    rival("ab", "1");
    rival("b", "1");
    EXPECT_THAT(found(), ElementsAre("a/1", "a/2", "ab/1", "b/1"));
    EXPECT_THAT(found({}, {}, 2), ElementsAre("a/1", "a/2"));
    EXPECT_THAT(found({"a", "2"}), ElementsAre("ab/1", "b/1"));
    EXPECT_THAT(found({"b", "1"}), IsEmpty());
    EXPECT_THAT(found({}, "a"), ElementsAre("a/1", "a/2"));
    EXPECT_THAT(found({"a", "1"}, "a"), ElementsAre("a/2"));
    EXPECT_THAT(found({"b", "1"}, "a"), IsEmpty());
    EXPECT_THAT(found({"a", "1"}, "b"), ElementsAre("b/1"));
}

}  // namespace
}  // namespace inos::test
