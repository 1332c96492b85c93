//! Matrices of genes by samples: expression and discrete copy numbers, as cBioPortal and most pipelines write them.
//!
//! The first row names the samples, the first column the genes (`Hugo_Symbol`, `gene`, `gene_name` or `Gene`); a column
//! `Entrez_Gene_Id` is left out.

use super::{Table, read_text};
use crate::{IoError, Limits, Place};
use std::collections::BTreeMap;
use std::path::Path;
use twin_core::{Alteration, AlterationKind, CopyNumber, ExpressionMeasure, ExpressionProfile, GeneSymbol, SampleLabel};

/// A matrix as it stands: samples, and for each gene one value for each sample, `None` where nothing is known.
struct Matrix {
    samples: Vec<String>,
    rows: Vec<(usize, String, Vec<Option<f64>>)>,
    place: Place,
}

fn matrix(text: &str, name: &str, limits: &Limits) -> Result<Matrix, IoError> {
    let mut table = Table::new(text, Place::of(Some(Path::new(name))), limits)?;
    let names = ["Hugo_Symbol", "gene", "gene_name"];
    let missing = || IoError::MissingColumns {
        place: table.lines.place.clone(),
        missing: vec!["Hugo_Symbol".to_owned()],
        present: Vec::new(),
    };
    let gene = table.column(&names).ok_or_else(missing)?;
    let entrez = table.column(&["Entrez_Gene_Id"]);
    let columns: Vec<usize> = (0..table.header.len()).filter(|column| *column != gene && Some(*column) != entrez).collect();
    let samples = columns.iter().filter_map(|column| table.header.get(*column)).map(|name| (*name).to_owned()).collect();
    let mut rows = Vec::new();
    let mut cells = 0_usize;
    while let Some(row) = table.next_row()? {
        cells += columns.len();
        if cells > limits.max_voxels {
            return Err(row.place.clone().line(row.line).over("values", limits.max_voxels, "max_voxels"));
        }
        let number = |column: &usize| -> Result<Option<f64>, IoError> {
            let value: Option<f64> = row.number(Some(*column), "a sample", "must be a number")?;
            if value.is_some_and(|value| !value.is_finite()) { Err(row.invalid("a sample", "must be finite")) } else { Ok(value) }
        };
        let values = columns.iter().map(number).collect::<Result<_, _>>()?;
        rows.push((row.line, row.field(gene).to_owned(), values));
    }
    Ok(Matrix { samples, rows, place: table.lines.place })
}

/// The expression of every sample, with the lines whose gene is not a symbol or has no value in some sample, which are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// For each sample its name in the file and its profile, which is labeled by its place: `sample 1` and so on.
    pub profiles: Vec<(String, ExpressionProfile)>,
    /// The lines that were left out, from 1, with the reason.
    pub left_out: Vec<(usize, &'static str)>,
}

/// Reads an expression matrix from a file, compressed or not. The file does not say in what it measures: the caller does.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`parse_expression`].
pub fn read_expression(path: impl AsRef<Path>, measure: ExpressionMeasure, limits: &Limits) -> Result<Expression, IoError> {
    let path = path.as_ref();
    parse_expression(&read_text(path, limits)?, &path.to_string_lossy(), measure, limits)
}

/// Reads an expression matrix from the text of a file named `name`.
///
/// # Errors
/// [`IoError::MissingColumns`], [`IoError::Syntax`], [`IoError::Invalid`] for values that are not numbers or that the measure does
/// not allow, and for a gene that is there twice; [`IoError::Limit`].
pub fn parse_expression(text: &str, name: &str, measure: ExpressionMeasure, limits: &Limits) -> Result<Expression, IoError> {
    let matrix = matrix(text, name, limits)?;
    let mut values: Vec<BTreeMap<GeneSymbol, f64>> = vec![BTreeMap::new(); matrix.samples.len()];
    let mut left_out = Vec::new();
    for (line, gene, row) in &matrix.rows {
        let Ok(symbol) = GeneSymbol::new(gene) else {
            left_out.push((*line, "the gene is not a symbol"));
            continue;
        };
        if row.iter().any(Option::is_none) {
            left_out.push((*line, "a sample has no value"));
            continue;
        }
        for (sample, value) in values.iter_mut().zip(row.iter().flatten()) {
            if sample.insert(symbol.clone(), *value).is_some() {
                return Err(matrix.place.clone().line(*line).invalid("the gene is there twice: choose one row, or sum them"));
            }
        }
    }
    let mut profiles = Vec::new();
    for (index, (sample, values)) in matrix.samples.into_iter().zip(values).enumerate() {
        let invalid = |error: twin_core::CoreError| matrix.place.clone().field("a sample").invalid(error.to_string());
        let label = SampleLabel::new(&format!("sample {}", index + 1)).map_err(invalid)?;
        profiles.push((sample, ExpressionProfile::new(label, measure, values).map_err(invalid)?));
    }
    Ok(Expression { profiles, left_out })
}

/// Reads discrete copy numbers from a file, as cBioPortal writes them in `data_cna.txt`.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`parse_copy_numbers`].
pub fn read_copy_numbers(path: impl AsRef<Path>, limits: &Limits) -> Result<Vec<(String, Vec<Alteration>)>, IoError> {
    let path = path.as_ref();
    parse_copy_numbers(&read_text(path, limits)?, &path.to_string_lossy(), limits)
}

/// Reads discrete copy numbers: for each sample its name in the file and its altered genes. The values are those of GISTIC: -2 a deep
/// deletion, -1 a loss, 0 nothing, 1 a gain, 2 an amplification.
///
/// # Errors
/// [`IoError::MissingColumns`], [`IoError::Syntax`], [`IoError::Invalid`] for another value, or a gene that is not a symbol;
/// [`IoError::Limit`].
pub fn parse_copy_numbers(text: &str, name: &str, limits: &Limits) -> Result<Vec<(String, Vec<Alteration>)>, IoError> {
    let matrix = matrix(text, name, limits)?;
    let mut samples: Vec<(String, Vec<Alteration>)> = matrix.samples.into_iter().map(|name| (name, Vec::new())).collect();
    for (line, gene, row) in &matrix.rows {
        let invalid = |rule: &str| matrix.place.clone().line(*line).invalid(rule);
        let gene = GeneSymbol::new(gene).map_err(|_| invalid("the gene is not a symbol"))?;
        for ((_, alterations), value) in samples.iter_mut().zip(row) {
            let change = match value.map(|value| value * 2.0) {
                None => continue,
                Some(twice) if twice.fract() != 0.0 => return Err(invalid("must be -2, -1, 0, 1 or 2")),
                Some(twice) => match twice as i64 {
                    0 => continue,
                    -4 | -3 => CopyNumber::DeepDeletion, // -1.5 is a deep deletion in studies of the TCGA pan-cancer atlas
                    -2 => CopyNumber::Loss,
                    2 => CopyNumber::Gain,
                    4 => CopyNumber::Amplification,
                    _ => return Err(invalid("must be -2, -1, 0, 1 or 2")),
                },
            };
            alterations.push(Alteration::new(gene.clone(), AlterationKind::CopyNumber(change)));
        }
    }
    Ok(samples)
}
