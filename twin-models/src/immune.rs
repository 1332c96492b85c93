//! Tumors and the immune system.
//!
//! [`kuznetsov`]: effector cells and a tumor, with dormancy and escape; [`kuznetsov_equilibria`] finds and judges its equilibria.
//! [`de_pillis`]: tumor, natural killer and CD8+ T cells.

mod de_pillis;
mod kuznetsov;

pub use de_pillis::{DePillis, DePillisParameters, DePillisSet, de_pillis};
pub use kuznetsov::{Equilibrium, Kuznetsov, KuznetsovParameters, Stability, kuznetsov, kuznetsov_equilibria};
