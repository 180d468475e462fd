// Inside record repair: one record that is looked at, and what becomes of it.
#pragma once

#include <optional>
#include <string>

#include "storage/record_repair.hpp"
#include "storage/replica_stage.hpp"

namespace inos {

struct RecordRepair::Case {
    std::string key;
    RecordName name;
    bool present = false;   // something is stored, readable or not
    bool readable = false;  // and its digest is that of its bytes
    std::string bytes;      // what is stored
    Record record;
    RangeItem stored;  // of it
    Dot last;
    bool erased = false;   // nothing may be there
    bool erasing = false;  // soon: the erase itself has not come yet
    // What becomes of it:
    bool changed = false, gone = false;  // to be written
    bool unknown = false;                // the log cannot tell: shown as damaged
    bool relink = false;                 // its list through the log is written anew
    bool indexed = true;                 // as it is
    bool proven = false;                 // and that is all of it
    bool left_out = false;               // not this time
    std::optional<Erasure> erasure;      // the proof that goes with its marks
};

}  // namespace inos
