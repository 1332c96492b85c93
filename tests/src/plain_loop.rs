//! A plain loop to race against: the classical Runge-Kutta method on the voxels of the region, and the triad of STREAM.

use rayon::prelude::*;
use std::time::Instant;
use twin_core::{Time, Treatment};
use twin_models::Scenario;
use twin_models::spatial::Real;

/// Logistic growth and diffusion in `f32` on a padded grid, with 0 or 1 for each face, four stages over the whole region in each step,
/// the drug's kill at the time of each stage. Steps end at treatments.
#[derive(Debug)]
pub struct PlainLoop {
    size: [usize; 3],
    shape: [usize; 3],
    rows: Vec<(usize, usize)>,
    mask: Vec<f32>,
    n: Vec<f32>,
    sum: Vec<f32>,
    stage: Vec<f32>,
    next: Vec<f32>,
    per_mm2: [f32; 3],
    growth: f32,
    voxels: usize,
    steps: usize,
}

impl PlainLoop {
    /// The region `inside` the grid with the cells `initial`; diffusivity and growth rate.
    #[must_use]
    pub fn new(shape: [usize; 3], spacing: [f64; 3], inside: &[bool], initial: &[f64], (diffusivity, growth): (f64, f64)) -> Self {
        let size = shape.map(|n| n + 2);
        let place = |index: usize| {
            let [i, j, k] = [index % shape[0], index / shape[0] % shape[1], index / (shape[0] * shape[1])];
            i + 1 + size[0] * (j + 1 + size[1] * (k + 1))
        };
        let (mut mask, mut n) = (vec![0.0; size.iter().product()], vec![0.0; size.iter().product()]);
        for index in 0..inside.len() {
            mask[place(index)] = f32::from(u8::from(inside[index]));
            n[place(index)] = initial[index] as f32;
        }
        // Of each row the voxels from the first to the last of the region.
        let rows = (0..size[1] * size[2]).filter_map(|row| {
            let line = &mask[row * size[0]..(row + 1) * size[0]];
            let first = line.iter().position(|m| *m > 0.0)?;
            Some((row * size[0] + first, row * size[0] + line.iter().rposition(|m| *m > 0.0)? + 1))
        });
        let rows: Vec<_> = rows.collect();
        let per_mm2 = spacing.map(|h| (diffusivity / (h * h)) as f32);
        let voxels = inside.iter().filter(|i| **i).count();
        let room = vec![0.0; n.len()];
        Self {
            size,
            shape,
            rows,
            mask,
            next: room.clone(),
            sum: room,
            stage: n.clone(),
            n,
            per_mm2,
            growth: growth as f32,
            voxels,
            steps: 0,
        }
    }

    /// Voxels of the region times steps taken.
    #[must_use]
    pub fn voxel_steps(&self) -> usize {
        self.voxels * self.steps
    }

    /// The field on the grid.
    #[must_use]
    pub fn field(&self) -> Vec<f64> {
        let [nx, ny, nz] = self.shape;
        let place = |index: usize| index % nx + 1 + self.size[0] * (index / nx % ny + 1 + self.size[1] * (index / (nx * ny) + 1));
        (0..nx * ny * nz).map(|index| f64::from(self.n[place(index)])).collect()
    }

    /// One stage: its slope `k` at `stage`, then `next = n + factor k` and `sum += weight k`, the sum begun by the first.
    fn stage(&mut self, kill: f32, factor: f32, weight: f32, begin: bool) {
        let (sx, plane) = (self.size[0], self.size[0] * self.size[1]);
        let (stage, mask, n, [wx, wy, wz], growth) = (&self.stage, &self.mask, &self.n, self.per_mm2, self.growth);
        let rows = &self.rows;
        self.next.par_chunks_mut(plane).zip(self.sum.par_chunks_mut(plane)).enumerate().for_each(|(z, (next, sum))| {
            let from = rows.partition_point(|row| row.0 < z * plane);
            let to = rows.partition_point(|row| row.0 < (z + 1) * plane);
            for &(a, b) in &rows[from..to] {
                let len = b - a;
                let (next, sum) = (&mut next[a - z * plane..b - z * plane], &mut sum[a - z * plane..b - z * plane]);
                let (u, m, n) = (&stage[a..b], &mask[a..b], &n[a..b]);
                let at = |by: isize| (&stage[a.wrapping_add_signed(by)..][..len], &mask[a.wrapping_add_signed(by)..][..len]);
                let ((x0, mx0), (x1, mx1)) = (at(-1), at(1));
                let ((y0, my0), (y1, my1)) = (at(-(sx as isize)), at(sx as isize));
                let ((z0, mz0), (z1, mz1)) = (at(-(plane as isize)), at(plane as isize));
                for q in 0..len {
                    let v = u[q];
                    let laplacian = wx * (mx0[q] * (x0[q] - v) + mx1[q] * (x1[q] - v))
                        + wy * (my0[q] * (y0[q] - v) + my1[q] * (y1[q] - v))
                        + wz * (mz0[q] * (z0[q] - v) + mz1[q] * (z1[q] - v));
                    let k = m[q] * (laplacian + growth * v * (1.0 - v) - kill * v);
                    sum[q] = if begin { n[q] + weight * k } else { sum[q] + weight * k };
                    next[q] = n[q] + factor * k;
                }
            }
        });
        std::mem::swap(&mut self.stage, &mut self.next);
    }

    /// Lives `scenario` by steps of at most `step` days; radiosensitivity and its ratio; kill and elimination rate of the drug.
    ///
    /// # Errors
    /// In words, if it holds a treatment that the loop does not know.
    pub fn live(
        &mut self,
        scenario: &Scenario,
        step: f64,
        (alpha, ratio): (f64, f64),
        (rate, elimination): (f64, f64),
    ) -> Result<(), String> {
        let (mut t, mut amount) = (0.0, 0.0);
        let end = scenario.sampling.last().map_or(0.0, |time: &Time| time.days());
        for stop in scenario.treatments.iter().map(Some).chain([None]) {
            let until = stop.map_or(end, |given| given.time.days());
            let length = until - t;
            let pieces = (length / step).ceil();
            for _ in 0..pieces as usize {
                let h = length / pieces;
                let kill = |s: f64, amount: f64| (rate * amount * (-elimination * s).exp()) as f32;
                for (number, (node, weight)) in [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)].into_iter().enumerate() {
                    let next = [0.5, 0.5, 1.0, 0.0][number];
                    self.stage(kill(node * h, amount), (next * h) as f32, (weight * h / 6.0) as f32, number == 0);
                }
                std::mem::swap(&mut self.n, &mut self.sum);
                self.stage.copy_from_slice(&self.n);
                amount *= (-elimination * h).exp();
                self.steps += 1;
            }
            t = until;
            match stop.map(|given| &given.treatment) {
                None => {}
                Some(Treatment::Fraction(fraction)) => {
                    let gray = fraction.dose.gray();
                    let survival = (-alpha * gray * (1.0 + gray / ratio)).exp() as f32;
                    self.n.iter_mut().for_each(|n| *n *= survival);
                    self.stage.copy_from_slice(&self.n);
                }
                Some(Treatment::Bolus { dose, .. }) => amount += dose.value(),
                Some(other) => return Err(format!("{other} is not known to the plain loop")),
            }
        }
        Ok(())
    }
}

/// The bandwidth of `a = b + s c` over arrays of `length`, best of `repeats`, in GB/s, three words for each element.
#[must_use]
pub fn triad<T: Real>(length: usize, repeats: usize) -> f64 {
    let (mut a, b, c) = (vec![T::ZERO; length], vec![T::ONE; length], vec![T::ONE; length]);
    let factor = T::from_f64(0.5);
    let chunk = 1 << 16;
    let mut best = f64::INFINITY;
    for _ in 0..repeats {
        let clock = Instant::now();
        a.par_chunks_mut(chunk).zip(b.par_chunks(chunk)).zip(c.par_chunks(chunk)).for_each(|((a, b), c)| {
            a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = *b + factor * *c);
        });
        best = best.min(clock.elapsed().as_secs_f64());
    }
    std::hint::black_box(&a);
    3.0 * (length * size_of::<T>()) as f64 / best / 1e9
}
