//! Laws of untreated growth, of a tumor volume in mm³ over days.
//!
//! | law | equation | ends at |
//! |---|---|---|
//! | [`exponential`] | `V' = a V` | – |
//! | [`logistic`] | `V' = a V (1 - V/K)` | `K` |
//! | [`generalized_logistic`] | `V' = a V (1 - (V/K)^θ)` | `K` |
//! | [`gompertz`] | `V' = β V ln(K/V)` | `K` |
//! | [`bertalanffy`] | `V' = a V^(2/3) - b V` | `(a/b)^3` |
//! | [`bertalanffy_putter`] | `V' = a V^γ - b V^δ` | `(a/b)^(1/(δ-γ))` |
//! | [`power_law`] | `V' = a V^γ` | – |
//! | [`exponential_linear`] | `V' = min(a V, b)` | – |
//! | [`smooth_exponential_linear`] | `V' = a V / (1 + (a V/b)^20)^(1/20)` | – |
//! | [`reduced_gompertz`] | `V' = (α - β ln(V/V₁)) V`, `α = k β + c` | `V₁ exp(α/β)` |
//! | [`dynamic_carrying_capacity`] | `V' = a V ln(K/V)`, `K' = b V^(2/3)` | – |
//!
//! They are integrated in `ln V`, which keeps volumes positive and makes the growth rate the whole of the right-hand side.

mod dynamic_carrying_capacity;
mod parameter_sets;
mod tumor_age;

pub use dynamic_carrying_capacity::{DynamicCapacity, DynamicCarryingCapacity, dynamic_carrying_capacity};
pub use parameter_sets::{GROWTH_PARAMETER_SETS, GrowthParameterSet};
pub use tumor_age::tumor_age;

use crate::{Dynamics, Exposure, ModelSpec, Ode, ParameterSet, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::Observable;

const BENZEKRY: &str = "Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800";
const CHOICE: Source = Source::assumed("a mid-range value; fit it to the patient");

/// A growth law: the relative growth rate of a volume.
pub trait GrowthLaw: ParameterSet + std::fmt::Debug {
    /// Unique name of the model.
    const ID: &'static str;
    /// What the law says, one sentence.
    const TITLE: &'static str;
    /// Where the law comes from.
    const SOURCE: Source;
    /// Whether the relative growth rate rises as a negative power of a volume that shrinks. A kill in proportion to such a rate ends the
    /// tumor in finite time, which the logarithm of its volume cannot tell.
    const RISES_AS_POWER: bool = false;

    /// The volume at the start, in mm³.
    fn initial_volume<T: Scalar>(p: &Self::Of<T>) -> T;

    /// The relative growth rate `V'/V`, per day, at the volume `exp(ln_volume)` mm³.
    fn relative_rate<T: Scalar>(p: &Self::Of<T>, ln_volume: T) -> T;
}

/// A tumor that grows by the law `L` and is not treated.
///
/// # Equation
/// `(ln V)' = L(V)`; the laws are listed in the [module](self).
///
/// # States
/// `ln_volume`, the natural logarithm of the volume in mm³.
///
/// # Treatments
/// None: every treatment is refused.
///
/// # Source
/// The laws as compared on animal tumors by Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800.
#[derive(Debug, Clone)]
pub struct Growth<L> {
    spec: Arc<ModelSpec>,
    law: std::marker::PhantomData<fn() -> L>,
}

impl<L: GrowthLaw> Growth<L> {
    /// The model of the law `L`.
    #[must_use]
    pub fn model() -> Ode<Self> {
        let spec = ModelSpec::new::<L>(L::ID, L::TITLE, L::SOURCE)
            .bounded_state("ln_volume", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
            .observes(Observable::TUMOR_VOLUME, "mm3");
        Ode::new(Self { spec: Arc::new(spec), law: std::marker::PhantomData })
    }
}

impl<L: GrowthLaw> Dynamics for Growth<L> {
    type State = [f64; 1];
    type Parameters = L;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &L::Of<T>) -> [T; 1] {
        [L::initial_volume(p).ln()]
    }

    #[inline(always)]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 1], _exposure: &Exposure<T>, p: &L::Of<T>, dx: &mut [T; 1]) {
        dx[0] = L::relative_rate(p, x[0]);
    }

    fn observe<T: Scalar>(&self, x: &[T; 1], _p: &L::Of<T>, y: &mut [T]) {
        y[0] = x[0].exp();
    }
}

/// Declares the parameter struct, the law and the constructor of one growth law.
macro_rules! law {
    ($(#[$meta:meta])* $constructor:ident, $name:ident, $id:literal, $title:literal, $source:expr,
     $(rises_as_power $rises:literal,)? { $($fields:tt)* }, |$p:ident, $z:ident| $rate:expr) => {
        parameters! {
            #[doc = concat!("Parameters of [`", stringify!($constructor), "`].")]
            pub struct $name {
                $($fields)*
                initial_volume: "mm3" in 1e-3..=1e6, default 100.0, "Volume at the start", CHOICE;
            }
        }

        impl GrowthLaw for $name {
            const ID: &'static str = $id;
            const TITLE: &'static str = $title;
            const SOURCE: Source = $source;
            $(const RISES_AS_POWER: bool = $rises;)?

            fn initial_volume<T: Scalar>(p: &$name<T>) -> T {
                p.initial_volume
            }

            #[inline(always)]
            fn relative_rate<T: Scalar>($p: &$name<T>, $z: T) -> T {
                $rate
            }
        }

        $(#[$meta])*
        #[must_use]
        pub fn $constructor() -> Ode<Growth<$name>> {
            Growth::model()
        }
    };
}

law! {
    /// Exponential growth, `V' = a V`; it doubles every `ln 2 / a` days.
    exponential, Exponential, "exponential", "Exponential growth", Source::published(BENZEKRY),
    { growth_rate: "/d" in 1e-4..=0.3, default 0.02, "Relative growth rate", CHOICE; },
    |p, _z| p.growth_rate
}

law! {
    /// Logistic growth, `V' = a V (1 - V/K)`.
    logistic, Logistic, "logistic", "Logistic growth", Source::published(BENZEKRY),
    {
        growth_rate: "/d" in 1e-4..=1.0, default 0.05, "Relative growth rate of a small tumor", CHOICE;
        carrying_capacity: "mm3" in 1e2..=1e7, default 2e4, "Volume at which growth stops", CHOICE;
    },
    |p, z| p.growth_rate * (T::from(1.0) - (z - p.carrying_capacity.ln()).exp())
}

law! {
    /// Generalized logistic growth, `V' = a V (1 - (V/K)^θ)`; θ = 1 is [`logistic`].
    generalized_logistic, GeneralizedLogistic, "generalized_logistic", "Generalized logistic growth", Source::published(BENZEKRY),
    {
        growth_rate: "/d" in 1e-4..=1.0, default 0.05, "Relative growth rate of a small tumor", CHOICE;
        carrying_capacity: "mm3" in 1e2..=1e7, default 2e4, "Volume at which growth stops", CHOICE;
        exponent: "1" in 0.05..=2.0, default 0.5, "How late growth slows down", CHOICE;
    },
    |p, z| p.growth_rate * (T::from(1.0) - (p.exponent * (z - p.carrying_capacity.ln())).exp())
}

law! {
    /// Gompertz growth, `V' = β V ln(K/V)`; in the time form `V' = a e^(-βt) V` with `K = V₀ e^(a/β)`.
    gompertz, Gompertz, "gompertz", "Gompertz growth", Source::published(BENZEKRY),
    {
        decay_rate: "/d" in 1e-4..=1.0, default 0.02, "Rate at which the relative growth rate decays", CHOICE;
        carrying_capacity: "mm3" in 1e2..=1e7, default 2e4, "Volume at which growth stops", CHOICE;
    },
    |p, z| p.decay_rate * (p.carrying_capacity.ln() - z)
}

law! {
    /// Von Bertalanffy growth, `V' = a V^(2/3) - b V`: uptake through the surface, loss in the volume.
    bertalanffy, Bertalanffy, "bertalanffy", "Von Bertalanffy growth", Source::published(BENZEKRY),
    rises_as_power true,
    {
        uptake_rate: "mm/d" in 1e-3..=50.0, default 1.0, "Growth per surface, in volume to the power of one third per day", CHOICE;
        loss_rate: "/d" in 1e-4..=1.0, default 0.04, "Relative loss rate", CHOICE;
    },
    |p, z| p.uptake_rate * (-z / 3.0).exp() - p.loss_rate
}

law! {
    /// Bertalanffy-Pütter growth, `V' = a V^γ - b V^δ` with `γ < δ`; volumes in mm³.
    bertalanffy_putter, BertalanffyPutter, "bertalanffy_putter", "Bertalanffy-Pütter growth", Source::published(BENZEKRY),
    rises_as_power true,
    {
        uptake_rate: "/d" in 0.1..=50.0, default 1.0, "Growth of a tumor of 1 mm³, per day", CHOICE;
        uptake_exponent: "1" in 0.3..=0.8, default 0.75, "Power of the volume in the growth term", CHOICE;
        loss_rate: "/d" in 1e-4..=0.5, default 0.04, "Loss of a tumor of 1 mm³, per day", CHOICE;
        loss_exponent: "1" in 0.95..=1.2, default 1.0, "Power of the volume in the loss term", CHOICE;
    },
    |p, z| p.uptake_rate * ((p.uptake_exponent - 1.0) * z).exp() - p.loss_rate * ((p.loss_exponent - 1.0) * z).exp()
}

law! {
    /// Power law, `V' = a V^γ`; volumes in mm³.
    power_law, PowerLaw, "power_law", "Power law of growth", Source::published(BENZEKRY),
    rises_as_power true,
    {
        growth_rate: "/d" in 1e-3..=3.0, default 0.5, "Growth of a tumor of 1 mm³, per day", CHOICE;
        exponent: "1" in 0.3..=0.9, default 0.75, "Power of the volume", CHOICE;
    },
    |p, z| p.growth_rate * ((p.exponent - 1.0) * z).exp()
}

law! {
    /// Exponential growth until it reaches the linear rate, then linear growth: `V' = min(a V, b)`.
    exponential_linear, ExponentialLinear, "exponential_linear", "Exponential, then linear growth", Source::published(BENZEKRY),
    {
        growth_rate: "/d" in 1e-4..=0.5, default 0.05, "Relative growth rate of a small tumor", CHOICE;
        linear_rate: "mm3/d" in 1.0..=1e4, default 50.0, "Growth of a large tumor", CHOICE;
    },
    |p, z| p.growth_rate.min(p.linear_rate * (-z).exp())
}

law! {
    /// Exponential, then linear growth with a smooth turn: `V' = a V / (1 + (a V/b)^20)^(1/20)`. Simeoni et al. 2004,
    /// doi:10.1158/0008-5472.CAN-03-2524.
    smooth_exponential_linear, SmoothExponentialLinear, "smooth_exponential_linear", "Exponential, then linear growth, smoothly",
    Source::published("Simeoni et al. 2004, doi:10.1158/0008-5472.CAN-03-2524"),
    {
        growth_rate: "/d" in 1e-4..=0.5, default 0.273, "Relative growth rate of a small tumor",
            Source::published("Simeoni et al. 2004, paclitaxel experiment 1");
        linear_rate: "mm3/d" in 1.0..=1e4, default 814.0, "Growth of a large tumor, at 1 mg/mm³",
            Source::published("Simeoni et al. 2004, paclitaxel experiment 1");
    },
    |p, z| {
        let ln_ratio = z + (p.growth_rate / p.linear_rate).ln();
        // Of two equal expressions the one that does not overflow.
        let ln_power = ln_ratio * 20.0;
        let ln_sum = ln_power.if_positive(|| ln_power + (-ln_power).exp().ln_1p(), || ln_power.exp().ln_1p());
        p.growth_rate * (-ln_sum / 20.0).exp()
    }
}

/// The natural logarithm of the volume of one cell, 1e-6 mm³.
const LN_ONE_CELL: f64 = -13.815_510_557_964_274;

law! {
    /// Gompertz growth from one cell with one parameter of the patient: `V' = (α - β ln(V/V₁)) V`, `V₁` = 1e-6 mm³, with
    /// `α = k β + c` for all of a population. Vaghi et al. 2020, doi:10.1371/journal.pcbi.1007178. `α/β` tells the age of the tumor.
    reduced_gompertz, ReducedGompertz, "reduced_gompertz", "Gompertz growth with one parameter of the patient",
    Source::unconfirmed("Vaghi et al. 2020, doi:10.1371/journal.pcbi.1007178; structure confirmed, not the values"),
    {
        decay_rate: "/d" in 1e-3..=0.3, default 0.07, "Rate at which the relative growth rate decays", CHOICE;
        slope: "1" in 18.0..=35.0, default 22.0, "Slope k of the line of the population", CHOICE;
        intercept: "/d" in 0.0..=0.5, default 0.0, "Intercept c of the line of the population", CHOICE;
    },
    |p, z| p.slope * p.decay_rate + p.intercept - p.decay_rate * (z - LN_ONE_CELL)
}
