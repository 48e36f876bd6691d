// The shop's pages. Every address is served with the same document, and this file draws what the address asks for:
// departments, search, products and the cart are real page loads; filters and sorting push a new address.
"use strict";

const main = document.getElementById("main");
const money = (amount) => "$" + amount.toFixed(2);
const stars = (rating) => `<span class="stars" style="--share:${(rating / 5) * 100}%" aria-hidden="true"></span>`;
const escapeHtml = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

const SORTS = {
  featured: ["Featured", () => 0],
  "price-up": ["Price: low to high", (a, b) => a.price - b.price],
  "price-down": ["Price: high to low", (a, b) => b.price - a.price],
  rating: ["Customer rating", (a, b) => b.rating - a.rating],
};
const PRICES = { 50: "Under $50", 100: "Under $100" };

const cart = {
  read: () => JSON.parse(localStorage.getItem("cart") || "[]"),
  write(lines) {
    localStorage.setItem("cart", JSON.stringify(lines));
    document.getElementById("cart-count").textContent = lines.reduce((sum, line) => sum + line.count, 0);
  },
  add(id, size) {
    const lines = cart.read();
    const line = lines.find((l) => l.id === id && l.size === size);
    if (line) line.count += 1;
    else lines.push({ id, size, count: 1 });
    cart.write(lines);
  },
};

function setTitle(text) {
  document.title = text ? `${text} | Fernway` : "Fernway: shoes and gear for outside";
}

function card(product) {
  return `<a class="card" href="/product/${product.id}" data-demo="product-${product.id}" data-text="${product.name}">
    <div class="photo">${picture(product)}</div>
    <div class="line"><h3>${product.name}</h3><span class="price">${money(product.price)}</span></div>
    <div class="kind">${product.type}, ${product.color.toLowerCase()}</div>
    <div class="rate">${stars(product.rating)} <b>${product.rating.toFixed(1)}</b> <span>(${product.reviews} reviews)</span></div>
  </a>`;
}

function homePage() {
  setTitle("");
  const best = ["corvid-glide", "daybreak-pack", "drizzle-jacket", "ridge-boot"].map((id) => PRODUCTS.find((p) => p.id === id));
  main.innerHTML = `<section class="hero"><div><h1>Good gear for going outside</h1>
      <p>Shoes, packs and jackets that are made to be used. Free returns within sixty days.</p>
      <a class="button" href="/department/running" data-demo="shop-running">Shop running</a></div>
      <div class="heropic">${picture(PRODUCTS[0])}</div></section>
    <h2>What people buy this week</h2><div class="grid four">${best.map(card).join("")}</div>`;
}

/** One list of products with filters: a department or a search. */
function listPage(heading, found) {
  const params = new URLSearchParams(location.search);
  const chosenColors = params.getAll("color");
  const under = params.get("under");
  const sort = SORTS[params.get("sort")] ? params.get("sort") : "featured";
  const shown = found
    .filter((p) => !chosenColors.length || chosenColors.includes(p.color))
    .filter((p) => !under || p.price < Number(under))
    .sort(SORTS[sort][1]);
  setTitle([heading, ...chosenColors, under && PRICES[under]].filter(Boolean).join(", "));

  const colors = [...new Set(found.map((p) => p.color))].sort();
  const box = (name, value, label, count, on) => `<label data-demo="filter-${value.toLowerCase()}" data-role="checkbox" data-text="${label}">
    <input type="checkbox" name="${name}" value="${value}" ${on ? "checked" : ""}><span>${label}</span><i>${count}</i></label>`;
  main.innerHTML = `<div class="list"><aside class="filters"><h2>Filters</h2>
      <fieldset><legend>Color</legend>${colors.map((c) => box("color", c, c, found.filter((p) => p.color === c).length, chosenColors.includes(c))).join("")}</fieldset>
      <fieldset><legend>Price</legend>${Object.entries(PRICES).map(([limit, label]) => box("under", limit, label, found.filter((p) => p.price < limit).length, under === limit)).join("")}</fieldset>
    </aside><section><div class="head"><div><h1>${escapeHtml(heading)}</h1><p>${shown.length} products</p></div>
      <div class="sort"><button data-demo="sort" aria-haspopup="listbox" aria-expanded="false">Sort: ${SORTS[sort][0]} <span aria-hidden="true">&#9662;</span></button>
        <ul role="listbox" hidden>${Object.entries(SORTS).map(([key, [label]]) => `<li role="option" data-key="${key}" data-demo="sort-${key}" aria-selected="${key === sort}">${label}</li>`).join("")}</ul></div></div>
      <div class="grid">${shown.map(card).join("") || "<p class='none'>Nothing fits. Take a filter away.</p>"}</div></section></div>`;

  const go = (change) => {
    const next = new URLSearchParams(location.search);
    change(next);
    history.pushState(null, "", `${location.pathname}?${next}`);
    render();
  };
  main.querySelectorAll(".filters input").forEach((input) =>
    input.addEventListener("change", () =>
      go((next) => {
        if (input.name === "under") {
          next.delete("under");
          if (input.checked) next.set("under", input.value);
          return;
        }
        const kept = next.getAll("color").filter((c) => c !== input.value);
        next.delete("color");
        [...kept, ...(input.checked ? [input.value] : [])].forEach((c) => next.append("color", c));
      })));
  const menu = main.querySelector(".sort ul");
  const opener = main.querySelector(".sort button");
  opener.addEventListener("click", () => {
    menu.hidden = !menu.hidden;
    opener.setAttribute("aria-expanded", String(!menu.hidden));
    changed();
  });
  menu.addEventListener("click", (event) => go((next) => next.set("sort", event.target.dataset.key)));
}

function productPage(product) {
  setTitle(product.name);
  const department = product.department;
  main.innerHTML = `<p class="crumbs"><a href="/">Home</a> / <a href="/department/${department}" data-demo="crumb-department">${DEPARTMENTS[department]}</a> / ${product.name}</p>
    <div class="product"><div class="photo large">${picture(product)}</div><div class="buy">
      <h1>${product.name}</h1><div class="kind">${product.type}, ${product.color.toLowerCase()}</div>
      <div class="rate">${stars(product.rating)} <b>${product.rating.toFixed(1)}</b> <span>(${product.reviews} reviews)</span></div>
      <div class="price big">${money(product.price)}</div><p>${product.text}</p>
      <div class="sizes" role="radiogroup" aria-label="Size"><h2>Size</h2><div>${product.sizes.map((size) => `<button role="radio" aria-checked="false" data-size="${size}" data-demo="size-${size.replace(/\W/g, "-").toLowerCase()}">${size}</button>`).join("")}</div></div>
      <button class="button wide" data-demo="add-to-cart">Add to cart</button><p class="note" id="note">In stock. Arrives in two days.</p></div></div>
    <div class="more"><section><h2>Details</h2><dl>${product.facts.map(([k, v]) => `<dt>${k}</dt><dd>${v}</dd>`).join("")}</dl></section>
      <section><h2>Reviews</h2>${product.voices.map(([t, s]) => `<article>${stars(product.rating)}<h3>${t}</h3><p>${s}</p></article>`).join("")}</section></div>`;
  let size = product.sizes.length === 1 ? product.sizes[0] : null;
  const buttons = [...main.querySelectorAll(".sizes button")];
  const mark = () => buttons.forEach((b) => b.setAttribute("aria-checked", String(b.dataset.size === size)));
  mark();
  buttons.forEach((button) => button.addEventListener("click", () => { size = button.dataset.size; mark(); changed(); }));
  main.querySelector("[data-demo=add-to-cart]").addEventListener("click", () => {
    if (!size) {
      document.getElementById("note").textContent = "Please choose a size first.";
      return;
    }
    cart.add(product.id, size);
    toast(`${product.name}, size ${size}, is in your cart`);
    changed();
  });
}

function cartPage() {
  setTitle("Your cart");
  const lines = cart.read().map((line) => ({ ...line, product: PRODUCTS.find((p) => p.id === line.id) }));
  const total = lines.reduce((sum, line) => sum + line.product.price * line.count, 0);
  main.innerHTML = `<h1 class="solo">Your cart</h1>` + (lines.length ? `<div class="basket"><section>${lines.map((line) => `<div class="row">
      <div class="photo small">${picture(line.product)}</div><div><h3>${line.product.name}</h3><div class="kind">${line.product.type}, ${line.product.color.toLowerCase()}</div>
      <div class="kind">Size ${line.size}, quantity ${line.count}</div></div><span class="price">${money(line.product.price * line.count)}</span></div>`).join("")}</section>
    <aside><h2>Summary</h2><dl><dt>Items</dt><dd>${money(total)}</dd><dt>Shipping</dt><dd>Free</dd><dt class="sum">Total</dt><dd class="sum">${money(total)}</dd></dl>
      <button class="button wide" data-demo="checkout">Check out</button></aside></div>` : "<p>Your cart is empty.</p>");
}

function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  place.classList.add("on");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => place.classList.remove("on"), 3500);
}

function render() {
  const [, page, id] = location.pathname.split("/");
  const query = (new URLSearchParams(location.search).get("q") || "").trim();
  document.querySelector(".search input").value = query;
  document.getElementById("departments").innerHTML = Object.entries(DEPARTMENTS)
    .map(([key, name]) => `<a href="/department/${key}" data-demo="department-${key}" ${id === key ? "aria-current='page'" : ""}>${name}</a>`).join("");
  cart.write(cart.read());
  const product = PRODUCTS.find((p) => p.id === id);
  if (page === "product" && product) productPage(product);
  else if (page === "department" && DEPARTMENTS[id]) listPage(DEPARTMENTS[id], PRODUCTS.filter((p) => p.department === id));
  else if (page === "search") {
    const words = query.toLowerCase().split(/\s+/);
    listPage(`Results for “${query}”`, PRODUCTS.filter((p) => words.every((w) => `${p.name} ${p.type} ${p.color}`.toLowerCase().includes(w))));
  } else if (page === "cart") cartPage();
  else homePage();
  changed();
}

/** layout.js listens: the page looks different now. */
function changed() {
  window.dispatchEvent(new Event("shop-changed"));
}

window.addEventListener("popstate", render);
render();
