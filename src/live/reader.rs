//! Reads the pipe of a capture process.

use crate::ipc::live_packets::{LiveError, LivePacket, PREFIX_BYTES, judge_body, lengths, read_head};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why nothing more is read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The other end was closed.
    #[error("the capture process has ended the stream")]
    Ended(#[from] std::io::Error),
    /// What was read is no packet.
    #[error("the capture process does not keep to the form of live video")]
    Form(#[from] LiveError),
}

/// The next packet.
///
/// # Errors
/// `ReadError`; nothing can be read behind it.
pub async fn read_packet(pipe: &mut (impl AsyncRead + Unpin)) -> Result<LivePacket, ReadError> {
    let mut prefix = [0; PREFIX_BYTES];
    pipe.read_exact(&mut prefix).await?;
    let (head, body) = lengths(prefix)?;
    let mut head = vec![0; head];
    pipe.read_exact(&mut head).await?;
    let head = read_head(&head)?;
    judge_body(&head, body)?;
    // It grows with what comes, and not with what a process says that will come.
    let mut bytes = Vec::new();
    let read = pipe.take(body as u64).read_to_end(&mut bytes).await?;
    if read < body {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(LivePacket { head, body: Arc::from(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::live_backlog::fragment;

    #[tokio::test]
    async fn packets_are_read_until_the_other_end_is_closed_or_writes_something_else() {
        let packet = fragment(true, [1, 2, 3]);
        let whole = [packet.front(), packet.body.to_vec()].concat();
        let mut twice = &[whole.clone(), whole.clone()].concat()[..];
        assert_eq!(read_packet(&mut twice).await.unwrap(), packet);
        assert_eq!(read_packet(&mut twice).await.unwrap(), packet);
        assert!(matches!(read_packet(&mut twice).await, Err(ReadError::Ended(_))));
        let mut cut = &whole[..whole.len() - 1];
        assert!(matches!(read_packet(&mut cut).await, Err(ReadError::Ended(_))));
        let mut other = &[0xff; 40][..];
        assert!(matches!(read_packet(&mut other).await, Err(ReadError::Form(_))));
    }
}
