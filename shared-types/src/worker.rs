//! A Worker: a person who records.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of a Worker.
    WorkerStage of "worker" {
        Registered "registered" => [Consented, Banned, Withdrawn, Erased],
        Consented "consented" => [Qualifying, Active, Suspended, Banned, Withdrawn, Erased],
        Qualifying "qualifying" => [Active, Probation, Suspended, Banned, Withdrawn, Erased],
        Active "active" => [Probation, Suspended, Banned, Withdrawn, Erased],
        Probation "probation" => [Active, Suspended, Banned, Withdrawn, Erased],
        Suspended "suspended" => [Active, Probation, Banned, Withdrawn, Erased],
        Banned "banned" => [Erased],
        Withdrawn "withdrawn" => [Erased],
        Erased "erased" => [],
    }
}
