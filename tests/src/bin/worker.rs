//! A process that runs a part of the [study](twin_tests::study): `worker journal FILE SIZE`, or `worker shard FOLDER SIZE INDEX OF`.

use std::path::Path;
use std::process::ExitCode;
use twin_tests::study::{MANIFEST, trial};
use twin_trials::batch::{Batch, Shard};

fn work(arguments: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    match arguments {
        ["journal", file, size] => {
            let trial = trial(size.parse()?)?;
            Batch::new(&trial, MANIFEST)?.run_journaled(Path::new(file), &())?;
        }
        ["shard", folder, size, index, of] => {
            let trial = trial(size.parse()?)?;
            let shard = Shard::new(index.parse()?, of.parse()?)?;
            Batch::new(&trial, MANIFEST)?.run_shard(shard, Path::new(folder), &())?;
        }
        _ => return Err("usage: worker journal FILE SIZE | worker shard FOLDER SIZE INDEX OF".into()),
    }
    Ok(())
}

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match work(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
