#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::*;
use proptest::prelude::*;
use std::path::PathBuf;
use twin_core::{Agent, Event, Finding, Observable, Origin, Quantity, Span, Treatment, Unit};

fn unit(code: &str) -> Unit {
    Unit::parse(code).unwrap()
}

fn agent(name: &str) -> Agent {
    Agent::new(name).unwrap()
}

/// `id,day,psa,on`, where `psa` may be censored.
fn mapping() -> Mapping {
    let mut mapping = Mapping::new("id", "day", unit("d"));
    mapping.observables.push(ObservableColumn { censored: true, ..ObservableColumn::new("psa", Observable::PSA, unit("ng/mL")) });
    mapping.therapies.push(TherapyColumn::new("on", agent("drug")));
    mapping
}

fn parse_with(mapping: &Mapping, text: &str) -> Result<Vec<Patient>, IoError> {
    parse_table(text, "visits.csv", mapping, &Limits::default())
}

/// Reads rows under the header `id,day,psa,on`.
fn parse(rows: &str) -> Result<Vec<Patient>, IoError> {
    parse_with(&mapping(), &format!("id,day,psa,on\n{rows}"))
}

fn refused(rows: &str) -> IoError {
    parse(rows).unwrap_err()
}

/// Line, field and rule of an invalid value.
fn invalid(result: Result<Vec<Patient>, IoError>) -> (u32, String, String) {
    match result.unwrap_err() {
        IoError::Invalid { place, rule } => (place.line.unwrap(), String::from(place.field.unwrap()), rule),
        other => unreachable!("{other}"),
    }
}

fn number(value: f64) -> Finding {
    Finding::measured(Quantity::new(value, unit("ng/mL")).unwrap())
}

fn findings(patient: &Patient) -> Vec<(f64, Finding)> {
    patient.timeline.observations().map(|(time, observation)| (time.days(), observation.finding.clone())).collect()
}

fn statuses(patient: &Patient) -> Vec<(f64, bool)> {
    let timed = patient.timeline.treatments();
    timed.iter().map(|timed| (timed.time.days(), timed.treatment == Treatment::on(agent("drug")))).collect()
}

#[test]
fn reads_patients_in_the_order_of_their_first_rows() {
    let patients = parse("002,0,1.5,1\n1,3,2,0\n002,7.5, 2.5e0 ,0\n1,-2,4.,\n").unwrap();
    let ids: Vec<_> = patients.iter().map(|patient| patient.id.as_str()).collect();
    assert_eq!(ids, ["002", "1"]);
    assert_eq!(findings(&patients[0]), [(0.0, number(1.5)), (7.5, number(2.5))]);
    assert_eq!(findings(&patients[1]), [(-2.0, number(4.0)), (3.0, number(2.0))]);
}

#[test]
fn a_status_makes_an_entry_first_and_at_each_change() {
    let patient = |rows| parse(rows).unwrap().remove(0);
    assert_eq!(
        statuses(&patient("a,0,1,0\na,1,1,0\na,2,,1\na,3,1,\na,4,1,1\na,5,1,0\n")),
        [(0.0, false), (2.0, true), (5.0, false)]
    );
    // Sorted by time before the changes are looked for.
    assert_eq!(statuses(&patient("a,9,1,0\na,5,1,1\na,7,1,0\na,0,1,1\n")), [(0.0, true), (7.0, false)]);
    assert_eq!(statuses(&patient("a,0,1,1\na,0,,1\n")), [(0.0, true)]);
}

#[test]
fn contradicting_and_repeated_visits_are_refused_with_both_lines() {
    match refused("a,0,1,1\nb,0,1,1\na,7,1,0\na,0,,0\n") {
        IoError::ContradictoryStatus { place, first } => {
            assert_eq!((place.line, place.field.as_deref(), first), (Some(5), Some("on"), 2));
        }
        other => unreachable!("{other}"),
    }
    match refused("a,7,1,1\nb,0,1,1\na,0,1,1\na,7.0,1,1\n") {
        IoError::DuplicateVisit { place, first } => {
            assert_eq!((place.line, place.field.as_deref(), first), (Some(5), Some("psa"), 2));
        }
        other => unreachable!("{other}"),
    }
    assert_eq!(parse("a,7,1,1\na,7,,1\n").unwrap().len(), 1); // the second row says nothing of the observable
}

#[test]
fn provenance_names_the_file_the_line_and_the_column() {
    let patient = parse("\r\na,0,<0.1,1\r\n").unwrap().remove(0);
    let places: Vec<_> = patient.timeline.entries().iter().map(|entry| &entry.provenance).collect();
    assert_eq!((places[0].origin, places[1].origin), (Origin::Measured, Origin::Reported));
    assert!(places.iter().all(|provenance| provenance.source == "visits.csv"));
    assert_eq!(places[0].place.as_deref(), Some("line 3, column psa"));
    assert_eq!(places[1].place.as_deref(), Some("line 3, column on"));
}

#[test]
fn values_beyond_a_limit_of_quantification_are_censored() {
    let limit = |value| Quantity::new(value, unit("ng/mL")).unwrap();
    let patient = parse("a,0,<0.1,1\na,1,> 100,1\na,2,0,1\n").unwrap().remove(0);
    assert_eq!(findings(&patient), [(0.0, Finding::Below(limit(0.1))), (1.0, Finding::Above(limit(100.0))), (2.0, number(0.0))]);
    let mut mapping = mapping();
    mapping.observables[0].censored = false;
    mapping.observables[0].lower_limit = Some(0.1);
    let patient = parse_with(&mapping, "id,day,psa,on\na,0,0.09,1\na,1,0.1,1\n").unwrap().remove(0);
    assert_eq!(findings(&patient), [(0.0, Finding::Below(limit(0.1))), (1.0, number(0.1))]);
    let (line, field, rule) = invalid(parse_with(&mapping, "id,day,psa,on\na,0,<0.1,1\n"));
    assert_eq!((line, field.as_str()), (2, "psa"));
    assert!(rule.contains("censored = true"), "{rule}");
}

#[test]
fn what_is_not_a_number_is_refused() {
    for bad in ["NaN", "inf", "-infinity", "1e999", "-0.1", "x", "1,5", "0x1", "1 2", "<", "<-1", "<NaN", "<<1", "1<", "\u{661}"] {
        let (line, field, rule) = invalid(parse(&format!("a,0,1,1\na,1,\"{bad}\",1\n")));
        assert_eq!((line, field.as_str()), (3, "psa"), "{bad}: {rule}");
    }
    for bad in ["NaN", "inf", "", " ", "day 1", "1e10", "2020-01-31"] {
        assert_eq!(invalid(parse(&format!("a,{bad},1,1\n"))).1, "day", "{bad}");
    }
    for bad in ["yes", "2", "1.0", "TRUE"] {
        assert_eq!(invalid(parse(&format!("a,0,1,{bad}\n"))).1, "on", "{bad}");
    }
    for bad in ["", " ", "a ", "a\u{7}", &"x".repeat(129)] {
        assert_eq!(invalid(parse(&format!("{bad},0,1,1\n"))).1, "id", "{bad}");
    }
    let mut signed = mapping();
    signed.observables[0].signed = true;
    assert_eq!(findings(&parse_with(&signed, "id,day,psa,on\na,0,-5,1\n").unwrap()[0]), [(0.0, number(-5.0))]);
}

#[test]
fn errors_do_not_quote_values() {
    let secret = "Mustermann";
    for rows in [
        "{},0,1,1\n",
        "a,{},1,1\n",
        "a,0,{},1\n",
        "a,0,1,{}\n",
        "{}\n",
        "a,0,1,1,{}\n",
        "a,0,\"{},1\n",
        "a,0,\"1\"{},1\n",
        "{},0,,1\n",
    ] {
        let rows = rows.replace("{}", secret);
        if let Err(error) = parse(&rows) {
            assert!(!format!("{error} {error:?}").contains(secret), "{rows}: {error}");
        }
    }
    // A table without a header: its first line is data.
    let error = parse_with(&mapping(), "Mustermann,0,1,1\n").unwrap_err();
    assert!(matches!(&error, IoError::MissingColumns { present, .. } if present.is_empty()));
    assert!(!format!("{error} {error:?}").contains(secret));
}

#[test]
fn the_columns_must_be_those_of_the_mapping() {
    let message = |header: &str| parse_with(&mapping(), &format!("{header}\n")).unwrap_err().to_string();
    assert_eq!(
        message("id,day,PSA,on,x"),
        "visits.csv, line 1: no column `psa`, which the mapping names; columns there are: `id`, `day`, `PSA`, `on`, `x`"
    );
    assert_eq!(
        message("id,day,psa,on,name,x"),
        "visits.csv, line 1: the mapping says nothing of column `name`, `x`; map it, or list it in `left_out`"
    );
    assert_eq!(message("id,day,psa,on,psa"), "visits.csv, line 1, field `psa`: the column is there twice");
    let mut lenient = mapping();
    lenient.left_out = vec!["name".to_owned(), "absent".to_owned()];
    assert_eq!(parse_with(&lenient, "on,name,psa,day,id\n1,whoever,2,0,a\n").unwrap()[0].id.as_str(), "a");
}

#[test]
fn an_empty_table_is_refused() {
    for text in ["", "\n\n", "\u{feff}", "id,day,psa,on", "id,day,psa,on\r\n\r\n"] {
        assert!(matches!(parse_with(&mapping(), text), Err(IoError::Empty { .. })), "{text:?}");
    }
    assert_eq!(refused("a,0,1\n").to_string(), "visits.csv, line 2: 3 fields, but the header has 4");
    assert_eq!(
        refused("a,0,1,1\nb,0,,1\nb,7,,1\n").to_string(),
        "visits.csv, line 3: the subject that begins here has 2 row(s), but not one observation"
    );
}

#[test]
fn a_byte_order_mark_quotes_and_crlf_change_nothing() {
    let plain = parse("a,0,1,1\na,7,2,0\n").unwrap();
    let text = "\u{feff}\"id\",\"day\",psa,on\r\n\"a\",0,\"1\",1\r\na,7,2,\"0\"";
    assert_eq!(parse_with(&mapping(), text).unwrap(), plain);
    let quoted = parse("\"a,\"\"b\",0,1,1\n").unwrap();
    assert_eq!(quoted[0].id.as_str(), "a,\"b");
    let mut other = mapping();
    other.delimiter = '\t';
    assert_eq!(parse_with(&other, "id\tday\tpsa\ton\na\t0\t1\t1\na\t7\t2\t0\n").unwrap(), plain);
}

#[test]
fn times_are_converted_to_days() {
    for (code, days) in [("d", 2.0), ("h", 2.0 / 24.0), ("wk", 14.0), ("mo", 60.875), ("a", 730.5)] {
        let mut mapping = mapping();
        mapping.time.unit = unit(code);
        let patients = parse_with(&mapping, "id,day,psa,on\na,2,1,1\n").unwrap();
        assert_eq!(findings(&patients[0])[0].0, days, "{code}");
    }
}

#[test]
fn doses_are_given_at_their_rows() {
    let mapping = Mapping::from_toml(
        r#"
        subject = "id"
        time = { column = "h", unit = "h" }
        missing = ["", "."]
        observables = [{ column = "c", observable = "ldh", unit = "U/L" }]
        [[doses]]
        column = "iv"
        agent = "docetaxel"
        unit = "mg/m2"
        route = { infusion = { duration = 0.5 } }
        [[doses]]
        column = "po"
        agent = "prednisone"
        unit = "mg"
        route = "oral"
        "#,
    )
    .unwrap();
    let patients = parse_with(&mapping, "id,h,c,iv,po\na,0,.,75,.\na,12,200,,5\n").unwrap();
    let treatments: Vec<_> =
        patients[0].timeline.treatments().into_iter().map(|timed| (timed.time.days(), timed.treatment)).collect();
    let dose = |value, code| Quantity::new(value, unit(code)).unwrap();
    let infusion = Treatment::infusion(agent("docetaxel"), dose(75.0, "mg/m2"), Span::from_hours(12.0).unwrap()).unwrap();
    assert_eq!(treatments, [(0.0, infusion), (0.5, Treatment::oral(agent("prednisone"), dose(5.0, "mg")).unwrap())]);
    assert_eq!(invalid(parse_with(&mapping, "id,h,c,iv,po\na,0,1,-75,.\n")).1, "iv");
    let twice = parse_with(&mapping, "id,h,c,iv,po\na,0,1,75,.\na,0,.,75,.\n");
    assert!(matches!(twice, Err(IoError::DuplicateVisit { .. })));
}

#[test]
fn limits_hold_until_they_are_raised() {
    let text = "id,day,psa,on\na,0,1,1\na,7,2,0\n";
    let refused = |limits: Limits| match parse_table(text, "visits.csv", &mapping(), &limits).unwrap_err() {
        IoError::Limit { raise, .. } => raise,
        other => unreachable!("{other}"),
    };
    assert_eq!(refused(Limits { max_bytes: text.len() - 1, ..Limits::default() }), "max_bytes");
    assert_eq!(refused(Limits { max_records: 1, ..Limits::default() }), "max_records");
    assert_eq!(refused(Limits { max_line: 13, ..Limits::default() }), "max_line");
    let enough = Limits { max_bytes: text.len(), max_records: 2, max_line: 14, ..Limits::default() };
    assert_eq!(parse_table(text, "visits.csv", &mapping(), &enough).unwrap().len(), 1);
}

#[test]
fn a_mapping_that_contradicts_itself_is_refused() {
    let rule = |change: fn(&mut Mapping)| {
        let mut mapping = mapping();
        change(&mut mapping);
        match parse_with(&mapping, "id,day,psa,on\na,0,1,1\n").unwrap_err() {
            IoError::Mapping { rule, .. } => rule,
            other => unreachable!("{other}"),
        }
    };
    assert_eq!(rule(|m| m.left_out.push("psa".to_owned())), "column `psa` is there twice");
    assert_eq!(
        rule(|m| m.observables.push(ObservableColumn::new("psa_2", Observable::PSA, unit("ug/L")))),
        "observable `psa` is there twice"
    );
    assert_eq!(
        rule(|m| m.doses.push(DoseColumn::new("mg", agent("drug"), unit("mg"), Route::Oral))),
        "agent `drug` is there twice"
    );
    assert!(rule(|m| m.observables.clear()).starts_with("at least one observable"));
    assert!(rule(|m| m.time.unit = unit("mg")).starts_with("unit `mg` of the time is not a unit of time"));
    assert!(rule(|m| m.delimiter = '"').starts_with("a delimiter"));
    assert!(rule(|m| m.observables[0].lower_limit = Some(f64::NAN)).starts_with("the lower limit of column `psa`"));
    assert!(rule(|m| m.therapies[0].off.push("1".to_owned())).ends_with("`1` is there twice"));
    let endless = Route::Infusion { duration: Span::ZERO };
    let mut mapping = mapping();
    mapping.doses.push(DoseColumn::new("mg", agent("other"), unit("mg"), endless));
    assert!(matches!(parse_with(&mapping, ""), Err(IoError::Mapping { .. })));
}

#[test]
fn a_mapping_file_is_strict() {
    let whole = "subject = \"id\"\ntime = { column = \"day\", unit = \"d\" }\n\n[[observables]]\ncolumn = \"psa\"\nobservable = \"psa\"\nunit = \"ng/mL\"\n";
    assert!(Mapping::from_toml(whole).is_ok());
    for (from, to, line, said) in [
        ("unit = \"ng/mL\"", "unit = \"nanograms\"", 7, "nanograms"),
        ("unit = \"ng/mL\"", "unit = \"ng/mL\"\ncolour = 1", 8, "unknown field `colour`"),
        ("unit = \"d\"", "units = \"d\"", 2, "unknown field `units`"),
        ("subject = \"id\"", "subject = 3", 1, "expected a string"),
        ("subject = \"id\"", "subject = ", 1, ""),
        ("observable = \"psa\"", "observable = \"\"", 6, "an observable"),
    ] {
        match Mapping::from_toml(&whole.replace(from, to)).unwrap_err() {
            IoError::Mapping { place, rule } => {
                assert_eq!(place.line, Some(line), "{rule}");
                assert!(rule.contains(said), "{rule}");
            }
            other => unreachable!("{other}"),
        }
    }
    assert!(matches!(Mapping::from_toml(""), Err(IoError::Mapping { .. })));
    assert!(matches!(Mapping::from_toml(&whole.replace("column = \"psa\"", "column = \"id\"")), Err(IoError::Mapping { .. })));
}

#[test]
fn ready_mappings_are_found_by_their_columns() {
    let header = ["on_abiraterone", "patient", "arm", "day", "psa_ng_per_ml"];
    assert_eq!(Mapping::detect(&header), Some(Mapping::abiraterone().unwrap()));
    assert_eq!(Mapping::detect(&header[1..]), None);
    let second = Mapping::intermittent_androgen_deprivation().unwrap();
    let columns: Vec<String> = second.named().map(str::to_owned).collect();
    assert_eq!(Mapping::detect(&columns), Some(second));
}

#[test]
fn one_patient_of_a_file() {
    let folder = std::env::temp_dir().join(format!("twin-io-{}-table", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join("visits.csv");
    let rows: String = (1..=40).map(|id| format!("P10{id:02},0,{id},1\n")).collect();
    std::fs::write(&path, format!("id,day,psa,on\n{rows}")).unwrap();
    let read = |id| read_patient_from_table(&path, &mapping(), id, &Limits::default());
    assert_eq!(read("P1007").unwrap().id.as_str(), "P1007");
    assert_eq!(read("P1007").unwrap().timeline.entries()[0].provenance.source, "visits.csv"); // not the whole path
    match read("P107").unwrap_err() {
        IoError::UnknownSubject { subjects, nearest, .. } => {
            assert_eq!((subjects, nearest.len()), (40, 5));
            assert!(nearest.iter().any(|id| id.as_str() == "P1007"));
        }
        other => unreachable!("{other}"),
    }
    assert_eq!(read_header(&path, ',', &Limits::default()).unwrap(), ["id", "day", "psa", "on"]);
    std::fs::write(&path, b"id,day,psa,on\na,0,1,1\n\xff\xfe").unwrap();
    assert!(matches!(read("a"), Err(IoError::Encoding { place }) if place.line == Some(3)));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(read("a"), Err(IoError::Read { .. })));
}

#[test]
fn edits_are_counted() {
    let distance = |from: &str, to| edits(&from.chars().collect::<Vec<_>>(), to);
    assert_eq!([distance("kitten", "sitting"), distance("", "abc"), distance("abc", ""), distance("1", "001")], [3, 3, 3, 2]);
}

proptest! {
    #[test]
    fn no_text_panics(text in "(id,day,psa,on\r?\n)?([ab]?,?[0-9<>.e-]{0,3},?[01\"]{0,2}\n?){0,8}") {
        let _ = parse_with(&mapping(), &text);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(days in proptest::collection::btree_map(0_u16..500, (0_u8..50, any::<bool>()), 1..20), turn: usize) {
        let mut rows: Vec<String> = days.iter().map(|(day, (psa, on))| format!("a,{day},{psa},{}\n", u8::from(*on))).collect();
        let sorted = parse(&rows.concat()).unwrap().remove(0);
        let middle = turn % rows.len();
        rows.rotate_left(middle);
        let turned = parse(&rows.concat()).unwrap().remove(0);
        let events = |patient: &Patient| patient.timeline.entries().iter().map(|entry| (entry.time, entry.event.clone())).collect::<Vec<_>>();
        prop_assert_eq!(events(&sorted), events(&turned));
        let changes = days.values().zip(days.values().skip(1)).filter(|(a, b)| a.1 != b.1).count();
        prop_assert_eq!(sorted.timeline.treatments().len(), 1 + changes);
        let observed = sorted.timeline.entries().iter().filter(|entry| matches!(entry.event, Event::Observation(_))).count();
        prop_assert_eq!(observed, days.len());
    }
}
