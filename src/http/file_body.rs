//! A response body that is read from a file while the client takes it. No thread waits for a client.

use crate::http::pace::Pace;
use axum::body::Bytes;
use hyper::body::Frame;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout_at;

/// What is read from the disk at a time, and how many of it wait for a slow client.
const CHUNK_BYTES: u64 = 128 << 10;
const WAITING_CHUNKS: usize = 2;

/// The body.
pub(super) struct FileBody(mpsc::Receiver<io::Result<Bytes>>);

impl FileBody {
    /// A part of a file, for a client that may take its time.
    pub(super) fn new(file: File, first: u64, bytes: u64) -> Self {
        let (chunks, receiver) = mpsc::channel(WAITING_CHUNKS);
        tokio::spawn(read(file, first, bytes, chunks, None));
        Self(receiver)
    }

    /// A part of a file. `held` is dropped when the body has been read, or its client has gone, or is [too slow](Pace): then
    /// the body ends early.
    pub(super) fn paced(file: File, first: u64, bytes: u64, held: impl Send + 'static, slow_start: Duration) -> Self {
        let (chunks, receiver) = mpsc::channel(WAITING_CHUNKS);
        let pace = Some(Pace::begin(slow_start));
        tokio::spawn(async move {
            let _held = held;
            read(file, first, bytes, chunks, pace).await;
        });
        Self(receiver)
    }
}

async fn read(
    mut file: File,
    first: u64,
    mut bytes: u64,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    mut pace: Option<Pace>,
) {
    let mut at = first;
    while bytes > 0 {
        let next = bytes.min(CHUNK_BYTES);
        let step = spawn_blocking(move || {
            let mut chunk = Vec::new();
            let read = file.seek(SeekFrom::Start(at)).and_then(|_| (&file).take(next).read_to_end(&mut chunk));
            let is_short = matches!(read, Ok(read) if (read as u64) < next);
            let chunk = if is_short { Err(io::ErrorKind::UnexpectedEof.into()) } else { read.map(|_| chunk.into()) };
            (file, chunk)
        });
        let Ok((same, chunk)) = step.await else { return };
        let is_read = chunk.is_ok();
        let is_taken = match &mut pace {
            Some(pace) => {
                let sent = timeout_at(pace.limit(), chunks.send(chunk)).await;
                pace.passed(usize::try_from(next).unwrap_or(usize::MAX));
                matches!(sent, Ok(Ok(())))
            }
            None => chunks.send(chunk).await.is_ok(),
        };
        if !is_taken || !is_read {
            return;
        }
        (file, at, bytes) = (same, at + next, bytes - next);
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::io::Write as _;

    fn file(bytes: usize) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; bytes]).unwrap();
        file
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_too_slowly_loses_the_place_and_the_rest() {
        let (place, is_given_up) = tokio::sync::oneshot::channel::<()>();
        let mut body = FileBody::paced(file(4 << 20), 0, 4 << 20, place, Duration::from_secs(30));
        assert!(body.frame().await.unwrap().is_ok());
        let begun = tokio::time::Instant::now();
        assert!(is_given_up.await.is_err(), "the place is dropped");
        // Four parts were taken or wait to be, with four seconds for each.
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        let mut left = 0;
        while let Some(Ok(frame)) = body.frame().await {
            left += frame.data_ref().map_or(0, Bytes::len);
        }
        assert!(left < 1 << 20, "{left}");
    }

    #[tokio::test]
    async fn a_part_of_a_file_is_read_whole() {
        let body = FileBody::paced(file(300_000), 100_000, 150_000, (), Duration::from_secs(30));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 150_000);
        assert_eq!(FileBody::new(file(300_000), 0, 300_000).collect().await.unwrap().to_bytes().len(), 300_000);
        assert!(FileBody::new(file(10), 0, 20).collect().await.is_err(), "shorter than announced");
    }
}
