// Where commands get the key of an encrypted directory (storage/data_key.hpp): from a file with the
// key or the passphrase, or by asking. In this order: --unlock FILE, which INOS_UNLOCK stands in
// for; `unlock` in DIR/inos.toml; the credential inos.unlock of systemd; the terminal.
//
// Whoever has a key has no core dumps any more. Errors: Errc::forbidden, with what to configure,
// if there is none of these, and for a wrong passphrase or key. Thread: one.
#pragma once

#include <optional>
#include <string>

#include "storage/data_key.hpp"
#include "tools/command_line.hpp"

namespace inos {

// nullopt: the directory is not encrypted, or is not there.
Result<std::optional<DataKey>> unlock(Context const& context, std::string const& dir);

// For a directory that is to be made; nullopt: not encrypted. `interrupted` is where an attempt
// before may have left its data.key, which this one goes on with; it need not be there.
Result<std::optional<Encryption>> encryption_for(Context const& context,
                                                 bool encrypt,
                                                 std::string const& interrupted = {});

// A new way in: from the file ("-": standard input), or a passphrase that is asked for twice.
Result<Opener> new_opener(Context const& context, std::string const& file);
// "passphrase" or "key-file": how it is called if nobody says.
std::string way_name_of(Opener const& opener);

template <class T>
T const* pointer_to(std::optional<T> const& value) {
    return value ? &*value : nullptr;
}

}  // namespace inos
