//! The plots of the README: time and memory side by side, as SVG that is legible on light and on
//! dark ground.

use std::fmt::Write;

use crate::program::Kind;
use crate::runs::Who;

/// One line of a plot.
pub(crate) struct Series {
    /// Its class in the style below, which gives the colour.
    pub(crate) class: &'static str,
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) fn of(who: Who, points: impl Iterator<Item = (f64, f64)>) -> Series {
        let class = match who {
            Who::Program(Kind::Boto3) => "boto3",
            Who::Program(Kind::Boto3Threads) => "threads",
            Who::Program(_) => "function",
            Who::Bare => "bare",
        };
        let mut points: Vec<(f64, f64)> = points.collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Series { class, name: who.name(), points }
    }
}

/// One of the two plots.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) series: Vec<Series>,
}

const HEAD: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 370" role="img" aria-labelledby="title desc" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="14">"#;

const STYLE: &str = "  <style>
    .paper { fill: #ffffff; stroke: #d0d7de; }
    .grid { stroke: #d8dee4; stroke-width: 1; }
    text { fill: #1f2328; }
    .small { font-size: 12px; fill: #57606a; }
    .bold { font-weight: 600; }
    .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
    .function { stroke: #0969da; fill: #0969da; }
    .boto3 { stroke: #bc4c00; fill: #bc4c00; }
    .threads { stroke: #8250df; fill: #8250df; }
    .bare { stroke: #57606a; fill: #57606a; stroke-dasharray: 5 4; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117; stroke: #30363d; }
      .grid { stroke: #21262d; }
      text { fill: #e6edf3; }
      .small { fill: #9da7b3; }
      .function { stroke: #58a6ff; fill: #58a6ff; }
      .boto3 { stroke: #f0883e; fill: #f0883e; }
      .threads { stroke: #bc8cff; fill: #bc8cff; }
      .bare { stroke: #9da7b3; fill: #9da7b3; }
    }
    path.line { fill: none; }
    circle { stroke-dasharray: none; }
  </style>
";

/// Draws two panels over the same horizontal axis.
pub(crate) fn chart(title: &str, description: &str, axis: &str, panels: &[Panel; 2]) -> String {
    let mut svg = format!("{HEAD}\n  <title id=\"title\">{title}</title>\n  <desc id=\"desc\">{description}</desc>\n");
    svg += STYLE;
    svg += "  <rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"859\" height=\"369\" rx=\"8\"/>\n";
    let mut x = 40.0;
    for series in &panels[0].series {
        let _ = writeln!(svg, "  <path class=\"line {}\" d=\"M{x} 28H{}\"/>", series.class, x + 26.0);
        let _ = writeln!(svg, "  <text x=\"{}\" y=\"33\">{}</text>", x + 34.0, series.name);
        x += 66.0 + series.name.len() as f64 * 6.9;
    }
    for (panel, left) in panels.iter().zip([70.0, 490.0]) {
        draw(&mut svg, panel, axis, left);
    }
    svg += "</svg>\n";
    svg
}

const TOP: f64 = 90.0;
const BOTTOM: f64 = 310.0;
const WIDTH: f64 = 330.0;

fn draw(svg: &mut String, panel: &Panel, axis: &str, left: f64) {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let (x_ticks, y_ticks) = (ticks(points().map(|point| point.0)), ticks(points().map(|point| point.1)));
    let x_of = |x: f64| left + x / x_ticks[x_ticks.len() - 1] * WIDTH;
    let y_of = |y: f64| BOTTOM - y / y_ticks[y_ticks.len() - 1] * (BOTTOM - TOP);
    let right = left + WIDTH;
    let _ = writeln!(svg, "  <text class=\"bold\" x=\"{left}\" y=\"70\">{}</text>", panel.title);
    for &tick in &y_ticks {
        let y = y_of(tick);
        let _ = writeln!(svg, "  <path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>");
        let (x, y) = (left - 8.0, y + 4.0);
        let _ = writeln!(svg, "  <text class=\"small\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{tick}</text>");
    }
    for &tick in &x_ticks {
        let (x, y, tick) = (x_of(tick), BOTTOM + 20.0, thousands(tick));
        let _ = writeln!(svg, "  <text class=\"small\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{tick}</text>");
    }
    let (x, y) = (left + WIDTH / 2.0, BOTTOM + 42.0);
    let _ = writeln!(svg, "  <text class=\"small\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{axis}</text>");
    for Series { class, points, .. } in panel.series.iter().filter(|series| !series.points.is_empty()) {
        let places: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x_of(x), y_of(y))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let _ = writeln!(svg, "  <path class=\"line {class}\" d=\"M{}\"/>", path.join("L"));
        for (x, y) in places {
            let _ = writeln!(svg, "  <circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\"/>");
        }
    }
}

/// Round numbers from 0 to beyond the largest, four to seven of them.
fn ticks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let most = values.fold(f64::MIN_POSITIVE, f64::max);
    let power = 10_f64.powf((most / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| most / step <= 6.0);
    let step = step.unwrap_or(most);
    (0..=(most / step).ceil() as u32).map(|number| f64::from(number) * step).collect()
}

/// A whole number below a million with a comma before its thousands.
pub(crate) fn thousands(number: f64) -> String {
    let digits = number.to_string();
    match digits.len().checked_sub(3) {
        Some(split @ 1..) if number.fract() == 0.0 => format!("{},{}", &digits[..split], &digits[split..]),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_beyond_the_largest() {
        assert_eq!(ticks([3.0, 46.0].into_iter()), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(ticks([20.0].into_iter()), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(ticks([10_000.0].into_iter()), [0.0, 2_000.0, 4_000.0, 6_000.0, 8_000.0, 10_000.0]);
    }

    #[test]
    fn thousands_have_a_comma() {
        assert_eq!(["0", "800", "2,000", "10,000"].map(str::to_owned), [0.0, 800.0, 2e3, 1e4].map(thousands));
    }
}
