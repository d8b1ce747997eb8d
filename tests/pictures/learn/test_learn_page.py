import re

import pytest

from statewise.pictures.learn import learn_page, write_learn_page
from statewise.pictures.render.bundle import bundle


def test_the_page_is_one_file_that_refers_to_no_other():
    page = learn_page()
    assert page == learn_page()
    assert re.findall(r"<link[^>]*>", page) == ['<link rel="icon" href="data:,">']
    assert not re.search(r"\ssrc=|url\((?!#)|@import|\bfetch\(|XMLHttpRequest|WebSocket", page)
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of SVG, not a place to go
    assert "default-src 'none'" in page
    assert "<!-- " not in page


def test_it_is_written_over_into_a_folder_that_is_made(tmp_path):
    path = write_learn_page(tmp_path / "new" / "learn.html")
    path.write_text("old")
    assert write_learn_page(path) == path
    assert path.read_text("utf-8") == learn_page()


def test_modules_come_after_those_they_import_and_once():
    modules = {
        "main.js": 'import { a } from "./a.js";\nimport { b } from "./b.js";\na(b);\n',
        "a.js": 'import { b } from "./b.js";\nexport function a(x) { return x + b; }\n',
        "b.js": "const hidden = 1;\nexport const b = hidden;\n",
        "other.js": "never();\n",
    }
    script = bundle(modules, "main.js")
    assert re.findall(r"modules\[\"(\w)\.js\"\] = ", script) == ["b", "a"]
    assert script.index('modules["b.js"] =') < script.index('modules["a.js"] =')
    assert "never" not in script
    assert not re.search(r"^(import|export)", script, re.MULTILINE)


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"m.js": 'import { a } from "./a.js";\n'}, r"m\.js: there is no module a\.js"),
        (
            {"m.js": 'import { a } from "./a.js";\n', "a.js": "function a() {}\n"},
            r"m\.js imports 'a', which a\.js doesn't export",
        ),
        (
            {
                "m.js": 'import { a } from "./a.js";\n',
                "a.js": 'import { m } from "./m.js";\nexport const a = 1;\n',
            },
            r"m\.js -> a\.js -> m\.js import each other",
        ),
        ({"m.js": 'import all from "./a.js";\n'}, "has a form that can't be joined"),
        ({"m.js": "export default 1;\n"}, "has a form that can't be joined"),
        ({"m.js": 'say("</script>");\n'}, "would end the script"),
    ],
)
def test_what_can_not_be_joined_is_refused(modules, message):
    with pytest.raises(ValueError, match=message):
        bundle(modules, "m.js")
