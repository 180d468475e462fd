// What a session does while one of the disks is nearly full: nothing is lost and nothing ends. Who
// has no room says so, again and again, and keeps what was on its way to it (at most the peer's
// window); the other side sends no more, and waits.

#include <utility>

#include "net/session.hpp"

namespace inos {

// A peer that does not know the message is kept waiting by acknowledgements of nothing.
void Session::tell_room(session::Actions& out) {
    bool const room = local_->has_room;
    bool const again = !room && now_ms_ >= room_told_ms_ + kRoomAgainMs;
    if (room == told_room_ && !again) return;
    told_room_ = room;
    room_told_ms_ = now_ms_;
    if (peer_knows_room_)
        out.push_back(session::Send{wire::Room{space_, room}});
    else if (!room)
        send_ack({}, out);
}

void Session::on(wire::Room const& message, session::Actions& out) {
    if (message.space != space_)
        return close({Errc::protocol, "the peer spoke of another space", {}}, out);
    progress_ms_ = now_ms_;
    if (message.room && !peer_has_room_) offer_ms_ = now_ms_;
    peer_has_room_ = message.room;
    maybe_collect(out);
}

void Session::apply(wire::Batch batch, session::Actions& out) {
    applying_.push_back(batch.sealed.size());
    out.push_back(session::Apply{std::move(batch), refusing_});
}

// In the order in which they came, once all that was refused is here again.
void Session::apply_refused(session::Actions& out) {
    if (refused_.empty() || !applying_.empty() || !local_->has_room) return;
    refusing_ = std::make_shared<bool>(false);
    for (auto* const waiting : {&refused_, &behind_refused_})
        for (auto& batch : std::exchange(*waiting, {}))
            apply(std::move(batch), out);
}

}  // namespace inos
