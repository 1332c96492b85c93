//! The embedded case of the example is what its documented generator makes.
#![allow(clippy::unwrap_used)]

#[path = "../../twin-trials/examples/patient_twin/case.rs"]
mod case;

#[test]
fn the_embedded_patient_is_the_generators() {
    let embedded = include_str!("../../twin-trials/examples/patient_twin/virtual_patient.json");
    assert_eq!(twin_io::json::parse_patient(embedded).unwrap(), case::virtual_patient().unwrap());
    assert_eq!(embedded, twin_io::json::to_string(&case::virtual_patient().unwrap()).unwrap());
}
