#include "storage/membership.hpp"

#include <algorithm>
#include <tuple>

namespace inos {
namespace {

Certificate const* certificate_of(KnownStatement const& known) {
    return std::get_if<Certificate>(&known.statement.what);
}

// For people: what kind of statement it is.
std::string describe(Statement const& statement) {
    if (auto const* certificate = std::get_if<Certificate>(&statement.what))
        return "the certificate of \"" + certificate->name + "\"";
    if (std::holds_alternative<Retirement>(statement.what)) return "the retirement of a site";
    if (std::holds_alternative<KeyStatement>(statement.what)) return "a key of the space";
    if (std::holds_alternative<RecoveryKey>(statement.what)) return "a recovery key";
    if (std::holds_alternative<ActorEnd>(statement.what)) return "the end of an actor";
    return "a statement about members";
}

}  // namespace

Membership::Membership(Genesis genesis) : genesis_(std::move(genesis)), space_(genesis_.id()) {
    update();
}

bool Membership::ever_admin(SiteId const& site) const {
    return site == genesis_.founder || ever_admins_.contains(site) || ever_recovery_.contains(site);
}

bool Membership::ever_known(SiteId const& site) const {
    return ever_admin(site) || by_known_site_.contains(site);
}

// Looks at all that the issuer ever was, and not at what it is now: else the answer would depend on
// the order in which statements come, and a set that was taken once could not be loaded again.
Result<void> Membership::check_issuer(Statement const& statement) const {
    SiteId const& issuer = statement.issuer;
    bool const own_only = std::holds_alternative<ActorEnd>(statement.what);
    bool const of_founder = std::holds_alternative<RecoveryKey>(statement.what);
    bool const chain = issuer == genesis_.founder || ever_recovery_.contains(issuer);
    if (ever_admin(issuer) && !own_only && (!of_founder || chain)) return {};
    if (!ever_known(issuer))
        return fail(Errc::not_found,
                    describe(statement) + " was issued by a site that is not known here");
    if (auto const* certificate = std::get_if<Certificate>(&statement.what)) {
        auto const& own = by_known_site_.at(issuer);
        bool const goes_on = std::any_of(own.begin(), own.end(), [&](ActorId actor) {
            return continues(*certificate, *by_actor(actor));
        });
        if (goes_on) return {};
    } else if (auto const* end = std::get_if<ActorEnd>(&statement.what)) {
        auto const* ended = by_actor(end->last.actor);
        if (ended && ended->site == issuer) return {};
        if (!ended) return fail(Errc::not_found, "the end of an actor that is not known here");
    } else if (std::holds_alternative<KeyStatement>(statement.what)) {
        return {};
    }
    return fail(Errc::forbidden,
                describe(statement) + " was issued by \"" + name_of(issuer) +
                    "\", which is no admin of the space");
}

Result<void> Membership::check_new(Certificate const& certificate, std::string_view bytes) const {
    bool const own = certificate.issuer == certificate.site && certificate.site != genesis_.founder;
    if (!actor_follows(certificate, bytes, own))
        return fail(Errc::protocol,
                    "the certificate of \"" + certificate.name +
                        "\" names another actor than follows from it");
    return {};
}

Result<bool> Membership::take(std::string_view bytes) {
    auto const hash = statement_hash(bytes);
    if (by_hash_.contains(hash)) return false;
    INOS_TRY(Statement statement, decode_statement(space_, bytes));
    if (auto const* certificate = std::get_if<Certificate>(&statement.what))
        INOS_CHECK(check_new(*certificate, bytes));
    INOS_CHECK(check_issuer(statement));
    if (!is_signed(statement, bytes))
        return fail(Errc::protocol, describe(statement) + " has a wrong signature");
    std::size_t const at = statements_.size();
    statements_.push_back(std::make_shared<KnownStatement const>(
        KnownStatement{hash, std::move(statement), std::string(bytes)}));
    by_hash_.emplace(hash, at);
    KnownStatement const& known = *statements_.back();
    if (auto const* certificate = certificate_of(known)) {
        // Of two that name one actor the one with the lower hash judges, at all sites alike.
        auto const [judges, fresh] = by_actor_.emplace(certificate->actor, at);
        if (!fresh && hash < statements_[judges->second]->hash) judges->second = at;
        auto& own = by_known_site_[certificate->site];
        auto const place = std::lower_bound(own.begin(), own.end(), certificate->actor);
        if (place == own.end() || *place != certificate->actor)
            own.insert(place, certificate->actor);
        if (certificate->role == Role::admin) ever_admins_.insert(certificate->site);
    } else if (auto const* recovery = std::get_if<RecoveryKey>(&known.statement.what)) {
        ever_recovery_.insert(recovery->key);
    } else if (auto const* key = std::get_if<KeyStatement>(&known.statement.what)) {
        for (auto const& envelope : key->envelopes)
            sealed_to_[envelope.site].push_back(at);
    } else if (auto const* end = std::get_if<ActorEnd>(&known.statement.what)) {
        take_end(end->last);
    }
    return true;
}

void Membership::take_end(ActorPoint const& last) {
    if (disputed_ends_.contains(last.actor)) return;
    auto const [known, fresh] = ends_.emplace(last.actor, last);
    if (fresh || known->second == last) return;
    ends_.erase(known);
    disputed_ends_.insert(last.actor);
}

Result<bool> Membership::add(std::string_view bytes) {
    auto taken = take(bytes);
    if (taken && *taken) update();
    return taken;
}

// Each round adds those whose issuers are known, with the right, by now; a round that adds none is
// the last. Answers why the last one of those that are left was not taken.
Result<void> Membership::take_rounds(std::vector<std::string> waiting,
                                     std::vector<std::string>& added) {
    Error missing;
    for (bool progress = true; progress && !waiting.empty();) {
        progress = false;
        std::vector<std::string> later;
        for (auto& bytes : waiting) {
            auto const result = take(bytes);
            Errc const code = result ? Errc::internal : result.error().code;
            if (code == Errc::not_found || code == Errc::forbidden) {
                missing = result.error();
                later.push_back(std::move(bytes));
                continue;
            }
            if (!result) return tl::unexpected(result.error());
            if (*result) added.push_back(std::move(bytes));
            progress = true;
        }
        waiting = std::move(later);
    }
    if (waiting.empty()) return {};
    if (missing.code == Errc::not_found) missing.code = Errc::protocol;
    return tl::unexpected(missing);
}

Result<std::vector<std::string>> Membership::add_all(std::vector<std::string> const& set) {
    Membership next = *this;
    std::vector<std::string> added;
    INOS_CHECK(next.take_rounds(set, added));
    if (added.empty()) return added;
    next.update();
    *this = std::move(next);
    return added;
}

std::vector<std::string> Membership::add_some(std::vector<std::string> const& set) {
    std::vector<std::string> added;
    auto const ignored = take_rounds(set, added);
    if (!added.empty()) update();
    return added;
}

Certificate const* Membership::by_actor(ActorId actor) const {
    auto const it = by_actor_.find(actor);
    return it == by_actor_.end() ? nullptr : certificate_of(*statements_[it->second]);
}

std::optional<std::string> Membership::bytes_of(ActorId actor) const {
    auto const it = by_actor_.find(actor);
    return it == by_actor_.end() ? std::nullopt : std::optional(statements_[it->second]->bytes);
}

std::vector<ActorId> Membership::actors() const {
    std::vector<ActorId> actors;
    for (auto const& [actor, at] : by_actor_)
        actors.push_back(actor);
    return actors;
}

std::vector<ActorId> Membership::actors_of(SiteId const& site) const {
    auto const known = by_known_site_.find(site);
    return known == by_known_site_.end() ? std::vector<ActorId>() : known->second;
}

std::string Membership::name_of(SiteId const& site) const {
    if (auto const* member = by_site(site)) return member->name;
    auto const known = by_known_site_.find(site);
    if (known == by_known_site_.end()) return ever_recovery_.contains(site) ? "recovery code" : "";
    return by_actor(known->second.front())->name;
}

std::vector<std::string> Membership::all_bytes() const {
    std::vector<std::string> all;
    all.reserve(statements_.size());
    for (auto const& known : statements_)
        all.push_back(known->bytes);
    return all;
}

std::vector<std::pair<KeyName, std::string>> Membership::envelopes_of(SiteId const& site) const {
    std::vector<std::pair<KeyName, std::string>> found;
    auto const at = sealed_to_.find(site);
    if (at == sealed_to_.end()) return found;
    for (std::size_t const i : at->second) {
        auto const& key = std::get<KeyStatement>(statements_[i]->statement.what);
        for (auto const& envelope : key.envelopes)
            if (envelope.site == site) found.emplace_back(key.name, envelope.sealed);
    }
    return found;
}

bool Membership::was_given(SiteId const& site, KeyName const& key) const {
    if (key.epoch == 0) return true;
    auto const at = sealed_to_.find(site);
    return at != sealed_to_.end() &&
           std::any_of(at->second.begin(), at->second.end(), [&](std::size_t i) {
               return std::get<KeyStatement>(statements_[i]->statement.what).name == key;
           });
}

Certificate const* Membership::by_site(SiteId const& site) const {
    auto const it = view_.members.find(site);
    return it == view_.members.end() ? nullptr : it->second;
}

Certificate const* Membership::by_channel(crypto::PublicKey const& channel) const {
    for (auto const& [site, certificate] : view_.members)
        if (certificate->channel == channel) return certificate;
    return nullptr;
}

std::vector<Certificate> Membership::sites() const {
    std::vector<Certificate> sites;
    for (auto const& [site, certificate] : view_.members)
        sites.push_back(*certificate);
    std::sort(sites.begin(), sites.end(), [](Certificate const& a, Certificate const& b) {
        return std::tie(a.name, a.site) < std::tie(b.name, b.site);
    });
    return sites;
}

Certificate const& Membership::granted(Certificate const& certificate) const {
    if (!is_continuation(certificate, genesis_.founder)) return certificate;
    Certificate const* found = nullptr;
    for (ActorId const actor : actors_of(certificate.site)) {
        Certificate const* known = by_actor(actor);
        bool const is_grant = !is_continuation(*known, genesis_.founder);
        if (!is_grant || !continues(certificate, *known)) continue;
        // Of several with the same rights the one that holds now.
        if (is_current(actor)) return *known;
        if (!found) found = known;
    }
    return found ? *found : certificate;
}

// The nearest first.
std::vector<std::string> Membership::chain_of(SiteId const& site) const {
    std::vector<KnownStatement const*> chain;
    std::vector<SiteId> open{site};
    auto const add = [&](std::size_t at) {
        KnownStatement const* known = statements_[at].get();
        if (std::find(chain.begin(), chain.end(), known) != chain.end()) return;
        chain.push_back(known);
        SiteId const& issuer = known->statement.issuer;
        if (std::find(open.begin(), open.end(), issuer) == open.end()) open.push_back(issuer);
    };
    for (std::size_t i = 0; i < open.size(); ++i) {
        SiteId const next = open[i];
        auto const* holds = by_site(next);
        if (holds) add(by_actor_.at(holds->actor));
        // Of a site that goes on again and again only what an admin has issued.
        if (holds) add(by_actor_.at(granted(*holds).actor));
        for (ActorId const actor : actors_of(next)) {
            Certificate const& known = *by_actor(actor);
            bool const own = is_continuation(known, genesis_.founder);
            bool const wanted = next == site ? !holds : known.role == Role::admin;
            if (!own && wanted) add(by_actor_.at(actor));
        }
        for (std::size_t at = 0; at < statements_.size(); ++at) {
            auto const* recovery = std::get_if<RecoveryKey>(&statements_[at]->statement.what);
            if (recovery && recovery->key == next) add(at);
        }
    }
    std::vector<std::string> out;
    for (KnownStatement const* known : chain)
        out.push_back(known->bytes);
    return out;
}

std::optional<SiteId> Membership::heir_of(SiteId const& retired) const {
    auto const by = view_.retired.find(retired);
    if (by == view_.retired.end()) return std::nullopt;
    auto const may_inherit = [this](SiteId const& site) {
        auto const* member = by_site(site);
        return member && member->role == Role::admin && member->scope.empty();
    };
    KnownStatement const* first = nullptr;
    for (KnownStatement const* retirement : by->second)
        if (may_inherit(retirement->statement.issuer) && (!first || retirement->hash < first->hash))
            first = retirement;
    if (first) return first->statement.issuer;
    for (auto const& [site, certificate] : view_.members)
        if (may_inherit(site)) return site;
    return std::nullopt;
}

std::vector<std::string> Membership::why_not(SiteId const& site) const {
    std::vector<std::string> out;
    auto const explain = [&](SiteId const& who) {
        auto const by = view_.retired.find(who);
        if (by == view_.retired.end()) return;
        for (KnownStatement const* retirement : by->second) {
            for (auto& bytes : chain_of(retirement->statement.issuer))
                if (std::find(out.begin(), out.end(), bytes) == out.end())
                    out.push_back(std::move(bytes));
            out.push_back(retirement->bytes);
        }
    };
    if (by_site(site)) return out;
    explain(site);
    for (ActorId const actor : actors_of(site))
        if (out.empty()) explain(by_actor(actor)->issuer);
    return out;
}

void Membership::update() {
    view_ = judge_membership(genesis_, statements_);
    std::string all = "inos membership 1";
    for (auto const& [hash, at] : by_hash_)
        all += crypto::view(hash);
    digest_ = crypto::hash16(all);
}

}  // namespace inos
