//! Damaged files: every sample cut at each percent of its length, with flipped bits and with lengths planted in it. A reader may refuse
//! a file or read it, but it may not panic, hang, or take memory that the file does not warrant.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use twin_core::{Random, SubjectId};
use twin_io::dataframe::{Column, DataFrame, Values};
use twin_io::dicom::{self, Dose, Plan, Segmentation, Structures};
use twin_io::fhir::{self, Identity};
use twin_io::genomics::{maf, vcf};
use twin_io::nifti::Image;
use twin_io::omop::{Concepts, Tables};
use twin_io::{Date, IoError, Limits, parquet, sbml};
use twin_tests::data;

/// Reads the bytes of a file by every reader that could be meant, and gives the errors.
fn errors(name: &str, bytes: &[u8]) -> Vec<IoError> {
    let limits = Limits::default();
    let mut errors = Vec::new();
    let mut keep = |error: Option<IoError>| errors.extend(error);
    if name.contains(".nii") {
        match Image::parse(bytes, name, &limits) {
            Ok(image) => {
                keep(image.values().err());
                let _ = (image.volume(0, "1".parse().unwrap()), image.notes());
            }
            Err(error) => keep(Some(error)),
        }
    } else if name.contains(".dcm") {
        keep(dicom::parse_frames(bytes, name, &limits).err());
        keep(dicom::parse_series(&[(name, bytes)], &limits).err());
        keep(Structures::parse(bytes, name, &limits).err());
        keep(Dose::parse(bytes, name, &limits).err());
        keep(Plan::parse(bytes, name, &limits).err());
        match Segmentation::parse(bytes, name, &limits) {
            Ok(segmentation) => {
                keep(segmentation.segments.first().and_then(|segment| segmentation.mask(segment.number, 0.5, &limits).err()))
            }
            Err(error) => keep(Some(error)),
        }
    } else if name.contains(".xml") {
        let day = "d".parse().unwrap();
        match std::str::from_utf8(bytes) {
            Ok(text) => keep(sbml::parse(text, name, Some(&day), &limits).err()),
            Err(_) => keep(file(name, bytes, |path| sbml::read(path, Some(&day), &limits).err())),
        }
    } else if name.contains(".json") {
        let identity = Identity { subject: SubjectId::new("S").unwrap(), origin: Date::parse("2020-01-01").unwrap() };
        match std::str::from_utf8(bytes) {
            Ok(text) => keep(fhir::parse(text, name, &identity, &limits).err()),
            Err(_) => keep(file(name, bytes, |path| fhir::read(path, &identity, &limits).err())),
        }
    } else {
        keep(file(name, bytes, |path| maf::read(path, &limits).err()));
        keep(file(name, bytes, |path| vcf::read(path, None, &limits).err()));
    }
    errors
}

/// Reads bytes from a file, by a reader that inflates or decodes what it finds there.
fn file<T>(name: &str, bytes: &[u8], read: impl Fn(&Path) -> T) -> T {
    let folder = std::env::temp_dir().join(format!("twin-bad-{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let read = read(&path);
    std::fs::remove_dir_all(folder).unwrap();
    read
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
    // The same bytes under another name would say nothing new.
    let mut seen = std::collections::HashSet::new();
    samples.retain(|sample| seen.insert(std::fs::read(sample).unwrap()));
    let models =
        ["00041", "00951", "01511", "01755"].map(|case| format!("reference/sbml_semantic/raw/{case}/{case}-sbml-l3v2.xml"));
    samples.extend(models.iter().map(|model| root.join(model)));
    samples
}

/// What came of the damaged forms of some samples.
#[derive(Default)]
struct Tally {
    forms: usize,
    refused: usize,
    slowest: Duration,
}

/// Reads every damaged form of a sample.
fn damage(index: usize, sample: &Path, tally: &mut Tally) {
    let bytes = std::fs::read(sample).unwrap();
    let name = sample.file_name().unwrap().to_string_lossy();
    let mut random = Random::new(7).stream(index as u64);
    // Of large files each form takes its time: some of them are enough.
    let step = (1 + bytes.len() / 4000).min(20);
    for form in damaged(&bytes, &mut random).iter().step_by(step) {
        let start = Instant::now();
        let errors = errors(&name, form);
        tally.slowest = tally.slowest.max(start.elapsed());
        tally.forms += 1;
        tally.refused += usize::from(!errors.is_empty());
        for error in errors {
            let message = error.to_string();
            assert!(message.contains(&*name) || matches!(error, IoError::Empty { .. }), "{message}");
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read_in_bounds() {
    const THREADS: usize = 2;
    let Some(root) = data("damaged_files_are_refused_or_read_in_bounds", ".") else { return };
    let samples = samples(&root);
    let share = &|first: usize| {
        let mut tally = Tally::default();
        samples.iter().enumerate().skip(first).step_by(THREADS).for_each(|(index, sample)| damage(index, sample, &mut tally));
        tally
    };
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || share(first))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let (forms, refused): (usize, usize) =
        (tallies.iter().map(|tally| tally.forms).sum(), tallies.iter().map(|tally| tally.refused).sum());
    let slowest = tallies.iter().map(|tally| tally.slowest).max().unwrap();
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

#[test]
fn damaged_tables_are_refused_or_read_in_bounds() {
    let mut random = Random::new(11);
    let rows = 300;
    let texts = (0..rows).map(|row| (row % 5 > 0).then(|| format!("drug {}", row % 7))).collect();
    let frame = DataFrame::new(vec![
        Column::new("person_id", Values::Integer((0..rows).map(Some).collect())),
        Column::new("dose", Values::Number((0..rows).map(|row| (row % 3 > 0).then_some(row as f64 / 7.0)).collect())),
        Column::new("drug", Values::Text(texts)),
        Column::new("given", Values::Boolean((0..rows).map(|row| Some(row % 2 > 0)).collect())),
    ])
    .unwrap();
    let bytes = parquet::to_bytes(&frame).unwrap();
    let limits = Limits::default();
    let cut = bytes.len() - 1;
    assert!((0..=cut).all(|length| parquet::parse(&bytes[..length], "cut", &limits).is_err()));
    let start = Instant::now();
    let mut refused = 0;
    let forms: Vec<Vec<u8>> = (0..10).flat_map(|_| damaged(&bytes, &mut random)).collect();
    for form in &forms {
        if let Err(error) = parquet::parse(form, "table.parquet", &limits) {
            assert!(error.to_string().contains("table.parquet"), "{error}");
            refused += 1;
        }
    }
    assert!(refused > forms.len() / 2, "{refused} of {}", forms.len());
    assert!(start.elapsed() < Duration::from_secs(10) && peak_mib().is_none_or(|peak| peak < 512));
}

#[test]
fn damaged_tables_of_omop_never_show_a_value() {
    let limits = Limits::default();
    let table = |name: &str, text: &str| DataFrame::parse_csv(text, name, ',', &limits);
    let concepts = "concept_id,concept_name,vocabulary_id,concept_code\n1,PSA,LOINC,2857-1\n2,ng,UCUM,ng/mL\n3,drug,RxNorm,1\n";
    let concepts = Concepts::of(&table("concept", concepts).unwrap()).unwrap();
    let measured = "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id,unit_source_value\n\
        1,7,1,2024-03-02,918273,2,QZX\n2,7,1,2024-03-09,918273,,ng/mL\n";
    let given = "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,quantity,dose_unit_source_value\n\
        1,7,3,2024-03-01,2024-03-08,918273,\n";
    let identity = Identity { subject: SubjectId::new("S").unwrap(), origin: Date::parse("2024-01-01").unwrap() };
    let mut random = Random::new(12);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut damaged = [measured.as_bytes().to_vec(), given.as_bytes().to_vec()];
        for bytes in &mut damaged {
            let at = random.below(bytes.len());
            bytes[at] = b"0123456789,-\"\n.eQ"[random.below(17)];
        }
        let [measured, given] = damaged.map(|bytes| String::from_utf8(bytes).unwrap());
        let record = table("person", "person_id\n7\n").and_then(|person| {
            let tables =
                [("person", person), ("measurement", table("measurement", &measured)?), ("drug_exposure", table("drug", &given)?)];
            Tables::new(tables)?.patient(7, &identity, &concepts, &limits)
        });
        match record {
            Ok(_) => read += 1,
            Err(error) => {
                refused += 1;
                let message = format!("{error} {error:?}");
                assert!(!message.contains("9182") && !message.contains("2024") && !message.contains("QZX"), "{message}");
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}
