// DIR/marker: the file by which a data directory is told from its copies (storage/continuity.hpp).
// It holds a nonce that every opening replaces in place; copying, putting back or overwriting it
// changes its inode, its change time or its nonce.
//
// Errors: Errc::io, with the path. Thread: any, one at a time, by who holds the directory's lock.
#pragma once

#include <string>

#include "storage/continuity.hpp"
#include "storage/result.hpp"

namespace inos {

struct MachineIds {
    std::string machine;  // /etc/machine-id; empty where there is none
    std::string boot;     // the kernel's id of the present run
};
MachineIds machine_ids();

// The directory as it stands. Makes the file where there is none.
Result<DirectoryMarks> read_marks(std::string const& dir, MachineIds const& ids);

// Puts a new nonce into the file, durably, and answers the marks afterwards: to be recorded in the
// database at once. A crash in between looks like an overwritten file, and costs a new actor.
Result<DirectoryMarks> renew_marks(std::string const& dir, MachineIds const& ids);

}  // namespace inos
