pub mod goal {
    use crate::models::ocr::TextLine;
    use shared_types::goal::*;
    use shared_types::step::Step;
    use shared_types::summary::ProductSeen;
    use shared_types::transcript::Transcript;
    pub struct Seen<'a> {
        pub screens: &'a [(f64, &'a [TextLine])],
        pub transcript: &'a Transcript,
        pub steps: &'a [Step],
    }
    pub fn parse(_: &str) -> Vec<Constraint> {
        Vec::new()
    }
    pub fn find(_: &[Constraint], _: &Seen<'_>) -> Vec<ConstraintFinding> {
        Vec::new()
    }
    pub fn products(_: &[(f64, &[TextLine])], _: &[Step]) -> Vec<ProductSeen> {
        Vec::new()
    }
    pub fn decision(_: &[Step], _: &Transcript, _: &[ProductSeen]) -> (Option<String>, Option<String>) {
        (None, None)
    }
}
pub mod music {
    use shared_types::quality::measurements::Span;
    pub fn music(_: &[f32], _: &[Span]) -> (Option<f64>, Vec<Span>) {
        (None, Vec::new())
    }
}
pub mod pii {
    use crate::models::ocr::TextLine;
    use shared_types::quality::measurements::Span;
    use shared_types::transcript::Transcript;
    pub struct P {
        pub span: Span,
    }
    pub fn find(_: &[(f64, &[TextLine])], _: &Transcript) -> Vec<P> {
        Vec::new()
    }
}
