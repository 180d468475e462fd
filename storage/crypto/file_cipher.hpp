// Files that lie encrypted on the disk: what stands in front of each, and the stream over the rest.
//
//   file   = head 64 | content XOR stream
//   head   = "inosenc1" 8 | nonce 24 | check 32
//   check  = BLAKE2b-256, keyed by the head key, of the 32 bytes before it
//   stream = XChaCha20 (draft-irtf-cfrg-xchacha) under the stream key and nonce, block counter 0
//            at the content's first byte
//   keys   = BLAKE2b-256, keyed by the data key, of "inos at rest 1 stream", "inos at rest 1 head"
//
// One nonce is for one writing of one file, from its beginning on, and each byte of its stream is
// used once: whoever writes takes a new head for every file that is begun, also under an old name,
// and never writes a place twice (engines/encrypted_files.cpp). The check tells a wrong key and a
// foreign file from a damaged one. A stream hides and does not protect: whoever can write the disk
// can flip bits of the content, and it is for what reads it to notice.
//
// Thread safety: all functions may be called from any thread. Nothing here fails but by nullopt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/crypto/crypto.hpp"

namespace inos::crypto {

using FileNonce = std::array<std::uint8_t, 24>;

// The stream of one file.
class FileStream {
public:
    FileStream(Secret key, FileNonce const& nonce) : key_(std::move(key)), nonce_(nonce) {}
    // Encrypts, or decrypts, `size` bytes that stand at `offset` of the content. `in` may be `out`.
    void apply(std::uint64_t offset, char const* in, char* out, std::size_t size) const;

private:
    Secret key_;
    FileNonce nonce_;
};

class FileCipher {
public:
    static constexpr std::size_t kHeadBytes = 64;

    explicit FileCipher(Secret const& data_key);
    // For a file that is begun: a new nonce.
    std::string new_head() const;
    // Of the file that begins with `head`; nullopt: it was not written under this key.
    std::optional<FileStream> stream(std::string_view head) const;
    // Does it begin as an encrypted file does, under whatever key?
    static bool is_head(std::string_view head);
    // Is it the beginning of a head, and shorter? Empty is.
    static bool is_torn_head(std::string_view head);

private:
    Secret stream_key_, head_key_;
};

// Small files with a secret in them, sealed (XChaCha20-Poly1305) under the data key:
//
//   "inos-sealed-1 " base64url(nonce 24 | sealed | tag 16) "\n"
//
// The file's name is what the seal is bound to: one cannot be put in the place of another.
class FileSeal {
public:
    explicit FileSeal(Secret const& data_key);
    std::string seal(std::string_view name, std::string_view content) const;
    // nullopt: not sealed under this key and for this name, or not sealed at all.
    std::optional<std::string> open(std::string_view name, std::string_view text) const;
    static bool is_sealed(std::string_view text);

private:
    Secret key_;
};

// BLAKE2b-256 of the purpose, keyed with the key.
Secret derived_key(Secret const& key, std::string_view purpose);

}  // namespace inos::crypto
