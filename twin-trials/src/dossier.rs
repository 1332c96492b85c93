//! Credibility dossiers: what a twin or a trial that was run can show for itself, in the order in which regulators and readers ask.
//!
//! A [`Dossier`] takes what it can from the run — model, parameters with their sources, data with their provenance, record of the
//! calibration, failures, outcomes, measured numerical error — and what only people know from an [`Intent`]. What neither gives is
//! written as *open*, with what is missing. Nothing is invented, and nothing is graded that was not measured.
//!
//! | part | after |
//! |---|---|
//! | question of interest, context of use, model risk | ASME V&V 40-2018; FDA 2023, Assessing the Credibility of Computational Modeling and Simulation in Medical Device Submissions (docket FDA-2021-D-0980); ICH M15, General Principles for Model-Informed Drug Development |
//! | credibility factors: verification, validation, applicability | the 13 factors of ASME V&V 40-2018, table 5-1; their names were confirmed in secondary sources |
//! | checklist of reporting | TRIPOD+AI, Collins et al. 2024, BMJ 385:e078378, doi:10.1136/bmj-2023-078378 |
//! | model card | Mitchell et al. 2019, doi:10.1145/3287560.3287596 |
//!
//! The texts of the items are this library's words for them. A dossier is a start for those who must judge a model, not a judgment:
//! no standard is met by filling in a form.
//!
//! ```
//! use std::sync::Arc;
//! use twin_calibrate::living::{Assumptions, Twin};
//! use twin_calibrate::{IndependentPrior, Marginal, NormalError};
//! use twin_core::{Observable, Patient, Random, SubjectId, Time};
//! use twin_models::growth;
//! use twin_trials::dossier::{Dossier, Graded, Intent, Level};
//!
//! let prior = IndependentPrior::new([("growth_rate", Marginal::LogNormal { median: 0.04, sd: 0.6 })])?;
//! let error = Arc::new(NormalError::new(10.0, 0.0));
//! let model = Arc::new(growth::exponential());
//! let assumptions = Assumptions::new(model, Arc::new(prior), Observable::TUMOR_VOLUME, error, Time::ORIGIN)?;
//! let twin = Twin::unseen(assumptions, Patient::new(SubjectId::new("P1")?), 200, &mut Random::new(1))?;
//!
//! let intent = Intent {
//!     question: Some("How large is the tumor in three months without treatment?".to_owned()),
//!     influence: Some(Graded::new(Level::Low, "read beside the scan, which decides")),
//!     ..Intent::default()
//! };
//! let dossier = Dossier::of_twin(&twin, intent)?;
//! assert!(dossier.open() > 0, "much is still to be said of this model");
//! assert!(dossier.to_report()?.to_html()?.contains("TRIPOD+AI"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod card;
mod factors;
mod facts;
mod intent;
mod page;
mod refinement;
mod tripod;

pub use answer::{Answer, Item};
pub use intent::{CodeVerification, Graded, Intent, Level};
pub use refinement::{Refinement, refine_trial, refine_twin};

use crate::report::Report;
use crate::{Trial, TrialError, TrialReport};
use facts::Facts;
use twin_calibrate::living::Twin;

/// A credibility dossier of a twin or of a trial that was run.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// What people say of the use of the model.
    pub intent: Intent,
    /// What rerunning at a finer numerical setting changed, from [`refine_twin`] or [`refine_trial`]; empty where that was not done.
    pub refinements: Vec<Refinement>,
    /// How the code was verified; `None` where the caller does not say.
    pub code: Option<CodeVerification>,
    facts: Facts,
}

impl Dossier {
    /// What `twin` can show for itself.
    ///
    /// # Errors
    /// [`TrialError::Calibration`] if draws of its posterior cannot be read.
    pub fn of_twin(twin: &Twin, intent: Intent) -> Result<Self, TrialError> {
        Ok(Self { intent, refinements: Vec::new(), code: None, facts: Facts::of_twin(twin)? })
    }

    /// What `trial` and the `report` of its run can show for themselves.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`] if `report` is not of `trial`; those of [`statistics`](crate::statistics) for outcomes that are no
    /// times or numbers.
    pub fn of_trial(trial: &Trial, report: &TrialReport, intent: Intent) -> Result<Self, TrialError> {
        Ok(Self { intent, refinements: Vec::new(), code: None, facts: Facts::of_trial(trial, report)? })
    }

    /// The same dossier with what a finer numerical setting changed.
    #[must_use]
    pub fn refined(mut self, refinements: impl IntoIterator<Item = Refinement>) -> Self {
        self.refinements.extend(refinements);
        self
    }

    /// The same dossier with how the code was verified.
    #[must_use]
    pub fn verified(mut self, code: CodeVerification) -> Self {
        self.code = Some(code);
        self
    }

    /// Question, context and risk: the head of ASME V&V 40 and of ICH M15.
    #[must_use]
    pub fn use_and_risk(&self) -> Vec<Item> {
        factors::use_and_risk(self)
    }

    /// The credibility factors of ASME V&V 40, with the category of evidence by FDA 2023 that each belongs to.
    #[must_use]
    pub fn factors(&self) -> Vec<Item> {
        factors::factors(self)
    }

    /// The items of TRIPOD+AI.
    #[must_use]
    pub fn tripod(&self) -> Vec<Item> {
        tripod::items(self)
    }

    /// The sections of the model card.
    #[must_use]
    pub fn card(&self) -> Vec<Item> {
        card::items(self)
    }

    /// How many items of all parts are open.
    #[must_use]
    pub fn open(&self) -> usize {
        let parts = [self.use_and_risk(), self.factors(), self.tripod(), self.card()];
        parts.iter().flatten().filter(|item| matches!(item.answer, Answer::Open(_))).count()
    }

    /// The dossier as a report; [`Report::to_html`] makes one page of it.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`] for an answer of the intent to an item that TRIPOD+AI does not have.
    pub fn to_report(&self) -> Result<Report, TrialError> {
        tripod::check(&self.intent)?;
        page::report(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
