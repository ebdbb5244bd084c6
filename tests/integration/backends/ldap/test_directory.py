"""What only directories do: TLS, accounts, rights, ambiguous names, marks among other values, referrals, lost connections."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import trustme
from tests.integration.backends.conformance import OWNER, has, read, run_one, tells_no_secret, write
from tests.integration.backends.ldap.directory import NOTE, Authority
from tests.integration.backends.ldap.slapd import BASE, OPERATOR, PLACEHOLDER, Slapd, SlapdSite, running_slapd
from tests.integration.backends.site import LIST, Disturbance, direct_backend

from seatpool.api.list_names import ListNames
from seatpool.servers.command_result import Result
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.direct.target import MemberKind
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ldap import client
from seatpool.servers.ldap import members as members_of_ldap
from seatpool.servers.ldap.distinguished_names import compared
from seatpool.servers.ldap.results import LdapResult
from seatpool.servers.ldap.session import Session, ValueChange
from seatpool.servers.ldap.target import LdapTarget

TIMEOUT = timedelta(seconds=60)


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    with running_slapd() as one:
        yield one


@pytest.fixture
def site(slapd: Slapd) -> Iterator[SlapdSite]:
    site = SlapdSite(slapd, member_attribute="member")
    yield site
    site.close()
    site.clear()


def over(target: LdapTarget, names: ListNames | None = None) -> DirectBackend:
    return direct_backend(target, names=names, timeout=TIMEOUT, disturbance=Disturbance())


async def fault_of(target: LdapTarget, site: SlapdSite) -> tuple[CommandFault, str]:
    with pytest.raises(TransportError) as error:
        await target.read(LIST)
    tells_no_secret(site, error.value)
    return error.value.reason, str(error.value)


async def test_start_tls(site: SlapdSite, slapd: Slapd) -> None:
    site.add_users(("ann",))
    target = site.target(url=f"ldap://127.0.0.1:{slapd.port}", startTls=True)
    assert (await run_one(over(target), write(1, "ann"))).users == ("ann",)


async def test_a_certificate_instead_of_a_password(site: SlapdSite) -> None:
    site.add_users(("ann",))
    made = site.authority.ca.issue_cert("client.example.com", common_name="seatpool-client")
    secrets = {
        "cert/tls.crt": made.cert_chain_pems[0].bytes().decode(),
        "cert/tls.key": made.private_key_pem.bytes().decode(),
    }
    settings = {"bindDn": None, "password": None, "clientCertificate": {"name": "cert"}}
    for number, url in enumerate((site.url, f"ldap://127.0.0.1:{site.slapd.port}"), start=1):
        target = site.target(secrets=secrets, url=url, startTls=url.startswith("ldap:"), **settings)
        assert (await run_one(over(target), write(number, "ann"))).users == ("ann",)
    stranger = trustme.CA().issue_cert("client.example.com", common_name="seatpool-client")
    secrets |= {
        "cert/tls.crt": stranger.cert_chain_pems[0].bytes().decode(),
        "cert/tls.key": stranger.private_key_pem.bytes().decode(),
    }
    fault, message = await fault_of(site.target(secrets=secrets, **settings), site)
    assert fault is CommandFault.REFUSED, message


async def test_a_certificate_of_a_stranger_is_refused(site: SlapdSite, slapd: Slapd) -> None:
    stranger = site.target(secrets={"dir/ca.crt": Authority().pem})
    by_system = site.target(ca=None)
    start = site.target(url=f"ldap://127.0.0.1:{slapd.port}", startTls=True, secrets={"dir/ca.crt": Authority().pem})
    for target in (stranger, by_system, start):
        fault, message = await fault_of(target, site)
        assert fault is CommandFault.CERTIFICATE_REFUSED, message


async def test_a_server_that_speaks_no_tls_gets_no_password(site: SlapdSite, slapd: Slapd) -> None:
    fault, message = await fault_of(site.target(url=f"ldaps://127.0.0.1:{slapd.port}"), site)
    assert fault in (CommandFault.CERTIFICATE_REFUSED, CommandFault.UNREACHABLE), message


def test_an_empty_password_is_not_sent(site: SlapdSite) -> None:
    for password in ("", "\n"):
        with pytest.raises(TransportError, match="key password of Secret dir is empty") as error:
            site.target(secrets={"dir/password": password})
        assert error.value.reason is CommandFault.SECRET_MISSING
    with pytest.raises(TransportError, match=r"key ca\.crt of Secret dir has no certificates in PEM"):
        site.target(secrets={"dir/ca.crt": "nothing"})


async def test_a_name_that_two_entries_have_is_told_apart_from_one_that_none_has(site: SlapdSite) -> None:
    site.add_users(("ann", "twin"))
    site.administrator.add(
        f"cn=the other twin,{site.people}", {"objectClass": "inetOrgPerson", "uid": "twin", "sn": "x"}
    )
    backend = site.backend()
    for asked in (("ann", "twin", "none"), ("twin",), ("none",)):
        unlistable = await backend.find_unlistable(asked)
        assert set(unlistable) == set(asked) - {"ann"}
        if "twin" in asked:
            assert "2 entries" in unlistable["twin"]
        if "none" in asked:
            assert "no such user" in unlistable["none"]
    result = await run_one(backend, write(1, "ann", "twin"))
    assert (result.users, set(result.unlistable)) == (("ann",), {"twin"})


async def test_a_name_is_found_by_any_filter(site: SlapdSite) -> None:
    site.add_users(("ann", "bob"))
    site.administrator.change_values(site.user_dn("ann"), "mail", add=("a@example.com", "ann@example.com"))
    by_mail = site.target(users={"base": site.people, "filter": "(&(objectClass=person)(mail={user}))"})
    found = await over(by_mail).find_unlistable(("ann@example.com", "bob@example.com"))
    assert "has the name ann" in found["ann@example.com"], "it would not come back as it was written"
    either = site.target(users={"base": site.people, "filter": "(|(mail={user}@example.com)(uid={user}))"})
    assert await over(either).find_unlistable(("ann", "bob")) == {}
    broken = site.target(users={"base": site.people, "filter": "(&(uid={user})"})
    with pytest.raises(TransportError, match=r"spec\.ldap\.users\.filter"):
        await over(broken).find_unlistable(("ann",))
    nowhere = site.target(users={"base": f"ou=nowhere,{BASE}"})
    with pytest.raises(TransportError, match=r"spec\.ldap\.users\.base"):
        await over(nowhere).find_unlistable(("ann",))


async def test_no_name_is_taken_for_a_pattern_or_for_a_filter(site: SlapdSite) -> None:
    site.add_users(("ann", "bob"))
    target = site.target()
    hostile = (
        "*",
        "a*",
        "ann)(uid=*",
        "*)(objectClass=*",
        "\\2a",
        "(ann)",
        "ann\x00",
        "\u202eann",
        "a" * 5000,
        "|",
        "&",
        "",
    )
    found = await target.find((*hostile, "ann"))
    assert set(found) == {"ann"}
    site.administrator.add(f"cn=star,{site.people}", {"objectClass": "inetOrgPerson", "uid": "a*b", "sn": "x"})
    assert (await target.find(("a*b",)))["a*b"].reference == f"cn=star,{site.people}"


async def test_more_entries_than_one_answer_may_have(site: SlapdSite) -> None:
    """The server gives 500 entries for one search."""
    users = [f"u{number}" for number in range(600)]
    for name in users:
        site.administrator.add(
            f"uid={name}+cn=same,{site.people}",
            {"objectClass": "inetOrgPerson", "uid": name, "sn": "same", "cn": "same"},
        )
    site.add_by_hand(LIST, users[:20])
    assert (await read(site)).users == tuple(sorted(users[:20]))
    by_surname = site.target(users={"base": site.people, "filter": "(|(sn={user})(uid={user}))"})
    unlistable = await over(by_surname).find_unlistable(("same", "u1"))
    assert set(unlistable) == {"same"}
    assert "entries of the directory are found by this name" in unlistable["same"]


@pytest.mark.parametrize("together", [True, False])
async def test_what_members_are(site: SlapdSite, together: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not together:
        monkeypatch.setattr(members_of_ldap, "entry_filter", lambda level: None)
    site.add_users(("ann",))
    by = site.administrator
    by.add(f"uid=two,{site.people}", {"objectClass": "inetOrgPerson", "uid": ["two", "another"], "cn": "x", "sn": "x"})
    by.add(f"cn=two,{site.people}", {"objectClass": "inetOrgPerson", "uid": ["zz", "aa"], "sn": "x"})
    by.add(
        f"cn=group with uid,{site.people}",
        {"objectClass": ["groupOfNames", "extensibleObject"], "uid": "grouper", "member": PLACEHOLDER},
    )
    members = {
        f"cn=group with uid,{site.people}": (MemberKind.OTHER, ""),
        f"uid=two,{site.people}": (MemberKind.USER, "two"),
        f"cn=two,{site.people}": (MemberKind.USER, "aa"),
        f"uid=elsewhere,ou=services,{BASE}": (MemberKind.OTHER, ""),
        f"cn=no uid,{site.people}": (MemberKind.OTHER, ""),
        f"uid=ghost,{site.people}": (MemberKind.GHOST, ""),
        f"cn=ghost,ou=nowhere,{BASE}": (MemberKind.GHOST, ""),
        PLACEHOLDER: (MemberKind.PLACEHOLDER, ""),
    }
    by.change_values(site.group_dn(LIST), "member", add=[*(set(members) - {PLACEHOLDER}), site.user_dn("ann")])
    found = {compared(one.reference): (one.kind, one.name) for one in (await site.target().read(LIST)).members}
    assert found.pop(compared(site.user_dn("ann"))) == (MemberKind.USER, "ann")
    assert found == {compared(dn): expected for dn, expected in members.items()}
    unlistable = await site.backend().find_unlistable(("grouper", "another", "two", "aa"))
    assert set(unlistable) == {"grouper", "another"}
    assert "is a group" in unlistable["grouper"]


async def test_a_full_memory_makes_nobody_unknown(site: SlapdSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_of_ldap, "MOST_KNOWN", 3)
    users = tuple(f"u{number}" for number in range(8))
    site.add_users(users)
    backend = site.backend()
    for revision, wanted in enumerate((users[:2], users, users[3:], users), start=1):
        assert (await run_one(backend, write(revision, *wanted))).users == wanted


async def test_members_in_other_letters_are_the_same_members(site: SlapdSite) -> None:
    site.add_users(("abe", "bob"))
    other = site.user_dn("abe").upper().replace(",", " ,  ")
    site.administrator.change_values(site.group_dn(LIST), "member", add=(other,))
    target = site.target(placeholderMember=PLACEHOLDER.upper().replace(",", " , "))
    shown = await target.read(LIST)
    assert sorted(one.kind for one in shown.members) == [MemberKind.PLACEHOLDER, MemberKind.USER]
    assert (await run_one(over(target), write(1, "abe", "bob"))).users == ("abe", "bob")
    assert (await run_one(over(target), write(2, "bob"))).users == ("bob",)
    has(site, "bob")


async def test_a_first_mark_is_fenced_where_the_directory_compares(site: SlapdSite) -> None:
    site.add_users(("ann", "bob"))
    site.administrator.replace(site.group_dn(LIST), "description", [NOTE])
    no_placeholder = {"placeholderMember": None}
    site.administrator.change_values(site.group_dn(LIST), "member", add=(site.user_dn("ann"),), remove=(PLACEHOLDER,))

    async def newer() -> None:
        result = await run_one(over(site.target(**no_placeholder)), write(15, "ann", "bob"))
        assert result.result is Result.APPLIED

    disturbance = Disturbance(before_change=newer)
    older = direct_backend(site.target(**no_placeholder), names=None, timeout=TIMEOUT, disturbance=disturbance)
    result = await run_one(older, write(11, "ann"))
    assert (result.result, result.fence, result.users) == (Result.STALE, 15, ("ann", "bob"))
    notes = site.administrator.values(site.group_dn(LIST), "description")
    assert sorted(notes) == sorted((NOTE, f"seatpool:{OWNER}:15"))


async def test_a_first_mark_is_compared_by_the_directory_itself(site: SlapdSite) -> None:
    """The newer operator writes after the older one has looked for a mark, and before its Modify."""
    site.add_users(("ann", "bob"))
    site.administrator.replace(site.group_dn(LIST), "description", [NOTE])
    site.administrator.change_values(site.group_dn(LIST), "member", add=(site.user_dn("ann"),), remove=(PLACEHOLDER,))
    target = site.target(placeholderMember=None)
    modify = target._client.modify

    async def late(dn: str, changes: Sequence[ValueChange], *, only_if: str | None = None) -> LdapResult:
        newer = await run_one(over(site.target(placeholderMember=None)), write(15, "ann"))
        assert newer.result in (Result.APPLIED, Result.STALE)
        return await modify(dn, changes, only_if=only_if)

    patched: Any = target._client
    patched.modify = late
    result = await run_one(over(target), write(11, "bob", "ann"))
    assert (result.result, result.fence, result.users) == (Result.STALE, 15, ("ann",)), result
    notes = site.administrator.values(site.group_dn(LIST), "description")
    assert sorted(notes) == sorted((NOTE, f"seatpool:{OWNER}:15"))
    has(site, "ann")


async def test_the_placeholder_is_there_if_and_only_if_nobody_is(site: SlapdSite) -> None:
    site.add_users(("ann", "bob"))
    for revision, users in enumerate((("ann",), (), ("ann", "bob"), (), ()), start=1):
        step = Disturbance(largest_change=1 + revision % 2)
        await run_one(site.backend(disturbance=step), write(revision, *users, keep_placeholder=revision % 2 == 0))
        members = site.administrator.values(site.group_dn(LIST), "member")
        assert sorted(map(compared, members)) == sorted(map(compared, site.dns(users) or [PLACEHOLDER]))


async def test_of_several_marks_the_newest_counts_and_the_next_write_leaves_one(site: SlapdSite) -> None:
    site.add_users(("ann",))
    marks = (f"seatpool:{OWNER}:7", f"seatpool:{OWNER}:12", "seatpool:there:3", "seatpool:there:99999999999999999")
    site.administrator.change_values(site.group_dn(LIST), "description", add=marks)
    shown = await read(site)
    assert (shown.fence, shown.owner) == (12, OWNER)
    assert (await run_one(site.backend(), write(12, "ann"))).result is Result.STALE
    assert (await run_one(site.backend(), write(13, "ann"))).result is Result.APPLIED
    ours = [one for one in site.administrator.values(site.group_dn(LIST), "description") if one != NOTE]
    assert f"seatpool:{OWNER}:13" in ours
    assert not set(ours) & set(marks[:3])
    assert marks[3] in ours, "no operator of ours wrote it"


async def test_an_attribute_that_takes_one_value_and_has_it_is_told(site: SlapdSite) -> None:
    site.add_users(("ann",))
    group = site.group_dn(LIST)
    site.administrator.change_values(group, "objectClass", add=("extensibleObject",))
    site.administrator.replace(group, "displayName", ["in use"])
    result = await run_one(over(site.target(markAttribute="displayName")), write(1, "ann"))
    assert result.result is Result.FAILED
    assert "spec.ldap.markAttribute" in result.detail
    assert site.administrator.values(group, "displayName") == ["in use"]
    site.administrator.replace(group, "displayName", [])
    assert (await run_one(over(site.target(markAttribute="displayName")), write(1, "ann"))).fence == 1
    assert (await run_one(over(site.target(markAttribute="displayName")), write(2))).fence == 2


async def test_a_group_that_cannot_be_read_is_told_from_an_empty_one(site: SlapdSite) -> None:
    by = site.administrator
    by.add(f"cn={LIST},ou=hidden,{BASE}", {"objectClass": "groupOfNames", "member": PLACEHOLDER})
    cases = {
        f"cn={{product}},ou=hidden,{BASE}": "does not exist, or the account may not see it",
        f"cn={{product}},ou=nowhere,{BASE}": "does not exist, or the account may not see it",
        "no name {product}": "is no distinguished name",
    }
    for group, expected in cases.items():
        result = await run_one(over(site.target(group=group)), write(1))
        assert (result.result, result.users) == (Result.FAILED, None)
        assert expected in result.detail
        assert LIST in result.detail
    by.add(f"cn=other-{LIST},{site.groups}", {"objectClass": "groupOfUniqueNames", "uniqueMember": PLACEHOLDER})
    unreadable = site.target(group=f"cn=other-{{product}},{site.groups}", memberAttribute="uniqueMember")
    result = await run_one(over(unreadable), write(1))
    assert (result.result, result.users) == (Result.APPLIED, ()), result
    wrong = await run_one(over(site.target(group=f"cn=other-{{product}},{site.groups}")), write(2))
    assert (wrong.result, wrong.users) == (Result.FAILED, None)
    assert "cannot read member" in wrong.detail


async def test_a_referral_is_not_followed(site: SlapdSite) -> None:
    site.administrator.add(
        f"cn=moved-{LIST},{site.groups}",
        {"objectClass": ["referral", "extensibleObject"], "ref": f"ldap://127.0.0.1:{site.relay.port}/cn=x"},
    )
    result = await run_one(over(site.target(group=f"cn=moved-{{product}},{site.groups}")), write(1))
    assert (result.result, result.users) == (Result.FAILED, None)
    assert "referrals are not followed" in result.detail


async def test_an_account_without_the_right_to_write_is_told(site: SlapdSite) -> None:
    site.administrator.add(
        f"cn=list-{LIST},ou=services,{BASE}",
        {"objectClass": "groupOfNames", "member": PLACEHOLDER, "description": NOTE},
    )
    result = await run_one(over(site.target(group=f"cn=list-{{product}},ou=services,{BASE}")), write(1))
    assert result.result is Result.FAILED
    assert "may not be changed by the operator's account" in result.detail


async def test_members_that_cannot_be_seen_are_told_when_they_are_in_the_way(site: SlapdSite) -> None:
    site.add_users(("ann", "bob"))
    group = f"cn=list-{LIST},ou=blind,{BASE}"
    site.administrator.add(
        group, {"objectClass": ["organizationalRole", "extensibleObject"], "member": site.user_dn("ann")}
    )
    result = await run_one(
        over(site.target(group=group.replace(LIST, "{product}"), placeholderMember=None)), write(1, "ann")
    )
    assert result.result is Result.FAILED
    assert "cannot see; give it the right to read them" in result.detail
    assert [compared(one) for one in site.administrator.values(group, "member")] == [compared(site.user_dn("ann"))]


async def test_a_group_that_may_not_be_empty_needs_a_placeholder(site: SlapdSite) -> None:
    site.add_users(("ann",))
    site.add_by_hand(LIST, ("ann",))
    target = site.target(placeholderMember=None)
    result = await run_one(over(target), write(1))
    assert result.result is Result.FAILED
    assert "spec.ldap.placeholderMember" in result.detail
    has(site, "ann")


async def test_a_broken_connection_is_replaced(site: SlapdSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add_users(("ann", "bob"))
    backend = site.backend()
    await run_one(backend, write(1, "ann"))
    site.relay.cut()
    assert (await run_one(backend, write(2, "bob"))).users == ("bob",), "a lost search is repeated"
    monkeypatch.setattr(client, "IDLE", -1.0)
    looked_at = []
    alive = Session.is_alive
    monkeypatch.setattr(Session, "is_alive", lambda self: looked_at.append(alive(self)) or looked_at[-1])
    site.relay.cut()
    target = site.target()
    await target.read(LIST)
    site.relay.cut()
    assert (await over(target).find_unlistable(("ann",))) == {}
    assert False in looked_at


async def test_a_change_whose_answer_is_lost_is_in_doubt_and_made_once(site: SlapdSite) -> None:
    site.add_users(("ann",))

    async def cut() -> None:
        site.relay.cut()

    await run_one(site.backend(), write(1))
    with pytest.raises(TransportError) as error:
        await run_one(site.backend(disturbance=Disturbance(before_change=cut)), write(2, "ann"))
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.UNREACHABLE, True)
    assert (await run_one(site.backend(), write(3, "ann"))).users == ("ann",)


async def test_many_tasks_share_one_directory(site: SlapdSite) -> None:
    users = [f"u{number}" for number in range(20)]
    site.add_users(users)
    target = site.target()
    await target.read(LIST)
    answers = await asyncio.gather(*(target.find((user,)) for user in users), *(target.read(LIST) for _ in range(5)))
    assert [next(iter(one)) for one in answers[: len(users)]] == users
    hung = asyncio.create_task(target.read(LIST))
    await asyncio.sleep(0)
    hung.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hung
    assert (await target.find(("u1",)))["u1"].reference


async def test_a_closed_target_says_so(site: SlapdSite) -> None:
    target = site.target()
    await target.close()
    with pytest.raises(TransportError, match="was closed"):
        await target.read(LIST)


def test_what_is_shown_of_an_account_has_no_password(site: SlapdSite) -> None:
    target = site.target()
    for shown in (repr(target), repr(target._client._account), str(target._client._account)):
        assert not any(secret in shown for secret in site.secrets)
    assert OPERATOR not in repr(target._client._account)
