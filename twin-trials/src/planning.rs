//! Planning: the most promising treatment of one patient, and how sure that is.
//!
//! A [`Question`] holds the patient's virtual twins, the standard of care, other [`Plan`]s, hard [`Limits`] and an [`Objective`];
//! [`recommend`] simulates every plan on the same twins and hands back a [`Recommendation`], of which "no confident recommendation" is one
//! ([`Verdict`]).
//!
//! ```
//! use std::sync::Arc;
//! use twin_calibrate::{IndependentPrior, Marginal};
//! use twin_core::{Agent, Observable, Span};
//! use twin_models::clones;
//! use twin_trials::planning::{Confidence, Objective, Plan, Question, Verdict, recommend};
//! use twin_trials::{Adaptive, Continuous, FromPrior, TimeToProgression, Trial};
//!
//! let drug = Agent::new("abiraterone")?;
//! let model = Arc::new(clones::sensitive_resistant(drug.clone()));
//! let belief = IndependentPrior::new([("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 1e-2 })])?;
//! let setting = Trial::new(model.clone(), FromPrior::new(model, Arc::new(belief)), 128)
//!     .measure(Observable::PSA)
//!     .visits(Span::WEEK, Span::from_days(1400.0)?);
//! let standard = Plan::adaptive("continuous", Continuous { agent: drug.clone() });
//! let objective = Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
//! let question = Question::new(setting, standard, objective, Confidence::new(14.0))
//!     .plans([Plan::adaptive("adaptive", Adaptive::half(drug, Observable::PSA))]);
//! let answer = recommend(&question)?;
//! assert_eq!(answer.verdict, Verdict::Recommended { plan: "adaptive".to_owned() });
//! assert!(answer.ranked[0].gain.ninety.0 > 0.0); // it gains time in nearly every draw
//! # Ok::<(), twin_trials::TrialError>(())
//! ```
//!
//! # Catalogue
//! - [`Plan`], [`Strategy`]: what can be done, fixed in advance or decided on the way
//! - [`Limits`], [`Rule`], [`Floor`], [`Breach`], [`conflicting_limits`]: what must not be done, and which limits rule out everything
//! - [`Objective`], [`Risk`], [`Sense`], [`Chance`]: what is sought, and how doubt is weighed
//! - effects beside the endpoints of trials: [`LeastValue`], [`EventBy`], [`Below`], [`TotalAbsorbedDose`], [`DaysInClinic`],
//!   [`ComplicationProbability`], [`TumorControl`], [`Weighted`]
//! - [`evaluate`], [`Evaluation`]: plans against draws, on common random numbers
//! - [`recommend`], [`Recommendation`], [`Ranked`], [`Gain`], [`Doubt`], [`Effort`]: the answer
//! - [`Space`], [`Variable`]: plans described by decision variables; [`RadiotherapySpace`], [`DrugSpace`], [`ThresholdSpace`],
//!   [`PiecewiseSpace`], [`combined`]
//! - [`search`], [`Optimizer`], [`Evolution`], [`Bayesian`], [`Front`], [`hypervolume`]: the plans of a space that serve one or more objectives
//!   best, and the methods that seek them
//! - [`dose_slopes`], [`Descent`]: derivatives by continuous doses, and the descent along them
//! - [`Rollout`]: a policy that looks ahead on the virtual twins before every decision
//! - [`Recommendation::advice`], [`audit`], [`Audit`]: advice on the patient's record, and how past advice fared
//! - [`Realized`], [`GroupPerformance`], [`silently_same`], [`performance_by_group`]: advice against the truth, by subgroup and by what was known
//! - [`Worth`], [`worth_of_knowing`]: what a measurement before the decision is worth

mod bayesian;
mod conflict;
mod decide;
mod effects;
mod evaluation;
mod evolution;
mod front;
mod gradient;
mod limits;
mod objective;
mod order;
mod plan;
mod question;
mod realized;
mod recommendation;
mod record;
mod rollout;
mod search;
mod space;
mod spaces;
mod sums;
mod worth;

pub use bayesian::Bayesian;
pub use conflict::conflicting_limits;
pub use decide::recommend;
pub use effects::{Below, ComplicationProbability, DaysInClinic, EventBy, LeastValue, TotalAbsorbedDose, TumorControl, Weighted};
pub use evaluation::{Evaluation, evaluate};
pub use evolution::{Evolution, Score, Scored};
pub use front::{Front, Point, dominates, hypervolume};
pub use gradient::{Descended, Descent, DoseSlopes, Slope, dose_slopes};
pub use limits::{Breach, Floor, Given, Limits, Rule, Selection};
pub use objective::{Chance, Objective, Risk, Sense};
pub use plan::{Plan, Strategy};
pub use question::{Candidate, Confidence, Question};
pub use realized::{GroupPerformance, Realized, performance_by_group, silently_same};
pub use recommendation::{Doubt, Effect, Effort, Estimate, Excluded, Gain, Ranked, Recommendation, Verdict};
pub use record::{Audit, audit};
pub use rollout::Rollout;
pub use search::{FrontPlan, Optimizer, PlanFront, search};
pub use space::{Domain, Space, Variable};
pub use spaces::{DrugSpace, PiecewiseSpace, RadiotherapySpace, ThresholdSpace, combined};
pub use worth::{Knowledge, Worth, worth_of_knowing, worth_of_knowing_all};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
