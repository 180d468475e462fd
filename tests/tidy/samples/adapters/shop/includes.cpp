#include "adapters/shop/shop.hpp"
#include "crdt/merge.hpp"
#include "net/session.hpp"            // expect: include-direction
#include "storage/replica.hpp"
