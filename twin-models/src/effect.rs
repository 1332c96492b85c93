//! What a drug does to a tumor.
//!
//! As responses of a [`Drug`](crate::composition::Drug) to its concentration: [`LogKill`], [`Emax`], [`NortonSimon`], [`Simeoni`];
//! [`Pathway`], on a faster scale than the tumor.
//! As courses of the sum of diameters under treatment: [`claret`], [`stein_fojo`], [`wang`], [`biexponential`].
//! As a whole model: [`low_grade_glioma`]. For combinations: [`bliss`] and [`Combination`].

mod curves;
mod low_grade_glioma;
mod pathway;
mod responses;
mod synergy;

pub use curves::{
    Biexponential, Claret, Curve, CurveLaw, SteinFojo, Wang, biexponential, claret, claret_time_to_growth, stein_fojo,
    stein_fojo_nadir, wang,
};
pub use low_grade_glioma::{LowGradeGlioma, LowGradeGliomaParameters, low_grade_glioma};
pub use pathway::{Pathway, RunningPathway};
pub use responses::{Emax, LogKill, NortonSimon, RunningEmax, RunningLogKill, RunningNortonSimon, RunningSimeoni, Simeoni};
pub use synergy::{Combination, HillEffect, bliss};
