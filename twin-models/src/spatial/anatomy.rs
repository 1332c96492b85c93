//! The patient's anatomy: where cells can be, where they are, and what differs from voxel to voxel.

use super::tensor::{FARTHEST, Tensor, links};
use crate::SimulationError;
use twin_core::{AbsorbedDose, Grid, Mask, ScalarField, Unit};

/// A region of the anatomy in which cells move alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Tissue {
    /// Its voxels.
    pub region: Mask,
    /// The diffusivity there, as a multiple of the parameter `diffusivity`, 0 or more.
    pub relative_diffusivity: f64,
}

/// What a spatial model is built on, checked when it is put together.
///
/// ```
/// use twin_core::{Grid, Mask, ScalarField, Unit};
/// use twin_models::spatial::Anatomy;
/// let grid = Grid::new([20, 20, 1], [1.0, 1.0, 1.0])?;
/// let mut cellularity = vec![0.0; 400];
/// cellularity[210] = 0.5;
/// let cellularity = ScalarField::on(grid.clone(), Unit::dimensionless(), cellularity)?;
/// let anatomy = Anatomy::new(Mask::whole(grid.clone()), &cellularity)?;
/// assert_eq!(anatomy.region().count(), 400);
/// let nowhere = Mask::new(grid, vec![false; 400])?;
/// assert!(Anatomy::new(nowhere, &cellularity).is_err());
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Anatomy {
    region: Mask,
    cellularity: Vec<f64>,
    diffusivity: Option<Vec<f64>>,
    tensors: Option<Vec<Tensor>>,
    shells: bool,
    dose: Option<Vec<f64>>,
    resection: Option<Mask>,
}

fn fault(what: &'static str, detail: String) -> SimulationError {
    SimulationError::Anatomy { what, detail }
}

/// Refuses a field or a mask that lies on another grid than the region.
fn same_grid(what: &'static str, grid: &Grid, other: &Grid) -> Result<(), SimulationError> {
    if grid == other {
        return Ok(());
    }
    let words = |grid: &Grid| format!("{:?} voxels {:?} mm apart, affine {:?}", grid.shape(), grid.spacing_mm(), grid.affine());
    Err(fault(what, format!("it has {}, but must lie on the grid of the region: {}", words(other), words(grid))))
}

impl Anatomy {
    /// The anatomy of `region`, through whose border no cell passes, with the `cellularity` at the start: cells as a share of the
    /// densest packing, 0 to 1, none of them outside.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a region without a voxel, a field on another grid or in another unit, a cellularity outside
    /// 0 to 1, and cells outside the region.
    pub fn new(region: Mask, cellularity: &ScalarField) -> Result<Self, SimulationError> {
        if region.count() == 0 {
            return Err(fault("region", "it has no voxel, but needs at least one".to_owned()));
        }
        same_grid("cellularity", region.grid(), cellularity.grid())?;
        dimensionless("cellularity", cellularity)?;
        for (index, (&value, &inside)) in cellularity.values().iter().zip(region.inside()).enumerate() {
            let at = || region.grid().voxel(index).unwrap_or_default();
            if !(0.0..=1.0).contains(&value) {
                return Err(fault("cellularity", format!("it is {value} in voxel {:?}, but must lie between 0 and 1", at())));
            }
            if value > 0.0 && !inside {
                return Err(fault("cellularity", format!("it is {value} in voxel {:?}, which lies outside the region", at())));
            }
        }
        // Most voxels are empty, and memory of zeros that is never written is never fetched.
        let mut cells = vec![0.0; cellularity.values().len()];
        cells.iter_mut().zip(cellularity.values()).filter(|(_, value)| **value > 0.0).for_each(|(cell, value)| *cell = *value);
        Ok(Self { region, cellularity: cells, diffusivity: None, tensors: None, shells: false, dose: None, resection: None })
    }

    /// The same anatomy with the diffusivity of each voxel as a multiple of the parameter `diffusivity`, in place of any other. Between
    /// two voxels cells move at the harmonic mean of theirs.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a field on another grid or in another unit, and for a negative value inside the region.
    pub fn with_relative_diffusivity(mut self, relative: &ScalarField) -> Result<Self, SimulationError> {
        same_grid("relative diffusivity", self.region.grid(), relative.grid())?;
        dimensionless("relative diffusivity", relative)?;
        self.nowhere_negative("relative diffusivity", relative.values())?;
        (self.diffusivity, self.tensors) = (Some(relative.values().to_vec()), None);
        Ok(self)
    }

    /// The same anatomy in which cells diffuse by `tensors`, one for each voxel of the grid and along its axes, as multiples of the
    /// parameter `diffusivity`, in place of any other diffusivity. What is said of voxels outside the region is not looked at.
    ///
    /// Each tensor becomes links of positive weight to other voxels, so no cellularity becomes negative, whatever the anisotropy. The
    /// more it is stretched along a direction between those of the grid, the farther its links reach: with voxels of equal sides, up to a
    /// ratio of 8 between the diffusivities along and across fibers no farther than 3 voxels in any direction.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for another number of tensors than voxels, for shells, and for one inside the region that is not finite or not positive
    /// semidefinite, or whose links would reach farther than 3 voxels along an axis.
    pub fn with_relative_tensors(mut self, tensors: Vec<Tensor>) -> Result<Self, SimulationError> {
        let (voxels, spacing) = (self.grid().voxels(), self.grid().spacing_mm());
        if self.shells {
            let detail = "voxels are shells, through which all directions must be alike".to_owned();
            return Err(fault("diffusion tensors", detail));
        }
        if tensors.len() != voxels {
            let detail = format!("there are {}, but must be one for each of the {voxels} voxels of the grid", tensors.len());
            return Err(fault("diffusion tensors", detail));
        }
        let taken = |tensor: &Tensor| links(&tensor.between_voxels(spacing)).is_some();
        let wrong = |(index, tensor): &(usize, &Tensor)| self.region.contains(*index) && !taken(tensor);
        if let Some((index, tensor)) = tensors.iter().enumerate().find(wrong) {
            let at = self.grid().voxel(index).unwrap_or_default();
            let detail = format!(
                "that of voxel {at:?} is {tensor:?}, but must be positive semidefinite and not so anisotropic that its stencil reaches \
                 farther than {FARTHEST} voxels"
            );
            return Err(fault("diffusion tensors", detail));
        }
        (self.diffusivity, self.tensors) = (None, Some(tensors));
        Ok(self)
    }

    /// The same anatomy with spherical symmetry: the first axis of the grid is the distance from the center, and its voxels are shells, the
    /// first one a ball. For spheroids, and for tumors far from any wall.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a grid of more than one voxel along the second or third axis, and where cells diffuse by tensors.
    pub fn as_shells(mut self) -> Result<Self, SimulationError> {
        let shape = self.grid().shape();
        if shape[1] * shape[2] > 1 {
            let detail = format!("they need a grid of one voxel along the second and third axis, but it has {shape:?} voxels");
            return Err(fault("shells", detail));
        }
        if self.tensors.is_some() {
            return Err(fault("shells", "cells diffuse by tensors, but through shells all directions must be alike".to_owned()));
        }
        self.shells = true;
        Ok(self)
    }

    /// The same anatomy made of `tissues`, in place of any other diffusivity, every voxel of the region in exactly one of them.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a tissue on another grid, a diffusivity that is negative or not finite, and a voxel in no
    /// tissue or in two.
    pub fn with_tissues(mut self, tissues: &[Tissue]) -> Result<Self, SimulationError> {
        let mut relative = vec![f64::NAN; self.region.grid().voxels()];
        for tissue in tissues {
            same_grid("tissue", self.region.grid(), tissue.region.grid())?;
            let value = tissue.relative_diffusivity;
            if !(value >= 0.0 && value.is_finite()) {
                return Err(fault("tissue", format!("its relative diffusivity is {value}, but must be 0 or more")));
            }
            for (index, place) in relative.iter_mut().enumerate().filter(|(index, _)| tissue.region.contains(*index)) {
                if !place.is_nan() {
                    let at = self.region.grid().voxel(index).unwrap_or_default();
                    return Err(fault("tissue", format!("voxel {at:?} lies in two of them, but must lie in one")));
                }
                *place = value;
            }
        }
        if let Some(index) = (0..relative.len()).find(|&index| relative[index].is_nan() && self.region.contains(index)) {
            let at = self.region.grid().voxel(index).unwrap_or_default();
            return Err(fault("tissue", format!("voxel {at:?} lies in none of them, but must lie in one")));
        }
        (self.diffusivity, self.tensors) = (Some(relative), None);
        Ok(self)
    }

    /// The same anatomy with the dose that each voxel receives where `prescribed` is prescribed. Without it every voxel receives the
    /// prescribed dose.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a field that does not lie on the grid of the region, is not in a unit of absorbed dose, or is
    /// negative inside the region; for a prescribed dose of nothing.
    pub fn with_dose(mut self, dose: &ScalarField, prescribed: AbsorbedDose) -> Result<Self, SimulationError> {
        same_grid("dose", self.region.grid(), dose.grid())?;
        if prescribed.gray() <= 0.0 {
            return Err(fault("dose", "the prescribed dose is 0 Gy, but must be above 0".to_owned()));
        }
        self.nowhere_negative("dose", dose.values())?;
        let factor = dose.unit().convert(1.0, &Unit::parse("Gy")?)? / prescribed.gray();
        self.dose = Some(dose.values().iter().map(|value| value * factor).collect());
        Ok(self)
    }

    /// The same anatomy with the region that surgery empties. Without it surgery removes its share everywhere.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] for a region on another grid, or one that shares no voxel with the anatomy.
    pub fn with_resection(mut self, cavity: Mask) -> Result<Self, SimulationError> {
        same_grid("resection", self.region.grid(), cavity.grid())?;
        if !cavity.inside().iter().zip(self.region.inside()).any(|(one, other)| *one && *other) {
            return Err(fault("resection", "it shares no voxel with the region".to_owned()));
        }
        self.resection = Some(cavity);
        Ok(self)
    }

    /// The same region, in which everything diffuses alike.
    pub(super) fn with_equal_diffusivity(&self) -> Self {
        let (region, cellularity) = (self.region.clone(), Vec::new());
        Self { region, cellularity, diffusivity: None, tensors: None, shells: self.shells, dose: None, resection: None }
    }

    fn nowhere_negative(&self, what: &'static str, values: &[f64]) -> Result<(), SimulationError> {
        let wrong = |(index, value): &(usize, &f64)| **value < 0.0 && self.region.contains(*index);
        match values.iter().enumerate().find(wrong) {
            None => Ok(()),
            Some((index, value)) => {
                let at = self.region.grid().voxel(index).unwrap_or_default();
                Err(fault(what, format!("it is {value} in voxel {at:?}, but must be 0 or more")))
            }
        }
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        self.region.grid()
    }

    /// Where cells can be.
    #[must_use]
    pub fn region(&self) -> &Mask {
        &self.region
    }

    /// The cellularity at the start, one value for each voxel of the grid.
    #[must_use]
    pub fn cellularity(&self) -> &[f64] {
        &self.cellularity
    }

    /// The relative diffusivity, one value for each voxel of the grid, unless it is 1 everywhere or there are tensors.
    #[must_use]
    pub fn relative_diffusivity(&self) -> Option<&[f64]> {
        self.diffusivity.as_deref()
    }

    /// Whether voxels are shells around the center.
    #[must_use]
    pub fn is_of_shells(&self) -> bool {
        self.shells
    }

    /// The volume of the voxel number `index`, or of the shell, in mm³.
    #[must_use]
    pub fn volume_mm3(&self, index: usize) -> f64 {
        if !self.shells {
            return self.grid().voxel_volume_mm3();
        }
        let (n, [width, ..]) = (index as f64, self.grid().spacing_mm());
        4.0 / 3.0 * std::f64::consts::PI * width.powi(3) * (3.0 * n * (n + 1.0) + 1.0)
    }

    /// The tensors of relative diffusivity, one for each voxel of the grid, if there are any.
    #[must_use]
    pub fn relative_tensors(&self) -> Option<&[Tensor]> {
        self.tensors.as_deref()
    }

    /// The dose in each voxel of the grid as a multiple of the prescribed one, unless it is 1 everywhere.
    #[must_use]
    pub fn relative_dose(&self) -> Option<&[f64]> {
        self.dose.as_deref()
    }

    /// The region that surgery empties, unless it is everywhere.
    #[must_use]
    pub fn resection(&self) -> Option<&Mask> {
        self.resection.as_ref()
    }
}

fn dimensionless(what: &'static str, field: &ScalarField) -> Result<(), SimulationError> {
    if field.unit().is_equivalent_to(&Unit::dimensionless()) {
        return Ok(());
    }
    Err(fault(what, format!("its unit is `{}`, but must be `1`", field.unit().code())))
}
