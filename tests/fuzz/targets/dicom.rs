#![no_main]
//! A DICOM file, by every reader that could be meant.

use twin_io::Limits;
use twin_io::dicom::{Dose, Plan, Segmentation, Structures, parse_frames, parse_series};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let _ = parse_frames(bytes, "fuzz", &limits);
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
