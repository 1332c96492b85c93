//! Passes back over a step, for the adjoint.
//!
//! The operator is symmetric, so the adjoint of a step of diffusion is the step itself, and its stages are those of the adjoint. Each
//! stage is a Legendre polynomial of the operator, shifted: `Y_k = R_k(τL) Y_0` with `R_k(z) = 1 − b_k + b_k P_k(1 + w z)`. Since
//! `P'_s = Σ (2k + 1) P_k` over `k = s − 1, s − 3, …`, the derivative with respect to the step is a sum over stages that are there anyway:
//! `R'_s = b_s w Σ (2k + 1) (R_k − 1 + b_k) / b_k`.

use super::diffusion::{Operator, Stage, apply_run, stretch, sweep_two, weight, within};
use super::growth::Law;
use super::lattice::Run;

/// What a pass back found in one plane: the derivatives with respect to the step, and to both coefficients of a flow.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Slopes {
    pub(super) tau: f64,
    pub(super) flow: [f64; 2],
}

/// Voxels whose shares are added up side by side.
const PIECE: usize = 64;
const LANES: usize = 8;

/// Sums in a fixed order that need not wait for each other.
#[derive(Debug, Clone, Copy, Default)]
struct Lanes([f64; LANES]);

impl Lanes {
    fn add(&mut self, shares: &[f64]) {
        let (whole, rest) = shares.as_chunks::<LANES>();
        for shares in whole {
            (0..LANES).for_each(|lane| self.0[lane] += shares[lane]);
        }
        self.0.iter_mut().zip(rest).for_each(|(sum, share)| *sum += share);
    }

    fn sum(&self) -> f64 {
        self.0.iter().sum()
    }
}

/// The factor of `Y_k` in `R'_s`, for `k` = s − 1, s − 3, …
pub(super) fn factor(k: usize, stages: usize) -> f64 {
    weight(stages) / stretch(stages) * (2 * k + 1) as f64 / weight(k)
}

/// The factor of `Y_0` in `R'_s`.
pub(super) fn factor_of_start(stages: usize) -> f64 {
    let others = (1..stages).rev().step_by(2).map(|k| factor(k, stages) * (1.0 - weight(k))).sum::<f64>();
    let own = if stages % 2 == 1 { weight(stages) / stretch(stages) } else { 0.0 };
    own - others
}

fn pieces(run: Run) -> impl Iterator<Item = Run> {
    (0..run.len).step_by(PIECE).map(move |from| Run { start: run.start + from, len: PIECE.min(run.len - from) })
}

/// What `work` finds in all planes together, in order.
fn total(slopes: &[Slopes]) -> Slopes {
    slopes.iter().fold(Slopes::default(), |sum, found| Slopes {
        tau: sum.tau + found.tau,
        flow: [sum.flow[0] + found.flow[0], sum.flow[1] + found.flow[1]],
    })
}

impl Operator<'_, f64> {
    /// The last stage of the adjoint of a step, then the adjoint of the `flow` before it, from the field `before` that: `result` is
    /// `L Y_0` before and the adjoint of the field after. `factors` are those of `Y_{s−1}` and of `Y_0` in the derivative.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn last_stage_back<L: Law>(
        &self,
        stage: Stage<f64>,
        factors: [f64; 2],
        flow: [f64; 2],
        (y, start, older): (&[f64], &[f64], &[f64]),
        before: &[f64],
        result: &mut [f64],
        slopes: &mut [Slopes],
    ) -> Slopes {
        let plane = self.lattice.plane();
        slopes.fill(Slopes::default());
        sweep_two(self.active, (result, plane), (slopes, 1), |k, result, slopes| {
            let mut sums = [Lanes::default(); 3];
            let mut shares = [[0.0; PIECE]; 3];
            for run in self.active.of_plane(k).iter().flat_map(|run| pieces(*run)) {
                let at = run.start..run.start + run.len;
                let result = within(result, run, k, plane);
                let (start, older, before) = (&start[at.clone()], &older[at.clone()], &before[at]);
                let [of_tau, of_a, of_b] = &mut shares;
                let (of_tau, of_a, of_b) = (&mut of_tau[..run.len], &mut of_a[..run.len], &mut of_b[..run.len]);
                apply_run(self.lattice, y, run, |q, v, l| {
                    let first = result[q];
                    let of_before = stage.mu * v + stage.nu * older[q];
                    let adjoint = of_before + stage.rest * start[q] + stage.mu_tilde * l + stage.gamma_tilde * first;
                    let (after, of_value, of_flow) = L::derivatives(flow, before[q]);
                    of_tau[q] = (factors[0] * l + factors[1] * first) * after;
                    of_a[q] = adjoint * of_flow[0];
                    of_b[q] = adjoint * of_flow[1];
                    result[q] = adjoint * of_value;
                });
                sums[0].add(of_tau);
                sums[1].add(of_a);
                sums[2].add(of_b);
            }
            slopes.fill(Slopes { tau: sums[0].sum(), flow: [sums[1].sum(), sums[2].sum()] });
        });
        total(slopes)
    }

    /// The sum of `L y` times the field after the `flow`, from the field `before` it.
    pub(super) fn product<L: Law>(&self, y: &[f64], flow: [f64; 2], before: &[f64], slopes: &mut [Slopes]) -> f64 {
        slopes.fill(Slopes::default());
        let mut planes: Vec<usize> = (0..slopes.len()).collect();
        sweep_two(self.active, (&mut planes, 1), (slopes, 1), |k, _, slopes| {
            let mut sum = Lanes::default();
            let mut shares = [0.0; PIECE];
            for run in self.active.of_plane(k).iter().flat_map(|run| pieces(*run)) {
                let (shares, before) = (&mut shares[..run.len], &before[run.start..run.start + run.len]);
                apply_run(self.lattice, y, run, |q, _, l| shares[q] = l * L::apply(flow, before[q]));
                sum.add(shares);
            }
            slopes.fill(Slopes { tau: sum.sum(), ..Slopes::default() });
        });
        total(slopes).tau
    }

    /// The adjoint of the `flow` alone: `adjoint` is that of the field after it, and then of the field `before`.
    pub(super) fn flow_back<L: Law>(&self, flow: [f64; 2], before: &[f64], adjoint: &mut [f64], slopes: &mut [Slopes]) -> [f64; 2] {
        let plane = self.lattice.plane();
        slopes.fill(Slopes::default());
        sweep_two(self.active, (adjoint, plane), (slopes, 1), |k, adjoint, slopes| {
            let mut sums = [Lanes::default(); 2];
            let mut shares = [[0.0; PIECE]; 2];
            for run in self.active.of_plane(k).iter().flat_map(|run| pieces(*run)) {
                let before = &before[run.start..run.start + run.len];
                let adjoint = within(adjoint, run, k, plane);
                let [of_a, of_b] = &mut shares;
                let (of_a, of_b) = (&mut of_a[..run.len], &mut of_b[..run.len]);
                for (q, (adjoint, before)) in adjoint.iter_mut().zip(before).enumerate() {
                    let (_, of_value, of_flow) = L::derivatives(flow, *before);
                    of_a[q] = *adjoint * of_flow[0];
                    of_b[q] = *adjoint * of_flow[1];
                    *adjoint *= of_value;
                }
                sums[0].add(of_a);
                sums[1].add(of_b);
            }
            slopes.fill(Slopes { tau: 0.0, flow: [sums[0].sum(), sums[1].sum()] });
        });
        total(slopes).flow
    }
}
