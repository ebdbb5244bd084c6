"""Reads all Workbenches with aiohttp and keeps them: the lower bound of a start. In pages, or at once from the cache.

python -m benchmarks.plain_list KUBECONFIG NAMESPACE [--cached]
"""

import asyncio
import json
import ssl
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import aiohttp

PAGES = {"limit": "500"}
CACHED = {"resourceVersion": "0"}
PATH = "/apis/seatpool.io/v1alpha1/namespaces/{}/workbenches"


async def read_all(kubeconfig: Path, namespace: str, *, asked: dict[str, str]) -> list[dict[str, Any]]:
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    trust = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {user['token']}"}
    found: list[dict[str, Any]] = []
    token = ""
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=trust)) as session:
        while True:
            query = asked | ({"continue": token} if token else {})
            async with session.get(cluster["server"] + PATH.format(namespace), params=query) as answer:
                answer.raise_for_status()
                page = json.loads(await answer.read())
            found.extend(page["items"])
            token = page["metadata"].get("continue", "")
            if not token:
                return found


def main() -> None:
    asked = CACHED if sys.argv[3:] == ["--cached"] else PAGES
    found = asyncio.run(read_all(Path(sys.argv[1]), sys.argv[2], asked=asked))
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"objects": len(found), "peak_mb": peak / 1024}), flush=True)


if __name__ == "__main__":
    main()
