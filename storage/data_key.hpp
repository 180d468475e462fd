// The key that a directory is encrypted under, and DIR/data.key, from which those who know a
// passphrase or hold a key file get it (docs/decisions/0016-encryption-at-rest.md).
//
//   DIR/data.key, mode 0600, text; one line for each way in, at most 8:
//     inos-data-key 1
//     passphrase NAME SALT PASSES MEMORY_KIB WRAPPED     Argon2id of the passphrase
//     key NAME WRAPPED                                   32 bytes of a key file
//     check CHECK
//   WRAPPED  the data key, 32 bytes, in XChaCha20-Poly1305 (nonce 24, 32, tag 16), bound to the
//            first line and to what stands before it in its own
//   CHECK    BLAKE2b-256 of all lines above, keyed by the data key: without it nobody can
//            add a way in or take one away
//   SALT, WRAPPED, CHECK in hex; NAME 1 to 32 of a-z 0-9 and "-"; numbers decimal
//
//   a key file = "inos-key-1 data " 64 hex digits "\n"
//
// The data key never changes, so changing a passphrase rewrites this one small file. Whoever has an
// old copy of it and the passphrase of then still gets the key.
//
// Values are pure and may be used by any thread; the functions on a directory by one at a time, and
// changes hold a DataKeyLock. Errors never contain a key or a passphrase.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/crypto/crypto.hpp"
#include "storage/crypto/file_cipher.hpp"
#include "storage/result.hpp"

namespace inos {

// The key of one directory.
using DataKey = crypto::Secret;

// A passphrase, overwritten when it is gone.
class Passphrase {
public:
    explicit Passphrase(std::string_view text) : text_(text.begin(), text.end()) {}
    Passphrase(Passphrase&&) = default;
    Passphrase& operator=(Passphrase&& other) noexcept;
    Passphrase(Passphrase const&) = delete;
    Passphrase& operator=(Passphrase const&) = delete;
    ~Passphrase();
    std::string_view view() const {
        return text_.empty() ? std::string_view("") : std::string_view(text_.data(), text_.size());
    }

private:
    std::vector<char> text_;  // not a string: one that is moved from may keep its bytes
};

// What somebody has who may open the directory: a passphrase, or the bytes of a key file.
using Opener = std::variant<Passphrase, crypto::Secret>;

// Of the content of a file: a key file, or else a passphrase, which is its first line.
// Errc::usage: a key file that is damaged, or no passphrase.
Result<Opener> parse_opener(std::string_view content);
std::string key_file_text(crypto::Secret const& key);

// A short passphrase can be tried through by whoever has the disk. Errc::usage.
inline constexpr std::size_t kPassphraseBytesMin = 8;
Result<void> check_new_passphrase(std::string_view passphrase);

// A planted file could ask for any cost; this is what is accepted.
inline constexpr crypto::PassphraseCost kUnlockCostMax{16, 1u << 20};

// What stands in DIR/data.key.
class DataKeyFile {
public:
    static constexpr std::size_t kWaysMax = 8;

    struct Way {
        std::string name;
        // Of a passphrase; a key file has none.
        struct Stretch {
            crypto::Hash16 salt{};
            crypto::PassphraseCost cost;
        };
        std::optional<Stretch> stretch;
        std::string wrapped;
    };

    DataKeyFile() = default;  // without a way in; nothing to be stored yet

    // Errc::corruption: not what text() makes; Errc::unsupported: of a later version.
    static Result<DataKeyFile> parse(std::string_view text);
    std::string text() const;
    std::vector<Way> const& ways() const { return ways_; }

    // The data key. Errc::forbidden: this opens none of the ways; Errc::corruption: it does, and
    // somebody without the key has changed the file; Errc::unavailable: no memory for Argon2id.
    Result<DataKey> unlock(Opener const& opener) const;

    // Errc::conflict: the name is taken, or there are too many ways; Errc::usage: no such name can
    // be. `key` is the one that the file is of.
    Result<void> add(std::string const& name,
                     Opener const& opener,
                     DataKey const& key,
                     crypto::PassphraseCost const& cost = {});
    // Errc::not_found; Errc::conflict: it is the last one.
    Result<void> remove(std::string const& name, DataKey const& key);
    // The way in of that name becomes one for this opener. Errc::not_found.
    Result<void> change(std::string const& name,
                        Opener const& opener,
                        DataKey const& key,
                        crypto::PassphraseCost const& cost = {});

private:
    Result<Way> wrapped(std::string const& name,
                        Opener const& opener,
                        DataKey const& key,
                        crypto::PassphraseCost const& cost) const;
    std::string lines() const;
    void seal(DataKey const& key);

    std::vector<Way> ways_;
    crypto::Hash32 check_{};
};

// A directory that is to be made encrypted.
struct Encryption {
    DataKey key;
    DataKeyFile file;
};
// A new key with one way in.
Result<Encryption> new_encryption(std::string const& way,
                                  Opener const& opener,
                                  crypto::PassphraseCost const& cost = {});

// DIR/data.key; nullopt: the directory is not encrypted. Errors as read_secret_file().
Result<std::optional<DataKeyFile>> read_data_key_file(std::string const& dir);
// Puts it there, durably and in one step: a crash leaves the old one or the new one.
Result<void> put_data_key_file(std::string const& dir, DataKeyFile const& file);

// Held while DIR/data.key is changed.
class DataKeyLock {
public:
    // Errc::conflict: another process is at it.
    static Result<std::unique_ptr<DataKeyLock>> take(std::string const& dir);
    ~DataKeyLock();
    DataKeyLock(DataKeyLock const&) = delete;
    DataKeyLock& operator=(DataKeyLock const&) = delete;

private:
    explicit DataKeyLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace inos
