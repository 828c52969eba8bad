//! Bodies that SDKs send, cut anywhere, and bodies that nobody should send.

use super::*;
use proptest::prelude::*;

const SIGNATURE: &str = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
/// What boto3 1.44.8 sent over TLS.
const BOTO3: &str = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";

/// What is in a body that arrives in parts of so many bytes: its bytes, the signatures and the headers.
#[derive(Debug, Default, Eq, PartialEq)]
struct Seen {
    data: Vec<u8>,
    signatures: usize,
    chunks: usize,
    trailers: Vec<(String, String)>,
    has_ended: bool,
}

fn read(body: &[u8], part: usize, is_signed: bool, has_trailer: bool) -> Result<Seen, ChunkError> {
    let (mut chunks, mut seen) = (Chunks::new(is_signed, has_trailer), Seen::default());
    for mut input in body.chunks(part) {
        while let Some(piece) = chunks.next(&mut input)? {
            match piece {
                Piece::Chunk { signature } => seen.signatures += usize::from(signature.is_some()),
                Piece::Data(data) => seen.data.extend_from_slice(data),
                Piece::ChunkEnd => seen.chunks += 1,
                Piece::Trailer(name, value) => seen.trailers.push((name, value)),
                Piece::End => {}
            }
        }
        assert!(input.is_empty());
    }
    seen.has_ended = chunks.has_ended();
    Ok(seen)
}

#[test]
fn bodies_of_sdks_are_read_however_they_are_cut() {
    let signed = format!("5;chunk-signature={SIGNATURE}\r\nhello\r\n0;chunk-signature={SIGNATURE}\r\n");
    let trailer = format!("X-Amz-Checksum-Crc32:NhCmhg==\r\nx-amz-trailer-signature:{SIGNATURE}\r\n\r\n");
    for part in 1..200 {
        let seen = read(BOTO3.as_bytes(), part, false, true).unwrap();
        assert_eq!(seen.trailers, [("x-amz-checksum-crc32".to_owned(), "NhCmhg==".to_owned())]);
        assert!(seen.data == b"hello" && seen.has_ended && seen.signatures == 0 && seen.chunks == 1, "{part}");
        let seen = read(format!("{signed}\r\n").as_bytes(), part, true, false).unwrap();
        assert!(seen.data == b"hello" && seen.has_ended && seen.signatures == 2, "{part}");
        let seen = read(format!("{signed}{trailer}").as_bytes(), part, true, true).unwrap();
        assert!(seen.has_ended && seen.trailers.len() == 2, "{part}");
    }
    assert!(read(b"0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n", 7, false, true).unwrap().has_ended);
    assert!(!read(&BOTO3.as_bytes()[..BOTO3.len() - 2], 9, false, true).unwrap().has_ended);
}

#[test]
fn other_bodies_are_refused() {
    let signed = format!("5;chunk-signature={SIGNATURE}\r\nhello\r\n0;chunk-signature={SIGNATURE}\r\n\r\n");
    for (body, is_signed, has_trailer) in [
        (BOTO3, true, true),
        (BOTO3, false, false),
        (signed.as_str(), false, false),
        ("5\nhello\r\n", false, true),
        ("5\r\nhello!\r\n", false, true),
        ("5\r\nhelloX\n0\r\n\r\n", false, true),
        ("-5\r\n", false, true),
        ("+5\r\n", false, true),
        ("\r\n", false, true),
        ("fffffffffffffffff\r\n", false, true),
        ("5 \r\nhello\r\n", false, true),
        ("5;extension=1\r\nhello\r\n", false, true),
        ("5;chunk-signature=abc\r\nhello\r\n", true, true),
        ("0\r\nno header\r\n\r\n", false, true),
        ("0\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\n\r\n", false, true),
        ("0\r\n\r\nmore", false, true),
        ("0\r\na:\u{fc}\r\n\r\n", false, true),
    ] {
        assert_eq!(read(body.as_bytes(), 11, is_signed, has_trailer), Err(ChunkError::Malformed), "{body:?}");
    }
    assert_eq!(read(&[b'0'; 300], 64, false, true), Err(ChunkError::Malformed), "a line without an end");
    let tiny = "1\r\nx\r\n".repeat(2000);
    assert_eq!(read(tiny.as_bytes(), 4096, false, true), Err(ChunkError::TooSmall));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..600), part in 1_usize..64) {
        for (is_signed, has_trailer) in [(false, true), (true, false), (true, true)] {
            if let Ok(seen) = read(&body, part, is_signed, has_trailer) {
                prop_assert!(seen.data.len() <= body.len());
            }
        }
    }

    #[test]
    fn what_is_cut_into_chunks_is_put_together_again(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..8),
        part in 1_usize..500,
    ) {
        let mut body = Vec::new();
        for chunk in &chunks {
            body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
        let seen = read(&body, part, false, true).unwrap();
        prop_assert!(seen.has_ended && seen.data == chunks.concat() && seen.chunks == chunks.len());
    }
}
