//! Writes one page of what planning came to on virtual patients: the fronts of 100 gliomas after Chaudhuri et al. 2023, advice for 200 synthetic
//! patients against their truth, by access and by subgroup, and the radiotherapy of a glioma in three dimensions.
//!
//! `planning FILE`; a few minutes in release.

use std::process::ExitCode;
use twin_core::Random;
use twin_tests::claims::chaudhuri2023::{self, Gains};
use twin_tests::claims::planning::{glioma, synthetic};
use twin_trials::planning::performance_by_group;
use twin_trials::report::{Block, Column, Curve, CurveStyle, CurvesFigure, Figure, Plot, Quantity, Report, Section, Table};

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[half - 1], values[half]) } else { values[half] }
}

/// The median with its standard error, by 2000 resamples of the patients.
fn median_and_error(values: &[f64]) -> (f64, f64) {
    let mut random = Random::new(1);
    let medians: Vec<f64> =
        (0..2000).map(|_| median(&mut values.iter().map(|_| values[random.below(values.len())]).collect::<Vec<_>>())).collect();
    let mean = medians.iter().sum::<f64>() / medians.len() as f64;
    let variance = medians.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (medians.len() - 1) as f64;
    (median(&mut values.to_vec()), variance.sqrt())
}

/// At most about 40 points of a front, its ends among them.
fn thinned(front: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = front.len().div_ceil(40).max(1);
    let last = front.len().saturating_sub(1);
    front.iter().enumerate().filter(|(place, _)| place % step == 0 || *place == last).map(|(_, point)| *point).collect()
}

fn gliomas(gains: &[Gains]) -> Section {
    let of = |value: fn(&Gains) -> f64| median_and_error(&gains.iter().map(value).collect::<Vec<_>>());
    let rows = [
        ("Days to progression gained at no more than 60 Gy, on the truth", "6", of(|gains| gains.days)),
        ("Percent of 60 Gy saved at control as foreseen for the standard", "16.7", of(|gains| 100.0 * gains.saved)),
        ("Days to progression gained by that plan of less dose, on the truth", "-", of(|gains| gains.kept)),
    ];
    let rows = rows.map(|(what, published, (ours, error))| {
        println!("{what}: {ours:.2} ± {error:.2} (published {published})");
        vec![what.to_owned(), published.to_owned(), format!("{ours:.2} ± {error:.2}")]
    });
    let table = Table {
        caption: "Medians of 100 virtual patients; priors are ours, so sizes are shown and not held to the published ones"
            .to_owned(),
        columns: vec![Column::text("What"), Column::number("Published"), Column::number("Ours, with standard error")],
        rows: rows.into(),
    };
    let front = |(number, gains): (usize, &Gains)| {
        let plot = CurvesFigure {
            horizontal: Quantity::linear("Total dose", "Gy"),
            vertical: Quantity::linear("Time to progression, mean of the worse half of the draws", "d"),
            curves: vec![
                Curve { label: "front of Pareto".to_owned(), points: thinned(&gains.front), style: CurveStyle::MarkedLine },
                Curve { label: "30 x 2 Gy".to_owned(), points: vec![gains.standard], style: CurveStyle::Markers },
            ],
        };
        Block::Figure(Figure::new(format!("Virtual patient {}", number + 1), Plot::Curves(plot)))
    };
    let blocks = std::iter::once(Block::Table(table)).chain(gains.iter().enumerate().map(front)).collect();
    Section { heading: "100 virtual gliomas".to_owned(), blocks }
}

fn page() -> Result<String, String> {
    let mut report = Report::new("Planning on virtual patients");
    let found = synthetic::realized()?;
    report.sections.push(performance_by_group("200 synthetic patients, by what was known of them", "d", &found.by_access));
    report.sections.push(performance_by_group("The same, by subgroup, with all modalities", "d", &found.by_subgroup));
    for group in found.by_access.iter().chain(&found.by_subgroup) {
        println!(
            "{:<22} n {:>3}  claimed {:.3}  best {:.3} ± {:.3}  regret {:.1} ± {:.1} (foreseen {:.1})  gain {:.1} ± {:.1}  width {:.0}  covered {:.3}",
            group.name,
            group.patients,
            group.claimed_best.value,
            group.best.value,
            group.best.standard_error,
            group.regret.value,
            group.regret.standard_error,
            group.foreseen_regret.value,
            group.gain.value,
            group.gain.standard_error,
            group.width.value,
            group.covered.value
        );
    }
    let glioma = glioma::found()?;
    let doses: Vec<String> = glioma.doses.iter().map(|gray| format!("{gray:.2}")).collect();
    println!("{glioma:?}");
    let lines = vec![
        format!("{} plans on 8 draws, voxels of 6 mm: {:.0} s.", glioma.plans, glioma.seconds),
        format!("Doses per fraction of the six weeks: {} Gy.", doses.join(", ")),
        format!("Cells left in the worst quarter of the draws, over those of the standard: {:.3}.", glioma.ratios[0]),
        format!(
            "The same on voxels of 3 mm: {:.3}; the cells left differ by up to {:.1} %.",
            glioma.ratios[1],
            100.0 * glioma.error
        ),
    ];
    report.sections.push(Section { heading: "A glioma in three dimensions".to_owned(), blocks: vec![Block::List(lines)] });
    report.sections.push(gliomas(chaudhuri2023::all()?));
    report.to_html().map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let file = std::env::args().nth(1);
    let written = match &file {
        None => Err("usage: planning FILE".to_owned()),
        Some(file) => page().and_then(|page| std::fs::write(file, page).map_err(|error| format!("{file}: {error}"))),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("planning: {error}");
            ExitCode::from(2)
        }
    }
}
