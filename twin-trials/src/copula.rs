//! Virtual patients like those of a table: each column keeps its distribution, and the columns their correlations.

use crate::{Cohort, TrialError, VirtualPatient};
use nalgebra::{Cholesky, DMatrix, DVector};
use statrs::distribution::{ContinuousCDF, Normal};
use std::sync::Arc;
use twin_core::Random;
use twin_models::Model;

/// How often a draw outside the ranges of the model is made again.
const ATTEMPTS: usize = 1000;

/// Virtual patients drawn from a table of parameters (one row for each patient that was seen) through a Gaussian copula: normal scores with the
/// correlations of the table's, each turned into a value between those of its column, by rank (Sklar 1959; Nelsen 2006, doi:10.1007/0-387-28678-0).
///
/// No draw lies beyond what the table has. Parameters that the table does not name keep their defaults.
///
/// ```
/// use std::sync::Arc;
/// use twin_core::{Agent, Random};
/// use twin_models::clones;
/// use twin_trials::{Cohort, FromTable};
/// let model = Arc::new(clones::sensitive_resistant(Agent::new("abiraterone")?));
/// let seen: Vec<Vec<f64>> = (1..=20).map(|n| vec![0.01 * f64::from(n), 0.04 * f64::from(n % 7 + n / 2)]).collect();
/// let cohort = FromTable::new(model, &["growth_rate", "initial_burden"], &seen)?;
/// let patient = cohort.draw(0, &mut Random::new(1))?;
/// assert!((0.01..=0.2).contains(&patient.parameters.values()[0]));
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Clone)]
pub struct FromTable {
    model: Arc<dyn Model>,
    names: Vec<String>,
    /// The place of each name among the parameters of the model.
    places: Vec<usize>,
    /// The values of each column, ascending.
    columns: Vec<Vec<f64>>,
    /// The lower root of the correlations of the normal scores.
    root: DMatrix<f64>,
}

impl std::fmt::Debug for FromTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromTable").field("model", &self.model.spec().id).field("parameters", &self.names).finish_non_exhaustive()
    }
}

impl FromTable {
    /// A cohort of `model` like the `rows` (patients × parameters) of a table whose columns are the parameters called `names`.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer rows than ten for each column; [`TrialError::Length`] for a row of another length;
    /// [`TrialError::NotFinite`]; [`TrialError::Simulation`] for a name that is no parameter, or defaults that are not valid;
    /// [`TrialError::NotIdentified`] for a column that does not vary, or follows from the others.
    pub fn new(model: Arc<dyn Model>, names: &[&str], rows: &[Vec<f64>]) -> Result<Self, TrialError> {
        const WHAT: &str = "copula of a table";
        let width = names.len();
        if width == 0 {
            return Err(TrialError::Empty { what: "the list of columns" });
        }
        if rows.len() < 10 * width {
            return Err(TrialError::Count { what: "rows of the table", count: rows.len(), valid: "ten or more for each column" });
        }
        for row in rows {
            crate::statistics::finite("value of the table", row)?;
            if row.len() != width {
                let (what, reference) = ("a row of the table", "the list of columns");
                return Err(TrialError::Length { what, found: row.len(), reference, expected: width });
            }
        }
        let defaults = model.spec().defaults()?;
        let places = names.iter().map(|name| defaults.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let column = |place: usize| rows.iter().filter_map(|row| row.get(place)).copied().collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..width).map(column).collect();
        let scores: Vec<DVector<f64>> = columns.iter().map(|column| normal_scores(column)).collect();
        let unknown =
            |place: usize| TrialError::NotIdentified { what: WHAT, name: names.get(place).copied().unwrap_or_default().to_owned() };
        if let Some(flat) = scores.iter().position(|scores| scores.norm_squared() <= 0.0) {
            return Err(unknown(flat));
        }
        let correlations = DMatrix::from_fn(width, width, |i, j| match (scores.get(i), scores.get(j)) {
            (Some(a), Some(b)) => a.dot(b) / (a.norm() * b.norm()),
            _ => f64::NAN,
        });
        let root = Cholesky::new(correlations).map(|cholesky| cholesky.l()).filter(|root| root.diagonal().min() > 1e-6);
        let root = root.ok_or_else(|| unknown(width - 1))?;
        let mut columns = columns;
        columns.iter_mut().for_each(|column| column.sort_by(f64::total_cmp));
        Ok(Self { model, names: names.iter().map(|name| (*name).to_owned()).collect(), places, columns, root })
    }

    /// One row like those of the table.
    fn row(&self, random: &mut Random) -> Vec<f64> {
        let normal = Normal::standard();
        let independent = DVector::from_fn(self.columns.len(), |_, _| random.normal());
        let scores = &self.root * independent;
        let value = |(column, score): (&Vec<f64>, &f64)| {
            let place = normal.cdf(*score) * (column.len() - 1) as f64;
            let (below, share) = (place.floor() as usize, place.fract());
            let at = |place: usize| column.get(place).or(column.last()).copied().unwrap_or(f64::NAN);
            at(below) + share * (at(below + 1) - at(below))
        };
        self.columns.iter().zip(scores.iter()).map(value).collect()
    }
}

/// The normal deviates of the ranks of `values`; equal values share their mean rank.
fn normal_scores(values: &[f64]) -> DVector<f64> {
    let normal = Normal::standard();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let score = |value: &f64| {
        let (below, up_to) = (sorted.partition_point(|other| other < value), sorted.partition_point(|other| other <= value));
        normal.inverse_cdf(0.5 * (below + up_to) as f64 / count)
    };
    let scores = DVector::from_iterator(values.len(), values.iter().map(score));
    let mean = scores.mean();
    scores.map(|score| score - mean)
}

impl Cohort for FromTable {
    fn parameters(&self) -> &[String] {
        &self.names
    }

    fn draw(&self, index: usize, random: &mut Random) -> Result<VirtualPatient, TrialError> {
        let defaults = self.model.spec().defaults()?;
        let mut reason = TrialError::EmptyCohort;
        for _ in 0..ATTEMPTS {
            let mut parameters = defaults.clone();
            let set = self.places.iter().zip(self.row(random)).try_for_each(|(place, value)| parameters.set(*place, value));
            match set {
                Ok(()) => return Ok(VirtualPatient::new(parameters)),
                Err(source) => reason = TrialError::Draw { index, attempts: ATTEMPTS, source: Box::new(source) },
            }
        }
        Err(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_core::Agent;
    use twin_models::clones;

    fn model() -> Arc<dyn Model> {
        Arc::new(clones::sensitive_resistant(Agent::new("drug").unwrap()))
    }

    /// A log-normal and a uniform column whose normal scores correlate by 0.7.
    fn seen(count: usize) -> Vec<Vec<f64>> {
        let (mut random, normal) = (Random::new(4), Normal::standard());
        let mut row = |_| {
            let (a, b) = (random.normal(), random.normal());
            vec![0.03 * (0.4 * a).exp(), 0.2 + 0.6 * normal.cdf(0.7 * a + 0.51_f64.sqrt() * b)]
        };
        (0..count).map(&mut row).collect()
    }

    #[test]
    fn columns_keep_their_distribution_and_their_correlation() {
        let seen = seen(1000);
        let cohort = FromTable::new(model(), &["growth_rate", "initial_burden"], &seen).unwrap();
        let mut random = Random::new(9);
        let drawn: Vec<Vec<f64>> = (0..4000).map(|_| cohort.row(&mut random)).collect();
        for place in 0..2 {
            let sorted = |rows: &[Vec<f64>]| {
                let mut column: Vec<f64> = rows.iter().map(|row| row[place]).collect();
                column.sort_by(f64::total_cmp);
                column
            };
            let (ours, theirs) = (sorted(&drawn), sorted(&seen));
            for share in [0.1, 0.5, 0.9] {
                let at = |column: &[f64]| column[(share * column.len() as f64) as usize];
                assert!((at(&ours) / at(&theirs) - 1.0).abs() < 0.05, "column {place} at {share}");
            }
        }
        let scores = [0, 1].map(|place: usize| normal_scores(&drawn.iter().map(|row| row[place]).collect::<Vec<_>>()));
        let correlation = scores[0].dot(&scores[1]) / (scores[0].norm() * scores[1].norm());
        assert!((correlation - 0.7).abs() < 0.05, "{correlation}");
    }

    #[test]
    fn tables_that_say_too_little_are_refused() {
        let names = ["growth_rate", "initial_burden"];
        assert!(FromTable::new(model(), &names, &seen(19)).is_err());
        assert!(FromTable::new(model(), &["growth_rate", "no such"], &seen(30)).is_err());
        assert!(FromTable::new(model(), &[], &seen(30)).is_err());
        assert!(FromTable::new(model(), &names[..1], &seen(30)).is_err(), "rows of another length");
        let flat: Vec<Vec<f64>> = (0..30).map(|n| vec![0.01 + 0.001 * f64::from(n), 0.5]).collect();
        assert!(FromTable::new(model(), &names, &flat).is_err());
        let same: Vec<Vec<f64>> = (0..30).map(|n| vec![0.01 + 0.001 * f64::from(n), 0.1 + 0.01 * f64::from(n)]).collect();
        assert!(matches!(FromTable::new(model(), &names, &same), Err(TrialError::NotIdentified { .. })));
        let unknown = vec![vec![0.02, f64::NAN]; 30];
        assert!(FromTable::new(model(), &names, &unknown).is_err());
    }
}
