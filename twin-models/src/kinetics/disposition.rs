//! Linear kinetics in closed form: a sum of exponentials.

use crate::check::{not_negative, positive};
use crate::special::{Exponential, MOST_EXPONENTIALS, convolved};
use twin_core::CoreError;

/// The most compartments that a dose by mouth passes.
const MOST_TRANSITS: u32 = 32;
/// The most stages of absorption and effect: with transits and an infusion they make the longest chain.
const MOST_STAGES: usize = MOST_EXPONENTIALS - MOST_TRANSITS as usize - 2;

/// The concentration that one unit of dose leaves, as a sum of exponentials of the time in hours, each behind the same stages.
///
/// Made from one to three compartments; absorption and an effect compartment each add a stage, at any rate: where it is that of an exponential,
/// or close to it, no digits are lost. Gabrielsson and Weiner, *Pharmacokinetic and Pharmacodynamic Data Analysis*; transit absorption
/// as Savic et al. 2007, doi:10.1007/s10928-007-9066-0, with a whole number of compartments.
#[derive(Debug, Clone, PartialEq)]
pub struct Disposition {
    /// For each exponential of the compartments a chain: itself, with its coefficient per liter as the gain, and the stages; rates per hour, rising.
    chains: Vec<Vec<Exponential>>,
}

/// Puts a stage into every chain, at the place of its rate.
fn staged(chains: &[Vec<Exponential>], stage: Exponential, times: usize) -> Vec<Vec<Exponential>> {
    let with = |chain: &Vec<Exponential>| {
        let mut chain = chain.clone();
        let place = chain.partition_point(|other| other.rate <= stage.rate);
        chain.splice(place..place, std::iter::repeat_n(stage, times));
        chain
    };
    chains.iter().map(with).collect()
}

impl Disposition {
    /// One compartment of `volume_l` with a clearance of `clearance_l_per_h`.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn one_compartment(clearance_l_per_h: f64, volume_l: f64) -> Result<Self, CoreError> {
        let (clearance, volume) = (positive(CLEARANCE, clearance_l_per_h)?, positive(VOLUME, volume_l)?);
        Ok(Self { chains: vec![vec![Exponential { rate: clearance / volume, gain: 1.0 / volume }]] })
    }

    /// Two compartments: the central one, and a peripheral one reached by `between`, (clearance in L/h, volume in L).
    ///
    /// # Errors
    /// [`CoreError`] unless all are finite and above 0.
    pub fn two_compartments(clearance_l_per_h: f64, volume_l: f64, between: (f64, f64)) -> Result<Self, CoreError> {
        let [out, to, back] = micro(clearance_l_per_h, volume_l, between)?;
        let sum = out + to + back;
        // The larger root first, the smaller from their product: no cancellation.
        let fast = 0.5 * (sum + ((out + to - back).powi(2) + 4.0 * to * back).sqrt());
        Self::mammillary(volume_l, &[back], &[fast, out * back / fast])
    }

    /// Three compartments: the central one, and two peripheral ones reached by `shallow` and `deep`.
    ///
    /// # Errors
    /// [`CoreError`] unless all are finite and above 0. Two peripheral compartments that empty at the same rate are one.
    pub fn three_compartments(
        clearance_l_per_h: f64,
        volume_l: f64,
        shallow: (f64, f64),
        deep: (f64, f64),
    ) -> Result<Self, CoreError> {
        let [out, to_2, from_2] = micro(clearance_l_per_h, volume_l, shallow)?;
        let [_, to_3, from_3] = micro(clearance_l_per_h, volume_l, deep)?;
        // Closer than roots between them can be told apart, they are one.
        if (from_2 / from_3 - 1.0).abs() < 1e-12 {
            return Self::two_compartments(clearance_l_per_h, volume_l, (shallow.0 + deep.0, shallow.1 + deep.1));
        }
        // The characteristic polynomial in -s; its roots are real, one beyond and one between the rates of the peripheral ones.
        let polynomial = |s: f64| {
            (out + to_2 + to_3 - s) * (from_2 - s) * (from_3 - s) - to_2 * from_2 * (from_3 - s) - to_3 * from_3 * (from_2 - s)
        };
        let (low, high) = if from_2 < from_3 { (from_2, from_3) } else { (from_3, from_2) };
        let beyond = high + out + to_2 + to_3;
        let roots = [bisect(polynomial, high, beyond), bisect(polynomial, low, high), bisect(polynomial, 0.0, low)];
        Self::mammillary(volume_l, &[from_2, from_3], &roots)
    }

    /// The exponentials of a central compartment from the rates at which the peripheral ones empty and from the eigenvalues.
    fn mammillary(volume: f64, from: &[f64], roots: &[f64]) -> Result<Self, CoreError> {
        let coefficient = |&root: &f64| {
            let above: f64 = from.iter().map(|from| from - root).product();
            let below: f64 = roots.iter().filter(|&&other| other.to_bits() != root.to_bits()).map(|other| other - root).product();
            Exponential { gain: above / below / volume, rate: root }
        };
        let terms: Vec<Exponential> = roots.iter().map(coefficient).collect();
        match terms.iter().find(|term| !term.gain.is_finite()) {
            Some(term) => Err(CoreError::NotFinite { what: "coefficient of a compartment", value: term.gain }),
            None => Ok(Self { chains: terms.into_iter().map(|term| vec![term]).collect() }),
        }
    }

    /// The same behind first-order absorption at `rate_per_h`.
    ///
    /// # Errors
    /// [`CoreError`] unless the rate is finite and above 0, and for more than 14 stages of absorption and effect.
    pub fn absorbed(self, rate_per_h: f64) -> Result<Self, CoreError> {
        self.behind(positive("absorption rate per hour", rate_per_h)?)
    }

    /// The concentration in an effect compartment that follows at `rate_per_h`: `Ce' = ke0 (C - Ce)`.
    ///
    /// Sheiner et al. 1979, doi:10.1002/cpt1979253358.
    ///
    /// # Errors
    /// As [`Disposition::absorbed`].
    pub fn effect_compartment(self, rate_per_h: f64) -> Result<Self, CoreError> {
        self.behind(positive("rate of the effect compartment per hour", rate_per_h)?)
    }

    /// Convolved with `rate exp(-rate t)`.
    fn behind(self, rate: f64) -> Result<Self, CoreError> {
        let stages = self.chains.iter().map(Vec::len).max().unwrap_or(0);
        if stages > MOST_STAGES {
            return Err(CoreError::Count { what: "stages of absorption and effect", count: stages, valid: "14 or fewer" });
        }
        Ok(Self { chains: staged(&self.chains, Exponential { rate, gain: rate }, 1) })
    }

    /// The concentration in a compartment that is too small to draw on the plasma: it fills at `into_per_h`, per concentration in the plasma, and
    /// empties at `out_per_h`. Without `into_per_h = out_per_h` it is no [effect compartment](Self::effect_compartment): the ratio of
    /// both is that of the exposures.
    ///
    /// # Errors
    /// [`CoreError`] unless both rates are finite and above 0, and as [`Disposition::absorbed`].
    pub fn side_compartment(self, into_per_h: f64, out_per_h: f64) -> Result<Self, CoreError> {
        let into = positive("rate into a side compartment per hour", into_per_h)?;
        let ratio = into / positive("rate out of a side compartment per hour", out_per_h)?;
        let mut side = self.behind(out_per_h)?;
        for first in side.chains.iter_mut().filter_map(|chain| chain.first_mut()) {
            first.gain *= ratio;
        }
        Ok(side)
    }

    /// The area under the concentration per unit of dose, in h/L: one over the clearance.
    #[must_use]
    pub fn area_per_dose(&self) -> f64 {
        self.chains.iter().map(|chain| chain.iter().map(|it| it.gain / it.rate).product::<f64>()).sum()
    }

    /// The half-time of the slowest exponential, in hours.
    #[must_use]
    pub fn terminal_half_time_h(&self) -> f64 {
        let slowest = self.chains.iter().filter_map(|chain| chain.first()).map(|first| first.rate).fold(f64::INFINITY, f64::min);
        std::f64::consts::LN_2 / slowest
    }

    /// The concentration per unit of dose `hours` after a bolus.
    #[must_use]
    pub fn after_bolus(&self, hours: f64) -> f64 {
        self.chains.iter().map(|chain| convolved(chain, hours)).sum()
    }

    /// The concentration per unit of dose `hours` after the start of an infusion over `duration_h`.
    fn after_infusion(&self, hours: f64, duration_h: f64) -> f64 {
        self.chains.iter().map(|chain| after_infusion(chain, hours, duration_h)).sum()
    }
}

/// The end of `chain` with an input of `1 / duration` that ends after `duration`.
fn after_infusion(chain: &[Exponential], hours: f64, duration: f64) -> f64 {
    let nothing = Exponential { rate: 0.0, gain: 1.0 / duration };
    let mut filling = [nothing; MOST_EXPONENTIALS];
    for (place, stage) in filling.iter_mut().skip(1).zip(chain) {
        *place = *stage;
    }
    let filled = |stages: usize, hours: f64| filling.get(..=stages).map_or(0.0, |input| convolved(input, hours));
    if hours <= duration {
        return filled(chain.len(), hours);
    }
    // What has filled each stage by the end of the infusion runs through the rest: a sum of positive numbers.
    let mut sum = 0.0;
    let mut emptying = [nothing; MOST_EXPONENTIALS];
    for stage in 0..chain.len() {
        let rest = chain.len() - stage;
        for (place, of) in emptying.iter_mut().zip(chain.iter().skip(stage)) {
            *place = *of;
        }
        if let Some(first) = emptying.first_mut() {
            first.gain = 1.0; // its own gain is in what has filled it
        }
        sum += filled(stage + 1, duration) * emptying.get(..rest).map_or(0.0, |rest| convolved(rest, hours - duration));
    }
    sum
}

const CLEARANCE: &str = "clearance in L/h";
const VOLUME: &str = "volume in L";

/// The rates out of the central compartment, to the peripheral one, and back.
fn micro(clearance: f64, volume: f64, (between, peripheral): (f64, f64)) -> Result<[f64; 3], CoreError> {
    let volume = positive(VOLUME, volume)?;
    let between = positive("clearance between compartments in L/h", between)?;
    let peripheral = positive("peripheral volume in L", peripheral)?;
    Ok([positive(CLEARANCE, clearance)? / volume, between / volume, between / peripheral])
}

/// The root of `f` between `low` and `high`, to the last bit.
fn bisect(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let rises = f(high) > f(low);
    for _ in 0..2000 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if (f(middle) > 0.0) == rises {
            high = middle;
        } else {
            low = middle;
        }
    }
    0.5 * (low + high)
}

/// How a dose enters.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Bolus,
    Infusion {
        duration_h: f64,
    },
    /// The chains with the transit compartments in them.
    Transit(Vec<Vec<Exponential>>),
}

/// The concentration over time after doses: their responses add up.
///
/// ```
/// use twin_models::kinetics::{Disposition, Profile};
/// let paclitaxel = Disposition::three_compartments(12.0, 10.0, (8.0, 20.0), (2.0, 200.0))?;
/// let profile = Profile::new(paclitaxel).infusion(0.0, 3.0, 315.0)?.infusion(504.0, 3.0, 315.0)?;
/// assert!(profile.concentration(3.0) > profile.concentration(24.0));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    disposition: Disposition,
    doses: Vec<(f64, f64, Entry)>,
}

impl Profile {
    /// No dose yet.
    #[must_use]
    pub const fn new(disposition: Disposition) -> Self {
        Self { disposition, doses: Vec::new() }
    }

    fn given(mut self, hour: f64, dose: f64, entry: Entry) -> Result<Self, CoreError> {
        let hour = crate::check::within("hour of a dose", hour, true, "finite")?;
        self.doses.push((hour, not_negative("dose", dose)?, entry));
        Ok(self)
    }

    /// Adds a bolus of `dose` at `hour`; a dose by mouth if the disposition is behind absorption. A lag is a later hour.
    ///
    /// # Errors
    /// [`CoreError`] for an hour that is not finite, or a dose that is negative or not finite.
    pub fn bolus(self, hour: f64, dose: f64) -> Result<Self, CoreError> {
        self.given(hour, dose, Entry::Bolus)
    }

    /// Adds an infusion of `dose` from `hour` over `duration_h`.
    ///
    /// # Errors
    /// As [`Profile::bolus`], and for a duration that is not above 0.
    pub fn infusion(self, hour: f64, duration_h: f64, dose: f64) -> Result<Self, CoreError> {
        let duration_h = positive("duration of an infusion in hours", duration_h)?;
        self.given(hour, dose, Entry::Infusion { duration_h })
    }

    /// Adds a dose at `hour` that passes `transits` compartments at `rate_per_h` each before it is absorbed.
    ///
    /// # Errors
    /// As [`Profile::bolus`], for a rate that is not above 0, and for more than 32 compartments.
    pub fn transit(self, hour: f64, (transits, rate_per_h): (u32, f64), dose: f64) -> Result<Self, CoreError> {
        let rate = positive("transit rate per hour", rate_per_h)?;
        let count = transits as usize;
        if transits > MOST_TRANSITS {
            return Err(CoreError::Count { what: "transit compartments", count, valid: "32 or fewer" });
        }
        let chains = staged(&self.disposition.chains, Exponential { rate, gain: rate }, count);
        self.given(hour, dose, Entry::Transit(chains))
    }

    /// The concentration at `hour`, in the unit of the doses per liter.
    #[must_use]
    pub fn concentration(&self, hour: f64) -> f64 {
        let one = |(at, dose, entry): &(f64, f64, Entry)| {
            let since = hour - at;
            dose * match entry {
                Entry::Bolus => self.disposition.after_bolus(since),
                Entry::Infusion { duration_h } => self.disposition.after_infusion(since, *duration_h),
                Entry::Transit(chains) => chains.iter().map(|chain| convolved(chain, since)).sum(),
            }
        };
        self.doses.iter().map(one).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bolus_starts_in_the_central_volume_and_its_area_is_the_dose_over_clearance() {
        let three = Disposition::three_compartments(12.0, 10.0, (8.0, 20.0), (2.0, 200.0)).unwrap();
        assert!((three.after_bolus(0.0) - 0.1).abs() < 1e-13);
        assert!((three.area_per_dose() - 1.0 / 12.0).abs() < 1e-13);
        let absorbed = three.absorbed(0.7).unwrap();
        assert!(absorbed.after_bolus(0.0).abs() < 1e-14);
        assert!((absorbed.area_per_dose() - 1.0 / 12.0).abs() < 1e-13);
    }

    #[test]
    fn a_short_infusion_is_a_bolus_and_one_transit_is_absorption() {
        let two = Disposition::two_compartments(5.0, 20.0, (3.0, 40.0)).unwrap();
        assert!((two.after_infusion(4.0, 1e-7) / two.after_bolus(4.0) - 1.0).abs() < 1e-6);
        let absorbed = two.clone().absorbed(1.3).unwrap();
        let transit = Profile::new(two).transit(0.0, (1, 1.3), 1.0).unwrap();
        assert!((transit.concentration(4.0) / absorbed.after_bolus(4.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_dose_behind_transits_fades_out() {
        let slow = Disposition::one_compartment(10.0, 30.3).unwrap().absorbed(5.8).unwrap();
        let profile = Profile::new(slow).transit(0.0, (3, 1.0), 100.0).unwrap();
        let mut before = f64::INFINITY;
        for hours in [24.0, 140.0, 148.0, 168.0, 1000.0, 1e5, 1e300, f64::INFINITY] {
            let now = profile.concentration(hours);
            assert!(now >= 0.0 && now <= before, "{now} at {hours} h");
            before = now;
        }
        assert_eq!(before, 0.0);
    }

    /// The concentration behind a stage whose rate differs from that of elimination by the share `gap`, as a bolus, an infusion and behind
    /// transits, at a few hours.
    fn near_equal(gap: f64) -> Vec<f64> {
        let absorbed = Disposition::one_compartment(10.0, 20.0).unwrap().absorbed(0.5 * (1.0 + gap)).unwrap();
        let effect = Disposition::one_compartment(10.0, 20.0).unwrap().effect_compartment(0.5 * (1.0 + gap)).unwrap();
        let infused = Profile::new(effect).infusion(0.0, 3.0, 100.0).unwrap();
        let transit = Profile::new(absorbed.clone()).transit(0.0, (3, 0.5 * (1.0 - gap)), 100.0).unwrap();
        let hours = [0.1, 1.0, 3.0, 8.0, 40.0];
        let three = |&hour: &f64| [100.0 * absorbed.after_bolus(hour), infused.concentration(hour), transit.concentration(hour)];
        hours.iter().flat_map(three).collect()
    }

    #[test]
    fn rates_that_are_equal_or_nearly_so_keep_their_digits() {
        let equal = near_equal(0.0);
        assert!((equal[0] - 100.0 / 20.0 * 0.05 * (-0.05_f64).exp()).abs() < 1e-13); // C = D/V k t exp(-k t)
        for gap in [1e-15, 1e-12, 1e-9, 1e-6, 1e-4] {
            for (one, other) in near_equal(gap).iter().zip(&equal) {
                // To first order in the gap a concentration moves by less than the gap times the number of stages and half-times.
                assert!((one / other - 1.0).abs() < 40.0 * gap + 1e-13, "gap {gap}: {one} and {other}");
            }
        }
    }

    #[test]
    fn peripheral_compartments_that_empty_alike_are_one() {
        let of = |volume: f64| Disposition::three_compartments(1.0, 1.0, (1.0, 2.0), (2.0, volume)).unwrap().after_bolus(3.0);
        for volume in [4.0 * (1.0 + 1e-13), 4.0 * (1.0 + 1e-10), 4.0 * (1.0 + 1e-7)] {
            assert!((of(volume) / of(4.0) - 1.0).abs() < 1e-6, "{volume}");
        }
    }

    #[test]
    fn more_stages_than_there_is_room_for_are_refused() {
        let one = Disposition::one_compartment(10.0, 20.0).unwrap();
        assert!(Profile::new(one.clone()).transit(0.0, (33, 0.5), 100.0).is_err());
        let mut staged = Ok(one);
        for _ in 0..20 {
            staged = staged.and_then(|disposition| disposition.effect_compartment(1.0));
        }
        assert!(staged.is_err());
    }

    #[test]
    fn a_side_compartment_has_its_share_of_the_exposure() {
        let plasma = Disposition::one_compartment(10.0, 30.3).unwrap().absorbed(5.8).unwrap();
        let side = plasma.clone().side_compartment(0.1, 0.76).unwrap();
        assert!((side.area_per_dose() / plasma.area_per_dose() - 0.1 / 0.76).abs() < 1e-13);
    }
}
