//! Composed models obey every law: each growth law with random parts, in any order.
#![allow(clippy::unwrap_used, clippy::panic)]

use twin_core::{Agent, Observable, Quantity, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::composition::Description;
use twin_models::testing::{self, Settings};
use twin_models::{Scenario, simulate};

const LAWS_OF_GROWTH: [&str; 10] = [
    "exponential",
    "logistic",
    "generalized_logistic",
    "gompertz",
    "bertalanffy",
    "bertalanffy_putter",
    "power_law",
    "exponential_linear",
    "smooth_exponential_linear",
    "reduced_gompertz",
];
const RADIOTHERAPY: [&str; 3] = ["lq", "lq_clearing", "lq_repairing"];
const RULES: [&str; 2] = ["loewe", "bliss"];
const DRUGS: [&str; 7] = ["temozolomide", "nivolumab", "paclitaxel", "docetaxel", "carboplatin", "abiraterone", "fluorouracil"];
const EFFECTS: [&str; 4] = ["log_kill", "emax", "norton_simon", "simeoni"];

/// Laws by which a small tumor grows without bound: a kill in proportion to growth is refused.
const RISE_AS_POWER: [&str; 3] = ["bertalanffy", "bertalanffy_putter", "power_law"];

/// A composition of the growth law number `number` with parts drawn and shuffled by `random`; one marrow at most.
fn draw(number: usize, random: &mut Random) -> String {
    let mut terms = Vec::new();
    if random.below(4) > 0 {
        terms.push(RADIOTHERAPY[random.below(RADIOTHERAPY.len())].to_owned());
    }
    let law = LAWS_OF_GROWTH[number % LAWS_OF_GROWTH.len()];
    let effects = EFFECTS.into_iter().filter(|effect| *effect != "norton_simon" || !RISE_AS_POWER.contains(&law));
    let effects: Vec<&str> = effects.collect();
    let (first, mut marrow) = (random.below(DRUGS.len()), false);
    // A pair takes the room of two drugs among the treatments.
    let pair = random.below(4) == 0;
    if pair {
        let (one, other) = (DRUGS[(first + 3) % DRUGS.len()], DRUGS[(first + 4) % DRUGS.len()]);
        terms.push(format!("{}({one}, {other})", RULES[random.below(2)]));
    }
    if random.below(4) == 0 {
        terms.push("ca125".to_owned());
    }
    for drug in 0..random.below(if pair { 2 } else { 3 }) {
        let drug = DRUGS[(first + drug) % DRUGS.len()];
        terms.push(format!("{}({drug})", effects[random.below(effects.len())]));
        if ["paclitaxel", "docetaxel"].contains(&drug) && !marrow {
            terms.push(format!("friberg({drug})"));
            marrow = true;
        }
    }
    terms.push(law.to_owned());
    for place in (1..terms.len()).rev() {
        terms.swap(place, random.below(place + 1));
    }
    terms.join(" + ")
}

/// A day, the time scale of the kinetics: over weeks, what is left of a dose is far below the tolerance of an amount, and noise. Doses as
/// given to adults, in mg.
fn settings(seed: u64) -> Settings {
    Settings { cases: 4, horizon: Span::DAY, seed, drug_dose: 200.0, ..Settings::default() }
}

/// Eight weeks, the time scale of a tumor.
fn over_weeks(seed: u64) -> Settings {
    Settings { cases: 1, horizon: Span::from_weeks(8.0).unwrap(), ..settings(seed) }
}

#[test]
fn any_growth_law_with_any_parts_in_any_order_obeys_every_law() {
    let root = Random::new(2024);
    for number in 0..16_usize {
        let text = draw(number, &mut root.stream(number as u64));
        let model = text.parse::<Description>().unwrap().build("composition").unwrap();
        let report = testing::check_with(model.as_ref(), &settings(number as u64));
        assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{text}:\n{report:?}");
    }
}

#[test]
fn any_growth_law_without_a_corner_has_the_derivatives_of_its_differences_with_any_parts() {
    let root = Random::new(2025);
    let smooth = |number: &usize| LAWS_OF_GROWTH[number % LAWS_OF_GROWTH.len()] != "exponential_linear";
    for number in (0..10_usize).filter(smooth) {
        let text = draw(number, &mut root.stream(number as u64));
        let model = text.parse::<Description>().unwrap().build("composition").unwrap();
        let checked = testing::sensitivities_agree(model.as_ref(), &settings(number as u64));
        assert!(checked.is_ok(), "{text}:\n{checked:?}");
    }
}

/// The growth laws from `first` on, every other one, with every effect, by the kinetics of each drug in turn.
fn check_over_eight_weeks(first: usize) {
    for (number, law) in LAWS_OF_GROWTH.into_iter().enumerate().skip(first).step_by(2) {
        for (place, effect) in EFFECTS.into_iter().enumerate() {
            // Drugs of few parameters that are slow enough: each parameter brings corners of its own. All drugs have their turn over a day.
            let drug = ["carboplatin", "abiraterone", "fluorouracil"][(number + place) % 3];
            let mut text = format!("{law} + {effect}({drug})");
            if place == number % 4 {
                text = format!("{} + {text}", RADIOTHERAPY[number % 3]);
            }
            let model = text.parse::<Description>().unwrap().build("pair");
            if effect == "norton_simon" && RISE_AS_POWER.contains(&law) {
                let error = model.map(|_| ()).unwrap_err().to_string();
                assert!(error.contains(effect) && error.contains(law), "{text}: {error}");
                continue;
            }
            let report = testing::check_with(model.unwrap().as_ref(), &over_weeks((4 * number + place) as u64));
            assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{text}:\n{report:?}");
        }
    }
}

#[test]
fn every_other_growth_law_with_every_effect_obeys_every_law_over_eight_weeks() {
    check_over_eight_weeks(0);
}

#[test]
fn the_other_growth_laws_with_every_effect_obey_every_law_over_eight_weeks() {
    check_over_eight_weeks(1);
}

#[test]
fn a_body_without_a_tumor_obeys_every_law() {
    for text in ["friberg(paclitaxel)", "friberg(docetaxel)", "temozolomide() + nivolumab()", "fluorouracil()"] {
        let model = text.parse::<Description>().unwrap().build("body").unwrap();
        for settings in [settings(1), over_weeks(2)] {
            let report = testing::check_with(model.as_ref(), &settings);
            assert!(report.is_ok(), "{text}:\n{report:?}");
        }
    }
}

/// Joint effects, markers and repair, each over a day and over eight weeks.
#[test]
fn joint_effects_markers_and_repair_obey_every_law() {
    for (number, text) in [
        "gompertz + loewe(carboplatin, fluorouracil)",
        "logistic + bliss(abiraterone, carboplatin)",
        "exponential + ca125 + lq_repairing",
    ]
    .into_iter()
    .enumerate()
    {
        let model = text.parse::<Description>().unwrap().build("joint").unwrap();
        for settings in [settings(number as u64), over_weeks(number as u64)] {
            let report = testing::check_with(model.as_ref(), &settings);
            assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{text}:\n{report:?}");
        }
    }
}

/// Two scales, each with its own steps, are a model like any other.
#[test]
fn a_tumor_that_a_pathway_drives_obeys_every_law() {
    for (number, text) in ["exponential + pathway(galunisertib)", "lq + gompertz + pathway(galunisertib)"].into_iter().enumerate() {
        let model = text.parse::<Description>().unwrap().build("scales").unwrap();
        let settings = Settings { cases: 2, ..settings(number as u64) };
        let report = testing::check_with(model.as_ref(), &settings);
        assert!(report.as_ref().is_ok_and(|report| report.laws.len() == testing::LAWS.len()), "{text}:\n{report:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refusal = |text: &str| match text.parse::<Description>().and_then(|description| description.build("wrong").map(|_| ())) {
        Ok(()) => panic!("`{text}` was built"),
        Err(error) => error.to_string(),
    };
    for (text, names) in [
        ("lq", "lq"),
        ("simeoni(paclitaxel)", "simeoni"),
        ("gompertz + simeoni(aspirin)", "aspirin"),
        ("gompertz + friberg(temozolomide)", "temozolomide"),
        ("gompertz + magic(paclitaxel)", "magic"),
        ("gompertz + logistic", "logistic"),
        ("gomperz", "gompertz"),
        ("gompertz + lq + lq_clearing", "lq_clearing"),
        ("friberg(paclitaxel) + friberg(docetaxel)", "marrow"),
        ("gompertz + simeoni(paclitaxel) + simeoni(paclitaxel)", "paclitaxel_simeoni_potency"),
        (
            "gompertz + log_kill(paclitaxel) + log_kill(docetaxel) + log_kill(nivolumab) + log_kill(carboplatin) + log_kill(fluorouracil)",
            "treatments",
        ),
        ("", "no growth law"),
        ("pathway(galunisertib)", "signal"),
        ("gompertz + pathway(galunisertib) + pathway(paclitaxel)", "two pathways"),
        ("gompertz + pathway(galunisertib) + log_kill(galunisertib)", "log_kill"),
        ("gompertz + pathway(galunisertib) + loewe(galunisertib, paclitaxel)", "joint effect"),
        ("gompertz + loewe(paclitaxel)", "two drugs"),
        ("gompertz + bliss(paclitaxel, paclitaxel)", "itself"),
        ("gompertz + loewe(paclitaxel, docetaxel) + bliss(paclitaxel, carboplatin)", "two pairs"),
        ("loewe(paclitaxel, carboplatin)", "loewe"),
        ("ca125", "ca125"),
        ("gompertz + ca125 + ca125", "ca125_cells_per_volume"),
    ] {
        let error = refusal(text);
        assert!(error.contains(names), "`{text}`: {error}");
    }
}

#[test]
fn order_of_parts_changes_nothing_but_rounding() {
    let volume = |text: &str| {
        let model = text.parse::<Description>().unwrap().build("ordered").unwrap();
        let dose = |agent: &str, mg: f64| Treatment::bolus(Agent::new(agent).unwrap(), Quantity::new(mg, "mg").unwrap()).unwrap();
        let at = |day: f64| Time::from_days(day).unwrap();
        let scenario = Scenario::starting(Time::ORIGIN)
            .treated([
                TimedTreatment::new(at(1.0), dose("paclitaxel", 300.0)),
                TimedTreatment::new(at(8.0), dose("carboplatin", 500.0)),
            ])
            .sampled([at(30.0)]);
        let parameters = model.spec().defaults().unwrap();
        simulate(model.as_ref(), &parameters, &scenario, &mut Random::new(1)).unwrap().column(&Observable::TUMOR_VOLUME).unwrap()[0]
    };
    let one = volume("gompertz + simeoni(paclitaxel) + friberg(paclitaxel) + emax(carboplatin)");
    let other = volume("emax(carboplatin) + friberg(paclitaxel) + gompertz + simeoni(paclitaxel)");
    assert!((one / other - 1.0).abs() < 1e-5, "{one} and {other}");
}
