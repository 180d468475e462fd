#include "storage/data_key.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/crypto/key_files.hpp"

namespace inos {
namespace {

constexpr std::string_view kFirstLine = "inos-data-key 1\n";
constexpr std::string_view kAnyVersion = "inos-data-key ";
constexpr std::string_view kKeyFile = "inos-key-1 data ";
constexpr std::string_view kAnyKeyFile = "inos-key-1 ";
constexpr std::string_view kPassphrase = "passphrase";
constexpr std::string_view kKey = "key";
constexpr std::string_view kCheck = "check ";
constexpr std::size_t kNameMax = 32;
constexpr std::size_t kWrappedBytes = 24 + crypto::Secret::size() + 16;

std::string path_of(std::string const& dir) {
    return dir + "/data.key";
}

bool is_way_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameMax &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

// What stands in a way's line in front of the wrapped key.
std::string described(DataKeyFile::Way const& way) {
    if (!way.stretch) return std::string(kKey) + " " + way.name + " ";
    auto const& [salt, cost] = *way.stretch;
    return std::string(kPassphrase) + " " + way.name + " " + crypto::hex(crypto::view(salt)) + " " +
           std::to_string(cost.passes) + " " + std::to_string(cost.memory_kib) + " ";
}

std::string bound_to(DataKeyFile::Way const& way) {
    return std::string(kFirstLine) + described(way);
}

// The key that wraps the data key; nullopt: no memory for it. The opener is of the way's kind.
std::optional<crypto::Secret> wrapping_key(DataKeyFile::Way const& way, Opener const& opener) {
    if (auto const* key = std::get_if<crypto::Secret>(&opener))
        return crypto::derived_key(*key, "inos at rest 1 key file");
    return crypto::passphrase_key(
        std::get<Passphrase>(opener).view(), way.stretch->salt, way.stretch->cost);
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    for (;;) {
        auto const blank = line.find(' ');
        words.push_back(line.substr(0, blank));
        if (blank == std::string_view::npos) return words;
        line.remove_prefix(blank + 1);
    }
}

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<DataKeyFile::Way> parse_way(std::string_view line) {
    auto const words = words_of(line);
    bool const stretched = words.size() == 6 && words[0] == kPassphrase;
    if (!stretched && !(words.size() == 3 && words[0] == kKey)) return std::nullopt;
    if (!is_way_name(words[1])) return std::nullopt;
    DataKeyFile::Way way;
    way.name = words[1];
    auto wrapped = crypto::unhex(words.back());
    if (!wrapped || wrapped->size() != kWrappedBytes) return std::nullopt;
    way.wrapped = *std::move(wrapped);
    if (!stretched) return way;
    auto const salt = crypto::unhex(words[2]);
    auto const passes = number_of(words[3]), memory = number_of(words[4]);
    if (!salt || salt->size() != sizeof(crypto::Hash16) || !passes || !memory) return std::nullopt;
    if (*passes > kUnlockCostMax.passes || *memory > kUnlockCostMax.memory_kib) return std::nullopt;
    way.stretch.emplace();
    std::memcpy(way.stretch->salt.data(), salt->data(), salt->size());
    way.stretch->cost = {*passes, *memory};
    return way;
}

Error damaged() {
    return Error{Errc::corruption,
                 "the file data.key is damaged; put it back from a copy, of which any that was "
                 "made of this directory will do",
                 "data.key"};
}

Error changed() {
    return Error{Errc::corruption,
                 "the file data.key was changed by somebody who does not have its key; put it back "
                 "from a copy",
                 "data.key"};
}

Error too_little_memory() {
    return Error{Errc::unavailable,
                 "there is not enough memory to make a key of a passphrase; end other programs, or "
                 "open the directory with a key file",
                 {}};
}

Error wrong(Opener const& opener) {
    bool const is_key = std::holds_alternative<crypto::Secret>(opener);
    return Error{Errc::forbidden,
                 is_key ? "the key file does not open the directory: it is of another one, or was "
                          "taken away"
                        : "the passphrase is wrong: it does not open the directory",
                 {}};
}

Error no_way(std::string const& name) {
    return Error{Errc::not_found,
                 "there is no way into the directory named \"" + name + "\" (see inos key list)",
                 name};
}

}  // namespace

Passphrase& Passphrase::operator=(Passphrase&& other) noexcept {
    std::swap(text_, other.text_);
    return *this;
}

Passphrase::~Passphrase() {
    if (!text_.empty()) sodium_memzero(text_.data(), text_.size());
}

Result<Opener> parse_opener(std::string_view content) {
    if (content.starts_with(kAnyKeyFile)) {
        constexpr std::size_t kHex = 2 * crypto::Secret::size();
        bool const shaped = content.starts_with(kKeyFile) &&
                            content.size() == kKeyFile.size() + kHex + 1 && content.back() == '\n';
        auto bytes = shaped ? crypto::unhex(content.substr(kKeyFile.size(), kHex)) : std::nullopt;
        if (!bytes)
            return fail(Errc::usage,
                        "it begins as a key file and is none that opens a directory; such files "
                        "are made by inos key new");
        crypto::Secret key(*bytes);
        sodium_memzero(bytes->data(), bytes->size());
        return Opener(std::move(key));
    }
    std::string_view const line = content.substr(0, content.find_first_of("\r\n"));
    if (line.empty())
        return fail(Errc::usage, "its first line is empty; it is to hold a passphrase or a key");
    return Opener(Passphrase(line));
}

std::string key_file_text(crypto::Secret const& key) {
    return std::string(kKeyFile) + crypto::hex(key.view()) + "\n";
}

Result<void> check_new_passphrase(std::string_view passphrase) {
    if (passphrase.size() >= kPassphraseBytesMin) return {};
    return fail(Errc::usage,
                "the passphrase is too short: at least " + std::to_string(kPassphraseBytesMin) +
                    " characters, better five or more words, because whoever has the disk can try "
                    "as often as they like");
}

Result<DataKeyFile> DataKeyFile::parse(std::string_view text) {
    if (!text.starts_with(kFirstLine)) {
        if (text.starts_with(kAnyVersion))
            return fail(Errc::unsupported,
                        "the file data.key is of another version of this program; upgrade it",
                        "data.key");
        return tl::unexpected<Error>(damaged());
    }
    DataKeyFile file;
    std::string_view rest = text.substr(kFirstLine.size());
    while (!rest.starts_with(kCheck)) {
        auto const end = rest.find('\n');
        if (end == std::string_view::npos || file.ways_.size() == kWaysMax)
            return tl::unexpected<Error>(damaged());
        auto way = parse_way(rest.substr(0, end));
        if (!way) return tl::unexpected<Error>(damaged());
        file.ways_.push_back(*std::move(way));
        rest.remove_prefix(end + 1);
    }
    rest.remove_prefix(kCheck.size());
    auto const check = rest.size() == 2 * sizeof(crypto::Hash32) + 1
                           ? crypto::unhex(rest.substr(0, rest.size() - 1))
                           : std::nullopt;
    if (!check) return tl::unexpected<Error>(damaged());
    std::memcpy(file.check_.data(), check->data(), check->size());
    // Whatever was forgiven on the way is noticed here.
    if (file.ways_.empty() || file.text() != text) return tl::unexpected<Error>(damaged());
    return file;
}

std::string DataKeyFile::lines() const {
    std::string text(kFirstLine);
    for (auto const& way : ways_)
        text += described(way) + crypto::hex(way.wrapped) + "\n";
    return text;
}

std::string DataKeyFile::text() const {
    return lines() + std::string(kCheck) + crypto::hex(crypto::view(check_)) + "\n";
}

void DataKeyFile::seal(DataKey const& key) {
    check_ = crypto::hash32(lines(), crypto::derived_key(key, "inos at rest 1 ways in").view());
}

Result<DataKey> DataKeyFile::unlock(Opener const& opener) const {
    for (auto const& way : ways_) {
        if (way.stretch.has_value() != std::holds_alternative<Passphrase>(opener)) continue;
        auto const wrapping = wrapping_key(way, opener);
        if (!wrapping) return tl::unexpected<Error>(too_little_memory());
        auto bytes = crypto::open(*wrapping, way.wrapped, bound_to(way));
        if (!bytes) continue;
        DataKey key(*bytes);
        sodium_memzero(bytes->data(), bytes->size());
        DataKeyFile again = *this;
        again.seal(key);
        if (again.check_ != check_) return tl::unexpected<Error>(changed());
        return key;
    }
    return tl::unexpected<Error>(wrong(opener));
}

Result<DataKeyFile::Way> DataKeyFile::wrapped(std::string const& name,
                                              Opener const& opener,
                                              DataKey const& key,
                                              crypto::PassphraseCost const& cost) const {
    if (!is_way_name(name))
        return fail(Errc::usage,
                    "the name \"" + name + "\" has to be 1 to " + std::to_string(kNameMax) +
                        " small letters, digits and dashes",
                    name);
    Way way;
    way.name = name;
    if (std::holds_alternative<Passphrase>(opener)) {
        INOS_ASSERT(cost.passes <= kUnlockCostMax.passes &&
                    cost.memory_kib <= kUnlockCostMax.memory_kib);
        way.stretch.emplace();
        way.stretch->cost = cost;
        crypto::random_bytes(way.stretch->salt.data(), way.stretch->salt.size());
    }
    auto const wrapping = wrapping_key(way, opener);
    if (!wrapping) return tl::unexpected<Error>(too_little_memory());
    way.wrapped = crypto::seal(*wrapping, key.view(), bound_to(way));
    return way;
}

Result<void> DataKeyFile::add(std::string const& name,
                              Opener const& opener,
                              DataKey const& key,
                              crypto::PassphraseCost const& cost) {
    for (auto const& way : ways_)
        if (way.name == name)
            return fail(Errc::conflict,
                        "there is a way into the directory named \"" + name +
                            "\" already; take another name, or inos key change",
                        name);
    if (ways_.size() == kWaysMax)
        return fail(Errc::conflict,
                    "there are " + std::to_string(kWaysMax) +
                        " ways into the directory already, and no more can be; remove one first");
    INOS_TRY(Way way, wrapped(name, opener, key, cost));
    ways_.push_back(std::move(way));
    seal(key);
    return {};
}

Result<void> DataKeyFile::remove(std::string const& name, DataKey const& key) {
    auto const found =
        std::find_if(ways_.begin(), ways_.end(), [&](Way const& way) { return way.name == name; });
    if (found == ways_.end()) return tl::unexpected<Error>(no_way(name));
    if (ways_.size() == 1)
        return fail(Errc::conflict,
                    "\"" + name +
                        "\" is the only way into the directory; without it nobody could open "
                        "it any more; add another one first",
                    name);
    ways_.erase(found);
    seal(key);
    return {};
}

Result<void> DataKeyFile::change(std::string const& name,
                                 Opener const& opener,
                                 DataKey const& key,
                                 crypto::PassphraseCost const& cost) {
    auto const found =
        std::find_if(ways_.begin(), ways_.end(), [&](Way const& way) { return way.name == name; });
    if (found == ways_.end()) return tl::unexpected<Error>(no_way(name));
    INOS_TRY(*found, wrapped(name, opener, key, cost));
    seal(key);
    return {};
}

Result<Encryption> new_encryption(std::string const& way,
                                  Opener const& opener,
                                  crypto::PassphraseCost const& cost) {
    Encryption encryption{DataKey::random(), {}};
    INOS_CHECK(encryption.file.add(way, opener, encryption.key, cost));
    return encryption;
}

Result<std::optional<DataKeyFile>> read_data_key_file(std::string const& dir) {
    auto const text = read_secret_file(path_of(dir));
    if (!text && text.error().code == Errc::not_found) return std::optional<DataKeyFile>();
    if (!text) return tl::unexpected<Error>(text.error());
    auto file = DataKeyFile::parse(*text);
    if (!file) return tl::unexpected<Error>(file.error().prefixed("\"" + dir + "\""));
    return std::optional(*std::move(file));
}

Result<void> put_data_key_file(std::string const& dir, DataKeyFile const& file) {
    INOS_ASSERT(!file.ways().empty());
    std::string const path = path_of(dir), fresh = path + ".new";
    ::unlink(fresh.c_str());  // of a change that was interrupted
    INOS_CHECK(write_secret_file(fresh, file.text()));
    int const directory = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool const done =
        directory >= 0 && std::rename(fresh.c_str(), path.c_str()) == 0 && ::fsync(directory) == 0;
    int const code = errno;
    if (directory >= 0) ::close(directory);
    if (done) return {};
    return fail(Errc::io, "cannot replace \"" + path + "\": " + std::strerror(code), path);
}

Result<std::unique_ptr<DataKeyLock>> DataKeyLock::take(std::string const& dir) {
    int const descriptor = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(Errc::io, "cannot open \"" + dir + "\": " + std::strerror(errno), dir);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        ::close(descriptor);
        return fail(Errc::conflict,
                    "another inos is changing the ways into \"" + dir +
                        "\"; try again when it "
                        "has ended",
                    dir);
    }
    return std::unique_ptr<DataKeyLock>(new DataKeyLock(descriptor));
}

DataKeyLock::~DataKeyLock() {
    ::close(descriptor_);
}

}  // namespace inos
