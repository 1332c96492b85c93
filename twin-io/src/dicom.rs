//! DICOM: images of a series, structures, doses, plans and segmentations.
//!
//! ```no_run
//! use twin_io::Limits;
//! use twin_io::dicom::{self, DoseVolume};
//! let limits = Limits::default();
//! let image = dicom::read_folder("ct", &limits)?; // sorted by place, gaps and mixtures refused
//! let structures = dicom::Structures::read("structures.dcm", &limits)?;
//! let dose = dicom::Dose::read("dose.dcm", &limits)?;
//! let tumor = structures.named("GTV")?;
//! println!("{} mm3, mean {} Gy", tumor.mask(image.volume.lattice())?.volume_mm3(), DoseVolume::of(&dose, tumor)?.mean_gy());
//! # Ok::<(), twin_io::IoError>(())
//! ```
//!
//! The parser is this crate's own. It looks at the tags it needs and at nothing else, checks every length against the bytes that are
//! left, and gives no name, date or number of a person. Places are in mm; a [`Lattice`](crate::volume::Lattice) gives them as RAS or
//! as LPS, the convention of DICOM.
//!
//! **Read**: implicit and explicit little endian, explicit big endian, deflated, RLE; 1 to 32 bits; with the feature `jpeg` gray frames in
//! JPEG (sequential in 8 bits, lossless), JPEG-LS and JPEG 2000. **Named and refused**: other compressions, colors in a series, gantry
//! tilt, gaps, slices of several patients, studies, series or frames of reference.

mod dataset;
#[cfg(feature = "governance")]
mod deidentify;
mod dose;
mod histogram;
mod image;
#[cfg(feature = "jpeg")]
mod jpeg;
#[cfg(feature = "jpeg")]
mod jpeg_ls;
mod parse;
mod pixels;
mod plan;
#[cfg(feature = "governance")]
mod profile;
mod rle;
mod segmentation;
mod series;
mod structures;
mod tag;

#[cfg(feature = "governance")]
pub use deidentify::deidentify;
pub use dose::{Dose, DoseSummation};
pub use histogram::DoseVolume;
pub use image::{Frames, parse_frames, read_frames};
pub use plan::{Beam, FractionGroup, Plan, Prescription};
pub use segmentation::{Code, Segment, Segmentation, SegmentationKind};
pub use series::{Series, parse_series, read_folder, read_series};
pub use structures::{Contour, Structure, Structures};

use crate::{IoError, Limits, Place, file};
use parse::Loaded;
use std::path::Path;

fn load(path: &Path, limits: &Limits) -> Result<Loaded, IoError> {
    Loaded::new(file::read_bytes(path, limits)?, Place::of(Some(path)), limits)
}

fn loaded(bytes: &[u8], name: &str, limits: &Limits) -> Result<Loaded, IoError> {
    let path = Path::new(name);
    file::checked_size(bytes.len(), Some(path), limits)?;
    Loaded::new(bytes.to_vec(), Place::of(Some(path)), limits)
}

#[cfg(test)]
mod tests;
