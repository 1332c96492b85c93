//! Prints, patient by patient, how the twin's forecast of real PSA series compares with the last value carried forward.

use twin_tests::psa::{Forecast, abiraterone, intermittent, score};

fn print(title: &str, forecasts: &[Forecast]) {
    println!("{title}\n{:<8} {:>6} {:>6} {:>9} {:>9} {:>9}  sound", "patient", "fitted", "points", "90 % cov.", "error", "carried");
    for forecast in forecasts {
        let one = score([forecast]);
        println!(
            "{:<8} {:>6} {:>6} {:>9.3} {:>9.3} {:>9.3}  {}",
            forecast.subject, forecast.fitted, one.points, one.coverage, one.error, one.carried_error, forecast.sound
        );
    }
    let all = score(forecasts);
    println!("{:<8} {:>6} {:>6} {:>9.3} {:>9.3} {:>9.3}\n", "all", "", all.points, all.coverage, all.error, all.carried_error);
}

fn main() -> Result<(), String> {
    println!("errors: median absolute error of log10(PSA + 0.1)\n");
    if let Some(forecasts) = abiraterone("forecast")? {
        print("abiraterone, first 60 % of visits fitted", &forecasts);
    }
    if let Some(forecasts) = intermittent("forecast")? {
        print("intermittent androgen deprivation, first cycle and a half fitted", &forecasts);
    }
    Ok(())
}
