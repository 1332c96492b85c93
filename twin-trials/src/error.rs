//! The one error type of this crate.

use std::path::PathBuf;
use twin_calibrate::CalibrationError;
use twin_core::{CoreError, Span, Time};
use twin_models::SimulationError;

/// What can go wrong between a question about treatment and the report that answers it.
///
/// Every variant names what was being made, the offending value and what would be valid. Values that could identify a person are
/// never carried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// A number is NaN or infinite.
    #[error("{what} number {index} is {value}, but must be finite")]
    NotFinite {
        /// The list or field that holds the number.
        what: &'static str,
        /// The place of the number in its list, counted from 0; 0 for a lone number.
        index: usize,
        /// The value that was offered.
        value: f64,
    },
    /// A number lies outside the range in which the question has a meaning.
    #[error("{what} number {index} is {value}, but must be {valid}")]
    OutOfRange {
        /// The list or field that holds the number.
        what: &'static str,
        /// The place of the number in its list, counted from 0; 0 for a lone number.
        index: usize,
        /// The value that was offered.
        value: f64,
        /// The valid range, in words.
        valid: &'static str,
    },
    /// A list or a text that must hold something is empty.
    #[error("{what} is empty")]
    Empty {
        /// The list or text.
        what: &'static str,
    },
    /// A count lies outside the range in which the question has a meaning.
    #[error("{what} is {count}, but must be {valid}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// The count that was offered.
        count: usize,
        /// The valid range, in words.
        valid: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{what} has {found} entries, but must have {expected}, as {reference} has")]
    Length {
        /// The list that does not fit.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The list that it must match.
        reference: &'static str,
        /// The length of that list.
        expected: usize,
    },
    /// A survival curve was asked for a time at which nobody was under observation any more.
    #[error("survival is not known at time {time}: the last follow-up, still without the event, ends at {last}")]
    BeyondFollowUp {
        /// The time that was asked for, in the unit of the follow-up.
        time: f64,
        /// The end of the longest follow-up, in the same unit.
        last: f64,
    },
    /// The groups cannot be compared: no two of them are at risk together while events happen, or nothing varies between them.
    #[error("the {groups} groups cannot be compared: {events} events were seen while at least two groups were at risk")]
    NothingToCompare {
        /// The number of groups.
        groups: usize,
        /// The number of events seen while at least two groups were at risk.
        events: usize,
    },
    /// A search for the most likely coefficients did not settle.
    #[error("the {what} did not settle within {iterations} steps")]
    NotConverged {
        /// What was being fitted.
        what: &'static str,
        /// How many steps were tried.
        iterations: usize,
    },
    /// The data do not say what a coefficient is: its covariate does not vary, follows from the others, or separates the events.
    #[error(
        "the {what} cannot tell the coefficient of `{name}`: it does not vary, follows from the others, or separates the events"
    )]
    NotIdentified {
        /// What was being fitted.
        what: &'static str,
        /// The coefficient at fault.
        name: String,
    },
    /// No design within the bounds of the search meets what is asked of it.
    #[error("no {what} meets what is asked within {bound}")]
    NoDesign {
        /// The kind of design.
        what: &'static str,
        /// The bounds of the search, in words.
        bound: String,
    },
    /// A patient lies outside the population that a model was trained on.
    #[error(
        "the patient lies outside the population: {share:.3} of it lie as far out, fewer than {level}; \
         most unusual is `{variable}`, {deviations:.1} standard deviations from the mean"
    )]
    OutsidePopulation {
        /// The share of the population that lies at least as far out.
        share: f64,
        /// The least share that is taken as inside.
        level: f64,
        /// The variable in which the patient is most unusual.
        variable: String,
        /// By how many standard deviations.
        deviations: f64,
    },
    /// A trial cannot be run as it is designed.
    #[error("{what} of the trial must be {valid}")]
    Design {
        /// The part of the design.
        what: &'static str,
        /// What would be valid.
        valid: &'static str,
    },
    /// Two arms have the same name.
    #[error("two arms are called `{name}`")]
    DuplicateArm {
        /// The name.
        name: String,
    },
    /// Nothing in the trial has that name.
    #[error("there is no `{name}`; there are: {}", known.join(", "))]
    UnknownName {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A cohort draws a parameter that neither the model nor an error of the trial has.
    #[error("the cohort draws `{name}`, but neither the model nor an error of the trial has it; they have: {}", known.join(", "))]
    UnknownParameter {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The past of a virtual patient is out of order, or reaches into the future.
    #[error("{what} number {index} of the patient's past lies at {at}, but must lie between {from} and {until}")]
    PastOrder {
        /// Whether it is a treatment or an observation.
        what: &'static str,
        /// The place in its list, counted from 0.
        index: usize,
        /// When it was.
        at: Time,
        /// The entry before it, or the start of the model.
        from: Time,
        /// When the policy takes over.
        until: Time,
    },
    /// A policy scheduled a treatment for a time that has passed.
    #[error("at {now} a policy scheduled {treatment} for {at}, but nothing may lie before its decision")]
    Scheduled {
        /// The treatment.
        treatment: String,
        /// When it was to be given.
        at: Time,
        /// When the policy decided.
        now: Time,
    },
    /// The course of a plan does not show what an endpoint needs, or ended before the horizon without its event.
    #[error(
        "the endpoint `{endpoint}` cannot be evaluated on the course, or the course ended before the horizon without its event"
    )]
    NotEvaluable {
        /// The endpoint.
        endpoint: String,
    },
    /// A decision variable, or a value of it, is not valid.
    #[error("decision variable `{name}`: {detail}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// There is no derivative by the doses of a plan.
    #[error("no derivative by dose: {detail}")]
    NoSlope {
        /// Why there is none.
        detail: String,
    },
    /// Two limits or chance constraints have the same name.
    #[error("two limits are called `{name}`")]
    DuplicateLimit {
        /// The name.
        name: String,
    },
    /// A plan gives something before it takes over, or after one stops to look.
    #[error("the plan `{plan}` gives something outside the {horizon} that are looked at")]
    PlanBeyondHorizon {
        /// The plan.
        plan: String,
        /// How long is looked.
        horizon: Span,
    },
    /// No plan keeps within all limits.
    #[error("none of {plans} plans keeps within all of these limits together, though without any one of them some plan keeps the others: {}", limits.join("; "))]
    Infeasible {
        /// How many plans were looked at.
        plans: usize,
        /// The limits in conflict: leave any of them away, and some plan keeps the rest of them.
        limits: Vec<String>,
    },
    /// There is no virtual patient of that number.
    #[error("there is no virtual patient {index}; the trial has {size}, from 0")]
    NoSuchPatient {
        /// The number that was asked for.
        index: usize,
        /// How many there are.
        size: usize,
    },
    /// A cohort without patients.
    #[error("the cohort has no patients")]
    EmptyCohort,
    /// A patient has no past that a policy could take over.
    #[error("the patient has no history up to {since}, when the policy is to take over")]
    Past {
        /// When the policy is to take over.
        since: Time,
    },
    /// No draw of a prior fell into the ranges of the model.
    #[error("virtual patient {index}: none of {attempts} draws of the prior lies in the ranges of the model")]
    Draw {
        /// The patient's index.
        index: usize,
        /// How often it was tried.
        attempts: usize,
        /// What was wrong with the last one.
        source: Box<SimulationError>,
    },
    /// More courses failed than tolerated.
    #[error("{failed} of {of} courses failed, more than tolerated; the first of them because: {source}")]
    TooManyFailures {
        /// How many failed.
        failed: usize,
        /// How many there were.
        of: usize,
        /// Why the first one failed.
        source: Box<TrialError>,
    },
    /// What went wrong in a course, as a file of outcomes tells it.
    #[error("{error}")]
    Recorded {
        /// What went wrong, in words.
        error: String,
    },
    /// A file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {detail}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what can be done.
        detail: String,
    },
    /// Shards were not run yet.
    #[error("{} of {of} shards are missing, number {} first", missing.len(), missing.first().copied().unwrap_or_default())]
    MissingShards {
        /// Their numbers, from 0.
        missing: Vec<usize>,
        /// How many shards there are.
        of: usize,
    },
    /// A table could not be written.
    #[error("the table could not be written: {source}")]
    Output {
        /// What the writer says.
        source: std::io::Error,
    },
    /// The trial was asked to stop before the first patient was through.
    #[error("the trial was stopped before its first patient was through")]
    Stopped,
    /// A model could not be run.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A posterior could not be used.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// A noun of the clinic is not valid.
    #[error(transparent)]
    Core(#[from] CoreError),
}
