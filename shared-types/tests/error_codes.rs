//! The table of error codes: the contract's strings in its order, and in each row something to do.

use shared_types::error::ErrorCode;

const CODES: &str = "unauthenticated code_required proof_required second_factor_required forbidden method_not_allowed not_found \
    invalid_request invite_used invite_expired token_revoked \
    consent_required upload_offset_conflict upload_expired upload_too_large quota_exceeded storage_full \
    unsupported_media hash_mismatch assignment_not_open stage_conflict version_conflict lease_lost rate_limited unavailable \
    internal";

#[test]
fn every_code_has_its_string_a_status_a_sentence_and_a_hint() {
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, CODES.split_whitespace().collect::<Vec<_>>());
    for code in ErrorCode::ALL {
        let name = code.as_str();
        assert_eq!(serde_json::to_value(code).unwrap(), name);
        assert!((400..600).contains(&code.status()), "{name}: {}", code.status());
        for text in [code.message(), code.hint()] {
            assert!(text.ends_with('.') && !text.contains('!'), "{name}: {text}");
        }
    }
}
