#include <boost/asio.hpp>
#include <boost/beast.hpp>                // expect: beast
#include <kj/string.h>                    // expect: capnp
#include "adapters/shop/shop.hpp"         // expect: include-direction
#include "net/session.hpp"
#include "net/wire/codec.hpp"
#include "net/wire/messages.capnp.h"      // expect: capnp
#include "net/wire/nothing.capnp.h"       // expect: capnp expect: include-missing
#include "storage/replica.hpp"
#include "tools/main.hpp"                 // expect: include-missing
