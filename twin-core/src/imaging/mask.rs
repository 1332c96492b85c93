//! A region of a grid.

use crate::{CoreError, Grid, ScalarField};

/// Some of the voxels of a grid: an organ, a lesion, a resection cavity.
///
/// ```
/// use twin_core::{Grid, Mask};
/// let grid = Grid::new([3, 1, 1], [2.0, 1.0, 1.0])?;
/// let mask = Mask::new(grid, vec![true, false, true])?;
/// assert_eq!((mask.count(), mask.volume_mm3()), (2, 4.0));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    grid: Grid,
    inside: Vec<bool>,
}

impl Mask {
    /// The voxels of `grid` whose entry in `inside` is true, one entry for each voxel, first axis fastest.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless there is one entry for each voxel.
    pub fn new(grid: Grid, inside: Vec<bool>) -> Result<Self, CoreError> {
        if inside.len() != grid.voxels() {
            let (what, valid) = ("entries of a mask", "one for each voxel of its grid");
            return Err(CoreError::Count { what, count: inside.len(), valid });
        }
        Ok(Self { grid, inside })
    }

    /// The whole grid.
    #[must_use]
    pub fn whole(grid: Grid) -> Self {
        let inside = vec![true; grid.voxels()];
        Self { grid, inside }
    }

    /// The voxels in which `field` lies above `threshold`, in the unit of the field.
    #[must_use]
    pub fn above(field: &ScalarField, threshold: f64) -> Self {
        Self { grid: field.grid().clone(), inside: field.values().iter().map(|&value| value > threshold).collect() }
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Whether each voxel lies in the region, first axis fastest.
    #[must_use]
    pub fn inside(&self) -> &[bool] {
        &self.inside
    }

    /// Whether the voxel number `index` lies in the region; false beyond the grid.
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        self.inside.get(index).copied().unwrap_or(false)
    }

    /// The number of voxels in the region.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inside.iter().filter(|inside| **inside).count()
    }

    /// The volume of the region, in mm³.
    #[must_use]
    pub fn volume_mm3(&self) -> f64 {
        self.count() as f64 * self.grid.voxel_volume_mm3()
    }
}
