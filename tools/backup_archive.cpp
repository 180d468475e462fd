#include "tools/backup_archive.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/api_format.hpp"
#include "net/moment.hpp"
#include "tools/files.hpp"
#include "tools/progress.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1u << 20;
constexpr std::size_t kPartFileMax = kBackupFrameMax + 64;

Error damaged(std::string const& path, std::string const& what) {
    return Error{Errc::corruption, "the backup \"" + path + "\" is damaged: " + what, path};
}

// A plain descriptor, closed at the end.
struct Descriptor {
    explicit Descriptor(int open) : number(open) {}
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    int number;
};

Result<void> write_all(int file, std::string_view bytes, std::string const& path) {
    while (!bytes.empty()) {
        auto const done = ::write(file, bytes.data(), bytes.size());
        if (done < 0) return tl::unexpected<Error>(file_error("cannot write", path));
        bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    return {};
}

Result<void> sync_directory(std::string const& path) {
    Descriptor const directory(
        ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number >= 0 && ::fsync(directory.number) == 0) return {};
    return tl::unexpected<Error>(file_error("cannot sync", path));
}

Result<void> make_directory(std::string const& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (!error) return {};
    return fail(Errc::io, "cannot make \"" + path + "\": " + error.message(), path);
}

// The frames of a small file.
Result<std::vector<BackupFrame>> frames_of(std::string const& path, std::size_t bytes_max) {
    INOS_TRY(std::string const bytes, read_file(path, bytes_max));
    std::vector<BackupFrame> frames;
    BackupParser parser;
    INOS_CHECK(parser.feed(bytes, [&](BackupFrame frame) -> Result<void> {
        frames.push_back(std::move(frame));
        return {};
    }));
    if (auto const ended = parser.finish(); !ended)
        return tl::unexpected(damaged(path, "it ends in the middle"));
    return frames;
}

Result<BackupContents> contents_of(BackupFrame const& frame,
                                   BackupSeal const* seal,
                                   std::string const& path) {
    INOS_TRY(auto const bytes, part_content(frame, seal));
    auto contents = BackupContents::decode(bytes);
    if (!contents) return tl::unexpected(damaged(path, "its table of contents cannot be read"));
    return *std::move(contents);
}

Result<std::optional<BackupSeal>> seal_of(BackupFrame const* frame,
                                          std::optional<std::string> const& passphrase,
                                          std::string const& path) {
    // Else anybody could put one of their own in the place of a sealed one.
    if (!frame && passphrase)
        return fail(Errc::forbidden,
                    "\"" + path +
                        "\" is not sealed; leave the passphrase away if you trust it all "
                        "the same",
                    path);
    if (!frame) return std::optional<BackupSeal>();
    if (!passphrase)
        return fail(Errc::usage,
                    "\"" + path +
                        "\" is sealed; name the file with its passphrase: "
                        "--passphrase-file FILE");
    INOS_TRY(auto seal, BackupSeal::open(*passphrase, *frame));
    return std::optional(std::move(seal));
}

// The parts of one backup as its contents name them, in the order in which they come.
struct Parts {
    std::vector<BackupContents::Chunk> chunks;
    std::vector<BackupContents::File> files;

    Result<crypto::Hash32> add(char kind, std::string_view content, BackupSeal const* seal) {
        auto const hash = part_hash(content, seal);
        if (kind == 'r') chunks.push_back({hash, content.size()});
        if (kind == 'f') {
            INOS_TRY(auto const file, read_file_content(content));
            files.push_back({file.first, hash});
        }
        return hash;
    }
};

// ---- one file ---------------------------------------------------------------------------------

class FileArchive final : public BackupArchive {
public:
    explicit FileArchive(std::string path) : path_(std::move(path)) {}

    // As far as what it says about itself.
    Result<void> open(std::optional<std::string> const& passphrase) {
        bool known = false;
        INOS_CHECK(frames([&](BackupFrame const& frame) -> Result<bool> {
            if (frame.kind == 's') {
                INOS_TRY(seal_, seal_of(&frame, passphrase, path_));
                return true;
            }
            if (frame.kind != 'a')
                return tl::unexpected(damaged(path_, "it does not say what it is of"));
            if (!seal_) {
                INOS_TRY(seal_, seal_of(nullptr, passphrase, path_));
            }
            INOS_TRY(about_, contents_of(frame, seal(), path_));
            known = true;
            return false;
        }));
        if (!known) return tl::unexpected(damaged(path_, "it ends in the middle"));
        return {};
    }

    Result<BackupContents> read(OnPart const& on_part) override {
        Parts came;
        std::optional<BackupContents> contents;
        INOS_CHECK(frames([&](BackupFrame const& frame) -> Result<bool> {
            if (frame.kind == 's' || frame.kind == 'a') return true;
            if (contents) return tl::unexpected(damaged(path_, "it goes on behind its end"));
            if (frame.kind == 'c') {
                INOS_TRY(contents, contents_of(frame, seal(), path_));
                return true;
            }
            if (frame.kind == 'e')
                return fail(Errc::corruption,
                            "the backup \"" + path_ + "\" was not finished: " + frame.body,
                            path_);
            if (frame.kind != 'r' && frame.kind != 'f')
                return fail(Errc::unsupported,
                            "\"" + path_ +
                                "\" holds parts that this program does not know; it "
                                "was made by a newer one",
                            path_);
            INOS_TRY(auto const content, part_content(frame, seal()));
            auto const added = came.add(frame.kind, content, seal());
            if (!added) return tl::unexpected<Error>(added.error());
            auto const taken = on_part(frame.kind, content);
            if (!taken) return tl::unexpected<Error>(taken.error());
            return true;
        }));
        if (!contents) return tl::unexpected(damaged(path_, "its end is missing"));
        if (came.chunks != contents->chunks || came.files != contents->files)
            return tl::unexpected(damaged(path_, "parts are missing or were changed"));
        return *std::move(contents);
    }

private:
    // Until `take` answers false.
    Result<void> frames(std::function<Result<bool>(BackupFrame const&)> const& take) const {
        Descriptor const file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (file.number < 0) return tl::unexpected<Error>(file_error("cannot open", path_));
        BackupParser parser;
        std::string piece(kPiece, '\0');
        bool wanted = true;
        while (wanted) {
            auto const size = ::read(file.number, piece.data(), piece.size());
            if (size < 0) return tl::unexpected<Error>(file_error("cannot read", path_));
            if (size == 0) break;
            auto const fed = parser.feed({piece.data(), static_cast<std::size_t>(size)},
                                         [&](BackupFrame frame) -> Result<void> {
                                             if (!wanted) return {};
                                             INOS_TRY(wanted, take(frame));
                                             return {};
                                         });
            if (!fed) return tl::unexpected<Error>(named(fed.error()));
        }
        if (wanted && !parser.finish())
            return tl::unexpected(damaged(path_, "it ends in the middle"));
        return {};
    }

    Error named(Error error) const {
        if (error.message.find(path_) == std::string::npos)
            error.message = "\"" + path_ + "\": " + error.message;
        return error;
    }

    std::string path_;
};

class FileWriter final : public BackupWriter {
public:
    static Result<std::unique_ptr<BackupWriter>> open(BackupTarget target) {
        std::error_code ignored;
        if (!target.replace && fs::exists(target.path, ignored))
            return fail(
                Errc::conflict,
                "\"" + target.path + "\" is there already; choose another name, or add --replace",
                target.path);
        std::unique_ptr<FileWriter> writer(new FileWriter(std::move(target)));
        if (writer->target_.passphrase) {
            INOS_TRY(writer->seal_, BackupSeal::make(*writer->target_.passphrase));
        }
        ::unlink(writer->part_.c_str());  // of an interrupted attempt
        writer->file_.number = ::open(
            writer->part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (writer->file_.number < 0)
            return tl::unexpected<Error>(file_error("cannot create", writer->part_));
        return std::unique_ptr<BackupWriter>(std::move(writer));
    }

    ~FileWriter() override {
        if (!finished_) ::unlink(part_.c_str());
    }

    BackupSeal const* seal() const override { return seal_ ? &*seal_ : nullptr; }

    Result<void> begin(BackupContents const& about) override {
        INOS_CHECK(put(std::string(kBackupMagic)));
        if (seal_) INOS_CHECK(put(frame_bytes(seal_->frame())));
        return put(frame_bytes(part_frame('a', about.encode(), seal())));
    }

    Result<void> add(char kind, std::string_view content) override {
        INOS_CHECK(parts_.add(kind, content, seal()));
        return put(frame_bytes(part_frame(kind, content, seal())));
    }

    Result<Written> finish(BackupContents contents) override {
        contents.chunks = std::move(parts_.chunks);
        contents.files = std::move(parts_.files);
        INOS_CHECK(put(frame_bytes(part_frame('c', contents.encode(), seal()))));
        if (::fsync(file_.number) != 0)
            return tl::unexpected<Error>(file_error("cannot sync", part_));
        INOS_TRY(auto const again, open_backup({part_, {}, target_.passphrase}));
        INOS_CHECK(again->read([](char, std::string const&) -> Result<void> { return {}; }));
        if (std::rename(part_.c_str(), target_.path.c_str()) != 0)
            return tl::unexpected<Error>(file_error("cannot write", target_.path));
        finished_ = true;
        INOS_CHECK(sync_directory(fs::path(target_.path).parent_path().string()));
        return Written{target_.path, bytes_, bytes_};
    }

private:
    explicit FileWriter(BackupTarget target)
        : target_(std::move(target)), part_(target_.path + ".part") {}

    Result<void> put(std::string const& bytes) {
        bytes_ += bytes.size();
        return write_all(file_.number, bytes, part_);
    }

    BackupTarget target_;
    std::string part_;
    std::optional<BackupSeal> seal_;
    Parts parts_;
    Descriptor file_{-1};
    std::uint64_t bytes_ = 0;
    bool finished_ = false;
};

// ---- a directory of backups -------------------------------------------------------------------

std::string head_path(std::string const& directory) {
    return directory + "/inos-backup";
}
std::string contents_path(std::string const& directory, std::string const& name) {
    return directory + "/backups/" + name;
}
std::string part_path(std::string const& directory, crypto::Hash32 const& hash) {
    std::string const name = crypto::hex(crypto::view(hash));
    return directory + "/chunks/" + name.substr(0, 2) + "/" + name;
}

// 2026-11-23T20-40-07.125Z: names ascend with times.
std::string name_of_time(std::uint64_t ms) {
    std::string name = utc_text(ms);
    std::replace(name.begin(), name.end(), ':', '-');
    return name;
}
std::optional<std::uint64_t> time_of_name(std::string text) {
    constexpr std::size_t kDate = 11;
    if (text.size() <= kDate) return std::nullopt;
    std::string const name = text;
    std::replace(text.begin() + kDate, text.end(), '-', ':');
    auto const moment = parse_moment(text);
    if (!moment || !moment->time_ms || name_of_time(*moment->time_ms) != name) return std::nullopt;
    return moment->time_ms;
}

// How a directory is sealed; nullptr: not. Errc::not_found: there are no backups.
Result<std::optional<BackupFrame>> head_of(std::string const& directory) {
    constexpr std::size_t kHeadMax = 1'024;
    auto const frames = frames_of(head_path(directory), kHeadMax);
    if (!frames && frames.error().code == Errc::not_found)
        return fail(Errc::not_found, "there are no backups in \"" + directory + "\"", directory);
    if (!frames) return tl::unexpected<Error>(frames.error());
    if (frames->empty()) return std::optional<BackupFrame>();
    return std::optional(frames->front());
}

Result<BackupContents> stored_contents(std::string const& directory,
                                       std::string const& name,
                                       BackupSeal const* seal) {
    std::string const path = contents_path(directory, name);
    INOS_TRY(auto const frames, frames_of(path, kPartFileMax));
    if (frames.size() != 1 || frames[0].kind != 'c')
        return tl::unexpected(damaged(path, "it is no table of contents"));
    return contents_of(frames[0], seal, path);
}

Result<std::string> stored_part(std::string const& directory,
                                char kind,
                                crypto::Hash32 const& hash,
                                BackupSeal const* seal) {
    std::string const path = part_path(directory, hash);
    auto const frames = frames_of(path, kPartFileMax);
    if (!frames && frames.error().code == Errc::not_found)
        return tl::unexpected(damaged(path, "this part of it is missing"));
    if (!frames) return tl::unexpected<Error>(frames.error());
    if (frames->size() != 1 || frames->front().kind != kind)
        return tl::unexpected(damaged(path, "it is no part of a backup"));
    auto content = part_content(frames->front(), seal);
    if (!content || part_hash(*content, seal) != hash)
        return tl::unexpected(damaged(path, "its content is not what its name says"));
    return *std::move(content);
}

class DirectoryArchive final : public BackupArchive {
public:
    explicit DirectoryArchive(std::string path) : path_(std::move(path)) {}

    Result<void> open(BackupSource const& source) {
        INOS_TRY(auto const head, head_of(path_));
        INOS_TRY(seal_, seal_of(head ? &*head : nullptr, source.passphrase, path_));
        INOS_TRY(auto const names, backup_names(path_));
        if (names.empty())
            return fail(Errc::not_found, "there are no backups in \"" + path_ + "\"", path_);
        std::string const name = source.name.empty() ? names.back() : source.name;
        if (std::find(names.begin(), names.end(), name) == names.end())
            return fail(Errc::not_found,
                        "there is no backup \"" + name + "\" in \"" + path_ + "\"; the newest is " +
                            names.back(),
                        path_);
        INOS_TRY(about_, stored_contents(path_, name, seal()));
        return {};
    }

    Result<BackupContents> read(OnPart const& on_part) override {
        for (auto const& chunk : about_.chunks) {
            INOS_TRY(auto const content, stored_part(path_, 'r', chunk.hash, seal()));
            INOS_CHECK(on_part('r', content));
        }
        for (auto const& file : about_.files) {
            INOS_TRY(auto const content, stored_part(path_, 'f', file.hash, seal()));
            INOS_CHECK(on_part('f', content));
        }
        return about_;
    }

private:
    std::string path_;
};

class DirectoryWriter final : public BackupWriter {
public:
    static Result<std::unique_ptr<BackupWriter>> open(BackupTarget target) {
        while (target.path.size() > 1 && target.path.back() == '/')
            target.path.pop_back();
        std::unique_ptr<DirectoryWriter> writer(new DirectoryWriter(std::move(target)));
        INOS_CHECK(writer->begin_directory());
        return std::unique_ptr<BackupWriter>(std::move(writer));
    }

    BackupSeal const* seal() const override { return seal_ ? &*seal_ : nullptr; }

    // What is kept, and which is the newest, is meant of one site.
    Result<void> begin(BackupContents const& about) override {
        INOS_TRY(auto const names, backup_names(target_.path));
        if (names.empty()) return {};
        INOS_TRY(auto const last, stored_contents(target_.path, names.back(), seal()));
        if (last.site == about.site && last.space == about.space) return {};
        return fail(Errc::conflict,
                    "\"" + target_.path + "\" holds backups of the site \"" + last.site_name +
                        "\"; name another directory for \"" + about.site_name + "\"",
                    target_.path);
    }

    Result<void> add(char kind, std::string_view content) override {
        INOS_TRY(auto const hash, parts_.add(kind, content, seal()));
        std::string const bytes =
            std::string(kBackupMagic) + frame_bytes(part_frame(kind, content, seal()));
        bytes_ += bytes.size();
        // One that is there may have been damaged since.
        if (stored_part(target_.path, kind, hash, seal())) return {};
        new_bytes_ += bytes.size();
        INOS_CHECK(put_file(part_path(target_.path, hash), bytes));
        INOS_CHECK(stored_part(target_.path, kind, hash, seal()));
        return {};
    }

    Result<Written> finish(BackupContents contents) override {
        contents.chunks = std::move(parts_.chunks);
        contents.files = std::move(parts_.files);
        if (::syncfs(lock_.number) != 0)
            return tl::unexpected<Error>(file_error("cannot sync", target_.path));
        INOS_TRY(auto const name, free_name(contents.taken_ms));
        std::string const bytes =
            std::string(kBackupMagic) + frame_bytes(part_frame('c', contents.encode(), seal()));
        INOS_CHECK(replace_file(contents_path(target_.path, name), bytes));
        INOS_CHECK(sync_directory(target_.path + "/backups"));
        INOS_TRY(auto const names, backup_names(target_.path));
        if (target_.keep > 0 && names.size() > target_.keep) INOS_CHECK(drop_old(names));
        return Written{name, bytes_ + bytes.size(), new_bytes_ + bytes.size()};
    }

private:
    explicit DirectoryWriter(BackupTarget target) : target_(std::move(target)) {}

    Result<void> begin_directory() {
        std::string const& path = target_.path;
        INOS_CHECK(make_directory(path));
        lock_.number = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock_.number < 0) return tl::unexpected<Error>(file_error("cannot open", path));
        if (::flock(lock_.number, LOCK_EX | LOCK_NB) != 0)
            return fail(Errc::conflict, "another program writes into \"" + path + "\"", path);
        std::error_code error;
        fs::remove(head_path(path) + ".new", error);  // of an interrupted attempt
        if (!fs::exists(head_path(path), error)) {
            INOS_CHECK(begin_new());
        } else {
            INOS_TRY(auto const head, head_of(path));
            INOS_TRY(seal_, seal_of(head ? &*head : nullptr, target_.passphrase, path));
        }
        INOS_CHECK(make_directory(path + "/chunks"));
        return make_directory(path + "/backups");
    }

    Result<void> begin_new() {
        std::error_code error;
        if (!fs::is_empty(target_.path, error))
            return fail(Errc::conflict,
                        "\"" + target_.path +
                            "\" is not empty and holds no backups; name an empty directory, or a "
                            "file",
                        target_.path);
        ::chmod(target_.path.c_str(), 0700);
        std::string bytes(kBackupMagic);
        if (target_.passphrase) {
            INOS_TRY(seal_, BackupSeal::make(*target_.passphrase));
            bytes += frame_bytes(seal_->frame());
        }
        return replace_file(head_path(target_.path), bytes);
    }

    static Result<void> put_file(std::string const& path, std::string const& bytes) {
        INOS_CHECK(make_directory(fs::path(path).parent_path().string()));
        std::string const part = path + ".part";
        Descriptor const file(
            ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (file.number < 0) return tl::unexpected<Error>(file_error("cannot create", part));
        auto const written = write_all(file.number, bytes, part);
        if (written && std::rename(part.c_str(), path.c_str()) == 0) return {};
        Error const error = written ? file_error("cannot write", path) : written.error();
        ::unlink(part.c_str());
        return tl::unexpected<Error>(error);
    }

    // By the time it was taken, but behind all that are there: clocks may have been wrong.
    Result<std::string> free_name(std::uint64_t taken_ms) const {
        INOS_TRY(auto const names, backup_names(target_.path));
        if (!names.empty()) taken_ms = std::max(taken_ms, *time_of_name(names.back()) + 1);
        return name_of_time(taken_ms);
    }

    // Contents first: a crash leaves parts that nobody names, which the next time goes.
    Result<void> drop_old(std::vector<std::string> const& names) {
        std::size_t const drop = names.size() - target_.keep;
        std::set<std::string> named;
        for (std::size_t i = drop; i < names.size(); ++i) {
            INOS_TRY(auto const contents, stored_contents(target_.path, names[i], seal()));
            for (auto const& chunk : contents.chunks)
                named.insert(part_path(target_.path, chunk.hash));
            for (auto const& file : contents.files)
                named.insert(part_path(target_.path, file.hash));
        }
        for (std::size_t i = 0; i < drop; ++i)
            if (::unlink(contents_path(target_.path, names[i]).c_str()) != 0)
                return tl::unexpected<Error>(file_error("cannot delete", names[i]));
        INOS_CHECK(sync_directory(target_.path + "/backups"));
        std::vector<std::string> unnamed;
        std::error_code error;
        for (fs::recursive_directory_iterator it(target_.path + "/chunks", error), end;
             !error && it != end;
             it.increment(error))
            if (it->is_regular_file() && !named.contains(it->path().string()))
                unnamed.push_back(it->path().string());
        for (std::string const& path : unnamed)
            if (::unlink(path.c_str()) != 0)
                return tl::unexpected<Error>(file_error("cannot delete", path));
        return {};
    }

    BackupTarget target_;
    std::optional<BackupSeal> seal_;
    Parts parts_;
    Descriptor lock_{-1};
    std::uint64_t bytes_ = 0, new_bytes_ = 0;
};

}  // namespace

Result<BackupContents> read_shown(BackupArchive& archive,
                                  Terminal& terminal,
                                  char const* label,
                                  BackupArchive::OnPart const& on_part) {
    Progress progress(terminal, label, archive.about().records + archive.about().entries);
    std::uint64_t rows = 0;
    return archive.read([&](char kind, std::string const& content) -> Result<void> {
        if (kind == 'r') {
            INOS_TRY(auto const more, count_rows(content));
            progress.update(rows += more);
        }
        return on_part(kind, content);
    });
}

Result<BackupContents> check_whole(BackupArchive& archive, Terminal& terminal) {
    return read_shown(
        archive, terminal, "checking", [](char, std::string const&) { return Result<void>(); });
}

bool is_backup_directory(std::string const& path) {
    std::error_code ignored;
    return path.ends_with('/') || fs::is_directory(path, ignored);
}

Result<std::unique_ptr<BackupWriter>> open_backup_writer(BackupTarget target) {
    return is_backup_directory(target.path) ? DirectoryWriter::open(std::move(target))
                                            : FileWriter::open(std::move(target));
}

Result<std::unique_ptr<BackupArchive>> open_backup(BackupSource const& source) {
    if (is_backup_directory(source.path)) {
        auto archive = std::make_unique<DirectoryArchive>(source.path);
        INOS_CHECK(archive->open(source));
        return std::unique_ptr<BackupArchive>(std::move(archive));
    }
    if (!source.name.empty())
        return fail(Errc::usage,
                    "\"" + source.path + "\" is one backup; a name is for a directory of them");
    auto archive = std::make_unique<FileArchive>(source.path);
    INOS_CHECK(archive->open(source.passphrase));
    return std::unique_ptr<BackupArchive>(std::move(archive));
}

Result<std::vector<std::string>> backup_names(std::string const& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(directory + "/backups", error), end; !error && it != end;
         it.increment(error))
        if (std::string name = it->path().filename().string();
            it->is_regular_file() && time_of_name(name))
            names.push_back(std::move(name));
    if (error)
        return fail(Errc::not_found, "there are no backups in \"" + directory + "\"", directory);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace inos
