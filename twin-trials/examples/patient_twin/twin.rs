//! The twin: calibrated on the past, held against what came, and asked what would come under each policy.

use std::sync::Arc;
use twin_calibrate::{CalibrationError, Calibrator, LogError, Observer, Posterior, Problem, Sampled, priors};
use twin_core::{Agent, Observable, Patient, Proportion, Random, Span, Time, Treatment};
use twin_models::{Model, Ode, Scenario, clones};
use twin_trials::{
    Adaptive, Continuous, CumulativeDose, FromPosterior, Intermittent, Reference, TimeOffDrug, TimeToProgression, Trial,
    TrialError, TrialReport, run_observed,
};

/// The share of the PSA visits that the forecast is calibrated on.
const CALIBRATED: f64 = 0.6;
/// How many virtual twins go through each arm.
pub(crate) const TWINS: usize = 500;
/// The seed of everything random.
pub(crate) const SEED: u64 = 1;
/// How long the policies are followed, in days.
pub(crate) const HORIZON_DAYS: f64 = 5.0 * 365.25;
/// The endpoint that the arms are compared by.
pub(crate) const PROGRESSION: &str = "time to progression";

/// What the twin found.
pub(crate) struct Twin {
    /// The drug whose schedule is asked about.
    pub(crate) drug: Agent,
    /// The last visit that the forecast is calibrated on.
    pub(crate) cut: Time,
    /// The forecast from there, under the treatment that was really given.
    pub(crate) forecast: Forecast,
    /// The posterior from everything known.
    pub(crate) posterior: Posterior,
    /// The first PSA, against which policies and progression are measured, ng/mL.
    pub(crate) reference: f64,
    /// The trial in silico.
    pub(crate) trial: TrialReport,
}

/// A forecast with its bands.
pub(crate) struct Forecast {
    /// Days of the bands.
    pub(crate) days: Vec<f64>,
    /// The 5, 25, 50, 75 and 95 % quantiles of what would be observed.
    pub(crate) bands: Vec<[f64; 5]>,
    /// The days of the held-out PSA, what was observed, and the five quantiles there.
    pub(crate) held_out: Vec<(f64, f64, [f64; 5])>,
    /// The last PSA before the forecast, ng/mL.
    pub(crate) carried: f64,
}

/// The PSA of `patient`: days and ng/mL; a censored reading counts as its limit.
pub(crate) fn psa(patient: &Patient) -> Vec<(Time, f64)> {
    let seen = patient.timeline.observations_of(&Observable::PSA);
    seen.filter_map(|(time, observation)| Some((time, observation.finding.quantity()?.value_in("ng/mL").ok()?))).collect()
}

/// The drug of the patient's continuous therapy.
fn drug(patient: &Patient) -> Option<Agent> {
    patient.timeline.treatments().into_iter().find_map(|given| match given.treatment {
        Treatment::Continuous { agent, .. } => Some(agent),
        _ => None,
    })
}

/// When continuous therapy with `drug` was on, in days.
pub(crate) fn periods(patient: &Patient, drug: &Agent, end: f64) -> Vec<(f64, f64, f64)> {
    let (mut periods, mut open): (Vec<_>, Option<(f64, f64)>) = (Vec::new(), None);
    for given in patient.timeline.treatments() {
        if let Treatment::Continuous { agent, intensity } = &given.treatment
            && agent == drug
        {
            if let Some((from, level)) = open.take() {
                periods.push((from, given.time.days(), level));
            }
            open = (*intensity > Proportion::ZERO).then_some((given.time.days(), intensity.value()));
        }
    }
    periods.extend(open.map(|(from, level)| (from, end, level)));
    periods
}

fn calibrate(
    model: &Ode<clones::SensitiveResistant>,
    patient: &Patient,
    first: f64,
    random: &mut Random,
    observer: &dyn Observer,
) -> Result<Posterior, CalibrationError> {
    let prior = priors::psa_sensitive_resistant(first)?;
    let error = LogError::new(0.3, priors::PSA_OFFSET);
    let problem = Problem::new(model, patient, &prior, Observable::PSA, &error)?.weighted(priors::MONTHLY_PSA_WEIGHT);
    Sampled::default().calibrate_observed(&problem, random, observer)
}

/// Forecasts what came after `cut` from what was known by then, under the treatment that was really given.
fn forecast(
    model: &dyn Model,
    patient: &Patient,
    cut: Time,
    posterior: &Posterior,
    random: &Random,
) -> Result<Forecast, TrialError> {
    let all = psa(patient);
    let (start, end) = patient.timeline.extent().ok_or(TrialError::Past { since: cut })?;
    let (carried, later) = (all.iter().rev().find(|(time, _)| *time <= cut), all.iter().filter(|(time, _)| *time > cut));
    let later: Vec<(Time, f64)> = later.copied().collect();
    let whole = (end - start).days().max(1.0);
    let grid = (0..=200).map(|step| Span::from_days(whole * f64::from(step) / 200.0).map(|span| start + span));
    let grid = grid.collect::<Result<Vec<_>, _>>()?;
    let error = LogError::new(0.3, priors::PSA_OFFSET);
    let quantiles = |times: &[Time]| {
        let scenario = Scenario::starting(start).treated(patient.timeline.treatments()).sampled(times.iter().copied());
        let prediction = posterior.predict(model, &scenario, &Observable::PSA, &error, 1000, random)?;
        Ok::<_, TrialError>(prediction.observed_quantiles([0.05, 0.25, 0.5, 0.75, 0.95]))
    };
    let at_points = quantiles(&later.iter().map(|(time, _)| *time).collect::<Vec<_>>())?;
    let held_out = later.iter().zip(at_points).map(|((time, observed), bands)| (time.days(), *observed, bands)).collect();
    let carried = carried.map_or(f64::NAN, |(_, value)| *value);
    Ok(Forecast { days: grid.iter().map(|time| time.days()).collect(), bands: quantiles(&grid)?, held_out, carried })
}

/// The policies, each on the same twins.
fn compare(
    model: Arc<dyn Model>,
    patient: &Patient,
    posterior: &Posterior,
    (drug, reference): (&Agent, f64),
    observer: &dyn Observer,
) -> Result<TrialReport, TrialError> {
    let since = patient.timeline.extent().map_or(Time::ORIGIN, |(_, end)| end);
    let cohort = FromPosterior::new(Arc::new(posterior.clone()), patient, since)?;
    let adaptive = Adaptive { reference: Some(reference), ..Adaptive::half(drug.clone(), Observable::PSA) };
    let progression = TimeToProgression {
        name: PROGRESSION.to_owned(),
        reference: Reference::Fixed(reference),
        confirmations: 2,
        ..TimeToProgression::of(Observable::PSA, 1.2)
    };
    let trial = Trial::new(model, cohort, TWINS)
        .arm("continuous", Continuous { agent: drug.clone() })
        .arm("adaptive", adaptive)
        .arm("intermittent", Intermittent::bruchovsky(drug.clone())?)
        .measure_with(Observable::PSA, LogError::new(0.3, priors::PSA_OFFSET))
        .endpoint(progression)
        .endpoint(TimeOffDrug { agent: drug.clone() })
        .endpoint(CumulativeDose { agent: drug.clone(), unit: None })
        .visits(Span::from_days(28.0)?, Span::from_days(HORIZON_DAYS)?)
        .seed(SEED);
    run_observed(&trial, observer)
}

/// Makes the twin of `patient`.
///
/// # Errors
/// What keeps it from being made: no PSA, no continuous therapy, or what a step runs into.
pub(crate) fn make(patient: &Patient, observer: &dyn Observer) -> Result<Twin, Box<dyn std::error::Error>> {
    let drug = drug(patient).ok_or("the record has no continuous therapy, so there is no schedule to compare")?;
    let seen = psa(patient);
    let fitted = ((seen.len() as f64 * CALIBRATED) as usize).max(1);
    let (cut, _) = *seen.get(fitted - 1).ok_or("the record has no PSA")?;
    let first = seen.first().map_or(f64::NAN, |(_, value)| value.max(priors::PSA_OFFSET));
    let model = clones::sensitive_resistant(drug.clone());
    let root = Random::new(SEED);
    let known = calibrate(&model, &patient.until(cut), first, &mut root.stream(0), observer)?;
    let forecast = forecast(&model, patient, cut, &known, &root.stream(1))?;
    let posterior = calibrate(&model, patient, first, &mut root.stream(2), observer)?;
    let trial = compare(Arc::new(model), patient, &posterior, (&drug, first), observer)?;
    Ok(Twin { drug, cut, forecast, posterior, reference: first, trial })
}
