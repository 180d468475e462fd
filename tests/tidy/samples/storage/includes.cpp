#include <boost/json.hpp>
#include <capnp/message.h>            // expect: capnp
#include <boost/beast/core.hpp>       // expect: beast
#include "crdt/merge.hpp"
#include "net/session.hpp"            // expect: include-direction
#include "adapters/shop/shop.hpp"     // expect: include-direction
