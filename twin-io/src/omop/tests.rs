#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::*;
use crate::Date;
use proptest::prelude::*;
use twin_core::*;

const CONCEPTS: &str = "concept_id,concept_name,vocabulary_id,concept_code
8507,MALE,Gender,M
8532,FEMALE,Gender,F
1,Adenocarcinoma of prostate,ICDO3,8140/3-C61.9
2,AJCC/UICC 8th clinical T2a Category,Cancer Modifier,c-8th_AJCC/UICC-T2a
3,AJCC/UICC 8th clinical N0 Category,Cancer Modifier,c-8th_AJCC/UICC-N0
4,AJCC/UICC 8th Stage 2B,Cancer Modifier,8th_AJCC/UICC-Stage-2B
5,AJCC/UICC 7th pathological M0 Category,Cancer Modifier,p-7th_AJCC/UICC-M0
1147127,condition_occurrence.condition_occurrence_id,CDM,CDM1
6,procedure_occurrence.procedure_occurrence_id,CDM,CDM2
7,drug_exposure.drug_exposure_id,CDM,CDM3
3013603,PSA,LOINC,2857-1
10,Body weight,LOINC,29463-7
11,ng/mL,UCUM,ng/mL
12,kg,UCUM,kg
13,gray,UCUM,Gy
14,ratio,UCUM,1
15,<,Meas Value Operator,OMOP1
16,>,Meas Value Operator,OMOP2
17,stable,SNOMED,359746009
18,disease status,twin,disease_status
19,fraction dose,twin,fraction dose
20,surgery extent,twin,surgery extent
21,Prostate,SNOMED,41216001
22,Temozolomide,RxNorm,37776
23,abiraterone,RxNorm,1100072
24,oral,SNOMED,26643006
25,iv,SNOMED,47625008
26,smoking,twin,covariate smoking
27,never,SNOMED,266919005
28,Treatment Regimen,Episode,OMOP3
29,Office visit,CPT4,99213
31,Testosterone,twin,testosterone
32,nmol/L,UCUM,nmol/L
33,nonsense,UCUM,notaunit
";

fn limits() -> Limits {
    Limits::default()
}

fn concepts() -> Concepts {
    Concepts::of(&DataFrame::parse_csv(CONCEPTS, "concept", ',', &limits()).unwrap()).unwrap()
}

fn identity() -> Identity {
    Identity { subject: SubjectId::new("S1").unwrap(), origin: Date::parse("2024-03-01").unwrap() }
}

fn tables(texts: &[(&str, &str)]) -> Tables {
    let frame = |(name, text): &(&'static str, &str)| (*name, DataFrame::parse_csv(text, name, ',', &limits()).unwrap());
    let named: Vec<(&'static str, &str)> = texts
        .iter()
        .map(|(name, text)| (*TABLES.iter().chain(&["visit_occurrence"]).find(|known| *known == name).unwrap(), *text))
        .collect();
    Tables::new(named.iter().map(frame)).unwrap()
}

fn read(texts: &[(&str, &str)]) -> Result<Record, IoError> {
    let mut all =
        vec![("person", "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n7,8507,1950,3,1\n8,0,1960,,\n")];
    all.extend(texts);
    tables(&all).patient(7, &identity(), &concepts(), &limits())
}

fn reasons(record: &Record) -> Vec<(&str, &str)> {
    record.left_out.iter().map(|left| (left.path.as_str(), left.reason)).collect()
}

#[test]
fn a_person_with_a_diagnosis_its_stage_and_an_end() {
    let record = read(&[
        ("condition_occurrence", "condition_occurrence_id,person_id,condition_concept_id,provider_id\n1,7,1,\n2,7,99,4\n3,8,1,5\n"),
        (
            "measurement",
            "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_event_id,meas_event_field_concept_id\n\
             1,7,2,2024-03-01,1,1147127\n2,7,3,2024-03-01,1,1147127\n3,7,4,2024-03-01,1,1147127\n4,7,5,2024-03-01,1,1147127\n",
        ),
        ("death", "person_id,death_date\n7,2025-03-01\n"),
        ("observation_period", "observation_period_id,person_id,observation_period_start_date,observation_period_end_date\n1,7,2024-01-01,2025-03-01\n"),
        ("visit_occurrence", "visit_occurrence_id,person_id\n1,7\n"),
    ])
    .unwrap();
    let patient = &record.patient;
    assert_eq!(patient.covariates.sex().unwrap().value, Sex::Male);
    let age = patient.covariates.age_at_origin().unwrap().value.value_in("d").unwrap();
    assert!((age - 27_029.0).abs() < 1e-9, "{age}");
    let stage = patient.diagnoses[0].value.stage.as_ref().unwrap();
    assert_eq!((stage.edition.as_ref().unwrap().as_str(), stage.t.as_ref().unwrap().as_str()), ("8", "cT2a"));
    assert_eq!((stage.n.as_ref().unwrap().as_str(), stage.group.as_ref().unwrap().as_str()), ("cN0", "IIB"));
    assert_eq!(stage.m, None);
    assert_eq!(record.died.unwrap().days(), 365.0);
    assert_eq!(record.observed.iter().map(|(a, b)| (a.days(), b.days())).collect::<Vec<_>>(), [(-60.0, 366.0)]);
    let left = reasons(&record);
    assert_eq!(left[0], ("visit_occurrence", "tables of this kind are not carried over"));
    assert!(left[1].0 == "condition_occurrence row 2" && left[1].1.contains("ICDO3"));
    assert_eq!(left[2], ("measurement row 4", "a category of another edition than the first"));
    assert_eq!(left[3], ("condition_occurrence.provider_id", "the column is not carried over"));
    assert_eq!(left.len(), 4);
}

#[test]
fn measurements_with_limits_categories_and_units() {
    let record = read(&[(
        "measurement",
        "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,unit_source_value\n\
         1,7,3013603,2024-03-02,2024-03-02 12:00:00,0,4.5,,11,\n\
         2,7,3013603,2024-03-03,,15,0.1,0,0,ng/mL\n\
         3,7,18,2024-03-04,,,,17,,\n\
         4,7,10,2024-03-05,,,70,,12,\n\
         5,7,26,2024-03-05,,,,27,,\n\
         6,7,3013603,2024-03-06,,,4.5,,,\n\
         7,7,29,2024-03-06,,,1,,,\n\
         8,7,0,2024-03-06,,,1,,,\n\
         9,7,31,2024-03-06,,,12,,32,\n",
    )])
    .unwrap();
    let timeline = &record.patient.timeline;
    let psa: Vec<_> = timeline.observations_of(&Observable::PSA).collect();
    assert_eq!(psa[0].0.days(), 1.5);
    assert_eq!(psa[1].1.finding, Finding::Below(Quantity::new(0.1, "ng/mL").unwrap()));
    let status = Observable::new("disease_status").unwrap();
    assert_eq!(timeline.observations_of(&status).next().unwrap().1.finding, Finding::category("stable").unwrap());
    assert_eq!(record.patient.covariates.values(&CovariateName::WEIGHT).len(), 1);
    assert_eq!(record.patient.covariates.values(&CovariateName::new("smoking").unwrap()).len(), 1);
    let left: Vec<_> = reasons(&record);
    assert_eq!(
        left.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
        ["measurement row 6", "measurement row 7", "measurement row 8"]
    );
    assert!(left[0].1.contains("no number with its unit"));
    assert_eq!(timeline.observations_of(&Observable::TESTOSTERONE).count(), 1);
}

#[test]
fn exposures_join_and_doses_are_given() {
    let record = read(&[(
        "drug_exposure",
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_start_datetime,drug_exposure_end_date,drug_exposure_end_datetime,quantity,route_concept_id,dose_unit_source_value\n\
         1,7,23,2024-03-01,,2024-03-30,,120,,\n\
         2,7,23,2024-03-25,,2024-04-23,,,,\n\
         3,7,23,2024-05-01,,,,,,\n\
         4,7,22,2024-03-01,,2024-03-01,,140,24,mg\n\
         5,7,22,2024-03-02,2024-03-02T09:00:00,2024-03-02,2024-03-02T10:30:00,140,25,mg\n\
         6,7,22,2024-03-03,,2024-03-09,,140,24,mg\n",
    )])
    .unwrap();
    let shown: Vec<String> =
        record.patient.timeline.treatments().iter().map(|given| format!("{} {}", given.time.days(), given.treatment)).collect();
    assert_eq!(
        shown,
        [
            "0 temozolomide 140 mg by mouth",
            "0 abiraterone continuous at 1",
            "1.375 temozolomide 140 mg over 0.0625 d",
            "54 abiraterone continuous at 0",
            "61 abiraterone continuous at 1"
        ]
    );
    assert_eq!(
        reasons(&record).iter().map(|(path, _)| *path).collect::<Vec<_>>(),
        ["drug_exposure row 1 quantity", "drug_exposure row 6"]
    );
}

#[test]
fn episodes_know_their_parts() {
    let episodes = "episode_id,person_id,episode_concept_id,episode_start_date,episode_end_date,episode_parent_id,episode_number,episode_object_concept_id\n\
        1,7,28,2024-03-01,2024-08-01,,1,22\n2,7,28,2024-03-01,,1,1,\n";
    let events = "episode_id,event_id,episode_event_field_concept_id\n2,5,7\n2,6,99\n9,6,7\n";
    let record = read(&[("episode", episodes), ("episode_event", events)]).unwrap();
    assert_eq!(record.episodes[0].object.as_deref(), Some("Temozolomide"));
    assert_eq!((record.episodes[1].parent, &record.episodes[1].events), (Some(1), &vec![("drug_exposure".to_owned(), 5)]));
    assert_eq!(reasons(&record).iter().map(|(path, _)| *path).collect::<Vec<_>>(), ["episode_event row 2"]);
    let circle = episodes.replace("2024-08-01,,1", "2024-08-01,2,1");
    let error = read(&[("episode", &circle)]).unwrap_err().to_string();
    assert!(error.contains("a part of itself") && error.contains("episode_parent_id"), "{error}");
}

#[test]
fn what_is_wrong_is_named_without_its_value() {
    let measured = |row: &str| {
        let head = "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,value_as_number,unit_concept_id\n";
        read(&[("measurement", &format!("{head}1,7,3013603,{row}\n"))]).unwrap_err().to_string()
    };
    for (row, expected) in [
        ("2024-02-30,,4,11", "row 1, measurement_date"),
        ("SECRET,,4,11", "must be a day of the calendar"),
        (",,4,11", "must not be empty"),
        ("2024-03-01,2024-03-02 10:00:00,4,11", "must be of the day in measurement_date"),
        ("2024-03-01,2024-03-01 25:00:00,4,11", "row 1, measurement_datetime"),
        ("2024-03-01,,NaN,11", "must be a finite number"),
        ("2024-03-01,,SECRET,11", "must be a finite number"),
        ("2024-03-01,,4,12", "must be a unit such as ng/mL"),
        ("2024-03-01,,4,33", "the unit is not UCUM"),
        ("2024-03-01,,4,SECRET", "must be a whole number"),
    ] {
        let error = measured(row);
        assert!(error.contains(expected) && !error.contains("SECRET"), "{row}: {error}");
    }
    assert!(read(&[("death", "person_id\n7\n")]).unwrap_err().to_string().contains("death_date"));
    assert!(read(&[("measurement", "measurement_id\n1\n")]).unwrap_err().to_string().contains("person_id"));
    assert!(matches!(
        tables(&[("person", "person_id\n1\n")]).patient(7, &identity(), &concepts(), &limits()),
        Err(IoError::Empty { .. })
    ));
    let twice = tables(&[("person", "person_id\n7\n7\n")]).patient(7, &identity(), &concepts(), &limits());
    assert!(twice.unwrap_err().to_string().contains("twice"));
    let born = tables(&[("person", "person_id,year_of_birth,month_of_birth,day_of_birth\n7,2024,3,2\n")]);
    assert!(born.patient(7, &identity(), &concepts(), &limits()).unwrap_err().to_string().contains("0 to 130 years"));
}

fn event() -> impl Strategy<Value = Event> {
    let quantity = |unit: &'static str| (0.0..1e4_f64).prop_map(move |value| Quantity::new(value, unit).unwrap());
    let agent = || prop::sample::select(vec!["temozolomide", "abiraterone"]).prop_map(|name| Agent::new(name).unwrap());
    let target = || Just(Target::new("prostate").unwrap());
    prop_oneof![
        quantity("ng/mL").prop_map(|q| Event::Observation(Observation::new(Observable::PSA, Finding::measured(q)))),
        quantity("ug/L").prop_map(|q| Event::Observation(Observation::new(Observable::PSA, Finding::Below(q)))),
        Just(Event::Observation(Observation::new(
            Observable::new("disease_status").unwrap(),
            Finding::category("stable").unwrap()
        ))),
        (agent(), quantity("mg")).prop_map(|(agent, dose)| Event::Treatment(Treatment::oral(agent, dose).unwrap())),
        (agent(), quantity("mg/m2")).prop_map(|(agent, dose)| Event::Treatment(Treatment::bolus(agent, dose).unwrap())),
        (target(), 0.0..20.0_f64)
            .prop_map(|(target, gray)| { Event::Treatment(Treatment::fraction(AbsorbedDose::from_gray(gray).unwrap(), target)) }),
        (target(), 0.0..=1.0_f64)
            .prop_map(|(target, extent)| Event::Treatment(Treatment::surgery(target, Proportion::new(extent).unwrap()))),
    ]
}

/// Patients of whom the tables can hold everything.
fn patient() -> impl Strategy<Value = Patient> {
    let time = || (-1_000_000_000_i64..1_000_000_000).prop_map(|seconds| Time::from_days(seconds as f64 / 86_400.0).unwrap());
    let events = prop::collection::vec((time(), event()), 0..8);
    let therapy = prop::collection::btree_set(-10_000_i32..10_000, 0..6);
    let weights = prop::collection::vec((time(), 1.0..200.0_f64), 0..3);
    (events, therapy, weights, prop::option::of(any::<bool>()), prop::option::of(0_u32..40_000), any::<bool>()).prop_map(
        |(events, therapy, weights, sex, age, diagnosed)| {
            let from = Provenance::reported("x");
            let mut patient = Patient::new(SubjectId::new("S1").unwrap());
            for (time, event) in events {
                patient.timeline.record(time, event, from.clone());
            }
            for (index, day) in therapy.into_iter().enumerate() {
                let agent = Agent::new("abiraterone").unwrap();
                let treatment = if index % 2 == 0 { Treatment::on(agent) } else { Treatment::off(agent) };
                patient.timeline.record(Time::from_days(f64::from(day)).unwrap(), Event::Treatment(treatment), from.clone());
            }
            for (time, kg) in weights {
                let weight = CovariateValue::Quantity(Quantity::new(kg, "kg").unwrap());
                patient.covariates.record(CovariateName::WEIGHT, time, Recorded::new(weight, from.clone()));
            }
            if let Some(female) = sex {
                patient.covariates.set_sex(Recorded::new(if female { Sex::Female } else { Sex::Male }, from.clone()));
            }
            if let Some(age) = age {
                let age = Quantity::new(f64::from(age), "d").unwrap();
                patient.covariates.set_age_at_origin(Recorded::new(age, from.clone())).unwrap();
            }
            if diagnosed {
                let mut diagnosis = Diagnosis::new(MorphologyCode::new("8140/3").unwrap(), TopographyCode::new("C61.9").unwrap());
                diagnosis.stage = Some(Stage {
                    edition: Some(Edition::new("8").unwrap()),
                    t: Some(TCategory::new("cT2a").unwrap()),
                    n: Some(NCategory::new("cN0").unwrap()),
                    group: Some(StageGroup::new("IIB").unwrap()),
                    ..Stage::new(StagingSystem::Ajcc)
                });
                patient.diagnoses.push(Recorded::new(diagnosis, from));
            }
            patient
        },
    )
}

/// A patient without its provenance, events of one time in the order of their words.
fn bare(patient: &Patient) -> impl PartialEq + std::fmt::Debug {
    let mut events: Vec<_> = patient.timeline.entries().iter().map(|entry| (entry.time, format!("{:?}", entry.event))).collect();
    events.sort();
    let weights: Vec<_> =
        patient.covariates.values(&CovariateName::WEIGHT).iter().map(|(time, value)| (*time, value.value.clone())).collect();
    let known = (patient.covariates.sex().map(|sex| sex.value), patient.covariates.age_at_origin().map(|age| age.value.clone()));
    let diagnoses: Vec<_> = patient.diagnoses.iter().map(|recorded| recorded.value.clone()).collect();
    (events, weights, known, diagnoses)
}

proptest! {
    #[test]
    fn a_patient_survives_its_tables(patient in patient()) {
        let written = Tables::of_patient(&patient, 7, &identity(), &concepts()).unwrap();
        prop_assert_eq!(&written.left_out, &vec![]);
        // Through the bytes of files of either kind.
        for kind in ["csv", "parquet"] {
            let frames: Vec<_> = written.tables.names().map(|name| {
                let frame = written.tables.table(name).unwrap();
                let again = match kind {
                    "csv" => DataFrame::parse_csv(&frame.to_csv(), name, ',', &limits()).unwrap(),
                    _ => parquet::parse(&parquet::to_bytes(frame).unwrap(), name, &limits()).unwrap(),
                };
                (name, again)
            }).collect();
            let record = Tables::new(frames).unwrap().patient(7, &identity(), &concepts(), &limits()).unwrap();
            let left: Vec<_> = record.left_out.iter().filter(|left| !left.path.ends_with("condition_start_date")).collect();
            prop_assert!(left.is_empty(), "{:?}", left);
            prop_assert_eq!(bare(&record.patient), bare(&patient));
        }
    }

    #[test]
    fn any_table_is_read_or_refused(rows in prop::collection::vec(("[0-9]{0,3}|[a-z]{0,3}", "[78]", "[0-9]{1,2}|3013603", "(2024-0[1-4]-[0-3][0-9])?", "[0-9.e-]{0,4}"), 0..6)) {
        let mut text = "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n".to_owned();
        for (id, person, concept, date, number) in rows {
            text += &format!("{id},{person},{concept},{date},{number},11\n");
        }
        if let Err(error) = read(&[("measurement", &text)]) {
            prop_assert!(error.to_string().contains("measurement"), "{}", error);
        }
    }
}

#[test]
fn what_has_no_place_is_listed() {
    let mut patient = Patient::new(SubjectId::new("S1").unwrap());
    let from = Provenance::reported("x");
    let finding = Finding::NotEvaluable("moved".to_owned());
    patient.timeline.record(Time::ORIGIN, Event::Observation(Observation::new(Observable::PSA, finding)), from.clone());
    let unknown = Treatment::on(Agent::new("olaparib").unwrap());
    patient.timeline.record(Time::ORIGIN, Event::Treatment(unknown), from.clone());
    patient.covariates.set_sex(Recorded::new(Sex::Other, from));
    let written = Tables::of_patient(&patient, 7, &identity(), &concepts()).unwrap();
    let paths: Vec<_> = written.left_out.iter().map(|left| left.path.as_str()).collect();
    assert_eq!(paths, ["covariates.sex", "timeline[0]", "timeline[1]"]);
}

#[test]
fn a_folder_of_either_kind_is_read() {
    let folder = std::env::temp_dir().join(format!("twin-omop-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("PERSON.csv"), "person_id\n7\n").unwrap();
    let death = DataFrame::parse_csv("person_id,death_date\n7,2024-03-11\n", "death", ',', &limits()).unwrap();
    std::fs::write(folder.join("death.parquet"), parquet::to_bytes(&death).unwrap()).unwrap();
    let tables = Tables::read(&folder, &limits());
    std::fs::remove_dir_all(&folder).unwrap();
    let tables = tables.unwrap();
    assert_eq!(tables.persons().unwrap(), [7]);
    assert_eq!(tables.patient(7, &identity(), &concepts(), &limits()).unwrap().died.unwrap().days(), 10.0);
}
