//! An Order: what a worker was hired for on the gig market.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of an Order.
    OrderStage of "order" {
        Awaiting "awaiting" => [Delivered, Partial, Dispute, Closed],
        Delivered "delivered" => [Reviewing, Dispute],
        Reviewing "reviewing" => [RedoOpen, Complete, Partial, Dispute],
        RedoOpen "redo_open" => [Delivered, Partial, Dispute, Closed],
        Complete "complete" => [Dispute, Closed],
        Partial "partial" => [Dispute, Closed],
        Dispute "dispute" => [Complete, Partial, Closed],
        Closed "closed" => [],
    }
}
