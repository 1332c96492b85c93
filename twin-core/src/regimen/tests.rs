use super::*;
use crate::{Proportion, Quantity};
use Weekday::{Friday, Monday, Saturday, Thursday, Wednesday};
use proptest::prelude::*;

fn span(days: f64) -> Span {
    Span::from_days(days).unwrap()
}

fn gray(gray: f64) -> AbsorbedDose {
    AbsorbedDose::from_gray(gray).unwrap()
}

fn target() -> Target {
    Target::new("ptv").unwrap()
}

fn agent() -> Agent {
    Agent::new("drug").unwrap()
}

fn fractions(count: u32) -> Regimen {
    Regimen::fractions(count, gray(2.0), target())
}

fn tablet(mg: f64) -> Treatment {
    Treatment::oral(agent(), Quantity::new(mg, "mg").unwrap()).unwrap()
}

fn days(regimen: &Regimen) -> Vec<f64> {
    regimen.starting(Time::ORIGIN).unwrap().iter().map(|timed| timed.time.days()).collect()
}

fn total_mg(regimen: &Regimen) -> f64 {
    total_drug_dose(&regimen.starting(Time::ORIGIN).unwrap(), &agent(), "mg").unwrap().value()
}

fn doses_mg(regimen: &Regimen) -> Vec<f64> {
    let treatments = regimen.starting(Time::ORIGIN).unwrap();
    treatments.iter().map(|timed| total_drug_dose(std::slice::from_ref(timed), &agent(), "mg").unwrap().value()).collect()
}

/// Times and intensities of continuous therapy.
fn intensities(regimen: &Regimen) -> Vec<(f64, f64)> {
    let intensity = |timed: &TimedTreatment| match &timed.treatment {
        Treatment::Continuous { intensity, .. } => Some((timed.time.days(), intensity.value())),
        _ => None,
    };
    let all: Option<_> = regimen.starting(Time::ORIGIN).unwrap().iter().map(intensity).collect();
    all.unwrap()
}

/// Days at full dose, from a list that ends with off.
fn days_on(switches: &[(f64, f64)]) -> f64 {
    switches.windows(2).map(|pair| pair[0].1 * (pair[1].0 - pair[0].0)).sum()
}

fn fault(regimen: &Regimen) -> CoreError {
    regimen.starting(Time::ORIGIN).unwrap_err()
}

#[test]
fn thirty_fractions_on_weekdays_take_six_weeks() {
    let times = days(&fractions(30).on_weekdays(Monday));
    assert_eq!(times.len(), 30);
    assert_eq!(times[..7], [0.0, 1.0, 2.0, 3.0, 4.0, 7.0, 8.0]);
    assert_eq!(times[29], 39.0);
}

#[test]
fn a_course_may_begin_in_the_middle_of_the_week() {
    assert_eq!(days(&fractions(6).on_weekdays(Thursday)), [0.0, 1.0, 4.0, 5.0, 6.0, 7.0]);
    assert_eq!(days(&fractions(4).on_days_of_week(Friday, [Monday, Wednesday, Friday])), [0.0, 3.0, 5.0, 7.0]);
}

#[test]
fn a_first_day_that_is_not_allowed_is_an_error() {
    assert!(matches!(fault(&fractions(30).on_weekdays(Saturday)), CoreError::Conflict { .. }));
    assert!(matches!(fault(&fractions(3).on_days_of_week(Thursday, [Monday, Friday])), CoreError::Conflict { .. }));
}

#[test]
fn two_sessions_on_a_day_halve_the_days() {
    let plan = fractions(12).on_weekdays(Thursday).twice_daily(Span::from_hours(6.0).unwrap());
    assert_eq!(days(&plan), [0.0, 0.25, 1.0, 1.25, 4.0, 4.25, 5.0, 5.25, 6.0, 6.25, 7.0, 7.25]);
    let tablets = Regimen::give(tablet(500.0)).on_days([1, 2]).of(21).cycles(2).times_daily(3, Span::from_hours(6.0).unwrap());
    assert_eq!(days(&tablets), [0.0, 0.25, 0.5, 1.0, 1.25, 1.5, 21.0, 21.25, 21.5, 22.0, 22.25, 22.5]);
}

#[test]
fn days_of_a_cycle_count_from_one() {
    let temozolomide = Regimen::give(tablet(300.0)).on_days(1..=5).of(28).cycles(6);
    let times = days(&temozolomide);
    assert_eq!(times.len(), 30);
    assert_eq!(times[..6], [0.0, 1.0, 2.0, 3.0, 4.0, 28.0]);
    let weekly = Regimen::give(tablet(1.0)).on_days([15, 1, 8]).of(21).cycles(2);
    assert_eq!(days(&weekly), [0.0, 7.0, 14.0, 21.0, 28.0, 35.0]);
    assert_eq!(days(&Regimen::give(tablet(1.0)).every_days(21).times(3)), [0.0, 21.0, 42.0]);
    assert_eq!(days(&Regimen::give(tablet(1.0)).on_days([8]).of(21).times(2)), [7.0, 28.0]);
    assert_eq!(days(&Regimen::give(tablet(1.0))), [0.0]);
}

#[test]
fn a_day_closed_is_made_up_for_at_the_end_of_a_course_on_weekdays() {
    let plan = fractions(10).on_weekdays(Monday);
    assert_eq!(days(&plan.clone().paused(span(4.0), span(1.0))), [0.0, 1.0, 2.0, 3.0, 7.0, 8.0, 9.0, 10.0, 11.0, 14.0]);
    assert_eq!(days(&plan.clone().paused(span(5.0), span(2.0))), days(&plan), "a weekend is no loss");
    let on_hold = plan.clone().delayed(span(14.0)).paused(span(3.0), span(2.0));
    assert_eq!(days(&on_hold)[..4], [16.0, 17.0, 18.0, 21.0], "a pause before the start holds the start back");
    let twice = plan.clone().delayed(span(14.0)).paused(span(1.0), span(1.0)).paused(span(3.0), span(1.0));
    assert_eq!(days(&twice)[..4], [16.0, 17.0, 18.0, 21.0], "so do two pauses, for the sum of both");
    let long = days(&plan.paused(span(2.0), span(1e6)));
    assert!(long.len() == 10 && long[2] >= 1e6 + 2.0 && long[2] < 1e6 + 5.0, "{long:?}");
}

#[test]
fn a_pause_moves_the_cycles_after_it() {
    let plan = Regimen::give(tablet(1.0)).every_days(21).times(4);
    assert_eq!(days(&plan.clone().paused(span(30.0), span(7.0))), [0.0, 21.0, 49.0, 70.0]);
    let either_order = [plan.clone().paused(span(60.0), span(2.0)).paused(span(30.0), span(7.0)), {
        plan.clone().paused(span(30.0), span(7.0)).paused(span(60.0), span(2.0))
    }];
    assert_eq!(days(&either_order[0]), [0.0, 21.0, 49.0, 72.0]);
    assert_eq!(days(&either_order[0]), days(&either_order[1]));
    assert_eq!(
        days(&plan.clone().paused(span(20.0), span(4.0)).paused(span(22.0), span(4.0))),
        [0.0, 27.0, 48.0, 69.0],
        "overlapping"
    );
    assert_eq!(days(&plan.clone().skipped(span(21.0), span(1.0))), [0.0, 42.0, 63.0]);
    assert_eq!(
        days(&plan.skipped(span(42.0), span(8.0)).paused(span(1.0), span(1.0))),
        [0.0, 22.0, 64.0],
        "skips come after pauses"
    );
}

#[test]
fn a_delay_takes_pauses_and_skips_along() {
    let plan = Regimen::give(tablet(1.0)).daily().times(6).paused(span(2.0), span(3.0)).skipped(span(6.0), span(1.0));
    let later: Vec<f64> = days(&plan).iter().map(|day| day + 10.0).collect();
    assert_eq!(days(&plan.delayed(span(10.0))), later);
}

#[test]
fn continuous_therapy_is_on_and_off_and_ends_off() {
    let month = |months| Span::from_months(months).unwrap();
    let plan = Regimen::continuous(agent(), [Phase::on(month(8.0)), Phase::off(month(4.0))]).cycles(2);
    assert_eq!(intensities(&plan), [(0.0, 1.0), (243.5, 0.0), (365.25, 1.0), (608.75, 0.0)]);
    let steps = [Phase::on(span(10.0)), Phase::at(Proportion::new(0.5).unwrap(), span(10.0))];
    assert_eq!(intensities(&Regimen::continuous(agent(), steps)), [(0.0, 1.0), (10.0, 0.5), (20.0, 0.0)]);
    let reduced = Regimen::continuous(agent(), [Phase::on(span(10.0))]).cycles(3).from_cycle(2, 0.8);
    assert_eq!(intensities(&reduced), [(0.0, 1.0), (10.0, 0.8), (30.0, 0.0)]);
}

#[test]
fn continuous_therapy_is_off_in_a_pause_and_in_a_skip() {
    let plan = Regimen::continuous(agent(), [Phase::on(span(10.0)), Phase::off(span(5.0))]).cycles(2);
    let paused = intensities(&plan.clone().paused(span(4.0), span(3.0)));
    assert_eq!(paused, [(0.0, 1.0), (4.0, 0.0), (7.0, 1.0), (13.0, 0.0), (18.0, 1.0), (28.0, 0.0)]);
    let skipped = intensities(&plan.clone().skipped(span(4.0), span(3.0)));
    assert_eq!(skipped, [(0.0, 1.0), (4.0, 0.0), (7.0, 1.0), (10.0, 0.0), (15.0, 1.0), (25.0, 0.0)]);
    assert_eq!(intensities(&plan.clone().paused(span(0.0), span(3.0)))[0], (3.0, 1.0));
    assert!(plan.skipped(span(0.0), span(30.0)).starting(Time::ORIGIN).unwrap().is_empty());
}

#[test]
fn doses_change_from_a_cycle_or_an_administration_on() {
    let plan = Regimen::give(tablet(100.0)).on_days([1, 2]).of(21).cycles(3);
    assert_eq!(doses_mg(&plan.clone().from_cycle(2, 0.75)), [100.0, 100.0, 75.0, 75.0, 75.0, 75.0]);
    let twice = plan.clone().from_cycle(3, 0.5).from_cycle(2, 0.75);
    assert_eq!(doses_mg(&twice), [100.0, 100.0, 75.0, 75.0, 50.0, 50.0], "in either order, and of the prescribed dose");
    assert_eq!(doses_mg(&plan.clone().from_administration(6, 0.0)), [100.0, 100.0, 100.0, 100.0, 100.0, 0.0]);
    assert_eq!(doses_mg(&plan.clone().switched_from(5, tablet(7.0))), [100.0, 100.0, 100.0, 100.0, 7.0, 7.0]);
    let boosted = plan.boosted_from(6, tablet(20.0));
    assert_eq!(doses_mg(&boosted), [100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 20.0]);
    assert_eq!(days(&boosted)[5..], [43.0, 43.0]);
}

#[test]
fn changes_count_as_prescribed_even_when_doses_are_skipped() {
    let plan = Regimen::give(tablet(100.0)).daily().times(4).from_administration(3, 0.5).skipped(span(1.0), span(1.0));
    assert_eq!(doses_mg(&plan), [100.0, 50.0, 50.0]);
    let weeks = Regimen::give(tablet(100.0)).on_weekdays(Thursday).times(7).from_cycle(2, 0.5);
    assert_eq!(doses_mg(&weeks), [100.0, 100.0, 100.0, 100.0, 100.0, 50.0, 50.0]);
}

#[test]
fn a_boost_to_a_smaller_volume_follows() {
    let boost = Target::new("boost").unwrap();
    let plan = fractions(30).on_weekdays(Monday).switched_from(26, Treatment::fraction(gray(2.0), boost.clone()));
    let treatments = plan.starting(Time::ORIGIN).unwrap();
    assert_eq!(total_absorbed_dose(&treatments, &target()).unwrap().gray(), 50.0);
    assert_eq!(total_absorbed_dose(&treatments, &boost).unwrap().gray(), 10.0);
}

#[test]
fn courses_on_weekdays_must_agree_on_the_day_of_the_start() {
    let radiotherapy = fractions(30).on_weekdays(Monday);
    let weekly = |first| Regimen::give(tablet(1.0)).on_days_of_week(first, [first]).times(6);
    assert!(radiotherapy.clone().and(weekly(Monday)).starting(Time::ORIGIN).is_ok());
    assert!(radiotherapy.clone().and(weekly(Thursday).delayed(span(3.25))).starting(Time::ORIGIN).is_ok());
    assert!(matches!(fault(&radiotherapy.and(weekly(Thursday))), CoreError::Conflict { .. }));
}

#[test]
fn at_one_time_courses_keep_their_order() {
    let plan = Regimen::give(tablet(1.0)).daily().times(2).and(Regimen::give(tablet(2.0)).daily().times(2));
    assert_eq!(doses_mg(&plan), [1.0, 2.0, 1.0, 2.0]);
}

#[test]
fn counts_that_cannot_be_meant_are_errors() {
    let give = || Regimen::give(tablet(1.0));
    for (what, regimen) in [
        ("no fractions", fractions(0).daily()),
        ("no cycles", give().on_days([1]).of(21).cycles(0)),
        ("day 0", give().on_days([0, 1]).of(21).cycles(1)),
        ("a day beyond the cycle", give().on_days([1, 22]).of(21).cycles(1)),
        ("no days", give().on_days([]).of(21).cycles(1)),
        ("a day twice", give().on_days([1, 1]).of(21).cycles(1)),
        ("cycles of no length", give().on_days([1]).of(0).cycles(1)),
        ("no weekdays", give().on_days_of_week(Monday, []).times(1)),
        ("a weekday twice", give().on_days_of_week(Monday, [Monday, Monday]).times(1)),
        ("no sessions", fractions(4).daily().times_daily(0, span(0.1))),
        ("no phases", Regimen::continuous(agent(), [])),
        ("phases never", Regimen::continuous(agent(), [Phase::on(span(1.0))]).cycles(0)),
        ("too many", give().daily().times(100_001)),
        ("too many cycles", give().on_days(1..=28).of(28).cycles(u32::MAX).times_daily(u32::MAX, span(1e-12))),
        ("too many days", give().on_days(1..=u32::MAX).of(u32::MAX).cycles(1)),
        ("too many together", give().daily().times(60_000).and(give().daily().times(60_000))),
        ("a change from cycle 0", give().daily().times(3).from_cycle(0, 1.0)),
        ("a change from dose 0", give().daily().times(3).from_administration(0, 1.0)),
        ("a change after the end", give().daily().times(3).from_cycle(4, 1.0)),
        ("a boost after the end", give().daily().times(3).boosted_from(4, tablet(1.0))),
    ] {
        assert!(matches!(fault(&regimen), CoreError::Count { .. } | CoreError::OutOfRange { .. }), "{what}: {}", fault(&regimen));
    }
    assert_eq!(give().daily().times(100_000).starting(Time::ORIGIN).unwrap().len(), 100_000);
}

#[test]
fn numbers_that_cannot_be_meant_are_errors() {
    let plan = || Regimen::give(tablet(1.0)).daily().times(3);
    for (what, regimen) in [
        ("a negative factor", plan().from_cycle(1, -0.5)),
        ("a factor that is no number", plan().from_cycle(1, f64::NAN)),
        ("a negative scale", plan().scaled(-1.0)),
        ("an infinite scale", plan().scaled(f64::INFINITY)),
        ("a negative delay", plan().delayed(span(-1.0))),
        ("a pause of no length", plan().paused(span(1.0), Span::ZERO)),
        ("a negative pause", plan().paused(span(1.0), span(-1.0))),
        ("a pause before the start", plan().paused(span(-1.0), span(1.0))),
        ("a skip of no length", plan().skipped(span(1.0), Span::ZERO)),
        ("sessions at once", plan().twice_daily(Span::ZERO)),
        ("sessions over a day", plan().times_daily(3, span(0.5))),
        ("a phase of no length", Regimen::continuous(agent(), [Phase::on(Span::ZERO)])),
        ("more than full dose", Regimen::continuous(agent(), [Phase::on(span(1.0))]).scaled(1.5)),
        ("more than full dose later", Regimen::continuous(agent(), [Phase::on(span(1.0))]).from_cycle(1, 1.5)),
    ] {
        assert!(
            matches!(fault(&regimen), CoreError::OutOfRange { .. } | CoreError::NotFinite { .. }),
            "{what}: {}",
            fault(&regimen)
        );
    }
    assert!(plan().starting(Time::from_days(1e9).unwrap()).is_err(), "beyond the end of time");
}

#[test]
fn what_is_left_open_or_does_not_fit_is_an_error() {
    let continuous = || Regimen::continuous(agent(), [Phase::on(span(1.0))]);
    for (what, regimen) in [
        ("fractions without days", fractions(30)),
        ("days without an extent", Regimen::give(tablet(1.0)).on_days([1, 8]).of(21)),
        ("weekdays without an extent", Regimen::give(tablet(1.0)).on_weekdays(Monday)),
        ("a cycle without a length", Regimen::give(tablet(1.0)).on_days([1]).cycles(1)),
        ("a length without days", Regimen::give(tablet(1.0)).of(21).cycles(1)),
        ("a length of a week", fractions(5).on_weekdays(Monday).of(21)),
        ("days twice", fractions(5).on_weekdays(Monday).daily()),
        ("a length twice", fractions(5).daily().of(21)),
        ("a number twice", fractions(5).daily().times(6)),
        ("a number and cycles", fractions(5).daily().cycles(6)),
        ("weekdays of continuous therapy", continuous().on_weekdays(Monday)),
        ("times of continuous therapy", continuous().times(3)),
        ("a boost of continuous therapy", continuous().boosted_from(1, tablet(1.0))),
        ("days of two courses", Regimen::give(tablet(1.0)).and(Regimen::give(tablet(1.0))).daily()),
        ("a change of two courses", Regimen::give(tablet(1.0)).and(Regimen::give(tablet(1.0))).from_cycle(1, 0.5)),
        ("a fault of the other course", Regimen::give(tablet(1.0)).and(continuous().daily())),
    ] {
        assert!(matches!(fault(&regimen), CoreError::Conflict { .. }), "{what}: {}", fault(&regimen));
        assert!(serde_json::to_string(&regimen).is_err(), "{what}");
    }
}

#[test]
fn survives_a_round_trip() {
    let radiotherapy =
        fractions(30).on_weekdays(Monday).twice_daily(span(0.25)).boosted_from(20, Treatment::fraction(gray(0.2), target()));
    let drug = Regimen::give(tablet(75.0)).on_days([1, 8]).of(21).cycles(4).from_cycle(2, 0.8).from_administration(5, 0.6);
    let hormone = Regimen::continuous(agent(), [Phase::on(span(100.0)), Phase::off(span(20.0))]).cycles(2).delayed(span(7.0));
    let whole = radiotherapy
        .and(drug.switched_from(7, tablet(10.0)))
        .and(hormone)
        .paused(span(3.0), span(2.0))
        .skipped(span(9.0), span(1.0));
    for regimen in [whole, Regimen::give(tablet(1.0))] {
        let text = serde_json::to_string(&regimen).unwrap();
        let again: Regimen = serde_json::from_str(&text).unwrap();
        assert_eq!(again, regimen, "{text}");
        assert_eq!(again.starting(Time::ORIGIN), regimen.starting(Time::ORIGIN));
    }
}

#[test]
fn refuses_to_read_what_could_not_be_expanded() {
    let good = serde_json::to_string(&fractions(5).on_weekdays(Monday)).unwrap();
    assert!(serde_json::from_str::<Regimen>(&good).is_ok());
    for (from, to) in [
        ("\"administrations\":5", "\"administrations\":0"),
        ("\"administrations\":5", "\"administrations\":-5"),
        ("\"first\":\"monday\"", "\"first\":\"sunday\""),
        ("\"per_day\":1", "\"per_day\":0"),
        ("\"delay\":0.0", "\"delay\":-1.0"),
        ("\"delay\":0.0", "\"delayed\":1.0"),
        ("\"courses\":[", "\"courses\":[],\"more\":["),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good, "{from}");
        assert!(serde_json::from_str::<Regimen>(&bad).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<Regimen>(r#"{"courses":[]}"#).is_err());
}

/// Pauses on half days within the first 60 days.
fn pauses() -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec(
        (0_u8..120, 1_u8..40).prop_map(|(from, length)| (f64::from(from) / 2.0, f64::from(length) / 2.0)),
        0..5,
    )
}

fn with_pauses(regimen: Regimen, pauses: &[(f64, f64)]) -> Regimen {
    pauses.iter().fold(regimen, |regimen, (from, length)| regimen.paused(span(*from), span(*length)))
}

/// Any course on weekdays, with the weekday of its start and its weekdays.
fn on_weekdays() -> impl Strategy<Value = (Regimen, Weekday, Vec<Weekday>)> {
    weekdays_and_longer().prop_map(|(course, _, first, on)| (course, first, on))
}

/// Any course on weekdays, the same with more doses, the weekday of its start and its weekdays.
fn weekdays_and_longer() -> impl Strategy<Value = (Regimen, Regimen, Weekday, Vec<Weekday>)> {
    let set = proptest::sample::subsequence(Weekday::ALL.to_vec(), 1..=7);
    (set, any::<proptest::sample::Index>(), 1_u32..60, 1_u32..4).prop_map(|(on, first, count, per_day)| {
        let first = *first.get(&on);
        let of =
            |count| Regimen::give(tablet(100.0)).times(count).on_days_of_week(first, on.clone()).times_daily(per_day, span(0.25));
        (of(count), of(count + 3000), first, on)
    })
}

/// Any course on days of a cycle.
fn in_cycles() -> impl Strategy<Value = Regimen> {
    let days = proptest::sample::subsequence((1_u32..=21).collect::<Vec<_>>(), 1..=6);
    (days, 0_u32..10, 1_u32..6, 1_u32..4).prop_map(|(days, longer, cycles, per_day)| {
        Regimen::give(tablet(100.0)).on_days(days).of(21 + longer).cycles(cycles).times_daily(per_day, span(0.25))
    })
}

fn any_course() -> impl Strategy<Value = Regimen> {
    prop_oneof![on_weekdays().prop_map(|(regimen, ..)| regimen), in_cycles()]
}

fn is_sorted(treatments: &[TimedTreatment]) -> bool {
    treatments.windows(2).all(|pair| pair[0].time <= pair[1].time)
}

proptest! {
    #[test]
    fn pauses_keep_number_order_and_total(course in any_course(), pauses in pauses()) {
        // every administration gets a dose of its own, so that their order shows
        let count = days(&course).len() as u32;
        let marked = (1..=count).fold(course.clone(), |plan, number| plan.switched_from(number, tablet(f64::from(number))));
        let plain = days(&marked);
        let paused = with_pauses(marked.clone(), &pauses);
        prop_assert_eq!(doses_mg(&paused), doses_mg(&marked));
        prop_assert!((total_mg(&with_pauses(course, &pauses)) - 100.0 * f64::from(count)).abs() < 1e-6);
        for (later, earlier) in days(&paused).into_iter().zip(plain) {
            prop_assert!(later >= earlier);
            prop_assert!(pauses.iter().all(|(from, length)| later < *from || later >= from + length), "{} in a pause", later);
        }
    }

    #[test]
    fn doses_fall_on_allowed_weekdays_under_any_pause((course, first, on) in on_weekdays(), pauses in pauses(), delay in 0_u8..20) {
        let delay = f64::from(delay) / 2.0;
        for day in days(&with_pauses(course.delayed(span(delay)), &pauses)) {
            let weekday = first.plus_days((day - delay).floor() as i64);
            prop_assert!(on.contains(&weekday), "{} on day {}", weekday, day);
            prop_assert!(pauses.iter().all(|(from, length)| day < *from || day >= from + length), "{} in a pause", day);
        }
    }

    #[test]
    fn a_course_on_weekdays_leaves_no_open_day_out((course, longer, ..) in weekdays_and_longer(), pauses in pauses()) {
        // each offset of an allowed session before the last dose is either taken or in a pause
        let times = days(&with_pauses(course, &pauses));
        let last = times.last().copied().unwrap_or_default();
        let open: Vec<f64> = days(&longer).into_iter()
            .filter(|day| *day <= last && pauses.iter().all(|(from, length)| *day < *from || *day >= from + length)).collect();
        prop_assert_eq!(times, open);
    }

    #[test]
    fn the_order_in_which_pauses_are_stated_does_not_matter(course in any_course(), pauses in pauses()) {
        let reversed: Vec<_> = pauses.iter().rev().copied().collect();
        prop_assert_eq!(days(&with_pauses(course.clone(), &pauses)), days(&with_pauses(course, &reversed)));
    }

    #[test]
    fn continuous_therapy_keeps_its_days_on_under_any_pause(
        phases in proptest::collection::vec((0_u8..3, 1_u8..40), 1..5), cycles in 1_u32..4, pauses in pauses(),
    ) {
        let phase = |(level, days): &(u8, u8)| Phase::at(Proportion::new(f64::from(*level) / 2.0).unwrap(), span(f64::from(*days)));
        let plan = Regimen::continuous(agent(), phases.iter().map(phase)).cycles(cycles);
        let prescribed: f64 = phases.iter().map(|(level, days)| f64::from(*level) / 2.0 * f64::from(*days)).sum();
        let switches = intensities(&with_pauses(plan, &pauses));
        prop_assert_eq!(days_on(&switches), prescribed * f64::from(cycles));
        prop_assert_eq!(switches.last().map(|last| last.1), Some(0.0), "it ends off");
        prop_assert!(switches.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
        for (from, length) in &pauses {
            let at_start = switches.iter().rev().find(|(time, _)| time <= from).map_or(0.0, |(_, intensity)| *intensity);
            prop_assert_eq!(at_start, 0.0, "on in a pause at {}", from);
            prop_assert!(switches.iter().all(|(time, level)| *level == 0.0 || *time <= *from || *time >= from + length));
        }
    }

    #[test]
    fn scaling_scales_the_total(course in any_course(), factor in 0.0_f64..3.0) {
        let (plain, scaled) = (total_mg(&course), total_mg(&course.clone().scaled(factor)));
        prop_assert!((scaled - factor * plain).abs() <= 1e-9 * plain.max(1.0), "{} {}", scaled, plain);
        prop_assert_eq!(days(&course.clone().scaled(factor)), days(&course));
        let through_the_cycle = total_mg(&course.from_cycle(1, factor));
        prop_assert!((through_the_cycle - scaled).abs() <= 1e-9 * plain.max(1.0));
    }

    #[test]
    fn joining_keeps_everything_in_order(a in in_cycles(), b in any_course(), delay in 0_u8..30, pauses in pauses()) {
        let (a, b) = (with_pauses(a, &pauses), b.delayed(span(f64::from(delay))));
        let (left, right) = (a.starting(Time::ORIGIN).unwrap(), b.starting(Time::ORIGIN).unwrap());
        let mut joined = a.and(b).starting(Time::ORIGIN).unwrap();
        prop_assert!(is_sorted(&left) && is_sorted(&right) && is_sorted(&joined));
        prop_assert_eq!(joined.len(), left.len() + right.len());
        for timed in left.iter().chain(&right) {
            let place = joined.iter().position(|other| other == timed);
            prop_assert!(place.is_some());
            joined.remove(place.unwrap());
        }
    }

    #[test]
    fn a_later_start_moves_everything(course in any_course(), start in -500_i32..500) {
        let start = f64::from(start) / 4.0;
        let moved = course.starting(Time::from_days(start).unwrap()).unwrap();
        prop_assert_eq!(moved.iter().map(|timed| timed.time.days() - start).collect::<Vec<_>>(), days(&course));
    }

    #[test]
    fn a_skip_drops_what_falls_into_it_and_moves_nothing(course in any_course(), from in 0_u8..80, length in 1_u8..40) {
        let (from, length) = (f64::from(from), f64::from(length));
        let kept: Vec<f64> = days(&course).into_iter().filter(|day| *day < from || *day >= from + length).collect();
        prop_assert_eq!(days(&course.skipped(span(from), span(length))), kept);
    }
}
