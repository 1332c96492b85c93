//! A model of one's own, in a trial: exponential growth under a drug that kills in proportion to its amount, at two dose intervals.
//!
//! `cargo run --release -p twin-trials --example custom_model` writes `target/custom_model.html`. The page "Extend: a model of your own" of
//! the book goes through the model line by line.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::sync::Arc;
use twin_calibrate::{IndependentPrior, LogError, Marginal};
use twin_core::{Agent, CoreError, Observable, Quantity, Regimen, Span, Time, Treatment};
use twin_models::{Dynamics, Exposure, Given, Input, ModelSpec, Ode, Refused, Scalar, Source, TreatmentKind, parameters};
use twin_trials::report::{Block, Figure, Plot, Report, Section, SurvivalCurve, SurvivalFigure};
use twin_trials::statistics::{KaplanMeier, log_rank};
use twin_trials::{FromPrior, Planned, TimeToProgression, Trial, run};

const GUESS: Source = Source::assumed("an example; cite your source here");
const DRUG: Input = Input::new(0);

parameters! {
    /// Parameters of [`LogKill`].
    pub struct LogKillParameters {
        growth_rate: "/d" in 1e-3..=0.05, default 0.01, "Growth rate of the untreated tumor", GUESS;
        elimination_rate: "/d" in 0.1..=5.0, default 0.5, "Elimination rate of the drug", GUESS;
        kill_rate: "/(mg.d)" in 1e-4..=1e-2, default 1e-3, "Kill rate by one milligram of drug", GUESS;
        initial_volume: "mm3" in 1.0..=1e5, default 1000.0, "Volume at the start", GUESS;
    }
}

/// Exponential growth under a drug that kills in proportion to its amount.
struct LogKill {
    spec: Arc<ModelSpec>,
}

fn log_kill(drug: &Agent) -> Ode<LogKill> {
    let spec = ModelSpec::new::<LogKillParameters>("log_kill", "Exponential growth under log-kill", GUESS)
        .state("drug", "mg", 1e-6)
        .bounded_state("ln_volume", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .understands_drug(TreatmentKind::Bolus, drug, "mg");
    Ode::new(LogKill { spec: Arc::new(spec) })
}

impl Dynamics for LogKill {
    type State = [f64; 2];
    type Parameters = LogKillParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }
    fn initial<T: Scalar>(&self, p: &LogKillParameters<T>) -> [T; 2] {
        [T::from(0.0), p.initial_volume.ln()]
    }
    fn rates<T: Scalar>(&self, _t: T, &[drug, _]: &[T; 2], _: &Exposure<T>, p: &LogKillParameters<T>, dx: &mut [T; 2]) {
        *dx = [-p.elimination_rate * drug, p.growth_rate - p.kill_rate * drug];
    }
    fn observe<T: Scalar>(&self, &[_, ln_volume]: &[T; 2], _p: &LogKillParameters<T>, y: &mut [T]) {
        y[0] = ln_volume.exp();
    }
    fn treat<T: Scalar>(&self, given: Given<T>, _p: &LogKillParameters<T>, x: &mut [T; 2]) -> Result<(), Refused> {
        (given.input == DRUG).then(|| x[0] += given.amount).ok_or(Refused)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let drug = Agent::new("docetaxel")?;
    let model = Arc::new(log_kill(&drug));
    let dose = |mg: f64, days: u32, times: u32| -> Result<Planned, CoreError> {
        let bolus = Treatment::bolus(drug.clone(), Quantity::new(mg, "mg")?)?;
        Ok(Planned { treatments: Regimen::give(bolus).every_days(days).times(times).starting(Time::ORIGIN)?.into() })
    };
    let population = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.01, sd: 0.3 }),
        ("kill_rate", Marginal::LogNormal { median: 1e-3, sd: 0.5 }),
    ])?;
    let trial = Trial::new(model.clone(), FromPrior::new(model, Arc::new(population)), 200)
        .arm("100 mg every 3 weeks, 6 times", dose(100.0, 21, 6)?)
        .arm("100 mg every 6 weeks, 6 times", dose(100.0, 42, 6)?)
        .measure_with(Observable::TUMOR_VOLUME, LogError::new(0.1, 0.0))
        .endpoint(TimeToProgression::of(Observable::TUMOR_VOLUME, 1.7))
        .visits(Span::from_weeks(3.0)?, Span::from_years(2.0)?);
    let report = run(&trial)?;
    let (mut curves, mut groups) = (Vec::new(), Vec::new());
    for arm in &report.arms {
        groups.push(report.follow_ups(&arm.name, "time to progression")?);
        let estimate = KaplanMeier::estimate(&groups[groups.len() - 1])?;
        println!("{}: median {:?} d", arm.name, estimate.median().time);
        curves.push(SurvivalCurve { label: arm.name.clone(), estimate });
    }
    let comparison = Some(log_rank(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())?);
    let plot = Plot::Survival(SurvivalFigure { label: "Free of progression".into(), curves, comparison });
    let mut page = Report::new("A model of one's own, in a trial");
    let figure = Block::Figure(Figure::new("200 virtual patients, each in both arms.", plot));
    page.sections.push(Section { heading: "Time to progression".into(), blocks: vec![figure] });
    std::fs::create_dir_all("target")?;
    Ok(std::fs::write("target/custom_model.html", page.to_html()?)?)
}
