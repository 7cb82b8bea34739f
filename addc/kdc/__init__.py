"""The Kerberos key distribution centre and kpasswd.

Decisions are pure functions of (request, facts, policy, now, rng); only the last two groups know a directory.

What goes around: facts, policy, principal_names, padata, krb_errors.
First tickets: as_exchange, as_grant; proof (a client's attempt), preauth (encrypted timestamps).
Further tickets: tgs_exchange, tgs_grant; subject (for whom), open_ticket (what clients present).
Tickets: tickets (issued), ticket_pac (a PAC in its ticket, signatures), pac_build, pac_validation.
FAST: fast, fast_challenge (passwords in armor), fast_device (compound identity).
PKINIT: pkinit, pkinit_facts, pkinit_request, pkinit_certificate, pkinit_reply, pkinit_freshness; anonymous.
Services for users: s4u_self, s4u_proxy, s4u_evidence, s4u_trusts.
Other realms: trust_clients (who comes), trust_tickets (who gets what), referrals (who goes), transited.
Accounts of their own kind: authn_policy, dmsa, rodc.
Passwords: kpasswd.
The client's side and words for people: client_requests, describe, describe_fast, describe_pac,
describe_padata, describe_values, explain.
From the directory to the facts: lookup, lookup_accounts, lookup_certificates, lookup_delegated, lookup_rodc,
lookup_s4u, lookup_trusts.
Ports: exchange (one request, decided), service (88 and 464), kkdcp (HTTPS), replays, ticket_audit.
"""
