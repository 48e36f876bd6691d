//! What is generated from these types: TypeScript for the screens, JSON Schemas for other people's tools.
//!
//! `export-types` writes the files; a test fails when the committed ones differ.

use schemars::JsonSchema;
use ts_rs::{Config, TS};

use crate::api::admin::{
    AdminRow, CampaignView, DrainAction, DrainRequest, Drained, InviteRequest, InviteView, InvitesMade, JobRow,
    TokenMade, TokenRequest, TokenRole, TokenRow, WorkerRow,
};
use crate::api::assignment::{AssignmentItem, ProblemKind, ProblemRequest, SubmissionBrief};
use crate::api::audit::{AuditAct, AuditRow};
use crate::api::personal::{ErasureRequest, ErasureView};
use crate::api::review::{
    AdminRole, Answer, Checklist, HistoryEntry, Lock, LoginRequest, LoginView, Mark, ProofRequest, Reason,
    RecoveryCodes, RedactRequest, RedactionView, ReviewRequest, Reviewed, SessionView, SubmissionDetail, SubmissionRow,
    TotpConfirmRequest, TotpOffer,
};
use crate::api::site::{Download, Platform, SiteInfo};
use crate::api::stats::{JobCount, PayoutSum, Stats, SubmissionCount, UploadCount};
use crate::api::submission::{Receipt, SubmissionView, SubmitRequest, Submitted, Track, UploadRef};
use crate::api::worker::{
    ConsentChange, ConsentGiven, ConsentText, Device, Me, PayoutView, RatingView, RegisterRequest, Registered,
    WorkerView,
};
use crate::assignment::AssignmentStage;
use crate::campaign::{CampaignFile, Scenario, Tier};
use crate::dataset::{DatasetFile, DatasetManifest, DatasetStage};
use crate::error::{ApiError, ErrorCode};
use crate::event::{InputEvent, InputEventKind, MouseButton};
use crate::example::Example;
use crate::fingerprint::Fingerprints;
use crate::goal::{Constraint, ConstraintFinding, ConstraintKind, Evidence, EvidenceSource};
use crate::id::{
    AssignmentId, CampaignId, ErasureId, InviteId, JobId, PayoutId, ReceiptId, RecordingId, RedactionId, SubmissionId,
    TokenId, WorkerId,
};
use crate::job::{JobKind, JobStage};
use crate::order::OrderStage;
use crate::payout::{Money, PayoutStage};
use crate::quality::advice::{Advice, Sign};
use crate::quality::flag::{Flag, Place, Verdict};
use crate::quality::judge::{QualityReport, RaisedFlag};
use crate::quality::measurements::{
    ActivityMeasures, CaptureMeasures, DuplicateMeasures, FileMeasures, FileState, GoalMeasures, Measurements,
    PictureMeasures, SoundMeasures, Span, SpeechMeasures,
};
use crate::quality::policy::{Narration, Policy};
use crate::recording::{
    ClockAnchors, Consent, DriftInfo, EncoderInfo, EncoderProbe, FileHash, Fragment, FrameCounts, HealthEvent,
    InputEventsInfo, Manifest, MicrophoneInfo, Pause, RecordingStage, ScreenInfo, SystemInfo,
};
use crate::redaction::{
    PictureRedaction, PiiKind, Redaction, RedactionRange, RedactionSource, RedactionTrack, SoundRedaction,
    TextRedaction,
};
use crate::step::{Action, Cause, Intent, Source, Step, Target, Utterance};
use crate::submission::SubmissionStage;
use crate::summary::{Costs, PassRun, ProductSeen, Summary};
use crate::timestamp::Timestamp;
use crate::transcript::{Segment, Transcript, Word};
use crate::upload::UploadStage;
use crate::worker::WorkerStage;

/// A generated file: its path from the top of the repository, and its text.
#[derive(Debug)]
pub struct GeneratedFile {
    pub path: String,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    #[error("a type could not be written as TypeScript: {0}")]
    TypeScript(#[from] ts_rs::ExportError),
    #[error("a type could not be written as a JSON Schema: {0}")]
    Schema(#[from] serde_json::Error),
}

/// Folders that hold nothing but generated files.
pub const TYPES_DIR: &str = "ui/src/api/types";
pub const SCHEMAS_DIR: &str = "docs/schemas";

/// Every generated file, as it should be.
pub fn files() -> Result<Vec<GeneratedFile>, GenerateError> {
    let mut files = typescript()?;
    files.extend(schemas()?);
    Ok(files)
}

#[expect(clippy::too_many_lines, reason = "a line for each type that the pages share")]
fn typescript() -> Result<Vec<GeneratedFile>, GenerateError> {
    let config = Config::new().with_large_int("number");
    let mut files = Vec::new();
    macro_rules! add {
        ($($name:ty),+ $(,)?) => {$(
            files.push(GeneratedFile {
                path: format!("{TYPES_DIR}/{}.ts", <$name>::name(&config)),
                text: <$name>::export_to_string(&config)?,
            });
        )+};
    }
    add!(
        Action,
        ActivityMeasures,
        Advice,
        ApiError,
        AssignmentId,
        AssignmentStage,
        CampaignId,
        CaptureMeasures,
        Cause,
        ClockAnchors,
        Consent,
        Constraint,
        ConstraintFinding,
        ConstraintKind,
        Costs,
        DatasetFile,
        DatasetManifest,
        DatasetStage,
        DriftInfo,
        DuplicateMeasures,
        EncoderInfo,
        EncoderProbe,
        ErrorCode,
        Evidence,
        EvidenceSource,
        Example,
        FileHash,
        FileMeasures,
        FileState,
        Fingerprints,
        Flag,
        Fragment,
        FrameCounts,
        GoalMeasures,
        HealthEvent,
        InputEvent,
        InputEventKind,
        InputEventsInfo,
        Intent,
        JobId,
        JobStage,
        Manifest,
        Measurements,
        MicrophoneInfo,
        Money,
        MouseButton,
        Narration,
        OrderStage,
        PassRun,
        Pause,
        PayoutStage,
        PictureMeasures,
        Place,
        Policy,
        ProductSeen,
        QualityReport,
        RaisedFlag,
        RecordingId,
        RecordingStage,
        ScreenInfo,
        Segment,
        SoundMeasures,
        Source,
        Sign,
        Span,
        SpeechMeasures,
        Step,
        SubmissionId,
        SubmissionStage,
        Summary,
        SystemInfo,
        Target,
        Transcript,
        UploadStage,
        Utterance,
        Verdict,
        Word,
        WorkerId,
        WorkerStage,
        AdminRow,
        CampaignView,
        InviteRequest,
        InviteView,
        InvitesMade,
        DrainAction,
        DrainRequest,
        Drained,
        JobRow,
        TokenMade,
        TokenRequest,
        TokenRole,
        TokenRow,
        WorkerRow,
        AssignmentItem,
        ProblemKind,
        ProblemRequest,
        SubmissionBrief,
        AdminRole,
        AuditAct,
        AuditRow,
        JobCount,
        PayoutSum,
        Stats,
        SubmissionCount,
        UploadCount,
        ProofRequest,
        RecoveryCodes,
        TotpConfirmRequest,
        TotpOffer,
        Answer,
        Checklist,
        HistoryEntry,
        Lock,
        LoginRequest,
        LoginView,
        Mark,
        Reason,
        PictureRedaction,
        PiiKind,
        RedactRequest,
        Redaction,
        RedactionId,
        ErasureId,
        ErasureRequest,
        ErasureView,
        RedactionRange,
        RedactionSource,
        RedactionTrack,
        RedactionView,
        SoundRedaction,
        TextRedaction,
        ReviewRequest,
        Reviewed,
        SessionView,
        SubmissionDetail,
        SubmissionRow,
        Download,
        Platform,
        SiteInfo,
        Receipt,
        SubmissionView,
        SubmitRequest,
        Submitted,
        Track,
        UploadRef,
        ConsentChange,
        ConsentGiven,
        ConsentText,
        Device,
        Me,
        PayoutView,
        RatingView,
        RegisterRequest,
        Registered,
        WorkerView,
        CampaignFile,
        Scenario,
        Tier,
        Timestamp,
        InviteId,
        PayoutId,
        ReceiptId,
        TokenId,
        JobKind,
    );
    Ok(files)
}

fn schemas() -> Result<Vec<GeneratedFile>, GenerateError> {
    fn schema<T: JsonSchema>(name: &str) -> Result<GeneratedFile, GenerateError> {
        let text = serde_json::to_string_pretty(&schemars::schema_for!(T))? + "\n";
        Ok(GeneratedFile { path: format!("{SCHEMAS_DIR}/{name}.schema.json"), text })
    }
    Ok(vec![
        schema::<InputEvent>("event")?,
        schema::<Manifest>("recording")?,
        schema::<Policy>("policy")?,
        schema::<QualityReport>("quality")?,
        schema::<Transcript>("transcript")?,
        schema::<Step>("step")?,
        schema::<Example>("example")?,
        schema::<Fingerprints>("fingerprints")?,
        schema::<Summary>("summary")?,
        schema::<Redaction>("redaction")?,
        schema::<ApiError>("error")?,
        schema::<CampaignFile>("campaign")?,
        schema::<DatasetManifest>("dataset")?,
    ])
}
