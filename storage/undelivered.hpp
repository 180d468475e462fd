// What a site wrote that never reached anybody: of one that was retired while it was away, and has
// joined again with new keys. Found in its old directory, written anew by the new site if people
// want it: as ordinary edits, so nothing of the old site's history has to be taken in.
//
// On the old replica's thread. Errors: Errc::corruption of what is stored.
#pragma once

#include <string>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

struct Undelivered {
    RecordName name;
    bool deleted = false;  // the site deleted it
    Object fields;         // what else it changed, as a PATCH: values; for counters what was added
    // Fields that it changed as well, of which nothing of it stands there any more, or what it took
    // away cannot be told: the beginning of the record's history was cut from the log.
    std::vector<std::string> unclear;
    std::uint64_t last_ms = 0;  // of the last of these entries, by the site's clock
};

// Of all actors of the replica's site the entries that `elsewhere` does not name, by record. Erased
// records, whose names are not known any more, are left out. Of a record whose beginning was cut
// from the log only fields are given in which something of the site's own stands. Errc::gone: the
// log does not hold one of these entries any more.
Result<std::vector<Undelivered>> list_undelivered(Replica const& old,
                                                  VersionVector const& elsewhere);

}  // namespace inos
