//! An image series as one volume.

use super::image::{Plane, dot, planes};
use super::parse::{Dataset, Loaded};
use super::pixels::{self, Layout};
use super::tag;
use crate::volume::{Lattice, Volume};
use crate::{IoError, Limits, Place};
use std::path::Path;
use twin_core::Unit;

/// A series: one image of one patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The modality: `CT`, `MR`, `PT` or another code of PS3.3, C.7.3.1.1.1.
    pub modality: String,
    /// The values after rescaling: Hounsfield units for CT, the standardized uptake value for PET where it can be computed, else as
    /// stored. All of them are given the unit `1`, but for activity, which is in `Bq/mL`.
    pub volume: Volume,
    /// Whether the values are standardized uptake values by body weight, in g/mL.
    pub is_uptake: bool,
}

/// Reads every file of a folder as one series; folders inside are not looked at.
///
/// # Errors
/// As [`read_series`].
pub fn read_folder(folder: impl AsRef<Path>, limits: &Limits) -> Result<Series, IoError> {
    let folder = folder.as_ref();
    let failed = |source| IoError::Read { file: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            paths.push(path);
        }
        if paths.len() > limits.max_frames {
            return Err(Place::of(Some(folder)).over("files", limits.max_frames, "max_frames"));
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(IoError::Empty { place: Place::of(Some(folder)), what: "is no file in it" });
    }
    read_series(&paths, limits)
}

/// Reads files as one series, in whatever order they come: the slices are sorted by where they lie.
///
/// # Errors
/// As [`read_frames`](super::read_frames) for each file; [`IoError::Invalid`] if the files are not of one patient, study, series,
/// frame of reference, modality, size, direction and spacing; if two slices lie in one place; if the distances between slices
/// differ by more than 1 %, or the slices are shifted against each other (a tilted gantry); if a single slice has no thickness;
/// [`IoError::Unsupported`] for colors.
pub fn read_series<P: AsRef<Path>>(paths: &[P], limits: &Limits) -> Result<Series, IoError> {
    let mut assembly = Assembly::default();
    for path in paths {
        assembly.add(&super::load(path.as_ref(), limits)?, limits)?;
    }
    assembly.finish()
}

/// As [`read_series`], from the names and the bytes of files.
///
/// # Errors
/// As [`read_series`].
pub fn parse_series(files: &[(&str, &[u8])], limits: &Limits) -> Result<Series, IoError> {
    let mut assembly = Assembly::default();
    for (name, bytes) in files {
        assembly.add(&super::loaded(bytes, name, limits)?, limits)?;
    }
    assembly.finish()
}

/// What all files of a series must agree in. Texts that identify are compared, and never shown.
#[derive(PartialEq)]
struct Identity {
    texts: [Option<String>; 5],
    rows: usize,
    columns: usize,
}

/// The tags of [`Identity::texts`], and how a message names them.
const AGREEING: [(u32, &str); 5] = [
    (tag::PATIENT_ID, "patients"),
    (tag::STUDY, "studies"),
    (tag::SERIES, "series"),
    (tag::FRAME_OF_REFERENCE, "frames of reference"),
    (tag::MODALITY, "modalities"),
];

struct Slice {
    plane: Plane,
    values: Vec<f64>,
    file: Place,
}

#[derive(Default)]
struct Assembly {
    identity: Option<Identity>,
    slices: Vec<Slice>,
    uptake: Option<Scale>,
}

/// What turns the stored activity into an uptake value or leaves it as activity.
#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Uptake,
    Activity,
    AsStored,
}

impl Assembly {
    fn add(&mut self, loaded: &Loaded, limits: &Limits) -> Result<(), IoError> {
        let dataset = loaded.dataset(limits)?;
        let place = &loaded.place;
        let layout = Layout::of(&dataset, limits, place)?.gray(&dataset, place)?;
        let texts = AGREEING.map(|(tag, _)| dataset.text(tag).map(str::to_owned));
        let identity = Identity { texts, rows: layout.rows, columns: layout.columns };
        self.agree(identity, &dataset, place)?;
        let total = (self.slices.len() + layout.frames).saturating_mul(layout.frame_values());
        if total > limits.max_voxels {
            return Err(dataset.place(tag::ROWS, place).over("voxels", limits.max_voxels, "max_voxels"));
        }
        let planes = planes(&dataset, layout.frames, place)?;
        let (scale, factor) = uptake(&dataset, place)?;
        if *self.uptake.get_or_insert(scale) != scale {
            return Err(dataset.place(tag::UNITS, place).invalid("some files of the series allow an uptake value, others do not"));
        }
        let mut values = pixels::stored(&dataset, loaded, &layout)?;
        for plane in planes.into_iter().rev() {
            let mut frame = values.split_off(values.len() - layout.frame_values());
            let (slope, intercept) = plane.rescale.unwrap_or((1.0, 0.0));
            frame.iter_mut().for_each(|value| *value = (*value * slope + intercept) * factor);
            self.slices.push(Slice { plane, values: frame, file: place.clone() });
        }
        Ok(())
    }

    fn agree(&mut self, identity: Identity, dataset: &Dataset<'_>, place: &Place) -> Result<(), IoError> {
        let Some(first) = &self.identity else {
            self.identity = Some(identity);
            return Ok(());
        };
        for ((a, b), (tag, name)) in first.texts.iter().zip(&identity.texts).zip(AGREEING) {
            if a != b {
                return Err(dataset.place(tag, place).invalid(format!("the files are of several {name}; read each alone")));
            }
        }
        if *first != identity {
            return Err(dataset.place(tag::ROWS, place).invalid("the slices differ in rows or columns"));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Series, IoError> {
        self.slices.sort_by(|a, b| a.plane.depth().total_cmp(&b.plane.depth()));
        let step = step(&self.slices)?;
        let nothing = || IoError::Empty { place: Place::default(), what: "is no image in the series" };
        let (first, identity) = (self.slices.first().ok_or_else(nothing)?, self.identity.ok_or_else(nothing)?);
        let (plane, place) = (first.plane, first.file.clone());
        let invalid = |error: twin_core::CoreError| place.clone().invalid(error.to_string());
        let shape = [identity.columns, identity.rows, self.slices.len()];
        let lattice = Lattice::from_lps(shape, plane.affine_lps(step)).map_err(invalid)?;
        let mut values = Vec::with_capacity(lattice.voxels());
        for slice in self.slices {
            values.extend(slice.values); // each slice is given back to the allocator before the next is copied
        }
        let unit =
            if self.uptake == Some(Scale::Activity) { Unit::parse("Bq/mL").map_err(invalid)? } else { Unit::dimensionless() };
        let modality = identity.texts.into_iter().nth(4).flatten().unwrap_or_default();
        let volume = Volume::new(lattice, unit, values).map_err(invalid)?;
        Ok(Series { modality, volume, is_uptake: self.uptake == Some(Scale::Uptake) })
    }
}

/// The distance between neighboring slices, which are sorted and must be evenly stacked.
fn step(slices: &[Slice]) -> Result<f64, IoError> {
    let (Some(first), Some(last)) = (slices.first(), slices.last()) else { return Ok(1.0) };
    if slices.len() == 1 {
        let place = || first.file.clone().field("(0018,0050)");
        return first.plane.step.ok_or_else(|| place().invalid("a single slice needs a thickness or a spacing above 0"));
    }
    let step = (last.plane.depth() - first.plane.depth()) / (slices.len() - 1) as f64;
    for pair in slices.windows(2) {
        let [a, b] = pair else { continue };
        let place = || b.file.clone().field("(0020,0032)");
        if !a.plane.matches(&b.plane) {
            return Err(place().invalid("the slices differ in direction or spacing"));
        }
        let gap = b.plane.depth() - a.plane.depth();
        if gap.abs() <= 1e-3 * step.abs() || step <= 0.0 {
            return Err(place().invalid("two slices lie in the same place"));
        }
        if (gap - step).abs() > 0.01 * step {
            return Err(place().invalid(format!(
                "a gap of {gap:.4} mm between slices that are {step:.4} mm apart on average: slices are missing"
            )));
        }
        let shift: [f64; 3] =
            std::array::from_fn(|axis| b.plane.position[axis] - a.plane.position[axis] - gap * a.plane.normal()[axis]);
        if dot(&shift, &shift).sqrt() > 0.01 * step {
            return Err(place().invalid("the slices are shifted against each other, as with a tilted gantry: resample them first"));
        }
    }
    Ok(step)
}

/// What a stored activity has to be multiplied by to be a standardized uptake value by body weight, and whether it could be found.
///
/// SUV = activity · weight / (injected dose · 2^(−Δt / half-life)), with Δt from injection to the start of the series where the
/// activity is corrected to that start (PS3.3, C.8.9.1.1.4, `START`), and without decay for `ADMIN`.
fn uptake(dataset: &Dataset<'_>, place: &Place) -> Result<(Scale, f64), IoError> {
    match (dataset.text(tag::MODALITY), dataset.text(tag::UNITS)) {
        (Some("PT"), Some("BQML")) => {}
        (Some("PT"), Some("GML")) => return Ok((Scale::Uptake, 1.0)), // stored as an uptake value
        _ => return Ok((Scale::AsStored, 1.0)),
    }
    let injection = dataset.item(tag::RADIOPHARMACEUTICAL);
    let number = |tag| injection.map_or(Ok(None), |injection| injection.number(tag, place));
    let (Some(dose), Some(half_life), Some(weight)) =
        (number(tag::RADIONUCLIDE_TOTAL_DOSE)?, number(tag::RADIONUCLIDE_HALF_LIFE)?, dataset.number(tag::PATIENT_WEIGHT, place)?)
    else {
        return Ok((Scale::Activity, 1.0));
    };
    if !(dose > 0.0 && half_life > 0.0 && weight > 0.0) {
        return Err(dataset.place(tag::RADIOPHARMACEUTICAL, place).invalid("dose, half-life and weight must be above 0"));
    }
    let elapsed = match dataset.text(tag::DECAY_CORRECTION) {
        Some("ADMIN") => 0.0,
        Some("START") => {
            match (injection.and_then(|injection| seconds_of_injection(injection, dataset)), seconds_of_series(dataset)) {
                (Some(injected), Some(started)) if started >= injected => started - injected,
                (Some(_), Some(_)) => {
                    return Err(dataset.place(tag::SERIES_TIME, place).invalid("the series starts before the injection"));
                }
                _ => return Ok((Scale::Activity, 1.0)),
            }
        }
        _ => return Ok((Scale::Activity, 1.0)),
    };
    Ok((Scale::Uptake, 1000.0 * weight / (dose * (-elapsed / half_life).exp2())))
}

/// Seconds of a time `hhmmss.ffffff`, whose parts from minutes on may be missing.
fn seconds(time: &str) -> Option<f64> {
    let part = |from: usize| time.get(from..from + 2).map_or(Some(0.0), |digits| digits.parse::<f64>().ok());
    let fraction: f64 =
        time.get(6..).filter(|rest| rest.starts_with('.')).map_or(Some(0.0), |rest| format!("0{rest}").parse().ok())?;
    Some(part(0)? * 3600.0 + part(2)? * 60.0 + part(4)? + fraction)
}

/// Days of a date `yyyymmdd` since some day, by the civil calendar.
fn days(date: &str) -> Option<f64> {
    let part = |from: usize, to: usize| date.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    Some((365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day) as f64)
}

fn seconds_of_series(dataset: &Dataset<'_>) -> Option<f64> {
    Some(days(dataset.text(tag::SERIES_DATE)?)? * 86_400.0 + seconds(dataset.text(tag::SERIES_TIME)?)?)
}

fn seconds_of_injection(injection: &Dataset<'_>, dataset: &Dataset<'_>) -> Option<f64> {
    if let Some(both) = injection.text(tag::RADIOPHARMACEUTICAL_START) {
        return Some(days(both.get(..8)?)? * 86_400.0 + seconds(both.get(8..)?)?);
    }
    // Without a date, the injection was on the day of the series.
    Some(days(dataset.text(tag::SERIES_DATE)?)? * 86_400.0 + seconds(injection.text(tag::RADIOPHARMACEUTICAL_START_TIME)?)?)
}
