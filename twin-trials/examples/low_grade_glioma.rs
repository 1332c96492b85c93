//! A low-grade glioma under temozolomide: what TP53 and 1p/19q change, and how wide the forecast is where they are not known.
//!
//! `cargo run --release -p twin-trials --example low_grade_glioma` writes `target/low_grade_glioma.html`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use twin_core::{Agent, Observable, Quantity, Random, Time, TimedTreatment, Treatment};
use twin_models::molecular::{Datum, Effect};
use twin_models::{Model, Scenario, effect, simulate};
use twin_trials::report::{Block, CarriedForward, Figure, ForecastFigure, IntervalRow, IntervalsFigure, Plot, Report, Section};
use twin_trials::statistics::{Spread, quantiles};

type Failure = Box<dyn std::error::Error>;

const DRAWS: u64 = 400;

/// The mean tumor diameter in mm (draws × times), with parameters drawn from what the findings say.
fn courses(findings: [Datum; 2], times: &[Time]) -> Result<Vec<Vec<f64>>, Failure> {
    let model = effect::low_grade_glioma()?;
    let cycle = Treatment::bolus(Agent::new("temozolomide")?, Quantity::new(1.0, "1")?)?;
    let cycles = (0..12).map(|n| Ok(TimedTreatment::new(Time::from_days(28.0 * f64::from(n))?, cycle.clone())));
    let cycles = cycles.collect::<Result<Vec<_>, twin_core::CoreError>>()?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(cycles).sampled(times.iter().copied());
    (0..DRAWS)
        .map(|draw| {
            let mut random = Random::new(1).stream(draw);
            let mut parameters = model.spec().defaults()?;
            for (effect, datum) in Effect::low_grade_glioma().iter().zip(findings) {
                let distribution = effect.distribution(datum)?;
                // A draw outside the parameter's range is made again.
                let drawn = (0..100).find_map(|_| parameters.clone().with(effect.parameter, distribution.sample(&mut random)).ok());
                parameters = drawn.ok_or("no draw lies in the parameter's range")?;
            }
            Ok(simulate(&model, &parameters, &scenario, &mut random)?.column(&Observable::LESION_DIAMETER).unwrap_or_default())
        })
        .collect()
}

fn main() -> Result<(), Failure> {
    let times = (0..=36).map(|month| Time::from_days(30.4375 * f64::from(month))).collect::<Result<Vec<_>, _>>()?;
    let known = [Datum::Present, Datum::Absent];
    let cases = [
        ("1p/19q codeleted, TP53 mutated", [known[0], known[0]]),
        ("1p/19q codeleted, TP53 wild type", [known[0], known[1]]),
        ("1p/19q intact, TP53 mutated", [known[1], known[0]]),
        ("1p/19q intact, TP53 wild type", [known[1], known[1]]),
        ("neither is known", [Datum::Unknown, Datum::Unknown]),
    ];
    let (mut rows, mut blocks) = (Vec::new(), Vec::new());
    for (label, findings) in cases {
        let courses = courses(findings, &times)?;
        let at = |month: usize| courses.iter().map(|course| course[month]).collect::<Vec<f64>>();
        let spread = Spread::of(&at(24))?;
        println!(
            "{label}: {:.1} mm after two years, 90 % between {:.1} and {:.1}",
            spread.median, spread.ninety.0, spread.ninety.1
        );
        rows.push(IntervalRow { label: label.to_owned(), spread });
        if findings == [Datum::Unknown; 2] {
            let bands = (0..times.len())
                .map(|month| Ok(quantiles(&at(month), &[0.05, 0.25, 0.5, 0.75, 0.95])?.try_into().unwrap_or([f64::NAN; 5])));
            let forecast = ForecastFigure {
                label: "Mean tumor diameter".into(),
                unit: "mm".into(),
                times: times.iter().map(|time| time.days()).collect(),
                bands: bands.collect::<Result<_, Failure>>()?,
                carried_forward: Some(CarriedForward { from: 0.0, to: times[36].days(), value: at(0)[0] }),
                ..ForecastFigure::default()
            };
            blocks.push(Block::Figure(Figure::new(
                "Twelve cycles of temozolomide, where neither finding is known.",
                Plot::Forecast(forecast),
            )));
        }
    }
    let plot = IntervalsFigure { label: "Diameter after two years".into(), unit: "mm".into(), rows, ..IntervalsFigure::default() };
    blocks.insert(0, Block::Figure(Figure::new("What each genotype leads to expect.", Plot::Intervals(plot))));
    let told = Effect::low_grade_glioma().iter().map(|effect| effect.explanation(Datum::Present)).collect::<Result<Vec<_>, _>>()?;
    blocks.push(Block::List(told));
    let mut report = Report::new("A low-grade glioma under temozolomide");
    report.sections.push(Section { heading: "What the genotype changes".into(), blocks });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/low_grade_glioma.html", report.to_html()?)?;
    println!("wrote target/low_grade_glioma.html");
    Ok(())
}
