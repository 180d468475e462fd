#include <vector>
#include <sodium.h>               // expect: std-only
#include <boost/json.hpp>         // expect: std-only
#include <crdt/merge.hpp>         // expect: include-form expect: std-only
#include "crdt/merge.hpp"
#include "merge.hpp"              // expect: include-missing
#include "storage/replica.hpp"    // expect: include-direction
// #include "net/session.hpp"
/*
#include "net/session.hpp"
*/
