//! The grammar of UCUM codes, and the resolution of atoms through their definitions.

use super::atom::{Atom, Definition, Prefixes};
use super::measure::{Dimension, Factor, Measure, Special, TOO_LARGE};
use super::table::{ATOMS, PREFIXES};
use std::collections::HashMap;
use std::sync::OnceLock;

/// The deepest nesting of parentheses.
const DEEPEST: usize = 32;
/// The longest code, in bytes.
pub(super) const LONGEST: usize = 1024;

/// Where a code is at fault, in bytes from its start, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) position: usize,
    pub(super) reason: &'static str,
}

/// An atom with its meaning.
#[derive(Debug, Clone)]
struct Resolved {
    prefixes: Prefixes,
    measure: Measure,
}

/// The meaning of a code.
pub(super) fn parse(code: &str) -> Result<Measure, Fault> {
    if code.is_empty() {
        return Err(Fault { position: 0, reason: "a code is missing (a pure number has the code `1`)" });
    }
    if code.len() > LONGEST {
        return Err(Fault { position: LONGEST, reason: "the code is longer than 1024 bytes" });
    }
    if let Some(position) = code.bytes().position(|byte| !byte.is_ascii_graphic()) {
        return Err(Fault { position, reason: "only printable ASCII without spaces is allowed" });
    }
    let known = |name: &str| table().get(name).cloned();
    Parser { code, at: 0, depth: 0, known: &known }.whole()
}

/// Every atom with its meaning, worked out at first use.
fn table() -> &'static HashMap<&'static str, Resolved> {
    static TABLE: OnceLock<HashMap<&'static str, Resolved>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows: HashMap<_, _> = ATOMS.iter().enumerate().map(|(index, atom)| (atom.code, (index, atom))).collect();
        ATOMS.iter().filter_map(|atom| Some((atom.code, resolve(atom.code, &rows, DEEPEST)?))).collect()
    })
}

/// The meaning of an atom by its definition, which may itself need up to `depth` steps of definitions.
fn resolve(name: &str, rows: &HashMap<&'static str, (usize, &'static Atom)>, depth: usize) -> Option<Resolved> {
    let deeper = depth.checked_sub(1)?;
    let (index, atom) = rows.get(name)?;
    let known = |inner: &str| resolve(inner, rows, deeper);
    let defined = |code| Parser { code, at: 0, depth: 0, known: &known }.whole().ok();
    let measure = match atom.definition {
        Definition::Base | Definition::Arbitrary => Measure { dimension: Dimension::base(*index), ..Measure::of(Factor::one()) },
        Definition::Pi => Measure::of(Factor::pi()),
        Definition::Unit { value, unit } => defined(unit)?.scaled(&decimal(value)?).ok()?,
        Definition::Special { unit, law } => Measure { special: Some(Special { law, step: Factor::one() }), ..defined(unit)? },
    };
    Some(Resolved { prefixes: atom.prefixes, measure })
}

/// A decimal number such as `6.02e23`, exactly.
fn decimal(text: &str) -> Option<Factor> {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let places = i32::try_from(part.len()).ok()?;
    let number = [whole, part].concat().parse().ok()?;
    Some(Factor::of(number, exponent.parse::<i32>().ok()?.checked_sub(places)?))
}

struct Parser<'a> {
    code: &'a str,
    at: usize,
    depth: usize,
    known: &'a dyn Fn(&str) -> Option<Resolved>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.code.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.code.as_bytes().get(self.at).copied()
    }

    /// Steps over `byte` if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over, and returns, the bytes that satisfy `wanted`.
    fn run(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    fn fault<T>(&self, reason: &'static str) -> Result<T, Fault> {
        fault_at(self.at, reason)
    }

    fn whole(&mut self) -> Result<Measure, Fault> {
        let leading = self.at;
        let measure = if self.eat(b'/') {
            let first = self.component()?;
            self.term(first.power(-1).or_else(|reason| fault_at(leading, reason))?)?
        } else {
            let first = self.component()?;
            self.term(first)?
        };
        match self.peek() {
            None => Ok(measure),
            Some(b')') => self.fault("a parenthesis is closed that was not opened"),
            Some(_) => self.fault("expected `.`, `/` or the end"),
        }
    }

    /// The operators and components that follow a first component, from left to right.
    fn term(&mut self, mut measure: Measure) -> Result<Measure, Fault> {
        loop {
            let operator = self.at;
            let divides = if self.eat(b'.') {
                false
            } else if self.eat(b'/') {
                true
            } else {
                return Ok(measure);
            };
            let mut next = self.component()?;
            if divides {
                next = next.power(-1).or_else(|reason| fault_at(operator, reason))?;
            }
            measure = measure.times(&next).or_else(|reason| fault_at(operator, reason))?;
        }
    }

    fn component(&mut self) -> Result<Measure, Fault> {
        match self.peek() {
            None => self.fault("a unit is missing at the end"),
            Some(b'(') => self.group(),
            Some(b'{') => self.annotation().map(|()| Measure::of(Factor::one())),
            Some(b'0'..=b'9') if !self.rest().starts_with("10*") && !self.rest().starts_with("10^") => self.number(),
            Some(_) => self.simple_unit(),
        }
    }

    fn group(&mut self) -> Result<Measure, Fault> {
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return fault_at(open, "parentheses are nested more than 32 deep");
        }
        let first = self.component()?;
        let measure = self.term(first)?;
        self.depth -= 1;
        match self.peek() {
            Some(b')') => self.at += 1,
            None => return fault_at(open, "a parenthesis is not closed"),
            Some(_) => return self.fault("expected `.`, `/` or `)`"),
        }
        Ok(measure)
    }

    fn annotation(&mut self) -> Result<(), Fault> {
        let open = self.at;
        self.at += 1;
        let text = self.run(|byte| byte != b'{' && byte != b'}');
        if !self.eat(b'}') {
            return fault_at(open, "an annotation is not closed, or holds another one");
        }
        if text.is_empty() {
            return fault_at(open, "an annotation is empty");
        }
        Ok(())
    }

    fn optional_annotation(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'{') { self.annotation() } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Measure, Fault> {
        let start = self.at;
        let Ok(number) = self.run(|byte| byte.is_ascii_digit()).parse::<u128>() else {
            return fault_at(start, TOO_LARGE);
        };
        if number == 0 {
            return fault_at(start, "a unit cannot be zero times another");
        }
        if !matches!(self.peek(), None | Some(b'.' | b'/' | b')' | b'{')) {
            return self.fault("a number is joined to what follows by `.` or `/` only");
        }
        self.optional_annotation()?;
        Ok(Measure::of(Factor::of(number, 0)))
    }

    fn simple_unit(&mut self) -> Result<Measure, Fault> {
        let start = self.at;
        let name = self.symbol()?;
        let measure = self.named(name).or_else(|reason| fault_at(start, reason))?;
        let exponent = self.exponent()?;
        let power = measure.power(exponent).or_else(|reason| fault_at(start, reason))?;
        self.optional_annotation()?;
        Ok(power)
    }

    /// A symbol: the number ten for powers, or characters outside digits and operators, with whole groups in square brackets.
    fn symbol(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        if self.rest().starts_with("10") {
            self.at += 3;
        } else {
            loop {
                self.run(|byte| !byte.is_ascii_digit() && !b"+-./()[]{}\"=".contains(&byte));
                let open = self.at;
                if !self.eat(b'[') {
                    break;
                }
                self.run(|byte| byte != b'[' && byte != b']' && byte != b'{' && byte != b'}');
                if !self.eat(b']') {
                    return fault_at(open, "a square bracket is not closed");
                }
            }
        }
        match self.code.get(start..self.at) {
            None | Some("") => self.fault("expected a unit"),
            Some(name) => Ok(name),
        }
    }

    fn exponent(&mut self) -> Result<i32, Fault> {
        let start = self.at;
        let signed = self.eat(b'-') || self.eat(b'+');
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return if signed { self.fault("an exponent is missing after its sign") } else { Ok(1) };
        }
        let text = self.code.get(start..self.at).unwrap_or("");
        text.parse().or_else(|_| fault_at(start, TOO_LARGE))
    }

    /// The atom of this name, or a prefix and a metric atom.
    fn named(&self, name: &str) -> Result<Measure, &'static str> {
        if let Some(atom) = (self.known)(name) {
            return Ok(atom.measure);
        }
        let mut reason = "the unit is unknown";
        for (prefix, number, tens) in PREFIXES {
            let Some(atom) = name.strip_prefix(prefix).and_then(|rest| (self.known)(rest)) else { continue };
            if atom.prefixes == Prefixes::Metric {
                return atom.measure.scaled(&Factor::of(u128::from(number), tens));
            }
            reason = "the unit takes no prefix";
        }
        Err(reason)
    }
}

fn fault_at<T>(position: usize, reason: &'static str) -> Result<T, Fault> {
    Err(Fault { position, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_atom_of_the_table_resolves_under_one_meaning() {
        assert_eq!(table().len(), ATOMS.len());
        assert_eq!(ATOMS.len(), 7 + 305);
        for name in table().keys() {
            for (prefix, ..) in PREFIXES {
                let metric = name.strip_prefix(prefix).and_then(|rest| table().get(rest));
                assert!(metric.is_none_or(|atom| atom.prefixes != Prefixes::Metric), "{name} could be {prefix} and another atom");
            }
        }
        let mut seen = HashMap::new();
        for (name, atom) in table() {
            for (prefix, ..) in PREFIXES.iter().filter(|_| atom.prefixes == Prefixes::Metric) {
                let other = seen.insert(format!("{prefix}{name}"), (*prefix, *name));
                assert_eq!(other, None, "{prefix}{name}");
            }
        }
    }

    #[test]
    fn decimals_are_exact() {
        assert!(decimal("1.66053906660e-24").is_some());
        assert!(decimal("x").is_none());
        assert!(decimal("1e99999999999").is_none());
    }

    fn fault(code: &str) -> (usize, &'static str) {
        parse(code).map_or_else(|fault| (fault.position, fault.reason), |_| (usize::MAX, "no fault"))
    }

    #[test]
    fn faults_are_found_where_they_are() {
        for (code, position, reason) in [
            ("", 0, "missing"),
            ("mg/foo", 3, "unknown"),
            ("mg/", 3, "missing"),
            ("mg/khd", 3, "unknown"),
            ("g/kh", 2, "takes no prefix"),
            ("mg mL", 2, "ASCII"),
            ("\u{b5}g", 0, "ASCII"),
            ("g/12h", 4, "joined"),
            ("10+3/ul", 2, "joined"),
            ("m-", 2, "exponent is missing"),
            ("(m", 0, "not closed"),
            ("m)", 1, "not opened"),
            ("(m)2", 3, "expected `.`"),
            ("m..s", 2, "expected a unit"),
            ("mm[Hg", 2, "square bracket"),
            ("m{a", 1, "annotation"),
            ("m{a{b}}", 1, "annotation"),
            ("m{}", 1, "empty"),
            ("{a}m", 3, "expected `.`"),
            ("0", 0, "zero"),
            ("g.Cel", 1, "special"),
            ("/Cel", 0, "special"),
            ("Cel2", 0, "special"),
            ("m99999999999", 1, "too large"),
            ("cm999999999", 0, "too large"),
            ("m2000000000.m2000000000", 11, "too large"),
            ("m-2147483648", 0, "too large"),
            ("[in_i]-999999999", 0, "too large"),
            ("[pi]17", 0, "too large"),
            ("340282366920938463463374607431768211456", 0, "too large"),
        ] {
            let (at, why) = fault(code);
            assert!(at == position && why.contains(reason), "{code}: {at} {why}");
        }
    }

    #[test]
    fn hostile_codes_are_refused_quickly() {
        let nested = |n: usize| format!("{}m{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&nested(32)).is_ok());
        assert_eq!(fault(&nested(33)), (32, "parentheses are nested more than 32 deep"));
        assert_eq!(fault(&"(".repeat(1_000_000)).0, LONGEST);
        assert_eq!(fault(&"[in_i].".repeat(146)).1, TOO_LARGE);
        assert_eq!(fault(&format!("m{}", ".s/s".repeat(255))).1, "no fault");
    }
}
