//! Tumors in the patient's own anatomy: reaction and diffusion on masked grids.
//!
//! # Catalogue
//! * [`Anatomy`]: the region in which cells can move, the tumor at the start, and what differs from voxel to voxel (diffusivity, dose,
//!   resection cavity); [`Tissue`], [`Tensor`]. With [`Anatomy::as_shells`] the grid is
//!   spherically symmetric.
//! * [`ReactionDiffusion`]: `∂c/∂t = ∇·(D ∇c) + growth − treatment` in one, two or three dimensions, a
//!   [`Model`](crate::Model) under fractions, drugs ([`Drug`]) and surgery.
//! * The growth laws by voxel: [`LogisticGrowth`], [`GompertzGrowth`], [`ExponentialGrowth`], [`NoGrowth`], each a [`Law`] with its flow under
//!   a [`Kill`] in [`Real`] voxels and [`Number`] scalars.
//! * [`Gradient`]: the misfit to observed fields and its derivatives, by the adjoint of the same steps
//!   ([`ReactionDiffusion::misfit_gradient`]); [`FieldGradient`], those by voxel too.
//! * [`Oxygen`]: its balance with the cells of the moment, by which fractions act ([`ReactionDiffusion::with_oxygen`]).
//! * [`dice`], [`surface_distance_95`]: how well two regions agree; [`AdcScale`]: cellularity from diffusion-weighted images.
//! * Ready studies: [`Invasion`] from two scans, [`with_radiosensitivity_seen`] from one after radiotherapy, [`DaysGained`].
//! * [`Settings`]: longest step, steps that adapt to an error, method, active region.
//!
//! # How it is solved
//! Finite volumes on the voxels of the mask: fluxes through faces, with the harmonic mean of the diffusivities on both sides and none
//! through the walls, so that diffusion neither makes nor loses cells. A step splits symmetrically: growth and kill of half a step,
//! diffusion of a whole one, growth and kill of the other half, second order in the step. Growth and kill are exact in each voxel, whatever the
//! drug's kinetics; diffusion is by the stabilized Runge-Kutta-Legendre method of second order ([`Method`]).
//! A treatment is applied once, at its time: steps end there.

mod active;
mod adaptive;
mod adjoint;
mod adjoint_back;
mod adjoint_there;
mod anatomy;
mod backward;
mod by_voxel;
mod cells;
mod diffusion;
mod diffusion_weighted;
mod drug;
mod growth;
mod infusion;
mod lattice;
mod links;
mod looks;
mod number;
mod overlap;
mod oxygen;
mod plan;
mod reaction_diffusion;
mod shells;
mod simulation;
mod stages;
mod studies;
mod tensor;
mod topology;
mod values;

pub use adjoint::Gradient;
pub use anatomy::{Anatomy, Tissue};
pub use by_voxel::FieldGradient;
pub use diffusion_weighted::AdcScale;
pub use drug::{Drug, Kill};
pub use growth::{ExponentialGrowth, GompertzGrowth, Law, LogisticGrowth, NoGrowth};
pub use number::{Number, Real};
pub use overlap::{dice, surface_distance_95};
pub use oxygen::Oxygen;
pub use reaction_diffusion::{Method, ReactionDiffusion, Settings};
pub use simulation::Course;
pub use studies::{DaysGained, Invasion, Radii, radius_of, with_radiosensitivity_seen};
pub use tensor::Tensor;

#[cfg(test)]
mod tests;
