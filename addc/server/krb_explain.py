"""What `addc krb explain` finds: the KDC's own decisions about requests that nobody sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import UserError
from addc.base.rng import SystemRng
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType, TicketFlags
from addc.codes.krb_error import KrbErrorCode
from addc.directory.accounts import Account
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.kdc import explain as words
from addc.kdc.client_requests import ETYPES_OFFERED, Client, Held
from addc.kdc.describe_values import etype_text, flag_names, time_text
from addc.kdc.exchange import decide, request_of
from addc.kdc.explain import Part, Step
from addc.kdc.facts import Outcome, Principal
from addc.kdc.lookup import domain_policy
from addc.kdc.lookup_accounts import client_account, membership, principal, server_account
from addc.kdc.policy import KdcPolicy, account_keys, by_strength
from addc.security.krb_keys import Key
from addc.security.token import SYSTEM

_FORWARDABLE: Final = int(TicketFlags.FORWARDABLE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who, for which service, from which machine, and by which service in the principal's name."""

    principal: str
    service: str | None = None
    machine: str | None = None
    delegate_by: str | None = None


def explain(directory: Directory, asked: Asked, now: FileTime, own: KdcPolicy) -> list[Part]:
    """A part for each request that it takes. own: what the KDC does where the domain sets nothing else.

    Raises UserError for names of nobody.
    """

    def work(ctx: ReadContext) -> list[Part]:
        return list(_Rehearsal(ctx, asked, Client(ctx.forest.realm, now, SystemRng()), own).parts())

    return directory.read_now("krb.explain", SYSTEM, work)


@dataclass(slots=True)
class _Rehearsal:
    """One question, asked within one snapshot."""

    ctx: ReadContext
    asked: Asked
    asker: Client
    own: KdcPolicy

    @property
    def _policy(self) -> KdcPolicy:
        return domain_policy(self.ctx, self.own)

    def _decide(self, data: bytes) -> Outcome:
        found = decide(self.ctx, request_of(data), self.own, self.asker.now, self.asker.rng)
        if found is None:
            raise UserError("The domain has no krbtgt. Next step: restore the database from a backup.")
        return found.outcome

    def parts(self) -> Iterator[Part]:
        asked = self.asked
        if asked.delegate_by is not None:
            if asked.service is None:
                raise UserError("To which service? Next step: --service SPN beside --delegate-by.")
            yield from self._delegation(asked.delegate_by, asked.service)
            return
        part, held = self._logon(asked.principal, asked.machine)
        yield part
        if asked.service is not None and held is not None:
            yield self._service(held, asked.service)
        elif asked.service is not None:
            server = self._server(asked.service)
            steps = tuple(words.server_steps(server, asked.service, self._policy))
            yield Part(f"{asked.principal} asks for a ticket for {asked.service}", steps, "not asked", False)

    # --- a first ticket ---

    def _logon(self, name: str, machine: str | None) -> tuple[Part, Held | None]:
        title = f"{name} asks for a ticket-granting ticket" + (f" from {machine}" if machine else "")
        cname, account = self._client(name)
        if account is None:
            step = words.refused(f"no account is called {name}", KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN)
            outcome = self._decide(self.asker.as_req(cname, None, machine))
            return Part(title, (step,), words.verdict(outcome, ""), False), None
        client = principal(self.ctx, account)
        found = membership(self.ctx, account)
        steps = (
            Step(True, f"{name} is {account.sam_account_name} ({account.dn})"),
            *words.client_steps(client, found, machine, self._policy, self.asker.now),
        )
        key = self._key(client)
        outcome = self._decide(self.asker.as_req(cname, key, machine))
        if outcome.error != KrbErrorCode.KDC_ERR_NONE or key is None:
            return self._refused(title, steps, outcome), None
        held = self.asker.of_as_rep(outcome.reply, key)
        return Part(title, steps, words.verdict(outcome, _granted(held)), True), held

    def _refused(self, title: str, steps: tuple[Step, ...], outcome: Outcome) -> Part:
        """With the verdict as a step of its own where no other says why."""
        if all(step.ok for step in steps):
            said = words.verdict(outcome, "")
            steps = (*steps, words.refused(f"the KDC says: {said}", outcome.error, outcome.status))
        return Part(
            title, steps, words.verdict(outcome, "granted"), outcome.error == KrbErrorCode.KDC_ERR_NONE
        )

    def _client(self, name: str) -> tuple[PrincipalName, Account | None]:
        """As kinit sends it, or, with a foreign suffix, as kinit -E does."""
        user, at, realm = name.rpartition("@")
        own = at and self.ctx.forest.is_realm(realm)
        kind = NameType.KRB_NT_ENTERPRISE if at and not own else NameType.KRB_NT_PRINCIPAL
        parts = (name,) if kind == NameType.KRB_NT_ENTERPRISE else tuple((user if own else name).split("/"))
        cname = PrincipalName(int(kind), parts)
        return cname, client_account(self.ctx, cname)

    def _key(self, client: Principal) -> Key | None:
        keys = account_keys(client, self._policy)
        usable = by_strength([one for one in ETYPES_OFFERED if one in keys])
        return keys[usable[0]] if usable else None

    # --- a service's ticket ---

    def _server(self, spn: str) -> Principal | None:
        account = server_account(self.ctx, _service_name(spn))
        return None if account is None else principal(self.ctx, account)

    def _service(self, held: Held, spn: str) -> Part:
        title = f"{held.cname} asks for a ticket for {spn}"
        steps = tuple(words.server_steps(self._server(spn), spn, self._policy))
        outcome = self._decide(self.asker.tgs_req(held, _service_name(spn)))
        if outcome.error != KrbErrorCode.KDC_ERR_NONE:
            return self._refused(title, steps, outcome)
        got = self.asker.of_tgs_rep(outcome.reply, held)
        return Part(title, steps, words.verdict(outcome, _granted(got)), True)

    # --- delegation ---

    def _delegation(self, service: str, target: str) -> Iterator[Part]:
        """S4U2Self, then S4U2Proxy with what came of it."""
        account = client_account(self.ctx, PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (service,)))
        account = account or server_account(self.ctx, _service_name(service))
        if account is None:
            raise UserError(f"No account is called {service}. Next step: name the service's account.")
        part, held = self._logon(account.sam_account_name, None)
        yield part
        if held is None:
            return
        user, _ = self._client(self.asked.principal)
        title = f"{account.sam_account_name} asks for {self.asked.principal}'s ticket to itself (S4U2Self)"
        outcome = self._decide(self.asker.s4u2self(held, user))
        if outcome.error != KrbErrorCode.KDC_ERR_NONE:
            yield self._refused(title, (), outcome)
            return
        evidence = self.asker.of_tgs_rep(outcome.reply, held)
        yield Part(
            title, tuple(_evidence_steps(principal(self.ctx, account), evidence)), _granted(evidence), True
        )
        title = f"{account.sam_account_name} asks for {self.asked.principal}'s ticket to {target} (S4U2Proxy)"
        steps = tuple(words.server_steps(self._server(target), target, self._policy))
        outcome = self._decide(self.asker.s4u2proxy(held, evidence.ticket, _service_name(target)))
        if outcome.error != KrbErrorCode.KDC_ERR_NONE:
            yield self._refused(title, steps, outcome)
            return
        got = self.asker.of_tgs_rep(outcome.reply, held)
        yield Part(title, steps, words.verdict(outcome, _granted(got)), True)


def _evidence_steps(service: Principal, evidence: Held) -> Iterator[Step]:
    if evidence.flags & _FORWARDABLE:
        yield Step(True, "the ticket is forwardable: good for constrained delegation")
    else:
        yield Step(
            True,
            "the ticket is not forwardable: good for resource-based delegation alone, and for nobody who is "
            f"sensitive ({service.name} has no TRUSTED_TO_AUTH_FOR_DELEGATION, or the user is protected)",
        )


def _service_name(spn: str) -> PrincipalName:
    return PrincipalName(int(NameType.KRB_NT_SRV_INST), tuple(spn.partition("@")[0].split("/")))


def _granted(held: Held) -> str:
    data = held.ticket.enc_part
    renew = f", renewable until {time_text(held.renew_till)}" if held.renew_till else ""
    return (
        f"granted: {held.ticket.sname}, {etype_text(data.etype)}, session {etype_text(held.session.etype)}, "
        f"until {time_text(held.endtime)}{renew}, flags {flag_names(held.flags, TicketFlags)}"
    )
