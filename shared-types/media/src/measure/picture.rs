//! Black, still and unchanged stretches of the picture, from luma alone.

use shared_types::quality::measurements::Span;

/// Brightness of a picture's pixels, rows `stride` bytes apart.
#[derive(Debug, Clone, Copy)]
pub struct LumaView<'a> {
    pub width: u32,
    pub height: u32,
    pub stride: usize,
    pub data: &'a [u8],
}

impl<'a> LumaView<'a> {
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let width = self.width as usize;
        self.data.chunks(self.stride.max(1)).take(self.height as usize).map(move |row| &row[..width.min(row.len())])
    }
}

/// A pixel no brighter than this counts as black: 10 % above video black, as in FFmpeg's blackdetect.
const BLACK_LUMA: u8 = 38;
/// A picture is black when all but 2 % of its pixels are, again as in blackdetect. Dark themes have more text.
const BLACK_PIXEL_SHARE: f64 = 0.98;
/// Change of a pixel that re-encoding of a still picture does not cause.
const CHANGED_LUMA: u8 = 24;
/// Pixels that must change before anything counts as changed; less is the encoder's noise.
const CHANGED_PIXELS: u32 = 4;
/// Two pointers of 40 x 40 pixels on a picture 1280 wide: where it was and where it is.
const POINTER_PIXELS_AT_1280: f64 = 3200.0;
/// The share of pixels that change when another page comes; text that replaces text changes about a tenth.
const PAGE_SHARE: f64 = 0.08;
/// A page that comes in pieces, and one that is scrolled, is one change.
const ONE_CHANGE_SECS: f64 = 1.0;
/// Shorter stretches without change are not worth reporting.
const MIN_UNCHANGED_SECS: f64 = 5.0;
const MIN_STILL_SECS: f64 = 10.0;

/// What a take's pictures looked like.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PictureSpans {
    pub width: u32,
    pub height: u32,
    pub frames: u64,
    pub secs: f64,
    pub black: Vec<Span>,
    /// Nothing but the pointer changed, for at least ten seconds.
    pub still: Vec<Span>,
    /// Nothing at all changed, for at least five seconds.
    pub unchanged: Vec<Span>,
    /// Much of the picture changed at once: from the first to the last picture of it.
    pub page_changes: Vec<Span>,
}

impl PictureSpans {
    pub fn black_share(&self) -> f64 {
        let black: f64 = self.black.iter().fold(0.0, |sum, span| sum + span.secs());
        if self.secs > 0.0 { (black / self.secs).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// Watches pictures in order of time. Each is taken to last until the next.
#[derive(Debug, Default)]
pub struct PictureMeter {
    spans: PictureSpans,
    size: (u32, u32),
    previous: Vec<u8>,
    /// The first picture of the stretch in which only the pointer has moved.
    reference: Vec<u8>,
    black_since: Option<f64>,
    unchanged_since: f64,
    still_since: f64,
    last_t: f64,
}

impl PictureMeter {
    /// Shows the picture that begins at `t` seconds; tells whether any pixel differs from the one before.
    pub fn push(&mut self, picture: LumaView<'_>, t: f64) -> bool {
        self.last_t = t;
        self.spans.frames += 1;
        self.watch_black(picture, t);
        let size = (picture.width, picture.height);
        if size != self.size {
            self.size = size;
            (self.spans.width, self.spans.height) = size;
            self.end_unchanged(t);
            self.end_still(t);
            self.previous = packed(picture);
            self.reference = self.previous.clone();
            return true;
        }
        let changed = changed_pixels(picture, &self.previous);
        if changed >= CHANGED_PIXELS {
            self.end_unchanged(t);
            if f64::from(changed) >= PAGE_SHARE * f64::from(picture.width) * f64::from(picture.height) {
                self.change_page(t);
            }
            pack_into(picture, &mut self.previous);
            // Only a changed picture can have left the still stretch.
            let scale = f64::from(picture.width) / 1280.0;
            let pointer_pixels = (POINTER_PIXELS_AT_1280 * scale * scale).max(256.0) as u32;
            if changed_pixels(picture, &self.reference) > pointer_pixels {
                self.end_still(t);
                pack_into(picture, &mut self.reference);
            }
        }
        changed >= CHANGED_PIXELS
    }

    /// Ends the take at `t` seconds.
    pub fn finish(mut self, t: f64) -> PictureSpans {
        let end = t.max(self.last_t);
        if let Some(since) = self.black_since.take() {
            self.spans.black.push(Span::new(since, end));
        }
        self.end_unchanged(end);
        self.end_still(end);
        self.spans.secs = end;
        self.spans
    }

    fn watch_black(&mut self, picture: LumaView<'_>, t: f64) {
        let pixels = u64::from(picture.width) * u64::from(picture.height);
        let dark: u64 = picture.rows().map(|row| row.iter().filter(|&&luma| luma <= BLACK_LUMA).count() as u64).sum();
        let black = pixels > 0 && dark as f64 >= BLACK_PIXEL_SHARE * pixels as f64;
        match (black, self.black_since) {
            (true, None) => self.black_since = Some(t),
            (false, Some(since)) => {
                self.spans.black.push(Span::new(since, t));
                self.black_since = None;
            }
            _ => {}
        }
    }

    fn change_page(&mut self, t: f64) {
        match self.spans.page_changes.last_mut() {
            Some(last) if t - last.end < ONE_CHANGE_SECS => last.end = t,
            _ => self.spans.page_changes.push(Span::new(t, t)),
        }
    }

    fn end_unchanged(&mut self, t: f64) {
        if t - self.unchanged_since >= MIN_UNCHANGED_SECS {
            self.spans.unchanged.push(Span::new(self.unchanged_since, t));
        }
        self.unchanged_since = t;
    }

    fn end_still(&mut self, t: f64) {
        if t - self.still_since >= MIN_STILL_SECS {
            self.spans.still.push(Span::new(self.still_since, t));
        }
        self.still_since = t;
    }
}

fn packed(picture: LumaView<'_>) -> Vec<u8> {
    let mut pixels = Vec::new();
    pack_into(picture, &mut pixels);
    pixels
}

fn pack_into(picture: LumaView<'_>, pixels: &mut Vec<u8>) {
    pixels.clear();
    picture.rows().for_each(|row| pixels.extend_from_slice(row));
}

/// Pixels that differ by more than re-encoding explains.
pub fn changed_pixels(picture: LumaView<'_>, before: &[u8]) -> u32 {
    let width = picture.width as usize;
    picture
        .rows()
        .zip(before.chunks(width.max(1)))
        .map(|(row, old)| {
            if row == old {
                return 0;
            }
            row.iter().zip(old).map(|(&a, &b)| u32::from(a.abs_diff(b) > CHANGED_LUMA)).sum()
        })
        .sum()
}
