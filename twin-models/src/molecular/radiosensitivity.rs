//! The radiosensitivity index and the genomic adjusted radiation dose.

use crate::check::{not_negative, open_proportion, within};
use twin_core::{AbsorbedDose, CoreError};

/// The genes of the index, in the order of their coefficients.
pub const RSI_GENES: [&str; 10] = ["AR", "JUN", "STAT1", "PRKCB", "RELA", "ABL1", "SUMO1", "PAK2", "HDAC1", "IRF1"];

const COEFFICIENTS: [f64; 10] = [
    -0.009_800_9,
    0.012_828_3,
    0.025_455_2,
    -0.001_758_9,
    -0.003_817_1,
    0.107_021_3,
    -0.000_250_9,
    -0.009_243_1,
    -0.020_446_9,
    -0.044_168_3,
];

/// The radiosensitivity index, the expected share that survives 2 Gy, from the ranks 1 to 10 of the expression of [`RSI_GENES`] among
/// each other (10 the highest).
///
/// Eschrich et al. 2009, doi:10.1016/j.ijrobp.2009.06.014. It takes ranks and never expression: some scripts feed logarithms.
///
/// # Errors
/// [`CoreError::Conflict`] unless the ten ranks are 1 to 10, each once.
///
/// ```
/// use twin_models::molecular::radiosensitivity_index;
/// assert!(radiosensitivity_index(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]).is_ok());
/// assert!(radiosensitivity_index(&[7.1, 8.4, 9.9, 6.0, 9.2, 7.7, 10.1, 9.0, 8.8, 7.3]).is_err()); // log expression
/// ```
pub fn radiosensitivity_index(ranks: &[f64; 10]) -> Result<f64, CoreError> {
    let mut sorted = *ranks;
    sorted.sort_by(f64::total_cmp);
    if sorted.iter().zip(1..=10).any(|(rank, expected)| (rank - f64::from(expected)).abs() > 0.0) {
        let detail = format!("{ranks:?} are not the ranks 1 to 10, each once; rank the ten genes among each other first");
        return Err(CoreError::Conflict { what: "radiosensitivity index", detail });
    }
    Ok(ranks.iter().zip(COEFFICIENTS).map(|(rank, coefficient)| rank * coefficient).sum())
}

/// The radiosensitivity that an index implies: `α_g` from `RSI = exp(-n d (α_g + β d))` at one fraction of 2 Gy.
///
/// Scott et al. 2017, doi:10.1016/S1470-2045(16)30648-9.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GenomicRadiosensitivity {
    alpha: f64,
    beta: f64,
}

impl GenomicRadiosensitivity {
    /// β of the publication, per Gy².
    pub const BETA: f64 = 0.05;

    /// From an `index` between 0 and 1, with [`BETA`](Self::BETA).
    ///
    /// # Errors
    /// [`CoreError`] for an index that is not between 0 and 1.
    pub fn new(index: f64) -> Result<Self, CoreError> {
        Self::with_beta(index, Self::BETA)
    }

    /// From an `index` between 0 and 1 with another `beta` per Gy². At 2 Gy a fraction `beta` cancels out of the genomic dose: only another
    /// dose per fraction tells.
    ///
    /// # Errors
    /// [`CoreError`] for an index that is not between 0 and 1 or a `beta` that is negative.
    pub fn with_beta(index: f64, beta: f64) -> Result<Self, CoreError> {
        let index = open_proportion("radiosensitivity index", index)?;
        let beta = not_negative("beta per Gy2", beta)?;
        Ok(Self { alpha: -index.ln() / 2.0 - 2.0 * beta, beta })
    }

    /// `α_g`, per Gy; negative for an index that `β` alone explains.
    #[must_use]
    pub const fn alpha(self) -> f64 {
        self.alpha
    }

    /// The genomic adjusted radiation dose of `fractions` of `dose`: `n d (α_g + β d)`.
    #[must_use]
    pub fn adjusted_dose(self, fractions: u32, dose: AbsorbedDose) -> f64 {
        let d = dose.gray();
        f64::from(fractions) * d * (self.alpha + self.beta * d)
    }

    /// Fractions of `dose` that reach an adjusted dose of at least `target`.
    ///
    /// # Errors
    /// [`CoreError`] for a target that is negative, or that fractions of this dose never reach.
    pub fn fractions_for(self, target: f64, dose: AbsorbedDose) -> Result<f64, CoreError> {
        let each = self.adjusted_dose(1, dose);
        let each = within("adjusted dose of one fraction", each, each > 0.0, "above 0, or no number of fractions is enough")?;
        Ok((not_negative("adjusted dose", target)? / each).ceil())
    }
}
