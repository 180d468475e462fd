// DIR/marker: the file by which a data directory is told from its copies (storage/continuity.hpp).
// It holds a nonce that every opening and every orderly end replace in place; copying, putting back
// or overwriting it changes its inode, its change time or its nonce. So do `chown` and `chmod`.
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

MarkerNonce fresh_marker_nonce();

// The directory as it stands. Makes the file where there is none.
Result<DirectoryMarks> read_marks(std::string const& dir, MachineIds const& ids);

// Puts the nonce into the file, durably, and answers the marks afterwards. The database has to know
// before that it is coming (ContinuityRecord::next), and is told the marks after it.
Result<DirectoryMarks> renew_marks(std::string const& dir,
                                   MachineIds const& ids,
                                   MarkerNonce const& nonce);

}  // namespace inos
