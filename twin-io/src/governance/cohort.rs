//! Tables of a cohort: groups too small to be shown.

use std::collections::BTreeMap;

/// The size of the smallest group of rows that agree in all their `columns`, the k of k-anonymity; `None` without rows.
///
/// ```
/// let rows = [["F", "60-69"], ["F", "60-69"], ["M", "70-79"]];
/// assert_eq!(twin_io::governance::smallest_group(&rows), Some(1));
/// ```
#[must_use]
pub fn smallest_group<T: Ord>(rows: &[T]) -> Option<usize> {
    let mut groups = BTreeMap::new();
    rows.iter().for_each(|row| *groups.entry(row).or_insert(0_usize) += 1);
    groups.into_values().min()
}

/// Counts with the small ones suppressed: `None` for a count of 1 to `k` - 1, and, where exactly one count of a row was suppressed,
/// also for the smallest other count above zero, for it could be computed from the total.
///
/// ```
/// assert_eq!(twin_io::governance::suppressed(&[40, 3, 25, 0], 11), [Some(40), None, None, Some(0)]);
/// ```
#[must_use]
pub fn suppressed(counts: &[usize], k: usize) -> Vec<Option<usize>> {
    let mut shown: Vec<Option<usize>> = counts.iter().map(|count| (*count == 0 || *count >= k).then_some(*count)).collect();
    if shown.iter().filter(|count| count.is_none()).count() == 1 {
        let smallest = shown.iter_mut().filter(|count| count.is_some_and(|count| count > 0)).min_by_key(|count| **count);
        if let Some(count) = smallest {
            *count = None;
        }
    }
    shown
}
