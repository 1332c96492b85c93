//! Initial value problems with known digits, stiff and not, for races and work-precision curves.

use std::sync::Arc;
use twin_core::{Agent, Observable, Quantity, Random, Time, TimedTreatment, Treatment};
use twin_models::{
    Dynamics, Exposure, Given, Model, ModelSpec, Ode, Refused, Scalar, Scenario, Simulation, Source, TreatmentKind, parameters, run,
};

type Failure = Box<dyn std::error::Error>;

parameters! {
    /// The problems have their constants in the equations.
    struct Nothing {
        unused: "1" in 0.0..=1.0, default 0.0, "Not used", Source::assumed("the constants stand in the equations");
    }
}

/// A problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Case {
    /// The van der Pol oscillator with 1e-6.
    VanDerPol,
    /// Three reactions of rates 0.04, 1e4 and 3e7, until 1e11.
    Robertson,
    /// Eight species of plant physiology.
    Hires,
    /// A tumor and effector cells, scaled (Kuznetsov et al. 1994); not stiff.
    Kuznetsov,
    /// A drug that binds its target at this rate, and a tumor that the complex kills: eight doses, three weeks apart.
    Binding(f64),
}

/// Days between the doses of [`Case::Binding`].
const INTERVAL: f64 = 21.0;
/// What each of them adds to the drug.
const DOSE: f64 = 10.0;
const DOSES: u32 = 8;

impl Case {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Kuznetsov,
        Self::VanDerPol,
        Self::Robertson,
        Self::Hires,
        Self::Binding(1.0),
        Self::Binding(10.0),
        Self::Binding(100.0),
        Self::Binding(1000.0),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::VanDerPol => "van der Pol".to_owned(),
            Self::Robertson => "Robertson".to_owned(),
            Self::Hires => "HIRES".to_owned(),
            Self::Kuznetsov => "Kuznetsov".to_owned(),
            Self::Binding(rate) => format!("binding at {rate}"),
        }
    }

    /// The state at the start, before any dose.
    #[must_use]
    pub fn start(self) -> &'static [f64] {
        match self {
            Self::VanDerPol => &[2.0, 0.0],
            Self::Robertson => &[1.0, 0.0, 0.0],
            Self::Hires => &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057],
            Self::Kuznetsov => &[0.76, 20.0],
            Self::Binding(_) => &[0.0, 1.0, 0.0, 4.0],
        }
    }

    /// When it ends.
    #[must_use]
    pub fn end(self) -> f64 {
        match self {
            Self::VanDerPol => 2.0,
            Self::Robertson => 1e11,
            Self::Hires => 321.8122,
            Self::Kuznetsov => 50.0,
            Self::Binding(_) => INTERVAL * f64::from(DOSES),
        }
    }

    /// The times at which a dose is added to the first state, and how much.
    #[must_use]
    pub fn doses(self) -> Vec<(f64, f64)> {
        match self {
            Self::Binding(_) => (0..DOSES).map(|number| (INTERVAL * f64::from(number), DOSE)).collect(),
            _ => Vec::new(),
        }
    }

    /// The absolute tolerance that goes with the relative tolerance of 1.
    #[must_use]
    pub fn scale(self) -> f64 {
        match self {
            Self::VanDerPol => 1.0,
            Self::Robertson => 1e-12,
            Self::Hires => 1e-4,
            Self::Kuznetsov | Self::Binding(_) => 1e-3,
        }
    }

    /// The state at the end: the digits of the test set of initial value problems (Bari, CWI), or a Taylor series of 30 digits
    /// (Kuznetsov); `None` where nobody printed any.
    #[must_use]
    pub fn digits(self) -> Option<&'static [f64]> {
        match self {
            Self::VanDerPol => Some(&[1.706_167_732_170_483, -0.892_809_701_024_797_5]),
            Self::Robertson => Some(&[2.083_340_149_701_255e-8, 8.333_360_770_334_713e-14, 0.999_999_979_166_505]),
            Self::Hires => Some(&[
                7.371_312_573_325_668e-4,
                1.442_485_726_316_185e-4,
                5.888_729_740_967_575e-5,
                1.175_651_343_283_149e-3,
                2.386_356_198_831_331e-3,
                6.238_968_252_742_796e-3,
                2.849_998_395_185_769e-3,
                2.850_001_604_814_231e-3,
            ]),
            Self::Kuznetsov => Some(&[1.698_689_120_253_435_3, 7.874_027_435_736_024]),
            Self::Binding(_) => None,
        }
    }

    /// Writes the rates at `x` to `dx`.
    #[inline(always)]
    pub fn rates<T: Scalar>(self, x: &[T], dx: &mut [T]) {
        let one = T::from(1.0);
        match (self, x, dx) {
            (Self::VanDerPol, &[x, v], dx) => dx.copy_from_slice(&[v, ((one - x * x) * v - x) / 1e-6]),
            (Self::Robertson, &[a, b, c], dx) => {
                let (slow, back, fast) = (a * 0.04, b * c * 1e4, b * b * 3e7);
                dx.copy_from_slice(&[back - slow, slow - back - fast, fast]);
            }
            (Self::Kuznetsov, &[x, z], dx) => dx.copy_from_slice(&[
                x * z * 1.131 / (z + 20.19) + 0.1181 - x * z * 0.00311 - x * 0.3743,
                z * 1.636 * (one - z * 0.002) - x * z,
            ]),
            (Self::Hires, &[a, b, c, d, e, f, g, h], dx) => {
                let bound = f * h * 280.0;
                dx.copy_from_slice(&[
                    a * -1.71 + b * 0.43 + c * 8.32 + 0.0007,
                    a * 1.71 - b * 8.75,
                    c * -10.03 + d * 0.43 + e * 0.035,
                    b * 8.32 + c * 1.71 - d * 1.12,
                    e * -1.745 + (f + g) * 0.43,
                    d * 0.69 + e * 1.71 - f * 0.43 + g * 0.69 - bound,
                    bound - g * 1.81,
                    g * 1.81 - bound,
                ]);
            }
            (Self::Binding(on), &[drug, target, complex, ln_tumor], dx) => {
                let bound = drug * target * on - complex;
                dx.copy_from_slice(&[
                    drug * -0.2 - bound,
                    (one - target) * 2.0 - bound,
                    bound - complex,
                    (T::from(8.0) - ln_tumor) * 0.02 - complex * 0.05,
                ]);
            }
            (_, _, dx) => dx.fill(T::from(f64::NAN)),
        }
    }
}

/// A problem of `N` states as a model.
struct Posed<const N: usize> {
    spec: Arc<ModelSpec>,
    case: Case,
}

impl<const N: usize> Dynamics for Posed<N> {
    type State = [f64; N];
    type Parameters = Nothing;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Nothing<T>) -> [T; N] {
        std::array::from_fn(|i| T::from(self.case.start().get(i).copied().unwrap_or(f64::NAN)))
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; N], _exposure: &Exposure<T>, _p: &Nothing<T>, dx: &mut [T; N]) {
        self.case.rates(x, dx);
    }

    fn observe<T: Scalar>(&self, x: &[T; N], _p: &Nothing<T>, y: &mut [T]) {
        y.copy_from_slice(x);
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &Nothing<T>, x: &mut [T; N]) -> Result<(), Refused> {
        x[0] += given.amount;
        Ok(())
    }
}

/// The problem as a model at a relative tolerance.
///
/// # Errors
/// None for the cases there are.
pub fn model(case: Case, relative: f64) -> Result<Box<dyn Model>, Failure> {
    fn posed<const N: usize>(case: Case, relative: f64) -> Result<Box<dyn Model>, Failure> {
        let mut spec = ModelSpec::new::<Nothing>("posed", "A problem with known digits", Source::assumed("a race"));
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().take(N) {
            let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
            spec = spec.bounded_state(name, "1", low, high, relative * case.scale()).observes(Observable::new(name)?, "1");
        }
        spec = spec.understands_drug(TreatmentKind::Bolus, &Agent::new("drug")?, "1");
        Ok(Box::new(Ode::new(Posed::<N> { spec: Arc::new(spec), case }).with_relative_tolerance(relative)))
    }
    match case.start().len() {
        2 => posed::<2>(case, relative),
        3 => posed::<3>(case, relative),
        4 => posed::<4>(case, relative),
        _ => posed::<8>(case, relative),
    }
}

/// Doses, and a look at the end.
///
/// # Errors
/// None for the cases there are.
pub fn scenario(case: Case) -> Result<Scenario, Failure> {
    let mut treatments = Vec::new();
    for (day, dose) in case.doses() {
        let dose = Treatment::bolus(Agent::new("drug")?, Quantity::new(dose, "1")?)?;
        treatments.push(TimedTreatment::new(Time::from_days(day)?, dose));
    }
    Ok(Scenario::starting(Time::ORIGIN).treated(treatments).sampled([Time::from_days(case.end())?]))
}

/// The state at the end, by ours.
///
/// # Errors
/// What the integrator finds.
pub fn ours(model: &dyn Model, scenario: &Scenario) -> Result<Vec<f64>, Failure> {
    let mut values = vec![0.0; model.spec().states.len()];
    let mut course: Box<dyn Simulation> = model.start(&model.spec().defaults()?, Time::ORIGIN, &mut Random::new(0))?;
    run(course.as_mut(), scenario, &mut values)?;
    Ok(values)
}

/// The largest relative error of the components of `case` that are far above the absolute tolerance.
#[must_use]
pub fn error(case: Case, found: &[f64], exact: &[f64]) -> f64 {
    // At the end of a course of doses drug and complex are next to nothing.
    let counts = |index: usize| !matches!(case, Case::Binding(_)) || index % 2 == 1;
    let errors = found.iter().zip(exact).enumerate().filter(|(index, _)| counts(*index));
    errors
        .map(|(_, (found, exact))| (found / exact - 1.0).abs())
        .fold(0.0, |most, error| if error > most || error.is_nan() { error } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integrator_finds_out_what_is_stiff_and_keeps_the_digits() {
        for case in Case::ALL {
            let Some(digits) = case.digits() else { continue };
            for relative in [1e-6, 1e-8] {
                let found = ours(model(case, relative).unwrap().as_ref(), &scenario(case).unwrap()).unwrap();
                let off = error(case, &found, digits);
                assert!(off < 1e3 * relative, "{}: {off} at {relative}", case.name());
            }
        }
    }

    #[test]
    fn fast_binding_costs_few_more_steps_and_converges() {
        for case in Case::ALL.into_iter().filter(|case| case.digits().is_none()) {
            let at = |relative: f64| ours(model(case, relative).unwrap().as_ref(), &scenario(case).unwrap()).unwrap();
            let (coarse, fine, finest) = (at(1e-6), at(1e-9), at(1e-11));
            assert!(
                error(case, &coarse, &finest) < 1e-3 && error(case, &fine, &finest) < 1e-6,
                "{}: {coarse:?} {fine:?} {finest:?}",
                case.name()
            );
        }
    }
}
