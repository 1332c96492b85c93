//! From a course to its treatments with their offsets from the start of the regimen, in days.

use super::plan::{Change, Doses, Part, Pattern, Phase, Plan, Window};
use crate::{Agent, CoreError, Proportion, Treatment};

/// A window of offsets in days: `from` is part of it, `until` is not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Days {
    from: f64,
    until: f64,
}

impl Days {
    fn contains(self, offset: f64) -> bool {
        self.from <= offset && offset < self.until
    }
}

/// The union of `windows`, in order and apart.
fn united(windows: &[Window]) -> Vec<Days> {
    let span = |window: &Window| Days { from: window.from.days(), until: (window.from + window.length).days() };
    let mut sorted: Vec<Days> = windows.iter().map(span).collect();
    sorted.sort_by(|a, b| a.from.total_cmp(&b.from));
    let mut union: Vec<Days> = Vec::with_capacity(sorted.len());
    for window in sorted {
        match union.last_mut() {
            Some(last) if window.from <= last.until => last.until = last.until.max(window.until),
            _ => union.push(window),
        }
    }
    union
}

/// The treatments of a checked course, in order of time.
pub(super) fn course(part: &Part) -> Result<Vec<(f64, Treatment)>, CoreError> {
    match &part.plan {
        Plan::Doses(doses) => self::doses(part, doses),
        Plan::Continuous { agent, phases, .. } => continuous(part, agent, phases),
    }
}

/// The places in time that a pattern offers, numbered from 0.
struct Slots {
    begin: f64,
    days: Vec<u32>,
    cycle_days: u64,
    per_day: u64,
    gap_days: f64,
}

impl Slots {
    fn offset(&self, slot: u64) -> f64 {
        let (day_slot, session) = (slot / self.per_day, slot % self.per_day);
        let listed = self.days.len() as u64;
        let day = self.days.get((day_slot % listed) as usize).copied().unwrap_or_default();
        self.begin + (day_slot / listed * self.cycle_days + u64::from(day)) as f64 + session as f64 * self.gap_days
    }

    /// A slot after `slot`, and before the first one at or after the offset `until` by less than two cycles.
    fn after(&self, slot: u64, until: f64) -> u64 {
        let cycle = ((until - self.begin) / self.cycle_days as f64).floor().max(1.0) as u64 - 1;
        (slot + 1).max(cycle * self.days.len() as u64 * self.per_day)
    }
}

fn doses(part: &Part, doses: &Doses) -> Result<Vec<(f64, Treatment)>, CoreError> {
    let (days, cycle_days) = doses.days();
    let slots = Slots {
        begin: part.delay.days(),
        days,
        cycle_days: cycle_days.into(),
        per_day: doses.sessions.per_day.into(),
        gap_days: doses.sessions.gap.days(),
    };
    let pauses = united(&part.pauses);
    let offsets = match doses.pattern {
        Some(Pattern::Weekdays { .. }) => on_open_slots(&slots, &pauses, part.administrations()),
        _ => shifted(&slots, &pauses, part.administrations()),
    };
    let skips = united(&part.skips);
    let mut treatments = Vec::with_capacity(offsets.len());
    for (number, offset) in (1..).zip(offsets) {
        if !skips.iter().any(|skip| skip.contains(offset)) {
            given(part, &doses.treatment, number, |treatment| treatments.push((offset, treatment)))?;
        }
    }
    Ok(treatments)
}

/// Every slot in turn, later by the pauses before it.
fn shifted(slots: &Slots, pauses: &[Days], administrations: u64) -> Vec<f64> {
    let later = |offset: f64, pause: &Days| if offset >= pause.from { offset + (pause.until - pause.from) } else { offset };
    (0..administrations).map(|slot| pauses.iter().fold(slots.offset(slot), later)).collect()
}

/// The first slots outside the pauses.
fn on_open_slots(slots: &Slots, pauses: &[Days], administrations: u64) -> Vec<f64> {
    let mut begin = slots.begin;
    let mut closed = Vec::with_capacity(pauses.len());
    for pause in pauses {
        // A pause before the course begins holds it back for as long.
        let from = pause.from.max(begin);
        let until = from + (pause.until - pause.from);
        if pause.from < begin {
            begin = until;
        }
        closed.push(Days { from, until });
    }
    let mut slot = 0;
    let mut offsets = Vec::new();
    for _ in 0..administrations {
        let mut offset = slots.offset(slot);
        while let Some(pause) = closed.iter().find(|pause| pause.contains(offset)) {
            slot = slots.after(slot, pause.until);
            offset = slots.offset(slot);
        }
        offsets.push(offset);
        slot += 1;
    }
    offsets
}

/// The factor that holds at administration `number`: that of the last change reached.
fn factor(part: &Part, number: u64) -> Option<f64> {
    let reached = part.changes.iter().filter_map(|change| match change {
        Change::Factor { from, factor } => Some((part.first_of(*from), *factor)).filter(|(first, _)| *first <= number),
        _ => None,
    });
    reached.max_by_key(|(first, _)| *first).map(|(_, factor)| factor) // of equals, the one stated last
}

/// What is given at administration `number`, handed to `give` in turn.
fn given(part: &Part, prescribed: &Treatment, number: u64, mut give: impl FnMut(Treatment)) -> Result<(), CoreError> {
    let switches = part.changes.iter().filter_map(|change| match change {
        Change::Switch { from, treatment } => Some((u64::from(*from), treatment)).filter(|(first, _)| *first <= number),
        _ => None,
    });
    let base = switches.max_by_key(|(first, _)| *first).map_or(prescribed, |(_, treatment)| treatment);
    let boosts = part.changes.iter().filter_map(|change| match change {
        Change::Boost { from, treatment } if u64::from(*from) <= number => Some(treatment),
        _ => None,
    });
    let factor = factor(part, number);
    for treatment in std::iter::once(base).chain(boosts) {
        give(match factor {
            Some(factor) => treatment.scaled(factor)?,
            None => treatment.clone(),
        });
    }
    Ok(())
}

/// A stretch of continuous therapy at one intensity.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    days: Days,
    intensity: Proportion,
}

fn continuous(part: &Part, agent: &Agent, phases: &[Phase]) -> Result<Vec<(f64, Treatment)>, CoreError> {
    let mut stretches = Vec::new();
    let mut from = part.delay.days();
    for (number, phase) in (1..=part.administrations()).zip(phases.iter().cycle()) {
        let until = from + phase.duration.days();
        let intensity = match factor(part, number) {
            Some(factor) => Proportion::new(phase.intensity.value() * factor)?,
            None => phase.intensity,
        };
        stretches.push(Stretch { days: Days { from, until }, intensity });
        from = until;
    }
    for pause in united(&part.pauses) {
        stretches = stretches.into_iter().flat_map(|stretch| paused(stretch, pause)).flatten().collect();
    }
    for skip in united(&part.skips) {
        stretches = stretches.into_iter().flat_map(|stretch| cut(stretch, skip)).flatten().collect();
    }
    Ok(switches(agent, &stretches))
}

/// What comes before the pause, and the rest after it.
fn paused(stretch: Stretch, pause: Days) -> [Option<Stretch>; 2] {
    let (Days { from, until }, length) = (stretch.days, pause.until - pause.from);
    let of = |from, until| Some(Stretch { days: Days { from, until }, ..stretch });
    if until <= pause.from {
        [Some(stretch), None]
    } else if from >= pause.from {
        [None, of(from + length, until + length)]
    } else {
        [of(from, pause.from), of(pause.until, until + length)]
    }
}

/// What lies before the skip, and after it.
fn cut(stretch: Stretch, skip: Days) -> [Option<Stretch>; 2] {
    let Days { from, until } = stretch.days;
    let of = |from: f64, until: f64| (from < until).then_some(Stretch { days: Days { from, until }, ..stretch });
    [of(from, until.min(skip.from)), of(from.max(skip.until), until)]
}

/// The changes of intensity: off where there is no stretch, and at the end.
fn switches(agent: &Agent, stretches: &[Stretch]) -> Vec<(f64, Treatment)> {
    let mut switches = Vec::new();
    let mut now: Option<(Proportion, f64)> = None;
    let mut set = |offset: f64, intensity| switches.push((offset, Treatment::Continuous { agent: agent.clone(), intensity }));
    for Stretch { days, intensity } in stretches {
        if let Some((running, until)) = &mut now
            && days.from > *until
            && *running != Proportion::ZERO
        {
            set(*until, Proportion::ZERO);
            *running = Proportion::ZERO;
        }
        if now.is_none_or(|(running, _)| running != *intensity) {
            set(days.from, *intensity);
        }
        now = Some((*intensity, days.until));
    }
    if let Some((running, until)) = now
        && running != Proportion::ZERO
    {
        set(until, Proportion::ZERO);
    }
    switches
}
