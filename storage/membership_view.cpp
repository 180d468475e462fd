#include "storage/membership_view.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "storage/recovery.hpp"

namespace inos {
namespace {

// How much the issuer had seen; grows when one certificate was issued after another was known.
Seq seen(Certificate const& certificate) {
    Seq sum = 0;
    for (auto const& [actor, seq] : certificate.issuer_vv.items())
        sum += seq;
    return sum;
}

// Greater: less is allowed; then newer.
auto restriction(Certificate const& c) {
    std::size_t const open = std::numeric_limits<std::size_t>::max() - c.scope.size();
    return std::tuple(c.role, !c.scope.empty(), open, seen(c), c.actor);
}

bool contains(std::vector<StatementHash> const& hashes, StatementHash const& hash) {
    return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
}

// Named by the space's genesis: nobody can put another one in its place.
bool is_founding_recovery(Genesis const& genesis, SiteId const& key) {
    return genesis.nonce == recovery_nonce(key);
}

class Judge {
public:
    Judge(Genesis const& genesis, KnownStatements const& set) : genesis_(genesis) {
        for (auto const& known : set)
            sort_in(*known);
        for (Granted const& granted : granted_)
            if (granted.change) changes_[granted.certificate->site].push_back(&granted);
        find_recoveries();
    }

    MembershipView judge() {
        MembershipView view = look(std::nullopt);
        if (has_admin(view)) return view;
        for (auto const& [rank, site] : admins_by_rank()) {
            if (retired_by_recovery(site)) continue;
            MembershipView other = look(site);
            auto const member = other.members.find(site);
            if (member == other.members.end() || member->second->role != Role::admin) continue;
            other.stays = site;
            return other;
        }
        return view;
    }

private:
    struct Granted {
        KnownStatement const* known;
        Certificate const* certificate;
        std::optional<RightsChange> change;
    };

    void sort_in(KnownStatement const& known) {
        if (auto const* certificate = std::get_if<Certificate>(&known.statement.what)) {
            if (is_continuation(*certificate, genesis_.founder))
                continuations_[certificate->site].push_back({&known, certificate, {}});
            else
                granted_.push_back({&known, certificate, change_of(*certificate)});
        } else if (auto const* retirement = std::get_if<Retirement>(&known.statement.what)) {
            (retirement->site == known.statement.issuer ? ends_of_keys_ : said_retirements_)
                .push_back(&known);
        } else if (std::holds_alternative<KeyStatement>(known.statement.what)) {
            keys_.push_back(&known);
        } else if (std::holds_alternative<RecoveryKey>(known.statement.what)) {
            stated_keys_.push_back(&known);
        }
    }

    // ---- recovery keys ------------------------------------------------------------------------
    // The one that the space was founded with answers to nobody, and neither do those that it has
    // stated; others that the founder states fall with what it says. First the former, because
    // they decide about the founder too.
    void find_recoveries() {
        follow_recoveries(true);
        take_retirements();
        follow_recoveries(false);
        take_retirements();
    }

    void follow_recoveries(bool founded_only) {
        for (bool grown = true; grown;) {
            grown = false;
            for (KnownStatement const* known : stated_keys_) {
                SiteId const& key = std::get<RecoveryKey>(known->statement.what).key;
                bool const good = recoveries_.contains(known->statement.issuer)
                                      ? names_itself(*known)
                                      : known->statement.issuer == genesis_.founder &&
                                            (is_founding_recovery(genesis_, key) ||
                                             (!founded_only && !is_cut(*known)));
                if (good) grown = recoveries_.insert(key).second || grown;
            }
        }
    }

    // A key that was used says so itself, and names what it has signed until then. If it was used
    // at two places at once, both count: else whoever uses an old code again would undo the first.
    bool names_itself(KnownStatement const& known) const {
        bool ended = false;
        for (KnownStatement const* end : ends_of_keys_) {
            auto const& retirement = std::get<Retirement>(end->statement.what);
            if (retirement.site != known.statement.issuer) continue;
            if (end == &known || contains(retirement.issued, known.hash)) return true;
            ended = true;
        }
        return !ended;
    }

    // Retirements count whoever made them that was ever an admin; of recovery keys only those of
    // keys that are in force, or were when they signed.
    void take_retirements() {
        retirements_.clear();
        for (KnownStatement const* known : said_retirements_)
            if (may_take(*known))
                retirements_[std::get<Retirement>(known->statement.what).site].push_back(known);
    }
    bool may_take(KnownStatement const& known) const {
        bool const by_key = std::any_of(
            stated_keys_.begin(), stated_keys_.end(), [&](KnownStatement const* stated) {
                return std::get<RecoveryKey>(stated->statement.what).key == known.statement.issuer;
            });
        return !by_key || (recoveries_.contains(known.statement.issuer) && names_itself(known));
    }
    bool is_cut(KnownStatement const& known) const {
        auto const by = retirements_.find(known.statement.issuer);
        return by != retirements_.end() &&
               std::any_of(by->second.begin(), by->second.end(), [&](auto const* retirement) {
                   return !contains(std::get<Retirement>(retirement->statement.what).issued,
                                    known.hash);
               });
    }

    // ---- what counts --------------------------------------------------------------------------
    // As if nobody had retired `stays` or taken rights from it.
    MembershipView look(std::optional<SiteId> stays) {
        stays_ = stays;
        cancelled_.clear();
        for (;;) {
            find_effective();
            auto now = cancelled();
            if (now == cancelled_) break;
            cancelled_ = std::move(now);
        }
        MembershipView view;
        for (auto const& [site, by] : retirements_)
            if (site != stays_) view.retired.emplace(site, by);
        add_members(view);
        for (KnownStatement const* known : keys_)
            if (may_act(known->statement.issuer) && counts(*known))
                view.keys.push_back(std::get<KeyStatement>(known->statement.what).name);
        std::sort(view.keys.begin(), view.keys.end());
        view.keys.erase(std::unique(view.keys.begin(), view.keys.end()), view.keys.end());
        for (SiteId const& key : recoveries_)
            if (!is_used(key)) view.recovery_keys.insert(key);
        return view;
    }

    bool is_used(SiteId const& key) const {
        return std::any_of(ends_of_keys_.begin(), ends_of_keys_.end(), [&](auto const* end) {
            return std::get<Retirement>(end->statement.what).site == key;
        });
    }

    // The least set: what may count because of what counts. Rights are taken by whoever was ever an
    // admin, like membership: so of two that take each other's both lose them, whatever else.
    void find_effective() {
        effective_.clear();
        effective_admins_.clear();
        for (Granted const& granted : granted_)  // first, for they cut others
            if (is_demotion(granted) && holds(granted)) effective_.insert(granted.known);
        for (bool grown = true; grown;) {
            grown = false;
            for (Granted const& granted : granted_) {
                if (effective_.contains(granted.known) || !holds(granted)) continue;
                effective_.insert(granted.known);
                if (granted.certificate->role == Role::admin)
                    effective_admins_.insert(granted.certificate->site);
                grown = true;
            }
        }
    }

    bool holds(Granted const& granted) const {
        Certificate const& certificate = *granted.certificate;
        if (certificate.site == stays_) return !is_demotion(granted);
        if (is_demotion(granted)) return may_take(*granted.known);
        bool const root =
            certificate.issuer == genesis_.founder && certificate.site == genesis_.founder;
        return root || (may_act(certificate.issuer) && counts(*granted.known));
    }

    bool may_act(SiteId const& issuer) const {
        return issuer == genesis_.founder || effective_admins_.contains(issuer) ||
               recoveries_.contains(issuer);
    }

    // Do all who took its issuer's rights name it?
    bool counts(KnownStatement const& known) const {
        SiteId const& issuer = known.statement.issuer;
        if (issuer == stays_) return true;
        if (recoveries_.contains(issuer)) return names_itself(known);
        if (is_cut(known)) return false;
        auto const changes = changes_.find(issuer);
        if (changes == changes_.end()) return true;
        return std::all_of(
            changes->second.begin(), changes->second.end(), [&](Granted const* change) {
                bool const takes = is_demotion(*change) && effective_.contains(change->known) &&
                                   !cancelled_.contains(change->known);
                return !takes || contains(change->change->issued, known.hash);
            });
    }

    static bool is_demotion(Granted const& granted) {
        return granted.change && granted.certificate->role != Role::admin;
    }

    // Rights that were taken, where a later change that counts has taken the place of that.
    std::set<KnownStatement const*> cancelled() const {
        std::set<KnownStatement const*> found;
        for (auto const& [site, changes] : changes_)
            for (Granted const* later : changes)
                for (Granted const* taken : changes)
                    if (effective_.contains(later->known) && is_demotion(*taken) &&
                        contains(later->change->replaced, taken->known->hash))
                        found.insert(taken->known);
        return found;
    }

    void add_members(MembershipView& view) const {
        std::map<SiteId, std::vector<Granted const*>> by_site;
        for (Granted const& granted : granted_)
            if (effective_.contains(granted.known))
                by_site[granted.certificate->site].push_back(&granted);
        for (auto const& [site, all] : by_site) {
            if (view.retired.contains(site)) continue;
            std::set<StatementHash> replaced;
            for (Granted const* one : all)
                if (one->change)
                    replaced.insert(one->change->replaced.begin(), one->change->replaced.end());
            Certificate const* holds = nullptr;
            for (Granted const* one : all)
                if (!replaced.contains(one->known->hash) &&
                    (!holds || restriction(*one->certificate) > restriction(*holds)))
                    holds = one->certificate;
            if (holds) view.members.emplace(site, newest(*holds, replaced, view.current));
        }
    }

    // The site's own going on under just those rights: so nobody continues rights that were taken.
    Certificate const* newest(Certificate const& granted,
                              std::set<StatementHash> const& replaced,
                              std::set<ActorId>& current) const {
        Certificate const* newest = &granted;
        current.insert(granted.actor);
        auto const own = continuations_.find(granted.site);
        if (own == continuations_.end()) return newest;
        std::set<ActorId> left;  // actors that another one came after
        std::vector<Certificate const*> all;
        for (Granted const& next : own->second) {
            Certificate const& certificate = *next.certificate;
            if (!continues(certificate, granted) || replaced.contains(next.known->hash)) continue;
            current.insert(certificate.actor);
            all.push_back(&certificate);
            for (auto const& [actor, seq] : certificate.issuer_vv.items())
                left.insert(actor);
        }
        auto const age = [&left](Certificate const* c) {
            return std::tuple(!left.contains(c->actor), seen(*c), c->actor);
        };
        for (Certificate const* next : all)
            if (newest == &granted || age(next) > age(newest)) newest = next;
        return newest;
    }

    static bool has_admin(MembershipView const& view) {
        return std::any_of(view.members.begin(), view.members.end(), [](auto const& member) {
            return member.second->role == Role::admin;
        });
    }

    bool retired_by_recovery(SiteId const& site) const {
        auto const by = retirements_.find(site);
        return by != retirements_.end() &&
               std::any_of(by->second.begin(), by->second.end(), [this](auto const* known) {
                   return recoveries_.contains(known->statement.issuer);
               });
    }

    // All that were ever admins, by the number of admissions between them and the founder.
    std::vector<std::pair<std::size_t, SiteId>> admins_by_rank() const {
        std::map<SiteId, std::size_t> rank{{genesis_.founder, 0}};
        for (bool grown = true; grown;) {
            grown = false;
            auto const admit = [&](SiteId const& issuer, SiteId const& site) {
                auto const from = rank.find(issuer);
                if (from == rank.end()) return;
                auto const [at, fresh] = rank.emplace(site, from->second + 1);
                if (!fresh && at->second <= from->second + 1) return;
                at->second = from->second + 1;
                grown = true;
            };
            for (Granted const& granted : granted_)
                if (granted.certificate->role == Role::admin)
                    admit(granted.certificate->issuer, granted.certificate->site);
            for (KnownStatement const* known : stated_keys_)
                admit(known->statement.issuer, std::get<RecoveryKey>(known->statement.what).key);
        }
        std::vector<std::pair<std::size_t, SiteId>> sorted;
        for (auto const& [site, from_founder] : rank)
            sorted.emplace_back(from_founder, site);
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }

    Genesis const& genesis_;
    std::vector<Granted> granted_;
    std::map<SiteId, std::vector<Granted>> continuations_;
    std::map<SiteId, std::vector<Granted const*>> changes_;  // of rights, by the site concerned
    std::map<SiteId, std::vector<KnownStatement const*>> retirements_;
    std::vector<KnownStatement const*> keys_, stated_keys_, said_retirements_;
    std::vector<KnownStatement const*> ends_of_keys_;  // said by themselves
    std::set<SiteId> recoveries_;                      // keys that may act, or might until used
    std::optional<SiteId> stays_;
    std::set<KnownStatement const*> effective_, cancelled_;
    std::set<SiteId> effective_admins_;
};

}  // namespace

MembershipView judge_membership(Genesis const& genesis, KnownStatements const& set) {
    return Judge(genesis, set).judge();
}

}  // namespace inos
