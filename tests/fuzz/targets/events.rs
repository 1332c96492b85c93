#![no_main]
//! A table of doses and observations.

use twin_core::{Agent, CovariateName, Observable};
use twin_io::Limits;
use twin_io::events::{Entry, Events, Seen};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let events = Events {
        agent: Agent::new("drug").expect("a name"),
        dose_unit: "mg".parse().expect("a unit"),
        time_unit: "h".parse().expect("a unit"),
        entries: vec![(1, Entry::Oral), (2, Entry::Intravenous)],
        seen: vec![(2, Seen { observable: Observable::new("drug").expect("a name"), unit: "mg/L".parse().expect("a unit") })],
        covariates: vec![("WT".to_owned(), CovariateName::WEIGHT, "kg".parse().expect("a unit"))],
        left_out: vec!["x".to_owned()],
    };
    let _ = events.parse(text, "fuzz", &Limits::default());
});
