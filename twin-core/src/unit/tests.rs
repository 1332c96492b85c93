#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

fn unit(code: &str) -> Unit {
    Unit::parse(code).unwrap()
}

fn convert(value: f64, from: &str, to: &str) -> f64 {
    unit(from).convert(value, &unit(to)).unwrap()
}

fn refused(from: &str, to: &str) -> bool {
    matches!(unit(from).convert(1.0, &unit(to)), Err(CoreError::Incommensurable { .. }))
}

#[test]
fn clinical_conversions_are_the_nearest_numbers() {
    for (value, from, to, expected) in [
        (2.5, "g", "mg", 2500.0),
        (0.1, "g", "mg", 100.0),
        (1.0, "cGy", "Gy", 0.01),
        (6000.0, "cGy", "Gy", 60.0),
        (200.0, "RAD", "Gy", 2.0),
        (1.0, "Ci", "GBq", 37.0),
        (37.0, "Cel", "K", 310.15),
        (98.6, "[degF]", "Cel", 37.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (0.0, "K", "Cel", -273.15),
        (0.0, "K", "[degF]", -459.67),
        (80.0, "[degRe]", "Cel", 100.0),
        (36_600.0, "mCel", "Cel", 36.6),
        (36.6, "Cel", "mCel", 36_600.0),
        (150.0, "10*3/uL", "10*9/L", 150.0),
        (5.0, "m[IU]/mL", "k[IU]/L", 0.005),
        (1.0, "[in_i]", "cm", 2.54),
        (1.0, "[lb_av]", "kg", 0.453_592_37),
        (154.0, "[lb_av]", "kg", 69.853_224_98),
        (1.0, "mo", "d", 30.4375),
        (1.0, "a", "d", 365.25),
        (2.0, "wk", "d", 14.0),
        (75.0, "mg/m2", "g/m2", 0.075),
        (12.5, "g%", "g/L", 125.0),
        (50.0, "%", "1", 0.5),
        (3.0, "{muts}/{Mb}", "1", 3.0),
        (180.0, "deg", "rad", std::f64::consts::PI),
        (std::f64::consts::PI, "rad", "deg", 180.0),
        (20.0, "[drp]", "mL", 1.0),
        (1.0, "kat", "U", 6e7),
        (-1.5, "mg", "ug", -1500.0),
        (1.0, "mm[Hg]", "Pa", 133.322),
    ] {
        assert_eq!(convert(value, from, to), expected, "{value} {from} to {to}");
    }
}

#[test]
fn logarithmic_and_other_special_units() {
    let near = |value: f64, from: &str, to: &str, expected: f64| {
        let result = convert(value, from, to);
        assert!((result / expected - 1.0).abs() < 1e-14, "{value} {from} is {result} {to}");
    };
    near(7.0, "[pH]", "mol/L", 1e-7);
    near(40e-9, "mol/L", "[pH]", 7.397_940_008_672_037);
    near(20.0, "dB[V]", "V", 10.0);
    near(3.0, "B[W]", "kW", 1.0);
    near(1.0, "Np", "1", std::f64::consts::E);
    near(100.0, "%[slope]", "deg", 45.0);
    near(45.0, "deg", "[p'diop]", 100.0);
    near(5.0, "bit_s", "1", 32.0);
    near(60.0, "dB[SPL]", "Pa", 0.02);
    near(2.0, "[hp'_C]", "1", 1e-4);
    near(3.0, "[m/s2/Hz^(1/2)]", "m2/s4/Hz", 9.0);
    near(60.0, "dB[W]", "B[kW]", 3.0);
}

#[test]
fn what_measures_different_things_is_refused() {
    for (from, to) in [
        ("mg/dL", "umol/L"),
        ("[IU]", "1"),
        ("[IU]", "[arb'U]"),
        ("[arb'U]", "[USP'U]"),
        ("[IU]/L", "U/L"),
        ("g", "m"),
        ("Cel", "m"),
        ("mg/m2", "mg/kg"),
        ("[IU]2", "[IU]"),
    ] {
        assert!(refused(from, to) && refused(to, from), "{from} {to}");
    }
    assert!(Unit::parse("Da").is_err(), "UCUM knows the unified atomic mass unit as `u` only");
    assert!(!refused("[iU]", "[IU]") && !refused("mmol/L", "meq/L"));
}

#[test]
fn equivalence_is_of_meaning_and_equality_of_codes() {
    assert!(unit("mL").is_equivalent_to(&unit("cm3")) && unit("mL") != unit("cm3"));
    assert!(unit("J/kg").is_equivalent_to(&unit("Gy")));
    assert!(unit("1").is_equivalent_to(&unit("{cells}")) && unit("1") == Unit::dimensionless());
    assert!(unit("10*3").is_equivalent_to(&unit("1000")) && unit("L").is_equivalent_to(&unit("l")));
    assert!(!unit("K").is_equivalent_to(&unit("Cel")) && !unit("dB").is_equivalent_to(&unit("B")));
    assert!(unit("10.dB").is_equivalent_to(&unit("B")) && !unit("[pi]").is_equivalent_to(&unit("1")));
    assert!(unit("4.g").convert(-0.0, &unit("g.4")).unwrap().is_sign_negative());
}

#[test]
fn numbers_that_are_not_finite_never_pass() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(unit("g").convert(bad, &unit("g")), Err(CoreError::NotFinite { .. })));
    }
    assert!(matches!(unit("kg").convert(1e308, &unit("ng")), Err(CoreError::NotFinite { .. })));
    assert!(matches!(unit("[lb_av]").convert(1e308, &unit("ng")), Err(CoreError::NotFinite { .. })));
    assert!(matches!(unit("mol/L").convert(-1.0, &unit("[pH]")), Err(CoreError::NotFinite { .. })));
    assert!(matches!(unit("mol/L").convert(0.0, &unit("[pH]")), Err(CoreError::NotFinite { .. })));
    assert_eq!(convert(1e-320, "ng", "kg"), 0.0);
}

#[test]
fn molar_mass_bridges_mass_and_amount() {
    let through = |value, from: &str, to: &str, mass| unit(from).convert_with_molar_mass(value, &unit(to), mass);
    assert_eq!(through(180.0, "g/L", "mmol/L", 180.0).unwrap(), 1000.0);
    assert_eq!(through(1.0, "mol", "g", 18.0).unwrap(), 18.0);
    assert_eq!(through(2.5, "g", "mg", 18.0).unwrap(), 2500.0);
    assert!(matches!(through(1.0, "g", "m", 18.0), Err(CoreError::Incommensurable { .. })));
    assert!(matches!(through(1.0, "g2", "mol", 18.0), Err(CoreError::Incommensurable { .. })));
    assert!(matches!(through(1.0, "g/L", "[pH]", 18.0), Err(CoreError::Incommensurable { .. })));
    assert!(matches!(through(1.0, "g", "mol", 0.0), Err(CoreError::OutOfRange { .. })));
    assert!(matches!(through(1.0, "g", "mol", f64::NAN), Err(CoreError::NotFinite { .. })));
    assert!(matches!(through(f64::NAN, "g", "mol", 1.0), Err(CoreError::NotFinite { .. })));
}

#[test]
fn a_unit_is_its_code_in_json() {
    assert_eq!(serde_json::to_string(&unit("mm[Hg]")).unwrap(), "\"mm[Hg]\"");
    assert_eq!(serde_json::from_str::<Unit>("\"10*9/L\"").unwrap(), unit("10*9/L"));
    assert!(serde_json::from_str::<Unit>("\"mcg\"").unwrap_err().to_string().contains("at byte 0"));
    assert_eq!(format!("{:>6}|{:?}", unit("Gy"), unit("Gy")), "    Gy|Unit(\"Gy\")");
}

const GROUPS: [&[&str]; 9] = [
    &["g", "mg", "kg", "[lb_av]", "[oz_av]", "u", "[gr]", "t", "ng"],
    &["s", "min", "h", "d", "wk", "mo", "a", "mo_s", "ns"],
    &["m", "cm", "[in_i]", "[ft_us]", "[Ch]", "pc", "nm"],
    &["L", "mL", "[drp]", "[foz_us]", "m3", "[gal_br]", "st"],
    &["Gy", "cGy", "RAD", "J/kg", "erg/g"],
    &["rad", "deg", "gon", "circ", "''"],
    &["Pa", "mm[Hg]", "bar", "[psi]", "cm[H2O]", "atm"],
    &["[IU]/mL", "k[IU]/L", "[iU]/[drp]"],
    &["mmol/L", "10*9/L", "umol/dL", "meq/[gal_us]"],
];

fn pair() -> impl Strategy<Value = (&'static str, &'static str)> {
    (0..GROUPS.len())
        .prop_flat_map(|g| (0..GROUPS[g].len(), 0..GROUPS[g].len()).prop_map(move |(a, b)| (GROUPS[g][a], GROUPS[g][b])))
}

fn ulps(a: f64, b: f64) -> u64 {
    a.to_bits().abs_diff(b.to_bits())
}

proptest! {
    #[test]
    fn there_and_back_is_within_two_ulp((from, to) in pair(), value in prop_oneof![-1e6..1e6f64, -1e-100..1e-100, -1e200..1e200]) {
        prop_assume!(value.abs() > 1e-200);
        let back = convert(convert(value, from, to), to, from);
        prop_assert!(ulps(back, value) <= 2, "{} {} {}: {}", value, from, to, back);
    }

    #[test]
    fn temperatures_come_back(value in -1e4..1e4f64, from in "Cel|K|\\[degF\\]|\\[degRe\\]", to in "Cel|K|\\[degF\\]|\\[degR\\]") {
        let back = convert(convert(value, &from, &to), &to, &from);
        prop_assert!((back - value).abs() <= 2.0 * f64::EPSILON * (value.abs() + 1000.0));
    }

    #[test]
    fn the_same_unit_changes_no_bit(bits in any::<u64>(), (code, _) in pair()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        prop_assert_eq!(convert(value, code, code).to_bits(), bits);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,40}") {
        let _ = Unit::parse(&text);
    }

    #[test]
    fn any_symbols_are_parsed_or_refused_inside_the_code(
        parts in prop::collection::vec(prop::sample::select(vec![
            "m", "g", "Cel", "10*", "10^", "[IU]", "[", "]", "(", ")", "{x}", "{", "}", ".", "/", "-", "+", "2", "999999999",
            "k", "mol", "[pi]", "%", "B[10.nV]", "'", "0",
        ]), 0..24),
    ) {
        let code = parts.concat();
        match Unit::parse(&code) {
            Ok(unit) => prop_assert_eq!(unit.code(), code),
            Err(CoreError::Unit { position, .. }) => prop_assert!(position <= code.len()),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
