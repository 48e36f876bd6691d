//! What a run leaves behind: files for programs, a report and a table for people.

pub mod examples;
pub mod report;
pub mod table;
