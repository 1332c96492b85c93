//! Fields of values over a grid of voxels.

use crate::{CoreError, Unit};
use serde::{Deserialize, Serialize};

/// A finite number in every voxel of a regular grid, first axis fastest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!try_from, deny_unknown_fields))]
pub struct ScalarField {
    shape: [usize; 3],
    spacing_mm: [f64; 3],
    unit: Unit,
    values: Vec<f64>,
}

/// The wire form of [`ScalarField`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    shape: [usize; 3],
    spacing_mm: [f64; 3],
    unit: Unit,
    values: Vec<f64>,
}

impl TryFrom<Unchecked> for ScalarField {
    type Error = CoreError;
    fn try_from(field: Unchecked) -> Result<Self, CoreError> {
        Self::new(field.shape, field.spacing_mm, field.unit, field.values)
    }
}

impl ScalarField {
    /// A field of `values` in `unit` over `shape` voxels, first axis fastest, `spacing_mm` apart along each axis.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless there is one value for each voxel and at least one voxel; [`CoreError::OutOfRange`] or
    /// [`CoreError::NotFinite`] for a spacing that is not positive, or a value that is not finite.
    pub fn new(shape: [usize; 3], spacing_mm: [f64; 3], unit: Unit, values: Vec<f64>) -> Result<Self, CoreError> {
        let voxels = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        if values.is_empty() || voxels != Some(values.len()) {
            return Err(CoreError::Count {
                what: "values of a field",
                count: values.len(),
                valid: "one for each voxel of its shape",
            });
        }
        for value in spacing_mm {
            if !value.is_finite() {
                return Err(CoreError::NotFinite { what: "voxel spacing in mm", value });
            }
            if value <= 0.0 {
                return Err(CoreError::OutOfRange { what: "voxel spacing in mm", value, valid: "above 0" });
            }
        }
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(CoreError::NotFinite { what: "value of a field", value });
        }
        Ok(Self { shape, spacing_mm, unit, values })
    }

    /// Voxels along each axis.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Distance between voxel centers along each axis, in mm.
    #[must_use]
    pub fn spacing_mm(&self) -> [f64; 3] {
        self.spacing_mm
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
