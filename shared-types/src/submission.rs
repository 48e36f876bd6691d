//! A Submission: a recording handed in for an Assignment.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of a Submission. Analysis comes before review: the reviewer sees transcript and Steps.
    SubmissionStage of "submission" {
        Received "received" => [Inspecting, Failed, Withdrawn],
        Inspecting "inspecting" => [SentBack, Analysing, Failed, Quarantined, Withdrawn],
        /// A machine's reject: the worker may try again, and nothing is rated.
        SentBack "sent_back" => [Withdrawn],
        Analysing "analysing" => [SentBack, Ready, Failed, Quarantined, Withdrawn],
        Ready "ready" => [InReview, Quarantined, Withdrawn],
        InReview "in_review" => [Redo, Accepted, Rejected, Ready, Quarantined, Withdrawn],
        Redo "redo" => [Withdrawn],
        Accepted "accepted" => [Quarantined, Withdrawn],
        Rejected "rejected" => [Accepted, Withdrawn],
        Quarantined "quarantined" => [Ready, Rejected, Withdrawn],
        Failed "failed" => [Received, Withdrawn],
        Withdrawn "withdrawn" => [],
    }
}
