//! Parameters of growth laws by disease.

use crate::{Model, Parameters, SimulationError, Source};

/// The parameters of a growth law in one disease.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthParameterSet {
    /// The disease and the host.
    pub disease: &'static str,
    /// The id of the law.
    pub model: &'static str,
    /// Names and values; the others keep their defaults.
    pub values: &'static [(&'static str, f64)],
    /// Where the values come from.
    pub source: Source,
}

/// The sets at hand.
pub const GROWTH_PARAMETER_SETS: &[GrowthParameterSet] = &[
    GrowthParameterSet {
        disease: "Lewis lung carcinoma, mouse",
        model: "gompertz",
        // From the form with time: a = 0.742 and beta = 0.0792 per day, V0 = 1 mm3, so K = exp(a/beta).
        values: &[("decay_rate", 0.0792), ("carrying_capacity", 11_715.696_448_9), ("initial_volume", 1.0)],
        source: Source::unconfirmed("Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800, recalled"),
    },
    GrowthParameterSet {
        disease: "Lewis lung carcinoma, mouse",
        model: "power_law",
        values: &[("growth_rate", 0.921), ("exponent", 0.788), ("initial_volume", 1.0)],
        source: Source::unconfirmed("Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800, recalled"),
    },
    GrowthParameterSet {
        disease: "ovarian carcinoma A2780 xenograft, mouse",
        model: "smooth_exponential_linear",
        values: &[("growth_rate", 0.273), ("linear_rate", 814.0), ("initial_volume", 50.0)],
        source: Source::published("Simeoni et al. 2004, doi:10.1158/0008-5472.CAN-03-2524, paclitaxel experiment 1; at 1 mg/mm3"),
    },
];

impl GrowthParameterSet {
    /// The parameters, for `model`.
    ///
    /// # Errors
    /// [`SimulationError::ForeignParameters`] for another model than that of the set.
    pub fn of(&self, model: &dyn Model) -> Result<Parameters, SimulationError> {
        let spec = model.spec();
        if spec.id != self.model {
            return Err(SimulationError::ForeignParameters { model: spec.id.clone(), given: self.model.to_owned() });
        }
        self.values.iter().try_fold(spec.defaults()?, |parameters, &(name, value)| parameters.with(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    #[test]
    fn every_set_is_one_of_a_registered_law() {
        let registry = Registry::standard().unwrap();
        for set in GROWTH_PARAMETER_SETS {
            assert!(set.of(registry.get(set.model).unwrap().as_ref()).is_ok(), "{}", set.disease);
        }
        assert!(GROWTH_PARAMETER_SETS[0].of(&crate::growth::logistic()).is_err());
    }
}
