// Any set of statements comes to the same at every site, whatever the order and the pieces in which
// it came, with changes that were made at once.
#include <algorithm>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/membership.hpp"
#include "tests/support/members.hpp"

namespace inos {
namespace {

using sim::Tape;
using test::Members;
using test::value_of;

constexpr std::size_t kSites = 6;

// Admins that act on what each of them knows, and hear of each other now and then.
class Story {
public:
    explicit Story(Tape& tape) : tape_(tape), sites_(kSites, tape.word64()) {
        crypto::init();
        paper_ = sites_.paper();
        for (std::size_t i = 0; i < kSites; ++i)
            known_.push_back(sites_.founded());
        value_of(known_[0].add(sites_.recovery(0, paper_)));
        std::size_t const steps = 4 + tape.below(24);
        for (std::size_t i = 0; i < steps; ++i)
            tape.chance(35) ? meet() : act(tape.below(kSites));
    }

    std::vector<std::string> all() const {
        Membership everything = sites_.founded();
        for (Membership const& one : known_)
            everything.add_some(one.all_bytes());
        return everything.all_bytes();
    }
    Members const& sites() const { return sites_; }
    std::vector<std::pair<std::size_t, std::size_t>> const& retired() const { return retired_; }

private:
    void meet() {
        std::size_t const a = tape_.below(kSites), b = tape_.below(kSites);
        value_of(known_[a].add_all(known_[b].all_bytes()));
        value_of(known_[b].add_all(known_[a].all_bytes()));
    }

    // What its program would let the site do.
    void act(std::size_t by) {
        Membership& known = known_[by];
        auto const* own = known.by_site(sites_.id(by));
        if (!own) return;
        if (tape_.chance(15)) return add(by, sites_.go_on(known, by));
        if (own->role != Role::admin) return tape_.chance(20) ? recover(by) : void();
        std::size_t const about = tape_.below(kSites);
        bool const member = known.by_site(sites_.id(about));
        Role const role =
            tape_.pick(std::array<Role, 4>{Role::admin, Role::admin, Role::writer, Role::reader});
        switch (tape_.below(4)) {
            case 0:
                return add(by, sites_.rotate(known, by, {by}));
            case 1:
                if (!member || about == by) return;
                retired_.emplace_back(by, about);
                return add(by, sites_.retire(known, by, about));
            case 2:
                if (!member || about == by) return;
                return add(by, sites_.change(known, by, about, role));
            default:
                if (!member && !known.is_retired(sites_.id(about)))
                    add(by, sites_.admit(by, about, role));
        }
    }

    void recover(std::size_t by) {
        Membership& known = known_[by];
        if (!known.view().recovery_keys.contains(paper_.public_key)) return;
        RightsChange change;
        for (auto const& one : known.statements()) {
            auto const* of = std::get_if<Certificate>(&one->statement.what);
            if (of && of->site == sites_.id(by)) change.replaced.push_back(one->hash);
        }
        std::string const raised =
            issue_change(sites_.certificate(by, Role::admin), change, sites_.nonce(), paper_);
        for (Certificate const& member : known.sites())
            if (member.role == Role::admin) {
                std::string const out = sites_.retire(known, paper_, member.site);
                value_of(known.add(out));
            }
        add(by, raised);
    }

    void add(std::size_t by, std::string const& bytes) { value_of(known_[by].add(bytes)); }

    Tape& tape_;
    Members sites_;
    crypto::SigningKey paper_;
    std::vector<Membership> known_;
    std::vector<std::pair<std::size_t, std::size_t>> retired_;  // by whom, whom
};

std::string describe(Membership const& membership) {
    MembershipView const& view = membership.view();
    std::string text;
    for (auto const& [site, certificate] : view.members)
        text += crypto::hex(std::string(site.begin(), site.begin() + 4)) + " " +
                role_name(certificate->role) + " " + std::to_string(certificate->actor.value) +
                "\n";
    for (auto const& [site, by] : view.retired)
        text += "retired " + crypto::hex(std::string(site.begin(), site.begin() + 4)) + " " +
                std::to_string(by.size()) + "\n";
    for (KeyName const& key : view.keys)
        text += "key " + std::to_string(key.epoch) + " " + std::to_string(key.id) + "\n";
    if (view.stays) text += "stays " + std::to_string((*view.stays)[0]) + "\n";
    return text + crypto::hex(crypto::view(membership.digest()));
}

void shuffle(Tape& tape, std::vector<std::string>& list) {
    for (std::size_t i = list.size(); i > 1; --i)
        std::swap(list[i - 1], list[tape.below(i)]);
}

RC_GTEST_PROP(MembershipProperty,
              C9_one_set_comes_to_one_result_in_any_order,
              (std::uint64_t seed)) {
    Tape tape = Tape::seeded(seed);
    Story const story(tape);
    auto all = story.all();
    Membership at_once(story.sites().genesis());
    value_of(at_once.add_all(all));
    for (int round = 0; round < 3; ++round) {
        shuffle(tape, all);
        Membership other(story.sites().genesis());
        // In pieces, of which some have to wait for others.
        for (std::size_t from = 0; from < all.size();) {
            std::size_t const to = std::min(all.size(), from + 1 + tape.below(4));
            other.add_some({all.begin() + static_cast<std::ptrdiff_t>(from),
                            all.begin() + static_cast<std::ptrdiff_t>(to)});
            from = to;
        }
        value_of(other.add_all(all));
        RC_ASSERT(other.statements().size() == all.size());
        RC_ASSERT(describe(other) == describe(at_once));
    }
}

RC_GTEST_PROP(MembershipProperty,
              C10_what_was_taken_stays_taken_and_somebody_rules,
              (std::uint64_t seed)) {
    Tape tape = Tape::seeded(seed);
    Story const story(tape);
    Membership all(story.sites().genesis());
    value_of(all.add_all(story.all()));
    for (auto const& [by, whom] : story.retired()) {
        SiteId const& site = story.sites().id(whom);
        RC_ASSERT(!all.by_site(site) || all.view().stays == site);
    }
    // Whoever is shown as an admin is one: whom it admits is a member.
    std::size_t admins = 0;
    for (std::size_t i = 0; i < kSites; ++i) {
        auto const* member = all.by_site(story.sites().id(i));
        if (!member || member->role != Role::admin) continue;
        ++admins;
        auto const keys = test::random_site_keys(tape);
        Certificate fresh = *member;
        fresh.site = keys.identity.public_key;
        fresh.role = Role::reader;
        fresh.scope.clear();
        Membership next = all;
        value_of(next.add(issue_following(fresh, Nonce{9}, story.sites().keys(i).identity)));
        RC_ASSERT(next.by_site(keys.identity.public_key) != nullptr);
    }
    RC_ASSERT(admins > 0u);
}

}  // namespace
}  // namespace inos
