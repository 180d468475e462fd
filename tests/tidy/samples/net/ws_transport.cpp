#include <boost/beast/websocket.hpp>
