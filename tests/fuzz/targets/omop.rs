#![no_main]
//! Tables of the OMOP common data model, one behind the other: what is read is written, and comes back.

use twin_core::SubjectId;
use twin_io::omop::{Concepts, Tables};
use twin_io::{Date, Limits, dataframe::DataFrame, fhir::Identity};

const NAMES: [&str; 10] = [
    "concept",
    "person",
    "observation_period",
    "death",
    "condition_occurrence",
    "measurement",
    "drug_exposure",
    "procedure_occurrence",
    "episode",
    "episode_event",
];

libfuzzer_sys::fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let mut frames = Vec::new();
    for (name, text) in NAMES.iter().zip(text.split("\n\n")) {
        let Ok(frame) = DataFrame::parse_csv(text, name, ',', &limits) else { return };
        frames.push((*name, frame));
    }
    let Some((_, first)) = frames.first() else { return };
    let Ok(concepts) = Concepts::of(first) else { return };
    let identity = Identity { subject: SubjectId::new("S").expect("a name"), origin: Date::parse("2024-01-01").expect("a date") };
    let Ok(tables) = Tables::new(frames) else { return };
    for person in tables.persons().unwrap_or_default().into_iter().take(3) {
        if let Ok(record) = tables.patient(person, &identity, &concepts, &limits)
            && let Ok(written) = Tables::of_patient(&record.patient, person, &identity, &concepts)
        {
            let _ = written.tables.patient(person, &identity, &concepts, &limits).expect("what was written can be read");
        }
    }
});
