// Addresses of peers: what is accepted says the same when it is written out.
#include "net/peer_url.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text = fuzz::view(data, size);
    auto const url = parse_peer_url(text);
    if (!url) {
        fuzz::expect(!url.error().message.empty(), "a refusal says why");
        return 0;
    }
    fuzz::expect(subprotocol_of(url->path).has_value(), "somebody serves the path");
    auto const again = parse_peer_url("ws://" + host_and_port(url->host, url->port) + url->path);
    fuzz::expect(again && *again == *url, "an address written again says the same");
    return 0;
}
