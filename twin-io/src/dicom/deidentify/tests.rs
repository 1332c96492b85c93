#![allow(clippy::unwrap_used)]

use super::super::tests::{EXPLICIT, Writer, slice};
use super::super::{Structures, parse_frames, parse_series, tag};
use crate::governance::Key;
use crate::{IoError, Limits};

fn key() -> Key {
    Key::new((0..32).collect::<Vec<u8>>()).unwrap()
}

fn without(bytes: &[u8], keep: &[&str]) -> Result<Vec<u8>, IoError> {
    super::deidentify(bytes, "f.dcm", "MRN 4711", keep, &key(), &Limits::default())
}

/// Marks in every representation of text, at the top, in a sequence that stays, in one that goes, and in private elements.
fn marked() -> (Vec<u8>, Vec<String>) {
    let representations =
        ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UN", "UR", "UT"];
    let mut marks = Vec::new();
    let mut mark = |what: &str| {
        marks.push(format!("DOE{what}{}", marks.len()));
        marks.last().cloned().unwrap()
    };
    let named =
        slice(0.0, &[(tag::PATIENT_ID, "DOE-0815"), (tag::STUDY, "1.2.840.99999.4711.1"), (tag::SERIES, "1.2.840.99999.4711.2")]);
    let mut writer = Writer::default().text(tag::PATIENT_NAME, "PN", "Doe^Jane").text(0x0008_0020, "DA", "19610402");
    for (index, representation) in (0x0008_1000..).zip(representations) {
        writer = writer.text(index, representation, &mark("a"));
    }
    // Elements that stay, with what has no business in them.
    for (tag, representation) in [(0x0008_0008, "CS"), (0x0020_0011, "IS"), (0x0018_0050 + 0x10, "DS"), (0x0008_0016, "UI")] {
        writer = writer.text(tag, representation, &mark("b"));
    }
    let inner = Writer::default().text(tag::CODE_VALUE, "SH", "121311").text(tag::CODE_SCHEME, "SH", "DCM").text(
        tag::CODE_MEANING,
        "LO",
        &mark("c"),
    );
    let local = Writer::default().text(tag::CODE_VALUE, "SH", "4711").text(tag::CODE_SCHEME, "SH", &mark("d"));
    writer = writer.items(tag::SEGMENT_TYPE, &[inner, local]);
    writer = writer.items(0x0040_0275, &[Writer::default().text(0x0040_1400, "LT", &mark("e"))]);
    writer = writer.text(0x0009_0010, "LO", &mark("f")).text(0x0009_1001, "UT", &mark("g")).text(0x6000_0022, "LO", &mark("h"));
    writer.0.extend(named.0);
    marks.extend(["DOE-0815", "Doe", "Jane", "19610402", "4711", "99999"].map(str::to_owned));
    (writer.file(EXPLICIT), marks)
}

#[test]
fn no_mark_survives_and_the_image_does() {
    let (bytes, marks) = marked();
    let out = without(&bytes, &[]).unwrap();
    let survives = |mark: &String| out.windows(mark.len()).any(|window| window == mark.as_bytes());
    assert_eq!(marks.iter().filter(|mark| survives(mark)).collect::<Vec<_>>(), Vec::<&String>::new());
    let series = |bytes: &[u8]| parse_series(&[("f.dcm", bytes)], &Limits::default()).unwrap();
    assert_eq!(series(&out), series(&bytes));
    // The same key makes the same file, and what it has made it makes again.
    assert_eq!(without(&bytes, &[]).unwrap(), out);
    assert!(without(&out, &[]).is_ok());
    let text = String::from_utf8_lossy(&out).into_owned();
    assert!(text.contains("113100") && text.contains(key().pseudonym("MRN 4711").unwrap().as_str()));
}

#[test]
fn files_go_on_referring_to_each_other_and_listed_names_stay() {
    let structure = |number: &str, name: &str| {
        Writer::default().text(tag::ROI_NUMBER, "IS", number).text(tag::ROI_FRAME_OF_REFERENCE, "UI", "1.9").text(
            tag::ROI_NAME,
            "LO",
            name,
        )
    };
    let rois = Writer::default()
        .text(tag::MODALITY, "CS", "RTSTRUCT")
        .items(tag::ROIS, &[structure("1", "GTV"), structure("2", "Tumor of Jane Doe")]);
    let out = without(&rois.file(EXPLICIT), &["GTV"]).unwrap();
    let read = Structures::parse(&out, "f.dcm", &Limits::default()).unwrap();
    let names: Vec<&str> = read.structures.iter().map(|structure| structure.name.as_str()).collect();
    assert_eq!(names, ["GTV", "ROI 1"]);
    let image = without(&slice(0.0, &[]).file(EXPLICIT), &[]).unwrap();
    let frame = |bytes: &[u8]| {
        let loaded = super::super::loaded(bytes, "f", &Limits::default()).unwrap();
        let dataset = loaded.dataset(&Limits::default()).unwrap();
        let rois = dataset.item(tag::ROIS).cloned().unwrap_or_default();
        dataset.text(tag::FRAME_OF_REFERENCE).or(rois.text(tag::ROI_FRAME_OF_REFERENCE)).unwrap().to_owned()
    };
    assert_eq!(frame(&out), frame(&image));
    assert!(frame(&out).starts_with("2.25."));
}

#[test]
fn what_is_burned_in_is_refused() {
    let burned = slice(0.0, &[]).text(super::profile::BURNED_IN, "CS", "YES");
    assert!(matches!(without(&burned.file(EXPLICIT), &[]), Err(IoError::Unsupported { .. })));
    assert!(super::deidentify(&slice(0.0, &[]).file(EXPLICIT), "f", " ", &[], &key(), &Limits::default()).is_err());
    assert!(parse_frames(&without(&slice(0.0, &[]).file(EXPLICIT), &[]).unwrap(), "f", &Limits::default()).is_ok());
}
