//! Patients per second: Gompertz growth, linear-quadratic radiotherapy, a drug of one compartment, Simeoni's and Friberg's models, over a year
//! with 30 fractions and 8 doses.

use super::{Row, duel};
use rayon::prelude::*;
use twin_core::{AbsorbedDose, Agent, Quantity, Random, Target, Time, TimedTreatment, Treatment};
use twin_models::composition::{Drug, Law, Radiotherapy, TumorModel};
use twin_models::kinetics::{Compartments, Elimination, Route};
use twin_models::{Model, Ode, Parameters, Scenario, Source, effect, growth, simulate, simulate_all, toxicity};

type Failure = Box<dyn std::error::Error>;

/// What is raced.
pub type Composed =
    TumorModel<Law<growth::Gompertz>, (Radiotherapy, Drug<Compartments<0>, (effect::Simeoni, toxicity::Friberg)>), [f64; 10]>;

/// Patients in a race.
pub const PATIENTS: usize = 256;
/// The relative tolerance of all contestants.
pub const RELATIVE: f64 = 1e-6;
/// Days of the doses, in mg.
pub const DOSES: [u32; 8] = [0, 21, 42, 63, 84, 105, 126, 147];
/// Milligrams of a dose.
pub const DOSE: f64 = 40.0;

/// The days of the fractions: six weeks from the fourth on, weekdays.
pub fn fractions() -> impl Iterator<Item = u32> {
    (0..6).flat_map(|week| (0..5).map(move |day| 28 + 7 * week + day))
}

/// The model.
///
/// # Errors
/// None: its parts fit.
pub fn model() -> Result<Ode<Composed>, Failure> {
    let chosen = || Source::assumed("a nadir of the blood count at a tenth");
    let kinetics = Compartments::<0>::new(Agent::new("paclitaxel")?, Route::Intravenous, Elimination::Linear);
    let kinetics = kinetics.with("volume", 400.0, chosen())?.with("clearance", 20.0, chosen())?;
    let drug = Drug::new(kinetics, (effect::Simeoni, toxicity::Friberg::paclitaxel()?));
    let model = Composed::model("ensemble", Law::new(), (Radiotherapy::default(), drug))?;
    Ok(model.with_relative_tolerance(RELATIVE))
}

/// The patients: every parameter scattered by a fifth around its default.
///
/// # Errors
/// None: the values are in their ranges.
pub fn patients(model: &dyn Model) -> Result<Vec<Parameters>, Failure> {
    let draw = |index: usize| {
        let mut random = Random::new(11).stream(index as u64);
        let specs = model.spec().parameters.iter();
        let values = specs.map(|known| (known.default * (0.2 * random.normal()).exp()).clamp(known.low, known.high));
        Ok(model.spec().values(values.collect())?)
    };
    (0..PATIENTS).map(draw).collect()
}

/// The year, looked at every week.
///
/// # Errors
/// None: every number is valid.
pub fn scenario() -> Result<Scenario, Failure> {
    let day = |day: u32| Time::from_days(f64::from(day));
    let mut treatments = Vec::new();
    for at in fractions() {
        let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0)?, Target::new("tumor")?);
        treatments.push(TimedTreatment::new(day(at)?, fraction));
    }
    for at in DOSES {
        let dose = Treatment::bolus(Agent::new("paclitaxel")?, Quantity::new(DOSE, "mg")?)?;
        treatments.push(TimedTreatment::new(day(at)?, dose));
    }
    let weeks = (0..=52).map(|week| day(7 * week)).collect::<Result<Vec<_>, _>>()?;
    Ok(Scenario::starting(Time::ORIGIN).treated(treatments).sampled(weeks))
}

/// Patients side by side against the same patients one by one, on one thread; and how many a second on two.
///
/// # Errors
/// A course that cannot go on, or courses that do not agree.
pub fn rows() -> Result<Vec<Row>, Failure> {
    let (model, scenario) = (model()?, scenario()?);
    let patients = patients(&model)?;
    let random = Random::new(0);
    let together = simulate_all(&model, &patients, &scenario, &random).into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut apart = 0.0_f64;
    for (course, patient) in together.iter().zip(&patients) {
        let alone = simulate(&model, patient, &scenario, &mut Random::new(0))?;
        for (one, other) in course.values.iter().zip(&alone.values) {
            apart = apart.max((one - other).abs() / (1e-3 + other.abs()));
        }
    }
    if apart.is_nan() || apart > 1e-3 {
        return Err(format!("patients side by side differ by {apart:e} from those alone").into());
    }
    let mut sink = 0_usize;
    let mut side_by_side = || sink += simulate_all(&model, &patients, &scenario, &random).len();
    let mut count = 0_usize;
    let mut one_by_one = || {
        count += patients.iter().filter(|patient| simulate(&model, patient, &scenario, &mut Random::new(0)).is_ok()).count();
    };
    let (ours, theirs) = duel(5, 1, &mut side_by_side, &mut one_by_one);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    let mut both = 0_usize;
    let mut on_two = || {
        threads.install(|| {
            both += patients.par_chunks(32).map(|group| simulate_all(&model, group, &scenario, &random).len()).sum::<usize>();
        });
    };
    let mut nothing = || {};
    let (two, _) = duel(5, 1, &mut on_two, &mut nothing);
    let per = PATIENTS as f64;
    let what = format!(
        "one patient of {PATIENTS} side by side, against one by one, on one thread; {:.0} patients a second on two threads; courses differ by \
         at most {apart:.1e}",
        per / two
    );
    Ok(vec![Row::new("ensemble.scalar", (ours / per, theirs / per), what)])
}
