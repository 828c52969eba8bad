//! What is said of a picture inside its own file: a JPEG comment (segment COM of ITU-T T.81, B.2.4.5), which every viewer passes over.

/// Marker of a comment, and of the segments that stand at the beginning of a file (JFIF and Exif).
const COM: [u8; 2] = [0xff, 0xfe];
const APP0: [u8; 2] = [0xff, 0xe0];
const APP1: [u8; 2] = [0xff, 0xe1];

/// The start of an image.
const SOI: [u8; 2] = [0xff, 0xd8];

/// The picture with a comment behind its first segments; as it is if it is no JPEG, or if the comment is too long for one.
pub fn with_comment(jpeg: &[u8], comment: &str) -> Vec<u8> {
    let length = u16::try_from(comment.len() + 2).ok();
    let Some(length) = length.filter(|_| jpeg.starts_with(&SOI)) else { return jpeg.to_vec() };
    let mut at = SOI.len();
    while let Some([first, second, high, low]) = jpeg.get(at..at + 4)
        && ([*first, *second] == APP0 || [*first, *second] == APP1)
    {
        let end = at + 2 + usize::from(u16::from_be_bytes([*high, *low]));
        if end > jpeg.len() {
            break;
        }
        at = end;
    }
    [&jpeg[..at], &COM, &length.to_be_bytes(), comment.as_bytes(), &jpeg[at..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stands_behind_the_first_segments_and_changes_nothing_else() {
        let file = [&SOI[..], &APP0, &[0, 4, 1, 2], &APP1, &[0, 2], &[0xff, 0xdb, 0, 2, 9]].concat();
        let commented = with_comment(&file, "ab");
        assert_eq!(commented[..12], file[..12]);
        assert_eq!(commented[12..18], [0xff, 0xfe, 0, 4, b'a', b'b']);
        assert_eq!(commented[18..], file[12..]);
        // The length of a segment that lies is not followed.
        let lying = [&SOI[..], &APP0, &[0xff, 0xff, 1]].concat();
        assert_eq!(with_comment(&lying, "")[2..6], [0xff, 0xfe, 0, 2]);
    }

    #[test]
    fn what_is_no_jpeg_or_has_no_place_for_it_stays_as_it_is() {
        assert_eq!(with_comment(b"", "epoch=1"), b"");
        assert_eq!(with_comment(b"\x89PNG", "epoch=1"), b"\x89PNG");
        assert_eq!(with_comment(&SOI, &"x".repeat(70_000)), SOI);
        assert_eq!(with_comment(&SOI, "x"), [0xff, 0xd8, 0xff, 0xfe, 0, 3, b'x']);
    }
}
