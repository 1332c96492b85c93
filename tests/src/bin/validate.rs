//! Runs the published and certified numbers and prints how ours compare.
//!
//! `validate [--quick] [--only PREFIX] [--json FILE]`; exit status 1 if any claim fails.

use std::io::Write;
use std::process::ExitCode;
use twin_tests::claims::{self, Verdict};

struct Options {
    quick: bool,
    only: String,
    json: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { quick: false, only: String::new(), json: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--only" => options.only = value()?,
            "--json" => options.json = Some(value()?),
            _ => return Err(format!("`{argument}` is not known; known are --quick, --only PREFIX, --json FILE")),
        }
    }
    Ok(options)
}

fn print(verdict: &Verdict) {
    let ours = verdict.ours.map_or_else(|| "-".to_owned(), |ours| format!("{ours:.6}"));
    let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!("  ({reason})"));
    println!(
        "{:<5} {:<44} {:>16} {:>16} ± {:<9.3e} {:>7.2} s{reason}",
        verdict.verdict, verdict.id, ours, verdict.expected, verdict.tolerance, verdict.seconds
    );
}

fn validate() -> Result<bool, Box<dyn std::error::Error>> {
    let options = options()?;
    let chosen = |claim: &claims::Claim| claim.id.starts_with(&options.only) && (claim.quick || !options.quick);
    let mut json = options.json.as_ref().map(std::fs::File::create).transpose()?;
    println!("{:<5} {:<44} {:>16} {:>16}", "", "claim", "ours", "expected");
    let mut counts = [0_usize; 3];
    for claim in claims::all().iter().filter(|claim| chosen(claim)) {
        let verdict = claim.check();
        print(&verdict);
        counts[["pass", "fail", "open"].iter().position(|known| *known == verdict.verdict).unwrap_or(1)] += 1;
        if let Some(file) = &mut json {
            writeln!(file, "{}", serde_json::to_string(&verdict)?)?;
        }
    }
    let [passed, failed, open] = counts;
    println!("{passed} passed, {failed} failed, {open} open");
    if passed + failed + open == 0 {
        return Err(format!("no claim begins with `{}`", options.only).into());
    }
    Ok(failed == 0)
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
