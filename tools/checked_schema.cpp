#include "tools/checked_schema.hpp"

#include <ostream>

#include "tools/files.hpp"
#include "tools/output.hpp"
#include "tools/schema_file.hpp"

namespace inos {

Error problems_in(Context& context,
                  std::string const& path,
                  std::vector<std::string> const& problems) {
    for (auto const& problem : problems)
        context.terminal.err << clean_text(problem) << '\n';
    return Error{Errc::invalid,
                 "\"" + path + "\" has " + counted(problems.size(), "problem") + ", see above",
                 path};
}

Result<Object> checked_schema(Context& context, std::string const& path) {
    INOS_TRY(auto const text, read_file(path, kSchemaBytesMax));
    INOS_TRY(auto const file, SchemaFile::parse(text, path));
    auto const problems = file.describe(check_schema(file.document()));
    if (problems.empty()) return file.document();
    return tl::unexpected<Error>(problems_in(context, path, problems));
}

}  // namespace inos
