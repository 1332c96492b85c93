//! One image file: its frames, where they lie, and what their numbers mean.

use super::parse::{Dataset, Loaded};
use super::pixels::{self, Layout};
use super::tag;
use crate::{IoError, Limits, Place};
use std::path::Path;

/// The frames of one file with their stored numbers, without rescaling and without a place: what the pixels say, and no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// Rows of a frame.
    pub rows: usize,
    /// Columns of a frame.
    pub columns: usize,
    /// Frames.
    pub frames: usize,
    /// Numbers of a pixel: 1, or 3 for a color.
    pub samples: usize,
    /// The stored numbers: frame by frame, row by row, the samples of a pixel together. They are whole.
    pub values: Vec<f64>,
    /// Slope and intercept of the modality, if the file states them for all its frames.
    pub rescale: Option<(f64, f64)>,
}

/// Reads the pixels of any file that has some: an image, a dose, a segmentation, colors.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Format`], [`IoError::Unsupported`] for a compression that is not read,
/// [`IoError::Truncated`], [`IoError::Syntax`] and [`IoError::Invalid`] with the tag.
pub fn read_frames(path: impl AsRef<Path>, limits: &Limits) -> Result<Frames, IoError> {
    frames(&super::load(path.as_ref(), limits)?, limits)
}

/// As [`read_frames`], from the bytes of a file named `name`.
///
/// # Errors
/// As [`read_frames`].
pub fn parse_frames(bytes: &[u8], name: &str, limits: &Limits) -> Result<Frames, IoError> {
    frames(&super::loaded(bytes, name, limits)?, limits)
}

fn frames(loaded: &Loaded, limits: &Limits) -> Result<Frames, IoError> {
    let dataset = loaded.dataset(limits)?;
    let layout = Layout::of(&dataset, limits, &loaded.place)?;
    let Layout { rows, columns, frames, samples, .. } = layout;
    let values = pixels::stored(&dataset, loaded, &layout)?;
    Ok(Frames { rows, columns, frames, samples, values, rescale: rescale(&dataset, &loaded.place)? })
}

/// A plane of an image: its place in LPS, its pixels and how far apart they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    pub(super) position: [f64; 3],
    /// The directions in which the column index and the row index grow.
    pub(super) along: [[f64; 3]; 2],
    /// Distance between neighboring columns, and between neighboring rows, in mm.
    pub(super) spacing: [f64; 2],
    /// Distance to the next plane that the file states, in mm.
    pub(super) step: Option<f64>,
    /// Slope and intercept.
    pub(super) rescale: Option<(f64, f64)>,
}

impl Plane {
    /// The plane of a data set, or of a frame whose functional groups are `groups`, the nearest first.
    pub(super) fn of(groups: &[&Dataset<'_>], dataset: &Dataset<'_>, place: &Place) -> Result<Self, IoError> {
        let inside = |sequence| groups.iter().find_map(|group| group.item(sequence)).unwrap_or(dataset);
        let measures = inside(tag::PIXEL_MEASURES);
        let position = inside(tag::PLANE_POSITION).array(tag::POSITION, place)?;
        let orientation = inside(tag::PLANE_ORIENTATION);
        let [a, b, c, d, e, f] = orientation.array(tag::ORIENTATION, place)?;
        let [between_rows, between_columns] = measures.array(tag::PIXEL_SPACING, place)?;
        if !(between_rows > 0.0 && between_columns > 0.0) {
            return Err(measures.place(tag::PIXEL_SPACING, place).invalid("must be above 0"));
        }
        let along = [[a, b, c], [d, e, f]];
        if along.iter().any(|axis| (dot(axis, axis) - 1.0).abs() > 2e-4) || dot(&along[0], &along[1]).abs() > 1e-4 {
            return Err(orientation
                .place(tag::ORIENTATION, place)
                .invalid("must be two directions of length 1 at right angles, to 1e-4"));
        }
        let step = match measures.number(tag::SPACING_BETWEEN_SLICES, place)? {
            None => measures.number(tag::SLICE_THICKNESS, place)?,
            stated => stated,
        };
        let spacing = [between_columns, between_rows];
        let rescale = rescale(inside(tag::PIXEL_VALUE_TRANSFORMATION), place)?;
        Ok(Self { position, along, spacing, step: step.map(f64::abs).filter(|step| *step > 0.0), rescale })
    }

    /// The direction at right angles to the plane.
    pub(super) fn normal(&self) -> [f64; 3] {
        let [[a, b, c], [d, e, f]] = self.along;
        [b * f - c * e, c * d - a * f, a * e - b * d]
    }

    /// How far along the normal the plane lies, in mm.
    pub(super) fn depth(&self) -> f64 {
        dot(&self.position, &self.normal())
    }

    /// Whether the two planes have the same directions, to 1e-4, and the same spacing, to one in 10,000.
    pub(super) fn matches(&self, other: &Self) -> bool {
        let near = |(a, b): (&f64, &f64), tolerance: f64| (a - b).abs() <= tolerance;
        self.along.iter().flatten().zip(other.along.iter().flatten()).all(|pair| near(pair, 1e-4))
            && self.spacing.iter().zip(&other.spacing).all(|pair| near(pair, 1e-4 * self.spacing[0]))
    }

    /// The map of `(column, row, slice)` to LPS, where the slices are `step` mm apart along the normal.
    pub(super) fn affine_lps(&self, step: f64) -> crate::volume::Affine {
        let normal = self.normal();
        std::array::from_fn(|row| {
            [self.along[0][row] * self.spacing[0], self.along[1][row] * self.spacing[1], normal[row] * step, self.position[row]]
        })
    }
}

pub(super) fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The planes of all frames of a file.
pub(super) fn planes(dataset: &Dataset<'_>, frames: usize, place: &Place) -> Result<Vec<Plane>, IoError> {
    let groups = dataset.items(tag::FRAME_GROUPS);
    if groups.is_empty() {
        if frames > 1 {
            return Err(dataset
                .place(tag::FRAME_GROUPS, place)
                .unsupported("several frames without a place each", "enhanced images"));
        }
        return Ok(vec![Plane::of(&[], dataset, place)?]);
    }
    if groups.len() != frames {
        return Err(dataset.place(tag::FRAME_GROUPS, place).invalid(format!("has {} items for {frames} frames", groups.len())));
    }
    let shared = dataset.item(tag::SHARED_GROUPS);
    let of_frame = |frame| Plane::of(&[Some(frame), shared].into_iter().flatten().collect::<Vec<_>>(), dataset, place);
    groups.iter().map(of_frame).collect()
}

fn rescale(dataset: &Dataset<'_>, place: &Place) -> Result<Option<(f64, f64)>, IoError> {
    let (slope, intercept) = (dataset.number(tag::RESCALE_SLOPE, place)?, dataset.number(tag::RESCALE_INTERCEPT, place)?);
    match (slope, intercept) {
        (None, None) => Ok(None),
        (Some(slope), Some(intercept)) if slope.abs() > 0.0 => Ok(Some((slope, intercept))),
        _ => Err(dataset.place(tag::RESCALE_SLOPE, place).invalid("slope and intercept must both be there, the slope not 0")),
    }
}

/// Refuses a file whose modality is not `expected`.
pub(super) fn checked_modality(dataset: &Dataset<'_>, loaded: &Loaded, expected: &'static str) -> Result<(), IoError> {
    if dataset.text(tag::MODALITY) == Some(expected) {
        return Ok(());
    }
    Err(IoError::Format { place: dataset.place(tag::MODALITY, &loaded.place), expected })
}
