"""Usage and plans over HTTP, from a recorded history."""

import threading
import time

from tests.integration.web.conftest import Site, start, web_settings
from tests.waiting import wait_until

USERS = ("ann", "bob", "carl", "dora", "zoe")


def test_usage_and_plan_are_numbers_and_name_no_user_to_any_caller(site: Site) -> None:
    pool = f"{site.namespace}/matlab"
    for caller in ("numbers", "admin"):
        found = site.get(f"/api/v1/usage?pool={pool}&timeZone=Europe/Berlin", caller)
        assert found.status == 200, found.text
        usage = found.json
        assert (usage["pool"], usage["timeZone"], usage["step"]) == (pool, "Europe/Berlin", "hour")
        assert (usage["peak"], usage["users"], usage["waits"]["neverServed"]) == (3, 5, 1)
        assert usage["waits"]["waitMaxS"] == 3600
        plan = site.get(f"/api/v1/plan?pool={pool}&target=max%20wait%20%3C%2010m", caller)
        assert plan.status == 200, plan.text
        assert plan.json["seatsNow"] == 3
        assert plan.json["seats"] == 5
        for text in (found.text, plan.text):
            assert not any(user in text.replace(site.namespace, "") for user in USERS)


def test_an_answer_that_did_not_change_is_not_sent_again(site: Site) -> None:
    path = f"/api/v1/usage?pool={site.namespace}/matlab"
    tag = site.get(path, "admin").headers["etag"]
    again = site.get(path, "admin", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")


def test_what_cannot_be_answered_is_a_problem_with_what_to_do(site: Site) -> None:
    base = f"/api/v1/usage?pool={site.namespace}"
    for path, status, told in (
        (f"{base}/cad", 404, "Nothing"),
        (f"{base}/none", 404, "There is no LicensePool"),
        (f"{base}/matlab&since=yesterday", 400, "write a date such as 2026-01-31"),
        (f"{base}/matlab&timeZone=Mars", 400, "IANA"),
        ("/api/v1/usage", 400, "pool (query)"),
        ("/api/v1/usage?pool=matlab", 400, "pool (query)"),
        (f"/api/v1/plan?pool={site.namespace}/matlab&target=cheap", 400, "this is no bound on a wait"),
    ):
        found = site.get(path, "admin")
        assert found.status == status, found.text
        assert told in found.json["title"] + found.json["detail"], found.text


def test_other_requests_go_on_while_a_plan_is_computed(site: Site) -> None:
    done = threading.Event()

    def ask() -> None:
        site.get(f"/api/v1/plan?pool={site.namespace}/matlab&target=max%20wait%20%3C%2011m", "admin")
        done.set()

    threading.Thread(target=ask).start()
    answered = 0
    while not done.is_set():
        assert site.get("/api/v1/me", "ann").status == 200
        answered += 1
        time.sleep(0.01)
    assert answered > 5


def test_a_service_without_a_history_says_what_to_set(site: Site) -> None:
    server, log, stop = start(web_settings(site.plane, site.namespace))
    bare = Site(site.plane, site.board, site.other, server, log, site.tokens)
    try:
        wait_until(lambda: bare.get("/api/v1/pools", "admin").status == 200)
        found = bare.get(f"/api/v1/usage?pool={site.namespace}/matlab", "admin")
        assert found.status == 404
        assert "history.location" in found.json["detail"]
    finally:
        stop()
