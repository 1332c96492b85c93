//! Files of the clinic: how many values of other readers ours miss.

use super::Claim;
use crate::{data, io_reference};
use std::path::Path;

const NIBABEL: &str = "nibabel 5.4 and SimpleITK 2.5 on 17 files of nibabel and nifti-rs (io_reference/nifti.json)";

const PYDICOM: &str = "pydicom 3.0.2 and highdicom 0.28.2 (io_reference/dicom_images.json, rt_reference.json, dicom_seg.json)";

const MAF: &str = "TCGA Research Network 2013, doi:10.1056/NEJMoa1301689, as in maftools; counts made with awk";

pub(super) fn claims() -> Vec<Claim> {
    vec![
        claim("io.nifti_missed", "values of NIfTI files that are not reproduced", NIBABEL, 0.0, |root| {
            Ok(io_reference::nifti::tally(root)?.missed.len() as f64)
        }),
        claim("io.dicom_missed", "values of DICOM files that are not reproduced", PYDICOM, 0.0, |root| {
            Ok(io_reference::dicom::tally(root)?.missed.len() as f64)
        }),
        claim("io.maf_missed", "counts of a mutation annotation file that are not reproduced", MAF, 0.0, |root| {
            let folder = root.join("../../data/genomics_maf");
            Ok(io_reference::genomics::tally(&folder).map_err(super::words)?.missed.len() as f64)
        }),
    ]
}

/// A claim on the tables of `io_reference`, open where they are absent.
fn claim(id: &str, claim: &str, source: &'static str, expected: f64, run: fn(&Path) -> Result<f64, String>) -> Claim {
    let run = move || data("io", "reference/io_reference").map(|root| run(&root)).transpose();
    Claim { id: id.to_owned(), claim: claim.to_owned(), source, expected, tolerance: 0.0, quick: true, run: Box::new(run) }
}
