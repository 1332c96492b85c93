//! Chaudhuri et al. 2023: risk-aware radiotherapy of 100 virtual high-grade gliomas.
//!
//! An emulation: logistic growth and the linear-quadratic law as published, with priors of our own, for those of the paper were not at hand. So the
//! directions are rows, and the sizes stand beside the published ones on the page of the program `planning`.

use super::{Claim, words};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};
use twin_calibrate::{Calibrator, IndependentPrior, LogError, Marginal, Prior, Problem, Sampled};
use twin_core::{
    AbsorbedDose, Event, Observable, Observation, Patient, Provenance, Random, Span, SubjectId, Target, Time, TimedTreatment,
    Treatment,
};
use twin_models::composition::Description;
use twin_models::{Model, Parameters, Scenario, simulate};
use twin_trials::planning::{
    Confidence, Evolution, Limits, Objective, Plan, Question, Risk, Rule, Space, TotalAbsorbedDose, Variable, evaluate, search,
};
use twin_trials::{FromList, FromPosterior, TimeToProgression, Trial, VirtualPatient};

const CHAUDHURI: &str =
    "Chaudhuri 2023 Front Artif Intell 6:1222612: about +6 d at 60 Gy, 16.7 % less dose at equal control (medians of 100)";

/// Days before radiotherapy on which the volume is seen, and the day on which it begins.
const SEEN: [f64; 3] = [0.0, 10.0, 20.0];
const BEGINS: f64 = 21.0;
const ERROR: f64 = 0.05;
const PATIENTS: u64 = 100;
const WEEKS: usize = 6;

fn model() -> Result<Arc<dyn Model>, String> {
    let description: Description = "logistic + lq".parse().map_err(words)?;
    description.build("glioma").map_err(words)
}

/// What is believed of any patient; the virtual patients are drawn from it.
fn belief() -> Result<IndependentPrior, String> {
    IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.05, sd: 0.35 }),
        ("carrying_capacity", Marginal::LogNormal { median: 1.5e5, sd: 0.3 }),
        ("initial_volume", Marginal::LogNormal { median: 2e4, sd: 0.4 }),
        ("radiation_alpha", Marginal::LogNormal { median: 0.05, sd: 0.3 }),
    ])
    .map_err(words)
}

fn days(days: f64) -> Result<Time, String> {
    Time::from_days(days).map_err(words)
}

/// The patient number `index`: the truth, and what was seen of it.
fn patient(index: u64, model: &Arc<dyn Model>) -> Result<(Parameters, Patient), String> {
    let mut random = Random::new(2023).stream(index);
    let prior = belief()?;
    let draw = prior.sample(&mut random);
    let named = prior.names().iter().zip(draw);
    let truth = named.into_iter().try_fold(model.spec().defaults().map_err(words)?, |p, (name, value)| p.with(name, value));
    let truth = truth.map_err(words)?;
    let times = SEEN.iter().map(|day| days(*day)).collect::<Result<Vec<_>, _>>()?;
    let scenario = Scenario::starting(Time::ORIGIN).sampled(times.clone());
    let course = simulate(model.as_ref(), &truth, &scenario, &mut random).map_err(words)?;
    let volumes = course.column(&Observable::TUMOR_VOLUME).ok_or("no volume")?;
    let mut patient = Patient::new(SubjectId::new("virtual").map_err(words)?);
    for (time, volume) in times.into_iter().zip(volumes) {
        let seen = volume * (ERROR * random.normal()).exp();
        let seen = Observation::number(Observable::TUMOR_VOLUME, seen, "mm3").map_err(words)?;
        patient.timeline.record(time, Event::Observation(seen), Provenance::simulated("virtual glioma"));
    }
    Ok((truth, patient))
}

fn target() -> Result<Target, String> {
    Target::new("tumor").map_err(words)
}

/// Six weeks of five fractions, each week with its own dose per fraction.
fn weekly(doses: &[f64]) -> Result<Plan, twin_trials::TrialError> {
    let mut treatments = Vec::new();
    for (week, gray) in doses.iter().enumerate() {
        for day in 0..5 {
            let fraction = Treatment::fraction(AbsorbedDose::from_gray(*gray)?, Target::new("tumor")?);
            treatments.push(TimedTreatment::new(Time::from_days((7 * week + day) as f64)?, fraction));
        }
    }
    Ok(Plan::fixed("weekly doses", treatments))
}

/// What came of one patient.
#[derive(Debug)]
pub struct Gains {
    /// Days to progression gained on the truth by the plan that lasts longest at no more than 60 Gy.
    pub days: f64,
    /// The share of 60 Gy saved by the plan of least dose with no less control than the standard, as the twin foresees it.
    pub saved: f64,
    /// Days to progression that this plan gains on the truth.
    pub kept: f64,
    /// The front: dose in Gy, and days to progression in the worse half of the draws.
    pub front: Vec<(f64, f64)>,
    /// The standard of care, on the same draws.
    pub standard: (f64, f64),
}

fn one(index: u64) -> Result<Gains, String> {
    let model = model()?;
    let (truth, patient) = patient(index, &model)?;
    let (prior, error) = (belief()?, LogError::new(ERROR, 0.0));
    let problem = Problem::new(model.as_ref(), &patient, &prior, Observable::TUMOR_VOLUME, &error).map_err(words)?;
    let posterior = Sampled::default().calibrate(&problem, &mut Random::new(7).stream(index)).map_err(words)?;
    if !posterior.record.is_sound() {
        return Err(format!("the posterior of patient {index} is not sound: {:?}", posterior.record.diagnosis));
    }
    let since = days(BEGINS)?;
    let cohort = FromPosterior::new(Arc::new(posterior), &patient, since).map_err(words)?;
    let year = Span::from_days(500.0).map_err(words)?;
    let setting = Trial::new(Arc::clone(&model), cohort, 32).visits(Span::DAY, year).seed(index);
    let control = || Objective::most(TimeToProgression::of(Observable::TUMOR_VOLUME, 1.0)).at(Risk::Superquantile(0.5));
    let dose = Objective::least(TotalAbsorbedDose { target: target()? });
    let standard = weekly(&[2.0; WEEKS]).map_err(words)?;
    let limits = Limits::none()
        .rule(
            "dose per fraction",
            Rule::DosePerFraction { target: target()?, at_most: AbsorbedDose::from_gray(4.0).map_err(words)? },
        )
        .rule("total dose", Rule::TotalDose { target: target()?, at_most: AbsorbedDose::from_gray(60.0).map_err(words)? });
    let question = Question::new(setting.clone(), standard.clone(), control(), Confidence::new(1.0)).within(limits);
    let variables = (1..=WEEKS).map(|week| Variable::real(&format!("week_{week}"), "Gy", 0.0, 4.0));
    let space = Space::new(variables, weekly).map_err(words)?;
    let method = Evolution { population: 24, generations: 40, seed: index + 1, ..Evolution::default() };
    let front = search(&question, &space, &[control(), dose], &method).map_err(words)?;

    // The truth judges.
    let mut virtual_patient = VirtualPatient::new(truth);
    virtual_patient.since = since;
    let judge = Trial { cohort: Arc::new(FromList(vec![virtual_patient])), size: 1, ..setting.clone() };
    let lasting = |plan: &Plan| {
        let evaluation = evaluate(&judge, std::slice::from_ref(plan), &[control().endpoint]).map_err(words)?;
        evaluation.values(0, 0).first().copied().ok_or_else(|| "no course".to_owned())
    };
    let foreseen = evaluate(&setting, std::slice::from_ref(&standard), &[control().endpoint]).map_err(words)?;
    let foreseen = control().risk.of(foreseen.values(0, 0), control().sense).map_err(words)?;
    let longest = front.plans.first().ok_or("an empty front")?;
    let enough = front.plans.iter().filter(|plan| plan.objectives[0] >= foreseen);
    let least = enough.min_by(|a, b| a.objectives[1].total_cmp(&b.objectives[1]));
    let usual = lasting(&standard)?;
    let (saved, kept) = match least {
        Some(plan) => (1.0 - plan.objectives[1] / 60.0, lasting(&plan.plan)? - usual),
        None => (0.0, 0.0),
    };
    let shown = front.plans.iter().map(|plan| (plan.objectives[1], plan.objectives[0])).collect();
    Ok(Gains { days: lasting(&longest.plan)? - usual, saved, kept, front: shown, standard: (60.0, foreseen) })
}

/// All patients, once for all rows.
///
/// # Errors
/// In words, what kept a patient from being planned.
pub fn all() -> Result<&'static [Gains], String> {
    static ALL: OnceLock<Result<Vec<Gains>, String>> = OnceLock::new();
    match ALL.get_or_init(|| (0..PATIENTS).into_par_iter().map(one).collect()) {
        Ok(gains) => Ok(gains),
        Err(error) => Err(error.clone()),
    }
}

fn share(of: impl Fn(&Gains) -> bool) -> Result<Option<f64>, String> {
    let gains = all()?;
    Ok(Some(gains.iter().filter(|gains| of(gains)).count() as f64 / gains.len() as f64))
}

/// A row: id, claim, and what is computed.
type Row = (&'static str, &'static str, fn() -> Result<Option<f64>, String>);

const ROWS: [Row; 2] = [
    (
        "later_at_equal_dose",
        "share of 100 virtual patients who progress later, on the truth, at no more than 60 Gy: most (published: median 6 d later)",
        || share(|gains| gains.days > 0.0),
    ),
    (
        "less_dose_at_equal_control",
        "share of 100 virtual patients with a plan of less dose and no less control foreseen: most (published: median 16.7 % less)",
        || share(|gains| gains.saved > 0.0),
    ),
];

pub(super) fn claims() -> Vec<Claim> {
    let row = |(id, claim, run): Row| Claim {
        id: format!("chaudhuri2023.{id}"),
        claim: claim.to_owned(),
        source: CHAUDHURI,
        expected: 0.75,
        tolerance: 0.25,
        quick: false,
        run: Box::new(run),
    };
    ROWS.map(row).into()
}
