//! Oxygen in balance with the cells of the moment, and what it makes of a fraction.

use super::anatomy::Anatomy;
use super::diffusion::apply_run;
use super::growth::Law;
use super::lattice::Lattice;
use super::number::Real;
use super::simulation::Course;
use crate::SimulationError;
use crate::radiation::oxygen_enhancement;
use twin_core::{ScalarField, Unit};

/// Oxygen that vessels bring where cells leave room for them, that diffuses, and that cells use up: in balance at any time, since it
/// settles within minutes.
///
/// # Equation
/// `0 = ∇·(D ∇p) + s (1 − c)(p_v − p) − a c p / (p + k)` with the partial pressure `p` and the cellularity `c`, and no flux through the border
/// of the region. A fraction of `d` Gy acts as one of `d` times the [enhancement](oxygen_enhancement) at `p` over that at full oxygen, so the
/// radiosensitivity of the model is that of cells with all the oxygen they can use.
///
/// # Assumptions
/// Vessels are displaced by cells. Growth does not wait for oxygen.
///
/// There are no defaults: every value depends on the tissue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oxygen {
    /// `D`, the diffusivity of oxygen, in mm² per s.
    pub diffusivity_mm2_per_s: f64,
    /// `s`, the rate of exchange with vessels in tissue without tumor cells, per s.
    pub supply_per_s: f64,
    /// `p_v`, the partial pressure in vessels.
    pub vessels_mmhg: f64,
    /// `a`, by how much a voxel full of cells would lower the partial pressure in a second, had it all the oxygen it can use.
    pub consumption_mmhg_per_s: f64,
    /// `k`, the partial pressure at which cells use half of that.
    pub half_consumption_mmhg: f64,
}

/// Corrections of the balance, at most; each squares the error once it is small.
const CORRECTIONS: usize = 1000;
/// Passes of the linear solver, at most.
const PASSES: usize = 100_000;
/// Relative error at which the linear solver ends, and share of the pressure in vessels at which corrections do.
const SETTLED: f64 = 1e-10;

/// What the oxygen of all courses shares: the region with the same diffusivity everywhere.
#[derive(Debug)]
pub(super) struct Tissue {
    oxygen: Oxygen,
    lattice: Lattice<f64>,
    /// 1 in each voxel, or the volume of each shell.
    shares: Vec<f64>,
}

impl Oxygen {
    /// What is wrong with the values, in words.
    pub(super) fn fault(&self) -> Option<String> {
        let at_least = |what: &str, value: f64, least: f64| {
            (!(value >= least && value.is_finite())).then(|| format!("{what} is {value}, but must be at least {least}"))
        };
        at_least("diffusivity_mm2_per_s", self.diffusivity_mm2_per_s, 0.0)
            .or_else(|| at_least("supply_per_s", self.supply_per_s, f64::MIN_POSITIVE))
            .or_else(|| at_least("vessels_mmhg", self.vessels_mmhg, f64::MIN_POSITIVE))
            .or_else(|| at_least("consumption_mmhg_per_s", self.consumption_mmhg_per_s, 0.0))
            .or_else(|| at_least("half_consumption_mmhg", self.half_consumption_mmhg, f64::MIN_POSITIVE))
    }
}

impl Tissue {
    pub(super) fn new(oxygen: Oxygen, anatomy: &Anatomy) -> Self {
        let lattice = Lattice::new(&anatomy.with_equal_diffusivity());
        let mut shares = vec![0.0; lattice.len()];
        for place in lattice.runs.iter().flat_map(|run| run.start..run.start + run.len) {
            shares[place] = if anatomy.is_of_shells() { anatomy.volume_mm3(lattice.of_grid(place)) } else { 1.0 };
        }
        Self { oxygen, lattice, shares }
    }

    fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.lattice.runs.iter().flat_map(|run| run.start..run.start + run.len)
    }

    /// The sum of products over all voxels, each by its volume.
    fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        self.places().map(|at| self.shares[at] * a[at] * b[at]).sum()
    }

    /// `result = rates p − ∇·(D ∇p)`.
    fn apply(&self, rates: &[f64], p: &[f64], result: &mut [f64]) {
        for &run in &self.lattice.runs {
            let (rates, result) = (&rates[run.start..run.start + run.len], &mut result[run.start..run.start + run.len]);
            apply_run(&self.lattice, p, run, |q, v, l| result[q] = rates[q] * v - self.oxygen.diffusivity_mm2_per_s * l);
        }
    }

    /// Solves `rates p − ∇·(D ∇p) = source` from `p`, by conjugate gradients; whether it settled.
    fn solve(&self, rates: &[f64], source: &[f64], p: &mut [f64]) -> bool {
        let empty = || vec![0.0; p.len()];
        let (mut image, mut residual, mut scaled, mut direction) = (empty(), empty(), empty(), empty());
        // Of the diagonal, what is sure to be there: a bound on what faces carry away would do no better.
        let diagonal = |at: usize| rates[at] + self.oxygen.diffusivity_mm2_per_s * self.lattice.bound;
        self.apply(rates, p, &mut image);
        for at in self.places() {
            residual[at] = source[at] - image[at];
            scaled[at] = residual[at] / diagonal(at);
            direction[at] = scaled[at];
        }
        let enough = SETTLED * SETTLED * self.product(source, source);
        let mut along = self.product(&residual, &scaled);
        for _ in 0..PASSES {
            if self.product(&residual, &residual) <= enough {
                return true;
            }
            self.apply(rates, &direction, &mut image);
            let step = along / self.product(&direction, &image);
            if !step.is_finite() {
                return false;
            }
            for at in self.places() {
                p[at] += step * direction[at];
                residual[at] -= step * image[at];
                scaled[at] = residual[at] / diagonal(at);
            }
            let next = self.product(&residual, &scaled);
            for at in self.places() {
                direction[at] = scaled[at] + next / along * direction[at];
            }
            along = next;
        }
        false
    }

    /// The partial pressure in every voxel of the grid, in mmHg, 0 outside the region, for the cellularity of every voxel; `None` if it
    /// does not settle.
    ///
    /// By Newton's method from no oxygen at all: consumption bends down, so every correction stays below the balance and they rise to it.
    fn balance(&self, cellularity: &[f64]) -> Option<Vec<f64>> {
        let Oxygen { supply_per_s: s, vessels_mmhg: vessels, consumption_mmhg_per_s: a, half_consumption_mmhg: k, .. } =
            self.oxygen;
        let cells = self.lattice.gather(cellularity);
        let empty = || vec![0.0; self.lattice.len()];
        let (mut p, mut rates, mut source) = (empty(), empty(), empty());
        for _ in 0..CORRECTIONS {
            for at in self.places() {
                let (supply, used) = (s * (1.0 - cells[at]), a * cells[at]);
                let slope = used * k / ((p[at] + k) * (p[at] + k));
                rates[at] = supply + slope;
                source[at] = supply * vessels + slope * p[at] - used * p[at] / (p[at] + k);
            }
            let mut next = p.clone();
            if !self.solve(&rates, &source, &mut next) {
                return None;
            }
            let change = self.places().map(|at| (next[at] - p[at]).abs()).fold(0.0, f64::max);
            p = next;
            if change <= 1e3 * SETTLED * vessels {
                let mut field = vec![0.0; cellularity.len()];
                self.lattice.scatter(&p, &mut field);
                return Some(field);
            }
        }
        None
    }
}

impl<L: Law, T: Real> Course<L, T> {
    /// The partial pressure of oxygen now, in mmHg, 0 outside the region; `None` for a model without oxygen.
    ///
    /// # Errors
    /// [`SimulationError::TooManySteps`] if the balance does not settle.
    pub fn oxygen(&self) -> Result<Option<ScalarField>, SimulationError> {
        let Some(values) = self.oxygen_values()? else { return Ok(None) };
        Ok(Some(ScalarField::on(self.prepared.anatomy.grid().clone(), Unit::parse("mm[Hg]")?, values)?))
    }

    fn oxygen_values(&self) -> Result<Option<Vec<f64>>, SimulationError> {
        let Some(tissue) = &self.prepared.oxygen else { return Ok(None) };
        let unsettled = || SimulationError::TooManySteps {
            model: self.prepared.spec.id.clone(),
            limit: CORRECTIONS,
            day: crate::Simulation::now(self).days(),
        };
        tissue.balance(&self.cellularity()).map(Some).ok_or_else(unsettled)
    }

    /// The dose that acts in each voxel of the box as a multiple of the prescribed one, by oxygen and by the map of the plan; `None` for a
    /// model without oxygen.
    pub(super) fn dose_by_oxygen(&self) -> Result<Option<Vec<T>>, SimulationError> {
        let (Some(tissue), Some(mut relative)) = (&self.prepared.oxygen, self.oxygen_values()?) else { return Ok(None) };
        let full = oxygen_enhancement(f64::MAX)?;
        // Without any oxygen the solver may end a little below none.
        let none = -1e3 * SETTLED * tissue.oxygen.vessels_mmhg;
        for value in &mut relative {
            *value = oxygen_enhancement(if *value < 0.0 && *value > none { 0.0 } else { *value })? / full;
        }
        if let Some(dose) = self.prepared.anatomy.relative_dose() {
            relative.iter_mut().zip(dose).for_each(|(value, dose)| *value *= dose);
        }
        Ok(Some(self.prepared.lattice.gather(&relative)))
    }
}
