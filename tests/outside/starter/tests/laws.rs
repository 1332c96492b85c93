//! The model obeys every law of the kit.

use starter::turnover;
use twin_core::Agent;
use twin_models::testing;

#[test]
fn the_model_obeys_every_law() -> Result<(), Box<dyn std::error::Error>> {
    let report = testing::check(&turnover(&Agent::new("abiraterone")?))?;
    assert_eq!(report.laws.len(), testing::LAWS.len());
    Ok(())
}
