//! Many starts of a local search.

use rayon::prelude::*;

use super::fit::Fit;
use crate::CalibrationError;

/// A fit, and the index of the start that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct StartFit {
    /// The index among the starts.
    pub start: usize,
    /// Where it led.
    pub fit: Fit,
}

/// A start that failed, with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct StartFailure {
    /// The index among the starts.
    pub start: usize,
    /// Why no fit came of it.
    pub error: CalibrationError,
}

/// What came of every start.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiStart {
    /// The fits, the lowest cost first, and by index where costs are equal. Never empty.
    pub fits: Vec<StartFit>,
    /// The starts that failed, by index.
    pub failures: Vec<StartFailure>,
}

impl MultiStart {
    /// The fit of lowest cost.
    #[must_use]
    pub fn best(&self) -> Option<&Fit> {
        self.fits.first().map(|first| &first.fit)
    }

    /// How many converged starts came within `tolerance` of the lowest cost: one of many is a warning that others may lie lower still.
    #[must_use]
    pub fn agreeing(&self, tolerance: f64) -> usize {
        let lowest = self.best().map_or(f64::NAN, |fit| fit.cost);
        self.fits.iter().filter(|f| f.fit.converged() && f.fit.cost - lowest <= tolerance).count()
    }
}

/// Runs `minimize` from every one of `starts`, on all threads, with the same result as one after the other.
///
/// ```
/// use twin_calibrate::optimize::{NelderMead, multi_start};
/// // Two valleys, the deeper on the right.
/// let cost = |x: &[f64]| (x[0] * x[0] - 1.0).powi(2) - 0.2 * x[0];
/// let search = NelderMead::default();
/// let fits = multi_start(&[vec![-2.0], vec![0.5]], |start| search.minimize(&cost, start, &[0.1], &()))?;
/// assert_eq!(fits.fits[0].start, 1);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
///
/// # Errors
///
/// [`CalibrationError::AllStarts`] when not one start leads to a fit, [`CalibrationError::Length`] when there are none.
pub fn multi_start(
    starts: &[Vec<f64>],
    minimize: impl Fn(&[f64]) -> Result<Fit, CalibrationError> + Sync,
) -> Result<MultiStart, CalibrationError> {
    let outcomes: Vec<_> = starts.par_iter().map(|start| minimize(start)).collect();
    let (mut fits, mut failures) = (Vec::new(), Vec::new());
    for (start, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(fit) => fits.push(StartFit { start, fit }),
            Err(error) => failures.push(StartFailure { start, error }),
        }
    }
    if fits.is_empty() {
        return Err(match failures.into_iter().next() {
            Some(first) => CalibrationError::AllStarts { starts: starts.len(), first: Box::new(first.error) },
            None => CalibrationError::Length { method: "multi-start", what: "the number of starts", expected: 1, actual: 0 },
        });
    }
    fits.sort_by(|a, b| a.fit.cost.total_cmp(&b.fit.cost));
    Ok(MultiStart { fits, failures })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::NelderMead;

    fn search(start: &[f64]) -> Result<Fit, CalibrationError> {
        let cost = |x: &[f64]| if x[0] < -5.0 { f64::NAN } else { (x[0] * x[0] - 1.0).powi(2) - 0.2 * x[0] };
        NelderMead::default().minimize(&cost, start, &[0.1], &())
    }

    #[test]
    fn fits_are_sorted_and_failures_counted() {
        let starts = [vec![-2.0], vec![-9.0], vec![0.5], vec![2.0], vec![-7.0]];
        let all = multi_start(&starts, search).unwrap();
        assert_eq!(all.failures.iter().map(|f| f.start).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(all.fits.last().unwrap().start, 0);
        assert_eq!(all.agreeing(1e-6), 2);
        assert!(all.fits.windows(2).all(|pair| pair[0].fit.cost <= pair[1].fit.cost));
    }

    #[test]
    fn threads_change_nothing() {
        let starts: Vec<_> = (0..9).map(|i| vec![-2.0 + 0.5 * f64::from(i)]).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| multi_start(&starts, search)).unwrap()
        };
        assert_eq!(with(1), with(7));
    }

    #[test]
    fn failing_everywhere_is_an_error() {
        let failed = multi_start(&[vec![-8.0], vec![-9.0]], search);
        let Err(CalibrationError::AllStarts { starts: 2, first }) = failed else { panic!("{failed:?}") };
        assert!(matches!(*first, CalibrationError::Start { ref point, .. } if point == &[-8.0]));
        assert!(matches!(multi_start(&[], search), Err(CalibrationError::Length { actual: 0, .. })));
    }
}
