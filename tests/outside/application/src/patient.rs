//! The patient, made by other means than those of the library.

use twin_calibrate::{CalibrationError, IndependentPrior, LogError, Marginal};
use twin_core::{
    AbsorbedDose, CoreError, Event, Observable, Observation, Patient, Provenance, Random, Regimen, SubjectId, Target, Time, Weekday,
};

/// The parameters that the patient was made with, by name; those not named have their defaults.
pub const GROUND_TRUTH: [(&str, f64); 4] = [("growth_rate", 0.015), ("alpha", 0.22), ("clearance", 0.12), ("initial_volume", 3e4)];
const CAPACITY: f64 = 1e6;
const BETA: f64 = 0.03;
const SCATTER: f64 = 0.08;

/// What is believed beforehand.
///
/// # Errors
/// None: the numbers are those of distributions.
pub fn prior() -> Result<IndependentPrior, CalibrationError> {
    IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.02, sd: 0.5 }),
        ("alpha", Marginal::LogNormal { median: 0.3, sd: 0.4 }),
        ("clearance", Marginal::LogNormal { median: 0.07, sd: 0.6 }),
        ("initial_volume", Marginal::LogNormal { median: 2e4, sd: 0.7 }),
    ])
}

/// How volumes scatter.
#[must_use]
pub fn scatter() -> LogError {
    LogError::new(SCATTER, 0.0)
}

/// A patient who was watched for 40 days, got 10 fractions of 2 Gy on weekdays, and was watched for 60 days more.
///
/// The volumes come from the classical Runge-Kutta method at a step of 1/64 day, not from the integrator that will fit them, and they
/// scatter: a fit to its own predictions would show nothing.
///
/// # Errors
/// None: every number is valid.
pub fn patient(random: &mut Random) -> Result<Patient, CoreError> {
    let [(_, growth), (_, alpha), (_, clearance), (_, initial)] = GROUND_TRUTH;
    let rates = |[living, killed]: [f64; 2]| [growth * living * (1.0 - (living + killed) / CAPACITY), -clearance * killed];
    let fractions = Regimen::fractions(10, AbsorbedDose::from_gray(2.0)?, Target::new("ptv")?)
        .on_weekdays(Weekday::Monday)
        .starting(Time::from_days(40.0)?)?;
    let mut patient = Patient::new(SubjectId::new("virtual")?);
    let mut x = [initial, 0.0];
    for day in 0..=110_u32 {
        let time = Time::from_days(f64::from(day))?;
        if day % 5 == 0 {
            let volume = (x[0] + x[1]) * (SCATTER * random.normal()).exp();
            let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3")?);
            patient.timeline.record(time, seen, Provenance::measured("made up"));
        }
        for given in fractions.iter().filter(|given| (given.time - time).days().abs() < 0.5) {
            let survives = (-alpha * 2.0 - BETA * 4.0).exp();
            x = [x[0] * survives, x[1] + x[0] * (1.0 - survives)];
            patient.timeline.record(time, Event::Treatment(given.treatment.clone()), Provenance::reported("made up"));
        }
        x = one_day(x, rates);
    }
    Ok(patient)
}

fn one_day(mut x: [f64; 2], rates: impl Fn([f64; 2]) -> [f64; 2]) -> [f64; 2] {
    let h = 1.0 / 64.0;
    let shift = |x: [f64; 2], k: [f64; 2], h: f64| [x[0] + h * k[0], x[1] + h * k[1]];
    for _ in 0..64 {
        let k1 = rates(x);
        let k2 = rates(shift(x, k1, 0.5 * h));
        let k3 = rates(shift(x, k2, 0.5 * h));
        let k4 = rates(shift(x, k3, h));
        x = std::array::from_fn(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
    }
    x
}
