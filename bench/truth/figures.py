"""From what the pipeline found to the figures that the design names a bar for."""
import json
import statistics

import fields

# key, what it is, how it is better, bar. `None` for a figure without a bar of its own.
ROWS = [
    ("events.f1", "Steps with events: F1", ">=", 0.98),
    ("events.click_px", "  click distance, px (median)", "<=", 1.0),
    ("events.target_text", "  target text", ">=", 0.9),
    ("events.typed_text", "  typed text", ">=", 0.9),
    ("pixels.f1", "Steps from pixels alone: F1", ">=", 0.6),
    ("pixels.worst_f1", "  the worst recording", ">=", 0.6),
    ("pixels.click_px", "  click distance, px (median)", "<=", 30.0),
    ("pixels.target_text", "  target text", ">=", 0.7),
    ("speech.wer", "Words misheard, all recordings", "<=", 0.06),
    ("speech.worst_wer", "  the worst recording", "<=", 0.10),
    ("speech.people", "  of people, not synthesised", "<=", 0.06),
    ("speech.start_error", "  word start error, s (median)", "<=", 0.10),
    ("judge.verdicts", "Verdicts as expected", ">=", 1.0),
    ("judge.flags", "Flags as expected", ">=", 1.0),
    ("judge.advice", "Advice to the reviewer as expected", ">=", None),
    ("duplicates.caught", "Duplicates caught", ">=", 1.0),
    ("duplicates.false", "Duplicates that are none", "<=", 0.0),
    ("redaction.text", "Private data found", ">=", 0.98),
    ("redaction.pixels", "  covered in the picture", ">=", 0.95),
    ("redaction.false", "  false hits of lines shown", "<=", 0.01),
    ("fields.role", "Role of what was clicked or typed into", ">=", None),
    ("fields.address", "Address of the page, with events", ">=", None),
    ("fields.title", "  title of a page that was gone to", ">=", None),
    ("fields.pixel_address", "Address of the page, from pixels alone", ">=", None),
    ("fields.pixel_title", "  title of a page that was gone to", ">=", None),
    ("fields.rationale", "Words said before an act, with the act", ">=", None),
    ("meaning.intent", "Intent as labelled", ">=", 0.8),
    ("meaning.products", "Products with their prices: F1", ">=", 0.9),
    ("meaning.ratings", "  with the rating that the page shows", ">=", None),
    ("meaning.met", "Demands judged as they were met", ">=", 0.9),
    ("meaning.decision", "What was chosen", ">=", None),
    ("meaning.reason", "  with the reason that was given", ">=", None),
]
# By how much a figure may be worse than the kept one before it counts as fallen: what another build of FFmpeg or the
# model's threads may change, not what a change of the code does.
TOLERANCE = {"events.click_px": 0.3, "pixels.click_px": 3.0, "events.target_text": 0.02, "events.typed_text": 0.02, "pixels.f1": 0.03, "pixels.worst_f1": 0.05,
             "pixels.target_text": 0.03, "speech.wer": 0.01, "speech.people": 0.02, "speech.worst_wer": 0.02, "speech.start_error": 0.02, "meaning.intent": 0.03, "meaning.products": 0.03, "meaning.ratings": 0.03,
             "fields.role": 0.03, "fields.address": 0.02, "fields.title": 0.02, "fields.pixel_address": 0.04, "fields.pixel_title": 0.04, "fields.rationale": 0.02,
             "events.f1": 0.005, "redaction.text": 0.01, "redaction.pixels": 0.02, "redaction.false": 0.005}

# Below this an intent more or less moves the figure too far to be held against its bar.
ENOUGH_LABELS = 100


def table(found, corpus):
    measured = {**steps(found, "events", False), **steps(found, "pixels", True), **speech(found), **judged(found), **redaction(found, corpus),
                **fields.measured(ended(found), corpus), **intents(found, corpus), **meaning(found)}
    rows = []
    for key, what, better, bar in ROWS:
        value, note = measured.get(key, (None, "no truth in this corpus"))
        met = None if value is None or bar is None else (value >= bar if better == ">=" else value <= bar)
        rows.append({"key": key, "what": what, "value": None if value is None else round(value, 4), "better": better, "bar": bar, "met": met, "note": note})
    return rows


def ended(found):
    return [one for one in found if "failed" not in one]


def steps(found, name, bare):
    scores = [(one["label"], one["score"]["steps"]) for one in ended(found)
              if one["score"] and one["score"]["steps"] and one["bare"] == bare and (bare or one["row"].get("events"))]
    if not scores:
        return {}
    tp, fp, fn = (sum(score[key] for _, score in scores) for key in ("tp", "fp", "fn"))
    worst = min(scores, key=lambda pair: pair[1]["f1"])
    rows = {f"{name}.f1": (2 * tp / max(1, 2 * tp + fp + fn), f"{tp + fn} Steps"), f"{name}.worst_f1": (worst[1]["f1"], worst[0])}
    for key, of in [("click_px", "click_distance_px_median"), ("target_text", "target_text_similarity_mean"), ("typed_text", "typed_text_similarity_mean")]:
        values = [(score[of], label) for label, score in scores if score[of] is not None]
        if values:
            worst = max(values) if key == "click_px" else min(values)
            middle = statistics.median if key == "click_px" else statistics.fmean
            rows[f"{name}.{key}"] = (middle([value for value, _ in values]), f"worst {worst[0]:.2f}, {worst[1]}")
        else:
            rows[f"{name}.{key}"] = (None, "nothing to compare")
    return rows


def misheard(scores):
    """Words that were misheard, and all that were said."""
    counts = [(score["substitutions"] + score["deletions"] + score["insertions"], score["words"]) for score in scores]
    return sum(wrong for wrong, _ in counts), sum(words for _, words in counts)


def speech(found):
    scores = [(one["label"], one["score"]["transcript"]) for one in ended(found) if one["score"] and one["score"].get("transcript")]
    if not scores:
        return {}
    wrong, words = misheard(score for _, score in scores)
    worst = max(scores, key=lambda pair: pair[1]["wer"])
    starts = [score["median_word_start_error_s"] for _, score in scores if score.get("median_word_start_error_s") is not None]
    rows = {}
    people = [one["score"]["transcript"] for one in ended(found) if one["score"] and one["row"].get("people")]
    if people:
        of_people = misheard(people)
        rows["speech.people"] = (of_people[0] / of_people[1], "{} of {} words".format(*of_people))
    return {**rows, "speech.wer": (wrong / max(1, words), f"{wrong} of {words} words"), "speech.worst_wer": (worst[1]["wer"], worst[0]),
            "speech.start_error": (statistics.median(starts) if starts else None, f"{len(starts)} recordings")}


# What shows of a copy whose sound was left out, or whose picture was painted over.
OF_A_CHANGED_COPY = {"no_audio_stream", "frozen_screen"}


def wrong_flags(one):
    expected, may = set(one["row"].get("expected_flags", [])), set(one["row"].get("may", []))
    raised = set(one["flags"])
    if one["row"].get("duplicate_of"):
        may |= OF_A_CHANGED_COPY
    return [f"+{flag}" for flag in sorted(raised - expected - may)] + [f"-{flag}" for flag in sorted(expected - raised)]


def wrong_advice(one):
    """A copy repeats the input of its original, rightly."""
    expected, given = set(one["row"].get("expected_advice", [])), set(one["advice"])
    if one["row"].get("duplicate_of"):
        given -= {"replayed_input"}
    return [f"+{sign}" for sign in sorted(given - expected)] + [f"-{sign}" for sign in sorted(expected - given)]


def judged(found):
    """A recording with events is judged with them; each expected result counts once, a run that failed as a wrong one."""
    ones = [one for one in found if not one["bare"]]
    if not ones:
        return {}
    good = ended(ones)
    verdicts = [one for one in good if one["verdict"] == one["row"]["expected_verdict"]]
    flags = [one for one in good if not wrong_flags(one)]
    share = lambda part: (len(part) / len(ones), f"{len(part)} of {len(ones)}")
    rows = {"judge.verdicts": share(verdicts), "judge.flags": share(flags)}
    # Of a corpus that says nothing of advice, none is known to be wrong.
    if any("expected_advice" in one["row"] for one in ones):
        rows["judge.advice"] = share([one for one in good if not wrong_advice(one)])
    copies = [one for one in ones if one["row"].get("duplicate_of")]
    others = [one for one in good if not one["row"].get("duplicate_of")]
    if copies:
        caught = [one for one in copies if "duplicate" in one.get("flags", [])]
        rows["duplicates.caught"] = (len(caught) / len(copies), f"{len(caught)} of {len(copies)}")
    false = [one["label"] for one in others if "duplicate" in one["flags"]]
    rows["duplicates.false"] = (float(len(false)), ", ".join(false) or f"{len(others)} recordings")
    return rows


def covered_share(planted, boxes):
    """How much of a planted box lies under the boxes, by a grid of points."""
    x, y, w, h = planted
    points = [(x + w * (i + 0.5) / 40, y + h * (j + 0.5) / 8) for i in range(40) for j in range(8)]
    under = sum(any(a <= px <= a + c and b <= py <= b + d for a, b, c, d in boxes) for px, py in points)
    return under / len(points)


def redaction(found, corpus):
    """By redaction.json of the result folder: what was planted against what is covered."""
    planted_all, hit, pixels, false, lines = 0, 0, [], 0, 0
    for one in ended(found):
        row = one["row"]
        if one["bare"] or not row.get("lines_shown"):
            continue
        plan = json.loads((one["out"] / "redaction.json").read_text())
        pictures = [(item["span"], item.get("box") or item.get("bounds")) for item in plan.get("pictures", [])]
        sounds = [item["span"] for item in plan.get("sounds", [])]
        planted = json.loads((corpus / row["private"]).read_text()) if row.get("private") else []
        overlaps = lambda span, item: span["start"] < item["end"] and item["start"] < span["end"]
        for item in planted:
            planted_all += 1
            if item["box"] is None:
                hit += any(overlaps(span, item) for span in sounds)
                continue
            share = covered_share(item["box"], [box for span, box in pictures if overlaps(span, item)])
            hit += share >= 0.5
            pixels.append(share)
        seen = [item["box"] for item in planted if item["box"]]
        false += sum(covered_share(box, [[a - 4, b - 4, c + 8, d + 8] for a, b, c, d in seen]) == 0 for _, box in pictures)
        lines += row["lines_shown"]
    rows = {key: (None, "nothing private in the chosen recordings") for key in ("redaction.text", "redaction.pixels")}
    if planted_all:
        rows["redaction.text"] = (hit / planted_all, f"{hit} of {planted_all}")
    if pixels:
        rows["redaction.pixels"] = (statistics.fmean(pixels), f"{len(pixels)} boxes, least {min(pixels):.2f}")
    if lines:
        rows["redaction.false"] = (false / lines, f"{false} of {lines} lines")
    return rows


def intents(found, corpus):
    """True Steps with a label against the found Step of the same action nearest in time, within a second."""
    right = labelled = 0
    for one in ended(found):
        if one["bare"] or not one["row"].get("steps") or not one["row"].get("events"):
            continue
        for truth, step in fields.pairs(one, corpus):
            if truth.get("intent"):
                labelled += 1
                right += step is not None and step.get("intent") == truth["intent"]
    few = "" if labelled >= ENOUGH_LABELS else f", fewer than {ENOUGH_LABELS}"
    return {"meaning.intent": (right / labelled, f"{right} of {labelled} labelled Steps{few}")} if labelled else {}


def plain(title, price):
    """Readings of one title differ in case and spaces, not in more."""
    return ("".join(c for c in title.lower() if c.isalnum()), "".join(c for c in price or "" if c.isdigit() or c == "."))


def meaning(found):
    """Products and met demands of the summaries against what the pages showed and what was put into the cart. What the
    page showed twice counts once."""
    right = wrong = missing = judged = as_met = rated = as_rated = 0
    chosen, because = [], []
    for one in ended(found):
        if one["bare"] or not one["row"].get("products"):
            continue
        summary = json.loads((one["out"] / "summary.json").read_text())
        truth = {plain(item["title"], item["price"]) for item in one["row"]["products"]}
        seen = {plain(item["title"], item["price"]) for item in summary["products_seen"]}
        right, wrong, missing = right + len(truth & seen), wrong + len(seen - truth), missing + len(truth - seen)
        ratings = {plain(item["title"], item["price"]): item.get("rating") for item in summary["products_seen"]}
        for item in one["row"]["products"]:
            key = plain(item["title"], item["price"])
            if item.get("rating") and key in ratings:
                rated += 1
                as_rated += ratings[key] is not None and ratings[key].startswith(item["rating"])
        if "chosen" in one["row"]:
            chosen.append((summary["decision"] or "").lower() == (one["row"]["chosen"] or "").lower())
            if one["row"]["because"]:
                because.append(one["row"]["because"] in (summary["reason"] or "").lower())
        for kind, met in (one["row"].get("met") or {}).items():
            judged += 1
            as_met += any(finding["kind"] == kind and finding["met"] == met for finding in summary["constraints"])
    rows = {}
    if right + wrong + missing:
        rows["meaning.products"] = (2 * right / (2 * right + wrong + missing), f"{right} right, {wrong} that are none, {missing} not found")
    if rated:
        rows["meaning.ratings"] = (as_rated / rated, f"{as_rated} of {rated} products found")
    for key, told in (("decision", chosen), ("reason", because)):
        if told:
            rows[f"meaning.{key}"] = (sum(told) / len(told), f"{sum(told)} of {len(told)} recordings")
    if judged:
        rows["meaning.met"] = (as_met / judged, f"{as_met} of {judged} demands")
    return rows


def recordings(found):
    rows = []
    for one in found:
        row = {"file": one["row"]["file"], "with_events": bool(one["row"].get("events")) and not one["bare"], "expected_verdict": one["row"]["expected_verdict"],
               "expected_flags": one["row"].get("expected_flags", [])}
        row.update({"failed": one["failed"]} if "failed" in one else {"verdict": one["verdict"], "flags": one["flags"], "score": one["score"]})
        rows.append(row)
    return rows


def text(rows, found):
    lines = [f"{'':36} {'result':>8}    {'bar':>8}  "]
    for row in rows:
        value = "-" if row["value"] is None else f"{row['value']:.3f}"
        met = {None: "", True: "met", False: "MISSED"}[row["met"]]
        bar = "" if row["bar"] is None else f"{row['better']} {row['bar']:8.2f}"
        lines.append(f"{row['what']:36} {value:>8} {bar:11}  {met:6}  {row['note']}")
    wrong = [one for one in ended(found) if not one["bare"] and (wrong_flags(one) or one["verdict"] != one["row"]["expected_verdict"])]
    if wrong:
        lines.append("Judged otherwise than expected:")
        lines += [f"  {one['label']}: {one['verdict']} instead of {one['row']['expected_verdict']}, flags {' '.join(wrong_flags(one)) or 'as expected'}" for one in wrong]
    advised = [one for one in ended(found) if not one["bare"] and "expected_advice" in one["row"] and wrong_advice(one)]
    if advised:
        lines.append("Advice otherwise than expected:")
        lines += [f"  {one['label']}: {' '.join(wrong_advice(one))}" for one in advised]
    return "\n".join(lines)


def against(path, name, rows, keep):
    """Which figures fell against the kept ones; with `keep` they are written down instead."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    now = {row["key"]: row["value"] for row in rows if row["value"] is not None}
    if keep:
        kept[name] = now
        path.write_text(json.dumps(kept, indent=1) + "\n")
        return []
    if name not in kept:
        return [f"No figures are kept under {name} in {path}: run again with --keep and commit the file."]
    fallen = []
    for key, what, better, _ in ROWS:
        if key not in kept[name]:
            continue
        before, value, tolerance = kept[name][key], now.get(key), TOLERANCE.get(key, 0.0)
        if value is None:
            fallen.append(f"FELL  {what.strip()} ({key}): was {before}, is not measured any more")
        elif (value < before - tolerance) if better == ">=" else (value > before + tolerance):
            fallen.append(f"FELL  {what.strip()} ({key}): was {before}, is {value}, tolerance {tolerance}")
    return fallen
