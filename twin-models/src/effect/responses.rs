//! Effects of a concentration on the tumor, for composition.

use crate::composition::{Outline, Response, RunningResponse, Tumor};
use crate::{ParameterSet, Scalar, Source, parameters};

const FIT: Source = Source::assumed("a mid-range value; fit it to the patient");
const SIMEONI: Source =
    Source::published("Simeoni et al. 2004, doi:10.1158/0008-5472.CAN-03-2524, paclitaxel experiment 1: xenografts in mice");
const NOT_PACLITAXEL: Source = Source::assumed(
    "the value of paclitaxel in mice (Simeoni et al. 2004, doi:10.1158/0008-5472.CAN-03-2524); fit it to this drug",
);

parameters! {
    /// Parameters of [`LogKill`].
    pub(crate) struct LogKillParameters {
        kill_rate: "L/(mg.d)" in 1e-4..=0.5, default 0.05, "Rate of kill per concentration", FIT;
    }
}

parameters! {
    /// Parameters of [`Emax`].
    pub(crate) struct EmaxParameters {
        max_kill: "/d" in 1e-3..=1.0, default 0.1, "Greatest rate of kill", FIT;
        half_concentration: "mg/L" in 1e-3..=1e3, default 1.0, "Concentration of half the greatest rate", FIT;
        steepness: "1" in 0.5..=5.0, default 1.0, "Hill exponent", FIT;
    }
}

parameters! {
    /// Parameters of [`NortonSimon`].
    pub(crate) struct NortonSimonParameters {
        max_kill: "1" in 0.1..=3.0, default 2.0, "Greatest kill, in multiples of the growth rate of the untreated tumor", FIT;
        half_concentration: "mg/L" in 1e-3..=1e3, default 1.0, "Concentration of half the greatest kill", FIT;
    }
}

parameters! {
    /// Parameters of [`Simeoni`].
    pub(crate) struct SimeoniParameters {
        potency: "mL/(ng.d)" in 1e-6..=5e-3, default 6.29e-4, "Rate of kill per concentration", SIMEONI;
        transit_rate: "/d" in 0.05..=5.0, default 0.968, "Rate from one stage of dying to the next", SIMEONI;
    }
}

/// Declares a response without states: the type, its running form and its loss.
macro_rules! response {
    ($(#[$meta:meta])* $name:ident, $running:ident, $parameters:ident, $id:literal, kills_by_growth $by_growth:literal, |$p:ident, $c:ident, $tumor:ident| $loss:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name;

        #[doc = concat!("[`", stringify!($name), "`] with the values of its parameters.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $running<T = f64>($parameters<T>);

        impl Response for $name {
            type Running<T: Scalar> = $running<T>;

            fn outline(&self, drug: &str) -> Outline {
                let mut outline = Outline::new($id).parameters::<$parameters>(&format!("{drug}_{}", $id));
                outline.needs_tumor = true;
                outline.kills_by_growth = $by_growth;
                outline
            }

            fn bind<T: Scalar>(&self, values: &[T]) -> Option<$running<T>> {
                $parameters::from_values(values).map($running)
            }
        }

        impl<T: Scalar> RunningResponse<T> for $running<T> {
            #[inline(always)]
            fn loss(&self, $c: T, $tumor: &Tumor<T>) -> T {
                let $p = &self.0;
                $loss
            }
        }
    };
}

response! {
    /// Log-kill: cells are lost at `k C`. Skipper, Schabel and Wilcox 1964.
    LogKill, RunningLogKill, LogKillParameters, "log_kill", kills_by_growth false, |p, c, _tumor| p.kill_rate * c
}

response! {
    /// Saturable kill (sigmoid Emax): cells are lost at `Emax C^h / (EC50^h + C^h)`.
    Emax, RunningEmax, EmaxParameters, "emax", kills_by_growth false, |p, c, _tumor| {
        let ratio = (c.max(T::from(0.0)) / p.half_concentration).powf(p.steepness);
        // Of a ratio that overflows, the limit.
        let ratio = ratio.min(T::from(f64::MAX));
        p.max_kill * (ratio / (T::from(1.0) + ratio))
    }
}

response! {
    /// Norton and Simon: kill in proportion to the growth rate `g` of the untreated tumor, `E g` with `E = Emax C / (EC50 + C)`; the net
    /// rate is `(1 - E) g`, so a smaller Gompertz tumor loses a larger share. Where `E` is above 1, the logarithm of a Gompertz tumor falls
    /// exponentially, but its volume reaches zero at no time. By a law whose rate rises as a power of a shrinking volume it would in finite
    /// time, so a model of the two is refused. A tumor that would shrink without treatment, above its capacity, loses nothing more. Norton
    /// and Simon 1977, Cancer Treatment Reports 61:1307.
    NortonSimon, RunningNortonSimon, NortonSimonParameters, "norton_simon", kills_by_growth true,
    |p, c, tumor| p.max_kill * c / (p.half_concentration + c.max(T::from(0.0))) * tumor.growth_rate.max(T::from(0.0))
}

/// Kill at `k2 C`, after which cells die through three stages that still have volume. Simeoni et al. 2004,
/// doi:10.1158/0008-5472.CAN-03-2524. The defaults are those of paclitaxel in xenografts in mice, and assumed for any other drug.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Simeoni;

/// [`Simeoni`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningSimeoni<T = f64> {
    kill_rate: T,
    transit_rate: T,
}

const NG_PER_ML_IN_MG_PER_L: f64 = 1000.0;

impl Response for Simeoni {
    type Running<T: Scalar> = RunningSimeoni<T>;

    fn outline(&self, drug: &str) -> Outline {
        let mut outline = Outline::new("simeoni").parameters::<SimeoniParameters>(&format!("{drug}_simeoni"));
        if drug != "paclitaxel" {
            outline.parameters.iter_mut().for_each(|spec| spec.source = NOT_PACLITAXEL);
        }
        for stage in 1..=3 {
            outline = outline.state(format!("{drug}_dying_{stage}"), "mm3", 1e-9);
        }
        outline.needs_tumor = true;
        outline
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<RunningSimeoni<T>> {
        let p = SimeoniParameters::from_values(values)?;
        Some(RunningSimeoni { kill_rate: p.potency * NG_PER_ML_IN_MG_PER_L, transit_rate: p.transit_rate })
    }
}

impl<T: Scalar> RunningResponse<T> for RunningSimeoni<T> {
    #[inline(always)]
    fn loss(&self, concentration: T, _tumor: &Tumor<T>) -> T {
        self.kill_rate * concentration
    }

    #[inline(always)]
    fn dying(&self, x: &[T]) -> T {
        x.iter().copied().sum()
    }

    #[inline(always)]
    fn rates(&self, x: &[T], concentration: T, tumor: &Tumor<T>, dx: &mut [T]) {
        if let (&[first, second, third], [of_first, of_second, of_third]) = (x, dx) {
            let kill = || self.kill_rate * concentration * tumor.ln_living.exp();
            let killed = concentration.if_positive(kill, || T::from(0.0));
            *of_first = killed - self.transit_rate * first;
            *of_second = self.transit_rate * (first - second);
            *of_third = self.transit_rate * (second - third);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paclitaxel_has_the_published_values_and_they_name_their_species() {
        let source = |drug: &str| Simeoni.outline(drug).parameters.iter().map(|spec| spec.source.to_string()).collect::<Vec<_>>();
        assert!(source("paclitaxel").iter().all(|source| source.contains("mice") && !source.contains("assumed")));
        assert!(source("temozolomide").iter().all(|source| source.contains("mice") && source.contains("assumed")));
    }
}
