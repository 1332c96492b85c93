#![no_main]
//! A table through a mapping.

use twin_io::Limits;
use twin_io::table::{Mapping, parse_table};

libfuzzer_sys::fuzz_target!(|text: &str| {
    for mapping in [Mapping::abiraterone(), Mapping::intermittent_androgen_deprivation()].into_iter().flatten() {
        let _ = parse_table(text, "fuzz", &mapping, &Limits::default());
    }
    let _ = Mapping::from_toml(text);
});
