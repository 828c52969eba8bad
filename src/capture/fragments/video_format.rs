//! What an init segment says of the pictures beside their codec.

/// What the pictures of a stream are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::capture) struct VideoFormat {
    /// In pixels.
    pub(in crate::capture) width: u16,
    /// In pixels.
    pub(in crate::capture) height: u16,
    /// `chroma_format_idc`: 1 is 4:2:0.
    pub(in crate::capture) chroma: u8,
    /// Bits of a sample.
    pub(in crate::capture) bit_depth: u8,
}
