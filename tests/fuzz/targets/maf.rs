#![no_main]
//! Mutation annotation, tables of drivers and matrices.

use twin_core::ExpressionMeasure;
use twin_io::Limits;
use twin_io::genomics::{Drivers, maf, matrix};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let drivers = Drivers::parse(text, "drivers", &limits).unwrap_or_default();
    if let Ok(maf) = maf::parse(text, "fuzz", &limits) {
        for (sample, _) in &maf.samples {
            let _ = maf.alterations(sample, &drivers);
        }
    }
    let _ = matrix::parse_copy_numbers(text, "fuzz", &limits);
    let _ = matrix::parse_expression(text, "fuzz", ExpressionMeasure::Tpm, &limits);
});
