//! Decisions: virtual cohorts, arms, policies, endpoints, trials in silico, and the report of what came out.
//!
//! ```
//! use std::sync::Arc;
//! use twin_core::{Agent, Observable, Span};
//! use twin_models::{Model, clones};
//! use twin_trials::{Adaptive, Continuous, FromList, TimeToProgression, Trial, VirtualPatient, run};
//!
//! let drug = Agent::new("abiraterone")?;
//! let model = Arc::new(clones::sensitive_resistant(drug.clone()));
//! let patient = VirtualPatient::new(model.spec().defaults()?);
//! let trial = Trial::new(model, FromList(vec![patient]), 1)
//!     .arm("continuous", Continuous { agent: drug.clone() })
//!     .arm("adaptive", Adaptive::half(drug, Observable::TUMOR_BURDEN))
//!     .measure(Observable::TUMOR_BURDEN)
//!     .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
//!     .visits(Span::DAY, Span::from_days(1000.0)?);
//! let report = run(&trial)?;
//! println!("{:?}", report.outcomes("adaptive", "time to progression")?);
//! # Ok::<(), twin_trials::TrialError>(())
//! ```
//!
//! The primary type is [`Trial`], plain data that [`run`] runs. What this crate does not do: it decides nothing, for a
//! recommendation of [`planning`] is for a clinician to weigh, and only [`batch`] touches files.
//!
//! # Catalogue
//! - [`Trial`], [`Arm`], [`Measurement`], [`Attendance`]: the design
//! - [`Cohort`]: [`FromList`], [`FromPrior`], [`FromPosterior`], [`FromTable`]; [`Prevalence`] chooses among them
//! - [`Policy`]: [`Continuous`], [`Withheld`], [`Adaptive`], [`Intermittent`], [`Planned`], [`Crossover`], or any closure
//! - [`Endpoint`]: [`TimeToProgression`], [`TimeOffDrug`], [`CumulativeDose`], [`ValueAt`]; clinical criteria in [`endpoint`]:
//!   [`endpoint::recist`], [`endpoint::psa`]; [`endpoint::rano`], [`endpoint::ctcae`];
//!   [`endpoint::Death`], [`endpoint::QualityAdjustedTime`]; [`endpoint::Estimand`] for intercurrent events
//! - [`run`], [`run_observed`], [`course()`]: running it
//! - [`batch`]: trials in files that survive interruption, and in shards for many machines
//! - [`statistics`]: survival curves, log-rank, Cox, accelerated and competing-risk regression, quantiles, paired differences
//! - [`planning`]: plans, hard limits, objectives under doubt, and the most promising plan
//! - [`conduct`]: the same trial as a clinic sees it: accrual, allocation, dropout, looks; dose escalation
//! - [`design`]: two stages, several looks, events needed, dose escalation
//! - [`dossier`]: what a twin or a trial can show for itself, after standards of credibility, with what is open
//! - [`report`]: one HTML document with figures, readable in print
#![cfg_attr(test, allow(clippy::float_cmp, clippy::unwrap_used))]

mod arm;
mod attendance;
pub mod batch;
mod cohort;
pub mod conduct;
mod copula;
mod course;
mod crossover;
pub mod design;
pub mod dossier;
pub mod endpoint;
mod error;
pub mod explain;
mod outcomes;
pub mod planning;
mod policy;
mod prevalence;
pub mod report;
mod run;
pub mod statistics;
mod trial;

pub use arm::{Arm, Measurement};
pub use attendance::Attendance;
pub use cohort::{Cohort, FromList, FromPosterior, FromPrior, VirtualPatient};
pub use copula::FromTable;
pub use course::Course;
pub use crossover::{Crossover, Trigger};
pub use endpoint::{CumulativeDose, Endpoint, Outcome, Reference, TimeOffDrug, TimeToProgression, ValueAt};
pub use error::TrialError;
pub use outcomes::{Assessed, Assessment};
pub use policy::{Adaptive, Continuous, Decision, History, Intermittent, Planned, Policy, Withheld};
pub use prevalence::{Prevalence, TargetPopulation};
pub use run::{ArmReport, Failure, TrialReport, course, run, run_observed};
pub use trial::Trial;
