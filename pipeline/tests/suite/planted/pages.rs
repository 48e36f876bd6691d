//! Pages of a made shop with planted private data: what they show and, once a browser laid them out, where.

use super::{Chance, card, email, name, order, phone, price, public_text, secret, street, town, tracking};

const STYLES: &[&str] = &[
    "body{font:15px/1.5 sans-serif;background:#fff;color:#111}input{font:15px sans-serif;padding:6px 9px;border:1px solid #888;background:#fff;color:#111}.bar{background:#dfe1e5}.card{border:1px solid #ccc}",
    "body{font:14px/1.55 Georgia,serif;background:#faf7f2;color:#222}input{font:14px sans-serif;padding:5px 8px;border:1px solid #bbb;background:#fff;color:#222}.bar{background:#eee}.card{background:#fff;border:1px solid #e5ddd0}",
    "body{font:15px/1.5 sans-serif;background:#16181c;color:#e7e9ea}input{font:15px sans-serif;padding:6px 9px;border:1px solid #555;background:#22252b;color:#e7e9ea}.bar{background:#2b2f36}.card{border:1px solid #3a3f47}",
    "body{font:13px/1.5 Arial,sans-serif;background:#f2f4f8;color:#0f1111}input{font:13px Arial,sans-serif;padding:4px 7px;border:1px solid #a6a6a6;background:#fff;color:#0f1111}.bar{background:#fff}.card{background:#fff;border:1px solid #d5d9d9}",
];

const LAYOUT: &str = "body{margin:0}.bar{padding:8px 110px;font:13px sans-serif;white-space:nowrap}header{display:flex;gap:40px;padding:8px 24px;white-space:nowrap}\
    main{display:flex;gap:24px;padding:12px 24px}.card{padding:10px 16px;width:560px}.row{display:flex;gap:24px;margin:3px 0}.row>:first-child{width:150px}\
    label{display:block;margin-top:6px}input{width:300px;display:block}p{margin:2px 0}h3{margin:2px 0 6px}.two{display:flex;gap:16px}.two input{width:130px}pre{display:none}";

/// Where every marked text lies, as `[how private, left, top, width, height]`, of which 0 is public and 2 a card's; in fields of forms the text, not the field.
const MEASURE: &str = "const out=[];for(const e of document.querySelectorAll('[data-pii],[data-ok]')){const pii=e.hasAttribute('data-card')?2:e.hasAttribute('data-pii')?1:0;\
    if(e.tagName==='INPUT'){const b=e.getBoundingClientRect(),s=getComputedStyle(e),c=document.createElement('canvas').getContext('2d');c.font=s.font;\
    out.push([pii,b.left+parseFloat(s.paddingLeft)+1,b.top+parseFloat(s.paddingTop)+1,c.measureText(e.value).width,b.height-2*parseFloat(s.paddingTop)-2]);continue}\
    const r=document.createRange();r.selectNodeContents(e);for(const b of r.getClientRects())out.push([pii,b.left,b.top,b.width,b.height])}\
    const p=document.createElement('pre');p.id='truth';p.textContent=JSON.stringify(out);document.body.append(p);";

fn pii(value: &str) -> String {
    format!("<span data-pii>{value}</span>")
}

fn ok(value: &str) -> String {
    format!("<span data-ok>{value}</span>")
}

fn products(chance: &mut Chance, count: usize) -> String {
    let product = |_| format!("<p>{}</p><p>{}</p>", ok(&public_text(chance)), ok(&price(chance)));
    (0..count).map(product).collect::<Vec<_>>().concat()
}

pub fn page(chance: &mut Chance, index: usize) -> String {
    let who = name(chance);
    let first = who.split(' ').next().unwrap_or_default().to_owned();
    let bar = match index % 4 {
        0 => format!("shop.example/checkout?token={}", pii(&secret(chance))),
        1 => format!("shop.example/orders/{}", pii(&order(chance))),
        2 => format!("shop.example/login?email={}&amp;next=cart", pii(&email(chance))),
        _ => ok("shop.example/product/running-shoes?variant=40123456789012").clone(),
    };
    let greeting = if index.is_multiple_of(2) {
        format!("Hello, {}", pii(&first))
    } else {
        format!("Signed in as: {}", pii(&email(chance)))
    };
    let body = match index % 4 {
        0 => checkout(chance, &who),
        1 => history(chance, &who),
        2 => account(chance, &who),
        _ => confirmation(chance, &who),
    };
    let goods = products(chance, 5);
    format!(
        "<!doctype html><meta charset=utf-8><style>{LAYOUT}{}</style><div class=bar>{bar}</div><header><b>Hearth Goods</b><span>{greeting}</span>\
         <span>{}</span></header><main><div class=card>{body}</div><div class=card><h3>More to look at</h3>{goods}</div></main><script>{MEASURE}</script>",
        STYLES[(index / 4) % STYLES.len()],
        ok("Cart (2 items) $53.94"),
    )
}

fn field(label: &str, value: &str) -> String {
    format!("<label>{label}</label><input data-pii value=\"{value}\">")
}

fn card_field(label: &str, value: &str) -> String {
    format!("<label>{label}</label><input data-card data-pii value=\"{value}\">")
}

fn checkout(chance: &mut Chance, who: &str) -> String {
    format!(
        "<h3>Checkout</h3>{}{}{}<div class=two><div>{}</div><div>{}</div></div>{}{}<p>{}</p>",
        field("Full name", who),
        field("Phone number", &phone(chance)),
        card_field("Card number", &card(chance)),
        card_field("CVV", &chance.digits(3)),
        field("ZIP code", &chance.digits(5)),
        field("Street address", &street(chance)),
        field("E-mail", &email(chance)),
        ok("Order total: $128.40"),
    )
}

fn history(chance: &mut Chance, who: &str) -> String {
    (0..2)
        .map(|at| {
            let address = format!("<p>{}</p><p>{}</p><p>{}</p>", pii(who), pii(&street(chance)), pii(&town(chance)));
            let number = if at == 0 {
                format!("<p>Order # {}</p>", pii(&order(chance)))
            } else {
                format!(
                    "<p>Order number: {}</p><p>Tracking number: {}</p>",
                    pii(&order(chance)),
                    pii(&tracking(chance))
                )
            };
            format!(
                "<p>{}</p>{number}<p>Total {}</p><p>Ship to</p>{address}",
                ok("Order placed March 3, 2026"),
                ok(&price(chance))
            )
        })
        .collect::<Vec<_>>()
        .concat()
}

fn account(chance: &mut Chance, who: &str) -> String {
    let row =
        |label: &str, value: &str| format!("<div class=row><span>{label}</span><span>{}</span></div>", pii(value));
    format!(
        "<h3>Your account</h3>{}{}{}{}<p>Shipping address</p><p>{}</p><p>{}</p><div class=row><span>Member since</span><span>{}</span></div>\
         <div class=row><span>Payment</span><span>{}</span></div>",
        row("Full name", who),
        row("E-mail", &email(chance)),
        row("Phone", &phone(chance)),
        row("Mobile", &phone(chance)),
        pii(&street(chance)),
        pii(&town(chance)),
        ok("2019"),
        ok("Visa ending in 4242"),
    )
}

fn confirmation(chance: &mut Chance, who: &str) -> String {
    format!(
        "<h3>Thank you for your order</h3><p>Your order number is {}.</p><p>A receipt goes to {}.</p><p>We call {} if anything is wrong.</p>\
         <p>Delivery address</p><p>{}</p><p>{}</p><p>{}</p><p>Paid with {}</p><p>{}</p><p>{}</p>",
        pii(&order(chance)),
        pii(&email(chance)),
        pii(&phone(chance)),
        pii(who),
        pii(&street(chance)),
        pii(&town(chance)),
        pii(&card(chance)),
        ok("Arrives Friday, December 4"),
        ok("2 items: $53.94"),
    )
}
