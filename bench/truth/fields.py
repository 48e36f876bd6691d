"""The fields of Steps against the truth, each by itself: what the operator's programs read besides action and place."""
import json


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def pairs(one, corpus):
    """Each true Step with the found one of the same action nearest in time, within a second, or None."""
    predicted = read_lines(one["out"] / "steps.jsonl")
    for truth in read_lines(corpus / one["row"]["steps"]):
        near = [step for step in predicted if step["action"] == truth["action"] and abs(step["t"] - truth["t"]) <= 1.0]
        yield truth, min(near, key=lambda step: abs(step["t"] - truth["t"]), default=None)


def address(text):
    """As a browser's bar may show it."""
    return (text or "").split("://")[-1].rstrip("/").lower()


def title(text):
    return "".join(c for c in (text or "").lower() if c.isalnum())


def is_title(found, true):
    """The title, or as much of it as the tab shows; a found one that is cut says so itself."""
    if (found or "").endswith("…"):
        return len(title(found)) > 0 and title(true).startswith(title(found))
    return title(found) == title(true)


class Share:
    def __init__(self, of):
        self.of, self.right, self.all = of, 0.0, 0

    def add(self, right):
        self.right, self.all = self.right + right, self.all + 1

    def row(self, key):
        return {key: (self.right / self.all, f"{self.all} {self.of}")} if self.all else {}


def words(text):
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()


def explained(truths, narration):
    """The act that each sentence speaks of, as people announce what they are about to do: the first one after its beginning
    and before the next sentence. Yields the true Step and the sentence."""
    acts = sorted((row for row in truths if row["action"] in ("click", "type", "scroll")), key=lambda row: row["t"])
    for at, sentence in enumerate(narration):
        until = narration[at + 1]["start"] if at + 1 < len(narration) else float("inf")
        act = next((row for row in acts if sentence["start"] < row["t"] < until), None)
        if act is not None and not sentence.get("cut"):
            yield act, sentence["text"]


def rationales(one, corpus, share):
    """How many of the words of a sentence are in the rationale of the act that it speaks of."""
    paired = list(pairs(one, corpus))
    narration = json.loads((corpus / one["row"]["narration"]).read_text())
    for act, sentence in explained([truth for truth, _ in paired], narration):
        step = next(step for truth, step in paired if truth is act)
        if step is None:
            continue
        told = set(words(step.get("rationale") or ""))
        said = words(sentence)
        share.add(sum(word in told for word in said) / len(said))


def measured(found, corpus):
    role, rationale = Share("Steps with a target"), Share("sentences")
    pages = {bare: (Share("Steps on a page"), Share("pages")) for bare in (False, True)}
    for one in found:
        if not one["row"].get("steps") or not (one["bare"] or one["row"].get("events")):
            continue
        on, to = pages[one["bare"]]
        for truth, step in pairs(one, corpus):
            if step is None:
                continue
            arrived = truth["action"] == "navigate"
            where = truth.get("url_after") if arrived else truth.get("url_before")
            if where and truth["action"] in ("navigate", "click", "scroll"):
                on.add(address(step.get("url")) == address(where))
            if arrived and truth.get("title"):
                to.add(is_title(step.get("title"), truth["title"]))
            if not one["bare"] and (truth.get("target") or {}).get("role"):
                role.add((step.get("target") or {}).get("role") == truth["target"]["role"])
        # What is private is no longer in the rationale, rightly.
        if one["row"].get("narration") and not one["row"].get("private") and not one["bare"]:
            rationales(one, corpus, rationale)
    rows = {**role.row("fields.role"), **rationale.row("fields.rationale")}
    for bare, (on, to) in pages.items():
        rows.update(**on.row("fields.pixel_address" if bare else "fields.address"), **to.row("fields.pixel_title" if bare else "fields.title"))
    return rows
