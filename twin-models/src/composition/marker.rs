//! Markers in the blood that a tumor sheds: CA-125, circulating tumor DNA.

use super::outline::Outline;
use super::part::{Part, RunningPart, Tumor};
use crate::{Exposure, Given, Input, ParameterSet, ParameterSpec, Scalar, Source, parameters};
use twin_core::{CoreError, Observable};

const HORI: Source =
    Source::published("Hori and Gambhir 2011, doi:10.1126/scitranslmed.3003110, as tabulated in doi:10.1186/s12967-018-1432-8");
const AVANZINI: Source = Source::published("Avanzini et al. 2020, doi:10.1126/sciadv.abc4308");
const CELLS: Source = Source::assumed("the customary number of cells in a volume");

parameters! {
    /// Parameters of [`Marker`], with the defaults of CA-125.
    pub(crate) struct MarkerParameters {
        cells_per_volume: "/mm3" in 1e4..=1e7, default 2e5, "Tumor cells in a volume", Source::unconfirmed("Hori and Gambhir 2011: the density by which their cells at detection fill (20.44 mm)³");
        shedding_rate: "/d" in 1e-12..=1e-2, default 4.5e-6, "Units that one cell sheds into the blood", HORI;
        background: "/d" in 0.0..=1e6, default 4560.0, "Units shed without a tumor", HORI;
        elimination_rate: "/d" in 1e-3..=100.0, default 0.11, "Rate at which the marker is eliminated", HORI;
        plasma_volume: "mL" in 1000.0..=6000.0, default 3150.0, "Volume in which it is measured", HORI;
        initial: "1" in 0.0..=1e9, default 41_454.545_454_545_456, "Units in the blood at the start", Source::assumed("what rests without a tumor");
    }
}

/// A marker that living tumor cells shed into the blood at a constant rate, beside what the body sheds, and that is eliminated in proportion:
/// `q' = N s + b - k q`, observed as `q` over the volume of plasma.
///
/// # Assumptions
/// Cells shed while they live: what treatment kills sheds no more than it did before.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    name: &'static str,
    unit: &'static str,
    observable: Observable,
    defaults: [f64; 6],
    sources: [Source; 6],
}

impl Marker {
    /// CA-125 of ovarian cancer in U/mL (Hori and Gambhir 2011): a cell sheds 4.5e-5 U a day, of which a tenth comes into the blood, the body
    /// 4560 U a day, eliminated at 0.11 a day from 3150 mL.
    ///
    /// # Errors
    /// None: the name of the observable is valid.
    pub fn ca125() -> Result<Self, CoreError> {
        let specs = MarkerParameters::specs();
        let default = |place: usize| specs.get(place).map_or(f64::NAN, |spec| spec.default);
        let source = |place: usize| specs.get(place).map_or(CELLS, |spec| spec.source.clone());
        Ok(Self {
            name: "ca125",
            unit: "[arb'U]/mL",
            observable: Observable::new("ca125")?,
            defaults: std::array::from_fn(default),
            sources: std::array::from_fn(source),
        })
    }

    /// Circulating tumor DNA of lung cancer in genome equivalents per mL of plasma (Avanzini et al. 2020): 1.4e-4 of a cell's DNA is shed at its
    /// death, cells die at 0.136 a day, and DNA is eliminated with a half-life of 30 min. No background: other DNA is not the tumor's.
    ///
    /// # Errors
    /// None: the name of the observable is valid.
    pub fn circulating_tumor_dna() -> Result<Self, CoreError> {
        let turnover = Source::unconfirmed(
            "Avanzini et al. 2020: 0.014 % of the DNA of a cell per death, at a death rate of 0.136 per day, recalled",
        );
        let none = Source::assumed("no tumor, no tumor DNA");
        let plasma = Source::assumed("by which 1 cm3 gives the published 0.21 genome equivalents per mL");
        Ok(Self {
            name: "ctdna",
            unit: "/mL",
            observable: Observable::new("ctdna")?,
            defaults: [1e6, 0.136 * 1.4e-4, 0.0, 48.0 * std::f64::consts::LN_2, 2700.0, 0.0],
            sources: [CELLS, turnover, none.clone(), AVANZINI, plasma, none],
        })
    }
}

/// [`Marker`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningMarker<T = f64> {
    p: MarkerParameters<T>,
}

impl Part for Marker {
    type Running<T: Scalar> = RunningMarker<T>;

    fn outline(&self) -> Outline {
        let mut outline = Outline::new(self.name);
        let own = |((mut spec, &default), source): ((ParameterSpec, &f64), &Source)| {
            spec.name = format!("{}_{}", self.name, spec.name).into();
            (spec.default, spec.source) = (default, source.clone());
            spec
        };
        outline.parameters.extend(MarkerParameters::specs().into_iter().zip(&self.defaults).zip(&self.sources).map(own));
        outline = outline.state(format!("{}_amount", self.name), "1", 1e-6);
        outline.needs_tumor = true;
        outline.observes(self.observable.clone(), self.unit, 1e-9)
    }

    fn bind<T: Scalar>(&self, values: &[T], _inputs: &[Input]) -> Option<RunningMarker<T>> {
        MarkerParameters::from_values(values).map(|p| RunningMarker { p })
    }
}

impl<T: Scalar> RunningPart<T> for RunningMarker<T> {
    fn start(&self, x: &mut [T]) {
        if let [amount] = x {
            *amount = self.p.initial;
        }
    }

    #[inline(always)]
    fn rates(&self, x: &[T], _exposure: &Exposure<T>, tumor: &Tumor<T>, dx: &mut [T]) {
        if let (&[amount], [rate]) = (x, dx) {
            let cells = tumor.ln_living.exp() * self.p.cells_per_volume;
            *rate = cells * self.p.shedding_rate + self.p.background - self.p.elimination_rate * amount;
        }
    }

    fn treat(&self, _given: Given<T>, _ln_living: &mut T, _x: &mut [T]) {}

    fn observe(&self, x: &[T], y: &mut [T]) {
        if let (Some(&amount), Some(seen)) = (x.first(), y.first_mut()) {
            *seen = amount / self.p.plasma_volume;
        }
    }
}
