// What a shop relies on, tried over random executions of several sites. Says what breaks, and how.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "tools/testing/testing.hpp"

namespace {

using namespace inos::testing;

std::string shop_schema() {
    std::ifstream file(SHOP_SCHEMA);
    return {std::istreambuf_iterator<char>(file), {}};
}

// rapidcheck makes executions larger and larger, and makes one that fails as small as it can.
bool nothing_breaks(std::string const& what, inos::simulate::Setting const& setting) {
    return rc::check(what, [&setting] {
        auto const plan = *executions(setting, 3);
        if (auto const broken = find_broken(setting, plan)) RC_FAIL(*broken);
    });
}

}  // namespace

int main() {
    auto const setting = make_setting(shop_schema(), "stock >= 0\nstate != 'gone'");
    if (!setting) {
        std::fprintf(stderr, "%s\n", setting.error().message.c_str());
        return 2;
    }
    bool const shop = nothing_breaks("nothing is sold twice, and no write is lost", *setting);
    bool const any = rc::check("whatever the schema, all sites come to the same", [] {
        auto const any_setting = make_setting(*schema_documents());
        auto const plan = *executions(any_setting, 2);
        if (auto const broken = find_broken(any_setting, plan)) RC_FAIL(*broken);
    });
    return shop && any ? 0 : 1;
}
