from __future__ import annotations

import base64
import hashlib
import json

import pytest

from throughtime.page.embed import (
    asset,
    csp,
    filled,
    joined_modules,
    json_for_html,
    rounded,
    rounded_together,
)


def test_json_cannot_close_its_element_and_reads_back():
    hostile = {"</script><!--": ["<img src=x onerror=alert(1)>", "a&b", "\u2028\u2029", "ü😀"]}
    text = json_for_html(hostile)
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == hostile


def test_json_refuses_what_is_not_json():
    with pytest.raises(ValueError, match="JSON compliant"):
        json_for_html([float("nan")])


def test_policy_names_the_hash_of_script_and_style():
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    policy = csp("let ä = 1;", "p {}")
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest('let ä = 1;')}'" in policy
    assert f"style-src 'sha256-{digest('p {}')}'" in policy
    assert "unsafe" not in policy


def test_filling_does_not_read_what_was_filled_in():
    assert filled("{{a}} {{b}}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2"
    with pytest.raises(KeyError):
        filled("{{c}}", {})


def test_modules_become_scopes_without_import_or_export():
    joined = joined_modules(["format.js", "scale.js"])
    assert "import " not in joined
    assert "export " not in joined
    assert "const { DAY, HOUR, clock, dayMonth, month, year } = format_module;" in joined
    assert "</script" not in joined.lower()
    assert "linear" in joined.rsplit("return {", 1)[1]


def test_assets_need_nothing_from_elsewhere():
    for name in ("page.css", "report.html", "charts.js", "report.js"):
        text = asset(name)
        assert "//cdn" not in text
        assert "url(http" not in text
        assert "@import" not in text


def test_rounding_to_five_digits_leaves_other_values_alone():
    value = {"a": [123456.7, 0.000123456, 1], "b": None, "c": True, "d": "1.234567", "e": 10**9 + 1}
    assert rounded(value) == {
        "a": [123460.0, 0.00012346, 1],
        "b": None,
        "c": True,
        "d": "1.234567",
        "e": 10**9 + 1,
    }


def test_columns_of_one_axis_keep_five_digits_of_their_range():
    columns = {"truth": [101325.25, 101400.123, None], "forecast": [101330.1, 101399.9876, 101350.0]}
    assert rounded_together(columns) == {
        "truth": [101325.25, 101400.123, None],
        "forecast": [101330.1, 101399.988, 101350.0],
    }
    assert rounded_together({"truth": [-0.00000001, 40.0]}) == {"truth": [0.0, 40.0]}
    assert str(rounded_together({"truth": [-0.00000001, 40.0]})["truth"][0]) == "0.0"
    assert rounded_together({"truth": [1.23456789, None]}) == {"truth": [1.23456789, None]}
    assert rounded_together({"truth": [None]}) == {"truth": [None]}
