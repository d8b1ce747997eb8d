"""The learner's page as a person uses it: mouse, keyboard, screen reader, phone, both schemes."""

import json
import urllib.parse
from pathlib import Path

import pytest

DESKTOP, PHONE = (1440, 900), (360, 740)

# For each question: the picture's name, the output in words, and how many arrows of some kinds.
ANSWERS = {
    "axes": (
        "many-to-many",
        "(batch 3, time steps 5, features 4)",
        {"up": 10, "state": 4, "zero": 1},
    ),
    "look-back": ("many-to-one", "(batch 1, features 1)", {"up": 5, "dropped": 2, "zero": 1}),
    "features": ("many-to-one", "(batch 1, features 2)", {"up": 7, "dropped": 4}),
    "return-sequences": ("many-to-many", "(batch 32, time steps 5, features 1)", {"up": 15}),
    "stateful": (
        "many-to-many",
        "(batch 3, time steps 3, features 4)",
        {"last": 1, "carried": 1, "next": 1, "zero": 0},
    ),
    "reset": ("many-to-one", "(batch 1, features 1)", {"last": 1, "carried": 1, "next": 1}),
    "stocks": ("one-to-one", "(batch 400, features 1)", {"carried": 1, "state": 0}),
    "parts": ("many-to-many", "(batch 3, time steps 2, features 2)", {"carried": 1, "state": 3}),
    "windows": ("many-to-one", "(batch 3, features 2)", {"zero": 1, "dropped": 2}),
    "repeat": ("one-to-many", "(batch 32, time steps 5, features 1)", {"fan": 5, "zero": 1}),
    "feed-back": (
        "one-to-many",
        "(batch 1, time steps 1, features 2)",
        {"fedback": 4, "carried": 1},
    ),
    "forecast": (
        "many-to-many",
        "(batch 1, time steps 3, features 2)",
        {"fedback": 3, "carried": 1},
    ),
    "autoencoder": (
        "encoder-decoder",
        "(batch 32, time steps 5, features 2)",
        {"fan": 5, "zero": 3},
    ),
    "time-distributed": ("many-to-many", "(batch 32, time steps 6, features 10000)", {"zero": 2}),
    "both-ways": ("many-to-many", "(batch 32, time steps 5, features 1)", {"zero": 2, "state": 8}),
    "steps": ("many-to-many", "(batch 1, time steps 5, features 2)", {"state": 4}),
}
WAYS = {
    "stateful": "stateful",
    "parts": "stateful",
    "windows": "windows",
    "forecast": "forecast",
    "steps": "whole",
}


def script(name):
    """Return one of the functions that look at the whole page."""
    return Path(__file__).with_name(f"{name}.js").read_text("utf-8")


def arrows(page, kind):
    return len(page.all(f'#picture [data-kind="{kind}"].link'))


def test_the_page_has_these_questions(page):
    asked = [button.get_attribute("data-question") for button in page.all("[data-question]")]
    assert asked == list(ANSWERS)
    for button in page.all("[data-question]"):
        assert len(button.text) > 10


@pytest.mark.parametrize("question", ANSWERS)
def test_a_click_on_a_question_shows_its_answer(page, question):
    name, output, counts = ANSWERS[question]
    page.open("both-ways" if question == "axes" else "axes")
    page.click(f'[data-question="{question}"]')
    assert page.text("#question") == page.text(f'[data-question="{question}"]')
    assert (
        2 <= page.text("#answer").count(". ") + 1 <= 4
    )  # two or three sentences, or a short fourth
    assert (
        page.js("return document.activeElement.id") == "question"
    )  # a screen reader reads on here
    assert page.one(f'[data-question="{question}"]').get_attribute("aria-current") == "true"
    assert len(page.all("[aria-current]")) == 1
    assert page.text("#name") == name
    words = page.texts("#picture .label.words")
    assert words[-1] == output
    assert {kind: arrows(page, kind) for kind in counts} == counts
    assert page.one("#error").get_property("hidden")
    assert page.one("#to-panel").get_property("hidden") == (question not in WAYS)
    if question in WAYS:
        assert page.one("#way").get_property("value") == WAYS[question]
    assert page.js("return location.hash") == f"#{question}"


def test_everything_to_try_can_be_tried_and_mended(page):
    mended = 0
    for question in ANSWERS:
        page.open(question)
        for number in range(len(page.all("#tries button"))):
            page.click(f"#tries button:nth-of-type({number + 1})")
            for _ in range(3):
                if page.one("#error").get_property("hidden"):
                    break
                if not page.all("#error button"):  # said, with no obvious way out
                    break
                page.click("#error button")
                mended += 1
            assert page.text("#picture svg title")
        if page.all("#tries button"):
            page.click("#tries button:last-of-type")
        assert page.text("#name") == ANSWERS[question][0]
    assert mended >= 4


def test_layers_are_chosen_with_the_mouse(page):
    page.open("look-back")  # LSTM(4), Dense(1)
    page.click('[data-key="add-GRU"]')
    assert page.net()["layers"][-1] == {
        "kind": "GRU",
        "units": 4,
        "return_sequences": False,
        "stateful": False,
        "bidirectional": False,
    }
    assert page.text("#name") == "doesn't fit"
    page.click('[data-key="up-2"]')
    page.click('[data-key="return_sequences-0"]')
    page.click('[data-key="bidirectional-0"]')
    page.write('[data-key="units-1"]', 7)
    assert [part["kind"] for part in page.net()["layers"]] == ["LSTM", "GRU", "Dense"]
    titles = [text.strip() for text in page.texts("#picture .label.title")]
    assert "".join(titles).startswith("inputBidirectional(LSTM(4,return_sequences=True))GRU(7)")
    assert page.text("#total") == f"{2 * 4 * 4 * 6 + 3 * 7 * (8 + 7 + 2) + 8:,}"
    assert "layers.Bidirectional(layers.LSTM(4, return_sequences=True))," in page.text("#code")
    page.click('[data-key="kind-1"] option[value=SimpleRNN]')
    assert page.net()["layers"][1]["units"] == 7  # what both kinds have is kept
    page.click('[data-key="remove-1"]')
    page.click('[data-key="down-0"]')
    assert [part["kind"] for part in page.net()["layers"]] == ["Dense", "LSTM"]
    page.click('[data-key="remove-1"]')
    assert not page.one('[data-key="remove-0"]').is_enabled()  # one layer stays
    for kind in ("Embedding", "RepeatVector", "TimeDistributed", "SimpleRNN"):
        page.click(f'[data-key="add-{kind}"]')
        assert page.net()["layers"][-1]["kind"] == kind


def test_data_are_chosen_with_the_mouse(page):
    page.open("look-back")
    for key, value in {"batch": 12, "steps": 4, "features": 3}.items():
        page.write(f'[data-key="{key}"]', value)
    words = page.texts("#picture .label.words")
    assert words == [
        "(batch 12, time steps 4, features 3)",
        "(batch 12, features 4)",
        "(batch 12, features 1)",
        "(batch 12, features 1)",
    ]
    assert len(page.all('#picture [data-kind="input"] .feature')) == 12
    page.click(".choice:has([data-key='after-batch'])")
    page.write('[data-key="more"]', 2)
    assert len(page.all('#picture .box[data-part="1"][data-kind="input"]')) == 2
    assert (arrows(page, "forgotten"), arrows(page, "zero"), arrows(page, "carried")) == (1, 2, 0)
    page.click('[data-key="stateful-0"]')
    assert (arrows(page, "forgotten"), arrows(page, "zero"), arrows(page, "carried")) == (0, 0, 1)
    assert "shuffle=False" in page.text("#sentences")
    page.click(".choice:has([data-key='input-vector'])")
    assert page.net()["after"] == "nothing"
    assert not page.one('[data-key="after-batch"]').is_enabled()
    assert not page.all('[data-key="steps"]')


def test_an_error_says_which_layer_what_it_wants_and_what_came(page):
    page.open("return-sequences")
    page.click("#tries button:nth-of-type(3)")
    error = page.text("#error p")
    assert error == (
        "Layer 2, LSTM(4), wants a sequence: (batch, time steps, features). What came from "
        "layer 1, LSTM(4), is (batch 32, features 4), without time steps, because "
        "return_sequences=False drops all but the last."
    )
    assert page.one("#error").is_displayed()
    assert [card.get_attribute("data-index") for card in page.all(".layer.wrong")] == ["1"]
    assert page.text("#picture .fault")
    assert page.text("#total") == "\u2013"
    page.until(f"return document.getElementById('status').textContent === {json.dumps(error)}")
    page.click("#error button")
    assert page.net()["layers"][0]["return_sequences"] is True
    assert page.one("#error").get_property("hidden")
    assert not page.all(".layer.wrong")
    page.until(
        "return document.getElementById('status').textContent.startsWith('many-to-one. Output')"
    )


@pytest.mark.parametrize("value", ["", "0", "-3", "2.5", "1e9", "4097"])
def test_a_number_that_is_none_is_refused_in_words(page, value):
    page.open("look-back")
    page.write('[data-key="units-0"]', value)
    field = page.one('[data-key="units-0"]')
    assert field.get_attribute("aria-invalid") == "true"
    described = page.one(f'[id="{field.get_attribute("aria-describedby")}"]')
    shown = page.net()["layers"][0]["units"]  # the last number on the way that was one
    assert str(shown) in ("4", value[: len(str(shown))])
    assert described.text == f"a whole number from 1 to 4096; shown is {shown}"
    assert page.texts("#picture .label.title")[1] == f"LSTM({shown})"
    page.write('[data-key="units-0"]', 9)
    assert field.get_attribute("aria-invalid") is None
    assert described.text == ""
    assert page.net()["layers"][0]["units"] == 9


class Keyboard:
    """A person with a keyboard alone."""

    TAB, ENTER, SPACE, RIGHT, DOWN = "\ue004", "\ue007", " ", "\ue014", "\ue015"

    def __init__(self, page):
        self.page = page

    def press(self, *keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.page.driver, duration=0).send_keys(*keys).perform()

    def tab_to(self, selector):
        for _ in range(120):
            self.press(self.TAB)
            if self.page.js("return document.activeElement.matches(arguments[0])", selector):
                shadow = self.page.js(
                    "const s = getComputedStyle(document.activeElement); return s.outlineStyle"
                )
                label = self.page.js("return document.activeElement.closest('.segments')")
                assert shadow == "solid" or label  # one sees where one is
                return
        raise AssertionError(f"no way to {selector} with the Tab key")


def test_all_of_it_with_the_keyboard_alone(page):
    keyboard = Keyboard(page.open())
    keyboard.tab_to(".skip")
    keyboard.tab_to('[data-question="stateful"]')
    keyboard.press(Keyboard.ENTER)
    assert page.text("#name") == "many-to-many"
    keyboard.tab_to("#tries button")  # stateful=False
    keyboard.press(Keyboard.ENTER)
    assert page.net()["layers"][0]["stateful"] is False
    keyboard.tab_to("[data-key=input-sequence]")
    keyboard.press(Keyboard.RIGHT)
    assert page.net()["input"] == "vector"
    assert page.js("return document.activeElement.dataset.key") == "input-vector"
    keyboard.press("\ue012")  # left again
    keyboard.tab_to("[data-key=steps]")
    keyboard.press("\ue009a\ue000", "6")
    assert page.net()["steps"] == 6
    keyboard.tab_to("[data-key=return_sequences-0]")
    keyboard.press(Keyboard.SPACE)
    assert page.text("#name") == "many-to-one"
    keyboard.tab_to("[data-key=add-Dense]")
    keyboard.press(Keyboard.ENTER)
    assert page.js("return document.activeElement.dataset.key") == "kind-1"  # the new layer
    keyboard.tab_to("[data-key=up-1]")
    keyboard.press(Keyboard.ENTER)
    assert [part["kind"] for part in page.net()["layers"]] == ["Dense", "LSTM"]
    keyboard.tab_to("[data-key=after-nothing]")
    keyboard.press(Keyboard.DOWN)
    assert page.net()["after"] == "batch"
    keyboard.tab_to("[data-dialect=statewise]")
    keyboard.press(Keyboard.ENTER)
    assert page.text("#code").startswith("import numpy as np\nfrom statewise import")
    keyboard.tab_to("#now")
    keyboard.press(Keyboard.RIGHT, Keyboard.RIGHT)
    keyboard.tab_to("[data-gate=i3]")
    keyboard.press(Keyboard.ENTER)
    assert page.text(".sum").startswith("input gate i, unit 4")
    assert page.js("return document.activeElement.dataset.gate") == "i3"


def test_every_control_has_a_name_for_a_screen_reader(page):
    page.open("autoencoder")
    tree = page.cdp("Accessibility.getFullAXTree")["nodes"]
    roles = (
        "button link textbox spinbutton checkbox radio combobox slider img table heading".split()
    )
    named = {}
    for node in tree:
        role = node.get("role", {}).get("value")
        if role in roles and not node["ignored"]:
            named.setdefault(role, []).append(node.get("name", {}).get("value", ""))
    assert {
        "button",
        "spinbutton",
        "checkbox",
        "radio",
        "combobox",
        "slider",
        "heading",
    } <= named.keys()
    assert [role for role, names in named.items() if not all(names)] == []
    spoken = named["spinbutton"] + named["checkbox"] + named["combobox"]
    assert len(set(spoken)) == len(spoken)  # one of five "units" says which
    image = page.one("#picture svg")
    assert image.get_attribute("role") == "img"
    assert page.text("#picture svg desc").startswith("5 steps go in, all of them squeezed into")


@pytest.mark.parametrize("question", ANSWERS)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(page, question):
    page.open(question, size=PHONE)
    assert page.js("return document.documentElement.scrollWidth") == PHONE[0]
    assert page.js("return document.getElementById('question-list').open") is False
    picture = page.js(
        "const p = document.getElementById('picture');"
        "return [p.scrollWidth > p.clientWidth, p.tabIndex]"
    )
    assert picture in ([False, -1], [True, 0])  # what is wider can be moved, with the keyboard too
    assert page.js(script("small")) == []


def test_on_a_phone_a_question_is_chosen_from_a_list_that_closes(page):
    page.open(size=PHONE)
    page.click("#question-list summary")
    page.click('[data-question="autoencoder"]')
    assert page.text("#name") == "encoder-decoder"
    assert page.js("return document.getElementById('question-list').open") is False
    assert page.js("return document.activeElement.id") == "question"


@pytest.mark.parametrize("size", [DESKTOP, (1000, 800), PHONE])
@pytest.mark.parametrize("question", ["stateful", "autoencoder", "time-distributed", "feed-back"])
def test_nothing_in_the_picture_is_cut_off_or_on_top_of_another_box(page, question, size):
    page.open(question, size=size)
    assert page.js(script("outside")) == []
    boxes = page.js(
        "return [...document.querySelectorAll('#picture .box')].map((e) => {"
        "  const { left, top, right, bottom } = e.getBoundingClientRect();"
        "  return [left, top, right, bottom]; })"
    )
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "question", ["forecast", "time-distributed", "both-ways", "return-sequences"]
)
def test_what_is_written_and_drawn_stands_out_from_its_ground(page, scheme, question):
    page.prefer(color_scheme=scheme)
    page.open(question)
    if question == "return-sequences":
        page.click("#tries button:nth-of-type(3)")  # an error
        page.one("#question").click()
    looked, found = page.js(script("contrast"))
    assert looked > 150
    assert found == []


def test_the_schemes_differ_and_motion_can_be_unwanted(page):
    grounds = {}
    for scheme in ("light", "dark"):
        page.prefer(color_scheme=scheme)
        grounds[scheme] = page.js("return getComputedStyle(document.body).backgroundColor")
    assert grounds["light"] != grounds["dark"]
    bar = "return getComputedStyle(document.querySelector('.bar')).transitionProperty"
    smooth = "return getComputedStyle(document.documentElement).scrollBehavior"
    page.prefer(reduced_motion="no-preference")
    assert (page.js(bar), page.js(smooth)) == ("background", "smooth")
    page.prefer(reduced_motion="reduce")
    assert (page.js(bar), page.js(smooth)) == ("none", "auto")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "Unexpected token"),
        ("net=%", "URI malformed"),
        ("net=%7B%7D", "input is undefined"),
        ("net=null", "input is undefined"),
        ({"steps": 0}, "steps is 0, not a whole number from 1 to 10000"),
        ({"layers": []}, "the number of layers is 0"),
        ({"layers": [{"kind": "toString"}]}, 'a layer\'s kind is "toString"'),
        ({"layers": [{"kind": "Dense", "units": "<img src=x>"}]}, "units is"),
        ({"input": "vector", "after": "loop"}, "a vector has no time steps"),
    ],
)
def test_an_address_that_holds_no_network_is_refused_in_words(page, text, words):
    usual = {
        "input": "sequence",
        "batch": 1,
        "steps": 3,
        "features": 1,
        "after": "nothing",
        "more": 1,
    }
    usual["layers"] = [{"kind": "Dense", "units": 1}]
    if isinstance(text, dict):
        text = "net=" + urllib.parse.quote(json.dumps(usual | text))
    page.open(text)
    assert page.one("#notice").is_displayed()
    assert words in page.text("#notice")
    assert page.text("#name") == ANSWERS["axes"][0]


def test_a_network_of_ones_own_is_kept_in_the_address(page):
    page.open("look-back")
    page.write('[data-key="units-0"]', 11)
    net, place = page.net(), page.js("return location.hash.slice(1)")
    page.open(place)
    assert page.net() == net
    assert page.one('[data-key="units-0"]').get_property("value") == "11"
    page.js("location.hash = 'autoencoder'")
    page.until("return document.getElementById('name').textContent === 'encoder-decoder'")


def test_the_code_is_copied(page):
    page.cdp(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    page.open("forecast")
    page.click("[data-dialect=statewise]")
    page.click("#copy")
    page.until("return document.getElementById('copied').textContent !== ''")
    assert page.text("#copied") == "Copied."
    copied = page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied.strip() == page.text("#code")
    assert "model.forecast(x, horizon=4)" in copied


def test_numbers_are_chosen_with_the_mouse_alone(page):
    page.open("look-back")
    steps = ".count:has([data-key=steps])"
    page.click(f'{steps} [data-nudge="1"]')
    page.click(f'{steps} [data-nudge="1"]')
    assert page.net()["steps"] == 5
    assert page.one("[data-key=steps]").get_property("value") == "5"
    for _ in range(6):
        page.click(f'{steps} [data-nudge="-1"]')
    assert page.net()["steps"] == 1  # and no less
    page.write("[data-key=steps]", "0")
    page.click(f'{steps} [data-nudge="1"]')  # from what is shown, not from what is refused
    assert page.net()["steps"] == 2
    assert page.one("[data-key=steps]").get_attribute("aria-invalid") is None


@pytest.mark.parametrize("size", [DESKTOP, (1000, 800), PHONE])
def test_no_card_is_wider_than_its_place(page, size):
    for question in ("time-distributed", "autoencoder"):
        page.open(question, size=size)
        wider = page.js(
            "return [...document.querySelectorAll('#builder, #builder :not(select, input)')]"
            ".filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
            ".map((e) => e.outerHTML.slice(0, 90))"
        )
        assert wider == []
