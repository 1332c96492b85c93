//! A fitted population held against its data.

use super::{Population, PopulationFit};
use crate::{CalibrationError, ErrorModel, Prior, Reading, Target, sorted_quantile};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::{Finding, Random};

/// Readings of all subjects in one interval of time, beside what the population would have shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// The mean time, in days.
    pub days: f64,
    /// How many readings there are.
    pub readings: usize,
    /// The 10 %, 50 % and 90 % quantiles of the readings.
    pub observed: [f64; 3],
    /// For each of these the 5 %, 50 % and 95 % quantiles over simulated populations.
    pub simulated: [[f64; 3]; 3],
}

/// What one subject shows: days, readings, and simulations (simulations × readings).
struct Simulated {
    days: Vec<f64>,
    seen: Vec<Reading>,
    simulations: Vec<Vec<f64>>,
}

/// Simulates every subject under the population so many times. Where `all_numbers`, censored readings are refused: those that are left are no fair
/// sample.
fn simulate(
    population: &Population<'_>,
    fit: &PopulationFit,
    (count, all_numbers): (usize, bool),
    random: &Random,
) -> Result<Vec<Simulated>, CalibrationError> {
    if count < 20 {
        let (method, setting, valid) = ("population check", "simulations", "at least 20");
        return Err(CalibrationError::Setting { method, setting, value: count as f64, valid });
    }
    let open = population.open();
    let problems = population.problems(&open);
    let one = |(index, problem): (usize, &crate::Problem<'_>)| {
        let target = Target::new(problem)?;
        let covariates: Vec<f64> =
            population.covariates.iter().map(|effect| effect.values.get(index).copied().unwrap_or(f64::NAN)).collect();
        let prior = fit.prior_with(&covariates)?;
        let times: Vec<f64> = problem.patient.timeline.observations().map(|(time, _)| time.days()).collect();
        let mut subject = Simulated { days: Vec::new(), seen: Vec::new(), simulations: Vec::new() };
        let mut own = random.stream(index as u64);
        let observations: Vec<_> = problem.patient.timeline.observations().collect();
        let censored = observations.iter().find(|(_, observation)| {
            let explained = problem.errors.iter().any(|(observable, _)| *observable == observation.observable);
            explained && matches!(observation.finding, Finding::Below(_) | Finding::Above(_))
        });
        if let Some((at, observation)) = censored.filter(|_| all_numbers) {
            return Err(CalibrationError::CensoredReading { observable: observation.observable.to_string(), at: *at });
        }
        // Draws with which the model cannot go on are drawn anew, for a bounded number of times.
        for _ in 0..10 * count {
            if subject.simulations.len() == count {
                break;
            }
            let mut theta = prior.sample(&mut own);
            theta.extend(fit.errors.iter().map(|(_, value)| value));
            let (mut row, mut known) = (Vec::new(), Vec::new());
            let lived = target.judge(&theta, |place, error: &dyn ErrorModel, predicted, reading, values| {
                row.push(error.draw(predicted, values, &mut own));
                known.push((times.get(place).copied().unwrap_or(f64::NAN), *reading));
            });
            if lived {
                subject.simulations.push(row);
                (subject.days, subject.seen) = known.into_iter().unzip();
            }
        }
        if subject.simulations.len() < count {
            let source = target.failure().map(|(_, source)| Box::new(source));
            return Err(CalibrationError::NoneExplains { draws: 10 * count, source });
        }
        Ok(subject)
    };
    problems.par_iter().enumerate().map(one).collect::<Vec<_>>().into_iter().collect()
}

/// The number that was read, or the limit that it lay beyond.
fn value(reading: &Reading) -> f64 {
    let (Reading::Value { value, .. } | Reading::Below(value) | Reading::Above(value)) = *reading;
    value
}

/// The data behind a visual predictive check: readings in `bins` bins of equal number by time, beside `simulations` populations
/// simulated by the same design. Censored readings are refused: without them the others, and what is simulated of them, do not compare.
///
/// # Errors
/// [`CalibrationError::Setting`] for fewer than 20 simulations or no bin; [`CalibrationError::NoneExplains`] if a subject cannot be simulated;
/// [`CalibrationError::CensoredReading`] for a censored reading.
pub fn visual_check(
    population: &Population<'_>,
    fit: &PopulationFit,
    bins: usize,
    simulations: usize,
    random: &Random,
) -> Result<Vec<Bin>, CalibrationError> {
    if bins == 0 {
        let (method, setting, valid) = ("population check", "bins", "at least 1");
        return Err(CalibrationError::Setting { method, setting, value: 0.0, valid });
    }
    let subjects = simulate(population, fit, (simulations, true), random)?;
    let mut places: Vec<(f64, usize, usize)> = Vec::new();
    for (subject, simulated) in subjects.iter().enumerate() {
        places.extend(simulated.days.iter().enumerate().map(|(reading, day)| (*day, subject, reading)));
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let quantiles = |mut values: Vec<f64>, probabilities: [f64; 3]| {
        values.sort_by(f64::total_cmp);
        probabilities.map(|probability| sorted_quantile(&values, probability))
    };
    let size = places.len().div_ceil(bins).max(1);
    let bin = |places: &[(f64, usize, usize)]| {
        let of = |rows: &dyn Fn(&Simulated) -> Option<Vec<f64>>| -> [f64; 3] {
            let values = places.iter().filter_map(|(_, subject, reading)| rows(subjects.get(*subject)?)?.get(*reading).copied());
            quantiles(values.collect(), [0.1, 0.5, 0.9])
        };
        let observed = of(&|subject| Some(subject.seen.iter().map(|reading| value(reading)).collect()));
        let rows: Vec<[f64; 3]> = (0..simulations).map(|k| of(&|subject| subject.simulations.get(k).cloned())).collect();
        let simulated = [0, 1, 2].map(|q| quantiles(rows.iter().map(|row| row[q]).collect(), [0.05, 0.5, 0.95]));
        let days = places.iter().map(|(day, _, _)| day).sum::<f64>() / places.len() as f64;
        Bin { days, readings: places.len(), observed, simulated }
    };
    Ok(places.chunks(size).map(bin).collect())
}

/// Normalized prediction distribution errors (Brendel et al. 2006, doi:10.1007/s11095-006-9067-5): every reading as a standard normal number, the readings of a
/// subject made independent by the mean and covariance of `simulations` simulations. Subject by subject, in the order of time.
///
/// A censored reading takes the place of a simulated one on its side of the limit, drawn by chance (after Nguyen, Comets and Mentré 2012,
/// doi:10.1007/s10928-012-9264-2, but given the other readings of the subject, as their decorrelation needs).
///
/// # Errors
/// As [`visual_check`], but for censored readings; [`CalibrationError::Setting`] if there are not more than twice as many simulations as readings of a
/// subject.
pub fn npde(
    population: &Population<'_>,
    fit: &PopulationFit,
    simulations: usize,
    random: &Random,
) -> Result<Vec<Vec<f64>>, CalibrationError> {
    let scores = |(index, subject): (usize, Simulated)| {
        let n = subject.seen.len();
        if simulations <= 2 * n {
            let (method, setting, valid) = ("npde", "simulations", "more than twice the readings of any subject");
            return Err(CalibrationError::Setting { method, setting, value: simulations as f64, valid });
        }
        let mut own = random.stream(u64::MAX).stream(index as u64);
        let seen = imputed(&subject, &mut own);
        let flat: Vec<f64> = subject.simulations.iter().flatten().copied().collect();
        let weights = vec![1.0 / simulations as f64; simulations];
        let (mean, covariance): (DVector<f64>, DMatrix<f64>) = crate::numeric::moments(&flat, n, &weights);
        let root = crate::numeric::root(&covariance);
        let white = |row: &[f64]| root.solve_lower_triangular(&(DVector::from_column_slice(row) - &mean));
        let Some(seen) = white(&seen) else { return Ok(vec![f64::NAN; n]) };
        let simulated: Vec<DVector<f64>> = subject.simulations.iter().filter_map(|row| white(row)).collect();
        let score = |j: usize| {
            let below = simulated.iter().filter(|row| row[j] < seen[j]).count() as f64;
            // Half a simulation from either end, so that the quantile is finite.
            let probability = (below + 0.5) / (simulated.len() as f64 + 1.0);
            -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * probability)
        };
        Ok((0..n).map(score).collect())
    };
    simulate(population, fit, (simulations, false), random)?.into_iter().enumerate().map(scores).collect()
}

/// The standard normal distribution function, and its inverse.
fn normal_below(u: f64) -> f64 {
    0.5 * statrs::function::erf::erfc(-u / std::f64::consts::SQRT_2)
}

fn normal_quantile(probability: f64) -> f64 {
    -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * probability)
}

/// The readings of a subject as numbers. Those that are censored are drawn beyond their limits given the others, with the simulations' own
/// distributions and the correlation of their normal scores.
fn imputed(subject: &Simulated, random: &mut Random) -> Vec<f64> {
    let (n, count) = (subject.seen.len(), subject.simulations.len());
    let known: Vec<f64> = subject.seen.iter().map(value).collect();
    if subject.seen.iter().all(|reading| matches!(reading, Reading::Value { .. })) {
        return known;
    }
    let column = |j: usize| {
        let mut column: Vec<f64> = subject.simulations.iter().filter_map(|row| row.get(j).copied()).collect();
        column.sort_by(f64::total_cmp);
        column
    };
    let columns: Vec<Vec<f64>> = (0..n).map(column).collect();
    // Never 0 or 1, so that scores are finite.
    let below = |j: usize, x: f64| (columns[j].partition_point(|simulated| *simulated < x) as f64 + 0.5) / (count as f64 + 1.0);
    let score = |j: usize, x: f64| normal_quantile(below(j, x));
    let flat: Vec<f64> =
        subject.simulations.iter().flat_map(|row| row.iter().enumerate().map(|(j, x)| score(j, *x)).collect::<Vec<_>>()).collect();
    let (_, mut correlation) = crate::numeric::moments(&flat, n, &vec![1.0 / count as f64; count]);
    for j in 0..n {
        correlation[(j, j)] += 1e-6;
    }
    let Some(precision) = correlation.cholesky().map(|cholesky| cholesky.inverse()) else { return vec![f64::NAN; n] };
    let mut scores: Vec<f64> = (0..n).map(|j| score(j, known[j])).collect();
    const SWEEPS: usize = 40;
    for _ in 0..SWEEPS {
        for (j, reading) in subject.seen.iter().enumerate() {
            let others = (0..n).filter(|k| *k != j).map(|k| precision[(j, k)] * scores[k]).sum::<f64>();
            let (mean, sd) = (-others / precision[(j, j)], precision[(j, j)].sqrt().recip());
            let limit = normal_below((score(j, known[j]) - mean) / sd);
            let u = match reading {
                Reading::Value { .. } => continue,
                Reading::Below(_) => limit * random.uniform(),
                Reading::Above(_) => limit + (1.0 - limit) * random.uniform(),
            };
            let drawn = mean + sd * normal_quantile(u.clamp(1e-300, 1.0 - 1e-16));
            scores[j] = if drawn.is_finite() { drawn } else { score(j, known[j]) };
        }
    }
    let number = |(j, reading): (usize, &Reading)| match reading {
        Reading::Value { value, .. } => *value,
        _ => sorted_quantile(&columns[j], normal_below(scores[j])),
    };
    subject.seen.iter().enumerate().map(number).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::LogError;
    use crate::population::RandomEffect;
    use twin_core::{Event, Observable, Observation, Patient, Provenance, Quantity, SubjectId, Time};
    use twin_models::{Model, growth};

    /// Subjects with readings below 60 censored, who follow the population that is handed back.
    fn censored(count: usize) -> (Vec<Patient>, PopulationFit) {
        let mut random = Random::new(5);
        let mut patients = Vec::new();
        for index in 0..count {
            let mut patient = Patient::new(SubjectId::new(format!("S{index}")).unwrap());
            let rate = 0.03 * (0.2 * random.normal()).exp();
            let first = 50.0 * (0.5 * random.normal()).exp();
            for days in [0.0, 9.0, 18.0] {
                let seen = first * (rate * days + 0.2 * random.normal()).exp();
                let quantity = |value: f64| Quantity::new(value, "mm3").unwrap();
                let finding = if seen < 60.0 { Finding::Below(quantity(60.0)) } else { Finding::measured(quantity(seen)) };
                let seen = Event::Observation(Observation::new(Observable::TUMOR_VOLUME, finding));
                patient.timeline.record(Time::from_days(days).unwrap(), seen, Provenance::measured("test"));
            }
            patients.push(patient);
        }
        let fit = PopulationFit {
            parameters: vec!["growth_rate".into(), "initial_volume".into()],
            transforms: vec![crate::Transform::Log; 2],
            mean: vec![0.03_f64.ln(), 50_f64.ln()],
            coefficients: vec![],
            objective: None,
            covariance: vec![0.04, 0.0, 0.0, 0.25],
            errors: vec![],
            standard_errors: None,
            subjects: vec![],
            minus_2_ln_likelihood: (0.0, 0.0),
            method: "the truth".into(),
        };
        (patients, fit)
    }

    #[test]
    fn censored_readings_are_imputed_for_npde_and_refused_by_the_visual_check() {
        let (model, error) = (growth::exponential(), LogError::new(0.2, 0.0));
        let (patients, fit) = censored(200);
        let population = Population {
            model: &model,
            base: model.spec().defaults().unwrap(),
            patients: &patients,
            effects: vec![
                RandomEffect::log_normal("growth_rate", 0.03, 0.2),
                RandomEffect::log_normal("initial_volume", 50.0, 0.5),
            ],
            covariates: vec![],
            errors: vec![(Observable::TUMOR_VOLUME, &error)],
            estimated: vec![],
            start: Time::ORIGIN,
        };
        let random = Random::new(1);
        let scores: Vec<f64> = npde(&population, &fit, 300, &random).unwrap().into_iter().flatten().collect();
        let (count, mean) = (scores.len() as f64, scores.iter().sum::<f64>() / scores.len() as f64);
        let variance = scores.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / count;
        // Under the truth they are standard normal numbers, censored or not.
        assert!(count == 600.0 && mean.abs() < 0.13 && (variance - 1.0).abs() < 0.2, "{mean} {variance}");
        assert!(matches!(visual_check(&population, &fit, 2, 50, &random), Err(CalibrationError::CensoredReading { .. })));
    }
}
