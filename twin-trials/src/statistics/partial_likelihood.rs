//! Cox's partial likelihood of periods at risk, with its derivatives, baseline hazard and residuals.

use super::cox::Ties;
use super::newton::Point;
use super::period::Period;
use nalgebra::{DMatrix, DVector};

/// One period, its covariates centered and scaled.
pub(super) struct Row {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) event: bool,
    pub(super) weight: f64,
    pub(super) stratum: usize,
    pub(super) covariates: Vec<f64>,
}

/// Sums over a risk set: of the weights times the relative hazards, and of those times the covariates and their products.
#[derive(Clone)]
struct Sums {
    zeroth: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Sums {
    fn zero(width: usize) -> Self {
        Self { zeroth: 0.0, first: vec![0.0; width], second: vec![0.0; width * width] }
    }

    fn add(&mut self, hazard: f64, covariates: &[f64]) {
        self.zeroth += hazard;
        let width = covariates.len();
        for (i, x) in covariates.iter().enumerate() {
            let product = hazard * x;
            self.first[i] += product;
            for (cell, y) in self.second[i * width..=i * width + i].iter_mut().zip(covariates) {
                *cell += product * y;
            }
        }
    }
}

/// The deaths at one time of one stratum, and the risk set that they came from.
struct Deaths<'a> {
    time: f64,
    stratum: usize,
    rows: &'a [usize],
    at_risk: &'a Sums,
    dead: &'a Sums,
}

impl Deaths<'_> {
    /// The weight of each term of the likelihood of these deaths, and the share of the dead that each takes off the risk set.
    fn terms(&self, ties: Ties, rows: &[Row]) -> impl Iterator<Item = (f64, f64)> + use<> {
        let dead: Vec<f64> = self.rows.iter().map(|&row| &rows[row]).filter(|row| row.event).map(|row| row.weight).collect();
        let (count, weight) = (dead.len(), dead.iter().sum::<f64>());
        let terms = if ties == Ties::Efron { count } else { 1 };
        (0..terms).map(move |term| (weight / terms as f64, if terms > 1 { term as f64 / count as f64 } else { 0.0 }))
    }
}

/// The periods in the order in which risk sets are built: by stratum, and backward in time.
pub(super) struct PartialLikelihood {
    rows: Vec<Row>,
    /// Rows by stratum, then by descending start.
    by_start: Vec<usize>,
    width: usize,
    ties: Ties,
}

/// What a hazard came to at a time at which events happened.
pub(super) struct Increment {
    pub(super) stratum: usize,
    pub(super) time: f64,
    pub(super) hazard: f64,
}

impl PartialLikelihood {
    /// Orders `periods`, and scales their covariates.
    pub(super) fn new(periods: &[Period], means: &[f64], deviations: &[f64], ties: Ties) -> (Self, Vec<usize>) {
        let mut order: Vec<usize> = (0..periods.len()).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&periods[a], &periods[b]);
            a.stratum.cmp(&b.stratum).then(b.follow_up.time.total_cmp(&a.follow_up.time))
        });
        let scaled =
            |period: &Period| period.covariates.iter().zip(means.iter().zip(deviations)).map(|(x, (m, s))| (x - m) / s).collect();
        let row = |&index: &usize| {
            let period = &periods[index];
            Row {
                start: period.begin(),
                end: period.follow_up.time + 0.0,
                event: period.follow_up.event,
                weight: period.weight,
                stratum: period.stratum,
                covariates: scaled(period),
            }
        };
        let rows: Vec<Row> = order.iter().map(row).collect();
        let mut by_start: Vec<usize> = (0..rows.len()).collect();
        by_start.sort_by(|&a, &b| rows[a].stratum.cmp(&rows[b].stratum).then(rows[b].start.total_cmp(&rows[a].start)));
        (Self { rows, by_start, width: means.len(), ties }, order)
    }

    /// The relative hazards, divided by `exp(shift)` so that none overflows, and the shift.
    fn hazards(&self, coefficients: &DVector<f64>) -> (Vec<f64>, f64) {
        let eta = |row: &Row| row.covariates.iter().zip(coefficients.iter()).map(|(x, beta)| x * beta).sum::<f64>();
        let predictors: Vec<f64> = self.rows.iter().map(eta).collect();
        let shift = predictors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (predictors.into_iter().map(|eta| (eta - shift).exp()).collect(), shift)
    }

    /// Calls `visit` for each time of each stratum at which events happened, backward in time.
    fn sweep(&self, hazards: &[f64], mut visit: impl FnMut(&Deaths<'_>)) {
        let (mut at_risk, mut stratum, mut left) = (Sums::zero(self.width), None, 0);
        let order: Vec<usize> = (0..self.rows.len()).collect();
        let same = |a: &usize, b: &usize| {
            let (a, b) = (&self.rows[*a], &self.rows[*b]);
            a.stratum == b.stratum && a.end.total_cmp(&b.end).is_eq()
        };
        for tied in order.chunk_by(same) {
            let first = &self.rows[tied[0]];
            if stratum != Some(first.stratum) {
                (at_risk, stratum, left) = (Sums::zero(self.width), Some(first.stratum), tied[0]);
            }
            let mut dead = Sums::zero(self.width);
            let mut events = false;
            for &row in tied {
                let hazard = self.rows[row].weight * hazards[row];
                at_risk.add(hazard, &self.rows[row].covariates);
                if self.rows[row].event {
                    dead.add(hazard, &self.rows[row].covariates);
                    events = true;
                }
            }
            while let Some(&row) = self.by_start.get(left).filter(|&&row| self.rows[row].start >= first.end) {
                if self.rows[row].stratum != first.stratum {
                    break;
                }
                at_risk.add(-self.rows[row].weight * hazards[row], &self.rows[row].covariates);
                left += 1;
            }
            if events {
                visit(&Deaths { time: first.end, stratum: first.stratum, rows: tied, at_risk: &at_risk, dead: &dead });
            }
        }
    }

    /// The log partial likelihood with its derivatives.
    pub(super) fn at(&self, coefficients: &DVector<f64>) -> Option<Point> {
        let (hazards, shift) = self.hazards(coefficients);
        let width = self.width;
        let (mut value, mut gradient) = (0.0, DVector::<f64>::zeros(width));
        let mut information = DMatrix::<f64>::zeros(width, width);
        let mut mean = vec![0.0; width];
        self.sweep(&hazards, |deaths| {
            for row in deaths.rows.iter().map(|&row| (&self.rows[row], hazards[row])).filter(|(row, _)| row.event) {
                value += row.0.weight * (row.1.ln() + shift);
                gradient.iter_mut().zip(&row.0.covariates).for_each(|(cell, x)| *cell += row.0.weight * x);
            }
            for (weight, share) in deaths.terms(self.ties, &self.rows) {
                let total = deaths.at_risk.zeroth - share * deaths.dead.zeroth;
                value -= weight * (total.ln() + shift);
                for i in 0..width {
                    mean[i] = (deaths.at_risk.first[i] - share * deaths.dead.first[i]) / total;
                    gradient[i] -= weight * mean[i];
                    for j in 0..=i {
                        let second = (deaths.at_risk.second[i * width + j] - share * deaths.dead.second[i * width + j]) / total;
                        information[(i, j)] += weight * (second - mean[i] * mean[j]);
                    }
                }
            }
        });
        information.fill_upper_triangle_with_lower_triangle();
        let finite = value.is_finite() && gradient.iter().chain(information.iter()).all(|cell| cell.is_finite());
        finite.then_some(Point { ln_likelihood: value, gradient, information })
    }

    /// The increments of the cumulative hazard of a subject at the mean of all covariates, by stratum and backward in time.
    pub(super) fn baseline(&self, coefficients: &DVector<f64>) -> Vec<Increment> {
        let (hazards, shift) = self.hazards(coefficients);
        let mut increments = Vec::new();
        self.sweep(&hazards, |deaths| {
            let part = |(weight, share): (f64, f64)| weight / (deaths.at_risk.zeroth - share * deaths.dead.zeroth);
            let hazard = deaths.terms(self.ties, &self.rows).map(part).sum::<f64>() * (-shift).exp();
            increments.push(Increment { stratum: deaths.stratum, time: deaths.time, hazard });
        });
        increments
    }

    /// The score residual of each row times its weight (rows × covariates), in the order of the rows (Therneau and Grambsch 2000,
    /// section 4.6, with Efron's ties as there).
    pub(super) fn score_residuals(&self, coefficients: &DVector<f64>) -> DMatrix<f64> {
        let (hazards, _) = self.hazards(coefficients);
        let width = self.width;
        // For each event time, in the order of the sweep: stratum, time, and the hazard and its moment for those who live on.
        let mut passed: Vec<(usize, f64, Vec<f64>)> = Vec::new();
        let mut residuals = DMatrix::<f64>::zeros(self.rows.len(), width);
        self.sweep(&hazards, |deaths| {
            let (mut living, mut dying, mut mean) = (vec![0.0; width + 1], vec![0.0; width + 1], vec![0.0; width]);
            let (mut weights, terms): (f64, Vec<_>) = (0.0, deaths.terms(self.ties, &self.rows).collect());
            for &(weight, share) in &terms {
                let total = deaths.at_risk.zeroth - share * deaths.dead.zeroth;
                weights += weight;
                for i in 0..=width {
                    let moment = if i == width { 1.0 } else { (deaths.at_risk.first[i] - share * deaths.dead.first[i]) / total };
                    living[i] += weight * moment / total;
                    dying[i] += weight * (1.0 - share) * moment / total;
                    if i < width {
                        mean[i] += weight * moment;
                    }
                }
            }
            for &row in deaths.rows.iter().filter(|&&row| self.rows[row].event) {
                for i in 0..width {
                    let x = self.rows[row].covariates[i];
                    // What a death escapes of the hazard at its own time, beside its own event.
                    let escaped = x * (living[width] - dying[width]) - (living[i] - dying[i]);
                    residuals[(row, i)] += x - mean[i] / weights + hazards[row] * escaped;
                }
            }
            passed.push((deaths.stratum, deaths.time, living));
        });
        // Cumulate forward in time within each stratum.
        passed.reverse();
        let mut sum = vec![0.0; width + 1];
        let mut before: Option<usize> = None;
        for (stratum, _, moments) in &mut passed {
            if before != Some(*stratum) {
                (sum, before) = (vec![0.0; width + 1], Some(*stratum));
            }
            sum.iter_mut().zip(moments.iter()).for_each(|(total, part)| *total += part);
            moments.clone_from(&sum);
        }
        // Strata now descend, times ascend: the cumulated hazard of a stratum up to and including a time.
        let up_to = |stratum: usize, time: f64| {
            let end = passed.partition_point(|(other, at, _)| *other > stratum || (*other == stratum && *at <= time));
            passed.get(end.wrapping_sub(1)).filter(|(other, _, _)| *other == stratum).map(|(_, _, moments)| moments.as_slice())
        };
        for (index, row) in self.rows.iter().enumerate() {
            let (end, start) = (up_to(row.stratum, row.end), up_to(row.stratum, row.start));
            let between = |i: usize| end.map_or(0.0, |moments| moments[i]) - start.map_or(0.0, |moments| moments[i]);
            let total = between(width);
            for i in 0..width {
                residuals[(index, i)] -= hazards[index] * (row.covariates[i] * total - between(i));
                residuals[(index, i)] *= row.weight;
            }
        }
        residuals
    }
}
