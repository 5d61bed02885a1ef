"""Meta's published example payloads (github facebook/openapi), where a copy is at hand: META_SAMPLES names its folder,
or it lies in `shared/` beside the checkout.

The folder has `sends` and `webhooks`, one JSON file for each example.
"""

import json
import os
from pathlib import Path
from typing import Any

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "data" / "meta-openapi-v23"
FOLDER = Path(os.environ.get("META_SAMPLES", BESIDE))
NAMES = sorted(path.stem for path in FOLDER.glob("webhooks/*.json"))


def load(kind: str, name: str) -> Any:
    """One example."""
    return json.loads((FOLDER / kind / f"{name}.json").read_text())
