//! The brain of the MNI152 atlas at 1 mm, with a tumor in its white matter.

use crate::data;
use twin_core::{Grid, Mask, ScalarField, Unit};
use twin_io::{Limits, nifti::Image};
use twin_models::spatial::Anatomy;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The smallest box around the brain, cells move five times as fast in white matter as in gray; `None` if the atlas is absent.
///
/// # Errors
/// For files that cannot be read, or are no brain.
pub fn mni152() -> Result<Option<Anatomy>, Failure> {
    let Some(folder) = data("the brain of the atlas", "data/brain_atlas_mni152") else { return Ok(None) };
    let read = |tissue: &str| -> Result<(Vec<usize>, Vec<f64>), Failure> {
        let image =
            Image::read(folder.join(format!("mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz")), &Limits::default())?;
        let values = image.values()?;
        // Probabilities, however they are scaled.
        let most = values.iter().copied().fold(0.0, f64::max);
        Ok((image.shape().to_vec(), values.into_iter().map(|value| value / most).collect()))
    };
    let ((shape, gray), (_, white)) = (read("gm")?, read("wm")?);
    let &[nx, ny, nz, ..] = shape.as_slice() else { return Err("the atlas has fewer than three axes".into()) };
    let grid = Grid::new([nx, ny, nz], [1.0; 3])?;
    let inside = gray.iter().zip(&white).map(|(gray, white)| gray + white > 0.5).collect();
    let region = Mask::new(grid.clone(), inside)?;
    let share = gray.iter().zip(&white).zip(region.inside());
    let relative = share.map(|((gray, white), inside)| if *inside { (0.2 * gray + white) / (gray + white) } else { 0.0 }).collect();
    let relative = ScalarField::on(grid, Unit::dimensionless(), relative)?;
    let (from, size) = region.bounds(0).ok_or("the atlas is empty")?;
    let (region, relative) = (region.cropped(from, size)?, relative.cropped(from, size)?);
    let grid = region.grid().clone();
    let center = [0.68, 0.55, 0.55].map(|share: f64| share);
    let near = |index: usize| {
        let at = grid.voxel(index).unwrap_or_default();
        (0..3).map(|axis| (at[axis] as f64 - center[axis] * size[axis] as f64).powi(2)).sum::<f64>() < 144.0
    };
    let cells = (0..grid.voxels()).map(|index| if region.contains(index) && near(index) { 0.5 } else { 0.0 }).collect();
    let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), cells)?;
    Ok(Some(Anatomy::new(region, &cells)?.with_relative_diffusivity(&relative)?))
}
