#!/usr/bin/python3
"""The guard itself: figures that got worse are told, those that did not are not."""
import json
import pathlib
import tempfile
import unittest

import fields
import figures


def at_bar(bar):
    """A figure without a bar stands where most bars are."""
    return 0.9 if bar is None else bar


def rows(**changed):
    """Every figure at its bar, but for those that are changed."""
    keys = {key.replace(".", "_"): key for key, *_ in figures.ROWS}
    values = {keys[name]: value for name, value in changed.items()}
    return [{"key": key, "value": values.get(key, at_bar(bar))} for key, _, _, bar in figures.ROWS]


class Against(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "baseline.json"
        self.assertEqual(figures.against(self.path, "short", rows(), keep=True), [])

    def fallen(self, **changed):
        return figures.against(self.path, "short", rows(**changed), keep=False)

    def test_each_figure_that_got_worse_is_named(self):
        self.assertEqual(self.fallen(), [])
        for key, _, better, bar in figures.ROWS:
            bar, step = at_bar(bar), figures.TOLERANCE.get(key, 0.0) + 0.001
            worse = bar - step if better == ">=" else bar + step
            fallen = self.fallen(**{key.replace(".", "_"): worse})
            self.assertEqual(len(fallen), 1, key)
            self.assertIn(key, fallen[0])
            within = bar - step + 0.002 if better == ">=" else bar + step - 0.002
            self.assertEqual(self.fallen(**{key.replace(".", "_"): within}), [], key)

    def test_a_figure_that_is_not_measured_any_more_has_fallen(self):
        self.assertIn("not measured", self.fallen(meaning_met=None)[0])

    def test_a_set_keeps_its_figures_beside_the_other(self):
        figures.against(self.path, "full", rows(events_f1=0.5), keep=True)
        kept = json.loads(self.path.read_text())
        self.assertEqual((kept["short"]["events.f1"], kept["full"]["events.f1"]), (0.98, 0.5))
        self.assertIn("No figures", figures.against(self.path, "other", rows(), keep=False)[0])


class Flags(unittest.TestCase):
    def test_a_copy_without_sound_may_say_so_but_must_be_a_duplicate(self):
        copy = {"expected_flags": ["duplicate"], "duplicate_of": "shoes.mp4"}
        wrong = lambda row, *flags: figures.wrong_flags({"row": row, "flags": flags})
        self.assertEqual(wrong(copy, "duplicate", "no_audio_stream"), [])
        self.assertEqual(wrong(copy, "no_audio_stream"), ["-duplicate"])
        self.assertEqual(wrong(copy, "duplicate", "idle"), ["+idle"])
        self.assertEqual(wrong({"expected_flags": []}, "no_audio_stream"), ["+no_audio_stream"])


class Fields(unittest.TestCase):
    def one(self, truth, predicted, narration=None, **row):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        out = pathlib.Path(folder.name)
        lines = lambda rows: "".join(json.dumps(row) + "\n" for row in rows)
        (out / "truth.jsonl").write_text(lines(truth))
        (out / "steps.jsonl").write_text(lines(predicted))
        (out / "said.json").write_text(json.dumps(narration or []))
        row = {"steps": out / "truth.jsonl", "events": "events.jsonl", "narration": out / "said.json" if narration else None, **row}
        return {"bare": False, "out": out, "row": row}

    def test_a_title_is_right_as_far_as_the_tab_shows_it(self):
        for found, right in (("Lamps | Haven", True), ("lamps  haven", True), ("Lamps…", True), ("Lambs…", False), ("Lamps | Hav", False), ("…", False), (None, False)):
            self.assertEqual(fields.is_title(found, "Lamps | Haven"), right, found)

    def test_each_field_counts_by_itself(self):
        truth = [{"t": 1.0, "action": "click", "target": {"role": "link"}, "url_before": "http://www.shop.test/"},
                 {"t": 1.4, "action": "navigate", "url_after": "http://www.shop.test/lamps", "title": "Lamps"}]
        predicted = [{"t": 1.0, "action": "click", "target": {"role": "button"}, "url": "www.shop.test"},
                     {"t": 1.5, "action": "navigate", "url": "www.shop.test/lamps/", "title": "Lambs"}]
        found = fields.measured([self.one(truth, predicted)], pathlib.Path("/"))
        self.assertEqual({key: value for key, (value, _) in found.items()}, {"fields.role": 0.0, "fields.address": 1.0, "fields.title": 0.0})

    def test_a_sentence_belongs_to_the_act_that_follows_its_beginning(self):
        truth = [{"t": 0.5, "action": "click"}, {"t": 3.0, "action": "click"}, {"t": 4.0, "action": "scroll"}]
        predicted = [{"t": 0.5, "action": "click", "rationale": "I open this lamp."}, {"t": 3.0, "action": "click", "rationale": "I open that lamp."}]
        said = [{"start": 2.0, "end": 3.5, "text": "I open this lamp"}, {"start": 6.0, "end": 7.0, "text": "Nice"}]
        found = fields.measured([self.one(truth, predicted, said)], pathlib.Path("/"))
        self.assertEqual(found["fields.rationale"], (0.75, "1 sentences"))


class Advice(unittest.TestCase):
    def test_a_sign_that_is_not_expected_is_as_wrong_as_one_that_is_missing(self):
        one = lambda expected, *advice: {"label": "x", "bare": False, "verdict": "accept", "flags": [], "advice": list(advice),
                                         "row": {"expected_verdict": "accept", "expected_advice": expected}}
        found = figures.judged([one(["padding"], "padding"), one(["padding"]), one([], "even_pauses"), one([])])
        self.assertEqual(found["judge.advice"][0], 0.5)


class Meaning(unittest.TestCase):
    def one(self, products, constraints, **summary):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        out = pathlib.Path(folder.name)
        (out / "summary.json").write_text(json.dumps({"products_seen": products, "constraints": constraints, **summary}))
        truth = [{"title": "Arc Reading Lamp", "price": "$34.90", "rating": "4.6"}, {"title": "Mono Clamp Lamp", "price": "$28.50", "rating": None}]
        row = {"products": truth, "met": {"item": True, "price": None}}
        return {"bare": False, "out": out, "row": {**row, "chosen": "Arc Reading Lamp", "because": "rating"} if summary else row}

    def test_products_count_with_title_and_price(self):
        seen = [{"title": "Arc reading lamp", "price": "$34.90"}, {"title": "2 results for lamp", "price": "$40"}]
        found = figures.meaning([self.one(seen, [])])
        self.assertEqual(found["meaning.products"][0], 0.5)
        self.assertEqual(found["meaning.met"][0], 0.0)

    def test_ratings_and_the_choice_with_its_reason_count(self):
        seen = [{"title": "Arc Reading Lamp", "price": "$34.90", "rating": "4.6 (312)"}, {"title": "Mono Clamp Lamp", "price": "$28.50", "rating": None}]
        found = figures.meaning([self.one(seen, [], decision="arc reading lamp", reason="It has a good rating."), self.one(seen[1:], [], decision=None, reason=None)])
        self.assertEqual([found[f"meaning.{key}"][0] for key in ("ratings", "decision", "reason")], [1.0, 0.5, 0.5])

    def test_what_cannot_be_told_is_right_where_nothing_was_bought(self):
        told = [{"kind": "item", "met": True}, {"kind": "price", "met": None}]
        self.assertEqual(figures.meaning([self.one([], told)])["meaning.met"][0], 1.0)


if __name__ == "__main__":
    unittest.main()
