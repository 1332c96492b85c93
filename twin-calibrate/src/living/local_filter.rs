//! The ensemble filter that learns from a field place by place.

use crate::CalibrationError;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Grid;

const METHOD: &str = "local filter";

/// The local ensemble transform Kalman filter (Hunt, Kostelich and Szunyogh 2007, doi:10.1016/j.physd.2006.11.008): around every anchor of a coarse
/// lattice the members are recombined so that they agree with the readings nearby, and between anchors the recombinations are blended (Yang et al.
/// 2009, doi:10.1002/qj.353). So a hundred members serve a field of any number of voxels, and chance correlations over a distance do no harm.
///
/// Exact, as members grow in number, for linear models with normal errors; else an approximation that does not diagnose itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalFilter {
    /// The distance in mm beyond which a reading tells nothing of a place. Nearer ones count in full at no distance, and less with it (Gaspari and Cohn
    /// 1999, doi:10.1002/qj.49712555417).
    pub radius_mm: f64,
    /// The distance in mm from one anchor to the next, at most the radius.
    pub anchors_mm: f64,
    /// The factor, at least 1, by which the variance of the members is inflated beforehand, against the small spread of few members.
    pub inflation: f64,
    /// The share of the readings that counts, above 0 and at most 1: the errors of neighboring voxels of a scan go together.
    pub weight: f64,
}

impl Default for LocalFilter {
    fn default() -> Self {
        Self { radius_mm: 10.0, anchors_mm: 8.0, inflation: 1.05, weight: 0.1 }
    }
}

/// A scan beside the members: voxels that matter, in the order of the grid.
pub(super) struct Scene<'a> {
    pub grid: &'a Grid,
    /// The voxels that are learned from and changed.
    pub voxels: &'a [usize],
    /// The scan at those voxels, `None` where nothing was read.
    pub seen: &'a [Option<f64>],
    /// The standard deviation of its error.
    pub error: f64,
    /// What each member predicts there (voxels × members).
    pub predicted: &'a DMatrix<f64>,
}

/// How an anchor recombines the members: member `k` becomes the mean plus the sum of anomalies `j` times `(j, k)`.
struct Anchor {
    weights: DMatrix<f64>,
    /// The readings that counted, each with its share.
    readings: f64,
}

/// The taper of Gaspari and Cohn (1999, equation 4.10), 0 from a distance of one radius on.
fn taper(distance: f64) -> f64 {
    let r = 2.0 * distance;
    if r < 1.0 {
        ((((-0.25 * r + 0.5) * r + 0.625) * r - 5.0 / 3.0) * r * r) + 1.0
    } else if r < 2.0 {
        ((((r / 12.0 - 0.5) * r + 0.625) * r + 5.0 / 3.0) * r - 5.0) * r + 4.0 - 2.0 / (3.0 * r)
    } else {
        0.0
    }
}

impl LocalFilter {
    pub(super) fn check(&self) -> Result<(), CalibrationError> {
        let setting = |setting, value, valid| Err(CalibrationError::Setting { method: METHOD, setting, value, valid });
        if !(self.radius_mm > 0.0 && self.radius_mm.is_finite()) {
            return setting("radius_mm", self.radius_mm, "above 0 and finite");
        }
        if !(self.anchors_mm > 0.0 && self.anchors_mm <= self.radius_mm) {
            return setting("anchors_mm", self.anchors_mm, "above 0 and at most the radius");
        }
        if !(self.inflation >= 1.0 && self.inflation.is_finite()) {
            return setting("inflation", self.inflation, "at least 1 and finite");
        }
        if !(self.weight > 0.0 && self.weight <= 1.0) {
            return setting("weight", self.weight, "above 0 and at most 1");
        }
        Ok(())
    }

    /// Recombines the columns of `states` (voxels × members) place by place, and those of `globals` (values × members) by the mean of what all places
    /// say, each by how much was read there.
    pub(super) fn assimilate(&self, scene: &Scene<'_>, states: &mut DMatrix<f64>, globals: &mut DMatrix<f64>) {
        let lattice = Lattice::over(scene.grid, self.anchors_mm);
        // The voxels of each anchor: those less than one distance between anchors away along every axis.
        let mut support: Vec<Vec<(usize, f64)>> = vec![Vec::new(); lattice.count()];
        for (row, &voxel) in scene.voxels.iter().enumerate() {
            lattice.blend(scene.grid, voxel, |anchor, share| {
                if let Some(voxels) = support.get_mut(anchor) {
                    voxels.push((row, share));
                }
            });
        }
        let nearby = Nearby::new(scene, self.radius_mm);
        let used: Vec<usize> = (0..lattice.count()).filter(|&anchor| support.get(anchor).is_some_and(|s| !s.is_empty())).collect();
        let anchors: Vec<Anchor> = used.par_iter().map(|&anchor| self.anchor(scene, &nearby, lattice.place(anchor))).collect();
        let (means, anomalies) = center(states, self.inflation);
        let shares: Vec<(usize, DMatrix<f64>)> = used
            .par_iter()
            .zip(&anchors)
            .map(|(&anchor, found)| {
                let rows = support.get(anchor).map_or(&[] as &[(usize, f64)], Vec::as_slice);
                let own = DMatrix::from_fn(rows.len(), anomalies.ncols(), |i, j| anomalies[(rows[i].0, j)] * rows[i].1);
                (anchor, own * &found.weights)
            })
            .collect();
        for (row, mean) in means.iter().enumerate() {
            states.row_mut(row).fill(*mean);
        }
        for (anchor, part) in &shares {
            for (i, (row, _)) in support.get(*anchor).into_iter().flatten().enumerate() {
                let mut whole = states.row_mut(*row);
                whole += part.row(i);
            }
        }
        let total: f64 = anchors.iter().map(|anchor| anchor.readings).sum();
        if total > 0.0 && globals.nrows() > 0 {
            let (means, anomalies) = center(globals, self.inflation);
            let mut mixed = DMatrix::zeros(anomalies.ncols(), anomalies.ncols());
            for anchor in &anchors {
                mixed += &anchor.weights * (anchor.readings / total);
            }
            *globals = anomalies * mixed;
            for (row, mean) in means.iter().enumerate() {
                globals.row_mut(row).add_scalar_mut(*mean);
            }
        }
    }

    /// The recombination at `place`.
    fn anchor(&self, scene: &Scene<'_>, nearby: &Nearby, place: [usize; 3]) -> Anchor {
        let n = scene.predicted.ncols();
        let (mut rows, mut shares) = (Vec::new(), Vec::new());
        nearby.around(scene, place, |row, distance| {
            let share = taper(distance / self.radius_mm);
            if share > 1e-3 {
                rows.push(row);
                shares.push(share);
            }
        });
        let readings = shares.iter().sum();
        if rows.is_empty() {
            // Nothing was read here, and nothing changes.
            return Anchor { weights: DMatrix::identity(n, n) / self.inflation.sqrt(), readings };
        }
        // Anomalies and innovations in standard deviations of the error.
        let mut scaled = DMatrix::zeros(rows.len(), n);
        let mut off = DVector::zeros(rows.len());
        for (i, (&row, share)) in rows.iter().zip(&shares).enumerate() {
            let predicted = scene.predicted.row(row);
            let mean = predicted.mean();
            let scale = (self.weight * share).sqrt() / scene.error;
            let seen = scene.seen.get(row).copied().flatten().unwrap_or(mean);
            off[i] = (seen - mean) * scale;
            for (to, from) in scaled.row_mut(i).iter_mut().zip(predicted.iter()) {
                *to = (from - mean) * scale;
            }
        }
        scaled *= self.inflation.sqrt();
        let freedom = n as f64 - 1.0;
        // The product with the transpose takes the blocked path of the matrix library, which `tr_mul` does not.
        let information = scaled.transpose() * &scaled;
        let eigen = (information + DMatrix::identity(n, n) * freedom).symmetric_eigen();
        let spectral = |of: &dyn Fn(f64) -> f64| {
            let mut left = eigen.eigenvectors.clone();
            for (mut column, value) in left.column_iter_mut().zip(eigen.eigenvalues.iter()) {
                // The eigenvalues are at least the degrees of freedom, but for rounding.
                column *= of(value.max(freedom));
            }
            left * eigen.eigenvectors.transpose()
        };
        let mean = spectral(&|value| 1.0 / value) * scaled.tr_mul(&off);
        let mut weights = spectral(&|value| (freedom / value).sqrt());
        for mut column in weights.column_iter_mut() {
            column += &mean;
        }
        Anchor { weights, readings }
    }
}

/// The means of the rows, and the distances from them, inflated.
fn center(values: &DMatrix<f64>, inflation: f64) -> (Vec<f64>, DMatrix<f64>) {
    let means: Vec<f64> = values.row_iter().map(|row| row.mean()).collect();
    let mut anomalies = values.clone();
    for (mut row, mean) in anomalies.row_iter_mut().zip(&means) {
        row.add_scalar_mut(-mean);
    }
    (means, anomalies * inflation.sqrt())
}

/// Anchors on a coarse lattice over a grid; the last of each axis lies at or beyond its end.
struct Lattice {
    /// Voxels from one anchor to the next.
    stride: [usize; 3],
    shape: [usize; 3],
}

impl Lattice {
    fn over(grid: &Grid, distance_mm: f64) -> Self {
        let (shape, spacing) = (grid.shape(), grid.spacing_mm());
        let stride = [0, 1, 2].map(|axis| ((distance_mm / spacing[axis]).floor() as usize).clamp(1, shape[axis].max(1)));
        let shape = [0, 1, 2].map(|axis| (shape[axis].saturating_sub(1)).div_ceil(stride[axis]) + 1);
        Self { stride, shape }
    }

    fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The voxel at which an anchor lies.
    fn place(&self, anchor: usize) -> [usize; 3] {
        let [nx, ny, _] = self.shape;
        let at = [anchor % nx, anchor / nx % ny, anchor / (nx * ny)];
        [0, 1, 2].map(|axis| at[axis] * self.stride[axis])
    }

    /// The anchors around a voxel with their trilinear shares.
    fn blend(&self, grid: &Grid, voxel: usize, mut to: impl FnMut(usize, f64)) {
        let Some(at) = grid.voxel(voxel) else { return };
        let cell = [0, 1, 2].map(|axis| at[axis] / self.stride[axis]);
        let part = [0, 1, 2].map(|axis| (at[axis] % self.stride[axis]) as f64 / self.stride[axis] as f64);
        for corner in 0..8_usize {
            let up = [0, 1, 2].map(|axis| corner >> axis & 1);
            let share: f64 = [0, 1, 2].iter().map(|&axis| if up[axis] == 1 { part[axis] } else { 1.0 - part[axis] }).product();
            if share > 0.0 {
                let [x, y, z] = [0, 1, 2].map(|axis| cell[axis] + up[axis]);
                to(x + self.shape[0] * (y + self.shape[1] * z), share);
            }
        }
    }
}

/// The readings, by voxel of the grid.
struct Nearby {
    rows: Vec<u32>,
    reach: [usize; 3],
}

impl Nearby {
    fn new(scene: &Scene<'_>, radius_mm: f64) -> Self {
        let mut rows = vec![u32::MAX; scene.grid.voxels()];
        for (row, (&voxel, seen)) in scene.voxels.iter().zip(scene.seen).enumerate() {
            if let (Some(place), Some(_), Ok(row)) = (rows.get_mut(voxel), seen, u32::try_from(row)) {
                *place = row;
            }
        }
        let reach = scene.grid.spacing_mm().map(|spacing| (radius_mm / spacing).floor() as usize);
        Self { rows, reach }
    }

    /// Hands each reading less than the radius away to `to`, with its distance in mm. The place may lie beyond the end of the grid.
    fn around(&self, scene: &Scene<'_>, place: [usize; 3], mut to: impl FnMut(usize, f64)) {
        let (shape, spacing) = (scene.grid.shape(), scene.grid.spacing_mm());
        let range =
            |axis: usize| place[axis].saturating_sub(self.reach[axis])..(place[axis] + self.reach[axis] + 1).min(shape[axis]);
        for z in range(2) {
            for y in range(1) {
                for x in range(0) {
                    let row = scene.grid.index([x, y, z]).and_then(|voxel| self.rows.get(voxel)).copied().unwrap_or(u32::MAX);
                    if row != u32::MAX {
                        let at = [x, y, z];
                        let off = |axis: usize| (at[axis] as f64 - place[axis] as f64) * spacing[axis];
                        to(row as usize, (0..3).map(|axis| off(axis).powi(2)).sum::<f64>().sqrt());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    #[test]
    fn the_taper_falls_from_one_to_zero() {
        assert!((taper(0.0) - 1.0).abs() < 1e-15 && taper(1.0).abs() < 1e-12 && taper(1.5) == 0.0);
        assert!((taper(0.5 - 1e-9) - taper(0.5 + 1e-9)).abs() < 1e-7);
        assert!((1..20).all(|k| taper(0.05 * f64::from(k)) < taper(0.05 * f64::from(k - 1))));
    }

    #[test]
    fn shares_of_anchors_sum_to_one() {
        let grid = Grid::new([7, 5, 3], [1.0, 2.0, 1.0]).unwrap();
        let lattice = Lattice::over(&grid, 4.0);
        for voxel in 0..grid.voxels() {
            let mut total = 0.0;
            lattice.blend(&grid, voxel, |anchor, share| {
                assert!(anchor < lattice.count());
                total += share;
            });
            assert!((total - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn one_voxel_is_the_kalman_filter() {
        let grid = Grid::new([1, 1, 1], [1.0; 3]).unwrap();
        let mut random = Random::new(3);
        let mut states = DMatrix::from_fn(1, 100, |_, _| 2.0 + 0.5 * random.normal());
        // A global value that goes along with the state, with noise of its own.
        let mut globals = DMatrix::from_fn(1, 100, |_, k| 3.0 * states[(0, k)] + random.normal());
        let (predicted, former) = (states.clone(), globals.clone());
        let scene = Scene { grid: &grid, voxels: &[0], seen: &[Some(3.0)], error: 0.5, predicted: &predicted };
        let filter = LocalFilter { inflation: 1.0, weight: 1.0, ..LocalFilter::default() };
        filter.assimilate(&scene, &mut states, &mut globals);
        let variance = |row: &[f64]| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            (mean, row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (row.len() as f64 - 1.0))
        };
        let (before, after) = (variance(predicted.as_slice()), variance(states.as_slice()));
        // Kalman's own formulas, for the moments of these members.
        let gain = before.1 / (before.1 + 0.25);
        assert!((after.0 - before.0 - gain * (3.0 - before.0)).abs() < 1e-9, "{after:?}");
        assert!((after.1 - (1.0 - gain) * before.1).abs() < 1e-9, "{after:?}");
        let shift = variance(globals.as_slice()).0 - variance(former.as_slice()).0;
        assert!((shift - 3.0 * (after.0 - before.0)).abs() < 0.3, "{shift}");
    }

    #[test]
    fn a_distant_place_learns_nothing() {
        let grid = Grid::new([60, 1, 1], [1.0; 3]).unwrap();
        let mut random = Random::new(4);
        let mut states = DMatrix::from_fn(60, 20, |_, _| random.normal());
        let before = states.clone();
        let voxels: Vec<usize> = (0..60).collect();
        let seen: Vec<Option<f64>> = (0..60).map(|x| (x == 5).then_some(4.0)).collect();
        let scene = Scene { grid: &grid, voxels: &voxels, seen: &seen, error: 0.1, predicted: &before };
        let filter = LocalFilter { inflation: 1.0, weight: 1.0, ..LocalFilter::default() };
        filter.assimilate(&scene, &mut states, &mut DMatrix::zeros(0, 20));
        assert!((states.row(5).mean() - 4.0).abs() < 1.0);
        for row in 30..60 {
            assert!((states.row(row) - before.row(row)).amax() < 1e-9, "row {row}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let plain = LocalFilter::default();
        for bad in [
            LocalFilter { radius_mm: 0.0, ..plain },
            LocalFilter { anchors_mm: 11.0, ..plain },
            LocalFilter { inflation: 0.9, ..plain },
            LocalFilter { weight: f64::NAN, ..plain },
        ] {
            assert!(matches!(bad.check(), Err(CalibrationError::Setting { .. })));
        }
    }
}
