#include "storage/invites.hpp"

#include <algorithm>

#include "storage/keys.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kFailuresStoredMax = 1'000'000'000;

std::string invite_key(std::uint32_t space, std::array<std::uint8_t, 8> const& id) {
    std::string key = keys::meta_kind(space, 'i');
    key.append(reinterpret_cast<char const*>(id.data()), id.size());
    return key;
}

void put_list(std::string& out, std::vector<std::string> const& list) {
    put_varint(out, list.size());
    for (auto const& item : list)
        put_blob(out, item);
}

std::vector<std::string> take_list(Reader& in) {
    std::vector<std::string> list(in.count());
    for (auto& item : list)
        item = in.blob();
    return list;
}

}  // namespace

std::string Invite::encode() const {
    std::string out;
    out += static_cast<char>(kVersion);
    out += psk.view();
    out += static_cast<char>(role);
    put_list(out, scope);
    put_varint(out, expires_unix_s);
    put_varint(out, static_cast<std::uint64_t>(failures));
    out += static_cast<char>(used_by ? 1 : 0);
    if (used_by) {
        out.append(reinterpret_cast<char const*>(used_by->data()), used_by->size());
        put_blob(out, certificate);
    }
    put_list(out, addresses);
    return out;
}

std::optional<Invite> Invite::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    Invite invite;
    std::string_view const psk = in.take(32);
    if (!in.ok()) return std::nullopt;
    invite.psk = crypto::Secret(psk);
    invite.role = static_cast<Role>(in.byte());
    invite.scope = take_list(in);
    invite.expires_unix_s = in.varint();
    std::uint64_t const failures = in.varint();
    std::uint8_t const used = in.byte();
    if (failures > kFailuresStoredMax || used > 1 || !parse_role(role_name(invite.role)))
        return std::nullopt;
    invite.failures = static_cast<int>(failures);
    if (used == 1) {
        std::string_view const site = in.take(32);
        invite.used_by.emplace();
        std::copy(site.begin(), site.end(), invite.used_by->begin());
        invite.certificate = in.blob();
    }
    invite.addresses = take_list(in);
    return in.finished() ? std::optional(std::move(invite)) : std::nullopt;
}

Result<std::vector<Invite>> load_invites(Replica const& replica) {
    std::vector<Invite> invites;
    std::uint32_t const space = replica.space_number();
    std::string const from = keys::meta_kind(space, 'i');
    auto cursor = replica.engine().scan(Family::meta, from, keys::meta_kind(space, 'j'));
    for (; cursor->valid(); cursor->next()) {
        auto invite = Invite::decode(cursor->value());
        std::string_view const id = cursor->key().substr(from.size());
        if (!invite || id.size() != invite->id.size())
            return fail(Errc::corruption, "a stored invitation cannot be read");
        std::copy(id.begin(), id.end(), invite->id.begin());
        invites.push_back(*std::move(invite));
    }
    INOS_CHECK(cursor->status());
    return invites;
}

Result<void> save_invite(Replica& replica, Invite const& invite) {
    WriteBatch batch;
    batch.put(Family::meta, invite_key(replica.space_number(), invite.id), invite.encode());
    return replica.engine().write(batch, Durability::synced);
}

Result<void> count_failure(Replica& replica, std::array<std::uint8_t, 8> const& id) {
    std::string const key = invite_key(replica.space_number(), id);
    INOS_TRY(auto const bytes, replica.engine().get(Family::meta, key));
    if (!bytes) return {};
    auto invite = Invite::decode(*bytes);
    if (!invite) return fail(Errc::corruption, "a stored invitation cannot be read");
    invite->id = id;
    ++invite->failures;
    return save_invite(replica, *invite);
}

Result<void> remove_invite(Replica& replica, std::array<std::uint8_t, 8> const& id) {
    WriteBatch batch;
    batch.remove(Family::meta, invite_key(replica.space_number(), id));
    return replica.engine().write(batch, Durability::synced);
}

Result<Invite> admit(Replica& replica,
                     crypto::SigningKey const& issuer,
                     std::array<std::uint8_t, 8> const& id,
                     Applicant const& applicant,
                     std::uint64_t now_unix_s) {
    auto const refuse = [](char const* why) { return fail(Errc::forbidden, why); };
    auto const* own = replica.membership().by_site(issuer.public_key);
    if (!own || own->role != Role::admin) return refuse("only an admin site admits others");
    std::string const key = invite_key(replica.space_number(), id);
    INOS_TRY(auto const bytes, replica.engine().get(Family::meta, key));
    auto invite = bytes ? Invite::decode(*bytes) : std::nullopt;
    if (!invite) return refuse("there is no such invitation");
    invite->id = id;
    if (!invite->open(now_unix_s)) return refuse("the invitation is over");
    if (invite->used_by && *invite->used_by != applicant.site)
        return refuse("the invitation was taken by another site");
    if (invite->used_by) return *std::move(invite);
    if (replica.membership().by_site(applicant.site))
        return refuse("the site is a member of the space already");
    if (replica.membership().is_retired(applicant.site))
        return refuse("the site was retired from the space; it joins again with new keys");
    Certificate certificate;
    certificate.space = replica.membership().space();
    certificate.site = applicant.site;
    certificate.channel = applicant.channel;
    certificate.sealing = applicant.sealing;
    certificate.name = applicant.name;
    certificate.role = invite->role;
    certificate.scope = invite->scope;
    certificate.issuer_vv = replica.vector();
    invite->certificate = issue_following(certificate, replica.fresh_nonce(), issuer);
    invite->used_by = applicant.site;
    WriteBatch with;
    with.put(Family::meta, key, invite->encode());
    std::vector<std::string> made{invite->certificate};
    // It gets all keys with its admission; that it has this one others see by the statement.
    KeyRing const& keys = *replica.keys();
    if (!keys.empty() && keys.sealing().epoch > 0) {
        INOS_TRY(Certificate const admitted, decode_certificate(invite->certificate));
        made.push_back(state(
            certificate.space, seal_key(keys.sealing(), keys.sealing_key(), {admitted}), issuer));
    }
    INOS_CHECK(replica.add_statements(made, std::move(with)));
    return *std::move(invite);
}

}  // namespace inos
