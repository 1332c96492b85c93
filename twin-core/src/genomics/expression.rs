//! Expression of genes in a sample.

use super::GeneSymbol;
use crate::CoreError;
use crate::treatment::name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

name! {
    /// A sample of a patient, by a label that does not identify the patient: `primary`, `liver_2`.
    SampleLabel, "a sample label"
}

/// In what expression is measured. Values of different measures are not comparable; ranks of them are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ExpressionMeasure {
    /// Transcripts per million.
    Tpm,
    /// Fragments per kilobase of transcript and million mapped fragments.
    Fpkm,
    /// Counts of reads or fragments, not whole where they were estimated.
    Counts,
    /// A logarithm to base 2; the only measure that may be negative.
    Log2,
    /// Ranks within the sample, from 1 for the lowest, ties averaged.
    Rank,
}

/// The expression of genes in one sample.
///
/// ```
/// use twin_core::{ExpressionMeasure, ExpressionProfile, GeneSymbol, SampleLabel};
/// let [alk, braf, tp53] = [GeneSymbol::new("ALK")?, GeneSymbol::new("BRAF")?, GeneSymbol::new("TP53")?];
/// let values = [(alk.clone(), 0.0), (braf, 0.0), (tp53.clone(), 7.5)].into();
/// let profile = ExpressionProfile::new(SampleLabel::new("primary")?, ExpressionMeasure::Tpm, values)?;
/// assert_eq!((profile.rank(&alk), profile.rank(&tp53)), (Some(1.5), Some(3.0)));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpressionProfile {
    sample: SampleLabel,
    measure: ExpressionMeasure,
    values: BTreeMap<GeneSymbol, f64>,
}

/// The wire form of [`ExpressionProfile`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Unchecked {
    sample: SampleLabel,
    measure: ExpressionMeasure,
    #[serde(deserialize_with = "crate::unique_map::deserialize")]
    values: BTreeMap<GeneSymbol, f64>,
}

impl TryFrom<Unchecked> for ExpressionProfile {
    type Error = CoreError;
    fn try_from(unchecked: Unchecked) -> Result<Self, CoreError> {
        Self::new(unchecked.sample, unchecked.measure, unchecked.values)
    }
}

impl ExpressionProfile {
    /// The expression of the genes of `values` in `sample`, in `measure`.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for a value that is not finite, [`CoreError::OutOfRange`] for one that the measure does not allow:
    /// below 1 for a rank, negative for any other but a logarithm.
    pub fn new(sample: SampleLabel, measure: ExpressionMeasure, values: BTreeMap<GeneSymbol, f64>) -> Result<Self, CoreError> {
        let (lowest, valid) = match measure {
            ExpressionMeasure::Log2 => (f64::NEG_INFINITY, "finite"),
            ExpressionMeasure::Rank => (1.0, "1 or more, as ranks are"),
            ExpressionMeasure::Tpm | ExpressionMeasure::Fpkm | ExpressionMeasure::Counts => (0.0, "0 or more, unless a logarithm"),
        };
        let what = "expression of a gene";
        for &value in values.values() {
            if !value.is_finite() {
                return Err(CoreError::NotFinite { what, value });
            }
            if value < lowest {
                return Err(CoreError::OutOfRange { what, value, valid });
            }
        }
        let values = values.into_iter().map(|(gene, value)| (gene, value + 0.0)).collect(); // -0.0 ties with 0.0
        Ok(Self { sample, measure, values })
    }

    /// The sample.
    #[must_use]
    pub fn sample(&self) -> &SampleLabel {
        &self.sample
    }

    /// In what expression is measured.
    #[must_use]
    pub fn measure(&self) -> ExpressionMeasure {
        self.measure
    }

    /// The expression of each gene, in the measure.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<GeneSymbol, f64> {
        &self.values
    }

    /// The expression of `gene`, in the measure, if it is in the profile.
    #[must_use]
    pub fn value(&self, gene: &GeneSymbol) -> Option<f64> {
        self.values.get(gene).copied()
    }

    /// The rank of `gene` in the profile: 1 for the lowest, ties averaged; `None` if it is not in the profile.
    #[must_use]
    pub fn rank(&self, gene: &GeneSymbol) -> Option<f64> {
        let value = self.value(gene)?;
        let count = |fits: fn(f64, f64) -> bool| self.values.values().filter(|other| fits(**other, value)).count() as f64;
        let (below, up_to) = (count(|other, value| other < value), count(|other, value| other <= value));
        Some((below + up_to + 1.0) / 2.0)
    }

    /// The rank of every gene, as [`rank`](Self::rank), by one sort of the profile.
    #[must_use]
    pub fn ranks(&self) -> BTreeMap<&GeneSymbol, f64> {
        let mut ascending: Vec<_> = self.values.iter().collect();
        ascending.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let mut below = 0;
        let mut ranks = BTreeMap::new();
        for ties in ascending.chunk_by(|(_, a), (_, b)| a.total_cmp(b).is_eq()) {
            let rank = (2 * below + ties.len() + 1) as f64 / 2.0;
            ranks.extend(ties.iter().map(|(gene, _)| (*gene, rank)));
            below += ties.len();
        }
        ranks
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn profile(measure: ExpressionMeasure, values: &[f64]) -> Result<ExpressionProfile, CoreError> {
        let genes = values.iter().enumerate().map(|(i, value)| (GeneSymbol::new(&format!("G{i}")).unwrap(), *value)).collect();
        ExpressionProfile::new(SampleLabel::new("primary").unwrap(), measure, genes)
    }

    #[test]
    fn refuses_values_that_the_measure_does_not_have() {
        use ExpressionMeasure::{Counts, Fpkm, Log2, Rank, Tpm};
        for measure in [Tpm, Fpkm, Counts, Log2, Rank] {
            assert!(profile(measure, &[1.0, f64::NAN]).is_err(), "{measure:?}");
            assert!(profile(measure, &[f64::INFINITY]).is_err(), "{measure:?}");
            assert!(profile(measure, &[f64::NEG_INFINITY]).is_err(), "{measure:?}");
            assert_eq!(profile(measure, &[-1.0]).is_ok(), measure == Log2, "{measure:?}");
            assert_eq!(profile(measure, &[0.5]).is_ok(), measure != Rank, "{measure:?}");
            assert!(profile(measure, &[]).is_ok(), "{measure:?}");
        }
    }

    #[test]
    fn ties_share_the_mean_rank_and_zeros_of_either_sign_tie() {
        let profile = profile(ExpressionMeasure::Log2, &[5.0, -0.0, 0.0, 5.0, -3.0, 5.0]).unwrap();
        assert_eq!(profile.ranks().into_values().collect::<Vec<_>>(), [5.0, 2.5, 2.5, 5.0, 1.0, 5.0]);
    }

    #[test]
    fn refuses_a_gene_given_twice() {
        let text = r#"{"sample":"primary","measure":"tpm","values":{"ALK":1.0,"ALK":2.0}}"#;
        assert!(serde_json::from_str::<ExpressionProfile>(text).unwrap_err().to_string().contains("twice"));
        let once = r#"{"sample":"primary","measure":"tpm","values":{"ALK":1.0}}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<ExpressionProfile>(once).unwrap()).unwrap(), once);
        assert!(serde_json::from_str::<ExpressionProfile>(&once.replace("1.0", "-1.0")).is_err());
    }

    proptest! {
        #[test]
        fn ranks_sum_to_that_of_a_permutation_and_keep_order(values in proptest::collection::vec(0_u8..12, 0..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let profile = profile(ExpressionMeasure::Counts, &values).unwrap();
            let ranks = profile.ranks();
            let n = values.len() as f64;
            prop_assert_eq!(ranks.values().sum::<f64>(), n * (n + 1.0) / 2.0);
            for (gene, value) in profile.values() {
                prop_assert_eq!(profile.rank(gene), Some(ranks[gene]));
                for (other, other_value) in profile.values() {
                    prop_assert_eq!(value.total_cmp(other_value), ranks[gene].total_cmp(&ranks[other]));
                }
            }
        }
    }
}
