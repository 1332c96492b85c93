//! Damaged files: every sample cut at each percent of its length, with flipped bits and with lengths planted in it. A reader may refuse
//! a file or read it, but it may not panic, hang, or take memory that the file does not warrant.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use twin_core::{Random, SubjectId};
use twin_io::dicom::{self, Dose, Plan, Segmentation, Structures};
use twin_io::fhir::{self, Identity};
use twin_io::genomics::{maf, vcf};
use twin_io::nifti::Image;
use twin_io::{Date, IoError, Limits};
use twin_tests::data;

/// Reads a file by every reader that could be meant, and gives the errors.
fn errors(path: &Path) -> Vec<IoError> {
    let limits = Limits::default();
    let name = path.to_string_lossy();
    let mut errors = Vec::new();
    let mut keep = |error: Option<IoError>| errors.extend(error);
    if name.contains(".nii") {
        match Image::read(path, &limits) {
            Ok(image) => {
                keep(image.values().err());
                let _ = (image.volume(0, "1".parse().unwrap()), image.notes());
            }
            Err(error) => keep(Some(error)),
        }
    } else if name.contains(".dcm") {
        keep(dicom::read_frames(path, &limits).err());
        keep(dicom::read_series(&[path], &limits).err());
        keep(Structures::read(path, &limits).err());
        keep(Dose::read(path, &limits).err());
        keep(Plan::read(path, &limits).err());
        match Segmentation::read(path, &limits) {
            Ok(segmentation) => {
                keep(segmentation.segments.first().and_then(|segment| segmentation.mask(segment.number, 0.5, &limits).err()))
            }
            Err(error) => keep(Some(error)),
        }
    } else if name.contains(".json") {
        let identity = Identity { subject: SubjectId::new("S").unwrap(), origin: Date::parse("2020-01-01").unwrap() };
        keep(fhir::read(path, &identity, &limits).err());
    } else {
        keep(maf::read(path, &limits).err());
        keep(vcf::read(path, None, &limits).err());
    }
    errors
}

/// The most memory this process has held, in MiB, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// The damaged forms of a file.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = (0..100).map(|percent| bytes[..bytes.len() * percent / 100].to_vec()).collect();
    for _ in 0..60 {
        let mut flipped = bytes.to_vec();
        // Most that can go wrong is in the first kilobytes.
        for reach in [bytes.len(), bytes.len().min(2048)] {
            let at = random.below(reach);
            flipped[at] ^= 1 << random.below(8);
        }
        forms.push(flipped);
    }
    for length in [1_u32 << 31, u32::MAX, u32::MAX - 1, 0x7fff_ffff] {
        for _ in 0..15 {
            let mut planted = bytes.to_vec();
            let at = random.below(bytes.len().min(2048).saturating_sub(4).max(1));
            planted[at..at + 4].copy_from_slice(&length.to_le_bytes());
            forms.push(planted);
        }
    }
    forms
}

fn samples(root: &Path) -> Vec<PathBuf> {
    let folders = [
        "reference/io_reference/files",
        "data/dicom_samples",
        "data/mcode_fhir/extractors/fixtures",
        "data/glioblastoma_masks/04",
        "data/genomics_maf",
    ];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    let is_read = |path: &PathBuf| [".nii", ".dcm", ".json", ".maf"].iter().any(|kind| path.to_string_lossy().contains(kind));
    let mut samples: Vec<PathBuf> = files.filter(is_read).collect();
    samples.sort();
    samples
}

#[test]
fn damaged_files_are_refused_or_read_in_bounds() {
    let Some(root) = data("damaged_files_are_refused_or_read_in_bounds", ".") else { return };
    let folder = std::env::temp_dir().join(format!("twin-bad-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut random = Random::new(7);
    let (mut forms, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    let samples = samples(&root);
    for sample in &samples {
        let bytes = std::fs::read(sample).unwrap();
        // Of large files each form takes its time: some of them are enough.
        let step = (1 + bytes.len() / 4000).min(20);
        let path = folder.join(sample.file_name().unwrap());
        for form in damaged(&bytes, &mut random).iter().step_by(step) {
            std::fs::write(&path, form).unwrap();
            let start = Instant::now();
            let errors = errors(&path);
            slowest = slowest.max(start.elapsed());
            forms += 1;
            refused += usize::from(!errors.is_empty());
            for error in errors {
                let message = error.to_string();
                assert!(message.contains(&*path.to_string_lossy()) || matches!(error, IoError::Empty { .. }), "{message}");
            }
        }
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
    println!(
        "{} samples, {forms} damaged forms, {refused} refused by a reader, slowest {slowest:?}, peak {:?} MiB",
        samples.len(),
        peak_mib()
    );
    assert!(samples.len() > 80 && forms > 6_000 && refused > forms / 2);
    assert!(slowest < Duration::from_secs(10));
    assert!(peak_mib().is_none_or(|peak| peak < 512));
}

#[test]
fn every_truncation_is_refused() {
    let Some(root) = data("every_truncation_is_refused", "reference/io_reference/files") else { return };
    let mut cut = 0;
    for name in [
        "anatomical.nii",
        "example_nifti2.nii.gz",
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "image_dfl.dcm",
        "highdicom_seg_image_ct_binary.dcm",
    ] {
        let bytes = std::fs::read(root.join(name)).unwrap();
        let path = std::env::temp_dir().join(format!("twin-cut-{}-{name}", std::process::id()));
        for percent in 0..100 {
            std::fs::write(&path, &bytes[..bytes.len() * percent / 100]).unwrap();
            let read = if name.contains(".nii") {
                Image::read(&path, &Limits::default()).err()
            } else {
                dicom::read_frames(&path, &Limits::default()).err()
            };
            assert!(read.is_some(), "{name} cut at {percent} %");
            cut += 1;
        }
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(cut, 600);
}
