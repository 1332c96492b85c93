//! Designs of trials: how many patients, when to look, when to stop, who gets what.
//!
//! | question | answer |
//! |---|---|
//! | is a drug active enough to go on, with few patients treated in vain? | [`SimonTwoStage`] |
//! | when may a trial stop early without more false alarms? | [`GroupSequential`], [`Spending`] |
//! | how many events does a comparison of survival need? | [`schoenfeld_events`], [`schoenfeld_power`] |
//! | which dose is given to the next cohort? | [`ThreePlusThree`], [`Boin`], [`ReassessmentMethod`] |
//! | which doses would such a rule choose? | [`exact_characteristics`], by simulation [`operating_characteristics`] |
//! | who is allocated to which arm? | [`Simple`], [`PermutedBlocks`], [`Stratified`], [`Minimization`], [`PlayTheWinner`] |
//! | how often would a whole trial succeed, and how large must it be? | [`simulate_power`], [`sample_size`], [`SurvivalTrial`] |

mod boin;
mod dose_finding;
mod enumeration;
mod events;
mod group_sequential;
mod randomization;
mod reassessment;
mod simon;
mod simulation;
mod three_plus_three;

pub use boin::Boin;
pub use dose_finding::{DoseFinding, DoseStep, OperatingCharacteristics, Treated, operating_characteristics};
pub use enumeration::{Ending, ExactCharacteristics, exact_characteristics};
pub use events::{schoenfeld_events, schoenfeld_power};
pub use group_sequential::{Boundary, GroupSequential, Spending};
pub use randomization::{Allocation, Minimization, PermutedBlocks, PlayTheWinner, Simple, Stratified};
pub use reassessment::ReassessmentMethod;
pub use simon::{SimonTwoStage, TwoStageDesign};
pub use simulation::{SurvivalData, SurvivalTrial, sample_size, simulate_power};
pub use three_plus_three::{ThreePlusThree, ThreePlusThreeOutcome};
