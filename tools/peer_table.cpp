#include "tools/peer_table.hpp"

#include <ostream>

#include "tools/client.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

std::string count_of(Value const& peer, std::string_view member) {
    return grouped(static_cast<std::uint64_t>(number_of(peer, member)));
}

std::string traffic(Value const& peer) {
    auto const in = static_cast<std::uint64_t>(number_of(peer, "bytes_in"));
    auto const out = static_cast<std::uint64_t>(number_of(peer, "bytes_out"));
    return in + out == 0 ? "" : human_bytes(in) + " / " + human_bytes(out);
}

}  // namespace

void print_peers(Context& context, Array const& peers) {
    if (peers.empty()) {
        context.terminal.out << "no peers (inos invite lets a site in, inos peers add dials one)\n";
        return;
    }
    Table table({"peer", "state", "behind", "ahead", "in / out", "address", "last error"});
    for (auto const& peer : peers) {
        table.add({text_of(peer, "name"),
                   text_of(peer, "state") + (bool_of(peer, "disk_full") ? ", disk full" : ""),
                   count_of(peer, "behind"),
                   count_of(peer, "ahead"),
                   traffic(peer),
                   text_of(peer, "url"),
                   text_of(peer, "last_error")});
    }
    table.print(context.terminal);
}

}  // namespace inos
