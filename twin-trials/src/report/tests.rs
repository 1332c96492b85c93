use super::*;
use crate::statistics::{FollowUp, KaplanMeier, Spread, log_rank};
use twin_core::{Grid, Mask, ScalarField, Unit};

const HOSTILE: &str = "<script>alert('x')</script>\"&\u{0}";

fn forecast() -> ForecastFigure {
    ForecastFigure {
        label: "PSA".to_owned(),
        unit: "ng/mL".to_owned(),
        scale: Scale::Logarithmic,
        limits: None,
        observations: [(Reading::Measured, Use::Calibration), (Reading::Below, Use::HeldOut), (Reading::Above, Use::Calibration)]
            .into_iter()
            .zip([0.0, 30.0, 60.0])
            .map(|((reading, used_for), day)| ObservedPoint { day, value: 2.0 + day, reading, used_for })
            .collect(),
        times: vec![0.0, 50.0, 100.0],
        bands: vec![[1.0, 2.0, 3.0, 4.0, 5.0]; 3],
        calibration_end: Some(45.0),
        treatment_periods: vec![TreatmentPeriod { from: 0.0, to: 20.0, label: "leuprolide".to_owned(), intensity: 1.0 }],
        carried_forward: Some(CarriedForward { from: 45.0, to: 100.0, value: 3.0 }),
    }
}

fn panel() -> DensityPanel {
    DensityPanel {
        label: "Growth rate".to_owned(),
        unit: "/d".to_owned(),
        scale: Scale::Linear,
        draws: (0..100).map(f64::from).collect(),
        prior: Some(Density::Curve { values: vec![0.0, 200.0], density: vec![0.005, 0.005] }),
        truth: Some(40.0),
    }
}

fn intervals() -> IntervalsFigure {
    let row = |label: &str| IntervalRow { label: label.to_owned(), spread: Spread::of(&[1.0, 2.0, 3.0]).unwrap() };
    IntervalsFigure {
        label: "Time to progression".to_owned(),
        unit: "days".to_owned(),
        rows: vec![row("continuous"), row("adaptive")],
        reference: Some(ReferenceLine { value: 2.0, label: "planned".to_owned() }),
        ..IntervalsFigure::default()
    }
}

fn survival() -> SurvivalFigure {
    let arms = [vec![FollowUp::event(100.0), FollowUp::censored(200.0)], vec![FollowUp::event(150.0), FollowUp::event(300.0)]];
    let curve = |(name, arm): (&str, &Vec<FollowUp>)| SurvivalCurve {
        label: name.to_owned(),
        estimate: KaplanMeier::estimate(arm).unwrap(),
    };
    SurvivalFigure {
        label: "Free of progression".to_owned(),
        curves: ["continuous", "adaptive"].into_iter().zip(&arms).map(curve).collect(),
        comparison: Some(log_rank(&arms.each_ref().map(Vec::as_slice)).unwrap()),
    }
}

fn curves() -> CurvesFigure {
    let curve = |label: &str, style| Curve { label: label.to_owned(), points: vec![(1.0, 0.1), (10.0, 0.01)], style };
    CurvesFigure {
        horizontal: Quantity::logarithmic("Error", ""),
        vertical: Quantity::linear("Time", "s"),
        curves: vec![curve("ours", CurveStyle::MarkedLine), curve("theirs", CurveStyle::Markers), curve("limit", CurveStyle::Line)],
    }
}

/// Three columns and two rows; the last voxel lies outside the region.
fn slices() -> SlicesFigure {
    let grid = Grid::new([3, 2, 1], [2.0, 1.0, 1.0]).unwrap();
    let region = Mask::new(grid.clone(), vec![true, true, true, true, true, false]).unwrap();
    let field = ScalarField::on(grid, Unit::dimensionless(), vec![0.0, 0.9, 0.9, 0.2, 0.0, 0.9]).unwrap();
    let slice = Slice::of("day 0", &field, &region, 0).unwrap();
    SlicesFigure { label: "Cellularity".to_owned(), unit: String::new(), limits: (0.1, 0.9), slices: vec![slice] }
}

fn with(blocks: Vec<Block>) -> Report {
    let mut report = Report::new("Forecast");
    report.sections.push(Section { heading: "Results".to_owned(), blocks });
    report
}

fn figure(plot: Plot) -> Result<String, TrialError> {
    with(vec![Block::Figure(Figure::new("What is seen.", plot))]).to_html()
}

fn full() -> Report {
    let plots = [
        Plot::Forecast(forecast()),
        Plot::Densities(DensitiesFigure { panels: vec![panel(), panel()] }),
        Plot::Intervals(intervals()),
        Plot::Survival(survival()),
        Plot::Curves(curves()),
        Plot::Slices(slices()),
    ];
    let mut blocks: Vec<Block> = plots.into_iter().map(|plot| Block::Figure(Figure::new("Caption", plot))).collect();
    blocks.push(Block::Table(Table {
        caption: "Outcomes".to_owned(),
        columns: vec![Column::text("Policy"), Column::number("Days")],
        rows: vec![vec!["adaptive".to_owned(), "812".to_owned()]],
    }));
    blocks.push(Block::KeyFigures(vec![("Gain".to_owned(), "112 days".to_owned())]));
    with(blocks)
}

/// Fails unless every element that is opened is closed, in order; void elements of the page aside.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = page.split_once("</style>").unwrap().1;
    let mut rest = body.split_once("<body>").unwrap().1;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, next) = after.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            if let Some(last) = open.pop() {
                assert_eq!(last, name);
            } else {
                assert!(["body", "html"].contains(&name), "{name}");
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = next;
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_full_report_is_well_formed_and_self_contained() {
    let page = full().to_html().unwrap();
    assert_balanced(&page);
    for piece in [
        "lang=\"en\"",
        "scope=\"col\"",
        "scope=\"row\"",
        "role=\"img\"",
        "<desc id=\"figure-4-text\">",
        "<caption>",
        "@media print",
    ] {
        assert!(page.contains(piece), "{piece}");
    }
    for foreign in ["<script", "<link", "<img", "<iframe", " src=", "@import", "url(http", "NaN", "inf"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let addresses: Vec<&str> = page.match_indices("http").map(|(at, _)| page.get(at..at + 12).unwrap()).collect();
    assert!(addresses.iter().all(|address| ["http-equiv=\"", "http://www.w"].contains(address)), "{addresses:?}");
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(full().to_html().unwrap(), full().to_html().unwrap());
}

#[test]
fn hostile_texts_are_inert_everywhere() {
    let hostile = || HOSTILE.to_owned();
    let mut report = full();
    (report.title, report.subtitle, report.notice) = (hostile(), hostile(), format!("{HOSTILE}</style>"));
    report.facts = vec![(hostile(), hostile())];
    let mut forecast = forecast();
    (forecast.label, forecast.unit) = (hostile(), hostile());
    forecast.treatment_periods.iter_mut().for_each(|period| period.label = hostile());
    let panel = DensityPanel { label: hostile(), unit: hostile(), ..panel() };
    let mut intervals = intervals();
    (intervals.label, intervals.unit) = (hostile(), hostile());
    intervals.rows.iter_mut().for_each(|row| row.label = hostile());
    intervals.reference = Some(ReferenceLine { value: 1.0, label: hostile() });
    let mut survival = survival();
    survival.label = hostile();
    survival.curves.iter_mut().for_each(|curve| curve.label = hostile());
    let mut curves = curves();
    (curves.horizontal.label, curves.vertical.unit) = (hostile(), hostile());
    curves.curves.iter_mut().for_each(|curve| curve.label = hostile());
    let slices = SlicesFigure { label: hostile(), unit: hostile(), ..slices() };
    let told = Figure { caption: hostile(), alternative: Some(hostile()), plot: Plot::Survival(survival) };
    report.sections = vec![Section {
        heading: hostile(),
        blocks: vec![
            Block::Paragraph(hostile()),
            Block::List(vec![hostile()]),
            Block::KeyFigures(vec![(hostile(), hostile())]),
            Block::Table(Table { caption: hostile(), columns: vec![Column::text(HOSTILE)], rows: vec![vec![hostile()]] }),
            Block::Figure(Figure::new(HOSTILE, Plot::Forecast(forecast))),
            Block::Figure(Figure::new(HOSTILE, Plot::Densities(DensitiesFigure { panels: vec![panel] }))),
            Block::Figure(Figure::new(HOSTILE, Plot::Intervals(intervals))),
            Block::Figure(Figure::new(HOSTILE, Plot::Curves(curves))),
            Block::Figure(Figure::new(HOSTILE, Plot::Slices(slices))),
            Block::Figure(told),
        ],
    }];
    let page = report.to_html().unwrap();
    assert!(!page.contains("<script") && !page.contains('\0'));
    assert_eq!(page.matches("</style>").count(), 1);
    assert_balanced(&page);
}

#[test]
fn degenerate_data_is_drawn() {
    let empty = ForecastFigure::default();
    let point = ForecastFigure { times: vec![5.0], bands: vec![[3.0; 5]], scale: Scale::Logarithmic, ..empty.clone() };
    let mut flat = forecast();
    flat.bands = vec![[3.0; 5]; 3];
    flat.observations.clear();
    let far = ForecastFigure { times: vec![-1e99, 1e99], bands: vec![[-1e99; 5], [1e99; 5]], ..empty.clone() };
    let cut = ForecastFigure { limits: Some((2.5, 2.6)), ..forecast() };
    for (place, plot) in [empty, point, flat, far, cut].into_iter().enumerate() {
        let page = figure(Plot::Forecast(plot)).unwrap();
        assert!(!page.contains("NaN") && !page.contains("inf"), "{place}");
    }
    for draws in [vec![4.0], vec![0.0; 50], vec![1e-90, 1e90]] {
        let (scale, truth) = (if draws.len() == 2 { Scale::Logarithmic } else { Scale::Linear }, None);
        let panel = DensityPanel { draws, scale, truth, prior: None, ..panel() };
        let page = figure(Plot::Densities(DensitiesFigure { panels: vec![panel] })).unwrap();
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }
    for arm in [[FollowUp::censored(0.0)], [FollowUp::event(0.0)], [FollowUp::event(1e5)]] {
        let curves = vec![SurvivalCurve { label: String::new(), estimate: KaplanMeier::estimate(&arm).unwrap() }];
        let page = figure(Plot::Survival(SurvivalFigure { label: String::new(), curves, comparison: None })).unwrap();
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }
}

#[test]
fn data_that_cannot_be_drawn_is_refused() {
    let refused = |change: fn(&mut ForecastFigure)| {
        let mut plot = forecast();
        change(&mut plot);
        figure(Plot::Forecast(plot)).unwrap_err()
    };
    assert!(matches!(refused(|plot| plot.times = vec![0.0, f64::NAN, 1.0]), TrialError::NotFinite { index: 1, .. }));
    assert!(matches!(refused(|plot| plot.times = vec![0.0, 2.0, 1.0]), TrialError::OutOfRange { index: 2, .. }));
    assert!(matches!(refused(|plot| plot.times = vec![0.0]), TrialError::Length { found: 3, expected: 1, .. }));
    assert!(matches!(refused(|plot| plot.bands = vec![[0.0; 5]; 3]), TrialError::OutOfRange { .. }));
    assert!(matches!(refused(|plot| plot.bands = vec![[5.0, 4.0, 3.0, 2.0, 1.0]; 3]), TrialError::OutOfRange { index: 1, .. }));
    assert!(matches!(refused(|plot| plot.calibration_end = Some(f64::INFINITY)), TrialError::NotFinite { .. }));
    assert!(matches!(refused(|plot| plot.limits = Some((2.0, 2.0))), TrialError::OutOfRange { .. }));
    assert!(matches!(
        refused(|plot| plot.treatment_periods.iter_mut().for_each(|period| period.intensity = -1.0)),
        TrialError::OutOfRange { what: "treatment intensity", .. }
    ));
    let empty = [
        Plot::Densities(DensitiesFigure::default()),
        Plot::Densities(DensitiesFigure { panels: vec![DensityPanel { draws: vec![], ..panel() }] }),
        Plot::Intervals(IntervalsFigure::default()),
        Plot::Survival(SurvivalFigure::default()),
        Plot::Curves(CurvesFigure::default()),
        Plot::Curves(CurvesFigure { curves: vec![Curve { points: vec![], ..curves().curves.remove(0) }], ..curves() }),
        Plot::Slices(SlicesFigure { slices: vec![], ..slices() }),
    ];
    assert!(empty.into_iter().all(|plot| matches!(figure(plot), Err(TrialError::Empty { .. }))));
    let prior = Some(Density::Curve { values: vec![0.0, 1.0], density: vec![1.0, -1.0] });
    let negative = DensitiesFigure { panels: vec![DensityPanel { prior, ..panel() }] };
    assert!(matches!(figure(Plot::Densities(negative)), Err(TrialError::OutOfRange { .. })));
}

#[test]
fn a_report_without_title_notice_or_heading_is_refused() {
    for spoil in [
        |report: &mut Report| report.title.clear(),
        |report: &mut Report| report.notice = " ".to_owned(),
        |report: &mut Report| {
            report.sections.iter_mut().for_each(|section| section.heading.clear());
        },
    ] {
        let mut report = full();
        spoil(&mut report);
        assert!(matches!(report.to_html(), Err(TrialError::Empty { .. })));
    }
}

#[test]
fn a_table_row_must_match_the_columns() {
    let table = Table { caption: String::new(), columns: vec![Column::text("a")], rows: vec![vec![]] };
    assert!(matches!(with(vec![Block::Table(table)]).to_html(), Err(TrialError::Length { found: 0, expected: 1, .. })));
}

#[test]
fn the_description_tells_what_the_figure_shows() {
    let page = full().to_html().unwrap();
    assert!(page.contains(
        "On day 100 the forecast median is 3.00 ng/mL, and 90 % of the forecast lies between 1.00 ng/mL and 5.00 ng/mL."
    ));
    assert!(page.contains("continuous: 1 of 2 had the event, median 100 d"));
    let told = Figure { alternative: Some("In short.".to_owned()), ..Figure::new("", Plot::Intervals(intervals())) };
    assert!(with(vec![Block::Figure(told)]).to_html().unwrap().contains("<desc id=\"figure-1-text\">In short.</desc>"));
}

#[test]
fn a_slice_joins_pixels_of_one_color_in_rows_from_the_bottom() {
    let page = figure(Plot::Slices(slices())).unwrap();
    // The lower row of the grid is the lower one of the picture: two voxels of the lightest color, joined.
    let lightest = page.lines().find(|line| line.contains("fill=\"#fdea45\"") && line.starts_with("<path")).unwrap();
    assert_eq!(lightest.matches('M').count(), 1);
    // Three voxels 2 mm wide and two 1 mm high fill the width of 860: a voxel is 286.67 by 143.33.
    assert!(lightest.contains("M286.67 143.33h573.33v143.33h-573.33z"), "{lightest}");
    assert!(page.contains("day 0: 6.00 mm² at or above 0.10, at most 0.900."), "the voxel outside the region counts for nothing");
}

#[test]
fn slices_off_their_grid_are_refused() {
    let grid = |nz| Grid::new([3, 2, nz], [1.0; 3]).unwrap();
    let field = |nz| ScalarField::on(grid(nz), Unit::dimensionless(), vec![0.0; 6 * nz]).unwrap();
    assert!(matches!(Slice::of("", &field(1), &Mask::whole(grid(1)), 1), Err(TrialError::Count { count: 1, .. })));
    assert!(matches!(Slice::of("", &field(1), &Mask::whole(grid(2)), 0), Err(TrialError::Length { found: 12, expected: 6, .. })));
    let flat = SlicesFigure { limits: (0.5, 0.5), ..slices() };
    assert!(matches!(figure(Plot::Slices(flat)), Err(TrialError::OutOfRange { .. })));
    let endless = SlicesFigure { limits: (0.5, f64::INFINITY), ..slices() };
    assert!(matches!(figure(Plot::Slices(endless)), Err(TrialError::NotFinite { .. })));
}

#[test]
fn curves_tell_their_ends_and_refuse_what_has_no_logarithm() {
    let page = figure(Plot::Curves(curves())).unwrap();
    assert!(page.contains("ours: 2 points, from 0.100 at 1.00 to 0.0100 at 10.0."));
    let mut wrong = curves();
    wrong.curves[1].points[1].0 = 0.0;
    assert!(matches!(figure(Plot::Curves(wrong)), Err(TrialError::OutOfRange { index: 1, .. })));
}

#[test]
fn a_figure_stands_alone_as_a_drawing() {
    let drawing = Figure::new("Caption", Plot::Curves(curves())).to_svg().unwrap();
    assert!(drawing.starts_with("<svg xmlns") && drawing.ends_with("</svg>\n"));
    assert_eq!(drawing.matches("<style>").count(), 1);
    assert!(!drawing.contains("http") || drawing.matches("http").count() == 1, "only the name of the format");
}
