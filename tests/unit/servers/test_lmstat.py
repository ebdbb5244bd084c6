"""What lmstat prints, in the forms that license managers of several versions print it. All names are invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.servers.ssm.lmstat import users_of

SAMPLE = """lmutil - Copyright (c) 1989-2020 some vendor. All Rights Reserved.
Flexible License Manager status on Fri 3/6/2026 10:12

[Detecting lmgrd processes...]
License server status: 27000@ls1.example.com
    License file(s) on ls1.example.com: /opt/flexlm/licenses/vew.lic:

ls1.example.com: license server UP (MASTER) v11.17.2

Vendor daemon status (on ls1.example.com):

    vendord: UP v11.17.2
Feature usage info:

Users of vew:  (Total of 40 licenses issued;  Total of 6 licenses in use)

  "vew" v2026.0, vendor: vendord, expiry: 31-dec-2026
  vendor_string: some text (v1) with brackets
  floating license

    ann ws-101.example.com /dev/pts/4 (v2026.0) (ls1.example.com/27000 101), start Fri 3/6 8:40
    bob ws-102 ws-102:0.0 (v2026.0) (ls1.example.com/27000 204), start Thu 3/5 17:03 (linger: 432000)
    b.c@d ws-7 Console (v2026.0) (ls1/27000 333), start Fri 3/6 9:00, 3 licenses
    Ann Example WS-9 WS-9 (v2026.0) (ls1.example.com/27000 405), start Fri 3/6 9:12
    zoe ws-8 :1 alpha beta (v2026.0) (ls1.example.com/27000 502), start Fri 3/6 9:30
    2 RESERVATIONs for GROUP team (ls1.example.com/27000)
    eve ws-8 :1 (v2026.0) (ls1.example.com/27000 777) queued for 1 license

Users of vew_post:  (Total of 2 licenses issued;  Total of 1 license in use)

    dan ws-3 /dev/tty (v2026.0) (ls1.example.com/27000 603), start Fri 3/6 9:41
"""


def test_the_users_of_one_feature_are_found_among_others() -> None:
    assert users_of(SAMPLE, "vew") == ("Ann Example", "ann", "b.c@d", "bob", "zoe")
    assert users_of(SAMPLE, "VEW_post:VERSION=2026.0") == ("dan",)
    assert users_of(SAMPLE, "vew_post VERSION=2026.0") == ("dan",)
    assert users_of(SAMPLE, "other") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Users of vew:  (Uncounted, node-locked)\n",
        "Users of vew:  (Error: 2 licenses, unsupported by licensed server)\n",
        "lmgrd is not running: Cannot connect to license server system. (-15,570:115)\n",
        "Users of vew:  (Total of 4 licenses issued;  Total of 0 licenses in use)\n",
    ],
)
def test_no_check_outs_are_no_users(text: str) -> None:
    assert users_of(text, "vew") == ()


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    users_of(f"Users of vew: (x)\n{text}", "vew")
