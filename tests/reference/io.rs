//! Every value of `io_reference`, by format: how many there are, how many ours reproduce, and why not the others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use twin_core::SubjectId;
use twin_io::fhir::{self, Identity};
use twin_io::nifti::{Image, Kind};
use twin_io::volume::Mask;
use twin_io::{Date, Limits, nifti};
use twin_tests::{data, io_reference};

const REFERENCE: &str = "reference/io_reference";

#[test]
fn nifti_of_nibabel_and_simple_itk() {
    let Some(root) = data("nifti_of_nibabel_and_simple_itk", REFERENCE) else { return };
    let tally = io_reference::nifti::tally(&root).unwrap();
    tally.print("NIfTI");
    assert_eq!((tally.reproduced(), tally.missed), (tally.expected, vec![]));
    assert!(tally.expected >= 250, "{}", tally.expected);
}

#[test]
fn dicom_of_pydicom_and_highdicom() {
    let Some(root) = data("dicom_of_pydicom_and_highdicom", REFERENCE) else { return };
    let tally = io_reference::dicom::tally(&root).unwrap();
    tally.print("DICOM");
    assert_eq!(tally.missed, Vec::<String>::new());
    assert!(tally.reproduced() >= 200, "{}", tally.reproduced());
}

#[test]
fn maf_of_acute_myeloid_leukemia() {
    let Some(folder) = data("maf_of_acute_myeloid_leukemia", "data/genomics_maf") else { return };
    let tally = io_reference::genomics::tally(&folder).unwrap();
    tally.print("MAF");
    assert_eq!((tally.expected, tally.missed), (10, vec![]));
}

/// The bundles of mCODE's own extractor. Some hold templates whose dates read `YYYY-MM-DD`, which are not dates.
#[test]
fn bundles_of_the_mcode_extraction_framework() {
    let Some(folder) = data("bundles_of_the_mcode_extraction_framework", "data/mcode_fhir/extractors/fixtures") else { return };
    let identity = Identity { subject: SubjectId::new("S1").unwrap(), origin: Date::parse("2020-01-01").unwrap() };
    let (mut read, mut templates, mut left_out) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if !path.to_string_lossy().ends_with("bundle.json") {
            continue;
        }
        match fhir::parse(&text, "bundle.json", &identity, &Limits::default()) {
            Ok(bundle) => {
                read += 1;
                left_out += bundle.left_out.len();
                let resources = text.matches("\"resourceType\"").count() - 1;
                let patient = &bundle.patient;
                let kept = patient.timeline.entries().len()
                    + bundle.requests.len()
                    + bundle.courses.len()
                    + usize::from(patient.covariates.sex().is_some())
                    + patient.covariates.names().count();
                assert!(kept + bundle.left_out.len() >= resources, "{}: nothing may go unsaid", path.display());
            }
            Err(error) => {
                templates += 1;
                assert!(text.contains("YYYY-MM-DD") && error.to_string().contains("must be a date"), "{}: {error}", path.display());
            }
        }
    }
    println!(
        "mCODE: {read} bundles read, {left_out} parts of them listed as left out, {templates} templates without dates refused"
    );
    assert!(read >= 15, "{read}");
}

#[test]
fn nifti_files_come_back_bit_for_bit() {
    let Some(root) = data("nifti_files_come_back_bit_for_bit", "reference/io_reference/files") else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if !(name.ends_with(".nii") || name.ends_with(".nii.gz")) {
            continue;
        }
        let image = Image::read(&path, &Limits::default()).unwrap();
        let again = Image::parse(&image.to_bytes(), "again", &Limits::default()).unwrap();
        if name.ends_with(".nii") {
            assert_eq!(again.to_bytes(), std::fs::read(&path).unwrap(), "{name}");
        }
        assert_eq!(again.to_bytes(), image.to_bytes());
        assert_eq!(
            again.values().unwrap().iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
            image.values().unwrap().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        );
        if let (true, Ok(volume)) = (image.kind() != Kind::Rgb, image.volume(0, "1".parse().unwrap())) {
            let written = Image::from_volume(&volume).unwrap();
            assert_eq!(
                Image::parse(&written.to_bytes(), "written", &Limits::default()).unwrap().volume(0, "1".parse().unwrap()).unwrap(),
                volume
            );
        }
        files += 1;
    }
    println!("bit for bit: {files} files");
    assert_eq!(files, 18 - 1); // the 18 of the table, less one that the collection lacks
}

#[test]
fn glioblastoma_masks_and_the_atlas() {
    let Some(root) = data("glioblastoma_masks_and_the_atlas", "data") else { return };
    let voxels = |path: &str| {
        let image = nifti::Image::read(root.join("glioblastoma_masks").join(path), &Limits::default()).unwrap();
        let inside = image.values().unwrap().iter().filter(|value| **value > 0.5).count();
        let mask: Option<Mask> = image.volume(0, "1".parse().unwrap()).ok().map(|volume| volume.above(0.5));
        assert!(mask.is_none_or(|mask| mask.count() == inside));
        inside
    };
    // The counts of the data's own description.
    let counts =
        ["01", "02", "03", "04"].map(|patient| ["Pre", "Post"].map(|date| voxels(&format!("{patient}/{date}_Mask.nii.gz"))));
    assert_eq!(counts, [[8246, 10009], [2505, 3439], [2198, 2504], [2546, 2685]]);
    for tissue in ["gm", "t1", "wm"] {
        let path = root.join(format!("brain_atlas_mni152/mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz"));
        let volume = Image::read(path, &Limits::default()).unwrap().volume(0, "1".parse().unwrap()).unwrap();
        assert_eq!((volume.lattice().shape(), volume.lattice().spacing_mm()), ([197, 233, 189], [1.0; 3]));
    }
}

/// The plan of dicompyler-core, which is too large for the collection: `cargo test --test reference_io -- --ignored`, with the variable
/// `TWIN_DICOMPYLER` set to the folder `tests/testdata/example_data` of its source distribution, version 0.5.6.
#[test]
#[ignore = "needs the source distribution of dicompyler-core 0.5.6"]
fn histograms_of_dicompyler_core() {
    let Some(root) = data("histograms_of_dicompyler_core", REFERENCE) else { return };
    let folder = std::path::PathBuf::from(std::env::var("TWIN_DICOMPYLER").unwrap());
    let tally = io_reference::dicom::dicompyler(&root, &folder).unwrap();
    tally.print("dicompyler-core");
    assert_eq!(tally.missed, Vec::<String>::new());
    assert!(tally.expected > 120, "{}", tally.expected);
}

/// The tables that the extraction framework makes its bundles of.
#[test]
fn tables_of_the_mcode_extraction_framework() {
    let Some(folder) = data("tables_of_the_mcode_extraction_framework", "data/mcode_fhir/sample-client-data") else { return };
    let identity = Identity { subject: SubjectId::new("S1").unwrap(), origin: Date::parse("2020-01-01").unwrap() };
    for (number, age, height) in [("123", 40.0, None), ("456", 50.0, Some(169.9))] {
        let bundle = fhir::read_tables(&folder, number, &identity, &Limits::default()).unwrap();
        let covariates = &bundle.patient.covariates;
        let years = covariates.age_at_origin().unwrap().value.value_in("a").unwrap();
        assert!((years - age).abs() < 0.01, "{years}");
        let seen = covariates.values(&twin_core::CovariateName::HEIGHT).first().map(|(_, recorded)| recorded.value.clone());
        let seen = seen.map(|value| match value {
            twin_core::CovariateValue::Quantity(height) => height.value_in("cm").unwrap(),
            other => panic!("{other:?}"),
        });
        assert_eq!(seen.map(|height| (10.0 * height).round() / 10.0), height);
        assert_eq!(bundle.requests.len(), 1);
        println!("{number}: {} rows or tables are listed as left out", bundle.left_out.len());
        // Nothing is lost in silence: diagnoses in SNOMED CT, dates that may be two days, therapy that is on hold.
        assert!(bundle.left_out.iter().all(|left| !left.reason.is_empty()));
    }
}
