// The product pictures, drawn as SVG in the product's color.
"use strict";

const shade = (hex, by) =>
  "#" + [1, 3, 5].map((at) => Math.max(0, Math.min(255, parseInt(hex.slice(at, at + 2), 16) + by)).toString(16).padStart(2, "0")).join("");

const DRAWINGS = {
  shoe: (ink, accent) => `
    <path d="M34 118c-4-20-2-42 4-52 3-5 12-6 16-1 6 8 16 12 26 6l16-12c6-4 13-3 17 3 13 19 34 30 62 35 24 4 33 12 34 24z" fill="${ink}"/>
    <path d="M34 118c-2-10-3-20-2-29 14 9 36 10 52 6 22-6 40 4 58 10 22 7 45 6 66 9 1 2 1 3 1 4z" fill="${shade(ink, 26)}"/>
    <path d="M97 72l20 17M104 66l21 18M113 62l19 17" stroke="#fff" stroke-width="4" stroke-linecap="round"/>
    <path d="M58 90c26 12 44 2 60 14s34 10 48 9" fill="none" stroke="${accent}" stroke-width="5" stroke-linecap="round"/>
    <path d="M30 117h180c6 0 8 4 7 9-2 9-10 12-20 12H48c-12 0-18-9-18-21z" fill="#f4f2ec" stroke="#d9d5ca"/>
    <path d="M33 133c4 5 9 8 16 8h146c8 0 14-2 18-7-5 3-10 4-16 4H48c-6 0-11-2-15-5z" fill="${shade(ink, 40)}"/>`,
  boot: (ink) => `
    <path d="M62 28h62c3 0 5 2 5 5l3 42c2 14 12 20 30 23 26 4 36 12 37 26H60z" fill="${ink}"/>
    <path d="M62 28h62c3 0 5 2 5 5l1 11H61z" fill="${shade(ink, 30)}"/>
    <path d="M112 54l20 3M113 66l21 3M116 78l20 4M124 90l18 6" stroke="#f0e3c8" stroke-width="4" stroke-linecap="round"/>
    <path d="M54 122h148c2 10 0 18-8 18H62c-8 0-10-10-8-18z" fill="#3a3330"/>
    <path d="M62 140v6h16v-6m12 0v6h16v-6m12 0v6h16v-6m12 0v6h16v-6" fill="#3a3330"/>`,
  pack: (ink) => `
    <path d="M92 34c0-18 56-18 56 0v10h-8V34c0-8-40-8-40 0v10h-8z" fill="${shade(ink, -40)}"/>
    <rect x="72" y="38" width="96" height="106" rx="26" fill="${ink}"/>
    <rect x="84" y="90" width="72" height="44" rx="10" fill="${shade(ink, 26)}"/>
    <path d="M84 104h72M80 68h80" stroke="${shade(ink, -46)}" stroke-width="4"/>
    <rect x="114" y="62" width="12" height="14" rx="3" fill="#fff"/>`,
  bottle: (ink) => `
    <rect x="102" y="20" width="36" height="20" rx="5" fill="#3c4248"/><path d="M108 40h24v8h-24z" fill="#aeb6bd"/>
    <path d="M108 46h24c10 4 16 12 16 24v64c0 8-5 12-12 12h-32c-7 0-12-4-12-12V70c0-12 6-20 16-24z" fill="${ink}"/>
    <path d="M104 72c0-8 3-14 8-17v84h-4c-3 0-4-2-4-5z" fill="${shade(ink, 50)}"/><circle cx="126" cy="100" r="12" fill="#fff" opacity=".85"/>`,
  jacket: (ink) => `
    <path d="M96 30l24 10 24-10 34 16 22 78-22 8-14-48v62H76V84l-14 48-22-8 22-78z" fill="${ink}"/>
    <path d="M96 30l24 10 24-10-6 18-18 8-18-8z" fill="${shade(ink, 40)}"/>
    <path d="M120 56v90M86 112h20M134 112h20" stroke="${shade(ink, -44)}" stroke-width="4" stroke-linecap="round"/>`,
  shirt: (ink) => `
    <path d="M94 32c8 12 44 12 52 0l38 18-14 32-18-8v72H88V74l-18 8-14-32z" fill="${ink}"/>
    <path d="M94 32c8 12 44 12 52 0l6 3c-10 18-54 18-64 0z" fill="${shade(ink, 46)}"/>
    <path d="M100 96h40" stroke="#fff" stroke-width="5" stroke-linecap="round"/>`,
  cap: (ink) => `
    <path d="M62 104c0-34 24-56 56-56s54 20 56 50c24 4 40 12 42 20-30-8-60-10-84-6-26 4-50 2-70-8z" fill="${ink}"/>
    <path d="M132 112c24-4 54-2 84 6-2 10-40 8-64 4-10-2-18-4-20-10z" fill="${shade(ink, 44)}"/>
    <path d="M118 48c-16 14-22 34-20 62" fill="none" stroke="${shade(ink, 70)}" stroke-width="4"/><circle cx="118" cy="47" r="5" fill="${shade(ink, 70)}"/>`,
};

function picture(product) {
  const ink = COLORS[product.color];
  const view = product.kind === "shoe" ? "8 48 230 108" : "0 14 240 140";
  return `<svg viewBox="${view}" role="img" aria-label="${product.color} ${product.type.toLowerCase()}">
    <ellipse cx="122" cy="146" rx="92" ry="7" fill="#000" opacity=".08"/>${DRAWINGS[product.kind](ink, product.accent)}</svg>`;
}
