//! The cells of one course: their field, and a step of diffusion.

use super::active::{Active, Extent, NOTHING};
use super::diffusion::{Found, Operator, stages_for, stretch};
use super::lattice::Lattice;
use super::number::Real;
use super::reaction_diffusion::Method;
use super::stages::Stages;
use std::sync::Arc;

/// Why a step of diffusion could not be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trouble {
    /// A value is not a number, or infinite.
    NotFinite,
    /// A value is negative after steps that cannot make one so: the values before were.
    Negative(f64),
    /// More steps, pieces or stages are needed than [`MOST`].
    TooMany,
}

/// Steps of one advance, pieces of one step and stages of one piece, at most.
pub(super) const MOST: usize = 1_000_000;

/// How much longer than the pieces of a step the limit of Euler's method is. At the limit what stays in a voxel cancels to nothing, and
/// rounding decides about its sign.
const MARGIN: f64 = 1.1;

/// How a step of diffusion was taken: in so many pieces of so many stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) pieces: usize,
    pub(super) stages: usize,
}

impl Taken {
    /// No diffusion.
    pub(super) const NOTHING: Self = Self { pieces: 0, stages: 0 };
}

/// The cellularity of every voxel of the box, and the room that a step needs.
#[derive(Debug, Clone)]
pub(super) struct Cells<T> {
    pub(super) lattice: Arc<Lattice<T>>,
    pub(super) active: Active,
    pub(super) field: Stages<T>,
    found: Vec<Found<T>>,
    extents: Vec<Extent>,
    threshold: T,
    method: Method,
    /// How many times the operator was applied to the active voxels.
    pub(super) sweeps: usize,
    /// The active voxels of all those times together.
    pub(super) voxels_swept: usize,
    /// The bound on the cells, in voxels full of them, that left through the border of the active region.
    pub(super) neglected: f64,
}

impl<T: Real> Cells<T> {
    /// The cells `values` in the box; work is done where there is one now, where they come to lie above `threshold`, and around.
    pub(super) fn new(lattice: Arc<Lattice<T>>, values: Vec<T>, threshold: f64, method: Method) -> Self {
        let rows = lattice.size[1] * lattice.size[2];
        let mut cells = Self {
            active: Active::none(&lattice),
            field: Stages::new(values),
            found: vec![Found::NOTHING; lattice.size[2]],
            extents: vec![NOTHING; rows],
            threshold: T::from_f64(threshold),
            method,
            sweeps: 0,
            voxels_swept: 0,
            neglected: 0.0,
            lattice,
        };
        cells.find_all();
        cells
    }

    /// Finds the cells in the whole region, once: all of them, since what is never active neither moves nor grows.
    fn find_all(&mut self) {
        let nx = self.lattice.size[0];
        for run in &self.lattice.runs {
            let (row, x) = (run.start / nx, run.start % nx);
            let above = |value: &T| *value > T::ZERO;
            let values = &self.field.values[run.start..run.start + run.len];
            if let Some(first) = values.iter().position(above) {
                let last = values.iter().rposition(above).unwrap_or(first);
                let [from, to] = self.extents[row];
                self.extents[row] = [from.min((x + first) as u32), to.max((x + last + 1) as u32)];
            }
        }
        self.active.cover(&self.lattice, &self.extents, 2);
    }

    pub(super) fn operator(&self) -> Operator<'_, T> {
        Operator { lattice: &self.lattice, active: &self.active }
    }

    /// Replaces every active value by `map` of it.
    pub(super) fn each(&mut self, map: impl Fn(T) -> T + Send + Sync) {
        Operator { lattice: &self.lattice, active: &self.active }.each(&mut self.field.values, map);
    }

    /// Replaces every active value by `map` of it and of the value of `other` in the same voxel.
    pub(super) fn each_with(&mut self, other: &[T], map: impl Fn(T, T) -> T + Send + Sync) {
        Operator { lattice: &self.lattice, active: &self.active }.each_with(&mut self.field.values, other, map);
    }

    /// Diffuses over a step; `tau` is the step times the diffusivity, in mm².
    pub(super) fn diffuse(&mut self, tau: f64) -> Result<Taken, Trouble> {
        // The step in units of the longest one for which Euler's method is positive.
        let ratio = tau * self.lattice.bound;
        if !ratio.is_finite() {
            return Err(Trouble::NotFinite);
        }
        if ratio <= 0.0 {
            return Ok(Taken::NOTHING);
        }
        if ratio > 0.9 * stretch(MOST) {
            return Err(Trouble::TooMany);
        }
        if ratio > 1.0 && self.method == Method::RungeKuttaLegendre {
            let stages = stages_for(ratio);
            if self.substep(tau, stages)?.is_none() {
                return Ok(Taken { pieces: 1, stages });
            }
        }
        // Two stages within the limit of Euler's method: a mean of non-negative operators, so nothing becomes negative.
        let pieces = (MARGIN * ratio).ceil() as usize;
        if pieces > MOST {
            return Err(Trouble::TooMany);
        }
        for _ in 0..pieces {
            if let Some(least) = self.substep(tau / pieces as f64, 2)? {
                return Err(Trouble::Negative(least));
            }
        }
        Ok(Taken { pieces, stages: 2 })
    }

    /// One step of `stages`; gives the least value, and leaves all as it was, if that is negative.
    fn substep(&mut self, tau: f64, stages: usize) -> Result<Option<f64>, Trouble> {
        self.active.cover(&self.lattice, &self.extents, stages * self.lattice.border);
        let operator = Operator { lattice: &self.lattice, active: &self.active };
        self.field.begin(&operator, tau, stages, |_, _| {});
        self.field.end(&operator, tau, stages, &mut self.found);
        self.sweeps += stages;
        self.voxels_swept += stages * self.active.voxels;
        if self.found.iter().any(|found| found.broken) {
            return Err(Trouble::NotFinite);
        }
        let least = self.found.iter().fold(0.0, |least: f64, found| least.min(found.least.to_f64()));
        if least < 0.0 {
            return Ok(Some(least));
        }
        self.field.accept();
        if self.active.voxels < self.lattice.voxels {
            let operator = Operator { lattice: &self.lattice, active: &self.active };
            operator.extents(&self.field.values, self.threshold, &mut self.extents);
            // What is below the threshold passes at most once through the border of the shell.
            self.neglected += tau * self.lattice.bound * self.threshold.to_f64() * self.active.shell as f64;
        }
        Ok(None)
    }
}
