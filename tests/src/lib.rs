//! Shared by the laws, the published numbers and the workflows: where data lie, and the claims that are checked.

#[cfg(doctest)]
mod book;
pub mod brain;
pub mod claims;
pub mod convergence;
pub mod engines;
pub mod field_twin;
pub mod head;
pub mod iadt;
pub mod io_reference;
pub mod laleh;
pub mod nist;
pub mod npz;
pub mod plain_loop;
pub mod posteriordb;
pub mod posteriors;
pub mod psa;
pub mod races;
pub mod real_masks;
pub mod rivals;
pub mod sbc;
pub mod sbc_picture;
pub mod sbml;
pub mod spatial;
pub mod spatial_calibration;
pub mod studies;
pub mod study;
pub mod survival_tables;
pub mod table;
pub mod theophylline;
pub mod tumortwin;
pub mod tumortwin_cases;
pub mod two_arms;
pub mod updates;

use std::path::{Path, PathBuf};

/// The file or folder `path` of the data collection (variable `TWIN_DATA`, by default `shared` beside the workspace).
///
/// Where it is absent, prints that `test` is skipped and gives `None`; with `CI=true` absence is a failure.
///
/// # Panics
/// If the path is absent and `CI` is `true`.
#[must_use]
pub fn data(test: &str, path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("TWIN_DATA").map_or_else(beside, PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} needs {}, which is absent", found.display());
    println!("skipped: {test} ({path} is absent)");
    None
}
