//! Draws from a density that is known up to a factor.
//!
//! | method | needs | good for |
//! |---|---|---|
//! | [`Ensemble`] | many starts that span the space | parameters of very different scale or correlated, up to ten or so; all threads |
//! | [`AdaptiveMetropolis`] | one start per chain | expensive densities, several independent chains, tens of parameters |
//! | [`Nuts`] | one start per chain; a gradient helps | correlated parameters, many of them, smooth densities; diagnoses itself |
//!
//! None needs derivatives of your own; [`LnDensity::gradient`] makes [`Nuts`] faster. All hand back [`Chains`], which know which of them are independent, so that
//! [`Chains::diagnose`] does not take walkers that follow each other for chains that agree. Sampling in unconstrained coordinates is
//! best, but a density of zero (a logarithm of minus infinity) outside a region is respected.
//!
//! Every walker and every chain has a random stream of its own, and walkers move only against walkers that stand still meanwhile:
//! the draws are the same bits at any number of threads.

mod adaptive_metropolis;
pub(crate) mod bridge;
mod chains;
mod ensemble;
mod gradient;
mod nuts;
mod walker;

pub use adaptive_metropolis::AdaptiveMetropolis;
pub use chains::{Chains, SampleEnd};
pub use ensemble::Ensemble;
pub use gradient::Gradient;
pub(crate) use gradient::slope;
pub use nuts::Nuts;
pub use walker::LnDensity;

#[cfg(test)]
mod tests;
