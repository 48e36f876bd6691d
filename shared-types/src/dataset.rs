//! A Dataset: a published set of training examples.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of a Dataset. Only publishing its manifest makes it visible.
    DatasetStage of "dataset" {
        Building "building" => [Published],
        Published "published" => [Withdrawn],
        Withdrawn "withdrawn" => [],
    }
}
