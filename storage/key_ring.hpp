// The keys of a space that one site holds: one keys the record digests and stays, others seal
// batches. The founding key (epoch 0) is handed on at admission with all later ones; a rotation
// states a new key in the membership log, sealed to each member (storage/statement.hpp).
//
// Of the keys that admins have stated the highest (epoch, id) seals that this site holds; the
// others open what was sealed with them. Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "storage/crypto/crypto.hpp"
#include "storage/membership.hpp"

namespace inos {

struct SpaceKey {
    std::uint64_t epoch = 0;
    crypto::Secret key;
};

// What a site is given at admission. Who has these reads everything in the space.
struct SpaceKeys {
    crypto::Secret seal;    // the founding key
    crypto::Secret digest;  // of records; does not rotate
    std::vector<SpaceKey> later = {};
};

class KeyRing {
public:
    KeyRing() = default;
    explicit KeyRing(SpaceKeys const& given);

    // The same with what the log holds for the site, and the key that seals by what is in force.
    KeyRing with(Membership const& membership,
                 SiteId const& self,
                 crypto::KeyPair const& sealing) const;

    crypto::Secret const* find(std::uint64_t id) const;
    bool holds(KeyName const& name) const { return keys_.contains(name); }
    bool empty() const { return keys_.empty(); }
    KeyName const& sealing() const { return sealing_; }
    // The key that seals. There is always one: asserts that the ring is not empty.
    crypto::Secret const& sealing_key() const { return keys_.at(sealing_); }
    // All but the founding key.
    std::vector<SpaceKey> later() const;

private:
    std::map<KeyName, crypto::Secret> keys_;
    KeyName sealing_;
};

// A key for members: each one's envelope. Relays get none.
KeyStatement seal_key(KeyName const& name,
                      crypto::Secret const& key,
                      std::vector<Certificate> const& members);

}  // namespace inos
