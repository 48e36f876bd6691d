//! A Job: a durable piece of machine work that a pipeline machine leases.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of a Job. A lease that runs out brings it back to `queued`; one that keeps failing ends `dead`.
    JobStage of "job" {
        Queued "queued" => [Leased, Cancelled],
        Leased "leased" => [Done, Queued, Dead, Cancelled],
        Done "done" => [],
        Dead "dead" => [Queued],
        Cancelled "cancelled" => [],
    }
}
