use shared_types::quality::measurements::Span;
use shared_types::transcript::{Segment, Transcript, Word};

use super::{Known, Pii, PiiKind, Place, find, find_in_text, find_spoken, on_screen};
use crate::models::ocr::TextLine;
use PiiKind::{Address, Cvv, Email, Name, OrderNumber, PaymentCard, Phone, TrackingNumber};

#[track_caller]
fn check(text: &str, expected: &[(PiiKind, &str)]) {
    let found: Vec<(PiiKind, &str)> =
        find_in_text(text).iter().map(|found| (found.kind, &text[found.start..found.end])).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn private_data_is_found_in_text() {
    for card in [
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "3782 822463 10005",
        "4111111111111111",
        "6011 0009 9013 9424",
        "2223 0031 2200 3222",
    ] {
        check(&format!("pay with {card}, please"), &[(PaymentCard, card)]);
    }
    check("Card number: 4222222222222", &[(PaymentCard, "4222222222222")]);
    check("4539 1488 0343 6467 12/27", &[(PaymentCard, "4539 1488 0343 6467")]);
    check("4539 1488 0343 6467 1227", &[(PaymentCard, "4539 1488 0343 6467")]);
    check("CVV 123", &[(Cvv, "123")]);
    check("Security code: 0456", &[(Cvv, "0456")]);
    check("jane.doe+shop@mail.example.co.uk", &[(Email, "jane.doe+shop@mail.example.co.uk")]);
    check("Signed in as: jane@example.com", &[(Email, "jane@example.com")]);
    for phone in [
        "(206) 555-0123",
        "206-555-0123",
        "206.555.0123",
        "1-206-555-0123",
        "+1 206 555 0123",
        "+49 30 1234567",
        "+44 20 7946 0958",
    ] {
        check(phone, &[(Phone, phone)]);
    }
    check("Phone: 020 7946 0958", &[(Phone, "020 7946 0958")]);
    check("1600 Oak Street, Springfield, IL 62704", &[(Address, "1600 Oak Street, Springfield, IL 62704")]);
    check("221B Baker Street", &[(Address, "221B Baker Street")]);
    check(
        "742 Evergreen Terrace, Springfield, OR 97477-1234",
        &[(Address, "742 Evergreen Terrace, Springfield, OR 97477-1234")],
    );
    check("55 NE 45th St Apt 4B", &[(Address, "55 NE 45th St Apt 4B")]);
    check("Ship to: 9 Elm Court", &[(Address, "9 Elm Court")]);
    check("Hello, Jane", &[(Name, "Jane")]);
    check("Welcome back, Jane Doe!", &[(Name, "Jane Doe")]);
    check("Full name: Jane van-Doe", &[]);
    check("Cardholder name: Jane Q. Doe", &[(Name, "Jane Q. Doe")]);
    check("Order # 112-1234567-7654321", &[(OrderNumber, "112-1234567-7654321")]);
    check("Order 112-5738204-9915", &[(OrderNumber, "112-5738204-9915")]);
    check("Last order: 112-57382", &[(OrderNumber, "112-57382")]);
    check("Portland, OR 97205", &[(Address, "Portland, OR 97205")]);
    check("San Diego, CA 92101-1234", &[(Address, "San Diego, CA 92101-1234")]);
    check("Your order number is AB-20931", &[(OrderNumber, "AB-20931")]);
    check("Tracking number: 9400 1000 0000 0000 0000 00", &[(TrackingNumber, "9400 1000 0000 0000 0000 00")]);
    check("via UPS 1Z999AA10123456784", &[(TrackingNumber, "1Z999AA10123456784")]);
    check("Jane Doe, (206) 555-0123, jane@example.com", &[(Phone, "(206) 555-0123"), (Email, "jane@example.com")]);
}

#[test]
fn what_a_shop_shows_is_not_private() {
    for text in [
        "$1,299.00",
        "4.5 (1,203) 4,567 ratings",
        "SKU: SC3137-056",
        "SKU 4111111111111111",
        "ISBN 978-3-16-148410-0",
        "ISBN-13: 9783161484100",
        "EAN 4006381333931",
        "4006381333931",
        "Item model number: 4111 1111 1111 1111",
        "Part no. 206-555-0123",
        "1234567890123456",
        "0000 0000 0000 0000",
        "4111 1111 1111 1112",
        "localhost:3001/product/runx-running-shoe?shoe-size=size-42",
        "© 2019 - 2026 Vendure",
        "Size 42",
        "W32 L30",
        "32x30",
        "192.168.100.200",
        "256 GB Flash Drive",
        "2 TB External Hard Drive, black",
        "12 Inch Square Plate",
        "4 Way Socket",
        "21 Jump Street DVD",
        "100 Piece Court Set",
        "Hello, sign in",
        "Hello Kitty Mug",
        "Hi, Guest",
        "Welcome, please log in",
        "Name: A to Z",
        "Name: Ascending",
        "Product name: Running Shoe",
        "Sort by name: Low",
        "Call us: 1-800-555-0199",
        "(888) 555-0199",
        "support@shop.example",
        "you@example.com",
        "Enter your email",
        "Order summary",
        "Order by 5 pm, get it tomorrow",
        "Sort order: descending",
        "Order 2026-03-03",
        "Order 12345 now",
        "Pack of 3, XL 12345",
        "Lamp, LED 60000 lm",
        "Free shipping on orders over $50",
        "Track your order",
        "Deliver to Germany",
        "Ships to your address in 3 to 5 days",
        "Visa ending in 4242",
        "CVV",
        "2024-11-22 10:44:27",
        "1080p 1920x1080 60 Hz 16:9",
        "Nikon D750 24-120 mm f/4",
        "555 reviews 1234",
    ] {
        check(text, &[]);
    }
}

fn line(text: &str, x: f64, y: f64) -> TextLine {
    let count = text.chars().count();
    let char_x = (0..count).map(|at| x + 5.0 + 10.0 * at as f64).collect();
    TextLine { text: text.into(), bounds: [x, y, 10.0 * count as f64, 20.0], confidence: 0.98, char_x }
}

fn brief(found: &[Pii]) -> Vec<(PiiKind, f64, f64)> {
    found.iter().map(|found| (found.kind, found.span.start, found.span.end)).collect()
}

#[test]
fn it_lasts_while_the_screens_show_it() {
    let before = [line("Total $53.94", 100.0, 50.0)];
    let typed = [line("Total $53.94", 100.0, 50.0), line("E-mail jane@example.com now", 100.0, 100.0)];
    let same = [line("E-mail jane@example.com now", 101.0, 101.0), line("Next", 100.0, 200.0)];
    let scrolled = [line("E-mail jane@example.com now", 100.0, 20.0)];
    let screens = [(0.0, &before[..]), (2.0, &typed[..]), (3.0, &same[..]), (5.0, &scrolled[..])];
    let (found, _) = find(&screens, 9.0, &Transcript::default(), &[]);
    assert_eq!(brief(&found), [(Email, 2.0, 5.0), (Email, 5.0, 9.0)]);
    let Place::Screen([x, y, width, height]) = found[0].place else { panic!("on the screen") };
    // The address alone, on both screens, but not the words around it.
    assert!((160.0..=170.0).contains(&x) && (325.0..=350.0).contains(&(x + width)), "{x} {width}");
    assert!((y - 100.0).abs() < 0.1 && (height - 21.0).abs() < 0.1, "{y} {height}");
}

#[test]
fn labels_and_values_in_lines_of_their_own_belong_together() {
    let form = [
        line("Full name", 100.0, 40.0),
        line("Jane Doe", 100.0, 66.0),
        line("First name", 400.0, 40.0),
        line("Last name", 400.0, 66.0),
        line("CVV", 100.0, 120.0),
        line("123", 200.0, 121.0),
        line("Card number", 100.0, 160.0),
        line("4222222222222", 100.0, 186.0),
        line("Ship to", 100.0, 300.0),
        line("Jane Doe", 100.0, 326.0),
        line("12 Oak St", 100.0, 352.0),
        line("Seattle, WA 98101", 100.0, 378.0),
        line("Order total: $53.94", 100.0, 470.0),
        line("Billing address", 500.0, 300.0),
        line("Same as shipping", 500.0, 326.0),
        line("Deliver to", 700.0, 10.0),
        line("Seattle 98101", 700.0, 32.0),
        line("Qty 123", 800.0, 500.0),
    ];
    let (found, _) = find(&[(1.0, &form)], 2.0, &Transcript::default(), &[]);
    let mut kinds: Vec<PiiKind> = found.iter().map(|found| found.kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [PaymentCard, Cvv, Address, Address, Address, Name, Name]);
}

#[test]
fn rows_below_an_address_heading_are_private_and_rows_of_a_product_are_not() {
    let rows = |heading: &str, rows: &[(&str, &str)]| -> Vec<(PiiKind, String)> {
        let mut lines = vec![line(heading, 100.0, 100.0)];
        for (index, (label, value)) in rows.iter().enumerate() {
            let y = 132.0 + 30.0 * index as f64;
            lines.extend([line(label, 100.0, y), line(value, 270.0, y)]);
        }
        on_screen(&lines, &Known::default()).into_iter().map(|hit| (hit.kind, hit.text)).collect()
    };
    let found = rows(
        "Deliver to",
        &[
            ("Name", "Marta Lindqvist"),
            ("Street", "1482 Maple Street"),
            ("City", "Portland"),
            ("Country", "USA"),
            ("ZIP", "97205"),
        ],
    );
    let mut texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["1482 Maple Street", "97205", "Marta Lindqvist", "Portland"]);
    assert!(found.contains(&(Name, "Marta Lindqvist".to_owned())), "{found:?}");
    let product = [("Name", "Harbor Lamp"), ("Unit", "1"), ("Item number", "4402-1218"), ("Spent", "$148.50")];
    assert_eq!(rows("Details", &product), []);
    assert_eq!(rows("Ship to", &[("Country", "Germany"), ("Name", "Standard")]), []);
    assert_eq!(rows("Payment", &[("Last order", "112-5738204-9915")]), [(OrderNumber, "112-5738204-9915".to_owned())]);
}

fn talk(text: &str) -> Transcript {
    let words: Vec<Word> = text
        .split_whitespace()
        .enumerate()
        .map(|(at, word)| Word { w: word.into(), start: at as f64, end: at as f64 + 0.5, p: 0.9 })
        .collect();
    let segment = Segment { start: 0.0, end: words.len() as f64, text: text.into(), words };
    Transcript { language: Some("en".into()), segments: vec![segment] }
}

#[test]
fn private_data_is_found_in_speech() {
    for (text, expected) in [
        (
            "My card is four one one one, one one one one, one one one one, one one one one, okay",
            vec![(PaymentCard, 3.0, 18.5)],
        ),
        ("it is 4111 1111 1111 1111.", vec![(PaymentCard, 2.0, 5.5)]),
        ("forty one eleven eleven eleven eleven eleven eleven eleven.", vec![(PaymentCard, 0.0, 8.5)]),
        (
            "four triple one double one double one double one double one double one double one",
            vec![(PaymentCard, 0.0, 14.5)],
        ),
        ("the security code is one two three", vec![(Cvv, 4.0, 6.5)]),
        ("my phone number is two zero six five five five oh one two three thanks", vec![(Phone, 4.0, 13.5)]),
        ("write to jane dot doe at gmail dot com please", vec![(Email, 2.0, 8.5)]),
        ("write to jane.doe@gmail.com please", vec![(Email, 2.0, 2.5)]),
        ("I live at 12 Oak Street, so it is close", vec![(Address, 3.0, 5.5)]),
    ] {
        assert_eq!(brief(&find_spoken(&talk(text), &Known::default())), expected, "{text}");
    }
    for text in [
        "The Run X is only fifty three ninety four. These are seventy eight dollars.",
        "one hundred ninety two dollars, sixty eight forty eight, fifteen twenty eight, forty two seventy four",
        "I take a size forty two, the code is for a nine year old at the shop dot",
        "one two three four five six seven eight nine ten eleven twelve thirteen",
        "my phone case is nineteen ninety nine",
    ] {
        assert_eq!(brief(&find_spoken(&talk(text), &Known::default())), [], "{text}");
    }
}

#[test]
fn spans_of_screen_and_speech_come_in_order_of_time() {
    let screen = [line("jane@example.com", 0.0, 0.0)];
    let (found, _) = find(&[(3.0, &screen)], 4.0, &talk("it is 4111 1111 1111 1111."), &[]);
    assert_eq!(found[0].place, Place::Words(Span::new(2.0, 5.5)));
    assert_eq!(brief(&found), [(PaymentCard, 2.0, 5.5), (Email, 3.0, 4.0)]);
}

/// What is covered on a screen as a security code.
fn codes(lines: &[TextLine], known: &Known) -> Vec<String> {
    on_screen(lines, known).into_iter().filter(|hit| hit.kind == Cvv).map(|hit| hit.text).collect()
}

#[test]
fn a_security_code_is_covered_however_it_is_read() {
    for label in [
        "CVV",
        "CVC",
        "CSC",
        "CVC2",
        "CVV/CVC",
        "CVV (3 digits)",
        "CVV code *",
        "Security code",
        "Security code:",
        "Card security code",
        "Securlty c0de",
        "CW",
    ] {
        for value in ["123", "0456", "12", "1O3", "SI2", "OIS", "•••", "l2", "1 2 3"] {
            let form = [line("Card number", 100.0, 40.0), line(label, 400.0, 40.0), line(value, 400.0, 66.0)];
            assert_eq!(codes(&form, &Known::default()), [value], "{value} below {label}");
            let row = [line(label, 100.0, 40.0), line(value, 150.0 + 10.0 * label.len() as f64, 40.0)];
            assert_eq!(codes(&row, &Known::default()), [value], "{value} beside {label}");
        }
        for other in ["MM/YY", "12/28", "$4.99", "4.5", "Pay now", "Next", "What is this?"] {
            let form = [line(label, 400.0, 40.0), line(other, 400.0, 66.0)];
            assert_eq!(codes(&form, &Known::default()), [""; 0], "{other} below {label}");
        }
    }
    for (text, code) in [("CVV 12O", "12O"), ("CVC I23", "I23"), ("Security code 4S6", "4S6"), ("CSC: 7", "7")] {
        assert_eq!(codes(&[line(text, 10.0, 10.0)], &Known::default()), [code], "{text}");
    }
    for text in ["Promo code", "Security camera", "CVS Pharmacy", "Code 123", "CV"] {
        let form = [line(text, 400.0, 40.0), line("123", 400.0, 66.0)];
        assert_eq!(codes(&form, &Known::default()), [""; 0], "{text} asks for no code of a card");
    }
}

#[test]
fn digits_with_a_card_number_are_its_code() {
    let row = |text: &str| {
        let mut lines = vec![line("Card number", 100.0, 40.0), line("4539 1488 0343 6467", 100.0, 66.0)];
        lines.extend([line("12/27", 330.0, 66.0), line(text, 420.0, 66.0), line("987", 420.0, 200.0)]);
        codes(&lines, &Known::default())
    };
    assert_eq!(row("123"), ["123"]);
    assert_eq!(row("4567"), ["4567"]);
    for other in ["12", "12345", "$123", "Edit"] {
        assert_eq!(row(other), [""; 0]);
    }
    let joined = [line("4539 1488 0343 6467 12/27 123", 100.0, 66.0)];
    assert_eq!(codes(&joined, &Known::default()), ["123"]);
}

#[test]
fn a_field_whose_label_goes_when_it_is_typed_into_is_remembered() {
    let form = |code: &str| {
        vec![
            line("Payment", 100.0, 10.0),
            line("4539 1488 0343 6467", 100.0, 40.0),
            line("12/27", 100.0, 80.0),
            line(code, 300.0, 80.0),
            line("Pay $53.94", 100.0, 140.0),
        ]
    };
    let other = [line("Running shoes", 100.0, 10.0), line("Size", 100.0, 80.0), line("42", 300.0, 80.0)];
    let (empty, half, whole) = (form("CVV"), form("1Z"), form("123"));
    let screens = [(0.0, &empty[..]), (1.0, &half[..]), (2.0, &whole[..]), (3.0, &other[..])];
    let (found, known) = find(&screens, 4.0, &Transcript::default(), &[]);
    let seen: Vec<(f64, f64)> =
        found.iter().filter(|found| found.kind == Cvv).map(|found| (found.span.start, found.span.end)).collect();
    assert_eq!(seen, [(1.0, 2.0), (2.0, 3.0)]);
    assert_eq!(codes(&half, &known), ["1Z"], "pictures are covered by the same rule");
    assert_eq!(codes(&other, &known), [""; 0], "another page");
}
