// How the API shows the inspection of what is stored. Pure; any thread.
#pragma once

#include "crdt/value.hpp"
#include "net/inspection.hpp"
#include "storage/membership.hpp"

namespace inos {

// {"under_way","full","phase","done","of","began","passes","findings","obstacle","last"}; `last` is
// null before the first pass has come to its end.
Value inspection_value(InspectionStatus const& status);
// [{"kind","remedy","what","do","collection","id","site","entry","count"}]: what was found and is
// not mended, one by one.
Value damage_value(InspectionStatus const& status, Membership const& membership);

}  // namespace inos
