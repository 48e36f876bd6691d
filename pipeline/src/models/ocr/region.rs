//! A part of a picture in whole pixels.

use media::frame::RgbFrame;
use shared_types::step::PixelBox;

/// Left and top are inside, right and bottom are the first pixel outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) right: u32,
    pub(crate) bottom: u32,
}

impl Region {
    pub(crate) fn whole(frame: &RgbFrame) -> Self {
        Self { left: 0, top: 0, right: frame.width, bottom: frame.height }
    }

    pub(crate) fn of_box([x, y, width, height]: PixelBox) -> Self {
        Self {
            left: x.max(0.0).floor() as u32,
            top: y.max(0.0).floor() as u32,
            right: (x + width).max(0.0).ceil() as u32,
            bottom: (y + height).max(0.0).ceil() as u32,
        }
    }

    pub(crate) fn to_box(self) -> PixelBox {
        [f64::from(self.left), f64::from(self.top), f64::from(self.width()), f64::from(self.height())]
    }

    pub(crate) fn width(self) -> u32 {
        self.right.saturating_sub(self.left)
    }

    pub(crate) fn height(self) -> u32 {
        self.bottom.saturating_sub(self.top)
    }

    pub(crate) fn area(self) -> u64 {
        u64::from(self.width()) * u64::from(self.height())
    }

    pub(crate) fn is_empty(self) -> bool {
        self.area() == 0
    }

    /// The part of this region that lies in `other`.
    pub(crate) fn within(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    pub(crate) fn touches(self, other: Self) -> bool {
        !self.within(other).is_empty()
    }

    /// The smallest region that holds both.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    pub(crate) fn grown(self, by: u32) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }
}
