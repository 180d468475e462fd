// The three key pairs of a site and the files that hold them.
//
//   DATA/keys/            directory, mode 0700
//     identity.key        Ed25519: signs entries, certificates, membership changes; names the site
//     channel.key         X25519: the Noise static key
//     sealing.key         X25519: others seal space keys to it
//   file = "inos-key-1 " kind " " hex of the 32 secret bytes "\n"      mode 0600
//   kind = "identity" | "channel" | "sealing", as the file's name
//   In an encrypted directory this line is sealed (crypto/file_cipher.hpp, FileSeal).
//
// Three independent pairs, never one for two purposes and never converted into one another. The
// public halves are computed from the secret ones, so that the two cannot disagree.
//
// Contract: creation is all or nothing (a directory keys.new that is renamed when all is on disk)
// and never replaces a key. Loading refuses keys that others could have read or planted: more open
// than 0600 and 0700, owned by another user, a symbolic link, not a plain file.
// Errors: Errc::not_found, forbidden, conflict, corruption, io; each names the file and the remedy,
// none contains a key. Threads: any; two processes that create in one directory at once: one fails.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/crypto/crypto.hpp"
#include "storage/crypto/file_cipher.hpp"
#include "storage/result.hpp"

namespace inos {

struct SiteKeys {
    crypto::SigningKey identity;
    crypto::KeyPair channel;
    crypto::KeyPair sealing;
};

// Makes new keys and writes them below `data_dir`, which must exist. Errc::conflict when there are
// keys already. `seal`: of an encrypted directory, here and below.
Result<SiteKeys> create_site_keys(std::string const& data_dir,
                                  crypto::FileSeal const* seal = nullptr);

Result<SiteKeys> load_site_keys(std::string const& data_dir,
                                crypto::FileSeal const* seal = nullptr);

// Files with one secret in them, such as the API token: same checks, any content up to the limit.
inline constexpr std::size_t kSecretFileBytesMax = 4'096;

// Creates the file with mode 0600 and syncs it and its directory. Errc::conflict when it exists.
Result<void> write_secret_file(std::string const& path,
                               std::string_view content,
                               crypto::FileSeal const* seal = nullptr);
// Errc::forbidden: it is sealed and there is no `seal`; Errc::corruption: `seal` does not open it.
Result<std::string> read_secret_file(std::string const& path,
                                     crypto::FileSeal const* seal = nullptr);

}  // namespace inos
