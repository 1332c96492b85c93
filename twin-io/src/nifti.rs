//! NIfTI-1 and NIfTI-2 images in one file (`.nii`, `.nii.gz`), in and out.
//!
//! ```
//! use twin_io::volume::{Lattice, Volume};
//! use twin_io::{Limits, nifti::Image};
//! let lattice = Lattice::from_ras([2, 1, 1], [[2.0, 0.0, 0.0, -9.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0]])?;
//! let volume = Volume::new(lattice, "1".parse()?, vec![0.25, 0.75])?;
//! let bytes = Image::from_volume(&volume)?.to_bytes();
//! let image = Image::parse(&bytes, "cellularity.nii", &Limits::default())?;
//! assert_eq!(image.volume(0, "1".parse()?)?, volume);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Size and type are checked in the header before anything else is inflated. Every byte of header, extensions and data is kept, so
//! that [`Image::to_bytes`] gives back what was read, bit for bit.
//!
//! **Orientation.** A file has up to two maps to the world, both in RAS: the sform and the qform. The sform is taken where it is
//! set, else the qform, as nibabel and ITK do, and [`Note::FormsDisagree`] tells when the two differ. Where neither is set, readers
//! invent a place, each its own (nibabel centers the grid and flips x, ITK starts at the origin): [`Image::volume`] refuses, and
//! [`Image::volume_at`] asks for the place.
//!
//! **Not read**: pairs of `.hdr` and `.img`, complex numbers, numbers of 128 bits.

mod header;
mod kind;
mod numbers;
mod write;

pub use kind::{Kind, Note, Orientation};

use crate::volume::{Affine, Lattice, Volume};
use crate::{IoError, Limits, Place, file, inflate};
use header::{Header, Layout, SECOND};
use std::path::Path;
use twin_core::Unit;

/// An image, as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    header: Header,
    big: bool,
    /// Header, extensions and data.
    bytes: Vec<u8>,
    place: Place,
}

impl Image {
    /// Reads a file, compressed or not.
    ///
    /// # Errors
    /// [`IoError::Read`], [`IoError::Limit`], and as [`Image::parse`].
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        let path = path.as_ref();
        Self::of(file::read_bytes(path, limits)?, Place::of(Some(path)), limits)
    }

    /// An image from the bytes of a file named `name`, compressed or not.
    ///
    /// # Errors
    /// [`IoError::Format`] for another format, [`IoError::Limit`] for more voxels than allowed, [`IoError::Unsupported`] for a type
    /// of number that is not read, [`IoError::Invalid`] for a field out of its range, [`IoError::Truncated`] and
    /// [`IoError::Syntax`] for data of another size than the header's, or a damaged compression.
    pub fn parse(bytes: &[u8], name: &str, limits: &Limits) -> Result<Self, IoError> {
        let path = Path::new(name);
        file::checked_size(bytes.len(), Some(path), limits)?;
        Self::of(bytes.to_vec(), Place::of(Some(path)), limits)
    }

    fn of(bytes: Vec<u8>, place: Place, limits: &Limits) -> Result<Self, IoError> {
        let zipped = inflate::is_gzip(&bytes);
        let start = if zipped { inflate::gunzip(&bytes, SECOND, &place)?.0 } else { bytes.iter().take(SECOND).copied().collect() };
        let format = || IoError::Format { place: place.clone().byte(0), expected: "NIfTI-1 or NIfTI-2 in one file" };
        let layout = Layout::of(&start).ok_or_else(format)?;
        if start.len() < layout.length() {
            return Err(place.byte(start.len()).truncated("the header"));
        }
        let magic = if layout.second { start.get(4..12) } else { start.get(344..348) };
        let is_single = magic == Some(if layout.second { b"n+2\0\r\n\x1a\n" } else { b"n+1\0" });
        if !is_single {
            return Err(format());
        }
        let header = Header::parse(&start, layout, limits, &place)?;
        let needed = header.data_at + header.voxels().saturating_mul(header.kind.bytes());
        let (bytes, whole) = if zipped {
            inflate::gunzip(&bytes, needed, &place)?
        } else {
            let whole = bytes.len() <= needed;
            (bytes, whole)
        };
        if bytes.len() < needed {
            return Err(place.byte(bytes.len()).truncated(format!("the voxels, {needed} bytes with the header")));
        }
        if !whole {
            return Err(place.byte(needed).syntax("the file goes on after the last voxel"));
        }
        Ok(Self { header, big: layout.big, bytes, place })
    }

    /// Voxels along each axis, one to seven of them: three of space, then time, then others.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// The spacing along each axis, in the units of the file.
    #[must_use]
    pub fn spacing(&self) -> &[f64] {
        &self.header.spacing
    }

    /// The type of the numbers in the file.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// Slope and intercept of the scaling, if there is one.
    #[must_use]
    pub fn scale(&self) -> Option<(f64, f64)> {
        self.header.scale
    }

    /// The map of the quaternion to RAS in mm, if it is set.
    #[must_use]
    pub fn qform(&self) -> Option<Affine> {
        self.header.qform.map(|affine| self.in_millimeters(affine))
    }

    /// The map of the three rows to RAS in mm, if it is set.
    #[must_use]
    pub fn sform(&self) -> Option<Affine> {
        self.header.sform.map(|affine| self.in_millimeters(affine))
    }

    /// Which map says where the voxels lie.
    #[must_use]
    pub fn orientation(&self) -> Orientation {
        let code = |code: i64| u8::try_from(code).unwrap_or(0); // 1 to 5, as checked
        match (self.header.sform_code, self.header.qform_code) {
            (0, 0) => Orientation::Unstated,
            (0, qform) => Orientation::Qform(code(qform)),
            (sform, _) => Orientation::Sform(code(sform)),
        }
    }

    /// The map to RAS in mm: the sform, else the qform.
    #[must_use]
    pub fn affine_ras(&self) -> Option<Affine> {
        self.sform().or_else(|| self.qform())
    }

    /// What a user should know of the file.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.header.millimeters.is_none() {
            notes.push(Note::LengthUnitUnstated);
        }
        if let (Some(sform), Some(qform)) = (self.sform(), self.qform()) {
            let apart = self.largest_distance(&sform, &qform);
            if apart > 0.01 {
                notes.push(Note::FormsDisagree(apart));
            }
        }
        notes
    }

    /// The numbers of the file, scaled, first axis fastest; they may be NaN or infinite. Colors are summed up over their three parts.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for a whole number of more than 53 bits, which a floating-point number does not hold.
    pub fn values(&self) -> Result<Vec<f64>, IoError> {
        self.numbers(0, self.header.voxels())
    }

    /// The volume of time point `index`, counted over all axes after the third, with its values in `unit`.
    ///
    /// # Errors
    /// [`IoError::Invalid`] where the file states no orientation (see [`Image::volume_at`]), for a time point that is not there, an
    /// affine that does not span space, colors, and values that are not finite.
    pub fn volume(&self, index: usize, unit: Unit) -> Result<Volume, IoError> {
        let ras = self.affine_ras().ok_or_else(|| {
            self.place
                .clone()
                .field("sform_code")
                .invalid("neither sform nor qform is set: say where the voxels lie, with `volume_at`")
        })?;
        self.volume_at(ras, index, unit)
    }

    /// As [`Image::volume`], with the place of the voxels, in mm RAS, from the caller.
    ///
    /// # Errors
    /// As [`Image::volume`].
    pub fn volume_at(&self, ras: Affine, index: usize, unit: Unit) -> Result<Volume, IoError> {
        let space: [usize; 3] = std::array::from_fn(|axis| self.shape().get(axis).copied().unwrap_or(1));
        let voxels: usize = space.iter().product();
        let points = self.header.voxels() / voxels;
        if index >= points {
            return Err(self
                .place
                .clone()
                .field("dim")
                .invalid(format!("there is no volume {index}; volumes there are: 0 to {}", points - 1)));
        }
        if self.kind() == Kind::Rgb {
            return Err(self.place.clone().field("datatype").invalid("colors are not numbers in a unit; see `values`"));
        }
        let invalid = |error: twin_core::CoreError| self.place.clone().invalid(error.to_string());
        let lattice = Lattice::from_ras(space, ras).map_err(invalid)?;
        let values = self.numbers(index * voxels, voxels)?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let voxel = (at % space[0], at / space[0] % space[1], at / space[0] / space[1]);
            return Err(self.place.clone().invalid(format!("voxel {voxel:?} of volume {index} is not finite; see `values`")));
        }
        Volume::new(lattice, unit, values).map_err(invalid)
    }

    fn in_millimeters(&self, affine: Affine) -> Affine {
        let factor = self.header.millimeters.unwrap_or(1.0);
        affine.map(|row| row.map(|value| value * factor))
    }

    /// The largest distance between where two maps put a corner of the grid.
    fn largest_distance(&self, a: &Affine, b: &Affine) -> f64 {
        let last = |axis: usize| self.shape().get(axis).map_or(0.0, |size| *size as f64 - 1.0);
        let corners = (0..8).map(|bits| [0, 1, 2].map(|axis| if bits >> axis & 1 == 1 { last(axis) } else { 0.0 }));
        let apart = |[i, j, k]: [f64; 3]| {
            let along = |row: usize| {
                (a[row][0] - b[row][0]) * i + (a[row][1] - b[row][1]) * j + (a[row][2] - b[row][2]) * k + a[row][3] - b[row][3]
            };
            along(0).hypot(along(1)).hypot(along(2))
        };
        corners.map(apart).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests;
