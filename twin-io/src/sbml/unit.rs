//! Units of SBML as codes of UCUM.

use super::attribute::Element;
use crate::IoError;
use std::collections::BTreeMap;
use twin_core::Unit;

/// A unit that nothing converts to: the file does not state one, or UCUM cannot say it.
pub(super) const UNKNOWN: &str = "[arb'U]";

/// The units of SBML (Level 3 core, table 2) that UCUM has.
const KINDS: [(&str, &str); 32] = [
    ("ampere", "A"),
    ("becquerel", "Bq"),
    ("candela", "cd"),
    ("coulomb", "C"),
    ("dimensionless", "1"),
    ("farad", "F"),
    ("gram", "g"),
    ("gray", "Gy"),
    ("henry", "H"),
    ("hertz", "Hz"),
    ("item", "1"),
    ("joule", "J"),
    ("katal", "kat"),
    ("kelvin", "K"),
    ("kilogram", "kg"),
    ("litre", "L"),
    ("lumen", "lm"),
    ("lux", "lx"),
    ("metre", "m"),
    ("mole", "mol"),
    ("newton", "N"),
    ("ohm", "Ohm"),
    ("pascal", "Pa"),
    ("radian", "rad"),
    ("second", "s"),
    ("siemens", "S"),
    ("sievert", "Sv"),
    ("steradian", "sr"),
    ("tesla", "T"),
    ("volt", "V"),
    ("watt", "W"),
    ("weber", "Wb"),
];

/// The units that a file defines, by symbol.
#[derive(Debug, Default)]
pub(super) struct Units {
    defined: BTreeMap<String, String>,
}

impl Units {
    pub(super) fn new(model: Element<'_>) -> Result<Self, IoError> {
        let mut units = Self::default();
        for definition in model.list("listOfUnitDefinitions") {
            let mut code = String::new();
            for unit in definition.list("listOfUnits") {
                match factor(unit)? {
                    Some(factor) if code != UNKNOWN => {
                        code = if code.is_empty() { factor } else { format!("{code}.{factor}") };
                    }
                    _ => UNKNOWN.clone_into(&mut code),
                }
            }
            if code.is_empty() {
                "1".clone_into(&mut code);
            }
            units.defined.insert(definition.symbol("id")?.to_owned(), checked(code));
        }
        Ok(units)
    }

    /// The code of a unit by its symbol; [`UNKNOWN`] without one.
    pub(super) fn code(&self, symbol: Option<&str>) -> String {
        let known = symbol.and_then(|symbol| {
            let kind = || KINDS.iter().find(|(kind, _)| *kind == symbol).map(|(_, code)| (*code).to_owned());
            self.defined.get(symbol).cloned().or_else(kind)
        });
        known.unwrap_or_else(|| UNKNOWN.to_owned())
    }
}

/// `amount` over `size`.
pub(super) fn ratio(amount: &str, size: &str) -> String {
    if amount == UNKNOWN || size == UNKNOWN { UNKNOWN.to_owned() } else { checked(format!("({amount})/({size})")) }
}

fn checked(code: String) -> String {
    if Unit::parse(&code).is_ok() { code } else { UNKNOWN.to_owned() }
}

/// `(multiplier 10^scale kind)^exponent`; `None` if UCUM cannot say it.
fn factor(unit: Element<'_>) -> Result<Option<String>, IoError> {
    let kind = unit.text("kind").ok_or_else(|| unit.place("kind").syntax("must be given"))?;
    let Some((_, symbol)) = KINDS.iter().find(|(known, _)| *known == kind) else { return Ok(None) };
    let number = |attribute: &str, default: f64| unit.number(attribute).map(|number| number.unwrap_or(default));
    let (exponent, scale, multiplier) = (number("exponent", 1.0)?, number("scale", 0.0)?, number("multiplier", 1.0)?);
    let whole = |number: f64, most: f64| (number.fract() == 0.0 && number.abs() <= most).then_some(number as i32);
    let (Some(exponent), Some(scale)) = (whole(exponent, 9.0), whole(scale, 100.0)) else { return Ok(None) };
    if !(multiplier > 0.0 && multiplier.is_finite()) {
        return Ok(None);
    }
    // The decimal digits of the multiplier, as a whole number and a power of ten.
    let text = format!("{multiplier:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let places = digits.split_once('.').map_or(0, |(_, part)| part.len());
    let power = power.parse::<i32>().unwrap_or(0) - i32::try_from(places).unwrap_or(0) + scale;
    let digits = digits.replace('.', "");
    let mut code = if *symbol == "1" || exponent == 0 {
        "1".to_owned()
    } else if exponent == 1 {
        (*symbol).to_owned()
    } else {
        format!("{symbol}{exponent}")
    };
    if digits != "1" {
        (0..exponent.unsigned_abs()).for_each(|_| code = format!("{code}{}{digits}", if exponent > 0 { "." } else { "/" }));
    }
    if power * exponent != 0 {
        code = format!("{code}.10*{}", power * exponent);
    }
    Ok(Some(code))
}
