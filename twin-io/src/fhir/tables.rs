//! The tables of the mCODE extraction framework, which it makes bundles of: one folder, several patients, a table for each kind of row.

use super::codes::{DISEASE_STATUS, LOINC, UCUM};
use super::{Bundle, Identity, LeftOut, read};
use crate::table::records::Records;
use crate::{IoError, Limits, Place, file};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A row, by the names of its columns.
type Row<'a> = BTreeMap<&'a str, &'a str>;

/// Makes the resources of a row.
type Make = fn(&Row<'_>) -> Vec<Value>;

/// The tables that are read, with what a row becomes.
const TABLES: [(&str, Make); 10] = [
    ("patient-information.csv", patient),
    ("condition-information.csv", condition),
    ("staging-information.csv", staging),
    ("observation-information.csv", observation),
    ("cancer-disease-status-information.csv", disease_status),
    ("cancer-related-medication-administration-information.csv", administration),
    ("cancer-related-medication-request-information.csv", request),
    ("procedure-information.csv", procedure),
    ("adverse-event-information.csv", adverse_event),
    ("ctc-adverse-event-information.csv", adverse_event),
];
/// Tables of the framework that hold nothing that is carried over.
const LEFT_OUT: [&str; 5] = [
    "appointment-information.csv",
    "clinical-trial-information.csv",
    "encounter-information.csv",
    "patient-mrns.csv",
    "treatment-plan-change-information.csv",
];

/// Reads the tables of the mCODE extraction framework in `folder`: the rows of the patient whose record number (column `mrn`) is
/// `number`, as the resources that they stand for. Places are `table line`; the number goes nowhere.
///
/// A row without a code that is read, and an adverse event whose date is not `yyyy-mm-dd` (`12-09-1994` may be two days), are listed
/// in [`Bundle::left_out`].
///
/// # Errors
/// [`IoError::Empty`] if no table has a row of the patient; [`IoError::Syntax`] for a file that is not one of the tables, or is not a
/// table; and as [`parse`](super::parse).
pub fn read_tables(folder: impl AsRef<Path>, number: &str, identity: &Identity, limits: &Limits) -> Result<Bundle, IoError> {
    let folder = folder.as_ref();
    let failed = |source| IoError::Read { file: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
        if paths.len() > limits.max_frames {
            return Err(Place::of(Some(folder)).over("files", limits.max_frames, "max_frames"));
        }
    }
    paths.sort();
    let (mut entries, mut places, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if LEFT_OUT.contains(&name.as_str()) {
            left_out.push(LeftOut {
                path: name,
                resource: "unknown".to_owned(),
                reason: "tables of this kind are not carried over",
            });
            continue;
        }
        let Some((_, make)) = TABLES.iter().find(|(known, _)| *known == name) else {
            return Err(Place::of(Some(&path)).syntax("must be a table of the mCODE extraction framework"));
        };
        let text = file::read(&path, limits)?;
        for (line, resource) in rows(&text, &path, number, *make, limits)? {
            places.push(format!("{name} line {line}"));
            entries.push(json!({ "resource": resource }));
        }
    }
    if entries.is_empty() {
        return Err(IoError::Empty { place: Place::of(Some(folder)), what: "is no row of this patient" });
    }
    let document = json!({ "resourceType": "Bundle", "entry": entries });
    let mut bundle = read::bundle(&document, folder, identity, limits, Some(&places))?;
    bundle.left_out.extend(left_out);
    Ok(bundle)
}

/// The resources of the rows of a patient, each with its line.
fn rows(text: &str, path: &Path, number: &str, make: Make, limits: &Limits) -> Result<Vec<(usize, Value)>, IoError> {
    let mut records = Records::new(text, ',', Some(path), limits);
    let header = records.next_record()?.ok_or_else(|| IoError::Empty { place: Place::of(Some(path)), what: "is no header" })?;
    if header.position("mrn").is_none() {
        return Err(Place::of(Some(path)).line(1).field("mrn").syntax("must be a column"));
    }
    let (mut found, mut count) = (Vec::new(), 0);
    while let Some(record) = records.next_record()? {
        count += 1;
        let place = || Place::of(Some(path)).line(record.line);
        if count > limits.max_records {
            return Err(place().over("rows", limits.max_records, "max_records"));
        }
        if record.fields.len() != header.fields.len() {
            return Err(place().syntax(format!("{} fields, but the header has {}", record.fields.len(), header.fields.len())));
        }
        let row: Row<'_> = header.fields.iter().map(|name| &**name).zip(record.fields.iter().map(|field| field.trim())).collect();
        if row.get("mrn") == Some(&number) {
            found.extend(make(&row).into_iter().map(|resource| (record.line, resource)));
        }
    }
    Ok(found)
}

/// The text of a column; `None` where it is empty or absent.
fn of<'a>(row: &Row<'a>, column: &str) -> Option<&'a str> {
    row.get(column).copied().filter(|text| !text.is_empty())
}

fn concept(row: &Row<'_>, code: &str, system: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": of(row, system), "code": of(row, code), "display": of(row, display) }] })
}

fn patient(row: &Row<'_>) -> Vec<Value> {
    let mut resource = json!({ "resourceType": "Patient" });
    // Names and addresses stand beside these, and are not looked at.
    for (field, column) in [("gender", "gender"), ("birthDate", "dateOfBirth")] {
        if let Some(text) = of(row, column) {
            resource[field] = json!(text);
        }
    }
    vec![resource]
}

fn condition(row: &Row<'_>) -> Vec<Value> {
    vec![json!({ "resourceType": "Condition", "code": concept(row, "code", "codeSystem", "displayName") })]
}

fn staging(row: &Row<'_>) -> Vec<Value> {
    let pathological = of(row, "type").is_some_and(|kind| kind.to_lowercase().starts_with("patho"));
    let codes = [
        ("t", "21905-5", "21899-0"),
        ("n", "21906-3", "21900-6"),
        ("m", "21907-1", "21901-4"),
        ("stageGroup", "21908-9", "21902-2"),
    ];
    let category = |(column, clinical, other): (&str, &str, &str)| {
        let stated = of(row, column)?;
        let code = json!({ "coding": [{ "system": LOINC, "code": if pathological { other } else { clinical } }] });
        Some(
            json!({ "resourceType": "Observation", "status": "final", "code": code, "valueCodeableConcept": { "coding": [{ "code": stated }] } }),
        )
    };
    codes.into_iter().filter_map(category).collect()
}

fn observation(row: &Row<'_>) -> Vec<Value> {
    let mut resource = json!({ "resourceType": "Observation", "status": of(row, "status"),
        "code": concept(row, "code", "codeSystem", "displayName"), "effectiveDateTime": of(row, "effectiveDate") });
    let value = of(row, "value").unwrap_or_default();
    match (of(row, "valueCodeSystem"), value.split_once(' ')) {
        (Some(system), _) => resource["valueCodeableConcept"] = json!({ "coding": [{ "system": system, "code": value }] }),
        (None, Some((number, unit))) => {
            resource["valueQuantity"] = json!({ "value": number.parse::<f64>().ok(), "system": UCUM, "code": unit.trim() });
        }
        (None, None) => {}
    }
    vec![resource]
}

fn disease_status(row: &Row<'_>) -> Vec<Value> {
    let value = json!({ "coding": [{ "system": "http://snomed.info/sct", "code": of(row, "diseaseStatusCode") }] });
    vec![
        json!({ "resourceType": "Observation", "status": of(row, "observationStatus"), "effectiveDateTime": of(row, "dateOfObservation"),
        "code": { "coding": [{ "system": LOINC, "code": DISEASE_STATUS }] }, "valueCodeableConcept": value }),
    ]
}

fn administration(row: &Row<'_>) -> Vec<Value> {
    let mut period = json!({ "start": of(row, "startDate") });
    if let Some(end) = of(row, "endDate") {
        period["end"] = json!(end);
    }
    vec![json!({ "resourceType": "MedicationAdministration", "status": of(row, "status"), "effectivePeriod": period,
        "medicationCodeableConcept": concept(row, "code", "codeSystem", "displayText") })]
}

fn request(row: &Row<'_>) -> Vec<Value> {
    let mut instruction =
        json!({ "route": { "coding": [{ "system": "http://snomed.info/sct", "code": of(row, "dosageRoute") }] } });
    if let (Some(number), Some(unit)) = (of(row, "doseQuantityValue"), of(row, "doseQuantityUnit")) {
        let dose = json!({ "value": number.parse::<f64>().ok(), "system": UCUM, "code": unit });
        instruction["doseAndRate"] = json!([{ "doseQuantity": dose }]);
    }
    vec![json!({ "resourceType": "MedicationRequest", "status": of(row, "status"), "authoredOn": of(row, "authoredOn"),
        "medicationCodeableConcept": concept(row, "code", "codeSystem", "displayText"), "dosageInstruction": [instruction] })]
}

fn procedure(row: &Row<'_>) -> Vec<Value> {
    vec![json!({ "resourceType": "Procedure", "status": of(row, "status"), "performedDateTime": of(row, "effectiveDate"),
        "code": concept(row, "code", "codeSystem", "displayName") })]
}

fn adverse_event(row: &Row<'_>) -> Vec<Value> {
    // A date that may be two days is none.
    let date = of(row, "effectiveDate").filter(|date| crate::Date::parse(date).is_ok());
    let mut resource = json!({ "resourceType": "AdverseEvent", "actuality": of(row, "actuality").unwrap_or("actual"), "date": date,
        "event": concept(row, "adverseEventCode", "adverseEventCodeSystem", "adverseEventDisplayText") });
    if let Some(severity) = of(row, "severity") {
        resource["severity"] = json!({ "coding": [{ "code": severity }] });
    }
    if let Some(grade) = of(row, "grade") {
        resource["extension"] = json!([{ "url": "adverse-event-grade", "valueCode": grade }]);
    }
    vec![resource]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Date;
    use std::path::PathBuf;
    use twin_core::{CovariateName, Observable, Sex, SubjectId};

    struct Folder(PathBuf);

    impl Folder {
        fn with(name: &str, tables: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("twin-mcode-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            tables.iter().for_each(|(table, text)| std::fs::write(folder.join(table), text).unwrap());
            Self(folder)
        }

        fn read(&self, number: &str) -> Result<Bundle, IoError> {
            let identity = Identity { subject: SubjectId::new("S1").unwrap(), origin: Date::parse("2020-01-01").unwrap() };
            read_tables(&self.0, number, &identity, &Limits::default())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const PATIENT: (&str, &str) =
        ("patient-information.csv", "mrn,familyName,gender,dateOfBirth\n123,Doe,female,1980-01-01\n456,Roe,male,1970-01-01\n");

    #[test]
    fn the_rows_of_one_patient_become_a_record() {
        let folder = Folder::with(
            "one",
            &[
                PATIENT,
                (
                    "observation-information.csv",
                    "mrn,status,code,codeSystem,displayName,value,valueCodeSystem,effectiveDate\n123,final,8302-2,http://loinc.org,,66.89 [in_i],,2020-01-02\n456,final,8302-2,http://loinc.org,,70 [in_i],,2020-01-02\n",
                ),
                (
                    "cancer-disease-status-information.csv",
                    "mrn,diseaseStatusCode,dateOfObservation,observationStatus\n123,268910001,2020-02-01,final\n",
                ),
                (
                    "ctc-adverse-event-information.csv",
                    "mrn,adverseEventCode,effectiveDate,grade\n123,10012174,2020-03-01,2\n123,10012174,12-09-2020,2\n",
                ),
                (
                    "cancer-related-medication-administration-information.csv",
                    "mrn,code,codeSystem,displayText,startDate,endDate,status\n123,2555,http://www.nlm.nih.gov/research/umls/rxnorm,Cisplatin,2020-01-11,2020-01-21,completed\n",
                ),
                (
                    "cancer-related-medication-request-information.csv",
                    "mrn,code,codeSystem,displayText,status,authoredOn,dosageRoute,doseQuantityValue,doseQuantityUnit\n123,2555,http://www.nlm.nih.gov/research/umls/rxnorm,Cisplatin,active,2020-01-05,47625008,100,mg\n",
                ),
                ("encounter-information.csv", "mrn\n123\n"),
            ],
        );
        let bundle = folder.read("123").unwrap();
        let patient = &bundle.patient;
        assert_eq!(patient.covariates.sex().unwrap().value, Sex::Female);
        let (_, height) = &patient.covariates.values(&CovariateName::HEIGHT)[0];
        assert_eq!(height.provenance.place.as_deref(), Some("observation-information.csv line 2"));
        let seen = |name: &str| patient.timeline.observations_of(&Observable::new(name).unwrap()).count();
        assert_eq!((seen("disease_status"), seen("adverse_event 10012174")), (1, 1));
        assert_eq!((patient.timeline.treatments().len(), bundle.requests.len()), (2, 1));
        let left: Vec<&str> = bundle.left_out.iter().map(|left| left.path.as_str()).collect();
        assert_eq!(left, ["ctc-adverse-event-information.csv line 3", "encounter-information.csv"]);
        assert!(!format!("{bundle:?}").contains("Doe"));
    }

    #[test]
    fn what_is_no_table_of_the_framework_is_refused() {
        let refused = |name: &str, table: (&str, &str)| Folder::with(name, &[PATIENT, table]).read("123").unwrap_err().to_string();
        assert!(refused("other", ("psa.csv", "mrn\n")).contains("must be a table of the mCODE extraction framework"));
        assert!(refused("column", ("procedure-information.csv", "number\n1\n")).contains("must be a column"));
        let ragged = refused("ragged", ("procedure-information.csv", "mrn,code\n123\n"));
        assert!(ragged.contains("line 2") && ragged.contains("1 fields, but the header has 2"), "{ragged}");
        let date = refused(
            "date",
            ("observation-information.csv", "mrn,code,codeSystem,value,effectiveDate\n123,8302-2,http://loinc.org,1 m,SECRET\n"),
        );
        assert!(date.contains("observation-information.csv line 2.effectiveDateTime") && !date.contains("SECRET"), "{date}");
        assert!(matches!(Folder::with("nobody", &[PATIENT]).read("999"), Err(IoError::Empty { .. })));
    }
}
