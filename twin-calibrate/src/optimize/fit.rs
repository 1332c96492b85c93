//! What a search hands back.

use std::fmt;

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The slope is as good as zero: a stationary point.
    GradientSmall,
    /// The next full step would not move the point by more than the tolerance.
    StepSmall,
    /// The cost is zero, or cannot be lowered by more than its tolerance or its rounding.
    CostSmall,
    /// No step lowers the cost although the slope is not small: noise, an edge, or a derivative that does not fit the cost.
    NoProgress,
    /// The allowed number of iterations was used up.
    MaxIterations,
    /// The observer asked to stop.
    Asked,
}

impl StopReason {
    /// Whether the method holds the point for a minimum.
    #[must_use]
    pub fn converged(self) -> bool {
        matches!(self, Self::GradientSmall | Self::StepSmall | Self::CostSmall)
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GradientSmall => "the slope of the cost is as good as zero",
            Self::StepSmall => "the next step is too small to matter",
            Self::CostSmall => "the cost cannot be lowered any further",
            Self::NoProgress => "no step lowers the cost, although its slope is not zero",
            Self::MaxIterations => "the allowed number of iterations is used up",
            Self::Asked => "stopped as asked",
        })
    }
}

/// The best point that a search found, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The best point.
    pub point: Vec<f64>,
    /// The cost there: for least squares half the sum of squares.
    pub cost: f64,
    /// Why the search ended. A fit that did not converge is still handed back.
    pub reason: StopReason,
    /// Iterations done.
    pub iterations: usize,
    /// Evaluations of the cost or the residuals, those for derivatives included.
    pub evaluations: usize,
    /// The inverse of `J'J` (dimension × dimension, row by row), with `J` the Jacobian matrix of the residuals at the point: the
    /// covariance of the point if the residuals are in units of their standard deviation. Absent for methods without a Jacobian
    /// matrix, and where the matrix is singular to working precision, so that some direction is not determined at all.
    pub covariance: Option<Vec<f64>>,
    /// The ratio of the largest to the smallest singular value of the Jacobian matrix, its columns first scaled to length one; it is
    /// infinite where a direction is not determined. Above 1e8 or so, standard errors mean little.
    pub condition: Option<f64>,
    /// The cosine of the angle between the residuals and the plane tangent to the model: zero at a minimum, whatever the units
    /// (Bates and Watts 1981, doi:10.2307/1268035).
    pub cosine: Option<f64>,
}

impl Fit {
    /// Whether the method holds the point for a minimum.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.reason.converged()
    }

    /// The standard errors of the coordinates if every residual has the variance `residual_variance`: 1 for residuals in units of
    /// their standard deviation, or the estimate `2 * cost / (count - dimension)`. `None` where the covariance is absent.
    #[must_use]
    pub fn standard_errors(&self, residual_variance: f64) -> Option<Vec<f64>> {
        let covariance = self.covariance.as_ref()?;
        let diagonal = covariance.iter().step_by(self.point.len() + 1);
        Some(diagonal.map(|variance| (variance * residual_variance).sqrt()).collect())
    }
}
