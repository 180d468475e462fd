// Configuration files, and HOST:PORT as flags give it.
#include "net/peer_url.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/config.hpp"

using namespace inos;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text = fuzz::view(data, size);
    auto const config = parse_config(text, "inos.toml");
    if (!config) fuzz::expect(config.error().code == Errc::usage, "a refusal is a usage error");
    if (auto const address = parse_host_port(text)) {
        auto const again = parse_host_port(host_and_port(address->host, address->port));
        fuzz::expect(again == address, "HOST:PORT written again says the same");
    }
    return 0;
}
