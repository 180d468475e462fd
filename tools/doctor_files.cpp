#include "tools/doctor_files.hpp"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tools/terminal.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;

using Kind = FileFacts::Kind;

constexpr std::uint32_t kOthersMayWrite = 022;
constexpr std::uint32_t kOthersMay = 077;
constexpr std::uint64_t kTokenBytesMin = 32;

FileFacts facts_of(std::string const& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return {};
    FileFacts facts;
    facts.kind = S_ISREG(status.st_mode)    ? Kind::file
                 : S_ISDIR(status.st_mode)  ? Kind::directory
                 : S_ISSOCK(status.st_mode) ? Kind::socket
                                            : Kind::other;
    facts.mode = status.st_mode & 07777;
    facts.owner = status.st_uid;
    facts.bytes = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
    return facts;
}

class Judge {
public:
    explicit Judge(DirectoryFacts const& facts) : facts_(facts) {}

    std::vector<Diagnosis> all() {
        directory();
        keys();
        doors();
        room();
        return std::move(found_);
    }

private:
    void add(Severity severity, char const* check, std::string what, std::string todo = {}) {
        found_.push_back({severity, check, std::move(what), std::move(todo)});
    }
    void well(char const* check, std::string what) {
        bool const any = std::any_of(
            found_.begin(), found_.end(), [check](auto const& d) { return d.check == check; });
        if (!any) add(Severity::ok, check, std::move(what));
    }
    std::string path(std::string const& name) const { return facts_.dir + "/" + name; }

    void directory() {
        auto const& self = facts_.self;
        if (self.owner != facts_.user)
            add(Severity::warning,
                "directory",
                "\"" + facts_.dir + "\" belongs to another user than the one who asks",
                "Run inos as the user whom the directory belongs to");
        if ((self.mode & kOthersMayWrite) != 0)
            add(Severity::problem,
                "directory",
                "other users may put files into \"" + facts_.dir + "\"",
                "Run: chmod 700 " + facts_.dir);
        else if ((self.mode & kOthersMay) != 0)
            add(Severity::warning,
                "directory",
                "other users may look into \"" + facts_.dir + "\"",
                "Run: chmod 700 " + facts_.dir);
        if (facts_.database.kind == Kind::directory && (facts_.database.mode & 07) != 0 &&
            (self.mode & 07) != 0)
            add(Severity::warning,
                "directory",
                "other users may read the database",
                "Run: chmod 700 " + facts_.dir + " " + path("db"));
        if (facts_.config.kind == Kind::file && (facts_.config.mode & kOthersMayWrite) != 0)
            add(Severity::problem,
                "directory",
                "other users may change the configuration",
                "Run: chmod 600 " + path("inos.toml"));
        well("directory", "\"" + facts_.dir + "\" is its owner's alone");
    }

    // As storage/crypto/key_files.hpp has it: the node does not start with others.
    void secret(std::string const& name,
                FileFacts const& facts,
                char const* check,
                char const* mode) {
        std::uint32_t const owner = facts_.self.owner;
        if (facts.kind != Kind::file && facts.kind != Kind::directory)
            return add(Severity::problem,
                       check,
                       "\"" + path(name) + "\" is no plain file, but a link or something else",
                       "Put the file itself in its place, from a backup that was taken with "
                       "--with-keys");
        if (facts.owner != owner)
            add(Severity::problem,
                check,
                "\"" + path(name) + "\" belongs to another user than the directory",
                "Run, as root: chown --reference=" + facts_.dir + " " + path(name));
        if ((facts.mode & kOthersMay) != 0)
            add(Severity::problem,
                check,
                "other users may use \"" + path(name) + "\", and may have copied it",
                std::string("Run: chmod ") + mode + " " + path(name) +
                    "; if others have accounts here, retire this site and join anew");
    }

    void keys() {
        if (facts_.key_directory.kind == Kind::missing)
            return add(Severity::problem,
                       "keys",
                       "the site's keys are not there",
                       "Put \"" + path("keys") +
                           "\" back from a backup that was taken with --with-keys; without it: "
                           "inos restore --join CODE");
        secret("keys", facts_.key_directory, "keys", "700");
        for (char const* name : {"identity.key", "channel.key", "sealing.key"}) {
            bool const there = std::any_of(facts_.keys.begin(),
                                           facts_.keys.end(),
                                           [&](auto const& key) { return key.name == name; });
            if (!there)
                add(Severity::problem,
                    "keys",
                    "the key \"" + path("keys/") + name + "\" is not there",
                    "Put it back from a backup that was taken with --with-keys");
        }
        for (auto const& key : facts_.keys)
            secret("keys/" + key.name, key.facts, "keys", "600");
        well("keys", std::to_string(facts_.keys.size()) + " key files are the owner's alone");
    }

    void doors() {
        auto const& socket = facts_.socket;
        if (socket.kind == Kind::socket) {
            if (socket.owner != facts_.self.owner || (socket.mode & kOthersMay) != 0)
                add(Severity::problem,
                    "socket",
                    "other users may speak to the node through \"" + path("api.sock") +
                        "\", as if they were its owner",
                    "Run: chmod 600 " + path("api.sock"));
            well("socket", "the node's socket is its owner's alone");
        }
        if (facts_.token.kind == Kind::missing) return;
        secret("api.token", facts_.token, "token", "600");
        if (facts_.token.kind == Kind::file && facts_.token.bytes < kTokenBytesMin)
            add(Severity::problem,
                "token",
                "the token in \"" + path("api.token") + "\" is too short to be one",
                "Remove the file and start the node again: it makes a new one");
        well("token", "the token for --api is its owner's alone");
    }

    void room() {
        if (!facts_.room_bytes) return;
        std::uint64_t const room = *facts_.room_bytes;
        std::string const left = human_bytes(room) + " are left on the disk of the directory";
        if (room >= kRoomWarningBytes) return add(Severity::ok, "room", left);
        add(room < kRoomProblemBytes ? Severity::problem : Severity::warning,
            "room",
            left + (room < kRoomProblemBytes ? ": soon no write is taken" : ""),
            "Make room, or move the directory to a larger disk while no node runs; df -h " +
                facts_.dir);
    }

    DirectoryFacts const& facts_;
    std::vector<Diagnosis> found_;
};

}  // namespace

DirectoryFacts look_at_files(std::string const& dir) {
    DirectoryFacts facts;
    facts.dir = dir;
    facts.user = ::geteuid();
    facts.self = facts_of(dir);
    facts.key_directory = facts_of(dir + "/keys");
    facts.socket = facts_of(dir + "/api.sock");
    facts.token = facts_of(dir + "/api.token");
    facts.config = facts_of(dir + "/inos.toml");
    facts.database = facts_of(dir + "/db");
    std::error_code error;
    for (fs::directory_iterator it(dir + "/keys", error), end; !error && it != end;
         it.increment(error))
        if (it->path().extension() == ".key")
            facts.keys.push_back({it->path().filename().string(), facts_of(it->path().string())});
    std::sort(facts.keys.begin(), facts.keys.end(), [](auto const& a, auto const& b) {
        return a.name < b.name;
    });
    struct statvfs disk {};
    if (::statvfs(dir.c_str(), &disk) == 0)
        facts.room_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    return facts;
}

std::vector<Diagnosis> judge_files(DirectoryFacts const& facts) {
    return Judge(facts).all();
}

}  // namespace inos
