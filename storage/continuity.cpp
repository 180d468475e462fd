#include "storage/continuity.hpp"

#include <algorithm>

#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kRecordVersion = 1, kForkVersion = 1;
constexpr std::uint64_t kDayMs = 24ull * 3600 * 1000;

void put_marks(std::string& out, DirectoryMarks const& marks) {
    put_raw(out, marks.nonce);
    put_u64(out, marks.inode);
    put_u64(out, marks.device);
    put_u64(out, marks.changed_ns);
    put_blob(out, marks.machine);
    put_blob(out, marks.boot);
}

DirectoryMarks take_marks(Reader& in) {
    DirectoryMarks marks;
    marks.nonce = take_raw<MarkerNonce>(in);
    marks.inode = in.u64();
    marks.device = in.u64();
    marks.changed_ns = in.u64();
    marks.machine = in.blob();
    marks.boot = in.blob();
    return marks;
}

void put_head(std::string& out, ActorHead const& head) {
    put_varint(out, head.seq);
    put_raw(out, head.chain);
    put_raw(out, head.signature);
}

ActorHead take_head(Reader& in) {
    ActorHead head;
    head.seq = in.varint();
    head.chain = take_raw<crypto::Hash32>(in);
    head.signature = take_raw<crypto::Signature>(in);
    return head;
}

}  // namespace

char const* doubt_text(Doubt doubt) {
    switch (doubt) {
        case Doubt::none:
            return "";
        case Doubt::unmarked:
            return "it is not known whether this directory is the one that wrote last";
        case Doubt::copied:
            return "this directory was copied";
        case Doubt::overwritten:
            return "files of this directory were put back from a copy";
        case Doubt::moved:
            return "this directory comes from another machine";
        case Doubt::rebooted:
            return "the machine was started again, and no other site has confirmed since that "
                   "nothing is missing here";
        case Doubt::seen_more:
            return "this directory is an old copy: another site held later entries of this site";
        case Doubt::forked:
            return "two copies of this site have been writing";
    }
    return "unknown";
}

char const* doubt_name(Doubt doubt) {
    switch (doubt) {
        case Doubt::none:
            return "certain";
        case Doubt::unmarked:
            return "unmarked";
        case Doubt::copied:
            return "copied";
        case Doubt::overwritten:
            return "overwritten";
        case Doubt::moved:
            return "moved";
        case Doubt::rebooted:
            return "rebooted";
        case Doubt::seen_more:
            return "old-copy";
        case Doubt::forked:
            return "forked";
    }
    return "unknown";
}

std::string ContinuityRecord::encode() const {
    std::string out;
    out += static_cast<char>(kRecordVersion);
    out += static_cast<char>(doubt);
    out += marks ? '\1' : '\0';
    if (marks) put_marks(out, *marks);
    out += next ? '\1' : '\0';
    if (next) put_raw(out, *next);
    put_varint(out, renewals.size());
    for (std::uint64_t const renewal : renewals)
        put_varint(out, renewal);
    put_varint(out, earlier.size());
    for (EarlierActor const& left : earlier) {
        put_u64(out, left.actor.value);
        out += static_cast<char>(left.left);
    }
    return out;
}

std::optional<ContinuityRecord> ContinuityRecord::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kRecordVersion) return std::nullopt;
    ContinuityRecord record;
    std::uint8_t const doubt = in.byte(), marked = in.byte();
    if (doubt > static_cast<std::uint8_t>(Doubt::forked) || marked > 1) return std::nullopt;
    record.doubt = static_cast<Doubt>(doubt);
    if (marked == 1) record.marks = take_marks(in);
    std::uint8_t const coming = in.byte();
    if (coming > 1) return std::nullopt;
    if (coming == 1) record.next = take_raw<MarkerNonce>(in);
    record.renewals.resize(in.count(1));
    for (std::uint64_t& renewal : record.renewals)
        renewal = in.varint();
    record.earlier.resize(in.count(9));
    for (EarlierActor& earlier : record.earlier) {
        earlier.actor.value = in.u64();
        std::uint8_t const left = in.byte();
        if (left < 1 || left > static_cast<std::uint8_t>(Left::confirmed)) return std::nullopt;
        earlier.left = static_cast<Left>(left);
    }
    return in.finished() ? std::optional(std::move(record)) : std::nullopt;
}

Doubt judge_continuity(ContinuityRecord const& recorded,
                       std::optional<DirectoryMarks> const& present) {
    if (recorded.doubt != Doubt::none || !present) return recorded.doubt;
    if (!recorded.marks) return Doubt::unmarked;
    DirectoryMarks const& then = *recorded.marks;
    DirectoryMarks const& now = *present;
    bool const same_boot = then.boot == now.boot && !now.boot.empty();
    if (then.machine != now.machine) return Doubt::moved;
    // The numbers of devices are given anew at every boot.
    if (then.inode != now.inode || (same_boot && then.device != now.device)) return Doubt::copied;
    bool const untouched = then.nonce == now.nonce && then.changed_ns == now.changed_ns;
    bool const renewing = recorded.next && *recorded.next == now.nonce;
    if (!untouched && !renewing) return Doubt::overwritten;
    return same_boot ? Doubt::none : Doubt::rebooted;
}

void ContinuityRecord::another_life(Doubt now) {
    doubt = std::max(doubt, now);
    earlier.clear();
}

void ContinuityRecord::keep_marks(DirectoryMarks const& now, Doubt judged) {
    bool const reboot_only = judged == Doubt::rebooted && marks;
    std::string boot = reboot_only ? marks->boot : now.boot;
    if (!reboot_only) doubt = std::max(doubt, judged);
    marks = now;
    marks->boot = std::move(boot);
    next.reset();
}

std::vector<std::uint64_t> recent_renewals(std::vector<std::uint64_t> const& renewals,
                                           std::uint64_t now_ms) {
    std::vector<std::uint64_t> recent;
    std::copy_if(
        renewals.begin(), renewals.end(), std::back_inserter(recent), [now_ms](auto const& at) {
            return at <= now_ms && now_ms - at < kDayMs;
        });
    return recent;
}

std::string Fork::encode() const {
    std::string out;
    out += static_cast<char>(kForkVersion);
    put_varint(out, found_ms);
    put_varint(out, seq);
    put_head(out, ours);
    put_head(out, theirs);
    return out;
}

std::optional<Fork> Fork::decode(ActorId actor, std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kForkVersion) return std::nullopt;
    Fork fork;
    fork.actor = actor;
    fork.found_ms = in.varint();
    fork.seq = in.varint();
    fork.ours = take_head(in);
    fork.theirs = take_head(in);
    return in.finished() ? std::optional(std::move(fork)) : std::nullopt;
}

}  // namespace inos
