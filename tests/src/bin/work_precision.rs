//! Times solvers on problems with known digits, tolerance by tolerance, and draws work against precision.
//!
//! `work_precision [--svg FILE]`; CVODE takes part where a C compiler and SUNDIALS are installed, else it is named as absent.

use twin_tests::races::cases::Case;
use twin_tests::races::rival_solvers::Cvode;
use twin_tests::races::work_precision::{curves, picture, rows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let svg = match arguments.as_slice() {
        [] => None,
        [flag, file] if flag == "--svg" => Some(file),
        _ => return Err("usage: work_precision [--svg FILE]".into()),
    };
    let folder = std::env::temp_dir().join(format!("work_precision_{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let cvode = Cvode::build(&folder);
    if cvode.is_none() {
        println!("CVODE is absent: no C compiler, or no SUNDIALS");
    }
    let mut all = Vec::new();
    for case in Case::ALL {
        let found = curves(case, cvode.as_ref())?;
        println!("{}", case.name());
        for curve in &found {
            let points = curve.points.iter().map(|point| format!("{:.1e}: {:.1} us", point.error, point.seconds * 1e6));
            println!("  {:<18} {}", curve.solver, points.collect::<Vec<_>>().join("   "));
            for (tolerance, failure) in &curve.failures {
                println!("  {:<18} fails at {tolerance:e}: {failure}", "");
            }
        }
        all.push((case, found));
    }
    std::fs::remove_dir_all(&folder)?;
    for row in rows(&all) {
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        println!("{:<40} {:>10.1} us {ratio:>8}  {}", row.id, row.ours_s * 1e6, row.what);
    }
    if let Some(file) = svg {
        std::fs::write(file, picture(&all))?;
    }
    Ok(())
}
