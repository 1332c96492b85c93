//! A field and the room that a step of diffusion needs.

use super::active::Active;
use super::cells::Taken;
use super::diffusion::{Found, Operator, Stage, first_factor};
use super::number::Real;

/// The field of every voxel of the box, and the stages of a step from it.
///
/// Outside the active voxels all of them are 0, and stay so.
#[derive(Debug, Clone)]
pub(super) struct Stages<T> {
    /// `Y_0`.
    pub(super) values: Vec<T>,
    /// `L Y_0`, and `Y_s` after the last stage.
    pub(super) derivative: Vec<T>,
    first: Vec<T>,
    /// Only needed for more than two stages.
    second: Vec<T>,
}

impl<T: Real> Stages<T> {
    pub(super) fn new(values: Vec<T>) -> Self {
        // Memory that is asked for as zeros and never written costs neither time nor room.
        let empty = || vec![T::ZERO; values.len()];
        Self { derivative: empty(), first: empty(), second: Vec::new(), values }
    }

    /// All stages but the last, of a step of `tau`. Before each of them but the first, `seen` is told which one it is, and `Y_{j−1}`.
    pub(super) fn begin(&mut self, operator: &Operator<'_, T>, tau: f64, stages: usize, mut seen: impl FnMut(usize, &[T])) {
        if stages > 2 && self.second.is_empty() {
            self.second = vec![T::ZERO; self.values.len()];
        }
        let factor = T::from_f64(first_factor(stages) * tau);
        operator.first_stage(&self.values, factor, &mut self.derivative, &mut self.first);
        for j in 2..stages {
            let stage = Stage::new(j, stages, tau);
            if j == 2 {
                seen(j, &self.first);
                operator.second_stage(stage, &self.first, &self.values, &self.derivative, &mut self.second);
            } else {
                std::mem::swap(&mut self.first, &mut self.second);
                seen(j, &self.first);
                operator.middle_stage(stage, &self.first, &self.values, &self.derivative, &mut self.second);
            }
        }
    }

    /// `Y_0`, `Y_{s−1}` and `Y_{s−2}` before the last of `stages`, and `L Y_0`.
    pub(super) fn newest(&mut self, stages: usize) -> (&[T], &[T], &[T], &mut [T]) {
        let (newest, older) = if stages == 2 { (&self.first, &self.values) } else { (&self.second, &self.first) };
        (&self.values, newest, older, &mut self.derivative)
    }

    /// The last stage.
    pub(super) fn end(&mut self, operator: &Operator<'_, T>, tau: f64, stages: usize, found: &mut [Found<T>]) {
        let (start, newest, older, result) = self.newest(stages);
        operator.last_stage(Stage::new(stages, stages, tau), newest, start, older, result, found);
    }

    /// Takes what the last stage came to for the field.
    pub(super) fn accept(&mut self) {
        std::mem::swap(&mut self.values, &mut self.derivative);
    }

    /// A step of `tau` as it was `taken` before.
    pub(super) fn repeat(&mut self, operator: &Operator<'_, T>, tau: f64, taken: Taken, found: &mut [Found<T>]) {
        for _ in 0..taken.pieces {
            let piece = tau / taken.pieces as f64;
            self.begin(operator, piece, taken.stages, |_, _| {});
            self.end(operator, piece, taken.stages, found);
            self.accept();
        }
    }

    /// Makes everything 0 in `active`.
    pub(super) fn clear(&mut self, active: &Active) {
        for field in [&mut self.values, &mut self.derivative, &mut self.first, &mut self.second] {
            for run in &active.runs {
                if let Some(part) = field.get_mut(run.start..run.start + run.len) {
                    part.fill(T::ZERO);
                }
            }
        }
    }
}
