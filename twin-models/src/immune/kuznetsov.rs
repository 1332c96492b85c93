//! Effector cells and a tumor.

use crate::{Dynamics, Exposure, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{CoreError, Observable};

const KUZNETSOV: Source = Source::published("Kuznetsov et al. 1994, doi:10.1007/BF02460644, table 1");
const CHOICE: Source = Source::assumed("the region of dormancy");

parameters! {
    /// Parameters of [`kuznetsov`], in units of 10⁶ cells.
    pub struct KuznetsovParameters {
        growth_rate: "/d" in 0.01..=1.0, default 0.18, "Growth rate a of the tumor", KUZNETSOV;
        crowding: "1" in 1e-5..=0.05, default 0.002, "Inverse b of the carrying capacity, per 10⁶ cells", KUZNETSOV;
        supply: "/d" in 1e-5..=0.2, default 0.013, "Supply s of effector cells, 10⁶ per day", KUZNETSOV;
        recruitment: "/d" in 1e-3..=1.0, default 0.1245, "Greatest rate p of recruitment by the tumor", KUZNETSOV;
        half_recruitment: "1" in 1.0..=200.0, default 20.19, "Tumor g of half the recruitment, in 10⁶ cells", KUZNETSOV;
        inactivation: "/d" in 1e-6..=0.01, default 3.422e-4, "Inactivation m of effector cells, per 10⁶ tumor cells", KUZNETSOV;
        kill: "/d" in 1e-3..=1.0, default 0.1101, "Kill n of tumor cells, per 10⁶ effector cells", KUZNETSOV;
        death_rate: "/d" in 1e-3..=0.5, default 0.0412, "Death rate d of effector cells", KUZNETSOV;
        initial_effectors: "1" in 1e-3..=100.0, default 0.5, "Effector cells at the start, in 10⁶", CHOICE;
        initial_tumor: "1" in 1e-3..=600.0, default 1.0, "Tumor cells at the start, in 10⁶", CHOICE;
    }
}

/// Effector cells `E` that a tumor `T` recruits and exhausts, and that kill it.
///
/// # Equation
/// `E' = s + p E T / (g + T) - m E T - d E`, `T' = a T (1 - b T) - n E T`, in units of 10⁶ cells.
///
/// # States
/// `ln_effectors`, `ln_tumor`: natural logarithms.
///
/// # Treatments
/// None.
///
/// # Source
/// Kuznetsov, Makalkin, Taylor and Perelson 1994, doi:10.1007/BF02460644. Scripts in circulation have 0.01 for the scaled `b` (here 0.002).
#[derive(Debug, Clone)]
pub struct Kuznetsov {
    spec: Arc<ModelSpec>,
}

/// The [`Kuznetsov`] model.
///
/// # Errors
/// None: the names of the observables are valid.
pub fn kuznetsov() -> Result<Ode<Kuznetsov>, CoreError> {
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec =
        ModelSpec::new::<KuznetsovParameters>("kuznetsov", "A tumor and effector cells, with dormancy and escape", KUZNETSOV)
            .bounded_state("ln_effectors", "1", low, high, 1e-9)
            .bounded_state("ln_tumor", "1", low, high, 1e-9)
            .observes(Observable::new("tumor_cells")?, "10*6")
            .observes(Observable::new("effector_cells")?, "10*6");
    Ok(Ode::new(Kuznetsov { spec: Arc::new(spec) }))
}

impl Dynamics for Kuznetsov {
    type State = [f64; 2];
    type Parameters = KuznetsovParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &KuznetsovParameters<T>) -> [T; 2] {
        [p.initial_effectors.ln(), p.initial_tumor.ln()]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 2], _exposure: &Exposure<T>, p: &KuznetsovParameters<T>, dx: &mut [T; 2]) {
        let [effectors, tumor] = x.map(T::exp);
        dx[0] = p.supply / effectors + p.recruitment * tumor / (p.half_recruitment + tumor) - p.inactivation * tumor - p.death_rate;
        dx[1] = p.growth_rate * (T::from(1.0) - p.crowding * tumor) - p.kill * effectors;
    }

    fn observe<T: Scalar>(&self, x: &[T; 2], _p: &KuznetsovParameters<T>, y: &mut [T]) {
        y[0] = x[1].exp();
        y[1] = x[0].exp();
    }
}

/// What becomes of a small disturbance of an equilibrium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// It dies out.
    StableNode,
    /// It dies out in circles.
    StableSpiral,
    /// It grows in one direction and dies out in the other.
    Saddle,
    /// It grows.
    Unstable,
}

/// An equilibrium, in 10⁶ cells, with the eigenvalues of the linearized system, per day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equilibrium {
    /// Effector cells.
    pub effectors: f64,
    /// Tumor cells.
    pub tumor: f64,
    /// Real parts of the eigenvalues, the greater first.
    pub real: [f64; 2],
    /// Their imaginary part, 0 or more; the other one has the opposite.
    pub imaginary: f64,
    /// What they mean.
    pub stability: Stability,
}

/// The equilibria of [`kuznetsov`] without negative cells, in the order of their tumors, the one without a tumor first.
///
/// ```
/// use twin_models::immune::{KuznetsovParameters, Stability, kuznetsov_equilibria};
/// use twin_models::ParameterSet;
/// let defaults: Vec<f64> = KuznetsovParameters::specs().iter().map(|spec| spec.default).collect();
/// let equilibria = KuznetsovParameters::from_values(&defaults).map(|p| kuznetsov_equilibria(&p)).unwrap_or_default();
/// assert_eq!(equilibria.len(), 4);
/// assert_eq!(equilibria[1].stability, Stability::StableSpiral); // dormancy
/// ```
#[must_use]
pub fn kuznetsov_equilibria(p: &KuznetsovParameters) -> Vec<Equilibrium> {
    let mut found = vec![judge(p, p.supply / p.death_rate, 0.0)];
    let effectors = |tumor: f64| p.growth_rate / p.kill * (1.0 - p.crowding * tumor);
    // With the tumor at rest, the balance of effector cells times (g + T) is a cubic in T; its roots lie between its extremes.
    let balance = |t: f64| {
        let (e, g) = (effectors(t), p.half_recruitment);
        p.supply * (g + t) + e * (p.recruitment * t - (p.inactivation * t + p.death_rate) * (g + t))
    };
    let mut edges = vec![0.0, 1.0 / p.crowding];
    edges.extend(extremes(&balance, 1.0 / p.crowding));
    edges.sort_by(f64::total_cmp);
    for pair in edges.windows(2) {
        if let &[low, high] = pair
            && (balance(low) > 0.0) != (balance(high) > 0.0)
        {
            let tumor = root(&balance, low, high);
            if tumor > 0.0 {
                found.push(judge(p, effectors(tumor), tumor));
            }
        }
    }
    found
}

/// Where the cubic `f` is level between 0 and `end`: its derivative is a parabola through three exact differences.
fn extremes(f: &impl Fn(f64) -> f64, end: f64) -> Vec<f64> {
    // Newton's divided differences at four equally spaced points give the coefficients of the cubic.
    let h = end / 3.0;
    let y = [f(0.0), f(h), f(2.0 * h), f(end)];
    let third = (y[3] - 3.0 * y[2] + 3.0 * y[1] - y[0]) / (6.0 * h * h * h);
    let second = (y[2] - 2.0 * y[1] + y[0]) / (2.0 * h * h) - 3.0 * h * third;
    let first = (y[1] - y[0]) / h - h * second - h * h * third;
    let discriminant = second * second - 3.0 * third * first;
    if discriminant <= 0.0 {
        return Vec::new();
    }
    let q = -(second + discriminant.sqrt().copysign(second));
    [q / (3.0 * third), first / q].into_iter().filter(|t| t.is_finite() && *t > 0.0 && *t < end).collect()
}

fn root(f: &impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let at_low = f(low) > 0.0;
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if (f(middle) > 0.0) == at_low { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn judge(p: &KuznetsovParameters, effectors: f64, tumor: f64) -> Equilibrium {
    let g = p.half_recruitment + tumor;
    let jacobian = [
        [
            p.recruitment * tumor / g - p.inactivation * tumor - p.death_rate,
            p.recruitment * effectors * p.half_recruitment / (g * g) - p.inactivation * effectors,
        ],
        [-p.kill * tumor, p.growth_rate * (1.0 - 2.0 * p.crowding * tumor) - p.kill * effectors],
    ];
    let half_trace = 0.5 * (jacobian[0][0] + jacobian[1][1]);
    let determinant = jacobian[0][0] * jacobian[1][1] - jacobian[0][1] * jacobian[1][0];
    let square = half_trace * half_trace - determinant;
    let spread = square.abs().sqrt();
    let (real, imaginary) =
        if square < 0.0 { ([half_trace; 2], spread) } else { ([half_trace + spread, half_trace - spread], 0.0) };
    let stability = match real {
        [greater, _] if greater < 0.0 && imaginary > 0.0 => Stability::StableSpiral,
        [greater, _] if greater < 0.0 => Stability::StableNode,
        [_, lesser] if lesser < 0.0 => Stability::Saddle,
        _ => Stability::Unstable,
    };
    Equilibrium { effectors, tumor, real, imaginary, stability }
}
