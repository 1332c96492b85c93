//! Claims: published or certified numbers, each with the run of ours that is held against it.

mod clones;
mod design;
mod effect;
mod engine;
mod growth;
mod immune;
mod io;
mod ivp;
mod kinetics;
mod laleh2022;
mod living;
mod molecular;
mod nlme;
mod privacy;
mod psa_models;
mod radiation;
mod real_psa;
mod recist;
mod responses;
mod sbc;
mod solver;
mod spatial;
mod strobl2021;
mod studies;
mod survival;
mod toxicity;
mod tumortwin;

use std::time::Instant;

/// What one run of ours came to.
pub type Ours = Result<f64, String>;

/// A number that someone published, or that another method computed, and how ours is computed.
pub struct Claim {
    /// Unique id: source, dot, what.
    pub id: String,
    /// What is claimed, in words.
    pub claim: String,
    /// Where the number stands.
    pub source: &'static str,
    /// The number; `None` if the claim is a range given by its tolerance alone.
    pub expected: f64,
    /// By how much ours may differ, in the unit of the number.
    pub tolerance: f64,
    /// Whether it is fast enough for every run.
    pub quick: bool,
    /// Computes ours; `Ok(None)` if the data are absent.
    pub run: Box<dyn Fn() -> Result<Option<f64>, String> + Send + Sync>,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claim({})", self.id)
    }
}

/// How a claim came out.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Verdict {
    /// The claim's id.
    pub id: String,
    /// What is claimed.
    pub claim: String,
    /// Where the number stands.
    pub source: String,
    /// The number.
    pub expected: f64,
    /// By how much ours may differ.
    pub tolerance: f64,
    /// Ours, if it could be computed.
    pub ours: Option<f64>,
    /// `pass`, `fail`, or `open` if the data are absent.
    pub verdict: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// Why ours could not be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Claim {
    /// A claim that is checked in every run.
    pub fn quick(
        id: impl Into<String>,
        claim: impl Into<String>,
        source: &'static str,
        (expected, tolerance): (f64, f64),
        run: impl Fn() -> Ours + Send + Sync + 'static,
    ) -> Self {
        let run = move || run().map(Some);
        Self { id: id.into(), claim: claim.into(), source, expected, tolerance, quick: true, run: Box::new(run) }
    }

    /// Computes ours and compares.
    #[must_use]
    pub fn check(&self) -> Verdict {
        let start = Instant::now();
        let (ours, reason) = match (self.run)() {
            Ok(ours) => (ours, None),
            Err(reason) => (None, Some(reason)),
        };
        let verdict = match (ours, &reason) {
            (Some(ours), _) if (ours - self.expected).abs() <= self.tolerance => "pass",
            (None, None) => "open",
            _ => "fail",
        };
        Verdict {
            id: self.id.clone(),
            claim: self.claim.clone(),
            source: self.source.to_owned(),
            expected: self.expected,
            tolerance: self.tolerance,
            ours,
            verdict,
            seconds: start.elapsed().as_secs_f64(),
            reason,
        }
    }
}

/// Every claim, in the order of the table.
#[must_use]
pub fn all() -> Vec<Claim> {
    let mut claims = growth::claims();
    claims.extend(clones::claims());
    claims.extend(effect::claims());
    claims.extend(immune::claims());
    claims.extend(ivp::claims());
    claims.extend(kinetics::claims());
    claims.extend(molecular::claims());
    claims.extend(psa_models::claims());
    claims.extend(radiation::claims());
    claims.extend(responses::claims());
    claims.extend(toxicity::claims());
    claims.extend(solver::claims());
    claims.extend(spatial::claims());
    claims.extend(tumortwin::claims());
    claims.extend(strobl2021::claims());
    claims.extend(real_psa::claims());
    claims.extend(nlme::claims());
    claims.extend(living::claims());
    claims.extend(laleh2022::claims());
    claims.extend(sbc::claims());
    claims.extend(io::claims());
    claims.extend(survival::claims());
    claims.extend(design::claims());
    claims.extend(recist::claims());
    claims.extend(engine::claims());
    claims.extend(studies::claims());
    claims.extend(privacy::claims());
    claims
}

/// A claim of the number `expected`, to the place of `digit`: half of it is the tolerance.
fn digits(
    id: impl Into<String>,
    claim: impl Into<String>,
    source: &'static str,
    (expected, digit): (f64, f64),
    run: impl Fn() -> Ours + Send + Sync + 'static,
) -> Claim {
    Claim::quick(id, claim, source, (expected, 0.5001 * digit), run)
}

/// An error in words, for a claim that could not be computed.
fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
