#![no_main]
//! A bundle: what is read is written, and comes back as it was.

use twin_core::SubjectId;
use twin_io::fhir::{self, Identity};
use twin_io::{Date, Limits};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let identity = Identity { subject: SubjectId::new("S").expect("a name"), origin: Date::parse("2024-01-01").expect("a date") };
    if let Ok(bundle) = fhir::parse(text, "fuzz", &identity, &Limits::default())
        && let Ok(written) = fhir::to_text(&bundle.patient, &identity)
    {
        let again = fhir::parse(&written.text, "again", &identity, &Limits::default()).expect("what was written can be read");
        assert_eq!(again.patient, bundle.patient);
    }
});
