//! Recommendations for patients whose truth is known: is "probability best" honest, and what is gained?

use crate::claims::words;
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};
use twin_calibrate::{IndependentPrior, Marginal, Prior};
use twin_core::{Agent, Observable, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::{Model, Parameters, Scenario, clones, simulate};
use twin_trials::planning::{
    Confidence, GroupPerformance, Objective, Plan, Question, Realized, evaluate, recommend, silently_same,
};
use twin_trials::{Adaptive, Continuous, Course, Endpoint, FromList, Outcome, Reference, TimeToProgression, Trial, VirtualPatient};

/// What is seen of a patient beside the PSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Its name.
    pub name: &'static str,
    /// Imaging tells the burden at the start.
    pub imaging: bool,
    /// Sequencing of circulating DNA tells the share of resistant cells at the start.
    pub genomics: bool,
}

/// With both, without genomics, without imaging, without either.
pub const ACCESS: [Access; 4] = [
    Access { name: "all modalities", imaging: true, genomics: true },
    Access { name: "imaging alone", imaging: true, genomics: false },
    Access { name: "genomics alone", imaging: false, genomics: true },
    Access { name: "PSA alone", imaging: false, genomics: false },
];

const PATIENTS: u64 = 200;
const PARTICLES: usize = 20_000;
const DRAWS: usize = 250;
/// Errors of the logarithm of PSA, and of the readings of burden and of the share of resistant cells.
const ERRORS: [f64; 3] = [0.15, 0.1, 0.5];
/// Days on which the PSA is seen under treatment, which then pauses for nobody.
const SEEN: [f64; 4] = [0.0, 28.0, 56.0, 84.0];

/// Days until the PSA exceeds 1.2 times what was read before treatment, less a price of 60 for living with pauses: with few resistant cells
/// pauses pay, with many they do not.
struct LessPauses {
    first_psa: f64,
}

impl Endpoint for LessPauses {
    fn name(&self) -> &'static str {
        "time to progression, less the price of pauses"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let pauses = course
            .treatments
            .iter()
            .any(|given| matches!(&given.treatment, Treatment::Continuous { intensity, .. } if intensity.value() <= 0.0));
        let reference = Reference::Fixed(self.first_psa);
        match (TimeToProgression { reference, ..TimeToProgression::of(Observable::PSA, 1.2) }).assess(course) {
            Outcome::Event(day) | Outcome::Censored(day) => Outcome::Value(day - if pauses { 60.0 } else { 0.0 }),
            other => other,
        }
    }
}

fn belief() -> Result<IndependentPrior, String> {
    IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.3 }),
        ("relative_fitness", Marginal::Uniform { low: 0.5, high: 1.0 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.4 }),
        ("initial_burden", Marginal::Uniform { low: 0.3, high: 0.8 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-3, high: 0.3 }),
        ("initial_psa", Marginal::LogNormal { median: 20.0, sd: 0.5 }),
    ])
    .map_err(words)
}

/// A draw of the belief with the logarithms of what would be seen of it without error.
struct Particle {
    values: Vec<f64>,
    parameters: Parameters,
    ln_seen: Vec<f64>,
}

struct Study {
    drug: Agent,
    model: Arc<dyn Model>,
    prior: IndependentPrior,
    particles: Vec<Particle>,
}

impl Study {
    fn new() -> Result<Self, String> {
        let drug = Agent::new("abiraterone").map_err(words)?;
        let model: Arc<dyn Model> = Arc::new(clones::sensitive_resistant(drug.clone()));
        let mut study = Self { drug, model, prior: belief()?, particles: Vec::new() };
        let root = Random::new(41);
        study.particles = (0..PARTICLES as u64).map(|index| study.particle(&mut root.stream(index))).collect::<Result<_, _>>()?;
        Ok(study)
    }

    fn past(&self) -> [TimedTreatment; 1] {
        [TimedTreatment::new(Time::ORIGIN, Treatment::on(self.drug.clone()))]
    }

    fn particle(&self, random: &mut Random) -> Result<Particle, String> {
        let values = self.prior.sample(random);
        let named = self.prior.names().iter().zip(&values);
        let parameters =
            named.into_iter().try_fold(self.model.spec().defaults().map_err(words)?, |p, (name, value)| p.with(name, *value));
        let parameters = parameters.map_err(words)?;
        let times = SEEN.iter().map(|day| Time::from_days(*day)).collect::<Result<Vec<_>, _>>().map_err(words)?;
        let scenario = Scenario::starting(Time::ORIGIN).treated(self.past()).sampled(times);
        let course = simulate(self.model.as_ref(), &parameters, &scenario, random).map_err(words)?;
        let mut ln_seen: Vec<f64> = course.column(&Observable::PSA).ok_or("no PSA")?.iter().map(|psa| psa.ln()).collect();
        ln_seen.extend([values[3].ln(), values[4].ln()]);
        Ok(Particle { values, parameters, ln_seen })
    }

    /// The draws of the posterior of a patient seen as `seen`: the particles weighed by the likelihood, and drawn by their weights.
    fn posterior(&self, seen: &[f64], access: Access, random: &mut Random) -> Vec<&Particle> {
        let used = |place: usize| {
            place < SEEN.len() || (place == SEEN.len() && access.imaging) || (place == SEEN.len() + 1 && access.genomics)
        };
        let ln_weight = |particle: &Particle| -> f64 {
            let terms = particle.ln_seen.iter().zip(seen).enumerate().filter(|(place, _)| used(*place));
            terms.map(|(place, (ours, theirs))| -0.5 * ((ours - theirs) / error(place)).powi(2)).sum()
        };
        let weights: Vec<f64> = self.particles.iter().map(ln_weight).collect();
        let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = weights.iter().map(|weight| (weight - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        // Systematic resampling.
        let (mut draws, mut sum, start) = (Vec::with_capacity(DRAWS), 0.0, random.uniform());
        for (particle, weight) in self.particles.iter().zip(&weights) {
            sum += weight / total * DRAWS as f64;
            while (draws.len() as f64) + start < sum {
                draws.push(particle);
            }
        }
        draws
    }
}

fn error(place: usize) -> f64 {
    ERRORS[place.saturating_sub(SEEN.len() - 1).min(2)]
}

/// What came of every patient, and whether the tumor holds more than the median share of resistant cells.
fn realize(study: &Study, access: Access) -> Result<Vec<(Realized, bool)>, String> {
    let root = Random::new(42);
    let one = |index: u64| {
        let random = root.stream(index);
        let truth = study.particle(&mut random.stream(0))?;
        let mut errors = random.stream(1);
        let seen: Vec<f64> = truth.ln_seen.iter().enumerate().map(|(place, ln)| ln + error(place) * errors.normal()).collect();
        let first_psa = seen[0].exp();
        let draws = study.posterior(&seen, access, &mut random.stream(2));
        let since = Time::from_days(SEEN[SEEN.len() - 1]).map_err(words)?;
        let twin = |particle: &Particle| VirtualPatient {
            since,
            past_treatments: Arc::from(study.past()),
            ..VirtualPatient::new(particle.parameters.clone())
        };
        let cohort: Vec<VirtualPatient> = draws.iter().map(|particle| twin(particle)).collect();
        let setting = Trial::new(Arc::clone(&study.model), FromList(cohort.clone()), cohort.len())
            .measure(Observable::PSA)
            .visits(Span::WEEK, Span::from_days(2100.0).map_err(words)?);
        let adaptive = |stop_at: f64, resume_at: f64| {
            let policy =
                Adaptive { agent: study.drug.clone(), marker: Observable::PSA, stop_at, resume_at, reference: Some(first_psa) };
            Plan::adaptive(format!("off at {stop_at}, on at {resume_at}"), policy)
        };
        let standard = Plan::adaptive("continuous", Continuous { agent: study.drug.clone() });
        let question = Question::new(setting.clone(), standard, Objective::most(LessPauses { first_psa }), Confidence::new(0.0))
            .plans([adaptive(0.25, 0.6), adaptive(0.5, 1.0), adaptive(0.8, 1.1)]);
        let answer = recommend(&question).map_err(words)?;
        let judge = Trial { cohort: Arc::new(FromList(vec![twin(&truth)])), size: 1, ..setting };
        let plans: Vec<Plan> = std::iter::once(&question.standard).chain(&question.plans).cloned().collect();
        let came = evaluate(&judge, &plans, &[Arc::new(LessPauses { first_psa })]).map_err(words)?;
        let resistant = truth.values[4] > (1e-3_f64 * 0.3).sqrt();
        Ok((Realized::of(&answer, &came).map_err(words)?, resistant))
    };
    (0..PATIENTS).into_par_iter().map(one).collect()
}

/// What came of 200 patients.
#[derive(Debug)]
pub struct Study200 {
    /// For each of [`ACCESS`].
    pub by_access: Vec<GroupPerformance>,
    /// With all modalities: few resistant cells, many.
    pub by_subgroup: Vec<GroupPerformance>,
    /// For each of [`ACCESS`] the number of patients whose answer is the very same as with all modalities.
    pub same: Vec<usize>,
}

/// What came of 200 patients, once for all rows.
///
/// # Errors
/// In words.
pub fn realized() -> Result<&'static Study200, String> {
    static ALL: OnceLock<Result<Study200, String>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let study = Study::new()?;
        let each = ACCESS.iter().map(|access| realize(&study, *access)).collect::<Result<Vec<_>, String>>()?;
        let plain: Vec<Vec<Realized>> = each.iter().map(|group| group.iter().map(|(one, _)| *one).collect()).collect();
        let subgroup = |resistant: bool| -> Vec<Realized> {
            each[0].iter().filter(|(_, other)| *other == resistant).map(|(one, _)| *one).collect()
        };
        let groups = ACCESS.iter().zip(&plain).map(|(access, group)| GroupPerformance::of(access.name, group));
        let subgroups = [("few resistant cells", false), ("many resistant cells", true)];
        let subgroups = subgroups.map(|(name, resistant)| GroupPerformance::of(name, &subgroup(resistant)));
        Ok(Study200 {
            by_access: groups.collect::<Result<_, _>>().map_err(words)?,
            by_subgroup: subgroups.into_iter().collect::<Result<_, _>>().map_err(words)?,
            same: plain
                .iter()
                .map(|group| silently_same(&plain[0], group).map(|same| same.len()))
                .collect::<Result<_, _>>()
                .map_err(words)?,
        })
    });
    all.as_ref().map_err(Clone::clone)
}
