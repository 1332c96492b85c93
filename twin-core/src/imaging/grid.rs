//! A regular grid of voxels and its place in the world.

use crate::CoreError;

/// A regular grid: voxels along each axis, their spacing, and where they lie in the world. The first axis runs fastest.
///
/// A grid of fewer than three dimensions has one voxel along the axes that it lacks.
///
/// ```
/// use twin_core::Grid;
/// let grid = Grid::new([48, 48, 32], [2.0, 2.0, 3.0])?;
/// assert_eq!(grid.voxels(), 73_728);
/// assert_eq!(grid.voxel_volume_mm3(), 12.0);
/// assert_eq!(grid.index([1, 2, 3]), Some(1 + 48 * (2 + 48 * 3)));
/// assert_eq!(grid.world_mm([1.0, 2.0, 3.0]), [2.0, 4.0, 9.0]);
/// assert!(Grid::new([48, 48, 0], [2.0, 2.0, 3.0]).is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    shape: [usize; 3],
    spacing_mm: [f64; 3],
    affine: [[f64; 4]; 3],
}

/// By how much, relatively, the columns of an affine may differ in length from the spacing: headers store them as `f32`.
const COLUMN_AGREEMENT: f64 = 1e-3;

/// The largest cosine of the angle between two columns of an affine: voxels are boxes, and headers store directions as `f32`.
const COLUMN_COSINE: f64 = 1e-3;

impl Grid {
    /// A grid of `shape` voxels, `spacing_mm` apart along each axis, whose axes are those of the world and whose first voxel center is
    /// the world's origin.
    ///
    /// # Errors
    /// [`CoreError::Count`] without any voxel, or with more than can be counted; [`CoreError::OutOfRange`] or
    /// [`CoreError::NotFinite`] for a spacing that is not positive.
    pub fn new(shape: [usize; 3], spacing_mm: [f64; 3]) -> Result<Self, CoreError> {
        let voxels = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        if voxels.is_none_or(|voxels| voxels == 0) {
            let valid = "at least one along each axis, and few enough to be counted";
            return Err(CoreError::Count { what: "voxels of a grid", count: voxels.unwrap_or(usize::MAX), valid });
        }
        for value in spacing_mm {
            if !value.is_finite() {
                return Err(CoreError::NotFinite { what: "voxel spacing in mm", value });
            }
            if value <= 0.0 {
                return Err(CoreError::OutOfRange { what: "voxel spacing in mm", value, valid: "above 0" });
            }
        }
        let [x, y, z] = spacing_mm;
        Ok(Self { shape, spacing_mm, affine: [[x, 0.0, 0.0, 0.0], [0.0, y, 0.0, 0.0], [0.0, 0.0, z, 0.0]] })
    }

    /// The same grid placed in the world: `affine` maps voxel indices `(i, j, k, 1)` to world coordinates in mm, one row for each.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for an entry that is not finite; [`CoreError::Conflict`] if a column is not as long as the spacing of
    /// its axis, or two of them are not at right angles: the axes of a grid neither shear nor fall together.
    pub fn with_affine(mut self, affine: [[f64; 4]; 3]) -> Result<Self, CoreError> {
        if let Some(&value) = affine.iter().flatten().find(|value| !value.is_finite()) {
            return Err(CoreError::NotFinite { what: "entry of the affine of a grid", value });
        }
        for (axis, spacing) in self.spacing_mm.iter().enumerate() {
            let length = affine.iter().map(|row| row[axis] * row[axis]).sum::<f64>().sqrt();
            if (length - spacing).abs() > COLUMN_AGREEMENT * spacing {
                let detail =
                    format!("column {axis} of its affine is {length} mm long, but must be as long as the spacing, {spacing} mm");
                return Err(CoreError::Conflict { what: "grid", detail });
            }
        }
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let share = |row: &[f64; 4], axis: usize| row[axis] / self.spacing_mm[axis];
            let cosine: f64 = affine.iter().map(|row| share(row, a) * share(row, b)).sum();
            if cosine.abs() > COLUMN_COSINE {
                let detail = format!("columns {a} and {b} of its affine meet at a cosine of {cosine}, but must be at right angles");
                return Err(CoreError::Conflict { what: "grid", detail });
            }
        }
        self.affine = affine;
        Ok(self)
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

    /// The map from voxel indices `(i, j, k, 1)` to world coordinates in mm, one row for each.
    #[must_use]
    pub fn affine(&self) -> [[f64; 4]; 3] {
        self.affine
    }

    /// Whether the grid was given a place other than that of [`Grid::new`]: the axes of the world, the first voxel center its origin.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        Self::new(self.shape, self.spacing_mm).is_ok_and(|plain| plain.affine != self.affine)
    }

    /// The number of voxels.
    #[must_use]
    pub fn voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The volume of one voxel, in mm³.
    #[must_use]
    pub fn voxel_volume_mm3(&self) -> f64 {
        self.spacing_mm.iter().product()
    }

    /// The place of the voxel `at` among the values of a field; `None` if it lies outside.
    #[must_use]
    pub fn index(&self, at: [usize; 3]) -> Option<usize> {
        let [nx, ny, _] = self.shape;
        at.iter().zip(self.shape).all(|(&i, n)| i < n).then(|| at[0] + nx * (at[1] + ny * at[2]))
    }

    /// The voxel whose value stands at `index`; `None` if there are fewer.
    #[must_use]
    pub fn voxel(&self, index: usize) -> Option<[usize; 3]> {
        let [nx, ny, _] = self.shape;
        (index < self.voxels()).then(|| [index % nx, index / nx % ny, index / (nx * ny)])
    }

    /// The world coordinates, in mm, of a place given in voxel indices; whole numbers are voxel centers.
    #[must_use]
    pub fn world_mm(&self, voxel: [f64; 3]) -> [f64; 3] {
        self.affine.map(|row| row[3] + row.iter().zip(voxel).map(|(entry, at)| entry * at).sum::<f64>())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn refuses_grids_without_volume() {
        for spacing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Grid::new([2, 2, 2], [1.0, spacing, 1.0]).is_err(), "{spacing}");
        }
        assert!(Grid::new([usize::MAX, 3, 1], [1.0; 3]).is_err());
        assert!(Grid::new([3, 0, 1], [1.0; 3]).is_err());
    }

    #[test]
    fn indices_and_voxels_are_inverse() {
        let grid = Grid::new([3, 4, 5], [1.0; 3]).unwrap();
        for index in 0..grid.voxels() {
            assert_eq!(grid.index(grid.voxel(index).unwrap()), Some(index));
        }
        assert_eq!(grid.voxel(60), None);
        assert_eq!(grid.index([3, 0, 0]), None);
    }

    #[test]
    fn an_affine_must_fit_the_spacing() {
        let grid = Grid::new([3, 4, 5], [1.0, 2.0, 3.0]).unwrap();
        let turned = [[0.0, -2.0, 0.0, 10.0], [1.0, 0.0, 0.0, -5.0], [0.0, 0.0, 3.0, 1.0]];
        let placed = grid.clone().with_affine(turned).unwrap();
        assert!(placed.is_placed() && !grid.is_placed());
        assert_eq!(placed.world_mm([1.0, 1.0, 1.0]), [8.0, -4.0, 4.0]);
        assert!(grid.clone().with_affine([[1.0, 0.0, 0.0, 0.0]; 3]).is_err());
        assert!(grid.with_affine([[f64::NAN; 4]; 3]).is_err());
    }

    #[test]
    fn the_axes_of_an_affine_are_at_right_angles() {
        let grid = Grid::new([3; 3], [1.0, 2.0, 3.0]).unwrap();
        let singular = [[1.0, 2.0, 3.0, 0.0], [0.0; 4], [0.0; 4]];
        let (sin, cos) = 30_f64.to_radians().sin_cos();
        let sheared = [[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 3.0 * cos, 0.0], [0.0, 0.0, 3.0 * sin, 0.0]];
        for affine in [singular, sheared] {
            let refused = grid.clone().with_affine(affine);
            assert!(matches!(refused, Err(CoreError::Conflict { what: "grid", .. })), "{refused:?}");
        }
        let turned = [[cos, -2.0 * sin, 0.0, 5.0], [sin, 2.0 * cos, 0.0, 0.0], [0.0, 0.0, -3.0, 0.0]];
        assert!(grid.with_affine(turned).is_ok());
    }
}
