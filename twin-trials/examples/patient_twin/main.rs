//! One patient, one twin, one decision: reads a record, calibrates a model on it, forecasts, compares policies in silico, and writes a
//! report for the browser.
//!
//! Without arguments on an embedded virtual patient; on a real one with
//! `--table FILE --patient ID [--report OUT.html]`, from a PSA table that one of the ready mappings fits.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its result")]

mod case;
mod page;
mod twin;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;
use twin_calibrate::{Flow, Observer, Progress};
use twin_core::Patient;
use twin_io::Limits;
use twin_io::table::{Mapping, read_header, read_patient_from_table};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str =
    "usage: patient_twin [--table FILE --patient ID] [--report OUT.html]\n       patient_twin --make-case FILE.json";

#[derive(Default)]
struct Arguments {
    table: Option<PathBuf>,
    patient: Option<String>,
    report: Option<PathBuf>,
    make_case: Option<PathBuf>,
}

fn arguments() -> Result<Arguments, Failure> {
    let mut arguments = Arguments::default();
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let value = given.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--table" => arguments.table = Some(value.into()),
            "--patient" => arguments.patient = Some(value),
            "--report" => arguments.report = Some(value.into()),
            "--make-case" => arguments.make_case = Some(value.into()),
            _ => return Err(format!("`{flag}` is not known\n{USAGE}").into()),
        }
    }
    if arguments.table.is_some() != arguments.patient.is_some() {
        return Err(format!("--table and --patient belong together\n{USAGE}").into());
    }
    Ok(arguments)
}

fn read(arguments: &Arguments) -> Result<Patient, Failure> {
    let (Some(table), Some(id)) = (&arguments.table, &arguments.patient) else {
        return Ok(twin_io::json::parse_patient(include_str!("virtual_patient.json"))?);
    };
    let limits = Limits::default();
    let header = read_header(table, ',', &limits)?;
    let mapping = Mapping::detect(&header).ok_or_else(|| format!("{}: no ready mapping fits its columns", table.display()))?;
    Ok(read_patient_from_table(table, &mapping, id, &limits)?)
}

/// Writes the file as a whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&draft);
        format!("{}: {error}", path.display()).into()
    })
}

/// Shows progress: on one line of a terminal, or a line for each stage elsewhere.
struct Shown {
    last: Mutex<(&'static str, usize)>,
}

impl Observer for Shown {
    fn progress(&self, progress: &Progress) -> Flow {
        let percent = 100 * progress.done / progress.total.max(1) / 5 * 5;
        let (mut stderr, terminal) = (std::io::stderr(), std::io::stderr().is_terminal());
        if let Ok(mut last) = self.last.lock()
            && (terminal && *last != (progress.stage, percent) || last.0 != progress.stage)
        {
            let _ = if terminal {
                write!(stderr, "\r{:<24} {percent:>3} %  ", progress.stage)
            } else {
                writeln!(stderr, "{} …", progress.stage)
            };
            let _ = stderr.flush();
            *last = (progress.stage, percent);
        }
        Flow::Continue
    }
}

fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    if let Some(file) = &arguments.make_case {
        return write(file, &twin_io::json::to_string(&case::virtual_patient()?)?);
    }
    let start = Instant::now();
    let patient = read(&arguments)?;
    let twin = twin::make(&patient, &Shown { last: Mutex::new(("", 0)) })?;
    eprintln!();

    println!("Twin of patient {}: {} PSA readings, therapy: {}", patient.id, twin::psa(&patient).len(), twin.drug);
    println!("For research. Not for clinical use without review.\n");
    if let Some(score) = page::score(&twin) {
        println!("Forecast of the last {} readings        90 % band   median error of log10(PSA + 0.1)", score.points);
        println!("  the twin                            {:>3} of {:<3}   {:.3}", score.covered, score.points, score.error);
        println!("  last value carried forward                  -   {:.3}\n", score.carried_error);
    }
    println!(
        "{:<14} {:>11} {:>26} {:>20} {:>20}",
        "Policy", "progressed", "days to progression or end", "% of time off drug", "days on drug"
    );
    for row in page::policy_rows(&twin)? {
        println!("{:<14} {:>11} {:>26} {:>20} {:>20}", row[0], row[1], row[2], row[3], row[4]);
    }
    let path = arguments.report.unwrap_or_else(|| PathBuf::from("target/patient_twin.html"));
    write(&path, &page::report(&patient, &twin)?.to_html()?)?;
    println!("\nmedian (90 % interval) over {} virtual twins; {:.0} s", twin::TWINS, start.elapsed().as_secs_f64());
    println!("Report, for the browser: {}", path.display());
    Ok(())
}
