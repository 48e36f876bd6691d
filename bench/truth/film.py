"""A take that never happened on a clock: a person with a pointer and a voice in a browser window, drawn picture by picture.

`Film` keeps the time of the recording, paints the pointer into the window's pictures and hands them to FFmpeg, and
writes down what was done (truth), what a recorder's input listener would have seen (events) and what was said.
"""
import json
import math
import random
import subprocess

WIDTH, HEIGHT, BAR, FPS = 1280, 720, 84, 15
# Rows of an arrow: `#` black, `.` white.
ARROW = ["#", "##", "#.#", "#..#", "#...#", "#....#", "#.....#", "#......#", "#.......#", "#........#", "#.....#####", "#..#..#", "#.# #..#",
         "##  #..#", "#    #..#", "     #..#", "      ##"]
ADDRESS = {"text": "Address and search bar", "role": "textbox", "tag": "browser-ui", "box": [120, 46, 1070, 32]}
BACK = {"text": "Back", "role": "button", "tag": "browser-ui", "box": [8, 46, 32, 32]}
# What pressing an element of this name is for, by the definitions of `Intent`; what is not here can be seen in more than one way and is not
# labelled. A change of page has the intent of the act that led to it.
INTENTS = {"search": "search", "filter-": "filter", "max-": "filter", "nav-": "filter", "department-": "filter", "sort": "sort", "by-": "sort",
           "product-": "inspect", "item-": "inspect", "cart": "inspect", "basket": "inspect", "size-": "choose_option", "add-to-cart": "add", "put": "add"}
# What is on a page that the wheel is turned on: a list is gone through to weigh offers, a product is looked at.
ON_A_LIST = "[data-demo^='product-'],[data-demo^='item-']"
ON_A_PRODUCT = "[data-demo='add-to-cart'],[data-demo='put']"


# Titles and prices that the window shows whole: both shops put them into one of these.
PRODUCTS_SHOWN = """[...document.querySelectorAll('.price')].map(price => {
    const title = price.closest('.card, .row, .product, .big')?.querySelector('h1, h3'), shown = e => {
        const b = e.getBoundingClientRect(); return b.height > 0 && b.top >= 0 && b.bottom <= innerHeight }
    if (!title || !shown(title) || !shown(price)) return null
    const rated = [...title.parentElement.querySelectorAll('.rate, p')].filter(shown).map(e => e.textContent.match(/\\d\\.\\d(?= of 5|\\s*\\(\\d+ reviews\\))/)).find(m => m)
    return {title: title.textContent.trim(), price: price.textContent.trim(), rating: rated ? rated[0] : null}
  }).filter(row => row)"""


def intent_of(name):
    return next((intent for prefix, intent in INTENTS.items() if name.startswith(prefix)), None)
BAR_PAGE = """<!doctype html><meta charset=utf-8><style>
body{margin:0;font:13px "Liberation Sans",Arial,sans-serif;background:BACK;color:INK;overflow:hidden}
.tabs{height:40px;padding:8px 0 0 10px;box-sizing:border-box}
.tab{display:inline-flex;align-items:center;width:230px;height:32px;border-radius:9px 9px 0 0;background:FRONT;padding:0 12px;box-sizing:border-box}
.tab span{flex:1;overflow:hidden;white-space:nowrap}
.row{position:relative;height:44px;background:FRONT} svg{position:absolute;top:14px}
.field{position:absolute;left:120px;top:6px;width:1070px;height:32px;border-radius:16px;background:FIELD;box-sizing:border-box;padding:7px 14px 0 40px;font-size:14px;white-space:nowrap;overflow:hidden}
.field i{position:absolute;left:15px;top:10px;width:10px;height:10px;border:2px solid INK;border-radius:6px;box-sizing:border-box}
</style><div class=tabs><div class=tab><span id=title></span><b>&times;</b></div></div><div class=row>
<svg style="left:16px" width=16 height=16 fill=none stroke="INK" stroke-width=2><path d="M15 8H2M8 2 2 8l6 6"/></svg>
<svg style="left:52px" width=16 height=16 fill=none stroke="GRAY" stroke-width=2><path d="M1 8h13M8 2l6 6-6 6"/></svg>
<svg style="left:88px" width=16 height=16 fill=none stroke="INK" stroke-width=2><path d="M14 8a6 6 0 1 1-2-4.5M14 1v4h-4"/></svg>
<div class=field><i></i><span id=url></span></div></div>"""


def bar_page(dark):
    colors = ({"BACK": "#1f2023", "FRONT": "#35363a", "FIELD": "#202124", "INK": "#e8eaed", "GRAY": "#77797d"} if dark
              else {"BACK": "#dee1e6", "FRONT": "#ffffff", "FIELD": "#f1f3f4", "INK": "#2b2d30", "GRAY": "#b5b8bc"})
    page = BAR_PAGE
    for name, color in colors.items():
        page = page.replace(name, color)
    return page


class Film:
    def __init__(self, page, bar, track, seed, dark):
        self.page, self.bar, self.track, self.dark = page, bar, track, dark
        self.random = random.Random(seed)
        self.t, self.frames, self.encoder = 0.0, 0, None
        self.x, self.y = 640, 400
        self.steps, self.events, self.shown, self.planted = [], [], None, {}
        self.spoken_private, self.lines_shown, self.products = [], set(), {}
        self.address, self.in_address, self.title = "", None, "New Tab"
        self.focus = None
        self.bar.run(f"document.open();document.write({json.dumps(bar_page(dark))});document.close()")

    # The picture.

    def look(self):
        """Takes the window's picture anew."""
        text = self.in_address if self.in_address is not None else self.address.replace("http://", "")
        self.bar.run(f"document.getElementById('title').textContent={json.dumps(self.title)};document.getElementById('url').textContent={json.dumps(text)}")
        self.shown = self.bar.picture() + self.page.picture()
        self.mark_planted()
        for row in self.page.run(PRODUCTS_SHOWN) or []:
            known = self.products.setdefault(row["title"], row)
            known["rating"] = known["rating"] or row["rating"]
        self.lines_shown.update(line.strip() for line in (self.page.run("document.body ? document.body.innerText : ''") or "").splitlines() if line.strip())

    def mark_planted(self):
        """Private data that the page shows now, told by elements with data-private."""
        rows = self.page.run("""[...document.querySelectorAll('[data-private]')].map(e=>{const b=e.getBoundingClientRect();
            return {kind:e.dataset.private,text:e.textContent.trim(),box:[b.x,b.y,b.width,b.height].map(Math.round)}})
            .filter(r=>r.box[1]>=0&&r.box[1]+r.box[3]<=innerHeight)""") or []
        for row in rows:
            row["box"][1] += BAR
            key = json.dumps(row)
            self.planted.setdefault(key, {**row, "start": round(self.t, 3)})["end"] = None
        shown = {json.dumps(row) for row in rows}
        for key, row in self.planted.items():
            if row["end"] is None and key not in shown:
                row["end"] = round(self.t, 3)

    def painted(self):
        frame = bytearray(self.shown)
        for dy, row in enumerate(ARROW):
            y = round(self.y) + dy
            for dx, mark in enumerate(row):
                x = round(self.x) + dx
                if mark != " " and 0 <= x < WIDTH and 0 <= y < HEIGHT:
                    at = (y * WIDTH + x) * 3
                    frame[at:at + 3] = b"\0\0\0" if mark == "#" else b"\xff\xff\xff"
        return frame

    def start(self, video):
        self.encoder = subprocess.Popen(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-",
             "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", "-g", str(FPS * 2), "-threads", "1", "-fflags", "+bitexact",
             "-flags:v", "+bitexact", str(video)], stdin=subprocess.PIPE)
        self.look()

    def until(self, t):
        """The window as it is, until `t`."""
        frame = None
        while self.frames / FPS < t:
            frame = frame or self.painted()
            self.encoder.stdin.write(frame)
            self.frames += 1
        self.t = max(self.t, t)

    def rest(self, low, high):
        self.until(self.t + self.random.uniform(low, high))

    def finish(self):
        self.until(max(self.t, self.track.free_at) + 1.4)
        self.encoder.stdin.close()
        if self.encoder.wait():
            raise RuntimeError("FFmpeg could not write the film")
        for row in self.planted.values():
            row["end"] = row["end"] or round(self.t, 3)

    # The person.

    def event(self, kind, t=None, **fields):
        self.events.append({"t": round(self.t if t is None else t, 3), "kind": kind, **fields})

    def say(self, sentence, private=None, after=None):
        """Waits for the end of the sentence before, then begins this one. `private` is the kind of the private data that
        follows the word `after`."""
        self.until(self.track.free_at)
        self.track.say(sentence, self.t + self.random.uniform(0.2, 0.6))
        if private:
            words = self.track.truth()[-1]["words"]
            first = next(i for i, word in enumerate(words) if word["w"] == after) + 1
            self.spoken_private.append({"kind": private, "text": " ".join(word["w"] for word in words[first:]), "box": None,
                                        "start": words[first]["start"], "end": words[-1]["end"]})

    def hush(self):
        self.until(self.track.free_at)

    def move(self, x, y):
        from_x, from_y = self.x, self.y
        distance = math.hypot(x - from_x, y - from_y)
        if distance < 1:
            return
        secs = 0.18 + 0.11 * math.log2(1 + distance / 24) * self.random.uniform(0.85, 1.2)
        bend = distance * self.random.uniform(0.04, 0.14) * self.random.choice((-1, 1))
        side_x, side_y = -(y - from_y) / distance, (x - from_x) / distance
        began, count = self.t, max(3, int(secs * 20))
        for i in range(1, count + 1):
            share = i / count
            along = share ** 3 * (10 - 15 * share + 6 * share ** 2)
            off = bend * math.sin(math.pi * along)
            self.x, self.y = round(from_x + (x - from_x) * along + side_x * off), round(from_y + (y - from_y) * along + side_y * off)
            self.until(began + secs * share)
            self.event("move", x=self.x, y=self.y)

    def boxes(self, name):
        found = self.page.run(f"""(() => {{ const e = document.querySelector('[data-demo="{name}"]'); if (!e || !e.getClientRects().length) return null;
            const b = e.getBoundingClientRect();
            return {{text: e.dataset.text || e.placeholder || e.getAttribute('aria-label') || e.textContent.replace(/[▾]/g, '').replace(/\\s+/g, ' ').trim(),
              role: e.dataset.role || e.getAttribute('role') || {{A: 'link', INPUT: 'textbox'}}[e.tagName] || 'button', tag: e.tagName.toLowerCase(),
              href: e.getAttribute('href'), box: [b.x, b.y, b.width, b.height].map(Math.round)}} }})()""")
        if not found:
            raise RuntimeError(f"the page {self.address} has no element {name}")
        found["box"][1] += BAR
        return found

    def aim(self, box, shares=None):
        x, y, w, h = box
        if shares:
            return round(x + w * shares[0] + self.random.gauss(0, 4)), round(y + h * shares[1] + self.random.gauss(0, 2))
        near = lambda start, length: round(start + length * min(0.8, max(0.2, self.random.gauss(0.5, 0.12))))
        return near(x, min(w, 260)), near(y, h)

    def press(self, target, aim=None):
        """The pointer's way and the click itself; returns the truth's row."""
        self.move(*self.aim(target["box"], aim))
        self.rest(0.08, 0.2)
        pressed = self.t
        row = {"t": round(pressed, 3), "action": "click", "x": self.x, "y": self.y, "button": "left", "target": target, "url_before": self.address}
        self.rest(0.06, 0.12)
        row["t_end"] = round(self.t, 3)
        self.event("click", t=pressed, x=self.x, y=self.y, button="left", clicks=1, t_up=round(self.t, 3))
        self.steps.append(row)
        return row

    def arrive(self, row, before, cause, implied=True):
        """What the page shows after an act, a moment later as pages do."""
        self.rest(0.12, 0.4)
        self.address, self.title = self.page.run("location.href"), self.page.run("document.title") or self.title
        self.in_address = None
        row.update(url_after=self.address, title=self.title)
        self.look()
        if self.address != before:
            self.event("window", title=self.title)
            navigate = {"t": round(self.t, 3), "action": "navigate", "url_before": before, "url_after": self.address, "title": self.title, "cause": cause,
                        "intent": row.get("intent")}
            self.steps.append({**navigate, "implied": True} if implied else navigate)

    def click(self, name, aim=None):
        target, before = self.boxes(name), self.address
        row = self.press(target, aim)
        row["intent"] = intent_of(name)
        self.page.press(self.x, self.y - BAR)
        self.page.settle()
        self.focus = target
        self.arrive(row, before, "link")

    def back(self):
        before = self.address
        row = self.press(BACK)
        row["intent"] = "leave"
        # Not at once: the page would be gone before its answer.
        self.page.run("void setTimeout(() => history.back(), 0)")
        self.page.settle()
        self.arrive(row, before, "back")

    def letters(self, text, put):
        first = self.t
        for i, letter in enumerate(text):
            if i:
                self.until(self.t + min(0.4, self.random.lognormvariate(math.log(0.09), 0.4)))
            put(text[:i + 1], letter)
            self.look()
        self.steps.append({"t": round(first, 3), "action": "type", "t_end": round(self.t, 3), "x": self.x, "y": self.y, "text": text,
                           "target": self.focus, "url_before": self.address, "url_after": self.address, "title": self.title})
        self.event("type", t=first, t_end=round(self.t, 3), chars=len(text))

    def type(self, text):
        self.rest(0.2, 0.5)
        self.letters(text, lambda _, letter: self.page.call("Input.insertText", text=letter))
        self.steps[-1]["intent"] = "search"

    def enter(self, go, cause, implied=True, intent=None):
        self.rest(0.25, 0.5)
        before = self.address
        row = {"t": round(self.t, 3), "action": "key", "key": "Enter", "url_before": before, "intent": intent}
        self.event("key", key="Enter")
        self.steps.append(row)
        go()
        self.arrive(row, before, cause, implied)

    def submit(self):
        def go():
            for kind in ("keyDown", "keyUp"):
                self.page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r" if kind == "keyDown" else "")
            self.page.settle()
        self.enter(go, "form", intent="search")

    def open_address(self, host):
        self.press(ADDRESS)
        self.focus = ADDRESS
        self.rest(0.2, 0.5)

        def put(so_far, _):
            self.in_address = so_far
        self.in_address = ""
        self.letters(host, put)
        self.enter(lambda: self.page.open(f"http://{host}/"), "address-bar", implied=False)

    def scroll(self, name, notches):
        if name:
            self.move(*self.aim(self.boxes(name)["box"]))
            self.rest(0.1, 0.3)
        first, before = self.t, self.page.run("scrollY")
        for i in range(abs(notches)):
            if i:
                self.rest(0.07, 0.16)
            self.event("scroll", x=self.x, y=self.y, dx=0, dy=1 if notches > 0 else -1)
            last = self.t
            self.page.run(f"scrollBy({{top: {100 if notches > 0 else -100}, behavior: 'instant'}})")
            self.look()
        after = self.page.run("scrollY")
        seen = [intent for intent, shown in (("compare", ON_A_LIST), ("inspect", ON_A_PRODUCT)) if self.page.run(f'!!document.querySelector("{shown}")')]
        row = {"t": round(first, 3), "action": "scroll", "t_end": round(last, 3), "x": self.x, "y": self.y, "wheel_clicks": notches, "dy": after - before,
               "url_before": self.address, "url_after": self.address, "title": self.title, "intent": seen[0] if len(seen) == 1 else None}
        self.steps.append(row)
        self.rest(0.3, 0.5)
