import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "training.md"


def test_every_python_block_of_the_page_runs_from_top_to_bottom():
    blocks = re.findall(
        r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) >= 6
    names: dict[str, object] = {"__name__": "docs_training"}
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), names)
