//! Base64 and the picture in it, as a unit decodes it.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use ocelli::unit::image_decode::decode;
use ocelli::vision::image_limits::ImageLimits;

fuzz_target!(|data: &[u8]| {
    // Mostly pictures themselves: base64 has few ways to go wrong.
    let decoded = STANDARD.decode(data);
    let bytes = decoded.as_deref().unwrap_or(data);
    let limits = ImageLimits { min_side: 1, max_side: 1024, max_aspect: 1024 };
    if let Ok(image) = decode(bytes, &limits, (64, 64)) {
        assert_eq!(image.samples.len(), 3 * image.width as usize * image.height as usize);
        assert!(image.original.0 >= image.width || image.original.1 >= image.height);
    }
});
