//! The public survival tables of the data collection, as regressions need them.

use crate::table::Table;
use twin_trials::statistics::{CompetingFollowUp, FollowUp, Period};

/// An error in words.
fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The table called `name`; `None` where it is absent.
///
/// # Errors
/// In words, if the table is not as it should be.
pub fn table(name: &str) -> Result<Option<Table>, String> {
    crate::data("survival", &format!("data/survival_tables/{name}")).map(|path| Table::read(&path)).transpose()
}

/// The rows of named columns, one list for each row.
#[must_use]
pub fn rows(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = columns.first().map_or(0, Vec::len);
    (0..count).map(|row| columns.iter().filter_map(|column| column.get(row).copied()).collect()).collect()
}

/// Periods of these times, events and columns of covariates.
///
/// # Errors
/// In words, if the table is not as it should be.
pub fn periods(times: &[f64], events: &[bool], columns: &[Vec<f64>]) -> Result<Vec<Period>, String> {
    let follow_ups = FollowUp::pair(times, events).map_err(words)?;
    Ok(follow_ups.into_iter().zip(rows(columns)).map(|(seen, x)| Period::new(seen, x)).collect())
}

fn is(column: &[&str], value: &str) -> Vec<f64> {
    column.iter().map(|cell| if *cell == value { 1.0 } else { 0.0 }).collect()
}

/// The covariates of [`ncctg`].
pub const NCCTG: &[&str] = &["age", "sex", "ph.ecog"];
/// The covariates of [`colon`].
pub const COLON: &[&str] = &["lev", "lev_5fu", "sex", "age", "nodes", "extent", "obstruct", "surg"];
/// The covariates of [`rotterdam`] and [`relapse_free`].
pub const ROTTERDAM: &[&str] = &["age_10", "meno", "size_20_50", "size_50", "grade_3", "exp_nodes", "ln_pgr", "ln_er", "hormon"];
/// The covariates of [`larynx`].
pub const LARYNX: &[&str] = &["age", "stage_2", "stage_3", "stage_4"];
/// Those of [`rotterdam`] that its regression of competing risks takes: its columns 0, 2, 3, 4, 5 and 8.
pub const COMPETING: &[&str] = &["age_10", "size_20_50", "size_50", "grade_3", "exp_nodes", "hormon"];

/// Survival in advanced lung cancer, days; `None` where the table is absent.
///
/// # Errors
/// In words, if the table is not as it should be.
pub fn ncctg() -> Result<Option<Vec<Period>>, String> {
    let Some(table) = table("cancer.csv")? else { return Ok(None) };
    let table = table.retain("ph.ecog", |cell| !cell.is_empty())?;
    let events: Vec<bool> = table.words("status")?.iter().map(|status| *status == "2").collect();
    let columns = [table.numbers("age")?, table.numbers("sex")?, table.numbers("ph.ecog")?];
    periods(&table.numbers("time")?, &events, &columns).map(Some)
}

/// Survival in colon cancer, days; `None` where the table is absent.
///
/// # Errors
/// In words, if the table is not as it should be.
pub fn colon() -> Result<Option<Vec<Period>>, String> {
    let Some(table) = table("colon.csv")? else { return Ok(None) };
    let table = table.retain("etype", |cell| cell == "2")?.retain("nodes", |cell| !cell.is_empty())?;
    let events: Vec<bool> = table.words("status")?.iter().map(|status| *status == "1").collect();
    let arm = table.words("rx")?;
    let mut columns = vec![is(&arm, "Lev"), is(&arm, "Lev+5FU")];
    for name in ["sex", "age", "nodes", "extent", "obstruct", "surg"] {
        columns.push(table.numbers(name)?);
    }
    periods(&table.numbers("time")?, &events, &columns).map(Some)
}

/// Relapse-free survival of the Rotterdam table: times, kinds of event (0 relapse, 1 death without), covariates; `None` where the table is
/// absent.
///
/// # Errors
/// In words, if the table is not as it should be.
#[allow(clippy::type_complexity)]
pub fn rotterdam() -> Result<Option<(Vec<CompetingFollowUp>, Vec<Vec<f64>>)>, String> {
    let Some(table) = table("rotterdam.csv")? else { return Ok(None) };
    let (relapsed, died) = (table.words("recur")?, table.words("death")?);
    let (relapse, death) = (table.numbers("rtime")?, table.numbers("dtime")?);
    let seen = (0..relapsed.len()).map(|row| match (relapsed[row], died[row]) {
        ("1", _) => CompetingFollowUp::event(relapse[row], 0),
        (_, "1") => CompetingFollowUp::event(death[row], 1),
        _ => CompetingFollowUp::censored(death[row]),
    });
    let map = |name: &str, f: fn(f64) -> f64| Ok::<_, String>(table.numbers(name)?.into_iter().map(f).collect::<Vec<_>>());
    let size = table.words("size")?;
    let columns = vec![
        map("age", |age| age / 10.0)?,
        table.numbers("meno")?,
        is(&size, "20-50"),
        is(&size, ">50"),
        is(&table.words("grade")?, "3"),
        map("nodes", |nodes| (-0.12 * nodes).exp())?,
        map("pgr", f64::ln_1p)?,
        map("er", f64::ln_1p)?,
        table.numbers("hormon")?,
    ];
    Ok(Some((seen.collect(), columns)))
}

/// Relapse-free survival of the Rotterdam table, days; `None` where the table is absent.
///
/// # Errors
/// In words, if the table is not as it should be.
pub fn relapse_free() -> Result<Option<Vec<Period>>, String> {
    let Some((seen, columns)) = rotterdam()? else { return Ok(None) };
    let times: Vec<f64> = seen.iter().map(|seen| seen.time).collect();
    let events: Vec<bool> = seen.iter().map(|seen| seen.cause.is_some()).collect();
    periods(&times, &events, &columns).map(Some)
}

/// Survival in cancer of the larynx, years; `None` where the table is absent.
///
/// # Errors
/// In words, if the table is not as it should be.
pub fn larynx() -> Result<Option<Vec<Period>>, String> {
    let Some(table) = table("larynx.csv")? else { return Ok(None) };
    let events: Vec<bool> = table.words("delta")?.iter().map(|status| *status == "1").collect();
    let stage = table.words("stage")?;
    let columns = [table.numbers("age")?, is(&stage, "2"), is(&stage, "3"), is(&stage, "4")];
    periods(&table.numbers("time")?, &events, &columns).map(Some)
}
