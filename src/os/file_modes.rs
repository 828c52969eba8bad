//! The modes of files and directories that this process makes.

use rustix::fs::Mode;

/// What this process and its children make from now on is for their owner alone, also what libraries make.
pub fn for_the_owner_alone() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}
