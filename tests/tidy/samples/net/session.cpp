#include <boost/asio/awaitable.hpp>    // expect: boost
#include "net/driver.hpp"              // expect: include-direction
#include "net/session.hpp"
#include "net/wire/codec.hpp"
