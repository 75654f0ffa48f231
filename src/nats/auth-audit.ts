/** What SYS hands on of logins, logouts and refusals: to CIRCL, where a stream keeps it, and to who may hear it. */
import { AUDIT_PREFIX, REFUSALS } from "../model/audit.ts";
import { STREAMS_ACCOUNT, SYSTEM_ACCOUNT } from "../model/identity.ts";
import type { ConfigBlock } from "./config-file.ts";

/** The server's id stands in the last. Its host and name are in the payload. */
const REFUSED = "$SYS.SERVER.*.CLIENT.AUTH.ERR";

/** Events of every account, and of every server. */
export const AUDITED_EVENTS = ["$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT", REFUSED] as const;

const event = (subject: string, to: string): ConfigBlock => ({ stream: { account: SYSTEM_ACCOUNT, subject }, to });

/**
 * For the stream. Everybody but those of SYS comes for the streams, so they share one subject: circl_audit keeps so many messages
 * of each, and is sized for two. Which account it was stands in the payload.
 */
export const auditImports = (accounts: readonly string[]): ConfigBlock[] => [
  ...accounts.flatMap((account) => {
    const shared = account === SYSTEM_ACCOUNT ? SYSTEM_ACCOUNT : STREAMS_ACCOUNT;
    return [
      event(`$SYS.ACCOUNT.${account}.CONNECT`, `${AUDIT_PREFIX}.connect.${shared}`),
      event(`$SYS.ACCOUNT.${account}.DISCONNECT`, `${AUDIT_PREFIX}.disconnect.${shared}`),
    ];
  }),
  event(REFUSED, REFUSALS),
];

/** For who listens, each account by its name. From SYS itself: what CIRCL has by an import it cannot hand on. */
export const AUDIT_HEARD: readonly ConfigBlock[] = [
  event("$SYS.ACCOUNT.*.CONNECT", `${AUDIT_PREFIX}.connect.*`),
  event("$SYS.ACCOUNT.*.DISCONNECT", `${AUDIT_PREFIX}.disconnect.*`),
  event(REFUSED, REFUSALS),
];
