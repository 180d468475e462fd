#include "storage/backup.hpp"

#include <algorithm>

#include "crdt/bytes.hpp"
#include "storage/compression.hpp"
#include "storage/keys.hpp"
#include "storage/raw_bytes.hpp"
#include "storage/store_format.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kFrameHead = 5;
constexpr std::string_view kSealWords = "inos backup 1 ";
constexpr std::string_view kHashWords = "inos backup hash 1";
constexpr std::string_view kEndless = "\xff\xff\xff\xff\xff\xff\xff\xff\xff";

// FNV-1a with a last mix: where chunks end is nobody's secret, but has to be the same next time.
std::uint64_t mixed(std::string_view key) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (char const c : key)
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15;
}

// With the chance of a row's share of the average, so large rows end chunks more often.
bool ends_chunk(std::string_view key, std::size_t row) {
    double const share = static_cast<double>(row) / static_cast<double>(kBackupChunkBytes);
    return static_cast<double>(mixed(key) >> 11) * 0x1p-53 < share;
}

Error damaged(std::string const& what) {
    return Error{Errc::corruption, "the backup is damaged: " + what, {}};
}

}  // namespace

bool is_left_out(Family family, std::string_view key) {
    if (family == Family::staging) return true;
    if (family != Family::meta || key.size() < 5 || key.substr(0, 4) == keys::space_begin(0))
        return false;
    return key[4] == 'm' || key[4] == 'i';
}

std::string frame_bytes(BackupFrame const& frame) {
    std::string out(1, frame.kind);
    put_u32(out, static_cast<std::uint32_t>(frame.body.size()));
    return out + frame.body;
}

Result<void> BackupParser::feed(std::string_view piece,
                                std::function<Result<void>(BackupFrame)> const& take) {
    rest_ += piece;
    std::string_view rest = rest_;
    if (!begun_) {
        std::size_t const size = std::min(rest.size(), kBackupMagic.size());
        auto const newer = newer_text(rest, "inos backup ", 1, "the backup");
        if (newer) return tl::unexpected<Error>(*newer);
        if (rest.substr(0, size) != kBackupMagic.substr(0, size))
            return fail(Errc::invalid,
                        "this is no backup, or one of a newer program: it does not begin with \"" +
                            std::string(kBackupMagic.substr(0, kBackupMagic.size() - 1)) + "\"");
        if (size < kBackupMagic.size()) return {};
        rest.remove_prefix(size);
        begun_ = true;
    }
    while (rest.size() >= kFrameHead) {
        Reader in(rest.substr(1));
        std::size_t const size = in.u32();
        if (size > kBackupFrameMax) return tl::unexpected(damaged("a part is longer than allowed"));
        if (rest.size() - kFrameHead < size) break;
        INOS_CHECK(take({rest[0], std::string(rest.substr(kFrameHead, size))}));
        rest.remove_prefix(kFrameHead + size);
    }
    rest_.erase(0, rest_.size() - rest.size());
    return {};
}

Result<void> BackupParser::finish() const {
    if (begun_ && rest_.empty()) return {};
    return tl::unexpected(damaged("it ends in the middle"));
}

std::string BackupContents::encode() const {
    std::string out(1, static_cast<char>(kVersion));
    put_blob(out, format);
    out += crypto::view(space);
    put_blob(out, space_name);
    out += crypto::view(site);
    put_blob(out, site_name);
    put_u64(out, actor.value);
    put_varint(out, taken_ms);
    put_varint(out, records);
    put_varint(out, entries);
    put_varint(out, files.size());
    for (File const& file : files) {
        put_blob(out, file.name);
        out += crypto::view(file.hash);
    }
    put_varint(out, chunks.size());
    for (Chunk const& chunk : chunks) {
        out += crypto::view(chunk.hash);
        put_varint(out, chunk.size);
    }
    return out;
}

std::optional<BackupContents> BackupContents::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    BackupContents contents;
    contents.format = in.blob();
    contents.space = take_raw<crypto::Hash16>(in);
    contents.space_name = in.blob();
    contents.site = take_raw<crypto::Hash32>(in);
    contents.site_name = in.blob();
    contents.actor = ActorId{in.u64()};
    contents.taken_ms = in.varint();
    contents.records = in.varint();
    contents.entries = in.varint();
    for (std::uint64_t left = in.count(); left > 0 && in.ok(); --left) {
        std::string name(in.blob());
        contents.files.push_back({std::move(name), take_raw<crypto::Hash32>(in)});
    }
    for (std::uint64_t left = in.count(); left > 0 && in.ok(); --left) {
        auto const hash = take_raw<crypto::Hash32>(in);
        contents.chunks.push_back({hash, in.varint()});
    }
    return in.finished() ? std::optional(std::move(contents)) : std::nullopt;
}

// All cursors at once: nothing is written between them, so they see one moment.
BackupReader::BackupReader(Engine const& engine, BackupContents about) : about_(std::move(about)) {
    for (std::size_t i = 0; i < kFamilies; ++i)
        if (auto const family = static_cast<Family>(i); family != Family::staging)
            cursors_[i] = engine.scan(family, {}, kEndless);
}

Result<std::string> BackupReader::next() {
    if (!begun_) {
        begun_ = true;
        return std::string(kBackupMagic) + frame_bytes(part_frame('a', about_.encode(), nullptr));
    }
    INOS_TRY(auto const rows, next_rows());
    if (rows) {
        about_.chunks.push_back({part_hash(*rows, nullptr), rows->size()});
        return frame_bytes(part_frame('r', *rows, nullptr));
    }
    done_ = true;
    return frame_bytes(part_frame('c', about_.encode(), nullptr));
}

Result<std::optional<std::string>> BackupReader::next_rows() {
    std::string rows;
    for (; family_ < kFamilies; ++family_) {
        auto& cursor = cursors_[family_];
        if (!cursor) continue;
        auto const family = static_cast<Family>(family_);
        bool ended = false;
        for (; cursor->valid() && !ended; cursor->next()) {
            std::string_view const key = cursor->key(), value = cursor->value();
            if (is_left_out(family, key)) continue;
            std::size_t const before = rows.size();
            if (rows.empty()) rows += static_cast<char>(family);
            put_blob(rows, key);
            put_blob(rows, value);
            ended = ends_chunk(key, rows.size() - before) || rows.size() >= 4 * kBackupChunkBytes;
        }
        INOS_CHECK(cursor->status());
        if (!cursor->valid()) cursor.reset();
        if (!rows.empty()) return std::optional(std::move(rows));
    }
    return std::optional<std::string>();
}

Result<void> each_row(std::string_view rows,
                      std::function<void(Family, std::string_view, std::string_view)> const& take) {
    Reader in(rows);
    std::size_t const family = in.byte();
    if (family >= kFamilies) return tl::unexpected(damaged("rows of an unknown kind"));
    while (in.ok() && !in.at_end()) {
        std::string_view const key = in.blob();
        std::string_view const value = in.blob();
        if (in.ok()) take(static_cast<Family>(family), key, value);
    }
    if (!in.finished()) return tl::unexpected(damaged("a row is cut off"));
    return {};
}

bool counts_as_row(Family family, std::string_view key) {
    constexpr std::size_t kEntryKey = 4 + 8 + 8;
    return family == Family::records || (family == Family::log && key.size() == kEntryKey);
}

// ---- sealed by a passphrase -------------------------------------------------------------------

namespace {

std::string associated(char kind) {
    return std::string(kSealWords) + kind;
}

Result<crypto::Secret> key_of(std::string_view passphrase,
                              crypto::Hash16 const& salt,
                              crypto::PassphraseCost const& cost) {
    auto key = crypto::passphrase_key(passphrase, salt, cost);
    if (key) return *std::move(key);
    return fail(Errc::io,
                "there are no " + std::to_string(cost.memory_kib >> 10) +
                    " MiB of memory to make the key from the passphrase");
}

crypto::Secret hash_key_of(crypto::Secret const& key) {
    return crypto::Secret(crypto::view(crypto::hash32(kHashWords, key.view())));
}

}  // namespace

Result<BackupSeal> BackupSeal::make(std::string_view passphrase) {
    if (passphrase.size() < kPassphraseMin)
        return fail(Errc::usage,
                    "the passphrase is shorter than " + std::to_string(kPassphraseMin) +
                        " bytes; whoever finds the backup could guess it");
    BackupSeal seal;
    crypto::random_bytes(seal.salt_.data(), seal.salt_.size());
    INOS_TRY(seal.key_, key_of(passphrase, seal.salt_, seal.cost_));
    seal.hash_key_ = hash_key_of(seal.key_);
    seal.proof_ = crypto::seal(seal.key_, {}, associated('s'));
    return seal;
}

Result<BackupSeal> BackupSeal::open(std::string_view passphrase, BackupFrame const& frame) {
    Reader in(frame.body);
    BackupSeal seal;
    seal.salt_ = take_raw<crypto::Hash16>(in);
    seal.cost_.passes = in.u32();
    seal.cost_.memory_kib = in.u32();
    seal.proof_ = in.rest();
    if (!in.ok()) return tl::unexpected(damaged("its seal cannot be read"));
    INOS_TRY(seal.key_, key_of(passphrase, seal.salt_, seal.cost_));
    if (!crypto::open(seal.key_, seal.proof_, associated('s')))
        return fail(Errc::forbidden, "the backup was sealed with another passphrase");
    seal.hash_key_ = hash_key_of(seal.key_);
    return seal;
}

BackupFrame BackupSeal::frame() const {
    std::string body(crypto::view(salt_));
    put_u32(body, cost_.passes);
    put_u32(body, cost_.memory_kib);
    return {'s', body + proof_};
}

std::string BackupSeal::close(char kind, std::string_view body) const {
    return crypto::seal(key_, body, associated(kind));
}

Result<std::string> BackupSeal::open(char kind, std::string_view sealed) const {
    auto body = crypto::open(key_, sealed, associated(kind));
    if (!body) return tl::unexpected(damaged("a sealed part was changed"));
    return *std::move(body);
}

crypto::Hash32 part_hash(std::string_view content, BackupSeal const* seal) {
    return crypto::hash32(content, seal ? seal->hash_key() : std::string_view());
}

namespace {

bool is_compressed(char kind) {
    return kind == 'r' || kind == 'f';
}

}  // namespace

BackupFrame part_frame(char kind, std::string_view content, BackupSeal const* seal) {
    std::string body(content);
    if (is_compressed(kind))
        body = compress(content);
    else
        body += crypto::view(crypto::hash32(content));
    return {kind, seal ? seal->close(kind, body) : std::move(body)};
}

Result<std::string> part_content(BackupFrame const& frame, BackupSeal const* seal) {
    std::string body = frame.body;
    if (seal) {
        INOS_TRY(body, seal->open(frame.kind, body));
    }
    if (!is_compressed(frame.kind)) {
        std::size_t const size = body.size() - std::min(body.size(), sizeof(crypto::Hash32));
        std::string const hash = body.substr(size);
        body.resize(size);
        if (hash != crypto::view(crypto::hash32(body)))
            return tl::unexpected(damaged("what it says about itself was changed"));
        return body;
    }
    auto content = decompress(body, kBackupFrameMax);
    if (!content) return tl::unexpected(damaged("a part cannot be decompressed"));
    return *std::move(content);
}

std::string file_content(std::string_view name, std::string_view content) {
    std::string out;
    put_blob(out, name);
    return out += content;
}

Result<std::pair<std::string, std::string>> read_file_content(std::string_view content) {
    Reader in(content);
    std::string name(in.blob());
    if (!in.ok()) return tl::unexpected(damaged("a file in it has no name"));
    return std::pair(std::move(name), std::string(in.rest()));
}

}  // namespace inos
