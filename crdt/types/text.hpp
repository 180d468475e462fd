// A text that several people write at the same time: a cell at the text's own path says that there
// is one, and below it each run of characters is a cell, named by the position of its first one
// (crdt/position.hpp). A run only ever loses characters (crdt/pieces.hpp), so what is removed
// leaves nothing behind. Concurrent insertions at one place stand one after the other and are not
// mixed; what was removed by one site stays removed, and what another typed beside or into it
// stays.
//
//   {"$splice": {"at": n, "delete": n, "insert": "..."}}     or an array of such, one after another
//
// Places and lengths count Unicode code points. A plain string is compared with what is there, and
// only the differences are written (text_diff.hpp). A text has no conflicts of its own.
#pragma once

#include "crdt/types/types.hpp"

namespace inos {
TypeRules text_rules();
}
