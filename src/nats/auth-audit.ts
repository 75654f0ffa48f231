/** What SYS hands on of logins, logouts and refusals: to CIRCL, where a stream keeps it, and to who may hear it. */
import { AUDIT_PREFIX, REFUSALS } from "../model/audit.ts";
import { SYSTEM_ACCOUNT } from "../model/identity.ts";
import type { ConfigBlock } from "./config-file.ts";

/** The server's id stands in the last. Its host and name are in the payload. */
const REFUSED = "$SYS.SERVER.*.CLIENT.AUTH.ERR";

/** Events of every account, and of every server. */
export const AUDITED_EVENTS = ["$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT", REFUSED] as const;

const event = (subject: string, to: string): ConfigBlock => ({ stream: { account: SYSTEM_ACCOUNT, subject }, to });

/**
 * For the stream, which keeps so many messages of each subject: each account on its own, so that none pushes out what another did.
 * Account by account, because with a wildcard every refused login comes as well, as somebody who leaves the account $G.
 */
export const auditImports = (accounts: readonly string[]): ConfigBlock[] => [
  ...accounts.flatMap((account) => [
    event(`$SYS.ACCOUNT.${account}.CONNECT`, `${AUDIT_PREFIX}.connect.${account}`),
    event(`$SYS.ACCOUNT.${account}.DISCONNECT`, `${AUDIT_PREFIX}.disconnect.${account}`),
  ]),
  event(REFUSED, REFUSALS),
];

/** For who listens. From SYS itself: what CIRCL has by an import it cannot hand on. */
export const AUDIT_HEARD: readonly ConfigBlock[] = [
  event("$SYS.ACCOUNT.*.CONNECT", `${AUDIT_PREFIX}.connect.*`),
  event("$SYS.ACCOUNT.*.DISCONNECT", `${AUDIT_PREFIX}.disconnect.*`),
  event(REFUSED, REFUSALS),
];
