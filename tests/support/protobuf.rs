//! Fields of protobuf messages, for ONNX files that tests make.

/// A number in as few groups of seven bits as it needs.
pub fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = if number > 0x7f { 0x80 } else { 0 };
        bytes.push(u8::try_from(number & 0x7f).unwrap() | more);
        number >>= 7;
        if number == 0 {
            return bytes;
        }
    }
}

/// A field with bytes, text or a message.
pub fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

/// A field with a number.
pub fn value(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}
