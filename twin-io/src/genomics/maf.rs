//! Mutation annotation files in the dialects of the GDC, of TCGA, of vcf2maf and of cBioPortal.
//!
//! | what | columns, the first that is there |
//! |---|---|
//! | protein change | `HGVSp_Short`, `Protein_Change`, `amino_acid_change` |
//! | DNA change | `HGVSc`, `cDNA_Change` |
//! | allele fraction | `t_alt_count` and `t_ref_count` or `t_depth`; else `tumor_f`, `t_vaf`, `i_tumor_f` as a share; else `i_TumorVAF_WU`, in percent |

use super::{Drivers, Note, Table, Variant, read_text};
use crate::{IoError, Limits, Place};
use std::path::Path;
use twin_core::{Alteration, CodingChange, GeneSymbol, Proportion, ProteinChange, Recorded};

/// The calls of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Maf {
    /// The samples in the order in which they first appear, each with its calls.
    pub samples: Vec<(String, Vec<Variant>)>,
    /// What was not carried over.
    pub notes: Vec<Note>,
    source: String,
}

impl Maf {
    /// How many calls there are, over all samples.
    #[must_use]
    pub fn variants(&self) -> usize {
        self.samples.iter().map(|(_, variants)| variants.len()).sum()
    }

    /// The calls in genes of one sample as alterations.
    ///
    /// # Errors
    /// [`IoError::Invalid`] if there is no such sample; its name is not repeated, since it may identify a person.
    pub fn alterations(&self, sample: &str, drivers: &Drivers) -> Result<Vec<Recorded<Alteration>>, IoError> {
        let place = || Place::of(Some(Path::new(&self.source))).field("Tumor_Sample_Barcode");
        let found = self.samples.iter().find(|(name, _)| name == sample);
        let (_, variants) =
            found.ok_or_else(|| place().invalid(format!("the sample asked for is not among the {} there", self.samples.len())))?;
        Ok(variants.iter().filter_map(|variant| variant.alteration(drivers, &self.source)).collect())
    }
}

/// Reads a file, compressed or not.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`parse`].
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Maf, IoError> {
    let path = path.as_ref();
    parse(&read_text(path, limits)?, &path.to_string_lossy(), limits)
}

/// Reads the text of a file named `name`.
///
/// # Errors
/// [`IoError::Empty`], [`IoError::MissingColumns`] without gene, sample or classification, [`IoError::RepeatedColumn`],
/// [`IoError::Syntax`] for a row of another length than the header, [`IoError::Invalid`] for counts and fractions out of range,
/// [`IoError::Limit`].
pub fn parse(text: &str, name: &str, limits: &Limits) -> Result<Maf, IoError> {
    let mut table = Table::new(text, Place::of(Some(Path::new(name))), limits)?;
    let [gene, sample, effect] = table.needed(["Hugo_Symbol", "Tumor_Sample_Barcode", "Variant_Classification"])?;
    let columns = Columns::of(&table);
    let source = Path::new(name).file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    let mut maf = Maf { samples: Vec::new(), notes: Vec::new(), source };
    let mut places = std::collections::HashMap::new();
    while let Some(row) = table.next_row()? {
        let line = row.line;
        let mut note = |column, what| maf.notes.push(Note { line, column, what });
        let barcode = row.field(sample);
        if barcode.is_empty() {
            return Err(row.invalid("Tumor_Sample_Barcode", "must not be empty"));
        }
        let text = |column: Option<usize>| column.map_or("", |column| row.field(column));
        let gene =
            GeneSymbol::new(row.field(gene)).inspect_err(|_| note("Hugo_Symbol", "not a gene symbol: the call has no gene")).ok();
        let stated = text(columns.protein);
        let protein = if stated.is_empty() {
            None
        } else {
            ProteinChange::new(stated).inspect_err(|_| note("HGVSp_Short", "the protein change is not HGVS")).ok()
        };
        // vcf2maf writes the transcript before the change.
        let stated = text(columns.coding).rsplit(':').next().unwrap_or_default();
        let coding = if stated.is_empty() {
            None
        } else {
            CodingChange::new(stated).inspect_err(|_| note("HGVSc", "the DNA change is not HGVS")).ok()
        };
        let (allele_fraction, depth) = columns.reads(&row)?;
        let [first, second] = [text(columns.alleles[0]), text(columns.alleles[1])];
        let reference = text(columns.reference);
        let variant = Variant {
            gene,
            chromosome: text(columns.chromosome).to_owned(),
            position: row.number(columns.start, "Start_Position", "must be a whole number")?.unwrap_or(0),
            reference: reference.to_owned(),
            // The second allele is the variant, but in files that give it first.
            alternative: if second == reference || second.is_empty() { first } else { second }.to_owned(),
            effect: row.field(effect).to_owned(),
            coding,
            protein,
            allele_fraction,
            depth,
            line,
        };
        let next = maf.samples.len();
        let place = *places.entry(barcode).or_insert(next);
        if place == next {
            maf.samples.push((barcode.to_owned(), Vec::new()));
        }
        if let Some((_, variants)) = maf.samples.get_mut(place) {
            variants.push(variant);
        }
    }
    Ok(maf)
}

struct Columns {
    chromosome: Option<usize>,
    start: Option<usize>,
    reference: Option<usize>,
    alleles: [Option<usize>; 2],
    protein: Option<usize>,
    coding: Option<usize>,
    alternative_reads: Option<usize>,
    reference_reads: Option<usize>,
    depth: Option<usize>,
    share: Option<usize>,
    percent: Option<usize>,
}

impl Columns {
    fn of(table: &Table<'_>) -> Self {
        let column = |names: &[&str]| table.column(names);
        Self {
            chromosome: column(&["Chromosome"]),
            start: column(&["Start_Position"]),
            reference: column(&["Reference_Allele"]),
            alleles: [column(&["Tumor_Seq_Allele1"]), column(&["Tumor_Seq_Allele2"])],
            protein: column(&["HGVSp_Short", "Protein_Change", "amino_acid_change"]),
            coding: column(&["HGVSc", "cDNA_Change"]),
            alternative_reads: column(&["t_alt_count"]),
            reference_reads: column(&["t_ref_count"]),
            depth: column(&["t_depth"]),
            share: column(&["tumor_f", "t_vaf", "i_tumor_f"]),
            percent: column(&["i_TumorVAF_WU"]),
        }
    }

    /// Allele fraction and depth, as far as the row states them.
    fn reads(&self, row: &super::Row<'_, '_>) -> Result<(Option<Proportion>, Option<u32>), IoError> {
        let rule = "must be a whole number of reads";
        let alternative: Option<u32> = row.number(self.alternative_reads, "t_alt_count", rule)?;
        let reference: Option<u32> = row.number(self.reference_reads, "t_ref_count", rule)?;
        let depth: Option<u32> = row.number(self.depth, "t_depth", rule)?;
        let depth = depth.or_else(|| alternative?.checked_add(reference?));
        if let (Some(alternative), Some(depth)) = (alternative, depth) {
            if alternative > depth {
                return Err(row.invalid("t_alt_count", "must not be above the depth"));
            }
            let fraction = (depth > 0).then(|| Proportion::new(f64::from(alternative) / f64::from(depth))).transpose();
            return Ok((fraction.map_err(|error| row.invalid("t_alt_count", &error.to_string()))?, Some(depth)));
        }
        let share: Option<f64> = row.number(self.share, "tumor_f", "must be a share from 0 to 1")?;
        let percent: Option<f64> = row.number(self.percent, "i_TumorVAF_WU", "must be a percentage from 0 to 100")?;
        let fraction = match (share, percent) {
            (Some(share), _) => Some(Proportion::new(share).map_err(|_| row.invalid("tumor_f", "must be a share from 0 to 1"))?),
            (None, Some(percent)) => Some(
                Proportion::from_percent(percent)
                    .map_err(|_| row.invalid("i_TumorVAF_WU", "must be a percentage from 0 to 100"))?,
            ),
            (None, None) => None,
        };
        Ok((fraction, depth))
    }
}
