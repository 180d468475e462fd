#include "tools/schema_file.hpp"

#include <gtest/gtest.h>

#include "storage/json.hpp"

namespace inos {
namespace {

TEST(SchemaFile, becomes_the_document_that_it_says) {
    auto const file = SchemaFile::parse(
        "[customers]\ndelete = \"update-wins\"\n[customers.fields]\nname = { type = \"register\" "
        "}\n",
        "s.toml");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(write_json(file->document()),
              R"({"customers":{"delete":"update-wins","fields":{"name":{"type":"register"}}}})");
    EXPECT_TRUE(check_schema(file->document()).empty());
}

TEST(SchemaFile, broken_toml_names_line_and_column) {
    auto const file = SchemaFile::parse("[customers]\nname = {\n", "s.toml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message.substr(0, 9), "s.toml:2:") << file.error().message;
}

TEST(SchemaFile, dates_have_no_place_in_it) {
    auto const file = SchemaFile::parse("[c]\nx = 2020-01-01\n", "s.toml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message.substr(0, 12), "s.toml:2:5: ") << file.error().message;
}

TEST(SchemaFile, problems_are_shown_where_they_are) {
    auto const file = SchemaFile::parse(
        "[customers.fields]\n"
        "name   = { type = \"register\" }\n"
        "points = { type = \"cuonter\" }\n"
        "\"a.b\"  = { type = \"register\", policy = \"first\" }\n",
        "s.toml");
    ASSERT_TRUE(file) << file.error().message;
    auto const lines = file->describe(check_schema(file->document()));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].substr(0, 13), "s.toml:3:12: ") << lines[0];
    EXPECT_NE(lines[0].find("cuonter"), std::string::npos);
    EXPECT_EQ(lines[1].substr(0, 13), "s.toml:4:31: ") << lines[1];
}

}  // namespace
}  // namespace inos
