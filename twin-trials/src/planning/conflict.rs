//! Which limits rule out everything.

use super::Breach;

/// Limits that no candidate keeps together, by place in `limits`; `None` if a candidate breaks none.
///
/// `broken` tells of each candidate which limits it breaks. What is handed back cannot be shortened: leave any one of them away, and some
/// candidate keeps all the others. Where several such sets exist, the one with the latest limits is found (a deletion filter, Chinneck and
/// Dravnieks 1991, doi:10.1287/ijoc.3.2.157).
#[must_use]
pub fn conflicting_limits(limits: &[String], broken: &[Vec<Breach>]) -> Option<Vec<usize>> {
    let sets: Vec<Vec<&str>> = broken.iter().map(|breaches| breaches.iter().map(|breach| &*breach.limit).collect()).collect();
    let infeasible = |kept: &[usize]| {
        let names = |set: &Vec<&str>| kept.iter().filter_map(|place| limits.get(*place)).any(|name| set.contains(&name.as_str()));
        sets.iter().all(names)
    };
    let mut kept: Vec<usize> = (0..limits.len()).collect();
    if !infeasible(&kept) {
        return None;
    }
    for place in 0..limits.len() {
        let fewer: Vec<usize> = kept.iter().copied().filter(|other| *other != place).collect();
        if infeasible(&fewer) {
            kept = fewer;
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn breaches(names: &[usize]) -> Vec<Breach> {
        names.iter().map(|name| Breach { limit: name.to_string(), detail: String::new(), excess: 1.0 }).collect()
    }

    proptest! {
        #[test]
        fn a_conflict_rules_out_everything_and_nothing_of_it_is_idle(
            sets in proptest::collection::vec(proptest::collection::vec(0_usize..6, 0..4), 1..20),
        ) {
            let limits: Vec<String> = (0..6).map(|limit| limit.to_string()).collect();
            let broken: Vec<_> = sets.iter().map(|set| breaches(set)).collect();
            let hits = |kept: &[usize]| sets.iter().all(|set| set.iter().any(|limit| kept.contains(limit)));
            match conflicting_limits(&limits, &broken) {
                None => prop_assert!(sets.iter().any(Vec::is_empty)),
                Some(conflict) => {
                    prop_assert!(hits(&conflict));
                    for left in &conflict {
                        let fewer: Vec<usize> = conflict.iter().copied().filter(|limit| limit != left).collect();
                        prop_assert!(!hits(&fewer));
                    }
                }
            }
        }
    }
}
