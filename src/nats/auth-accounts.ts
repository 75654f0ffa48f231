/** The two accounts: SYS, where the servers speak about themselves, and CIRCL, where everything else happens. */

import { AUDIT_PREFIX, REFUSALS } from "../model/audit.ts";
import type { Model } from "../model/resolve.ts";
import { fileStore, memoryStore } from "./budget.ts";
import { byteSize, type ConfigBlock } from "./config-file.ts";

/** What SYS hands to CIRCL, so that a stream can keep it: who logged in and out where, and who was refused. */
export const AUDITED_EVENTS = [
  ...["CIRCL", "SYS"].flatMap((account) => [
    { subject: `$SYS.ACCOUNT.${account}.CONNECT`, to: `${AUDIT_PREFIX}.connect.${account}` },
    { subject: `$SYS.ACCOUNT.${account}.DISCONNECT`, to: `${AUDIT_PREFIX}.disconnect.${account}` },
  ]),
  // The server's id. Its host and name are in the payload.
  { subject: "$SYS.SERVER.*.CLIENT.AUTH.ERR", to: REFUSALS },
] as const;

/** The variable that auth.conf ends with and nats.conf needs: a file that is empty or cut off does not give it. */
export const LAST_LINE = "SYSTEM_ACCOUNT";

/** Nobody but stream-sync and readers of buckets can make streams or consumers; these stop a loop in one of them. */
const MOST_STREAMS = 1_000;
const MOST_CONSUMERS = 10_000;

/** Of one connection (the server counts no others). A client has an inbox or two; thousands are a leak that would slow every server. */
const MOST_SUBSCRIPTIONS = 1_000;

/** Account settings without users. System accounts cannot have JetStream. */
export const accountSettings = (model: Model): Readonly<Record<"SYS" | "CIRCL", ConfigBlock>> => ({
  SYS: { exports: AUDITED_EVENTS.map(({ subject }) => ({ stream: subject, accounts: ["CIRCL"] })) },
  CIRCL: {
    // The account counts max_bytes once per replica (jetstream.go, accountReservation).
    jetstream: {
      max_mem: byteSize(memoryStore(model) * model.environment.nats.servers),
      max_file: byteSize(model.environment.nats.accountStorage ?? fileStore(model) * model.environment.nats.servers),
      max_streams: Math.max(MOST_STREAMS, 2 * model.streams.length),
      max_consumers: Math.max(MOST_CONSUMERS, 2 * model.streams.flatMap(({ consumers }) => consumers).length),
    },
    limits: { max_subscriptions: MOST_SUBSCRIPTIONS },
    imports: AUDITED_EVENTS.map(({ subject, to }) => ({ stream: { account: "SYS", subject }, to })),
  },
});
