//! How a picture of one size is shown in another. Encoder and input events go by the same numbers.

/// Where a picture of size `source` lies in a canvas: `(x, y, width, height)`, all even, centred, shape kept.
pub fn letterbox(source: (u32, u32), canvas: (u32, u32)) -> (u32, u32, u32, u32) {
    let scale = (f64::from(canvas.0) / f64::from(source.0)).min(f64::from(canvas.1) / f64::from(source.1));
    let even = |side: u32, limit: u32| ((((f64::from(side) * scale).round() as u32) & !1).max(2)).min(limit & !1);
    let (width, height) = (even(source.0, canvas.0), even(source.1, canvas.1));
    (((canvas.0 - width) / 2) & !1, ((canvas.1 - height) / 2) & !1, width, height)
}

/// The size a screen is encoded at: at most `long_edge` on its longer side, sides even, shape kept.
pub fn picture_size(screen: (u32, u32), long_edge: u32) -> (u32, u32) {
    let longest = screen.0.max(screen.1).max(1);
    let scale = (f64::from(long_edge) / f64::from(longest)).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale).round() as u32 & !1).max(16);
    (side(screen.0), side(screen.1))
}
