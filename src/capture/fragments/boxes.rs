//! The form of all boxes: a length, a name of four letters, a content that may be boxes.

/// Writes boxes one after another.
#[derive(Debug, Default)]
pub(super) struct BoxWriter {
    bytes: Vec<u8>,
}

impl BoxWriter {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// A box with what `content` writes.
    pub(super) fn boxed(&mut self, name: &[u8; 4], content: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.u32(0);
        self.bytes(name);
        content(self);
        let length = self.bytes.len() - start;
        self.set_u32(start, length);
    }

    /// A box whose content begins with a version and 24 bits of flags.
    pub(super) fn full(&mut self, name: &[u8; 4], (version, flags): (u8, u32), content: impl FnOnce(&mut Self)) {
        self.boxed(name, |out| {
            out.u32(u32::from(version) << 24 | flags);
            content(out);
        });
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Where the next byte comes to lie.
    pub(super) fn place(&self) -> usize {
        self.bytes.len()
    }

    /// Overwrites four bytes with a length. No frame is near 4 GiB.
    pub(super) fn set_u32(&mut self, place: usize, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.bytes[place..place + 4].copy_from_slice(&length.to_be_bytes());
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_the_length_of_what_is_in_it() {
        let mut out = BoxWriter::default();
        out.boxed(b"moof", |out| out.full(b"mfhd", (1, 2), |out| out.u32(7)));
        let expected =
            [0, 0, 0, 24, b'm', b'o', b'o', b'f', 0, 0, 0, 16, b'm', b'f', b'h', b'd', 1, 0, 0, 2, 0, 0, 0, 7];
        assert_eq!(out.into_bytes(), expected);
    }
}
