//! Times inference against its limits and against established samplers: `inference_race [--json FILE]`.
//!
//! Rivals are run by the `python3` of the path: emcee, and nutpie with numba and arviz.

use std::io::Write;
use twin_tests::races::inference::rows;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = match arguments.as_slice() {
        [] => None,
        [flag, file] if flag == "--json" => Some(file),
        _ => return Err("usage: inference_race [--json FILE]".into()),
    };
    let rows = rows()?;
    println!("{:<32} {:>12} {:>12} {:>8}", "race", "ours", "rival", "ratio");
    for row in &rows {
        let rival = row.rival_s.map_or_else(|| "-".to_owned(), |rival| format!("{:.2} ms", rival * 1e3));
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        println!("{:<32} {:>9.2} ms {rival:>12} {ratio:>8}  {}", row.id, row.ours_s * 1e3, row.what);
    }
    if let Some(file) = json {
        let mut file = std::fs::File::create(file)?;
        for row in &rows {
            writeln!(file, "{}", serde_json::to_string(row)?)?;
        }
    }
    Ok(())
}
