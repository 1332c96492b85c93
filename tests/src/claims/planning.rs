//! Planning: optimizers on problems with known fronts, the optimal control of angiogenesis, limits, and the speed of an answer.

pub mod glioma;
mod limits;
pub mod synthetic;

use super::{Claim, Ours, words};
use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;
use twin_core::{Agent, Observable, Span};
use twin_models::{Model, angiogenic::hahnfeldt};
use twin_trials::planning::{
    Confidence, Evolution, LeastValue, Limits, Objective, PiecewiseSpace, Plan, Question, Risk, Rule, Scored, Sense, search,
};
use twin_trials::{FromList, Trial, VirtualPatient, Withheld};

const ZDT: &str = "Zitzler, Deb and Thiele 2000; volume below (1.1, 1.1) computed exactly; 25 000 evaluations as Deb et al. 2002";
const DTLZ: &str = "Deb, Thiele, Laumanns and Zitzler 2005; volume below (1.1, 1.1, 1.1) computed exactly; 23 000 evaluations as Deb and Jain 2014";
const NORMAL: &str = "closed form of the superquantile of a standard normal, φ(z) / (1 - p)";
const CONTROL: &str = "Ledzewicz-Schättler 2008: problem; optimum as reproduced (Betts 2010: 7571.67)";
const BAR: &str = "a bar of this project";

/// A problem with a known front: its id, number of variables, exact volume, and objectives.
type Known = (&'static str, usize, f64, fn(&[f64]) -> Vec<f64>);

fn zdt(x: &[f64], g: f64, shape: fn(f64, f64) -> f64) -> Vec<f64> {
    vec![x[0], g * shape(x[0], g)]
}

/// The distance function of the first three problems.
fn plain(x: &[f64]) -> f64 {
    1.0 + 9.0 * x[1..].iter().sum::<f64>() / (x.len() - 1) as f64
}

/// That of the fourth, with 21 to the 9 local fronts; its variables but the first run from -5 to 5.
fn rugged(x: &[f64]) -> f64 {
    let term = |share: &f64| {
        let x = 10.0 * share - 5.0;
        10.0 + x * x - 10.0 * (4.0 * PI * x).cos()
    };
    1.0 + x[1..].iter().map(term).sum::<f64>()
}

fn zdt6(x: &[f64]) -> Vec<f64> {
    let first = 1.0 - (-4.0 * x[0]).exp() * (6.0 * PI * x[0]).sin().powi(6);
    let g = 1.0 + 9.0 * (x[1..].iter().sum::<f64>() / (x.len() - 1) as f64).powf(0.25);
    vec![first, g * (1.0 - (first / g).powi(2))]
}

const KNOWN: [Known; 5] = [
    ("zdt1", 30, 0.876_666_666_666_666_6, |x| zdt(x, plain(x), |f, g| 1.0 - (f / g).sqrt())),
    ("zdt2", 30, 0.543_333_333_333_333_3, |x| zdt(x, plain(x), |f, g| 1.0 - (f / g).powi(2))),
    ("zdt3", 30, 1.331_762_908_598_330_5, |x| zdt(x, plain(x), |f, g| 1.0 - (f / g).sqrt() - f / g * (10.0 * PI * f).sin())),
    ("zdt4", 10, 0.876_666_666_666_666_6, |x| zdt(x, rugged(x), |f, g| 1.0 - (f / g).sqrt())),
    ("zdt6", 10, 0.507_877_514_603_689, zdt6),
];

fn dtlz2(x: &[f64]) -> Vec<f64> {
    let g: f64 = x[2..].iter().map(|x| (x - 0.5).powi(2)).sum();
    let (a, b) = (x[0] * FRAC_PI_2, x[1] * FRAC_PI_2);
    vec![(1.0 + g) * a.cos() * b.cos(), (1.0 + g) * a.cos() * b.sin(), (1.0 + g) * a.sin()]
}

/// The volume of the front that evolution finds, as a share of the exact one.
fn share(method: &Evolution, dimension: usize, exact: f64, reference: &[f64], objectives: fn(&[f64]) -> Vec<f64>) -> Ours {
    let front = method.minimize(dimension, &|x| Ok(Scored::feasible(objectives(x)))).map_err(words)?;
    Ok(front.hypervolume(reference) / exact)
}

fn fronts(claims: &mut Vec<Claim>) {
    // Separable problems: few coordinates at a time (Kukkonen and Lampinen 2005). One setting for the five.
    let method =
        |population, generations| Evolution { population, generations, scale: 0.5, crossover: 0.1, ..Evolution::default() };
    for (id, dimension, exact, objectives) in KNOWN {
        let claim = format!("hypervolume found on {id}, as a share of the exact one: at least 0.99");
        let run = move || share(&method(100, 249), dimension, exact, &[1.1; 2], objectives);
        claims.push(Claim::quick(format!("planning.{id}_hypervolume"), claim, ZDT, (0.995, 0.005), run));
    }
    let claim = "hypervolume found on dtlz2 with three objectives, as a share of the exact one: at least 0.99";
    let wide = Evolution { scale: 0.3, crossover: 0.3, ..method(92, 249) };
    let run = move || share(&wide, 12, 0.807_401_224_401_701_1, &[1.1; 3], dtlz2);
    claims.push(Claim::quick("planning.dtlz2_hypervolume", claim, DTLZ, (0.995, 0.005), run));
}

/// `count` draws in the middles of as many equally probable slices of the standard normal, by summing its density up.
fn normal_draws(count: usize) -> Vec<f64> {
    let (step, mut below) = (1e-5, 0.0);
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    let mut draws = Vec::with_capacity(count);
    let mut z = -8.0;
    while draws.len() < count && z < 8.0 {
        let next = below + step * density(z + 0.5 * step);
        while draws.len() < count && (draws.len() as f64 + 0.5) / count as f64 <= next {
            draws.push(z + step * ((draws.len() as f64 + 0.5) / count as f64 - below) / (next - below));
        }
        (z, below) = (z + step, next);
    }
    draws
}

fn superquantiles(claims: &mut Vec<Claim>) {
    for (level, expected) in [(0.8, 1.399_81), (0.9, 1.754_98), (0.95, 2.062_71), (0.99, 2.665_21)] {
        let claim = format!("superquantile at {level} of 100 000 evenly spread standard normal draws");
        claims.push(Claim::quick(format!("planning.superquantile_{level}"), claim, NORMAL, (expected, 1e-3), move || {
            Risk::Superquantile(level).of(&normal_draws(100_000), Sense::Least).map_err(words)
        }));
    }
}

/// The least volume of the anti-angiogenic control problem that the general search finds, with intensities and durations of four pieces free.
fn angiogenic(seed: u64) -> Ours {
    let agent = Agent::new("inhibitor").map_err(words)?;
    let model = Arc::new(hahnfeldt(&agent).with_relative_tolerance(1e-9));
    let start: f64 = 0.5 * ((5.85_f64 - 0.02) / 0.00873).powf(1.5);
    let set = [
        ("growth_rate", 0.084),
        ("stimulation_exponent", 0.0),
        ("capacity_loss", 0.02),
        ("initial_volume", start),
        ("initial_capacity", start / 2.0),
    ];
    let parameters = set.iter().try_fold(model.spec().defaults().map_err(words)?, |p, &(name, value)| p.with(name, value));
    let patient = VirtualPatient::new(parameters.map_err(words)?);
    let days = |days: f64| Span::from_days(days).map_err(words);
    let setting = Trial::new(model, FromList(vec![patient]), 1).visits(days(0.001)?, days(1.6)?);
    let least = || LeastValue { name: "least volume".to_owned(), observable: Observable::TUMOR_VOLUME };
    let standard = Plan::adaptive("nothing", Withheld { agent: agent.clone() });
    // At most 15 of the drug at a rate of at most 75 per day: 0.2 days at full dose.
    let dose = Rule::TimeOn { agent: agent.clone(), at_most: days(0.2)? };
    let question = Question::new(setting, standard, Objective::least(least()), Confidence::new(1.0))
        .within(Limits::none().rule("amount of inhibitor", dose));
    let space = PiecewiseSpace { agent, pieces: 4, longest: days(0.3)? }.space().map_err(words)?;
    let method = Evolution { population: 40, generations: 400, scale: 0.6, seed, ..Evolution::default() };
    let front = search(&question, &space, &[Objective::least(least())], &method).map_err(words)?;
    front.plans.first().and_then(|best| best.objectives.first()).copied().ok_or_else(|| "no plan".to_owned())
}

/// A quantity between 0 and 1 of which ours must lie below `bound`.
fn below(id: &str, claim: &str, bound: f64, run: impl Fn() -> Ours + Send + Sync + 'static) -> Claim {
    let run = Box::new(move || run().map(Some));
    let (id, claim) = (format!("planning.{id}"), claim.to_owned());
    Claim { id, claim, source: BAR, expected: 0.5 * bound, tolerance: 0.5 * bound, quick: false, run }
}

/// 200 patients whose truth is known.
fn synthetic_patients() -> Vec<Claim> {
    let mut rows: Vec<Claim> = synthetic::ACCESS
        .iter()
        .enumerate()
        .map(|(place, access)| Claim {
            id: format!("planning.honest_with_{}", access.name.replace(' ', "_")),
            claim: format!(
                "200 synthetic patients with {}: probability of being best that is claimed for the first plan, less how often it is",
                access.name
            ),
            source: BAR,
            expected: 0.0,
            tolerance: 0.05,
            quick: false,
            run: Box::new(move || {
                let group = &synthetic::realized()?.by_access[place];
                Ok(Some(group.overclaim.value))
            }),
        })
        .collect();
    rows.push(below(
        "regret_over_standard",
        "200 synthetic patients, regret of the first plan over that of the standard of care: below 1",
        1.0,
        || {
            let group = &synthetic::realized()?.by_access[0];
            Ok(group.regret.value / (group.regret.value + group.gain.value))
        },
    ));
    let named = ["without_genomics", "without_imaging", "from_psa_alone"];
    for (place, name) in named.into_iter().enumerate() {
        let claim = format!("200 synthetic patients, width of the interval with all modalities over that {name}: below 1");
        rows.push(below(&format!("width_over_{name}"), &claim, 1.0, move || {
            let all = &synthetic::realized()?.by_access;
            Ok(all[0].width.value / all[place + 1].width.value)
        }));
    }
    rows.push(Claim {
        id: "planning.silently_same".to_owned(),
        claim: "200 synthetic patients: answers that are the very same although a modality is withheld".to_owned(),
        source: BAR,
        expected: 0.0,
        tolerance: 0.0,
        quick: false,
        run: Box::new(|| Ok(Some(synthetic::realized()?.same.iter().skip(1).sum::<usize>() as f64))),
    });
    rows
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    fronts(&mut claims);
    superquantiles(&mut claims);
    let claim = "least volume found by the general search over intensities and durations of four pieces, mm3";
    claims.push(Claim::quick("planning.antiangiogenic_control", claim, CONTROL, (7571.67, 1e-2), || angiogenic(1)));
    let claim = "seconds for a recommendation over 50 plans and 500 draws of an ODE twin, none settled early: below 2";
    claims.push(below("seconds_50x500", claim, 2.0, crate::races::planning::seconds));
    let claim = "of 10 000 random problems, those with a plan that breaks a limit or a conflict that is none";
    claims.push(Claim {
        id: "planning.limits_10000_problems".to_owned(),
        claim: claim.to_owned(),
        source: BAR,
        expected: 0.0,
        tolerance: 0.0,
        quick: false,
        run: Box::new(|| match limits::broken(10_000)? {
            // a test that met no problem without a plan, or none with one, would say little
            (_, without) if !(500..9500).contains(&without) => Err(format!("{without} problems have no plan")),
            (wrong, _) => Ok(Some(wrong as f64)),
        }),
    });
    claims.extend(synthetic_patients());
    claims.extend(glioma::claims());
    claims.push(Claim::quick("planning.limits_200_problems", "of 200 random problems, the same", BAR, (0.0, 0.0), || {
        limits::broken(200).map(|(wrong, _)| wrong as f64)
    }));
    claims
}
