//! Plans of radiotherapy (RTPLAN): what is to be given, in how many fractions.

use super::image::checked_modality;
use super::parse::{Dataset, Loaded};
use super::tag;
use crate::{IoError, Limits, Place};
use std::path::Path;
use twin_core::{AbsorbedDose, Target, Treatment};

/// A group of equal fractions.
#[derive(Debug, Clone, PartialEq)]
pub struct FractionGroup {
    /// Its number in the file.
    pub number: usize,
    /// How many fractions are planned.
    pub planned: Option<usize>,
    /// For each beam its number, its dose in a fraction, in Gy, and its meterset, as far as stated.
    pub beams: Vec<(usize, Option<f64>, Option<f64>)>,
    place: Place,
}

impl FractionGroup {
    /// The dose of one fraction: the sum over its beams.
    ///
    /// # Errors
    /// [`IoError::Invalid`] if a beam states no dose, or there is none.
    pub fn dose(&self) -> Result<AbsorbedDose, IoError> {
        let place = || self.place.clone().field("(300A,0084)");
        let doses: Option<Vec<f64>> = self.beams.iter().map(|beam| beam.1).collect();
        let doses = doses.filter(|doses| !doses.is_empty()).ok_or_else(|| place().invalid("not every beam states its dose"))?;
        AbsorbedDose::from_gray(doses.iter().sum()).map_err(|error| place().invalid(error.to_string()))
    }

    /// One planned fraction of the group to `target`, for a regimen; when it is given the plan does not say.
    ///
    /// # Errors
    /// As [`FractionGroup::dose`].
    pub fn fraction(&self, target: Target) -> Result<Treatment, IoError> {
        Ok(Treatment::fraction(self.dose()?, target))
    }
}

/// A beam.
#[derive(Debug, Clone, PartialEq)]
pub struct Beam {
    /// Its number in the file.
    pub number: usize,
    /// The kind of radiation: `PHOTON`, `ELECTRON`, `PROTON` or another of PS3.3, C.8.8.14.
    pub radiation: String,
    /// Its nominal energy at the first control point, in MeV or MV.
    pub energy: Option<f64>,
    /// Its control points.
    pub control_points: usize,
}

/// A dose that the plan asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Prescription {
    /// What it is for: `TARGET` or `ORGAN_AT_RISK`.
    pub kind: String,
    /// Where it counts: `SITE`, `VOLUME`, `POINT` or `COORDINATES`.
    pub structure: String,
    /// The dose to a target, in Gy.
    pub gy: Option<f64>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The groups of fractions.
    pub groups: Vec<FractionGroup>,
    /// The doses asked for.
    pub prescriptions: Vec<Prescription>,
    /// The beams.
    pub beams: Vec<Beam>,
}

impl Plan {
    /// Reads an RTPLAN file.
    ///
    /// # Errors
    /// As [`read_frames`](super::read_frames), and [`IoError::Invalid`] for a group or a beam that is given twice, a beam that is
    /// referred to but absent, or a negative dose.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::load(path.as_ref(), limits)?, limits)
    }

    /// As [`Plan::read`], from the bytes of a file named `name`.
    ///
    /// # Errors
    /// As [`Plan::read`].
    pub fn parse(bytes: &[u8], name: &str, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::loaded(bytes, name, limits)?, limits)
    }

    fn of(loaded: &Loaded, limits: &Limits) -> Result<Self, IoError> {
        let place = &loaded.place;
        let dataset = loaded.dataset(limits)?;
        checked_modality(&dataset, loaded, "RTPLAN")?;
        let beams: Vec<Beam> = dataset.items(tag::BEAMS).iter().map(|beam| beam_of(beam, place)).collect::<Result<_, _>>()?;
        if beams.iter().enumerate().any(|(at, beam)| beams.iter().take(at).any(|other| other.number == beam.number)) {
            return Err(dataset.place(tag::BEAMS, place).invalid("two beams have the same number"));
        }
        let mut groups: Vec<FractionGroup> = Vec::new();
        for item in dataset.items(tag::FRACTION_GROUPS) {
            let group = group_of(item, &beams, place)?;
            if groups.iter().any(|other| other.number == group.number) {
                return Err(item.place(tag::FRACTION_GROUP_NUMBER, place).invalid("two groups of fractions have the same number"));
            }
            groups.push(group);
        }
        let prescriptions = dataset.items(tag::DOSE_REFERENCES).iter().map(|item| prescription_of(item, place));
        Ok(Self { groups, prescriptions: prescriptions.collect::<Result<_, _>>()?, beams })
    }
}

fn text(item: &Dataset<'_>, tag: u32) -> String {
    item.text(tag).unwrap_or_default().to_owned()
}

fn dose(item: &Dataset<'_>, tag: u32, place: &Place) -> Result<Option<f64>, IoError> {
    match item.number(tag, place)? {
        Some(gy) if gy < 0.0 => Err(item.place(tag, place).invalid("must not be negative")),
        other => Ok(other),
    }
}

fn beam_of(item: &Dataset<'_>, place: &Place) -> Result<Beam, IoError> {
    let energy = item.item(tag::CONTROL_POINTS).map_or(Ok(None), |point| point.number(tag::BEAM_ENERGY, place))?;
    Ok(Beam {
        number: item.needed_count(tag::BEAM_NUMBER, place)?,
        radiation: text(item, tag::RADIATION_TYPE),
        energy,
        control_points: item.items(tag::CONTROL_POINTS).len(),
    })
}

fn group_of(item: &Dataset<'_>, beams: &[Beam], place: &Place) -> Result<FractionGroup, IoError> {
    let mut group = FractionGroup {
        number: item.needed_count(tag::FRACTION_GROUP_NUMBER, place)?,
        planned: item.count(tag::FRACTIONS_PLANNED, place)?,
        beams: Vec::new(),
        place: place.clone(),
    };
    for reference in item.items(tag::REFERENCED_BEAMS) {
        let number = reference.needed_count(tag::REFERENCED_BEAM_NUMBER, place)?;
        if !beams.iter().any(|beam| beam.number == number) {
            return Err(reference.place(tag::REFERENCED_BEAM_NUMBER, place).invalid("refers to a beam that is not in the plan"));
        }
        group.beams.push((number, dose(reference, tag::BEAM_DOSE, place)?, dose(reference, tag::BEAM_METERSET, place)?));
    }
    Ok(group)
}

fn prescription_of(item: &Dataset<'_>, place: &Place) -> Result<Prescription, IoError> {
    let gy = dose(item, tag::PRESCRIPTION_DOSE, place)?;
    Ok(Prescription { kind: text(item, tag::DOSE_REFERENCE_TYPE), structure: text(item, tag::DOSE_REFERENCE_STRUCTURE), gy })
}
