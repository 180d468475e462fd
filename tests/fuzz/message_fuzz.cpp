// Messages between peers: what can be read says the same when it is written and read again.
#include "net/wire/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const message = wire::decode(fuzz::view(data, size));
    if (!message) {
        fuzz::expect(message.error().code == Errc::protocol, "a refusal is a protocol error");
        return 0;
    }
    auto const again = wire::decode(wire::encode(*message));
    fuzz::expect(again && *again == *message, "a message written again says the same");
    return 0;
}
