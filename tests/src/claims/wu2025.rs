//! Wu et al. 2025: which schedule of doxorubicin and paclitaxel leaves least of a triple-negative breast cancer.

use super::{Claim, Ours, words};
use std::sync::{Arc, OnceLock};
use twin_calibrate::{IndependentPrior, Marginal};
use twin_core::{Agent, Observable, Quantity, Regimen, Span, Treatment};
use twin_models::composition::{Drug, Law, TumorModel};
use twin_models::kinetics::{Compartments, Elimination, Route};
use twin_models::{Model, Source, effect, growth};
use twin_trials::planning::{Confidence, Objective, Plan, Question, Recommendation, recommend};
use twin_trials::{Course, Endpoint, FromPrior, Outcome, Trial, ValueAt};

const WU: &str = "Wu 2025 npj Digit Med 8:195: bi-weekly A/C-T beats tri-weekly, weekly and bi-weekly T beat tri-weekly T";

/// From the last dose to surgery, in days.
const TO_SURGERY: f64 = 21.0;

/// The volume three weeks after the last dose, when each schedule's patients have their surgery.
struct BeforeSurgery;

impl Endpoint for BeforeSurgery {
    fn name(&self) -> &'static str {
        "volume before surgery"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let Some(last) = course.treatments.last() else { return Outcome::NotEvaluable };
        let day = (last.time - course.since).days() + TO_SURGERY;
        ValueAt { name: String::new(), observable: Observable::TUMOR_VOLUME, day }.assess(course)
    }
}

/// Doses of each schedule in mg: the interval of A/C in days, of T, and the dose and number of T.
struct Schedule {
    name: &'static str,
    first: u32,
    second: u32,
    paclitaxel: f64,
    doses: u32,
}

/// The arms of the dose-dense trials: 60 mg/m2 of doxorubicin four times; paclitaxel 175 mg/m2 four times, or 80 mg/m2 twelve times; 1.8 m2.
const SCHEDULES: [Schedule; 4] = [
    Schedule { name: "tri-weekly A/C, tri-weekly T", first: 21, second: 21, paclitaxel: 315.0, doses: 4 },
    Schedule { name: "bi-weekly A/C, bi-weekly T", first: 14, second: 14, paclitaxel: 315.0, doses: 4 },
    Schedule { name: "tri-weekly A/C, bi-weekly T", first: 21, second: 14, paclitaxel: 315.0, doses: 4 },
    Schedule { name: "tri-weekly A/C, weekly T", first: 21, second: 7, paclitaxel: 144.0, doses: 12 },
];

fn drug<const P: usize>(name: &str, values: &[(&str, f64)]) -> Result<Compartments<P>, String> {
    let source = Source::assumed("kinetics of the size that is reported for the drug; the ranking must not hang on it");
    let start = Compartments::new(Agent::new(name).map_err(words)?, Route::Intravenous, Elimination::Linear);
    values.iter().try_fold(start, |drug, &(name, value)| drug.with(name, value, source.clone()).map_err(words))
}

/// Gompertz growth with a saturable kill by either drug, each with two compartments.
fn model() -> Result<Arc<dyn Model>, String> {
    let doxorubicin =
        drug::<1>("doxorubicin", &[("clearance", 45.0), ("volume", 25.0), ("exchange_1", 60.0), ("volume_1", 1000.0)])?;
    let paclitaxel = drug::<1>("paclitaxel", &[("clearance", 15.0), ("volume", 30.0), ("exchange_1", 15.0), ("volume_1", 200.0)])?;
    let parts = (Drug::new(doxorubicin, effect::Emax), Drug::new(paclitaxel, effect::Emax));
    let model = TumorModel::<_, _, [f64; 5]>::model("breast", Law::<growth::Gompertz>::new(), parts).map_err(words)?;
    Ok(Arc::new(model))
}

fn plan(schedule: &Schedule) -> Result<Plan, String> {
    let infusion = |name: &str, mg: f64, hours: f64| {
        let dose = Quantity::new(mg, "mg").map_err(words)?;
        let duration = Span::from_hours(hours).map_err(words)?;
        Treatment::infusion(Agent::new(name).map_err(words)?, dose, duration).map_err(words)
    };
    let first = Regimen::give(infusion("doxorubicin", 108.0, 0.25)?).every_days(schedule.first).times(4);
    let second = Regimen::give(infusion("paclitaxel", schedule.paclitaxel, 3.0)?).every_days(schedule.second).times(schedule.doses);
    let between = Span::from_days(f64::from(4 * schedule.first)).map_err(words)?;
    Plan::regimen(schedule.name, &first.and(second.delayed(between))).map_err(words)
}

/// The four schedules in 200 virtual patients, by the logarithm of what is left.
fn answer() -> Result<Recommendation, String> {
    let model = model()?;
    let log_normal = |median: f64, sd: f64| Marginal::LogNormal { median, sd };
    let belief = IndependentPrior::new([
        ("decay_rate", log_normal(0.01, 0.3)),
        ("initial_volume", log_normal(8e3, 0.5)),
        ("doxorubicin_emax_max_kill", log_normal(0.4, 0.4)),
        ("paclitaxel_emax_max_kill", log_normal(0.3, 0.4)),
    ])
    .map_err(words)?;
    let days = |days: f64| Span::from_days(days).map_err(words);
    let setting = Trial::new(model.clone(), FromPrior::new(model, Arc::new(belief)), 200).visits(Span::WEEK, days(210.0)?);
    let mut plans = SCHEDULES.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
    let standard = plans.remove(0);
    let question = Question::new(setting, standard, Objective::least(BeforeSurgery), Confidence::new(0.0)).plans(plans);
    recommend(&question).map_err(words)
}

/// The share of patients in whom the schedule number `better` leaves less than the schedule number `worse`.
fn share(better: usize, worse: usize) -> Ours {
    static ANSWER: OnceLock<Result<Recommendation, String>> = OnceLock::new();
    let answer = ANSWER.get_or_init(answer).as_ref().map_err(Clone::clone)?;
    let place = |number: usize| answer.evaluation.plans.iter().position(|name| *name == SCHEDULES[number].name).ok_or("no plan");
    let (one, other) = (answer.evaluation.values(place(better)?, 0), answer.evaluation.values(place(worse)?, 0));
    Ok(one.iter().zip(other).filter(|(a, b)| a < b).count() as f64 / one.len() as f64)
}

pub(super) fn claims() -> Vec<Claim> {
    [
        ("biweekly_over_triweekly_act", "bi-weekly A/C-T leaves less than tri-weekly", 1, 0),
        ("biweekly_over_triweekly_t", "bi-weekly T leaves less than tri-weekly T after the same A/C", 2, 0),
        ("weekly_over_triweekly_t", "weekly T leaves less than tri-weekly T after the same A/C", 3, 0),
    ]
    .map(|(id, claim, better, worse)| {
        let claim = format!("{claim}: share of virtual patients, above one half");
        Claim::quick(format!("wu2025.{id}"), claim, WU, (0.75, 0.25), move || share(better, worse))
    })
    .into()
}
