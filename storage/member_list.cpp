#include "storage/member_list.hpp"

#include <algorithm>
#include <tuple>

#include "storage/crypto/site_id.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

Result<void> add_retirement(MemberInfo& info, Replica const& replica) {
    Membership const& membership = replica.membership();
    auto const& view = membership.view();
    auto const by = view.retired.find(info.certificate.site);
    if (by == view.retired.end()) {
        info.state = MemberInfo::State::refused;
        return {};
    }
    info.state = MemberInfo::State::retired;
    auto const& first = *by->second.front();
    info.retired_by = membership.name_of(first.statement.issuer);
    info.retired_ms = std::get<Retirement>(first.statement.what).made_ms;
    auto const heir = membership.heir_of(info.certificate.site);
    if (!heir) return {};
    info.heir = membership.name_of(*heir);
    INOS_TRY(auto const waits_for, replica.may_know_more_of(info.certificate.site));
    for (SiteId const& site : waits_for)
        info.heir_waits_for.push_back(membership.name_of(site));
    return {};
}

void add_acknowledgement(MemberInfo& info, Replica const& replica) {
    auto const bytes = replica.acknowledgements().find(info.certificate.site);
    VersionVector held = info.self ? replica.vector() : VersionVector();
    if (bytes != replica.acknowledgements().end()) {
        auto const ack = decode_acknowledgement(replica.membership().space(), bytes->second);
        if (ack) {
            info.acknowledged_ms = ack->made_ms;
            if (!info.self) held = ack->vector(replica.membership());
        }
    }
    for (auto const& [actor, seq] : replica.vector().items())
        info.missing += seq - std::min(seq, held.at(actor));
}

}  // namespace

char const* state_name(MemberInfo::State state) {
    switch (state) {
        case MemberInfo::State::member:
            return "member";
        case MemberInfo::State::retired:
            return "retired";
        case MemberInfo::State::refused:
            return "refused";
    }
    return "unknown";
}

Result<std::vector<MemberInfo>> list_members(Replica const& replica) {
    Membership const& membership = replica.membership();
    std::vector<MemberInfo> list;
    std::set<SiteId> listed;
    SiteId const self = membership.by_actor(replica.actor())->site;
    auto const add = [&](Certificate const& certificate) -> Result<void> {
        if (!listed.insert(certificate.site).second) return {};
        MemberInfo info;
        info.certificate = certificate;
        info.self = certificate.site == self;
        if (!membership.by_site(certificate.site)) INOS_CHECK(add_retirement(info, replica));
        add_acknowledgement(info, replica);
        list.push_back(std::move(info));
        return {};
    };
    for (Certificate const& member : membership.sites())
        INOS_CHECK(add(member));
    for (ActorId const actor : membership.actors())
        INOS_CHECK(add(*membership.by_actor(actor)));
    std::sort(list.begin(), list.end(), [](MemberInfo const& a, MemberInfo const& b) {
        return std::tie(a.state, a.certificate.name, a.certificate.site) <
               std::tie(b.state, b.certificate.name, b.certificate.site);
    });
    return list;
}

Result<Certificate> find_member(Membership const& membership, std::string_view text) {
    if (auto const id = parse_site_id(text))
        if (auto const* member = membership.by_site(*id)) return *member;
    std::vector<std::string> names;
    std::vector<Certificate> found;
    for (Certificate const& member : membership.sites()) {
        names.push_back(member.name);
        if (member.name == text) found.push_back(member);
    }
    if (found.size() == 1) return found.front();
    if (found.size() > 1)
        return fail(Errc::conflict,
                    std::to_string(found.size()) + " sites are called \"" + std::string(text) +
                        "\"; name the one by its id, as inos members shows it",
                    "site");
    return fail(Errc::not_found,
                "no member of the space is called \"" + std::string(text) + "\"" +
                    did_you_mean(text, names),
                "site");
}

}  // namespace inos
