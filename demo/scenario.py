"""What the demo's person does and says, in parts that can be left out to make a shorter take.

A part names the seconds it takes (measured), how early it is left out (`rank` 0 never is) and its sentences, which
are synthesised before the take. The functions get a Driver (drive.py) and those sentences.
"""
import dataclasses
import typing

GOAL = "Find black running shoes under $100"
# A take shorter than this does not reach a product; the last sentence and a breath take some seconds of every take.
SHORTEST_SECONDS = 25
LAST_WORDS_SECONDS = 5
PARTS = []
# Where a product's name lies in its card, as shares of width and height.
ON_THE_NAME = (0.2, 0.71)


@dataclasses.dataclass(frozen=True)
class Part:
    seconds: float
    rank: int
    says: tuple
    play: typing.Callable


def part(seconds, rank, *says):
    def keep(play):
        PARTS.append(Part(seconds, rank, says, play))
        return play
    return keep


def choose(seconds):
    """The parts that fit, in their order: the needed ones, then by rank as long as there is time."""
    chosen = [part for part in PARTS if part.rank == 0]
    for part in sorted((part for part in PARTS if part.rank), key=lambda part: part.rank):
        if sum(p.seconds for p in chosen) + part.seconds + LAST_WORDS_SECONDS <= seconds:
            chosen.append(part)
    return [part for part in PARTS if part in chosen]


@part(5.5, 0, "My goal is to find black running shoes for under one hundred dollars.")
def open_shop(d, says):
    d.say(says[0], pause=0.9)
    d.rest(1.0, 1.6)
    d.open_address()


@part(5, 0, "I will search the shop for running shoes.")
def search(d, says):
    d.say(says[0])
    d.rest(0.4, 0.9)
    d.click("search")
    d.type("running shoes")
    d.enter(lambda page: "/search" in page["url"], "the search results")


@part(3, 1, "I only want black ones, so I tick that filter.")
def only_black(d, says):
    d.say(says[0])
    d.rest(0.8, 1.4)
    d.click("filter-black", lambda page: "color=Black" in page["url"], "the black filter")


@part(3, 2, "And nothing over one hundred dollars.")
def under_a_hundred(d, says):
    d.say(says[0])
    d.rest(0.4, 1.0)
    d.click("filter-100", lambda page: "under=100" in page["url"], "the price filter")


@part(5.5, 3, "Now I sort them by customer rating, so the best pairs come first.")
def best_first(d, says):
    d.say(says[0])
    d.rest(0.4, 0.8)
    d.click("sort", lambda page: d.has("sort-rating"), "the sort menu")
    d.rest(0.5, 0.9)
    d.click("sort-rating", lambda page: "sort=rating" in page["url"], "the sorted list")


@part(8, 6, "Let me scroll down and compare the prices.")
def compare(d, says):
    d.say(says[0])
    d.rest(0.6, 1.0)
    d.scroll("product-corvid-glide", 4)
    d.rest(1.8, 2.6)
    d.scroll(None, -4)
    d.rest(0.6, 1.0)


@part(10.5, 5, "The first pair looks good. Let me open it.", "It is quite heavy for long runs, so I will go back.")
def look_at_the_heavy_one(d, says):
    d.say(says[0])
    d.rest(0.8, 1.4)
    d.click("product-trailhead-pro", lambda page: page["url"].endswith("/trailhead-pro"), "Trailhead Pro", aim=ON_THE_NAME)
    d.rest(1.4, 2.2)
    d.scroll("add-to-cart", 3)
    d.rest(0.6, 1.0)
    d.say(says[1])
    d.rest(1.8, 2.4)
    d.back(lambda page: "/search" in page["url"], "the search results")


@part(4.5, 0, "I like this one better. It is light, and the reviews are very good.")
def open_the_light_one(d, says):
    d.rest(0.3, 0.7)
    d.click("product-corvid-glide", lambda page: page["url"].endswith("/corvid-glide"), "Corvid Glide", aim=ON_THE_NAME)
    d.say(says[0])
    d.rest(2.2, 2.8)


@part(8, 7, "People say that it fits well, and that it is comfortable after ten miles.")
def read_reviews(d, says):
    d.scroll("add-to-cart", 4)
    d.say(says[0])
    d.rest(3.4, 4.4)
    d.scroll(None, -4)
    d.rest(0.4, 0.8)


@part(4.5, 0, "I take size ten, and I add the pair to my cart.")
def choose_size(d, says):
    d.say(says[0])
    d.rest(0.6, 1.0)
    d.click("size-10")
    d.rest(0.5, 0.9)
    d.click("add-to-cart")
    d.rest(0.8, 1.2)


@part(4, 4, "The total is seventy nine dollars, far below my limit. So this is my choice.")
def look_at_the_cart(d, says):
    d.rest(0.2, 0.5)
    d.click("cart", lambda page: page["url"].endswith("/cart"), "the cart")
    d.say(says[0])
    d.rest(2.0, 2.6)
