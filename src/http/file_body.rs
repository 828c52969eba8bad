//! A response body that is read from a file while the client takes it. No thread waits for a client.

use axum::body::Bytes;
use hyper::body::Frame;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// What is read from the disk at a time, and how many of it wait for a slow client.
const CHUNK_BYTES: u64 = 128 << 10;
const WAITING_CHUNKS: usize = 2;

/// The body.
pub(super) struct FileBody(mpsc::Receiver<io::Result<Bytes>>);

impl FileBody {
    /// A part of a file. `held` is dropped when the body has been read, or its client has gone.
    pub(super) fn new(file: File, first: u64, bytes: u64, held: impl Send + 'static) -> Self {
        let (chunks, receiver) = mpsc::channel(WAITING_CHUNKS);
        tokio::spawn(async move {
            let _held = held;
            read(file, first, bytes, chunks).await;
        });
        Self(receiver)
    }
}

async fn read(mut file: File, first: u64, mut bytes: u64, chunks: mpsc::Sender<io::Result<Bytes>>) {
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
        if chunks.send(chunk).await.is_err() || !is_read {
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
