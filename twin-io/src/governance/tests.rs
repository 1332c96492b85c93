#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::{Date, IoError, Missing, json};
use proptest::prelude::*;
use twin_core::*;

fn key() -> Key {
    Key::new((0..40).collect::<Vec<u8>>()).unwrap()
}

#[test]
fn hmac_of_rfc_4231() {
    // Test case 7 of RFC 4231: a key longer than a block is hashed first.
    let key = Key::new([0xaa; 130].iter().copied().chain([0xab]).collect::<Vec<u8>>()).unwrap();
    assert_ne!(key.authenticate(b"x"), [0; 32]);
    // Test case 1 has a key of 20 bytes, padded with zeros to a block: the same as one of 32 with zeros at its end.
    let padded: Vec<u8> = [0x0b; 20].into_iter().chain([0; 12]).collect();
    let code = Key::new(padded).unwrap().authenticate(b"Hi There");
    assert_eq!(pseudonym_text(&code), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

fn pseudonym_text(bytes: &[u8]) -> String {
    super::pseudonym::hexadecimal(bytes)
}

#[test]
fn pseudonyms_need_the_key_and_keys_need_chance() {
    let (a, b) = (key().pseudonym("MRN 1").unwrap(), key().pseudonym("MRN 2").unwrap());
    assert!(a != b && a == key().pseudonym("MRN 1").unwrap() && a.as_str().len() == 32);
    assert_ne!(a, Key::new((1..41).collect::<Vec<u8>>()).unwrap().pseudonym("MRN 1").unwrap());
    assert!(key().pseudonym(" ").is_err() && Key::new([7; 40]).is_err() && Key::new([1, 2, 3]).is_err());
    assert_eq!(format!("{:?} {:?}", key(), Date::parse("2024-02-29").unwrap()), "Key(…) Date(…)");
}

#[test]
fn dates_are_those_of_the_calendar() {
    for text in ["1800-01-01", "1900-02-28", "1970-01-01", "2000-02-29", "2024-02-29", "2200-12-31"] {
        assert_eq!(Date::parse(text).unwrap().to_text(), text);
    }
    for text in [
        "1900-02-29",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-04-31",
        "1799-12-31",
        "2201-01-01",
        "2024-1-1",
        "YYYY-MM-DD",
        "+024-01-01",
        "",
    ] {
        assert!(Date::parse(text).is_err(), "{text}");
    }
    let since = |a: &str, b: &str| Date::parse(a).unwrap().days_since(Date::parse(b).unwrap());
    assert_eq!(
        (since("2024-03-01", "2024-02-28"), since("1970-01-01", "2000-01-01"), since("20240301", "20240229")),
        (2, -10_957, 1)
    );
}

proptest! {
    #[test]
    fn a_shift_keeps_intervals(a in 0_i64..80_000, b in 0_i64..80_000, id in "[0-9a-f]{32}") {
        let start = Date::parse("1950-01-01").unwrap();
        let (a, b) = (start.plus_days(a), start.plus_days(b));
        prop_assume!(a.is_some() && b.is_some());
        let (a, b) = (a.unwrap(), b.unwrap());
        prop_assert_eq!(Date::parse(&a.to_text()).unwrap(), a);
        let subject = SubjectId::new(id).unwrap();
        let (c, d) = (key().shifted(&subject, a).unwrap(), key().shifted(&subject, b).unwrap());
        prop_assert_eq!(c.days_since(d), a.days_since(b));
        prop_assert!((1..=365).contains(&a.days_since(c)));
    }
}

/// Marks that stand for names, dates and numbers of a person, one for each field that can hold a text.
fn marked(random: &mut Random, index: usize) -> (Patient, Vec<String>) {
    let mut marks = Vec::new();
    let mut mark = |kind: &str| {
        let mark = format!("{kind}-{index}-{}", (random.uniform() * 1e9) as u64);
        marks.push(mark.clone());
        mark
    };
    let id = mark("MRN");
    let mut patient = Patient::new(key().pseudonym(&id).unwrap());
    let source = |mark: &mut dyn FnMut(&str) -> String| {
        Provenance::reported(mark("smith_jane.csv")).at(mark("row of Jane Smith 1961-04-02"))
    };
    let age = Quantity::new(89.0 + (index % 30) as f64, "a").unwrap();
    patient.covariates.set_age_at_origin(Recorded::new(age, source(&mut mark))).unwrap();
    patient.covariates.set_sex(Recorded::new(Sex::Female, source(&mut mark)));
    let category = CovariateValue::Category(Category::new(&mark("lives at 12 Elm Street")).unwrap());
    patient.covariates.record(
        CovariateName::new(&mark("phone")).unwrap(),
        Time::ORIGIN,
        Recorded::new(category, source(&mut mark)),
    );
    let weight = CovariateValue::Quantity(Quantity::new(70.0, "kg").unwrap());
    patient.covariates.record(
        CovariateName::new(&mark("weight of Jane")).unwrap(),
        Time::ORIGIN,
        Recorded::new(weight, source(&mut mark)),
    );
    let mut diagnosis = Diagnosis::new(MorphologyCode::new("8140/3").unwrap(), TopographyCode::new("C61.9").unwrap());
    diagnosis.receptors.insert(Receptor::new(&mark("receptor")).unwrap(), ReceptorResult::default());
    patient.diagnoses.push(Recorded::new(diagnosis, source(&mut mark)));
    let kind = AlterationKind::StructuralOther;
    patient.genomics.alterations.push(Recorded::new(Alteration::new(GeneSymbol::new("TP53").unwrap(), kind), source(&mut mark)));
    let biomarker = BiomarkerStatus::new(Biomarker::new(&mark("biomarker")).unwrap(), BiomarkerResult::Positive);
    patient.genomics.biomarkers.push(Recorded::new(biomarker, source(&mut mark)));
    let values = [(GeneSymbol::new("TP53").unwrap(), 1.0)].into();
    let profile = ExpressionProfile::new(SampleLabel::new(&mark("sample")).unwrap(), ExpressionMeasure::Tpm, values).unwrap();
    patient.genomics.expression.push(Recorded::new(profile, source(&mut mark)));
    let agent = |mark: &mut dyn FnMut(&str) -> String| Agent::new(&mark("agent")).unwrap();
    let dose = || Quantity::new(1.0, "mg").unwrap();
    let treatments = [
        Treatment::on(agent(&mut mark)),
        Treatment::bolus(agent(&mut mark), dose()).unwrap(),
        Treatment::oral(agent(&mut mark), dose()).unwrap(),
        Treatment::infusion(agent(&mut mark), dose(), Span::DAY).unwrap(),
        Treatment::fraction(AbsorbedDose::from_gray(2.0).unwrap(), Target::new(&mark("target")).unwrap()),
        Treatment::surgery(Target::new(&mark("target")).unwrap(), Proportion::ONE),
    ];
    for treatment in treatments {
        patient.timeline.record(Time::ORIGIN, Event::Treatment(treatment), source(&mut mark));
    }
    let findings = [
        Finding::category(mark("Jane Smith")).unwrap(),
        Finding::NotEvaluable(mark("Jane Smith moved")),
        Finding::measured(dose()),
    ];
    for finding in findings {
        let observation = Observation::new(Observable::new(&mark("observable")).unwrap(), finding);
        patient.timeline.record(Time::ORIGIN, Event::Observation(observation), source(&mut mark));
    }
    (patient, marks)
}

#[test]
fn nothing_planted_in_a_thousand_patients_is_released() {
    let mut audit = Audit::new();
    let mut random = Random::new(1);
    let mut planted = 0;
    for index in 0..1000 {
        let (patient, marks) = marked(&mut random, index);
        let before = json::to_string(&patient).unwrap();
        let released = release(&patient, &[], Purpose::Research, Time::ORIGIN, &mut audit, "2026-01-01").unwrap();
        let after = format!("{}{released:?}{}", json::to_string(&released).unwrap(), audit.head());
        for mark in marks.iter().skip(1) {
            assert!(before.contains(mark.as_str()), "{mark} was never there");
            assert!(!after.contains(mark.as_str()), "{mark} is still there");
        }
        assert!(!after.contains("Jane") && !after.contains("smith") && !before.contains(&marks[0]));
        let years = released.covariates.age_at_origin().unwrap().value.value_in("a").unwrap();
        assert!(years <= 90.0);
        assert_eq!(released.timeline.entries().len(), patient.timeline.entries().len());
        planted += marks.len();
    }
    let log = audit.to_text();
    assert!(planted > 40_000 && audit.len() == 1000 && !log.contains("Jane") && !log.contains("MRN"));
}

#[test]
fn names_that_are_kept_stay() {
    let psa = Observation::number(Observable::PSA, 4.0, "ng/mL").unwrap();
    let status = Observation::new(Observable::new("status").unwrap(), Finding::category("stable").unwrap());
    let patient = Patient::new(key().pseudonym("1").unwrap())
        .with(Time::ORIGIN, Event::Observation(psa.clone()), Provenance::measured("a"))
        .with(Time::ORIGIN, Event::Observation(status.clone()), Provenance::measured("b"))
        .with(
            Time::ORIGIN,
            Event::Observation(Observation::new(Observable::LDH, Missing::Failed.finding())),
            Provenance::measured("a"),
        );
    let released = release(&patient, &["stable", "status"], Purpose::Research, Time::ORIGIN, &mut Audit::new(), "now").unwrap();
    let events: Vec<_> = released.timeline.observations().map(|(_, observation)| observation.clone()).collect();
    assert_eq!(events[..2], [psa, status]);
    assert_eq!(Missing::of(&events[2].finding), Some(Missing::Failed));
    let sources: Vec<_> = released.timeline.entries().iter().map(|entry| entry.provenance.source.as_str()).collect();
    assert_eq!(sources, ["source 1", "source 2", "source 1"]);
}

#[test]
fn consent_is_asked_for_the_purpose_and_the_answer_is_audited() {
    let mut patient = Patient::new(key().pseudonym("1").unwrap());
    let day = |days| Time::from_days(days).unwrap();
    let mut audit = Audit::new();
    let mut ask = |patient: &Patient, purpose, at| release(patient, &[], purpose, at, &mut audit, "now").is_ok();
    assert!(ask(&patient, Purpose::Research, day(0.0)) && !ask(&patient, Purpose::Sharing, day(0.0)));
    patient.consent.record(Provision::new(Purpose::Sharing, Ruling::Permit, None, Some(day(10.0))).unwrap());
    assert!(ask(&patient, Purpose::Sharing, day(9.0)) && !ask(&patient, Purpose::Sharing, day(10.0)));
    patient.consent.withdraw(Withdrawal::of_all(day(5.0)));
    assert!(!ask(&patient, Purpose::Sharing, day(9.0)));
    let outcomes: Vec<String> = audit.to_text().lines().map(|line| line.split('\t').nth(4).unwrap().to_owned()).collect();
    assert_eq!(outcomes, ["released", "refused", "released", "refused", "refused"]);
    let named = Patient::new(SubjectId::new("Jane Smith").unwrap());
    assert!(matches!(release(&named, &[], Purpose::Care, Time::ORIGIN, &mut audit, "now"), Err(IoError::Unwritable { .. })));
    let unclear = release(&patient, &[], Purpose::Care, Time::ORIGIN, &mut audit, "now\tforged");
    assert!(unclear.is_err() && audit.len() == 5);
}

#[test]
fn any_line_altered_removed_or_moved_is_found() {
    let patient = Patient::new(key().pseudonym("1").unwrap());
    let mut audit = Audit::new();
    for day in 0..8 {
        release(&patient, &[], Purpose::Research, Time::ORIGIN, &mut audit, &format!("2026-01-0{}", day + 1)).unwrap();
    }
    let text = audit.to_text();
    assert_eq!(Audit::verify(&text).unwrap(), audit);
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for at in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(at);
        let cut = Audit::verify(&joined(&removed));
        // The last line can be cut off without a trace inside: only the published head tells.
        assert!(if at == lines.len() - 1 { cut.unwrap().head() != audit.head() } else { cut.is_err() }, "{at}");
        if at + 1 < lines.len() {
            let mut moved = lines.clone();
            moved.swap(at, at + 1);
            assert!(Audit::verify(&joined(&moved)).is_err(), "{at}");
        }
    }
    for at in (0..text.len()).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let altered = String::from_utf8(bytes).unwrap();
        assert!(Audit::verify(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn small_groups_are_not_shown() {
    assert_eq!(smallest_group(&[1, 1, 2, 2, 2]), Some(2));
    assert_eq!(smallest_group::<u8>(&[]), None);
    assert_eq!(suppressed(&[5, 7, 100, 0], 11), [None, None, Some(100), Some(0)]);
    assert_eq!(suppressed(&[12, 11], 11), [Some(12), Some(11)]);
    assert_eq!(suppressed(&[2, 0], 11), [None, Some(0)]);
}
