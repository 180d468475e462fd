// Sites that act on membership, each with what it knows: for tests of the membership log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "storage/membership.hpp"
#include "storage/recovery.hpp"
#include "tests/support/sim.hpp"
#include "tests/support/tape.hpp"
#include "tools/simulation/basics.hpp"

namespace inos::test {

class Members {
public:
    // Site 0 founds the space.
    explicit Members(std::size_t sites, std::uint64_t seed = 1) : tape_(Tape::seeded(seed)) {
        crypto::init();
        for (std::size_t i = 0; i < sites; ++i)
            keys_.push_back(random_site_keys(tape_));
        genesis_.name = "trade";
        genesis_.founder = id(0);
        std::string seed_of_paper(32, '\7');
        paper_ = crypto::SigningKey::from_seed(crypto::Secret(seed_of_paper));
        genesis_.nonce = recovery_nonce(paper_.public_key);
        Certificate root = certificate(0, Role::admin);
        root.actor = ActorId{tape_.word64() | 1};
        root_ = issue(root, keys_[0].identity);
    }

    Genesis const& genesis() const { return genesis_; }
    SpaceId space() const { return genesis_.id(); }
    SiteId const& id(std::size_t site) const { return keys_[site].identity.public_key; }
    SiteKeys const& keys(std::size_t site) const { return keys_[site]; }
    std::string const& root() const { return root_; }
    // The recovery key with which the space was founded.
    crypto::SigningKey const& paper() const { return paper_; }
    Membership founded() const {
        Membership membership(genesis_);
        value_of(membership.add(root_));
        return membership;
    }

    Certificate certificate(std::size_t site, Role role, std::vector<std::string> scope = {}) {
        Certificate out;
        out.space = genesis_.id();
        out.site = id(site);
        out.channel = keys_[site].channel.public_key;
        out.sealing = keys_[site].sealing.public_key;
        out.name = "s" + std::to_string(site);
        out.role = role;
        out.scope = std::move(scope);
        out.issuer_vv.set(ActorId{1}, ++clock_);
        return out;
    }
    std::string admit(std::size_t by, std::size_t site, Role role) {
        return admit(keys_[by].identity, certificate(site, role));
    }
    std::string admit(crypto::SigningKey const& by, Certificate certificate) {
        return issue_following(std::move(certificate), nonce(), by);
    }
    // As whoever knows `known` would do it.
    std::string change(Membership const& known,
                       std::size_t by,
                       std::size_t site,
                       Role role,
                       std::vector<std::string> scope = {}) {
        RightsChange change;
        for (auto const& one : known.statements()) {
            auto const* of = std::get_if<Certificate>(&one->statement.what);
            if (of && of->site == id(site)) change.replaced.push_back(one->hash);
        }
        change.issued = issued(known, site);
        return issue_change(
            certificate(site, role, std::move(scope)), change, nonce(), keys_[by].identity);
    }
    std::string retire(Membership const& known, std::size_t by, std::size_t site) {
        return retire(known, keys_[by].identity, id(site));
    }
    std::string retire(Membership const& known, crypto::SigningKey const& by, SiteId const& site) {
        Retirement retirement;
        retirement.site = site;
        retirement.made_ms = ++clock_;
        for (auto const& one : known.statements())
            if (one->statement.issuer == site) retirement.issued.push_back(one->hash);
        return state(space(), retirement, by);
    }
    std::string go_on(Membership const& known, std::size_t site) {
        Certificate next = *known.by_site(id(site));
        next.issuer_vv.set(ActorId{1}, ++clock_);
        return issue_following(std::move(next), nonce(), keys_[site].identity);
    }
    std::string rotate(Membership const& known, std::size_t by, std::vector<std::size_t> to) {
        KeyStatement key;
        auto const& keys = known.view().keys;
        key.name = {keys.empty() ? 1 : keys.back().epoch + 1, tape_.word64()};
        for (std::size_t const site : to)
            key.envelopes.push_back({id(site), "sealed"});
        return state(space(), key, keys_[by].identity);
    }
    std::string recovery(std::size_t by, crypto::SigningKey const& key) {
        return state(space(), RecoveryKey{key.public_key}, keys_[by].identity);
    }
    // The rights that the key on paper gives a site, and what it says of itself afterwards.
    std::string raise(Membership const& known, crypto::SigningKey const& paper, std::size_t site) {
        RightsChange change;
        for (auto const& one : known.statements()) {
            auto const* of = std::get_if<Certificate>(&one->statement.what);
            if (of && of->site == id(site)) change.replaced.push_back(one->hash);
        }
        return issue_change(certificate(site, Role::admin), change, nonce(), paper);
    }

    Nonce nonce() {
        Nonce out;
        for (auto& byte : out)
            byte = static_cast<std::uint8_t>(tape_.word() >> 24);
        return out;
    }

private:
    std::vector<StatementHash> issued(Membership const& known, std::size_t site) const {
        std::vector<StatementHash> hashes;
        for (auto const& one : known.statements())
            if (one->statement.issuer == id(site)) hashes.push_back(one->hash);
        return hashes;
    }

    Tape tape_;
    std::vector<SiteKeys> keys_;
    Genesis genesis_;
    crypto::SigningKey paper_;
    std::string root_;
    std::uint64_t clock_ = 0;
};

}  // namespace inos::test
