#![no_main]
//! A model in SBML: what is read has a model, and lives through a day.

use twin_core::{Random, Time};
use twin_io::{Limits, sbml};
use twin_models::{Model, Scenario, simulate};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let day = "d".parse().expect("a unit");
    if let Ok(file) = sbml::parse(text, "fuzz", Some(&day), &Limits::default())
        && let Ok(model) = file.equations.model()
        && let Ok(parameters) = model.spec().defaults()
    {
        // A short time, since steps may be as small as a hostile file makes them.
        let looks = [1e-6, 2e-6].map(|day| Time::from_days(day).expect("a time"));
        let _ = simulate(&model, &parameters, &Scenario::starting(Time::ORIGIN).sampled(looks), &mut Random::new(1));
    }
});
