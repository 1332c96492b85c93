//! Courses of the sum of diameters under treatment, in closed form.

use crate::{Dynamics, Exposure, ModelSpec, Ode, ParameterSet, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{CoreError, Observable};

const FIT: Source = Source::assumed("a mid-range value; fit it to the patient");
const CLARET: Source = Source::published(
    "Claret et al. 2014 (MONET1, 934 patients), with KDE and lambda in the assignment that gives the medians of the text",
);

/// A course in closed form.
pub trait CurveLaw: ParameterSet + std::fmt::Debug {
    /// Unique name of the model.
    const ID: &'static str;
    /// What the course says, one sentence.
    const TITLE: &'static str;
    /// Where it comes from.
    const SOURCE: Source;

    /// The sum of diameters in mm, `days` after the start of treatment.
    fn at<T: Scalar>(p: &Self::Of<T>, days: T) -> T;
}

/// The sum of diameters of a patient whose treatment starts with the course and goes on, by the closed form `C`.
///
/// # Equation
/// That of its constructor.
///
/// # States
/// `elapsed`, the days since the start.
///
/// # Treatments
/// None: the treatment is part of the course, so every other one is refused.
///
/// # Source
/// That of its constructor.
#[derive(Debug, Clone)]
pub struct Curve<C> {
    spec: Arc<ModelSpec>,
    law: std::marker::PhantomData<fn() -> C>,
}

impl<C: CurveLaw> Curve<C> {
    /// The model of the course `C`.
    #[must_use]
    pub fn model() -> Ode<Self> {
        let spec = ModelSpec::new::<C>(C::ID, C::TITLE, C::SOURCE)
            .state("elapsed", "d", 1e-9)
            .observes(Observable::SUM_OF_DIAMETERS, "mm");
        Ode::new(Self { spec: Arc::new(spec), law: std::marker::PhantomData })
    }
}

impl<C: CurveLaw> Dynamics for Curve<C> {
    type State = [f64; 1];
    type Parameters = C;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &C::Of<T>) -> [T; 1] {
        [T::from(0.0)]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, _x: &[T; 1], _exposure: &Exposure<T>, _p: &C::Of<T>, dx: &mut [T; 1]) {
        dx[0] = T::from(1.0);
    }

    fn observe<T: Scalar>(&self, x: &[T; 1], p: &C::Of<T>, y: &mut [T]) {
        y[0] = C::at(p, x[0]);
    }
}

macro_rules! curve {
    ($(#[$meta:meta])* $constructor:ident, $name:ident, $id:literal, $title:literal, $source:expr,
     { $($fields:tt)* }, |$p:ident, $t:ident| $value:expr) => {
        parameters! {
            #[doc = concat!("Parameters of [`", stringify!($constructor), "`].")]
            pub struct $name { $($fields)* }
        }

        impl CurveLaw for $name {
            const ID: &'static str = $id;
            const TITLE: &'static str = $title;
            const SOURCE: Source = $source;

            fn at<T: Scalar>($p: &$name<T>, $t: T) -> T {
                $value
            }
        }

        $(#[$meta])*
        #[must_use]
        pub fn $constructor() -> Ode<Curve<$name>> {
            Curve::model()
        }
    };
}

curve! {
    /// Tumor growth inhibition after Claret, simplified: `S' = S (KL - KDE exp(-λ t))`.
    claret, Claret, "claret", "Tumor growth inhibition with an effect that wanes", CLARET,
    {
        baseline: "mm" in 5.0..=500.0, default 90.0, "Sum of diameters at the start", CLARET;
        growth_rate: "/d" in 1e-5..=0.02, default 0.00107, "Growth rate KL", CLARET;
        kill_rate: "/d" in 1e-5..=0.1, default 0.0103, "Kill rate KDE at the start", CLARET;
        waning_rate: "/d" in 1e-4..=0.5, default 0.0193, "Rate lambda at which the kill rate wanes", CLARET;
    },
    |p, t| p.baseline * (p.growth_rate * t + p.kill_rate / p.waning_rate * (-p.waning_rate * t).exp_m1()).exp()
}

curve! {
    /// Regression and growth after Stein and Fojo: `S = S₀ (exp(-d t) + exp(g t) - 1)`.
    stein_fojo, SteinFojo, "stein_fojo", "Regression and growth, both exponential", Source::unconfirmed("Stein et al. 2011, doi:10.1158/1078-0432.CCR-10-1762"),
    {
        baseline: "mm" in 5.0..=500.0, default 90.0, "Sum of diameters at the start", FIT;
        regression_rate: "/d" in 1e-4..=0.1, default 0.01, "Rate d of regression", FIT;
        growth_rate: "/d" in 1e-5..=0.01, default 0.0005, "Rate g of growth", FIT;
    },
    |p, t| p.baseline * ((-p.regression_rate * t).exp() + (p.growth_rate * t).exp_m1())
}

curve! {
    /// Shrinkage and progression after Wang: `S = S₀ exp(-SR t) + PR t`.
    wang, Wang, "wang", "Exponential shrinkage and linear progression", Source::unconfirmed("Wang et al. 2009, doi:10.1038/clpt.2009.64"),
    {
        baseline: "mm" in 5.0..=500.0, default 90.0, "Sum of diameters at the start", FIT;
        shrinkage_rate: "/d" in 1e-4..=0.1, default 0.01, "Rate SR of shrinkage", FIT;
        progression_rate: "mm/d" in 1e-3..=2.0, default 0.05, "Rate PR of progression", FIT;
    },
    |p, t| p.baseline * (-p.shrinkage_rate * t).exp() + p.progression_rate * t
}

curve! {
    /// Two kinds of cells: `S = S₀ (f exp(-s t) + (1 - f) exp(g t))`.
    biexponential, Biexponential, "biexponential", "A sensitive share that shrinks and a resistant one that grows", FIT,
    {
        baseline: "mm" in 5.0..=500.0, default 90.0, "Sum of diameters at the start", FIT;
        sensitive_share: "1" in 0.0..=1.0, default 0.8, "Share f of the diameter that responds", FIT;
        shrinkage_rate: "/d" in 1e-4..=0.1, default 0.01, "Rate s of shrinkage", FIT;
        growth_rate: "/d" in 1e-5..=0.01, default 0.001, "Rate g of growth", FIT;
    },
    |p, t| p.baseline * (p.sensitive_share * (-p.shrinkage_rate * t).exp() + (T::from(1.0) - p.sensitive_share) * (p.growth_rate * t).exp())
}

/// The time to growth of [`claret`] in days: `ln(KDE/KL) / λ`; 0 for a tumor that grows from the start.
///
/// # Errors
/// [`CoreError`] unless all rates are finite and above 0.
pub fn claret_time_to_growth(p: &Claret) -> Result<f64, CoreError> {
    let positive = crate::check::positive;
    let ratio = positive("kill rate per day", p.kill_rate)? / positive("growth rate per day", p.growth_rate)?;
    Ok((ratio.ln() / positive("waning rate per day", p.waning_rate)?).max(0.0))
}

/// The day of the nadir of [`stein_fojo`], `ln(d/g) / (g + d)`, and the sum of diameters there relative to the start; the start for a
/// tumor that grows from the start.
///
/// # Errors
/// [`CoreError`] unless both rates are finite and above 0.
pub fn stein_fojo_nadir(p: &SteinFojo) -> Result<(f64, f64), CoreError> {
    let d = crate::check::positive("regression rate per day", p.regression_rate)?;
    let g = crate::check::positive("growth rate per day", p.growth_rate)?;
    let day = ((d / g).ln() / (g + d)).max(0.0);
    Ok((day, (-d * day).exp() + (g * day).exp_m1()))
}
