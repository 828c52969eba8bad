//! Reads a password: from a terminal without showing it, else as a line of standard input.

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead as _, ErrorKind, Read as _, Write as _};

/// The longest line that is read; longer ones are cut, and are too long for a password.
const MAX_LINE: usize = 4096;

/// True if a person types at standard input.
pub fn is_typed() -> bool {
    io::IsTerminal::is_terminal(&io::stdin())
}

/// Reads a line of standard input, without its line break. No line is an empty one.
///
/// # Errors
/// The I/O error, also for what is not UTF-8.
pub fn read_line() -> io::Result<String> {
    let (mut line, limit) = (String::new(), u64::try_from(MAX_LINE).unwrap_or(u64::MAX));
    io::stdin().lock().take(limit).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a line that the terminal does not show. Ctrl-C and the end of the input give up.
///
/// # Errors
/// The I/O error; [`ErrorKind::Interrupted`] when the person gives up.
pub fn ask(question: &str) -> io::Result<String> {
    let hidden = Hidden::begin()?;
    let mut out = io::stderr();
    write!(out, "{question}: ")?;
    out.flush()?;
    let typed = read_typed(io::stdin().lock().bytes());
    drop(hidden);
    writeln!(out)?;
    typed
}

/// A terminal that shows nothing and leaves every key to us, until this is dropped. A signal in between would leave it so:
/// therefore Ctrl-C is a key as well.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.0).unwrap_or_default();
    }
}

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const CTRL_U: u8 = 21;
const BACKSPACE: [u8; 2] = [8, 127];

/// The line that these keys make.
fn read_typed(keys: impl Iterator<Item = io::Result<u8>>) -> io::Result<String> {
    let mut line = Vec::new();
    for key in keys {
        match key? {
            b'\r' | b'\n' => return String::from_utf8(line).map_err(|_| ErrorKind::InvalidData.into()),
            CTRL_C | CTRL_D => break,
            CTRL_U => line.clear(),
            key if BACKSPACE.contains(&key) => {
                // A character may have several bytes.
                while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
            }
            key if line.len() < MAX_LINE => line.push(key),
            _ => {}
        }
    }
    Err(ErrorKind::Interrupted.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> io::Result<String> {
        read_typed(text.bytes().map(Ok))
    }

    #[test]
    fn keys_make_a_line_and_mistakes_can_be_taken_back() {
        for (keys, line) in [
            ("secret\n", "secret"),
            ("secret\r", "secret"),
            ("secrxx\x7f\x08et\n", "secret"),
            ("grün\x7f\x7fün\n", "grün"),
            ("wrong\x15secret\n", "secret"),
            ("\x7f\n", ""),
        ] {
            assert_eq!(typed(keys).unwrap(), line, "{keys:?}");
        }
    }

    #[test]
    fn who_gives_up_has_typed_nothing() {
        for keys in ["secret\x03", "\x04", "secret"] {
            assert_eq!(typed(keys).unwrap_err().kind(), ErrorKind::Interrupted, "{keys:?}");
        }
        assert_eq!(read_typed([Ok(0xFF), Ok(b'\n')].into_iter()).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
