// inos backup and inos restore as a user runs them, and what becomes of damaged backups.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/keys.hpp"
#include "storage/site_directory.hpp"
#include "tests/support/temp_dir.hpp"
#include "tools/backup_archive.hpp"
#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/files.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class BackupCommand : public testing::Test {
protected:
    BackupCommand() {
        crypto::init();
        EXPECT_TRUE(create_founder(dir_, "shop", "trade"));
        write(temp_ / "pass", "a long passphrase\nand a second line\n");
        for (char const* id : {"ann", "bea"})
            EXPECT_EQ(run({"put", "customers", id, R"({"city": "Kiel"})"}), kExitDone) << err_;
    }

    int run(std::vector<std::string> arguments, std::string const& dir = {}) {
        std::istringstream in;
        std::ostringstream out, err;
        Terminal terminal{in, out, err};
        CommandLine line(terminal, "1.2.3", dir.empty() ? dir_ : dir);
        add_commands(line);
        int const status = line.run(std::move(arguments));
        out_ = out.str();
        err_ = err.str();
        return status;
    }
    static void write(std::string const& path, std::string const& bytes) {
        std::ofstream(path, std::ios::binary) << bytes;
    }
    static std::string read(std::string const& path) {
        return read_file(path, 64u << 20).value_or("");
    }
    std::vector<std::string> sealed(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--passphrase-file", temp_ / "pass"});
        return arguments;
    }
    std::string record(std::string const& id, std::string const& dir) {
        return run({"get", "customers", id, "--json"}, dir) == kExitDone ? out_ : "none";
    }
    std::string actor(std::string const& dir) {
        EXPECT_EQ(run({"status", "--json"}, dir), kExitDone) << err_;
        std::string const mark = R"("continuity":{"actor":")";
        return out_.substr(out_.find(mark) + mark.size(), 16);
    }
    std::vector<std::string> parts(std::string const& directory) {
        std::vector<std::string> paths;
        for (auto const& item : fs::recursive_directory_iterator(directory + "/chunks"))
            if (item.is_regular_file()) paths.push_back(item.path().string());
        return paths;
    }

    test::TempDir temp_;
    std::string dir_ = temp_ / "shop";
    std::string file_ = temp_ / "shop.inos", many_ = temp_ / "backups";
    std::string out_, err_;
};

TEST_F(BackupCommand, with_keys_makes_the_same_site_again_under_another_actor) {
    ASSERT_EQ(run(sealed({"backup", file_, "--with-keys"})), kExitDone) << err_;
    EXPECT_THAT(out_, HasSubstr("2 records"));
    EXPECT_THAT(out_, HasSubstr("sealed"));
    EXPECT_THAT(read(file_), Not(HasSubstr("Kiel")));
    EXPECT_THAT(read(file_), Not(HasSubstr("inos-key-1")));
    EXPECT_EQ(run(sealed({"backup", "--check", file_})), kExitDone) << err_;
    EXPECT_THAT(out_, HasSubstr("with keys"));
    std::string const again = temp_ / "again";
    ASSERT_EQ(run(sealed({"restore", file_}), again), kExitDone) << err_;
    EXPECT_EQ(record("ann", again), record("ann", dir_));
    std::string const before = actor(again);
    EXPECT_EQ(before, actor(dir_));
    ASSERT_EQ(run({"put", "customers", "cid", "{}"}, again), kExitDone) << err_;
    EXPECT_NE(actor(again), before);
    struct stat info {};
    ASSERT_EQ(::stat((again + "/keys/identity.key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(run(sealed({"restore", file_}), again), kExitConflict);
    EXPECT_THAT(err_, HasSubstr("holds a site already"));
}

TEST_F(BackupCommand, without_keys_says_what_that_means) {
    ASSERT_EQ(run({"backup", file_}), kExitDone) << err_;
    EXPECT_THAT(err_, HasSubstr("only site of its space"));
    EXPECT_THAT(read(file_), Not(HasSubstr("inos-key-1")));
    std::string const again = temp_ / "again";
    EXPECT_EQ(run({"restore", file_}, again), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("--join CODE"));
    EXPECT_FALSE(fs::exists(again));
    EXPECT_FALSE(fs::exists(again + ".restoring"));
    EXPECT_EQ(run({"backup", file_}), kExitConflict);
    EXPECT_EQ(run({"backup", file_, "--replace"}), kExitDone) << err_;
    EXPECT_EQ(run({"backup", temp_ / "k", "--with-keys"}), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("--passphrase-file"));
}

TEST_F(BackupCommand, the_passphrase_is_asked_for_and_has_to_be_the_right_one) {
    ASSERT_EQ(run(sealed({"backup", file_})), kExitDone) << err_;
    EXPECT_EQ(run({"backup", "--check", file_}), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("is sealed"));
    write(temp_ / "pass", "another passphrase");
    EXPECT_NE(run(sealed({"backup", "--check", file_})), kExitDone);
    EXPECT_THAT(err_, HasSubstr("another passphrase"));
    write(temp_ / "pass", "short\n");
    EXPECT_EQ(run(sealed({"backup", temp_ / "b.inos"})), kExitUsage);
    write(temp_ / "pass", "\n");
    EXPECT_EQ(run(sealed({"backup", temp_ / "b.inos"})), kExitUsage);
    EXPECT_FALSE(fs::exists(temp_ / "b.inos"));
}

TEST_F(BackupCommand, any_changed_or_missing_byte_is_found) {
    ASSERT_EQ(run({"backup", file_}), kExitDone) << err_;
    std::string const bytes = read(file_);
    ASSERT_GT(bytes.size(), 500u);
    auto const is_whole = [&](std::string const& content) {
        write(file_, content);
        auto const archive = open_backup({file_, {}, {}});
        return archive && (*archive)->read([](char, std::string const&) { return Result<void>(); });
    };
    ASSERT_TRUE(is_whole(bytes));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        EXPECT_FALSE(is_whole(bytes.substr(0, i))) << i;
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 4);
        EXPECT_FALSE(is_whole(changed)) << i;
    }
    EXPECT_FALSE(is_whole(bytes + bytes.substr(kBackupMagic.size())));
}

TEST_F(BackupCommand, a_directory_keeps_what_is_common_once_and_mends_what_was_damaged) {
    ASSERT_EQ(run({"backup", many_ + "/"}), kExitDone) << err_;
    std::size_t const first = parts(many_).size();
    ASSERT_EQ(run({"backup", many_}), kExitDone) << err_;
    EXPECT_EQ(parts(many_).size(), first);
    for (auto const& path : parts(many_)) {
        std::string const bytes = read(path);
        std::string changed = bytes;
        changed.back() = static_cast<char>(changed.back() ^ 1);
        write(path, changed);
        EXPECT_EQ(run({"backup", "--check", many_}), kExitFailed) << path;
        EXPECT_THAT(err_, HasSubstr("damaged"));
        fs::remove(path);
        EXPECT_EQ(run({"backup", "--check", many_}), kExitFailed) << path;
        write(path, bytes.substr(0, bytes.size() / 2));
        EXPECT_EQ(run({"backup", many_}), kExitDone) << err_;
        EXPECT_EQ(run({"backup", "--check", many_}), kExitDone) << err_;
    }
    EXPECT_EQ(run({"backup", "--list", many_}), kExitDone) << err_;
    EXPECT_THAT(out_, HasSubstr("shop"));
}

TEST_F(BackupCommand, keep_drops_the_oldest_and_what_only_they_held) {
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(run({"put", "customers", "c" + std::to_string(i), "{}"}), kExitDone) << err_;
        ASSERT_EQ(run({"backup", many_ + "/"}), kExitDone) << err_;
    }
    std::size_t const all = parts(many_).size();
    ASSERT_EQ(run({"backup", many_, "--keep", "2"}), kExitDone) << err_;
    auto const names = backup_names(many_);
    ASSERT_TRUE(names);
    EXPECT_EQ(names->size(), 2u);
    EXPECT_LT(parts(many_).size(), all);
    for (auto const& name : *names)
        EXPECT_EQ(run({"backup", "--check", many_, "--backup", name}), kExitDone) << err_;
    EXPECT_EQ(run({"backup", "--check", many_, "--backup", "1999"}), kExitNotFound);
}

// A clock that was ahead made one: the next is the newest all the same.
TEST_F(BackupCommand, the_newest_is_the_one_that_was_made_last) {
    ASSERT_EQ(run({"backup", many_ + "/"}), kExitDone) << err_;
    auto names = backup_names(many_);
    ASSERT_TRUE(names && names->size() == 1);
    std::string ahead = names->front();
    ahead.replace(0, 4, "2099");
    fs::rename(many_ + "/backups/" + names->front(), many_ + "/backups/" + ahead);
    write(many_ + "/backups/readme.txt", "no backup");
    ASSERT_EQ(run({"put", "customers", "new", "{}"}), kExitDone) << err_;
    ASSERT_EQ(run({"backup", many_, "--keep", "1"}), kExitDone) << err_;
    names = backup_names(many_);
    ASSERT_TRUE(names && names->size() == 1);
    EXPECT_GT(names->front(), ahead);
    ASSERT_EQ(run({"backup", "--check", many_, "--json"}), kExitDone) << err_;
    EXPECT_THAT(out_, HasSubstr(R"("records":3)"));
}

// Whoever can write where the backups are could put one of their own there.
TEST_F(BackupCommand, a_passphrase_for_what_is_not_sealed_is_refused) {
    ASSERT_EQ(run({"backup", file_}), kExitDone) << err_;
    EXPECT_NE(run(sealed({"backup", "--check", file_})), kExitDone);
    EXPECT_THAT(err_, HasSubstr("is not sealed"));
    EXPECT_NE(run(sealed({"restore", file_}), temp_ / "again"), kExitDone);
    EXPECT_THAT(err_, HasSubstr("is not sealed"));
    ASSERT_EQ(run({"backup", many_ + "/"}), kExitDone) << err_;
    EXPECT_NE(run(sealed({"backup", "--check", many_})), kExitDone);
    EXPECT_THAT(err_, HasSubstr("is not sealed"));
    EXPECT_NE(run(sealed({"backup", many_})), kExitDone);
    EXPECT_THAT(err_, HasSubstr("is not sealed"));
}

TEST_F(BackupCommand, a_directory_that_could_not_be_begun_can_be_begun_again) {
    write(temp_ / "pass", "short");
    EXPECT_EQ(run(sealed({"backup", many_ + "/"})), kExitUsage);
    write(many_ + "/inos-backup.new", "half");
    write(temp_ / "pass", "long enough now");
    EXPECT_EQ(run(sealed({"backup", many_ + "/"})), kExitDone) << err_;
    EXPECT_EQ(run(sealed({"backup", "--check", many_})), kExitDone) << err_;
}

TEST_F(BackupCommand, a_directory_is_sealed_as_it_was_begun) {
    ASSERT_EQ(run(sealed({"backup", many_ + "/"})), kExitDone) << err_;
    std::size_t const first = parts(many_).size();
    ASSERT_EQ(run(sealed({"backup", many_})), kExitDone) << err_;
    EXPECT_EQ(parts(many_).size(), first);
    EXPECT_EQ(run({"backup", many_}), kExitUsage);
    write(temp_ / "other.txt", "");
    EXPECT_EQ(run({"backup", temp_.path() + "/"}), kExitConflict);
    EXPECT_THAT(err_, HasSubstr("is not empty"));
    std::string const again = temp_ / "again";
    EXPECT_EQ(run(sealed({"restore", many_}), again), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("holds no keys"));
}

// A backup may come from anywhere.
TEST_F(BackupCommand, files_in_a_backup_cannot_go_anywhere_else) {
    for (char const* name :
         {"../evil", "keys/../../evil.key", "/etc/evil", "keys/.key", "evil.key", "keys/a", ""}) {
        auto site = SiteRestore::begin(temp_ / "again", false);
        ASSERT_TRUE(site) << site.error().message;
        auto const put = (*site)->put_file(name, "x");
        ASSERT_FALSE(put) << name;
        EXPECT_EQ(put.error().code, Errc::invalid);
    }
    EXPECT_FALSE(fs::exists(temp_ / "evil"));
}

// The code was over, the line was down: the same again goes on with the same keys.
TEST_F(BackupCommand, a_restore_that_was_to_join_can_be_made_again) {
    ASSERT_EQ(run({"backup", file_}), kExitDone) << err_;
    std::string const again = temp_ / "again";
    std::string key;
    for (int attempt = 0; attempt < 2; ++attempt) {
        EXPECT_NE(run({"restore", file_, "--join", "inos1-nonsense", "--site", "s"}, again),
                  kExitDone);
        EXPECT_THAT(err_, HasSubstr("pairing code"));
        EXPECT_FALSE(fs::exists(again));
        EXPECT_EQ(fs::exists(again + ".joining"), attempt > 0) << "refused before all else";
        auto const site = SiteRestore::begin(again, true);
        ASSERT_TRUE(site) << site.error().message;
        ASSERT_TRUE((*site)->put_file("inos.toml", "listen = \"off\"\n"));
        std::string const now = read(again + ".joining/keys/identity.key");
        EXPECT_FALSE(now.empty());
        EXPECT_TRUE(key.empty() || key == now);
        key = now;
    }
    EXPECT_EQ(run({"restore", file_, "--join", "inos1-nonsense"}, again), kExitUsage);
    EXPECT_EQ(run({"restore", file_, "--site", "s"}, again), kExitUsage);
}

TEST_F(BackupCommand, rows_that_no_backup_holds_are_refused_and_nothing_is_left) {
    std::string const again = temp_ / "again";
    for (auto const& [family, kind] :
         {std::pair(Family::meta, 'i'), {Family::meta, 'm'}, {Family::staging, 'q'}}) {
        std::string rows(1, static_cast<char>(family));
        put_blob(rows, keys::meta_kind(1, kind) + "12345678");
        put_blob(rows, "planted");
        auto site = SiteRestore::begin(again, false);
        ASSERT_TRUE(site);
        auto const put = (*site)->put_rows(rows);
        ASSERT_FALSE(put) << kind;
        EXPECT_EQ(put.error().code, Errc::corruption);
        EXPECT_TRUE(fs::exists(again + ".restoring"));
        site->reset();
        EXPECT_FALSE(fs::exists(again + ".restoring"));
    }
}

TEST_F(BackupCommand, a_directory_is_for_one_site) {
    ASSERT_EQ(run({"backup", many_ + "/"}), kExitDone) << err_;
    ASSERT_TRUE(create_founder(temp_ / "other", "office", "trade"));
    EXPECT_EQ(run({"backup", many_}, temp_ / "other"), kExitConflict);
    EXPECT_THAT(err_, HasSubstr("holds backups of the site \"shop\""));
    EXPECT_EQ(run({"backup", many_}), kExitDone) << err_;
}

TEST_F(BackupCommand, keys_of_another_site_are_refused) {
    ASSERT_TRUE(create_founder(temp_ / "other", "other", "trade"));
    auto site = SiteRestore::begin(temp_ / "again", false);
    ASSERT_TRUE(site);
    ASSERT_EQ(run({"backup", file_}), kExitDone) << err_;
    auto archive = open_backup({file_, {}, {}});
    ASSERT_TRUE(archive);
    ASSERT_TRUE((*archive)->read([&](char kind, std::string const& content) {
        return kind == 'r' ? (*site)->put_rows(content) : Result<void>();
    }));
    for (auto const& item : fs::directory_iterator(temp_ / "other/keys"))
        ASSERT_TRUE((*site)->put_file("keys/" + item.path().filename().string(),
                                      read(item.path().string())));
    auto const finished = (*site)->finish();
    ASSERT_FALSE(finished);
    EXPECT_THAT(finished.error().message, HasSubstr("another site"));
    EXPECT_FALSE(fs::exists(temp_ / "again"));
}

}  // namespace
}  // namespace inos
