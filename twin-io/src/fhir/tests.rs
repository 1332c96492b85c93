#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing)]

use super::*;
use crate::Missing;
use proptest::prelude::*;
use serde_json::{Value, json};
use twin_core::*;

fn identity() -> Identity {
    Identity { subject: SubjectId::new("S1").unwrap(), origin: Date::parse("2020-01-01").unwrap() }
}

fn bundle(resources: &[Value]) -> String {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string()
}

fn read(resources: &[Value]) -> Result<Bundle, IoError> {
    parse(&bundle(resources), "b.json", &identity(), &Limits::default())
}

fn message(resources: &[Value]) -> String {
    read(resources).unwrap_err().to_string()
}

fn psa(value: Value) -> Value {
    let code = json!({ "coding": [{ "system": "http://loinc.org", "code": "2857-1" }] });
    json!({ "resourceType": "Observation", "status": "final", "code": code, "effectiveDateTime": "2020-02-01T08:00:00Z", "valueQuantity": value })
}

fn ng_per_ml(value: f64) -> Value {
    json!({ "value": value, "system": "http://unitsofmeasure.org", "code": "ng/mL" })
}

#[test]
fn observations_have_day_unit_and_limit() {
    let mut below = ng_per_ml(0.1);
    below["comparator"] = json!("<");
    let patient = read(&[psa(ng_per_ml(4.5)), psa(below)]).unwrap().patient;
    let found: Vec<_> =
        patient.timeline.observations().map(|(time, observation)| (time.days(), observation.finding.clone())).collect();
    let quantity = |value| Quantity::new(value, "ng/mL").unwrap();
    assert_eq!(found, [(31.0, Finding::measured(quantity(4.5))), (31.0, Finding::Below(quantity(0.1)))]);
    assert_eq!(patient.timeline.entries()[0].provenance, Provenance::measured("b.json").at("entry[0].resource"));
    let mut absent = psa(Value::Null);
    absent["dataAbsentReason"] =
        json!({ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed" }] });
    let of = |code: &str| {
        let mut absent = absent.clone();
        absent["dataAbsentReason"]["coding"][0]["code"] = json!(code);
        let patient = read(&[absent]).map(|bundle| bundle.patient)?;
        let written = to_text(&patient, &identity()).unwrap().text;
        assert!(written.contains("http://terminology.hl7.org/CodeSystem/data-absent-reason"));
        Ok::<_, IoError>(patient.timeline.observations().next().and_then(|(_, seen)| Missing::of(&seen.finding)))
    };
    let reasons = [
        ("not-performed", Missing::NotDone),
        ("error", Missing::Failed),
        ("not-permitted", Missing::Withheld),
        ("temp-unknown", Missing::Unknown),
    ];
    for (code, missing) in reasons {
        assert_eq!(of(code).unwrap(), Some(missing));
    }
    assert!(of("SECRET").unwrap_err().to_string().contains("must be a reason of FHIR"));
}

#[test]
fn a_whole_record_of_mcode() {
    let loinc = |code: &str| json!({ "coding": [{ "system": "http://loinc.org", "code": code }] });
    let icd = |code: &str| json!({ "coding": [{ "system": "urn:oid:2.16.840.1.113883.6.43.1", "code": code }] });
    let stage = |code: &str, value: &str| json!({ "resourceType": "Observation", "code": loinc(code), "valueCodeableConcept": { "coding": [{ "system": "http://cancerstaging.org", "code": value }] } });
    let variant = json!({ "resourceType": "Observation", "code": loinc("69548-6"), "component": [
        { "code": loinc("48018-6"), "valueCodeableConcept": { "coding": [{ "system": "http://www.genenames.org/geneId", "code": "HGNC:1097", "display": "BRAF" }] } },
        { "code": loinc("48005-3"), "valueCodeableConcept": { "coding": [{ "system": "http://varnomen.hgvs.org", "code": "NP_004324.2:p.Val600Glu" }] } },
        { "code": loinc("81258-6"), "valueQuantity": { "value": 0.31 } },
    ] });
    let drug = json!({ "resourceType": "MedicationAdministration", "status": "completed",
        "medicationCodeableConcept": { "coding": [{ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2555", "display": "Cisplatin" }] },
        "effectivePeriod": { "start": "2020-01-11", "end": "2020-01-21" } });
    let consent = json!({ "resourceType": "Consent", "status": "active", "provision": { "type": "permit", "period": { "start": "2020-01-01", "end": "2020-12-31" }, "purpose": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH" }] } });
    let read = read(&[
        json!({ "resourceType": "Patient", "gender": "female", "birthDate": "1960-01-01", "name": [{ "family": "Doe" }] }),
        json!({ "resourceType": "Condition", "bodySite": [icd("C43.5")], "extension": [{ "url": "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior", "valueCodeableConcept": icd("8720/3") }] }),
        stage("21905-5", "cT3"), stage("21906-3", "cN1"), stage("21907-1", "cM0"), variant, drug, consent,
        json!({ "resourceType": "Encounter" }),
    ]).unwrap();
    let patient = &read.patient;
    assert_eq!(patient.covariates.sex().unwrap().value, Sex::Female);
    assert!((patient.covariates.age_years(Time::ORIGIN).unwrap().unwrap() - 60.0).abs() < 0.01);
    let stage = patient.diagnoses[0].value.stage.as_ref().unwrap();
    assert_eq!((stage.t.as_ref().unwrap().as_str(), patient.diagnoses[0].value.topography.as_str()), ("cT3", "C43.5"));
    let alteration = &patient.genomics.alterations[0].value;
    assert_eq!((alteration.gene.as_str(), alteration.allele_fraction.unwrap().value()), ("BRAF", 0.31));
    let cisplatin = Agent::new("cisplatin").unwrap();
    let given: Vec<_> = patient.timeline.treatments().into_iter().map(|timed| (timed.time.days(), timed.treatment)).collect();
    assert_eq!(given, [(10.0, Treatment::on(cisplatin.clone())), (20.0, Treatment::off(cisplatin))]);
    let state = |day| patient.consent.state(Purpose::Research, Time::from_days(day).unwrap());
    assert_eq!((state(365.0), state(366.0)), (ConsentState::Permitted, ConsentState::Lapsed));
    assert_eq!(
        read.left_out,
        [LeftOut {
            path: "entry[8].resource".to_owned(),
            resource: "Encounter".to_owned(),
            reason: "resources of this type are not carried over"
        }]
    );
    assert!(!format!("{read:?}").contains("Doe"));
}

#[test]
fn what_is_wrong_is_an_error_with_its_path_and_without_its_value() {
    let person = |field: &str, value: &str| json!({ "resourceType": "Patient", field: value });
    let with = |field: &str, value: Value| {
        let mut observation = psa(ng_per_ml(1.0));
        observation[field] = value;
        observation
    };
    let consent = |provision: Value| json!({ "resourceType": "Consent", "status": "active", "provision": provision });
    for (resource, said) in [
        (person("birthDate", "2021-05-05"), "birthDate`: the age at the origin must be"),
        (person("birthDate", "1850-05-05"), "birthDate`: the age at the origin must be"),
        (person("birthDate", "1960-02-30"), "birthDate`: must be a date"),
        (person("gender", "SECRET"), "gender`: must be female"),
        (with("effectiveDateTime", json!("YYYY-MM-DD")), "effectiveDateTime`: must be a date"),
        (with("effectiveDateTime", json!("2020-13-01")), "effectiveDateTime`: must be a date"),
        (with("effectiveDateTime", json!("€€€€€€€€")), "effectiveDateTime`: must be a date"),
        (with("valueQuantity", json!({ "value": 1, "unit": "SECRET" })), "valueQuantity`: needs a unit as a UCUM code"),
        (
            with("valueQuantity", json!({ "value": 1, "system": "http://unitsofmeasure.org", "code": "SECRET" })),
            "valueQuantity`: the unit is not UCUM",
        ),
        (with("valueQuantity", json!({ "value": "1", "system": "http://unitsofmeasure.org", "code": "mg" })), "needs a number"),
        (consent(json!({ "type": "deny" })), "a denial without a purpose"),
        (consent(json!({ "type": "permit", "provision": [{ "type": "deny" }] })), "nested provisions"),
        (consent(json!({ "type": "SECRET" })), "must be permit or deny"),
    ] {
        let said_of = message(&[resource]);
        assert!(said_of.contains(said) && !said_of.contains("SECRET"), "{said_of}");
    }
    assert!(message(&[person("gender", "male"), person("gender", "male")]).contains("several patients"));
    let parsed = |text: &str| parse(text, "b.json", &identity(), &Limits::default());
    assert!(matches!(parsed("{\"resourceType\": \"Bundle\", \"resourceType\": \"Bundle\"}"), Err(IoError::DuplicateKey { .. })));
    assert!(matches!(parsed(&"[".repeat(200)), Err(IoError::Limit { raise: "max_depth", .. })));
    assert!(matches!(parsed("{}"), Err(IoError::Format { .. })));
    assert!(parsed("{\"resourceType\": \"Bundle\", \"entry\": [{}]}").unwrap_err().to_string().contains("entry[0].resource"));
    let odd = read(&[json!({ "resourceType": "Jane Doe" })]).unwrap();
    assert_eq!(odd.left_out[0].resource, "unknown");
}

#[test]
fn what_no_resource_is_made_for_comes_back_too() {
    let mut patient = Patient::new(SubjectId::new("S1").unwrap());
    let biomarker = BiomarkerStatus::new(Biomarker::new("MSI").unwrap(), BiomarkerResult::Positive);
    patient.genomics.biomarkers.push(Recorded::new(biomarker, Provenance::measured("lab")));
    patient.consent.record(Provision::new(Purpose::Research, Ruling::Permit, Time::from_days(0.5).ok(), None).unwrap());
    patient.consent.withdraw(Withdrawal::of_all(Time::ORIGIN));
    let field = ScalarField::new([1; 3], [1.0; 3], Unit::dimensionless(), vec![0.5]).unwrap();
    let map = Observation::new(Observable::CELLULARITY, Finding::Field(field));
    patient.timeline.record(Time::from_days(0.25).unwrap(), Event::Observation(map), Provenance::measured("mr"));
    let fusion = AlterationKind::Fusion { partner: GeneSymbol::new("ALK").unwrap() };
    let alteration = Alteration::new(GeneSymbol::new("EML4").unwrap(), fusion);
    patient.genomics.alterations.push(Recorded::new(alteration, Provenance::measured("panel")));
    let aged = |source| Provenance::reported(source);
    patient.covariates.set_sex(Recorded::new(Sex::Other, aged("a")));
    patient.covariates.set_age_at_origin(Recorded::new(Quantity::new(61.5, "a").unwrap(), aged("b"))).unwrap();
    for code in ["C61.9", "C34.1"] {
        let mut diagnosis = Diagnosis::new(MorphologyCode::new("8140/3").unwrap(), TopographyCode::new(code).unwrap());
        diagnosis.stage = Some(Stage { t: TCategory::new("pT2").ok(), ..Stage::new(StagingSystem::Ajcc) });
        patient.diagnoses.push(Recorded::new(diagnosis, Provenance::reported("pathology")));
    }
    let written = to_text(&patient, &identity()).unwrap();
    // A reader that knows no withdrawals must not see the permission.
    assert!(!written.text.contains("\"Consent\""));
    let read = parse(&written.text, "b.json", &identity(), &Limits::default()).unwrap();
    assert_eq!((read.patient, read.left_out), (patient.clone(), Vec::new()));
    let broken = written.text.replace("MSI", "SE\\u0000CRET");
    let message = parse(&broken, "b.json", &identity(), &Limits::default()).unwrap_err().to_string();
    assert!(message.contains("must be a record of this project") && !message.contains("CRET"), "{message}");
    let far = patient.with(
        Time::from_days(1e6).unwrap(),
        Event::Treatment(Treatment::on(Agent::new("a").unwrap())),
        Provenance::reported("x"),
    );
    assert!(matches!(to_text(&far, &identity()), Err(IoError::Unwritable { .. })));
}

#[test]
fn requests_courses_and_adverse_events_are_told_apart_from_what_was_given() {
    let snomed = |code: &str| json!({ "coding": [{ "system": "http://snomed.info/sct", "code": code }] });
    let guide = |name: &str| format!("http://hl7.org/fhir/us/mcode/StructureDefinition/{name}");
    let drug =
        json!({ "coding": [{ "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2555", "display": "Cisplatin" }] });
    let dose = json!({ "value": 100, "system": "http://unitsofmeasure.org", "code": "mg" });
    let request = json!({ "resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": drug,
        "authoredOn": "2020-01-05", "dosageInstruction": [{ "route": snomed("47625008"), "doseAndRate": [{ "doseQuantity": dose }] }] });
    let delivered = json!({ "url": guide("mcode-radiotherapy-dose-delivered-to-volume"), "extension": [
        { "url": "volume", "valueReference": { "reference": "BodyStructure/ptv" } },
        { "url": "totalDoseDelivered", "valueQuantity": { "value": 6000, "system": "http://unitsofmeasure.org", "code": "cGy" } },
        { "url": "fractionsDelivered", "valueUnsignedInt": 30 }] });
    let technique = json!({ "url": guide("mcode-radiotherapy-modality-and-technique"), "extension": [
        { "url": "modality", "valueCodeableConcept": snomed("1156506007") }, { "url": "technique", "valueCodeableConcept": snomed("1156530009") }] });
    let sessions = json!({ "url": guide("mcode-radiotherapy-sessions"), "valueUnsignedInt": 30 });
    let course = json!({ "resourceType": "Procedure", "status": "completed", "code": snomed("1217123003"),
        "performedPeriod": { "start": "2020-02-01", "end": "2020-03-15" }, "extension": [delivered, technique, sessions] });
    let volume = json!({ "resourceType": "BodyStructure", "id": "ptv", "location": snomed("12738006") });
    let grade = json!({ "url": "http://hl7.org/fhir/us/ctcae/StructureDefinition/ctcae-grade-adverse-event-grade", "valueCodeableConcept": { "coding": [{ "code": "3" }] } });
    let event = json!({ "resourceType": "AdverseEvent", "actuality": "actual", "date": "2020-02-10", "extension": [grade],
        "event": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/MDRAE", "code": "10012174", "display": "SECRET" }] } });
    let bundle = read(&[request.clone(), course.clone(), volume, event.clone()]).unwrap();
    assert_eq!(bundle.requests[0].agent.as_str(), "cisplatin");
    assert_eq!(bundle.requests[0].dose.as_ref().unwrap().value_in("g").unwrap(), 0.1);
    let summed = &bundle.courses[0];
    assert_eq!((summed.sessions, summed.modality.as_deref(), summed.end.unwrap().days()), (Some(30), Some("1156506007"), 74.0));
    let site = Some("12738006".to_owned());
    assert_eq!(summed.volumes, [VolumeDose { site, dose: AbsorbedDose::from_gray(60.0).ok(), fractions: Some(30) }]);
    // Nothing of it was given, as far as the timeline knows; the event is an observation.
    assert_eq!(bundle.patient.timeline.treatments().len(), 0);
    let observable = Observable::new("adverse_event 10012174").unwrap();
    let (time, seen) = bundle.patient.timeline.observations_of(&observable).next().unwrap();
    assert_eq!((time.days(), seen.finding.quantity().unwrap().value()), (40.0, 3.0));
    assert!(!format!("{bundle:?}").contains("SECRET"));
    let with = |resource: &Value, field: &str, value: Value| {
        let mut changed = resource.clone();
        changed[field] = value;
        changed
    };
    assert!(message(&[with(&request, "status", json!("SECRET"))]).contains("status`: must be a status"));
    assert!(
        message(&[with(&course, "performedPeriod", json!({ "start": "2020-02-01", "end": "2020-01-01" }))]).contains("ends before")
    );
    assert!(
        message(&[
            with(&event, "severity", Value::Null),
            with(&event, "extension", json!([{ "url": "adverse-event-grade", "valueCode": "9" }]))
        ])
        .contains("a grade must be 1 to 5")
    );
    assert!(read(&[course]).unwrap().left_out[0].reason.contains("not in the bundle"));
    assert!(read(&[with(&event, "actuality", json!("potential"))]).unwrap().patient.timeline.is_empty());
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,10}"
}

fn provenance() -> impl Strategy<Value = Provenance> {
    let origin =
        prop::sample::select(vec![Origin::Measured, Origin::Reported, Origin::Derived, Origin::Assumed, Origin::Simulated]);
    (origin, "[ -~]{1,12}", prop::option::of("[ -~]{1,12}")).prop_map(|(origin, source, place)| Provenance {
        origin,
        source,
        place,
    })
}

fn amount() -> impl Strategy<Value = Quantity> {
    (0.0..1e6_f64, prop::sample::select(vec!["mg", "ng/mL", "mm3", "10*9/L", "mg/m2"]))
        .prop_map(|(value, unit)| Quantity::new(value, unit).unwrap())
}

fn finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        amount().prop_map(Finding::measured),
        (amount(), 0.0..10.0_f64).prop_map(|(quantity, error)| Finding::measured_with_error(quantity, error).unwrap()),
        amount().prop_map(Finding::Below),
        amount().prop_map(Finding::Above),
        name().prop_map(|name| Finding::category(name).unwrap()),
        "[ -~]{1,20}".prop_map(Finding::NotEvaluable),
    ]
}

fn treatment() -> impl Strategy<Value = Treatment> {
    let agent = || name().prop_map(|name| Agent::new(&name).unwrap());
    let target = || name().prop_map(|name| Target::new(&name).unwrap());
    let share = || (0.0..=1.0_f64).prop_map(|share| Proportion::new(share).unwrap());
    prop_oneof![
        (agent(), amount()).prop_map(|(agent, dose)| Treatment::bolus(agent, dose).unwrap()),
        (agent(), amount()).prop_map(|(agent, dose)| Treatment::oral(agent, dose).unwrap()),
        (agent(), amount(), 0.01..2.0_f64).prop_map(|(agent, dose, days)| Treatment::infusion(
            agent,
            dose,
            Span::from_days(days).unwrap()
        )
        .unwrap()),
        (agent(), share()).prop_map(|(agent, intensity)| Treatment::Continuous { agent, intensity }),
        (target(), 0.0..20.0_f64).prop_map(|(target, gray)| Treatment::fraction(AbsorbedDose::from_gray(gray).unwrap(), target)),
        (target(), share()).prop_map(|(target, extent)| Treatment::surgery(target, extent)),
    ]
}

fn patient() -> impl Strategy<Value = Patient> {
    let time = || (-30_000.0..30_000.0_f64).prop_map(|days| Time::from_days(days).unwrap());
    let observable = prop_oneof![
        name().prop_map(|name| Observable::new(&name).unwrap()),
        prop::sample::select(OBSERVABLES.to_vec()).prop_map(|(_, observable)| observable),
    ];
    let event = prop_oneof![
        (observable, finding()).prop_map(|(observable, finding)| Event::Observation(Observation::new(observable, finding))),
        treatment().prop_map(Event::Treatment),
    ];
    let events = prop::collection::vec((time(), event, provenance()), 0..8);
    let variant = ("[A-Z][A-Z0-9]{0,5}", prop::option::of(0.0..=1.0_f64), prop::option::of(any::<u32>()), provenance());
    let covariate = (name(), time(), amount(), provenance());
    let diagnosis = prop::option::of((prop::option::of("cT[1-4]"), prop::option::of("cN[0-3]"), provenance()));
    let consent = prop::collection::vec((any::<bool>(), prop::option::of(-1000_i32..0), prop::option::of(1_i32..1000)), 0..3);
    let rare = (prop::option::of((name(), provenance())), prop::option::of((0.0..100.0_f64, provenance())), any::<bool>());
    (
        events,
        prop::collection::vec(variant, 0..3),
        prop::collection::vec(covariate, 0..3),
        diagnosis,
        consent,
        prop::option::of((20.0..89.0_f64, provenance())),
        rare,
    )
        .prop_map(|(events, variants, covariates, diagnosis, consent, age, (biomarker, field, withdrawn))| {
            let mut patient = Patient::new(SubjectId::new("S1").unwrap());
            for (time, event, provenance) in events {
                patient.timeline.record(time, event, provenance);
            }
            for (gene, share, depth, provenance) in variants {
                let kind = AlterationKind::SmallVariant {
                    coding: CodingChange::new("c.1A>T").ok(),
                    protein: ProteinChange::new("p.V600E").ok(),
                };
                let mut alteration = Alteration::new(GeneSymbol::new(&gene).unwrap(), kind);
                alteration.allele_fraction = share.map(|share| Proportion::new(share).unwrap());
                alteration.depth = depth;
                alteration.significance = Significance::LikelyDriver;
                patient.genomics.alterations.push(Recorded::new(alteration, provenance));
            }
            for (name, time, amount, provenance) in covariates {
                patient.covariates.record(
                    CovariateName::new(&name).unwrap(),
                    time,
                    Recorded::new(CovariateValue::Quantity(amount), provenance),
                );
            }
            if let Some((t, n, provenance)) = diagnosis {
                let mut diagnosis = Diagnosis::new(MorphologyCode::new("8140/3").unwrap(), TopographyCode::new("C61.9").unwrap());
                if t.is_some() || n.is_some() {
                    diagnosis.stage = Some(Stage {
                        t: t.map(|t| TCategory::new(&t).unwrap()),
                        n: n.map(|n| NCategory::new(&n).unwrap()),
                        ..Stage::new(StagingSystem::Ajcc)
                    });
                }
                patient.diagnoses.push(Recorded::new(diagnosis, provenance));
            }
            for (permit, from, until) in consent {
                let bound = |days: Option<i32>| days.map(|days| Time::from_days(f64::from(days)).unwrap());
                let decision = if permit { Ruling::Permit } else { Ruling::Deny };
                patient.consent.record(Provision::new(Purpose::ModelTraining, decision, bound(from), bound(until)).unwrap());
            }
            if let Some((years, provenance)) = age {
                patient.covariates.set_sex(Recorded::new(Sex::Male, provenance.clone()));
                patient.covariates.set_age_at_origin(Recorded::new(Quantity::new(years, "a").unwrap(), provenance)).unwrap();
            }
            if let Some((name, provenance)) = biomarker {
                let biomarker = BiomarkerStatus::new(Biomarker::new(&name).unwrap(), BiomarkerResult::Positive);
                patient.genomics.biomarkers.push(Recorded::new(biomarker, provenance));
            }
            if let Some((value, provenance)) = field {
                let field = ScalarField::new([2, 1, 1], [1.0; 3], Unit::dimensionless(), vec![value, 0.5]).unwrap();
                let map = Observation::new(Observable::CELLULARITY, Finding::Field(field));
                patient.timeline.record(Time::from_days(value).unwrap(), Event::Observation(map), provenance);
            }
            if withdrawn {
                patient.consent.withdraw(Withdrawal::of_all(Time::ORIGIN));
            }
            patient
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_patient_comes_back_as_it_was(patient in patient()) {
        let written = to_text(&patient, &identity()).unwrap();
        let read = parse(&written.text, "b.json", &identity(), &Limits::default()).unwrap();
        prop_assert_eq!(&read.left_out, &vec![]);
        prop_assert_eq!(&read.patient, &patient);
        let record = crate::json::to_string(&patient).unwrap();
        prop_assert_eq!(crate::json::parse_patient(&record).unwrap(), patient);
    }

    #[test]
    fn a_damaged_bundle_does_not_panic(patient in patient(), at in any::<prop::sample::Index>(), with in "[ -~]{0,3}") {
        let mut text = to_text(&patient, &identity()).unwrap().text;
        let at = at.index(text.len());
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, &with);
        }
        let _ = parse(&text, "b.json", &identity(), &Limits::default());
    }
}
