#include "storage/feed_cursor.hpp"

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/replica.hpp"

namespace inos {
namespace {

constexpr char kGeneration = 'w';
constexpr char kVersion = 1;
constexpr std::size_t kOriginBytes = 4 + 4 + 8 + 8;

template <std::size_t N>
std::array<std::uint8_t, N> first_bytes(std::string_view bytes) {
    std::array<std::uint8_t, N> first{};
    std::copy_n(bytes.begin(), std::min(N, bytes.size()), first.begin());
    return first;
}

template <class Bytes>
std::string_view raw(Bytes const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// Over the chains at the entries that `at` names; nullopt: one of them is not known here.
Result<std::optional<std::array<std::uint8_t, 8>>> chains_at(Replica const& replica,
                                                             VersionVector const& at) {
    std::string text = "inos feed 1";
    at.encode(text);
    for (auto const& [actor, seq] : at.items()) {
        INOS_TRY(auto const chain, replica.chain_prefix_at({actor, seq}));
        if (!chain) return std::optional<std::array<std::uint8_t, 8>>();
        text += raw(*chain);
    }
    return std::optional(first_bytes<8>(crypto::view(crypto::hash16(text))));
}

Result<FeedOrigin> origin_of(Replica const& replica) {
    FeedOrigin origin;
    origin.space = first_bytes<4>(raw(replica.membership().space()));
    if (auto const* own = replica.membership().by_actor(replica.actor()))
        origin.site = first_bytes<4>(raw(own->site));
    INOS_TRY(origin.generation, feed_generation(replica.engine(), replica.space_number()));
    return origin;
}

}  // namespace

std::string FeedCursor::text() const {
    std::string bytes;
    at.encode(bytes);
    std::string text = crypto::hex(bytes);
    if (!origin) return text;
    std::string made;
    made += raw(origin->space);
    made += raw(origin->site);
    made += raw(origin->generation);
    made += raw(origin->chains);
    return text + "-" + crypto::hex(made);
}

std::optional<FeedCursor> FeedCursor::parse(std::string_view text) {
    std::size_t const dash = text.find('-');
    auto const bytes = crypto::unhex(text.substr(0, dash));
    if (!bytes) return std::nullopt;
    Reader in(*bytes);
    auto vector = VersionVector::decode(in);
    if (!vector || !in.finished()) return std::nullopt;
    FeedCursor cursor{*std::move(vector)};
    if (dash == std::string_view::npos) return cursor;
    auto const made = crypto::unhex(text.substr(dash + 1));
    if (!made || made->size() != kOriginBytes) return std::nullopt;
    std::string_view const rest = *made;
    cursor.origin = FeedOrigin{first_bytes<4>(rest),
                               first_bytes<4>(rest.substr(4)),
                               first_bytes<8>(rest.substr(8)),
                               first_bytes<8>(rest.substr(16))};
    return cursor;
}

Result<FeedCursor> feed_cursor(Replica const& replica) {
    FeedCursor cursor{replica.vector()};
    INOS_TRY(FeedOrigin origin, origin_of(replica));
    INOS_TRY(auto const chains, chains_at(replica, cursor.at));
    if (!chains) return fail(Errc::corruption, "the chain of an actor's last entry is missing");
    origin.chains = *chains;
    cursor.origin = origin;
    return cursor;
}

Result<CursorStanding> judge_cursor(Replica const& replica, FeedCursor const& cursor) {
    bool const held = replica.vector().includes(cursor.at);
    if (!cursor.origin) return held ? CursorStanding::good : CursorStanding::ahead;
    INOS_TRY(FeedOrigin const ours, origin_of(replica));
    if (cursor.origin->space != ours.space) return CursorStanding::other_space;
    bool const own = cursor.origin->site == ours.site;
    if (!held && own) return CursorStanding::ahead_of_older;
    if (!held) {
        auto const& retired = replica.membership().view().retired;
        bool const lost = std::any_of(retired.begin(), retired.end(), [&](auto const& site) {
            return first_bytes<4>(raw(site.first)) == cursor.origin->site;
        });
        return lost ? CursorStanding::ahead_of_lost : CursorStanding::ahead;
    }
    // What is not known any more was cut: then the log does not reach back, and says so.
    INOS_TRY(auto const chains, chains_at(replica, cursor.at));
    if (chains && *chains != cursor.origin->chains) return CursorStanding::other_history;
    bool const repaired = own && cursor.origin->generation != ours.generation;
    return repaired ? CursorStanding::repaired : CursorStanding::good;
}

bool may_come(CursorStanding standing) {
    return standing == CursorStanding::ahead || standing == CursorStanding::ahead_of_older ||
           standing == CursorStanding::ahead_of_lost;
}

Error begin_with_snapshot(std::string_view why) {
    return {Errc::gone,
            std::string(why) + (why.ends_with(" else") ? "" : ";") +
                " forget what you have and take a snapshot, which says where to go on: "
                "GET /v1/changes?snapshot=true, or inos watch --snapshot",
            {}};
}

Error cursor_refused(CursorStanding standing) {
    switch (standing) {
        case CursorStanding::ahead_of_older:
            return begin_with_snapshot(
                "this node was put back from an older copy and lacks what the cursor names; where "
                "peers have that, ask again once this node is in step with them; else");
        case CursorStanding::ahead_of_lost:
            return begin_with_snapshot(
                "the cursor is of a site that was retired, and names what is not here; where peers "
                "have that, ask again once this node is in step with them; else");
        case CursorStanding::other_space:
            return begin_with_snapshot("the cursor is of another space");
        case CursorStanding::other_history:
            return begin_with_snapshot(
                "the cursor names entries that this node does not hold: there were two copies of a "
                "site, and others were written under the same numbers");
        case CursorStanding::repaired:
            return begin_with_snapshot(
                "records of this node were repaired, or came as a state from a peer, after the "
                "cursor");
        case CursorStanding::good:
        case CursorStanding::ahead:
            break;
    }
    return {Errc::unavailable,
            "this node has not received yet what the cursor names; ask again, or at the site that "
            "the cursor is from",
            {}};
}

Result<FeedGeneration> feed_generation(Engine const& engine, std::uint32_t space) {
    INOS_TRY(auto const row, engine.get(Family::meta, keys::meta_kind(space, kGeneration)));
    if (!row) return FeedGeneration{};
    if (row->size() != 1 + FeedGeneration().size() || row->front() != kVersion)
        return fail(Errc::corruption, "the stored generation of the change feed cannot be read");
    return first_bytes<8>(std::string_view(*row).substr(1));
}

void put_feed_generation(WriteBatch& batch, std::uint32_t space, std::string_view random) {
    std::string row(1, kVersion);
    row += raw(first_bytes<8>(random));
    batch.put(Family::meta, keys::meta_kind(space, kGeneration), std::move(row));
}

}  // namespace inos
