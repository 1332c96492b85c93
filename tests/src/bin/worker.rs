//! A process that runs the [study](twin_tests::study) or a part of it:
//! `worker journal FILE SIZE`, `worker shard FOLDER SIZE INDEX OF`, `worker table FOLDER SIZE OF FILE`, or `worker scale SIZE [THREADS]`,
//! which prints how long a trial of that size takes in two arms, journal included, and how much memory; `worker ratios` prints what the
//! engine costs beyond bare integration, and what a second thread gains.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use twin_tests::races::engine;
use twin_tests::study::{MANIFEST, trial};
use twin_trials::batch::{Batch, EnergyAssumptions, EnergyMeter, Shard, Summary, write_table};

const USAGE: &str = "usage: worker journal FILE SIZE | worker shard FOLDER SIZE INDEX OF | worker table FOLDER SIZE OF FILE \
                     | worker scale SIZE [THREADS] | worker ratios";

/// The most memory that this process ever held, in MiB; `None` where the system does not tell.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// What the engine costs beyond bare integration, and what a second thread gains.
#[allow(clippy::print_stdout)]
fn ratios() -> Result<(), Box<dyn std::error::Error>> {
    for row in engine::rows()? {
        let rival = row.rival_s.unwrap_or(f64::NAN);
        println!(
            "{}: ours {:.4} s, rival {rival:.4} s, ours over rival {:.3}: {}",
            row.id,
            row.ours_s,
            row.ours_s / rival,
            row.what
        );
    }
    Ok(())
}

#[allow(clippy::print_stdout)]
fn scale(size: usize, threads: usize) -> Result<(), Box<dyn std::error::Error>> {
    let trial = trial(size)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let path = std::env::temp_dir().join(format!("twin-scale-{}.outcomes", std::process::id()));
    let batch = Batch::new(&trial, MANIFEST)?;
    let assumed = EnergyAssumptions {
        watts_per_core: 10.0,
        power_usage_effectiveness: 1.2,
        grams_per_kwh: 400.0,
        source: "assumed, for want of a provider's figures".to_owned(),
    };
    let (meter, begun) = (EnergyMeter::start(assumed, threads)?, Instant::now());
    pool.install(|| batch.run_journaled(&path, &()))?;
    println!("energy {}", meter.read());
    let (ran, begun) = (begun.elapsed().as_secs_f64(), Instant::now());
    let summary = Summary::of(&trial, batch.read(&path)?)?;
    let summarized = begun.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path)?.len();
    std::fs::remove_file(&path)?;
    println!("{size} patients in {} arms on {threads} threads: {ran:.1} s, {:.0} patients/s", trial.arms.len(), size as f64 / ran);
    println!("journal {:.1} MB, read and summarized in {summarized:.1} s", bytes as f64 / 1e6);
    for arm in &trial.arms {
        let tally = summary.tally(&arm.name, "time to progression")?;
        let median = tally.median_time().map_or_else(|| "not reached".to_owned(), |days| format!("{days} d"));
        println!("{}: {} events, median time to progression {median}", arm.name, tally.events());
    }
    match peak_mib() {
        Some(peak) => println!("peak memory {peak:.1} MiB"),
        None => println!("peak memory unknown: this system does not tell"),
    }
    Ok(())
}

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
        ["table", folder, size, of, file] => {
            let trial = trial(size.parse()?)?;
            let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
            write_table(&trial, Batch::new(&trial, MANIFEST)?.read_shards(of.parse()?, Path::new(folder))?, &mut out)?;
            out.flush()?;
        }
        ["ratios"] => ratios()?,
        ["scale", size] => scale(size.parse()?, 2)?,
        ["scale", size, threads] => scale(size.parse()?, threads.parse()?)?,
        _ => return Err(USAGE.into()),
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
