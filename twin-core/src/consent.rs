//! What a patient agreed to, refused and withdrew.

use crate::{CoreError, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What data of a patient may be used for. No purpose implies another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Purpose {
    /// The patient's own treatment.
    Care,
    /// Research on de-identified data.
    Research,
    /// Training of models that outlive the study, population priors included.
    ModelTraining,
    /// Handing data on to others.
    Sharing,
    /// Commercial use.
    CommercialUse,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Care => "care",
            Self::Research => "research",
            Self::ModelTraining => "model training",
            Self::Sharing => "sharing",
            Self::CommercialUse => "commercial use",
        })
    }
}

/// Whether a provision permits or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Ruling {
    /// The use is permitted.
    Permit,
    /// The use is denied.
    Deny,
}

/// One decision on one purpose, in force from `from` (included) until `until` (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedProvision")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provision {
    purpose: Purpose,
    decision: Ruling,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
}

/// The wire form of [`Provision`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct UncheckedProvision {
    purpose: Purpose,
    decision: Ruling,
    #[serde(default)]
    from: Option<Time>,
    #[serde(default)]
    until: Option<Time>,
}

impl TryFrom<UncheckedProvision> for Provision {
    type Error = CoreError;
    fn try_from(unchecked: UncheckedProvision) -> Result<Self, CoreError> {
        Self::new(unchecked.purpose, unchecked.decision, unchecked.from, unchecked.until)
    }
}

impl Provision {
    /// A decision on `purpose`, in force from `from` (without a start if `None`) until just before `until` (without an end if
    /// `None`). A form that runs "to the end of day 30" ends at day 31.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] if the end is not after the start.
    pub fn new(purpose: Purpose, decision: Ruling, from: Option<Time>, until: Option<Time>) -> Result<Self, CoreError> {
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            let detail = format!("ends at {until}, but starts at {from}; the end must be after the start");
            return Err(CoreError::Conflict { what: "a consent provision", detail });
        }
        Ok(Self { purpose, decision, from, until })
    }

    /// A permission without start or end.
    #[must_use]
    pub const fn permit(purpose: Purpose) -> Self {
        Self { purpose, decision: Ruling::Permit, from: None, until: None }
    }

    /// A denial without start or end.
    #[must_use]
    pub const fn deny(purpose: Purpose) -> Self {
        Self { purpose, decision: Ruling::Deny, from: None, until: None }
    }

    /// The purpose decided on.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The decision.
    #[must_use]
    pub const fn decision(&self) -> Ruling {
        self.decision
    }

    /// The first moment at which the decision is in force, if it has one.
    #[must_use]
    pub const fn from(&self) -> Option<Time> {
        self.from
    }

    /// The first moment at which the decision is no longer in force, if there is one.
    #[must_use]
    pub const fn until(&self) -> Option<Time> {
        self.until
    }

    fn has_begun(&self, at: Time) -> bool {
        self.from.is_none_or(|from| from <= at)
    }

    fn has_ended(&self, at: Time) -> bool {
        self.until.is_some_and(|until| until <= at)
    }
}

/// A withdrawal of earlier permissions, for one purpose or for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Withdrawal {
    /// When permission was withdrawn.
    pub time: Time,
    /// The purpose; every purpose if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

impl Withdrawal {
    /// A withdrawal of permission for `purpose`.
    #[must_use]
    pub const fn of(purpose: Purpose, time: Time) -> Self {
        Self { time, purpose: Some(purpose) }
    }

    /// A withdrawal of every permission.
    #[must_use]
    pub const fn of_all(time: Time) -> Self {
        Self { time, purpose: None }
    }
}

/// What the record says on one purpose at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ConsentState {
    /// A permission is in force.
    Permitted,
    /// A denial is in force.
    Denied,
    /// Permission was withdrawn and not given anew.
    Withdrawn,
    /// Permission has run out.
    Lapsed,
    /// Permission begins only later.
    Pending,
    /// Nothing on record decides.
    NotRecorded,
}

impl fmt::Display for ConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permitted => "permitted",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Lapsed => "lapsed",
            Self::Pending => "not yet in force",
            Self::NotRecorded => "not recorded",
        })
    }
}

/// Everything a patient agreed to, refused or withdrew; by default nothing is recorded.
///
/// ```
/// use twin_core::{Consent, ConsentState, Provision, Purpose, Time, Withdrawal};
/// let day = |days| Time::from_days(days);
/// let mut consent = Consent::default();
/// consent.record(Provision::permit(Purpose::ModelTraining));
/// assert!(consent.require(Purpose::ModelTraining, day(5.0)?).is_ok());
///
/// consent.withdraw(Withdrawal::of_all(day(10.0)?));
/// assert_eq!(consent.state(Purpose::ModelTraining, day(10.0)?), ConsentState::Withdrawn);
/// assert!(consent.require(Purpose::ModelTraining, day(10.0)?).is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Consent {
    /// Permissions and denials, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provisions: Vec<Provision>,
    /// Withdrawals, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawals: Vec<Withdrawal>,
}

impl Consent {
    /// Adds a permission or a denial.
    pub fn record(&mut self, provision: Provision) {
        self.provisions.push(provision);
    }

    /// Adds a withdrawal.
    pub fn withdraw(&mut self, withdrawal: Withdrawal) {
        self.withdrawals.push(withdrawal);
    }

    /// What the record says on `purpose` at `at`. The first rule that applies decides:
    ///
    /// 1. A denial in force: [`Denied`](ConsentState::Denied), whatever else is permitted.
    /// 2. A permission in force that begins after the last withdrawal up to `at`: [`Permitted`](ConsentState::Permitted). A
    ///    permission without a start, or with one at the moment of the withdrawal, is withdrawn.
    /// 3. A permission after the last withdrawal that has ended: [`Lapsed`](ConsentState::Lapsed).
    /// 4. A withdrawal: [`Withdrawn`](ConsentState::Withdrawn).
    /// 5. A permission that begins later: [`Pending`](ConsentState::Pending).
    /// 6. [`NotRecorded`](ConsentState::NotRecorded).
    ///
    /// Decisions and withdrawals after `at` never change the answer for `at`, but for a permission known to begin later.
    #[must_use]
    pub fn state(&self, purpose: Purpose, at: Time) -> ConsentState {
        let of_purpose = || self.provisions.iter().filter(move |provision| provision.purpose == purpose);
        let in_force = |provision: &Provision| provision.has_begun(at) && !provision.has_ended(at);
        if of_purpose().any(|provision| provision.decision == Ruling::Deny && in_force(provision)) {
            return ConsentState::Denied;
        }
        let concerns = |withdrawal: &&Withdrawal| withdrawal.purpose.is_none_or(|p| p == purpose) && withdrawal.time <= at;
        let withdrawn = self.withdrawals.iter().filter(concerns).map(|withdrawal| withdrawal.time).max();
        let stands = |provision: &&Provision| withdrawn.is_none_or(|time| provision.from.is_some_and(|from| from > time));
        let permits = || of_purpose().filter(|provision| provision.decision == Ruling::Permit);
        if permits().filter(stands).any(in_force) {
            ConsentState::Permitted
        } else if permits().filter(stands).any(|provision| provision.has_ended(at)) {
            ConsentState::Lapsed
        } else if withdrawn.is_some() {
            ConsentState::Withdrawn
        } else if permits().any(|provision| !provision.has_begun(at)) {
            ConsentState::Pending
        } else {
            ConsentState::NotRecorded
        }
    }

    /// Refuses a use that the record speaks against: denied, withdrawn, lapsed or not yet in force.
    ///
    /// Where nothing is recorded, care and research pass: care rests on other grounds, and this crate holds no direct identifier,
    /// so that research is on de-identified data by construction (whoever loads the data answers for it). Every other purpose
    /// needs a permission on record. Use [`require_recorded`](Self::require_recorded) where research does, too.
    ///
    /// # Errors
    /// [`CoreError::Consent`] with the reason.
    pub fn require(&self, purpose: Purpose, at: Time) -> Result<(), CoreError> {
        match (self.state(purpose, at), purpose) {
            (ConsentState::Permitted, _) | (ConsentState::NotRecorded, Purpose::Care | Purpose::Research) => Ok(()),
            (state, _) => Err(refusal(purpose, state, at)),
        }
    }

    /// Refuses a use for which no permission on record is in force, whatever the purpose.
    ///
    /// # Errors
    /// [`CoreError::Consent`] with the reason.
    pub fn require_recorded(&self, purpose: Purpose, at: Time) -> Result<(), CoreError> {
        match self.state(purpose, at) {
            ConsentState::Permitted => Ok(()),
            state => Err(refusal(purpose, state, at)),
        }
    }
}

fn refusal(purpose: Purpose, state: ConsentState, at: Time) -> CoreError {
    CoreError::Consent { purpose: purpose.to_string(), reason: format!("{state} at {at}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ConsentState::{Denied, Lapsed, NotRecorded, Pending, Permitted, Withdrawn};
    use proptest::prelude::*;

    fn day(days: i32) -> Time {
        Time::from_days(f64::from(days)).unwrap()
    }

    fn provision(decision: Ruling, from: Option<i32>, until: Option<i32>) -> Provision {
        Provision::new(Purpose::Research, decision, from.map(day), until.map(day)).unwrap()
    }

    fn consent(provisions: &[Provision], withdrawals: &[i32]) -> Consent {
        let withdrawals = withdrawals.iter().map(|time| Withdrawal::of_all(day(*time))).collect();
        Consent { provisions: provisions.to_vec(), withdrawals }
    }

    fn states(consent: &Consent, days: &[i32]) -> Vec<ConsentState> {
        days.iter().map(|at| consent.state(Purpose::Research, day(*at))).collect()
    }

    #[test]
    fn a_permission_is_in_force_from_its_start_until_before_its_end() {
        let consent = consent(&[provision(Ruling::Permit, Some(2), Some(9))], &[]);
        assert_eq!(states(&consent, &[1, 2, 8, 9, 99]), [Pending, Permitted, Permitted, Lapsed, Lapsed]);
        assert_eq!(consent.state(Purpose::Sharing, day(5)), NotRecorded);
    }

    #[test]
    fn a_denial_beats_a_permission_while_it_is_in_force() {
        let consent = consent(&[provision(Ruling::Permit, None, None), provision(Ruling::Deny, Some(3), Some(6))], &[]);
        assert_eq!(states(&consent, &[2, 3, 5, 6]), [Permitted, Denied, Denied, Permitted]);
    }

    #[test]
    fn a_withdrawal_beats_earlier_permissions_and_a_later_one_reinstates() {
        let permits = [provision(Ruling::Permit, None, None), provision(Ruling::Permit, Some(20), Some(30))];
        let consent = consent(&permits, &[10]);
        assert_eq!(states(&consent, &[9, 10, 19, 20, 30]), [Permitted, Withdrawn, Withdrawn, Permitted, Lapsed]);
    }

    #[test]
    fn a_withdrawal_at_the_moment_of_a_permission_wins() {
        let consent = consent(&[provision(Ruling::Permit, Some(4), None)], &[4]);
        assert_eq!(states(&consent, &[3, 4, 5]), [Pending, Withdrawn, Withdrawn]);
    }

    #[test]
    fn a_withdrawal_of_one_purpose_leaves_the_others() {
        let mut consent = Consent::default();
        consent.record(Provision::permit(Purpose::Sharing));
        consent.record(Provision::permit(Purpose::Research));
        consent.withdraw(Withdrawal::of(Purpose::Sharing, day(1)));
        assert_eq!(consent.state(Purpose::Sharing, day(2)), Withdrawn);
        assert_eq!(consent.state(Purpose::Research, day(2)), Permitted);
    }

    #[test]
    fn without_a_record_only_care_and_research_pass() {
        let nothing = Consent::default();
        for (purpose, passes) in [
            (Purpose::Care, true),
            (Purpose::Research, true),
            (Purpose::ModelTraining, false),
            (Purpose::Sharing, false),
            (Purpose::CommercialUse, false),
        ] {
            assert_eq!(nothing.require(purpose, Time::ORIGIN).is_ok(), passes, "{purpose}");
            assert!(nothing.require_recorded(purpose, Time::ORIGIN).is_err(), "{purpose}");
        }
    }

    #[test]
    fn refusals_are_typed_and_say_why() {
        let lapsed = consent(&[provision(Ruling::Permit, None, Some(3))], &[]).require(Purpose::Research, day(3)).unwrap_err();
        assert_eq!(lapsed, CoreError::Consent { purpose: "research".into(), reason: "lapsed at day 3".into() });
        assert!(consent(&[provision(Ruling::Deny, None, None)], &[]).require(Purpose::Research, day(0)).is_err());
        assert!(consent(&[], &[2]).require(Purpose::Research, day(3)).is_err());
        assert!(consent(&[provision(Ruling::Permit, Some(5), None)], &[]).require(Purpose::Research, day(3)).is_err());
        assert!(consent(&[provision(Ruling::Permit, Some(5), None)], &[]).require_recorded(Purpose::Research, day(5)).is_ok());
    }

    #[test]
    fn refuses_a_provision_that_ends_before_it_starts() {
        assert!(Provision::new(Purpose::Care, Ruling::Permit, Some(day(3)), Some(day(3))).is_err());
        let text = r#"{"provisions":[{"purpose":"care","decision":"permit","from":3.0,"until":2.0}]}"#;
        assert!(serde_json::from_str::<Consent>(text).is_err());
        assert!(serde_json::from_str::<Consent>(r#"{"provision":[]}"#).is_err());
        let misspelled = r#"{"provisions":[{"purpose":"care","decision":"permit","untill":2.0}]}"#;
        assert!(serde_json::from_str::<Consent>(misspelled).is_err());
    }

    #[test]
    fn survives_a_round_trip() {
        let mut consent = consent(&[provision(Ruling::Permit, Some(1), None), provision(Ruling::Deny, None, Some(7))], &[3]);
        consent.withdraw(Withdrawal::of(Purpose::Sharing, day(4)));
        let text = serde_json::to_string(&consent).unwrap();
        assert_eq!(serde_json::from_str::<Consent>(&text).unwrap(), consent);
        assert_eq!(serde_json::from_str::<Consent>("{}").unwrap(), Consent::default());
    }

    proptest! {
        #[test]
        fn later_withdrawals_and_denials_do_not_change_the_past(
            permits in proptest::collection::vec((0_i32..20, 1_i32..20), 0..5),
            withdrawals in proptest::collection::vec(0_i32..20, 0..4),
            at in 0_i32..20,
        ) {
            let provisions: Vec<_> =
                permits.iter().map(|(from, length)| provision(Ruling::Permit, Some(*from), Some(from + length))).collect();
            let mut consent = consent(&provisions, &withdrawals);
            let before = consent.state(Purpose::Research, day(at));
            consent.withdraw(Withdrawal::of_all(day(at + 1)));
            consent.record(provision(Ruling::Deny, Some(at + 1), None));
            prop_assert_eq!(consent.state(Purpose::Research, day(at)), before);
            prop_assert_eq!(consent.state(Purpose::Research, day(at + 1)), Denied);
        }

        #[test]
        fn order_of_record_does_not_matter(
            permits in proptest::collection::vec((0_i32..20, 1_i32..20, any::<bool>()), 0..6),
            withdrawals in proptest::collection::vec(0_i32..20, 0..4),
            at in 0_i32..40,
        ) {
            let decision = |permit| if permit { Ruling::Permit } else { Ruling::Deny };
            let provisions: Vec<_> = permits.iter().map(|(f, l, p)| provision(decision(*p), Some(*f), Some(f + l))).collect();
            let forward = consent(&provisions, &withdrawals);
            let mut backward = forward.clone();
            backward.provisions.reverse();
            backward.withdrawals.reverse();
            prop_assert_eq!(forward.state(Purpose::Research, day(at)), backward.state(Purpose::Research, day(at)));
        }
    }
}
