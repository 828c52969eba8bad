//! The log of a child process: its standard error becomes lines of the parent's log, and no flood of them.

use crate::os::clock::monotonic_now;
use crate::vision::line_limit::{LeftOut, LineLimit};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// Longer lines are split.
const MAX_LINE_BYTES: usize = 4096;

/// They are split at a space if one is so near: half a password would pass the redactor.
const LONGEST_WORD_BYTES: usize = 1024;

/// Lines of a child in ten seconds: more than one logs when it starts. A library in it may log each frame, and a camera
/// or model that has taken it over as much as it can.
const LINES: u32 = 100;

/// Copies a child's standard error to the log, where the sink redacts it like every other line.
pub(super) async fn log_lines(pipe: impl AsyncRead + Unpin, title: String) {
    pass_lines(pipe, |line, left_out| {
        if let Some(count) = left_out.count() {
            tracing::warn!(child = title, left_out = count, "lines of a child process are left out: it logs too much");
        }
        log_line(&title, line);
    })
    .await;
}

/// Passes lines on, as many as may be logged, each with how many were left out before it; at the end an empty one.
async fn pass_lines(pipe: impl AsyncRead + Unpin, mut pass: impl FnMut(&[u8], LeftOut)) {
    let mut reader = BufReader::new(pipe);
    let (mut line, mut rest, mut limit) = (Vec::new(), Vec::new(), LineLimit::of(LINES));
    while read_line(&mut reader, &mut line, &mut rest).await {
        if let Some(left_out) = limit.admit(monotonic_now()) {
            pass(&line, left_out);
        }
    }
    pass(b"", limit.take_left_out());
}

/// False at the end. `rest`: the beginning of the next line, if this one is split.
async fn read_line(reader: &mut BufReader<impl AsyncRead + Unpin>, line: &mut Vec<u8>, rest: &mut Vec<u8>) -> bool {
    line.clear();
    line.append(rest);
    let room = (MAX_LINE_BYTES - line.len()) as u64;
    let read = reader.take(room).read_until(b'\n', line).await;
    if line.len() == MAX_LINE_BYTES && !line.ends_with(b"\n") {
        let space = line.iter().rposition(|byte| *byte == b' ');
        let space = space.filter(|at| line.len() - at <= LONGEST_WORD_BYTES);
        *rest = space.map(|at| line.split_off(at + 1)).unwrap_or_default();
    }
    read.is_ok() && !line.is_empty()
}

fn log_line(title: &str, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    match text.split_once(' ') {
        Some(("ERROR", rest)) => tracing::error!(child = title, "{}", rest.trim_start()),
        Some(("WARN", rest)) => tracing::warn!(child = title, "{}", rest.trim_start()),
        Some(("DEBUG" | "TRACE", rest)) => tracing::debug!(child = title, "{}", rest.trim_start()),
        Some(("INFO", rest)) => tracing::info!(child = title, "{}", rest.trim_start()),
        _ if text.is_empty() => {}
        _ => tracing::info!(child = title, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_is_a_hundred_lines_and_the_number_of_the_others() {
        let mut passed = Vec::new();
        pass_lines(&b"a line\n".repeat(100_000)[..], |line, left_out| passed.push((line.to_vec(), left_out.count())))
            .await;
        assert_eq!(passed.len(), 101);
        assert_eq!(passed[99], (b"a line\n".to_vec(), None));
        assert_eq!(passed[100], (Vec::new(), Some(99_900)));
    }

    #[tokio::test]
    async fn a_long_line_is_split_between_words() {
        let (mut texts, line) = (Vec::new(), format!("{} a-password {}\nnext\n", "x".repeat(4090), "y".repeat(100)));
        pass_lines(line.as_bytes(), |line, _| texts.push(String::from_utf8_lossy(line).into_owned())).await;
        assert_eq!(texts[0], format!("{} ", "x".repeat(4090)));
        assert!(texts[1].starts_with("a-password yyy") && texts[1].ends_with("y\n"), "{texts:?}");
        assert_eq!(texts[2..], ["next\n", ""]);
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_split() {
        let mut lengths = Vec::new();
        pass_lines(&[b'x'; 5000][..], |line, _| lengths.push(line.len())).await;
        assert_eq!(lengths, [4096, 904, 0]);
    }
}
