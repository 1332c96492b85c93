//! Cellularity from diffusion-weighted images.

use crate::SimulationError;
use twin_core::{Mask, ScalarField, Unit};

/// The apparent diffusion coefficients, in mm²/s, between which cellularity is read.
///
/// Cells hinder the diffusion of water, so the cellularity is `(ADC_water − ADC) / (ADC_water − ADC_densest)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdcScale {
    /// Of free water: no cells.
    pub water_mm2_per_s: f64,
    /// Of the densest packing.
    pub densest_mm2_per_s: f64,
}

impl AdcScale {
    /// The cellularity in the voxels of `region`, 0 outside, from a map of the apparent diffusion coefficient in any unit of it. The unit
    /// is that of the field, never guessed from its values.
    ///
    /// ```
    /// use twin_core::{Grid, Mask, ScalarField, Unit};
    /// use twin_models::spatial::AdcScale;
    /// let scale = AdcScale { water_mm2_per_s: 3e-3, densest_mm2_per_s: 0.0 };
    /// let grid = Grid::new([3, 1, 1], [1.0; 3])?;
    /// let map = ScalarField::on(grid.clone(), Unit::parse("um2/s")?, vec![800.0, 1200.0, 2000.0])?;
    /// let cellularity = scale.cellularity(&map, &Mask::whole(grid))?;
    /// for (found, expected) in cellularity.values().iter().zip([0.7333, 0.6, 0.3333]) {
    ///     assert!((found - expected).abs() < 1e-4);
    /// }
    /// # Ok::<(), twin_models::SimulationError>(())
    /// ```
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a region on another grid, a scale that does not fall from water to the densest packing, and a
    /// coefficient in the region that lies outside the scale, which means that it is no tissue. A unit that is not one of a diffusion
    /// coefficient.
    pub fn cellularity(&self, map: &ScalarField, region: &Mask) -> Result<ScalarField, SimulationError> {
        let fault = |detail: String| SimulationError::Anatomy { what: "map of the apparent diffusion coefficient", detail };
        if map.grid() != region.grid() {
            return Err(fault("it lies on another grid than the region".to_owned()));
        }
        let (water, densest) = (self.water_mm2_per_s, self.densest_mm2_per_s);
        if !(water.is_finite() && densest >= 0.0 && water > densest) {
            return Err(fault(format!(
                "its scale runs from {water} (water) to {densest} mm2/s, but must fall and end at 0 or above"
            )));
        }
        let factor = map.unit().convert(1.0, &Unit::parse("mm2/s")?)?;
        let of_voxel = |(index, value): (usize, &f64)| {
            let adc = value * factor;
            if !region.contains(index) {
                return Ok(0.0);
            }
            if !(densest..=water).contains(&adc) {
                let at = map.grid().voxel(index).unwrap_or_default();
                return Err(fault(format!(
                    "it is {adc} mm2/s in voxel {at:?}, but must lie between {densest} and {water} in the region"
                )));
            }
            Ok((water - adc) / (water - densest))
        };
        let values = map.values().iter().enumerate().map(of_voxel).collect::<Result<Vec<_>, _>>()?;
        Ok(ScalarField::on(map.grid().clone(), Unit::dimensionless(), values)?)
    }
}
