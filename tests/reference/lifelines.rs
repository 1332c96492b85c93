//! Survival statistics against lifelines, in one run on four tables.
//!
//! Needs a `python3` (or the one that the variable `TWIN_PYTHON` names) that has lifelines; says that it is skipped where there is none,
//! under CI too: the tests ask for Rust alone. Where it is there, every number agrees to five digits.

use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use twin_models::survival::TimeLaw;
use twin_tests::engines::{has, python};
use twin_tests::survival_tables::{
    COLON, COMPETING, LARYNX, NCCTG, ROTTERDAM, colon, larynx, ncctg, relapse_free, rotterdam, rows, table,
};
use twin_trials::statistics::{
    AcceleratedRegression, CompetingFollowUp, CoxRegression, CumulativeIncidence, FollowUp, KaplanMeier, NelsonAalen, Period,
    fine_gray, generalized_gamma, log_rank,
};

const DIGITS: f64 = 1e-5;

type Numbers = BTreeMap<String, f64>;
type Failure = Box<dyn std::error::Error>;

#[derive(Serialize)]
struct Input {
    name: &'static str,
    columns: Vec<&'static str>,
    times: Vec<f64>,
    events: Vec<u8>,
    rows: Vec<Vec<f64>>,
    groups: Option<Vec<usize>>,
    looks: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<Option<usize>>>,
}

impl Input {
    /// `group` is the covariate by which groups are compared and strata made.
    fn of(name: &'static str, columns: &[&'static str], periods: &[Period], group: Option<usize>, looks: &[f64]) -> Self {
        Self {
            name,
            columns: columns.to_vec(),
            times: periods.iter().map(|period| period.follow_up.time).collect(),
            events: periods.iter().map(|period| u8::from(period.follow_up.event)).collect(),
            rows: periods.iter().map(|period| period.covariates.clone()).collect(),
            groups: group.map(|place| periods.iter().map(|period| period.covariates[place] as usize).collect()),
            looks: looks.to_vec(),
            causes: None,
        }
    }

    /// The first of `seen`, their times moved apart by a little so that no two are equal: lifelines breaks ties in another way.
    fn competing(
        name: &'static str,
        columns: &[&'static str],
        seen: &[CompetingFollowUp],
        rows: Vec<Vec<f64>>,
        looks: &[f64],
    ) -> Self {
        Self {
            name,
            columns: columns.to_vec(),
            times: seen.iter().enumerate().map(|(row, seen)| seen.time + 1e-5 * (row + 1) as f64).collect(),
            events: seen.iter().map(|seen| u8::from(seen.cause.is_some())).collect(),
            rows,
            groups: None,
            looks: looks.to_vec(),
            causes: Some(seen.iter().map(|seen| seen.cause).collect()),
        }
    }

    fn follow_ups(&self) -> Vec<FollowUp> {
        self.times.iter().zip(&self.events).map(|(&time, &event)| FollowUp { time, event: event == 1 }).collect()
    }

    fn ours(&self) -> Result<Numbers, Failure> {
        let mut out = Numbers::new();
        let mut put = |name: String, value: f64| out.insert(format!("{}.{name}", self.name), value);
        if let Some(causes) = &self.causes {
            let seen: Vec<_> = self.times.iter().zip(causes).map(|(&time, &cause)| CompetingFollowUp { time, cause }).collect();
            let curve = CumulativeIncidence::estimate(&seen, 0)?;
            for look in &self.looks {
                put(format!("aalen_johansen_{look}"), curve.at(*look)?);
            }
            for coefficient in fine_gray(&self.columns, &seen, &self.rows, 0)?.coefficients {
                put(format!("fine_gray.{}", coefficient.name), coefficient.estimate);
            }
            return Ok(out);
        }
        let follow_ups = self.follow_ups();
        let (survival, hazard) = (KaplanMeier::estimate(&follow_ups)?, NelsonAalen::estimate(&follow_ups)?);
        for look in &self.looks {
            put(format!("kaplan_meier_{look}"), survival.survival_at(*look)?.survival);
            put(format!("nelson_aalen_{look}"), hazard.at(*look)?);
        }
        put("restricted_mean".to_owned(), survival.restricted_mean(*self.looks.last().ok_or("no looks")?)?.mean);
        survival.median().time.map(|median| put("median".to_owned(), median));
        let periods: Vec<Period> = follow_ups.iter().zip(&self.rows).map(|(seen, x)| Period::new(*seen, x.clone())).collect();
        let fit = CoxRegression::default().fit(&self.columns, &periods)?;
        put("cox.ln_likelihood".to_owned(), fit.ln_likelihood);
        for coefficient in fit.coefficients {
            put(format!("cox.{}", coefficient.name), coefficient.estimate);
            put(format!("cox.{}_se", coefficient.name), coefficient.standard_error);
        }
        if let Some(groups) = &self.groups {
            let most = groups.iter().max().copied().unwrap_or(0);
            let of = |group: usize| follow_ups.iter().zip(groups).filter(move |(_, own)| **own == group).map(|(seen, _)| *seen);
            let lists: Vec<Vec<FollowUp>> =
                (0..=most).map(|group| of(group).collect()).filter(|list: &Vec<_>| !list.is_empty()).collect();
            put("log_rank".to_owned(), log_rank(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>())?.statistic);
        }
        for (name, law) in
            [("weibull", TimeLaw::Weibull), ("log_normal", TimeLaw::LogNormal), ("log_logistic", TimeLaw::LogLogistic)]
        {
            let fit = AcceleratedRegression::new(law).fit(&self.columns, &periods)?;
            put(format!("{name}.ln_likelihood"), fit.ln_likelihood);
            for coefficient in &fit.coefficients {
                put(format!("{name}.{}", coefficient.name.replace(' ', "_")), coefficient.estimate);
            }
        }
        let bare: Vec<Period> = follow_ups.iter().map(|seen| Period::new(*seen, [])).collect();
        put("generalized_gamma.ln_likelihood".to_owned(), generalized_gamma(&[], &bare)?.regression.ln_likelihood);
        Ok(out)
    }
}

/// The four tables, and the two that have competing events; `None` where the data are absent.
fn inputs() -> Result<Option<Vec<Input>>, Failure> {
    let (Some(ncctg), Some(colon_rows), Some(relapse_free), Some(larynx)) = (ncctg()?, colon()?, relapse_free()?, larynx()?) else {
        return Ok(None);
    };
    let (Some((seen, columns)), Some(recurrence)) = (rotterdam()?, recurrence()?) else { return Ok(None) };
    let chosen: Vec<Vec<f64>> = [0, 2, 3, 4, 5, 8].map(|column: usize| columns[column].clone()).into();
    let competing = rows(&chosen);
    Ok(Some(vec![
        Input::of("ncctg", NCCTG, &ncctg, Some(1), &[100.0, 200.0, 365.0, 500.0, 800.0]),
        Input::of("colon", COLON, &colon_rows, Some(2), &[365.0, 1000.0, 1500.0, 2500.0]),
        Input::of("rotterdam", ROTTERDAM, &relapse_free, Some(8), &[365.0, 1000.0, 2000.0, 3650.0]),
        Input::of("larynx", LARYNX, &larynx, None, &[1.0, 2.5, 4.0, 6.0]),
        Input::competing("rotterdam", COMPETING, &seen, competing, &[365.0, 1000.0, 2000.0, 3650.0]),
        recurrence,
    ]))
}

/// Recurrence of colon cancer, with death without it.
fn recurrence() -> Result<Option<Input>, Failure> {
    const COLUMNS: &[&str] = &["age", "extent", "surg"];
    let Some(whole) = table("colon.csv")? else { return Ok(None) };
    let of = |kind: &'static str| whole.clone().retain("etype", move |cell| cell == kind);
    let (first, death) = (of("1")?, of("2")?);
    let (recurred, died) = (first.words("status")?, death.words("status")?);
    let (times, deaths) = (first.numbers("time")?, death.numbers("time")?);
    if first.words("id")? != death.words("id")? {
        return Err("the rows of the colon table are not paired".into());
    }
    let seen: Vec<_> = (0..times.len())
        .map(|row| match (recurred[row], died[row]) {
            ("1", _) => CompetingFollowUp::event(times[row], 0),
            (_, "1") => CompetingFollowUp::event(deaths[row], 1),
            _ => CompetingFollowUp::censored(times[row]),
        })
        .collect();
    let columns: Vec<Vec<f64>> = COLUMNS.iter().map(|name| first.numbers(name)).collect::<Result<_, _>>()?;
    Ok(Some(Input::competing("colon", COLUMNS, &seen, rows(&columns), &[365.0, 1000.0, 2000.0])))
}

fn theirs(inputs: &[Input]) -> Result<Numbers, Failure> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/by_lifelines.py");
    let mut child = Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let text = serde_json::to_vec(inputs)?;
    let writer = std::thread::spawn(move || input.write_all(&text));
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| "the writer failed")??;
    if !output.status.success() {
        return Err("lifelines failed".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn lifelines_agrees_to_five_digits_on_four_tables() -> Result<(), Failure> {
    if !has("lifelines") {
        println!("skipped: lifelines_agrees_to_five_digits_on_four_tables (`{}` has no lifelines)", python());
        return Ok(());
    }
    let Some(inputs) = inputs()? else { return Ok(()) };
    let theirs = theirs(&inputs)?;
    let mut ours = Numbers::new();
    for input in &inputs {
        ours.extend(input.ours()?);
    }
    let mut compared = 0;
    let mut worst = (0.0, String::new());
    for (name, &their) in &theirs {
        let Some(&our) = ours.get(name) else { return Err(format!("{name} is not computed by us").into()) };
        let distance = (our - their).abs() / their.abs().max(1e-3);
        println!("{name}: {our} and {their}");
        if distance > worst.0 {
            worst = (distance, name.clone());
        }
        compared += 1;
    }
    println!("{compared} numbers; the largest relative difference is {:.1e}, of {}", worst.0, worst.1);
    assert_eq!(compared, ours.len());
    assert!(worst.0 < DIGITS, "{worst:?}");
    Ok(())
}
