#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::*;
use twin_core::{Agent, Quantity, Random, Time, TimedTreatment, Treatment};
use twin_models::{Model, Scenario, TreatmentKind, simulate};

const MATH: &str = "xmlns=\"http://www.w3.org/1998/Math/MathML\"";

fn document(attributes: &str, model: &str) -> String {
    format!(
        "<sbml xmlns=\"http://www.sbml.org/sbml/level3/version2/core\" level=\"3\" version=\"2\">\
         <model id=\"m\" {attributes}>{model}</model></sbml>"
    )
}

fn read(model: &str) -> Result<Sbml, IoError> {
    parse(&document("timeUnits=\"second\"", model), "m.xml", None, &Limits::default())
}

/// The values of `x` at these seconds.
fn x(model: &str, seconds: &[f64]) -> Vec<f64> {
    let model = read(model).unwrap().equations.model().unwrap();
    let times = seconds.iter().map(|second| Time::from_days(second / 86_400.0).unwrap());
    let scenario = Scenario::starting(Time::ORIGIN).sampled(times);
    let course = simulate(&model, &model.spec().defaults().unwrap(), &scenario, &mut Random::new(1)).unwrap();
    course.column(&twin_core::Observable::new("x").unwrap()).unwrap()
}

fn parameter(id: &str, value: &str) -> String {
    format!("<listOfParameters><parameter id=\"{id}\" value=\"{value}\" constant=\"false\"/></listOfParameters>")
}

fn rule(kind: &str, math: &str) -> String {
    format!("<listOfRules><{kind} variable=\"x\"><math {MATH}>{math}</math></{kind}></listOfRules>")
}

#[test]
fn mathml_is_read_as_it_is_meant() {
    for (math, expected) in [
        ("<cn type=\"e-notation\">2<sep/>3</cn>", 2000.0),
        ("<cn type=\"rational\">1<sep/>4</cn>", 0.25),
        ("<apply><minus/><cn>2</cn></apply>", -2.0),
        ("<apply><root/><degree><cn>3</cn></degree><cn>27</cn></apply>", 3.0),
        ("<apply><root/><cn>16</cn></apply>", 4.0),
        ("<apply><log/><logbase><cn>2</cn></logbase><cn>8</cn></apply>", 3.0),
        ("<apply><log/><cn>100</cn></apply>", 2.0),
        ("<apply><arcsec/><cn>2</cn></apply>", 0.5_f64.acos()),
        ("<apply><coth/><cn>2</cn></apply>", 2.0_f64.tanh().recip()),
        (
            "<piecewise><piece><cn>1</cn><apply><lt/><cn>2</cn><cn>1</cn></apply></piece><otherwise><pi/></otherwise></piecewise>",
            std::f64::consts::PI,
        ),
        ("<apply><implies/><false/><true/></apply>", 1.0),
        ("<semantics><exponentiale/></semantics>", std::f64::consts::E),
        (
            "<apply><times/><csymbol encoding=\"text\" definitionURL=\"http://www.sbml.org/sbml/symbols/time\">t</csymbol><cn>3</cn></apply>",
            30.0,
        ),
    ] {
        let value = x(&format!("{}{}", parameter("x", "0"), rule("assignmentRule", math)), &[10.0])[0];
        assert!((value - expected).abs() < 1e-12 * expected.abs().max(1.0), "{math}: {value}");
    }
}

#[test]
fn reactions_turn_amounts_over_and_doses_go_into_them() {
    let model = format!(
        "<listOfCompartments><compartment id=\"blood\" size=\"5\" constant=\"true\" units=\"litre\"/></listOfCompartments>\
         <listOfSpecies><species id=\"x\" compartment=\"blood\" initialConcentration=\"0\" substanceUnits=\"milligram\"/></listOfSpecies>\
         <listOfUnitDefinitions><unitDefinition id=\"milligram\"><listOfUnits>\
         <unit kind=\"gram\" scale=\"-3\" multiplier=\"1\" exponent=\"1\"/></listOfUnits></unitDefinition></listOfUnitDefinitions>\
         <listOfReactions><reaction id=\"out\"><listOfReactants><speciesReference species=\"x\" stoichiometry=\"1\"/></listOfReactants>\
         <kineticLaw><math {MATH}><apply><times/><ci>k</ci><ci>blood</ci><ci>x</ci></apply></math>\
         <listOfLocalParameters><localParameter id=\"k\" value=\"0.1\"/></listOfLocalParameters></kineticLaw></reaction></listOfReactions>"
    );
    let mut file = read(&model).unwrap();
    assert_eq!(file.species, [Species { id: "x".to_owned(), compartment: "blood".to_owned(), is_concentration: true }]);
    let drug = Agent::new("drug").unwrap();
    file.equations.dose(TreatmentKind::Bolus, drug.clone(), "x.amount");
    let model = file.equations.model().unwrap();
    let parameters: Vec<&str> = model.spec().parameters.iter().map(|parameter| parameter.name.as_ref()).collect();
    assert_eq!(parameters, ["out.k", "blood", "x.initial"]);
    let dose = Treatment::bolus(drug, Quantity::new(0.02, "g").unwrap()).unwrap();
    let scenario = Scenario::starting(Time::ORIGIN)
        .treated([TimedTreatment::new(Time::ORIGIN, dose)])
        .sampled([Time::from_days(10.0 / 86_400.0).unwrap()]);
    let course = simulate(&model, &model.spec().defaults().unwrap(), &scenario, &mut Random::new(1)).unwrap();
    assert!((course.values[1] - 4.0 * (-1.0_f64).exp()).abs() < 1e-6, "{course:?}");
    let unit = &model.spec().observables[1].unit;
    assert_eq!(Quantity::new(4.0, unit.as_ref()).unwrap().value_in("mg/L").unwrap(), 4.0);
}

#[test]
fn an_event_that_changes_a_size_keeps_amounts() {
    let event = format!(
        "<listOfEvents><event useValuesFromTriggerTime=\"true\"><trigger initialValue=\"true\" persistent=\"true\"><math {MATH}>\
         <apply><gt/><csymbol definitionURL=\"http://www.sbml.org/sbml/symbols/time\">t</csymbol><cn>1</cn></apply></math></trigger>\
         <listOfEventAssignments><eventAssignment variable=\"c\"><math {MATH}><cn>4</cn></math></eventAssignment></listOfEventAssignments>\
         </event></listOfEvents>"
    );
    let model = |species: &str, rules: &str| {
        format!(
            "<listOfCompartments><compartment id=\"c\" size=\"2\" constant=\"false\"/></listOfCompartments>\
             <listOfSpecies><species id=\"x\" compartment=\"c\" {species}/></listOfSpecies>{rules}{event}"
        )
    };
    assert_eq!(x(&model("initialAmount=\"8\"", ""), &[0.5, 1.5]), [4.0, 2.0]);
    assert_eq!(x(&model("initialAmount=\"8\" hasOnlySubstanceUnits=\"true\"", ""), &[0.5, 1.5]), [8.0, 8.0]);
    // A species whose concentration has a rate of its own.
    let still = rule("rateRule", "<cn>0</cn>");
    assert_eq!(x(&model("initialConcentration=\"4\"", &still), &[0.5, 1.5]), [4.0, 2.0]);
}

#[test]
fn what_is_refused_is_named() {
    let math = |math: &str| format!("{}{}", parameter("x", "1"), rule("assignmentRule", math));
    let of = |url: &str| {
        format!("<apply><csymbol definitionURL=\"http://www.sbml.org/sbml/symbols/{url}\">d</csymbol><ci>x</ci></apply>")
    };
    for (model, said) in [
        (math(&of("delay")), "a delay in an expression"),
        (math(&of("rateOf")), "the rate of a symbol"),
        (math(""), "an element without its math"),
        (math("<apply><vectorproduct/><cn>1</cn></apply>"), "this function of MathML"),
        (math("<cn>SECRET</cn>"), "must be a number"),
        (math("<ci>SECRET</ci>"), "names a symbol that is not there"),
        (math("<apply><ci>SECRET</ci></apply>"), "calls a function that is not defined"),
        (math("<apply><power/><cn>1</cn></apply>"), "a number of arguments"),
        (format!("{}{}", parameter("x", "SECRET"), ""), "must be a number"),
        (format!("{}{}", parameter("x", "infinity"), ""), "must be a number"),
        (parameter("S€CRET", "1"), "must be letters"),
        (format!("{0}{0}", parameter("x", "1")), "is given twice"),
        ("<listOfRules><algebraicRule/></listOfRules>".to_owned(), "an algebraic rule"),
        ("<listOfConstraints><constraint/></listOfConstraints>".to_owned(), "a constraint"),
        ("<listOfReactions><reaction id=\"r\" fast=\"true\"/></listOfReactions>".to_owned(), "a fast reaction"),
        ("<listOfReactions><reaction id=\"r\"/></listOfReactions>".to_owned(), "without a kinetic law"),
        ("<listOfSpecies><species id=\"x\" compartment=\"c\"/></listOfSpecies>".to_owned(), "must be a compartment"),
    ] {
        let message = read(&model).unwrap_err().to_string();
        assert!(message.contains(said) && !message.contains("SECRET"), "{message}");
        assert!(message.starts_with("m.xml, line 1, field") || message.contains("column"), "{message}");
    }
    let parsed = |text: &str| parse(text, "m.xml", None, &Limits::default());
    assert!(matches!(parsed("<html/>"), Err(IoError::Format { .. })));
    assert!(matches!(parsed("<sbml xmlns=\"http://www.sbml.org/sbml/level2/version4\"/>"), Err(IoError::Unsupported { .. })));
    assert!(matches!(parsed("<!DOCTYPE x [<!ENTITY a \"b\">]><sbml/>"), Err(IoError::Syntax { .. })));
    assert!(matches!(parsed("<sbml"), Err(IoError::Syntax { .. })));
    let package =
        "<sbml xmlns=\"http://www.sbml.org/sbml/level3/version1/core\" xmlns:comp=\"c\" comp:required=\"true\"><model/></sbml>";
    assert!(matches!(parsed(package), Err(IoError::Unsupported { .. })));
    // A file that does not say in what it counts time.
    let silent = document("", &math("<cn>1</cn>"));
    assert!(parsed(&silent).unwrap_err().to_string().contains("states no unit of time"));
    assert!(parse(&silent, "m.xml", Some(&"h".parse().unwrap()), &Limits::default()).is_ok());
}

#[test]
fn bombs_are_refused() {
    let function = |index: usize, body: &str| {
        format!(
            "<functionDefinition id=\"f{index}\"><math {MATH}><lambda><bvar><ci>a</ci></bvar>{body}</lambda></math></functionDefinition>"
        )
    };
    let twice = |index: usize| {
        format!("<apply><plus/><apply><ci>f{index}</ci><ci>a</ci></apply><apply><ci>f{index}</ci><ci>a</ci></apply></apply>")
    };
    let calls = |functions: String| {
        format!(
            "<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions>{}{}",
            parameter("x", "1"),
            rule("assignmentRule", "<apply><ci>f0</ci><cn>1</cn></apply>")
        )
    };
    // Twenty functions that each call the next one twice, and one that calls itself.
    let doubling: String = (0..20).map(|index| function(index, &twice(index + 1))).chain([function(20, "<ci>a</ci>")]).collect();
    assert!(matches!(read(&calls(doubling)), Err(IoError::Limit { raise: "max_records", .. })));
    let message = read(&calls(function(0, &twice(0)))).unwrap_err().to_string();
    assert!(message.contains("calls itself"), "{message}");
    // Levels of math, and of elements.
    let deep = format!("{}<cn>1</cn>{}", "<apply><abs/>".repeat(5000), "</apply>".repeat(5000));
    let nested = format!("{}{}", parameter("x", "1"), rule("assignmentRule", &deep));
    assert!(matches!(read(&nested), Err(IoError::Limit { raise: "max_depth", .. })));
    let many = format!("{}{}", parameter("x", "1"), "<notes/>".repeat(200_000));
    assert!(matches!(read(&many), Err(IoError::Limit { raise: "max_records", .. })));
    let open = "<a>".repeat(100_000);
    assert!(read(&open).is_err());
}
