//! Pharmacokinetics: where a drug is, and how much of it.
//!
//! | to find | use |
//! |---|---|
//! | concentrations of one to three compartments in closed form | [`Disposition`], [`Profile`] |
//! | the same as an ordinary differential equation, with saturable elimination | [`Compartments`] |
//! | drugs with their parameters | [`drugs`] |
//! | the dose of carboplatin for an exposure | [`calvert_dose`] |
//! | the clearance of temozolomide and of nivolumab by covariates | [`temozolomide_clearance`], [`NivolumabCovariates`] |
//! | an effect that lags behind the concentration | [`Disposition::effect_compartment`] |
//!
//! Doses are amounts, volumes are liters, rates are per hour inside the parameters (the customary unit) and per day inside equations.
//!
//! ```
//! use twin_models::kinetics::Disposition;
//! // Temozolomide by mouth: clearance 10 L/h, volume 30.3 L, absorption 5.8/h.
//! let oral = Disposition::one_compartment(10.0, 30.3)?.absorbed(5.8)?;
//! let exposure = 270.0 * oral.area_per_dose();
//! assert!((exposure - 27.0).abs() < 1e-9); // mg h/L
//! # Ok::<(), twin_core::CoreError>(())
//! ```

mod compartments;
mod disposition;
mod dosing;
pub mod drugs;

pub use compartments::{
    Compartments, Elimination, Kinetics, Route, RunningCompartments, RunningKinetics, one_compartment, three_compartments,
    two_compartments,
};
pub use disposition::{Disposition, Profile};
pub use dosing::{NivolumabCovariates, calvert_dose, temozolomide_clearance};
