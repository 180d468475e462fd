// The HTTP API as its users see it: every route, its statuses and its errors, over a real replica.
#include "net/api.hpp"

#include <gmock/gmock.h>

#include "net/api_format.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string const kAnn = "/v1/collections/customers/records/ann";

struct Case {
    std::string method, target, body;
    int status;
    std::string words;  // in the answer
    std::string field = {};
};

class ApiErrors : public ApiTest {
protected:
    void expect(std::vector<Case> const& cases) {
        for (Case const& c : cases) {
            auto const response = send(c.method, c.target, c.body);
            EXPECT_EQ(response.status, c.status)
                << c.method << " " << c.target << " " << c.body << ": " << response.body;
            EXPECT_THAT(response.body, HasSubstr(c.words)) << c.method << " " << c.target;
            auto const body = parse_json(response.body);
            Value const* error = body ? body->find("error") : nullptr;
            ASSERT_TRUE(error && error->find("code") && error->find("message")) << response.body;
            if (c.field.empty()) continue;
            ASSERT_TRUE(error->find("field")) << response.body;
            EXPECT_EQ(*error->find("field"), Value(c.field)) << response.body;
        }
    }
};

TEST_F(ApiErrors, say_what_is_wrong_with_path_method_and_query) {
    expect({
        {"GET", "/", "", 404, "there is /v1/collections, "},
        {"GET", "/v1/colections", "", 404, "did you mean \\\"/v1/collections\\\"?"},
        {"GET", "/v1/collections/customers/record/a", "", 404, "customers/records/a"},
        {"GET", "/v1/collections/customers/records/", "", 404, "there is no"},
        {"GET", "/v2/collections", "", 404, "/v1/collections"},
        {"POST", "/v1/collections", "{}", 405, "only GET"},
        {"OPTIONS", kAnn, "", 405, "only GET, PUT, PATCH, DELETE"},
        {"GET", kAnn + "?fields=a", "", 400, "unknown query parameter", "fields"},
        {"PUT", kAnn + "?erase=true", "{}", 400, "\\\"wait\\\", \\\"timeout\\\"", "erase"},
        {"GET", "/v1/status?x=1", "", 400, "takes no parameters", "x"},
        {"GET", "/v1/collections/c/records?limit=0", "", 400, "from 1 to 10000", "limit"},
        {"GET", "/v1/collections/c/records?limit=x", "", 400, "not \\\"x\\\"", "limit"},
        {"GET", "/v1/collections/c/records?limit=10001", "", 400, "from 1 to", "limit"},
        {"GET", "/v1/collections/c/records?where=a==1", "", 400, "character 2", "where"},
        {"GET", "/v1/collections/c/records?order=a,a", "", 400, "a second time", "order"},
        {"GET", "/v1/collections/c/records?order=a&after=x", "", 400, "no place", "after"},
        {"GET", "/v1/collections/c/records?count=yes", "", 400, "true or false", "count"},
        {"GET", "/v1/collections/c/records?count=true&order=a", "", 400, "no sense", "order"},
        {"GET", "/v1/collections/c/records?fields=a,,b", "", 400, "a field is named", "fields"},
        {"PUT", kAnn + "?wait=x", "{}", 400, "whole number", "wait"},
        {"PUT", kAnn + "?wait=1&timeout=301", "{}", 400, "from 0 to 300", "timeout"},
        {"DELETE", kAnn + "?erase=yes", "", 400, "true or false", "erase"},
        {"GET", "/v1/conflicts?after=zz", "", 400, "malformed", "after"},
        {"GET", "/v1/conflicts?limit=0", "", 400, "from 1 to 1000", "limit"},
        {"GET", "/v1/orphans?limit=10001", "", 400, "from 1 to 10000", "limit"},
    });
}

// Which is what a command's exit status 2 is made of.
TEST_F(ApiErrors, call_values_that_a_parameter_cannot_have_wrong_usage) {
    for (std::string const& target :
         {kAnn + "?wait=x", kAnn + "?wait=1001", kAnn + "?wait=1&timeout=301"})
        EXPECT_THAT(send("PUT", target, "{}").body, HasSubstr(R"("code":"usage")")) << target;
    for (std::string const target : {"/v1/orphans?limit=0",
                                     "/v1/orphans?limit=",
                                     "/v1/conflicts?limit=1001",
                                     "/v1/conflicts?after=zz",
                                     "/v1/collections/c/records?limit=x"})
        EXPECT_THAT(send("GET", target).body, HasSubstr(R"("code":"usage")")) << target;
}

TEST_F(ApiErrors, say_what_is_wrong_with_a_body) {
    std::string const resolve = "/v1/conflicts/resolve";
    std::string const ops = "/v1/transactions";
    expect({
        {"PUT", kAnn, "", 400, "empty text"},
        {"PUT", kAnn, "{", 400, "ends too early"},
        {"PUT", kAnn, "[]", 400, "has to be an object"},
        {"PUT", kAnn, R"({"a":1,"a":2})", 400, "stands twice"},
        {"PUT", kAnn, R"({"n":9223372036854775808})", 400, "write it as a string"},
        {"PUT", kAnn, R"({"$a":1})", 422, "$", "$a"},
        {"PATCH", kAnn, R"({"a":{"$inc":"x"}})", 422, "", "a"},
        {"PATCH", kAnn, R"({"a":{"$grow":1}})", 422, "is no operation", "a"},
        {"PUT", kAnn, "{\"a\":\"" + std::string(300'000, 'x') + "\"}", 422, "limit", "a"},
        {"PUT", "/v1/collections/c/records/" + std::string(257, 'x'), "{}", 422, "256", "id"},
        {"PUT", "/v1/collections/" + std::string(257, 'x') + "/records/a", "{}", 422, "256"},
        {"POST", ops, "{}", 422, "\\\"ops\\\" is missing", "ops"},
        {"POST", ops, R"({"op":[]})", 422, "did you mean \\\"ops\\\"?", "op"},
        {"POST", ops, R"({"ops":[1]})", 422, "has to be an object", "ops[0]"},
        {"POST", ops, R"({"ops":[{}]})", 422, "\\\"op\\\" is missing", "ops[0].op"},
        {"POST", ops, R"({"ops":[{"op":"putt"}]})", 422, "did you mean \\\"put\\\"", "ops[0].op"},
        {"POST", ops, R"({"ops":[{"op":"erase"}]})", 422, "collection", "ops[0].collection"},
        {"POST", ops, R"({"ops":[{"op":"put","collection":"c"}]})", 422, "id", "ops[0].id"},
        {"POST",
         ops,
         R"({"ops":[{"op":"put","collection":"c","id":"i"}]})",
         422,
         "",
         "ops[0].fields"},
        {"POST",
         ops,
         R"({"ops":[{"op":"delete","collection":"c","id":"i","fields":{}}]})",
         422,
         "takes no",
         "ops[0].fields"},
        {"POST", resolve, "{}", 422, "is missing", "collection"},
        {"POST", resolve, R"({"collection":"c","id":"i","field":"f"})", 422, "", "value"},
        {"POST", resolve, R"({"collection":"c","id":"i","field":"f","value":1})", 422, "no such"},
        {"POST", "/v1/peers", R"({"uri":"ws://x"})", 422, "did you mean \\\"url\\\"", "uri"},
        {"POST", "/v1/peers", R"({"url":7})", 422, "text", "url"},
        {"DELETE", "/v1/peers", "", 400, "which peer?", "url"},
        {"DELETE", "/v1/peers?url=ws://no", "", 404, "no peer"},
        {"POST", "/v1/invites", R"({"role":"boss"})", 422, "unknown role", "role"},
        {"POST", "/v1/invites", R"({"ttl_s":0})", 422, "from 1 to", "ttl_s"},
        {"POST", "/v1/invites", R"({"write":"customers"})", 422, "list of texts", "write"},
        {"DELETE", "/v1/invites", "", 400, "which invitation?", "id"},
        {"DELETE", "/v1/invites?id=77", "", 404, "no invitation"},
        {"POST", "/v1/schema", "[]", 400, "has to be an object"},
    });
    EXPECT_EQ(space[0]->vector().items().size(), 0u) << "something was written";
}

TEST_F(ApiErrors, keep_reserved_collections_out_of_reach) {
    std::string const path = "/v1/collections/_schema/records";
    std::string const op = R"({"ops":[{"op":"put","collection":"_schema","id":"i","fields":{}}]})";
    std::string const resolve = R"({"collection":"_x","id":"i","field":"f","value":1})";
    expect({
        {"GET", path, "", 403, "is reserved", "collection"},
        {"GET", path + "/a", "", 403, "is reserved"},
        {"PUT", path + "/a", "{}", 403, "is reserved"},
        {"PATCH", path + "/a", "{}", 403, "is reserved"},
        {"DELETE", path + "/a", "", 403, "is reserved"},
        {"POST", "/v1/transactions", op, 403, "is reserved", "ops[0].collection"},
        {"GET", "/v1/conflicts?collection=_x", "", 403, "is reserved"},
        {"POST", "/v1/conflicts/resolve", resolve, 403, "is reserved"},
    });
}

TEST_F(ApiErrors, allow_names_the_methods) {
    EXPECT_EQ(send("PATCH", "/v1/peers").headers.at("Allow"), "GET, POST, DELETE");
}

TEST_F(ApiErrors, name_the_rights_that_are_missing) {
    Space narrow({{"site0", Role::admin, {}}, {"shop", Role::writer, {"orders"}}});
    DirectStore its_store(*narrow[1].replica);
    Api its_api(its_store, node, narrow[1].clock);
    HttpResponse answer;
    auto const keep = [&](HttpResponse response) { answer = std::move(response); };
    its_api.handle(request("PUT", kAnn, "{}"), keep);
    EXPECT_EQ(answer.status, 403);
    its_api.handle(request("PUT", "/v1/collections/orders/records/1", "{}"), keep);
    EXPECT_EQ(answer.status, 201);
    its_api.handle(request("POST", "/v1/schema", R"({"orders":{}})"), keep);
    EXPECT_EQ(answer.status, 403) << answer.body;
}

TEST_F(ApiErrors, D19_a_full_disk_is_507_until_there_is_room) {
    FaultEngine& engine = *space[0].engine;
    auto const state = [&] {
        auto const status = json(200, "GET", "/v1/status");
        return std::pair(*status.find("writable"), *status.find("disk")->find("state"));
    };
    EXPECT_EQ(state(), std::pair(Value(true), Value("ok")));
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 201);
    engine.set_space(DiskSpace{200u << 20, std::uint64_t{1} << 40});
    EXPECT_EQ(state(), std::pair(Value(true), Value("low")));
    EXPECT_EQ(send("PUT", kAnn, R"({"n":1})").status, 200);
    EXPECT_EQ(send("GET", "/readyz").status, 200);
    engine.set_space(DiskSpace{60u << 20, std::uint64_t{1} << 40});
    EXPECT_EQ(state(), std::pair(Value(false), Value("lower")));
    EXPECT_EQ(send("PUT", kAnn, R"({"n":2})").status, 507);
    EXPECT_EQ(send("DELETE", kAnn).status, 200);
    auto const unready = send("GET", "/readyz");
    EXPECT_EQ(unready.status, 503);
    EXPECT_NE(unready.body.find("only 60 MiB"), std::string::npos) << unready.body;
    EXPECT_NE(send("GET", "/metrics").body.find("inos_disk_free_bytes 62914560"),
              std::string::npos);
    engine.set_space(std::nullopt);
    engine.fill(true);
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 507);
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 507) << "as long as it lasts";
    EXPECT_EQ(state(), std::pair(Value(false), Value("full")));
    EXPECT_EQ(send("GET", kAnn).status, 404) << "reads go on";
    engine.fill(false);
    ASSERT_TRUE(space[0]->recover());
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 201);
    EXPECT_EQ(state(), std::pair(Value(true), Value("ok")));
}

TEST_F(ApiErrors, a_broken_disk_is_no_success) {
    space[0].engine->fail_write(1, FaultEngine::Outcome::lost, Errc::io);
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 500);
    EXPECT_EQ(send("GET", "/readyz").status, 503);
    EXPECT_EQ(send("GET", "/healthz").status, 200);
    EXPECT_EQ(*json(200, "GET", "/v1/status").find("writable"), Value(false));
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 500);
    EXPECT_EQ(send("GET", kAnn).status, 404);
    space[0].engine->fail_reads(true);
    EXPECT_EQ(send("GET", kAnn).status, 500);
}

using ApiRecords = ApiTest;

TEST_F(ApiRecords, put_makes_and_replaces) {
    auto const made = send("PUT", kAnn, R"({"name":"Ann","age":7,"vip":1.0})");
    EXPECT_EQ(made.status, 201);
    auto const body = *parse_json(made.body);
    EXPECT_EQ(*body.find("created"), Value(true));
    std::string const version = *body.find("version")->as<std::string>();
    EXPECT_EQ(made.headers.at("ETag"), "\"" + version + "\"");

    auto const read = send("GET", kAnn);
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(read.headers.at("ETag"), made.headers.at("ETag"));
    EXPECT_EQ(
        read.body,
        R"({"conflicts":{},"fields":{"age":7,"name":"Ann","vip":1.0},"id":"ann","version":")" +
            version + "\"}");

    auto const same = json(200, "PUT", kAnn, R"({"name":"Ann","age":7,"vip":1.0})");
    EXPECT_EQ(*same.find("changed"), Value(false));
    EXPECT_EQ(*same.find("version"), Value(version));
    auto const other = json(200, "PUT", kAnn, R"({"name":"Ann","note":null})");
    EXPECT_EQ(*other.find("changed"), Value(true));
    EXPECT_NE(*other.find("version"), Value(version));
    EXPECT_EQ(write_json(*json(200, "GET", kAnn).find("fields")), R"({"name":"Ann","note":null})");
}

TEST_F(ApiRecords, W3_a_write_that_is_made_again_under_its_key_is_not_done_twice) {
    std::string const x = "/v1/collections/c/records/x";
    auto const ask = [&](std::string body, std::string query = "", std::string key = "k-1") {
        return send(request("PATCH", x + query, std::move(body), {{"idempotency-key", key}}));
    };
    send("POST", "/v1/schema", R"({"c":{"fields":{"n":{"type":"counter"}}}})");
    auto const first = ask(R"({"n":{"$inc":1}})");
    EXPECT_EQ(first.status, 201);
    EXPECT_FALSE(first.headers.contains("Idempotency-Replayed"));
    auto const again = ask(R"({"n":{"$inc":1}})", "?wait=1&timeout=1");
    EXPECT_EQ(again.headers.at("Idempotency-Replayed"), "true");
    EXPECT_EQ(again.headers.at("ETag"), first.headers.at("ETag"));
    EXPECT_EQ(*json(200, "GET", x).find("fields")->find("n"), Value(1));
    auto const other = ask(R"({"n":{"$inc":2}})");
    EXPECT_EQ(other.status, 422);
    EXPECT_THAT(other.body, HasSubstr("another request was made under this Idempotency-Key"));
    EXPECT_EQ(ask("{}", "", "with blanks in it").status, 400);
    EXPECT_EQ(ask("{}", "", std::string(256, 'x')).status, 400);
}

TEST_F(ApiRecords, lists_show_the_ids_of_their_elements_when_asked) {
    auto const insert = R"({"lines": {"$insert": {"after": null, "values": ["x", "y"]}}})";
    ASSERT_EQ(send("PATCH", kAnn, insert).status, 201);
    auto const lines = [&](std::string const& target) {
        auto const body = parse_json(send("GET", target).body);
        return body ? *body->find("fields")->find("lines") : Value();
    };
    EXPECT_EQ(lines(kAnn), Value(Array{Value("x"), Value("y")}));
    EXPECT_EQ(lines(kAnn + "?elements=false"), lines(kAnn));
    Value const shown = lines(kAnn + "?elements=true");
    ASSERT_TRUE(shown.as<Array>());
    ASSERT_EQ(shown.as<Array>()->size(), 2u);
    Value const& last = shown.as<Array>()->back();
    EXPECT_EQ(*last.find("value"), Value("y"));
    std::string const id = *last.find("element")->as<std::string>();
    auto const move = R"({"lines": {"$move": {"element": ")" + id + R"(", "after": null}}})";
    ASSERT_EQ(send("PATCH", kAnn, move).status, 200);
    EXPECT_EQ(lines(kAnn), Value(Array{Value("y"), Value("x")}));
    EXPECT_EQ(send("GET", kAnn + "?elements=1").status, 400);
    EXPECT_EQ(send("PATCH", kAnn, R"({"lines": {"$remove": "00"}})").status, 422);
}

TEST_F(ApiRecords, A17_an_erased_id_is_gone_for_reads_and_writes) {
    json(201, "PUT", kAnn, R"({"name":"Ann"})");
    EXPECT_EQ(send("DELETE", kAnn + "?erase=true").status, 204);
    EXPECT_EQ(send("DELETE", kAnn + "?erase=true").status, 204);
    EXPECT_EQ(send("GET", kAnn).status, 404);
    for (char const* method : {"PUT", "PATCH"}) {
        auto const refused = send(method, kAnn, R"({"name":"Ann"})");
        EXPECT_EQ(refused.status, 410);
        EXPECT_NE(refused.body.find("erased for good"), std::string::npos);
    }
    auto const answer = json(200, "GET", "/v1/erasures");
    auto const& list = *answer.find("erasures")->as<Array>();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_FALSE(list[0].find("waiting")->as<Array>()->empty());
    EXPECT_EQ(write_json(answer).find("ann"), std::string::npos);
    auto const none = json(200, "GET", "/v1/orphans");
    EXPECT_EQ(*none.find("orphans"), Value(Array{}));
    EXPECT_EQ(send("POST", "/v1/orphans", R"({"collection":"c","id":"x","keep":true})").status,
              404);
}

TEST_F(ApiRecords, a_list_goes_on_behind_many_that_were_deleted) {
    constexpr std::size_t kTogether = 500;
    for (auto const kind : {Write::Kind::put, Write::Kind::delete_}) {
        for (std::size_t i = 0; i < kListSkipMax; i += kTogether) {
            std::vector<Write> writes;
            for (std::size_t j = i; j < i + kTogether; ++j)
                writes.push_back({kind, {"customers", "d" + std::to_string(j)}, {}, {}});
            space[0].commit(writes);
        }
    }
    for (char const* id : {"a", "d", "z"})
        space[0].put("customers", id, {});
    space[0].erase("customers", "d");
    auto const page = json(200, "GET", "/v1/collections/customers/records");
    EXPECT_EQ(page.find("records")->as<Array>()->size(), 1u);
    ASSERT_TRUE(page.find("next")->as<std::string>());
    auto const rest =
        json(200,
             "GET",
             "/v1/collections/customers/records?after=" + *page.find("next")->as<std::string>());
    EXPECT_EQ(*rest.find("records")->as<Array>()->front().find("id"), Value("z"));
    EXPECT_TRUE(rest.find("next")->is_null());
}

TEST_F(ApiRecords, an_empty_record_exists) {
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 201);
    EXPECT_EQ(write_json(*json(200, "GET", kAnn).find("fields")), "{}");
}

TEST_F(ApiRecords, patch_merges_and_runs_operations) {
    json(201, "PATCH", kAnn, R"({"name":"Ann","city":"Kiel","points":{"$inc":5}})");
    json(200, "PATCH", kAnn, R"({"city":null,"points":{"$inc":-2},"tags":{"$add":["vip"]}})");
    json(200, "PATCH", kAnn, R"({"note":{"$null":true},"on":{"$enable":true}})");
    EXPECT_EQ(write_json(*json(200, "GET", kAnn).find("fields")),
              R"({"name":"Ann","note":null,"on":true,"points":3,"tags":["vip"]})");
}

TEST_F(ApiRecords, what_the_schema_refuses_names_the_field) {
    json(200, "POST", "/v1/schema", R"({"customers":{"fields":{"points":{"type":"counter"}}}})");
    auto const answer = json(422, "PUT", kAnn, R"({"points":"many"})");
    EXPECT_EQ(*answer.find("error")->find("field"), Value("points"));
    EXPECT_EQ(send("GET", kAnn).status, 404);
}

TEST_F(ApiRecords, delete_takes_what_is_there) {
    EXPECT_EQ(send("DELETE", kAnn).status, 404);
    send("PUT", kAnn, "{}");
    auto const gone = send("DELETE", kAnn + "?erase=false");
    EXPECT_EQ(gone.status, 204);
    EXPECT_EQ(gone.body, "");
    EXPECT_EQ(send("GET", kAnn).status, 404);
    EXPECT_EQ(send("DELETE", kAnn).status, 404);
    EXPECT_EQ(send("PUT", kAnn, "{}").status, 201);
}

TEST_F(ApiRecords, if_match_guards_every_write) {
    std::string const first = send("PUT", kAnn, R"({"n":1})").headers.at("ETag");
    std::string const second =
        send("PUT", kAnn, R"({"n":2})", {{"if-match", first}}).headers.at("ETag");
    for (char const* method : {"PUT", "PATCH", "DELETE"}) {
        auto const body = std::string(method) == "DELETE" ? "" : R"({"n":3})";
        auto const refused = send(method, kAnn, body, {{"if-match", first}});
        EXPECT_EQ(refused.status, 412) << method;
        EXPECT_THAT(refused.body, HasSubstr("\"code\":\"conflict\""));
    }
    for (std::string const& bad : {std::string("*"), first + ", " + second, "W/" + first})
        EXPECT_EQ(send("PUT", kAnn, "{}", {{"if-match", bad}}).status, 400) << bad;
    std::string const bare = second.substr(1, second.size() - 2);
    EXPECT_EQ(send("PATCH", kAnn, R"({"n":3})", {{"if-match", bare}}).status, 200);
    EXPECT_EQ(send("PUT", "/v1/collections/c/records/none", "{}", {{"if-match", bare}}).status,
              412);
}

TEST_F(ApiRecords, if_none_match_makes_only_new_ones) {
    EXPECT_EQ(send("PUT", kAnn, "{}", {{"if-none-match", "*"}}).status, 201);
    auto const refused = send("PUT", kAnn, "{}", {{"if-none-match", "*"}});
    EXPECT_EQ(refused.status, 412);
    EXPECT_THAT(refused.body, HasSubstr("such a record already"));
    EXPECT_EQ(send("PUT", kAnn, "{}", {{"if-none-match", "\"x\""}}).status, 400);
}

TEST_F(ApiRecords, collections_are_listed_without_the_reserved_ones) {
    EXPECT_EQ(send("GET", "/v1/collections").body, "[]");
    send("PUT", kAnn, "{}");
    send("POST", "/v1/schema", R"({"customers":{}})");
    EXPECT_EQ(send("GET", "/v1/collections").body, R"([{"name":"customers","records":1}])");
}

TEST_F(ApiRecords, the_source_is_the_roles_over_tcp_and_free_on_the_socket) {
    auto const source_after = [&](HttpRequest made) {
        EXPECT_LT(send(std::move(made)).status, 300);
        auto const batch = space[0]->collect({}, 1 << 20);
        std::string const& bytes = batch->runs.back().entries.back();
        return decode_header(frame_entry(bytes)->header)->source;
    };
    EXPECT_EQ(source_after(request("PUT", kAnn, R"({"n":1})")), "local");
    EXPECT_EQ(source_after(request("PUT", kAnn, R"({"n":2})", {{"x-inos-source", "crm"}})), "crm");
    EXPECT_EQ(source_after(request("PUT", kAnn + "?source=shop", R"({"n":3})")), "shop");
    HttpRequest tcp = request("PUT", kAnn, R"({"n":4})");
    tcp.from_socket = false;
    tcp.role = "manager";
    EXPECT_EQ(source_after(tcp), "manager");
    tcp.headers["x-inos-source"] = "crm";
    EXPECT_EQ(send(tcp).status, 403);
    tcp.headers.clear();
    tcp.query["source"] = "crm";
    EXPECT_EQ(send(tcp).status, 403);
    EXPECT_EQ(send("PUT", kAnn + "?source=" + std::string(65, 'x'), "{}").status, 400);
}

using ApiTransactions = ApiTest;

TEST_F(ApiTransactions, are_one_entry) {
    space[0].put("stock", "old", {});
    auto const before = space[0]->vector();
    auto const answer = json(200, "POST", "/v1/transactions", R"({"ops":[
        {"op":"put","collection":"orders","id":"1","fields":{"sum":3}},
        {"op":"patch","collection":"stock","id":"s","fields":{"n":{"$inc":-1}}},
        {"op":"delete","collection":"stock","id":"old"},
        {"op":"delete","collection":"stock","id":"never"}]})");
    EXPECT_EQ(space[0]->vector().at(space[0].actor()), before.at(space[0].actor()) + 1);
    Array const& ops = *answer.find("ops")->as<Array>();
    ASSERT_EQ(ops.size(), 4u);
    EXPECT_EQ(*ops[0].find("created"), Value(true));
    EXPECT_EQ(*ops[0].find("id"), Value("1"));
    EXPECT_TRUE(ops[0].find("version")->as<std::string>());
    EXPECT_EQ(*ops[2].find("found"), Value(true));
    EXPECT_TRUE(ops[2].find("version")->is_null());
    EXPECT_EQ(*ops[3].find("found"), Value(false));
    EXPECT_EQ(space[0].field("orders", "1", "sum"), Value(3));
    EXPECT_FALSE(space[0].get("stock", "old"));
}

TEST_F(ApiTransactions, happen_wholly_or_not_at_all) {
    send("PUT", kAnn, R"({"n":1})");
    std::string const stale = *json(200, "GET", kAnn).find("version")->as<std::string>();
    send("PUT", kAnn, R"({"n":2})");
    auto const body = R"({"ops":[{"op":"put","collection":"c","id":"1","fields":{}},
        {"op":"put","collection":"customers","id":"ann","fields":{},"if_match":")" +
                      stale + "\"}]}";
    EXPECT_EQ(send("POST", "/v1/transactions", body).status, 412);
    EXPECT_FALSE(space[0].get("c", "1"));
}

TEST_F(ApiTransactions, take_values_as_deep_as_a_put_does) {
    std::string const deep = std::string(31, '[') + std::string(31, ']');
    EXPECT_EQ(send("PUT", kAnn, R"({"a":)" + deep + "}").status, 201);
    auto const op =
        R"({"ops":[{"op":"put","collection":"c","id":"1","fields":{"a":)" + deep + "}}]}";
    EXPECT_EQ(send("POST", "/v1/transactions", op).status, 200);
    EXPECT_EQ(write_json(space[0].field("c", "1", "a")), deep);
    EXPECT_EQ(send("PUT", kAnn, R"({"a":[)" + deep + "]}").status, 400);
}

TEST_F(ApiTransactions, over_the_limit_are_refused) {
    std::string ops;
    for (int i = 0; i < 10'001; ++i)
        ops += R"({"op":"delete","collection":"c","id":"1"},)";
    ops.back() = ']';
    auto const answer = send("POST", "/v1/transactions", R"({"ops":[)" + ops + "}");
    EXPECT_EQ(answer.status, 422);
    EXPECT_THAT(answer.body, HasSubstr("at most 10000 ops"));
}

using ApiSchema = ApiTest;

TEST_F(ApiSchema, is_applied_and_shown) {
    std::string const document =
        R"({"customers":{"fields":{"points":{"type":"counter"}},"index":["email"]}})";
    auto const answer = json(200, "POST", "/v1/schema", document);
    EXPECT_EQ(write_json(answer), R"({"changed":["customers"],"collections":["customers"]})");
    EXPECT_EQ(send("GET", "/v1/schema").body, document);
    auto const again = json(200, "POST", "/v1/schema", document);
    EXPECT_EQ(write_json(*again.find("changed")), "[]");
    send("PUT", kAnn, R"({"points":3})");
    json(200, "PATCH", kAnn, R"({"points":{"$inc":2}})");
    EXPECT_EQ(space[0].field("customers", "ann", "points"), Value(5));
    json(200, "POST", "/v1/schema", R"({"orders":{"delete":"delete-wins"}})");
    EXPECT_TRUE(json(200, "GET", "/v1/schema").find("customers"));
}

TEST_F(ApiSchema, problems_come_all_at_once) {
    auto const answer = json(
        422, "POST", "/v1/schema", R"({"c":{"fields":{"a":{"type":"cuonter"},"b":{"type":"q"}}}})");
    Value const& error = *answer.find("error");
    EXPECT_EQ(*error.find("field"), Value("c.fields.a.type"));
    EXPECT_THAT(*error.find("message")->as<std::string>(), HasSubstr("and 1 more"));
    EXPECT_EQ(error.find("problems")->as<Array>()->size(), 2u);
    EXPECT_EQ(send("GET", "/v1/schema").body, "{}");
}

using ApiNode = ApiTest;

TEST_F(ApiNode, status_shows_site_spaces_and_peers) {
    send("PUT", kAnn, "{}");
    PeerStatus peer;
    peer.name = "site1";
    peer.behind = 3;
    node.known_peers.push_back(peer);
    auto const status = json(200, "GET", "/v1/status");
    EXPECT_EQ(write_json(*status.find("site")), R"({"id":"site-id","name":"site0"})");
    EXPECT_TRUE(status.find("version")->as<std::string>());
    EXPECT_EQ(write_json(*status.find("adapters")), "[]");
    Value const& shown = status.find("spaces")->as<Array>()->front();
    EXPECT_EQ(*shown.find("name"), Value("main"));
    EXPECT_EQ(*shown.find("root"), Value(space[0]->root().text()));
    EXPECT_EQ(*shown.find("records"), Value(1));
    Object const vector{{actor_text(space[0].actor()), Value(1)}};
    EXPECT_EQ(*shown.find("vector"), Value(vector));
    Array const& members = *shown.find("members")->as<Array>();
    ASSERT_EQ(members.size(), 2u);
    EXPECT_EQ(*members[0].find("name"), Value("site0"));
    EXPECT_EQ(*members[0].find("role"), Value("admin"));
    EXPECT_EQ(*members[0].find("actor"), Value(actor_text(space[0].actor())));
    EXPECT_EQ(*status.find("peers")->as<Array>()->front().find("behind"), Value(3));
    Value const listed = json(200, "GET", "/v1/members");
    EXPECT_EQ(listed.as<Array>()->size(), 2u);
}

TEST_F(ApiNode, peers_are_added_and_removed) {
    EXPECT_EQ(json(201, "POST", "/v1/peers", R"({"url":"ws://a:1"})"),
              Value(Object{{"url", Value("ws://a:1")}}));
    auto const peers = json(200, "GET", "/v1/peers");
    EXPECT_EQ(*peers.as<Array>()->front().find("url"), Value("ws://a:1"));
    EXPECT_EQ(send("DELETE", "/v1/peers?url=ws://a:1").status, 204);
    EXPECT_EQ(send("GET", "/v1/peers").body, "[]");
    node.failure = Error{Errc::invalid, "no address of a site", "url"};
    EXPECT_EQ(send("POST", "/v1/peers", R"({"url":"x"})").status, 400);
}

TEST_F(ApiNode, invitations_show_their_code_once) {
    auto const made = json(201,
                           "POST",
                           "/v1/invites",
                           R"({"role":"writer","write":["orders"],"ttl_s":60,"at":["ws://a:1"]})");
    EXPECT_EQ(write_json(made),
              R"({"code":"the-code","expires":"2025-06-15T15:07:40.000Z",)"
              R"("failures":0,"id":"00112233aabbccdd","role":"writer"})");
    EXPECT_EQ(node.last_invite.scope, std::vector<std::string>{"orders"});
    EXPECT_EQ(node.last_invite.addresses, std::vector<std::string>{"ws://a:1"});
    EXPECT_EQ(node.last_invite.ttl_s, 60u);
    EXPECT_THAT(send("GET", "/v1/invites").body, Not(HasSubstr("the-code")));
    EXPECT_EQ(send("DELETE", "/v1/invites?id=00112233aabbccdd").status, 204);
    EXPECT_EQ(send("GET", "/v1/invites").body, "[]");
    json(201, "POST", "/v1/invites");
    EXPECT_EQ(node.last_invite.ttl_s, 3'600u);
    node.failure = Error{Errc::forbidden, "only admins invite", ""};
    EXPECT_EQ(send("POST", "/v1/invites", "{}").status, 403);
}

TEST_F(ApiNode, verify_answers_for_all_sites) {
    node.report.root = "r";
    node.report.agree = true;
    node.report.peers.push_back({"id1", "site1", "agrees", "r", 0, 0});
    EXPECT_EQ(send("POST", "/v1/verify").body,
              R"({"agree":true,"peers":[{"ahead":0,"behind":0,"name":"site1","root":"r",)"
              R"("site":"id1","state":"agrees"}],"root":"r","systems":[]})");
    node.repair_report.looked = 4;
    node.repair_report.note_repaired({{"c", "ann"}, "built again"});
    node.repair_report.note_left({{"c", "\1tag"}, "damaged"});
    node.repair_report.log_damage = {"log"};
    EXPECT_EQ(send("POST", "/v1/verify", R"({"repair":true})").body,
              R"({"agree":true,"peers":[{"ahead":0,"behind":0,"name":"site1","root":"r",)"
              R"("site":"id1","state":"agrees"}],"repair":{"left":[{"collection":"c","id":"",)"
              R"("what":"damaged"}],"left_count":1,"log":["log"],"looked":4,)"
              R"("repaired":[{"collection":"c","id":"ann","what":"built again"}],)"
              R"("repaired_count":1},"root":"r","systems":[]})");
    for (char const* body : {R"({"repair":1})", R"({"mend":true})", "[]", "x"})
        EXPECT_EQ(send("POST", "/v1/verify", body).status, *body == '{' ? 422 : 400) << body;
    node.failure = Error{Errc::unavailable, "no node runs", ""};
    EXPECT_EQ(send("POST", "/v1/verify").status, 503);
    EXPECT_EQ(send("POST", "/v1/verify", R"({"repair":true})").status, 503);
}

TEST_F(ApiNode, probes_answer) {
    EXPECT_EQ(send("GET", "/healthz").status, 200);
    EXPECT_EQ(send("GET", "/readyz").status, 200);
}

TEST(ApiRoutes, say_what_they_are_for) {
    for (ApiRoute const& route : Api::routes())
        EXPECT_FALSE(route.about.empty()) << route.method << " " << route.pattern;
}

TEST(ApiFormat, times_are_utc) {
    EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(utc_text(951'782'399'999), "2000-02-28T23:59:59.999Z");
    EXPECT_EQ(utc_text(951'782'400'000), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(utc_text(1'709'251'200'001), "2024-03-01T00:00:00.001Z");
    EXPECT_EQ(utc_text(4'102'444'799'000), "2099-12-31T23:59:59.000Z");
}

}  // namespace
}  // namespace inos::test
