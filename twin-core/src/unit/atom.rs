//! How an atom of UCUM is written down in the table of units.

use super::measure::Law;

/// Whether an atom takes a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefixes {
    /// It does.
    Metric,
    /// It does not.
    None,
}

/// What an atom is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Definition {
    /// A base unit, which has a dimension of its own.
    Base,
    /// An arbitrary unit, which is commensurable with itself only.
    Arbitrary,
    /// The number pi.
    Pi,
    /// So many of a unit.
    Unit {
        /// How many, in decimal.
        value: &'static str,
        /// Of which.
        unit: &'static str,
    },
    /// A special unit, which counts by a law.
    Special {
        /// The reference unit of the law.
        unit: &'static str,
        /// The law.
        law: Law,
    },
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Atom {
    /// The case-sensitive code.
    pub(super) code: &'static str,
    /// Whether it takes prefixes.
    pub(super) prefixes: Prefixes,
    /// Its definition.
    pub(super) definition: Definition,
}

pub(super) const fn atom(code: &'static str, prefixes: Prefixes, definition: Definition) -> Atom {
    Atom { code, prefixes, definition }
}

pub(super) const fn unit(code: &'static str, prefixes: Prefixes, value: &'static str, unit: &'static str) -> Atom {
    atom(code, prefixes, Definition::Unit { value, unit })
}

pub(super) const fn special(code: &'static str, prefixes: Prefixes, unit: &'static str, law: Law) -> Atom {
    atom(code, prefixes, Definition::Special { unit, law })
}

pub(super) const fn arbitrary(code: &'static str, prefixes: Prefixes) -> Atom {
    atom(code, prefixes, Definition::Arbitrary)
}

pub(super) const fn log(base: u32, times: i32) -> Law {
    Law::Logarithm { base, times }
}
