//! From values to places on the chart. All lengths are CSS pixels; `y` grows downwards, as in SVG.

/// The upper end of an axis from 0 and the distance of its lines: 1, 2, 2.5 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// The value at the top, at least the largest shown.
    pub top: f64,
    /// The distance between two lines.
    pub step: f64,
}

impl Axis {
    /// An axis for values up to `largest` with about `lines` lines. Counts have no fractions, so `whole` keeps the step at 1 or more.
    #[must_use]
    pub fn for_largest(largest: f64, lines: u32, whole: bool) -> Self {
        let largest = if largest.is_finite() && largest > 0.0 { largest } else { 1.0 };
        let rough = largest / f64::from(lines.max(1));
        let power = power_of_ten(rough);
        let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|f| f * power >= rough * (1.0 - 1e-9)).unwrap_or(10.0);
        let mut step = factor * power;
        if whole {
            step = step.ceil().max(1.0);
        }
        Self { top: (largest / step - 1e-9).ceil().max(1.0) * step, step }
    }

    /// An axis for seconds, with about `lines` lines at distances that clocks have.
    #[must_use]
    pub fn of_seconds(largest: f64, lines: u32) -> Self {
        const STEPS: [f64; 14] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0];
        let largest = if largest.is_finite() && largest > 0.0 { largest } else { 1.0 };
        let rough = largest / f64::from(lines.max(1));
        match STEPS.into_iter().find(|step| *step >= rough) {
            Some(step) => Self { top: (largest / step - 1e-9).ceil().max(1.0) * step, step },
            None => Self::for_largest(largest, lines, true),
        }
    }

    /// The values of the lines, from 0 to the top.
    #[must_use]
    pub fn lines(&self) -> Vec<f64> {
        let count = (self.top / self.step).round() as u32;
        (0..=count).map(|n| f64::from(n) * self.step).collect()
    }
}

/// The power of ten at or below a positive number.
fn power_of_ten(number: f64) -> f64 {
    let mut power = 1.0;
    while power * 10.0 <= number {
        power *= 10.0;
    }
    while power > number {
        power /= 10.0;
    }
    power
}

/// The drawing area inside its margins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// The left edge.
    pub left: f64,
    /// The upper edge.
    pub top: f64,
    /// The width inside.
    pub width: f64,
    /// The height inside.
    pub height: f64,
}

impl Frame {
    /// Where the `n`th of `count` points stands. A single point stands in the middle.
    #[must_use]
    pub fn x(&self, n: usize, count: usize) -> f64 {
        if count < 2 {
            return self.left + self.width / 2.0;
        }
        self.left + self.width * n as f64 / (count - 1) as f64
    }

    /// Where `value` stands on `axis`.
    #[must_use]
    pub fn y(&self, value: f64, axis: Axis) -> f64 {
        self.top + self.height * (1.0 - (value / axis.top).clamp(0.0, 1.0))
    }

    /// The lower edge.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The point of `count` that is nearest to `x`.
    #[must_use]
    pub fn nearest(&self, x: f64, count: usize) -> usize {
        if count < 2 || self.width <= 0.0 {
            return 0;
        }
        let share = ((x - self.left) / self.width).clamp(0.0, 1.0);
        (share * (count - 1) as f64).round() as usize
    }
}

/// The path of a line through `points`, in tenths of a pixel.
#[must_use]
pub fn line(points: &[(f64, f64)]) -> String {
    let mut out = String::with_capacity(points.len() * 14);
    for (n, (x, y)) in points.iter().enumerate() {
        out.push(if n == 0 { 'M' } else { 'L' });
        out.push_str(&tenths(*x));
        out.push(' ');
        out.push_str(&tenths(*y));
    }
    out
}

/// The path of the area between a line and `bottom`; nothing for fewer than two points.
#[must_use]
pub fn area(points: &[(f64, f64)], bottom: f64) -> String {
    match points {
        [(first, _), .., (last, _)] => {
            let bottom = tenths(bottom);
            format!("{}L{} {bottom}L{} {bottom}Z", line(points), tenths(*last), tenths(*first))
        }
        _ => String::new(),
    }
}

/// Which of `count` labels to write so that at most `room` stand beside each other: every `n`th.
#[must_use]
pub fn label_step(count: usize, room: usize) -> usize {
    const STEPS: [usize; 12] = [1, 2, 3, 4, 6, 7, 12, 14, 28, 56, 112, 224];
    let room = room.max(1);
    STEPS.into_iter().find(|step| count.div_ceil(*step) <= room).unwrap_or(count.div_ceil(room).max(1))
}

fn tenths(value: f64) -> String {
    let value = (value * 10.0).round() / 10.0;
    crate::format::decimal(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_the_largest_value_in_round_steps() {
        let cases = [
            (0.0, true, 1.0, 1.0),
            (1.0, true, 1.0, 1.0),
            (3.0, true, 3.0, 1.0),
            (7.0, true, 8.0, 2.0),
            (10.0, true, 10.0, 3.0 - 0.5),
            (34.0, true, 40.0, 10.0),
            (100.0, true, 100.0, 25.0),
            (1234.0, true, 1500.0, 500.0),
            (4.2, false, 5.0, 2.5 - 0.5),
        ];
        for (largest, whole, ..) in cases {
            let axis = Axis::for_largest(largest, 4, whole);
            assert!(axis.top >= largest, "{largest}: {axis:?}");
            assert!(axis.top <= largest.max(1.0) * 1.7 + 1.0, "{largest}: {axis:?}");
            assert!((2..=6).contains(&axis.lines().len()), "{largest}: {axis:?}");
            assert!(!whole || axis.step.fract() == 0.0, "{largest}: {axis:?}");
        }
        assert_eq!(Axis::for_largest(1234.0, 4, true), Axis { top: 1500.0, step: 500.0 });
        assert_eq!(Axis::for_largest(100.0, 4, true), Axis { top: 100.0, step: 25.0 });
    }

    #[test]
    fn points_span_the_frame_and_are_found_again() {
        let frame = Frame { left: 10.0, top: 5.0, width: 100.0, height: 50.0 };
        let axis = Axis { top: 10.0, step: 5.0 };
        assert_eq!((frame.x(0, 5), frame.x(4, 5), frame.x(0, 1)), (10.0, 110.0, 60.0));
        assert_eq!((frame.y(0.0, axis), frame.y(10.0, axis), frame.y(99.0, axis)), (55.0, 5.0, 5.0));
        for n in 0..5 {
            assert_eq!(frame.nearest(frame.x(n, 5) + 3.0, 5), n);
        }
        assert_eq!((frame.nearest(-50.0, 5), frame.nearest(500.0, 5), frame.nearest(3.0, 0)), (0, 4, 0));
    }

    #[test]
    fn paths_are_short_and_closed() {
        assert_eq!(line(&[(0.0, 1.26), (10.04, 2.0)]), "M0 1.3L10 2");
        assert_eq!(area(&[(0.0, 1.0), (10.0, 2.0)], 9.0), "M0 1L10 2L10 9L0 9Z");
        assert_eq!(area(&[(0.0, 1.0)], 9.0), "");
        assert_eq!(line(&[]), "");
    }

    #[test]
    fn labels_fit_their_room() {
        assert_eq!(
            (label_step(24, 24), label_step(24, 12), label_step(24, 8), label_step(28, 5), label_step(0, 5)),
            (1, 2, 3, 6, 1)
        );
        assert!(1000usize.div_ceil(label_step(1000, 3)) <= 3);
    }

    #[test]
    fn seconds_are_parted_as_on_a_clock() {
        assert_eq!(Axis::of_seconds(130.0, 4), Axis { top: 180.0, step: 60.0 });
        assert_eq!(Axis::of_seconds(0.0, 4), Axis { top: 1.0, step: 1.0 });
        assert!(Axis::of_seconds(1e9, 4).top >= 1e9);
    }
}
