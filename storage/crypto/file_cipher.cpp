#include "storage/crypto/file_cipher.hpp"

#include <algorithm>
#include <cstring>

#include <sodium.h>

namespace inos::crypto {
namespace {

constexpr std::string_view kHeadMagic = "inosenc1";
constexpr std::string_view kSealedMagic = "inos-sealed-1 ";
constexpr std::string_view kSealedFor = "inos sealed file 1 ";
constexpr std::size_t kBlock = 64;
constexpr std::size_t kChecked = FileCipher::kHeadBytes - sizeof(Hash32);
static_assert(kHeadMagic.size() + sizeof(FileNonce) == kChecked);
static_assert(sizeof(FileNonce) == crypto_stream_xchacha20_NONCEBYTES);
static_assert(Secret::size() == crypto_stream_xchacha20_KEYBYTES);

unsigned char const* bytes(char const* data) {
    return reinterpret_cast<unsigned char const*>(data);
}
unsigned char* bytes(char* data) {
    return reinterpret_cast<unsigned char*>(data);
}

}  // namespace

Secret derived_key(Secret const& key, std::string_view purpose) {
    Hash32 hash = hash32(purpose, key.view());
    Secret derived(view(hash));
    sodium_memzero(hash.data(), hash.size());
    return derived;
}

void FileStream::apply(std::uint64_t offset, char const* in, char* out, std::size_t size) const {
    if (std::size_t const skipped = offset % kBlock; skipped != 0 && size != 0) {
        std::array<unsigned char, kBlock> block{};
        std::size_t const count = std::min(kBlock - skipped, size);
        std::memcpy(block.data() + skipped, in, count);
        crypto_stream_xchacha20_xor_ic(
            block.data(), block.data(), kBlock, nonce_.data(), offset / kBlock, key_.data());
        std::memcpy(out, block.data() + skipped, count);
        sodium_memzero(block.data(), block.size());
        in += count;
        out += count;
        offset += count;
        size -= count;
    }
    if (size == 0) return;
    crypto_stream_xchacha20_xor_ic(
        bytes(out), bytes(in), size, nonce_.data(), offset / kBlock, key_.data());
}

FileCipher::FileCipher(Secret const& data_key)
    : stream_key_(derived_key(data_key, "inos at rest 1 stream")),
      head_key_(derived_key(data_key, "inos at rest 1 head")) {}

std::string FileCipher::new_head() const {
    std::string head(kHeadMagic);
    FileNonce nonce;
    random_bytes(nonce.data(), nonce.size());
    head.append(reinterpret_cast<char const*>(nonce.data()), nonce.size());
    head += view(hash32(head, head_key_.view()));
    return head;
}

bool FileCipher::is_head(std::string_view head) {
    return head.size() == kHeadBytes && head.starts_with(kHeadMagic);
}

bool FileCipher::is_torn_head(std::string_view head) {
    auto const count = std::min(head.size(), kHeadMagic.size());
    return head.size() < kHeadBytes && head.substr(0, count) == kHeadMagic.substr(0, count);
}

std::optional<FileStream> FileCipher::stream(std::string_view head) const {
    if (!is_head(head)) return std::nullopt;
    Hash32 const check = hash32(head.substr(0, kChecked), head_key_.view());
    if (!equal(view(check), head.substr(kChecked))) return std::nullopt;
    FileNonce nonce;
    std::memcpy(nonce.data(), head.data() + kHeadMagic.size(), nonce.size());
    return FileStream(stream_key_, nonce);
}

FileSeal::FileSeal(Secret const& data_key)
    : key_(derived_key(data_key, "inos at rest 1 small files")) {}

std::string FileSeal::seal(std::string_view name, std::string_view content) const {
    std::string const sealed = crypto::seal(key_, content, std::string(kSealedFor).append(name));
    return std::string(kSealedMagic) + base64url(sealed) + "\n";
}

bool FileSeal::is_sealed(std::string_view text) {
    return text.starts_with(kSealedMagic);
}

std::optional<std::string> FileSeal::open(std::string_view name, std::string_view text) const {
    if (!is_sealed(text) || !text.ends_with('\n')) return std::nullopt;
    text.remove_prefix(kSealedMagic.size());
    text.remove_suffix(1);
    auto const sealed = unbase64url(text);
    // The last digit of base64 may have bits that nothing depends on.
    if (!sealed || base64url(*sealed) != text) return std::nullopt;
    return crypto::open(key_, *sealed, std::string(kSealedFor).append(name));
}

}  // namespace inos::crypto
