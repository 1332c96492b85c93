#![no_main]
//! Variant calls.

use twin_io::Limits;
use twin_io::genomics::{Drivers, vcf};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let drivers = Drivers::parse("gene\tprotein\tsignificance\nBRAF\tp.V600E\tdriver\n", "drivers", &limits).expect("a table");
    for sample in [None, Some("TUMOR")] {
        if let Ok(calls) = vcf::parse(text, "fuzz", sample, &limits) {
            let _ = calls.alterations(&drivers);
        }
    }
});
