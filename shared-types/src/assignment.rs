//! An Assignment: one goal offered to, and taken up by, one worker.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of an Assignment.
    AssignmentStage of "assignment" {
        Open "open" => [Reserved, Cancelled, Expired],
        Reserved "reserved" => [Recording, Open, Returned, Problem, Expired, Cancelled],
        Recording "recording" => [Submitted, Returned, Problem, Expired, Cancelled],
        Submitted "submitted" => [Redo, Accepted, Rejected, Cancelled],
        /// The take came back with reasons; another attempt is awaited.
        Redo "redo" => [Recording, Submitted, Returned, Problem, Expired, Cancelled],
        Accepted "accepted" => [],
        Rejected "rejected" => [],
        Expired "expired" => [],
        Returned "returned" => [],
        Problem "problem" => [Open, Cancelled],
        Cancelled "cancelled" => [],
    }
}
