//! The answer to a question about treatment.

use super::{Evaluation, Risk, Sense, Worth};
use std::fmt;

/// The answer: every plan in order, how sure that order is, and whether it is sure enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Whether one plan can be recommended.
    pub verdict: Verdict,
    /// The name of the standard of care: always one of [`ranked`](Self::ranked), or of [`excluded`](Self::excluded) if it breaks a limit.
    pub standard: String,
    /// What was sought: the endpoint's name.
    pub objective: String,
    /// Whether much or little of it was.
    pub sense: Sense,
    /// How doubt was weighed.
    pub risk: Risk,
    /// The plans that keep within all limits and chance constraints, the most promising first.
    pub ranked: Vec<Ranked>,
    /// The plans that do not, in the order of the question.
    pub excluded: Vec<Excluded>,
    /// What it took.
    pub effort: Effort,
    /// What came of each plan that was simulated in each draw. Its first endpoint is the objective, then the chance constraints, then the
    /// effects.
    pub evaluation: Evaluation,
}

impl Recommendation {
    /// The standard of care, if it keeps within all limits.
    #[must_use]
    pub fn standard(&self) -> Option<&Ranked> {
        self.ranked.iter().find(|ranked| ranked.plan == self.standard)
    }
}

/// Whether one plan can be recommended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// This plan, which may be the standard of care.
    Recommended {
        /// Its name.
        plan: String,
    },
    /// No confident recommendation.
    NotConfident {
        /// The plans that may be best, the most promising first.
        contenders: Vec<String>,
        /// Why.
        doubts: Vec<Doubt>,
        /// What would be worth knowing, the most worth first.
        would_settle: Vec<Worth>,
    },
}

/// Why there is no confident recommendation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// The most promising plan may be worse than the standard of care.
    MayBeWorse {
        /// The probability that it is at least as good.
        probability: f64,
        /// The probability that is asked for.
        needed: f64,
    },
    /// Another plan may be much better.
    Regret {
        /// What not knowing costs, in the unit of the objective.
        expected: f64,
        /// What is tolerated.
        tolerated: f64,
    },
    /// More draws could change the order.
    TooFewDraws {
        /// The plan that may deserve to stand first.
        rival: String,
    },
    /// A reason that was known beforehand.
    Reservation(String),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MayBeWorse { probability, needed } => {
                write!(f, "it is at least as good as the standard of care with probability {probability:.2}, below {needed:.2}")
            }
            Self::Regret { expected, tolerated } => {
                write!(f, "not knowing which plan is best costs {expected:.3} on average, above {tolerated:.3}")
            }
            Self::TooFewDraws { rival } => write!(f, "more draws could put {rival} first"),
            Self::Reservation(reason) => f.write_str(reason),
        }
    }
}

/// An estimate over draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its Monte-Carlo standard error: how far it would move with other draws of the same posterior.
    pub standard_error: f64,
}

/// A plan in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The plan.
    pub plan: String,
    /// Its place in [`Evaluation::plans`].
    pub place: usize,
    /// What it comes to by the objective, in the objective's unit.
    pub score: Estimate,
    /// The 5 % and 95 % quantiles of the objective's endpoint over the draws.
    pub ninety: (f64, f64),
    /// The share of the draws in which no ranked plan does better; plans that tie for best share.
    pub probability_best: f64,
    /// How much worse than the best plan of each draw it is on average, in the objective's unit.
    pub regret: Estimate,
    /// Against the standard of care, draw by draw: what is gained by the objective's endpoint.
    pub gain: Gain,
    /// The share of draws in which each chance constraint holds, in the order of the question.
    pub chances: Vec<(String, f64)>,
    /// Further benefits and harms, in the order of the question.
    pub effects: Vec<Effect>,
}

/// What a plan gains over the standard of care, draw by draw; positive is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// The mean over the draws, with its Monte-Carlo error.
    pub mean: Estimate,
    /// The 5 % and 95 % quantiles over the draws.
    pub ninety: (f64, f64),
    /// The share of draws in which it is better.
    pub better: f64,
    /// The share of draws in which it is worse.
    pub worse: f64,
}

/// A benefit or harm of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Its name.
    pub name: String,
    /// Whether much or little of it is wanted.
    pub sense: Sense,
    /// What it comes to.
    pub score: Estimate,
    /// The 5 % and 95 % quantiles over the draws.
    pub ninety: (f64, f64),
    /// Against the standard of care; positive is better.
    pub gain: Gain,
}

/// A plan that must not be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Excluded {
    /// The plan.
    pub plan: String,
    /// The limits that it breaks, and how.
    pub reasons: Vec<super::Breach>,
}

/// What an answer took.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// How many draws were simulated.
    pub draws: usize,
    /// How many there could have been.
    pub planned: usize,
    /// How many courses were simulated.
    pub courses: usize,
    /// How many courses were not simulated, because the decision was settled.
    pub saved: usize,
    /// Whether it was settled before all draws were simulated.
    pub settled: bool,
}
