//! Runs every row of the validation table, and prints how ours compares with what was published, certified or computed elsewhere.
//!
//! `validate [--quick] [--only PREFIX] [--json FILE] [--page FILE] [--record]`; exit status 1 if any row fails, 2 if it cannot run.

use std::io::Write;
use std::process::ExitCode;
use twin_tests::claims::{self, Claim, Outcome, Verdict, record, table};
use twin_trials::report::{Block, Column, Report, Section, Table};

const USAGE: &str = "known are --quick, --only PREFIX, --json FILE, --page FILE, --record";

#[derive(Default)]
struct Options {
    /// Leave out what is slow.
    quick: bool,
    /// Run the rows alone whose ids begin so.
    only: String,
    /// Write the verdicts, one in each line.
    json: Option<String>,
    /// Write the table as one HTML page.
    page: Option<String>,
    /// Write the outcomes into the book.
    record: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--only" => options.only = value()?,
            "--json" => options.json = Some(value()?),
            "--page" => options.page = Some(value()?),
            "--record" => options.record = true,
            _ => return Err(format!("`{argument}` is not known; {USAGE}")),
        }
    }
    Ok(options)
}

fn print(verdict: &Verdict) {
    let ours = verdict.ours.map_or_else(|| "-".to_owned(), |ours| format!("{ours:.6}"));
    let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!("  ({reason})"));
    println!(
        "{:<14} {:<48} {:>16} {:>16} ± {:<9.3e} {:>7.2} s{reason}",
        verdict.verdict.word(),
        verdict.id,
        ours,
        verdict.expected,
        verdict.tolerance,
        verdict.seconds
    );
}

fn counts(verdicts: &[Verdict]) -> [(Outcome, usize); 4] {
    Outcome::ALL.map(|outcome| (outcome, verdicts.iter().filter(|verdict| verdict.verdict == outcome).count()))
}

/// The table as a page, with the rows that do not pass first.
fn page(verdicts: &[Verdict]) -> Result<String, twin_trials::TrialError> {
    let row = |verdict: &Verdict| {
        let ours = verdict.ours.map_or_else(|| "–".to_owned(), table::number);
        let why = verdict.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let expected = format!("{} ± {}", table::number(verdict.expected), table::number(verdict.tolerance));
        // Ids may break after their marks, so that a narrow table holds them.
        let id = verdict.id.replace('.', ".\u{200b}").replace('_', "_\u{200b}");
        vec![id, verdict.claim.clone(), expected, ours, format!("{}{why}", verdict.verdict.word()), verdict.source.clone()]
    };
    let columns = ["row", "what", "expected", "ours", "outcome", "source"].map(Column::text).to_vec();
    let of = |heading: &str, pass: bool| {
        let chosen = verdicts.iter().filter(|verdict| (verdict.verdict == Outcome::Pass) == pass);
        let rows: Vec<_> = chosen.map(row).collect();
        let table = Block::Table(Table { caption: heading.to_owned(), columns: columns.clone(), rows });
        Section { heading: heading.to_owned(), blocks: vec![table] }
    };
    let mut report = Report::new("Validation");
    report.subtitle = "Ours against what was published, certified or computed elsewhere".to_owned();
    report.notice = "Agreement with these numbers is no evidence of use for any patient.".to_owned();
    let figures = counts(verdicts).map(|(outcome, count)| (outcome.word().to_owned(), count.to_string())).to_vec();
    report.sections.push(Section { heading: "Outcomes".to_owned(), blocks: vec![Block::KeyFigures(figures)] });
    report.sections.push(of("What does not pass", false));
    report.sections.push(of("What passes", true));
    report.sections.retain(|section| !matches!(section.blocks.as_slice(), [Block::Table(table)] if table.rows.is_empty()));
    report.to_html()
}

fn validate() -> Result<bool, Box<dyn std::error::Error>> {
    let options = options()?;
    let all = claims::all();
    let faults = table::faults(&all);
    for fault in &faults {
        eprintln!("validate: {fault}");
    }
    let chosen = |claim: &&Claim| claim.id.starts_with(&options.only) && (claim.quick || !options.quick);
    let mut json = options.json.as_ref().map(std::fs::File::create).transpose()?;
    println!("{:<14} {:<48} {:>16} {:>16}", "", "row", "ours", "expected");
    let mut verdicts = Vec::new();
    for claim in all.iter().filter(chosen) {
        let verdict = claim.check();
        print(&verdict);
        if let Some(file) = &mut json {
            writeln!(file, "{}", serde_json::to_string(&verdict)?)?;
        }
        verdicts.push(verdict);
    }
    if verdicts.is_empty() {
        return Err(format!("no row begins with `{}`", options.only).into());
    }
    println!("\n{}", table::tally(&all));
    let seconds: f64 = verdicts.iter().map(|verdict| verdict.seconds).sum();
    let outcomes = counts(&verdicts).map(|(outcome, count)| format!("{count} {}", outcome.word()));
    println!("{} rows run in {seconds:.0} s: {}", verdicts.len(), outcomes.join(", "));
    if let Some(path) = &options.page {
        std::fs::write(path, page(&verdicts)?)?;
    }
    if options.record {
        record::write(&record::updated(record::read()?, &all, &verdicts), &all)?;
    }
    Ok(faults.is_empty() && verdicts.iter().all(|verdict| verdict.verdict != Outcome::Fail))
}

fn main() -> ExitCode {
    match validate() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("validate: {error}");
            ExitCode::from(2)
        }
    }
}
