// How the commands' client speaks to a node.
#include "tools/client.hpp"

#include <gtest/gtest.h>

namespace inos {
namespace {

TEST(Client, is_patient_for_as_long_as_a_write_may_wait) {
    using namespace std::chrono_literals;
    ApiRequest request{"PUT", "/v1/collections/c/records/x", {}, {}, "{}"};
    EXPECT_EQ(answer_patience(request), 30s);
    request.query = {{"wait", "1"}, {"timeout", "300"}};
    EXPECT_EQ(answer_patience(request), 330s);
    request.query["timeout"] = "18446744073709551615";
    EXPECT_EQ(answer_patience(request), 330s);
    request.query["timeout"] = "soon";
    EXPECT_EQ(answer_patience(request), 30s);
}

}  // namespace
}  // namespace inos
