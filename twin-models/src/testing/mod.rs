//! The laws that every model must obey, and a check that holds a model to them.
//!
//! [`check`] draws parameters from the model's own ranges and treatments from those that it understands, and stops at the first law
//! that is broken. Each law is a function of its own, so that an author can pick.
//!
//! ```
//! use twin_models::{growth, testing};
//! let report = testing::check(&growth::gompertz())?;
//! assert_eq!(report.laws.len(), testing::LAWS.len());
//! # Ok::<(), testing::Violation>(())
//! ```
//!
//! # Catalogue
//! What a model says of itself and what it takes and refuses: [`specification`], [`foreign_parameters_are_refused`],
//! [`understood_treatments_are_accepted`], [`unsupported_treatments_are_refused`], [`time_goes_forward`],
//! [`observation_is_of_the_course_alone`].
//!
//! What a course is: [`in_bounds`], [`finite`], [`repeatable`], [`stopping_changes_nothing`], [`sampling_changes_nothing`],
//! [`forks_are_independent`], [`origin_shifts_the_result`], [`no_treatment_is_an_empty_list`], [`hints_change_nothing`],
//! [`replay_agrees`].
//!
//! What a dose does: [`zero_dose_is_no_dose`], [`treatments_act`], [`every_dose_acts`].
//!
//! Asked for one by one, since not every model has to obey them: [`more_dose_never_more_tumor`], [`mass_balance`],
//! [`analytic_limit`]; and [`sensitivities_agree`], which a model whose rates have a corner cannot obey.
//!
//! # How cases are drawn
//! First the corners: all defaults, each parameter at each of its ends, all at their lower ends, all at their upper ends, with and
//! without treatment. Then [`Settings::cases`] random ones by `proptest`, log-uniform where a range spans more than two decades of
//! positive values, one in ten at each end or at the default. A random case that breaks a law is shrunk towards defaults and fewer
//! doses. The same settings draw the same cases.
//!
//! An error anywhere in the declared ranges breaks a law: what a model cannot live through does not belong into its ranges.

mod case;
mod course;
mod courses;
mod derivatives;
mod doses;
mod interface;
mod opt_in;

pub use courses::{
    finite, forks_are_independent, hints_change_nothing, in_bounds, no_treatment_is_an_empty_list, origin_shifts_the_result,
    repeatable, replay_agrees, sampling_changes_nothing, stopping_changes_nothing,
};
pub use derivatives::{SENSITIVITY_AGREEMENT, sensitivities_agree};
pub use doses::{every_dose_acts, treatments_act, zero_dose_is_no_dose};
pub use interface::{
    foreign_parameters_are_refused, observation_is_of_the_course_alone, specification, time_goes_forward,
    understood_treatments_are_accepted, unsupported_treatments_are_refused,
};
pub use opt_in::{analytic_limit, mass_balance, more_dose_never_more_tumor};

use crate::Model;
use std::fmt;
use twin_core::{Span, TimedTreatment};

/// How closely two courses must agree that differ in rounding and in the steps of the integrator only, as a share of the largest
/// magnitude that the value reaches in either course.
///
/// A thousand times the default relative tolerance of [`Ode`](crate::Ode): an error per step, summed over the steps of a year.
pub const AGREEMENT: f64 = 1e-4;

/// How many absolute tolerances of the specification two values of a state may differ by on top of [`Settings::agreement`].
///
/// As above, a thousand: the absolute tolerance bounds the error of one step.
pub const STEPS_OF_TOLERANCE: f64 = 1e3;

/// How many absolute tolerances of the specification a state may lie outside its bounds.
///
/// The integrator holds the ends of its steps to one; what it interpolates between them is accurate to several.
pub const BOUND_SLACK: f64 = 10.0;

/// The share of the largest magnitude in a course below which an observable counts as zero when a dose must show an effect: far
/// above the rounding of a sum, far below what could be measured.
pub const NEGLIGIBLE: f64 = 1e-9;

/// The share of the tumor that surgery removes at full dose. Not all of it: a state that is a logarithm has no value for nothing.
pub const SURGERY_EXTENT: f64 = 0.9;

/// How a model is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Random cases for each law, on top of the corners.
    pub cases: u32,
    /// How long a course is. A range that is fine over a month may overflow in a century.
    pub horizon: Span,
    /// The seed of the cases.
    pub seed: u64,
    /// The full dose of a fraction, in Gy; smaller ones are drawn too.
    pub fraction_gray: f64,
    /// The full dose of a drug, in the unit of the specification; smaller ones are drawn too.
    pub drug_dose: f64,
    /// How closely courses must agree where rounding may differ; see [`AGREEMENT`].
    pub agreement: f64,
}

impl Default for Settings {
    /// 64 cases over 52 weeks, with fractions up to 2 Gy and drug doses up to 100 units.
    fn default() -> Self {
        let horizon = (0..52).fold(Span::ZERO, |sum, _| sum + Span::WEEK);
        Self { cases: 64, horizon, seed: 1, fraction_gray: 2.0, drug_dose: 100.0, agreement: AGREEMENT }
    }
}

/// A law, by name.
#[derive(Clone, Copy)]
pub struct Law {
    /// Its name, that of its function.
    pub name: &'static str,
    /// Holds a model to it, and tells the number of cases.
    pub check: fn(&dyn Model, &Settings) -> Result<usize, Violation>,
}

impl fmt::Debug for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Law").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Lists laws with the names of their functions.
macro_rules! laws {
    ($($law:ident),* $(,)?) => {
        /// The laws for every model, in the order in which [`check`] goes through them: each may rely on those before it.
        pub const LAWS: &[Law] = &[$(Law { name: stringify!($law), check: $law }),*];
    };
}

laws![
    specification,
    foreign_parameters_are_refused,
    understood_treatments_are_accepted,
    observation_is_of_the_course_alone,
    in_bounds,
    finite,
    time_goes_forward,
    unsupported_treatments_are_refused,
    repeatable,
    stopping_changes_nothing,
    sampling_changes_nothing,
    forks_are_independent,
    origin_shifts_the_result,
    no_treatment_is_an_empty_list,
    hints_change_nothing,
    replay_agrees,
    treatments_act,
    every_dose_acts,
    zero_dose_is_no_dose,
];

/// A law that a model breaks, and the case in which it does.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("model `{model}` breaks the law `{law}`: {detail}{}", context(parameters, treatments))]
pub struct Violation {
    /// The model's id.
    pub model: String,
    /// The law's name.
    pub law: &'static str,
    /// The parameters, name and value; empty where they do not matter.
    pub parameters: Vec<(String, f64)>,
    /// The treatments of the course, which starts at the origin; empty where they do not matter.
    pub treatments: Vec<TimedTreatment>,
    /// The seed of the course's own randomness.
    pub seed: u64,
    /// What was found, and what should have been.
    pub detail: String,
}

fn context(parameters: &[(String, f64)], treatments: &[TimedTreatment]) -> String {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
    let treatments: Vec<_> = treatments.iter().map(|timed| format!("{} on {}", timed.treatment, timed.time)).collect();
    match (parameters.is_empty(), treatments.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" [untreated; {}]", parameters.join(", ")),
        (_, false) => format!(" [{}; {}]", treatments.join(", "), parameters.join(", ")),
    }
}

/// A law that a model obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// The law's name.
    pub law: &'static str,
    /// The number of cases it was checked in.
    pub cases: usize,
}

/// The laws that a model obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The model's id.
    pub model: String,
    /// The laws, in the order of [`LAWS`].
    pub laws: Vec<Passed>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "model `{}` obeys {} laws", self.model, self.laws.len())?;
        self.laws.iter().try_for_each(|passed| write!(f, "\n  {} ({} cases)", passed.law, passed.cases))
    }
}

/// Holds `model` to all [`LAWS`] with the default [`Settings`].
///
/// # Errors
/// The first law that the model breaks, with the case.
pub fn check(model: &dyn Model) -> Result<Report, Violation> {
    check_with(model, &Settings::default())
}

/// Holds `model` to all [`LAWS`].
///
/// ```
/// use twin_models::{clones, testing};
/// let model = clones::sensitive_resistant(twin_core::Agent::new("abiraterone")?);
/// let settings = testing::Settings { cases: 4, ..testing::Settings::default() };
/// assert!(testing::finite(&model, &settings).is_ok_and(|cases| cases >= 4));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// The first law that the model breaks, with the case.
pub fn check_with(model: &dyn Model, settings: &Settings) -> Result<Report, Violation> {
    let pass = |law: &Law| (law.check)(model, settings).map(|cases| Passed { law: law.name, cases });
    let laws = LAWS.iter().map(pass).collect::<Result<_, _>>()?;
    Ok(Report { model: model.spec().id.clone(), laws })
}
