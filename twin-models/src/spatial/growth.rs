//! Growth and kill in one voxel, solved exactly.
//!
//! Whatever the drugs do, the course of one voxel over an interval is a map of its cellularity with two coefficients. They are the same
//! in every voxel, and two intervals in a row are again such a map.

use super::drug::Kill;
use super::number::{Number, Real};
use crate::{ParameterSet, Source, parameters};

const CHOICE: Source = Source::assumed("a mid-range value; fit it to the patient");
const FULL: Source = Source::assumed("cellularity is counted in shares of the densest packing");

/// A growth law of the cellularity in a voxel, with its exact flow under a kill rate that is the same everywhere.
pub trait Law: ParameterSet<Of<f64> = Self> + Copy + std::fmt::Debug {
    /// Unique name of the model.
    const ID: &'static str;
    /// What the law says, one sentence.
    const TITLE: &'static str;
    /// Where it comes from.
    const SOURCE: Source;
    /// The flow of no time.
    const IDENTITY: [f64; 2];

    /// The flow over the `days` of an interval; `parameters` in the order of the struct.
    fn flow<N: Number>(parameters: &[N], kill: &Kill<'_, N>, days: f64) -> [N; 2];
    /// The flow `first` and then `second`.
    fn then<N: Number>(first: [N; 2], second: [N; 2]) -> [N; 2];
    /// The flow, after which a share survives.
    fn survived<N: Number>(flow: [N; 2], share: N) -> [N; 2];
    /// The cellularity after the flow.
    fn apply<T: Real>(flow: [T; 2], cellularity: T) -> T;
    /// The cellularity after the flow, and its derivatives with respect to the cellularity before and to both coefficients.
    fn derivatives<T: Real>(flow: [T; 2], cellularity: T) -> (T, T, [T; 2]);
    /// By how much the flow carries two cellularities apart at most, as a multiple of their difference; infinite if nothing bounds it.
    fn widening(flow: [f64; 2]) -> f64;
    /// The largest relative growth rate of a voxel, per day; infinite if there is none.
    fn fastest(&self) -> f64;
}

parameters! {
    /// Parameters of logistic growth in a voxel, `c' = ρ c (1 − c/K)`.
    pub struct LogisticGrowth {
        growth_rate: "/d" in 1e-4..=0.5, default 0.05, "Relative growth rate of few cells", CHOICE;
        carrying_capacity: "1" in 0.1..=1.0, default 1.0, "Cellularity at which growth stops", FULL;
    }
}

parameters! {
    /// Parameters of Gompertz growth in a voxel, `c' = β c ln(K/c)`.
    pub struct GompertzGrowth {
        decay_rate: "/d" in 1e-4..=0.2, default 0.02, "Rate at which the relative growth rate decays", CHOICE;
        carrying_capacity: "1" in 0.1..=1.0, default 1.0, "Cellularity at which growth stops", FULL;
    }
}

parameters! {
    /// Parameters of exponential growth in a voxel, `c' = ρ c`.
    pub struct ExponentialGrowth {
        growth_rate: "/d" in 0.0..=0.1, default 0.02, "Relative growth rate", CHOICE;
    }
}

parameters! {
    /// No growth: cells only move and die.
    pub struct NoGrowth {}
}

/// `c → a c / (1 + b c)`, the flow of logistic growth under a kill rate `k(t)`, with `E = exp(ρ t − ∫k)`: `a = E` at the end and
/// `b = ρ/K ∫E`.
fn bernoulli<N: Number>(rate: N, per_capacity: N, kill: &Kill<'_, N>, days: f64) -> [N; 2] {
    let growth = |t: f64, killed: N| (rate * N::constant(t) - killed).exponential();
    let grown = growth(days, kill.over(days));
    let crowding = if kill.drugs.is_empty() && rate.value() > 0.0 {
        (rate * N::constant(days)).exponential_less_one() / rate
    } else {
        kill.integral(days, growth)
    };
    [grown, per_capacity * crowding]
}

macro_rules! fractional_linear {
    () => {
        const IDENTITY: [f64; 2] = [1.0, 0.0];

        fn then<N: Number>([a1, b1]: [N; 2], [a2, b2]: [N; 2]) -> [N; 2] {
            [a1 * a2, b1 + b2 * a1]
        }
        fn survived<N: Number>([a, b]: [N; 2], share: N) -> [N; 2] {
            [a * share, b]
        }
        #[inline(always)]
        fn apply<T: Real>([a, b]: [T; 2], c: T) -> T {
            a * c / (T::ONE + b * c)
        }
        #[inline(always)]
        fn derivatives<T: Real>([a, b]: [T; 2], c: T) -> (T, T, [T; 2]) {
            let inverse = T::ONE / (T::ONE + b * c);
            let (share, after) = (c * inverse, a * c * inverse);
            (after, a * inverse * inverse, [share, T::ZERO - after * share])
        }
        fn widening([a, _]: [f64; 2]) -> f64 {
            a
        }
    };
}

impl Law for LogisticGrowth {
    const ID: &'static str = "reaction_diffusion_logistic";
    const TITLE: &'static str = "Reaction and diffusion in the patient's anatomy, logistic growth";
    const SOURCE: Source = Source::unconfirmed("Swanson et al. 2000, doi:10.1046/j.1365-2184.2000.00177.x");
    fractional_linear!();

    fn flow<N: Number>(parameters: &[N], kill: &Kill<'_, N>, days: f64) -> [N; 2] {
        match *parameters {
            [rate, capacity, ..] => bernoulli(rate, rate / capacity, kill, days),
            _ => [N::constant(f64::NAN); 2],
        }
    }
    fn fastest(&self) -> f64 {
        self.growth_rate
    }
}

impl Law for ExponentialGrowth {
    const ID: &'static str = "reaction_diffusion_exponential";
    const TITLE: &'static str = "Reaction and diffusion in the patient's anatomy, exponential growth";
    const SOURCE: Source = Source::unconfirmed("Swanson et al. 2000, doi:10.1046/j.1365-2184.2000.00177.x");
    fractional_linear!();

    fn flow<N: Number>(parameters: &[N], kill: &Kill<'_, N>, days: f64) -> [N; 2] {
        match *parameters {
            [rate, ..] => [(rate * N::constant(days) - kill.over(days)).exponential(), N::constant(0.0)],
            _ => [N::constant(f64::NAN); 2],
        }
    }
    fn fastest(&self) -> f64 {
        self.growth_rate
    }
}

impl Law for NoGrowth {
    const ID: &'static str = "diffusion";
    const TITLE: &'static str = "Diffusion in the patient's anatomy, without growth";
    const SOURCE: Source = Source::assumed("the limit of no growth, in which every cell can be accounted for");
    fractional_linear!();

    fn flow<N: Number>(_parameters: &[N], kill: &Kill<'_, N>, days: f64) -> [N; 2] {
        [(-kill.over(days)).exponential(), N::constant(0.0)]
    }
    fn fastest(&self) -> f64 {
        0.0
    }
}

impl Law for GompertzGrowth {
    const ID: &'static str = "reaction_diffusion_gompertz";
    const TITLE: &'static str = "Reaction and diffusion in the patient's anatomy, Gompertz growth";
    const SOURCE: Source = Source::assumed("the growth law of Gompertz in each voxel");
    /// `c → e^m c^p`.
    const IDENTITY: [f64; 2] = [0.0, 1.0];

    fn flow<N: Number>(parameters: &[N], kill: &Kill<'_, N>, days: f64) -> [N; 2] {
        let &[rate, capacity, ..] = parameters else { return [N::constant(f64::NAN); 2] };
        let power = (-(rate * N::constant(days))).exponential();
        // (ln c)' = β (ln K − ln c) − k: the kill at t fades with e^(−β (days − t)); by parts, so that only its integral is needed.
        let faded =
            kill.over(days) - rate * kill.integral(days, |t, killed| killed * (-(rate * N::constant(days - t))).exponential());
        [(N::constant(1.0) - power) * capacity.logarithm() - faded, power]
    }
    fn then<N: Number>([m1, p1]: [N; 2], [m2, p2]: [N; 2]) -> [N; 2] {
        [m2 + p2 * m1, p1 * p2]
    }
    fn survived<N: Number>([m, p]: [N; 2], share: N) -> [N; 2] {
        [m + share.logarithm(), p]
    }
    #[inline(always)]
    fn apply<T: Real>([m, p]: [T; 2], c: T) -> T {
        if c > T::ZERO { (m + p * c.logarithm()).exponential() } else { c }
    }
    #[inline(always)]
    fn derivatives<T: Real>(flow: [T; 2], c: T) -> (T, T, [T; 2]) {
        if c <= T::ZERO {
            return (c, T::ZERO, [T::ZERO; 2]);
        }
        let after = Self::apply(flow, c);
        (after, flow[1] * after / c, [after, after * c.logarithm()])
    }
    fn widening(_flow: [f64; 2]) -> f64 {
        f64::INFINITY
    }
    fn fastest(&self) -> f64 {
        // `β ln(K/c)` grows without bound as a voxel empties.
        f64::INFINITY
    }
}
