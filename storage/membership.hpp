// The membership log of one space, as far as this node knows it: all statements that check back to
// the space's founder (storage/statement.hpp), and what they come to (storage/membership_view.hpp).
//
// Two questions are kept apart. A statement is *known* for good once its issuer had the right to it
// at any time: by_actor() judges entries by such certificates, whatever became of the author since,
// so that all sites judge alike. Who belongs to the space *now* is what by_site() and members say.
//
// The same set answers the same, in whatever order and pieces it came. Two certificates that name
// one actor are the exception: the second is not taken; those of sites that go on, and those of
// admitted ones, follow from their contents, so there are none.
//
// Values; copies are cheap, they share the statements. The caller keeps the set in its store.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/membership_view.hpp"
#include "storage/statement.hpp"

namespace inos {

class Membership {
public:
    explicit Membership(Genesis genesis);

    Genesis const& genesis() const { return genesis_; }
    SpaceId const& space() const { return space_; }

    // Checks the statement back to the founder and adds it. False: it was known already. Errors
    // say what is wrong with it; Errc::not_found or forbidden: its issuer is not known, or not to
    // have the right, yet.
    Result<bool> add(std::string_view bytes);
    // Adds a set in any order; answers those that were new. Errc::protocol if not all can be added,
    // and then none is.
    Result<std::vector<std::string>> add_all(std::vector<std::string> const& set);

    // The same of what can be added of a set that may be incomplete.
    std::vector<std::string> add_some(std::vector<std::string> const& set);

    // ---- for good ------------------------------------------------------------------------------
    Certificate const* by_actor(ActorId actor) const;
    std::optional<std::string> bytes_of(ActorId actor) const;
    std::vector<ActorId> actors() const;                       // ascending
    std::vector<ActorId> actors_of(SiteId const& site) const;  // ascending
    // A name for people, of whatever became of the site; empty if it is not known.
    std::string name_of(SiteId const& site) const;
    KnownStatements const& statements() const { return statements_; }  // in the order they came
    std::vector<std::string> all_bytes() const;
    // Equal for equal sets, whatever the order.
    crypto::Hash16 const& digest() const { return digest_; }
    // All that was sealed to a site, by whatever member, and for which key.
    std::vector<std::pair<KeyName, std::string>> envelopes_of(SiteId const& site) const;
    // Can the site open what is sealed with the key? All are given the founding one.
    bool was_given(SiteId const& site, KeyName const& key) const;
    // The ends of actors, as their sites have stated them. Of one that two copies of its site have
    // ended differently none: neither is believed.
    std::map<ActorId, ActorPoint> const& ends() const { return ends_; }

    // ---- now -----------------------------------------------------------------------------------
    // The certificate of a member that holds now; nullptr: no member, or no more.
    Certificate const* by_site(SiteId const& site) const;
    Certificate const* by_channel(crypto::PublicKey const& channel) const;
    std::vector<Certificate> sites() const;  // one per member, by name
    // What an admin issued, where `certificate` is the site's own continuation of it; else itself.
    Certificate const& granted(Certificate const& certificate) const;
    MembershipView const& view() const { return view_; }
    // May its site go on under it with the rights that it has now?
    bool is_current(ActorId actor) const { return view_.current.contains(actor); }
    bool is_retired(SiteId const& site) const { return view_.retired.contains(site); }
    // Who goes on with the shares of bounded counters that a retired site had: of the admins that
    // retired it the one whose word has the lowest hash; if none of them is an admin any more, the
    // admin with the lowest id. Only of admins that may write everything.
    std::optional<SiteId> heir_of(SiteId const& retired) const;
    // For a site that is no member (any more): the statements that say so, and those without which
    // they cannot be checked. Empty for a site that nobody ever admitted.
    std::vector<std::string> why_not(SiteId const& site) const;
    // Of certificate chains up to the founder: what somebody needs to check them.
    std::vector<std::string> chain_of(SiteId const& site) const;

private:
    Result<bool> take(std::string_view bytes);
    void take_end(ActorPoint const& last);
    Result<void> take_rounds(std::vector<std::string> waiting, std::vector<std::string>& added);
    Result<void> check_new(Certificate const& certificate, std::string_view bytes) const;
    Result<void> check_issuer(Statement const& statement) const;
    bool ever_admin(SiteId const& site) const;
    bool ever_known(SiteId const& site) const;
    void update();

    Genesis genesis_;
    SpaceId space_;
    KnownStatements statements_;
    std::map<StatementHash, std::size_t> by_hash_;  // index into statements_
    std::map<ActorId, std::size_t> by_actor_;
    std::map<SiteId, std::vector<ActorId>> by_known_site_;
    std::set<SiteId> ever_admins_, ever_recovery_;
    std::map<SiteId, std::vector<std::size_t>> sealed_to_;  // index into statements_
    std::map<ActorId, ActorPoint> ends_;
    std::set<ActorId> disputed_ends_;
    MembershipView view_;
    crypto::Hash16 digest_{};
};

}  // namespace inos
