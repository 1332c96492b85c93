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
        disease: "breast cancer, human",
        model: "exponential",
        // A doubling time of 164 days.
        values: &[("growth_rate", 0.004_226_507_198_536_251)],
        source: Source::published(
            "Zhang et al. 2017, doi:10.12659/MSM.901566: median doubling time 164 d (mean 185, SD 126) of 69 patients by ultrasound",
        ),
    },
    GrowthParameterSet {
        disease: "meningioma, benign, human",
        model: "exponential",
        values: &[("growth_rate", 0.001_670_234_170_023_964_6)],
        source: Source::published("Jaaskelainen et al. 1985, as reviewed: mean doubling time 415 d (138 to 1045) after resection"),
    },
    GrowthParameterSet {
        disease: "meningioma, atypical, human",
        model: "exponential",
        values: &[("growth_rate", 0.003_894_085_284_044_636)],
        source: Source::published("Jaaskelainen et al. 1985, as reviewed: mean doubling time 178 d (34 to 551) after resection"),
    },
    GrowthParameterSet {
        disease: "meningioma, anaplastic, human",
        model: "exponential",
        values: &[("growth_rate", 0.003_381_205_758_829_001_3)],
        source: Source::published("Jaaskelainen et al. 1985, as reviewed: mean doubling time 205 d (30 to 472) after resection"),
    },
    GrowthParameterSet {
        disease: "ovarian carcinoma, human",
        model: "exponential",
        values: &[("growth_rate", 0.005_78)],
        source: Source::published("Hori and Gambhir 2011, doi:10.1126/scitranslmed.3003110: 5.78e-3 per day"),
    },
    GrowthParameterSet {
        disease: "breast cancer, human, untreated",
        model: "gompertz",
        // ln b = -2.9 per month; 4.8e9 cells grow to 3.1e12, at 1e6 cells per mm3.
        values: &[("decay_rate", 0.001_807_7), ("carrying_capacity", 3.1e6), ("initial_volume", 4800.0)],
        source: Source::unconfirmed("Norton 1988, Cancer Res 48:7067, values recalled"),
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
