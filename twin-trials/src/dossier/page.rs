//! The dossier as a report.

use super::facts::Facts;
use super::{Answer, Dossier, Item, Refinement};
use crate::TrialError;
use crate::report::{Block, Column, Report, Section, Table, format_number};

fn table(caption: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Block {
    let columns = columns.iter().map(|heading| Column::text(*heading)).collect();
    Block::Table(Table { caption: caption.to_owned(), columns, rows })
}

fn items(caption: &str, items: &[Item]) -> Block {
    let numbered = items.iter().any(|item| !item.number.is_empty());
    let row = |item: &Item| {
        let mut row = vec![item.topic.to_owned(), item.answer.origin().to_owned(), item.answer.text().to_owned()];
        if numbered {
            row.insert(0, item.number.to_owned());
        }
        row
    };
    let columns: &[&str] =
        if numbered { &["item", "asks for", "answer", "what is known"] } else { &["asks for", "answer", "what is known"] };
    table(caption, columns, items.iter().map(row).collect())
}

fn section(heading: &str, blocks: Vec<Block>) -> Section {
    Section { heading: heading.to_owned(), blocks }
}

fn parameters(facts: &Facts) -> Block {
    let number = |value: f64| format_number(value, 3);
    let rows = facts.spec.parameters.iter().zip(&facts.beliefs).map(|(parameter, belief)| {
        let believed = belief.quantiles.map_or_else(
            || "not calibrated here".to_owned(),
            |[low, middle, high]| format!("{} ({} to {})", number(middle), number(low), number(high)),
        );
        vec![
            parameter.name.to_string(),
            parameter.unit.to_string(),
            format!("{} to {}", number(parameter.low), number(parameter.high)),
            number(parameter.default),
            believed,
            parameter.source.to_string(),
        ]
    });
    let columns = ["parameter", "unit", "range", "default", "posterior: median (90 % interval)", "source of the default"];
    table("Parameters, what is believed of them, and where their defaults come from", &columns, rows.collect())
}

fn refinements(found: &[Refinement]) -> Block {
    let row = |found: &Refinement| {
        let with_unit = format!("{} {}", format_number(found.largest, 3), found.unit);
        vec![
            found.result.clone(),
            found.setting.clone(),
            with_unit.trim().to_owned(),
            format_number(found.relative, 3),
            found.compared.to_string(),
            found.changed.to_string(),
        ]
    };
    let columns = ["result", "made finer", "largest difference", "relative", "compared", "of another kind"];
    table("Numerical error, measured by repeating the run at a finer setting", &columns, found.iter().map(row).collect())
}

fn run(facts: &Facts) -> Vec<Block> {
    let rows = facts.method.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    let mut blocks = vec![table("How it was made", &["what", "value"], rows), Block::Paragraph(facts.failures.clone())];
    if !facts.data.is_empty() {
        let rows = facts.data.iter().map(|row| row.to_vec()).collect();
        blocks.push(table("Data, with their provenance", &["what", "entries", "days", "from"], rows));
    }
    blocks.extend(facts.unused.clone().map(Block::Paragraph));
    if !facts.outcomes.is_empty() {
        let rows = facts.outcomes.iter().map(|row| row.to_vec()).collect();
        let columns = ["arm", "endpoint", "assessed", "events", "not evaluable", "outcome"];
        blocks.push(table("Outcomes of the virtual patients", &columns, rows));
    }
    blocks
}

pub(super) fn report(dossier: &Dossier) -> Result<Report, TrialError> {
    let facts = &dossier.facts;
    let parts = [dossier.use_and_risk(), dossier.factors(), dossier.tripod(), dossier.card()];
    let count = |wanted: fn(&Answer) -> bool| parts.iter().flatten().filter(|item| wanted(&item.answer)).count().to_string();
    let figures = vec![
        ("from the run".to_owned(), count(|answer| matches!(answer, Answer::Run(_)))),
        ("given by people".to_owned(), count(|answer| matches!(answer, Answer::Given(_)))),
        ("open".to_owned(), count(|answer| matches!(answer, Answer::Open(_)))),
    ];
    let [head, factors, tripod, card] = &parts;
    let mut report = Report::new("Credibility dossier");
    report.subtitle.clone_from(&facts.subject);
    report.facts = vec![("Model".to_owned(), facts.spec.id.clone()), ("Predicts".to_owned(), facts.predicted.clone())];
    report.notice = "A dossier lays open what is known of a model and what is not. It does not judge the model, and no standard is met by it alone."
        .to_owned();
    let mut numerical = vec![Block::Paragraph(
        "A run that is repeated at a finer numerical setting shows how much of a result is error of calculation.".to_owned(),
    )];
    if dossier.refinements.is_empty() {
        numerical.push(Block::Paragraph("Open: this run was not repeated.".to_owned()));
    } else {
        numerical.push(refinements(&dossier.refinements));
    }
    let cited = [
        "ASME V&V 40-2018, Assessing Credibility of Computational Modeling through Verification and Validation: Application to Medical Devices",
        "FDA 2023, Assessing the Credibility of Computational Modeling and Simulation in Medical Device Submissions, docket FDA-2021-D-0980",
        "ICH M15, General Principles for Model-Informed Drug Development",
        "Collins et al. 2024, TRIPOD+AI statement, BMJ 385:e078378, doi:10.1136/bmj-2023-078378",
        "Mitchell et al. 2019, Model Cards for Model Reporting, doi:10.1145/3287560.3287596",
    ];
    report.sections = vec![
        section("How much is known", vec![Block::KeyFigures(figures)]),
        section("Use and risk", vec![items("Question, context and risk (ASME V&V 40, FDA 2023, ICH M15)", head)]),
        section("What was run", run(facts)),
        section("Inputs", vec![parameters(facts)]),
        section("Error of calculation", numerical),
        section("Credibility factors", vec![items("Credibility factors (ASME V&V 40)", factors)]),
        section("Model card", vec![items("Model card (Mitchell et al. 2019)", card)]),
        section("TRIPOD+AI", vec![items("Checklist of TRIPOD+AI (Collins et al. 2024), in this library's words", tripod)]),
        section("Standards", vec![Block::List(cited.map(str::to_owned).to_vec())]),
    ];
    Ok(report)
}
