//! Whether draws can be trusted: convergence, effective sample sizes and Monte Carlo errors.
//!
//! The measures are those of Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021, doi:10.1214/20-BA1221): draws are replaced by
//! their normal scores, so that heavy tails and infinite variances do no harm; every chain is split in two, so that a drift shows;
//! and distances to the median are judged beside the values, so that chains of unequal width show.
//!
//! The walkers of one ensemble see each other and are no independent chains. They are *members* of one *group*: R-hat compares
//! groups, and effective sizes come from the course of a group's mean (Goodman and Weare 2010, doi:10.2140/camcos.2010.5.65,
//! section 3). With one member per group these are exactly the published measures.

mod diagnosis;
mod effective;
mod importance;

pub use diagnosis::{Concern, CoordinateDiagnosis, Diagnosis, Thresholds};
pub use effective::{Draws, bulk_ess, mcse_mean, mcse_quantile, mean, quantile, r_hat, standard_deviation, tail_ess};
pub use importance::{RELIABLE_PARETO_K, Smoothed};
