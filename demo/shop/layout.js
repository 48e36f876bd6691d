// Tells the server where things lie on the screen, so that a driver knows what it points at. Elements with
// data-demo="name" are reported with their box in screen pixels, on load, after every change and after scrolling.
"use strict";

/** Boxes [x, y, w, h] in screen pixels of what the selector finds. */
window.layoutOf = function layoutOf(selector) {
  const left = window.screenX + (window.outerWidth - window.innerWidth) / 2;
  const top = window.screenY + (window.outerHeight - window.innerHeight);
  return [...document.querySelectorAll(selector)].filter((element) => element.getClientRects().length).map((element) => {
    const box = element.getBoundingClientRect();
    return {
      name: element.dataset.demo,
      text: element.dataset.text || element.placeholder || element.getAttribute("aria-label") || element.textContent.replace(/[▾]/g, "").replace(/\s+/g, " ").trim(),
      role: element.dataset.role || element.getAttribute("role") || { A: "link", INPUT: "textbox" }[element.tagName] || "button",
      tag: element.tagName.toLowerCase(),
      href: element.getAttribute("href"),
      box: [left + box.x, top + box.y, box.width, box.height].map(Math.round),
    };
  });
};

function report() {
  const layout = {
    url: location.href, title: document.title, scroll_y: Math.round(window.scrollY),
    view: [window.screenX, window.screenY + window.outerHeight - window.innerHeight, window.innerWidth, window.innerHeight],
    focus: document.activeElement?.dataset?.demo || null, value: document.querySelector(".search input").value,
    elements: window.layoutOf("[data-demo]"),
  };
  fetch("/_layout", { method: "POST", body: JSON.stringify(layout), keepalive: true }).catch(() => {});
}

let waiting = 0;
function reportSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => requestAnimationFrame(report), 60);
}

for (const kind of ["shop-changed", "scroll", "resize", "pageshow", "load", "input", "focusin"]) window.addEventListener(kind, reportSoon);
reportSoon();
