// Members over the HTTP API: who belongs to the space, and what an admin decides about them.
#include "storage/crypto/site_id.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

class ApiMembers : public ApiTest {
protected:
    Value member(std::size_t i) {
        Value const all = json(200, "GET", "/v1/members");
        return all.as<Array>()->at(i);
    }
    std::string id(std::size_t i) { return site_id_text(space[i].keys.identity.public_key); }
};

TEST_F(ApiMembers, are_listed_with_what_each_has_said_that_it_holds) {
    space[0].put("customers", "ann", {});
    Value silent = member(1);
    EXPECT_EQ(*silent.find("site"), Value(id(1)));
    EXPECT_EQ(*silent.find("state"), Value("member"));
    EXPECT_EQ(*silent.find("self"), Value(false));
    EXPECT_EQ(*silent.find("acknowledged"), Value());
    EXPECT_EQ(*silent.find("missing"), Value(1));
    EXPECT_EQ(*member(0).find("self"), Value(true));
    EXPECT_EQ(*member(0).find("missing"), Value(0));
    space.converge();
    space.acknowledge();
    EXPECT_TRUE(member(1).find("acknowledged")->as<std::string>());
    EXPECT_EQ(*member(1).find("missing"), Value(0));
}

TEST_F(ApiMembers, are_retired_by_name_or_id_once) {
    EXPECT_EQ(json(200, "DELETE", "/v1/members?site=site1"),
              Value(Object{
                  {"name", Value("site1")}, {"site", Value(id(1))}, {"state", Value("retired")}}));
    EXPECT_EQ(node.members_changes, 1u);
    Value const retired = member(1);
    EXPECT_EQ(*retired.find("state"), Value("retired"));
    EXPECT_EQ(*retired.find("retired_by"), Value("site0"));
    EXPECT_TRUE(retired.find("retired")->as<std::string>());
    json(404, "DELETE", "/v1/members?site=site1");
    json(404, "DELETE", "/v1/members?site=" + id(1));
    json(404, "DELETE", "/v1/members?site=nobody");
    json(409, "DELETE", "/v1/members?site=" + id(0));
    json(400, "DELETE", "/v1/members");
    EXPECT_EQ(node.members_changes, 1u);
}

}  // namespace
}  // namespace inos::test
