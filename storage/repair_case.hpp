// Inside record repair: one record that is looked at, and what becomes of it.
#pragma once

#include <string>

#include "storage/record_repair.hpp"

namespace inos {

struct RecordRepair::Case {
    std::string key;
    RecordName name;
    bool present = false;
    bool readable = false;  // and its digest is that of its bytes
    DigestClass stored_class = DigestClass::none;
    Digest128 stored_digest;  // what the head says
    Record record;
    Dot last;
    bool erased = false;  // nothing may be there
    Standing standing = Standing::damaged;
    char const* repaired_as = nullptr;
    bool changed = false, gone = false;  // to be written
};

}  // namespace inos
