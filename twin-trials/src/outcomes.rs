//! What became of one virtual patient.

use crate::{Outcome, TrialError};

/// The outcomes of each arm (arms × endpoints), where an arm's course may have failed; or why the patient could not be drawn.
pub type Assessed = Result<Vec<Result<Vec<Outcome>, TrialError>>, TrialError>;

/// What became of one virtual patient.
#[derive(Debug)]
pub struct Assessment {
    /// The virtual patient's index.
    pub patient: usize,
    /// The outcomes in each arm.
    pub arms: Assessed,
}
