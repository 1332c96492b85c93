//! The links of a region whose cells diffuse by tensors.

use super::lattice::Lattice;
use super::number::Real;
use super::tensor::{Matrix, Offset, Tensor, along_walls, links};

/// Links between every voxel and the one `stride` places before it in the box, not along an axis.
#[derive(Debug)]
pub(super) struct Oblique<T> {
    pub(super) stride: usize,
    /// The conductance of each, per mm² for a relative diffusivity of 1, at the later voxel; 0 where there is none.
    pub(super) conductance: Vec<T>,
}

/// Links of one kind while they are gathered: the weight that the tensor of each voxel gives them.
struct Kind {
    offset: Offset,
    weights: Vec<f64>,
}

/// Where cells can pass: voxels of the region whose tensor is not 0.
struct Passable<'a> {
    shape: [usize; 3],
    inside: &'a [bool],
    tensors: &'a [Tensor],
}

impl Passable<'_> {
    fn index(&self, at: [i64; 3]) -> Option<usize> {
        let within = (0..3).all(|axis| at[axis] >= 0 && at[axis] < self.shape[axis] as i64);
        let [i, j, k] = at.map(|n| n.max(0) as usize);
        let index = i + self.shape[0] * (j + self.shape[1] * k);
        let passes = |index: &usize| {
            self.inside.get(*index) == Some(&true) && self.tensors.get(*index).is_some_and(|d| *d != Tensor::isotropic(0.0))
        };
        Some(index).filter(|index| within && passes(index))
    }

    fn has(&self, at: [i64; 3]) -> bool {
        self.index(at).is_some()
    }

    /// Whether there is a wall beside `at` along `axis`: flat, as far as the next voxels tell, and with two voxels behind it that can pass cells on,
    /// or with another wall on the other side.
    fn wall(&self, at: [i64; 3], axis: usize) -> bool {
        let moved = |at: [i64; 3], axis: usize, by: i64| {
            let mut at = at;
            at[axis] += by;
            at
        };
        let closed = [-1, 1].map(|side| !self.has(moved(at, axis, side)));
        let flat = |side: i64| {
            let beside = (0..3).filter(|other| *other != axis).flat_map(|other| [-1, 1].map(|by| moved(at, other, by)));
            beside.into_iter().all(|beside| !self.has(beside) || !self.has(moved(beside, axis, side)))
        };
        match closed {
            [false, false] => false,
            [true, true] => flat(-1) && flat(1),
            [before, _] => {
                let side = if before { -1 } else { 1 };
                flat(side) && self.has(moved(at, axis, -2 * side))
            }
        }
    }
}

/// The tensor between voxels as which that of the voxel `at` acts.
fn acting(tensor: &Tensor, spacing: [f64; 3], passable: &Passable<'_>, at: [i64; 3]) -> Matrix {
    let whole = tensor.between_voxels(spacing);
    let left = along_walls(whole, [0, 1, 2].map(|axis| passable.wall(at, axis)));
    // What is left along a wall may be stretched more than what the anatomy was asked to take.
    if links(&left).is_some() { left } else { whole }
}

/// How far the links of any of the tensors reach, at least 1.
pub(super) fn reach(tensors: &[Tensor], inside: &[bool], shape: [usize; 3], spacing: [f64; 3]) -> usize {
    let passable = Passable { shape, inside, tensors };
    let mut farthest = 1;
    each(&passable, |at, tensor| {
        for (offset, _) in links(&acting(tensor, spacing, &passable, at)).into_iter().flatten() {
            farthest = offset.iter().fold(farthest, |most, n| most.max(n.unsigned_abs() as usize));
        }
    });
    farthest
}

fn each(passable: &Passable<'_>, mut work: impl FnMut([i64; 3], &Tensor)) {
    let [nx, ny, _] = passable.shape;
    for (index, tensor) in passable.tensors.iter().enumerate() {
        let at = [index % nx, index / nx % ny, index / (nx * ny)].map(|n| n as i64);
        if passable.has(at) {
            work(at, tensor);
        }
    }
}

impl<T: Real> Lattice<T> {
    /// Replaces all faces by the links of `tensors`, one for each voxel of the grid, whose reach the border of the box allows for.
    pub(super) fn link(&mut self, tensors: &[Tensor], inside: &[bool], spacing: [f64; 3]) {
        let passable = Passable { shape: self.shape, inside, tensors };
        let mut kinds: Vec<Kind> = (0..3).map(|axis| Kind { offset: unit(axis), weights: vec![0.0; self.len()] }).collect();
        each(&passable, |at, tensor| {
            for (offset, weight) in links(&acting(tensor, spacing, &passable, at)).into_iter().flatten() {
                let place = self.place(at);
                match kinds.iter_mut().find(|kind| kind.offset == offset) {
                    Some(kind) => kind.weights[place] = weight,
                    None => {
                        let mut weights = vec![0.0; self.len()];
                        weights[place] = weight;
                        kinds.push(Kind { offset, weights });
                    }
                }
            }
        });
        let mut made = kinds.iter().enumerate().map(|(number, kind)| {
            let stride = self.stride(kind.offset);
            let mut conductance = vec![T::ZERO; self.len()];
            each(&passable, |at, _| {
                let place = self.place(at);
                let before = [0, 1, 2].map(|axis| at[axis] - kind.offset[axis]);
                if passable.has(before) {
                    conductance[place] = T::from_f64(mean(kind.weights[place], kind.weights[place - stride], number < 3));
                }
            });
            Oblique { stride, conductance }
        });
        let axes = [0, 1, 2].map(|_| made.next().map(|links| links.conductance).unwrap_or_default());
        let oblique = made.collect();
        self.faces = axes;
        self.oblique = oblique;
    }
}

fn unit(axis: usize) -> Offset {
    [0, 1, 2].map(|other| i64::from(other == axis))
}

/// The conductance of a link from what the tensors at both ends give it: along an axis the harmonic mean, as where no tensor is, unless
/// one end gives nothing.
fn mean(a: f64, b: f64, along_axis: bool) -> f64 {
    if along_axis && a > 0.0 && b > 0.0 { 2.0 * a * b / (a + b) } else { 0.5 * (a + b) }
}
