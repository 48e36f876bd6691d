"""The good takes: who shops where, how it looks and sounds, and what is done and said. Words as people say them, so that the voice's
own word list is the truth."""
import dataclasses
import typing

import film

ON_THE_NAME = (0.2, 0.71)


@dataclasses.dataclass(frozen=True)
class Scene:
    name: str
    shop: str
    voice: str
    dark: bool
    noise: float
    goal: str
    play: typing.Callable
    flags: tuple = ()
    verdict: str = "accept"
    # What of the goal's demands was met by what lay in the cart at the end, by kind; `None` where nothing lay in it.
    met: dict = None
    # What lay in the cart at the end, and a word of the reason that was given for it.
    chosen: str = None
    because: str = None
    # Another number is another hand: other pauses, other ways. With few acts some hands look regular by chance.
    seed: int = 0


SCENES = []


def scene(**fields):
    def keep(play):
        SCENES.append(Scene(name=play.__name__, play=play, **fields))
        return play
    return keep


@scene(shop="fernway", voice="rms", dark=False, noise=9, goal="Find black running shoes under $100",
       met={"colour": True, "item": True, "price": True}, chosen="Corvid Glide", because="light")
def shoes(f):
    f.say("My goal is to find black running shoes for under one hundred dollars.")
    f.rest(1.0, 1.5)
    f.open_address("www.fernway.test")
    f.say("I will search the shop for running shoes.")
    f.rest(0.4, 0.9)
    f.click("search")
    f.type("running shoes")
    f.submit()
    f.say("I only want black ones, so I tick that filter.")
    f.rest(0.8, 1.4)
    f.click("filter-black")
    f.say("Now I sort them by customer rating, so the best pairs come first.")
    f.rest(0.5, 1.0)
    f.click("sort")
    f.rest(0.5, 0.9)
    f.click("sort-rating")
    f.say("Let me scroll down and compare the prices.")
    f.rest(0.6, 1.0)
    f.scroll("product-corvid-glide", 3)
    f.rest(1.5, 2.2)
    f.scroll(None, -3)
    f.rest(0.8, 1.2)
    f.say("This one is light, and the reviews are very good. Let me open it.")
    f.click("product-corvid-glide", aim=ON_THE_NAME)
    f.rest(1.5, 2.0)
    f.say("I take size ten, and I add the pair to my cart.")
    f.rest(0.5, 0.9)
    f.click("size-10")
    f.rest(0.6, 1.0)
    f.click("add-to-cart")
    f.rest(0.8, 1.2)
    f.say("The total is seventy nine dollars, far below my limit.")
    f.click("cart")


@scene(shop="haven", voice="slt", dark=False, noise=9, goal="Find a white desk lamp under $40",
       met={"colour": True, "item": True, "price": True}, chosen="Arc Reading Lamp", because="rating")
def lamp(f):
    f.say("I am looking for a white desk lamp for less than forty dollars.")
    f.rest(0.8, 1.3)
    f.open_address("www.haven.test")
    f.say("Let me type desk lamp into the search box.")
    f.rest(0.4, 0.8)
    f.click("search")
    f.type("desk lamp")
    f.submit()
    f.say("The price must stay below forty, so I choose that limit.")
    f.rest(0.6, 1.0)
    f.click("max-40")
    f.rest(0.8, 1.4)
    f.say("The reading lamp is white and has a good rating. I open it.")
    f.rest(0.7, 1.2)
    f.click("item-arc-lamp")
    f.rest(1.2, 1.8)
    f.scroll("put", 3)
    f.say("People say that it looks better than in the picture.")
    f.rest(1.8, 2.4)
    f.scroll(None, -3)
    f.rest(0.4, 0.8)
    f.say("So this is my choice, and I put it into the basket.")
    f.click("put")
    f.rest(1.0, 1.5)
    f.click("basket")


@scene(shop="fernway", voice="rms", dark=True, noise=70, goal="Find a rain jacket under $90", seed=31,
       met={"item": None, "price": None})
def jacket(f):
    f.say("I need a rain jacket, and I do not want to pay more than ninety dollars.")
    f.rest(0.8, 1.3)
    f.open_address("www.fernway.test")
    f.rest(0.5, 0.8)
    f.click("department-clothing")
    f.say("Here are the clothes. I will look at the prices first.")
    f.rest(1.2, 1.8)
    f.scroll("product-drizzle-jacket", 2)
    f.rest(1.0, 1.6)
    f.scroll(None, -2)
    f.rest(0.4, 0.7)
    f.say("The first jacket packs into its own pocket. That is useful for travel.")
    f.click("product-drizzle-jacket", aim=ON_THE_NAME)
    f.rest(1.8, 2.6)
    f.say("Eighty five dollars is fine. I also want to see the warm one, so I go back.")
    f.rest(1.2, 1.8)
    f.back()
    f.rest(0.8, 1.2)
    f.click("product-ember-jacket", aim=ON_THE_NAME)
    f.say("This one costs too much. I will keep the rain jacket.")
    f.rest(1.5, 2.0)
    f.back()


@scene(shop="haven", voice="awb", dark=True, noise=60, goal="Find a red electric kettle under $45",
       met={"colour": True, "item": True, "price": True}, chosen="Ember Kettle", because="spout")
def kettle(f):
    f.say("My task is to find a red electric kettle for under forty five dollars.")
    f.rest(0.8, 1.3)
    f.open_address("www.haven.test")
    f.rest(0.5, 0.9)
    f.click("nav-kettles")
    f.say("There are three kettles. I sort them so that the best rated one comes first.")
    f.rest(0.8, 1.2)
    f.click("by-rating")
    f.rest(1.0, 1.6)
    f.say("The first one is red and electric. Let me see the details.")
    f.rest(0.6, 1.0)
    f.click("item-ember-kettle")
    f.rest(1.5, 2.2)
    f.say("It has a long spout for careful pouring. I like that, so I buy this kettle.")
    f.rest(0.8, 1.4)
    f.click("put")
    f.rest(0.8, 1.2)
    f.click("basket")


@scene(shop="haven", voice="rms", dark=False, noise=9, goal="Find a floor lamp under $150", flags=("pii_visible",), verdict="review",
       met={"item": True, "price": True}, chosen="Harbor Floor Lamp")
def account(f):
    f.say("I want a floor lamp for under one hundred fifty dollars.")
    f.rest(0.6, 1.0)
    f.open_address("www.haven.test")
    f.rest(0.5, 0.9)
    f.click("nav-lamps")
    f.say("The harbor lamp is the tall one. Let me look at it.")
    f.rest(0.6, 1.0)
    f.scroll("item-arc-lamp", 2)
    f.rest(0.4, 0.7)
    f.click("item-harbor-lamp")
    f.rest(1.5, 2.0)
    f.say("Before I buy it I check my address in the account.")
    f.rest(0.6, 1.0)
    f.click("account")
    f.say("You can call me at four one five, five five five, zero one three seven.", private="phone", after="at")
    f.rest(2.5, 3.2)
    f.say("Now I go back and put the lamp into the basket.")
    f.back()
    f.rest(0.8, 1.2)
    f.click("put")


@scene(shop="haven", voice="rms", dark=False, noise=9, goal="Find a white night lamp under $40",
       met={"colour": True, "item": True, "price": True}, chosen="Pico Night Lamp", because="cheap")
def nightlamp(f):
    f.say("I want a white night lamp that costs less than forty dollars.")
    f.rest(0.8, 1.3)
    f.open_address("www.haven.test")
    f.rest(0.5, 0.9)
    f.click("nav-lamps")
    f.say("These are the lamps. I sort them so that the cheapest comes first.")
    f.rest(0.7, 1.2)
    f.click("by-price")
    f.rest(0.9, 1.4)
    f.click("max-40")
    f.say("Now only the ones under forty dollars are left.")
    f.rest(0.8, 1.3)
    f.scroll("item-mono-lamp", 1)
    f.rest(1.2, 1.8)
    f.scroll(None, -1)
    f.rest(0.4, 0.8)
    f.say("The small one is a night lamp. I want to read about it.")
    f.click("item-pico-lamp")
    f.rest(1.4, 2.0)
    f.say("Children can hold it, but the rating is low. I go back and compare.")
    f.rest(0.6, 1.0)
    f.back()
    f.rest(0.7, 1.1)
    f.click("item-arc-lamp")
    f.rest(1.3, 1.9)
    f.scroll("put", 2)
    f.rest(1.0, 1.6)
    f.scroll(None, -2)
    f.say("This is a reading lamp and too bright for the night.")
    f.rest(0.5, 0.9)
    f.back()
    f.rest(0.6, 1.0)
    f.click("item-pico-lamp")
    f.say("So I take the small one. It is cheap enough.")
    f.rest(0.6, 1.0)
    f.click("put")
    f.rest(0.9, 1.3)
    f.click("basket")


@scene(shop="fernway", voice="awb", dark=False, noise=9, goal="Find blue running shoes under $90",
       met={"colour": True, "item": True, "price": True}, chosen="Harbor Runner", because="limit")
def runner(f):
    f.say("I am looking for blue running shoes for less than ninety dollars.")
    f.rest(0.8, 1.3)
    f.open_address("www.fernway.test")
    f.rest(0.5, 0.9)
    f.click("search")
    f.type("running shoes")
    f.submit()
    f.say("There are too many. I only want to see the blue ones.")
    f.rest(0.7, 1.1)
    f.click("filter-blue")
    f.rest(0.9, 1.4)
    f.say("Now I put the best rated pair first.")
    f.click("sort")
    f.rest(0.5, 0.9)
    f.click("sort-rating")
    f.rest(0.9, 1.3)
    f.click("product-harbor-runner", aim=ON_THE_NAME)
    f.rest(1.3, 1.8)
    f.say("They are soft, and made for long runs. My knees would like that.")
    f.scroll("add-to-cart", 2)
    f.rest(1.2, 1.7)
    f.scroll(None, -2)
    f.say("I need size nine.")
    f.rest(0.5, 0.8)
    f.click("size-9")
    f.rest(0.6, 1.0)
    f.say("Eighty eight dollars is below my limit, so they go into the cart.")
    f.click("add-to-cart")
    f.rest(0.9, 1.3)
    f.click("cart")


def robot(f):
    """A click each second on the very middle, the pointer jumping there, and not a word."""
    f.page.open("http://www.haven.test/")
    f.address, f.title = f.page.run("location.href"), f.page.run("document.title")
    f.look()
    f.until(1.0)
    for i, name in enumerate(["nav-lamps", "by-price", "nav-kettles", "by-rating", "nav-chairs", "brand", "nav-lamps", "max-80", "nav-kettles", "max-40",
                              "nav-chairs", "basket", "nav-lamps", "by-rating", "nav-kettles", "by-price", "brand", "nav-chairs", "basket", "brand"]):
        target, before = f.boxes(name), f.address
        x, y, w, h = target["box"]
        f.until(1.0 + i)
        f.x, f.y = round(x + w / 2), round(y + h / 2)
        f.steps.append({"t": round(f.t, 3), "action": "click", "t_end": round(f.t + 0.05, 3), "x": f.x, "y": f.y, "button": "left", "target": target, "url_before": before,
                        "intent": film.intent_of(name)})
        f.event("click", x=f.x, y=f.y, button="left", clicks=1, t_up=round(f.t + 0.05, 3))
        f.page.press(f.x, f.y - 84)
        f.page.settle()
        f.until(f.t + 0.2)
        f.address, f.title = f.page.run("location.href"), f.page.run("document.title")
        f.look()
    f.until(23.0)


def sleepy(f):
    """Two long waits in a short take."""
    f.page.open("http://www.haven.test/")
    f.address, f.title = f.page.run("location.href"), f.page.run("document.title")
    f.look()
    f.say("I am looking for a chair for the kitchen.")
    f.rest(0.5, 1.0)
    f.click("nav-chairs")
    f.until(f.t + 13.0)
    f.say("This one is made of ash wood, and it looks light.")
    f.click("item-ash-chair")
    f.until(f.t + 12.0)
    f.say("I take this chair.")
    f.click("put")


ROBOT = Scene("robot", "haven", "slt", False, 0.0, "Find a lamp under $50", robot, ("bot_like", "silent_audio", "no_speech"), "reject", seed=6)
SLEEPY = Scene("sleepy", "haven", "slt", False, 9, "Find a white chair under $100", sleepy, ("idle",), "reject", seed=7, chosen="Ash Chair", because="light")
