// Generators for property tests of programs that rely on Inosculate, with rapidcheck: schemas,
// entries, and executions, which are runs of several sites on the real replicas and sessions. All
// of them shrink: what rapidcheck shows of a failure is small.
//
//   auto const setting = inos::testing::make_setting(schema_toml, "stock >= 0");
//   rc::check("nothing is sold twice", [&] {
//       auto const plan = *inos::testing::executions(*setting, 3);
//       auto const broken = inos::testing::find_broken(*setting, plan);
//       if (broken) RC_FAIL(*broken);
//   });
//
// To be linked: the CMake target inosculate::testing. See docs/simulate.md for rules and for what
// an execution is, and docs/examples/property-test.
//
// Thread: one at a time in a process (tools/simulate/plan_run.hpp).
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include <rapidcheck.h>

#include "crdt/entry.hpp"
#include "storage/result.hpp"
#include "tools/simulate/plan_run.hpp"

namespace inos::testing {

// Documents of one collection, "things", that storage/schema_document.hpp finds no problem with:
// all types and policies.
rc::Gen<Object> schema_documents();

// Entries that are in effect: encode_entry() writes them, decode_entry() gives them back.
rc::Gen<Entry> entries();

// What executions are about: a schema as in a schema file, and rules as in a rule file, which may
// be empty. Errc::invalid: the first mistake, with its line and column.
Result<simulate::Setting> make_setting(std::string_view schema_toml, std::string_view rules = {});
// The same of a document without problems, and no rules.
simulate::Setting make_setting(Object document);

// Executions of `sites` sites, simulate::kSitesMin to kSitesMax. The setting is copied.
rc::Gen<simulate::Plan> executions(simulate::Setting const& setting, std::size_t sites = 3);

// Runs the execution. nullopt: the rules held, all sites came to the same, and no write was lost.
// Otherwise what broke, and the story of it.
std::optional<std::string> find_broken(simulate::Setting const& setting,
                                       simulate::Plan const& plan);

}  // namespace inos::testing

namespace inos::simulate {
// How rapidcheck shows an execution: one step a line.
void showValue(Plan const& plan, std::ostream& out);
}  // namespace inos::simulate
