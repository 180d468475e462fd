// DIR/data.key: what opens it, what does not, and that nothing in it can be changed unnoticed.
#include "storage/data_key.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/crypto/key_files.hpp"
#include "tests/support/temp_dir.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;
using test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr crypto::PassphraseCost kCheap{1, 64};

// Of the key 'd' x 32, made by this program: opened by the passphrase "correct horse" and by the
// key file with 'f' x 32.
constexpr char kGolden[] =
    "inos-data-key 1\n"
    "passphrase passphrase a2e8b6bd33ce42034c5f0dd0dba6d980 1 64 4e977fd7780a"
    "d25de059ced3c3940897d63cdde45a15b206793bf52bb80d85e10cbd82227f34e6266c6e"
    "56cc98246200f899b199897caefe6d8c561aa4b833727869202fb6720923\n"
    "key stick 7460524164f84cee502d9724a0c683d1807b268bb9f75d88af48ec3319f414"
    "ec7d133873611150ee237de98db5a7e4624e521702c05fabb46b67feffb0e978bdfc375a"
    "5bca8c9339\n"
    "check a5667068b9c4af95fc652b969c793f08a1f924f1d5d49f497fe6b7d00f9d7b8a\n";

Opener passphrase(std::string_view text) {
    return Opener(Passphrase(text));
}
Opener key_file(char c) {
    return Opener(crypto::Secret(std::string(32, c)));
}
DataKey data_key() {
    return DataKey(std::string(32, 'd'));
}

class DataKeyFiles : public testing::Test {
protected:
    DataKeyFiles() { crypto::init(); }
    static DataKeyFile two_ways() {
        DataKeyFile file;
        EXPECT_TRUE(file.add("passphrase", passphrase("correct horse"), data_key(), kCheap));
        EXPECT_TRUE(file.add("stick", key_file('f'), data_key()));
        return file;
    }
    static bool opens(DataKeyFile const& file, Opener const& opener) {
        auto const key = file.unlock(opener);
        if (key) {
            EXPECT_EQ(*key, data_key());
        }
        return key.has_value();
    }
    static std::vector<std::string> names(DataKeyFile const& file) {
        std::vector<std::string> names;
        for (auto const& way : file.ways())
            names.push_back(way.name);
        return names;
    }
    static Error parse_error(std::string const& text) {
        auto const file = DataKeyFile::parse(text);
        EXPECT_FALSE(file);
        return file ? Error() : file.error();
    }
};

// If this changes, nobody can open the directories of before.
TEST_F(DataKeyFiles, a_file_of_before_opens) {
    auto const file = DataKeyFile::parse(kGolden);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->text(), kGolden);
    EXPECT_THAT(names(*file), ElementsAre("passphrase", "stick"));
    EXPECT_TRUE(opens(*file, passphrase("correct horse")));
    EXPECT_TRUE(opens(*file, key_file('f')));
}

TEST_F(DataKeyFiles, each_way_opens_and_nothing_else_does) {
    auto const file = two_ways();
    EXPECT_TRUE(opens(file, passphrase("correct horse")));
    EXPECT_TRUE(opens(file, key_file('f')));
    EXPECT_EQ(DataKeyFile::parse(file.text())->text(), file.text());
    for (char const* wrong : {"correct hors", "correct horse ", "Correct horse", "", "f"}) {
        auto const key = file.unlock(passphrase(wrong));
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code, Errc::forbidden);
        EXPECT_THAT(key.error().message, HasSubstr("passphrase is wrong"));
    }
    auto const key = file.unlock(key_file('g'));
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Errc::forbidden);
    EXPECT_THAT(key.error().message, HasSubstr("key file"));
    EXPECT_FALSE(file.unlock(passphrase(std::string(32, 'f'))))
        << "a key's bytes are no passphrase";
}

TEST_F(DataKeyFiles, holds_no_key_in_clear) {
    std::string const text = two_ways().text();
    for (char const c : {'d', 'f'}) {
        EXPECT_EQ(text.find(std::string(16, c)), std::string::npos);
        EXPECT_EQ(text.find(crypto::hex(std::string(16, c))), std::string::npos);
    }
    EXPECT_EQ(text.find("correct"), std::string::npos);
    EXPECT_NE(two_ways().text(), text) << "salts and nonces are random";
}

TEST_F(DataKeyFiles, every_flipped_bit_is_refused) {
    std::string const text = two_ways().text();
    int parsed = 0;
    for (std::size_t i = 0; i < text.size() * 8; ++i) {
        std::string bad = text;
        bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << i % 8));
        auto const file = DataKeyFile::parse(bad);
        if (!file) continue;
        ++parsed;
        // By whichever way somebody comes: what was changed does not open, or is noticed.
        EXPECT_FALSE(file->unlock(key_file('f'))) << i;
        if (i % 16 == 0) {
            EXPECT_FALSE(file->unlock(passphrase("correct horse"))) << i;
        }
    }
    EXPECT_GT(parsed, 500) << "digits of hex become others";
}

TEST_F(DataKeyFiles, cut_off_anywhere_it_is_refused_and_so_is_more) {
    std::string const text = two_ways().text();
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_EQ(parse_error(text.substr(0, size)).code,
                  size >= 14 && size < 16 ? Errc::unsupported : Errc::corruption)
            << size;
    for (char const* more : {"\n", " ", "x", "check 00\n"})
        EXPECT_EQ(parse_error(text + more).code, Errc::corruption);
    EXPECT_EQ(parse_error("inos-data-key 2\nwhatever\n").code, Errc::unsupported);
    EXPECT_EQ(parse_error("").code, Errc::corruption);
}

TEST_F(DataKeyFiles, who_has_no_key_cannot_take_a_way_in_away_or_swap_them) {
    std::string const text = two_ways().text();
    auto const second = text.find("key stick");
    auto const check = text.find("check ");
    std::string const without = text.substr(0, second) + text.substr(check);
    auto const file = DataKeyFile::parse(without);
    ASSERT_TRUE(file);
    auto const key = file->unlock(passphrase("correct horse"));
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Errc::corruption);
    EXPECT_THAT(key.error().message, HasSubstr("changed by somebody"));
    auto const first = text.find("passphrase ");
    std::string const swapped = text.substr(0, first) + text.substr(second, check - second) +
                                text.substr(first, second - first) + text.substr(check);
    EXPECT_FALSE(DataKeyFile::parse(swapped)->unlock(key_file('f')));
}

TEST_F(DataKeyFiles, a_planted_file_cannot_ask_for_any_amount_of_memory) {
    std::string const salt(32, '0'), wrapped(144, '0'), check(64, '0');
    auto const asking = [&](std::string const& cost) {
        return "inos-data-key 1\npassphrase a " + salt + " " + cost + " " + wrapped + "\ncheck " +
               check + "\n";
    };
    EXPECT_TRUE(DataKeyFile::parse(asking("16 1048576")));
    for (char const* cost : {"17 64",
                             "1 1048577",
                             "1 4294967295",
                             "99999999999 64",
                             "-1 64",
                             "1 ",
                             "01 64",
                             "1 064",
                             "+1 64",
                             "1  64"})
        EXPECT_EQ(parse_error(asking(cost)).code, Errc::corruption) << cost;
    // Below what Argon2id can do: refused when it is tried.
    auto const tiny = DataKeyFile::parse(asking("0 0"));
    ASSERT_TRUE(tiny);
    EXPECT_FALSE(tiny->unlock(passphrase("any")));
    std::string many = "inos-data-key 1\n";
    for (int i = 0; i < 9; ++i)
        many += "key k" + std::to_string(i) + " " + wrapped + "\n";
    EXPECT_EQ(parse_error(many + "check " + check + "\n").code, Errc::corruption);
}

TEST_F(DataKeyFiles, ways_are_added_changed_and_removed_but_not_the_last) {
    auto file = two_ways();
    EXPECT_EQ(file.add("stick", key_file('x'), data_key()).error().code, Errc::conflict);
    for (char const* name : {"", "A", "a b", "a\nb", "ä"})
        EXPECT_EQ(file.add(name, key_file('x'), data_key()).error().code, Errc::usage) << name;
    EXPECT_EQ(file.add(std::string(33, 'a'), key_file('x'), data_key()).error().code, Errc::usage);
    ASSERT_TRUE(file.change("passphrase", passphrase("battery staple"), data_key(), kCheap));
    EXPECT_FALSE(opens(file, passphrase("correct horse")));
    EXPECT_TRUE(opens(file, passphrase("battery staple")));
    EXPECT_TRUE(opens(file, key_file('f')));
    EXPECT_EQ(file.change("other", key_file('x'), data_key()).error().code, Errc::not_found);
    EXPECT_EQ(file.remove("other", data_key()).error().code, Errc::not_found);
    ASSERT_TRUE(file.remove("passphrase", data_key()));
    EXPECT_FALSE(opens(file, passphrase("battery staple")));
    EXPECT_TRUE(opens(file, key_file('f')));
    EXPECT_EQ(file.remove("stick", data_key()).error().code, Errc::conflict);
    EXPECT_TRUE(opens(file, key_file('f')));
    ASSERT_TRUE(file.change("stick", key_file('h'), data_key())) << "the last one can be changed";
    EXPECT_TRUE(opens(*DataKeyFile::parse(file.text()), key_file('h')));
    for (int i = 0; i < 7; ++i)
        EXPECT_TRUE(file.add("k" + std::to_string(i), key_file('k'), data_key()));
    EXPECT_EQ(file.add("k7", key_file('k'), data_key()).error().code, Errc::conflict);
    EXPECT_LT(file.text().size(), kSecretFileBytesMax);
    EXPECT_TRUE(opens(*DataKeyFile::parse(file.text()), key_file('k')));
}

TEST_F(DataKeyFiles, of_passphrases_only_the_largest_file_can_be_read_again) {
    DataKeyFile file;
    for (std::size_t i = 0; i < DataKeyFile::kWaysMax; ++i)
        ASSERT_TRUE(file.add(std::string(31, 'a') + std::to_string(i),
                             passphrase("passphrase"),
                             data_key(),
                             kCheap));
    TempDir dir;
    ASSERT_TRUE(put_data_key_file(dir.path(), file));
    EXPECT_EQ((*read_data_key_file(dir.path()))->text(), file.text());
}

TEST_F(DataKeyFiles, are_replaced_in_one_step_and_by_one_at_a_time) {
    TempDir dir;
    EXPECT_EQ(*read_data_key_file(dir.path()), std::nullopt);
    auto file = two_ways();
    ASSERT_TRUE(put_data_key_file(dir.path(), file));
    struct stat info {};
    ASSERT_EQ(::stat((dir / "data.key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    // A change that a crash interrupted.
    std::ofstream(dir / "data.key.new") << "half";
    EXPECT_EQ((*read_data_key_file(dir.path()))->text(), file.text());
    ASSERT_TRUE(file.remove("passphrase", data_key()));
    ASSERT_TRUE(put_data_key_file(dir.path(), file));
    EXPECT_EQ((*read_data_key_file(dir.path()))->text(), file.text());
    EXPECT_FALSE(fs::exists(dir / "data.key.new"));
    {
        auto const lock = DataKeyLock::take(dir.path());
        ASSERT_TRUE(lock);
        auto const second = DataKeyLock::take(dir.path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Errc::conflict);
    }
    EXPECT_TRUE(DataKeyLock::take(dir.path()));
    fs::permissions(dir / "data.key", fs::perms::others_read, fs::perm_options::add);
    EXPECT_EQ(read_data_key_file(dir.path()).error().code, Errc::forbidden);
}

TEST_F(DataKeyFiles, a_file_opens_with_a_key_or_with_its_first_line) {
    auto const opener = parse_opener(key_file_text(crypto::Secret(std::string(32, 'f'))));
    ASSERT_TRUE(opener);
    EXPECT_TRUE(opens(two_ways(), *opener));
    for (char const* text : {"correct horse", "correct horse\n", "correct horse\r\nmore\n"})
        EXPECT_TRUE(opens(two_ways(), *parse_opener(text))) << text;
    std::string const text = key_file_text(crypto::Secret(std::string(32, 'f')));
    for (std::string const& bad : {std::string(),
                                   std::string("\n"),
                                   std::string("\nx"),
                                   text.substr(0, text.size() - 1),
                                   text + "\n",
                                   "inos-key-1 identity " + std::string(64, '0') + "\n",
                                   "inos-key-1 data " + std::string(64, 'x') + "\n"}) {
        auto const refused = parse_opener(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, Errc::usage);
    }
    EXPECT_FALSE(check_new_passphrase("seven77"));
    EXPECT_TRUE(check_new_passphrase("eight888"));
}

}  // namespace
}  // namespace inos
