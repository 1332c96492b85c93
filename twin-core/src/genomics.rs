//! What sequencing and molecular tests found: alterations, biomarkers, expression.

mod expression;

pub use expression::{ExpressionMeasure, ExpressionProfile, SampleLabel};

use crate::pathology::text;
use crate::{CoreError, Proportion, Quantity, Recorded};
use serde::{Deserialize, Serialize};

/// Capital letters, digits, `-`, `.`, `_`, from a capital letter on; `orf` only between a digit and a digit, as in `C9orf72`.
fn gene_symbol(text: &str) -> bool {
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_'));
    let digit_at = |edge: Option<char>| edge.is_some_and(|c| c.is_ascii_digit());
    let whole = match text.split_once("orf") {
        Some((before, after)) => {
            plain(before) && plain(after) && digit_at(before.chars().next_back()) && digit_at(after.chars().next())
        }
        None => plain(text),
    };
    whole && text.starts_with(|c: char| c.is_ascii_uppercase()) && !text.ends_with(['-', '.', '_'])
}

text! {
    /// A gene, by its symbol in the manner of the HUGO Gene Nomenclature Committee: `TP53`, `HLA-A`, `C9orf72`.
    ///
    /// The form is checked, not that the gene exists: `brca1` is refused, an outdated symbol is not.
    GeneSymbol, "a gene symbol", 32, "up to 32 capital letters, digits, `-`, `.`, `_`, from a letter on, as in `TP53` or `C9orf72`",
    gene_symbol
}

fn hgvs(text: &str, prefixes: &[&str], others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    prefixes
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .is_some_and(|change| !change.is_empty() && change.chars().all(fits))
}

text! {
    /// A change of DNA in HGVS notation, without the reference sequence: `c.1799T>A`. The characters are checked, not the grammar.
    CodingChange, "a change of DNA in HGVS notation", 256, "`c.`, `n.`, `g.` or `m.`, then a change without spaces, as in `c.1799T>A`",
    |text| hgvs(text, &["c.", "n.", "g.", "m."], "_+-*>=?()[];")
}

text! {
    /// A change of protein in HGVS notation, without the reference sequence: `p.Val600Glu`, `p.V600E`, `p.(Arg175*)`. The
    /// characters are checked, not the grammar.
    ProteinChange, "a change of protein in HGVS notation", 256, "`p.`, then a change without spaces, as in `p.Val600Glu`",
    |text| hgvs(text, &["p."], "_*=?()[];^")
}

/// A mean number of copies per cell: finite and not negative; not whole where cells differ.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "f64"))]
pub struct CopyCount(f64);

impl CopyCount {
    /// Copies per cell.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] or [`CoreError::OutOfRange`] for a number that is not finite or is negative.
    pub fn new(copies: f64) -> Result<Self, CoreError> {
        if !copies.is_finite() {
            return Err(CoreError::NotFinite { what: "copies per cell", value: copies });
        }
        if copies < 0.0 {
            return Err(CoreError::OutOfRange { what: "copies per cell", value: copies, valid: "0 or more" });
        }
        Ok(Self(copies))
    }

    /// Copies per cell.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for CopyCount {
    type Error = CoreError;
    fn try_from(copies: f64) -> Result<Self, CoreError> {
        Self::new(copies)
    }
}

impl From<CopyCount> for f64 {
    fn from(copies: CopyCount) -> Self {
        copies.0
    }
}

/// A change of copy number: counted, or called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CopyNumber {
    /// A number of copies per cell.
    Copies(CopyCount),
    /// More copies than normal.
    Gain,
    /// Fewer copies than normal.
    Loss,
    /// Many more copies than normal.
    Amplification,
    /// No copy left.
    DeepDeletion,
    /// The normal number of copies, all from one parent.
    NeutralLossOfHeterozygosity,
}

/// What is altered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum AlterationKind {
    /// A substitution or a short insertion or deletion.
    SmallVariant {
        /// The change of DNA, if stated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        coding: Option<CodingChange>,
        /// The change of protein, if stated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        protein: Option<ProteinChange>,
    },
    /// A change of copy number.
    CopyNumber(CopyNumber),
    /// A fusion with another gene.
    Fusion {
        /// The other gene.
        partner: GeneSymbol,
    },
    /// Methylation of the gene or its promoter.
    Methylation {
        /// The share of methylated sites, if measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extent: Option<Proportion>,
    },
    /// Another structural change, such as a rearrangement with unknown partner.
    StructuralOther,
}

/// What an alteration is thought to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Significance {
    /// It drives the tumor.
    Driver,
    /// It likely drives the tumor.
    LikelyDriver,
    /// Not known.
    #[default]
    Unknown,
    /// It does not drive the tumor.
    Passenger,
}

/// One alteration of a gene.
///
/// ```
/// use twin_core::{Alteration, AlterationKind, GeneSymbol, Proportion, ProteinChange, Significance};
/// let protein = Some(ProteinChange::new("p.V600E")?);
/// let mut braf = Alteration::new(GeneSymbol::new("BRAF")?, AlterationKind::SmallVariant { coding: None, protein });
/// braf.allele_fraction = Some(Proportion::new(0.31)?);
/// braf.significance = Significance::Driver;
/// assert!(GeneSymbol::new("braf").is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alteration {
    /// The gene.
    pub gene: GeneSymbol,
    /// What is altered.
    pub kind: AlterationKind,
    /// The share of reads that carry the variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allele_fraction: Option<Proportion>,
    /// Reads at the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// What it is thought to do.
    #[serde(default)]
    pub significance: Significance,
}

impl Alteration {
    /// An alteration of unknown significance, without allele fraction or depth.
    #[must_use]
    pub fn new(gene: GeneSymbol, kind: AlterationKind) -> Self {
        Self { gene, kind, allele_fraction: None, depth: None, significance: Significance::Unknown }
    }
}

fn biomarker(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains("  ") && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

text! {
    /// A biomarker, by name: `MGMT promoter methylation`, `1p/19q codeletion`, `MSI`, `TMB`.
    Biomarker, "a biomarker", 64, "1 to 64 printable ASCII characters with single inner spaces", biomarker
}

/// The result of a biomarker test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum BiomarkerResult {
    /// Present.
    Positive,
    /// Absent.
    Negative,
    /// Tested, without a conclusion.
    Indeterminate,
    /// A number, such as a tumor mutational burden.
    Value(Quantity),
}

/// A biomarker and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BiomarkerStatus {
    /// What was tested.
    pub name: Biomarker,
    /// What was found.
    pub status: BiomarkerResult,
}

impl BiomarkerStatus {
    /// The result `status` of a test of `name`.
    #[must_use]
    pub fn new(name: Biomarker, status: BiomarkerResult) -> Self {
        Self { name, status }
    }
}

/// Everything sequencing and molecular tests found; by default nothing was tested.
///
/// A gene without an entry was not tested or not altered: the profile does not tell which.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GenomicProfile {
    /// Alterations of genes, in the order of the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alterations: Vec<Recorded<Alteration>>,
    /// Biomarkers, in the order of the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub biomarkers: Vec<Recorded<BiomarkerStatus>>,
    /// Expression profiles, one for each sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expression: Vec<Recorded<ExpressionProfile>>,
}

impl GenomicProfile {
    /// The alterations of `gene`, in the order of the record; fusions with it as the partner included.
    pub fn alterations_of<'a>(&'a self, gene: &'a GeneSymbol) -> impl Iterator<Item = &'a Recorded<Alteration>> {
        self.alterations.iter().filter(move |alteration| {
            let partner = match &alteration.value.kind {
                AlterationKind::Fusion { partner } => Some(partner),
                _ => None,
            };
            alteration.value.gene == *gene || partner == Some(gene)
        })
    }

    /// The results of `biomarker`, in the order of the record.
    pub fn results_of<'a>(&'a self, biomarker: &'a Biomarker) -> impl Iterator<Item = &'a Recorded<BiomarkerStatus>> {
        self.biomarkers.iter().filter(move |status| status.value.name == *biomarker)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Provenance;

    fn gene(symbol: &str) -> GeneSymbol {
        GeneSymbol::new(symbol).unwrap()
    }

    fn recorded<T>(value: T) -> Recorded<T> {
        Recorded::new(value, Provenance::measured("panel"))
    }

    #[test]
    fn gene_symbols_have_the_form_of_the_committee() {
        for good in ["TP53", "HLA-A", "C9orf72", "C1orf112", "NKX2-1", "MT-ND1", "A1BG", "AC093323.3", "RP11-34P13.7"] {
            assert_eq!(gene(good).as_str(), good);
        }
        for bad in
            ["", "brca1", "Trp53", "53TP", "TP 53", "TP53-", "orf72", "Corf72", "C9orf", "C9orfX", "Ж", "TP53\n", &"A".repeat(33)]
        {
            assert!(GeneSymbol::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn changes_have_the_form_of_hgvs() {
        for good in ["c.1799T>A", "c.35_36delinsTT", "c.76+1G>A", "c.-124C>T", "g.7674220C>T", "c.(4072-?)_(5145+?)del"] {
            assert!(CodingChange::new(good).is_ok(), "{good}");
        }
        for good in ["p.Val600Glu", "p.V600E", "p.(Arg175*)", "p.E746_A750del", "p.?", "p.="] {
            assert!(ProteinChange::new(good).is_ok(), "{good}");
        }
        for bad in ["", "c.", "1799T>A", "p.V600E", "c.1799 T>A"] {
            assert!(CodingChange::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "p.", "V600E", "c.1799T>A", "p.V600E; p.G12D"] {
            assert!(ProteinChange::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn copies_are_finite_and_not_negative() {
        for bad in [f64::NAN, f64::INFINITY, -0.5] {
            assert!(CopyCount::new(bad).is_err(), "{bad}");
        }
        assert_eq!(CopyCount::new(2.4).unwrap().value(), 2.4);
    }

    fn profile() -> GenomicProfile {
        let small = AlterationKind::SmallVariant {
            coding: Some(CodingChange::new("c.1799T>A").unwrap()),
            protein: Some(ProteinChange::new("p.V600E").unwrap()),
        };
        let mut braf = Alteration::new(gene("BRAF"), small);
        braf.allele_fraction = Some(Proportion::new(0.31).unwrap());
        braf.depth = Some(412);
        braf.significance = Significance::Driver;
        let kinds = [
            AlterationKind::CopyNumber(CopyNumber::Copies(CopyCount::new(6.5).unwrap())),
            AlterationKind::CopyNumber(CopyNumber::DeepDeletion),
            AlterationKind::Fusion { partner: gene("EML4") },
            AlterationKind::Methylation { extent: Some(Proportion::new(0.4).unwrap()) },
            AlterationKind::StructuralOther,
        ];
        let mut alterations = vec![recorded(braf)];
        alterations.extend(kinds.into_iter().map(|kind| recorded(Alteration::new(gene("ALK"), kind))));
        let burden = Quantity::new(12.0, "1").unwrap();
        let biomarkers = vec![
            recorded(BiomarkerStatus::new(Biomarker::new("1p/19q codeletion").unwrap(), BiomarkerResult::Negative)),
            recorded(BiomarkerStatus::new(Biomarker::new("TMB").unwrap(), BiomarkerResult::Value(burden))),
        ];
        let sample = SampleLabel::new("primary").unwrap();
        let expression =
            ExpressionProfile::new(sample, ExpressionMeasure::Tpm, [(gene("BRAF"), 3.5), (gene("ALK"), 0.0)].into()).unwrap();
        GenomicProfile { alterations, biomarkers, expression: vec![recorded(expression)] }
    }

    #[test]
    fn survives_a_round_trip() {
        for profile in [profile(), GenomicProfile::default()] {
            let text = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<GenomicProfile>(&text).unwrap(), profile, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_alteration() {
        let with = |kind: &str, extra: &str| format!(r#"{{"gene":"ALK","kind":{kind}{extra}}}"#);
        assert!(serde_json::from_str::<Alteration>(&with(r#""structural_other""#, "")).is_ok());
        for (kind, extra) in [
            (r#""structural_other""#, r#","allele_fraction":1.01"#),
            (r#""structural_other""#, r#","allele_fraction":-0.1"#),
            (r#""structural_other""#, r#","depth":-1"#),
            (r#""structural_other""#, r#","vaf":0.1"#),
            (r#"{"copy_number":{"copies":-1.0}}"#, ""),
            (r#"{"fusion":{"partner":"eml4"}}"#, ""),
            (r#"{"small_variant":{"protein":"V600E"}}"#, ""),
            (r#"{"small_variant":{"dna":"c.1A>G"}}"#, ""),
        ] {
            assert!(serde_json::from_str::<Alteration>(&with(kind, extra)).is_err(), "{kind} {extra}");
        }
    }

    #[test]
    fn finds_alterations_of_a_gene_as_fusion_partner_too() {
        let profile = profile();
        assert_eq!(profile.alterations_of(&gene("ALK")).count(), 5);
        assert_eq!(profile.alterations_of(&gene("EML4")).count(), 1);
        assert_eq!(profile.alterations_of(&gene("TP53")).count(), 0);
        assert_eq!(profile.results_of(&Biomarker::new("TMB").unwrap()).count(), 1);
    }
}
