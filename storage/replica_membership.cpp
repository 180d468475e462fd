// What a replica does with the membership log: keeps it, adds to it, and follows what it comes to.

#include <algorithm>

#include "crdt/value.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {

namespace {

std::string statement_key(std::uint32_t space, char kind, StatementHash const& hash) {
    std::string key = keys::meta_kind(space, kind);
    key += crypto::view(hash);
    return key;
}

}  // namespace

void put_statement(WriteBatch& batch, std::uint32_t space, std::string_view bytes) {
    auto const certificate = decode_certificate(bytes);
    batch.put(Family::meta,
              statement_key(space, certificate ? 'c' : 'l', statement_hash(bytes)),
              std::string(bytes));
}

Result<std::vector<std::string>> stored_statements(Engine const& engine, std::uint32_t space) {
    std::vector<std::string> all;
    for (char const kind : {'c', 'l'}) {
        auto const next = static_cast<char>(kind + 1);
        auto cursor =
            engine.scan(Family::meta, keys::meta_kind(space, kind), keys::meta_kind(space, next));
        for (; cursor->valid(); cursor->next())
            all.emplace_back(cursor->value());
        INOS_CHECK(cursor->status());
    }
    return all;
}

// Its own actor's certificate, and where an admin has changed its rights since, that one too.
bool Replica::caught_up() const {
    auto const* own = own_certificate();
    return vector_.includes(membership_->by_actor(options_.actor)->issuer_vv) &&
           (!own || vector_.includes(membership_->granted(*own).issuer_vv));
}

Result<std::size_t> Replica::add_statements(std::vector<std::string> const& set, WriteBatch batch) {
    Membership next = *membership_;
    INOS_TRY(auto const added, next.add_all(set));
    return keep(std::move(next), added, std::move(batch));
}

Result<std::size_t> Replica::learn(std::vector<std::string> const& set) {
    Membership next = *membership_;
    auto const added = next.add_some(set);
    return keep(std::move(next), added, {});
}

Result<std::size_t> Replica::keep(Membership next,
                                  std::vector<std::string> const& added,
                                  WriteBatch batch) {
    if (added.empty() && batch.changes.empty()) return std::size_t{0};
    ContinuityRecord record = continuity_;
    for (auto const& bytes : added) {
        put_statement(batch, options_.space, bytes);
        if (auto const certificate = decode_certificate(bytes))
            look_for_another_life(*certificate, record);
    }
    if (record != continuity_) put_record(batch, record);
    INOS_CHECK(write_batch(batch, Durability::synced));
    continuity_ = std::move(record);
    doubt_ = judge_continuity(continuity_, options_.marks);
    membership_ = std::make_shared<Membership const>(std::move(next));
    update_keys();
    stable_known_ = false;
    return added.size();
}

Result<void> Replica::check_member(SiteId const& site) const {
    if (membership_->by_site(site)) return {};
    std::string const name = membership_->name_of(site);
    return fail(Errc::forbidden, "the site \"" + name + "\" is no member of this space any more");
}

// What this site may write, by what is known of the members now.
Result<void> Replica::check_writable() const {
    SiteId const& self = options_.identity.public_key;
    if (membership_->is_retired(self)) {
        auto const& by = membership_->view().retired.at(self);
        return fail(Errc::forbidden,
                    "this site was retired from the space by \"" +
                        membership_->name_of(by.front()->statement.issuer) +
                        "\" and takes no more writes; ask an admin for a new invitation and join "
                        "again");
    }
    if (!membership_->by_site(self))
        return fail(Errc::forbidden,
                    "the admin that had invited this site was retired at the same time, so this "
                    "site is no member; ask another admin for a new invitation");
    if (!caught_up())
        return fail(
            Errc::unavailable,
            "this site has not caught up with its space yet; it takes writes when it has met "
            "a site that holds what there was when it was admitted");
    return {};
}

Result<void> Replica::check_admin(std::string_view act) const {
    auto const* own = own_certificate();
    if (own && own->role == Role::admin) return {};
    return fail(Errc::forbidden,
                "only an admin site " + std::string(act) + ", and this one is " +
                    (own ? std::string("a ") + role_name(own->role) : "no member any more") +
                    "; run it at an admin site");
}

// What the site has stated for others; that it goes on itself is of no interest once it is gone.
std::vector<StatementHash> Replica::issued_by(SiteId const& site) const {
    std::vector<StatementHash> issued;
    for (auto const& known : membership_->statements()) {
        auto const* certificate = std::get_if<Certificate>(&known->statement.what);
        bool const own = certificate && certificate->site == site;
        // A key that it has stated seals nothing more; what is sealed can still be opened.
        bool const counts = std::holds_alternative<Retirement>(known->statement.what) ||
                            std::holds_alternative<RecoveryKey>(known->statement.what) ||
                            (certificate && !own);
        if (known->statement.issuer == site && counts) issued.push_back(known->hash);
    }
    return issued;
}

Certificate const* Replica::own_certificate() const {
    return membership_->by_site(options_.identity.public_key);
}

Result<Certificate> Replica::other_member(SiteId const& site, char const* itself) const {
    if (site == options_.identity.public_key)
        return fail(Errc::conflict,
                    std::string(itself) + "; run it at another admin site of the space");
    auto const* member = membership_->by_site(site);
    if (!member) return fail(Errc::not_found, "that site is no member of the space");
    return *member;
}

std::string Replica::retirement_of(SiteId const& site, crypto::SigningKey const& by) const {
    Retirement retirement;
    retirement.site = site;
    retirement.made_ms = clock_.now_ms();
    for (ActorId const actor : membership_->actors_of(site)) {
        auto const held = actors_.find(actor);
        if (held == actors_.end() || held->second.seq == 0) continue;
        retirement.held.push_back({actor, held->second.seq, held->second.chain});
    }
    retirement.issued = issued_by(site);
    return state(membership_->space(), retirement, by);
}

std::string Replica::rotation(Membership const& members) const {
    auto const& known = members.view().keys;
    crypto::Secret const key = crypto::Secret::random();
    KeyName const name{known.empty() ? 1 : known.back().epoch + 1, key_id(key)};
    return state(membership_->space(), seal_key(name, key, members.sites()), options_.identity);
}

Result<void> Replica::retire(SiteId const& site) {
    INOS_CHECK(check_admin("retires others"));
    INOS_CHECK(other_member(site, "a site cannot retire itself"));
    std::vector<std::string> made{retirement_of(site, options_.identity)};
    Membership next = *membership_;
    INOS_CHECK(next.add_all(made));
    made.push_back(rotation(next));
    INOS_CHECK(add_statements(made));
    return {};
}

Result<void> Replica::rotate_key() {
    INOS_CHECK(check_admin("rotates the space's key"));
    INOS_CHECK(add_statements({rotation(*membership_)}));
    return {};
}

Result<bool> Replica::share_key(SiteId const& site) {
    auto const* member = membership_->by_site(site);
    KeyName const name = keys_->sealing();
    bool const lacks = own_certificate() && member && member->role != Role::relay &&
                       keys_->holds(name) && !membership_->was_given(site, name);
    if (!lacks) return false;
    KeyStatement const sealed = seal_key(name, keys_->sealing_key(), {*member});
    if (sealed.envelopes.empty()) return false;  // its sealing key is none
    INOS_CHECK(add_statements({state(membership_->space(), sealed, options_.identity)}));
    return true;
}

// The certificate with what it takes the place of: all that are known of the site.
std::string Replica::change_of_rights(Certificate certificate, crypto::SigningKey const& by) const {
    RightsChange change;
    for (auto const& known : membership_->statements()) {
        auto const* of = std::get_if<Certificate>(&known->statement.what);
        if (of && of->site == certificate.site) change.replaced.push_back(known->hash);
    }
    change.issued = issued_by(certificate.site);
    certificate.issuer_vv = vector_;
    return issue_change(std::move(certificate), change, fresh_nonce(), by);
}

Result<void> Replica::change_role(SiteId const& site, Role role, std::vector<std::string> scope) {
    INOS_CHECK(check_admin("changes what others may do"));
    INOS_TRY(Certificate next, other_member(site, "a site cannot change its own role"));
    if (role == Role::relay) return fail(Errc::unsupported, "this version has no relays", "role");
    if (role != Role::writer && !scope.empty())
        return fail(Errc::invalid, "only a writer can be limited to collections", "write");
    for (auto const& collection : scope)
        if (!valid_name(collection))
            return fail(Errc::invalid,
                        "the collection's name \"" + collection +
                            "\" has to be 1 to 256 bytes of UTF-8 without control characters",
                        "write");
    if (next.role == role && next.scope == scope) return {};
    next.role = role;
    next.scope = std::move(scope);
    INOS_CHECK(add_statements({change_of_rights(std::move(next), options_.identity)}));
    return {};
}

// All of it is signed by the key on paper, the next key and the end of this one too: so it holds
// whatever becomes of the founder, and of this site.
Result<void> Replica::recover(crypto::SigningKey const& recovery,
                              std::vector<SiteId> const& lost,
                              SiteId const& next) {
    auto const* own = own_certificate();
    if (membership_->is_retired(options_.identity.public_key))
        return fail(Errc::forbidden,
                    "this site is no member of the space any more; recover at one that is");
    if (!own) own = membership_->by_actor(options_.actor);  // whoever had admitted it fell
    if (!membership_->view().recovery_keys.contains(recovery.public_key))
        return fail(Errc::forbidden,
                    "the code is not of this space, or was used before and replaced by another");
    Certificate admin = *own;
    admin.role = Role::admin;
    admin.scope.clear();
    std::vector<std::string> made{change_of_rights(std::move(admin), recovery)};
    for (SiteId const& site : lost) {
        INOS_CHECK(other_member(site, "a site cannot retire itself"));
        made.push_back(retirement_of(site, recovery));
    }
    // A code that was typed somewhere has done its work.
    made.push_back(state(membership_->space(), RecoveryKey{next}, recovery));
    Membership then = *membership_;
    INOS_CHECK(then.add_all(made));
    Retirement over;
    over.site = recovery.public_key;
    over.made_ms = clock_.now_ms();
    for (auto const& known : then.statements())
        if (known->statement.issuer == recovery.public_key) over.issued.push_back(known->hash);
    made.push_back(state(membership_->space(), over, recovery));
    made.push_back(rotation(then));
    INOS_CHECK(add_statements(made));
    return {};
}

void Replica::update_keys() {
    keys_ = std::make_shared<KeyRing const>(
        (keys_ ? *keys_ : options_.keys)
            .with(*membership_, options_.identity.public_key, options_.sealing));
}

}  // namespace inos
