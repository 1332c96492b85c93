//! What a posterior knows more than its prior.

use crate::{CalibrationError, Posterior, Prior, sorted_quantile};
use twin_core::Random;

/// How much narrower a parameter became.
#[derive(Debug, Clone, PartialEq)]
pub struct Contraction {
    /// The parameter.
    pub parameter: String,
    /// The distance from the 5 % to the 95 % quantile of the posterior over that of the prior, on the real line: 1 where nothing was learned, 0 where all was.
    pub spread: f64,
    /// How far the median went, in distances from the 5 % to the 95 % quantile of the prior.
    pub shift: f64,
}

impl Contraction {
    /// Whether the data told something of the parameter: its spread is less than nine tenths of the prior's.
    #[must_use]
    pub fn is_learned(&self) -> bool {
        self.spread < 0.9
    }
}

/// How much narrower every parameter of `prior` became in `posterior`, in the order of the prior: which of them these data could not teach.
///
/// ```
/// use twin_calibrate::identifiability::contractions;
/// use twin_calibrate::{Calibrator, IndependentPrior, LogError, Marginal, Problem, Tempered};
/// use twin_core::{Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time};
/// use twin_models::growth;
///
/// let mut patient = Patient::new(SubjectId::new("one scan")?);
/// let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, 100.0, "mm3")?);
/// patient.timeline.record(Time::ORIGIN, seen, Provenance::measured("example"));
/// let prior = IndependentPrior::new([
///     ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 }),
///     ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.5 }),
/// ])?;
/// let (model, error) = (growth::exponential(), LogError::new(0.1, 0.0));
/// let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error)?;
/// let posterior = Tempered::default().calibrate(&problem, &mut Random::new(1))?;
/// let learned: Vec<bool> = contractions(&prior, &posterior, &Random::new(2))?.iter().map(|one| one.is_learned()).collect();
/// assert_eq!(learned, [false, true]); // one scan tells the volume, not how it grows
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CalibrationError::UnknownParameter`] if the posterior lacks a parameter of the prior.
pub fn contractions(prior: &dyn Prior, posterior: &Posterior, random: &Random) -> Result<Vec<Contraction>, CalibrationError> {
    const DRAWS: usize = 4000;
    let mut own = random.stream(0);
    let before: Vec<Vec<f64>> = (0..DRAWS).map(|_| prior.sample(&mut own)).collect();
    let quantiles = |mut column: Vec<f64>| {
        column.sort_by(f64::total_cmp);
        [0.05, 0.5, 0.95].map(|probability| sorted_quantile(&column, probability))
    };
    let one = |(place, (name, transform)): (usize, (&String, &crate::Transform))| {
        let [low, middle, high] =
            quantiles(before.iter().filter_map(|theta| theta.get(place)).map(|x| transform.to_real(*x)).collect());
        let now = quantiles(posterior.column(name)?.into_iter().map(|x| transform.to_real(x)).collect());
        let width = high - low;
        Ok(Contraction { parameter: name.clone(), spread: (now[2] - now[0]) / width, shift: (now[1] - middle) / width })
    };
    prior.names().iter().zip(prior.transforms()).enumerate().map(one).collect()
}
