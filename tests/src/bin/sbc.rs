//! Ranks truths among draws of their posteriors and draws the picture of the book.
//!
//! `sbc [--replicates N] METHOD:MODEL ...` computes histograms and puts them into the table in place of former ones; without any pair the picture is drawn
//! again from the table.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use twin_tests::sbc_picture::{draw, rows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/pictures");
    let file = folder.join("sbc.csv");
    let former = std::fs::read_to_string(&file).unwrap_or_default();
    let key = |line: &str| line.splitn(3, ',').take(2).collect::<Vec<_>>().join(":");
    let mut table: BTreeMap<String, String> = BTreeMap::new();
    for line in former.lines() {
        let own = table.entry(key(line)).or_default();
        own.push_str(line);
        own.push('\n');
    }
    let (mut replicates, mut arguments) = (500, std::env::args().skip(1));
    while let Some(argument) = arguments.next() {
        if argument == "--replicates" {
            replicates = arguments.next().ok_or("--replicates needs a number")?.parse()?;
            continue;
        }
        let (method, model) = argument.split_once(':').ok_or("usage: sbc [--replicates N] METHOD:MODEL ...")?;
        let start = Instant::now();
        table.insert(argument.clone(), rows(method, model, replicates)?);
        println!("{argument}: {replicates} replicates in {:.1} s", start.elapsed().as_secs_f64());
        let text: String = table.values().map(String::as_str).collect();
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&file, text)?;
    }
    let text: String = table.values().map(String::as_str).collect();
    std::fs::write(folder.join("sbc.svg"), draw(&text))?;
    Ok(())
}
