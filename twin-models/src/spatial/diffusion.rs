//! Passes over the active voxels: the stages of a Runge-Kutta-Legendre step, and maps by voxel.
//!
//! A pass writes each voxel from values that no voxel of the same pass writes, and planes are shared among threads, so the bits do not
//! depend on the number of threads.

use super::active::{Active, Extent, NOTHING};
use super::lattice::{Lattice, Run};
use super::number::Real;
use rayon::prelude::*;

/// Fewer active voxels than this are not worth waking threads for.
const WORTH_SHARING: usize = 20_000;

/// What the last pass over a plane found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<T> {
    /// The least value.
    pub(super) least: T,
    /// Whether a value is not a number, or infinite.
    pub(super) broken: bool,
}

impl<T: Real> Found<T> {
    pub(super) const NOTHING: Self = Self { least: T::ZERO, broken: false };
}

/// The operator `L = ∇·(D_relative ∇)` on the active voxels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator<'a, T> {
    pub(super) lattice: &'a Lattice<T>,
    pub(super) active: &'a Active,
}

/// The coefficients of one stage, `Y_j = μ Y_{j−1} + ν Y_{j−2} + (1 − μ − ν) Y_0 + μ̃ τ L Y_{j−1} + γ̃ τ L Y_0`, with the step `τ` in the
/// last two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage<T> {
    pub(super) mu: T,
    pub(super) nu: T,
    pub(super) rest: T,
    pub(super) mu_tilde: T,
    pub(super) gamma_tilde: T,
}

/// `b_j` of the method.
pub(super) fn weight(j: usize) -> f64 {
    if j < 2 {
        return 1.0 / 3.0;
    }
    let j = j as f64;
    (j * j + j - 2.0) / (2.0 * j * (j + 1.0))
}

/// How many times the step of Euler's method the step with `stages` stages may be and stay stable.
pub(super) fn stretch(stages: usize) -> f64 {
    let s = stages as f64;
    (s * s + s - 2.0) / 4.0
}

/// The least number of stages, 2 or odd, whose stable step is `ratio` times that of Euler's method, with a tenth in hand.
pub(super) fn stages_for(ratio: f64) -> usize {
    let mut stages = 3;
    while 0.9 * stretch(stages) < ratio {
        stages += 2;
    }
    stages
}

/// The factor of `τ L Y_0` in the first stage.
pub(super) fn first_factor(stages: usize) -> f64 {
    weight(1) / stretch(stages)
}

impl<T: Real> Stage<T> {
    /// Stage `j` of `stages`, from 2; `tau` is the step times the diffusivity.
    pub(super) fn new(j: usize, stages: usize, tau: f64) -> Self {
        let order = j as f64;
        let mu = (2.0 * order - 1.0) / order * weight(j) / weight(j - 1);
        let nu = -(order - 1.0) / order * weight(j) / weight(j - 2);
        let mu_tilde = mu / stretch(stages);
        let gamma_tilde = -(1.0 - weight(j - 1)) * mu_tilde;
        let [mu_, nu_, rest, mu_tilde, gamma_tilde] = [mu, nu, 1.0 - mu - nu, mu_tilde * tau, gamma_tilde * tau].map(T::from_f64);
        Self { mu: mu_, nu: nu_, rest, mu_tilde, gamma_tilde }
    }
}

/// Calls `work` with the number and the plane of every plane that has active voxels; in threads if that is worth it.
fn sweep<A: Send>(active: &Active, a: (&mut [A], usize), work: impl Fn(usize, &mut [A]) + Send + Sync) {
    let work = |(k, a): (usize, &mut [A])| {
        if !active.of_plane(k).is_empty() {
            work(k, a);
        }
    };
    if active.voxels < WORTH_SHARING {
        a.0.chunks_mut(a.1).enumerate().for_each(work);
    } else {
        a.0.par_chunks_mut(a.1).enumerate().for_each(work);
    }
}

/// As [`sweep`], over two arrays side by side.
pub(super) fn sweep_two<A: Send, B: Send>(
    active: &Active,
    a: (&mut [A], usize),
    b: (&mut [B], usize),
    work: impl Fn(usize, &mut [A], &mut [B]) + Send + Sync,
) {
    let work = |(k, (a, b)): (usize, (&mut [A], &mut [B]))| {
        if !active.of_plane(k).is_empty() {
            work(k, a, b);
        }
    };
    if active.voxels < WORTH_SHARING {
        a.0.chunks_mut(a.1).zip(b.0.chunks_mut(b.1)).enumerate().for_each(work);
    } else {
        a.0.par_chunks_mut(a.1).zip(b.0.par_chunks_mut(b.1)).enumerate().for_each(work);
    }
}

/// Calls `write` with the place within the run, the value there and `L y` there.
#[inline(always)]
pub(super) fn apply_run<T: Real>(lattice: &Lattice<T>, y: &[T], run: Run, mut write: impl FnMut(usize, T, T)) {
    let (p, n) = (run.start, run.len);
    let [_, sy, sz] = lattice.strides();
    let [fx, fy, fz] = &lattice.faces;
    if !lattice.oblique.is_empty() || lattice.inverse_volumes.is_some() {
        return apply_linked_run(lattice, y, run, write);
    }
    let here = &y[p..p + n];
    let (xm, xp) = (&y[p - 1..p - 1 + n], &y[p + 1..p + 1 + n]);
    let (ym, yp) = (&y[p - sy..p - sy + n], &y[p + sy..p + sy + n]);
    let (zm, zp) = (&y[p - sz..p - sz + n], &y[p + sz..p + sz + n]);
    let (fx0, fx1) = (&fx[p..p + n], &fx[p + 1..p + 1 + n]);
    let (fy0, fy1) = (&fy[p..p + n], &fy[p + sy..p + sy + n]);
    let (fz0, fz1) = (&fz[p..p + n], &fz[p + sz..p + sz + n]);
    for q in 0..n {
        let v = here[q];
        let along_x = fx1[q] * (xp[q] - v) - fx0[q] * (v - xm[q]);
        let along_y = fy1[q] * (yp[q] - v) - fy0[q] * (v - ym[q]);
        let along_z = fz1[q] * (zp[q] - v) - fz0[q] * (v - zm[q]);
        write(q, v, along_x + along_y + along_z);
    }
}

/// As [`apply_run`], with the links that are not along an axis and voxels of different volumes; kept apart so that what has neither stays
/// one simple loop.
#[inline(never)]
fn apply_linked_run<T: Real>(lattice: &Lattice<T>, y: &[T], run: Run, mut write: impl FnMut(usize, T, T)) {
    const PIECE: usize = 64;
    let mut sums = [T::ZERO; PIECE];
    for from in (0..run.len).step_by(PIECE) {
        let (p, n) = (run.start + from, PIECE.min(run.len - from));
        let (sums, here) = (&mut sums[..n], &y[p..p + n]);
        sums.fill(T::ZERO);
        let axes = lattice.faces.iter().zip(lattice.strides());
        for (links, stride) in axes.chain(lattice.oblique.iter().map(|links| (&links.conductance, links.stride))) {
            let (near, far) = (&links[p..p + n], &links[p + stride..p + stride + n]);
            let (before, after) = (&y[p - stride..p - stride + n], &y[p + stride..p + stride + n]);
            for q in 0..n {
                sums[q] = sums[q] + far[q] * (after[q] - here[q]) - near[q] * (here[q] - before[q]);
            }
        }
        if let Some(inverse) = &lattice.inverse_volumes {
            sums.iter_mut().zip(&inverse[p..p + n]).for_each(|(sum, inverse)| *sum = *sum * *inverse);
        }
        for q in 0..n {
            write(from + q, here[q], sums[q]);
        }
    }
}

/// The places of `run` in the plane number `k`, whose first place is `k * plane`.
pub(super) fn within<T>(values: &mut [T], run: Run, k: usize, plane: usize) -> &mut [T] {
    let from = run.start - k * plane;
    &mut values[from..from + run.len]
}

impl<T: Real> Operator<'_, T> {
    /// `derivative = L y` and `first = y + factor L y`.
    pub(super) fn first_stage(&self, y: &[T], factor: T, derivative: &mut [T], first: &mut [T]) {
        let plane = self.lattice.plane();
        sweep_two(self.active, (derivative, plane), (first, plane), |k, derivative, first| {
            for &run in self.active.of_plane(k) {
                let (derivative, first) = (within(derivative, run, k, plane), within(first, run, k, plane));
                apply_run(self.lattice, y, run, |q, v, l| {
                    derivative[q] = l;
                    first[q] = v + factor * l;
                });
            }
        });
    }

    /// The second of more than two stages: `next` is written anew, since `Y_{j−2}` is `Y_0`.
    pub(super) fn second_stage(&self, stage: Stage<T>, y: &[T], start: &[T], derivative: &[T], next: &mut [T]) {
        let (plane, rest) = (self.lattice.plane(), stage.rest + stage.nu);
        sweep(self.active, (next, plane), |k, next| {
            for &run in self.active.of_plane(k) {
                let at = run.start..run.start + run.len;
                let (next, start, derivative) = (within(next, run, k, plane), &start[at.clone()], &derivative[at]);
                apply_run(self.lattice, y, run, |q, v, l| {
                    next[q] = stage.mu * v + rest * start[q] + stage.mu_tilde * l + stage.gamma_tilde * derivative[q];
                });
            }
        });
    }

    /// A stage in the middle: `older` is `Y_{j−2}` before and `Y_j` after.
    pub(super) fn middle_stage(&self, stage: Stage<T>, y: &[T], start: &[T], derivative: &[T], older: &mut [T]) {
        let plane = self.lattice.plane();
        sweep(self.active, (older, plane), |k, older| {
            for &run in self.active.of_plane(k) {
                let at = run.start..run.start + run.len;
                let (older, start, derivative) = (within(older, run, k, plane), &start[at.clone()], &derivative[at]);
                apply_run(self.lattice, y, run, |q, v, l| {
                    let of_before = stage.mu * v + stage.nu * older[q];
                    older[q] = of_before + stage.rest * start[q] + stage.mu_tilde * l + stage.gamma_tilde * derivative[q];
                });
            }
        });
    }

    /// The last stage: `result` is `L Y_0` before and `Y_s` after; the least value of each plane is found on the way.
    pub(super) fn last_stage(&self, stage: Stage<T>, y: &[T], start: &[T], older: &[T], result: &mut [T], found: &mut [Found<T>]) {
        let plane = self.lattice.plane();
        sweep_two(self.active, (result, plane), (found, 1), |k, result, found| {
            let (mut least, mut sum) = (T::ZERO, T::ZERO);
            for &run in self.active.of_plane(k) {
                let at = run.start..run.start + run.len;
                let (result, start, older) = (within(result, run, k, plane), &start[at.clone()], &older[at]);
                apply_run(self.lattice, y, run, |q, v, l| {
                    let of_before = stage.mu * v + stage.nu * older[q];
                    result[q] = of_before + stage.rest * start[q] + stage.mu_tilde * l + stage.gamma_tilde * result[q];
                });
                // Still in the nearest cache.
                for &value in result.iter() {
                    least = if value < least { value } else { least };
                    sum = sum + value;
                }
            }
            found.fill(Found { least, broken: !sum.to_f64().is_finite() });
        });
    }

    /// Replaces every value by `map` of it.
    pub(super) fn each(&self, values: &mut [T], map: impl Fn(T) -> T + Send + Sync) {
        let plane = self.lattice.plane();
        sweep(self.active, (values, plane), |k, values| {
            for &run in self.active.of_plane(k) {
                within(values, run, k, plane).iter_mut().for_each(|value| *value = map(*value));
            }
        });
    }

    /// Replaces every value by `map` of it and of the value of `other` in the same place.
    pub(super) fn each_with(&self, values: &mut [T], other: &[T], map: impl Fn(T, T) -> T + Send + Sync) {
        let plane = self.lattice.plane();
        sweep(self.active, (values, plane), |k, values| {
            for &run in self.active.of_plane(k) {
                let other = &other[run.start..run.start + run.len];
                within(values, run, k, plane).iter_mut().zip(other).for_each(|(value, other)| *value = map(*value, *other));
            }
        });
    }

    /// Finds where in each row the values lie above `threshold`.
    pub(super) fn extents(&self, values: &[T], threshold: T, extents: &mut [Extent]) {
        let [nx, ny, _] = self.lattice.size;
        sweep(self.active, (extents, ny), |k, extents| {
            extents.fill(NOTHING);
            for &run in self.active.of_plane(k) {
                let (row, x) = (run.start / nx - k * ny, run.start % nx);
                let values = &values[run.start..run.start + run.len];
                if let Some(first) = values.iter().position(|value| *value > threshold) {
                    let last = values.iter().rposition(|value| *value > threshold).unwrap_or(first);
                    let [from, to] = extents[row];
                    extents[row] = [from.min((x + first) as u32), to.max((x + last + 1) as u32)];
                }
            }
        });
    }

    /// The sum of `of` each value, plane by plane and in order, so that it does not depend on the threads.
    pub(super) fn sum(&self, values: &[T], of: impl Fn(usize, T) -> f64) -> f64 {
        let runs = self.active.runs.iter();
        let of_run = |run: &Run| {
            (run.start..run.start + run.len).zip(&values[run.start..run.start + run.len]).map(|(at, v)| of(at, *v)).sum::<f64>()
        };
        runs.map(of_run).sum()
    }
}
