//! Volumes: numbers over a regular grid of voxels that has a place in the patient.
//!
//! World coordinates are in millimeters. A [`Lattice`] keeps them as RAS (x to the right, y to the front, z to the head), the
//! convention of NIfTI; DICOM and ITK use LPS (x to the left, y to the back, z to the head), which [`Lattice::affine_lps`] gives.

use twin_core::{CoreError, Grid, ScalarField, Unit};

/// The first three rows of an affine map from voxel indices `(i, j, k)` to world coordinates in mm; the fourth is `0 0 0 1`.
pub type Affine = [[f64; 4]; 3];

/// By how much the cosine of the angle between two axes may differ from zero for the axes to count as orthogonal.
const ORTHOGONAL: f64 = 1e-4;

/// A grid of voxels: how many along each axis, and where their centers lie. The first axis is the fastest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lattice {
    shape: [usize; 3],
    ras: Affine,
}

impl Lattice {
    /// A grid of `shape` voxels whose centers lie where `ras` puts them, in mm RAS.
    ///
    /// # Errors
    /// [`CoreError::Count`] for a shape without voxels, [`CoreError::NotFinite`] for a number that is not finite,
    /// [`CoreError::OutOfRange`] for axes without length, or that do not span space.
    pub fn from_ras(shape: [usize; 3], ras: Affine) -> Result<Self, CoreError> {
        let voxels = shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
        if voxels.is_none_or(|voxels| voxels == 0) {
            let count = voxels.unwrap_or(usize::MAX);
            return Err(CoreError::Count { what: "voxels of a grid", count, valid: "at least one along each axis" });
        }
        if let Some(&value) = ras.iter().flatten().find(|value| !value.is_finite()) {
            return Err(CoreError::NotFinite { what: "affine of a grid", value });
        }
        let lattice = Self { shape, ras };
        let spacing = lattice.spacing_mm();
        if let Some(&value) = spacing.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
            return Err(CoreError::OutOfRange { what: "voxel spacing in mm", value, valid: "finite and above 0" });
        }
        let sine = lattice.determinant().abs() / spacing.iter().product::<f64>();
        if !(sine.is_finite() && sine > 1e-6) {
            let valid = "not 0: the axes must span space";
            return Err(CoreError::OutOfRange { what: "volume between the axes of a grid", value: sine, valid });
        }
        Ok(lattice)
    }

    /// A grid of `shape` voxels whose centers lie where `lps` puts them, in mm LPS.
    ///
    /// # Errors
    /// As [`Lattice::from_ras`].
    pub fn from_lps(shape: [usize; 3], lps: Affine) -> Result<Self, CoreError> {
        Self::from_ras(shape, turned(lps))
    }

    /// The grid of a field or a mask of the patient state; its world is taken as RAS.
    ///
    /// # Errors
    /// As [`Lattice::from_ras`].
    pub fn of(grid: &Grid) -> Result<Self, CoreError> {
        Self::from_ras(grid.shape(), grid.affine())
    }

    /// The same grid for fields and masks of the patient state, in the same place.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] for oblique axes, which such a grid cannot have.
    pub fn to_grid(&self) -> Result<Grid, CoreError> {
        if !self.is_orthogonal() {
            let detail = "the axes of the grid are not at right angles; resample to a grid whose axes are".to_owned();
            return Err(CoreError::Conflict { what: "a field", detail });
        }
        Grid::new(self.shape, self.spacing_mm())?.with_affine(self.ras)
    }

    /// Voxels along each axis.
    #[must_use]
    pub const fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// How many voxels there are.
    #[must_use]
    pub fn voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The map from voxel indices to mm RAS.
    #[must_use]
    pub const fn affine_ras(&self) -> Affine {
        self.ras
    }

    /// The map from voxel indices to mm LPS.
    #[must_use]
    pub fn affine_lps(&self) -> Affine {
        turned(self.ras)
    }

    /// Distance between neighboring centers along each axis, in mm.
    #[must_use]
    pub fn spacing_mm(&self) -> [f64; 3] {
        let [x, y, z] = self.ras;
        std::array::from_fn(|axis| x[axis].hypot(y[axis]).hypot(z[axis]))
    }

    /// The volume of one voxel, in mm3.
    #[must_use]
    pub fn voxel_mm3(&self) -> f64 {
        self.determinant().abs()
    }

    /// Where the center of voxel `(i, j, k)` lies, in mm RAS; the indices need not be whole.
    #[must_use]
    pub fn ras(&self, index: [f64; 3]) -> [f64; 3] {
        let [i, j, k] = index;
        self.ras.map(|[a, b, c, shift]| a * i + b * j + c * k + shift)
    }

    /// The voxel index, not whole in general, of a point in mm RAS.
    #[must_use]
    pub fn index(&self, point: [f64; 3]) -> [f64; 3] {
        let [[a, b, c, x], [d, e, f, y], [g, h, i, z]] = self.ras;
        let (p, q, r) = (point[0] - x, point[1] - y, point[2] - z);
        let determinant = self.determinant();
        [
            (p * (e * i - f * h) - b * (q * i - f * r) + c * (q * h - e * r)) / determinant,
            (a * (q * i - f * r) - p * (d * i - f * g) + c * (d * r - q * g)) / determinant,
            (a * (e * r - q * h) - b * (d * r - q * g) + p * (d * h - e * g)) / determinant,
        ]
    }

    /// Whether the axes are at right angles, to within a cosine of 1e-4.
    #[must_use]
    pub fn is_orthogonal(&self) -> bool {
        let spacing = self.spacing_mm();
        let cosine = |a: usize, b: usize| self.ras.iter().map(|row| row[a] * row[b]).sum::<f64>() / (spacing[a] * spacing[b]);
        [(0, 1), (0, 2), (1, 2)].iter().all(|(a, b)| cosine(*a, *b).abs() <= ORTHOGONAL)
    }

    fn determinant(&self) -> f64 {
        let [[a, b, c, _], [d, e, f, _], [g, h, i, _]] = self.ras;
        a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    }
}

/// RAS to LPS, or back: x and y change their signs.
fn turned(affine: Affine) -> Affine {
    let [x, y, z] = affine;
    [x.map(|value| 0.0 - value), y.map(|value| 0.0 - value), z]
}

/// A finite number in every voxel of a grid, first axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    lattice: Lattice,
    unit: Unit,
    values: Vec<f64>,
}

impl Volume {
    /// The `values` in `unit` over the voxels of `lattice`, first axis fastest.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless there is one value for each voxel, [`CoreError::NotFinite`] for a value that is not finite.
    pub fn new(lattice: Lattice, unit: Unit, values: Vec<f64>) -> Result<Self, CoreError> {
        let count = values.len();
        if count != lattice.voxels() {
            return Err(CoreError::Count { what: "values of a volume", count, valid: "one for each voxel of its grid" });
        }
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(CoreError::NotFinite { what: "value of a volume", value });
        }
        Ok(Self { lattice, unit, values })
    }

    /// The grid.
    #[must_use]
    pub const fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// The unit of the values.
    #[must_use]
    pub const fn unit(&self) -> &Unit {
        &self.unit
    }

    /// The values, first axis fastest.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The value of voxel `(i, j, k)`, if there is such a voxel.
    #[must_use]
    pub fn value(&self, [i, j, k]: [usize; 3]) -> Option<f64> {
        let [columns, rows, slices] = self.lattice.shape;
        (i < columns && j < rows && k < slices).then(|| self.values.get(i + columns * (j + rows * k)).copied())?
    }

    /// The value at a point in mm RAS, linear between the eight centers around it; `None` outside the outermost centers.
    #[must_use]
    pub fn at(&self, ras: [f64; 3]) -> Option<f64> {
        let index = self.lattice.index(ras);
        let mut base = [0; 3];
        let mut part = [0.0; 3];
        for axis in 0..3 {
            let last = self.lattice.shape[axis] - 1;
            // A point on the outermost center may come out a rounding error beyond it.
            let position = if index[axis] > -1e-9 && index[axis] < last as f64 + 1e-9 {
                index[axis].max(0.0).min(last as f64)
            } else {
                return None;
            };
            base[axis] = (position as usize).min(last.saturating_sub(1));
            part[axis] = position - base[axis] as f64;
        }
        let mut sum = 0.0;
        for corner in 0..8_usize {
            let mut weight = 1.0;
            let mut voxel = base;
            for axis in 0..3 {
                let upper = corner >> axis & 1;
                voxel[axis] += upper;
                weight *= if upper == 1 { part[axis] } else { 1.0 - part[axis] };
            }
            if weight > 0.0 {
                sum += weight * self.value(voxel)?;
            }
        }
        Some(sum)
    }

    /// The voxels with a value above `threshold`.
    #[must_use]
    pub fn above(&self, threshold: f64) -> Mask {
        Mask { lattice: self.lattice, voxels: self.values.iter().map(|value| *value > threshold).collect() }
    }

    /// A field of the patient state as a volume, to be written.
    ///
    /// # Errors
    /// As [`Lattice::from_ras`].
    pub fn of(field: &ScalarField) -> Result<Self, CoreError> {
        Self::new(Lattice::of(field.grid())?, field.unit().clone(), field.values().to_vec())
    }

    /// The values as a field of the patient state, in the same place.
    ///
    /// # Errors
    /// As [`Lattice::to_grid`].
    pub fn to_scalar_field(&self) -> Result<ScalarField, CoreError> {
        ScalarField::on(self.lattice.to_grid()?, self.unit.clone(), self.values.clone())
    }
}

/// The voxels of a grid that belong to something, first axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    lattice: Lattice,
    voxels: Vec<bool>,
}

impl Mask {
    /// The `voxels` of `lattice` that are true, first axis fastest.
    ///
    /// # Errors
    /// [`CoreError::Count`] unless there is one for each voxel.
    pub fn new(lattice: Lattice, voxels: Vec<bool>) -> Result<Self, CoreError> {
        let count = voxels.len();
        if count != lattice.voxels() {
            return Err(CoreError::Count { what: "voxels of a mask", count, valid: "one for each voxel of its grid" });
        }
        Ok(Self { lattice, voxels })
    }

    /// A mask of the patient state, to be written.
    ///
    /// # Errors
    /// As [`Lattice::from_ras`].
    pub fn of(region: &twin_core::Mask) -> Result<Self, CoreError> {
        Self::new(Lattice::of(region.grid())?, region.inside().to_vec())
    }

    /// The same voxels as a mask of the patient state, in the same place.
    ///
    /// # Errors
    /// As [`Lattice::to_grid`].
    pub fn to_region(&self) -> Result<twin_core::Mask, CoreError> {
        twin_core::Mask::new(self.lattice.to_grid()?, self.voxels.clone())
    }

    /// The grid.
    #[must_use]
    pub const fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// For each voxel, first axis fastest, whether it belongs.
    #[must_use]
    pub fn voxels(&self) -> &[bool] {
        &self.voxels
    }

    /// How many voxels belong.
    #[must_use]
    pub fn count(&self) -> usize {
        self.voxels.iter().filter(|voxel| **voxel).count()
    }

    /// The volume of the voxels that belong, in mm3.
    #[must_use]
    pub fn volume_mm3(&self) -> f64 {
        self.count() as f64 * self.lattice.voxel_mm3()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;

    const OBLIQUE: Affine = [[0.0, -2.0, 0.1, 5.0], [3.0, 0.0, 0.2, -7.0], [0.0, 0.0, 4.0, 1.0]];

    #[test]
    fn index_undoes_ras() {
        let lattice = Lattice::from_ras([3, 4, 5], OBLIQUE).unwrap();
        for index in [[0.0, 0.0, 0.0], [2.0, 1.5, -3.0], [0.3, 7.0, 4.0]] {
            let back = lattice.index(lattice.ras(index));
            assert!(back.iter().zip(index).all(|(a, b)| (a - b).abs() < 1e-12), "{back:?}");
        }
        assert!((lattice.voxel_mm3() - 24.0).abs() < 1e-12 && !lattice.is_orthogonal());
        let lps = lattice.affine_lps();
        assert_eq!((lps[0][3], lps[1][3], lps[2][3]), (-5.0, 7.0, 1.0));
        assert_eq!(Lattice::from_lps([3, 4, 5], lps).unwrap(), lattice);
    }

    #[test]
    fn a_grid_without_extent_is_refused() {
        let straight = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
        assert!(Lattice::from_ras([1, 1, 1], straight).is_ok());
        assert!(matches!(Lattice::from_ras([1, 0, 1], straight), Err(CoreError::Count { .. })));
        assert!(matches!(Lattice::from_ras([usize::MAX, 2, 1], straight), Err(CoreError::Count { .. })));
        for bad in [f64::NAN, f64::INFINITY] {
            let mut affine = straight;
            affine[1][3] = bad;
            assert!(matches!(Lattice::from_ras([1, 1, 1], affine), Err(CoreError::NotFinite { .. })));
        }
        let mut flat = straight;
        flat[2][2] = 0.0;
        assert!(matches!(Lattice::from_ras([1, 1, 1], flat), Err(CoreError::OutOfRange { .. })));
        flat[0][2] = 1.0;
        assert!(matches!(Lattice::from_ras([1, 1, 1], flat), Err(CoreError::OutOfRange { .. })));
    }

    #[test]
    fn between_centers_values_are_linear() {
        let lattice = Lattice::from_ras([3, 2, 1], [[2.0, 0.0, 0.0, 10.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]]).unwrap();
        let volume = Volume::new(lattice, Unit::dimensionless(), vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]).unwrap();
        assert_eq!(volume.at([11.0, 1.0, 0.0]), Some(5.5));
        assert_eq!(volume.at([14.0, 2.0, 0.0]), Some(12.0));
        assert_eq!((volume.at([14.1, 2.0, 0.0]), volume.at([12.0, 1.0, 0.5])), (None, None));
        assert_eq!((volume.above(9.0).count(), volume.above(9.0).volume_mm3()), (3, 24.0));
        assert_eq!((volume.value([2, 1, 0]), volume.value([3, 0, 0])), (Some(12.0), None));
        let field = volume.to_scalar_field().unwrap();
        assert_eq!((field.spacing_mm(), field.grid().world_mm([0.0; 3])), ([2.0; 3], [10.0, 0.0, 0.0]));
        assert_eq!(Volume::of(&field).unwrap(), volume);
        let mask = volume.above(9.0);
        assert_eq!(mask.to_region().unwrap().inside(), mask.voxels());
        assert_eq!(Mask::of(&mask.to_region().unwrap()).unwrap(), mask);
        assert!(Volume::new(lattice, Unit::dimensionless(), vec![f64::NAN; 6]).is_err());
    }
}
