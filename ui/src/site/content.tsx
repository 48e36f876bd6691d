import type { ReactNode } from 'react';

/** The words of the worker page. Times, limits and pay of an order are the order's own and not repeated here. */

export const STEPS: ReadonlyArray<{ title: string; text: string }> = [
  {
    title: 'Visit',
    text: 'Download the recorder below, install it and enter the invite code from your order page. It asks before it connects.',
  },
  {
    title: 'Get your goals',
    text: 'Each is one shopping wish, such as “Find black dress shoes under $100”. Take one; do not look for it beforehand.',
  },
  {
    title: 'Shop while recording',
    text: 'Search, filter, open products and compare as you always do, for at least five minutes. Never buy.',
  },
  {
    title: 'Say what you think',
    text: 'Tell in your own words why you pick this and skip that. Finding nothing is a result too.',
  },
  {
    title: 'Complete your scenarios',
    text: 'The recorder checks each recording at once and says what would be sent back. Then a person reviews it.',
  },
];

export const ACCEPTED: readonly string[] = [
  'Your own new recording, made for this order',
  'At least five minutes of active shopping',
  'The right screen, sharp enough to read',
  'The goal honestly tried: you need not find the thing',
  'Your voice, clear, without music or television',
  'No scripts, no artificial voice, nothing read out or rehearsed',
];

export const FAQ: ReadonlyArray<{ question: string; answer: ReactNode }> = [
  {
    question: 'How and when am I paid?',
    answer:
      'Through your order on the gig market, never outside it. Accepted recordings count towards the order; the market pays out by its own rules once the order is complete.',
  },
  {
    question: 'What is recorded?',
    answer:
      'One whole screen, your microphone, clicks, scrolling, shortcuts, and the titles of windows. Of what you type only the number of characters is stored, but the picture shows what your screen shows. Nothing is recorded before you press Record or after you stop.',
  },
  {
    question: 'How do I keep something private?',
    answer:
      'Close mail, chats and notifications first, and shop in a fresh browser window without logging in. If something private shows all the same, stop and do not send that recording: nothing leaves your computer before you send it. Then record the goal again.',
  },
  {
    question: 'Must I buy something?',
    answer: 'No, never. Stop before the checkout. Where a form must be filled, use made-up data.',
  },
  {
    question: 'What if I find nothing that fits?',
    answer: 'That is fine. Say why the things you saw did not fit, and end there.',
  },
  {
    question: 'A site is blocked or asks me to prove that I am human. What now?',
    answer: 'Use another shop. If the goal cannot be reached at all, say so on your order page and take another goal.',
  },
  {
    question: 'My connection broke while sending. Is the recording lost?',
    answer: 'No. It lies on your computer until the server has confirmed it, and sending goes on where it stopped.',
  },
  {
    question: 'Why was my recording sent back?',
    answer:
      'The recorder shows the reasons. You can record the goal again; that a recording was sent back does not lower your pay.',
  },
  {
    question: 'I disagree with a decision.',
    answer: 'Write on your order page within seven days. Another person looks at it.',
  },
  {
    question: 'May I rehearse, or use a script or an assistant?',
    answer: 'No. What you do the first time is what we look for. Copied or automated work is not paid.',
  },
  {
    question: 'May a friend do it for me?',
    answer: 'No. The invite is yours, and you must be 18 or older.',
  },
];

export const PRIVACY: readonly string[] = [
  'Recordings teach a shopping assistant. Reviewers watch them; they see a code name, not yours.',
  'Before the first recording you read what you agree to. You can withdraw at any time.',
  'Ask on your order page for what is stored about you, or for its removal. What was already trained on it cannot be untrained.',
  'This page sets no cookies and loads nothing from other sites.',
];
