//! Records handed on: is anything left of the person, and does the audit log tell of tampering?

use super::{Claim, words};
use crate::data;
use std::path::Path;
use twin_core::{
    Agent, Category, CovariateName, CovariateValue, Event, Finding, Observable, Observation, Patient, Provenance, Purpose,
    Quantity, Random, Recorded, Target, Time, Treatment,
};
use twin_io::governance::{Audit, Key, release};
use twin_io::{Limits, dicom, json};

const BAR: &str = "a bar of this project; HIPAA Safe Harbor, 45 CFR 164.514(b)(2), for ages";

const DICOM: &str = "a bar of this project; DICOM PS3.15, annex E, on the samples of pydicom and highdicom";

pub(super) fn claims() -> Vec<Claim> {
    vec![
        Claim::quick(
            "privacy.marks_released",
            "marks of a person, planted in every text of 1,000 records, that a release lets out",
            BAR,
            (0.0, 0.0),
            || match planted()? {
                (found, planted) if planted >= 12_000 => Ok(found as f64),
                (_, planted) => Err(format!("only {planted} marks were planted")),
            },
        ),
        Claim::quick(
            "privacy.tampering_missed",
            "changes of one byte to an audit log that its seals do not show",
            BAR,
            (0.0, 0.0),
            || tampering().map(|missed| missed as f64),
        ),
        Claim {
            id: "privacy.dicom_texts_released".to_owned(),
            claim: "texts of the person, the place or the device in DICOM samples that a de-identified copy holds, or copies with other pixels"
                .to_owned(),
            source: DICOM,
            expected: 0.0,
            tolerance: 0.0,
            quick: true,
            run: Box::new(|| data("privacy", "reference/io_reference/files").map(|folder| dicom_texts(&folder)).transpose()),
        },
    ]
}

/// Texts of these groups and kinds that survive in copies of the samples, and copies whose pixels are not those of the sample.
fn dicom_texts(folder: &Path) -> Result<f64, String> {
    let (key, limits) = (key()?, Limits::default());
    let (mut survived, mut planted, mut copies) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).map_err(words)? {
        let path = entry.map_err(words)?.path();
        if path.extension().is_none_or(|extension| extension != "dcm") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(words)?;
        let copy = dicom::deidentify(&bytes, "sample", "MRN 1", &[], &key, &limits).map_err(words)?;
        copies += 1;
        for text in identifying(&bytes) {
            planted += 1;
            survived += usize::from(copy.windows(text.len()).any(|window| window == text));
        }
        // What cannot be decoded, cannot be decoded in the copy either.
        let frames = |bytes: &[u8]| dicom::parse_frames(bytes, "sample", &limits).ok();
        survived += usize::from(frames(&copy) != frames(&bytes));
    }
    if copies < 20 || planted < 200 { Err(format!("only {planted} texts in {copies} files")) } else { Ok(survived as f64) }
}

/// The values of explicit little-endian elements of groups 8 to 20 (hexadecimal) that are names, addresses, dates, times, free text or
/// unique identifiers, found by their headers alone: by another way than the reader's.
fn identifying(bytes: &[u8]) -> Vec<&[u8]> {
    const KINDS: [&[u8; 2]; 9] = [b"PN", b"LO", b"SH", b"ST", b"LT", b"DA", b"TM", b"DT", b"UI"];
    let of_group = |at: &usize| matches!(bytes.get(*at..at + 2), Some([8 | 0x10 | 0x18 | 0x20, 0]));
    let value = |at: usize| {
        let kind = bytes.get(at + 4..at + 6)?;
        let length = usize::from(u16::from_le_bytes(*bytes.get(at + 6..at + 8)?.first_chunk()?));
        let value = bytes.get(at + 8..at + 8 + length)?;
        let value = value.strip_suffix(b"\0").or(value.strip_suffix(b" ")).unwrap_or(value);
        let is_text = KINDS.iter().any(|known| kind == known.as_slice()) && value.iter().all(|byte| (0x20..0x7f).contains(byte));
        // What is shorter turns up by chance among pixels, and identifiers of the standard name no one.
        (is_text && value.len() >= 6 && !value.starts_with(b"1.2.840.10008.")).then_some(value)
    };
    (0..bytes.len().saturating_sub(8)).filter(of_group).filter_map(value).collect()
}

fn key() -> Result<Key, String> {
    Key::new((0..32).collect::<Vec<u8>>()).map_err(words)
}

/// Marks that were found in what was released, and marks that were planted.
fn planted() -> Result<(usize, usize), String> {
    let (mut audit, key, mut random) = (Audit::new(), key()?, Random::new(20));
    let (mut found, mut planted) = (0, 0);
    for index in 0..1000 {
        let mut marks: Vec<String> = Vec::new();
        let mut mark = |kind: &str| {
            marks.push(format!("{kind}-{index}-{}", random.bits()));
            marks.last().cloned().unwrap_or_default()
        };
        let mut patient = Patient::new(key.pseudonym(&mark("MRN")).map_err(words)?);
        let category = CovariateValue::Category(Category::new(&mark("12 Elm Street")).map_err(words)?);
        let name = CovariateName::new(&mark("phone")).map_err(words)?;
        let source = Provenance::reported(mark("doe_jane.csv")).at(mark("born 1961-04-02"));
        patient.covariates.record(name, Time::ORIGIN, Recorded::new(category, source));
        let dose = Quantity::new(2.0, "mg").map_err(words)?;
        let events = [
            Event::Treatment(Treatment::on(Agent::new(&mark("agent")).map_err(words)?)),
            Event::Treatment(Treatment::surgery(Target::new(&mark("target")).map_err(words)?, twin_core::Proportion::ONE)),
            Event::Observation(Observation::new(
                Observable::new(&mark("marker")).map_err(words)?,
                Finding::category(mark("Jane Doe")).map_err(words)?,
            )),
            Event::Observation(Observation::new(Observable::PSA, Finding::NotEvaluable(mark("Jane moved")))),
            Event::Observation(Observation::new(Observable::LDH, Finding::measured(dose))),
        ];
        for event in events {
            patient.timeline.record(Time::ORIGIN, event, Provenance::measured(mark("host-17")).at(mark("row of Jane")));
        }
        let released = release(&patient, &[], Purpose::Research, Time::ORIGIN, &mut audit, "2026-01-01").map_err(words)?;
        let out = json::to_string(&released).map_err(words)?;
        found += marks.iter().filter(|mark| out.contains(mark.as_str())).count();
        planted += marks.len();
    }
    let log = audit.to_text();
    Ok((found + usize::from(log.contains("Jane") || log.contains("MRN")), planted))
}

/// Single bytes of a log that can be changed without its seals breaking.
fn tampering() -> Result<usize, String> {
    let patient = Patient::new(key()?.pseudonym("MRN 1").map_err(words)?);
    let mut audit = Audit::new();
    for day in 1..=5 {
        release(&patient, &[], Purpose::Research, Time::ORIGIN, &mut audit, &format!("2026-01-0{day}")).map_err(words)?;
    }
    let text = audit.to_text().into_bytes();
    let changed = |at: usize| {
        let mut bytes = text.clone();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        String::from_utf8(bytes).is_ok_and(|text| Audit::verify(&text).is_ok())
    };
    Ok((0..text.len()).filter(|at| changed(*at)).count())
}
