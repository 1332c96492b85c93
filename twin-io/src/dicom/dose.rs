//! Dose of radiotherapy (RTDOSE).

use super::image::{Plane, checked_modality};
use super::parse::{Dataset, Loaded};
use super::pixels::{self, Layout};
use super::tag;
use crate::volume::{Lattice, Volume};
use crate::{IoError, Limits, Place};
use std::path::Path;
use twin_core::Unit;

/// Of what a dose is the sum (PS3.3, C.8.8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoseSummation {
    /// The whole plan.
    Plan,
    /// Several plans.
    MultiPlan,
    /// One group of fractions.
    Fraction,
    /// One beam, or another part, as the file names it.
    Other(String),
}

/// A dose over a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Dose {
    /// The dose: in Gy, or relative to the prescription, in the unit `1`. Never take a relative dose for gray.
    pub volume: Volume,
    /// Of what it is the sum.
    pub summation: DoseSummation,
    pub(super) place: Place,
}

impl Dose {
    /// Reads an RTDOSE file.
    ///
    /// # Errors
    /// As [`read_frames`](super::read_frames), and [`IoError::Invalid`] for a dose that is not physical (`EFFECTIVE`, `ERROR`), units
    /// other than `GY` and `RELATIVE`, a scaling that is not above 0, and planes that are not evenly stacked.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::load(path.as_ref(), limits)?, limits)
    }

    /// As [`Dose::read`], from the bytes of a file named `name`.
    ///
    /// # Errors
    /// As [`Dose::read`].
    pub fn parse(bytes: &[u8], name: &str, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::loaded(bytes, name, limits)?, limits)
    }

    /// Whether the dose is in gray.
    #[must_use]
    pub fn is_in_gray(&self) -> bool {
        self.volume.unit().code() == "Gy"
    }

    /// The sum of two doses over the same grid, each of a whole plan or of several.
    ///
    /// # Errors
    /// [`IoError::Invalid`] if one is of a fraction or a beam, if the grids or the units differ.
    pub fn plus(&self, other: &Self) -> Result<Self, IoError> {
        let invalid = |rule: &str| other.place.clone().field("(3004,000A)").invalid(rule);
        let whole = |dose: &Self| matches!(dose.summation, DoseSummation::Plan | DoseSummation::MultiPlan);
        if !whole(self) || !whole(other) {
            return Err(invalid("only doses of whole plans are summed"));
        }
        if !self.is_in_gray() || !other.is_in_gray() || self.volume.lattice() != other.volume.lattice() {
            return Err(invalid("doses are summed in Gy over one grid: resample first"));
        }
        let sum = self.volume.values().iter().zip(other.volume.values()).map(|(a, b)| a + b).collect();
        let volume = Volume::new(*self.volume.lattice(), self.volume.unit().clone(), sum);
        let volume = volume.map_err(|error| invalid(&error.to_string()))?;
        Ok(Self { volume, summation: DoseSummation::MultiPlan, place: self.place.clone() })
    }

    fn of(loaded: &Loaded, limits: &Limits) -> Result<Self, IoError> {
        let place = &loaded.place;
        let dataset = loaded.dataset(limits)?;
        checked_modality(&dataset, loaded, "RTDOSE")?;
        let unit = match dataset.text(tag::DOSE_UNITS) {
            Some("GY") => "Gy",
            Some("RELATIVE") => "1",
            _ => return Err(dataset.place(tag::DOSE_UNITS, place).invalid("must be GY or RELATIVE")),
        };
        if dataset.text(tag::DOSE_TYPE).is_some_and(|kind| kind != "PHYSICAL") {
            return Err(dataset.place(tag::DOSE_TYPE, place).unsupported("a dose that is not physical", "PHYSICAL"));
        }
        let scaling = dataset.number(tag::DOSE_SCALING, place)?.filter(|scaling| *scaling > 0.0);
        let scaling = scaling.ok_or_else(|| dataset.place(tag::DOSE_SCALING, place).invalid("must be above 0"))?;
        let layout = Layout::of(&dataset, limits, place)?.gray(&dataset, place)?;
        let plane = Plane::of(&[], &dataset, place)?;
        let invalid = |error: twin_core::CoreError| place.clone().invalid(error.to_string());
        let shape = [layout.columns, layout.rows, layout.frames];
        let lattice = Lattice::from_lps(shape, plane.affine_lps(step(&dataset, &plane, layout.frames, place)?)).map_err(invalid)?;
        let mut values = pixels::stored(&dataset, loaded, &layout)?;
        values.iter_mut().for_each(|value| *value *= scaling);
        let summation = match dataset.needed_text(tag::DOSE_SUMMATION, place)? {
            "PLAN" => DoseSummation::Plan,
            "MULTI_PLAN" => DoseSummation::MultiPlan,
            "FRACTION" => DoseSummation::Fraction,
            other => DoseSummation::Other(other.to_owned()),
        };
        let volume = Volume::new(lattice, Unit::parse(unit).map_err(invalid)?, values).map_err(invalid)?;
        Ok(Self { volume, summation, place: place.clone() })
    }
}

/// The distance between planes, from their offsets: relative to the first plane where the first offset is 0, else places along z.
fn step(dataset: &Dataset<'_>, plane: &Plane, frames: usize, place: &Place) -> Result<f64, IoError> {
    let invalid = |rule: &str| dataset.place(tag::GRID_OFFSETS, place).invalid(rule);
    let offsets = dataset.numbers(tag::GRID_OFFSETS, place)?;
    if frames == 1 {
        let between = offsets.get(1).zip(offsets.first()).map(|(second, first)| (second - first).abs());
        let step = plane.step.or(between).filter(|step| *step > 0.0);
        return step.ok_or_else(|| dataset.place(tag::SLICE_THICKNESS, place).invalid("a single plane needs a thickness above 0"));
    }
    let (Some(first), Some(last), true) = (offsets.first(), offsets.last(), offsets.len() == frames) else {
        return Err(invalid("must have one offset for each frame"));
    };
    if first.abs() > 1e-9 && (first - plane.position[2]).abs() > 0.01 {
        return Err(invalid("must begin with 0, or with the z of the first plane"));
    }
    let step = (last - first) / (frames - 1) as f64;
    let is_even =
        |pair: &[f64]| pair.iter().rev().copied().reduce(|b, a| b - a).is_some_and(|gap| (gap - step).abs() <= 0.01 * step.abs());
    if step.abs() < 1e-6 || !offsets.windows(2).all(is_even) {
        return Err(invalid("the planes must be evenly stacked, to 1 %"));
    }
    // Offsets that are places along z count along the normal of an axial plane, which may point to the feet.
    Ok(if first.abs() > 1e-9 { step * plane.normal()[2].signum() } else { step })
}
