//! Fields of values over a grid of voxels.

use crate::{CoreError, Grid, Unit};
use serde::{Deserialize, Serialize};

/// A finite number in every voxel of a regular grid, first axis fastest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "Wire"))]
pub struct ScalarField {
    grid: Grid,
    unit: Unit,
    values: Vec<f64>,
}

/// A finite number in every voxel of a regular grid, first axis fastest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ScalarField"))]
struct Wire {
    shape: [usize; 3],
    spacing_mm: [f64; 3],
    /// The map from voxel indices to world coordinates in mm, one row for each; without it the axes are those of the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    affine: Option<[[f64; 4]; 3]>,
    unit: Unit,
    values: Vec<f64>,
}

impl TryFrom<Wire> for ScalarField {
    type Error = CoreError;
    fn try_from(field: Wire) -> Result<Self, CoreError> {
        let grid = Grid::new(field.shape, field.spacing_mm)?;
        let grid = match field.affine {
            Some(affine) => grid.with_affine(affine)?,
            None => grid,
        };
        Self::on(grid, field.unit, field.values)
    }
}

impl From<ScalarField> for Wire {
    fn from(field: ScalarField) -> Self {
        let affine = field.grid.is_placed().then(|| field.grid.affine());
        Self { shape: field.shape(), spacing_mm: field.spacing_mm(), affine, unit: field.unit, values: field.values }
    }
}

impl ScalarField {
    /// A field of `values` in `unit` over `shape` voxels, first axis fastest, `spacing_mm` apart along each axis.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless there is one value for each voxel and at least one voxel; [`CoreError::OutOfRange`] or
    /// [`CoreError::NotFinite`] for a spacing that is not positive, or a value that is not finite.
    pub fn new(shape: [usize; 3], spacing_mm: [f64; 3], unit: Unit, values: Vec<f64>) -> Result<Self, CoreError> {
        Self::on(Grid::new(shape, spacing_mm)?, unit, values)
    }

    /// A field of `values` in `unit` on `grid`, first axis fastest.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless there is one value for each voxel; [`CoreError::NotFinite`] for a value that is not finite.
    pub fn on(grid: Grid, unit: Unit, values: Vec<f64>) -> Result<Self, CoreError> {
        if values.len() != grid.voxels() {
            let (what, valid) = ("values of a field", "one for each voxel of its shape");
            return Err(CoreError::Count { what, count: values.len(), valid });
        }
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(CoreError::NotFinite { what: "value of a field", value });
        }
        Ok(Self { grid, unit, values })
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Voxels along each axis.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.grid.shape()
    }

    /// Distance between voxel centers along each axis, in mm.
    #[must_use]
    pub fn spacing_mm(&self) -> [f64; 3] {
        self.grid.spacing_mm()
    }

    /// The unit of the values.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// The values, one for each voxel, first axis fastest.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}
