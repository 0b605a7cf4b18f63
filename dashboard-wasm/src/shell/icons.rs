//! The few drawings, as inline SVG that takes the colour of its text.
use super::dom::{El, svg};

fn drawing(class: &str, side: &str, inner: El) -> El {
    let view = format!("0 0 {side} {side}");
    let svg = svg("svg").set("viewBox", &view).set("aria-hidden", "true").with(inner);
    if class.is_empty() { svg } else { svg.set("class", class) }
}

fn strokes(side: &str, path: &str) -> El {
    let inner = svg("path").set("d", path);
    let lines = [
        ("fill", "none"),
        ("stroke", "currentColor"),
        ("stroke-width", "1.6"),
        ("stroke-linecap", "round"),
        ("stroke-linejoin", "round"),
    ];
    let svg = drawing("icon", side, inner);
    lines.into_iter().fold(svg, |svg, (name, value)| svg.set(name, value))
}

/// The mark.
pub(crate) fn mark() -> El {
    let ground = ["width", "height"].into_iter().fold(svg("rect"), |rect, name| rect.set(name, "32"));
    let wave = svg("path").set("class", "wave").set("fill", "none").set("stroke-width", "2.6").set("stroke-linecap", "round");
    let wave = wave.set("d", "M7 11c3 0 3 3 6 3s3-3 6-3 3 3 6 3M7 19c3 0 3 3 6 3s3-3 6-3 3 3 6 3");
    drawing("", "32", ground.set("rx", "8").set("fill", "currentColor")).with(wave)
}

/// An arrow that says that there is more below.
pub(crate) fn down() -> El {
    strokes("12", "M2 4l4 4 4-4").set("class", "down")
}

/// What closes or removes.
pub(crate) fn cross() -> El {
    strokes("12", "M3 3l6 6M9 3l-6 6")
}

/// A filter.
pub(crate) fn funnel() -> El {
    strokes("16", "M2.5 3.5h11L9.5 8.5v4l-3-1.5V8.5z")
}

/// Light.
pub(crate) fn sun() -> El {
    strokes(
        "16",
        "M8 5a3 3 0 1 0 .01 0zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
    )
}

/// Dark.
pub(crate) fn moon() -> El {
    strokes("16", "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z")
}

/// As the system has it.
pub(crate) fn system() -> El {
    let half = svg("path").set("d", "M8 2.4a5.6 5.6 0 0 1 0 11.2z").set("fill", "currentColor").set("stroke", "none");
    strokes("16", "M8 2.4a5.6 5.6 0 1 0 .01 0z").with(half)
}
