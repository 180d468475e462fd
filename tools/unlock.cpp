#include "tools/unlock.hpp"

#include <filesystem>
#include <istream>

#include <sys/resource.h>

#include "tools/config.hpp"
#include "tools/files.hpp"

namespace inos {
namespace {

constexpr std::size_t kFileBytesMax = 64u << 10;
constexpr std::size_t kConfigBytesMax = 1u << 20;
constexpr int kTries = 3;
constexpr char const* kStandardInput = "-";
constexpr char const* kCredential = "/inos.unlock";

Result<Opener> read_opener(Context const& context, std::string const& file) {
    std::string content;
    if (file == kStandardInput) {
        std::getline(context.terminal.in, content);
        content += '\n';
    } else {
        INOS_TRY(content, read_file(file, kFileBytesMax));
    }
    auto opener = parse_opener(content);
    std::fill(content.begin(), content.end(), '\0');
    if (opener) return opener;
    return fail(opener.error().code,
                "\"" + file + "\" does not open a directory: " + opener.error().message,
                file);
}

// The file that is named somewhere; empty: none is.
Result<std::string> named_file(Context const& context, std::string const& dir) {
    if (!context.unlock.empty()) return context.unlock;
    std::string const path = dir + "/inos.toml";
    auto const text = read_file(path, kConfigBytesMax);
    if (!text && text.error().code != Errc::not_found) return tl::unexpected<Error>(text.error());
    if (text) {
        INOS_TRY(auto const config, parse_config(*text, path));
        if (!config.unlock.empty()) return config.unlock;
    }
    std::error_code ignored;
    std::string const credential = context.credentials + kCredential;
    if (!context.credentials.empty() && std::filesystem::exists(credential, ignored))
        return credential;
    return std::string();
}

Result<Passphrase> asked(Context const& context, std::string const& prompt) {
    auto passphrase = context.terminal.ask(prompt);
    if (!passphrase) return fail(Errc::forbidden, "no passphrase was given");
    return *std::move(passphrase);
}

Result<DataKey> ask_and_unlock(Context const& context,
                               std::string const& dir,
                               DataKeyFile const& file) {
    for (int tries = 1;; ++tries) {
        INOS_TRY(Passphrase passphrase, asked(context, "passphrase of " + clean_text(dir) + ": "));
        auto key = file.unlock(Opener(std::move(passphrase)));
        bool const again = !key && key.error().code == Errc::forbidden && tries < kTries;
        if (!again) return key;
        context.terminal.err << "that is not it\n";
    }
}

Error nobody_to_ask(std::string const& dir) {
    return Error{Errc::forbidden,
                 "the directory \"" + dir +
                     "\" is encrypted, and there is no terminal to ask for its passphrase at; name "
                     "the file that holds its key or passphrase with --unlock FILE, INOS_UNLOCK or "
                     "`unlock` in " +
                     dir + "/inos.toml, or as the credential inos.unlock of a systemd service",
                 dir};
}

Result<DataKey> unlock_file(Context const& context,
                            std::string const& dir,
                            DataKeyFile const& file) {
    INOS_TRY(std::string const name, named_file(context, dir));
    if (name.empty() && context.terminal.ask) return ask_and_unlock(context, dir, file);
    if (name.empty()) return tl::unexpected<Error>(nobody_to_ask(dir));
    INOS_TRY(Opener const opener, read_opener(context, name));
    auto key = file.unlock(opener);
    if (key) return key;
    return tl::unexpected<Error>(key.error().prefixed("\"" + dir + "\", with \"" + name + "\""));
}

void forbid_core_dumps() {
    rlimit const none{0, 0};
    static_cast<void>(::setrlimit(RLIMIT_CORE, &none));  // that can only fail if there is none
}

}  // namespace

Result<std::optional<DataKey>> unlock(Context const& context, std::string const& dir) {
    if (auto const known = context.keys->find(dir); known != context.keys->end())
        return std::optional(known->second);
    INOS_TRY(auto const file, read_data_key_file(dir));
    if (!file) return std::optional<DataKey>();
    forbid_core_dumps();
    INOS_TRY(DataKey key, unlock_file(context, dir, *file));
    context.keys->insert_or_assign(dir, key);
    return std::optional(std::move(key));
}

Result<std::optional<Encryption>> encryption_for(Context const& context,
                                                 bool encrypt,
                                                 std::string const& interrupted) {
    if (!encrypt) return std::optional<Encryption>();
    forbid_core_dumps();
    if (!interrupted.empty()) {
        INOS_TRY(auto file, read_data_key_file(interrupted));
        if (file) {
            INOS_TRY(DataKey key, unlock_file(context, interrupted, *file));
            return std::optional(Encryption{std::move(key), *std::move(file)});
        }
    }
    INOS_TRY(Opener const opener, new_opener(context, context.unlock));
    INOS_TRY(Encryption encryption, new_encryption(way_name_of(opener), opener));
    return std::optional(std::move(encryption));
}

Result<Opener> new_opener(Context const& context, std::string const& file) {
    if (!file.empty()) {
        INOS_TRY(Opener opener, read_opener(context, file));
        if (auto const* passphrase = std::get_if<Passphrase>(&opener))
            INOS_CHECK(check_new_passphrase(passphrase->view()));
        return opener;
    }
    if (!context.terminal.ask)
        return fail(Errc::usage,
                    "there is no terminal to ask for a passphrase at; name a file with the "
                    "passphrase in its first line, or one that inos key new has made");
    INOS_TRY(Passphrase passphrase, asked(context, "new passphrase: "));
    INOS_CHECK(check_new_passphrase(passphrase.view()));
    INOS_TRY(Passphrase const again, asked(context, "the same again: "));
    if (!crypto::equal(passphrase.view(), again.view()))
        return fail(Errc::usage, "the two passphrases differ; nothing was changed");
    return Opener(std::move(passphrase));
}

std::string way_name_of(Opener const& opener) {
    return std::holds_alternative<Passphrase>(opener) ? "passphrase" : "key-file";
}

}  // namespace inos
