//! Diffusion by a tensor: its stencil of non-negative links between voxels.
//!
//! A positive definite tensor is a sum of `λ v vᵀ` over six integer vectors `v` with `λ ≥ 0`: Selling's decomposition on an obtuse
//! superbase. Links along those vectors, in pairs and of weight `λ`, make an operator that is symmetric, loses no cell, and has no negative
//! weight, whatever the anisotropy. Fehrenbach and Mirebeau 2014, doi:10.1007/s10851-013-0446-3.

/// A symmetric tensor, along the axes of the grid.
///
/// ```
/// use twin_models::spatial::Tensor;
/// // Cells move five times as fast along fibers in the plane of the first two axes as across them.
/// let tensor = Tensor::of_fibers([1.0, 1.0, 0.0], 1.0, 0.2);
/// assert!((tensor.xx - 0.6).abs() < 1e-15 && (tensor.xy - 0.4).abs() < 1e-15 && tensor.zz == 0.2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tensor {
    /// Along the first axis.
    pub xx: f64,
    /// Along the second axis.
    pub yy: f64,
    /// Along the third axis.
    pub zz: f64,
    /// Between the first and the second.
    pub xy: f64,
    /// Between the first and the third.
    pub xz: f64,
    /// Between the second and the third.
    pub yz: f64,
}

impl Tensor {
    /// The same in every direction.
    #[must_use]
    pub const fn isotropic(value: f64) -> Self {
        Self { xx: value, yy: value, zz: value, xy: 0.0, xz: 0.0, yz: 0.0 }
    }

    /// That of fibers in `direction`, of any length but 0 (which gives values that are not numbers and are refused).
    #[must_use]
    pub fn of_fibers(direction: [f64; 3], along: f64, across: f64) -> Self {
        let square: f64 = direction.iter().map(|x| x * x).sum();
        let more = |i: usize, j: usize| (along - across) * direction[i] * direction[j] / square;
        Self {
            xx: across + more(0, 0),
            yy: across + more(1, 1),
            zz: across + more(2, 2),
            xy: more(0, 1),
            xz: more(0, 2),
            yz: more(1, 2),
        }
    }

    /// Per mm² between voxels at `spacing`: what it is if these are 1 apart.
    pub(super) fn between_voxels(&self, spacing: [f64; 3]) -> Matrix {
        let whole = [[self.xx, self.xy, self.xz], [self.xy, self.yy, self.yz], [self.xz, self.yz, self.zz]];
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| whole[i][j] / (spacing[i] * spacing[j])))
    }
}

pub(super) type Matrix = [[f64; 3]; 3];
pub(super) type Offset = [i64; 3];

/// How far a link may reach along an axis, in voxels.
pub(super) const FARTHEST: i64 = 3;

/// More turns than any tensor takes whose links do not reach too far.
const TURNS: usize = 60;

/// The links of a tensor, the first component other than 0 of each offset (from the last axis on) above 0; `None` if it is not positive
/// semidefinite, or some reach farther than [`FARTHEST`].
pub(super) fn links(tensor: &Matrix) -> Option<impl Iterator<Item = (Offset, f64)> + use<>> {
    let trace = tensor[0][0] + tensor[1][1] + tensor[2][2];
    if !tensor.iter().flatten().all(|value| value.is_finite()) {
        return None;
    }
    // Products within rounding of 0 are no links.
    let rounding = 1e-13 * trace.abs();
    let product = |a: Offset, b: Offset| -> f64 {
        (0..3).map(|i| (0..3).map(|j| a[i] as f64 * tensor[i][j] * b[j] as f64).sum::<f64>()).sum()
    };
    let mut base: [Offset; 4] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]];
    for _ in 0..TURNS {
        let Some((i, j)) = PAIRS.into_iter().find(|&(i, j)| product(base[i], base[j]) > rounding) else {
            let found = PAIRS.map(|(i, j)| {
                let (k, l) = others(i, j);
                (upward(cross(base[k], base[l])), -product(base[i], base[j]))
            });
            let near = |(offset, weight): &(Offset, f64)| {
                weight.is_finite() && (*weight <= rounding || offset.iter().all(|n| n.abs() <= FARTHEST))
            };
            return found.iter().all(near).then(|| found.into_iter().filter(move |(_, weight)| *weight > rounding));
        };
        let (k, l) = others(i, j);
        let turned = base[i];
        base[k] = sum(base[k], turned);
        base[l] = sum(base[l], turned);
        base[i] = turned.map(|n| -n);
    }
    None
}

const PAIRS: [(usize, usize); 6] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];

/// The two of four that are neither `i` nor `j`.
fn others(i: usize, j: usize) -> (usize, usize) {
    let mut rest = (0..4).filter(|k| *k != i && *k != j);
    (rest.next().unwrap_or(0), rest.next().unwrap_or(0))
}

fn sum(a: Offset, b: Offset) -> Offset {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn cross(a: Offset, b: Offset) -> Offset {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn upward(offset: Offset) -> Offset {
    let first = offset.iter().rev().find(|n| **n != 0).copied().unwrap_or(0);
    if first < 0 { offset.map(|n| -n) } else { offset }
}

/// The tensor of a voxel through whose sides along `walls` nothing passes: what is left of it along the other axes where the flux along
/// these is none (a Schur complement), wherever it couples them. Links across a wall are cut, and with them would go what they carry along it.
pub(super) fn along_walls(mut tensor: Matrix, walls: [bool; 3]) -> Matrix {
    for wall in (0..3).filter(|axis| walls[*axis]) {
        let coupled = (0..3).any(|other| other != wall && tensor[wall][other] != 0.0);
        let own = tensor[wall][wall];
        if !coupled || own <= 0.0 {
            continue;
        }
        let row = tensor[wall];
        for i in (0..3).filter(|i| *i != wall) {
            for j in (0..3).filter(|j| *j != wall) {
                tensor[i][j] -= row[i] * row[j] / own;
            }
        }
        tensor[wall] = [0.0; 3];
        tensor.iter_mut().for_each(|row| row[wall] = 0.0);
    }
    tensor
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    fn rebuilt(tensor: &Matrix) -> Option<Matrix> {
        let mut total = [[0.0; 3]; 3];
        for (offset, weight) in links(tensor)? {
            assert!(weight > 0.0);
            for i in 0..3 {
                for j in 0..3 {
                    total[i][j] += weight * (offset[i] * offset[j]) as f64;
                }
            }
        }
        Some(total)
    }

    #[test]
    fn links_make_up_the_tensor() {
        let mut random = Random::new(1);
        let mut refused = 0;
        for _ in 0..2000 {
            let direction = [random.normal(), random.normal(), random.normal()];
            let ratio = (6.0 * random.uniform()).exp2();
            let tensor = Tensor::of_fibers(direction, ratio, 1.0).between_voxels([1.0, 1.0, 1.0 + random.uniform()]);
            let Some(total) = rebuilt(&tensor) else {
                // Up to a ratio of 8 every direction has links near enough.
                assert!(ratio > 8.0, "{ratio} {direction:?}");
                refused += 1;
                continue;
            };
            for (a, b) in total.iter().flatten().zip(tensor.iter().flatten()) {
                assert!((a - b).abs() < 1e-9 * ratio, "{tensor:?} {total:?}");
            }
        }
        assert!(refused > 0 && refused < 1000, "{refused}");
    }

    #[test]
    fn what_is_no_diffusion_is_refused() {
        let negative = Tensor { xy: 1.1, ..Tensor::isotropic(1.0) };
        assert!(rebuilt(&negative.between_voxels([1.0; 3])).is_none());
        assert!(rebuilt(&Tensor::isotropic(-1.0).between_voxels([1.0; 3])).is_none());
        assert!(rebuilt(&Tensor::of_fibers([0.0; 3], 2.0, 1.0).between_voxels([1.0; 3])).is_none());
        assert!(rebuilt(&Tensor { zz: f64::INFINITY, ..Tensor::isotropic(1.0) }.between_voxels([1.0; 3])).is_none());
        assert_eq!(rebuilt(&Tensor::isotropic(0.0).between_voxels([1.0; 3])), Some([[0.0; 3]; 3]));
        // Of the fourth axis of a superbase nothing is left where the tensor is along the axes.
        let plain: Vec<_> = links(&Tensor::isotropic(2.0).between_voxels([1.0, 2.0, 1.0])).unwrap().collect();
        assert_eq!(plain, [([0, 0, 1], 2.0), ([0, 1, 0], 0.5), ([1, 0, 0], 2.0)].into_iter().rev().collect::<Vec<_>>());
    }

    #[test]
    fn no_flux_through_a_wall_leaves_the_complement() {
        let tensor = Tensor { xy: 0.5, ..Tensor::isotropic(1.0) }.between_voxels([1.0; 3]);
        assert_eq!(along_walls(tensor, [true, false, true]), [[0.0, 0.0, 0.0], [0.0, 0.75, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(along_walls(tensor, [false, false, true]), tensor);
    }
}
