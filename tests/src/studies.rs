//! Published trials, run again on virtual patients: what was calibrated, what came out, and whether that is what was published.
//!
//! A study is calibrated to a few published summaries and predicts others. Each finding carries its Monte-Carlo error. What a study takes
//! from publications that were not read again, or assumes, it says.

pub mod claret2014;
pub mod eortc26981;
pub mod javelin;
pub mod scott2021;
pub mod zhang2017;

use rayon::prelude::*;
use twin_core::Random;
use twin_models::survival::Lifetime;
use twin_trials::statistics::{CoxRegression, FollowUp, KaplanMeier, Mean, Period};

/// A published number that a study aims at.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its id, after that of the study.
    pub id: &'static str,
    /// What it is, and where its bounds come from.
    pub what: String,
    /// The published number.
    pub published: f64,
    /// The bounds within which ours must lie.
    pub within: [f64; 2],
}

/// Our number, with its Monte-Carlo standard error; 0 for a number without chance.
pub type Estimate = (f64, f64);

/// One published number and ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was published.
    pub target: Target,
    /// Ours.
    pub ours: f64,
    /// Its Monte-Carlo standard error.
    pub error: f64,
}

impl Finding {
    /// Whether ours lies within the bounds.
    #[must_use]
    pub fn holds(&self) -> bool {
        let [low, high] = self.target.within;
        (low..=high).contains(&self.ours)
    }
}

/// How a study came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All findings hold.
    Reproduced,
    /// Some do.
    Partly,
    /// None does.
    Not,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reproduced => "reproduced",
            Self::Partly => "partly reproduced",
            Self::Not => "not reproduced",
        })
    }
}

/// A study.
#[derive(Debug, Clone)]
pub struct Study {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// What it is calibrated to, and what is assumed.
    pub given: &'static str,
    /// What it aims at.
    pub targets: Vec<Target>,
    /// Runs it: an estimate for each target, in order; `None` if its data are absent.
    run: fn() -> Result<Option<Vec<Estimate>>, String>,
}

impl Study {
    /// Runs the study; `None` if its data are absent.
    ///
    /// # Errors
    /// In words, if it cannot be run.
    pub fn run(&self) -> Result<Option<Vec<Finding>>, String> {
        let Some(estimates) = (self.run)()? else { return Ok(None) };
        if estimates.len() != self.targets.len() {
            return Err(format!("{} estimates for {} targets", estimates.len(), self.targets.len()));
        }
        let finding = |(target, (ours, error)): (&Target, Estimate)| Finding { target: target.clone(), ours, error };
        Ok(Some(self.targets.iter().zip(estimates).map(finding).collect()))
    }
}

/// Whether `findings` hold.
#[must_use]
pub fn verdict(findings: &[Finding]) -> Verdict {
    match findings.iter().filter(|finding| finding.holds()).count() {
        0 => Verdict::Not,
        held if held == findings.len() => Verdict::Reproduced,
        _ => Verdict::Partly,
    }
}

/// Every study.
#[must_use]
pub fn all() -> Vec<Study> {
    vec![claret2014::study(), eortc26981::study(), javelin::study(), scott2021::study(), zhang2017::study()]
}

/// A number whose publication gives an interval.
fn interval(id: &'static str, what: impl Into<String>, published: f64, within: [f64; 2]) -> Target {
    Target { id, what: what.into(), published, within }
}

/// A number that may be off by so much.
fn target(id: &'static str, what: impl Into<String>, published: f64, tolerance: f64) -> Target {
    interval(id, what, published, [published - tolerance, published + tolerance])
}

/// One simulated patient: when it entered, and how long it lived from then on.
#[derive(Debug, Clone, Copy)]
struct Life {
    arm: usize,
    entry: f64,
    time: f64,
}

/// The follow-ups of `lives` at `now`, by arm.
fn seen_at(lives: &[Life], now: f64) -> [Vec<FollowUp>; 2] {
    let mut arms = [Vec::new(), Vec::new()];
    for life in lives.iter().filter(|life| life.entry < now) {
        // The sum is the one by which the time of an event is found.
        let seen = if life.entry + life.time <= now { FollowUp::event(life.time) } else { FollowUp::censored(now - life.entry) };
        if let Some(arm) = arms.get_mut(life.arm) {
            arm.push(seen);
        }
    }
    arms
}

/// When the event that completes the number happens; the last one if there are not so many.
fn time_of_event(lives: &[Life], number: usize) -> f64 {
    let mut ends: Vec<f64> = lives.iter().map(|life| life.entry + life.time).collect();
    ends.sort_by(f64::total_cmp);
    ends.get(number.min(ends.len()).saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The logarithm of the hazard ratio of the second arm to the first, and its p-value for a difference in either direction.
fn hazard_ratio(arms: &[Vec<FollowUp>; 2]) -> Result<(f64, f64), String> {
    let of = |(arm, seen): (usize, &Vec<FollowUp>)| seen.iter().map(|seen| Period::new(*seen, [arm as f64])).collect::<Vec<_>>();
    let periods: Vec<Period> = arms.iter().enumerate().flat_map(of).collect();
    let fit = CoxRegression::default().fit(&["arm"], &periods).map_err(|error| error.to_string())?;
    let effect = fit.coefficient("arm").map_err(|error| error.to_string())?;
    Ok((effect.estimate, effect.p_value()))
}

fn median(follow_ups: &[FollowUp]) -> Result<f64, String> {
    let curve = KaplanMeier::estimate(follow_ups).map_err(|error| error.to_string())?;
    curve.median().time.ok_or_else(|| "half are alive to the end".to_owned())
}

/// `count` replicates of `one` in parallel, each with its own stream: columns of numbers by replicate.
fn replicates<const N: usize>(
    count: usize,
    seed: u64,
    one: impl Fn(&mut Random) -> Result<[f64; N], String> + Sync,
) -> Result<[Vec<f64>; N], String> {
    let root = Random::new(seed);
    let rows: Result<Vec<[f64; N]>, String> = (0..count).into_par_iter().map(|index| one(&mut root.stream(index as u64))).collect();
    let rows = rows?;
    Ok(std::array::from_fn(|column| rows.iter().filter_map(|row| row.get(column)).copied().collect()))
}

/// The mean of replicates, with its Monte-Carlo error.
fn mean(values: &[f64]) -> Result<(f64, f64), String> {
    Mean::of(values).map(|mean| (mean.mean, mean.standard_error)).map_err(|error| error.to_string())
}

/// The exponential of the mean of logarithms, with its Monte-Carlo error.
fn ratio(logarithms: &[f64]) -> Result<(f64, f64), String> {
    let (value, error) = mean(logarithms)?;
    Ok((value.exp(), value.exp() * error))
}

fn law(made: Result<Lifetime, twin_models::SimulationError>) -> Result<Lifetime, String> {
    made.map_err(|error| error.to_string())
}
