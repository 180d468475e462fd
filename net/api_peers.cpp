// The API's peers and invitations: what the node's connections are asked to do.
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

constexpr std::int64_t kInviteTtlMaxS = 30 * 24 * 3'600;

Value invite_value(InviteInfo const& invite) {
    Object value{{"expires", Value(utc_text(invite.expires_unix_s * 1'000))},
                 {"failures", Value(invite.failures)},
                 {"id", Value(invite.id)},
                 {"role", Value(role_name(invite.role))}};
    if (!invite.code.empty()) set_member(value, "code", Value(invite.code));
    return Value(std::move(value));
}

Result<InviteRequest> parse_invite(Object const& body) {
    INOS_CHECK(check_members(body, {"role", "write", "ttl_s", "at"}));
    InviteRequest invite;
    if (find_member(body, "role")) {
        INOS_TRY(invite.role, role_member(body));
    }
    INOS_TRY(invite.scope, texts_member(body, "write"));
    INOS_TRY(invite.addresses, texts_member(body, "at"));
    if (Value const* ttl = find_member(body, "ttl_s")) {
        auto const* seconds = ttl->as<std::int64_t>();
        if (!seconds || *seconds < 1 || *seconds > kInviteTtlMaxS)
            return fail(Errc::invalid,
                        "\"ttl_s\" has to be a whole number of seconds from 1 to " +
                            std::to_string(kInviteTtlMaxS),
                        "ttl_s");
        invite.ttl_s = static_cast<std::uint64_t>(*seconds);
    }
    return invite;
}

}  // namespace

void Api::get_peers(CallPtr call) {
    Array peers;
    for (PeerStatus const& peer : node_.peers())
        peers.push_back(peer_value(peer));
    send(call, json_response(200, Value(std::move(peers))));
}

void Api::post_peer(CallPtr call) {
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto const known = check_members(*body, {"url"});
    if (!known) return send(call, write_error(known.error()));
    auto const url = text_member(*body, "url");
    if (!url) return send(call, write_error(url.error()));
    auto const added = node_.add_peer(*url);
    if (!added) return send(call, api_error(added.error()));
    send(call, json_response(201, Value(Object{{"url", Value(*url)}})));
}

void Api::delete_peer(CallPtr call) {
    std::string const url(call->param("url"));
    if (url.empty())
        return send(
            call, api_error(400, "usage", "which peer? name it: DELETE /v1/peers?url=URL", "url"));
    auto const removed = node_.remove_peer(url);
    if (!removed) return send(call, api_error(removed.error()));
    HttpResponse response;
    response.status = 204;
    send(call, std::move(response));
}

void Api::get_invites(CallPtr call) {
    Array invites;
    for (InviteInfo const& invite : node_.invites())
        invites.push_back(invite_value(invite));
    send(call, json_response(200, Value(std::move(invites))));
}

void Api::post_invite(CallPtr call) {
    std::string const& text = call->request.body;
    auto const body = parse_json_object(text.empty() ? std::string_view("{}") : text);
    if (!body) return send(call, body_error(body.error()));
    auto invite = parse_invite(*body);
    if (!invite) return send(call, write_error(invite.error()));
    node_.invite(*std::move(invite), [this, call](Result<InviteInfo> made) {
        if (!made) return send(call, api_error(made.error()));
        send(call, json_response(201, invite_value(*made)));
    });
}

void Api::delete_invite(CallPtr call) {
    std::string const id(call->param("id"));
    if (id.empty())
        return send(
            call,
            api_error(400, "usage", "which invitation? name it: DELETE /v1/invites?id=ID", "id"));
    auto const revoked = node_.revoke_invite(id);
    if (!revoked) return send(call, api_error(revoked.error()));
    HttpResponse response;
    response.status = 204;
    send(call, std::move(response));
}

}  // namespace inos
