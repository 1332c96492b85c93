#![no_main]
//! A DICOM file, by every reader that could be meant, and by the writer that leaves the person out.

use twin_io::Limits;
use twin_io::dicom::{Dose, Plan, Segmentation, Structures, deidentify, parse_frames, parse_series};
use twin_io::governance::Key;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let frames = parse_frames(bytes, "fuzz", &limits);
    let key = Key::new((0..32).collect::<Vec<u8>>()).expect("a key");
    if let Ok(copy) = deidentify(bytes, "fuzz", "MRN 1", &[], &key, &limits)
        && let (Ok(frames), Ok(copied)) = (frames, parse_frames(&copy, "copy", &limits))
    {
        assert_eq!(frames.values, copied.values);
    }
    let _ = Plan::parse(bytes, "fuzz", &limits);
    let _ = Dose::parse(bytes, "fuzz", &limits);
    let series = parse_series(&[("fuzz", bytes)], &limits);
    if let (Ok(structures), Ok(series)) = (Structures::parse(bytes, "fuzz", &limits), &series) {
        for structure in &structures.structures {
            let _ = structure.mask(series.volume.lattice());
        }
    }
    if let Ok(segmentation) = Segmentation::parse(bytes, "fuzz", &limits) {
        for segment in &segmentation.segments {
            let _ = segmentation.mask(segment.number, 0.5, &limits);
        }
    }
});
