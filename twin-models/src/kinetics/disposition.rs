//! Linear kinetics in closed form: a sum of exponentials.

use crate::check::{not_negative, positive};
use crate::special::behind_transits;
use twin_core::CoreError;

/// One exponential of the response to a bolus of one unit: `coefficient` per liter, `rate` per hour.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Term {
    coefficient: f64,
    rate: f64,
}

/// The concentration that one unit of dose leaves, as a sum of exponentials of the time in hours.
///
/// Made from one to three compartments; absorption and an effect compartment each add an exponential. Gabrielsson and Weiner,
/// *Pharmacokinetic and Pharmacodynamic Data Analysis*; transit absorption as Savic et al. 2007, doi:10.1007/s10928-007-9066-0, with a
/// whole number of compartments.
#[derive(Debug, Clone, PartialEq)]
pub struct Disposition {
    terms: Vec<Term>,
}

impl Disposition {
    /// One compartment of `volume_l` with a clearance of `clearance_l_per_h`.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn one_compartment(clearance_l_per_h: f64, volume_l: f64) -> Result<Self, CoreError> {
        let (clearance, volume) = (positive(CLEARANCE, clearance_l_per_h)?, positive(VOLUME, volume_l)?);
        Ok(Self { terms: vec![Term { coefficient: 1.0 / volume, rate: clearance / volume }] })
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
    /// [`CoreError`] unless all are finite and above 0, and where the two peripheral compartments empty at the same rate (they are
    /// one compartment then).
    pub fn three_compartments(
        clearance_l_per_h: f64,
        volume_l: f64,
        shallow: (f64, f64),
        deep: (f64, f64),
    ) -> Result<Self, CoreError> {
        let [out, to_2, from_2] = micro(clearance_l_per_h, volume_l, shallow)?;
        let [_, to_3, from_3] = micro(clearance_l_per_h, volume_l, deep)?;
        if (from_2 / from_3 - 1.0).abs() < 1e-9 {
            let detail =
                format!("both peripheral compartments empty at {from_2} per hour; use two compartments of the summed volume");
            return Err(CoreError::Conflict { what: "three compartments", detail });
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

    /// The terms of a central compartment from the rates at which the peripheral ones empty and from the eigenvalues.
    fn mammillary(volume: f64, from: &[f64], roots: &[f64]) -> Result<Self, CoreError> {
        let coefficient = |&root: &f64| {
            let above: f64 = from.iter().map(|from| from - root).product();
            let below: f64 = roots.iter().filter(|&&other| other.to_bits() != root.to_bits()).map(|other| other - root).product();
            Term { coefficient: above / below / volume, rate: root }
        };
        let terms: Vec<Term> = roots.iter().map(coefficient).collect();
        match terms.iter().find(|term| !term.coefficient.is_finite()) {
            Some(term) => Err(CoreError::NotFinite { what: "coefficient of a compartment", value: term.coefficient }),
            None => Ok(Self { terms }),
        }
    }

    /// The same behind first-order absorption at `rate_per_h`.
    ///
    /// # Errors
    /// [`CoreError`] unless the rate is finite, above 0 and differs from the rates of the disposition.
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
    fn behind(mut self, rate: f64) -> Result<Self, CoreError> {
        if let Some(term) = self.terms.iter().find(|term| (term.rate / rate - 1.0).abs() < 1e-9) {
            let detail =
                format!("{rate} per hour is a rate of the disposition ({} per hour) too; change one of them slightly", term.rate);
            return Err(CoreError::Conflict { what: "rate of absorption or effect", detail });
        }
        for term in &mut self.terms {
            term.coefficient *= rate / (rate - term.rate);
        }
        let coefficient = -self.terms.iter().map(|term| term.coefficient).sum::<f64>();
        self.terms.push(Term { coefficient, rate });
        Ok(self)
    }

    /// The area under the concentration per unit of dose, in h/L: one over the clearance.
    #[must_use]
    pub fn area_per_dose(&self) -> f64 {
        self.terms.iter().map(|term| term.coefficient / term.rate).sum()
    }

    /// The half-time of the slowest exponential, in hours.
    #[must_use]
    pub fn terminal_half_time_h(&self) -> f64 {
        std::f64::consts::LN_2 / self.terms.iter().map(|term| term.rate).fold(f64::INFINITY, f64::min)
    }

    /// The concentration per unit of dose `hours` after a bolus.
    #[must_use]
    pub fn after_bolus(&self, hours: f64) -> f64 {
        if hours < 0.0 {
            return 0.0;
        }
        self.terms.iter().map(|term| term.coefficient * (-term.rate * hours).exp()).sum()
    }

    /// The concentration per unit of dose `hours` after the start of an infusion over `duration_h`.
    fn after_infusion(&self, hours: f64, duration_h: f64) -> f64 {
        let (running, since) = (hours.max(0.0).min(duration_h), (hours - duration_h).max(0.0));
        let term = |term: &Term| term.coefficient / term.rate * -(-term.rate * running).exp_m1() * (-term.rate * since).exp();
        self.terms.iter().map(term).sum::<f64>() / duration_h
    }

    /// The concentration per unit of dose `hours` after a dose that passes `transits` compartments at `rate_per_h` each.
    fn after_transit(&self, hours: f64, transits: u32, rate_per_h: f64) -> f64 {
        if hours < 0.0 || hours.is_infinite() {
            return 0.0;
        }
        self.terms.iter().map(|term| term.coefficient * behind_transits(transits, rate_per_h, term.rate, hours)).sum()
    }
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
#[derive(Debug, Clone, Copy, PartialEq)]
enum Entry {
    Bolus,
    Infusion { duration_h: f64 },
    Transit { transits: u32, rate_per_h: f64 },
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
    /// As [`Profile::bolus`], and for a rate that is not above 0 or is one of the disposition.
    pub fn transit(self, hour: f64, (transits, rate_per_h): (u32, f64), dose: f64) -> Result<Self, CoreError> {
        let rate_per_h = positive("transit rate per hour", rate_per_h)?;
        // The same condition as for absorption, which a transit compartment is.
        self.disposition.clone().behind(rate_per_h)?;
        self.given(hour, dose, Entry::Transit { transits, rate_per_h })
    }

    /// The concentration at `hour`, in the unit of the doses per liter.
    #[must_use]
    pub fn concentration(&self, hour: f64) -> f64 {
        let one = |&(at, dose, entry): &(f64, f64, Entry)| {
            let since = hour - at;
            dose * match entry {
                Entry::Bolus => self.disposition.after_bolus(since),
                Entry::Infusion { duration_h } => self.disposition.after_infusion(since, duration_h),
                Entry::Transit { transits, rate_per_h } => self.disposition.after_transit(since, transits, rate_per_h),
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
        assert!((two.after_transit(4.0, 1, 1.3) / absorbed.after_bolus(4.0) - 1.0).abs() < 1e-12);
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

    #[test]
    fn equal_rates_are_refused_by_name() {
        let one = Disposition::one_compartment(10.0, 20.0).unwrap();
        assert!(one.clone().absorbed(0.5).unwrap_err().to_string().contains("0.5"));
        assert!(Profile::new(one).transit(0.0, (3, 0.5), 100.0).is_err());
        assert!(Disposition::three_compartments(1.0, 1.0, (1.0, 2.0), (2.0, 4.0)).is_err());
    }
}
