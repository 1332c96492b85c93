//! What earlier patients teach: a population fitted by SAEM, and what it says of a new patient with a single measurement.
//!
//! `cargo run --release -p twin-trials --example population_fit` writes `target/population_fit.html`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use twin_calibrate::population::{Population, RandomEffect, Saem};
use twin_calibrate::{Calibrator, LogError, Problem, Sampled};
use twin_core::{Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time};
use twin_models::{Model, Scenario, growth};
use twin_trials::report::{
    Block, CarriedForward, Curve, CurveStyle, CurvesFigure, Figure, ForecastFigure, Plot, Quantity, Report, Section,
};

type Failure = Box<dyn std::error::Error>;

/// A made-up patient: exponential growth with a rate around 0.03 per day from a volume around 100 mm3, measured with an error of 10 %.
fn patient(index: usize, looks: u8, random: &mut Random) -> Result<Patient, Failure> {
    let (rate, first) = (0.03 * (0.3 * random.normal()).exp(), 100.0 * (0.4 * random.normal()).exp());
    let mut patient = Patient::new(SubjectId::new(format!("S{index}"))?);
    for day in (0..looks).map(|look| 10.0 * f64::from(look)) {
        let volume = first * (rate * day + 0.1 * random.normal()).exp();
        let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3")?);
        patient.timeline.record(Time::from_days(day)?, seen, Provenance::simulated("this example"));
    }
    Ok(patient)
}

fn main() -> Result<(), Failure> {
    let mut random = Random::new(1);
    let patients = (0..30).map(|index| patient(index, 5, &mut random)).collect::<Result<Vec<_>, _>>()?;
    let (model, error) = (growth::exponential(), LogError::new(0.3, 0.0));
    let population = Population {
        model: &model,
        base: model.spec().defaults()?,
        patients: &patients,
        effects: vec![RandomEffect::log_normal("growth_rate", 0.05, 0.5), RandomEffect::log_normal("initial_volume", 200.0, 0.5)],
        covariates: Vec::new(),
        errors: vec![(Observable::TUMOR_VOLUME, &error)],
        estimated: vec!["log_error".to_owned()],
        start: Time::ORIGIN,
    };
    let fit = Saem::default().fit(&population, &mut random, &())?;
    println!(
        "growth rate {:.4} /d (made with 0.03), spread {:.2} (0.3); error {:.2} (0.1)",
        fit.typical()[0],
        fit.spread()[0],
        fit.errors[0].1
    );
    // A new patient with one measurement: the population's prior makes a forecast of it.
    let newcomer = patient(30, 1, &mut random)?;
    let (prior, known) = (fit.prior()?, LogError::new(fit.errors[0].1, 0.0));
    let problem = Problem::new(&model, &newcomer, &prior, Observable::TUMOR_VOLUME, &known)?;
    let posterior = Sampled::default().calibrate(&problem, &mut random)?;
    let times = (0..=40).map(|day| Time::from_days(f64::from(day))).collect::<Result<Vec<_>, _>>()?;
    let scenario = Scenario::starting(Time::ORIGIN).sampled(times.iter().copied());
    let bands = posterior.predict(&model, &scenario, &Observable::TUMOR_VOLUME, &known, 1000, &Random::new(2))?;
    let bands = bands.observed_quantiles([0.05, 0.25, 0.5, 0.75, 0.95]);
    println!("the newcomer on day 40: {:.0} mm3, 90 % between {:.0} and {:.0}", bands[40][2], bands[40][0], bands[40][4]);
    let volumes = |patient: &Patient| -> Vec<(f64, f64)> {
        let seen = patient.timeline.observations_of(&Observable::TUMOR_VOLUME);
        seen.filter_map(|(time, observation)| Some((time.days(), observation.finding.quantity()?.value_in("mm3").ok()?))).collect()
    };
    let everyone = patients.iter().flat_map(volumes).collect();
    let [rate, first] = [fit.typical()[0], fit.typical()[1]];
    let typical = [0.0, 40.0].map(|day| (day, first * (rate * day).exp())).to_vec();
    let seen = volumes(&newcomer)[0].1;
    let cloud = CurvesFigure {
        horizontal: Quantity::linear("Time", "d"),
        vertical: Quantity::logarithmic("Tumor volume", "mm³"),
        curves: vec![
            Curve { label: "30 patients".into(), points: everyone, style: CurveStyle::Markers },
            Curve { label: "typical course".into(), points: typical, style: CurveStyle::Line },
        ],
    };
    let forecast = ForecastFigure {
        label: "Tumor volume".into(),
        unit: "mm³".into(),
        times: times.iter().map(|time| time.days()).collect(),
        bands,
        carried_forward: Some(CarriedForward { from: 0.0, to: 40.0, value: seen }),
        ..ForecastFigure::default()
    };
    let mut report = Report::new("What earlier patients teach");
    report.sections.push(Section {
        heading: "The population, and the next patient".into(),
        blocks: vec![
            Block::Figure(Figure::new("Thirty made-up patients and the typical course that SAEM finds.", Plot::Curves(cloud))),
            Block::Figure(Figure::new(
                "A new patient, measured once: the forecast under the population's prior.",
                Plot::Forecast(forecast),
            )),
        ],
    });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/population_fit.html", report.to_html()?)?;
    println!("wrote target/population_fit.html");
    Ok(())
}
