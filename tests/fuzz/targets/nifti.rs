#![no_main]
//! An image: what is read comes back bit for bit.

use twin_io::Limits;
use twin_io::nifti::Image;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = Image::parse(bytes, "fuzz", &Limits::default()) {
        let _ = (image.notes(), image.values());
        let _ = image.volume(0, "1".parse().expect("a unit"));
        let again = Image::parse(&image.to_bytes(), "again", &Limits::default()).expect("what was written can be read");
        assert_eq!(again.to_bytes(), image.to_bytes());
    }
});
