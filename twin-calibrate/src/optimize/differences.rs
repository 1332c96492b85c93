//! Residuals and their derivatives by differences.

use rayon::prelude::*;

/// A vector of residuals that depends on a point.
pub trait Residuals: Sync {
    /// The number of coordinates of a point.
    fn dimension(&self) -> usize;

    /// The number of residuals.
    fn count(&self) -> usize;

    /// Writes the residuals at `point` (`dimension`) into `residuals` (`count`).
    ///
    /// Returns `false` where they cannot be computed. A search then turns back, as it does when a residual is not finite.
    fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool;

    /// The magnitude at which a change of this coordinate begins to matter, at least 0.
    ///
    /// Steps of differences are relative to the larger of this and the coordinate's own magnitude. The default of 0 suits parameters
    /// of a physical scale; coordinates that pass through zero, such as logarithms, need their natural scale: 1.
    fn typical(&self, _coordinate: usize) -> f64 {
        0.0
    }

    /// Derivatives that do not need differences, if this problem has them.
    fn derivatives(&self) -> Option<&dyn Derivatives> {
        None
    }
}

/// Derivatives of residuals, by whatever means are better than differences.
pub trait Derivatives: Sync {
    /// Writes the derivatives at `point` into `columns` (`dimension × count`: first those of all residuals by the first coordinate),
    /// or returns `false` where they cannot be computed.
    fn derivatives(&self, point: &[f64], columns: &mut [f64]) -> bool;
}

/// How derivatives are formed from residuals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Differences {
    /// `(r(x + h) - r(x)) / h`: one evaluation per coordinate, half the digits.
    Forward {
        /// The step relative to the coordinate; the square root of the relative noise of the residuals is best.
        relative_step: f64,
    },
    /// `(r(x + h) - r(x - h)) / 2h`: two evaluations per coordinate, two thirds of the digits.
    Central {
        /// The step relative to the coordinate; the cube root of the relative noise of the residuals is best.
        relative_step: f64,
    },
}

impl Differences {
    /// Forward differences for residuals whose relative noise is `noise`: about 2e-16 for closed forms, the tolerance for solvers.
    #[must_use]
    pub fn forward(noise: f64) -> Self {
        Self::Forward { relative_step: noise.sqrt() }
    }

    /// Central differences for residuals whose relative noise is `noise`: about 2e-16 for closed forms, the tolerance for solvers.
    #[must_use]
    pub fn central(noise: f64) -> Self {
        Self::Central { relative_step: noise.cbrt() }
    }

    pub(crate) fn relative_step(self) -> f64 {
        match self {
            Self::Forward { relative_step } | Self::Central { relative_step } => relative_step,
        }
    }

    /// The relative precision of the derivatives, at best.
    pub(crate) fn precision(self) -> f64 {
        match self {
            Self::Forward { relative_step } => relative_step,
            Self::Central { relative_step } => relative_step * relative_step,
        }
    }

    /// Writes the derivatives at `point`, where the residuals are `here`, into `columns`, each `rows` long, of which the first `count`
    /// are written. `Err` carries the coordinate for which there is none, `Ok` the number of evaluations.
    pub(crate) fn columns(
        self,
        problem: &dyn Residuals,
        point: &[f64],
        here: &[f64],
        columns: &mut [f64],
        rows: usize,
        parallel: bool,
    ) -> Result<usize, usize> {
        let work = |scratch: &mut (Vec<f64>, Vec<f64>), (coordinate, column): (usize, &mut [f64])| {
            scratch.0.clear();
            scratch.0.extend_from_slice(point);
            scratch.1.resize(here.len(), 0.0);
            let (column, _) = column.split_at_mut(here.len());
            self.column(problem, &mut scratch.0, here, coordinate, column, &mut scratch.1).ok_or(coordinate)
        };
        let scratch = || (Vec::with_capacity(point.len()), vec![0.0; here.len()]);
        let counts: Vec<Result<usize, usize>> = if parallel {
            columns.par_chunks_mut(rows).enumerate().map_init(scratch, work).collect()
        } else {
            let mut scratch = scratch();
            columns.chunks_mut(rows).enumerate().map(|column| work(&mut scratch, column)).collect()
        };
        counts.into_iter().sum()
    }

    /// One column; `None` where neither side of the point is computable.
    fn column(
        self,
        problem: &dyn Residuals,
        point: &mut [f64],
        here: &[f64],
        coordinate: usize,
        column: &mut [f64],
        below: &mut [f64],
    ) -> Option<usize> {
        let center = *point.get(coordinate)?;
        let magnitude = center.abs().max(problem.typical(coordinate));
        let step = self.relative_step() * if magnitude > 0.0 { magnitude } else { 1.0 };
        let (up, down) = (center + step, center - step);
        let mut at = |value: f64, residuals: &mut [f64]| {
            if let Some(x) = point.get_mut(coordinate) {
                *x = value;
            }
            computed(problem, point, residuals)
        };
        let above_ok = at(up, column);
        if above_ok && matches!(self, Self::Forward { .. }) {
            quotient(column, here, up - center);
            return Some(1);
        }
        match (above_ok, at(down, below)) {
            (true, true) => quotient(column, below, up - down),
            (true, false) => quotient(column, here, up - center),
            (false, true) => {
                column.copy_from_slice(below);
                quotient(column, here, down - center);
            }
            (false, false) => return None,
        }
        Some(2)
    }
}

/// Whether all residuals at `point` could be computed and are finite.
pub(crate) fn computed(problem: &dyn Residuals, point: &[f64], residuals: &mut [f64]) -> bool {
    problem.residuals(point, residuals) && residuals.iter().all(|r| r.is_finite())
}

fn quotient(column: &mut [f64], base: &[f64], width: f64) {
    for (value, base) in column.iter_mut().zip(base) {
        *value = (*value - base) / width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ln x` and `x y`, computable for positive `x` only.
    struct Edge;
    impl Residuals for Edge {
        fn dimension(&self) -> usize {
            2
        }
        fn count(&self) -> usize {
            2
        }
        fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool {
            residuals.copy_from_slice(&[point[0].ln(), point[0] * point[1]]);
            point[0] > 0.0
        }
        fn typical(&self, _: usize) -> f64 {
            1.0
        }
    }

    fn columns(differences: Differences, point: [f64; 2], parallel: bool) -> Result<(Vec<f64>, usize), usize> {
        let (mut here, mut columns) = ([0.0; 2], vec![0.0; 6]);
        assert!(computed(&Edge, &point, &mut here));
        let count = differences.columns(&Edge, &point, &here, &mut columns, 3, parallel)?;
        Ok((columns, count))
    }

    #[test]
    fn derivatives_are_exact_to_their_order() {
        for (differences, tolerance, evaluations) in
            [(Differences::forward(2.2e-16), 1e-7, 2), (Differences::central(2.2e-16), 1e-10, 4)]
        {
            let (columns, count) = columns(differences, [2.0, 3.0], false).unwrap();
            assert_eq!(count, evaluations);
            for (value, expected) in columns.iter().zip([0.5, 3.0, 0.0, 0.0, 2.0, 0.0]) {
                assert!((value - expected).abs() < tolerance, "{differences:?}: {columns:?}");
            }
        }
    }

    #[test]
    fn an_edge_is_met_from_the_computable_side() {
        let (columns, _) = columns(Differences::Central { relative_step: 1e-5 }, [5e-6, 1.0], true).unwrap();
        assert!(columns[0].is_finite() && columns[1].is_finite());
    }

    #[test]
    fn threads_change_nothing() {
        let differences = Differences::central(2.2e-16);
        assert_eq!(columns(differences, [0.3, 0.7], false), columns(differences, [0.3, 0.7], true));
    }
}
