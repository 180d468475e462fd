#include "tools/import_source.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/json.hpp"

namespace inos {
namespace {

struct Read {
    std::vector<ImportItem> items;
    std::string error;
};

Read read(ImportRules const& rules, std::string_view text, std::size_t chunk = 7) {
    ImportSource source(rules);
    Read read;
    for (std::size_t at = 0;; at += chunk) {
        if (at < text.size()) {
            source.feed(text.substr(at, chunk));
        } else {
            source.finish();
        }
        for (;;) {
            auto item = source.next();
            if (!item) {
                read.error = item.error().message;
                return read;
            }
            if (!*item) break;
            read.items.push_back(**std::move(item));
        }
        if (at >= text.size()) return read;
    }
}

ImportRules json_rules() {
    ImportRules rules;
    rules.format = FileFormat::json_lines;
    return rules;
}

TEST(ImportSource, csv_rows_become_fields_and_empty_cells_none) {
    auto const result = read({}, "id,name,phone\r\nc1,Zoë,\r\nc2,\"a,b\",007\r\n");
    ASSERT_EQ(result.items.size(), 2u) << result.error;
    EXPECT_EQ(result.items[0].id, "c1");
    EXPECT_EQ(write_json(result.items[0].fields), R"({"name":"Zoë"})");
    EXPECT_EQ(write_json(result.items[1].fields), R"({"name":"a,b","phone":"007"})");
    EXPECT_EQ(result.items[1].line, 3u);
}

TEST(ImportSource, empty_cells_can_be_kept) {
    ImportRules rules;
    rules.keep_empty = true;
    auto const result = read(rules, "id,a\nx,\n");
    EXPECT_EQ(write_json(result.items.at(0).fields), R"({"a":""})");
}

TEST(ImportSource, csv_values_follow_the_schema_and_numbers) {
    ImportRules rules;
    rules.types = {{"stock", "counter"}, {"vip", "flag"}, {"tags", "set"}, {"contact", "map"}};
    rules.numbers = {"price", "weight"};
    auto const result = read(rules,
                             "id,stock,vip,tags,contact,price,weight,sku\n"
                             "p,12,true,a;b;,\"{\"\"x\"\":1}\",12.50,3,0012\n");
    ASSERT_EQ(result.items.size(), 1u) << result.error;
    ASSERT_EQ(result.items[0].problem, "");
    EXPECT_EQ(write_json(result.items[0].fields),
              R"({"contact":{"x":1},"price":12.5,"sku":"0012","stock":12,)"
              R"("tags":["a","b"],"vip":true,"weight":3})");
}

TEST(ImportSource, a_value_of_the_wrong_type_names_column_and_value) {
    ImportRules rules;
    rules.types = {{"stock", "counter"}, {"vip", "flag"}};
    auto const result = read(rules, "id,stock,vip\na,many,\nb,,yes\nc,1,false\n");
    ASSERT_EQ(result.items.size(), 3u);
    EXPECT_EQ(result.items[0].problem,
              "the column \"stock\" is a counter and needs a whole number, not \"many\"");
    EXPECT_EQ(result.items[1].problem,
              "the column \"vip\" is a flag and needs true or false, not \"yes\"");
    EXPECT_EQ(result.items[2].problem, "");
}

TEST(ImportSource, a_wrong_number_of_cells_is_a_problem_of_the_row) {
    auto const result = read({}, "id,a\nx,1\ny\nz,1,2\nw,3\n");
    ASSERT_EQ(result.items.size(), 4u);
    EXPECT_EQ(result.items[1].problem, "the row has 1 cells and the header 2");
    EXPECT_EQ(result.items[2].line, 4u);
    EXPECT_EQ(result.items[3].problem, "");
}

TEST(ImportSource, the_header_must_have_the_key_once) {
    EXPECT_EQ(
        read({}, "Id,a\n").error,
        "line 1: no column \"id\" that could be the records' id; name the one to use with --key; "
        "did you mean \"Id\"?");
    EXPECT_NE(read({}, "id,a,a\n").error.find("\"a\" is there twice"), std::string::npos);
    EXPECT_NE(read({}, "").error.find("the file is empty"), std::string::npos);
    EXPECT_NE(read({}, "id,\n").error.find("is no field name"), std::string::npos);
    EXPECT_NE(read({}, "id,$inc\n").error.find("is no field name"), std::string::npos);
}

TEST(ImportSource, another_key_can_be_a_field_too) {
    ImportRules rules;
    rules.key = "no";
    rules.store_key = true;
    auto const result = read(rules, "no,a\n17,x\n,y\n");
    EXPECT_EQ(result.items.at(0).id, "17");
    EXPECT_EQ(write_json(result.items[0].fields), R"({"a":"x","no":"17"})");
    EXPECT_EQ(result.items.at(1).problem, "the key \"no\" is empty");
}

TEST(ImportSource, json_lines_keep_their_types) {
    auto const result =
        read(json_rules(), "\xEF\xBB\xBF{\"id\":7,\"a\":1,\"b\":[1.5,null]}\n\n{\"id\":\"x\"}");
    ASSERT_EQ(result.items.size(), 2u) << result.error;
    EXPECT_EQ(result.items[0].id, "7");
    EXPECT_EQ(write_json(result.items[0].fields), R"({"a":1,"b":[1.5,null]})");
    EXPECT_EQ(result.items[1].line, 3u);
}

TEST(ImportSource, broken_json_lines_are_problems_of_their_line) {
    auto rules = json_rules();
    rules.types = {{"stock", "counter"}};
    auto const result =
        read(rules,
             "{\"id\":\"a\"\n[]\n{\"a\":1}\n{\"id\":true}\n{\"id\":\"e\",\"stock\":\"1\"}\n"
             "{\"id\":\"f\",\"$x\":1}\n{\"id\":\"g\"}\n");
    ASSERT_EQ(result.items.size(), 7u);
    EXPECT_EQ(result.items[0].problem.find("line 1"), std::string::npos) << result.items[0].problem;
    EXPECT_NE(result.items[0].problem.find("not a JSON object"), std::string::npos);
    EXPECT_NE(result.items[1].problem.find("not a JSON object"), std::string::npos);
    EXPECT_NE(result.items[2].problem.find("no member \"id\""), std::string::npos);
    EXPECT_NE(result.items[3].problem.find("a text or a whole number"), std::string::npos);
    EXPECT_NE(result.items[4].problem.find("is a counter"), std::string::npos);
    EXPECT_NE(result.items[5].problem.find("\"$x\" is no field name"), std::string::npos);
    EXPECT_EQ(result.items[6].problem, "");
}

TEST(ImportSource, values_and_records_over_the_limits_are_problems) {
    std::string const large(200 * 1024, 'x');
    std::string cells;
    for (int i = 0; i < 6; ++i)
        cells += "," + large;
    auto const record = read({}, "id,a,b,c,d,e,f\nx" + cells + "\n", 100'000);
    EXPECT_EQ(record.items.at(0).problem, "the record is over 1 MiB");
    auto const field = read({}, "id,a\nx," + large + large + "\n", 100'000);
    EXPECT_EQ(field.items.at(0).problem, "the field \"a\" is over 256 KiB");
}

TEST(ImportSource, the_format_follows_the_name_or_the_flag) {
    EXPECT_EQ(*file_format("a.csv", ""), FileFormat::csv);
    EXPECT_EQ(*file_format("a.ndjson", ""), FileFormat::json_lines);
    EXPECT_EQ(*file_format("a.csv", "jsonl"), FileFormat::json_lines);
    EXPECT_EQ(file_format("a.txt", "").error().code, Errc::usage);
    EXPECT_NE(file_format("a", "cvs").error().message.find("did you mean \"csv\"?"),
              std::string::npos);
}

}  // namespace
}  // namespace inos
