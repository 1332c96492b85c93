//! The functional tests of UCUM: how many cases ours miss.

use super::{Claim, words};
use roxmltree::{Document, Node};
use twin_core::{CoreError, Unit};

const UCUM: &str = "UCUM functional tests";

fn of<'a>(case: Node<'a, '_>, name: &str) -> &'a str {
    case.attribute(name).unwrap_or_default()
}

/// Whether a result agrees with an outcome to all the digits that the outcome is written with, or to 2 ulp where it has more digits
/// than a number holds.
fn agrees(result: f64, outcome: &str) -> bool {
    let Ok(expected) = outcome.parse::<f64>() else { return false };
    let (digits, exponent) = outcome.split_once('e').unwrap_or((outcome, "0"));
    let places = digits.split_once('.').map_or(0, |(_, part)| part.len()) as f64;
    let half_digit = 0.5 * 10_f64.powf(exponent.parse::<f64>().unwrap_or(f64::NAN) - places);
    (result - expected).abs() <= half_digit.max(2.0 * f64::EPSILON * expected.abs())
}

fn is_valid_as_said(case: Node<'_, '_>) -> bool {
    Unit::parse(of(case, "unit")).is_ok() == (of(case, "valid") == "true")
}

fn converts_as_said(case: Node<'_, '_>) -> bool {
    let convert = || -> Result<f64, CoreError> {
        let value = of(case, "value").parse().unwrap_or(f64::NAN);
        Unit::parse(of(case, "srcUnit"))?.convert(value, &Unit::parse(of(case, "dstUnit"))?)
    };
    convert().is_ok_and(|result| agrees(result, of(case, "outcome")))
}

/// How many of the `count` cases of a section are not `as_said`.
fn missed(section: &str, count: usize, as_said: fn(Node<'_, '_>) -> bool) -> Result<Option<f64>, String> {
    let Some(path) = crate::data("ucum", "reference/ucum/UcumFunctionalTests.xml") else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(words)?;
    let document = Document::parse(&text).map_err(words)?;
    let section = document.descendants().find(|node| node.has_tag_name(section)).ok_or("no such section")?;
    let cases: Vec<_> = section.children().filter(|node| node.has_tag_name("case")).collect();
    if cases.len() != count {
        return Err(format!("{} cases, not {count}", cases.len()));
    }
    Ok(Some(cases.into_iter().filter(|case| !as_said(*case)).count() as f64))
}

pub(super) fn claims() -> Vec<Claim> {
    let claim = |section: &'static str, count: usize, as_said: fn(Node<'_, '_>) -> bool| Claim {
        id: format!("ucum.{section}_missed"),
        claim: format!("cases of {section} that come out otherwise, of {count}"),
        source: UCUM,
        expected: 0.0,
        tolerance: 0.0,
        quick: true,
        run: Box::new(move || missed(section, count, as_said)),
    };
    vec![claim("validation", 529, is_valid_as_said), claim("conversion", 30, converts_as_said)]
}
