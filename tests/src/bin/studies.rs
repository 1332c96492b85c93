//! Runs published trials on virtual patients and prints, for each, what came out and the verdict.
//!
//! `studies [ID]…`; all by default.

use std::process::ExitCode;
use twin_tests::studies::{self, verdict};

fn print(chosen: &[String]) -> Result<(), String> {
    let known = studies::all();
    if let Some(unknown) = chosen.iter().find(|id| known.iter().all(|study| study.id != id.as_str())) {
        let ids: Vec<&str> = known.iter().map(|study| study.id).collect();
        return Err(format!("there is no study `{unknown}`; there are: {}", ids.join(", ")));
    }
    for study in known.iter().filter(|study| chosen.is_empty() || chosen.iter().any(|id| id == study.id)) {
        println!("{}: {}\n  {}\n  given: {}", study.id, study.title, study.source, study.given);
        let Some(findings) = study.run()? else {
            println!("  open: its data are absent\n");
            continue;
        };
        for finding in &findings {
            let target = &finding.target;
            let sign = if finding.holds() { "+" } else { "-" };
            println!(
                "  {sign} {:<24} published {:>9.4}  ours {:>9.4} (Monte-Carlo error {:.4})  bounds {:.4} to {:.4}: {}",
                target.id, target.published, finding.ours, finding.error, target.within[0], target.within[1], target.what
            );
        }
        println!("  verdict: {}\n", verdict(&findings));
    }
    Ok(())
}

fn main() -> ExitCode {
    match print(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("studies: {error}");
            ExitCode::from(2)
        }
    }
}
