"""The fits of `together.py` under torchrun; each process writes what came out as JSON to PATH.RANK."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from together import all_fits

Path(f"{sys.argv[1]}.{os.environ['RANK']}").write_text(json.dumps(all_fits()))
