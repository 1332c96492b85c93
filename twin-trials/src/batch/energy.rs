//! Energy of a run, measured where the machine offers counters, else estimated and marked so.

use crate::TrialError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is taken for granted where energy is turned into emissions, and where it cannot be measured. Every report states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyAssumptions {
    /// The power of one busy processor core, in watts, for an estimate.
    pub watts_per_core: f64,
    /// How much the building uses for each unit that the computer uses, 1 or more.
    pub power_usage_effectiveness: f64,
    /// What a kilowatt-hour emits, in grams of CO₂ equivalents.
    pub grams_per_kwh: f64,
    /// Where these numbers come from.
    pub source: String,
}

impl EnergyAssumptions {
    fn check(&self) -> Result<(), TrialError> {
        let least = [0.0, 1.0, 0.0];
        let all = [self.watts_per_core, self.power_usage_effectiveness, self.grams_per_kwh];
        match all.into_iter().zip(least).enumerate().find(|(_, (value, least))| !(value.is_finite() && value >= least)) {
            Some((index, (value, _))) => {
                let valid = "finite and 0 or more (the effectiveness 1 or more)";
                Err(TrialError::OutOfRange { what: "assumption on energy", index, value, valid })
            }
            None => Ok(()),
        }
    }
}

/// The energy of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    /// Joules of the processor, by its counters or by the estimate.
    pub joules: f64,
    /// Whether counters were read; else it is wall time × cores × the assumed power.
    pub measured: bool,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// What was assumed.
    pub assumptions: EnergyAssumptions,
}

impl Energy {
    /// Kilowatt-hours of the building.
    #[must_use]
    pub fn kilowatt_hours(&self) -> f64 {
        self.joules / 3.6e6 * self.assumptions.power_usage_effectiveness
    }

    /// Grams of CO₂ equivalents.
    #[must_use]
    pub fn grams_co2e(&self) -> f64 {
        self.kilowatt_hours() * self.assumptions.grams_per_kwh
    }
}

impl std::fmt::Display for Energy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.measured { "measured" } else { "estimated" };
        let EnergyAssumptions { watts_per_core, power_usage_effectiveness, grams_per_kwh, source } = &self.assumptions;
        write!(f, "{:.3} J ({how}), {:.3e} kWh, {:.3e} gCO2e", self.joules, self.kilowatt_hours(), self.grams_co2e())?;
        write!(f, " at {grams_per_kwh} g/kWh and a power usage effectiveness of {power_usage_effectiveness}")?;
        if !self.measured {
            write!(f, ", {watts_per_core} W for each core")?;
        }
        write!(f, " ({source})")
    }
}

/// A counter of the processor's energy: microjoules that wrap around at a limit.
#[derive(Debug, Clone)]
struct Counter {
    path: PathBuf,
    limit: f64,
    start: f64,
}

/// Measures the energy from its making on.
///
/// ```
/// use twin_trials::batch::{EnergyAssumptions, EnergyMeter};
/// let assumed = EnergyAssumptions {
///     watts_per_core: 10.0,
///     power_usage_effectiveness: 1.2,
///     grams_per_kwh: 400.0,
///     source: "assumed for an example".to_owned(),
/// };
/// let meter = EnergyMeter::start(assumed, 1)?;
/// let energy = meter.read(); // after the work
/// assert!(energy.joules >= 0.0 && energy.to_string().contains("400 g/kWh"));
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EnergyMeter {
    counters: Vec<Counter>,
    begun: Instant,
    cores: usize,
    assumptions: EnergyAssumptions,
}

fn number(path: &Path) -> Option<f64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

impl EnergyMeter {
    /// Starts to measure: the packages of the Linux power capping framework (RAPL) if they can be read, else the time of `cores` busy cores.
    /// What else runs on the machine is measured too.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for assumptions that are negative or not finite.
    pub fn start(assumptions: EnergyAssumptions, cores: usize) -> Result<Self, TrialError> {
        assumptions.check()?;
        let packages = (0..64).map(|package| PathBuf::from(format!("/sys/class/powercap/intel-rapl:{package}")));
        let counter = |folder: PathBuf| {
            let limit = number(&folder.join("max_energy_range_uj"))?;
            let path = folder.join("energy_uj");
            Some(Counter { start: number(&path)?, limit, path })
        };
        Ok(Self { counters: packages.map_while(counter).collect(), begun: Instant::now(), cores, assumptions })
    }

    /// The energy since the start.
    #[must_use]
    pub fn read(&self) -> Energy {
        let seconds = self.begun.elapsed().as_secs_f64();
        let used = |counter: &Counter| {
            let now = number(&counter.path)?;
            Some((if now >= counter.start { now } else { now + counter.limit } - counter.start) / 1e6)
        };
        let measured: Option<Vec<f64>> = self.counters.iter().map(used).collect();
        let measured = measured.filter(|joules| !joules.is_empty()).map(|joules| joules.iter().sum());
        let estimated = seconds * self.cores as f64 * self.assumptions.watts_per_core;
        let assumptions = self.assumptions.clone();
        Energy { joules: measured.unwrap_or(estimated), measured: measured.is_some(), seconds, assumptions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assumed(grams_per_kwh: f64) -> EnergyAssumptions {
        EnergyAssumptions { watts_per_core: 10.0, power_usage_effectiveness: 1.5, grams_per_kwh, source: "a test".to_owned() }
    }

    #[test]
    fn joules_become_grams() {
        let energy = Energy { joules: 7.2e6, measured: false, seconds: 1.0, assumptions: assumed(300.0) };
        assert!((energy.kilowatt_hours() - 3.0).abs() < 1e-12);
        assert!((energy.grams_co2e() - 900.0).abs() < 1e-9);
        assert!(energy.to_string().contains("estimated"));
    }

    #[test]
    fn nonsense_is_refused_and_time_goes_on() {
        assert!(EnergyMeter::start(assumed(f64::NAN), 1).is_err());
        let meter = EnergyMeter::start(assumed(300.0), 2).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let energy = meter.read();
        assert!(energy.seconds >= 0.02 && energy.joules >= 0.0);
        if !energy.measured {
            assert!((energy.joules - 20.0 * energy.seconds).abs() < 1e-9);
        }
    }
}
