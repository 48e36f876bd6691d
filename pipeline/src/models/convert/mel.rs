//! The mel filterbank in Slaney's form, as Whisper was trained with: triangles of equal area on a scale that is linear up
//! to 1000 Hz and logarithmic above, over the bins of a 400 point transform at 16 kHz.
//!
//! The logarithm and exponential of the system's library may differ in the last bit between systems, and the file's hash
//! with them; so the one logarithm needed is a constant and the exponential is a series of plain arithmetic.

/// Bins of the transform: 400 / 2 + 1.
pub(super) const BINS: usize = 201;

const NYQUIST_HZ: f64 = 8000.0;
const LINEAR_HZ_PER_MEL: f64 = 200.0 / 3.0;
/// Where the scale turns from linear to logarithmic: 1000 Hz.
const KNEE_MEL: f64 = 15.0;
const KNEE_HZ: f64 = 1000.0;
/// ln 6.4: the logarithmic part takes 27 mels for a factor of 6.4.
const LN_6_4: f64 = 1.856_297_990_365_626_3;
const LN_8: f64 = 2.079_441_541_679_835_7;

/// `mels` filters of [`BINS`] weights each, one filter after the other.
pub(super) fn filters(mels: usize) -> Vec<f32> {
    let highest_mel = KNEE_MEL + LN_8 / (LN_6_4 / 27.0);
    let step = highest_mel / (mels + 1) as f64;
    let edges: Vec<f64> =
        (0..mels + 2).map(|index| if index == mels + 1 { NYQUIST_HZ } else { hertz(index as f64 * step) }).collect();
    let mut weights = Vec::with_capacity(mels * BINS);
    for edge in edges.windows(3) {
        let (low, centre, high) = (edge[0], edge[1], edge[2]);
        let area = 2.0 / (high - low);
        for bin in 0..BINS {
            let at = bin as f64 * NYQUIST_HZ / (BINS - 1) as f64;
            let rising = (at - low) / (centre - low);
            let falling = (high - at) / (high - centre);
            let height = rising.min(falling).max(0.0) as f32;
            weights.push((f64::from(height) * area) as f32);
        }
    }
    weights
}

fn hertz(mel: f64) -> f64 {
    if mel < KNEE_MEL { LINEAR_HZ_PER_MEL * mel } else { KNEE_HZ * exp(LN_6_4 / 27.0 * (mel - KNEE_MEL)) }
}

/// e to the power of `x`, for 0 <= x <= 3.
fn exp(x: f64) -> f64 {
    let small = x / 16.0;
    let series = (1..=20).rev().fold(1.0, |sum, n| 1.0 + sum * small / f64::from(n));
    (0..4).fold(series, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_agrees_with_the_library() {
        for step in 0..=30 {
            let x = f64::from(step) / 10.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "{x}");
        }
    }

    #[test]
    fn filters_have_equal_area_and_rise_with_frequency() {
        let filters = filters(80);
        let peaks: Vec<usize> = filters
            .chunks_exact(BINS)
            .map(|filter| (0..BINS).max_by(|a, b| filter[*a].total_cmp(&filter[*b])).unwrap())
            .collect();
        assert!(peaks.is_sorted());
        let area: f32 = filters[60 * BINS..61 * BINS].iter().sum::<f32>() * 40.0;
        assert!((area - 1.0).abs() < 0.05, "{area}");
    }
}
