//! Whether a patient lies inside the population that a model was trained on.

use crate::TrialError;
use nalgebra::{DMatrix, DVector};

/// A population, as the numbers of its patients: covariates at baseline, or individual parameters on the real line of their transforms.
///
/// A prediction for a patient unlike all of them is an extrapolation, however narrow its interval.
///
/// ```
/// use twin_trials::explain::Support;
/// let patients: Vec<Vec<f64>> = (0..100).map(|n| vec![f64::from(n % 10), f64::from(n / 10)]).collect();
/// let population = Support::of(["age", "burden"], &patients)?;
/// assert!(population.position(&[4.0, 5.0])?.share_as_far > 0.5);
/// assert!(population.require(&[4.0, 25.0], 0.05).is_err());
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    names: Vec<String>,
    mean: DVector<f64>,
    /// The inverse of the Cholesky factor of the covariance.
    whitening: DMatrix<f64>,
    deviations: Vec<f64>,
    /// How far each patient lies from the others, in order.
    distances: Vec<f64>,
}

/// Where a patient lies relative to a population.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The Mahalanobis distance from the population's mean.
    pub distance: f64,
    /// The share of the population, the patient counted in, that lies at least as far out. A patient of the same population is below
    /// a level at most that often, whatever the distribution (a conformal p-value; Vovk et al. 2005).
    pub share_as_far: f64,
    /// The variable in which the patient is most unusual, and by how many standard deviations.
    pub most_unusual: (String, f64),
}

impl Support {
    /// The population of `patients` (patients × names).
    ///
    /// # Errors
    /// [`TrialError::Count`] without names or for fewer than ten patients for each of them; [`TrialError::Length`] for a patient with
    /// another number of values; [`TrialError::NotFinite`]; [`TrialError::NotIdentified`] for a variable that does not vary or follows
    /// from the others.
    pub fn of<N: Into<String>>(names: impl IntoIterator<Item = N>, patients: &[Vec<f64>]) -> Result<Self, TrialError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.is_empty() || patients.len() < 10 * names.len() {
            let (what, valid) =
                ("number of patients of a population", "at least 10 for each variable, of which there is at least one");
            return Err(TrialError::Count { what, count: patients.len(), valid });
        }
        for (index, patient) in patients.iter().enumerate() {
            checked(&names, patient, index)?;
        }
        let count = patients.len() as f64;
        let rows: Vec<DVector<f64>> = patients.iter().map(|patient| DVector::from_column_slice(patient)).collect();
        let mean = rows.iter().fold(DVector::zeros(names.len()), |sum, row| sum + row) / count;
        let scatter = rows.iter().fold(DMatrix::zeros(names.len(), names.len()), |sum, row| {
            let off = row - &mean;
            sum + &off * off.transpose()
        });
        let covariance = scatter / (count - 1.0);
        let deviations: Vec<f64> = covariance.diagonal().iter().map(|variance| variance.sqrt()).collect();
        // In standard units a variable that follows from the others leaves no pivot.
        let units = DMatrix::from_fn(names.len(), names.len(), |i, j| covariance[(i, j)] / (deviations[i] * deviations[j]));
        let what = "population";
        let follows = |place: usize| TrialError::NotIdentified { what, name: names.get(place).cloned().unwrap_or_default() };
        if let Some(place) = deviations.iter().zip(&mean).position(|(sd, mean)| *sd <= 1e-12 * mean.abs()) {
            return Err(follows(place));
        }
        let factor = units.cholesky().map(|cholesky| cholesky.unpack()).ok_or_else(|| follows(names.len() - 1))?;
        if let Some(place) = factor.diagonal().iter().position(|pivot| *pivot < 1e-7) {
            return Err(follows(place));
        }
        let inverse = factor.try_inverse().ok_or_else(|| follows(names.len() - 1))?;
        let whitening = DMatrix::from_fn(names.len(), names.len(), |i, j| inverse[(i, j)] / deviations[j]);
        let mut population = Self { names, mean, whitening, deviations, distances: Vec::new() };
        // A patient's distance from the others follows from that of all in closed form (leaving one out of mean and covariance).
        let outer = |row: &DVector<f64>| {
            let square = population.square(row);
            let left = 1.0 - count * square / (count - 1.0).powi(2);
            let square = square * (count / (count - 1.0)).powi(2) * (count - 2.0) / (count - 1.0) / left.max(f64::MIN_POSITIVE);
            square.sqrt()
        };
        let mut distances: Vec<f64> = rows.iter().map(outer).collect();
        distances.sort_by(f64::total_cmp);
        population.distances = distances;
        Ok(population)
    }

    /// The squared Mahalanobis distance from the mean.
    fn square(&self, row: &DVector<f64>) -> f64 {
        (&self.whitening * (row - &self.mean)).norm_squared()
    }

    /// Where a patient lies, by the values of the variables in their order.
    ///
    /// # Errors
    /// [`TrialError::Length`] for another number of values; [`TrialError::NotFinite`].
    pub fn position(&self, patient: &[f64]) -> Result<Position, TrialError> {
        checked(&self.names, patient, 0)?;
        let distance = self.square(&DVector::from_column_slice(patient)).sqrt();
        let as_far = self.distances.len() - self.distances.partition_point(|other| *other < distance);
        let unusual = patient.iter().zip(&self.mean).zip(&self.deviations).map(|((value, mean), sd)| (value - mean) / sd);
        let most = self.names.iter().cloned().zip(unusual).max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        Ok(Position {
            distance,
            share_as_far: (as_far + 1) as f64 / (self.distances.len() + 1) as f64,
            most_unusual: most.unwrap_or_default(),
        })
    }

    /// Where a patient lies, if fewer than a share `level` of the population would lie as far out by chance; a refusal else.
    ///
    /// # Errors
    /// [`TrialError::OutsidePopulation`] for a patient that far out; as [`Support::position`].
    pub fn require(&self, patient: &[f64], level: f64) -> Result<Position, TrialError> {
        let position = self.position(patient)?;
        if position.share_as_far < level {
            let (variable, deviations) = position.most_unusual;
            return Err(TrialError::OutsidePopulation { share: position.share_as_far, level, variable, deviations });
        }
        Ok(position)
    }
}

fn checked(names: &[String], patient: &[f64], index: usize) -> Result<(), TrialError> {
    if patient.len() != names.len() {
        let (found, expected) = (patient.len(), names.len());
        return Err(TrialError::Length { what: "a patient's list of values", found, reference: "the list of variables", expected });
    }
    match patient.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(TrialError::NotFinite { what: "value of a patient", index, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    fn population(count: usize, random: &mut Random) -> Vec<Vec<f64>> {
        let draw = |random: &mut Random| {
            let (a, b) = (random.normal(), random.normal());
            vec![60.0 + 10.0 * a, (0.9 * a + 0.3 * b).exp().ln()]
        };
        (0..count).map(|_| draw(random)).collect()
    }

    #[test]
    fn patients_of_the_population_are_refused_as_often_as_the_level_says() {
        let mut random = Random::new(3);
        let (mut refused, mut judged) = (0, 0);
        for _ in 0..40 {
            let support = Support::of(["age", "burden"], &population(60, &mut random)).unwrap();
            for patient in population(50, &mut random) {
                judged += 1;
                refused += usize::from(support.require(&patient, 0.1).is_err());
            }
        }
        let share = f64::from(u32::try_from(refused).unwrap()) / f64::from(judged);
        assert!((0.06..=0.12).contains(&share), "{share}");
    }

    #[test]
    fn a_patient_against_the_correlation_is_outside_though_each_value_is_usual() {
        let support = Support::of(["age", "burden"], &population(200, &mut Random::new(4))).unwrap();
        assert!(support.require(&[78.0, 1.6], 0.05).is_ok());
        let error = support.require(&[78.0, -1.6], 0.05).unwrap_err();
        assert!(matches!(&error, TrialError::OutsidePopulation { .. }));
        assert!(error.to_string().contains("standard deviations"), "{error}");
    }

    #[test]
    fn the_distance_of_one_left_out_is_that_of_a_population_without_it() {
        let patients = population(30, &mut Random::new(5));
        let all = Support::of(["age", "burden"], &patients).unwrap();
        let mut left_out: Vec<f64> = (0..patients.len())
            .map(|place| {
                let mut others = patients.clone();
                let one = others.remove(place);
                Support::of(["age", "burden"], &others).unwrap().position(&one).unwrap().distance
            })
            .collect();
        left_out.sort_by(f64::total_cmp);
        for (closed, by_hand) in all.distances.iter().zip(&left_out) {
            assert!((closed - by_hand).abs() < 1e-9 * by_hand, "{closed} {by_hand}");
        }
    }

    #[test]
    fn populations_that_span_nothing_are_refused() {
        let flat: Vec<Vec<f64>> = (0..30).map(|n| vec![f64::from(n), 1.0]).collect();
        assert!(matches!(Support::of(["a", "b"], &flat), Err(TrialError::NotIdentified { name, .. }) if name == "b"));
        let line: Vec<Vec<f64>> = (0..30).map(|n| vec![f64::from(n), 2.0 * f64::from(n)]).collect();
        assert!(matches!(Support::of(["a", "b"], &line), Err(TrialError::NotIdentified { .. })));
        assert!(matches!(Support::of(["a", "b"], &line[..19]), Err(TrialError::Count { count: 19, .. })));
        let support = Support::of(["a"], &(0..30).map(|n| vec![f64::from(n)]).collect::<Vec<_>>()).unwrap();
        assert!(matches!(support.position(&[1.0, 2.0]), Err(TrialError::Length { .. })));
        assert!(matches!(support.position(&[f64::NAN]), Err(TrialError::NotFinite { .. })));
    }
}
