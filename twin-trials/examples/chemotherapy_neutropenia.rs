//! Docetaxel every three weeks or weekly, at the same total dose: what the tumor and the neutrophils do.
//!
//! `cargo run --release -p twin-trials --example chemotherapy_neutropenia` writes `target/chemotherapy_neutropenia.html`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use twin_core::{Agent, Observable, Quantity, Random, Regimen, Time, TimedTreatment, Treatment};
use twin_models::composition::Description;
use twin_models::{Scenario, simulate, toxicity};
use twin_trials::report::{Block, Column, Curve, CurveStyle, CurvesFigure, Figure, Plot, Report, Section, Table};

type Failure = Box<dyn std::error::Error>;

fn course(treatments: Vec<TimedTreatment>) -> Result<[Vec<f64>; 3], Failure> {
    let description: Description = "gompertz + simeoni(docetaxel) + friberg(docetaxel)".parse()?;
    let model = description.build("docetaxel")?;
    let days: Vec<f64> = (0..=360).map(|step| f64::from(step) * 0.25).collect();
    let looks = days.iter().map(|&day| Time::from_days(day)).collect::<Result<Vec<_>, _>>()?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(treatments).sampled(looks);
    let course = simulate(model.as_ref(), &model.spec().defaults()?, &scenario, &mut Random::new(1))?;
    let column = |name: &str| -> Result<Vec<f64>, Failure> {
        Ok(course.column(&Observable::new(name)?).ok_or_else(|| format!("no observable `{name}`"))?)
    };
    Ok([days, column("tumor_volume")?, column("neutrophils")?])
}

fn main() -> Result<(), Failure> {
    let dose = |mg: f64| -> Result<Regimen, Failure> {
        Ok(Regimen::give(Treatment::bolus(Agent::new("docetaxel")?, Quantity::new(mg, "mg")?)?))
    };
    let schedules = [
        ("no drug", Vec::new()),
        ("180 mg every 3 weeks", dose(180.0)?.every_days(21).times(4).starting(Time::ORIGIN)?),
        ("60 mg every week", dose(60.0)?.every_days(7).times(12).starting(Time::ORIGIN)?),
    ];
    let (mut tumors, mut counts, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (label, treatments) in schedules {
        let [days, volume, neutrophils] = course(treatments)?;
        let nadir = neutrophils.iter().copied().fold(f64::INFINITY, f64::min);
        let grade = toxicity::neutropenia_grade(nadir, 2.0)?;
        let last = volume.last().copied().unwrap_or(f64::NAN);
        println!("{label}: tumor {last:.0} mm3 on day 90, neutrophils at least {nadir:.2} x 10^9/L, grade {grade}");
        rows.push(vec![label.to_owned(), format!("{last:.0}"), format!("{nadir:.2}"), grade.to_string()]);
        let curve = |values: Vec<f64>| Curve {
            label: label.to_owned(),
            points: days.iter().copied().zip(values).collect(),
            style: CurveStyle::Line,
        };
        tumors.push(curve(volume));
        counts.push(curve(neutrophils));
    }
    let day = || twin_trials::report::Quantity::linear("Time", "d");
    let figure = |caption: &str, vertical, curves| {
        Block::Figure(Figure::new(caption, Plot::Curves(CurvesFigure { horizontal: day(), vertical, curves })))
    };
    let volume = twin_trials::report::Quantity::logarithmic("Tumor volume", "mm³");
    let neutrophils = twin_trials::report::Quantity::linear("Neutrophils", "10⁹/L");
    let columns = vec![
        Column::text("Schedule"),
        Column::number("Volume on day 90 (mm³)"),
        Column::number("Nadir (10⁹/L)"),
        Column::number("Grade (CTCAE)"),
    ];
    let mut report = Report::new("Docetaxel: every three weeks or weekly");
    report.sections.push(Section {
        heading: "Tumor and neutrophils on one schedule and one kinetics".into(),
        blocks: vec![
            figure("The tumor: growth after Gompertz, cell loss after Simeoni.", volume, tumors),
            figure("The neutrophils, after Friberg.", neutrophils, counts),
            Block::Table(Table { caption: "The same in numbers".into(), columns, rows }),
            Block::Paragraph(
                "Typical values of published populations, not of a patient; the effect on the tumor is an assumption.".into(),
            ),
        ],
    });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/chemotherapy_neutropenia.html", report.to_html()?)?;
    println!("wrote target/chemotherapy_neutropenia.html");
    Ok(())
}
