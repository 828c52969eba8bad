//! The size of the terminal.

use rustix::termios::tcgetwinsize;

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TerminalSize {
    /// Characters in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
}

/// What serial lines and some pipes of containers are taken for, which say 0.
const USUAL: TerminalSize = TerminalSize { columns: 80, rows: 24 };

/// The size of the terminal that standard output goes to; `None` if it goes elsewhere.
pub fn of_standard_output() -> Option<TerminalSize> {
    let size = tcgetwinsize(std::io::stdout()).ok()?;
    let or = |count: u16, usual: usize| if count == 0 { usual } else { usize::from(count) };
    Some(TerminalSize { columns: or(size.ws_col, USUAL.columns), rows: or(size.ws_row, USUAL.rows) })
}
