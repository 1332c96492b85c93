//! NIfTI: nibabel 5.4 and SimpleITK 2.5.

use super::{Tally, numbers, table, text};
use serde_json::Value;
use std::path::Path;
use twin_io::nifti::{Image, Kind, Orientation};
use twin_io::volume::{Affine, Lattice};
use twin_io::{IoError, Limits};

/// Holds every file of `nifti.json` against ours, by the files in `root`.
///
/// # Errors
/// In words, if the table cannot be read.
pub fn tally(root: &Path) -> Result<Tally, String> {
    let table = table(root, "nifti.json")?;
    let mut tally = Tally::default();
    for case in table.get("nibabel").and_then(Value::as_array).into_iter().flatten() {
        let path = root.join("files").join(text(case, "file"));
        if !path.exists() {
            tally.absent.push(text(case, "file").to_owned());
            continue;
        }
        match Image::read(&path, &Limits::default()) {
            Ok(image) => nibabel(&mut tally, case, &image),
            Err(error) => tally.holds(text(case, "file"), false, || error.to_string()),
        }
    }
    for case in table.get("simpleitk").and_then(Value::as_array).into_iter().flatten() {
        let path = root.join("files").join(text(case, "file"));
        if let (true, Ok(image)) = (path.exists(), Image::read(&path, &Limits::default())) {
            simple_itk(&mut tally, case, &image).map_err(|error| error.to_string())?;
        }
    }
    Ok(tally)
}

fn nibabel(tally: &mut Tally, case: &Value, image: &Image) {
    let file = text(case, "file");
    let field = |name: &str| case.get(name).cloned().unwrap_or_default();
    let what = |name: &str| format!("{file} {name}");
    tally.same(&what("shape"), &image.shape().iter().map(|size| *size as f64).collect(), &numbers(&field("shape")));
    all_near(tally, &what("zooms"), image.spacing(), &numbers(&field("zooms")), 1e-12);
    let stated = |name| numbers(&field(name)).first().is_some_and(|code| *code > 0.0);
    for (name, code, ours) in [("qform", "qform_code", image.qform()), ("sform", "sform_code", image.sform())] {
        if stated(code) {
            all_near(tally, &what(name), &flat(ours), &numbers(&field(name))[..12.min(numbers(&field(name)).len())], 1e-9);
        } else {
            tally.same(&what(name), &ours, &None);
        }
    }
    match image.orientation() {
        // nibabel centers the grid and flips x; ITK starts at the origin: neither stands in the file.
        Orientation::Unstated => tally.same(&what("affine"), &image.affine_ras(), &None),
        _ => all_near(tally, &what("affine"), &flat(image.affine_ras()), &numbers(&field("affine"))[..12], 1e-9),
    }
    let Some(data) = case.get("data").filter(|data| data.is_object()) else { return };
    let of = |name: &str| data.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    match image.values() {
        Ok(all) => {
            let values: Vec<f64> = all.iter().copied().filter(|value| value.is_finite()).collect();
            let (count, sum) = (values.len() as f64, values.iter().sum::<f64>());
            let variance = values.iter().map(|value| (value - sum / count).powi(2)).sum::<f64>() / count;
            tally.near(&what("total"), all.len() as f64, of("total"), 0.0);
            tally.near(&what("finite"), count, of("finite"), 0.0);
            tally.near(&what("minimum"), values.iter().copied().fold(f64::INFINITY, f64::min), of("min"), 1e-12);
            tally.near(&what("maximum"), values.iter().copied().fold(f64::NEG_INFINITY, f64::max), of("max"), 1e-12);
            tally.near(&what("sum"), sum, of("sum"), 1e-9);
            tally.near(&what("mean"), sum / count, of("mean"), 1e-9);
            tally.near(&what("standard deviation"), variance.sqrt(), of("sd"), 1e-9);
            center(tally, case, image, &all);
        }
        Err(error) => tally.holds(&what("values"), false, || error.to_string()),
    }
}

/// The value in the middle of the grid, and where it lies.
fn center(tally: &mut Tally, case: &Value, image: &Image, values: &[f64]) {
    let (file, index) = (text(case, "file"), numbers(&case["centre_index"]));
    let at = image.shape().iter().zip(&index).rev().fold(0, |at, (size, index)| at * size + *index as usize);
    if let (Some(ours), Some(expected)) = (values.get(at), case["centre_value"].as_f64()) {
        tally.near(&format!("{file} value in the middle"), *ours, expected, 1e-12);
    }
    let world = numbers(&case["centre_world_ras_mm"]);
    if let (Some(affine), [_, _, _]) = (image.affine_ras(), &world[..]) {
        let voxel = |axis: usize| index.get(axis).copied().unwrap_or_default();
        let ours = affine.map(|[a, b, c, d]| a * voxel(0) + b * voxel(1) + c * voxel(2) + d);
        all_near(tally, &format!("{file} world in the middle"), &ours, &world, 1e-9);
    }
}

fn simple_itk(tally: &mut Tally, case: &Value, image: &Image) -> Result<(), IoError> {
    let (file, mean) = (text(case, "file"), case.get("mean").and_then(Value::as_f64));
    let values = image.values()?;
    if let (Some(mean), true) = (mean, image.kind() != Kind::Rgb && values.iter().all(|value| value.is_finite())) {
        tally.near(&format!("{file} mean of ITK"), values.iter().sum::<f64>() / values.len() as f64, mean, 1e-6);
    }
    let space: [usize; 3] = std::array::from_fn(|axis| image.shape().get(axis).copied().unwrap_or(1));
    let lattice = image.affine_ras().and_then(|ras| Lattice::from_ras(space, ras).ok());
    let (Some(lattice), [_, _, _]) = (lattice, &numbers(&case["itk_origin_lps"])[..]) else { return Ok(()) };
    let lps = lattice.affine_lps();
    all_near(tally, &format!("{file} origin of ITK"), &lps.map(|row| row[3]), &numbers(&case["itk_origin_lps"]), 1e-6);
    all_near(tally, &format!("{file} spacing of ITK"), &lattice.spacing_mm(), &numbers(&case["itk_spacing"]), 1e-6);
    let direction = numbers(&case["itk_direction"]);
    if direction.len() == 9 {
        let spacing = lattice.spacing_mm();
        let ours: Vec<f64> = lps.iter().flat_map(|row| (0..3).map(|axis| row[axis] / spacing[axis])).collect();
        all_near(tally, &format!("{file} direction of ITK"), &ours, &direction, 1e-6);
    }
    Ok(())
}

fn flat(affine: Option<Affine>) -> Vec<f64> {
    affine.into_iter().flatten().flatten().collect()
}

/// Counts one value made of several numbers.
pub(super) fn all_near(tally: &mut Tally, what: &str, ours: &[f64], expected: &[f64], tolerance: f64) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * b.abs().max(1.0);
    let holds = ours.len() == expected.len() && ours.iter().zip(expected).all(near);
    tally.holds(what, holds, || format!("{ours:?}, not {expected:?}"));
}
