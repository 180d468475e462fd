#include <capnp/message.h>
#include "net/session.hpp"             // expect: include-direction
#include "net/wire/messages.capnp.h"
