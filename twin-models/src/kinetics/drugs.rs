//! Drugs with their parameters, and how sure those are.
//!
//! | drug | kinetics | source |
//! |---|---|---|
//! | [`temozolomide`] | by mouth, one compartment | Ostermann 2004, confirmed |
//! | [`nivolumab`] | two compartments, clearance that falls | Bajaj 2017, confirmed |
//! | [`paclitaxel`] | two compartments | unconfirmed |
//! | [`docetaxel`] | three compartments | Bruno 1996, unconfirmed |
//! | [`carboplatin`] | one compartment, clearance after Calvert | clearance by formula; volume unconfirmed |
//! | [`abiraterone`] | by mouth, one compartment | unconfirmed |
//! | [`fluorouracil`] | one compartment, saturable elimination | assumed |
//! | [`galunisertib`] | by mouth, one compartment | unconfirmed |

use super::{Compartments, Disposition, Elimination, Route};
use crate::{SimulationError, Source};
use twin_core::{Agent, CoreError};

const ORAL: Route = Route::Oral { transits: 0 };

fn drug<const P: usize>(
    name: &str,
    (route, elimination): (Route, Elimination),
    source: &Source,
    values: &[(&str, f64)],
) -> Result<Compartments<P>, SimulationError> {
    let start = Compartments::new(Agent::new(name)?, route, elimination);
    values.iter().try_fold(start, |drug, &(name, value)| drug.with(name, value, source.clone()))
}

/// Temozolomide by mouth: clearance 10 L/h, volume 30.3 L, absorption 5.8/h (Ostermann et al. 2004, 35 patients).
///
/// # Errors
/// None for the values as they stand.
pub fn temozolomide() -> Result<Compartments<0>, SimulationError> {
    let source = Source::published("Ostermann et al. 2004, doi:10.1158/1078-0432.CCR-03-0807");
    drug("temozolomide", (ORAL, Elimination::Linear), &source, &[("clearance", 10.0), ("volume", 30.3), ("absorption_rate", 5.8)])
}

/// The concentration of temozolomide in the cerebrospinal fluid per unit of an oral dose: rates of exchange of amounts 7.2e-4/h and 0.76/h
/// (Ostermann et al. 2004), with a volume of the fluid of 0.14 L, which is assumed. The exposure is a fifth of that of the plasma.
///
/// # Errors
/// None for the values as they stand.
pub fn temozolomide_in_cerebrospinal_fluid() -> Result<Disposition, CoreError> {
    let (plasma, fluid) = (30.3, 0.14);
    Disposition::one_compartment(10.0, plasma)?.absorbed(5.8)?.side_compartment(7.2e-4 * plasma / fluid, 0.76)
}

/// Nivolumab: two compartments, clearance that falls with the time on treatment (Bajaj et al. 2017, 1895 patients); the reference patient.
///
/// # Errors
/// None for the values as they stand.
pub fn nivolumab() -> Result<Compartments<1>, SimulationError> {
    let source = Source::published("Bajaj et al. 2017, doi:10.1002/psp4.12143");
    let values = [
        ("clearance", 0.0094),
        ("clearance_change", -0.295),
        ("clearance_half_time", 1410.0),
        ("clearance_steepness", 3.15),
        ("volume", 3.63),
        ("exchange_1", 0.0321),
        ("volume_1", 2.78),
    ];
    drug("nivolumab", (Route::Intravenous, Elimination::TimeVarying), &source, &values)
}

/// Paclitaxel: two compartments, for the unbound drug.
///
/// # Errors
/// None for the values as they stand.
pub fn paclitaxel() -> Result<Compartments<1>, SimulationError> {
    let source = Source::unconfirmed("kinetics used with DDMODEL00000186; the values were not checked against a publication");
    let values = [("clearance", 285.0), ("volume", 290.0), ("exchange_1", 204.0), ("volume_1", 995.0)];
    drug("paclitaxel", (Route::Intravenous, Elimination::Linear), &source, &values)
}

/// Docetaxel: three compartments.
///
/// # Errors
/// None for the values as they stand.
pub fn docetaxel() -> Result<Compartments<2>, SimulationError> {
    let source = Source::unconfirmed("Bruno et al. 1996, doi:10.1007/BF02353487; structure confirmed, values recalled");
    let values = [
        ("clearance", 36.6),
        ("volume", 8.31),
        ("exchange_1", 8.89),
        ("volume_1", 5.11),
        ("exchange_2", 10.64),
        ("volume_2", 135.2),
    ];
    drug("docetaxel", (Route::Intravenous, Elimination::Linear), &source, &values)
}

/// Carboplatin: one compartment; the clearance is that of Calvert's formula at a filtration rate of 90 mL/min, 6.9 L/h.
///
/// # Errors
/// None for the values as they stand.
pub fn carboplatin() -> Result<Compartments<0>, SimulationError> {
    let clearance = Source::published("Calvert et al. 1989, doi:10.1200/JCO.1989.7.11.1748, at 90 mL/min");
    drug("carboplatin", (Route::Intravenous, Elimination::Linear), &clearance, &[("clearance", 6.9)])?.with(
        "volume",
        17.0,
        Source::unconfirmed("about the extracellular water of an adult"),
    )
}

/// Abiraterone by mouth: one compartment, apparent values.
///
/// # Errors
/// None for the values as they stand.
pub fn abiraterone() -> Result<Compartments<0>, SimulationError> {
    let source = Source::unconfirmed("label of abiraterone acetate: half-life about 12 h, apparent volume about 5630 L; recalled");
    drug("abiraterone", (ORAL, Elimination::Linear), &source, &[("clearance", 325.0), ("volume", 5630.0), ("absorption_rate", 0.7)])
}

/// Fluorouracil: one compartment, saturable elimination.
///
/// # Errors
/// None for the values as they stand.
pub fn fluorouracil() -> Result<Compartments<0>, SimulationError> {
    let source = Source::assumed("of the order of magnitude that saturable elimination is reported with; not from one publication");
    let values = [("max_rate", 1500.0), ("half_concentration", 15.0), ("volume", 20.0)];
    drug("fluorouracil", (Route::Intravenous, Elimination::Saturable), &source, &values)
}

/// Galunisertib by mouth: one compartment, apparent values.
///
/// # Errors
/// None for the values as they stand.
pub fn galunisertib() -> Result<Compartments<0>, SimulationError> {
    let source = Source::unconfirmed("half-life of about eight hours in patients; apparent clearance and volume recalled");
    drug("galunisertib", (ORAL, Elimination::Linear), &source, &[("clearance", 36.0), ("volume", 440.0), ("absorption_rate", 1.5)])
}
