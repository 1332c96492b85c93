#![no_main]
//! A table in Parquet: what is read can be written, and comes back.

use twin_io::{Limits, parquet};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    if let Ok(frame) = parquet::parse(bytes, "fuzz", &limits) {
        let again = parquet::parse(&parquet::to_bytes(&frame).expect("a table"), "again", &limits).expect("what was written can be read");
        // Not a number is not itself.
        assert_eq!(again.to_csv(), frame.to_csv());
    }
});
