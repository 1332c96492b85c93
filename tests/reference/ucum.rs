//! The UCUM functional tests, and the UCUM table of units against its own definitions.
//!
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::indexing_slicing
)]

use roxmltree::{Document, Node};
use std::collections::HashMap;
use twin_core::{CoreError, Unit};

/// A file of the reference; `None` where the data are absent.
fn data(name: &str) -> Option<String> {
    let path = twin_tests::data("ucum", &format!("reference/ucum/{name}"))?;
    Some(std::fs::read_to_string(path).unwrap())
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_else(|| panic!("no attribute {name} in {node:?}"))
}

fn cases<'a>(document: &'a Document<'_>, section: &str) -> Vec<Node<'a, 'a>> {
    let section = document.descendants().find(|node| node.has_tag_name(section)).expect("the section is there");
    section.children().filter(|node| node.has_tag_name("case")).collect()
}

fn convert(value: f64, from: &str, to: &str) -> Result<f64, CoreError> {
    Unit::parse(from)?.convert(value, &Unit::parse(to)?)
}

/// Whether a result agrees with an outcome to all the digits that the outcome is written with, or to 2 ulp where it has more
/// digits than a number holds.
fn agrees(result: f64, outcome: &str) -> bool {
    let expected: f64 = outcome.parse().expect("an outcome is a number");
    let (digits, exponent) = outcome.split_once('e').unwrap_or((outcome, "0"));
    let places = digits.split_once('.').map_or(0, |(_, part)| i32::try_from(part.len()).unwrap());
    let half_digit = 0.5 * 10f64.powi(exponent.parse::<i32>().unwrap() - places);
    (result - expected).abs() <= half_digit.max(2.0 * f64::EPSILON * expected.abs())
}

#[test]
fn functional_tests_of_validation() {
    let Some(text) = data("UcumFunctionalTests.xml") else { return };
    let document = Document::parse(&text).unwrap();
    let cases = cases(&document, "validation");
    let failed: Vec<_> = cases
        .iter()
        .filter(|case| Unit::parse(attribute(**case, "unit")).is_ok() != (attribute(**case, "valid") == "true"))
        .map(|case| format!("{} `{}`", attribute(*case, "id"), attribute(*case, "unit")))
        .collect();
    println!("validation: {} of {} pass", cases.len() - failed.len(), cases.len());
    assert_eq!(cases.len(), 529);
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn functional_tests_of_conversion() {
    let Some(text) = data("UcumFunctionalTests.xml") else { return };
    let document = Document::parse(&text).unwrap();
    let cases = cases(&document, "conversion");
    let mut failed = Vec::new();
    for case in &cases {
        let (from, to, outcome) = (attribute(*case, "srcUnit"), attribute(*case, "dstUnit"), attribute(*case, "outcome"));
        let result = convert(attribute(*case, "value").parse().unwrap(), from, to);
        if !result.as_ref().is_ok_and(|result| agrees(*result, outcome)) {
            failed.push(format!("{} {from} to {to}: {result:?}, not {outcome}", attribute(*case, "id")));
        }
    }
    println!("conversion: {} of {} pass", cases.len() - failed.len(), cases.len());
    assert_eq!(cases.len(), 30);
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn functional_tests_of_products_and_quotients() {
    let Some(text) = data("UcumFunctionalTests.xml") else { return };
    let document = Document::parse(&text).unwrap();
    for (section, operator, count) in [("multiplication", '.', 2), ("division", '/', 3)] {
        let cases = cases(&document, section);
        assert_eq!(cases.len(), count);
        for case in cases {
            let of = |name| attribute(case, name);
            let (a, b): (f64, f64) = (of("v1").parse().unwrap(), of("v2").parse().unwrap());
            let value = if operator == '.' { a * b } else { a / b };
            let to = if of("uRes").is_empty() { "1" } else { of("uRes") };
            let result = convert(value, &format!("({}){operator}({})", of("u1"), of("u2")), to).unwrap();
            assert!(agrees(result, of("vRes")), "{section} {}: {result}", of("id"));
        }
    }
}

/// What a special unit counts where its reference unit counts `r`, by the function that the table names.
fn special(function: &str, r: f64) -> f64 {
    match function {
        "Cel" => r - 273.15,
        "degF" => r - 459.67,
        "degRe" => r - 218.52,
        "tanTimes100" | "100tan" => r.tan() * 100.0,
        "hpX" | "pH" => -r.log10(),
        "hpC" => -r.ln() / 100f64.ln(),
        "hpM" => -r.ln() / 1000f64.ln(),
        "hpQ" => -r.ln() / 50_000f64.ln(),
        "ln" => r.ln(),
        "lg" => r.log10(),
        "lgTimes2" => 2.0 * r.log10(),
        "ld" => r.log2(),
        "sqrt" => r.sqrt(),
        other => panic!("the function {other} is not known here"),
    }
}

/// Checks one atom against its definition: `value` of `unit`, or a function of it.
fn check_definition(code: &str, node: Node<'_, '_>) {
    let value = node.children().find(|child| child.has_tag_name((node.tag_name().namespace().unwrap(), "value"))).unwrap();
    let Some(function) = value.children().find(|child| child.tag_name().name() == "function") else {
        let unit = attribute(value, "Unit");
        if node.attribute("isArbitrary") == Some("yes") && unit == "1" {
            assert!(convert(1.0, code, unit).is_err(), "{code} is arbitrary");
            return;
        }
        let count: f64 = attribute(value, "value").parse().unwrap();
        assert_eq!(convert(1.0, code, unit).unwrap(), count, "{code} in {unit}");
        return;
    };
    // the table gives a slope as a tangent of degrees; a tangent is taken of the angle itself, so 100 % are 45 deg either way
    let unit = if code == "%[slope]" { "rad" } else { attribute(function, "Unit") };
    let unit = format!("{}.{}", attribute(function, "value"), unit);
    for r in [0.25, 1.0, 300.0] {
        let expected = special(attribute(function, "name"), r);
        let result = convert(r, &unit, code).unwrap();
        assert!((result - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{r} {unit} is {result} {code}, not {expected}");
    }
}

#[test]
fn every_unit_of_the_table_agrees_with_its_definition() {
    let Some(text) = data("ucum-essence.xml") else { return };
    let document = Document::parse(&text).unwrap();
    let named = |tag: &'static str| document.descendants().filter(move |node| node.tag_name().name() == tag);
    let (mut units, mut metric) = (0, 0);
    for node in named("unit").chain(named("base-unit")) {
        let code = attribute(node, "Code");
        let unit = Unit::parse(code).unwrap();
        let is_base = node.tag_name().name() == "base-unit";
        for prefix in named("prefix").map(|prefix| attribute(prefix, "Code")) {
            let takes = Unit::parse(&format!("{prefix}{code}")).is_ok_and(|prefixed| prefixed.is_commensurable_with(&unit));
            // that `Pa` is the pascal does not give a year a prefix: the two are not commensurable
            let expected = is_base || attribute(node, "isMetric") == "yes";
            assert_eq!(takes, expected, "{prefix}{code}");
            metric += usize::from(takes);
        }
        if !is_base {
            check_definition(code, node);
            units += 1;
        }
    }
    println!("units: {units} agree with their definition, {metric} combinations with a prefix");
    assert_eq!(units, 305);
    let bases: Vec<_> = named("base-unit").map(|node| Unit::parse(attribute(node, "Code")).unwrap()).collect();
    for (index, a) in bases.iter().enumerate() {
        assert!(bases.iter().skip(index + 1).all(|b| !a.is_commensurable_with(b)), "{a}");
    }
    for node in named("prefix") {
        let value = node.children().find(|child| child.tag_name().name() == "value").unwrap();
        let expected: f64 = attribute(value, "value").parse().unwrap();
        assert_eq!(convert(1.0, &format!("{}m", attribute(node, "Code")), "m").unwrap(), expected);
    }
}

const BASES: [&str; 7] = ["m", "s", "g", "rad", "K", "C", "cd"];

/// A factor to base units and the powers of the base units.
type Canonical = (f64, [i32; 7]);

/// Canonical forms by plain arithmetic on the definitions of the table, independently of the library.
struct Plain {
    prefixes: Vec<(String, f64)>,
    definitions: HashMap<String, (f64, String)>,
}

impl Plain {
    fn new(document: &Document<'_>) -> Self {
        let mut plain = Self { prefixes: Vec::new(), definitions: HashMap::new() };
        for node in document.descendants() {
            let value = || node.children().find(|child| child.tag_name().name() == "value").unwrap();
            let number = || attribute(value(), "value").parse().unwrap();
            match node.tag_name().name() {
                "prefix" => plain.prefixes.push((attribute(node, "Code").to_owned(), number())),
                "unit" if node.attribute("isSpecial") != Some("yes") => {
                    let definition = (number(), attribute(value(), "Unit").to_owned());
                    plain.definitions.insert(attribute(node, "Code").to_owned(), definition);
                }
                _ => {}
            }
        }
        plain
    }

    fn atom(&self, name: &str) -> Option<Canonical> {
        if let Some(index) = BASES.iter().position(|base| *base == name) {
            let mut powers = [0; 7];
            powers[index] = 1;
            return Some((1.0, powers));
        }
        let (number, unit) = self.definitions.get(name)?;
        let (factor, powers) = self.code(unit);
        Some((number * factor, powers))
    }

    fn prefixed(&self, name: &str) -> Option<Canonical> {
        self.atom(name).or_else(|| {
            self.prefixes.iter().find_map(|(prefix, size)| {
                let (factor, powers) = self.atom(name.strip_prefix(prefix.as_str())?)?;
                Some((size * factor, powers))
            })
        })
    }

    /// A symbol with its exponent, or a number.
    fn part(&self, part: &str) -> Canonical {
        if let Some(exponent) = part.strip_prefix("10*") {
            return (10f64.powi(exponent.parse().unwrap()), [0; 7]);
        }
        if let Ok(number) = part.parse() {
            return (number, [0; 7]);
        }
        let split = part.rfind(|c: char| !c.is_ascii_digit() && c != '-').map_or(0, |at| at + 1);
        let exponent = part[split..].parse().unwrap_or(1);
        let (factor, powers) = self.prefixed(&part[..split]).unwrap_or_else(|| panic!("{part} is not known"));
        (factor.powi(exponent), powers.map(|power| power * exponent))
    }

    /// A code without parentheses.
    fn code(&self, code: &str) -> Canonical {
        let mut total = (1.0, [0; 7]);
        let (mut divides, mut in_brackets, mut start) = (false, false, 0);
        for (at, character) in code.char_indices().chain([(code.len(), '.')]) {
            in_brackets = (in_brackets || character == '[') && character != ']';
            if in_brackets || !matches!(character, '.' | '/') {
                continue;
            }
            if at > start {
                let (factor, powers) = self.part(&code[start..at]);
                total.0 = if divides { total.0 / factor } else { total.0 * factor };
                for (sum, power) in total.1.iter_mut().zip(powers) {
                    *sum += if divides { -power } else { power };
                }
            }
            (divides, start) = (character == '/', at + 1);
        }
        total
    }
}

#[test]
fn factors_and_dimensions_agree_with_plain_arithmetic() {
    let Some(text) = data("ucum-essence.xml") else { return };
    let document = Document::parse(&text).unwrap();
    let plain = Plain::new(&document);
    let mut compared = 0;
    for node in document.descendants().filter(|node| node.tag_name().name() == "unit") {
        let code = attribute(node, "Code");
        if node.attribute("isSpecial") == Some("yes") || node.attribute("isArbitrary") == Some("yes") {
            continue;
        }
        let (factor, powers) = plain.atom(code).unwrap();
        let target: String = BASES.iter().zip(powers).map(|(base, power)| format!(".{base}{power}")).collect();
        let ours = convert(1.0, code, &format!("1{target}")).unwrap();
        assert!((ours / factor - 1.0).abs() < 1e-13, "{code}: {ours}, not {factor}");
        compared += 1;
    }
    println!("factors: {compared} agree with plain arithmetic");
    assert_eq!(compared, 305 - 21 - 41); // less the special and the arbitrary units
}
