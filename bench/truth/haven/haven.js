// A second shop for measuring: a column at the side, products in rows, filters as chips, other letters and other words than the
// demo's. Its account page shows invented private data; elements with data-private are the truth about it.
"use strict";

const ITEMS = [
  ["arc-lamp", "Arc Reading Lamp", "Desk lamp", "White", 34.9, 4.6, "#c9a227", "A slim reading lamp with a warm light and a heavy foot."],
  ["mono-lamp", "Mono Clamp Lamp", "Desk lamp", "Black", 28.5, 4.2, "#4b4e57", "A clamp lamp for narrow desks."],
  ["dune-lamp", "Dune Table Lamp", "Table lamp", "White", 59, 4.8, "#b98b5e", "A table lamp of sand colored glass."],
  ["harbor-lamp", "Harbor Floor Lamp", "Floor lamp", "Black", 119, 4.4, "#33566e", "A tall lamp for the corner behind the sofa."],
  ["pico-lamp", "Pico Night Lamp", "Night lamp", "White", 14.25, 3.9, "#7b5ea7", "A small lamp that children can hold."],
  ["tidal-kettle", "Tidal Kettle", "Electric kettle", "Steel", 49, 4.5, "#6b7f8c", "Boils a liter in three minutes and switches itself off."],
  ["ember-kettle", "Ember Kettle", "Electric kettle", "Red", 39.9, 4.7, "#b3392f", "A red kettle with a long spout for careful pouring."],
  ["stove-kettle", "Hearth Kettle", "Stove kettle", "Red", 25, 4.0, "#d0563f", "A kettle that whistles."],
  ["ash-chair", "Ash Chair", "Dining chair", "White", 89, 4.3, "#9b8a6d", "A light chair of ash wood."],
].map(([id, name, type, color, price, rating, paint, text]) => ({ id, name, type, color, price, rating, paint, text }));

const main = document.getElementById("main");
const money = (amount) => "$" + amount.toFixed(2);
const basket = () => JSON.parse(localStorage.getItem("basket") || "[]");
const thumb = (item) => `<div class="thumb" style="background:${item.paint}">${item.name[0]}</div>`;
const about = (item) => `<p class="soft">${item.type}, ${item.color.toLowerCase()}</p><p>Rated ${item.rating.toFixed(1)} of 5</p>`;

function list(query) {
  const params = new URLSearchParams(location.search);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = ITEMS.filter((item) => words.every((word) => `${item.name} ${item.type} ${item.color}`.toLowerCase().includes(word)))
    .filter((item) => !params.get("max") || item.price <= Number(params.get("max")))
    .sort((a, b) => (params.get("by") === "price" ? a.price - b.price : params.get("by") === "rating" ? b.rating - a.rating : 0));
  const link = (key, value) => {
    const next = new URLSearchParams(location.search);
    next.set(key, value);
    return `/find?${next}`;
  };
  const chip = (name, key, value, text) => `<a href="${link(key, value)}" data-demo="${name}" class="${params.get(key) === value ? "on" : ""}">${text}</a>`;
  document.title = `${query || "Everything"} - Haven Home`;
  main.innerHTML = `<h1>${found.length} results for "${query}"</h1><div class="chips">${chip("max-40", "max", "40", "Up to $40")}${chip("max-80", "max", "80", "Up to $80")}
    ${chip("by-price", "by", "price", "Cheapest first")}${chip("by-rating", "by", "rating", "Best rated first")}</div>` +
    found.map((item) => `<div class="row">${thumb(item)}<div><h3><a href="/item/${item.id}" data-demo="item-${item.id}">${item.name}</a></h3>${about(item)}</div><div class="price">${money(item.price)}</div></div>`).join("");
}

function item(id) {
  const it = ITEMS.find((one) => one.id === id);
  document.title = `${it.name} - Haven Home`;
  main.innerHTML = `<div class="big">${thumb(it)}<div><h1>${it.name}</h1>${about(it)}<p class="price" style="text-align:left">${money(it.price)}</p><p>${it.text}</p>
    <p class="soft">Item number 4402-${it.name.length}18</p><button class="wide" data-demo="put">Put in basket</button><p id="note"></p></div></div>
    <h2>What others say</h2>${["It looks better than in the picture.", "Sturdy, and easy to clean.", "I bought a second one for my sister."].map((t) => `<div class="row" style="grid-template-columns:1fr"><p>${t}</p></div>`).join("")}`;
  main.querySelector("button").addEventListener("click", () => {
    localStorage.setItem("basket", JSON.stringify([...basket(), id]));
    document.getElementById("count").textContent = basket().length;
    document.getElementById("note").textContent = `${it.name} is in your basket.`;
  });
}

function basketPage() {
  document.title = "Basket - Haven Home";
  const lines = basket().map((id) => ITEMS.find((it) => it.id === id));
  main.innerHTML = `<h1>Your basket</h1>` + lines.map((it) => `<div class="row">${thumb(it)}<div><h3>${it.name}</h3>${about(it)}</div><div class="price">${money(it.price)}</div></div>`).join("") +
    `<p class="price">Total ${money(lines.reduce((sum, it) => sum + it.price, 0))}</p><button class="wide" data-demo="pay">Go to payment</button>`;
}

function accountPage() {
  document.title = "My account - Haven Home";
  const line = (label, kind, text) => `<div><b>${label}</b><span><span ${kind ? `data-private="${kind}"` : ""}>${text}</span></span></div>`;
  main.innerHTML = `<h1>My account</h1><section class="card"><h2>Contact</h2>${line("E-mail", "email", "marta.lindqvist@northmail.example")}${line("Phone", "phone", "(415) 555-0137")}</section>
    <section class="card"><h2>Deliver to</h2>${line("Name", "name", "Marta Lindqvist")}${line("Street", "address", "1482 Maple Street")}${line("City", "address", "Portland, OR 97205")}</section>
    <section class="card"><h2>Payment</h2>${line("Card number", "card", "4539 1488 0343 6467")}${line("Last order", "order", "Order 112-5738204-9915")}${line("Spent this year", "", "$148.50")}${line("Item number", "", "4402-1218")}</section>`;
}

const [, page, id] = location.pathname.split("/");
const query = new URLSearchParams(location.search).get("q") || "";
document.querySelector("input").value = query;
document.getElementById("count").textContent = basket().length;
if (page === "find") list(query);
else if (page === "item") item(id);
else if (page === "basket") basketPage();
else if (page === "account") accountPage();
else {
  main.innerHTML = `<h1>Things that make a home</h1><p class="soft">Chosen with care, sent within two days.</p>` +
    ITEMS.slice(2, 6).map((it) => `<div class="row">${thumb(it)}<div><h3><a href="/item/${it.id}" data-demo="item-${it.id}">${it.name}</a></h3>${about(it)}</div><div class="price">${money(it.price)}</div></div>`).join("");
}
