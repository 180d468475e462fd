#include "storage/key_ring.hpp"

#include <algorithm>

namespace inos {

KeyRing::KeyRing(SpaceKeys const& given) {
    sealing_ = {0, key_id(given.seal)};
    keys_.emplace(sealing_, given.seal);
    for (SpaceKey const& key : given.later)
        keys_.emplace(KeyName{key.epoch, key_id(key.key)}, key.key);
}

KeyRing KeyRing::with(Membership const& membership,
                      SiteId const& self,
                      crypto::KeyPair const& sealing) const {
    KeyRing ring = *this;
    for (auto const& [name, sealed] : membership.envelopes_of(self)) {
        if (ring.keys_.contains(name)) continue;
        auto const key = crypto::box_open(sealing, sealed);
        if (!key || key->size() != crypto::Secret::size()) continue;
        crypto::Secret secret(*key);
        // Whoever has sealed something else under this name has sealed nothing.
        if (key_id(secret) == name.id) ring.keys_.emplace(name, std::move(secret));
    }
    auto const& in_force = membership.view().keys;
    if (!ring.keys_.empty()) ring.sealing_ = ring.keys_.begin()->first;
    for (KeyName const& name : in_force)
        if (ring.keys_.contains(name)) ring.sealing_ = name;
    return ring;
}

crypto::Secret const* KeyRing::find(std::uint64_t id) const {
    auto const found = std::find_if(
        keys_.begin(), keys_.end(), [id](auto const& key) { return key.first.id == id; });
    return found == keys_.end() ? nullptr : &found->second;
}

std::vector<SpaceKey> KeyRing::later() const {
    std::vector<SpaceKey> later;
    for (auto const& [name, key] : keys_)
        if (name.epoch > 0) later.push_back({name.epoch, key});
    return later;
}

KeyStatement seal_key(KeyName const& name,
                      crypto::Secret const& key,
                      std::vector<Certificate> const& members) {
    KeyStatement out;
    out.name = name;
    for (Certificate const& member : members) {
        if (member.role == Role::relay) continue;
        // Empty for a key that is none, whatever its site has certified: it gets nothing.
        std::string sealed = crypto::box_seal(member.sealing, key.view());
        if (!sealed.empty()) out.envelopes.push_back({member.site, std::move(sealed)});
    }
    return out;
}

}  // namespace inos
