//! The book's pictures of models: the default course of each registered model, untreated and treated.
//!
//! The pictures are drawn from the models. `TWIN_BLESS=1` writes them, and the line that shows them into the page; without it a picture
//! that differs fails. Coordinates may differ by a fiftieth, as the last bits of functions do between machines.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use twin_core::{AbsorbedDose, Quantity, Random, Target, Time, TimedTreatment, Treatment};
use twin_models::{Model, Registry, Scenario, TreatmentKind, TreatmentSpec, simulate};
use twin_trials::report::{Curve, CurveStyle, CurvesFigure, Figure, Plot, Quantity as Axis};

fn book() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

/// For how many days a model is shown.
fn horizon(id: &str) -> f64 {
    match id {
        "one_compartment" | "two_compartments" | "three_compartments" => 2.0,
        "de_pillis" => 50.0,
        "hahnfeldt" | "kuznetsov" | "exponential_linear" | "smooth_exponential_linear" | "dynamic_carrying_capacity" => 60.0,
        "sensitive_resistant" | "cell_quota" | "hirata" | "psa_escape" | "three_species" | "low_grade_glioma" => 1095.0,
        _ => 180.0,
    }
}

/// A usual way to give the treatment `known` over `days`, in words and one by one.
fn usual(known: &TreatmentSpec, days: f64) -> Option<(String, Vec<TimedTreatment>)> {
    let at = |day: f64, treatment: &Treatment| TimedTreatment::new(Time::from_days(day).unwrap(), treatment.clone());
    Some(match known.kind {
        TreatmentKind::Fraction => {
            let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new("tumor").unwrap());
            let weekdays = (0..42).filter(|day| day % 7 < 5).map(|day| at(30.0 + f64::from(day), &fraction));
            ("30 fractions of 2 Gy from day 30".to_owned(), weekdays.collect())
        }
        TreatmentKind::Continuous => {
            let agent = known.agent.as_ref()?;
            let (on, off) = ((0.1 * days).round(), (0.5 * days).round());
            let switched = [at(on, &Treatment::on(agent.clone())), at(off, &Treatment::off(agent.clone()))];
            (format!("{agent} from day {on} to day {off}"), switched.to_vec())
        }
        TreatmentKind::Bolus => {
            let agent = known.agent.as_ref()?;
            let unit = known.unit.as_deref()?;
            let (amount, every, times) = match unit {
                "mg" => (100.0, 1.0, 1),
                "mg/kg" => (20.0, 1.0, 14),
                _ => (1.0, 28.0, 12),
            };
            let dose = Treatment::bolus(agent.clone(), Quantity::new(amount, unit).unwrap()).unwrap();
            let doses = (0..times).map(|n| at(every * f64::from(n), &dose)).collect();
            (format!("{agent}, {amount} {unit}, {times} doses {every} d apart"), doses)
        }
        _ => return None,
    })
}

/// The first observable of the model's default course, untreated and under each treatment that it knows.
fn picture(model: &dyn Model) -> String {
    let (spec, days) = (model.spec(), horizon(&model.spec().id));
    let shown = &spec.observables[0];
    let looks: Vec<Time> = (0..=120).map(|look| Time::from_days(days * f64::from(look) / 120.0).unwrap()).collect();
    let curve = |label: String, treatments: Vec<TimedTreatment>| {
        let scenario = Scenario::starting(Time::ORIGIN).treated(treatments).sampled(looks.iter().copied());
        let course = simulate(model, &spec.defaults().unwrap(), &scenario, &mut Random::new(1)).unwrap();
        let values = course.column(&shown.observable).unwrap();
        let points = looks.iter().map(|look| look.days()).zip(values).collect();
        Curve { label, points, style: CurveStyle::Line }
    };
    let treated = spec.treatments.iter().filter_map(|known| usual(known, days)).map(|(label, given)| curve(label, given));
    let mut curves = vec![curve("untreated".to_owned(), Vec::new())];
    curves.extend(treated);
    // Nothing to see: a drug that was not given.
    curves.retain(|curve| curve.points.iter().any(|point| point.1 != 0.0));
    let values = || curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let label = shown.observable.to_string().replace('_', " ");
    let vertical = if least > 0.0 && most > 30.0 * least {
        Axis::logarithmic(label, shown.unit.clone())
    } else {
        Axis::linear(label, shown.unit.clone())
    };
    let plot = CurvesFigure { horizontal: Axis::linear("time", "d"), vertical, curves };
    Figure::new(spec.title.clone(), Plot::Curves(plot)).to_svg().unwrap()
}

/// Whether two drawings are the same but for their last digits.
fn alike(one: &str, other: &str) -> bool {
    let tokens = |text: &str| -> Vec<String> {
        let split = |letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-');
        text.split_inclusive(split).map(str::to_owned).collect()
    };
    let number = |token: &str| token.trim_end_matches(|letter: char| !letter.is_ascii_digit()).parse::<f64>().ok();
    let (one, other) = (tokens(one), tokens(other));
    one.len() == other.len()
        && one.iter().zip(&other).all(|(a, b)| a == b || number(a).zip(number(b)).is_some_and(|(a, b)| (a - b).abs() <= 0.02))
}

#[test]
fn every_page_of_a_model_shows_what_the_model_does() {
    let bless = std::env::var_os("TWIN_BLESS").is_some();
    let folder = book().join("pictures/models");
    let mut faults = Vec::new();
    for model in Registry::standard().unwrap().iter() {
        let id = &model.spec().id;
        let (drawn, path) = (picture(model.as_ref()), folder.join(format!("{id}.svg")));
        let page = book().join(format!("models/{id}.md"));
        let text = std::fs::read_to_string(&page).unwrap();
        let line = format!("![The default course of the model](../pictures/models/{id}.svg)");
        if bless {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &drawn).unwrap();
            if !text.contains(&line) {
                std::fs::write(&page, text.replacen("## Equation", &format!("{line}\n\n## Equation"), 1)).unwrap();
            }
            continue;
        }
        if !text.contains(&line) {
            faults.push(format!("{id}.md does not show its picture: {line}"));
        }
        match std::fs::read_to_string(&path) {
            Ok(kept) if alike(&kept, &drawn) => {}
            Ok(_) => faults.push(format!("pictures/models/{id}.svg is not what the model does now")),
            Err(error) => faults.push(format!("pictures/models/{id}.svg: {error}")),
        }
    }
    assert!(faults.is_empty(), "{}\nTWIN_BLESS=1 draws them anew; look at them", faults.join("\n"));
}

#[test]
fn drawings_differ_by_more_than_a_last_digit_or_not_at_all() {
    assert!(alike("<path d=\"M1.00 2.5\"/>", "<path d=\"M1.01 2.5\"/>"));
    assert!(!alike("<path d=\"M1.00 2.5\"/>", "<path d=\"M1.10 2.5\"/>"));
    assert!(!alike("<path d=\"M1.00\"/>", "<path d=\"M1.00 2.5\"/>"));
    assert!(!alike("<b>1.00", "<c>1.00"));
}
