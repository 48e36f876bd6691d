//! Made private data, and what shops show that is not private: the same for the same seed everywhere.
#![allow(unreachable_pub, reason = "the tests share it by name")]

pub mod film;
pub mod pages;

use shared_types::redaction::PiiKind;

/// Chance that repeats itself (`SplitMix64`).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

const FIRST: &[&str] = &[
    "Jane", "Miguel", "Aisha", "Tom", "Olga", "Li", "Grace", "Noah", "Fatima", "Jörg", "Priya", "Ewan", "Chloé",
    "Ivan", "Rosa", "Kwame", "Sven", "Maya", "Hugo", "Ines",
];
const LAST: &[&str] = &[
    "Doe",
    "Garcia",
    "Khan",
    "Miller",
    "Petrova",
    "Wei",
    "Hopper",
    "Andersson",
    "O'Brien",
    "Müller",
    "Patel",
    "McKay",
    "Dubois",
    "Novak",
    "Silva",
    "Mensah",
    "Larsen",
    "Cohen",
    "Bauer",
    "Costa",
];
const STREETS: &[&str] = &[
    "Oak Street",
    "Maple Avenue",
    "Elm St",
    "Cedar Lane",
    "Pine Rd",
    "Lakeview Drive",
    "Sunset Blvd",
    "Hill Road",
    "Park Ave",
    "Washington Street",
    "2nd Ave",
    "River Road",
];
const TOWNS: &[&str] = &[
    "Seattle, WA 98101",
    "Springfield, IL 62704",
    "Austin, TX 78701",
    "Portland, OR 97201",
    "Denver, CO 80202",
    "San Diego, CA 92101",
    "Boston, MA 02108",
    "New York, NY 10001",
    "Salt Lake City, UT 84101",
    "Miami, FL 33101",
];
const DOMAINS: &[&str] = &["gmail.com", "example.org", "mail.example.co.uk", "outlook.com", "posteo.de", "proton.me"];
const PRODUCTS: &[&str] = &[
    "Running Shoes",
    "Denim Jacket",
    "USB-C Hub",
    "Espresso Machine",
    "Trail Backpack 30L",
    "Wireless Mouse M185",
    "Kindle Paperwhite 16 GB",
    "LED Desk Lamp",
    "Cast Iron Skillet 12 Inch",
    "Yoga Mat 6 mm",
    "Noise Cancelling Headphones",
    "Mechanical Keyboard K2",
    "Waterproof Jacket",
    "Office Chair",
    "Robot Vacuum S9",
    "Levi's 501 Jeans W32 L30",
];

pub fn name(chance: &mut Chance) -> String {
    format!("{} {}", chance.of(FIRST), chance.of(LAST))
}

pub fn email(chance: &mut Chance) -> String {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let (first, last) = (plain(chance.of(FIRST)), plain(chance.of(LAST)));
    let local = match chance.below(5) {
        0 => format!("{first}.{last}"),
        1 => format!("{first}{}", chance.digits(2)),
        2 => format!("{first}_{last}+shop"),
        3 => format!("{}{last}", &first[..1]),
        _ => format!("{first}-{last}{}", chance.digits(3)),
    };
    format!("{local}@{}", chance.of(DOMAINS))
}

/// A number that passes the check, grouped as people and shops write it.
pub fn card(chance: &mut Chance) -> String {
    let (prefix, length) = match chance.below(4) {
        0 => ("4".to_owned(), 16),
        1 => (format!("5{}", 1 + chance.below(5)), 16),
        2 => ("37".to_owned(), 15),
        _ => ("6011".to_owned(), 16),
    };
    let mut digits: Vec<u32> = prefix.chars().filter_map(|c| c.to_digit(10)).collect();
    while digits.len() < length - 1 {
        digits.push(chance.below(10) as u32);
    }
    let doubled = |(at, &digit): (usize, &u32)| {
        if at % 2 == 0 { if digit > 4 { digit * 2 - 9 } else { digit * 2 } } else { digit }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    digits.push((10 - sum % 10) % 10);
    let text: String = digits.iter().map(u32::to_string).collect();
    let sizes: &[usize] = if length == 15 { &[4, 6, 5] } else { &[4, 4, 4, 4] };
    let mut groups = Vec::new();
    let mut at = 0;
    for size in sizes {
        groups.push(&text[at..at + size]);
        at += size;
    }
    match chance.below(3) {
        0 => groups.join(" "),
        1 => groups.join("-"),
        _ => text.clone(),
    }
}

pub fn phone(chance: &mut Chance) -> String {
    let area = format!("{}{}", 2 + chance.below(6), chance.digits(2));
    let (middle, last) = (format!("{}{}", 2 + chance.below(8), chance.digits(2)), chance.digits(4));
    match chance.below(6) {
        0 => format!("({area}) {middle}-{last}"),
        1 => format!("{area}-{middle}-{last}"),
        2 => format!("{area}.{middle}.{last}"),
        3 => format!("+1 {area} {middle} {last}"),
        4 => format!("+49 {} {}", 30 + chance.below(60), chance.digits(7)),
        _ => format!("+44 20 {} {}", 7000 + chance.below(999), chance.digits(4)),
    }
}

pub fn street(chance: &mut Chance) -> String {
    let unit = match chance.below(4) {
        0 => format!(" Apt {}{}", 1 + chance.below(20), chance.of(&["A", "B", "C"])),
        1 => format!(", Unit {}", 1 + chance.below(99)),
        _ => String::new(),
    };
    format!("{} {}{unit}", 10 + chance.below(9000), chance.of(STREETS))
}

pub fn town(chance: &mut Chance) -> String {
    chance.of(TOWNS).to_owned()
}

pub fn order(chance: &mut Chance) -> String {
    match chance.below(3) {
        0 => format!("{}-{}-{}", 100 + chance.below(899), chance.digits(7), chance.digits(7)),
        1 => format!("AB-{}", chance.digits(6)),
        _ => chance.digits(9),
    }
}

pub fn tracking(chance: &mut Chance) -> String {
    match chance.below(2) {
        0 => format!("1Z{}A{}", chance.digits(4), chance.digits(11)),
        _ => format!("94001{}", chance.digits(17)),
    }
}

pub fn secret(chance: &mut Chance) -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..24).map(|_| char::from(LETTERS[chance.below(LETTERS.len())])).collect()
}

/// A line of text with one private value in it, as pages, titles, addresses and people write it.
pub fn private_text(kind: PiiKind, chance: &mut Chance) -> (String, String) {
    let with = |forms: &[&str], chance: &mut Chance, value: &str| chance.of(forms).replace("{}", value);
    match kind {
        PiiKind::PaymentCard => {
            let value = card(chance);
            let forms = [
                "Card number: {}",
                "pay with {}, please",
                "{}",
                "Visa {} expires 04/29",
                "My card is {}.",
                "Credit card: {}",
            ];
            (with(&forms, chance, &value), value)
        }
        PiiKind::Cvv => {
            let value = chance.digits(3);
            (
                with(&["CVV {}", "CVV: {}", "Security code: {}", "the security code is {}", "CVC {}"], chance, &value),
                value,
            )
        }
        PiiKind::Email => {
            let value = email(chance);
            let forms = [
                "Signed in as {}",
                "{}",
                "E-mail: {}",
                "Send the receipt to {}.",
                "Inbox (3) - {} - Mail",
                "shop.example/login?email={}&next=cart",
            ];
            (with(&forms, chance, &value), value)
        }
        PiiKind::Phone => {
            let value = phone(chance);
            (
                with(
                    &["Phone: {}", "{}", "Call me at {}", "Mobile number: {}", "Text {} when it is here"],
                    chance,
                    &value,
                ),
                value,
            )
        }
        PiiKind::Address => {
            let value = format!("{}, {}", street(chance), town(chance));
            (
                with(
                    &["Ship to: {}", "{}", "Delivery address: {}", "I live at {}", "Billing address {}"],
                    chance,
                    &value,
                ),
                value,
            )
        }
        PiiKind::Name => {
            let value = name(chance);
            let forms =
                ["Hello, {}", "Welcome back, {}!", "Full name: {}", "Cardholder name: {}", "Recipient: {}", "Dear {},"];
            (with(&forms, chance, &value), value)
        }
        PiiKind::OrderNumber => {
            let value = order(chance);
            let forms = [
                "Order # {}",
                "Order number: {}",
                "Your order number is {}",
                "Order ID: {}",
                "shop.example/orders/{}",
                "Confirmation number: {}",
            ];
            (with(&forms, chance, &value), value)
        }
        PiiKind::TrackingNumber => {
            let value = tracking(chance);
            (with(&["Tracking number: {}", "Tracking ID {}", "Tracking # {}"], chance, &value), value)
        }
        PiiKind::Secret | PiiKind::Marked => {
            let value = secret(chance);
            let forms = [
                "https://shop.example/account?token={}&lang=en",
                "shop.example/reset?session_id={}",
                "https://jane:{}@shop.example/cart",
                "shop.example/cb?code={}&state=3",
            ];
            (with(&forms, chance, &value), value)
        }
    }
}

pub const PRIVATE_KINDS: &[PiiKind] = &[
    PiiKind::PaymentCard,
    PiiKind::Cvv,
    PiiKind::Email,
    PiiKind::Phone,
    PiiKind::Address,
    PiiKind::Name,
    PiiKind::OrderNumber,
    PiiKind::TrackingNumber,
    PiiKind::Secret,
];

pub fn price(chance: &mut Chance) -> String {
    let cents = chance.of(&["99", "95", "00", "49"]);
    match chance.below(4) {
        0 => format!("${}.{cents}", 1 + chance.below(999)),
        1 => format!("${},{}.{cents}", 1 + chance.below(9), 100 + chance.below(899)),
        2 => format!("€{}.{cents}", 1 + chance.below(999)),
        _ => format!("{}.{cents} €", 1 + chance.below(999)),
    }
}

/// A line as shops show it, with nothing private in it.
pub fn public_text(chance: &mut Chance) -> String {
    let product = chance.of(PRODUCTS);
    let price = price(chance);
    match chance.below(24) {
        0 => format!("{product} {price}"),
        1 => format!("SKU: {}-{}", chance.of(&["SC", "RX", "KB"]), chance.digits(7)),
        2 => {
            format!("{}.{} ({},{} ratings)", chance.below(5), chance.below(10), 1 + chance.below(90), chance.digits(3))
        }
        3 => format!("Item model number: {}", chance.digits(10)),
        4 => format!("ISBN-13: 978{}", chance.digits(10)),
        5 => format!("EAN {}", chance.digits(13)),
        6 => format!("Was {price}, you save 20%"),
        7 => format!("Get it by {} {}", chance.of(&["Mon, Nov", "Friday, December", "Tue, Jan"]), 1 + chance.below(28)),
        8 => format!("1-48 of over {},000 results for \"{}\"", 1 + chance.below(9), product.to_lowercase()),
        9 => format!(
            "shop.example/product/{}?variant={}&ref=sr_1_{}",
            product.to_lowercase().replace(' ', "-"),
            chance.digits(14),
            chance.below(9)
        ),
        10 => format!(
            "shop.example/s?k={}&sort=price-asc&page={}",
            product.to_lowercase().replace(' ', "+"),
            1 + chance.below(9)
        ),
        11 => format!("{product} - Size {} - In stock", 36 + chance.below(12)),
        12 => format!("Order total: {price}"),
        13 => format!("Only {} left in stock - order soon", 1 + chance.below(9)),
        14 => format!("ASIN: B0{}X{}", chance.digits(3), chance.digits(4)),
        15 => format!(
            "{} x {} x {} inches; {} pounds",
            chance.below(30),
            chance.below(30),
            chance.below(9),
            chance.below(20)
        ),
        16 => "Call us: 1-800-555-0199, support@shop.example".to_owned(),
        17 => "Free delivery on orders over $35. Free returns within 30 days".to_owned(),
        18 => format!("Compare: {product} or {}", chance.of(PRODUCTS)),
        19 => format!("the {} is {} so it is under my budget of a hundred dollars", product.to_lowercase(), price),
        20 => format!("Coupon SAVE{} applied", chance.digits(2)),
        21 => format!("Part no. {}-{}-{}", chance.digits(3), chance.digits(3), chance.digits(4)),
        22 => format!("Qty: {} Subtotal ({} items): {price}", 1 + chance.below(9), 1 + chance.below(9)),
        _ => format!("{} reviews, {}% recommend it", chance.digits(4), 50 + chance.below(50)),
    }
}

/// Whether a word or number of a value can still be read in a text.
pub fn leaves(value: &str, text: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|part| part.chars().count() >= 3)
            .map(str::to_lowercase)
            .collect()
    };
    let left = parts(text);
    parts(value).iter().any(|part| left.contains(part))
}
