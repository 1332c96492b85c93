//! The values of the parameters of a course.

use super::drug::{Acting, Drug};
use super::growth::Law;
use super::reaction_diffusion::{Movement, Radiation};
use crate::ParameterSet;

/// The values of the parameters, where they are needed.
#[derive(Debug, Clone)]
pub(super) struct Values<L> {
    pub(super) diffusivity: f64,
    pub(super) law: L,
    /// The law's own, in order.
    pub(super) of_law: Vec<f64>,
    pub(super) radiation: Radiation,
    pub(super) drugs: Vec<Acting<f64>>,
}

impl<L: Law> Values<L> {
    /// The values in the order of the specification; `None` if their number differs.
    pub(super) fn read(values: &[f64], drugs: &[Drug]) -> Option<Self> {
        let (movement, rest) = values.split_at_checked(Movement::specs().len())?;
        let (of_law, rest) = rest.split_at_checked(L::specs().len())?;
        let (radiation, rest) = rest.split_at_checked(Radiation::specs().len())?;
        let mut rest = rest.iter().copied();
        let mut acting = Vec::with_capacity(drugs.len());
        for drug in drugs {
            let kill_rate = rest.next()?;
            let elimination = if drug.is_eliminated() { rest.next()? } else { 0.0 };
            acting.push(Acting { kill_rate, elimination, amount: 0.0, level: 0.0, rate: 0.0 });
        }
        if rest.next().is_some() {
            return None;
        }
        Some(Self {
            diffusivity: Movement::from_values(movement)?.diffusivity,
            law: L::from_values(of_law)?,
            of_law: of_law.to_vec(),
            radiation: Radiation::from_values(radiation)?,
            drugs: acting,
        })
    }
}
