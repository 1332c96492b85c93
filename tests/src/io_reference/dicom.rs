//! DICOM: pydicom 3.0.2, highdicom 0.28.2, dicompyler-core 0.5.6.

use super::nifti::all_near;
use super::{Tally, numbers, table, text};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use twin_io::dicom::{self, Dose, Frames, Plan, Segmentation, Structures};
use twin_io::volume::Volume;
use twin_io::{IoError, Limits};

/// Holds every file of `dicom_images.json`, `dicom_seg.json` and `rt_reference.json` against ours, by the files in `root`. The two
/// RT objects of pydicom come from `data/dicom_samples` of the same collection.
///
/// # Errors
/// In words, if a table cannot be read.
pub fn tally(root: &Path) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let files = root.join("files");
    for case in table(root, "dicom_images.json")?.as_array().into_iter().flatten() {
        let path = files.join(text(case, "file"));
        // Two files of the table bear one name: they are told apart by their length.
        let length = std::fs::metadata(&path).map_or(0, |data| data.len());
        if case.get("bytes").and_then(Value::as_u64) != Some(length) {
            tally.absent.push(text(case, "file").to_owned());
            continue;
        }
        if let Err(error) = image(&mut tally, case, &path) {
            tally.holds(text(case, "file"), false, || error.to_string());
        }
    }
    for case in table(root, "dicom_seg.json")?.as_array().into_iter().flatten() {
        let path = files.join(text(case, "file"));
        if let Err(error) = segmentation(&mut tally, case, &path) {
            tally.holds(text(case, "file"), false, || error.to_string());
        }
    }
    let samples = root.join("../../data/dicom_samples");
    let therapy = table(root, "rt_reference.json")?;
    structures(&mut tally, &therapy["pydicom_rtstruct.dcm"], &samples.join("pydicom_rtstruct.dcm"))
        .map_err(|error| error.to_string())?;
    plan(&mut tally, &therapy["pydicom_rtplan.dcm"], &samples.join("pydicom_rtplan.dcm")).map_err(|error| error.to_string())?;
    Ok(tally)
}

fn image(tally: &mut Tally, case: &Value, path: &Path) -> Result<(), IoError> {
    let limits = Limits::default();
    let file = text(case, "file");
    let frames = dicom::read_frames(path, &limits)?;
    stored(tally, case, &frames);
    let affine = numbers(&case["affine_lps_ijk_column_row_slice"]);
    if let Some(dose) = case.get("dose") {
        let ours = Dose::read(path, &limits)?;
        let volume = &ours.volume;
        tally.same(&format!("{file} in gray"), &ours.is_in_gray(), &(text(case, "DoseUnits") == "GY"));
        all_near(tally, &format!("{file} affine"), &lps(volume), &affine[..12], 1e-9);
        let sum: f64 = volume.values().iter().sum();
        let max = volume.values().iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let of = |name: &str| dose.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        tally.near(&format!("{file} sum of dose"), sum, of("sum"), 1e-9);
        tally.near(&format!("{file} mean dose"), sum / volume.values().len() as f64, of("mean"), 1e-9);
        tally.near(&format!("{file} highest dose"), max, of("max"), 1e-12);
        let place = numbers(&dose["argmax_lps_mm"]);
        if let ([x, y, z], Some(at)) = (&place[..], volume.values().iter().position(|value| *value >= max)) {
            let [columns, rows, _] = volume.lattice().shape();
            let ras = volume.lattice().ras([at % columns, at / columns % rows, at / columns / rows].map(|index| index as f64));
            all_near(tally, &format!("{file} place of the highest dose"), &[-ras[0], -ras[1], ras[2]], &[*x, *y, *z], 1e-9);
        }
    } else if !affine.is_empty() {
        let series = dicom::read_series(&[path], &limits)?;
        all_near(tally, &format!("{file} affine"), &lps(&series.volume), &affine[..12], 1e-9);
        if let Some(rescaled) = case.get("rescaled") {
            let mut values = series.volume.values().to_vec();
            values.sort_by(f64::total_cmp);
            let of = |name: &str| rescaled.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
            tally.near(&format!("{file} mean HU"), mean, of("mean"), 1e-9);
            tally.near(&format!("{file} standard deviation of HU"), variance.sqrt(), of("sd"), 1e-9);
            for (name, expected, share) in [
                ("lowest", "min", 0.0),
                ("1 % of", "p01", 0.01),
                ("median", "p50", 0.5),
                ("99 % of", "p99", 0.99),
                ("highest", "max", 1.0),
            ] {
                tally.near(&format!("{file} {name} HU"), quantile(&values, share), of(expected), 1e-9);
            }
        }
    }
    Ok(())
}

fn lps(volume: &Volume) -> Vec<f64> {
    volume.lattice().affine_lps().into_iter().flatten().collect()
}

/// Linear between the order statistics, as NumPy has it.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(f64::NAN);
    at(place.floor()) + place.fract() * (at(place.ceil()) - at(place.floor()))
}

/// The stored numbers, and the hash of their bytes in little endian.
fn stored(tally: &mut Tally, case: &Value, frames: &Frames) {
    let (file, expected) = (text(case, "file"), &case["stored"]);
    let of = |name: &str| expected.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let values = &frames.values;
    let shape: Vec<f64> = [frames.frames, frames.rows, frames.columns, frames.samples].iter().map(|n| *n as f64).collect();
    let squeezed = |shape: &[f64]| shape.iter().copied().filter(|n| *n > 1.0).collect::<Vec<_>>();
    tally.same(&format!("{file} shape"), &squeezed(&shape), &squeezed(&numbers(&expected["shape"])));
    tally.near(&format!("{file} sum"), values.iter().sum(), of("sum"), 0.0);
    tally.near(&format!("{file} lowest"), values.iter().copied().fold(f64::INFINITY, f64::min), of("min"), 0.0);
    tally.near(&format!("{file} highest"), values.iter().copied().fold(f64::NEG_INFINITY, f64::max), of("max"), 0.0);
    tally.same(&format!("{file} first"), &values.iter().copied().take(8).collect(), &numbers(&expected["first8"]));
    let width = text(expected, "dtype").chars().last().map_or(1, |kind| match kind {
        '2' | '6' => 2,
        '4' => 4,
        _ if text(expected, "dtype").ends_with("32") => 4,
        _ => 1,
    });
    let width = if text(expected, "dtype").ends_with("32") { 4 } else { width };
    let bytes: Vec<u8> = values.iter().flat_map(|value| (*value as i64).to_le_bytes().into_iter().take(width)).collect();
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    tally.same(&format!("{file} SHA-256 of the pixels"), &hash, &text(expected, "sha256_le").to_owned());
}

fn segmentation(tally: &mut Tally, case: &Value, path: &Path) -> Result<(), IoError> {
    let limits = Limits::default();
    let file = text(case, "file");
    if let Some(pixels) = case.get("pixels").filter(|pixels| pixels.is_object()) {
        let frames = dicom::read_frames(path, &limits)?;
        tally.near(&format!("{file} sum"), frames.values.iter().sum(), pixels["sum"].as_f64().unwrap_or(f64::NAN), 0.0);
        tally.near(
            &format!("{file} highest"),
            frames.values.iter().copied().fold(0.0, f64::max),
            pixels["max"].as_f64().unwrap_or(f64::NAN),
            0.0,
        );
    }
    if text(case, "modality") != "SEG" {
        return Ok(());
    }
    let ours = Segmentation::read(path, &limits)?;
    let labels =
        |value: &Value| value.as_array().into_iter().flatten().map(|segment| text(segment, "label").to_owned()).collect::<Vec<_>>();
    tally.same(
        &format!("{file} labels"),
        &ours.segments.iter().map(|segment| segment.label.clone()).collect(),
        &labels(&case["segments"]),
    );
    let codes = |segment: &Value, name: &str| {
        segment[name].as_array().and_then(|code| code.first()?.as_str().map(str::to_owned)).unwrap_or_default()
    };
    for (segment, expected) in ours.segments.iter().zip(case["segments"].as_array().into_iter().flatten()) {
        let value = |code: &Option<dicom::Code>| code.as_ref().map_or_else(String::new, |code| code.value.clone());
        tally.same(&format!("{file} category"), &value(&segment.category), &codes(expected, "category"));
        tally.same(&format!("{file} type"), &value(&segment.kind), &codes(expected, "type"));
    }
    let frames = case["frames"].as_array().cloned().unwrap_or_default();
    for ((frame, (segment, count)), (_, sum)) in frames.iter().zip(ours.counts()).zip(ours.sums()) {
        let name = format!("{file} frame {}", frame["frame"]);
        let of = |name: &str| frame.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        tally.near(&format!("{name} segment"), segment as f64, of("segment"), 0.0);
        tally.near(&format!("{name} marked"), count as f64, of("nonzero"), 0.0);
        if frame.get("sum").is_some() {
            tally.near(&format!("{name} sum"), sum, of("sum"), 0.0);
        }
    }
    tally.near(&format!("{file} frames"), ours.counts().len() as f64, frames.len() as f64, 0.0);
    if let Some(volume) = case.get("volume") {
        let mut marked = 0;
        for segment in &ours.segments {
            // highdicom counts what is marked at all.
            let mask = ours.mask(segment.number, 1e-9, &limits)?;
            marked += mask.count();
            let expected = numbers(&volume["shape"]);
            let [columns, rows, slices] = mask.lattice().shape().map(|n| n as f64);
            tally.same(&format!("{file} shape of segment {}", segment.number), &vec![slices, rows, columns], &expected);
        }
        tally.near(&format!("{file} marked voxels"), marked as f64, volume["nonzero"].as_f64().unwrap_or(f64::NAN), 0.0);
    }
    Ok(())
}

/// Structures against areas and planes.
///
/// # Errors
/// If the file cannot be read.
pub fn structures(tally: &mut Tally, case: &Value, path: &Path) -> Result<(), IoError> {
    let ours = Structures::read(path, &Limits::default())?;
    for roi in case["rois"].as_array().into_iter().flatten() {
        let of = |name: &str| roi.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let number = of("number");
        let name = format!("structure {number}");
        let Some(structure) = ours.structures.iter().find(|structure| (structure.number as f64 - number).abs() < 0.5) else {
            tally.holds(&name, false, || "absent".to_owned());
            continue;
        };
        tally.same(&format!("{name} name"), &structure.name, &text(roi, "name").to_owned());
        tally.near(&format!("{name} contours"), structure.contours.len() as f64, of("contours"), 0.0);
        tally.near(
            &format!("{name} points"),
            structure.contours.iter().map(|contour| contour.points.len()).sum::<usize>() as f64,
            of("points"),
            0.0,
        );
        let area: f64 = structure.contours.iter().map(dicom::Contour::area_mm2).sum();
        tally.near(&format!("{name} area"), area, of("sum_of_contour_areas_mm2"), 1e-9);
        let distance = structure.plane_distance_mm()?;
        if let (Some(distance), Some(volume)) = (distance, roi["stack_volume_cm3"].as_f64()) {
            tally.near(&format!("{name} distance of planes"), distance, of("plane_step"), 1e-6);
            tally.near(&format!("{name} volume"), area * distance / 1000.0, volume, 1e-6);
        }
    }
    Ok(())
}

/// A plan against its groups, beams and prescriptions.
///
/// # Errors
/// If the file cannot be read.
pub fn plan(tally: &mut Tally, case: &Value, path: &Path) -> Result<(), IoError> {
    let ours = Plan::read(path, &Limits::default())?;
    let groups = case["fraction_groups"].as_array().cloned().unwrap_or_default();
    tally.same("groups of fractions", &ours.groups.len(), &groups.len());
    for (group, expected) in ours.groups.iter().zip(&groups) {
        tally.same("planned fractions", &group.planned.map(|n| n as f64), &expected["planned"].as_f64());
        let doses: Vec<f64> = group.beams.iter().filter_map(|beam| beam.1).collect();
        let metersets: Vec<f64> = group.beams.iter().filter_map(|beam| beam.2).collect();
        all_near(tally, "doses of beams", &doses, &numbers(&expected["beam_dose"]), 1e-12);
        all_near(tally, "metersets of beams", &metersets, &numbers(&expected["beam_meterset"]), 1e-12);
        tally.near("dose of a fraction", group.dose()?.gray(), numbers(&expected["beam_dose"]).iter().sum(), 1e-12);
    }
    let prescriptions = case["dose_references"].as_array().cloned().unwrap_or_default();
    for (ours, expected) in ours.prescriptions.iter().zip(&prescriptions) {
        tally.same(
            "prescription",
            &(ours.kind.as_str(), ours.gy),
            &(text(expected, "type"), expected["prescription_dose"].as_f64()),
        );
    }
    for (beam, expected) in ours.beams.iter().zip(case["beams"].as_array().into_iter().flatten()) {
        tally.same("radiation of a beam", &beam.radiation.as_str(), &text(expected, "radiation"));
        tally.near(
            "control points of a beam",
            beam.control_points as f64,
            expected["control_points"].as_f64().unwrap_or(f64::NAN),
            0.0,
        );
        tally.same("energy of a beam", &beam.energy, &expected["energy"].as_f64());
    }
    Ok(())
}

/// Holds the plan, the structures, the dose and the histograms of dicompyler-core's example against `rt_reference.json` in `root`.
///
/// The gate for a histogram: volume to 1 % (5 % below 5 cm3), mean dose to 1 % or 0.02 Gy, D95 to 0.05 Gy.
///
/// # Errors
/// In words, if a file cannot be read.
pub fn dicompyler(root: &Path, folder: &Path) -> Result<Tally, String> {
    let therapy = table(root, "rt_reference.json")?;
    let mut tally = Tally::default();
    let words = |error: IoError| error.to_string();
    structures(&mut tally, &therapy["dicompyler_rtss.dcm"], &folder.join("rtss.dcm")).map_err(words)?;
    plan(&mut tally, &therapy["dicompyler_rtplan.dcm"], &folder.join("rtplan.dcm")).map_err(words)?;
    for case in table(root, "dicom_images.json")?.as_array().into_iter().flatten() {
        let path = folder.join(text(case, "file"));
        if case.get("bytes").and_then(Value::as_u64) == std::fs::metadata(&path).ok().map(|data| data.len()) {
            image(&mut tally, case, &path).map_err(words)?;
        }
    }
    let set = Structures::read(folder.join("rtss.dcm"), &Limits::default()).map_err(words)?;
    let dose = Dose::read(folder.join("rtdose.dcm"), &Limits::default()).map_err(words)?;
    for (number, expected) in therapy["dvh_dicompyler_core_0.5.6"].as_object().into_iter().flatten() {
        let of = |name: &str| expected.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let structure = set.structures.iter().find(|structure| structure.number.to_string() == *number);
        let structure = structure.ok_or("a structure is absent")?;
        let histogram = dicom::DoseVolume::of_centers(&dose, structure).map_err(words)?;
        let name = text(expected, "name");
        let (ours, volume) = (histogram.volume_mm3() / 1000.0, of("volume_cc"));
        let share = if volume < 5.0 { 0.05 } else { 0.01 };
        tally.holds(&format!("{name} volume"), (ours - volume).abs() <= share * volume, || format!("{ours} cm3, not {volume}"));
        // With finer points the volume is that of the contours themselves.
        let area: f64 = structure.contours.iter().map(dicom::Contour::area_mm2).sum();
        let stack = area * structure.plane_distance_mm().map_err(words)?.unwrap_or(0.0) / 1000.0;
        let fine = dicom::DoseVolume::of(&dose, structure).map_err(words)?.volume_mm3() / 1000.0;
        if text(expected, "name") != "Lt Lung" && text(expected, "name") != "BODY" && text(expected, "name") != "Breast" {
            tally.holds(&format!("{name} volume of fine points"), (fine - stack).abs() <= 0.005 * stack, || {
                format!("{fine} cm3, not {stack}")
            });
        }
        let (ours, mean) = (histogram.mean_gy(), of("mean_gy"));
        tally.holds(&format!("{name} mean"), (ours - mean).abs() <= (0.01 * mean).max(0.02), || format!("{ours} Gy, not {mean}"));
        let (ours, d95) = (nearest_dose(&histogram, 0.95), of("D95"));
        tally.holds(&format!("{name} D95"), (ours - d95).abs() <= 0.05, || format!("{ours} Gy, not {d95}"));
    }
    Ok(tally)
}

/// Dx as dicompyler-core has it: the first bin of 1 cGy whose share is the nearest to `share`. It is not the dose that at least so much
/// of the volume receives, which [`dicom::DoseVolume::dose_at_percent`] gives: of the 26 centers in the scar the lowest has 2.36 Gy and
/// the next 2.54 Gy; 96 % receive the second, which is D95 by its definition, and dicompyler-core gives the lower end of that step.
fn nearest_dose(histogram: &dicom::DoseVolume, share: f64) -> f64 {
    let apart: Vec<f64> = histogram.cumulative(0.01).iter().map(|bin| (bin - share).abs()).collect();
    let least = apart.iter().copied().fold(f64::INFINITY, f64::min);
    apart.iter().position(|bin| *bin <= least).map_or(f64::NAN, |bin| bin as f64 * 0.01)
}
