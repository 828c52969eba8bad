//! An `aws-chunked` body. The first byte says what is expected, the second in what parts it arrives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::http::s3::chunks::{Chunks, Piece};

fuzz_target!(|data: &[u8]| {
    let [kind, part, body @ ..] = data else { return };
    let mut chunks = Chunks::new(kind & 1 == 1, kind & 2 == 2);
    let mut bytes = 0;
    for mut input in body.chunks(usize::from(*part).max(1)) {
        loop {
            match chunks.next(&mut input) {
                Ok(Some(Piece::Data(data))) => bytes += data.len(),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(input.is_empty(), "what is not refused is taken");
    }
    assert!(bytes <= body.len());
});
