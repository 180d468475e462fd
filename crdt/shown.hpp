// Changes by somebody who has seen less of a record than is here: an adapter, whose system showed
// its users some of the cells, and not the edits that were to be sent there next. Its ops name what
// was seen as their own ctx (entry.hpp), so that an edit which was not shown is concurrent with them
// and goes to the field's policy. Pure.
#pragma once

#include "crdt/change.hpp"

namespace inos {

// Merges the fields in, as PATCH does, by somebody who has seen the cells that `seen` covers. Of
// counters everything is known, as their operations need no context. No op where what was seen
// reads so already. Precondition: the record is visible.
Planned plan_shown_change(Record const& record,
                          CollectionSchema const& schema,
                          RecordName const& name,
                          Object const& fields,
                          VersionVector const& seen,
                          Author const& author);

// Deletes what was seen of the record: under update-wins it stays if there is more. No op when it
// is not visible, or nothing was seen.
std::optional<Op> plan_shown_delete(Record const& record,
                                    CollectionSchema const& schema,
                                    RecordName const& name,
                                    VersionVector const& seen);

}  // namespace inos
