//! What is learned during the warm-up: the step and the metric.

use nalgebra::{DMatrix, DVector};

/// The step that has a wanted mean acceptance, by dual averaging (Hoffman and Gelman 2014, section 3.2, with its constants).
#[derive(Debug, Clone, Copy)]
pub(super) struct DualAveraging {
    wanted: f64,
    attractor: f64,
    error: f64,
    ln_mean_step: f64,
    count: f64,
}

impl DualAveraging {
    pub(super) fn new(wanted: f64, step: f64) -> Self {
        Self { wanted, attractor: (10.0 * step).ln(), error: 0.0, ln_mean_step: 0.0, count: 0.0 }
    }

    /// Learns from the acceptance of one transition; returns the next step.
    pub(super) fn learn(&mut self, acceptance: f64) -> f64 {
        self.count += 1.0;
        let share = 1.0 / (self.count + 10.0);
        self.error += share * (self.wanted - acceptance - self.error);
        let ln_step = self.attractor - self.count.sqrt() / 0.05 * self.error;
        let weight = self.count.powf(-0.75);
        self.ln_mean_step += weight * (ln_step - self.ln_mean_step);
        ln_step.exp()
    }

    /// The step of the averages.
    pub(super) fn step(&self) -> f64 {
        self.ln_mean_step.exp()
    }
}

/// The covariance of the points of one window.
#[derive(Debug)]
pub(super) struct Moments {
    count: f64,
    mean: DVector<f64>,
    scatter: DMatrix<f64>,
    before: DVector<f64>,
}

impl Moments {
    pub(super) fn new(dimension: usize) -> Self {
        let zero = DVector::zeros(dimension);
        Self { count: 0.0, mean: zero.clone(), scatter: DMatrix::zeros(dimension, dimension), before: zero }
    }

    /// Takes in one point (Welford 1962, doi:10.1080/00401706.1962.10490022).
    pub(super) fn add(&mut self, point: &DVector<f64>) {
        self.count += 1.0;
        self.before.copy_from(point);
        self.before -= &self.mean;
        self.mean.axpy(1.0 / self.count, &self.before, 1.0);
        self.scatter.ger(1.0 - 1.0 / self.count, &self.before, &self.before, 1.0);
    }

    /// The covariance, drawn a little towards that of `former` and, unless `dense`, without its correlations; starts over. `None` while there
    /// are fewer than ten points.
    pub(super) fn finish(&mut self, former: &DVector<f64>, dense: bool) -> Option<DMatrix<f64>> {
        let (count, n) = (self.count, self.mean.len());
        let covariance = &self.scatter / (count - 1.0);
        *self = Self::new(n);
        if count < 10.0 {
            return None;
        }
        // As if five points more had been seen, uncorrelated and a thousandth of the former variance wide; in a full matrix as many as there are
        // coordinates more, so that a short window is not taken at its word.
        let few = 5.0 + if dense { n as f64 } else { 0.0 };
        let share = count / (count + few);
        let mut mixed = if dense { covariance.clone() * share } else { DMatrix::from_diagonal(&(covariance.diagonal() * share)) };
        for j in 0..n {
            mixed[(j, j)] = covariance[(j, j)] * (if dense { 1.0 } else { share }) + (1.0 - share) * 1e-3 * former[j];
        }
        Some(mixed)
    }
}

/// The sweeps of a warm-up of that length after which a window of the metric ends: the first part is for the way from the start, the last for the
/// step alone, and the windows between double in length (the schedule of Stan).
pub(super) fn windows(warmup: usize) -> (usize, Vec<usize>) {
    let (first, base, last) = if warmup < 150 { (warmup * 3 / 20, warmup * 3 / 4, warmup / 10) } else { (75, 25, 50) };
    let end = warmup - last;
    let (mut ends, mut at, mut length) = (Vec::new(), first, base.max(1));
    while at < end {
        // A window that would leave too little for one of twice its length takes it all.
        at = if at + 3 * length > end { end } else { at + length };
        ends.push(at);
        length *= 2;
    }
    (first, ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_double_and_leave_the_last_sweeps_to_the_step() {
        assert_eq!(windows(1000), (75, vec![100, 150, 250, 450, 950]));
        assert_eq!(windows(100), (15, vec![90]));
        assert_eq!(windows(0), (0, vec![]));
    }

    #[test]
    fn the_step_settles_where_it_is_wanted() {
        // The acceptance falls with the step as exp(-step).
        let mut averaging = DualAveraging::new(0.8, 0.1);
        let mut step = 0.1_f64;
        for _ in 0..2000 {
            step = averaging.learn((-step).exp());
        }
        assert!(((-averaging.step()).exp() - 0.8).abs() < 0.01, "{}", averaging.step());
    }

    #[test]
    fn a_window_has_the_moments_of_its_points() {
        let mut moments = Moments::new(2);
        let former = DVector::from_element(2, 1.0);
        (0..9).for_each(|_| moments.add(&former));
        assert!(moments.finish(&former, true).is_none());
        for k in 0..1000 {
            let x = f64::from(k % 10);
            moments.add(&DVector::from_row_slice(&[x, 2.0 * x]));
        }
        let covariance = moments.finish(&former, true).unwrap();
        assert!((covariance[(0, 0)] - 8.258).abs() < 0.01 && (covariance[(0, 1)] - 16.4).abs() < 0.1, "{covariance}");
        assert!(covariance.cholesky().is_some());
    }
}
