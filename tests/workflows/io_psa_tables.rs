//! Two published tables of real patients, read through their ready mappings. The expected numbers were counted in the files with
//! awk, not with this library.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use twin_core::{Agent, Event, Observable, Origin, Patient, Time, Treatment};
use twin_io::table::{self, Mapping};
use twin_io::{IoError, Limits, json};
use twin_tests::data;

const ABIRATERONE: &str = "data/adaptive_abiraterone_zhang2022/psa.csv";
const DEPRIVATION: &str = "data/iadt_psa_bruchovsky/psa.csv";

/// What a table should hold of all its patients together.
struct Facts {
    patients: usize,
    psa: (usize, f64),
    testosterone: (usize, f64),
    on_at_first: usize,
    changes: usize,
    /// The last day on which anything was observed.
    last_day: f64,
}

fn read(file: &Path) -> Vec<Patient> {
    let limits = Limits::default();
    let mapping = Mapping::detect(&table::read_header(file, ',', &limits).unwrap()).unwrap();
    table::read_table(file, &mapping, &limits).unwrap()
}

/// How many values there are of an observable, and their sum, which must all be in `unit`.
fn total(patients: &[Patient], observable: &Observable, unit: &str) -> (usize, f64) {
    let observations = patients.iter().flat_map(|patient| patient.timeline.observations_of(observable));
    let values: Vec<f64> = observations
        .map(|(_, observation)| observation.finding.quantity().unwrap())
        .inspect(|quantity| assert_eq!(quantity.unit().code(), unit))
        .map(|quantity| quantity.value())
        .collect();
    (values.len(), values.iter().sum())
}

fn check(patients: &[Patient], agent: &str, facts: &Facts) {
    let agent = Agent::new(agent).unwrap();
    let (on, off) = (Treatment::on(agent.clone()), Treatment::off(agent));
    assert_eq!(patients.len(), facts.patients);
    for (observable, unit, (count, sum)) in
        [(Observable::PSA, "ng/mL", facts.psa), (Observable::TESTOSTERONE, "nmol/L", facts.testosterone)]
    {
        let found = total(patients, &observable, unit);
        assert_eq!(found.0, count, "{observable}");
        assert!((found.1 - sum).abs() < 1e-6, "{observable}: {} instead of {sum}", found.1);
    }
    let statuses: Vec<Vec<Treatment>> =
        patients.iter().map(|patient| patient.timeline.treatments().into_iter().map(|timed| timed.treatment).collect()).collect();
    assert!(statuses.iter().flatten().all(|status| *status == on || *status == off));
    assert!(statuses.iter().all(|patient| patient.windows(2).all(|pair| pair[0] != pair[1])), "an entry that changes nothing");
    assert_eq!(statuses.iter().filter(|patient| patient[0] == on).count(), facts.on_at_first);
    assert_eq!(statuses.iter().map(|patient| patient.len() - 1).sum::<usize>(), facts.changes);
    let observed = patients.iter().filter_map(|patient| patient.timeline.observations().next_back());
    assert_eq!(observed.map(|(time, _)| time).max(), Some(Time::from_days(facts.last_day).unwrap()));
}

#[test]
fn adaptive_abiraterone_zhang2022() {
    let Some(file) = data("adaptive_abiraterone_zhang2022", ABIRATERONE) else { return };
    let patients = read(&file);
    let facts = Facts { patients: 4, psa: (74, 895.37), testosterone: (0, 0.0), on_at_first: 3, changes: 20, last_day: 916.0 };
    check(&patients, "abiraterone", &facts);
    let ids: Vec<_> = patients.iter().map(|patient| patient.id.as_str()).collect();
    assert_eq!(ids, ["P1001", "P1002", "P1003", "C001"]);
}

#[test]
fn intermittent_androgen_deprivation_bruchovsky2006() {
    let Some(file) = data("intermittent_androgen_deprivation_bruchovsky2006", DEPRIVATION) else { return };
    let patients = read(&file);
    let facts =
        Facts { patients: 37, psa: (1686, 7394.13), testosterone: (1450, 7156.2), on_at_first: 37, changes: 174, last_day: 2305.0 };
    check(&patients, "androgen deprivation", &facts);
    assert_eq!((patients[0].id.as_str(), patients[36].id.as_str()), ("001", "109"));
}

#[test]
fn one_patient_row_by_row() {
    let Some(file) = data("one_patient_row_by_row", DEPRIVATION) else { return };
    let mapping = Mapping::intermittent_androgen_deprivation().unwrap();
    let patient = table::read_patient_from_table(&file, &mapping, "109", &Limits::default()).unwrap();
    // 53 rows: 37 with PSA, 37 with testosterone, some with neither; the status changes 3 times after the first.
    assert_eq!(patient.timeline.observations_of(&Observable::PSA).count(), 37);
    assert_eq!(patient.timeline.observations_of(&Observable::TESTOSTERONE).count(), 37);
    assert_eq!(patient.timeline.treatments().len(), 4);
    let first = &patient.timeline.entries()[0];
    assert!(matches!(&first.event, Event::Observation(seen) if seen.observable == Observable::PSA));
    assert_eq!(first.time, Time::from_days(1003.0).unwrap());
    assert_eq!((first.provenance.origin, first.provenance.source.as_str()), (Origin::Measured, "psa.csv"));
    let line = 1 + std::fs::read_to_string(&file).unwrap().lines().position(|line| line.starts_with("109,1003,")).unwrap();
    assert_eq!(first.provenance.place, Some(format!("line {line}, column psa_ng_per_ml")));

    let absent = table::read_patient_from_table(&file, &mapping, "10", &Limits::default());
    assert!(matches!(absent, Err(IoError::UnknownSubject { subjects: 37, nearest, .. }) if nearest.len() == 5));
}

#[test]
fn every_patient_survives_json() {
    for file in [ABIRATERONE, DEPRIVATION] {
        let Some(file) = data("every_patient_survives_json", file) else { continue };
        for patient in read(&file) {
            let text = json::to_string(&patient).unwrap();
            assert_eq!(json::parse_patient(&text).unwrap(), patient);
        }
    }
}

#[test]
fn a_table_does_not_fit_the_other_mapping() {
    let Some(file) = data("a_table_does_not_fit_the_other_mapping", ABIRATERONE) else { return };
    let mapping = Mapping::intermittent_androgen_deprivation().unwrap();
    match table::read_table(&file, &mapping, &Limits::default()).unwrap_err() {
        IoError::MissingColumns { missing, present, .. } => {
            assert_eq!(missing, ["testosterone_nmol_per_l", "on_treatment"]);
            assert_eq!(present, ["patient", "arm", "day", "psa_ng_per_ml", "on_abiraterone"]);
        }
        other => unreachable!("{other}"),
    }
}
