#![no_main]
//! A patient record: what is read is written, and comes back as it was.

use twin_io::json;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(patient) = json::parse_patient(text) {
        let written = json::to_string(&patient).expect("what was read can be written");
        assert_eq!(json::parse_patient(&written).expect("what was written can be read"), patient);
    }
});
